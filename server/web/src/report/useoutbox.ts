/** Keeps sending as long as something waits: at once, when the network comes back, when the page is looked at, and by and by. */
import { useCallback, useEffect, useRef, useState } from "preact/hooks";
import { OUTBOX_SYNC } from "../sw/kept";
import { all, onChange } from "./outbox";
import { flush } from "./sending";
import type { Outgoing } from "./types";

interface SyncRegistration extends ServiceWorkerRegistration {
  readonly sync?: { readonly register: (tag: string) => Promise<void> };
}

/** Let the browser empty the outbox also when the page has been closed, where it can. */
async function askForSync(): Promise<void> {
  if (!navigator.serviceWorker?.controller) return;
  const registration: SyncRegistration = await navigator.serviceWorker.ready;
  await registration.sync?.register(OUTBOX_SYNC).catch(() => undefined);
}

export interface Outbox {
  readonly reports: readonly Outgoing[];
  readonly online: boolean;
  readonly pump: (force: boolean) => Promise<void>;
}

export function useOutbox(): Outbox {
  const [reports, setReports] = useState<readonly Outgoing[]>([]);
  const [online, setOnline] = useState(navigator.onLine);
  const timer = useRef<number | undefined>(undefined);
  const pump = useCallback(async (force: boolean) => {
    window.clearTimeout(timer.current);
    if (!navigator.onLine) return askForSync();
    const next = await flush(force);
    if (next === null) return undefined;
    const wait = Math.max(500, next - Date.now());
    timer.current = window.setTimeout(() => void pump(false), wait);
    return askForSync();
  }, []);
  useEffect(() => {
    const reread = () => void all().then(setReports);
    reread();
    return onChange(reread);
  }, []);
  useEffect(() => {
    const network = () => {
      setOnline(navigator.onLine);
      void pump(true);
    };
    const looked = () => void (document.hidden ? undefined : pump(false));
    window.addEventListener("online", network);
    window.addEventListener("offline", network);
    document.addEventListener("visibilitychange", looked);
    void pump(true);
    return () => {
      window.removeEventListener("online", network);
      window.removeEventListener("offline", network);
      document.removeEventListener("visibilitychange", looked);
      window.clearTimeout(timer.current);
    };
  }, [pump]);
  return { reports, online, pump };
}
