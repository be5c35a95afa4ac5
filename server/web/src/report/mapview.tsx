/** The map with the pin in its middle, and the way back to where the person stands. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Catalogue, Words } from "../api";
import { Icon } from "./icons";
import { PlaceMap, type Look } from "./placemap";
import type { Fix } from "./receiver";
import type { NearbyCase, Position } from "./types";
import { say } from "./words";

interface Props {
  readonly catalogue: Catalogue;
  readonly look: Look;
  readonly apiKey: string;
  readonly position: Position | null;
  readonly fix: Fix | null;
  readonly nearby: readonly NearbyCase[];
  /** Whether answers are kept from now on. */
  readonly keeping: boolean;
  readonly onPosition: (position: Position) => void;
  readonly onUnits: (units: readonly Words[]) => void;
}

/** The pin's point is the middle of what is seen of the map. */
function Pin() {
  return (
    <svg class="pin" width="44" height="52" viewBox="0 0 44 52" aria-hidden="true">
      <ellipse cx="22" cy="48" rx="7" ry="2.5" class="pin-shade" />
      <path
        class="pin-body"
        d="M22 48C34 34.5 39 26.5 39 19a17 17 0 0 0-34 0c0 7.5 5 15.5 17 29z"
      />
      <circle cx="22" cy="19" r="6.5" class="pin-eye" />
    </svg>
  );
}

export function MapView(props: Props) {
  const { catalogue, look, apiKey, position, fix, nearby, keeping, onPosition, onUnits } = props;
  const container = useRef<HTMLDivElement>(null);
  const [place, setPlace] = useState<PlaceMap | null>(null);
  const [failed, setFailed] = useState(false);
  const latest = useRef({ onPosition, onUnits });
  latest.current = { onPosition, onUnits };
  useEffect(() => {
    try {
      const made = new PlaceMap(container.current!, catalogue, look, {
        onPlaced: (lon, lat) => {
          const at = new Date().toISOString();
          latest.current.onPosition({ lon, lat, accuracy_m: null, by: "map", at });
        },
        onUnits: (units) => latest.current.onUnits(units),
      });
      made.authorize(apiKey);
      Object.assign(window, { gisgrid: { map: made.map } });
      setPlace(made);
      return () => made.remove();
    } catch (error) {
      console.warn(error);
      setFailed(true);
      document.body.dataset.ready = "true";
      return undefined;
    }
  }, [catalogue]);
  useEffect(() => place?.wear(look), [place, look.language, look.theme]);
  useEffect(() => place?.name(say(look.language, "map")), [place, look.language]);
  useEffect(() => place?.authorize(apiKey), [place, apiKey]);
  useEffect(() => place?.showFix(fix), [place, fix]);
  useEffect(() => place?.showNearby(nearby), [place, nearby]);
  useEffect(() => {
    if (position && position.by !== "map") place?.show(position);
  }, [place, position?.lon, position?.lat, position?.by]);
  useEffect(() => {
    // A draft that was placed by hand is found again where it was put.
    if (position?.by === "map") place?.show(position);
  }, [place]);
  useEffect(() => {
    if (keeping) void place?.keepSeen();
  }, [place, keeping]);
  return (
    <div class="map-view">
      <div class="map" ref={container} />
      {failed ? <p class="notice no-map">{say(look.language, "noWebgl")}</p> : <Pin />}
      {fix && (
        <button
          type="button"
          class="round locate"
          aria-label={say(look.language, "locate")}
          title={say(look.language, "locate")}
          data-away={position?.by !== "gps"}
          onClick={() => {
            onPosition(fix);
            place?.show(fix);
          }}
        >
          <Icon name="locate" />
        </button>
      )}
    </div>
  );
}
