/** Which tiles were asked for, and how large they were: every request of the map for a tile passes here. */
export interface Seen {
  readonly layer: string;
  readonly z: number;
  readonly x: number;
  readonly y: number;
  /** Bytes as they came over the wire; null where the browser does not tell. */
  readonly sent: number | null;
  readonly whole: number;
  readonly ms: number;
  readonly status: number;
  readonly thinned: string | null;
}

const ADDRESS = /\/tiles\/([^/]+)\/(\d+)\/(\d+)\/(\d+)\.(?:mvt|png)/;

export class Ledger {
  private readonly tiles = new Map<string, Seen>();
  private changed: () => void = () => undefined;

  /** Tell of every tile that comes. */
  listen(changed: () => void): void {
    this.changed = changed;
  }

  /** Ask for a tile on the map's behalf, and note what came. */
  async fetch(url: string, signal: AbortSignal): Promise<ArrayBuffer> {
    const begun = performance.now();
    const response = await fetch(url, { signal });
    const body = await response.arrayBuffer();
    const match = ADDRESS.exec(url);
    if (match) {
      const [, layer, z, x, y] = match as unknown as [string, string, string, string, string];
      const told = response.headers.get("content-length");
      const timing = performance.getEntriesByName(url).at(-1) as
        PerformanceResourceTiming | undefined;
      this.tiles.set(`${layer}/${z}/${x}/${y}`, {
        layer: decodeURIComponent(layer),
        z: Number(z),
        x: Number(x),
        y: Number(y),
        sent: told ? Number(told) : (timing?.encodedBodySize ?? null),
        whole: body.byteLength,
        ms: performance.now() - begun,
        status: response.status,
        thinned: response.headers.get("gisgrid-thinned"),
      });
      this.changed();
    }
    if (!response.ok) throw new Error(await problem(body, response.status));
    return body;
  }

  forget(): void {
    this.tiles.clear();
    this.changed();
  }

  /** The tiles of these layers that lie in a box at one zoom. */
  within(layers: ReadonlySet<string>, zoom: number, box: Box): Seen[] {
    const shown = [...this.tiles.values()].filter(
      (tile) =>
        layers.has(tile.layer) &&
        tile.z === nearest(zoom, tile.layer, this.tiles) &&
        touches(outline(tile), box),
    );
    return shown.sort((a, b) => b.whole - a.whole);
  }
}

export type Box = readonly [west: number, south: number, east: number, north: number];

/** The zoom of a layer's tiles that the map shows: the map's own, or the deepest there is. */
function nearest(zoom: number, layer: string, tiles: ReadonlyMap<string, Seen>): number {
  const zooms = [...tiles.values()].filter((tile) => tile.layer === layer).map(({ z }) => z);
  const at = zooms.filter((z) => z <= zoom);
  return at.length ? Math.max(...at) : Math.min(...zooms);
}

const latitude = (y: number, n: number): number =>
  (Math.atan(Math.sinh(Math.PI * (1 - (2 * y) / n))) * 180) / Math.PI;

/** Where a tile is, in degrees. */
export function outline({ z, x, y }: Pick<Seen, "z" | "x" | "y">): Box {
  const n = 2 ** z;
  return [(x / n) * 360 - 180, latitude(y + 1, n), ((x + 1) / n) * 360 - 180, latitude(y, n)];
}

const touches = (a: Box, b: Box): boolean =>
  a[0] < b[2] && a[2] > b[0] && a[1] < b[3] && a[3] > b[1];

async function problem(body: ArrayBuffer, status: number): Promise<string> {
  try {
    const told = JSON.parse(new TextDecoder().decode(body)) as { detail?: string };
    return told.detail ?? String(status);
  } catch {
    return String(status);
  }
}

export const bytes = (n: number): string =>
  n < 1000
    ? `${n} B`
    : n < 1_000_000
      ? `${(n / 1000).toFixed(1)} kB`
      : `${(n / 1_000_000).toFixed(2)} MB`;
