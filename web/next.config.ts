import path from "node:path";
import type { NextConfig } from "next";

const config: NextConfig = {
  // One page of files, served by the edge: nothing of Node runs with the platform.
  output: "export",
  distDir: ".next",
  reactStrictMode: true,
  productionBrowserSourceMaps: false,
  turbopack: { root: path.resolve(import.meta.dirname) },
};

export default config;
