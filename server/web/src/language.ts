/** Every word of the page in Chinese and in English, and how numbers and dates are written in each. */
import type { Language, Words } from "./api";
import { texts } from "./texts";

type Placeholders<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Placeholders<Rest>
  : never;
type Dictionary = Readonly<Record<string, Words>>;
type Asked<Texts extends Dictionary, Key extends keyof Texts> = Placeholders<Texts[Key]["en"]>;

/** Keys whose Chinese and English ask for different values: there must be none. */
type Uneven<Texts extends Dictionary> = {
  [Key in keyof Texts]: [Placeholders<Texts[Key]["zh"]>] extends [Asked<Texts, Key>]
    ? [Asked<Texts, Key>] extends [Placeholders<Texts[Key]["zh"]>]
      ? never
      : Key
    : Key;
}[keyof Texts];

/** Keys whose words need no values. */
export type PlainKeyOf<Texts extends Dictionary> = {
  [Key in keyof Texts]: [Asked<Texts, Key>] extends [never] ? Key : never;
}[keyof Texts];

type Values<Texts extends Dictionary, Key extends keyof Texts> = {
  [Name in Asked<Texts, Key>]: string;
};
type Rest<Texts extends Dictionary, Key extends keyof Texts> = [Asked<Texts, Key>] extends [never]
  ? []
  : [values: Values<Texts, Key>];

/** What says a page's texts in one language, their placeholders filled. */
export const sayer =
  <Texts extends Dictionary>(texts: [Uneven<Texts>] extends [never] ? Texts : Uneven<Texts>) =>
  <Key extends keyof Texts>(language: Language, key: Key, ...rest: Rest<Texts, Key>): string => {
    const values = (rest[0] ?? {}) as Record<string, string>;
    const text = (texts as Texts)[key]![language];
    return text.replace(/\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole);
  };

export const say = /* @__PURE__ */ sayer<typeof texts>(texts);
export type TextKey = keyof typeof texts;
export type PlainKey = PlainKeyOf<typeof texts>;

/** The words in one language; the other one's where they are missing. */
export const pick = (words: Words, language: Language): string =>
  words[language] || words.en || words.zh;

export const LANG_TAG: Words = { zh: "zh-CN", en: "en" };

/** A number with its digits grouped; a true minus sign. */
export function number(value: number, language: Language, digits = 0): string {
  const format = new Intl.NumberFormat(LANG_TAG[language], {
    maximumFractionDigits: digits,
    minimumFractionDigits: digits,
  });
  return format.format(value).replace("-", "−");
}

/** A measured figure with as many decimals as its size deserves. */
export function figure(value: number, language: Language): string {
  const size = Math.abs(value);
  return number(value, language, Number.isInteger(value) || size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** A probability as it is read: three decimals, or below a thousandth. */
export const probability = (p: number, language: Language): string =>
  p < 0.001 ? "< 0.001" : number(p, language, 3);

export const percent = (share: number, language: Language): string =>
  `${number(share * 100, language, share < 0.1 ? 1 : 0)}${language === "en" ? " %" : "%"}`;

const UNITS_ZH: Readonly<Record<string, string>> = { "issues/km²": "件/km²" };
const UNITS: Readonly<Record<string, string>> = {
  件: "incidents",
  人: "residents",
  "件/千人": "per 1,000 residents",
  "件/km²": "incidents per km²",
  米: "m",
};

/** A unit in the reader's language: layers write them in Chinese, rasters in English. */
export const unitText = (unit: string, language: Language): string =>
  (language === "zh" ? UNITS_ZH : UNITS)[unit] ?? unit;

const REASONS: Readonly<Record<string, string>> = {
  "reports that repeat an earlier one": "重复上报",
  "reports that lie in none of the areas, or have no place": "不在任何区域内或没有位置的上报",
  "incidents in cells that lie too little inside the city to be compared":
    "所在单元大部分在市域之外的事件",
  "areas without residents, which have no rate": "没有常住人口、因而没有比率的区域",
  "incidents without a time of report": "没有上报时间的事件",
};

/** Why rows were left out, which records write in English, in the reader's language where it is known. */
export const reasonText = (reason: string, language: Language): string =>
  language === "en" ? reason : (REASONS[reason] ?? reason);

/** A day in the city's time zone: 2026年10月1日, 1 October 2026. */
export function day(iso: string, language: Language, timezone: string): string {
  const format = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    timeZone: iso.length > 10 ? timezone : "UTC",
    year: "numeric",
    month: "long",
    day: "numeric",
  });
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? iso : format.format(time);
}

/** A moment in the city's time zone, to the minute. */
export function moment(iso: string, language: Language, timezone: string): string {
  const clock = new Intl.DateTimeFormat("en-GB", {
    timeZone: timezone,
    hour: "2-digit",
    minute: "2-digit",
  });
  const time = new Date(iso);
  if (Number.isNaN(time.getTime())) return iso;
  return `${day(iso, language, timezone)} ${clock.format(time)}`;
}

/** A month such as "2026-10": 2026年10月, October 2026. */
export function month(text: string, language: Language, style: "long" | "short" = "long"): string {
  const time = new Date(`${text}-01T00:00:00Z`);
  const format = new Intl.DateTimeFormat(language === "zh" ? "zh-CN" : "en-GB", {
    timeZone: "UTC",
    year: "numeric",
    month: style,
  });
  return format.format(time);
}

/** The language to begin with, where the link names none. */
export function firstLanguage(): Language {
  const kept = window.localStorage.getItem("gisgrid.language");
  if (kept === "zh" || kept === "en") return kept;
  return navigator.languages.some((each) => each.toLowerCase().startsWith("zh")) ? "zh" : "en";
}
