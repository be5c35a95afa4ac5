/** The report as it is written: photo, class, and whatever else there is to say, under the place it is about. */
import { useState } from "preact/hooks";
import type { Language, Words } from "../api";
import { pick } from "../language";
import { ClassPicker, type Uses } from "./classes";
import { attributesOf, Details, Note, unanswered } from "./details";
import { Facts, Nearby, ownerText, type Asked } from "./facts";
import { Icon } from "./icons";
import { hasContent } from "./outbox";
import { due, refusalTexts } from "./phrases";
import { PhotoRow } from "./photorow";
import { PlaceLine } from "./placeline";
import type { Receiver } from "./receiver";
import type { Here, Outgoing, Service } from "./types";
import type { Drafting } from "./usedraft";
import { say } from "./words";

interface Props {
  readonly drafting: Drafting;
  readonly services: readonly Service[];
  readonly uses: Uses;
  readonly common: Uses;
  readonly asked: Asked;
  readonly receiver: Receiver;
  readonly units: readonly Words[];
  readonly language: Language;
  readonly timezone: string;
  readonly online: boolean;
  /** Whether the draft comes from an earlier visit. */
  readonly restored: boolean;
  readonly onSend: (attributes: Record<string, unknown>) => void;
  readonly onStartOver: () => void;
}

/** What is wrong with the draft, by the part of the page that shows it. */
type Faults = Readonly<Record<string, string>>;

/** Checks what the page itself knows; the rest is the server's. */
function missing(draft: Outgoing, service: Service | undefined, language: Language): Faults {
  if (!draft.position) return { place: say(language, "needPlace") };
  if (!service) return { class: say(language, "needClass") };
  const open = unanswered(service.attributes, draft.answers);
  return Object.fromEntries(
    open.map(({ code, description }) => [
      `attributes.${code}`,
      say(language, "needDetail", { what: pick(description, language) }),
    ]),
  );
}

const PARTS: Readonly<Record<string, string>> = { place: "place", class: "classes", note: "note" };

function lead(part: string): void {
  const id = PARTS[part] ?? part.replace("attributes.", "attribute-");
  const found = document.getElementById(id);
  found?.scrollIntoView({ block: "center" });
  const focusable = found?.matches("input, textarea, select")
    ? found
    : found?.querySelector<HTMLElement>("button, input");
  focusable?.focus({ preventScroll: true });
}

export function Form(props: Props) {
  const { drafting, services, uses, asked, receiver, units, language, timezone, online } = props;
  const { draft, change, changePhotos, current } = drafting;
  const [own, setOwn] = useState<Faults>({});
  const [work, setWork] = useState<Promise<void>>(Promise.resolve());
  const service = services.find(({ code }) => code === draft.service_code);
  const here = asked.state === "known" ? asked.here : null;
  const faults = { ...(draft.refusal ? refusalTexts(draft.refusal, language) : {}), ...own };
  const attributeFaults = Object.fromEntries(
    Object.entries(faults)
      .filter(([part]) => part.startsWith("attributes."))
      .map(([part, words]) => [part.slice("attributes.".length), words]),
  );
  const alter = (part: Partial<Outgoing>) => {
    setOwn({});
    change({ ...part, refusal: null });
  };
  const send = async () => {
    await work; // a photo that is still being read belongs to the report
    const found = missing(current(), service, language);
    setOwn(found);
    const [first] = Object.keys(found);
    if (first) return window.requestAnimationFrame(() => lead(first));
    return props.onSend(attributesOf(service!.attributes, current().answers));
  };
  // What is known of another class says nothing about this one; of the place it does.
  const answered = asked.state !== "known" || asked.about === draft.service_code;
  const told: Asked = answered ? asked : { state: "asking" };
  const nearby = answered && here ? here.nearby : [];
  return (
    <>
      {props.restored && hasContent(draft) && (
        <p class="notice restored" role="status">
          {say(language, "restored")}{" "}
          <button type="button" class="link" onClick={props.onStartOver}>
            {say(language, "startOver")}
          </button>
        </p>
      )}
      <PlaceLine
        position={draft.position}
        receiver={receiver}
        here={here}
        units={units}
        language={language}
        fault={faults.place ?? null}
      />
      {faults.all && (
        <p class="fault" role="alert" id="refusal">
          {faults.all}
        </p>
      )}
      <PhotoRow
        photos={draft.photos}
        position={draft.position}
        language={language}
        fault={faults.photos ?? null}
        onWork={(next) => setWork((before) => Promise.all([before, next]).then(() => undefined))}
        onPhotos={changePhotos}
        onPlace={(place) => {
          const at = new Date().toISOString();
          alter({ position: { ...place, accuracy_m: null, by: "photo", at } });
        }}
      />
      <ClassPicker
        services={services}
        uses={uses}
        common={props.common}
        chosen={draft.service_code}
        language={language}
        fault={faults.class ?? null}
        onChoose={(service_code) => alter({ service_code, answers: {}, same_as: null })}
      />
      {service && (
        <Nearby
          nearby={nearby}
          services={services}
          sameAs={draft.same_as}
          language={language}
          onSame={(same_as) => alter({ same_as })}
        />
      )}
      {service && <Facts asked={told} language={language} timezone={timezone} />}
      <Details
        asked={service?.attributes ?? []}
        answers={draft.answers}
        language={language}
        faults={attributeFaults}
        onAnswers={(answers) => alter({ answers })}
      />
      <Note
        text={draft.description}
        language={language}
        fault={faults.note ?? null}
        onText={(description) => alter({ description })}
      />
      <SendBar
        here={service && answered ? here : null}
        language={language}
        timezone={timezone}
        online={online}
        onSend={() => void send()}
      />
    </>
  );
}

interface SendBarProps {
  readonly here: Here | null;
  readonly language: Language;
  readonly timezone: string;
  readonly online: boolean;
  readonly onSend: () => void;
}

/** Whose it will be and until when, beside the one large button. */
function SendBar({ here, language, timezone, online, onSend }: SendBarProps) {
  return (
    <div class="send-bar">
      {here && (
        <p class="summary">
          <strong>{ownerText(here, language)}</strong>
          {here.deadline && (
            <span>
              <Icon name="clock" size={14} />
              {say(language, "by", { time: due(here.deadline.due_at, language, timezone) })}
            </span>
          )}
        </p>
      )}
      <button type="button" class="send" id="send" onClick={onSend}>
        {say(language, online ? "send" : "sendLater")}
      </button>
    </div>
  );
}
