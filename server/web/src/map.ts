/** The map itself: it follows the state, and tells it of clicks and movements. */
import {
  Map as MapLibre,
  type MapGeoJSONFeature,
  type MapMouseEvent,
  ScaleControl,
  setWorkerUrl,
  type PointLike,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Bbox, Catalogue, Layer, Value } from "./api";
import { cellId, cellKey, hasCells, isCell } from "./cells";
import { cityStyle, reducedMotion, type Supplies } from "./citystyle";
import { say } from "./language";
import { MONTH_LAYER } from "./months";
import { isPattern, PATTERN_NAMES, PATTERN_RATIO, patternImage } from "./patterns";
import type { State, Store } from "./state";

setWorkerUrl(workerUrl);

export interface Found {
  readonly layer: Layer;
  readonly key: string;
  readonly properties: Readonly<Record<string, Value>>;
  /** What the map calls it, where that is not its key. */
  readonly id?: string | number | undefined;
}

export type Hover = { readonly found: Found; readonly x: number; readonly y: number } | null;

interface Handlers {
  readonly onHover: (hover: Hover) => void;
  readonly onPick: (found: readonly Found[], byKeyboard: boolean) => void;
}

const FLIGHT_MS = 400;

export class CityMap {
  readonly map: MapLibre;
  private supplies: Supplies = { breaks: new Map(), monthBreaks: [], labels: new Map() };
  private monthValues: ReadonlyMap<string, number | null> = new Map();
  private styled = false;
  private hovered: { source: string; sourceLayer: string; id: string | number } | null = null;
  private readonly byId: ReadonlyMap<string, Layer>;

  constructor(
    container: HTMLElement,
    private readonly catalogue: Catalogue,
    private readonly store: Store,
    private readonly handlers: Handlers,
  ) {
    this.byId = new Map(catalogue.layers.map((layer) => [layer.id, layer]));
    const { view } = store.state;
    const [west, south, east, north] = catalogue.bbox;
    const begin = view
      ? { center: [view.lon, view.lat] as [number, number], zoom: view.zoom }
      : { bounds: [west, south, east, north] as [number, number, number, number] };
    this.map = new MapLibre({
      container,
      style: this.style(store.state),
      ...begin,
      fitBoundsOptions: { padding: viewPadding() },
      minZoom: 7,
      maxZoom: 19,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: reducedMotion() ? 0 : 150,
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-right");
    this.map.once("style.load", () => {
      this.styled = true;
      this.addPatterns();
      this.restyle();
      this.paintMonth();
    });
    this.listen();
    this.speak(store.state);
    this.tellView();
    store.listen((state, before) => this.follow(state, before));
  }

  /** Draw with these breaks or names from now on. */
  supply(supplies: Partial<Supplies>): void {
    this.supplies = { ...this.supplies, ...supplies };
    this.restyle();
  }

  /** Colour the communities by one month's values; an empty map takes the colours away. */
  setMonth(values: ReadonlyMap<string, number | null>, limits: readonly number[]): void {
    this.monthValues = values;
    this.supply({ monthBreaks: limits });
    this.paintMonth();
  }

  /** Bring a box into view: a short flight, none for readers who asked for no motion. */
  show(bbox: Bbox): void {
    const [west, south, east, north] = bbox;
    const duration = reducedMotion() ? 0 : FLIGHT_MS;
    const padding = viewPadding(true);
    this.map.fitBounds([west, south, east, north], { padding, maxZoom: 15, duration });
  }

  showCity(): void {
    const [west, south, east, north] = this.catalogue.bbox;
    const duration = reducedMotion() ? 0 : FLIGHT_MS;
    this.map.fitBounds([west, south, east, north], { padding: viewPadding(), duration });
  }

  zoomBy(levels: number): void {
    this.map.zoomTo(this.map.getZoom() + levels, { duration: reducedMotion() ? 0 : 200 });
  }

  /** Ask again for the tiles of a layer that failed. */
  retry(id: string): void {
    const { [id]: _gone, ...failures } = this.store.state.failures;
    this.store.update({ failures }, "movement");
    this.map.setStyle(this.style(this.store.state, id), { diff: true });
    this.restyle();
    this.paintMonth();
  }

  /** A feature among the tiles that are loaded. */
  loaded(id: string, key: string): Found | null {
    const layer = this.byId.get(id);
    if (!layer?.primary_key || !this.map.getSource(id)) return null;
    const cell = cellId(key);
    const named = ["==", ["to-string", ["get", layer.primary_key]], key];
    const filter = (cell === null ? named : ["==", ["id"], cell]) as never;
    const [feature] = this.map.querySourceFeatures(id, { sourceLayer: id, filter });
    return feature ? { layer, key, properties: feature.properties } : null;
  }

  /** When the map stands still and everything that is on is drawn. */
  async settled(): Promise<void> {
    const idle = this.map.once("idle");
    this.map.triggerRepaint();
    await idle;
  }

  /** Everything at the middle of a box. */
  atMiddle([west, south, east, north]: Bbox): Found[] {
    return this.at(this.map.project([(west + east) / 2, (south + north) / 2]));
  }

  /** Everything at a point (for points and lines: within a finger's width), each thing once. */
  at(point: PointLike): Found[] {
    const seen = new Set<string>();
    const found: Found[] = [];
    const near = this.map.queryRenderedFeatures(around(point));
    const thin = near.filter(({ geometry }) => !geometry.type.includes("Polygon"));
    for (const feature of [...thin, ...this.map.queryRenderedFeatures(point)]) {
      const each = this.found(feature);
      if (!each || seen.has(`${each.layer.id}/${each.key}`)) continue;
      seen.add(`${each.layer.id}/${each.key}`);
      found.push(each);
    }
    return found.sort((left, right) => pickOrder(left.layer) - pickOrder(right.layer));
  }

  private found(feature: MapGeoJSONFeature): Found | null {
    const layer = this.byId.get(feature.source);
    if (!layer?.primary_key || layer.kind !== "vector") return null;
    const { properties, id } = feature;
    const found = { layer, properties, id: hasCells(layer) ? id : undefined };
    if (isCell(layer, properties)) return { ...found, key: cellKey(id) };
    return { ...found, key: String(properties[layer.primary_key] ?? id) };
  }

  private style(state: State, without?: string) {
    const layers = this.catalogue.layers.filter(({ id }) => id !== without);
    return cityStyle({ ...this.catalogue, layers }, state, this.supplies);
  }

  /** A style that is still being read cannot be changed: the last wish is granted once it has been. */
  private restyle(): void {
    document.body.dataset.ready = "false";
    if (!this.styled) return;
    this.map.setStyle(this.style(this.store.state), { diff: true });
    this.map.triggerRepaint();
  }

  private paintMonth(): void {
    if (!this.map.getSource(MONTH_LAYER)) return;
    for (const [id, month] of this.monthValues) {
      this.map.setFeatureState({ source: MONTH_LAYER, sourceLayer: MONTH_LAYER, id }, { month });
    }
  }

  private addPatterns(): void {
    const { theme } = this.store.state;
    const add = (name: string) => {
      if (this.map.hasImage(name)) this.map.removeImage(name);
      this.map.addImage(name, patternImage(name, theme), { pixelRatio: PATTERN_RATIO });
    };
    PATTERN_NAMES.forEach(add);
  }

  private follow(state: State, before: State): void {
    const drawn: (keyof State)[] = [
      "layers", "month", "measure", "language", "theme", "selected", "basemap",
    ]; // prettier-ignore
    if (drawn.some((name) => state[name] !== before[name])) this.restyle();
    if (state.theme !== before.theme) this.addPatterns();
    if (state.language !== before.language) this.speak(state);
    if (state.view && state.view !== before.view && !this.isAt(state)) {
      const { lon, lat, zoom } = state.view;
      this.map.jumpTo({ center: [lon, lat], zoom });
    }
  }

  /** Moves the map where the drawer is about to cover what was clicked. */
  private uncover(x: number, y: number): void {
    const { clientWidth, clientHeight } = this.map.getContainer();
    const { right, bottom } = viewPadding(true);
    const across = Math.max(0, x - (clientWidth - right - 40));
    const down = Math.max(0, y - (clientHeight - bottom - 40));
    const duration = reducedMotion() ? 0 : FLIGHT_MS;
    if (across > 0 || down > 0) this.map.panBy([across, down], { duration });
  }

  private tellView(): void {
    const { lng: lon, lat } = this.map.getCenter();
    const zoom = this.map.getZoom();
    this.store.update({ view: { lon, lat, zoom }, zoom }, "movement");
  }

  private isAt({ view }: State): boolean {
    const { lng, lat } = this.map.getCenter();
    if (!view) return true;
    const near = Math.abs(lng - view.lon) < 1e-5 && Math.abs(lat - view.lat) < 1e-5;
    return near && Math.abs(this.map.getZoom() - view.zoom) < 0.01;
  }

  /** The map's own words, in the reader's language. */
  private speak({ language }: State): void {
    this.map.getCanvas().setAttribute("aria-label", say(language, "mapLabel"));
  }

  private listen(): void {
    const { map } = this;
    map.on("moveend", () => this.tellView());
    map.on("movestart", () => (document.body.dataset.ready = "false"));
    map.on("dataloading", () => {
      document.body.dataset.ready = "false";
      this.store.update({ drawing: true }, "movement");
    });
    map.on("idle", () => {
      this.store.update({ drawing: false }, "movement");
      void document.fonts.ready.then(() => (document.body.dataset.ready = "true"));
    });
    map.on("styleimagemissing", ({ id }) => {
      if (map.hasImage(id)) return;
      const theme = this.store.state.theme;
      map.addImage(id, patternImage(id, theme), { pixelRatio: PATTERN_RATIO });
      if (!isPattern(id) && !id.endsWith("not_significant")) console.warn(`no pattern '${id}'`);
    });
    map.on("error", (event) => {
      const { sourceId } = event as { sourceId?: string };
      if (!sourceId) return console.error(event.error);
      const failures = { ...this.store.state.failures, [sourceId]: event.error.message };
      this.store.update({ failures }, "movement");
    });
    map.on("mousemove", (event) => this.hover(event));
    map.on("mouseout", () => this.hoverNothing());
    map.on("click", ({ point }) => {
      const found = this.at(point);
      if (found.length > 0) this.uncover(point.x, point.y);
      this.handlers.onPick(found, false);
    });
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      this.handlers.onPick(this.at(map.project(map.getCenter())), true);
    });
  }

  private hover(event: MapMouseEvent): void {
    const [found] = this.at(event.point);
    if (!found) return this.hoverNothing();
    const id = found.id ?? found.key;
    const target = { source: found.layer.id, sourceLayer: found.layer.id, id };
    if (this.hovered?.source !== target.source || this.hovered.id !== target.id) {
      this.clearHover();
      this.map.setFeatureState(target, { hover: true });
      this.hovered = target;
    }
    this.map.getCanvas().style.cursor = "pointer";
    this.handlers.onHover({ found, x: event.point.x, y: event.point.y });
  }

  private hoverNothing(): void {
    this.clearHover();
    this.map.getCanvas().style.cursor = "";
    this.handlers.onHover(null);
  }

  private clearHover(): void {
    const { hovered } = this;
    if (hovered && this.map.getSource(hovered.source)) {
      this.map.removeFeatureState(hovered, "hover");
    }
    this.hovered = null;
  }
}

/** A small box around a point. */
function around(point: PointLike): [PointLike, PointLike] {
  const [x, y] = Array.isArray(point) ? point : [point.x, point.y];
  return [
    [x - 4, y - 4],
    [x + 4, y + 4],
  ];
}

/** Points before findings before areas, small before large; streets last, for they are everywhere. */
function pickOrder(layer: Layer): number {
  if (layer.geometry.includes("Point")) return 0;
  if (layer.group === "hotspots") return 1;
  if (layer.group === "counts") return 2;
  if (layer.group === "zones") return 3;
  const units = ["compounds", "communities", "subdistricts"];
  return layer.geometry.includes("Line") ? 9 : 4 + units.indexOf(layer.id);
}

/** Keeps what is shown clear of the panel, the time bar and, where one will open, the drawer. */
function viewPadding(withDrawer = false) {
  const narrow = window.matchMedia("(max-width: 767px)").matches;
  const bottom = withDrawer ? Math.round(window.innerHeight * 0.62) + 16 : 300;
  if (narrow) return { top: 16, left: 16, right: 16, bottom };
  return { top: 32, left: 352, right: withDrawer ? 392 : 32, bottom: 104 };
}
