/** What a hotspot's figures mean, in one plain sentence each: the finding, the verdict, the uncertainty, the warning. */
import type { Language, Layer, Value } from "./api";
import { figure, number, percent, probability, say, unitText } from "./language";

/** Below these, chance alone moves a rate so much that the reader is told. */
const FEW_INCIDENTS = 10;
const FEW_RESIDENTS = 500;

export interface Score {
  readonly label: string;
  readonly z: number;
  readonly p: number | null;
  readonly q: number;
  readonly observed: number;
  readonly expected: number;
  readonly n_neighbours: number | null;
  readonly n_units: number | null;
  readonly n_incidents: number | null;
  readonly population: number | null;
}

type Properties = Readonly<Record<string, Value>>;

const read = (properties: Properties, name: string): number | null => {
  const value = properties[name];
  return typeof value === "number" && Number.isFinite(value) ? value : null;
};

/** The figures of a hotspot, where a thing has been scored. */
export function scoreOf(properties: Properties): Score | null {
  const z = read(properties, "z");
  const q = read(properties, "q");
  const observed = read(properties, "observed");
  const expected = read(properties, "expected");
  if (z === null || q === null || observed === null || expected === null) return null;
  return {
    label: String(properties.label ?? "not_significant"),
    z,
    p: read(properties, "p"),
    q,
    observed,
    expected,
    n_neighbours: read(properties, "n_neighbours"),
    n_units: read(properties, "n_units"),
    n_incidents: read(properties, "n_incidents"),
    population: read(properties, "population"),
  };
}

/** The unit of what is averaged, such as incidents per 1,000 residents. */
export const unitOf = (layer: Layer, language: Language): string =>
  unitText(layer.fields.find(({ name }) => name === "observed")?.unit ?? "", language);

/** How a probability is said: "about 3 times in 1,000", "less than once in 10,000". */
function chance(p: number, language: Language): string {
  if (p < 0.0001) return say(language, "chanceTiny");
  const [times, of] =
    p >= 0.01 ? [p * 100, 100] : p >= 0.001 ? [p * 1000, 1000] : [p * 10000, 10000];
  return say(language, "chance", {
    times: number(Math.max(1, Math.round(times)), language),
    of: number(of, language),
  });
}

export function findingSentence(score: Score, layer: Layer, language: Language): string {
  const values = {
    neighbours: number(score.n_neighbours ?? 0, language),
    observed: figure(score.observed, language),
    expected: figure(score.expected, language),
    unit: unitOf(layer, language),
    chance: chance(score.p ?? score.q, language),
  };
  if (score.observed >= score.expected) return say(language, "findingHigh", values);
  return say(language, "findingLow", values);
}

/** The verdict after the correction for testing many units at once. */
export function verdict(score: Score, language: Language): string {
  const q = probability(score.q, language);
  if (score.label === "not_significant") return say(language, "verdictNone", { q });
  const confidence = percent(Number(score.label.slice(-2)) / 100, language);
  return say(language, "verdict", { q, confidence });
}

export function uncertaintySentence(score: Score, language: Language): string {
  const n = score.n_units ?? 0;
  if (n === 0) return say(language, "uncertaintyPlain");
  return say(language, "uncertainty", {
    n: number(n, language),
    byChance: number(Math.round(n / 20), language),
  });
}

/** A warning where so few reports or residents are behind a figure that chance may explain it; null otherwise. */
export function smallWarning(properties: Properties, language: Language): string | null {
  const n = read(properties, "n_incidents");
  const residents = read(properties, "population");
  if (n !== null && n < FEW_INCIDENTS) {
    return say(language, "fewIncidents", { n: number(n, language) });
  }
  if (residents !== null && residents < FEW_RESIDENTS && n !== null) {
    return say(language, "fewResidents", { n: number(residents, language) });
  }
  return null;
}
