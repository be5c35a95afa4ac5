/** Days, ISO weeks and months of the city, one after the other, as the server's addresses write them. */
import type { Language } from "../api";
import { LANG_TAG, month } from "../language";
import { tell } from "./words";

export const KINDS = ["day", "week", "month"] as const;
export type Kind = (typeof KINDS)[number];

/** A period by its first day, which is midnight UTC whatever the city's clock says. */
export interface Period {
  readonly kind: Kind;
  readonly first: Date;
}

const DAY_MS = 86_400_000;
const iso = (time: Date): string => time.toISOString().slice(0, 10);
const later = (time: Date, days: number): Date => new Date(time.getTime() + days * DAY_MS);
/** Days since Monday. */
const weekday = (time: Date): number => (time.getUTCDay() + 6) % 7;

/** The period of a kind in which a day lies. */
export function around(kind: Kind, time: Date): Period {
  if (kind === "day") return { kind, first: time };
  if (kind === "week") return { kind, first: later(time, -weekday(time)) };
  return { kind, first: new Date(Date.UTC(time.getUTCFullYear(), time.getUTCMonth(), 1)) };
}

/** Today, as the city's calendar has it. */
export function today(timezone: string): Date {
  const options = {
    timeZone: timezone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  } as const;
  return new Date(`${new Intl.DateTimeFormat("en-CA", options).format(new Date())}T00:00:00Z`);
}

/** The one before (-1) or after (1). */
export function beside({ kind, first }: Period, by: -1 | 1): Period {
  if (kind !== "month") return { kind, first: later(first, by * (kind === "week" ? 7 : 1)) };
  return { kind, first: new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + by, 1)) };
}

/** The year and the number of an ISO week: those of its Thursday. */
function weekOf(first: Date): { year: number; week: number } {
  const thursday = later(first, 3);
  const year = thursday.getUTCFullYear();
  return { year, week: 1 + Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) };
}

/** As addresses have it: 2026-11-22, 2026-W47, 2026-11. */
export function written({ kind, first }: Period): string {
  if (kind === "day") return iso(first);
  if (kind === "month") return iso(first).slice(0, 7);
  const { year, week } = weekOf(first);
  return `${year}-W${String(week).padStart(2, "0")}`;
}

/** As people read it. */
export function periodText({ kind, first }: Period, language: Language): string {
  if (kind === "month") return month(iso(first).slice(0, 7), language);
  const options = { timeZone: "UTC", month: "short", day: "numeric" } as const;
  const tag = language === "zh" ? LANG_TAG.zh : "en-GB";
  if (kind === "day") {
    return new Intl.DateTimeFormat(tag, { ...options, year: "numeric" }).format(first);
  }
  const days = new Intl.DateTimeFormat(tag, options).formatRange(first, later(first, 6));
  const { year, week } = weekOf(first);
  return tell(language, "weekText", { year: String(year), week: String(week), days });
}
