/** Opens the inspector: the layers, their tiles on screen with their sizes, and the features under a click. */
import "maplibre-gl/dist/maplibre-gl.css";
import { fetchCatalogue, type Catalogue, type Language } from "../api";
import { firstLanguage, pick } from "../language";
import { bytes, type Seen } from "./tiles";
import { colourOf, View } from "./view";
import { say, type Key } from "./words";

const MOST_TILES = 60;
const MOST_FEATURES = 20;

const part = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;

let language: Language = firstLanguage();
const shown = new Set<string>();
let filter = "";

function element(name: string, text = "", className = ""): HTMLElement {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function speak(catalogue: Catalogue | null): void {
  document.documentElement.lang = language === "zh" ? "zh-CN" : "en";
  const texts: Record<string, Key> = {
    title: "title",
    language: "other",
    "layers-title": "layers",
    "tiles-title": "tiles",
    "outlines-label": "outlines",
    "filter-label": "filter",
    "filter-go": "go",
    "filter-clear": "clear",
    "picked-title": "picked",
  };
  for (const [id, key] of Object.entries(texts)) part(id).textContent = say(language, key);
  part<HTMLTextAreaElement>("filter-text").placeholder = say(language, "example");
  document.title =
    say(language, "title") + (catalogue ? ` · ${pick(catalogue.title, language)}` : "");
  part("tiles-head").replaceChildren(
    ...(["tile", "layer", "sent", "whole", "time"] as const).map((key) =>
      element("th", say(language, key)),
    ),
  );
  const links: [string, Key][] = [
    ["./", "map"],
    ["collections?f=html", "collections"],
    ["docs", "docs"],
  ];
  part("links").replaceChildren(
    ...links.map(([href, key]) => {
      const made = element("a", say(language, key)) as HTMLAnchorElement;
      made.href = href;
      return made;
    }),
  );
}

function listLayers(catalogue: Catalogue, changed: () => void): void {
  const drawn = catalogue.layers.filter(({ kind }) => kind !== "table");
  part("layers").replaceChildren(
    ...drawn.map((layer, index) => {
      const label = element("label", "", "line");
      const box = document.createElement("input");
      Object.assign(box, {
        type: "checkbox",
        value: layer.id,
        checked: shown.has(layer.id),
        disabled: !layer.ready,
      });
      box.addEventListener("change", () => {
        if (box.checked) shown.add(layer.id);
        else shown.delete(layer.id);
        changed();
      });
      const swatch = element("span", "", "swatch");
      swatch.style.background = colourOf(index);
      const zooms = layer.ready ? `z${layer.minzoom}–${layer.maxzoom}` : say(language, "unready");
      label.append(
        box,
        swatch,
        element("span", pick(layer.title, language)),
        element("span", zooms, "muted"),
      );
      const item = element("li");
      item.append(label);
      return item;
    }),
  );
}

function listTiles(tiles: readonly Seen[]): void {
  const total = (of: (tile: Seen) => number): string =>
    bytes(tiles.reduce((sum, tile) => sum + of(tile), 0));
  part("sum").textContent = say(language, "sum", {
    n: String(tiles.length),
    sent: total(({ sent }) => sent ?? 0),
    whole: total(({ whole }) => whole),
  });
  const rows = tiles.slice(0, MOST_TILES).map((tile) => {
    const row = element("tr");
    const size = tile.whole ? bytes(tile.whole) : say(language, "empty");
    row.append(
      element("td", `${tile.z}/${tile.x}/${tile.y}`, "code"),
      element("td", tile.layer),
      element("td", tile.sent === null ? "–" : bytes(tile.sent), "numeric"),
      element("td", size, "numeric"),
      element("td", `${tile.ms.toFixed(0)} ms`, "numeric"),
    );
    if (!tile.thinned) return [row];
    const note = element("tr");
    const cell = element(
      "td",
      say(language, "thinned", { how: tile.thinned }),
      "muted",
    ) as HTMLTableCellElement;
    cell.colSpan = 5;
    note.append(cell);
    return [row, note];
  });
  part("tiles")
    .querySelector("tbody")!
    .replaceChildren(...rows.flat());
}

function listFeatures(view: View, x: number, y: number): void {
  const found = view.at(x, y).slice(0, MOST_FEATURES);
  if (!found.length) {
    part("picked").replaceChildren(element("p", say(language, "none"), "muted"));
    return;
  }
  part("picked").replaceChildren(
    ...found.map((feature) => {
      const card = element("div", "", "feature");
      const list = element("dl");
      for (const [name, value] of Object.entries(feature.properties)) {
        list.append(element("dt", name, "code"), element("dd", String(value)));
      }
      card.append(
        element("h3", `${feature.source}${feature.id === undefined ? "" : ` #${feature.id}`}`),
        list,
      );
      return card;
    }),
  );
}

function listen(view: View, catalogue: Catalogue): void {
  const outlines = part<HTMLInputElement>("outlines");
  let waiting = false;
  const tell = (): void => {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      const tiles = view.onScreen();
      listTiles(tiles);
      view.outline(outlines.checked ? tiles : []);
    });
  };
  const draw = (): void => {
    part("filter-fault").hidden = true;
    view.show(shown, filter);
    tell();
  };
  outlines.addEventListener("change", tell);
  view.ledger.listen(tell);
  part("filter").addEventListener("submit", (event) => {
    event.preventDefault();
    filter = part<HTMLTextAreaElement>("filter-text").value.trim();
    draw();
  });
  part("filter").addEventListener("reset", () => {
    filter = "";
    draw();
  });
  part("language").addEventListener("click", () => {
    language = language === "zh" ? "en" : "zh";
    window.localStorage.setItem("gisgrid.language", language);
    speak(catalogue);
    listLayers(catalogue, draw);
    tell();
  });
  view.map.on("click", ({ point }) => listFeatures(view, point.x, point.y));
  view.map.on("moveend", tell);
  view.map.on("error", ({ error }) => {
    part("filter-fault").textContent = error.message;
    part("filter-fault").hidden = false;
  });
  view.map.on("idle", () => (document.body.dataset.ready = "true"));
  listLayers(catalogue, draw);
  part("picked").replaceChildren(element("p", say(language, "nothing"), "muted"));
  draw();
}

async function open(): Promise<void> {
  speak(null);
  try {
    const catalogue = await fetchCatalogue();
    const drawn = catalogue.layers.filter(({ kind }) => kind !== "table");
    for (const { id, visible, ready } of drawn) if (visible && ready) shown.add(id);
    speak(catalogue);
    const view = new View(part("map"), drawn, catalogue);
    view.map.once("load", () => listen(view, catalogue));
    Object.assign(window, { gisgridInspect: view });
  } catch (error) {
    part("filter-fault").textContent = say(language, "failed", { why: String(error) });
    part("filter-fault").hidden = false;
    document.body.dataset.ready = "failed";
  }
}

void open();
