/** How the desk asks the server: everything with the key of who sits there. */
import { answer, type Catalogue } from "../api";
import type { Act, Counts, Done, Figures, Holder, Listed, Whole } from "./types";

const KEPT = "gisgrid.desk.key";

/** The key stays as long as the tab is open, and is never part of an address. */
export const keptKey = (): string | null => window.sessionStorage.getItem(KEPT);
export const keepKey = (key: string): void => window.sessionStorage.setItem(KEPT, key);
export const forgetKey = (): void => window.sessionStorage.removeItem(KEPT);

export class Asking {
  constructor(readonly key: string) {}

  get headers(): Record<string, string> {
    return { authorization: `Bearer ${this.key}` };
  }

  me = () => this.get<Holder>("api/desk/me");
  catalogue = () => this.get<Catalogue>("api/catalogue");

  cases(query: URLSearchParams, signal?: AbortSignal): Promise<Listed> {
    return this.get<Listed>(`api/desk/cases?${query}`, signal);
  }

  counts(query: URLSearchParams, signal?: AbortSignal): Promise<Counts> {
    return this.get<Counts>(`api/desk/counts?${query}`, signal);
  }

  figures(query: URLSearchParams, signal?: AbortSignal): Promise<Figures> {
    return this.get<Figures>(`api/desk/indicators?${query}`, signal);
  }

  whole(id: string, signal?: AbortSignal): Promise<Whole> {
    return this.get<Whole>(`api/desk/cases/${encodeURIComponent(id)}`, signal);
  }

  async act(id: string, act: Act): Promise<Done> {
    const body = JSON.stringify({ ...act, sent_at: new Date().toISOString() });
    const headers = { ...this.headers, "content-type": "application/json" };
    const path = `api/desk/cases/${encodeURIComponent(id)}/events`;
    return (await (await answer(path, { method: "POST", headers, body })).json()) as Done;
  }

  /** A photo goes first; the act that shows it names its id. */
  async sendPhoto(file: Blob): Promise<string> {
    const headers = { ...this.headers, "content-type": file.type || "application/octet-stream" };
    const sent = await answer("api/report/photos", { method: "POST", headers, body: file });
    return ((await sent.json()) as { id: string }).id;
  }

  async photo(id: string, size: "thumb" | "full"): Promise<Blob> {
    return (await answer(`media/${id}.jpg?size=${size}`, { headers: this.headers })).blob();
  }

  /** A file of what is filtered, saved by the browser under the name that the server gives. */
  async download(form: string, query: URLSearchParams): Promise<void> {
    const response = await answer(`api/desk/export.${form}?${query}`, { headers: this.headers });
    const said = response.headers.get("content-disposition") ?? "";
    const name = /filename="([^"]+)"/.exec(said)?.[1] ?? `cases.${form}`;
    const url = URL.createObjectURL(await response.blob());
    const link = Object.assign(document.createElement("a"), { href: url, download: name });
    link.click();
    window.setTimeout(() => URL.revokeObjectURL(url), 60_000);
  }

  private async get<T>(path: string, signal?: AbortSignal): Promise<T> {
    const headers = { ...this.headers, accept: "application/json" };
    return (await (await answer(path, { headers, signal: signal ?? null })).json()) as T;
  }
}
