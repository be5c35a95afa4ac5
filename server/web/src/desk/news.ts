/** News as they come: server-sent events read by fetch, for EventSource cannot send a key. */
import { ApiError, answer } from "../api";
import type { News } from "./types";

/** Longer than the server's heartbeat: so much silence means that the line is dead. */
const SILENCE_MS = 40_000;
const FIRST_WAIT_MS = 1_000;
const LONGEST_WAIT_MS = 15_000;

export type Line = "live" | "waiting" | "refused";

interface Listener {
  readonly onNews: (news: News) => void;
  readonly onLine: (line: Line) => void;
}

/** One block of a stream: its event, its number and its data; comments give nothing. */
export function readBlock(block: string): { news: News; id: string } | null {
  const said = new Map<string, string>();
  for (const line of block.split("\n")) {
    const at = line.indexOf(":");
    if (at > 0) said.set(line.slice(0, at), line.slice(at + 1).replace(/^ /, ""));
  }
  const event = said.get("event");
  if (!event) return null;
  const data: unknown = JSON.parse(said.get("data") ?? "{}");
  return { news: { event, data } as unknown as News, id: said.get("id") ?? "" };
}

/** Listen until told to stop; a line that breaks is taken up again where it broke. */
export function listen(headers: Record<string, string>, { onNews, onLine }: Listener): () => void {
  const stop = new AbortController();
  let last = "";
  let wait = FIRST_WAIT_MS;

  async function once(): Promise<void> {
    const cut = new AbortController();
    const quit = () => cut.abort();
    stop.signal.addEventListener("abort", quit);
    let silence = window.setTimeout(quit, SILENCE_MS);
    try {
      const known: Record<string, string> = last ? { "last-event-id": last } : {};
      const options = { headers: { ...headers, ...known }, signal: cut.signal };
      const response = await answer("api/desk/news", options);
      const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
      onLine("live");
      wait = FIRST_WAIT_MS;
      let text = "";
      for (;;) {
        const { value, done } = await reader.read();
        if (done) return;
        window.clearTimeout(silence);
        silence = window.setTimeout(quit, SILENCE_MS);
        const blocks = (text + value).split("\n\n");
        text = blocks.pop()!;
        for (const block of blocks) {
          const read = readBlock(block);
          if (!read) continue;
          if (read.id) last = read.id;
          onNews(read.news);
        }
      }
    } finally {
      window.clearTimeout(silence);
      stop.signal.removeEventListener("abort", quit);
    }
  }

  async function forever(): Promise<void> {
    while (!stop.signal.aborted) {
      try {
        await once();
      } catch (error) {
        if (stop.signal.aborted) return;
        if (error instanceof ApiError && (error.status === 401 || error.status === 403)) {
          return onLine("refused");
        }
      }
      onLine("waiting");
      await new Promise((done) => window.setTimeout(done, wait));
      wait = Math.min(2 * wait, LONGEST_WAIT_MS);
    }
  }

  void forever();
  return () => stop.abort();
}
