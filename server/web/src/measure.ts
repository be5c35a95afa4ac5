/** Counts or rates: the same classes of colour over the other column, with breaks of its own. */
import type { LayerSpecification } from "maplibre-gl";
import { allRows, type Layer } from "./api";
import { quantileBreaks } from "./classes";
import type { Measure } from "./state";

const COLUMNS: Readonly<Record<Measure, string>> = {
  count: "n_incidents",
  rate: "incidents_per_1000",
};

/** Class breaks per layer and column, where the style's own do not fit. */
export type Breaks = ReadonlyMap<string, readonly number[]>;
const breaksKey = (id: string, column: string): string => `${id}/${column}`;

type Expression = readonly unknown[];

/** The step over a count or a rate inside an expression, if there is one. */
function measuringStep(expression: unknown): Expression | null {
  if (!Array.isArray(expression)) return null;
  if (expression[0] === "step" && columnOf(expression[1]) !== null) return expression;
  for (const part of expression) {
    const found = measuringStep(part);
    if (found) return found;
  }
  return null;
}

function columnOf(input: unknown): string | null {
  const text = JSON.stringify(input);
  return Object.values(COLUMNS).find((column) => text.includes(`"${column}"`)) ?? null;
}

const hasBoth = (layer: Layer): boolean =>
  Object.values(COLUMNS).every((column) => layer.fields.some(({ name }) => name === column));

/** The column that a layer's style is coloured by, where it could be the count or the rate. */
export function measuredColumn(layer: Layer): string | null {
  if (!hasBoth(layer)) return null;
  for (const part of layer.style) {
    const found = measuringStep(
      (part.paint as Record<string, unknown> | undefined)?.["fill-color"],
    );
    if (found) return columnOf(found[1]);
  }
  return null;
}

const colours = (step: Expression): unknown[] => step.filter((_, at) => at >= 2 && at % 2 === 0);

/** A step over another column: transparent where it has no value. */
export function stepExpression(
  input: unknown,
  limits: readonly number[],
  ramp: readonly unknown[],
): unknown[] {
  const step: unknown[] = ["step", input, ramp[0]];
  limits.forEach((limit, at) => step.push(limit, ramp[at + 1] ?? ramp.at(-1)));
  const colour = limits.length > 0 ? step : ramp[0];
  return ["case", ["==", input, null], "rgba(0,0,0,0)", colour];
}

/** A filter about one column, made about the other. */
const renamed = (filter: unknown, from: string, to: string): unknown =>
  Array.isArray(filter)
    ? filter.map((part) => renamed(part, from, to))
    : filter === from
      ? to
      : filter;

/** A layer's style over the count or the rate; as written where it is not about either. */
export function measured(
  layer: Layer,
  measure: Measure,
  breaks: Breaks,
): readonly LayerSpecification[] {
  const column = COLUMNS[measure];
  const written = measuredColumn(layer);
  const limits = breaks.get(breaksKey(layer.id, column));
  if (written === null || written === column || !limits) return layer.style;
  return layer.style.map((part) => {
    const paint = part.paint as Record<string, unknown> | undefined;
    const step = measuringStep(paint?.["fill-color"]);
    if (!step) return part;
    const colour = stepExpression(["get", column], limits, colours(step));
    const measuredPart = { ...part, paint: { ...paint, "fill-color": colour } };
    const filter = "filter" in part ? { filter: renamed(part.filter, written, column) } : {};
    return { ...measuredPart, ...filter } as LayerSpecification;
  });
}

/** Breaks for the other measure of every layer that has one, from all its values. */
export async function otherBreaks(layers: readonly Layer[], measure: Measure): Promise<Breaks> {
  const column = COLUMNS[measure];
  const wanted = layers.filter((each) => ![null, column].includes(measuredColumn(each)));
  const found = await Promise.all(
    wanted.map(async (layer) => {
      const rows = await allRows(layer.id);
      const values = rows
        .map((row) => row.values[column])
        .filter((value) => typeof value === "number");
      return [breaksKey(layer.id, column), quantileBreaks(values, 5)] as const;
    }),
  );
  return new Map(found);
}
