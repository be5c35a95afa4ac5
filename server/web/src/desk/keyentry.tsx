/** Who comes without a key is asked for one. */
import { useRef } from "preact/hooks";
import type { Language } from "../api";
import { LANG_TAG } from "../language";
import { tell } from "./words";

interface Props {
  readonly language: Language;
  readonly said: string | null;
  readonly busy: boolean;
  readonly onEnter: (key: string) => void;
  readonly onLanguage: (language: Language) => void;
}

export function KeyEntry({ language, said, busy, onEnter, onLanguage }: Props) {
  const field = useRef<HTMLInputElement>(null);
  const submit = (event: Event) => {
    event.preventDefault();
    const key = field.current!.value.trim();
    if (key) onEnter(key);
    else field.current!.focus();
  };
  const other: Language = language === "zh" ? "en" : "zh";
  return (
    <main class="entry">
      <form onSubmit={submit}>
        <header>
          <h1>{tell(language, "keyTitle")}</h1>
          <button
            type="button"
            class="quiet"
            id="language"
            lang={LANG_TAG[other]}
            onClick={() => onLanguage(other)}
          >
            {tell(language, "otherLanguage")}
          </button>
        </header>
        <label for="key">{tell(language, "key")}</label>
        <input
          id="key"
          ref={field}
          type="password"
          class="code"
          autocomplete="current-password"
          autocapitalize="off"
          spellcheck={false}
          required
          aria-describedby="key-about"
        />
        <p class="muted" id="key-about">
          {tell(language, "keyAbout")}
        </p>
        <p role="alert" class={said ? "notice failed" : "unseen"}>
          {said}
        </p>
        <button type="submit" class="primary" disabled={busy}>
          {tell(language, busy ? "entering" : "enter")}
        </button>
      </form>
    </main>
  );
}
