/** The draft on the page: kept at every change, found again after a reload. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { distance_m } from "./geo";
import { drop, keep, kept } from "./keeping";
import { hasContent, newDraft, one, put, remove } from "./outbox";
import type { Fix, Receiver } from "./receiver";
import type { Outgoing, TakenPhoto } from "./types";

const CURRENT = "draft";

/** The draft that was being worked on, or a fresh one. */
export async function firstDraft(): Promise<Outgoing> {
  const id = await kept<string>("small", CURRENT);
  const found = id ? await one(id) : null;
  return found?.state === "draft" ? found : newDraft();
}

/** Whether a fix is the place of the problem: of an untouched draft always, later only as a better fix of the same place. */
function isBetter({ position, ...draft }: Outgoing, fix: Fix): boolean {
  if (position === null) return true;
  if (position.by !== "gps") return false;
  if (!hasContent({ ...draft, position })) return true;
  const before = position.accuracy_m ?? 0;
  return fix.accuracy_m < before && distance_m(position, fix) <= before + fix.accuracy_m;
}

export interface Drafting {
  readonly draft: Outgoing;
  readonly change: (part: Partial<Outgoing>) => void;
  readonly changePhotos: (change: (photos: readonly TakenPhoto[]) => readonly TakenPhoto[]) => void;
  /** Put another draft on the page; the one before stays in the outbox if there is anything in it. */
  readonly open: (draft: Outgoing) => void;
  /** The draft as it is now, whatever has been drawn. */
  readonly current: () => Outgoing;
}

export function useDraft(first: Outgoing, receiver: Receiver): Drafting {
  const [draft, setDraft] = useState(first);
  const latest = useRef(first);
  const open = useCallback((next: Outgoing) => {
    latest.current = next;
    setDraft(next);
    if (hasContent(next)) void keep("small", CURRENT, next.client_id);
    else void drop("small", CURRENT);
  }, []);
  const change = useCallback((part: Partial<Outgoing>) => {
    const before = latest.current;
    const next = { ...before, ...part, changed_at: new Date().toISOString() };
    latest.current = next;
    setDraft(next);
    if (hasContent(next)) {
      void put(next);
      if (!hasContent(before)) void keep("small", CURRENT, next.client_id);
    } else if (hasContent(before)) {
      void remove(next);
      void drop("small", CURRENT);
    }
  }, []);
  const changePhotos = useCallback<Drafting["changePhotos"]>(
    (how) => change({ photos: how(latest.current.photos) }),
    [change],
  );
  const { fix } = receiver;
  useEffect(() => {
    if (fix && isBetter(latest.current, fix)) change({ position: fix });
  }, [fix, draft.client_id]);
  return { draft, change, changePhotos, open, current: () => latest.current };
}
