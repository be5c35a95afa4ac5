/** The desk's map: the grid's boundaries, all open cases as faint dots, and the cases of the list on top of them. */
import {
  Map as MapLibre,
  type ExpressionSpecification,
  type GeoJSONSource,
  type LayerSpecification,
  ScaleControl,
  setWorkerUrl,
  type StyleSpecification,
  type VectorTileSource,
} from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url";
import type { Catalogue } from "../api";
import { cityStyle, reducedMotion } from "../citystyle";
import { fetchLabels, namesAreas, type Labels } from "../labels";
import type { State as MapState, Theme } from "../state";
import type { DeskState, DeskStore } from "./state";
import { lateColour, stateColours } from "./colours";
import type { Holder, Row } from "./types";
import { tell } from "./words";

setWorkerUrl(workerUrl);

const CASES = "cases";
const LISTED = "listed";
const GRID = ["subdistricts", "communities", "compounds"];
const FLIGHT_MS = 400;
/** Tiles hold a new case within a second. */
const TILES_MS = 1_200;

const NOTHING = { type: "FeatureCollection" as const, features: [] };

function features(rows: readonly Row[], gone: readonly string[]) {
  const shown = rows.filter(
    ({ lon, lat, case_id }) => lon !== null && lat !== null && !gone.includes(case_id),
  );
  return {
    type: "FeatureCollection" as const,
    features: shown.map(({ case_id, state, lon, lat, clock }) => ({
      type: "Feature" as const,
      geometry: { type: "Point" as const, coordinates: [lon!, lat!] },
      properties: { case_id, state, late: clock?.stands === "overdue" },
    })),
  };
}

const ACCENT: Readonly<Record<Theme, string>> = { light: "#00695f", dark: "#5eead4" };

function colourOf(holder: Holder, theme: Theme): ExpressionSpecification {
  const colours = stateColours(holder, theme);
  return ["match", ["get", "state"], ...[...colours].flat(), ACCENT[theme]] as never;
}

function caseLayers(
  holder: Holder,
  selected: string | null,
  theme: Theme,
  hasTiles: boolean,
): LayerSpecification[] {
  const casing = theme === "dark" ? "#15181c" : "#ffffff";
  const colour = colourOf(holder, theme);
  const isLate = ["to-boolean", ["get", "late"]] as ExpressionSpecification;
  const filled = ["case", isLate, lateColour(holder, theme), colour] as ExpressionSpecification;
  const size = [
    "interpolate",
    ["linear"],
    ["zoom"],
    10,
    4,
    14,
    7,
    17,
    10,
  ] as ExpressionSpecification;
  const isOpen = ["!", ["in", ["get", "state"], ["literal", ["closed", "void"]]]] as never;
  const faint: LayerSpecification = {
    id: "cases-faint", type: "circle", source: CASES, "source-layer": CASES, filter: isOpen,
    paint: { "circle-color": colour, "circle-opacity": 0.35, "circle-radius": 3 },
  }; // prettier-ignore
  const listed: LayerSpecification = {
    id: "cases-listed", type: "circle", source: LISTED,
    layout: { "circle-sort-key": ["case", isLate, 1, 0] as never },
    paint: { "circle-color": filled, "circle-radius": size, "circle-stroke-color": casing, "circle-stroke-width": 1.5 },
  }; // prettier-ignore
  const ring: LayerSpecification = {
    id: "case-selected", type: "circle", source: LISTED, filter: ["==", ["get", "case_id"], selected ?? ""],
    paint: { "circle-opacity": 0, "circle-radius": 14, "circle-stroke-width": 3, "circle-stroke-color": ACCENT[theme] },
  }; // prettier-ignore
  return hasTiles ? [faint, listed, ring] : [listed, ring];
}

export class DeskMap {
  readonly map: MapLibre;
  private labels: Labels = new Map();
  private styled = false;
  private refreshing = 0;
  private readonly ground: Catalogue;
  private readonly hasTiles: boolean;

  constructor(
    container: HTMLElement,
    catalogue: Catalogue,
    private readonly holder: Holder,
    private readonly store: DeskStore,
    headers: Record<string, string>,
    private readonly onPick: (id: string) => void,
  ) {
    const layers = catalogue.layers.filter(({ id }) => GRID.includes(id));
    const cases = catalogue.layers.find(({ id }) => id === CASES);
    this.hasTiles = Boolean(cases?.ready && cases.tilejson);
    this.ground = { ...catalogue, layers: cases ? [...layers, { ...cases, style: [] }] : layers };
    const [west, south, east, north] = catalogue.bbox;
    const { view } = store.state;
    const begin = view
      ? { center: [view.lon, view.lat] as [number, number], zoom: view.zoom }
      : { bounds: [west, south, east, north] as [number, number, number, number] };
    const here = new URL(".", document.baseURI).href;
    this.map = new MapLibre({
      container,
      style: this.style(store.state),
      ...begin,
      fitBoundsOptions: { padding: this.padding() },
      minZoom: 7,
      maxZoom: 19,
      attributionControl: false,
      dragRotate: false,
      pitchWithRotate: false,
      touchPitch: false,
      fadeDuration: reducedMotion() ? 0 : 150,
      transformRequest: (url) => (url.startsWith(here) ? { url, headers } : { url }),
    });
    this.map.touchZoomRotate.disableRotation();
    this.map.keyboard.disableRotation();
    this.map.addControl(new ScaleControl({ maxWidth: 120 }), "bottom-right");
    this.map.once("style.load", () => {
      this.styled = true;
      this.restyle();
    });
    this.listen();
    this.speak(store.state);
    store.listen((state, before) => this.follow(state, before));
    void this.nameGrid();
  }

  remove(): void {
    window.clearTimeout(this.refreshing);
    this.map.remove();
  }

  zoomBy(levels: number): void {
    this.map.zoomTo(this.map.getZoom() + levels, { duration: reducedMotion() ? 0 : 200 });
  }

  showCity(): void {
    const [west, south, east, north] = this.ground.bbox;
    const duration = reducedMotion() ? 0 : FLIGHT_MS;
    this.map.fitBounds([west, south, east, north], { padding: this.padding(), duration });
  }

  /** Bring a case into view, unless it is in view already. */
  showCase({ lon, lat }: Row): void {
    if (lon === null || lat === null) return;
    const { x, y } = this.map.project([lon, lat]);
    const { clientWidth, clientHeight } = this.map.getContainer();
    const { left, right, top, bottom } = this.padding();
    const inside = x > left && x < clientWidth - right && y > top && y < clientHeight - bottom;
    if (inside && this.map.getZoom() >= 13) return;
    const duration = reducedMotion() ? 0 : FLIGHT_MS;
    const zoom = Math.max(this.map.getZoom(), 14);
    this.map.easeTo({ center: [lon, lat], zoom, duration, padding: this.padding() });
  }

  /** Ask for the tiles anew once they hold what has just happened. */
  refresh(): void {
    window.clearTimeout(this.refreshing);
    this.refreshing = window.setTimeout(() => {
      const source = this.map.getSource<VectorTileSource>(CASES);
      if (source?.url) source.setUrl(source.url);
    }, TILES_MS);
  }

  /** The list's column covers nothing here: the map lies beside it; the drawer lies on it. */
  private padding() {
    const narrow = window.matchMedia("(max-width: 899px)").matches;
    const open = this.store?.state.selected && !narrow;
    return { top: 40, bottom: 56, left: 40, right: open ? 440 : 40 };
  }

  private style(state: DeskState): StyleSpecification {
    const ids = this.ground.layers.map(({ id }) => id);
    const mapState = { ...MAP_STATE, language: state.language, theme: state.theme, layers: ids };
    const supplies = { breaks: new Map(), monthBreaks: [], labels: this.labels };
    const style = cityStyle(this.ground, mapState, supplies);
    const own = caseLayers(this.holder, state.selected, state.theme, this.hasTiles);
    const ground = style.layers.filter(
      ({ id }) => !id.startsWith(`${CASES}--`) && !id.endsWith("--hover"),
    );
    const names = ground.filter(({ type }) => type === "symbol");
    const rest = ground.filter(({ type }) => type !== "symbol");
    const listed = { type: "geojson" as const, data: NOTHING };
    return {
      ...style,
      sources: { ...style.sources, [LISTED]: listed },
      layers: [...rest, ...names, ...own],
    };
  }

  private restyle(): void {
    document.body.dataset.ready = "false";
    if (!this.styled) return;
    this.map.setStyle(this.style(this.store.state), { diff: true });
    this.showRows(this.store.state);
    this.map.triggerRepaint();
  }

  private showRows({ rows, gone }: DeskState): void {
    this.map.getSource<GeoJSONSource>(LISTED)?.setData(features(rows, gone));
  }

  private async nameGrid(): Promise<void> {
    for (const layer of this.ground.layers.filter((each) => each.ready && namesAreas(each))) {
      try {
        this.labels = new Map([...this.labels, [layer.id, await fetchLabels(layer)]]);
        this.restyle();
      } catch (error) {
        console.warn(error);
      }
    }
  }

  private follow(state: DeskState, before: DeskState): void {
    const drawn: (keyof DeskState)[] = ["language", "theme", "selected"];
    if (drawn.some((name) => state[name] !== before[name])) this.restyle();
    else if (state.rows !== before.rows || state.gone !== before.gone) this.showRows(state);
    if (state.language !== before.language) this.speak(state);
    if (state.tab !== before.tab) window.setTimeout(() => this.map.resize());
  }

  private speak({ language }: DeskState): void {
    this.map.getCanvas().setAttribute("aria-label", tell(language, "mapLabel"));
  }

  private listen(): void {
    const { map } = this;
    map.on("moveend", () => {
      const { lng: lon, lat } = map.getCenter();
      this.store.update({ view: { lon, lat, zoom: map.getZoom() } }, "movement");
    });
    map.on("idle", () => {
      void document.fonts.ready.then(() => (document.body.dataset.ready = "true"));
    });
    map.on("movestart", () => (document.body.dataset.ready = "false"));
    map.on("error", ({ error }) => console.warn(error));
    const layers = this.hasTiles ? ["cases-listed", "cases-faint"] : ["cases-listed"];
    const at = (point: { x: number; y: number }) => {
      const around: [[number, number], [number, number]] = [
        [point.x - 5, point.y - 5],
        [point.x + 5, point.y + 5],
      ];
      const [found] = this.styled ? map.queryRenderedFeatures(around, { layers }) : [];
      return found ? String(found.properties.case_id) : null;
    };
    map.on("click", ({ point }) => {
      const id = at(point);
      if (id) this.onPick(id);
    });
    map.on("mousemove", ({ point }) => {
      map.getCanvas().style.cursor = at(point) ? "pointer" : "";
    });
    map.getCanvas().addEventListener("keydown", (event) => {
      if (event.key !== "Enter") return;
      const id = at(map.project(map.getCenter()));
      if (id) this.onPick(id);
    });
  }
}

/** What the style of the city asks for and a desk has no choice of. */
const MAP_STATE: Omit<MapState, "language" | "theme" | "layers"> = {
  view: null,
  month: null,
  measure: "count",
  selected: null,
  zoom: 11,
  panelOpen: false,
  sheet: "peek",
  table: null,
  basemap: true,
  drawing: false,
  failures: {},
};
