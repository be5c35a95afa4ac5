/** Which steps lead to the one that is wanted: a key press files and dispatches, where the life cycle asks for both. */
import type { Holder, NextStep, Row, Step } from "./types";

const mayCome = ({ from }: Step, state: string, openStates: readonly string[]): boolean =>
  from === null ? openStates.includes(state) : from.includes(state);

const isPlain = ({ needs, why, to }: Step): boolean =>
  needs.length === 0 && !why && to !== "same" && to !== "previous";

/** Steps that the holder's powers allow; the server has the last word. */
const allowed = ({ powers }: Step, holder: Holder): boolean =>
  powers.some((power) => holder.powers.includes(power));

/**
 * The steps to take, the wanted one last; null where it cannot be reached by it and at most one plain step before it.
 */
export function pathTo(kind: string, row: Row, holder: Holder): readonly NextStep[] | null {
  const { states, steps } = holder.life_cycle;
  const open = states.filter((each) => each.open).map(({ id }) => id);
  const wanted = steps.find((each) => each.kind === kind);
  if (!wanted || !allowed(wanted, holder)) return null;
  if (mayCome(wanted, row.state, open)) return [wanted];
  if (!open.includes(row.state)) return null;
  const first = steps.find(
    (each) =>
      isPlain(each) &&
      allowed(each, holder) &&
      mayCome(each, row.state, open) &&
      each.to !== row.state &&
      mayCome(wanted, each.to, open),
  );
  return first ? [first, wanted] : null;
}

/** What the letters do: the first of these that the case allows. */
export const LETTERS: Readonly<Record<string, readonly string[]>> = {
  d: ["dispatched"],
  h: ["handled"],
  v: ["verified"],
  r: ["returned", "reworked"],
};

export function pathOf(letter: string, row: Row, holder: Holder): readonly NextStep[] | null {
  for (const kind of LETTERS[letter] ?? []) {
    const path = pathTo(kind, row, holder);
    if (path) return path;
  }
  return null;
}
