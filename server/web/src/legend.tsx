/** What the colours mean: drawn from the style that draws the tiles, with how many fall into each class. */
import type { LayerSpecification } from "maplibre-gl";
import { useEffect, useMemo, useState } from "preact/hooks";
import { countNumbers, fetchCounts, type Field, type Language, type Layer } from "./api";
import { partsAt } from "./cells";
import { classCounts, classification, type Class, type Classification } from "./classes";
import { drawnParts } from "./citystyle";
import type { Properties } from "./evaluate";
import { figure, number, pick, say, unitText } from "./language";
import type { Breaks } from "./measure";
import { invert } from "./night";
import type { State } from "./state";
import { Plain, Swatch } from "./swatch";

/** A feature that falls into a class, to be drawn as its swatch. */
export function exampleOf(property: string, each: Class): Properties {
  if (each.kind === "value") return { [property]: each.value };
  if (each.kind === "missing") return { [property]: null };
  return { [property]: each.from ?? (each.to ?? 0) - 1 };
}

/** As many decimals as the limits of the ranges need, the same for all: 1.6 to 2.0 beside 2.0 to 2.5. */
export function limitDigits(classes: readonly Class[]): number {
  const limits = classes.flatMap((each) =>
    each.kind === "range" && each.from !== null ? [each.from] : [],
  );
  return Math.min(
    2,
    Math.max(0, ...limits.map((limit) => (String(limit).split(".")[1] ?? "").length)),
  );
}

/** A class in words: a label, or the range of its values. */
export function className(
  each: Class,
  field: Field | undefined,
  language: Language,
  digits = 2,
): string {
  if (each.kind === "missing") return say(language, "noData");
  if (each.kind === "value") {
    const words = field?.labels?.[String(each.value)];
    return words ? pick(words, language) : String(each.value);
  }
  const [from, to] = [each.from, each.to].map(
    (limit) => limit !== null && number(limit, language, digits),
  );
  if (!from) return to ? say(language, "below", { to }) : say(language, "allValues");
  return to ? say(language, "range", { from, to }) : say(language, "atLeast", { from });
}

/** How often each value of a column occurs; null until the server has answered. */
function useCounts(
  layer: Layer,
  property: string,
  numeric: boolean,
  wanted: boolean,
): ReadonlyMap<string, number> | null {
  const [counts, setCounts] = useState<ReadonlyMap<string, number> | null>(null);
  useEffect(() => {
    let waiting = true;
    setCounts(null);
    if (!wanted) return;
    (numeric ? countNumbers : fetchCounts)(layer.id, property).then(
      (found) => waiting && setCounts(found),
      () => waiting && setCounts(new Map()),
    );
    return () => {
      waiting = false;
    };
  }, [layer.id, property, numeric, wanted]);
  return counts;
}

interface LegendProps {
  readonly layer: Layer;
  readonly state: State;
  readonly breaks: Breaks;
}

interface EntriesProps extends LegendProps {
  readonly parts: readonly LayerSpecification[];
  readonly classes: Classification;
}

/** What the classes are classes of, and in which unit; labelled values speak for themselves. */
function heading(field: Field | undefined, language: Language): string | null {
  if (!field || field.labels) return null;
  const unit = field.unit ? ` (${unitText(field.unit, language)})` : "";
  return `${pick(field.description, language)}${unit}`;
}

function Entries({ layer, state, parts, classes }: EntriesProps) {
  const { language, theme } = state;
  const field = layer.fields.find(({ name }) => name === classes.property);
  // What only cells say is in no row, so there are no rows to count.
  const counts = useCounts(layer, classes.property, !field?.labels, field !== undefined);
  const listed: Class[] = [...classes.classes];
  const { perClass, missing } = classCounts(listed, counts ?? new Map());
  if (missing > 0) {
    listed.push({ kind: "missing" });
    perClass.push(missing);
  }
  const above = field ? heading(field, language) : say(language, "cellCount");
  const digits = limitDigits(listed);
  const zoom = Math.max(state.zoom, 11);
  return (
    <>
      {above && <p class="legend-heading">{above}</p>}
      <ul class="legend" data-layer={layer.id}>
        {listed.map((each, at) => (
          <li key={JSON.stringify(each)}>
            <Swatch
              parts={parts}
              properties={exampleOf(classes.property, each)}
              zoom={zoom}
              theme={theme}
            />
            <span class="legend-name">{className(each, field, language, digits)}</span>
            {field && (
              <span class="legend-count" title={say(language, "countTitle")}>
                {counts ? number(perClass[at] ?? 0, language) : "…"}
              </span>
            )}
          </li>
        ))}
      </ul>
    </>
  );
}

/** The colours of a raster, as the server draws it. */
function RampLegend({ layer, state }: LegendProps) {
  const { unit = null, stops = [] } = layer.ramp ?? {};
  const { language, theme } = state;
  return (
    <>
      {unit && <p class="legend-heading">{unitText(unit, language)}</p>}
      <ul class="legend" data-layer={layer.id}>
        {stops.map(({ value, colour }) => (
          <li key={value}>
            <Plain colour={theme === "dark" ? invert(colour) : colour} />
            <span class="legend-name">{figure(value, language)}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

/** The legend of one layer. */
export function Legend(props: LegendProps) {
  const { layer, state, breaks } = props;
  const { measure, theme, language } = state;
  const styled = useMemo(
    () => drawnParts(layer, state, breaks).filter(({ type }) => type !== "symbol"),
    [layer, breaks, measure, theme, language],
  );
  // Cells at a distance and single points near by have legends of their own.
  const parts = partsAt(layer, styled, state.zoom);
  if (layer.kind === "raster") return <RampLegend {...props} />;
  const classes = classification(layer, parts);
  if (classes) return <Entries {...props} parts={parts} classes={classes} />;
  return (
    <ul class="legend" data-layer={layer.id}>
      <li>
        <Swatch parts={parts} properties={{}} zoom={Math.max(state.zoom, 11)} theme={theme} />
        <span class="legend-name">{pick(layer.title, language)}</span>
        <span class="legend-count">
          {layer.n_rows === null ? "" : number(layer.n_rows, language)}
        </span>
      </li>
    </ul>
  );
}
