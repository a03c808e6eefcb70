import type { MetadataRoute } from "next";

export const dynamic = "force-static";

/** What a device shows of the app that is installed on it. */
export default function manifest(): MetadataRoute.Manifest {
  return {
    name: "Creavio",
    short_name: "Creavio",
    description: "A community platform that a group can own.",
    id: "/",
    start_url: "/",
    display: "standalone",
    background_color: "#e9e4db",
    theme_color: "#e9e4db",
    icons: [{ src: "/icon.svg", sizes: "any", type: "image/svg+xml" }],
  };
}
