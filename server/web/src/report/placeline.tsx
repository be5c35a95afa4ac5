/** Where the pin is, in words: the cell of the grid, and how well the place is known. */
import type { Language, Words } from "../api";
import { pick } from "../language";
import { Icon } from "./icons";
import { unitsOf, unitsText } from "./phrases";
import type { Receiver } from "./receiver";
import type { Here, Position } from "./types";
import { say, type Key } from "./words";

/** Beyond this the pin may well be in the wrong street. */
const COARSE_M = 60;

interface Props {
  readonly position: Position | null;
  readonly receiver: Receiver;
  readonly here: Here | null;
  /** The units as the map's own tiles name them, where the server has not said. */
  readonly units: readonly Words[];
  readonly language: Language;
  readonly fault: string | null;
}

const WAITING: Readonly<Record<Receiver["state"], Key>> = {
  seeking: "seeking",
  found: "seeking",
  denied: "denied",
  unavailable: "unavailable",
};

function source({ position, receiver, language }: Props): string {
  if (!position) return say(language, WAITING[receiver.state]);
  if (position.by === "map") return say(language, "byMap");
  if (position.by === "photo") return say(language, "byPhoto");
  const m = String(position.accuracy_m ?? 0);
  const coarse = (position.accuracy_m ?? 0) > COARSE_M;
  const told = say(language, "accuracy", { m });
  return coarse ? `${told} · ${say(language, "coarse")}` : told;
}

export function PlaceLine(props: Props) {
  const { position, here, units, language, fault } = props;
  const outside = position !== null && here?.place.outside === true;
  const named = here && !outside ? unitsOf(here.place) : [...units].reverse();
  const coarse = (position?.by === "gps" && (position.accuracy_m ?? 0) > COARSE_M) || outside;
  const [smallest, ...larger] = position ? named : [];
  const head = outside
    ? say(language, "outside")
    : smallest
      ? pick(smallest, language)
      : position
        ? "…"
        : say(language, "nowhere");
  return (
    <div class="place-line" data-coarse={coarse}>
      <Icon name={coarse ? "warn" : "pin"} />
      <p role="status" id="place">
        <strong>{head}</strong>
        {larger.length > 0 && !outside && <span>{unitsText(larger, language)}</span>}
        <span>{source(props)}</span>
      </p>
      {fault && (
        <p class="fault" role="alert" id="place-fault">
          {fault}
        </p>
      )}
    </div>
  );
}
