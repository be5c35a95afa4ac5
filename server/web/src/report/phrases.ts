/** Distances, times and states in the reader's words. */
import type { Language, Words } from "../api";
import { LANG_TAG, number, pick } from "../language";
import type { OutboxState, PlaceAnswer, Refusal } from "./types";
import { say, type Key } from "./words";

export function distance(metres: number, language: Language): string {
  if (metres < 1000) return say(language, "metres", { n: number(Math.round(metres), language) });
  return say(language, "kilometres", { n: number(metres / 1000, language, 1) });
}

const UNITS: readonly [Intl.RelativeTimeFormatUnit, number][] = [
  ["day", 86_400_000],
  ["hour", 3_600_000],
  ["minute", 60_000],
];

/** How long ago something was: 3 hours ago, yesterday. */
export function ago(iso: string, language: Language): string {
  const format = new Intl.RelativeTimeFormat(LANG_TAG[language], { numeric: "auto" });
  const passed = new Date(iso).getTime() - Date.now();
  for (const [unit, size] of UNITS) {
    if (Math.abs(passed) >= size) return format.format(Math.round(passed / size), unit);
  }
  return format.format(0, "minute");
}

/** A moment to come, with its weekday, for people plan by weekdays; the year only where it is another one. */
export function due(iso: string, language: Language, timezone: string): string {
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  const zone = { timeZone: timezone } as const;
  const year = new Intl.DateTimeFormat("en", { ...zone, year: "numeric" });
  const other = year.format(time) === year.format(new Date()) ? {} : ({ year: "numeric" } as const);
  const format = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    ...zone,
    ...other,
    month: language === "zh" ? "long" : "short",
    day: "numeric",
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  return format.format(time);
}

const STATES: Readonly<Record<OutboxState, Key>> = {
  draft: "stateDraft",
  waiting: "stateWaiting",
  sending: "stateSending",
  sent: "stateSent",
  refused: "stateRefused",
};

export const stateText = (state: OutboxState, language: Language): string =>
  say(language, STATES[state]);

/** The part of the page at which a field of the server is shown. */
export function partOf(field: string): string {
  if (/^(lon|lat|accuracy_m|position)$/.test(field)) return "place";
  if (field === "service_code") return "class";
  if (field === "description") return "note";
  if (field.startsWith("photos")) return "photos";
  if (field.startsWith("attributes.")) return field;
  return "all";
}

const PARTS: Readonly<Record<string, Key>> = {
  place: "refused_place",
  class: "refused_class",
  note: "refused_note",
  photos: "refused_photos",
};

function fieldText(field: string, language: Language): string {
  const key = PARTS[partOf(field)];
  if (key) return say(language, key);
  if (field.startsWith("attributes.")) return say(language, "refused_answer");
  if (field.startsWith("contact")) return say(language, "refused_contact");
  return say(language, "refused_other", { field });
}

const joined = (sentences: readonly string[], language: Language): string =>
  sentences.join(language === "zh" ? "" : " ");

/** What was refused, by the part of the page that shows it: field by field, where the server tells the fields. */
export function refusalTexts(
  { field, fields = [], words }: Refusal,
  language: Language,
): Readonly<Record<string, string>> {
  if (fields.length === 0) {
    return { [partOf(field)]: say(language, "refusedHere", { said: words[language] }) };
  }
  const found: Record<string, string> = {};
  for (const each of fields) {
    const [part, text] = [partOf(each), fieldText(each, language)];
    if (!found[part]?.includes(text)) {
      found[part] = found[part] ? joined([found[part], text], language) : text;
    }
  }
  return found;
}

/** The same in one go, where the parts are not in sight. */
export const refusalText = (refusal: Refusal, language: Language): string =>
  refusal.fields?.length
    ? joined(Object.values(refusalTexts(refusal, language)), language)
    : refusal.words[language];

/** A place by its units, the smallest first. */
export function unitsText(units: readonly Words[], language: Language): string {
  return units.map((words) => pick(words, language)).join(" · ");
}

/** The units the server names, the smallest first, each once. */
export function unitsOf({ names, names_en }: PlaceAnswer): Words[] {
  const levels = ["unit", "community", "subdistrict"];
  const found = levels.flatMap((level) => {
    const zh = names[level];
    return zh ? [{ zh, en: names_en?.[level] ?? zh }] : [];
  });
  return found.filter(({ zh }, at) => found.findIndex((each) => each.zh === zh) === at);
}
