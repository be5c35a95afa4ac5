import { defineConfig } from "vite";

/** Fonts keep their names, so that every style document can point at them; all else carries its hash. */
const assetFileNames = (asset) =>
  asset.names.some((name) => name.endsWith(".woff2"))
    ? "fonts/[name][extname]"
    : "assets/[name]-[hash][extname]";

/** Addresses are relative to the page, so that the map also works under a path behind a proxy. */
const renderBuiltUrl = (filename, { hostType }) => {
  if (hostType === "css") return { relative: true };
  if (hostType === "html") return `static/${filename}`;
  return { runtime: `new URL(${JSON.stringify(`static/${filename}`)}, document.baseURI).href` };
};

export default defineConfig({
  base: "/static/",
  experimental: { renderBuiltUrl },
  publicDir: false,
  worker: { format: "es" },
  build: {
    outDir: "../gisgrid_server/static",
    emptyOutDir: true,
    manifest: true,
    target: "es2022",
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    chunkSizeWarningLimit: 2000,
    rolldownOptions: {
      input: ["index.html", "inspect.html", "report.html", "desk.html"],
      output: { assetFileNames },
    },
  },
});
