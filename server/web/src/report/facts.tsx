/** Whose the problem is and until when; and what was reported here before. */
import { useState } from "preact/hooks";
import type { Language, Words } from "../api";
import { pick } from "../language";
import { ago, distance, due, unitsOf, unitsText } from "./phrases";
import type { Here, NearbyCase, Service } from "./types";
import { say } from "./words";

const FEW = 2;

/** Where the question of whose it is stands. */
export type Asked =
  | { readonly state: "none" | "asking" | "offline" }
  | { readonly state: "failed"; readonly words: Words }
  | {
      readonly state: "known";
      readonly here: Here;
      /** The class that was asked about. */
      readonly about: string | null;
    };

interface FactsProps {
  readonly asked: Asked;
  readonly language: Language;
  readonly timezone: string;
}

export function ownerText(here: Here, language: Language): string {
  return (
    (here.owner_title && pick(here.owner_title, language)) || here.owner || say(language, "noOwner")
  );
}

export function Facts({ asked, language, timezone }: FactsProps) {
  if (asked.state === "none") return null;
  return (
    <section class="block" aria-labelledby="facts-title" aria-live="polite" id="facts">
      <h2 id="facts-title">{say(language, "facts")}</h2>
      {asked.state === "asking" && <span class="bone bone-facts" />}
      {asked.state === "offline" && <p class="hint">{say(language, "hereOffline")}</p>}
      {asked.state === "failed" && (
        <p class="hint">{say(language, "hereFailed", { said: asked.words[language] })}</p>
      )}
      {asked.state === "known" && (
        <FactList here={asked.here} language={language} timezone={timezone} />
      )}
    </section>
  );
}

function FactList({ here, language, timezone }: Omit<FactsProps, "asked"> & { here: Here }) {
  const { place, deadline } = here;
  return (
    <dl class="facts">
      {place.unit_code && (
        <div>
          <dt>{say(language, "cell")}</dt>
          <dd>
            <span class="code">{place.unit_code}</span>
            <small>{unitsText(unitsOf(place).slice(0, 1), language)}</small>
          </dd>
        </div>
      )}
      <div>
        <dt>{say(language, "owner")}</dt>
        <dd id="owner">{ownerText(here, language)}</dd>
      </div>
      <div>
        <dt>{say(language, "deadline")}</dt>
        <dd id="deadline">
          {deadline ? (
            <>
              <span>
                {say(language, "by", { time: due(deadline.due_at, language, timezone) })}
                {deadline.provisional && <span class="badge">{say(language, "provisional")}</span>}
              </span>
              <small>{pick(deadline.note, language)}</small>
            </>
          ) : (
            say(language, "noDeadline")
          )}
        </dd>
      </div>
    </dl>
  );
}

interface NearbyProps {
  readonly nearby: readonly NearbyCase[];
  readonly services: readonly Service[];
  readonly sameAs: string | null;
  readonly language: Language;
  readonly onSame: (id: string | null) => void;
}

export function Nearby({ nearby, services, sameAs, language, onSame }: NearbyProps) {
  const [open, setOpen] = useState(false);
  if (nearby.length === 0) return null;
  const chosen = nearby.filter(({ case_id }) => case_id === sameAs);
  const others = nearby.filter(({ case_id }) => case_id !== sameAs);
  const all = [...chosen, ...others];
  const shown = open ? all : all.slice(0, FEW);
  const name = (code: string) => {
    const service = services.find((each) => each.code === code);
    return service ? pick(service.name, language) : code;
  };
  return (
    <section class="block" aria-labelledby="nearby-title" id="nearby">
      <h2 id="nearby-title">{say(language, "nearby")}</h2>
      <ul class="nearby">
        {shown.map(({ case_id, service_code, reported_at, distance_m }) => {
          const marked = case_id === sameAs;
          const away = distance(distance_m, language);
          return (
            <li key={case_id} data-marked={marked}>
              <p>
                <strong>{name(service_code)}</strong>
                <span>
                  {say(language, "nearbyLine", { distance: away, ago: ago(reported_at, language) })}
                </span>
              </p>
              <button
                type="button"
                class={marked ? "pill" : "pill strong"}
                aria-pressed={marked}
                aria-label={`${say(language, marked ? "notSame" : "same")}: ${name(service_code)}, ${away}`}
                onClick={() => onSame(marked ? null : case_id)}
              >
                {say(language, marked ? "notSame" : "same")}
              </button>
            </li>
          );
        })}
      </ul>
      {all.length > shown.length && (
        <button type="button" class="pill" onClick={() => setOpen(true)}>
          {say(language, "moreNearby", { n: String(all.length - shown.length) })}
        </button>
      )}
      <p class="hint" role="status">
        {sameAs ? say(language, "markedSame", { id: sameAs }) : ""}
      </p>
    </section>
  );
}
