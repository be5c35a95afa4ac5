/** Asks what holds at the pin as it moves: the cell, the owner, the deadline, reports nearby. */
import { useEffect, useState } from "preact/hooks";
import { ApiError } from "../api";
import { fetchHere } from "./asking";
import type { Asked } from "./facts";
import type { Position } from "./types";

const PAUSE_MS = 250;
/** Positions are told apart by about a metre. */
const spot = (degrees: number) => degrees.toFixed(5);

export function useHere(
  position: Position | null,
  service_code: string | null,
  online: boolean,
): Asked {
  const [asked, setAsked] = useState<Asked>({ state: "none" });
  const key = position ? `${spot(position.lon)},${spot(position.lat)}` : null;
  useEffect(() => {
    if (!position) {
      setAsked({ state: "none" });
      return undefined;
    }
    if (!online) {
      setAsked({ state: "offline" });
      return undefined;
    }
    const ending = new AbortController();
    setAsked((before) => (before.state === "known" ? before : { state: "asking" }));
    const timer = window.setTimeout(() => {
      fetchHere(position, service_code, ending.signal).then(
        (here) => setAsked({ state: "known", here, about: service_code }),
        (error: unknown) => {
          if (ending.signal.aborted) return;
          const unanswered = !(error instanceof ApiError) || error.status === 0;
          setAsked(unanswered ? { state: "offline" } : { state: "failed", words: error.words });
        },
      );
    }, PAUSE_MS);
    return () => {
      ending.abort();
      window.clearTimeout(timer);
    };
  }, [key, service_code, online]);
  return asked;
}
