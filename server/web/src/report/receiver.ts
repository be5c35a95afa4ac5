/** The phone's own position, as long as the page is looked at. */
import { useEffect, useState } from "preact/hooks";
import type { Position } from "./types";

export interface Fix extends Position {
  readonly accuracy_m: number;
}

/** What the receiver says: it seeks, it found, it may not, or it cannot. */
export type Receiver =
  | { readonly state: "seeking" | "denied" | "unavailable"; readonly fix: null }
  | { readonly state: "found"; readonly fix: Fix };

const OPTIONS: PositionOptions = { enableHighAccuracy: true, maximumAge: 10_000, timeout: 20_000 };

/** Digits beyond the seventh are less than a centimetre. */
const rounded = (degrees: number) => Math.round(degrees * 1e7) / 1e7;

export function useReceiver(): Receiver {
  const [receiver, setReceiver] = useState<Receiver>({ state: "seeking", fix: null });
  useEffect(() => {
    if (!("geolocation" in navigator)) {
      setReceiver({ state: "unavailable", fix: null });
      return undefined;
    }
    const found = ({ coords, timestamp }: GeolocationPosition) => {
      const lon = rounded(coords.longitude);
      const lat = rounded(coords.latitude);
      const accuracy_m = Math.max(1, Math.round(coords.accuracy));
      const at = new Date(timestamp).toISOString();
      setReceiver({ state: "found", fix: { lon, lat, accuracy_m, at, by: "gps" } });
    };
    const failed = ({ code }: GeolocationPositionError) =>
      setReceiver((before) => {
        if (before.state === "found" && code !== 1) return before;
        return { state: code === 1 ? "denied" : "unavailable", fix: null };
      });
    let watch: number | null = null;
    const follow = () => {
      if (document.hidden && watch !== null) {
        navigator.geolocation.clearWatch(watch);
        watch = null;
      } else if (!document.hidden && watch === null) {
        watch = navigator.geolocation.watchPosition(found, failed, OPTIONS);
      }
    };
    follow();
    document.addEventListener("visibilitychange", follow);
    return () => {
      document.removeEventListener("visibilitychange", follow);
      if (watch !== null) navigator.geolocation.clearWatch(watch);
    };
  }, []);
  return receiver;
}
