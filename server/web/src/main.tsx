/** Opens the page: asks the server for the catalogue, then for the findings and the months. */
import { render } from "preact";
import "maplibre-gl/dist/maplibre-gl.css";
import { fetchCatalogue, fetchFindings, fetchMonths, type Catalogue, type Months } from "./api";
import { App, type Loaded } from "./app";
import { firstLanguage, say } from "./language";
import { fetchResidents } from "./months";
import { Notices, type Failure } from "./notices";
import { bindPermalink, readHash } from "./permalink";
import { Store, type State } from "./state";

function firstState(catalogue: Catalogue, months: Months | null): State {
  const known = new Set(catalogue.layers.map(({ id }) => id));
  const prefersDark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  const said = readHash(window.location.hash, known);
  const month = months?.months.includes(said.month ?? "") ? (said.month ?? null) : null;
  return {
    view: null,
    layers: catalogue.layers.filter(({ visible }) => visible).map(({ id }) => id),
    measure: "rate",
    language: firstLanguage(),
    selected: null,
    ...said,
    month,
    theme: prefersDark ? "dark" : "light",
    zoom: said.view?.zoom ?? 11,
    panelOpen: true,
    sheet: "peek",
    table: null,
    basemap: true,
    drawing: true,
    failures: {},
  };
}

/** A part without which the page still works: null and a notice where it fails. */
async function optional<T>(
  ask: () => Promise<T>,
  what: string,
  failures: Failure[],
): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    failures.push({ what, error, retry: () => window.location.reload() });
    return null;
  }
}

async function load(catalogue: Catalogue): Promise<Loaded> {
  const failures: Failure[] = [];
  const language = firstLanguage();
  const [findings, months, residents] = await Promise.all([
    optional(fetchFindings, say(language, "partFindings"), failures),
    optional(fetchMonths, say(language, "partMonths"), failures),
    fetchResidents(catalogue).catch(() => new Map<string, number>()),
  ]);
  return { catalogue, findings, months, residents, failures };
}

/** The system's dark mode is followed until the reader chooses. */
function followSystem(store: Store): void {
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", ({ matches }) => {
    store.update({ theme: matches ? "dark" : "light" }, "movement");
  });
}

async function open(): Promise<void> {
  const root = document.getElementById("app")!;
  try {
    const catalogue = await fetchCatalogue();
    const loaded = await load(catalogue);
    const store = new Store(firstState(catalogue, loaded.months));
    bindPermalink(store, new Set(catalogue.layers.map(({ id }) => id)));
    followSystem(store);
    root.replaceChildren();
    render(<App loaded={loaded} store={store} />, root);
  } catch (error) {
    const failure = { what: null, error, retry: () => window.location.reload() };
    root.replaceChildren();
    render(<Notices failures={[failure]} language={firstLanguage()} />, root);
    document.body.dataset.ready = "failed";
  }
}

void open();
