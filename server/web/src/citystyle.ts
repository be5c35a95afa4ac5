/** The whole map as one style: the catalogue's layers in drawing order, in the reader's language, by day or night. */
import type {
  ExpressionSpecification,
  FilterSpecification,
  FontFacesSpecification,
  LayerSpecification,
  SourceSpecification,
  StyleSpecification,
} from "maplibre-gl";
import chineseFont from "@fontsource/noto-sans-sc/files/noto-sans-sc-chinese-simplified-400-normal.woff2?url";
import latinFont from "@fontsource/noto-sans-sc/files/noto-sans-sc-latin-400-normal.woff2?url";
import type { Catalogue, Language, Layer } from "./api";
import { cellId, hasCells } from "./cells";
import { labelSource, named, namesAreas, type Labels } from "./labels";
import { measured, type Breaks } from "./measure";
import { MONTH_LAYER, monthLayer, pausedByMonth } from "./months";
import { nightColour, nightLayer } from "./night";
import type { State } from "./state";

const GROUND = "#f7f7f5";
const ACCENT = { light: "#00695f", dark: "#5eead4" } as const;

const absolute = (url: string) => new URL(url, document.baseURI).href;

/** Lines that belong below others: streets, then boundaries, then the outlines of zones and findings. */
const LINES: Readonly<Record<string, number>> = { ground: 3.1, grid: 3.2 };

/** Ground below, then fills, hatches, lines, points and names, whatever the order of the catalogue. */
function rank(part: LayerSpecification, group: string): number {
  if (part.type === "fill") return part.paint && "fill-pattern" in part.paint ? 2 : 1;
  if (part.type === "line") return LINES[group] ?? 3.3;
  return ["raster", "fill", "", "line", "circle", "symbol"].indexOf(part.type);
}

/** A name's expression with the reader's language in place of the one it was written in. */
function inLanguage(expression: unknown, language: Language): unknown {
  if (expression === "name_zh" || expression === "name_en") return `name_${language}`;
  return Array.isArray(expression)
    ? expression.map((part) => inLanguage(part, language))
    : typeof expression === "string"
      ? expression.replace(/\{name_(zh|en)\}/g, `{name_${language}}`)
      : expression;
}

const FONT = "Noto Sans SC";
const FONT_FACES: FontFacesSpecification = {
  [FONT]: [
    { url: absolute(latinFont), "unicode-range": ["U+0-2FF", "U+2000-206F", "U+2212"] },
    { url: absolute(chineseFont), "unicode-range": ["U+2E80-9FFF", "U+F900-FAFF", "U+FE30-FFEF"] },
  ],
};

function localised(part: LayerSpecification, language: Language): LayerSpecification {
  if (part.type !== "symbol") return part;
  const { layout = {} } = part;
  const text = inLanguage(layout["text-field"], language) as ExpressionSpecification;
  return { ...part, layout: { ...layout, "text-field": text, "text-font": [FONT] } };
}

function bound(part: LayerSpecification, layer: Layer): LayerSpecification {
  const source = { source: layer.id } as const;
  const within = layer.kind === "vector" ? { ...source, "source-layer": layer.id } : source;
  return { ...part, ...within } as LayerSpecification;
}

function source(layer: Layer): SourceSpecification {
  const url = absolute(layer.tilejson ?? "");
  if (layer.kind === "raster") return { type: "raster", url, tileSize: 256 };
  // The ids of cells are the tile's own, so the points beside them keep theirs too.
  if (!layer.primary_key || hasCells(layer)) return { type: "vector", url };
  return { type: "vector", url, promoteId: { [layer.id]: layer.primary_key } };
}

/** One layer's parts as they are drawn and as its legend reads them. */
export function drawnParts(layer: Layer, state: State, breaks: Breaks): LayerSpecification[] {
  const parts = measured(layer, state.measure, breaks).map((part) =>
    localised(named(bound(part, layer), layer), state.language),
  );
  return state.theme === "dark" ? parts.map(nightLayer) : parts;
}

/** What a click or a hover can hit: an unseen fill for areas whose style has only outlines. */
function hitLayer(layer: Layer): LayerSpecification[] {
  if (!/polygon/i.test(layer.geometry)) return [];
  if (layer.style.some(({ type }) => type === "fill")) return [];
  const paint = { "fill-opacity": 0 };
  return [bound({ id: `${layer.id}--hit`, type: "fill", source: layer.id, paint }, layer)];
}

function hoverLayer(layer: Layer, state: State): LayerSpecification[] {
  if (layer.kind !== "vector") return [];
  const shown = ["case", ["boolean", ["feature-state", "hover"], false], 1, 0];
  const colour = ACCENT[state.theme];
  const opacity = shown as ExpressionSpecification;
  const id = `${layer.id}--hover`;
  if (layer.geometry.includes("Point")) {
    const ring = { "circle-stroke-color": colour, "circle-stroke-width": 2, "circle-radius": 7 };
    const paint = { ...ring, "circle-opacity": 0, "circle-stroke-opacity": opacity };
    const points = bound(
      { id, type: "circle", source: layer.id, filter: ONLY_POINTS, paint },
      layer,
    );
    return hasCells(layer) ? [points, hoverLine(layer, `${id}-cell`, colour, opacity)] : [points];
  }
  return [hoverLine(layer, id, colour, opacity)];
}

const ONLY_POINTS = ["==", ["geometry-type"], "Point"] as unknown as FilterSpecification;

function hoverLine(
  layer: Layer,
  id: string,
  colour: string,
  opacity: ExpressionSpecification,
): LayerSpecification {
  const paint = { "line-color": colour, "line-width": 2, "line-opacity": opacity };
  return bound({ id, type: "line", source: layer.id, paint }, layer);
}

function selectedLayers(catalogue: Catalogue, state: State): LayerSpecification[] {
  const layer = catalogue.layers.find(({ id }) => id === state.selected?.layer);
  if (!layer?.primary_key || layer.kind !== "vector" || !state.selected) return [];
  const key = ["to-string", ["get", layer.primary_key]] as ExpressionSpecification;
  const cell = cellId(state.selected.key);
  const filter = (
    cell === null ? ["==", key, state.selected.key] : ["==", ["id"], cell]
  ) as ExpressionSpecification;
  const casing = state.theme === "dark" ? nightColour(GROUND) : "#ffffff";
  const base = { source: layer.id, filter };
  if (layer.geometry.includes("Point") && cell === null) {
    const ring = { "circle-radius": 9, "circle-opacity": 0, "circle-stroke-width": 3 };
    const paint = { ...ring, "circle-stroke-color": ACCENT[state.theme] };
    return [bound({ ...base, id: "selected", type: "circle", paint }, layer)];
  }
  const line = (id: string, colour: string, width: number): LayerSpecification =>
    bound(
      { ...base, id, type: "line", paint: { "line-color": colour, "line-width": width } },
      layer,
    );
  return [line("selected-casing", casing, 6), line("selected", ACCENT[state.theme], 3)];
}

interface Parts {
  readonly sources: Record<string, SourceSpecification>;
  readonly layers: LayerSpecification[];
}

function basemapParts({ basemap }: Catalogue, state: State): Parts {
  if (!basemap || !state.basemap) return { sources: {}, layers: [] };
  const paint = state.theme === "dark" ? { "raster-opacity": 0.35 } : { "raster-opacity": 0.6 };
  const tiles: SourceSpecification = {
    type: "raster",
    tiles: [absolute(basemap.url)],
    tileSize: 256,
  };
  const layer: LayerSpecification = { id: "basemap", type: "raster", source: "basemap", paint };
  return { sources: { basemap: tiles }, layers: [layer] };
}

/** Whether a layer is drawn now: switched on, and not paused while one month is shown. */
export const isDrawn = (layer: Layer, state: State): boolean =>
  state.layers.includes(layer.id) && !(state.month !== null && pausedByMonth(layer));

/** Whether anything of a layer is on the map, be it only a month's colours or the selection's outline. */
const isNeeded = (layer: Layer, state: State): boolean =>
  isDrawn(layer, state) ||
  layer.id === state.selected?.layer ||
  (state.month !== null && layer.id === MONTH_LAYER);

/** What a style needs beside the catalogue and the state: it comes in while the page is open. */
export interface Supplies {
  readonly breaks: Breaks;
  readonly monthBreaks: readonly number[];
  readonly labels: Labels;
}

function sources(mapped: readonly Layer[], labels: Labels): Record<string, SourceSpecification> {
  const names = [...labels]
    .filter(([id]) => mapped.some((each) => each.id === id))
    .map(([id, points]) => [labelSource(id), points] as const);
  return Object.fromEntries([...mapped.map((each) => [each.id, source(each)] as const), ...names]);
}

/** Parts whose names have not come yet are left for later. */
const supplied = (part: LayerSpecification, layer: Layer, labels: Labels): boolean =>
  part.type !== "symbol" || !namesAreas(layer) || labels.has(layer.id);

export function cityStyle(
  catalogue: Catalogue,
  state: State,
  { breaks, monthBreaks, labels }: Supplies,
): StyleSpecification {
  const mapped = catalogue.layers.filter(({ ready, tilejson }) => ready && tilejson !== null);
  const needed = mapped.filter((layer) => isNeeded(layer, state));
  const ground = state.theme === "dark" ? nightColour(GROUND) : GROUND;
  const basemap = basemapParts(catalogue, state);
  const visible = mapped.filter((layer) => isDrawn(layer, state));
  const ranked = visible.flatMap((layer) =>
    drawnParts(layer, state, breaks)
      .filter((part) => supplied(part, layer, labels))
      .map((part) => ({ part, rank: rank(part, layer.group) })),
  );
  const month = state.month ? monthLayer(catalogue, state.theme, monthBreaks) : [];
  const drawn = [...ranked, ...month.map((part) => ({ part, rank: 1 }))]
    .sort((left, right) => left.rank - right.rank)
    .map(({ part }) => part);
  return {
    version: 8,
    "font-faces": FONT_FACES,
    sources: { ...basemap.sources, ...sources(needed, labels) },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": ground } },
      ...basemap.layers,
      ...visible.flatMap(hitLayer),
      ...drawn.filter(({ type }) => type !== "symbol"),
      ...visible.flatMap((layer) => hoverLayer(layer, state)),
      ...selectedLayers(catalogue, state),
      ...drawn.filter(({ type }) => type === "symbol"),
    ],
    transition: { duration: reducedMotion() ? 0 : 200, delay: 0 },
  };
}

export const reducedMotion = (): boolean =>
  window.matchMedia("(prefers-reduced-motion: reduce)").matches;
