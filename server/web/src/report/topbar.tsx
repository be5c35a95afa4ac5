/** Above the map: the page's name and the ways to the outbox and the settings; below it, what has to be said. */
import type { Language } from "../api";
import { LANG_TAG } from "../language";
import { Icon } from "./icons";
import { say } from "./words";

interface TopBarProps {
  readonly language: Language;
  readonly unsent: number;
  readonly onOutbox: () => void;
  readonly onSettings: () => void;
  readonly onLanguage: (language: Language) => void;
}

export function TopBar({ language, unsent, onOutbox, onSettings, onLanguage }: TopBarProps) {
  const other = language === "zh" ? "en" : "zh";
  const name =
    unsent > 0 ? say(language, "outboxCount", { n: String(unsent) }) : say(language, "outbox");
  return (
    <header class="top-bar">
      <h1>{say(language, "title")}</h1>
      <div class="top-buttons">
        <button
          type="button"
          id="language"
          class="round words"
          lang={LANG_TAG[other]}
          onClick={() => onLanguage(other)}
        >
          {other === "zh" ? "中文" : "EN"}
          {other === "en" && <span class="unseen">glish</span>}
        </button>
        <button type="button" id="open-outbox" class="round" aria-label={name} onClick={onOutbox}>
          <Icon name="tray" />
          {unsent > 0 && (
            <span class="count" aria-hidden="true">
              {unsent}
            </span>
          )}
        </button>
        <button
          type="button"
          id="open-settings"
          class="round"
          aria-label={say(language, "settings")}
          onClick={onSettings}
        >
          <Icon name="gear" />
        </button>
      </div>
    </header>
  );
}

interface MessagesProps {
  readonly language: Language;
  readonly online: boolean;
  readonly unkept: "full" | "none" | null;
  readonly update: (() => void) | null;
}

export function Messages({ language, online, unkept, update }: MessagesProps) {
  return (
    <div class="messages">
      <p role="status" class={online ? "unseen" : "notice"} id="offline">
        {online ? "" : say(language, "offline")}
      </p>
      {unkept && (
        <p class="notice failed" role="alert" id="unkept">
          {say(language, unkept === "full" ? "full" : "noStorage")}
        </p>
      )}
      {update && (
        <p class="notice" role="status" id="update">
          {say(language, "update")}{" "}
          <button type="button" class="link" onClick={update}>
            {say(language, "updateNow")}
          </button>{" "}
          {say(language, "updateKeeps")}
        </p>
      )}
    </div>
  );
}
