/** The note, and what a class asks beside it. */
import type { Language } from "../api";
import { pick } from "../language";
import type { Attribute, Outgoing } from "./types";
import { say } from "./words";

const LONGEST_NOTE = 2000;

interface NoteProps {
  readonly text: string;
  readonly language: Language;
  readonly fault: string | null;
  readonly onText: (text: string) => void;
}

export function Note({ text, language, fault, onText }: NoteProps) {
  return (
    <section class="block">
      <label class="field">
        <span>{say(language, "note")}</span>
        <textarea
          id="note"
          rows={2}
          maxLength={LONGEST_NOTE}
          value={text}
          placeholder={say(language, "notePlaceholder")}
          aria-invalid={fault !== null}
          aria-describedby={fault ? "note-fault" : undefined}
          onInput={({ currentTarget }) => onText(currentTarget.value)}
        />
      </label>
      {fault && (
        <p class="fault" role="alert" id="note-fault">
          {fault}
        </p>
      )}
    </section>
  );
}

type Answers = Outgoing["answers"];
type Answer = Answers[string];

/** The questions of a class that have to be answered and are not. */
export const unanswered = (asked: readonly Attribute[], answers: Answers): readonly Attribute[] =>
  asked.filter(({ code, required, variable }) => required && variable && !answers[code]?.length);

/** Answers in the form that the server takes: numbers as numbers, moments with their zone. */
export function attributesOf(
  asked: readonly Attribute[],
  answers: Answers,
): Record<string, unknown> {
  const given = asked.filter(({ code }) => answers[code]?.length);
  const typed = given.map(({ code, datatype }) => {
    const answer = answers[code]!;
    if (datatype === "number") return [code, Number(answer)] as const;
    if (datatype === "datetime") return [code, new Date(String(answer)).toISOString()] as const;
    return [code, answer] as const;
  });
  return Object.fromEntries(typed);
}

interface DetailsProps {
  readonly asked: readonly Attribute[];
  readonly answers: Answers;
  readonly language: Language;
  readonly faults: Readonly<Record<string, string>>;
  readonly onAnswers: (answers: Answers) => void;
}

export function Details({ asked, answers, language, faults, onAnswers }: DetailsProps) {
  if (asked.length === 0) return null;
  return (
    <section class="block" aria-labelledby="details-title">
      <h2 id="details-title">{say(language, "details")}</h2>
      {asked.map((each) => (
        <Question
          key={each.code}
          asked={each}
          answer={answers[each.code] ?? ""}
          fault={faults[each.code] ?? null}
          language={language}
          onAnswer={(answer) => onAnswers({ ...answers, [each.code]: answer })}
        />
      ))}
    </section>
  );
}

interface QuestionProps {
  readonly asked: Attribute;
  readonly answer: Answer;
  readonly fault: string | null;
  readonly language: Language;
  readonly onAnswer: (answer: Answer) => void;
}

function Control({ asked, answer, fault, language, onAnswer }: QuestionProps) {
  const { code, datatype, values, required } = asked;
  const id = `attribute-${code}`;
  const shared = { id, required, "aria-invalid": fault !== null };
  const text = String(answer);
  if (datatype === "singlevaluelist") {
    return (
      <select {...shared} value={text} onChange={(event) => onAnswer(event.currentTarget.value)}>
        <option value="">{say(language, "choose")}</option>
        {values.map(({ key, name }) => (
          <option key={key} value={key}>
            {pick(name, language)}
          </option>
        ))}
      </select>
    );
  }
  if (datatype === "text") {
    return (
      <textarea
        {...shared}
        rows={2}
        value={text}
        onInput={(event) => onAnswer(event.currentTarget.value)}
      />
    );
  }
  const entered = (event: Event) => onAnswer((event.currentTarget as HTMLInputElement).value);
  if (datatype === "number") {
    return <input {...shared} type="number" step="any" value={text} onInput={entered} />;
  }
  if (datatype === "datetime") {
    return <input {...shared} type="datetime-local" value={text} onInput={entered} />;
  }
  return <input {...shared} type="text" value={text} onInput={entered} />;
}

/** Several answers of a list: one box each. */
function Boxes({ asked, answer, language, onAnswer }: QuestionProps) {
  const chosen = Array.isArray(answer) ? (answer as readonly string[]) : [];
  const toggle = (key: string) =>
    onAnswer(chosen.includes(key) ? chosen.filter((each) => each !== key) : [...chosen, key]);
  return (
    <fieldset class="field boxes" id={`attribute-${asked.code}`}>
      <legend>{pick(asked.description, language)}</legend>
      {asked.values.map(({ key, name }) => (
        <label key={key}>
          <input type="checkbox" checked={chosen.includes(key)} onChange={() => toggle(key)} />{" "}
          {pick(name, language)}
        </label>
      ))}
    </fieldset>
  );
}

function Question(props: QuestionProps) {
  const { asked, fault, language } = props;
  const { datatype, description, hint, required, variable } = asked;
  if (!variable) return <p class="hint">{pick(description, language)}</p>;
  return (
    <>
      {datatype === "multivaluelist" ? (
        <Boxes {...props} />
      ) : (
        <label class="field">
          <span>
            {pick(description, language)}
            {required && <em> {say(language, "required")}</em>}
          </span>
          <Control {...props} />
        </label>
      )}
      {hint && <p class="hint">{pick(hint, language)}</p>}
      {fault && (
        <p class="fault" role="alert">
          {fault}
        </p>
      )}
    </>
  );
}
