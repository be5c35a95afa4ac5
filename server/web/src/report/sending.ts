/** Sends what waits in the outbox, each report once: photos first, then the report under the phone's own id for it. */
import type { Words } from "../api";
import { drop, kept } from "./keeping";
import { all, alone, newId, one, put } from "./outbox";
import type { Accepted, Kept, Outgoing, Refusal, TakenPhoto } from "./types";

const SOON_MS = 4_000;
const LATE_MS = 10 * 60_000;
const PATIENCE_MS = 60_000;
/** Answers that may be different later: too slow, too many, or a fault of the server. */
const PASSING = new Set([408, 425, 429]);

/** The server does not answer, or not now; the report waits. */
class Later extends Error {
  constructor(readonly wait_ms: number | null) {
    super("later");
  }
}

/** The server will not take the report as it is. */
class Refused extends Error {
  constructor(readonly refusal: Refusal) {
    super(refusal.words.en);
  }
}

export async function authorization(): Promise<Record<string, string>> {
  const key = (await kept<Kept>("small", "settings"))?.key;
  return key ? { authorization: `Bearer ${key}` } : {};
}

/** An earlier try was taken after all, and what is sent now says something else. */
const TAKEN_BEFORE: Words = {
  zh: "服务器此前已收到第一次发送的内容，后来的修改没有采用；如有必要，请作为新的一条发送",
  en: "the server had the first version already, so the change was not taken; send it as a new report if it matters",
};
const NO_WORDS: Words = { zh: "服务器没有接受这条上报", en: "the server did not take this report" };

interface ProblemBody {
  readonly detail?: unknown;
  readonly detail_zh?: unknown;
  readonly field?: unknown;
  readonly errors?: unknown;
}

/** The fields that a problem lists. */
function fieldsOf({ errors }: ProblemBody): string[] {
  if (!Array.isArray(errors)) return [];
  const fields = errors.map((each: { field?: unknown } | null) => each?.field);
  return fields.filter((field) => typeof field === "string");
}

/** Says which part of a report was refused, and why. */
async function refusal(response: Response, field: string): Promise<Refusal> {
  if (response.status === 409) return { field: "", words: TAKEN_BEFORE, status: 409 };
  const body = (await response.json().catch(() => ({}))) as ProblemBody;
  const en = typeof body.detail === "string" ? body.detail : NO_WORDS.en;
  const zh = typeof body.detail_zh === "string" ? body.detail_zh : NO_WORDS.zh;
  const named = typeof body.field === "string" ? body.field : field;
  const isKey = response.status === 401 || response.status === 403;
  return {
    field: isKey ? "key" : named,
    words: { zh, en },
    status: response.status,
    fields: fieldsOf(body),
  };
}

async function ask(path: string, init: RequestInit, field: string): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(path, {
      ...init,
      method: "POST",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
  } catch {
    throw new Later(null);
  }
  if (response.ok) return response;
  if (response.status < 500 && !PASSING.has(response.status)) {
    throw new Refused(await refusal(response, field));
  }
  const seconds = Number(response.headers.get("retry-after"));
  throw new Later(seconds > 0 ? seconds * 1000 : null);
}

async function sendPhoto(photo: TakenPhoto, headers: Record<string, string>): Promise<TakenPhoto> {
  if (photo.sent) return photo;
  const blob = await kept<Blob>("photos", photo.id);
  if (!blob) return photo;
  const init = { body: blob, headers: { ...headers, "content-type": "image/jpeg" } };
  const response = await ask("api/report/photos", init, "photos");
  const { id } = (await response.json()) as { id: string };
  return { ...photo, sent: id };
}

function body(report: Outgoing): string {
  const { client_id, service_code, description, attributes, same_as, contact } = report;
  const { lon, lat, accuracy_m } = report.position!;
  return JSON.stringify({
    client_id,
    sent_at: new Date().toISOString(),
    at: report.begun_at,
    lon,
    lat,
    accuracy_m,
    service_code,
    description,
    photos: report.photos.flatMap(({ sent }) => (sent ? [sent] : [])),
    attributes,
    same_as,
    contact,
  });
}

/** One try; every step is kept before the next, so that a phone that dies goes on where it was. */
async function send(waiting: Outgoing): Promise<Outgoing> {
  let report: Outgoing = { ...waiting, state: "sending", refusal: null };
  await put(report);
  const headers = await authorization();
  for (const photo of report.photos) {
    const sent = await sendPhoto(photo, headers);
    const photos = report.photos.map((each) => (each.id === sent.id ? sent : each));
    report = { ...report, photos };
    await put(report);
  }
  const init = {
    body: body(report),
    headers: { ...headers, "content-type": "application/json" },
  };
  const response = await ask("api/report", init, "");
  const accepted = (await response.json()) as Accepted;
  const now = new Date().toISOString();
  return {
    ...report,
    state: "sent",
    accepted: { ...accepted, repeated: response.status === 200 },
    sent_at: now,
    changed_at: now,
  };
}

function backOff(tries: number): number {
  const whole = Math.min(LATE_MS, SOON_MS * 2 ** Math.min(tries, 10));
  return whole * (0.75 + Math.random() / 2);
}

/** A report whose sending was cut off, or put off. */
function putOff(report: Outgoing, wait_ms: number | null): Outgoing {
  const wait = wait_ms ?? backOff(report.tries);
  return { ...report, state: "waiting", tries: report.tries + 1, next_try: Date.now() + wait };
}

async function attempt(waiting: Outgoing): Promise<Outgoing> {
  try {
    const sent = await send(waiting);
    await drop("photos", ...sent.photos.map(({ id }) => id));
    return sent;
  } catch (error) {
    const now = (await one(waiting.client_id)) ?? waiting;
    if (error instanceof Refused) {
      return { ...now, state: "refused", refusal: error.refusal };
    }
    return putOff(now, error instanceof Later ? error.wait_ms : null);
  }
}

/**
 * Send everything that is due; where `force` is set also what was to be tried again later.
 * Gives the moment of the next try in milliseconds, null where nothing waits.
 */
export function flush(force: boolean): Promise<number | null> {
  return alone(async () => {
    const began = Date.now();
    const due = (await all()).filter(
      ({ state, next_try }) =>
        state === "sending" || (state === "waiting" && (force || next_try <= began)),
    );
    for (const report of due.reverse()) {
      const after = await attempt(report);
      await put(after);
      if (after.state === "waiting") break;
    }
    const waiting = (await all()).filter(({ state }) => state === "waiting");
    return waiting.length === 0 ? null : Math.min(...waiting.map(({ next_try }) => next_try));
  });
}

/** Take a report back from the outbox to work on it; null where it has been sent meanwhile. */
export function reopen(id: string): Promise<Outgoing | null> {
  return alone(async () => {
    const report = await one(id);
    if (!report || report.state === "sent") return null;
    if (report.refusal?.status === 409) await drop("reports", id);
    const draft: Outgoing = {
      ...report,
      client_id: report.refusal?.status === 409 ? newId() : id,
      state: "draft",
      tries: 0,
      next_try: 0,
    };
    await put(draft);
    return draft;
  });
}
