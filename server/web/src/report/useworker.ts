/** The service worker: registered once, updated only when the person says so. */
import { useEffect, useState } from "preact/hooks";
import { TAKE_OVER } from "../sw/kept";

const LOOK_AGAIN_MS = 60 * 60_000;

export interface WorkerState {
  /** Whether the page works without a network. */
  readonly ready: boolean;
  /** Takes the new version, where there is one; the page is loaded anew, the draft is kept. */
  readonly update: (() => void) | null;
}

export function useWorker(onReady: () => void): WorkerState {
  const [ready, setReady] = useState(false);
  const [waiting, setWaiting] = useState<ServiceWorker | null>(null);
  useEffect(() => {
    const workers = navigator.serviceWorker;
    if (!workers) return undefined;
    let asked = 0;
    let gone = false;
    const follow = (registration: ServiceWorkerRegistration) => {
      if (gone) return;
      if (registration.waiting && workers.controller) setWaiting(registration.waiting);
      registration.addEventListener("updatefound", () => {
        const coming = registration.installing;
        coming?.addEventListener("statechange", () => {
          if (coming.state === "installed" && workers.controller) setWaiting(coming);
        });
      });
    };
    const look = async () => {
      if (document.hidden || Date.now() - asked < LOOK_AGAIN_MS) return;
      asked = Date.now();
      const registration = await workers.getRegistration();
      await registration?.update().catch(() => undefined);
    };
    const controlled = () => {
      if (gone || !workers.controller) return;
      setReady(true);
      onReady();
    };
    controlled();
    workers.addEventListener("controllerchange", controlled);
    document.addEventListener("visibilitychange", look);
    // Without a network there is nothing new; the worker that is there goes on.
    workers.register("sw.js", { updateViaCache: "none" }).then(follow, () => undefined);
    return () => {
      gone = true;
      workers.removeEventListener("controllerchange", controlled);
      document.removeEventListener("visibilitychange", look);
    };
  }, []);
  const update = () => {
    navigator.serviceWorker.addEventListener("controllerchange", () => window.location.reload());
    waiting?.postMessage(TAKE_OVER);
  };
  return { ready, update: waiting ? update : null };
}
