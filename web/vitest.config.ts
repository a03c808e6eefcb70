import path from "node:path";
import { defineConfig } from "vitest/config";

const here = import.meta.dirname;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^@\//, replacement: `${path.join(here, "src")}/` },
      { find: /^@creavio\/client$/, replacement: path.join(here, ".client/dist/index.js") },
      { find: /^@creavio\/client\/(.+)$/, replacement: path.join(here, ".client/dist/contracts/creavio/$1_pb.js") },
    ],
  },
  test: { environment: "jsdom", include: ["test/**/*.test.{ts,tsx}"] },
});
