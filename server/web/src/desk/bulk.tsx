/** Several cases are dispatched together, each to its own owner or all to one. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { CloseButton } from "../closebutton";
import { number, pick } from "../language";
import { failureText } from "../notices";
import type { Asking } from "./asking";
import { newId, take } from "./doing";
import type { Names } from "./names";
import { pathTo } from "./paths";
import type { DeskStore } from "./state";
import type { Row } from "./types";
import { tell } from "./words";

const AT_ONCE = 4;

interface Props {
  readonly asking: Asking;
  readonly store: DeskStore;
  readonly names: Names;
  readonly rows: readonly Row[];
  readonly onClose: () => void;
}

export function BulkDialog({ asking, store, names, rows, onClose }: Props) {
  const { language, holder } = names;
  const dialog = useRef<HTMLDialogElement>(null);
  const [all] = useState(rows);
  const [owner, setOwner] = useState("");
  const [done, setDone] = useState<number | null>(null);
  const [failed, setFailed] = useState<readonly string[]>([]);
  useLayoutEffect(() => dialog.current!.showModal(), []);

  const one = async (row: Row): Promise<string | null> => {
    const path = pathTo("dispatched", row, holder);
    if (!path) return tell(language, "notNow", { what: names.step("dispatched") });
    try {
      const data = owner ? { owner } : {};
      const whole = await take(asking, row, path, { why: "", data }, newId());
      if (whole) store.replace(whole);
      return null;
    } catch (error) {
      return failureText(error, language);
    }
  };
  const send = async (event: Event) => {
    event.preventDefault();
    const waiting = [...all];
    const wrong: string[] = [];
    let n = 0;
    setDone(0);
    const worker = async () => {
      for (let row = waiting.shift(); row; row = waiting.shift()) {
        const said = await one(row);
        if (said) wrong.push(`${row.case_id}: ${said}`);
        else {
          setDone(++n);
          store.update(
            { marked: store.state.marked.filter((each) => each !== row.case_id) },
            "movement",
          );
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    setFailed(wrong);
    if (wrong.length === 0) dialog.current?.close();
  };
  const n = number(all.length, language);
  return (
    <dialog ref={dialog} class="step-dialog" aria-labelledby="bulk-title" onClose={onClose}>
      <form onSubmit={(event) => void send(event)}>
        <header>
          <h2 id="bulk-title">{tell(language, "bulkTitle", { n })}</h2>
          <CloseButton name={tell(language, "close")} onClick={() => dialog.current!.close()} />
        </header>
        <label>
          {tell(language, "owner")}
          <select
            name="owner"
            value={owner}
            onChange={({ currentTarget }) => setOwner(currentTarget.value)}
          >
            <option value="">{tell(language, "bulkOwn")}</option>
            {holder.all_owners.map(({ id, title }) => (
              <option key={id} value={id}>
                {pick(title, language)}
              </option>
            ))}
          </select>
        </label>
        <p role="status" class="muted">
          {done !== null && tell(language, "bulkProgress", { done: number(done, language), n })}
        </p>
        {failed.length > 0 && (
          <div class="notice failed" role="alert">
            <p>{tell(language, "bulkFailed", { n: number(failed.length, language) })}</p>
            <ul>
              {failed.map((each) => (
                <li key={each}>{each}</li>
              ))}
            </ul>
          </div>
        )}
        <footer>
          <button type="button" class="quiet" onClick={() => dialog.current!.close()}>
            {tell(language, failed.length > 0 ? "close" : "cancel")}
          </button>
          <button type="submit" class="primary" disabled={done !== null}>
            {tell(language, "dispatchAll")}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
