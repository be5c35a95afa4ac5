/** What the page asks the server before it sends: the classes, and what holds at a place. */
import { ApiError, type Words } from "../api";
import { authorization } from "./sending";
import type { Attribute, Deadline, Here, NearbyCase, PlaceAnswer, Service } from "./types";

async function ask<T>(path: string, signal: AbortSignal | null): Promise<T> {
  let response: Response;
  try {
    const headers = { accept: "application/json", ...(await authorization()) };
    response = await fetch(path, { signal, headers });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw new ApiError({ zh: "服务器没有应答", en: "the server does not answer" }, 0, null);
  }
  if (!response.ok) {
    const problem = (await response.json().catch(() => ({}))) as Record<string, unknown>;
    const en = String(problem.detail ?? response.statusText);
    const zh = String(problem.detail_zh ?? en);
    throw new ApiError({ zh, en }, response.status, response.headers.get("x-request-id"));
  }
  return (await response.json()) as T;
}

interface ServicesAnswer {
  readonly services: readonly (Omit<Service, "attributes" | "keywords"> &
    Partial<Pick<Service, "attributes" | "keywords">>)[];
}

export async function fetchServices(): Promise<readonly Service[]> {
  const { services } = await ask<ServicesAnswer>("api/report/services", null);
  return services.map((each) => ({
    ...each,
    keywords: each.keywords ?? [],
    attributes: (each.attributes ?? []) as readonly Attribute[],
  }));
}

interface HereAnswer {
  readonly place: PlaceAnswer;
  readonly owner: string | null;
  readonly owner_title: Words | null;
  readonly due_at: string | null;
  readonly provisional: boolean;
  readonly calendar_note: Words | null;
  readonly nearby: readonly NearbyCase[];
}

const NO_WORDS: Words = { zh: "", en: "" };

export async function fetchHere(
  { lon, lat }: { readonly lon: number; readonly lat: number },
  service_code: string | null,
  signal: AbortSignal,
): Promise<Here> {
  const asked = new URLSearchParams({ lon: lon.toFixed(6), lat: lat.toFixed(6) });
  if (service_code) asked.set("service_code", service_code);
  const answer = await ask<HereAnswer>(`api/report/here?${asked}`, signal);
  const { due_at, provisional, calendar_note } = answer;
  const deadline: Deadline | null = due_at
    ? { due_at, provisional, note: calendar_note ?? NO_WORDS }
    : null;
  const { place, owner, owner_title, nearby } = answer;
  return { place, owner, owner_title, deadline, nearby };
}

/** Who holds a key, as the server says; null where it does not know the key. */
export async function keyHolder(key: string): Promise<string | null> {
  const headers = { accept: "application/json", authorization: `Bearer ${key}` };
  const response = await fetch("api/desk/me", { headers });
  if (response.status === 401 || response.status === 403) return null;
  const { subject } = (await response.json()) as { subject?: string };
  return subject ?? "";
}
