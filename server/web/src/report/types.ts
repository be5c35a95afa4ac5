/** A report on its way from a phone to the city, and what the city says about a place. */
import type { Words } from "../api";

/** Where a position comes from: the phone's receiver, the map under the pin, or the photo. */
export type PlaceSource = "gps" | "map" | "photo";

export interface Position {
  readonly lon: number;
  readonly lat: number;
  readonly accuracy_m: number | null;
  readonly by: PlaceSource;
  /** When it was found, for a draft that is opened again later. */
  readonly at: string;
}

export interface TakenPhoto {
  readonly id: string;
  /** The name the server gave it; null until it is there. */
  readonly sent: string | null;
  readonly place: { readonly lon: number; readonly lat: number } | null;
}

export interface Refusal {
  /** The part of the report that was refused, as the server names it; empty where it names none. */
  readonly field: string;
  readonly words: Words;
  readonly status: number;
  /** All fields that were refused, where the server tells them one by one; missing in what was kept by an older page. */
  readonly fields?: readonly string[];
}

/** What the server said when it took a report. */
export interface Accepted {
  readonly case_id: string;
  readonly owner: string | null;
  readonly owner_title?: Words | null;
  readonly due_at: string | null;
  readonly repeated: boolean;
  readonly place?: PlaceAnswer;
}

export type OutboxState = "draft" | "waiting" | "sending" | "sent" | "refused";

/** One report in the outbox; replaced as a whole, never changed. */
export interface Outgoing {
  readonly client_id: string;
  readonly state: OutboxState;
  readonly begun_at: string;
  readonly changed_at: string;
  readonly position: Position | null;
  readonly service_code: string | null;
  readonly description: string;
  readonly photos: readonly TakenPhoto[];
  /** Answers as they were entered, and as they are sent. */
  readonly answers: Readonly<Record<string, string | readonly string[]>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly same_as: string | null;
  /** As it was when the report was sent first: a second try has to say the same. */
  readonly contact: Readonly<Record<string, string>>;
  readonly tries: number;
  /** Not before this moment, in milliseconds. */
  readonly next_try: number;
  readonly refusal: Refusal | null;
  readonly accepted: Accepted | null;
  readonly sent_at: string | null;
}

export interface Attribute {
  readonly code: string;
  readonly description: Words;
  readonly hint: Words | null;
  readonly variable: boolean;
  readonly datatype:
    "string" | "number" | "datetime" | "text" | "singlevaluelist" | "multivaluelist";
  readonly required: boolean;
  readonly values: readonly { readonly key: string; readonly name: Words }[];
}

export interface Service {
  readonly code: string;
  /** The project's own category, by which the city's reports are counted. */
  readonly category: string;
  readonly name: Words;
  readonly group: Words;
  readonly description: Words;
  readonly keywords: readonly string[];
  readonly attributes: readonly Attribute[];
}

export interface PlaceAnswer {
  readonly unit_code: string | null;
  readonly community_code: string | null;
  readonly subdistrict_code: string | null;
  /** Names by level: unit, community, subdistrict. */
  readonly names: Readonly<Record<string, string>>;
  readonly names_en?: Readonly<Record<string, string>>;
  readonly outside: boolean;
}

export interface Deadline {
  readonly due_at: string;
  readonly provisional: boolean;
  readonly note: Words;
}

export interface NearbyCase {
  readonly case_id: string;
  readonly service_code: string;
  readonly state: string;
  readonly reported_at: string;
  readonly lon: number;
  readonly lat: number;
  readonly distance_m: number;
}

/** What the server says about a place and a class. */
export interface Here {
  readonly place: PlaceAnswer;
  readonly owner: string | null;
  readonly owner_title: Words | null;
  readonly deadline: Deadline | null;
  readonly nearby: readonly NearbyCase[];
}

/** What the person keeps on this phone. */
export interface Kept {
  readonly key: string;
  readonly name: string;
  readonly phone: string;
}

export const NOTHING_KEPT: Kept = { key: "", name: "", phone: "" };
