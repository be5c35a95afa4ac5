/** The desk without a mouse: letters move through the list and do what is done most. */
import { useLayoutEffect, useRef } from "preact/hooks";
import { LETTERS } from "./paths";
import type { DeskState, DeskStore } from "./state";
import type { Row } from "./types";

interface Parts {
  readonly state: DeskState;
  readonly store: DeskStore;
  readonly mayMark: boolean;
  readonly onOpen: (id: string) => void;
  readonly onClose: () => void;
  readonly onLetter: (letter: string, row: Row) => void;
  readonly onHelp: () => void;
  readonly onFigures: () => void;
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.matches("input:not([type=checkbox], [type=radio]), textarea, select");

const lineOf = (at: number) => document.querySelector<HTMLElement>(`.open[data-at="${at}"]`);

/** The row that letters speak of: the one with the focus, else the one that is open. */
function current({ rows, selected }: DeskState): number {
  const focused = document.activeElement?.closest<HTMLElement>(".open")?.dataset.at;
  return focused === undefined
    ? rows.findIndex(({ case_id }) => case_id === selected)
    : Number(focused);
}

/** The open case where the list does not hold it: a link led to it, or it is filtered away. */
const openedRow = ({ opened, selected }: DeskState): Row | undefined =>
  opened && opened.case_id === selected ? opened : undefined;

export function useKeyboard(parts: Parts): void {
  const latest = useRef(parts);
  latest.current = parts;
  useLayoutEffect(() => {
    const press = (event: KeyboardEvent) => {
      const { state, store, mayMark, onOpen, onClose, onLetter, onHelp, onFigures } =
        latest.current;
      if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]"))
        return;
      if (event.key === "Escape") {
        if (isTyping(event.target)) return (event.target as HTMLElement).blur();
        return onClose();
      }
      if (isTyping(event.target)) return;
      const at = current(state);
      const move = (to: number) => {
        const row = state.rows[Math.max(0, Math.min(state.rows.length - 1, to))];
        if (!row) return;
        lineOf(state.rows.indexOf(row))?.focus();
        if (state.selected) onOpen(row.case_id);
        lineOf(state.rows.indexOf(row))?.focus();
      };
      const row = state.rows[at];
      const acts: Record<string, () => void> = {
        j: () => move(at + 1),
        k: () => move(at < 0 ? 0 : at - 1),
        x: () => row && mayMark && store.mark(row.case_id),
        "/": () => document.getElementById("search")?.focus(),
        i: onFigures,
        "?": onHelp,
      };
      const spoken = row ?? openedRow(state);
      for (const letter of Object.keys(LETTERS))
        acts[letter] = () => spoken && onLetter(letter, spoken);
      const act = acts[event.key];
      if (!act) return;
      event.preventDefault();
      act();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}
