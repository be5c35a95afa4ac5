/** Opens the desk: asks for the key where none is kept, then for who holds it and what there is. */
import { render } from "preact";
import { useEffect, useLayoutEffect, useState } from "preact/hooks";
import "maplibre-gl/dist/maplibre-gl.css";
import { ApiError, type Catalogue, type Language } from "../api";
import { LANG_TAG, firstLanguage } from "../language";
import { failureText } from "../notices";
import type { Theme } from "../state";
import { readAddress } from "./address";
import { Asking, forgetKey, keepKey, keptKey } from "./asking";
import { Desk } from "./desk";
import { KeyEntry } from "./keyentry";
import { DeskStore } from "./state";
import type { Holder } from "./types";
import { tell, type DeskKey } from "./words";

interface Opened {
  readonly asking: Asking;
  readonly holder: Holder;
  readonly catalogue: Catalogue;
  readonly store: DeskStore;
}

function firstTheme(): Theme {
  return window.matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

function firstStore(language: Language): DeskStore {
  return new DeskStore({
    language,
    ...readAddress(window.location.hash),
    theme: firstTheme(),
    tab: "list",
    rows: [],
    next: null,
    loading: "first",
    failed: null,
    counts: null,
    marked: [],
    fresh: [],
    gone: [],
    line: "waiting",
    turn: 0,
    opened: null,
  });
}

/** Why a key was not let in, where that is about the key. */
function refusal(error: unknown): DeskKey | null {
  if (!(error instanceof ApiError)) return null;
  return error.status === 401 ? "keyUnknown" : error.status === 403 ? "keyBlind" : null;
}

function Page() {
  const [language, setLanguage] = useState(
    readAddress(window.location.hash).language ?? firstLanguage(),
  );
  const [opened, setOpened] = useState<Opened | null>(null);
  const [said, setSaid] = useState<string | null>(null);
  const [asksFor, setAsksFor] = useState<string | null>(keptKey());

  const enter = async (key: string) => {
    const asking = new Asking(key);
    setSaid(null);
    setAsksFor(key);
    try {
      const [holder, catalogue] = await Promise.all([asking.me(), asking.catalogue()]);
      keepKey(key);
      setOpened({ asking, holder, catalogue, store: firstStore(language) });
    } catch (error) {
      const known = refusal(error);
      if (known) forgetKey();
      setSaid(
        known
          ? tell(language, known)
          : tell(language, "openFailed", { said: failureText(error, language) }),
      );
      setAsksFor(null);
    }
  };
  const leave = (why?: DeskKey) => {
    forgetKey();
    setOpened(null);
    setAsksFor(null);
    setSaid(why ? tell(language, why) : null);
  };

  useEffect(() => {
    if (asksFor) void enter(asksFor);
  }, []);
  useLayoutEffect(() => {
    document.documentElement.lang = LANG_TAG[language];
    window.localStorage.setItem("gisgrid.language", language);
  }, [language]);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme ??= firstTheme();
    if (!opened) {
      document.title = tell(language, "title");
      document.body.dataset.ready = asksFor ? "false" : "true";
    }
  }, [opened, asksFor, language]);

  if (opened) return <Desk {...opened} onLanguage={setLanguage} onLeave={leave} />;
  return (
    <KeyEntry
      language={language}
      said={said}
      busy={asksFor !== null}
      onEnter={(key) => void enter(key)}
      onLanguage={setLanguage}
    />
  );
}

const root = document.getElementById("app")!;
root.replaceChildren();
render(<Page />, root);
