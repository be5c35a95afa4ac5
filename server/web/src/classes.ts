/** The classes that a style distinguishes, read from the style itself: values of a match, ranges of a step. */
import type { LayerSpecification } from "maplibre-gl";
import type { Layer, Value } from "./api";

export interface ValueClass {
  readonly kind: "value";
  readonly value: Value;
}

export interface RangeClass {
  readonly kind: "range";
  /** Lowest value inside; null for "from the lowest". */
  readonly from: number | null;
  /** Lowest value outside; null for "to the highest". */
  readonly to: number | null;
}

export interface MissingClass {
  readonly kind: "missing";
}

export type Class = ValueClass | RangeClass | MissingClass;

export interface Classification {
  readonly property: string;
  readonly classes: readonly Class[];
}

/** The property that an expression's input reads, be it wrapped or bare. */
function inputProperty(input: unknown): string | null {
  if (!Array.isArray(input)) return null;
  if (input[0] === "get" && typeof input[1] === "string") return input[1];
  for (const part of input.slice(1)) {
    const found = inputProperty(part);
    if (found) return found;
  }
  return null;
}

function matchClasses(expression: readonly unknown[]): Class[] {
  const classes: Class[] = [];
  for (let at = 2; at + 1 < expression.length; at += 2) {
    for (const value of [expression[at]].flat())
      classes.push({ kind: "value", value: value as Value });
  }
  return classes;
}

/** Breaks of a step or of a colour ramp; a ramp's first stop is where it begins, not a break. */
export function breaks(expression: readonly unknown[]): number[] {
  const first = expression[0] === "step" ? 3 : 5;
  const found: number[] = [];
  for (let at = first; at < expression.length; at += 2) found.push(Number(expression[at]));
  return found;
}

export function rangeClasses(limits: readonly number[]): RangeClass[] {
  return [null, ...limits].map((from, at) => ({ kind: "range", from, to: limits[at] ?? null }));
}

function classify(expression: unknown): Classification | null {
  if (!Array.isArray(expression)) return null;
  const operator = expression[0];
  const property = inputProperty(operator === "interpolate" ? expression[2] : expression[1]);
  if (property && operator === "match") return { property, classes: matchClasses(expression) };
  if (property && (operator === "step" || operator === "interpolate")) {
    return { property, classes: rangeClasses(breaks(expression)) };
  }
  for (const part of expression.slice(1)) {
    const found = classify(part);
    if (found) return found;
  }
  return null;
}

const CLASSIFYING = [
  "fill-color",
  "circle-color",
  "line-color",
  "icon-color",
  "fill-pattern",
  "line-width",
];

/** How a layer's style divides its features; null where it draws them all alike. */
export function classification(
  layer: Layer,
  style: readonly LayerSpecification[],
): Classification | null {
  for (const name of CLASSIFYING) {
    for (const part of style) {
      const found = classify((part.paint as Record<string, unknown> | undefined)?.[name]);
      if (!found) continue;
      const field = layer.fields.find((each) => each.name === found.property);
      const ordered = field?.labels
        ? inOrderOf(Object.keys(field.labels), found.classes)
        : found.classes;
      return { property: found.property, classes: ordered };
    }
  }
  return null;
}

/** The labels' own order, with the labelled values that the style draws by default. */
function inOrderOf(labels: readonly string[], classes: readonly Class[]): Class[] {
  const unlabelled = classes.filter(
    (each) => each.kind !== "value" || !labels.includes(String(each.value)),
  );
  return [...labels.map((value): Class => ({ kind: "value", value })), ...unlabelled];
}

/** How many rows fall into each class, and how many have no value, from the counts per value. */
export function classCounts(
  classes: readonly Class[],
  counts: ReadonlyMap<string, number>,
): { perClass: number[]; missing: number } {
  const inside = (each: Class, value: string): boolean => {
    if (each.kind === "value") return String(each.value) === value;
    if (each.kind === "missing") return value === "";
    const size = Number(value);
    return value !== "" && size >= (each.from ?? -Infinity) && size < (each.to ?? Infinity);
  };
  const perClass = classes.map((each) => {
    let n = 0;
    for (const [value, found] of counts) if (inside(each, value)) n += found;
    return n;
  });
  return { perClass, missing: counts.get("") ?? 0 };
}

/** Round numbers that divide values into `n` classes of about equal size (quantiles). */
export function quantileBreaks(values: readonly number[], n: number): number[] {
  const sorted = values.filter(Number.isFinite).sort((left, right) => left - right);
  if (sorted.length === 0) return [];
  const found: number[] = [];
  for (let at = 1; at < n; at += 1) {
    const value = sorted[Math.floor((at * sorted.length) / n)]!;
    const rounded = Number(value.toPrecision(2));
    if (rounded > (found.at(-1) ?? sorted[0]!)) found.push(rounded);
  }
  return found;
}
