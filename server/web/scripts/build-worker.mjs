// The phone page's service worker: told which files make up the page, and a word that changes with any of them.
import { createHash } from "node:crypto";
import { copyFile, readFile, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const web = new URL("../", import.meta.url);
const served = new URL("../gisgrid_server/static/", web);
const page = "report.html";
const ICONS = ["icons/report.svg", "icons/report-192.png"];

/** Every file that the page can ask for, found by following its entry through the build's manifest. */
function filesOf(manifest) {
  const files = new Set();
  const seen = new Set();
  const follow = (key) => {
    if (seen.has(key)) return;
    seen.add(key);
    const { file, css = [], assets = [], imports = [], dynamicImports = [] } = manifest[key];
    for (const each of [file, ...css, ...assets]) files.add(each);
    for (const each of [...imports, ...dynamicImports]) follow(each);
  };
  follow(page);
  return [...files].sort();
}

/** The map draws in a worker of its own, which the manifest may not tie to the page. */
function withMapWorker(files, manifest) {
  const workers = Object.values(manifest)
    .map(({ file }) => file)
    .filter((file) => /maplibre-gl-worker.*\.js$/.test(file));
  return [...new Set([...files, ...workers])];
}

const manifest = JSON.parse(await readFile(new URL(".vite/manifest.json", served), "utf8"));
await copyFile(
  new URL("src/report/report.webmanifest", web),
  new URL("report.webmanifest", served),
);
const files = withMapWorker(filesOf(manifest), manifest);
const contents = createHash("sha256");
for (const file of [page, "report.webmanifest", ...files]) {
  contents.update(file).update(await readFile(new URL(file, served)));
}
const addresses = [
  "report",
  "report.webmanifest",
  ...[...files, ...ICONS].map((file) => `static/${file}`),
];

await build({
  configFile: false,
  root: fileURLToPath(web),
  logLevel: "warn",
  publicDir: false,
  define: {
    __FILES__: JSON.stringify(addresses),
    __BUILD__: JSON.stringify(contents.digest("hex").slice(0, 8)),
  },
  build: {
    outDir: fileURLToPath(served),
    emptyOutDir: false,
    target: "es2022",
    reportCompressedSize: false,
    lib: {
      entry: "src/sw/worker.ts",
      formats: ["iife"],
      name: "gisgridWorker",
      fileName: () => "sw.js",
    },
  },
});
await rm(new URL(".vite/", served), { recursive: true });
