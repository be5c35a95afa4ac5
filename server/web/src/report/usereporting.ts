/** What happens to reports on the page: written, sent, opened again, started over. */
import { useCallback, useState } from "preact/hooks";
import type { Uses } from "./classes";
import type { Asked } from "./facts";
import { drop, keep } from "./keeping";
import { hasContent, newDraft, put, remove } from "./outbox";
import type { Beginning } from "./page";
import { useReceiver, type Receiver } from "./receiver";
import { reopen } from "./sending";
import type { Kept, Outgoing } from "./types";
import { useDraft, type Drafting } from "./usedraft";
import { useHere } from "./usehere";
import { useOutbox, type Outbox } from "./useoutbox";

export interface Reporting {
  readonly receiver: Receiver;
  readonly drafting: Drafting;
  readonly outbox: Outbox;
  readonly asked: Asked;
  readonly uses: Uses;
  /** The report that was sent last, until the next one is begun. */
  readonly done: Outgoing | null;
  /** Whether the draft comes from an earlier visit. */
  readonly restored: boolean;
  /** How many reports beside the draft have not been sent. */
  readonly unsent: number;
  readonly send: (attributes: Record<string, unknown>) => Promise<void>;
  /** Work on a report of the outbox. */
  readonly resume: (report: Outgoing) => Promise<void>;
  readonly begin: (draft: Outgoing) => void;
  readonly startOver: () => Promise<void>;
}

const toTop = () => document.querySelector(".report")?.scrollTo(0, 0);

/** A draft on its way: what it says is fixed now, for every try has to say the same. */
function readied(draft: Outgoing, attributes: Record<string, unknown>, kept: Kept): Outgoing {
  const given = [["name", kept.name] as const, ["phone", kept.phone] as const];
  const contact = Object.fromEntries(given.filter(([, value]) => value));
  const changed_at = new Date().toISOString();
  const fresh = { tries: 0, next_try: 0, refusal: null, state: "waiting" } as const;
  return { ...draft, ...fresh, attributes, contact, changed_at };
}

export function useReporting(beginning: Beginning, kept: Kept): Reporting {
  const receiver = useReceiver();
  const drafting = useDraft(beginning.draft, receiver);
  const outbox = useOutbox();
  const { draft, current, open } = drafting;
  const asked = useHere(draft.position, draft.service_code, outbox.online);
  const [uses, setUses] = useState(beginning.uses);
  const [sent, setSent] = useState<string | null>(null);
  const [restored, setRestored] = useState(hasContent(beginning.draft));
  const begin = useCallback((next: Outgoing) => {
    setSent(null);
    setRestored(false);
    open(next);
    toTop();
  }, []);
  const fresh = (): Outgoing => ({ ...newDraft(), position: receiver.fix });
  const send = async (attributes: Record<string, unknown>) => {
    const waiting = readied(current(), attributes, kept);
    await put(waiting);
    await drop("small", "draft");
    const code = waiting.service_code!;
    const counted = { ...uses, [code]: (uses[code] ?? 0) + 1 };
    setUses(counted);
    begin(fresh());
    setSent(waiting.client_id);
    void keep("small", "uses", counted);
    void navigator.storage?.persist?.();
    void outbox.pump(true);
  };
  const resume = async (report: Outgoing) => {
    const found = report.state === "draft" ? report : await reopen(report.client_id);
    if (found) begin(found);
  };
  const startOver = async () => {
    await remove(current());
    begin(fresh());
  };
  const others = outbox.reports.filter(({ client_id }) => client_id !== draft.client_id);
  const unsent = others.filter(({ state }) => state !== "sent").length;
  const done = outbox.reports.find(({ client_id }) => client_id === sent) ?? null;
  const acts = { send, resume, begin, startOver };
  return { receiver, drafting, outbox, asked, uses, done, restored, unsent, ...acts };
}
