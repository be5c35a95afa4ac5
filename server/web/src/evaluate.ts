/** What a style's expression gives for one feature: enough of the language to draw a legend from the style itself. */
import type { Value } from "./api";

export type Properties = Readonly<Record<string, Value>>;
type Scope = { readonly properties: Properties; readonly zoom: number };

const same = (left: unknown, right: unknown) =>
  Array.isArray(right) ? right.includes(left) : left === right;

function choose(args: readonly unknown[], scope: Scope): unknown {
  for (let at = 0; at + 1 < args.length; at += 2) {
    if (evaluate(args[at], scope)) return evaluate(args[at + 1], scope);
  }
  return evaluate(args.at(-1), scope);
}

function match(args: readonly unknown[], scope: Scope): unknown {
  const input = evaluate(args[0], scope);
  for (let at = 1; at + 1 < args.length; at += 2) {
    if (same(input, args[at])) return evaluate(args[at + 1], scope);
  }
  return evaluate(args.at(-1), scope);
}

function step(args: readonly unknown[], scope: Scope): unknown {
  const input = Number(evaluate(args[0], scope));
  let output = args[1];
  for (let at = 2; at + 1 < args.length && input >= Number(args[at]); at += 2)
    output = args[at + 1];
  return evaluate(output, scope);
}

/** Between two stops a number is interpolated; of a colour the nearer stop is taken. */
function interpolate(args: readonly unknown[], scope: Scope): unknown {
  const input = Number(evaluate(args[1], scope));
  let at = 2;
  while (at + 3 < args.length && input >= Number(args[at + 2])) at += 2;
  const [low, high] = [Number(args[at]), Number(args[at + 2] ?? args[at])];
  const [from, to] = [evaluate(args[at + 1], scope), evaluate(args[at + 3] ?? args[at + 1], scope)];
  const share = high > low ? Math.min(1, Math.max(0, (input - low) / (high - low))) : 0;
  if (typeof from === "number" && typeof to === "number") return from + share * (to - from);
  return share < 0.5 ? from : to;
}

export function evaluate(expression: unknown, scope: Scope): unknown {
  if (!Array.isArray(expression)) return expression;
  const [operator, ...args] = expression as [string, ...unknown[]];
  const value = (at: number) => evaluate(args[at], scope);
  switch (operator) {
    case "literal":
      return args[0];
    case "get":
      return scope.properties[String(args[0])] ?? null;
    case "has":
      return (scope.properties[String(args[0])] ?? null) !== null;
    case "zoom":
      return scope.zoom;
    case "feature-state":
      return null;
    case "concat":
      return args.map((_, at) => String(value(at) ?? "")).join("");
    case "coalesce":
      return args.map((_, at) => value(at)).find((each) => each !== null) ?? null;
    case "to-number":
    case "number":
      return Number(value(0) ?? 0);
    case "to-string":
    case "string":
    case "image":
      return value(0);
    case "!":
      return !value(0);
    case "==":
      return value(0) === value(1);
    case "!=":
      return value(0) !== value(1);
    case "<":
      return Number(value(0)) < Number(value(1));
    case ">":
      return Number(value(0)) > Number(value(1));
    case "<=":
      return Number(value(0)) <= Number(value(1));
    case ">=":
      return Number(value(0)) >= Number(value(1));
    case "in":
      return same(value(0), value(1));
    case "all":
      return args.every((_, at) => value(at));
    case "any":
      return args.some((_, at) => value(at));
    case "case":
      return choose(args, scope);
    case "match":
      return match(args, scope);
    case "step":
      return step(args, scope);
    case "interpolate":
      return interpolate(args, scope);
    default:
      return null;
  }
}
