/** One name per unit: tiles cut a unit into pieces, so its name stands at the middle of its box instead. */
import type { Feature } from "geojson";
import type { LayerSpecification, SourceSpecification } from "maplibre-gl";
import { allRows, type Layer, type TableRow } from "./api";

type LabelSource = Extract<SourceSpecification, { type: "geojson" }>;

/** Names per layer, as far as they have been asked for. */
export type Labels = ReadonlyMap<string, LabelSource>;

export const labelSource = (id: string): string => `${id}--names`;

/** Whether a layer writes names inside areas. */
export const namesAreas = (layer: Layer): boolean =>
  /polygon/i.test(layer.geometry) && layer.style.some(({ type }) => type === "symbol");

/** A name's part of a style, taking its words from the points instead of the tiles' pieces. */
export function named(part: LayerSpecification, layer: Layer): LayerSpecification {
  if (part.type !== "symbol" || !namesAreas(layer)) return part;
  const { "source-layer": _cut, ...kept } = part;
  return { ...kept, source: labelSource(layer.id) };
}

function point({ bbox, values }: TableRow): Feature[] {
  if (!bbox) return [];
  const [west, south, east, north] = bbox;
  const coordinates = [(west + east) / 2, (south + north) / 2];
  const { name_zh, name_en } = values;
  const geometry = { type: "Point" as const, coordinates };
  return [{ type: "Feature", properties: { name_zh, name_en }, geometry }];
}

export async function fetchLabels(layer: Layer): Promise<LabelSource> {
  const features = (await allRows(layer.id)).flatMap(point);
  return { type: "geojson", data: { type: "FeatureCollection", features } };
}
