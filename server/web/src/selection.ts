/** What a link or a row names: its properties, from the tiles on screen or from the layer's rows. */
import { allRows, type Bbox, type Catalogue, type Layer, type TableRow, type Value } from "./api";
import { cellId } from "./cells";
import type { CityMap, Found } from "./map";
import type { Selection } from "./state";

/** Layers with more rows than this are not searched: their things are found in the tiles on screen. */
const MOST_ROWS = 20_000;

async function rowOf(layer: Layer, key: string): Promise<TableRow | null> {
  if (!layer.primary_key || (layer.n_rows ?? Infinity) > MOST_ROWS) return null;
  const rows = await allRows(layer.id);
  return rows.find(({ values }) => String(values[layer.primary_key!]) === key) ?? null;
}

export interface Thing {
  readonly found: Found;
  readonly bbox: Bbox | null;
}

/** The selected thing: its row, or what the tiles on screen know of it. */
export async function selectedThing(
  catalogue: Catalogue,
  map: CityMap,
  { layer: id, key }: Selection,
): Promise<Thing | null> {
  const layer = catalogue.layers.find((each) => each.id === id);
  if (!layer?.ready) return null;
  const row = cellId(key) === null ? await rowOf(layer, key) : null;
  if (row) return { found: { layer, key, properties: row.values }, bbox: row.bbox };
  const found = map.loaded(id, key);
  return found && { found, bbox: null };
}

/** Whether a cell of a table holds nothing. */
export const isMissing = (value: Value | undefined): boolean =>
  value === null || value === undefined || (typeof value === "number" && Number.isNaN(value));
