/** A deadline in words: how much working time is left, and when it ends. */
import type { Language } from "../api";
import { moment, number } from "../language";
import type { Row } from "./types";
import { tell } from "./words";

const HOURS_A_DAY = 8;

/** Working time as people say it: 40 分钟, 3.5 小时, 2.5 天; English alike. */
export function workingTime(hours: number, language: Language): string {
  const size = Math.abs(hours);
  const brief = (value: number) => number(value, language, value < 10 && value % 1 >= 0.05 ? 1 : 0);
  if (size < 1) {
    return tell(language, "minutes", { n: number(Math.round(60 * size), language) });
  }
  if (size < 2 * HOURS_A_DAY) {
    return tell(language, "hours", { n: brief(size) });
  }
  return tell(language, "days", { n: brief(size / HOURS_A_DAY) });
}

/** What stands in the first line of a clock. */
export function clockText({ clock }: Row, language: Language): string {
  const left = clock?.working_hours_left ?? 0;
  switch (clock?.stands) {
    case "running":
      return tell(language, "left", { time: workingTime(left, language) });
    case "overdue":
      return tell(language, "late", { time: workingTime(left, language) });
    case "paused":
      return tell(language, "paused");
    case "met":
      return tell(language, "met");
    case "missed":
      return tell(language, "missed");
    default:
      return tell(language, "noDeadline");
  }
}

/** The day and the hour of a deadline, short: the year only where it is another one. */
export function dueText(iso: string, language: Language, timezone: string): string {
  const year = (time: Date) =>
    new Intl.DateTimeFormat("en", { timeZone: timezone, year: "numeric" }).format(time);
  const due = new Date(iso);
  if (year(due) !== year(new Date())) return moment(iso, language, timezone);
  const options = { timeZone: timezone, month: "short", day: "numeric" } as const;
  const day = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", options).format(due);
  return `${day} ${time(iso, timezone)}`;
}

/** The hour and minute of a moment. */
export function time(iso: string, timezone: string): string {
  const options = { timeZone: timezone, hour: "2-digit", minute: "2-digit" } as const;
  return new Intl.DateTimeFormat("en-GB", options).format(new Date(iso));
}
