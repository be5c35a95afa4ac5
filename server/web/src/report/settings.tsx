/** Language, colours, the key of staff, how to be reached, and whether the page works without a network. */
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Language } from "../api";
import { DATA_CACHE, FILES_CACHE } from "../sw/kept";
import { keyHolder } from "./asking";
import { Dialog } from "./dialog";
import { keep } from "./keeping";
import type { Kept } from "./types";
import { say, type Key } from "./words";

export type Colours = "system" | "light" | "dark";

interface Props {
  readonly language: Language;
  readonly colours: Colours;
  readonly kept: Kept;
  readonly ready: boolean;
  readonly install: (() => void) | null;
  readonly onLanguage: (language: Language) => void;
  readonly onColours: (colours: Colours) => void;
  readonly onKept: (kept: Kept) => void;
  readonly onClose: () => void;
}

interface ChoiceProps<Value extends string> {
  readonly name: string;
  readonly legend: string;
  readonly value: Value;
  readonly choices: readonly (readonly [Value, string])[];
  readonly onValue: (value: Value) => void;
}

function Choice<Value extends string>({
  name,
  legend,
  value,
  choices,
  onValue,
}: ChoiceProps<Value>) {
  return (
    <fieldset class="choice-row">
      <legend>{legend}</legend>
      <div>
        {choices.map(([each, words]) => (
          <label key={each}>
            <input
              type="radio"
              name={name}
              value={each}
              checked={each === value}
              onChange={() => onValue(each)}
            />
            <span>{words}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}

export function Settings(props: Props) {
  const { language, colours, onLanguage, onColours, onClose, install, ready } = props;
  return (
    <Dialog id="settings" title={say(language, "settings")} language={language} onClose={onClose}>
      <Choice
        name="language"
        legend={say(language, "language")}
        value={language}
        choices={[
          ["zh", "中文"],
          ["en", "English"],
        ]}
        onValue={onLanguage}
      />
      <Choice
        name="colours"
        legend={say(language, "colours")}
        value={colours}
        choices={[
          ["system", say(language, "coloursSystem")],
          ["light", say(language, "coloursLight")],
          ["dark", say(language, "coloursDark")],
        ]}
        onValue={onColours}
      />
      <WorkerKey {...props} />
      <Contact {...props} />
      <div class="form-part about">
        {install && (
          <button type="button" class="pill strong" onClick={install}>
            {say(language, "install")}
          </button>
        )}
        <OfflineLine language={language} ready={ready} />
        <p>
          <a href="./">{say(language, "theMap")}</a>
        </p>
      </div>
    </Dialog>
  );
}

/** Whether the page works without a network, and which version of it. */
function OfflineLine({ language, ready }: Pick<Props, "language" | "ready">) {
  const [version, setVersion] = useState("");
  useEffect(() => {
    if (!ready) return;
    void caches.keys().then((names) => {
      const files = names.findLast((name) => name.startsWith(FILES_CACHE));
      setVersion(files?.slice(FILES_CACHE.length) ?? "");
    });
  }, [ready]);
  const told = !window.isSecureContext
    ? say(language, "insecure")
    : ready
      ? say(language, "ready", { version })
      : say(language, "notReady");
  return (
    <p class="hint" id="offline-ready">
      {told}
    </p>
  );
}

type PartProps = Pick<Props, "language" | "kept" | "onKept">;

function Part({
  language,
  onSubmit,
  children,
}: {
  language: Language;
  onSubmit: () => void;
  children: ComponentChildren;
}) {
  const submit = (event: Event) => {
    event.preventDefault();
    onSubmit();
  };
  return (
    <form class="form-part" onSubmit={submit}>
      {children}
      <button type="submit" class="pill strong">
        {say(language, "save")}
      </button>
    </form>
  );
}

/** Another key may see other things, so what was kept under the one before goes. */
async function forgetAnswers(): Promise<void> {
  if ("caches" in window) await caches.delete(DATA_CACHE);
}

function WorkerKey({ language, kept, onKept }: PartProps) {
  const [key, setKey] = useState(kept.key);
  const [told, setTold] = useState("");
  const [isBad, setIsBad] = useState(false);
  const save = async () => {
    const next = { ...kept, key: key.trim() };
    if (next.key !== kept.key) await forgetAnswers();
    await keep("small", "settings", next);
    onKept(next);
    setIsBad(false);
    if (!next.key) return setTold("");
    try {
      const who = await keyHolder(next.key);
      setIsBad(who === null);
      setTold(who === null ? say(language, "keyUnknown") : say(language, "keyKnown", { who }));
    } catch {
      setTold(say(language, "keyUnchecked"));
    }
    return undefined;
  };
  return (
    <Part language={language} onSubmit={() => void save()}>
      <label class="field">
        <span>{say(language, "workerKey")}</span>
        <input
          id="worker-key"
          type="password"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={key}
          aria-describedby="worker-key-text"
          onInput={({ currentTarget }) => setKey(currentTarget.value)}
        />
      </label>
      <p class="hint" id="worker-key-text">
        {say(language, "workerKeyText")}
      </p>
      <p role="status" class={isBad ? "fault" : "hint"} id="key-told">
        {told}
      </p>
    </Part>
  );
}

function Contact({ language, kept, onKept }: PartProps) {
  const [name, setName] = useState(kept.name);
  const [phone, setPhone] = useState(kept.phone);
  const [saved, setSaved] = useState<Key | null>(null);
  const save = async () => {
    const next = { ...kept, name: name.trim(), phone: phone.trim() };
    await keep("small", "settings", next);
    onKept(next);
    setSaved("saved");
  };
  return (
    <Part language={language} onSubmit={() => void save()}>
      <h3>{say(language, "contact")}</h3>
      <label class="field">
        <span>{say(language, "name")}</span>
        <input
          id="contact-name"
          autocomplete="name"
          value={name}
          onInput={({ currentTarget }) => setName(currentTarget.value)}
        />
      </label>
      <label class="field">
        <span>{say(language, "phone")}</span>
        <input
          id="contact-phone"
          type="tel"
          autocomplete="tel"
          value={phone}
          onInput={({ currentTarget }) => setPhone(currentTarget.value)}
        />
      </label>
      <p class="hint">{say(language, "contactText")}</p>
      <p role="status" class="hint">
        {saved ? say(language, saved) : ""}
      </p>
    </Part>
  );
}
