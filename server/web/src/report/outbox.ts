/** The outbox: drafts and reports on their way. The page and the service worker share it, and only one of them sends. */
import { drop, everything, keep, kept } from "./keeping";
import type { Outgoing } from "./types";

const CHANNEL = "gisgrid-report";
const LOCK = "gisgrid-report-outbox";
/** How many sent reports are remembered. */
const REMEMBERED = 50;

/** A random UUID, also where the page was opened without HTTPS and the browser offers none. */
export function newId(): string {
  if (typeof crypto.randomUUID === "function") return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6]! & 0x0f) | 0x40;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return [0, 8, 12, 16, 20].map((from, at) => hex.slice(from, [8, 12, 16, 20, 32][at])).join("-");
}

export function newDraft(): Outgoing {
  const now = new Date().toISOString();
  return {
    client_id: newId(),
    state: "draft",
    begun_at: now,
    changed_at: now,
    position: null,
    service_code: null,
    description: "",
    photos: [],
    answers: {},
    attributes: {},
    same_as: null,
    contact: {},
    tries: 0,
    next_try: 0,
    refusal: null,
    accepted: null,
    sent_at: null,
  };
}

/** Whether somebody put something into a draft; a position that the phone found by itself does not count. */
export const hasContent = (draft: Outgoing): boolean =>
  draft.photos.length > 0 ||
  draft.service_code !== null ||
  draft.description !== "" ||
  draft.position?.by === "map" ||
  draft.position?.by === "photo";

let turn: Promise<unknown> = Promise.resolve();

/** Do something while nobody else changes the outbox. */
export function alone<T>(work: () => Promise<T>): Promise<T> {
  if (navigator.locks) return navigator.locks.request(LOCK, work) as Promise<T>;
  const mine = turn.then(work, work);
  turn = mine.catch(() => undefined);
  return mine;
}

const channel = "BroadcastChannel" in globalThis ? new BroadcastChannel(CHANNEL) : null;
const listeners = new Set<() => void>();
channel?.addEventListener("message", () => listeners.forEach((listener) => listener()));

/** Hear of every change of the outbox, whoever made it. */
export function onChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function told(): void {
  channel?.postMessage("changed");
  for (const listener of listeners) listener();
}

export async function put(report: Outgoing): Promise<boolean> {
  const well = await keep("reports", report.client_id, report);
  told();
  return well;
}

export const one = (id: string): Promise<Outgoing | null> => kept<Outgoing>("reports", id);

/** All reports, the newest first. */
export async function all(): Promise<Outgoing[]> {
  const rows = [...(await everything<Outgoing>("reports")).values()];
  return rows.sort((left, right) => right.changed_at.localeCompare(left.changed_at));
}

/** Small pictures stay with the report, large ones go when it is sent. */
export const thumbKey = (id: string): string => `${id}--thumb`;

export async function remove(report: Outgoing): Promise<void> {
  await drop("photos", ...report.photos.flatMap(({ id }) => [id, thumbKey(id)]));
  await drop("reports", report.client_id);
  told();
}

/** Take away what no longer serves: photos of no report, reports sent long ago. */
export async function tidy(): Promise<void> {
  const reports = await all();
  const old = reports.filter(({ state }) => state === "sent").slice(REMEMBERED);
  for (const report of old) await remove(report);
  const used = new Set(
    reports.flatMap(({ photos }) => photos.flatMap(({ id }) => [id, thumbKey(id)])),
  );
  const lost = [...(await everything("photos")).keys()].filter((key) => !used.has(key));
  if (lost.length > 0) await drop("photos", ...lost);
}
