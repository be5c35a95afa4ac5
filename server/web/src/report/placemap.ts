/** The map under the pin: the city's own ground and grid, the circle of accuracy, and reports nearby. */
import {
  Map as MapLibre,
  type VectorTileSource,
  setWorkerUrl,
  type GeoJSONSource,
  type RequestParameters,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Feature } from "geojson";
import type { Catalogue, Language, Words } from "../api";
import { cityStyle, reducedMotion } from "../citystyle";
import { fetchLabels, namesAreas, type Labels } from "../labels";
import type { State, Theme } from "../state";
import { circle } from "./geo";
import type { Fix } from "./receiver";
import type { NearbyCase } from "./types";
import { KEEP_HEADER, ROWS } from "../sw/kept";

setWorkerUrl(workerUrl);

const GROUPS: readonly string[] = ["ground", "grid"];
/** Few enough names that they may be fetched and kept. */
const NAMED: readonly string[] = ["subdistricts", "communities"];
const CLOSE_ZOOM = 16;
const FLIGHT_MS = 400;
const COLOURS = {
  light: { accent: "#00695f", paper: "#ffffff", ink: "#1d1f21" },
  dark: { accent: "#5eead4", paper: "#15181c", ink: "#ecedea" },
} as const;

export interface Look {
  readonly language: Language;
  readonly theme: Theme;
}

interface Handlers {
  /** The person moved the map: the pin is somewhere else now. */
  readonly onPlaced: (lon: number, lat: number) => void;
  /** What the tiles say about the place under the pin, from the largest unit to the smallest. */
  readonly onUnits: (units: readonly Words[]) => void;
}

const features = (all: readonly Feature[]) => ({
  type: "geojson" as const,
  data: { type: "FeatureCollection" as const, features: [...all] },
});

export class PlaceMap {
  readonly map: MapLibre;
  private labels: Labels = new Map();
  private headers: Readonly<Record<string, string>> = {};
  private fix: Fix | null = null;
  private nearby: readonly NearbyCase[] = [];
  private styled = false;
  private near = false;
  /** Tiles asked for before the service worker was there to keep them. */
  private readonly asked = new Set<string>();

  constructor(
    container: HTMLElement,
    private readonly catalogue: Catalogue,
    private look: Look,
    private readonly handlers: Handlers,
  ) {
    const [west, south, east, north] = catalogue.bbox;
    this.map = new MapLibre({
      container,
      style: this.style(),
      bounds: [west, south, east, north],
      fitBoundsOptions: { padding: 8 },
      minZoom: 8,
      maxZoom: 19,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: reducedMotion() ? 0 : 150,
      transformRequest: (url) => this.request(url),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.once("style.load", () => {
      this.styled = true;
      this.restyle();
    });
    this.listen();
    void this.fetchNames();
  }

  wear(look: Look): void {
    this.look = look;
    this.restyle();
  }

  /** Ask for tiles with a key from now on, or without one. */
  authorize(key: string): void {
    this.headers = key ? { authorization: `Bearer ${key}` } : {};
  }

  /** Bring a place under the pin. */
  show({ lon, lat }: { lon: number; lat: number }): void {
    const zoom = this.near ? this.map.getZoom() : Math.max(this.map.getZoom(), CLOSE_ZOOM);
    const jump = !this.near || reducedMotion();
    this.near = true;
    this.map.easeTo({ center: [lon, lat], zoom, duration: jump ? 0 : FLIGHT_MS });
  }

  showFix(fix: Fix | null): void {
    this.fix = fix;
    this.renew("fix");
  }

  showNearby(nearby: readonly NearbyCase[]): void {
    this.nearby = nearby;
    this.renew("nearby");
  }

  /** Ask again for what was asked for before anybody kept it, so that it is there without a network. */
  async keepSeen(): Promise<void> {
    const urls = [...this.asked].filter((url) => this.isThere(url));
    this.asked.clear();
    const fetched = performance.getEntriesByType("resource").map(({ name }) => name);
    const rows = fetched.filter((url) => ROWS.test(url));
    await Promise.allSettled([
      ...urls.map((url) => fetch(url, { headers: { ...this.headers, [KEEP_HEADER]: "1" } })),
      ...rows.map((url) => fetch(url)),
    ]);
  }

  /** What readers of the screen hear of the map. */
  name(words: string): void {
    this.map.getCanvas().setAttribute("aria-label", words);
  }

  remove(): void {
    this.map.remove();
  }

  /** Beyond a layer's last zoom the map names tiles, but makes them of larger ones. */
  private isThere(url: string): boolean {
    const [, id = "", zoom = "0"] = /\/tiles\/([^/]+)\/(\d+)\/\d+\//.exec(url) ?? [];
    const source = this.map.getSource<VectorTileSource>(id);
    return !source || Number(zoom) <= source.maxzoom;
  }

  private request(url: string): RequestParameters {
    if (new URL(url, document.baseURI).origin !== window.location.origin) return { url };
    if (!navigator.serviceWorker?.controller) this.asked.add(url);
    return { url, headers: { ...this.headers, [KEEP_HEADER]: "1" } };
  }

  private state(): State {
    const layers = this.catalogue.layers.filter(
      ({ group, kind }) => GROUPS.includes(group) && kind === "vector",
    );
    return {
      ...this.look,
      layers: layers.map(({ id }) => id),
      view: null,
      month: null,
      measure: "count",
      selected: null,
      zoom: 0,
      panelOpen: false,
      sheet: "peek",
      table: null,
      basemap: true,
      drawing: false,
      failures: {},
    };
  }

  private fixFeatures(): Feature[] {
    if (!this.fix) return [];
    const { lon, lat, accuracy_m } = this.fix;
    const geometry = { type: "Point" as const, coordinates: [lon, lat] };
    return [circle(this.fix, accuracy_m), { type: "Feature", properties: {}, geometry }];
  }

  private nearbyFeatures(): Feature[] {
    return this.nearby.map(({ lon, lat }) => ({
      type: "Feature",
      properties: {},
      geometry: { type: "Point", coordinates: [lon, lat] },
    }));
  }

  private style() {
    const supplies = { breaks: new Map(), monthBreaks: [], labels: this.labels };
    const base = cityStyle(this.catalogue, this.state(), supplies);
    const { accent, paper, ink } = COLOURS[this.look.theme];
    const circles = (id: string, source: string, radius: number, fill: string) => ({
      id,
      type: "circle" as const,
      source,
      filter: ["==", ["geometry-type"], "Point"] as never,
      paint: {
        "circle-radius": radius,
        "circle-color": fill,
        "circle-stroke-color": paper,
        "circle-stroke-width": 2,
      },
    });
    return {
      ...base,
      sources: {
        ...base.sources,
        fix: features(this.fixFeatures()),
        nearby: features(this.nearbyFeatures()),
      },
      layers: [
        ...base.layers,
        {
          id: "accuracy",
          type: "fill" as const,
          source: "fix",
          filter: ["==", ["geometry-type"], "Polygon"] as never,
          paint: { "fill-color": accent, "fill-opacity": 0.12, "fill-outline-color": accent },
        },
        circles("nearby", "nearby", 6, ink),
        circles("fix", "fix", 6, accent),
      ],
    };
  }

  private restyle(): void {
    if (this.styled) this.map.setStyle(this.style(), { diff: true });
  }

  private renew(source: "fix" | "nearby"): void {
    const drawn = this.map.getSource<GeoJSONSource>(source);
    const all = source === "fix" ? this.fixFeatures() : this.nearbyFeatures();
    drawn?.setData({ type: "FeatureCollection", features: all });
  }

  private async fetchNames(): Promise<void> {
    for (const layer of this.catalogue.layers) {
      if (!NAMED.includes(layer.id) || !layer.ready || !namesAreas(layer)) continue;
      try {
        this.labels = new Map([...this.labels, [layer.id, await fetchLabels(layer)]]);
        this.restyle();
      } catch {
        // The map goes without these names; the place is told in words all the same.
      }
    }
  }

  private listen(): void {
    const { map } = this;
    let byHand = false;
    map.on("movestart", ({ originalEvent }) => {
      document.body.dataset.ready = "false";
      if (originalEvent) byHand = true;
    });
    map.on("moveend", () => {
      if (!byHand) return;
      byHand = false;
      this.near ||= map.getZoom() >= CLOSE_ZOOM - 2;
      const { lng, lat } = map.getCenter();
      this.handlers.onPlaced(Math.round(lng * 1e7) / 1e7, Math.round(lat * 1e7) / 1e7);
    });
    map.on("idle", () => {
      document.body.dataset.ready = "true";
      this.handlers.onUnits(this.unitsUnderPin());
    });
    // Tiles that are not on the phone leave their part of the map empty; the pin and the words still work.
    map.on("error", ({ error }) => console.debug(error.message));
  }

  /** The grid as the tiles on the phone know it, also without a network. */
  private unitsUnderPin(): Words[] {
    const units = this.catalogue.layers.filter(({ group, geometry }) => {
      return group === "grid" && /polygon/i.test(geometry);
    });
    const point = this.map.project(this.map.getCenter());
    const found = new Map(
      this.map
        .queryRenderedFeatures(point)
        .map(({ source, properties }) => [source, properties] as const),
    );
    const order = ["subdistricts", "communities", "compounds"];
    return [...units]
      .sort((left, right) => order.indexOf(left.id) - order.indexOf(right.id))
      .flatMap(({ id }) => {
        const properties = found.get(id);
        if (!properties?.name_zh && !properties?.name_en) return [];
        return [{ zh: String(properties.name_zh ?? ""), en: String(properties.name_en ?? "") }];
      });
  }
}
