/** On a phone the panel is a sheet of three heights: dragged, tapped, or moved by the arrow keys. */
import { useRef } from "preact/hooks";
import { say } from "./language";
import type { SheetHeight, State, Store } from "./state";

const HEIGHTS: readonly SheetHeight[] = ["peek", "half", "full"];
const DRAG_PX = 40;

interface Props {
  readonly state: State;
  readonly store: Store;
}

export function SheetHandle({ state, store }: Props) {
  const began = useRef<number | null>(null);
  const dragged = useRef(false);
  const at = HEIGHTS.indexOf(state.sheet);
  const move = (by: number) => {
    const sheet = HEIGHTS[Math.max(0, Math.min(HEIGHTS.length - 1, at + by))]!;
    store.update({ sheet, panelOpen: true }, "movement");
  };
  const drop = (y: number) => {
    const distance = began.current === null ? 0 : began.current - y;
    began.current = null;
    dragged.current = Math.abs(distance) > DRAG_PX;
    if (!dragged.current) return;
    const steps = Math.abs(distance) > window.innerHeight / 2 ? 2 : 1;
    move(Math.sign(distance) * steps);
  };
  const tap = () => {
    if (dragged.current) dragged.current = false;
    else if (at === HEIGHTS.length - 1) move(-2);
    else move(1);
  };
  const name = say(state.language, at === HEIGHTS.length - 1 ? "sheetLower" : "sheetRaise");
  return (
    <button
      type="button"
      class="sheet-handle"
      aria-label={name}
      aria-controls="panel-body"
      onClick={tap}
      onPointerDown={(event) => {
        began.current = event.clientY;
        event.currentTarget.setPointerCapture(event.pointerId);
      }}
      onPointerUp={(event) => drop(event.clientY)}
      onKeyDown={(event) => {
        if (event.key === "ArrowUp") move(1);
        if (event.key === "ArrowDown") move(-1);
      }}
    >
      <span aria-hidden="true" />
    </button>
  );
}
