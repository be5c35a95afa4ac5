/** The map of the inspector: layers drawn plainly, tile outlines, and what lies under a click. */
import {
  addProtocol,
  type GeoJSONSource,
  type LayerSpecification,
  Map as MapLibre,
  type MapGeoJSONFeature,
  setWorkerUrl,
  type SourceSpecification,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Catalogue, Layer } from "../api";
import { bytes, Ledger, outline, type Box, type Seen } from "./tiles";

setWorkerUrl(workerUrl);

const PROTOCOL = "inspected";
const COLOURS = [
  "#00695f",
  "#b2182b",
  "#2166ac",
  "#7a4a00",
  "#6a3d9a",
  "#33770b",
  "#9a2c75",
  "#3a5a78",
];
const OUTLINES = "tile-outlines";

export const colourOf = (index: number): string => COLOURS[index % COLOURS.length] ?? "#00695f";

export class View {
  readonly map: MapLibre;
  readonly ledger = new Ledger();
  private filter = "";
  private shown: ReadonlySet<string> = new Set();

  constructor(
    container: HTMLElement,
    private readonly layers: readonly Layer[],
    catalogue: Catalogue,
  ) {
    addProtocol(PROTOCOL, async ({ url }, { signal }) => ({
      data: await this.ledger.fetch(url.slice(PROTOCOL.length + 3), signal),
    }));
    const [west, south, east, north] = catalogue.bbox ?? [-180, -60, 180, 75];
    this.map = new MapLibre({
      container,
      style: { version: 8, sources: {}, layers: [] },
      bounds: [west, south, east, north],
      fitBoundsOptions: { padding: 32 },
      attributionControl: false,
      dragRotate: false,
      fadeDuration: 0,
    });
  }

  /** Draw these layers with this filter from now on. */
  show(shown: ReadonlySet<string>, filter: string): void {
    if (filter !== this.filter) {
      this.ledger.forget();
      for (const id of this.shown) this.remove(id);
      this.shown = new Set();
    }
    this.filter = filter;
    for (const id of this.shown) if (!shown.has(id)) this.remove(id);
    for (const [index, layer] of this.layers.entries()) {
      if (shown.has(layer.id) && !this.shown.has(layer.id)) this.add(layer, colourOf(index));
    }
    this.shown = new Set(shown);
  }

  /** The tiles on screen. */
  onScreen(): Seen[] {
    const bounds = this.map.getBounds();
    const box: Box = [bounds.getWest(), bounds.getSouth(), bounds.getEast(), bounds.getNorth()];
    // A tile of features is drawn at 512 px, so that the map's zoom is the tile's; pictures at 256 are one deeper.
    const zoom = Math.floor(this.map.getZoom());
    const kinds = new Map(this.layers.map(({ id, kind }) => [id, kind]));
    const pick = (kind: string, at: number): Seen[] =>
      this.ledger.within(new Set([...this.shown].filter((id) => kinds.get(id) === kind)), at, box);
    return [...pick("vector", zoom), ...pick("raster", zoom + 1)];
  }

  /** Draw the outlines of tiles with their size, or none. */
  outline(tiles: readonly Seen[]): void {
    const source = this.map.getSource<GeoJSONSource>(OUTLINES);
    const largest = new Map<string, Seen[]>();
    for (const tile of tiles) {
      const place = `${tile.z}/${tile.x}/${tile.y}`;
      largest.set(place, [...(largest.get(place) ?? []), tile]);
    }
    const features = [...largest].map(([place, same]) => {
      const [west, south, east, north] = outline(same[0]!);
      const ring = [
        [west, south],
        [east, south],
        [east, north],
        [west, north],
        [west, south],
      ];
      const label = `${place}\n${bytes(same.reduce((sum, { whole }) => sum + whole, 0))}`;
      return {
        type: "Feature" as const,
        properties: { label },
        geometry: { type: "Polygon" as const, coordinates: [ring] },
      };
    });
    const data = { type: "FeatureCollection" as const, features };
    if (source) {
      source.setData(data);
      return;
    }
    this.map.addSource(OUTLINES, { type: "geojson", data });
    this.map.addLayer({
      id: OUTLINES,
      type: "line",
      source: OUTLINES,
      paint: { "line-color": "#8a8a83", "line-width": 1, "line-dasharray": [4, 2] },
    });
    this.map.addLayer({
      id: `${OUTLINES}-label`,
      type: "symbol",
      source: OUTLINES,
      layout: {
        "text-field": ["get", "label"],
        "text-size": 11,
        "text-font": ["Noto Sans Regular"],
      },
      paint: { "text-color": "#5b5f63", "text-halo-color": "#ffffff", "text-halo-width": 1.5 },
    });
  }

  /** What lies under a point of the screen. */
  at(x: number, y: number): MapGeoJSONFeature[] {
    const near: [[number, number], [number, number]] = [
      [x - 3, y - 3],
      [x + 3, y + 3],
    ];
    const found = this.map.queryRenderedFeatures(near);
    return found.filter(({ source }) => this.shown.has(source));
  }

  private address(layer: Layer): string {
    const suffix = layer.kind === "raster" ? "png" : "mvt";
    const url = new URL(`tiles/${layer.id}/`, document.baseURI).href;
    const query =
      layer.kind === "vector" && this.filter ? `?filter=${encodeURIComponent(this.filter)}` : "";
    return `${PROTOCOL}://${url}{z}/{x}/{y}.${suffix}${query}`;
  }

  private add(layer: Layer, colour: string): void {
    const tiles = [this.address(layer)];
    const zooms = { minzoom: layer.minzoom ?? 0, maxzoom: layer.maxzoom ?? 14 };
    const source: SourceSpecification =
      layer.kind === "raster"
        ? { type: "raster", tiles, tileSize: 256, ...zooms }
        : { type: "vector", tiles, ...zooms };
    this.map.addSource(layer.id, source);
    const before = this.map.getLayer(OUTLINES) ? OUTLINES : undefined;
    for (const part of parts(layer, colour)) this.map.addLayer(part, before);
  }

  private remove(id: string): void {
    for (const part of this.map.getStyle().layers) {
      if ("source" in part && part.source === id) this.map.removeLayer(part.id);
    }
    if (this.map.getSource(id)) this.map.removeSource(id);
  }
}

/** How any layer is drawn, whatever its style says: every feature can be seen. */
function parts({ id, kind }: Layer, colour: string): LayerSpecification[] {
  if (kind === "raster") return [{ id: `${id}-raster`, type: "raster", source: id }];
  const from = { source: id, "source-layer": id };
  return [
    {
      id: `${id}-fill`,
      type: "fill",
      ...from,
      filter: ["==", ["geometry-type"], "Polygon"],
      paint: { "fill-color": colour, "fill-opacity": 0.15 },
    },
    {
      id: `${id}-line`,
      type: "line",
      ...from,
      filter: ["!=", ["geometry-type"], "Point"],
      paint: { "line-color": colour, "line-width": 1 },
    },
    {
      id: `${id}-point`,
      type: "circle",
      ...from,
      filter: ["==", ["geometry-type"], "Point"],
      paint: {
        "circle-color": colour,
        "circle-radius": 3,
        "circle-opacity": 0.75,
        "circle-stroke-color": "#ffffff",
        "circle-stroke-width": 0.5,
      },
    },
  ];
}
