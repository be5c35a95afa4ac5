/** A step is taken in a small dialog: the reason, what the step needs, photos; and what others did, where they were faster. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { JSX } from "preact";
import { CloseButton } from "../closebutton";
import { moment, pick } from "../language";
import { failureText } from "../notices";
import type { Asking } from "./asking";
import { conflictOf, newId, take, type Conflict } from "./doing";
import type { Names } from "./names";
import type { NextStep, Row, Whole } from "./types";
import { tell, type DeskKey } from "./words";

interface Props {
  readonly asking: Asking;
  readonly names: Names;
  readonly path: readonly NextStep[];
  readonly row: Row | Whole;
  readonly onDone: (whole: Whole | null) => void;
  readonly onConflict: () => void;
  readonly onClose: () => void;
}

interface Fields {
  readonly why: string;
  readonly owner: string;
  readonly due: string;
  readonly original: string;
  readonly files: readonly File[];
}

/** The city's rules give its owner where nobody is chosen. */
const BY_RULES = "dispatched";
const WITH_PHOTOS = ["handled", "checked", "feedback", "verified", "noted"];

function missing({ kind, needs, why }: NextStep, fields: Fields): DeskKey | null {
  if (needs.includes("owner") && !fields.owner && kind !== BY_RULES) return "chooseOwner";
  if (needs.includes("due_at") && !fields.due) return "chooseDue";
  if (needs.includes("duplicate_of") && !fields.original.trim()) return "chooseOriginal";
  return why && !fields.why.trim() ? "whyNeeded" : null;
}

async function dataOf(
  { needs }: NextStep,
  fields: Fields,
  asking: Asking,
): Promise<Record<string, unknown>> {
  const photos = await Promise.all(fields.files.map((file) => asking.sendPhoto(file)));
  return {
    ...(needs.includes("owner") && fields.owner ? { owner: fields.owner } : {}),
    ...(needs.includes("due_at") ? { due_at: new Date(fields.due).toISOString() } : {}),
    ...(needs.includes("duplicate_of") ? { duplicate_of: fields.original.trim() } : {}),
    ...(photos.length > 0 ? { photos } : {}),
  };
}

function Faster({ conflict, names }: { conflict: Conflict; names: Names }) {
  const { language, holder } = names;
  return (
    <div class="notice failed faster" role="alert" id="conflict">
      <strong>{tell(language, "conflictTitle")}</strong>
      <ul>
        {conflict.since.map((event) => (
          <li key={event.version}>
            {names.step(event.kind)} ·{" "}
            {tell(language, "by", {
              who: event.by,
              time: moment(event.recorded_at, language, holder.timezone),
            })}
            {event.why && ` · ${event.why}`}
          </li>
        ))}
      </ul>
      <p>{tell(language, "conflictNow", { state: names.state(conflict.case.state) })}</p>
    </div>
  );
}

interface InputProps {
  readonly step: NextStep;
  readonly row: Row | Whole;
  readonly names: Names;
  readonly fields: Fields;
  readonly set: (change: Partial<Fields>) => void;
}

/** What the step asks for beside a reason. */
function Inputs({ step, row, names, fields, set }: InputProps) {
  const { language, holder } = names;
  const { needs } = step;
  const found: JSX.Element[] = [];
  if (needs.includes("owner")) {
    found.push(
      <label key="owner">
        {tell(language, "owner")}
        <select
          name="owner"
          value={fields.owner}
          onChange={({ currentTarget }) => set({ owner: currentTarget.value })}
        >
          <option value="">{step.kind === BY_RULES ? tell(language, "ownerByRules") : ""}</option>
          {holder.all_owners.map(({ id, title }) => (
            <option key={id} value={id}>
              {pick(title, language)}
            </option>
          ))}
        </select>
      </label>,
    );
  }
  if (needs.includes("due_at")) {
    found.push(
      <label key="due">
        {tell(language, "newDeadline")}
        <input
          name="due"
          type="datetime-local"
          value={fields.due}
          onInput={({ currentTarget }) => set({ due: currentTarget.value })}
        />
      </label>,
    );
  }
  if (needs.includes("duplicate_of")) {
    const near = "nearby" in row ? row.nearby : [];
    found.push(
      <label key="original">
        {tell(language, "original")}
        <input
          name="original"
          class="code"
          list="originals"
          value={fields.original}
          onInput={({ currentTarget }) => set({ original: currentTarget.value })}
        />
        <datalist id="originals">
          {near.map(({ case_id }) => (
            <option key={case_id} value={case_id} />
          ))}
        </datalist>
      </label>,
    );
  }
  if (WITH_PHOTOS.includes(step.kind)) {
    found.push(
      <label key="photos">
        {tell(language, "addPhotos")}
        <input
          name="photos"
          type="file"
          accept="image/jpeg,image/png,image/webp"
          multiple
          onChange={({ currentTarget }) => set({ files: [...(currentTarget.files ?? [])] })}
        />
      </label>,
    );
  }
  return <>{found}</>;
}

export function StepDialog({ asking, names, path, row, onDone, onConflict, onClose }: Props) {
  const { language } = names;
  const dialog = useRef<HTMLDialogElement>(null);
  const [id, setId] = useState(newId);
  const step = path.at(-1)!;
  const [now, setNow] = useState({ row, path });
  const [fields, setFields] = useState<Fields>({
    why: "",
    owner: "",
    due: "",
    original: "",
    files: [],
  });
  const [sending, setSending] = useState(false);
  const [wrong, setWrong] = useState("");
  const [conflict, setConflict] = useState<Conflict | null>(null);
  const isPossible = now.path.length > 0;
  useLayoutEffect(() => dialog.current!.showModal(), []);

  const send = async () => {
    const lacks = missing(step, fields);
    if (lacks) return setWrong(tell(language, lacks));
    setSending(true);
    setWrong("");
    try {
      const said = { why: fields.why.trim(), data: await dataOf(step, fields, asking) };
      onDone(await take(asking, now.row, now.path, said, id));
      dialog.current!.close();
    } catch (error) {
      const other = conflictOf(error);
      if (other) {
        const again = other.case.next.find(({ kind }) => kind === step.kind);
        setConflict(other);
        setNow({ row: other.case, path: again ? [again] : [] });
        setId(newId());
        onConflict();
      } else {
        setWrong(tell(language, "actFailed", { said: failureText(error, language) }));
      }
    }
    setSending(false);
  };
  const submit = (event: Event) => {
    event.preventDefault();
    if (!sending && isPossible) void send();
  };
  const title = pick(step.title, language);
  return (
    <dialog ref={dialog} class="step-dialog" aria-labelledby="step-title" onClose={onClose}>
      <form onSubmit={submit} noValidate>
        <header>
          <div>
            <h2 id="step-title">{title}</h2>
            <p class="muted">
              {names.service(row.category_code)} <span class="code">{row.case_id}</span>
            </p>
          </div>
          <CloseButton name={tell(language, "close")} onClick={() => dialog.current!.close()} />
        </header>
        {conflict && <Faster conflict={conflict} names={names} />}
        {path.length > 1 && !conflict && (
          <p class="notice">
            {tell(language, "firstThen", { first: pick(path[0]!.title, language), then: title })}
          </p>
        )}
        <Inputs
          step={step}
          row={row}
          names={names}
          fields={fields}
          set={(change) => setFields({ ...fields, ...change })}
        />
        <label>
          {tell(language, step.why ? "why" : "whyOptional")}
          <textarea
            name="why"
            rows={3}
            maxLength={4000}
            required={step.why}
            autofocus
            value={fields.why}
            onInput={({ currentTarget }) => setFields({ ...fields, why: currentTarget.value })}
            onKeyDown={(event) => {
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) submit(event);
            }}
          />
        </label>
        <p role="alert" class={wrong ? "notice failed" : "unseen"}>
          {wrong}
        </p>
        {!isPossible && <p class="muted">{tell(language, "noLongerPossible")}</p>}
        <footer>
          <span class="muted keys">{tell(language, "ctrlEnter")}</span>
          <button type="button" class="quiet" onClick={() => dialog.current!.close()}>
            {tell(language, "cancel")}
          </button>
          <button type="submit" class="primary" disabled={sending || !isPossible}>
            {sending
              ? tell(language, "sending")
              : conflict
                ? tell(language, "stillDo", { what: title })
                : title}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
