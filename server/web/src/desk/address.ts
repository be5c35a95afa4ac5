/** The desk's address: filters, order, open case, view and language, so that a link shows a colleague the same. */
import type { View } from "../state";
import {
  DUES, NO_FILTERS, ORDERS, type DeskState, type DeskStore, type Due, type Filters, type Order, type Shared,
} from "./state"; // prettier-ignore

const NAMES = { state: "state", owner: "owner", unit: "unit", service: "class" } as const;

function linkHash({ language, filters, order, selected, view }: Shared): string {
  const said = new URLSearchParams({ lang: language });
  for (const [field, name] of Object.entries(NAMES)) {
    const value = filters[field as keyof typeof NAMES];
    if (value !== NO_FILTERS[field as keyof typeof NAMES]) said.set(name, value);
  }
  if (filters.due) said.set("due", filters.due);
  if (order !== "due_at") said.set("order", order);
  if (selected) said.set("case", selected);
  if (view) {
    said.set("map", [view.zoom.toFixed(2), view.lat.toFixed(5), view.lon.toFixed(5)].join("/"));
  }
  return `#${said.toString().replaceAll("%2F", "/")}`;
}

function readView(text: string): View | null {
  const [zoom = NaN, lat = NaN, lon = NaN] = text.split("/").map(Number);
  const sound = zoom >= 0 && zoom <= 24 && Math.abs(lat) <= 85 && Math.abs(lon) <= 180;
  return sound ? { zoom, lat, lon } : null;
}

/** What an address says; what it leaves out is as at the beginning. */
export function readAddress(hash: string): Omit<Shared, "language"> & Partial<Shared> {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const filters: { -readonly [K in keyof Filters]: Filters[K] } = { ...NO_FILTERS };
  for (const [field, name] of Object.entries(NAMES)) {
    const value = said.get(name);
    if (value !== null) filters[field as keyof typeof NAMES] = value;
  }
  const due = said.get("due") as Due | null;
  filters.due = due && DUES.includes(due) ? due : null;
  const order = said.get("order") as Order | null;
  const language = said.get("lang");
  return {
    filters,
    order: order && ORDERS.includes(order) ? order : "due_at",
    selected: said.get("case"),
    view: readView(said.get("map") ?? ""),
    ...(language === "zh" || language === "en" ? { language } : {}),
  };
}

/** Keep the address and the state alike; steps can be undone by the back button. */
export function bindAddress(store: DeskStore): () => void {
  let following = false;
  const write = (step: "step" | "movement") => {
    const hash = linkHash(store.state);
    if (hash === window.location.hash) return;
    if (step === "step") window.history.pushState(null, "", hash);
    else window.history.replaceState(null, "", hash);
  };
  write("movement");
  const leave = store.listen((_state: DeskState, _before, step) => {
    if (!following) write(step);
  });
  const follow = () => {
    following = true;
    store.update(readAddress(window.location.hash), "movement");
    following = false;
  };
  window.addEventListener("popstate", follow);
  return () => {
    leave();
    window.removeEventListener("popstate", follow);
  };
}
