/// <reference lib="webworker" />
/** The phone page without a network: its own files in one version, answers worth keeping, and the outbox. */
import { flush } from "../report/sending";
import { DATA_CACHE, FILES_CACHE, KEEP_HEADER, OUTBOX_SYNC, ROWS, TAKE_OVER } from "./kept";

declare const self: ServiceWorkerGlobalScope;
/** Written by the build: the page's files, and a word that changes with any of them. */
declare const __FILES__: readonly string[];
declare const __BUILD__: string;

interface SyncEvent extends ExtendableEvent {
  readonly tag: string;
}

const FILES = `${FILES_CACHE}${__BUILD__}`;
const MOST_ANSWERS = 2_000;
const PATIENCE_MS = 5_000;
const home = new URL("./", self.location.href);
const address = (file: string) => new URL(file, home).href;
const OWN = new Map(__FILES__.map((file) => [address(file), file]));
const PAGE = address("report");
/** Answers that the page cannot begin without. */
const FIRST = ["api/catalogue", "api/report/services"].map(address);

async function install(): Promise<void> {
  const cache = await caches.open(FILES);
  // Files with a hash in their name never change; the page itself has to come from the server.
  const asked = (url: string) =>
    /-[\w-]{8}\.\w+$/.test(url) ? url : new Request(url, { cache: "reload" });
  await cache.addAll([...OWN.keys()].map(asked));
  const data = await caches.open(DATA_CACHE);
  await Promise.allSettled(FIRST.map((url) => data.add(url)));
}

async function activate(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith(FILES_CACHE) && name !== FILES) await caches.delete(name);
  }
  await self.clients.claim();
}

async function own(url: string): Promise<Response> {
  const cache = await caches.open(FILES);
  return (await cache.match(url)) ?? fetch(url);
}

async function store(request: Request, response: Response): Promise<void> {
  if (response.status !== 200) return;
  const cache = await caches.open(DATA_CACHE);
  await cache.put(request.url, response);
  const kept = await cache.keys();
  const old = kept.filter(({ url }) => !FIRST.includes(url)).slice(0, kept.length - MOST_ANSWERS);
  if (kept.length > MOST_ANSWERS) await Promise.all(old.map((each) => cache.delete(each)));
}

/** Ask the server and keep what it says; a full phone keeps nothing and the page goes on. */
async function fresh(event: FetchEvent): Promise<Response> {
  const response = await fetch(event.request);
  event.waitUntil(store(event.request, response.clone()).catch(() => undefined));
  return response;
}

/** At once what is kept, and what is new for the next time: for tiles, which change seldom. */
async function keptFirst(event: FetchEvent): Promise<Response> {
  const kept = await (await caches.open(DATA_CACHE)).match(event.request.url);
  const asked = fresh(event);
  if (!kept) return asked.catch(() => new Response(null, { status: 504 }));
  event.waitUntil(asked.then(() => undefined).catch(() => undefined));
  return kept;
}

/** What the server says now; what it said before where it does not answer in time. */
async function freshFirst(event: FetchEvent): Promise<Response> {
  const kept = await (await caches.open(DATA_CACHE)).match(event.request.url);
  const asked = fresh(event);
  if (!kept) return asked;
  const late = new Promise<Response>((done) => setTimeout(() => done(kept), PATIENCE_MS));
  return Promise.race([asked.catch(() => kept), late]);
}

/** Whether a request comes from the phone page; the other pages are none of this worker's business. */
async function fromThePage({ clientId }: FetchEvent): Promise<boolean> {
  const client = await self.clients.get(clientId);
  return client !== undefined && client.url.split(/[?#]/)[0] === PAGE;
}

async function begin(event: FetchEvent): Promise<Response> {
  return (await fromThePage(event)) ? freshFirst(event) : fetch(event.request);
}

self.addEventListener("install", (event) => event.waitUntil(install()));
self.addEventListener("activate", (event) => event.waitUntil(activate()));

self.addEventListener("fetch", (event) => {
  const { request } = event;
  if (request.method !== "GET") return;
  const url = request.url.split("#")[0]!;
  const path = url.split("?")[0]!;
  if (OWN.has(path)) event.respondWith(own(path));
  else if (request.headers.has(KEEP_HEADER)) event.respondWith(keptFirst(event));
  else if (FIRST.includes(url) || ROWS.test(url)) event.respondWith(begin(event));
});

self.addEventListener("message", ({ data }) => {
  if (data === TAKE_OVER) void self.skipWaiting();
});

self.addEventListener("sync", (event) => {
  const { tag, waitUntil } = event as SyncEvent;
  if (tag !== OUTBOX_SYNC) return;
  const sent = flush(true).then((next) => {
    if (next !== null) throw new Error("some reports wait"); // the browser tries again later
  });
  waitUntil.call(event, sent);
});
