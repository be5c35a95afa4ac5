/** The bar at the top: what this is, whether it is live, and what concerns the whole desk. */
import type { Language } from "../api";
import { LANG_TAG, pick } from "../language";
import type { Catalogue } from "../api";
import { Icon } from "./icons";
import type { DeskState, DeskStore } from "./state";
import type { Holder } from "./types";
import { tell } from "./words";

interface Props {
  readonly state: DeskState;
  readonly store: DeskStore;
  readonly holder: Holder;
  readonly catalogue: Catalogue;
  readonly onLanguage: (language: Language) => void;
  readonly onLeave: () => void;
  readonly onHelp: () => void;
  readonly onExport: () => void;
  readonly onFigures: () => void;
}

export function Head({
  state,
  store,
  holder,
  catalogue,
  onLanguage,
  onLeave,
  onHelp,
  onExport,
  onFigures,
}: Props) {
  const { language, theme, line } = state;
  const other: Language = language === "zh" ? "en" : "zh";
  const speak = () => {
    store.update({ language: other }, "movement");
    onLanguage(other);
  };
  const otherTheme = theme === "dark" ? "light" : "dark";
  const mayExport = holder.powers.includes("export");
  const button = (
    id: string,
    name: string,
    icon: Parameters<typeof Icon>[0]["name"],
    act: () => void,
  ) => (
    <button type="button" class="quiet icon" id={id} aria-label={name} title={name} onClick={act}>
      <Icon name={icon} />
    </button>
  );
  return (
    <header class="head">
      <h1>{tell(language, "title")}</h1>
      <p class="city">{pick(catalogue.title, language)}</p>
      <p class="line" data-line={line} role="status">
        {tell(language, line === "live" ? "live" : "offline")}
      </p>
      <div class="switches">
        {button("open-figures", tell(language, "figures"), "figures", onFigures)}
        {mayExport && button("export", tell(language, "export"), "save", onExport)}
        {button("help", tell(language, "help"), "keyboard", onHelp)}
        {button(
          "theme",
          tell(language, theme === "dark" ? "toLight" : "toDark"),
          theme === "dark" ? "sun" : "moon",
          () => store.update({ theme: otherTheme }, "movement"),
        )}
        <button type="button" class="quiet" id="language" lang={LANG_TAG[other]} onClick={speak}>
          {tell(language, "otherLanguage")}
        </button>
        <button
          type="button"
          class="quiet holder"
          id="leave"
          title={tell(language, "leave")}
          aria-label={tell(language, "holder", { name: holder.subject })}
          onClick={onLeave}
        >
          <span>{holder.subject}</span>
          <Icon name="leave" />
        </button>
      </div>
    </header>
  );
}
