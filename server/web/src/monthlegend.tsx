/** The legend of one month's colours: the same classes for every month, and how many communities are in each. */
import type { Months } from "./api";
import { rangeClasses, type Class } from "./classes";
import { month as monthName, number, say } from "./language";
import { className, limitDigits } from "./legend";
import { monthRamp, monthValues, type Residents } from "./months";
import type { State } from "./state";
import { Plain } from "./swatch";

interface Props {
  readonly month: string;
  readonly months: Months;
  readonly state: State;
  readonly limits: readonly number[];
  readonly residents: Residents;
}

export function MonthLegend({ month, months, state, limits, residents }: Props) {
  const { language, measure, theme } = state;
  const values = [...monthValues(months, month, measure, residents).values()];
  const ramp = monthRamp(theme);
  const classes: Class[] = rangeClasses(limits);
  const missing = values.filter((value) => value === null).length;
  if (missing > 0) classes.push({ kind: "missing" });
  const count = (each: Class) =>
    values.filter((value) => {
      if (value === null || each.kind !== "range") return value === null && each.kind === "missing";
      return value >= (each.from ?? -Infinity) && value < (each.to ?? Infinity);
    }).length;
  const key = measure === "count" ? "monthLegendCount" : "monthLegendRate";
  return (
    <section class="month-legend" id="month-legend" aria-live="polite">
      <h3>{say(language, key, { month: monthName(month, language) })}</h3>
      <ul class="legend" data-layer="month">
        {classes.map((each, at) => (
          <li key={JSON.stringify(each)}>
            <Plain colour={each.kind === "missing" ? "none" : (ramp[at] ?? "none")} />
            <span class="legend-name">
              {className(each, undefined, language, limitDigits(classes))}
            </span>
            <span class="legend-count">{number(count(each), language)}</span>
          </li>
        ))}
      </ul>
      <p class="muted">{say(language, "sameClasses")}</p>
    </section>
  );
}
