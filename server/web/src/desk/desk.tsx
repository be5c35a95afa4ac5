/** The desk: list beside map, the open case above it, and who tells whom. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Catalogue, Language } from "../api";
import { LANG_TAG, number, pick } from "../language";
import { useStore } from "../state";
import { bindAddress } from "./address";
import type { Asking } from "./asking";
import { BulkDialog } from "./bulk";
import { DeskMap } from "./deskmap";
import { CaseDrawer } from "./drawer";
import { FiguresDialog } from "./figures";
import { Filters } from "./filters";
import { Head } from "./head";
import { useKeyboard } from "./keyboard";
import { useQueue } from "./loading";
import { MapStage } from "./mapstage";
import { Names } from "./names";
import { pathOf } from "./paths";
import { Queue } from "./queue";
import { ExportDialog, HelpDialog } from "./sheets";
import type { DeskState, DeskStore } from "./state";
import { StepDialog } from "./stepdialog";
import type { Holder, NextStep, Row, Whole } from "./types";
import { tell, type DeskKey } from "./words";

interface Props {
  readonly asking: Asking;
  readonly holder: Holder;
  readonly catalogue: Catalogue;
  readonly store: DeskStore;
  readonly onLanguage: (language: Language) => void;
  readonly onLeave: (why?: DeskKey) => void;
}

/** So long a sentence on what was done stays. */
const SAID_MS = 5_000;

type Open =
  | { readonly kind: "help" | "export" | "bulk" | "figures" }
  | { readonly kind: "step"; readonly path: readonly NextStep[]; readonly row: Row | Whole };

function useDocument(catalogue: Catalogue, { language, theme }: DeskState): void {
  useLayoutEffect(() => {
    document.documentElement.lang = LANG_TAG[language];
    document.title = tell(language, "documentTitle", { city: pick(catalogue.title, language) });
    window.localStorage.setItem("gisgrid.language", language);
  }, [catalogue, language]);
  useLayoutEffect(() => {
    document.documentElement.dataset.theme = theme;
  }, [theme]);
}

function BulkBar({
  state,
  store,
  onDispatch,
}: {
  state: DeskState;
  store: DeskStore;
  onDispatch: () => void;
}) {
  const { language, marked } = state;
  if (marked.length === 0) return null;
  return (
    <div
      class="bulk"
      role="region"
      aria-label={tell(language, "marked", { n: number(marked.length, language) })}
    >
      <p>{tell(language, "marked", { n: number(marked.length, language) })}</p>
      <button type="button" class="quiet" onClick={() => store.update({ marked: [] }, "movement")}>
        {tell(language, "unmark")}
      </button>
      <button type="button" class="primary" id="bulk" onClick={onDispatch}>
        {tell(language, "dispatchAll")}
      </button>
    </div>
  );
}

function Tabs({ state, store }: { state: DeskState; store: DeskStore }) {
  const { language, tab } = state;
  return (
    <nav class="tabs" aria-label={tell(language, "title")}>
      {(["list", "map"] as const).map((each) => (
        <button
          key={each}
          type="button"
          aria-pressed={tab === each}
          onClick={() => store.update({ tab: each, selected: null }, "movement")}
        >
          {tell(language, each)}
        </button>
      ))}
    </nav>
  );
}

export function Desk({ asking, holder, catalogue, store, onLanguage, onLeave }: Props) {
  const state = useStore(store);
  const { language, selected, marked, tab } = state;
  const names = useMemo(() => new Names(holder, language), [holder, language]);
  const [map, setMap] = useState<DeskMap | null>(null);
  const [open, setOpen] = useState<Open | null>(null);
  const [said, setSaid] = useState("");
  const latestMap = useRef(map);
  latestMap.current = map;
  useDocument(catalogue, state);
  useEffect(() => {
    const fading = window.setTimeout(() => setSaid(""), SAID_MS);
    return () => window.clearTimeout(fading);
  }, [said]);
  useEffect(() => bindAddress(store), [store]);
  const queue = useQueue({
    asking, store, state, openStates: names.openStates, onLeave, onChange: () => latestMap.current?.refresh(),
  }); // prettier-ignore
  const mayMark = holder.powers.includes("dispatch");

  const openCase = (id: string) => store.update({ selected: id });
  const closeCase = () => {
    if (!store.state.selected) return;
    const line = document.querySelector<HTMLElement>(
      `.row[data-id="${CSS.escape(store.state.selected)}"] .open`,
    );
    store.update({ selected: null });
    line?.focus();
  };
  const close = () => setOpen(null);
  const took = (whole: Whole | null, row: Row, path: readonly NextStep[]) => {
    if (whole) store.replace(whole);
    else store.update({ gone: [...store.state.gone, row.case_id], selected: null }, "movement");
    store.update({ turn: store.state.turn + 1 }, "movement");
    setSaid(tell(language, "didIt", { what: pick(path.at(-1)!.title, language), id: row.case_id }));
  };
  useKeyboard({
    state, store, mayMark, onOpen: openCase, onClose: closeCase, onHelp: () => setOpen({ kind: "help" }), onFigures: () => setOpen({ kind: "figures" }),
    onLetter: (letter, row) => {
      const path = pathOf(letter, row, holder);
      if (path) setOpen({ kind: "step", path, row });
      else setSaid(tell(language, "notNow", { what: tell(language, `key_${letter}` as DeskKey) }));
    },
  }); // prettier-ignore

  const rows = state.rows.filter(({ case_id }) => marked.includes(case_id));
  return (
    <div class="desk" data-tab={tab} data-case={selected !== null}>
      <a
        class="skip"
        href="#cases"
        onClick={(event) => (event.preventDefault(), document.getElementById("cases")?.focus())}
      >
        {tell(language, "skip")}
      </a>
      <Head
        state={state}
        store={store}
        holder={holder}
        catalogue={catalogue}
        onLanguage={onLanguage}
        onLeave={() => onLeave()}
        onHelp={() => setOpen({ kind: "help" })}
        onExport={() => setOpen({ kind: "export" })}
        onFigures={() => setOpen({ kind: "figures" })}
      />
      <main class="column">
        <Filters state={state} store={store} names={names} onOpen={openCase} />
        <Queue
          state={state}
          store={store}
          names={names}
          queue={queue}
          mayMark={mayMark}
          onOpen={openCase}
        />
        <BulkBar state={state} store={store} onDispatch={() => setOpen({ kind: "bulk" })} />
      </main>
      <MapStage
        asking={asking}
        catalogue={catalogue}
        state={state}
        store={store}
        names={names}
        map={map}
        onMap={setMap}
        onOpen={openCase}
      />
      {selected && (
        <CaseDrawer
          asking={asking}
          state={state}
          names={names}
          onClose={closeCase}
          onOpen={openCase}
          onWhole={(whole) => {
            store.update({ opened: whole }, "movement");
            store.replace(whole);
            map?.showCase(whole);
          }}
          onStep={(path, row) => setOpen({ kind: "step", path, row })}
        />
      )}
      <Tabs state={state} store={store} />
      {open?.kind === "step" && (
        <StepDialog
          asking={asking}
          names={names}
          path={open.path}
          row={open.row}
          onDone={(whole) => took(whole, open.row, open.path)}
          onConflict={() => store.update({ turn: store.state.turn + 1 }, "movement")}
          onClose={close}
        />
      )}
      {open?.kind === "bulk" && (
        <BulkDialog asking={asking} store={store} names={names} rows={rows} onClose={close} />
      )}
      {open?.kind === "help" && <HelpDialog language={language} onClose={close} />}
      {open?.kind === "figures" && (
        <FiguresDialog asking={asking} state={state} store={store} names={names} onClose={close} />
      )}
      {open?.kind === "export" && (
        <ExportDialog asking={asking} state={state} holder={holder} onClose={close} />
      )}
      <p class={said ? "toast" : "unseen"} role="status" id="said">
        {said}
      </p>
    </div>
  );
}
