/** A link that shows another person the same: the shared part of the state as the URL's hash. */
import type { Measure, Selection, Shared, Step, Store, View } from "./state";

/** `#map=12.40/35.2012/114.0034&layers=a,b&month=2026-10&measure=rate&lang=en&at=communities/4102…` */
function linkHash(shared: Shared): string {
  const parts: string[] = [];
  if (shared.view) {
    const { zoom, lat, lon } = shared.view;
    parts.push(`map=${zoom.toFixed(2)}/${lat.toFixed(5)}/${lon.toFixed(5)}`);
  }
  parts.push(`layers=${shared.layers.map(encodeURIComponent).join(",")}`);
  if (shared.month) parts.push(`month=${encodeURIComponent(shared.month)}`);
  parts.push(`measure=${shared.measure}`, `lang=${shared.language}`);
  if (shared.selected) {
    const { layer, key } = shared.selected;
    parts.push(`at=${encodeURIComponent(layer)}/${encodeURIComponent(key)}`);
  }
  return `#${parts.join("&")}`;
}

function readView(text: string): View | null {
  const [zoom = NaN, lat = NaN, lon = NaN] = text.split("/").map(Number);
  const sound = zoom >= 0 && zoom <= 24 && Math.abs(lat) <= 85 && Math.abs(lon) <= 180;
  return sound ? { zoom, lat, lon } : null;
}

function readSelection(text: string): Selection | null {
  const [layer, key] = text.split("/").map(decodeURIComponent);
  return layer && key ? { layer, key } : null;
}

/** What a hash says; what it leaves out or gets wrong is left to the caller's defaults. */
export function readHash(hash: string, known: ReadonlySet<string>): Partial<Shared> {
  const said = new Map(
    hash
      .replace(/^#/, "")
      .split("&")
      .map((part) => part.split("=") as [string, string | undefined]),
  );
  const shared: { -readonly [K in keyof Shared]?: Shared[K] } = {};
  const view = readView(said.get("map") ?? "");
  if (view) shared.view = view;
  const layers = said.get("layers");
  if (layers !== undefined) {
    shared.layers = layers
      .split(",")
      .map(decodeURIComponent)
      .filter((id) => known.has(id));
  }
  const month = said.get("month");
  if (month && /^\d{4}-\d{2}$/.test(month)) shared.month = month;
  const measure = said.get("measure");
  if (measure === "count" || measure === "rate") shared.measure = measure satisfies Measure;
  const language = said.get("lang");
  if (language === "zh" || language === "en") shared.language = language;
  const selected = readSelection(said.get("at") ?? "");
  if (selected && known.has(selected.layer)) shared.selected = selected;
  return shared;
}

/** Keep the address bar and the state alike: steps can be undone by the back button, movements cannot. */
export function bindPermalink(store: Store, known: ReadonlySet<string>): void {
  let following = false;
  const write = (step: Step) => {
    const hash = linkHash(store.state);
    if (hash === window.location.hash) return;
    if (step === "step") window.history.pushState(null, "", hash);
    else window.history.replaceState(null, "", hash);
  };
  write("movement");
  store.listen((_state, _before, step) => {
    if (!following) write(step);
  });
  window.addEventListener("popstate", () => {
    following = true;
    const said = readHash(window.location.hash, known);
    store.update({ month: null, selected: null, ...said }, "movement");
    following = false;
  });
}
