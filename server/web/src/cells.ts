/** Cells: what a layer of points shows where single points would be too many. A cell says how many it stands for. */
import type { LayerSpecification } from "maplibre-gl";
import type { Field, Language, Layer, Value } from "./api";
import { number, percent, pick, say } from "./language";

type Properties = Readonly<Record<string, Value>>;

const KEY = "cell:";

/** Whether a layer of points has a style for cells too. */
export const hasCells = (layer: Layer): boolean =>
  layer.geometry.includes("Point") && layer.style.some(({ type }) => type === "fill");

export const isCell = (layer: Layer, properties: Properties): boolean =>
  hasCells(layer) && typeof properties.count === "number";

export const cellKey = (id: string | number | undefined): string => `${KEY}${id ?? ""}`;

/** The id of the cell that a key names; null for the key of a single thing. */
export const cellId = (key: string): number | null =>
  key.startsWith(KEY) ? Number(key.slice(KEY.length)) : null;

/** Whether a part of a style draws cells: its filter asks for their count. */
const drawsCells = (part: LayerSpecification): boolean =>
  "filter" in part && JSON.stringify(part.filter) === '["has","count"]';

/** The parts that a legend is about at a zoom: those of single points near by, those of cells at a distance. */
export function partsAt(
  layer: Layer,
  parts: readonly LayerSpecification[],
  zoom: number,
): readonly LayerSpecification[] {
  if (!hasCells(layer)) return parts;
  const near = parts.filter((part) => !drawsCells(part) && zoom >= (part.minzoom ?? 0));
  return near.length > 0 ? near : parts.filter(drawsCells);
}

export interface CellFact {
  readonly name: string;
  readonly value: string;
}

const labelled = (layer: Layer, word: string): Field | undefined =>
  layer.fields.find(({ labels }) => labels?.[word]);

function wordFact(layer: Layer, name: string, value: number, language: Language): CellFact | null {
  const [, kind, word] = /^(n|share)_(.+)$/.exec(name) ?? [];
  if (!kind || !word) return null;
  const words = labelled(layer, word)?.labels?.[word];
  const label = words ? pick(words, language) : word;
  if (kind === "n") return { name: label, value: number(value, language) };
  return { name: say(language, "shareOf", { what: label }), value: percent(value, language) };
}

/** What a cell says, in words: how many, which share, and the classes it has most of. */
export function cellFacts(layer: Layer, properties: Properties, language: Language): CellFact[] {
  const numbers = Object.entries(properties).filter(
    (entry): entry is [string, number] => typeof entry[1] === "number",
  );
  const of = (kind: string) => numbers.filter(([name]) => name.startsWith(kind));
  const classes = of("n_").sort(([, left], [, right]) => right - left);
  const facts = [...of("share_"), ...classes].map(([name, value]) =>
    wordFact(layer, name, value, language),
  );
  const count = {
    name: say(language, "cellCount"),
    value: number(Number(properties.count), language),
  };
  return [count, ...facts.filter((fact) => fact !== null)];
}

/** A cell's name: what it counts, and how many. */
export const cellName = (layer: Layer, properties: Properties, language: Language): string =>
  say(language, "cellName", {
    title: pick(layer.title, language),
    n: number(Number(properties.count), language),
  });
