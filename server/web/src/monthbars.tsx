/** Counts per month as small bars; a month that the data do not cover to its end is hollow. */
import type { Language, Months } from "./api";
import { month as monthName, number, say } from "./language";

interface Props {
  readonly counts: readonly number[];
  readonly months: Months;
  readonly chosen: string | null;
  readonly language: Language;
  readonly height: number;
}

export function MonthBars({ counts, months, chosen, language, height }: Props) {
  const most = Math.max(1, ...counts);
  const n = months.months.length;
  const [first = "", last = ""] = [months.months[0], months.months.at(-1)];
  const label = say(language, "monthBars", {
    from: monthName(first, language),
    to: monthName(last, language),
    most: number(most, language),
    least: number(Math.min(...counts), language),
  });
  return (
    <svg
      class="bars"
      viewBox={`0 0 ${n * 10} ${height}`}
      preserveAspectRatio="none"
      height={height}
      role="img"
      aria-label={label}
    >
      {counts.map((count, at) => {
        const tall = Math.max(1, (count / most) * (height - 2));
        return (
          <rect
            key={months.months[at]}
            class="bar"
            data-chosen={months.months[at] === chosen}
            data-partial={!months.complete[at]}
            x={at * 10 + 1.5}
            y={height - tall}
            width={7}
            height={tall}
            vector-effect="non-scaling-stroke"
          />
        );
      })}
    </svg>
  );
}
