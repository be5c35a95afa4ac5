// What the build needs beside Vite's bundle: Leaflet for the notebooks' maps, the Chinese font of the briefs, and the
// licences of what is bundled.
import { copyFile, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const web = new URL("../", import.meta.url);
const modules = new URL("node_modules/", web);
const served = new URL("../gisgrid_server/static/", web);
const notebookAssets = new URL("../../gisgrid/assets/", web);

/** Leaflet as two files that ask for nothing else: images become data, the source map's name goes. */
async function copyLeaflet() {
  const from = new URL("leaflet/dist/", modules);
  const script = await readFile(new URL("leaflet.js", from), "utf8");
  let css = await readFile(new URL("leaflet.css", from), "utf8");
  for (const [whole, name] of css.matchAll(/url\((images\/[^)]+)\)/g)) {
    const image = await readFile(new URL(name, from), "base64");
    css = css.replaceAll(whole, `url(data:image/png;base64,${image})`);
  }
  await mkdir(notebookAssets, { recursive: true });
  await writeFile(new URL("leaflet.css", notebookAssets), css);
  await writeFile(
    new URL("leaflet.js", notebookAssets),
    script.replace(/\n?\/\/# sourceMappingURL=.*\s*$/, "\n"),
  );
}

/** The font that a brief's PDF carries, with its licence. */
async function copyFonts() {
  const from = new URL("@fontsource/noto-sans-sc/", modules);
  for (const weight of [400, 700]) {
    const name = `noto-sans-sc-chinese-simplified-${weight}-normal.woff2`;
    await copyFile(new URL(`files/${name}`, from), new URL(name, notebookAssets));
  }
  await copyFile(new URL("LICENSE", from), new URL("noto-sans-sc-licence.txt", notebookAssets));
}

/** The text of a package's licence, or null where it brings none. */
async function licenceText(folder) {
  const names = await readdir(folder);
  const name = names.find((each) => /^(licen[cs]e|copying)/i.test(each));
  return name ? (await readFile(new URL(name, folder), "utf8")).trim() : null;
}

/** Everything that reaches a reader's machine, with its version, licence and the licence's words. */
async function writeLicences() {
  const lock = JSON.parse(await readFile(new URL("package-lock.json", web), "utf8"));
  const bundled = Object.entries(lock.packages).filter(
    ([path, entry]) => path.startsWith("node_modules/") && !entry.dev && !entry.optional,
  );
  const parts = [];
  for (const [path, { version }] of bundled) {
    const folder = new URL(`${path}/`, web);
    const about = JSON.parse(await readFile(new URL("package.json", folder), "utf8"));
    const words = (await licenceText(folder)) ?? "(The package brings no licence file.)";
    parts.push(`${about.name} ${version} · ${about.license ?? "see below"}\n\n${words}\n`);
  }
  const head = `The web map contains these ${parts.length} packages, each under its own licence.\n`;
  await writeFile(
    new URL("licences.txt", served),
    [head, ...parts].join(`\n${"-".repeat(80)}\n\n`),
  );
}

await copyLeaflet();
await copyFonts();
await writeLicences();
console.log(`Wrote ${fileURLToPath(served)} and ${fileURLToPath(notebookAssets)}`);
