/** The drawer at the right: everything known about what was clicked, and what else is at that place. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Catalogue, Field, Language, Months, Value } from "./api";
import { cellFacts, cellName, isCell, partsAt } from "./cells";
import { CloseButton } from "./closebutton";
import { classification, type Class } from "./classes";
import { drawnParts } from "./citystyle";
import {
  findingSentence,
  scoreOf,
  smallWarning,
  uncertaintySentence,
  unitOf,
  verdict,
  type Score,
} from "./explain";
import { day, figure, moment, number, pick, probability, say, unitText } from "./language";
import { className } from "./legend";
import type { Found } from "./map";
import type { Breaks } from "./measure";
import { MonthBars } from "./monthbars";
import { isMissing } from "./selection";
import type { State } from "./state";
import { Swatch } from "./swatch";

export interface DrawerProps {
  readonly found: Found;
  /** What else is at the place that was clicked. */
  readonly others: readonly Found[];
  readonly catalogue: Catalogue;
  readonly months: Months | null;
  readonly state: State;
  readonly breaks: Breaks;
  /** Whether the reader came by keyboard or list, so that the focus follows. */
  readonly focus: boolean;
  readonly onClose: () => void;
  readonly onOther: (found: Found) => void;
}

/** Columns that the title, the score or the sentences already say. */
const SAID = new Set([
  "name_zh", "name_en", "label", "z", "p", "q", "observed", "expected", "n_neighbours", "n_units",
]); // prettier-ignore

export function nameOf({ layer, key, properties }: Found, language: Language): string {
  if (isCell(layer, properties)) return cellName(layer, properties, language);
  const [first, second] = language === "zh" ? ["name_zh", "name_en"] : ["name_en", "name_zh"];
  const name = properties[first!] ?? properties[second!];
  return name ? String(name) : `${pick(layer.title, language)} ${key}`;
}

/** A thing's name; a cell, which has none, is named after the smallest unit that it lies in. */
function titleOf(found: Found, others: readonly Found[], language: Language): string {
  const { layer: from, properties: said } = found;
  if (said.name_zh || said.name_en || isCell(from, said)) return nameOf(found, language);
  const unit = others.find(({ layer, properties }) => layer.group === "grid" && properties.name_zh);
  if (!unit) return nameOf(found, language);
  return say(language, "cellIn", { unit: nameOf(unit, language) });
}

/** A value as a reader writes it: labelled, dated, grouped; codes as they are. */
export function shown(value: Value, field: Field, language: Language, timezone: string): string {
  const words = field.labels?.[String(value)];
  if (words) return pick(words, language);
  if (typeof value === "boolean") return say(language, value ? "yes" : "no");
  if (field.type === "date") return day(String(value), language, timezone);
  if (field.type === "datetime") return moment(String(value), language, timezone);
  if (typeof value !== "number") return String(value);
  if (field.name === "p" || field.name === "q") return probability(value, language);
  return /year/.test(field.name) ? String(value) : figure(value, language);
}

function ClassBadge({ found, state, breaks }: Pick<DrawerProps, "found" | "state" | "breaks">) {
  const { layer, properties } = found;
  const styled = drawnParts(layer, state, breaks).filter(({ type }) => type !== "symbol");
  const parts = partsAt(layer, styled, state.zoom);
  const classes = classification(layer, parts);
  const field = layer.fields.find(({ name }) => name === classes?.property);
  const value = classes ? properties[classes.property] : undefined;
  if (!classes || !field?.labels || isMissing(value)) return null;
  const each: Class = { kind: "value", value: value as Value };
  return (
    <p class="class-badge" id="class">
      <Swatch parts={parts} properties={properties} zoom={12} theme={state.theme} />
      {className(each, field, state.language)}
    </p>
  );
}

function ScoreFigures({
  score,
  found,
  language,
}: {
  score: Score;
  found: Found;
  language: Language;
}) {
  const unit = unitOf(found.layer, language);
  const figures: [name: string, value: string][] = [
    [say(language, "observed"), `${figure(score.observed, language)} ${unit}`],
    [say(language, "expected"), `${figure(score.expected, language)} ${unit}`],
    ["z", figure(score.z, language)],
    ["p", score.p === null ? "–" : probability(score.p, language)],
    [say(language, "qName"), probability(score.q, language)],
    [say(language, "neighbours"), number(score.n_neighbours ?? 0, language)],
    [say(language, "nUnits"), number(score.n_units ?? 0, language)],
  ];
  return (
    <dl class="figures" id="score">
      {figures.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}

function Explanation({
  score,
  found,
  language,
}: {
  score: Score;
  found: Found;
  language: Language;
}) {
  return (
    <>
      <p class="sentence" id="explanation">
        {findingSentence(score, found.layer, language)}
      </p>
      <p>{verdict(score, language)}</p>
      <ScoreFigures score={score} found={found} language={language} />
      <p class="muted" id="uncertainty">
        {uncertaintySentence(score, language)}
      </p>
    </>
  );
}

function Facts({ found, catalogue, state }: Pick<DrawerProps, "found" | "catalogue" | "state">) {
  const { language } = state;
  const { layer, properties } = found;
  if (isCell(layer, properties)) return <CellFacts found={found} language={language} />;
  const listed = layer.fields.filter(({ name }) => !SAID.has(name) && !isMissing(properties[name]));
  return (
    <dl class="figures facts">
      {listed.map((field) => {
        const value = shown(properties[field.name]!, field, language, catalogue.timezone);
        const code = /_(code|id)$/.test(field.name);
        return (
          <div key={field.name}>
            <dt>{pick(field.description, language)}</dt>
            <dd class={code ? "code" : undefined}>
              {value}
              {field.unit ? ` ${unitText(field.unit, language)}` : ""}
            </dd>
          </div>
        );
      })}
    </dl>
  );
}

function CellFacts({ found, language }: { found: Found; language: Language }) {
  return (
    <>
      <dl class="figures facts" id="cell">
        {cellFacts(found.layer, found.properties, language).map(({ name, value }) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <p class="muted">{say(language, "cellHint")}</p>
    </>
  );
}

function Others({ others, state, onOther }: Pick<DrawerProps, "others" | "state" | "onOther">) {
  if (others.length === 0) return null;
  const { language } = state;
  return (
    <section aria-labelledby="others-title">
      <h3 id="others-title">{say(language, "alsoHere")}</h3>
      <ul class="others">
        {others.slice(0, 8).map((each) => (
          <li key={`${each.layer.id}/${each.key}`}>
            <button type="button" class="place" onClick={() => onOther(each)}>
              <span class="place-name">{nameOf(each, language)}</span>
              <span class="place-figures">{pick(each.layer.title, language)}</span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Provenance({
  found,
  catalogue,
  state,
}: Pick<DrawerProps, "found" | "catalogue" | "state">) {
  const { language } = state;
  const { layer } = found;
  const time = layer.as_of ?? catalogue.as_of;
  return (
    <p class="muted provenance">
      {[
        pick(layer.title, language),
        layer.attribution,
        time && say(language, "asOf", { time: day(time, language, catalogue.timezone) }),
      ]
        .filter(Boolean)
        .join(" · ")}
    </p>
  );
}

export function Drawer(props: DrawerProps) {
  const { found, others, months, state, focus, onClose } = props;
  const { language } = state;
  const heading = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => {
    if (focus) heading.current?.focus();
  }, [found.layer.id, found.key, focus]);
  const score = scoreOf(found.properties);
  const warning = smallWarning(found.properties, language);
  const counts = months?.counts[String(found.properties[months.key] ?? "")];
  return (
    <aside
      class="drawer"
      id="drawer"
      aria-labelledby="drawer-title"
      onKeyDown={(event) => event.key === "Escape" && onClose()}
    >
      <header class="drawer-head">
        <div>
          <p class="muted">{pick(found.layer.title, language)}</p>
          <h2 id="drawer-title" tabIndex={-1} ref={heading}>
            {titleOf(found, others, language)}
          </h2>
        </div>
        <CloseButton id="close-drawer" name={say(language, "close")} onClick={onClose} />
      </header>
      <div class="drawer-body">
        <ClassBadge {...props} />
        {score && <Explanation score={score} found={found} language={language} />}
        {warning && (
          <p class="notice" id="small-count">
            {warning}
          </p>
        )}
        <Facts {...props} />
        {months && counts && (
          <section aria-labelledby="course-title">
            <h3 id="course-title">{say(language, "course")}</h3>
            <MonthBars
              counts={counts}
              months={months}
              chosen={state.month}
              language={language}
              height={56}
            />
          </section>
        )}
        <Others {...props} />
        <Provenance {...props} />
      </div>
    </aside>
  );
}
