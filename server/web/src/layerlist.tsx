/** Layers and legend together: a layer that is on shows its legend, one that draws nothing says why. */
import type { Catalogue, Language, Layer } from "./api";
import { day, month, number, pick, reasonText, say, type PlainKey } from "./language";
import { Legend } from "./legend";
import { measuredColumn } from "./measure";
import { MonthLegend } from "./monthlegend";
import { pausedByMonth } from "./months";
import type { PanelProps } from "./panel";
import type { Measure, State, Store } from "./state";

type ListProps = Omit<PanelProps, "onPlace">;

/** Groups in the order of the question: findings first, the ground last; others between. */
const FIRST = ["hotspots", "density", "counts", "reports", "zones"];
const LAST = ["facilities", "assessment", "grid", "ground"];

function grouped(catalogue: Catalogue): [group: string, layers: Layer[]][] {
  const groups = new Map<string, Layer[]>();
  for (const layer of catalogue.layers) {
    if (layer.tilejson === null) continue;
    groups.set(layer.group, [...(groups.get(layer.group) ?? []), layer]);
  }
  const others = [...groups.keys()].filter((each) => !FIRST.includes(each) && !LAST.includes(each));
  return [...FIRST, ...others, ...LAST].flatMap((group) => {
    const layers = groups.get(group);
    return layers ? [[group, layers]] : [];
  });
}

const groupName = (group: string, catalogue: Catalogue, language: Language): string => {
  const words = catalogue.groups[group];
  return words ? pick(words, language) : group;
};

/** The zooms at which a layer's style draws anything. */
function styleZooms(layer: Layer): [from: number, to: number] {
  const from = Math.min(...layer.style.map((part) => part.minzoom ?? 0));
  const to = Math.max(...layer.style.map((part) => part.maxzoom ?? 24));
  return [Math.max(from, layer.minzoom ?? 0), to];
}

function Paused({ layer, state, store }: { layer: Layer } & Pick<ListProps, "state" | "store">) {
  const { language } = state;
  if (state.month && pausedByMonth(layer)) {
    return (
      <p class="notice">
        {say(language, "pausedByMonth", { month: month(state.month, language) })}{" "}
        <button type="button" class="link" onClick={() => store.update({ month: null })}>
          {say(language, "allMonths")}
        </button>
      </p>
    );
  }
  const [from, to] = styleZooms(layer);
  if (state.zoom < from) return <p class="notice">{say(language, "zoomIn")}</p>;
  if (state.zoom >= to) return <p class="notice">{say(language, "zoomOut")}</p>;
  return null;
}

function Failed({ layer, state, onRetryLayer }: { layer: Layer } & ListProps) {
  const said = state.failures[layer.id];
  if (!said) return null;
  return (
    <p class="notice failed" role="alert">
      {say(state.language, "tilesFailed", { said })}{" "}
      <button type="button" class="link" onClick={() => onRetryLayer(layer.id)}>
        {say(state.language, "retry")}
      </button>
    </p>
  );
}

function About({
  layer,
  catalogue,
  state,
}: { layer: Layer } & Pick<ListProps, "catalogue" | "state">) {
  const { language } = state;
  const excluded = Object.entries(layer.excluded).filter(([, n]) => n > 0);
  const facts: [PlainKey, string | null][] = [
    ["factSource", layer.attribution],
    ["factLicence", layer.licence],
    ["factAcquired", layer.acquired && day(layer.acquired, language, catalogue.timezone)],
    ["factAsOf", layer.as_of && day(layer.as_of, language, catalogue.timezone)],
    ["factRows", layer.n_rows === null ? null : number(layer.n_rows, language)],
  ];
  return (
    <details class="about">
      <summary>{say(language, "about")}</summary>
      <p>{pick(layer.description, language)}</p>
      <dl>
        {facts.map(
          ([key, value]) =>
            value && (
              <>
                <dt>{say(language, key)}</dt>
                <dd>{value}</dd>
              </>
            ),
        )}
        <dt>{say(language, "factExcluded")}</dt>
        <dd>
          {excluded.length === 0
            ? say(language, "noneExcluded")
            : excluded
                .map(([reason, n]) => `${reasonText(reason, language)} ${number(n, language)}`)
                .join("; ")}
        </dd>
      </dl>
      {layer.notes.map((note) => (
        <p class="muted" lang="en">
          {note}
        </p>
      ))}
    </details>
  );
}

function LayerItem({ layer, ...props }: { layer: Layer } & ListProps) {
  const { state, store, breaks } = props;
  const { language } = state;
  const shown = state.layers.includes(layer.id);
  return (
    <li class="layer" data-shown={shown}>
      <div class="layer-line">
        <label>
          <input
            type="checkbox"
            name={layer.id}
            checked={shown}
            disabled={!layer.ready}
            onChange={() => store.toggleLayer(layer.id)}
          />
          <span>{pick(layer.title, language)}</span>
        </label>
        {layer.kind === "vector" && layer.ready && (
          <button
            type="button"
            class="quiet table-button"
            aria-label={say(language, "openTable", { title: pick(layer.title, language) })}
            onClick={() => store.update({ table: layer.id }, "movement")}
          >
            {say(language, "table")}
          </button>
        )}
      </div>
      {!layer.ready && (
        <p class="notice">
          {layer.access === "key"
            ? say(language, "needsKey")
            : say(language, "notReady", { why: layer.notes.join(" ") })}
        </p>
      )}
      {shown && layer.ready && (
        <div class="layer-detail">
          <Paused layer={layer} state={state} store={store} />
          <Failed layer={layer} {...props} />
          <Legend layer={layer} state={state} breaks={breaks} />
          <About layer={layer} {...props} />
        </div>
      )}
    </li>
  );
}

function MeasureChoice({ state, store }: { state: State; store: Store }) {
  const { language } = state;
  const choice = (measure: Measure, key: PlainKey) => (
    <label>
      <input
        type="radio"
        name="measure"
        value={measure}
        checked={state.measure === measure}
        onChange={() => store.update({ measure })}
      />
      <span>{say(language, key)}</span>
    </label>
  );
  return (
    <fieldset class="choice" id="measure">
      <legend>{say(language, "measure")}</legend>
      {choice("count", "measureCount")}
      {choice("rate", "measureRate")}
    </fieldset>
  );
}

function NothingShown({
  catalogue,
  state,
  store,
}: Pick<ListProps, "catalogue" | "state" | "store">) {
  const first = catalogue.layers.filter(({ visible }) => visible).map(({ id }) => id);
  return (
    <p class="notice" id="nothing-shown" role="status">
      {say(state.language, "nothingShown")}{" "}
      <button type="button" class="link" onClick={() => store.update({ layers: first })}>
        {say(state.language, "firstView")}
      </button>
    </p>
  );
}

function Month({ loaded, state, monthLimits }: ListProps) {
  const { months, residents } = loaded;
  if (!state.month || !months) return null;
  return (
    <MonthLegend
      month={state.month}
      months={months}
      state={state}
      limits={monthLimits}
      residents={residents}
    />
  );
}

export function LayerList(props: ListProps) {
  const { catalogue, state, store } = props;
  const { language } = state;
  const counted = catalogue.layers.some(
    (layer) => state.layers.includes(layer.id) && measuredColumn(layer) !== null,
  );
  return (
    <section aria-labelledby="layers-title" id="layers">
      <h2 id="layers-title">{say(language, "layers")}</h2>
      {state.layers.length === 0 && <NothingShown {...props} />}
      {(counted || state.month !== null) && <MeasureChoice state={state} store={store} />}
      <Month {...props} />
      {grouped(catalogue).map(([group, layers]) => (
        <div
          class="group"
          role="group"
          aria-label={groupName(group, catalogue, language)}
          key={group}
        >
          <h3>{groupName(group, catalogue, language)}</h3>
          <ul>
            {layers.map((layer) => (
              <LayerItem key={layer.id} layer={layer} {...props} />
            ))}
          </ul>
        </div>
      ))}
      {catalogue.basemap && (
        <label class="basemap">
          <input
            type="checkbox"
            checked={state.basemap}
            onChange={() => store.update({ basemap: !state.basemap }, "movement")}
          />
          <span>{say(language, "basemap")}</span>
        </label>
      )}
    </section>
  );
}
