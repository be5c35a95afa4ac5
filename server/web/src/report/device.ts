/** What the phone and its browser say: their colours, whether the page can be installed, whether there is room. */
import { useEffect, useState } from "preact/hooks";
import type { Theme } from "../state";
import { onUnkept } from "./keeping";
import type { Colours } from "./settings";

/** The reader's colours: as chosen, or as the system has them now. */
export function useTheme(colours: Colours): Theme {
  const [dark, setDark] = useState(() => window.matchMedia("(prefers-color-scheme: dark)").matches);
  useEffect(() => {
    const query = window.matchMedia("(prefers-color-scheme: dark)");
    const follow = () => setDark(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  const theme = colours === "system" ? (dark ? "dark" : "light") : colours;
  useEffect(() => {
    document.documentElement.dataset.theme = theme;
    localStorage.setItem("gisgrid.colours", colours);
  }, [theme, colours]);
  return theme;
}

interface InstallEvent extends Event {
  readonly prompt: () => Promise<unknown>;
}

/** Offers what the browser offers: the page as an app. */
export function useInstall(): (() => void) | null {
  const [offer, setOffer] = useState<InstallEvent | null>(null);
  useEffect(() => {
    const offered = (event: Event) => {
      event.preventDefault();
      setOffer(event as InstallEvent);
    };
    const done = () => setOffer(null);
    window.addEventListener("beforeinstallprompt", offered);
    window.addEventListener("appinstalled", done);
    return () => {
      window.removeEventListener("beforeinstallprompt", offered);
      window.removeEventListener("appinstalled", done);
    };
  }, []);
  return offer && (() => void offer.prompt().then(() => setOffer(null)));
}

export function useUnkept(): "full" | "none" | null {
  const [problem, setProblem] = useState<"full" | "none" | null>(null);
  useEffect(() => onUnkept(setProblem), []);
  return problem;
}
