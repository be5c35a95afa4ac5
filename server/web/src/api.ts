/** What the server answers, and how it is asked. */
import type { LayerSpecification } from "maplibre-gl";

export interface Words {
  readonly zh: string;
  readonly en: string;
}

export type Language = keyof Words;
export type Value = string | number | boolean | null;
export type Bbox = readonly [west: number, south: number, east: number, north: number];

export interface Field {
  readonly name: string;
  readonly type: "string" | "integer" | "number" | "boolean" | "datetime" | "date";
  readonly unit: string | null;
  readonly labels: Readonly<Record<string, Words>> | null;
  readonly description: Words;
}

/** The colours of a raster, from its lowest value to its highest. */
export interface Ramp {
  readonly unit: string | null;
  readonly stops: readonly { readonly value: number; readonly colour: string }[];
}

export interface Layer {
  readonly id: string;
  readonly title: Words;
  readonly description: Words;
  readonly group: string;
  readonly kind: "vector" | "raster" | "table";
  readonly geometry: string;
  readonly primary_key: string | null;
  readonly minzoom: number | null;
  readonly maxzoom: number | null;
  readonly visible: boolean;
  readonly fields: readonly Field[];
  readonly n_rows: number | null;
  readonly attribution: string | null;
  readonly licence: string | null;
  readonly acquired: string | null;
  readonly as_of: string | null;
  readonly excluded: Readonly<Record<string, number>>;
  readonly notes: readonly string[];
  readonly access: "public" | "key";
  /** Whether its data are there; where not, the notes say why. */
  readonly ready: boolean;
  readonly tilejson: string | null;
  readonly ramp?: Ramp;
  readonly style: readonly LayerSpecification[];
}

export interface Basemap {
  readonly url: string;
  readonly attribution: string;
}

export interface Catalogue {
  readonly title: Words;
  readonly timezone: string;
  readonly review_number: string;
  readonly bbox: Bbox;
  readonly as_of: string | null;
  readonly basemap: Basemap | null;
  /** Titles of the groups of layers, from the bottom of the map to its top. */
  readonly groups: Readonly<Record<string, Words>>;
  readonly layers: readonly Layer[];
}

export interface Place {
  readonly name_zh: string;
  readonly name_en: string;
  readonly label: string;
  readonly z: number;
  readonly q: number;
  readonly observed: number;
  readonly expected: number;
  readonly bbox: Bbox;
}

export interface Findings {
  readonly zh: string;
  readonly en: string;
  readonly n_hot: number;
  readonly n_cells: number;
  readonly confidence: number | string | null;
  /** The layer that shows them. */
  readonly layer: string;
  readonly places: readonly Place[];
}

export interface Months {
  readonly months: readonly string[];
  readonly complete: readonly boolean[];
  readonly key: string;
  readonly counts: Readonly<Record<string, readonly number[]>>;
}

export interface TableRow {
  readonly bbox: Bbox | null;
  readonly values: Readonly<Record<string, Value>>;
}

export interface Rows {
  readonly n: number;
  readonly rows: readonly TableRow[];
}

/** An answer that was not given: the sentence in both languages, the status, the request's id and the whole problem. */
export class ApiError extends Error {
  constructor(
    readonly words: Words,
    readonly status: number,
    readonly requestId: string | null,
    readonly problem: Readonly<Record<string, unknown>> = {},
  ) {
    super(words.en);
  }
}

async function failure(response: Response): Promise<ApiError> {
  const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
  const en = String(problem.detail ?? problem.title ?? response.statusText);
  const zh = String(problem.detail_zh ?? en);
  return new ApiError({ zh, en }, response.status, response.headers.get("x-request-id"), problem);
}

/** Ask for anything; who is refused, or hears nothing, gets an ApiError. */
export async function answer(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, options);
  } catch (error) {
    if (options.signal?.aborted) throw error;
    throw new ApiError({ zh: "服务器没有应答", en: "the server does not answer" }, 0, null);
  }
  if (!response.ok) throw await failure(response);
  return response;
}

async function ask<T>(path: string, signal?: AbortSignal): Promise<T> {
  const options = { signal: signal ?? null, headers: { accept: "application/json" } };
  return (await (await answer(path, options)).json()) as T;
}

export const fetchCatalogue = () => ask<Catalogue>("api/catalogue");
export const fetchFindings = () => ask<Findings>("api/findings");
export const fetchMonths = () => ask<Months>("api/months");

export interface RowsQuery {
  readonly limit: number;
  readonly offset?: number;
  readonly sort?: string | null;
  readonly descending?: boolean;
}

/** The rows of a layer as its table shows them, each with the box that the map can fly to. */
export async function fetchRows(id: string, query: RowsQuery, signal?: AbortSignal): Promise<Rows> {
  const asked = new URLSearchParams({
    limit: String(query.limit),
    offset: String(query.offset ?? 0),
  });
  if (query.sort) {
    asked.set("sort", query.sort);
    asked.set("descending", String(query.descending ?? false));
  }
  type Raw = Record<string, Value> & { bbox?: unknown };
  const path = `api/layers/${encodeURIComponent(id)}/rows?${asked}`;
  const answer = await ask<{ n: number; rows: Raw[] }>(path, signal);
  const rows = answer.rows.map(({ bbox, ...values }) => ({
    bbox: (bbox as Bbox | undefined) ?? null,
    values,
  }));
  return { n: answer.n, rows };
}

const PAGE = 1000;
const kept = new Map<string, Promise<readonly TableRow[]>>();

async function fetchAllRows(id: string): Promise<readonly TableRow[]> {
  const first = await fetchRows(id, { limit: PAGE });
  const rest: Promise<Rows>[] = [];
  for (let offset = PAGE; offset < first.n; offset += PAGE) {
    rest.push(fetchRows(id, { limit: PAGE, offset }));
  }
  return [first, ...(await Promise.all(rest))].flatMap(({ rows }) => rows);
}

/** All rows of a layer, asked for once while the page is open; meant for units and cells, not for reports. */
export function allRows(id: string): Promise<readonly TableRow[]> {
  const known = kept.get(id);
  if (known) return known;
  const asked = fetchAllRows(id);
  kept.set(id, asked);
  asked.catch(() => kept.delete(id));
  return asked;
}

/** How many rows of a layer hold each value of one column; missing values are under the empty text. */
export async function fetchCounts(id: string, by: string): Promise<ReadonlyMap<string, number>> {
  const path = `api/layers/${encodeURIComponent(id)}/counts?by=${encodeURIComponent(by)}`;
  const answer = await ask<{ counts: Record<string, number>; n_missing?: number }>(path);
  return new Map([...Object.entries(answer.counts), ["", answer.n_missing ?? 0]]);
}

/** The same for a column of numbers, whose values may be too many to count one by one. */
export async function countNumbers(id: string, by: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const { values } of await allRows(id)) {
    const value = values[by];
    const key = value === null || value === undefined ? "" : String(value);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}
