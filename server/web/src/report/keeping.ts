/** What the phone keeps: reports, photos and small things, in IndexedDB; in memory only where there is no room. */

const NAME = "gisgrid-report";
const VERSION = 1;
export type Shelf = "reports" | "photos" | "small";

/** Rows that found no room; they live as long as the page. */
const unkept: Record<Shelf, Map<string, unknown>> = {
  reports: new Map(),
  photos: new Map(),
  small: new Map(),
};

/** Who is told that something could not be kept: no room, or no storage at all. */
type Listener = (problem: "full" | "none") => void;
const listeners = new Set<Listener>();

export function onUnkept(listener: Listener): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

let opened: Promise<IDBDatabase> | null = null;

function database(): Promise<IDBDatabase> {
  opened ??= new Promise<IDBDatabase>((done, failed) => {
    const request = indexedDB.open(NAME, VERSION);
    request.onupgradeneeded = () => {
      for (const shelf of ["reports", "photos", "small"]) request.result.createObjectStore(shelf);
    };
    request.onsuccess = () => {
      const found = request.result;
      // A newer page wants to change the shelves: this one lets go and opens them again when it needs them.
      found.onversionchange = () => found.close();
      found.onclose = () => (opened = null);
      done(found);
    };
    request.onerror = () => failed(request.error);
  }).catch((error: unknown) => {
    opened = null;
    throw error;
  });
  return opened;
}

function settled(transaction: IDBTransaction): Promise<void> {
  return new Promise((done, failed) => {
    transaction.oncomplete = () => done();
    transaction.onerror = () => failed(transaction.error);
    transaction.onabort = () => failed(transaction.error);
  });
}

function answered<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((done, failed) => {
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
}

const isFull = (error: unknown) => error instanceof DOMException && /quota/i.test(error.name);

/** Keep a value under a key; where there is no room it lives in memory, and the listeners are told. */
export async function keep(shelf: Shelf, key: string, value: unknown): Promise<boolean> {
  try {
    const transaction = (await database()).transaction(shelf, "readwrite", {
      durability: "strict",
    });
    transaction.objectStore(shelf).put(value, key);
    await settled(transaction);
    unkept[shelf].delete(key);
    return true;
  } catch (error) {
    unkept[shelf].set(key, value);
    for (const listener of listeners) listener(isFull(error) ? "full" : "none");
    return false;
  }
}

export async function kept<T>(shelf: Shelf, key: string): Promise<T | null> {
  const loose = unkept[shelf].get(key);
  if (loose !== undefined) return loose as T;
  try {
    const store = (await database()).transaction(shelf).objectStore(shelf);
    return ((await answered(store.get(key))) as T | undefined) ?? null;
  } catch {
    return null;
  }
}

/** Everything on a shelf, the loose rows in place of what is kept under the same key. */
export async function everything<T>(shelf: Shelf): Promise<Map<string, T>> {
  const rows = new Map<string, T>();
  try {
    const store = (await database()).transaction(shelf).objectStore(shelf);
    const [keys, values] = await Promise.all([
      answered(store.getAllKeys()),
      answered(store.getAll()),
    ]);
    keys.forEach((key, at) => rows.set(String(key), values[at] as T));
  } catch {
    // No storage: what is loose is all there is.
  }
  for (const [key, value] of unkept[shelf]) rows.set(key, value as T);
  return rows;
}

export async function drop(shelf: Shelf, ...keys: readonly string[]): Promise<void> {
  for (const key of keys) unkept[shelf].delete(key);
  try {
    const transaction = (await database()).transaction(shelf, "readwrite");
    for (const key of keys) transaction.objectStore(shelf).delete(key);
    await settled(transaction);
  } catch {
    // What cannot be reached cannot be dropped.
  }
}
