/** After sending: what became of the report, as it becomes it. */
import { useLayoutEffect, useRef } from "preact/hooks";
import type { Language } from "../api";
import { pick } from "../language";
import { Icon, type IconName } from "./icons";
import { due, refusalText } from "./phrases";
import type { Outgoing, OutboxState } from "./types";
import { say, type Key } from "./words";

const HEADS: Readonly<Record<OutboxState, readonly [IconName, Key]>> = {
  draft: ["tray", "stateDraft"],
  waiting: ["cloud", "doneWaiting"],
  sending: ["onward", "doneSending"],
  sent: ["check", "doneSent"],
  refused: ["warn", "doneRefused"],
};

interface Props {
  readonly report: Outgoing;
  readonly language: Language;
  readonly timezone: string;
  readonly onAnother: () => void;
  readonly onCorrect: () => void;
}

export function Done({ report, language, timezone, onAnother, onCorrect }: Props) {
  const head = useRef<HTMLHeadingElement>(null);
  useLayoutEffect(() => head.current?.focus(), []);
  const { state, refusal } = report;
  const [icon, key] = HEADS[state];
  return (
    <section class="done" data-state={state} id="done">
      <span class="done-sign">
        <Icon name={icon} size={34} />
      </span>
      <div role="status">
        <h2 tabIndex={-1} ref={head}>
          {say(language, key)}
        </h2>
        {state === "waiting" && <p>{say(language, "doneWaitingText")}</p>}
        {refusal && <p class="fault">{refusalText(refusal, language)}</p>}
        <Outcome report={report} language={language} timezone={timezone} />
      </div>
      {state === "refused" ? (
        <button type="button" class="send" id="correct" onClick={onCorrect}>
          {say(language, "correct")}
        </button>
      ) : (
        <button type="button" class="send" id="another" onClick={onAnother}>
          {say(language, "another")}
        </button>
      )}
    </section>
  );
}

function Outcome({ report, language, timezone }: Pick<Props, "report" | "language" | "timezone">) {
  const { accepted } = report;
  if (!accepted) return null;
  const { case_id, owner, owner_title, due_at, repeated } = accepted;
  const named = owner_title ? pick(owner_title, language) : owner;
  return (
    <>
      <dl class="facts">
        <div>
          <dt>{say(language, "caseNumber")}</dt>
          <dd class="code" id="case-id">
            {case_id}
          </dd>
        </div>
        <div>
          <dt>{say(language, "owner")}</dt>
          <dd>{named || say(language, "noOwner")}</dd>
        </div>
        {due_at && (
          <div>
            <dt>{say(language, "deadline")}</dt>
            <dd>{say(language, "by", { time: due(due_at, language, timezone) })}</dd>
          </div>
        )}
      </dl>
      {repeated && <p class="hint">{say(language, "repeated")}</p>}
    </>
  );
}
