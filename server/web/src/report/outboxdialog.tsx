/** Every report of this phone with its state; what has not been sent can be opened again. */
import { useState } from "preact/hooks";
import type { Language } from "../api";
import { pick } from "../language";
import { Dialog } from "./dialog";
import { remove } from "./outbox";
import { ago, refusalText, stateText } from "./phrases";
import { Thumb } from "./photorow";
import type { Outgoing, Service } from "./types";
import { say } from "./words";

interface Props {
  readonly reports: readonly Outgoing[];
  readonly services: readonly Service[];
  readonly language: Language;
  readonly online: boolean;
  readonly onOpen: (report: Outgoing) => void;
  readonly onSend: () => void;
  readonly onClose: () => void;
}

export function OutboxDialog(props: Props) {
  const { reports, language, onClose } = props;
  return (
    <Dialog id="outbox" title={say(language, "outbox")} language={language} onClose={onClose}>
      {reports.length === 0 && <p class="empty">{say(language, "outboxEmpty")}</p>}
      <ul class="outbox" aria-live="polite">
        {reports.map((report) => (
          <Entry key={report.client_id} report={report} {...props} />
        ))}
      </ul>
    </Dialog>
  );
}

function Entry({ report, ...props }: Props & { report: Outgoing }) {
  const { services, language, online, onOpen, onSend } = props;
  const { state, refusal, accepted, photos, service_code, changed_at } = report;
  const service = services.find(({ code }) => code === service_code);
  const first = photos[0];
  const mayOpen = state === "draft" || state === "waiting" || state === "refused";
  return (
    <li data-state={state} data-id={report.client_id}>
      {first && <Thumb id={first.id} name={say(language, "onePhoto", { n: "1" })} />}
      <div class="entry">
        <p>
          <strong>{service ? pick(service.name, language) : say(language, "noClassYet")}</strong>
          <span class="state" data-state={state}>
            {stateText(state, language)}
          </span>
        </p>
        {report.description && <p class="entry-note">{report.description}</p>}
        <p class="muted">
          {ago(changed_at, language)}
          {accepted && (
            <>
              {" · "}
              <span class="code">{accepted.case_id}</span>
            </>
          )}
        </p>
        {refusal && <p class="fault">{refusalText(refusal, language)}</p>}
        <p class="entry-buttons">
          {mayOpen && (
            <button type="button" class="pill strong" onClick={() => onOpen(report)}>
              {say(language, state === "draft" ? "goOn" : "edit")}
            </button>
          )}
          {state === "waiting" && online && (
            <button type="button" class="pill" onClick={onSend}>
              {say(language, "sendNow")}
            </button>
          )}
          {state !== "sending" && <RemoveButton report={report} language={language} />}
        </p>
      </div>
    </li>
  );
}

/** Asks once more, for what is not sent is nowhere else. */
function RemoveButton({ report, language }: { report: Outgoing; language: Language }) {
  const [sure, setSure] = useState(false);
  const act = () => {
    if (sure || report.state === "sent") void remove(report);
    else setSure(true);
  };
  return (
    <button type="button" class="pill" onClick={act} onBlur={() => setSure(false)}>
      {say(language, sure ? "removeSure" : "remove")}
    </button>
  );
}
