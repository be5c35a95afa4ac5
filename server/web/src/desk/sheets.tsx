/** Two small dialogs: the keys, and files of what is filtered. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { CloseButton } from "../closebutton";
import { number } from "../language";
import { failureText } from "../notices";
import type { Asking } from "./asking";
import { asked, type DeskState } from "./state";
import type { Holder } from "./types";
import { tell } from "./words";

const KEYS = [
  ["j k", "key_jk"], ["Enter", "key_enter"], ["x", "key_x"], ["d", "key_d"], ["h", "key_h"],
  ["v", "key_v"], ["r", "key_r"], ["i", "key_i"], ["/", "key_slash"], ["Esc", "key_esc"], ["?", "key_help"],
] as const; // prettier-ignore

export function HelpDialog({
  language,
  onClose,
}: Pick<DeskState, "language"> & { onClose: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog ref={dialog} class="step-dialog" aria-labelledby="help-title" onClose={onClose}>
      <header>
        <h2 id="help-title">{tell(language, "help")}</h2>
        <CloseButton name={tell(language, "close")} onClick={() => dialog.current!.close()} />
      </header>
      <dl class="keys-list">
        {KEYS.map(([keys, what]) => (
          <div key={keys}>
            <dt>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{tell(language, what)}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}

const FORMS = ["xlsx", "csv", "gpkg", "geojson"] as const;

interface ExportProps {
  readonly asking: Asking;
  readonly state: DeskState;
  readonly holder: Holder;
  readonly onClose: () => void;
}

export function ExportDialog({ asking, state, holder, onClose }: ExportProps) {
  const { language, filters, counts } = state;
  const dialog = useRef<HTMLDialogElement>(null);
  const [form, setForm] = useState<(typeof FORMS)[number]>("xlsx");
  const [texts, setTexts] = useState(false);
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState("");
  useLayoutEffect(() => dialog.current!.showModal(), []);
  const save = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setWrong("");
    const query = asked(filters);
    query.set("lang", language);
    if (texts) query.set("texts", "true");
    try {
      await asking.download(form, query);
      dialog.current?.close();
    } catch (error) {
      setWrong(tell(language, "exportFailed", { said: failureText(error, language) }));
    }
    setBusy(false);
  };
  return (
    <dialog ref={dialog} class="step-dialog" aria-labelledby="export-title" onClose={onClose}>
      <form onSubmit={(event) => void save(event)}>
        <header>
          <div>
            <h2 id="export-title">{tell(language, "export")}</h2>
            <p class="muted">
              {tell(language, "exportAbout", { n: number(counts?.n ?? 0, language) })}
            </p>
          </div>
          <CloseButton name={tell(language, "close")} onClick={() => dialog.current!.close()} />
        </header>
        <fieldset class="forms">
          <legend class="unseen">{tell(language, "export")}</legend>
          {FORMS.map((each) => (
            <label key={each}>
              <input
                type="radio"
                name="form"
                value={each}
                checked={form === each}
                onChange={() => setForm(each)}
              />
              {tell(language, each)}
            </label>
          ))}
        </fieldset>
        {holder.powers.includes("contact") && (
          <label class="line-label">
            <input type="checkbox" name="texts" checked={texts} onChange={() => setTexts(!texts)} />
            {tell(language, "exportTexts")}
          </label>
        )}
        <p role="alert" class={wrong ? "notice failed" : "unseen"}>
          {wrong}
        </p>
        <footer>
          <button type="button" class="quiet" onClick={() => dialog.current!.close()}>
            {tell(language, "cancel")}
          </button>
          <button type="submit" class="primary" disabled={busy}>
            {tell(language, busy ? "exporting" : "export")}
          </button>
        </footer>
      </form>
    </dialog>
  );
}
