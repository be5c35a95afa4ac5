/** One case: how long it has, where and whose it is, what happened, and what can be done now. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { ApiError } from "../api";
import { CloseButton } from "../closebutton";
import { moment, pick } from "../language";
import { failureText } from "../notices";
import type { Asking } from "./asking";
import { ClockSign, StateSign } from "./queue";
import type { Names } from "./names";
import { Photos } from "./photos";
import type { DeskState } from "./state";
import type { CaseEvent, NextStep, Row, Whole } from "./types";
import { tell } from "./words";

interface Props {
  readonly asking: Asking;
  readonly state: DeskState;
  readonly names: Names;
  readonly onClose: () => void;
  readonly onOpen: (id: string) => void;
  readonly onWhole: (whole: Whole) => void;
  readonly onStep: (path: readonly NextStep[], whole: Whole) => void;
}

/** The case that is open, asked for again whenever it has changed. */
function useWhole({ asking, state, onWhole }: Props): {
  whole: Whole | null;
  error: unknown;
  retry: () => void;
} {
  const { selected, turn } = state;
  const [whole, setWhole] = useState<Whole | null>(null);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    if (!selected) return;
    const now = new AbortController();
    setError(null);
    asking.whole(selected, now.signal).then(
      (found) => {
        setWhole(found);
        onWhole(found);
      },
      (said: unknown) => now.signal.aborted || setError(said),
    );
    return () => now.abort();
  }, [asking, selected, turn, tries]);
  const isIt = whole?.case_id === selected;
  return { whole: isIt ? whole : null, error, retry: () => setTries((n) => n + 1) };
}

function Figures({ whole, names, state }: { whole: Whole; names: Names; state: DeskState }) {
  const { language, holder } = names;
  const often = [
    whole.n_returns > 0 && tell(language, "returned", { n: String(whole.n_returns) }),
    whole.n_reworks > 0 && tell(language, "reworked", { n: String(whole.n_reworks) }),
    whole.n_hand_overs > 0 && tell(language, "handedOver", { n: String(whole.n_hand_overs) }),
    whole.n_reopenings > 0 && tell(language, "reopened", { n: String(whole.n_reopenings) }),
    whole.duplicate_of && tell(language, "repeats", { id: whole.duplicate_of }),
  ].filter(Boolean);
  const contact = Object.values(whole.contact ?? {}).filter(Boolean);
  const line = (key: "place" | "owner" | "reported" | "contact", value: string) => (
    <div>
      <dt>{tell(language, key)}</dt>
      <dd>{value}</dd>
    </div>
  );
  return (
    <dl class="figures">
      <div>
        <dt>{tell(language, "state")}</dt>
        <dd>
          <StateSign id={whole.state} names={names} state={state} />
          {often.length > 0 && <span class="muted"> {often.join(" · ")}</span>}
        </dd>
      </div>
      {line("owner", names.owner(whole.owner))}
      {line("place", names.place(whole))}
      {line("reported", moment(whole.reported_at, language, holder.timezone))}
      {contact.length > 0 && line("contact", contact.join(" · "))}
    </dl>
  );
}

function Happened({ event, names }: { event: CaseEvent; names: Names }) {
  const { language, holder } = names;
  const { owner, due_at: due, note } = event.data;
  const said = [event.why, typeof note === "string" ? note : ""].filter(Boolean);
  const results = [
    typeof owner === "string" && tell(language, "toOwner", { owner: names.owner(owner) }),
    typeof due === "string" &&
      tell(language, "newDue", { time: moment(due, language, holder.timezone) }),
  ].filter(Boolean);
  return (
    <li>
      <p>
        <strong>{names.step(event.kind)}</strong>{" "}
        <span class="muted">
          {tell(language, "by", {
            who: event.by,
            time: moment(event.at, language, holder.timezone),
          })}
        </span>
      </p>
      {said.map((each) => (
        <p class="said" key={each}>
          {each}
        </p>
      ))}
      {results.length > 0 && <p class="muted">{results.join(" · ")}</p>}
    </li>
  );
}

/** Steps on the way to closing, in the order in which a case takes them; the rest are for what goes otherwise. */
const WAY = ["filed", "dispatched", "handled", "feedback", "verified", "closed"];

function Steps({ whole, names, onStep }: { whole: Whole; names: Names; onStep: Props["onStep"] }) {
  const { language } = names;
  const ahead = whole.next.filter(({ kind }) => WAY.includes(kind));
  const others = whole.next.filter(({ kind }) => !WAY.includes(kind));
  const button = (step: NextStep, kind: string) => (
    <button
      key={step.kind}
      type="button"
      class={kind}
      data-step={step.kind}
      onClick={() => onStep([step], whole)}
    >
      {pick(step.title, language)}
    </button>
  );
  return (
    <div class="steps">
      {whole.next.length === 0 && <p class="muted">{tell(language, "noSteps")}</p>}
      {ahead.map((step) => button(step, "primary"))}
      {others.length > 0 && (
        <div class="other-steps" role="group" aria-label={tell(language, "otherSteps")}>
          {others.map((step) => button(step, "quiet outlined"))}
        </div>
      )}
    </div>
  );
}

function Nearby({
  rows,
  names,
  onOpen,
}: {
  rows: readonly Row[];
  names: Names;
  onOpen: (id: string) => void;
}) {
  if (rows.length === 0) return null;
  return (
    <section>
      <h3>{tell(names.language, "nearby")}</h3>
      <ul>
        {rows.map((row) => (
          <li key={row.case_id}>
            <button type="button" class="link code" onClick={() => onOpen(row.case_id)}>
              {row.case_id}
            </button>{" "}
            <span class="muted">
              {names.state(row.state)} ·{" "}
              {moment(row.reported_at, names.language, names.holder.timezone)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Body({ whole, ...props }: Props & { whole: Whole }) {
  const { asking, state, names, onStep, onOpen } = props;
  return (
    <>
      <div class="drawer-body">
        <div class="deadline">
          <ClockSign row={whole} names={names} />
        </div>
        {whole.description && <p class="description">{whole.description}</p>}
        <Photos asking={asking} photos={whole.photos} names={names} />
        <Figures whole={whole} names={names} state={state} />
        <Nearby rows={whole.nearby} names={names} onOpen={onOpen} />
        <section>
          <h3>{tell(names.language, "history")}</h3>
          <ol class="history">
            {[...whole.events].reverse().map((event) => (
              <Happened key={event.version} event={event} names={names} />
            ))}
          </ol>
        </section>
      </div>
      <Steps whole={whole} names={names} onStep={onStep} />
    </>
  );
}

function Missing({ error, retry, names }: { error: unknown; retry: () => void; names: Names }) {
  const { language } = names;
  const isGone = error instanceof ApiError && error.status === 404;
  return (
    <p class="notice failed" role="alert">
      {isGone ? tell(language, "notThere") : failureText(error, language)}{" "}
      {!isGone && (
        <button type="button" class="link" onClick={retry}>
          {tell(language, "retry")}
        </button>
      )}
    </p>
  );
}

export function CaseDrawer(props: Props) {
  const { state, names, onClose } = props;
  const { language, selected } = state;
  const { whole, error, retry } = useWhole(props);
  const head = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => head.current?.focus({ preventScroll: true }), [selected]);
  return (
    <aside class="drawer case" id="case" aria-labelledby="case-title">
      <header class="drawer-head">
        <div>
          <h2 id="case-title" tabIndex={-1} ref={head}>
            {whole
              ? names.service(whole.category_code)
              : tell(language, "drawer", { id: selected ?? "" })}
          </h2>
          <p class="code muted">{selected}</p>
        </div>
        <CloseButton name={tell(language, "close")} id="close-case" onClick={onClose} />
      </header>
      {error !== null && <Missing error={error} retry={retry} names={names} />}
      {whole ? (
        <Body {...props} whole={whole} />
      ) : (
        error === null && (
          <div class="bones" aria-hidden="true">
            <span class="bone bone-title" />
            <span class="bone" />
            <span class="bone bone-short" />
          </div>
        )
      )}
    </aside>
  );
}
