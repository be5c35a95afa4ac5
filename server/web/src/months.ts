/** One month's incidents per community, as counts or as rates, in classes that stay the same for every month. */
import type { ExpressionSpecification, LayerSpecification } from "maplibre-gl";
import { allRows, type Catalogue, type Layer, type Months } from "./api";
import { quantileBreaks } from "./classes";
import { stepExpression } from "./measure";
import { nightColour } from "./night";
import type { Measure, Theme } from "./state";

/** The layer whose units the months are counted in. */
export const MONTH_LAYER = "communities";
const MONTH_FILL = "month-fill";
const RAMP = ["#f2f0f7", "#cbc9e2", "#9e9ac8", "#756bb1", "#54278f"];

export const monthRamp = (theme: Theme): readonly string[] =>
  theme === "dark" ? RAMP.map(nightColour) : RAMP;

/** Results over the whole period: not drawn while one month is shown, for they say nothing about it. */
export const pausedByMonth = (layer: Layer): boolean =>
  ["hotspots", "density"].includes(layer.group) ||
  layer.fields.some(({ name }) => name === "n_incidents");

export type Residents = ReadonlyMap<string, number>;

/** How many people live in each unit, for rates. */
export async function fetchResidents(catalogue: Catalogue): Promise<Residents> {
  const layer = catalogue.layers.find(({ id }) => id === MONTH_LAYER);
  if (!layer?.primary_key) return new Map();
  const key = layer.primary_key;
  const rows = await allRows(layer.id);
  return new Map(rows.map(({ values }) => [String(values[key]), Number(values.population)]));
}

/** A unit's value in a month: the count, or the count per 1,000 residents; null where nobody lives. */
function monthValue(n: number, residents: number | undefined, measure: Measure): number | null {
  if (measure === "count") return n;
  return residents ? (1000 * n) / residents : null;
}

/** Every unit's value in one month. */
export function monthValues(
  months: Months,
  month: string,
  measure: Measure,
  residents: Residents,
): Map<string, number | null> {
  const at = months.months.indexOf(month);
  const values = new Map<string, number | null>();
  for (const [code, counts] of Object.entries(months.counts)) {
    values.set(code, at < 0 ? null : monthValue(counts[at] ?? 0, residents.get(code), measure));
  }
  return values;
}

/** Breaks over all complete months together, so that a colour means the same in each. */
export function monthBreaks(months: Months, measure: Measure, residents: Residents): number[] {
  const values: number[] = [];
  for (const [code, counts] of Object.entries(months.counts)) {
    counts.forEach((n, at) => {
      const value = monthValue(n, residents.get(code), measure);
      if (months.complete[at] && value) values.push(value);
    });
  }
  return quantileBreaks(values, RAMP.length);
}

export function monthLayer(
  catalogue: Catalogue,
  theme: Theme,
  limits: readonly number[],
): LayerSpecification[] {
  if (!catalogue.layers.some(({ id }) => id === MONTH_LAYER)) return [];
  const value = ["feature-state", "month"];
  const colour = stepExpression(value, limits, monthRamp(theme)) as ExpressionSpecification;
  const paint = { "fill-color": colour, "fill-opacity": 0.9 };
  const source = { source: MONTH_LAYER, "source-layer": MONTH_LAYER };
  return [{ id: MONTH_FILL, type: "fill", ...source, paint }];
}

/** Incidents of the whole city per month. */
export const monthTotals = (months: Months): number[] =>
  months.months.map((_, at) =>
    Object.values(months.counts).reduce((sum, counts) => sum + (counts[at] ?? 0), 0),
  );
