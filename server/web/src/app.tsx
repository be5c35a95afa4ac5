/** The page: map, panel, time bar, drawer and table, and who tells whom. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Catalogue, Findings, Months } from "./api";
import { Drawer, nameOf } from "./drawer";
import { LANG_TAG, pick, say } from "./language";
import { MapButtons, Tooltip } from "./mapbuttons";
import { CityMap, type Found, type Hover } from "./map";
import type { Residents } from "./months";
import { DrawingBar, Notices, type Failure } from "./notices";
import { Panel } from "./panel";
import { usePicking } from "./picked";
import { useStore, type State, type Store } from "./state";
import { useSupplies } from "./supplies";
import { LayerTable } from "./table";
import { Timeline } from "./timeline";

/** What the server answered when the page was opened. */
export interface Loaded {
  readonly catalogue: Catalogue;
  readonly findings: Findings | null;
  readonly months: Months | null;
  readonly residents: Residents;
  readonly failures: readonly Failure[];
}

/** The document's language, title and colours follow the state. */
function useDocument(catalogue: Catalogue, { language, theme }: State): void {
  useLayoutEffect(() => {
    document.documentElement.lang = LANG_TAG[language];
    document.title = pick(catalogue.title, language);
    window.localStorage.setItem("gisgrid.language", language);
  }, [catalogue, language]);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
}

type OnPick = (found: readonly Found[], byKeyboard: boolean) => void;

interface MapProps {
  readonly loaded: Loaded;
  readonly state: State;
  readonly store: Store;
  readonly city: CityMap | null;
  readonly onCity: (city: CityMap) => void;
  readonly onPick: OnPick;
}

/** Whose data are on the map. */
function credits(catalogue: Catalogue, state: State): string {
  const shown = catalogue.layers.filter(({ id }) => state.layers.includes(id));
  const basemap = state.basemap ? catalogue.basemap?.attribution : null;
  const names = [...shown.map(({ attribution }) => attribution), basemap, catalogue.review_number];
  return [...new Set(names)].filter(Boolean).join(" · ");
}

function MapArea({ loaded, state, store, city, onCity, onPick }: MapProps) {
  const { catalogue } = loaded;
  const { language } = state;
  const container = useRef<HTMLDivElement>(null);
  const latest = useRef(onPick);
  latest.current = onPick;
  const [hover, setHover] = useState<Hover>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    const handlers = {
      onHover: setHover,
      onPick: ((...args) => latest.current(...args)) as OnPick,
    };
    try {
      const made = new CityMap(container.current!, catalogue, store, handlers);
      Object.assign(window, { gisgrid: { map: made.map, store } });
      onCity(made);
    } catch (error) {
      console.warn(error);
      setFailed(true);
      document.body.dataset.ready = "true";
    }
  }, [catalogue, store]);
  return (
    <main class="map-area">
      <div class="map" ref={container} />
      {failed && (
        <p class="notice no-map" role="alert">
          {say(language, "noWebgl")}
        </p>
      )}
      <DrawingBar drawing={state.drawing && !failed} language={language} />
      {city && <MapButtons city={city} state={state} />}
      <Tooltip hover={hover} language={language} />
      <p class="credits">{credits(catalogue, state)}</p>
    </main>
  );
}

function SkipLink({ language }: Pick<State, "language">) {
  const skip = (event: Event) => {
    event.preventDefault();
    document.querySelector<HTMLElement>("#panel-body :is(button, input)")?.focus();
  };
  return (
    <a class="skip" href="#panel-body" onClick={skip}>
      {say(language, "skipToPanel")}
    </a>
  );
}

export function App({ loaded, store }: { loaded: Loaded; store: Store }) {
  const { catalogue, months } = loaded;
  const state = useStore(store);
  const { language, panelOpen, sheet } = state;
  const [city, setCity] = useState<CityMap | null>(null);
  useDocument(catalogue, state);
  const supplied = useSupplies(loaded, city, state);
  const picking = usePicking(catalogue, city, state, store);
  const { picked, missing } = picking;
  const table = catalogue.layers.find(({ id }) => id === state.table);
  const shared = { catalogue, state, store, breaks: supplied.breaks };
  return (
    <div class="page" data-panel={panelOpen} data-sheet={sheet} data-drawer={picked !== null}>
      <SkipLink language={language} />
      <Panel
        {...shared}
        loaded={loaded}
        monthLimits={supplied.monthLimits}
        onPlace={(place) => void picking.pickPlace(place)}
        onRetryLayer={(id) => city?.retry(id)}
      />
      <MapArea
        loaded={loaded}
        state={state}
        store={store}
        city={city}
        onCity={setCity}
        onPick={picking.pickAt}
      />
      {months && <Timeline months={months} state={state} store={store} />}
      {picked && (
        <Drawer
          {...shared}
          {...picked}
          months={months}
          focus={picking.focus}
          onClose={picking.close}
          onOther={picking.pickOther}
        />
      )}
      {table && <LayerTable {...shared} layer={table} onRow={picking.pickRow} />}
      <p class="unseen" aria-live="polite" id="live">
        {picked ? nameOf(picked.found, language) : ""}
      </p>
      <Notices failures={loaded.failures} language={language} />
      {missing && (
        <p class="notice missing" role="status">
          {say(language, "notFound", { what: missing })}
        </p>
      )}
    </div>
  );
}
