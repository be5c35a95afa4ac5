/** The panel at the left: what was found, where, and the layers with their legends. */
import { useState } from "preact/hooks";
import type { Loaded } from "./app";
import type { Catalogue, Findings, Place } from "./api";
import { classification } from "./classes";
import { drawnParts } from "./citystyle";
import { figure, moment, number, pick, probability, say } from "./language";
import { Finding } from "./finding";
import { Key } from "./key";
import { LayerList } from "./layerlist";
import type { Breaks } from "./measure";
import { SheetHandle } from "./sheet";
import type { State, Store } from "./state";
import { Swatch } from "./swatch";

/** Reports older than this many days make the page say so. */
const STALE_DAYS = 7;
const FEW_PLACES = 3;

export interface PanelProps {
  readonly catalogue: Catalogue;
  readonly loaded: Loaded;
  readonly monthLimits: readonly number[];
  readonly state: State;
  readonly store: Store;
  readonly breaks: Breaks;
  readonly onPlace: (place: Place) => void;
  readonly onRetryLayer: (id: string) => void;
}

function Switches({ state, store }: Pick<PanelProps, "state" | "store">) {
  const { language, theme } = state;
  const other = language === "zh" ? "en" : "zh";
  return (
    <div class="switches">
      <button
        type="button"
        class="quiet"
        id="language"
        lang={other === "zh" ? "zh-CN" : "en"}
        onClick={() => store.update({ language: other })}
      >
        {other === "zh" ? "中文" : "English"}
      </button>
      <button
        type="button"
        class="quiet icon"
        id="theme"
        aria-pressed={theme === "dark"}
        aria-label={say(language, "darkMode")}
        title={say(language, "darkMode")}
        onClick={() => store.update({ theme: theme === "dark" ? "light" : "dark" }, "movement")}
      >
        <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="8" cy="8" r="6.25" fill="none" stroke="currentColor" stroke-width="1.5" />
          <path d="M8 1.75a6.25 6.25 0 0 1 0 12.5z" fill="currentColor" />
        </svg>
      </button>
      <button
        type="button"
        class="quiet icon collapse"
        aria-expanded={state.panelOpen}
        aria-controls="panel-body"
        aria-label={say(language, state.panelOpen ? "collapsePanel" : "expandPanel")}
        title={say(language, state.panelOpen ? "collapsePanel" : "expandPanel")}
        onClick={() => store.update({ panelOpen: !state.panelOpen }, "movement")}
      >
        <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
          <path
            d={state.panelOpen ? "M10 3 5 8l5 5" : "M6 3l5 5-5 5"}
            fill="none"
            stroke="currentColor"
            stroke-width="1.75"
          />
        </svg>
      </button>
    </div>
  );
}

/** When the newest report came in, and a badge where that is long ago. */
function AsOf({ catalogue, state }: Pick<PanelProps, "catalogue" | "state">) {
  const { language } = state;
  if (!catalogue.as_of) return <p class="as-of">{say(language, "asOfUnknown")}</p>;
  const days = Math.floor((Date.now() - Date.parse(catalogue.as_of)) / 86_400_000);
  return (
    <p class="as-of">
      {say(language, "asOf", { time: moment(catalogue.as_of, language, catalogue.timezone) })}
      {days > STALE_DAYS && (
        <span class="badge" id="stale">
          {say(language, "stale", { days: number(days, language) })}
        </span>
      )}
    </p>
  );
}

/** The swatch of a place's class, as the hotspot layer draws it. */
function PlaceSwatch({
  place,
  layerId,
  catalogue,
  state,
  breaks,
}: { place: Place; layerId: string } & Pick<PanelProps, "catalogue" | "state" | "breaks">) {
  const layer = catalogue.layers.find(({ id }) => id === layerId);
  if (!layer) return null;
  const parts = drawnParts(layer, state, breaks).filter(({ type }) => type === "fill");
  const property = classification(layer, parts)?.property ?? "label";
  return (
    <Swatch parts={parts} properties={{ [property]: place.label }} zoom={12} theme={state.theme} />
  );
}

function Places(props: PanelProps & { findings: Findings }) {
  const { findings, state, onPlace } = props;
  const { language } = state;
  const [all, setAll] = useState(false);
  const shown = all ? findings.places : findings.places.slice(0, FEW_PLACES);
  const hidden = findings.places.length - FEW_PLACES;
  return (
    <section aria-labelledby="places-title">
      <h2 id="places-title">{say(language, "places")}</h2>
      <ol class="places" id="places">
        {shown.map((place) => (
          <li key={`${place.name_en}${place.z}`}>
            <button type="button" class="place" onClick={() => onPlace(place)}>
              <PlaceSwatch place={place} layerId={findings.layer} {...props} />
              <span class="place-name">{language === "zh" ? place.name_zh : place.name_en}</span>
              <span class="place-figures">
                {say(language, "placeFigures", {
                  times: figure(place.expected > 0 ? place.observed / place.expected : 0, language),
                  q: probability(place.q, language),
                })}
              </span>
            </button>
          </li>
        ))}
      </ol>
      {hidden > 0 && (
        <button type="button" class="quiet more" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? say(language, "fewer") : say(language, "more", { n: number(hidden, language) })}
        </button>
      )}
    </section>
  );
}

export function Panel(props: PanelProps) {
  const { catalogue, loaded, state, store } = props;
  const { findings } = loaded;
  const { language } = state;
  return (
    <aside
      class="panel"
      data-open={state.panelOpen}
      data-sheet={state.sheet}
      aria-label={say(language, "panel")}
    >
      <SheetHandle state={state} store={store} />
      <header class="panel-head">
        <h1>{pick(catalogue.title, language)}</h1>
        <Switches state={state} store={store} />
      </header>
      <div class="panel-body" id="panel-body" hidden={!state.panelOpen}>
        <section class="finding" aria-live="polite">
          {findings ? (
            <Finding findings={findings} language={language} />
          ) : (
            <p class="sentence muted">{say(language, "noFinding")}</p>
          )}
          <AsOf catalogue={catalogue} state={state} />
        </section>
        {findings && findings.places.length > 0 && <Places {...props} findings={findings} />}
        <LayerList {...props} />
        <footer class="panel-foot">
          <a href="static/licences.txt">{say(language, "licences")}</a>
        </footer>
      </div>
      <Key {...props} />
    </aside>
  );
}
