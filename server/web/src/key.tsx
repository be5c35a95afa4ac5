/** The key: the classes of what the map is about, in one line at the foot of the panel, always in sight. */
import type { JSX } from "preact";
import type { Catalogue, Layer } from "./api";
import { classification, rangeClasses, type Class } from "./classes";
import { drawnParts, isDrawn } from "./citystyle";
import { number, pick, say, unitText, month as monthName } from "./language";
import { className, exampleOf, limitDigits } from "./legend";
import type { Breaks } from "./measure";
import { monthRamp } from "./months";
import { invert } from "./night";
import type { State } from "./state";
import { Plain, Swatch } from "./swatch";

interface Segment {
  readonly picture: JSX.Element;
  readonly label: string;
}

interface KeyContent {
  readonly title: string;
  readonly segments: readonly Segment[];
}

interface Props {
  readonly catalogue: Catalogue;
  readonly state: State;
  readonly breaks: Breaks;
  readonly monthLimits: readonly number[];
}

/** What the map is about, the likeliest first. */
const THEMES = ["hotspots", "counts", "density"];

/** A range in as few signs as can be: < 2, 2–5, ≥ 5. */
function briefly(each: Class, layer: Layer | null, digits: number, { language }: State): string {
  const field = layer?.fields.find(({ labels }) => labels);
  if (each.kind !== "range") return className(each, field, language);
  const [from, to] = [each.from, each.to].map(
    (limit) => limit !== null && number(limit, language, digits),
  );
  if (!from) return `< ${to}`;
  return to ? `${from}–${to}` : `≥ ${from}`;
}

function monthKey({ state, monthLimits }: Props): KeyContent {
  const { language, theme, measure } = state;
  const ramp = monthRamp(theme);
  const classes = rangeClasses(monthLimits);
  const digits = limitDigits(classes);
  const key = measure === "count" ? "monthLegendCount" : "monthLegendRate";
  return {
    title: say(language, key, { month: monthName(state.month ?? "", language) }),
    segments: classes.map((each, at) => ({
      picture: <Plain colour={ramp[at] ?? "none"} />,
      label: briefly(each, null, digits, state),
    })),
  };
}

function rampKey(layer: Layer, { language, theme }: State): KeyContent {
  const { unit, stops = [] } = layer.ramp ?? {};
  return {
    title: pick(layer.title, language) + (unit ? ` (${unitText(unit, language)})` : ""),
    segments: stops.map(({ value, colour }) => ({
      picture: <Plain colour={theme === "dark" ? invert(colour) : colour} />,
      label: number(value, language),
    })),
  };
}

function layerKey(layer: Layer, { state, breaks }: Props): KeyContent | null {
  const { language, theme } = state;
  const parts = drawnParts(layer, state, breaks).filter(({ type }) => type !== "symbol");
  const found = classification(layer, parts);
  if (!found) return null;
  const field = layer.fields.find(({ name }) => name === found.property);
  const unit = field?.unit && !field.labels ? ` (${unitText(field.unit, language)})` : "";
  const digits = limitDigits(found.classes);
  return {
    title: pick(layer.title, language) + unit,
    segments: found.classes.map((each) => ({
      picture: (
        <Swatch
          parts={parts}
          properties={exampleOf(found.property, each)}
          zoom={12}
          theme={theme}
        />
      ),
      label: briefly(each, layer, digits, state),
    })),
  };
}

function content(props: Props): KeyContent | null {
  const { catalogue, state } = props;
  if (state.month) return monthKey(props);
  for (const theme of THEMES) {
    for (const layer of catalogue.layers) {
      if (layer.group !== theme || !layer.ready || !isDrawn(layer, state)) continue;
      return layer.kind === "raster" ? rampKey(layer, state) : layerKey(layer, props);
    }
  }
  return null;
}

export function Key(props: Props) {
  const shown = content(props);
  if (!shown || shown.segments.length === 0) return null;
  return (
    <section class="key" id="key" aria-label={say(props.state.language, "key")}>
      <p>{shown.title}</p>
      <ul>
        {shown.segments.map(({ picture, label }) => (
          <li key={label}>
            {picture}
            <span>{label.replace(/ %$/, "\u00a0%")}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
