/** What a desk looks at, and what came back: one value, replaced as a whole. */
import type { Language } from "../api";
import type { Theme, View } from "../state";
import { Values } from "../state";
import type { Line } from "./news";
import type { Counts, Row } from "./types";

export const OPEN = "open";
export const DUES = ["overdue", "today", "ahead", "provisional"] as const;
export type Due = (typeof DUES)[number];
export const ORDERS = ["due_at", "reported_at", "changed_at"] as const;
export type Order = (typeof ORDERS)[number];

/** What cases must be like. */
export interface Filters {
  /** One state, `open` for all that are, empty for any. */
  readonly state: string;
  readonly due: Due | null;
  readonly owner: string;
  readonly unit: string;
  readonly service: string;
}

export const NO_FILTERS: Filters = { state: OPEN, due: null, owner: "", unit: "", service: "" };

/** What a link carries. */
export interface Shared {
  readonly language: Language;
  readonly filters: Filters;
  readonly order: Order;
  readonly selected: string | null;
  readonly view: View | null;
}

export interface DeskState extends Shared {
  readonly theme: Theme;
  readonly tab: "list" | "map";
  readonly rows: readonly Row[];
  readonly next: string | null;
  readonly loading: "first" | "more" | null;
  readonly failed: unknown;
  readonly counts: Counts | null;
  /** Cases that were chosen to be dispatched together. */
  readonly marked: readonly string[];
  /** Cases that came in and are not in the list yet. */
  readonly fresh: readonly string[];
  /** Cases of the list that are no longer the reader's. */
  readonly gone: readonly string[];
  readonly line: Line;
  /** Grows when the case that is open has changed. */
  readonly turn: number;
  /** The case that was opened last, as it was read; the list may not hold it. */
  readonly opened: Row | null;
}

export class DeskStore extends Values<DeskState> {
  filter(change: Partial<Filters>): void {
    this.update({ filters: { ...this.state.filters, ...change }, marked: [] });
  }

  mark(id: string): void {
    const { marked } = this.state;
    const without = marked.filter((each) => each !== id);
    this.update({ marked: without.length < marked.length ? without : [...marked, id] }, "movement");
  }

  /** A case as it is now takes the place of what was known of it; the list keeps its order. */
  replace(row: Row): void {
    const renewed = (each: Row): Row =>
      each.case_id === row.case_id
        ? ({ ...each, ...row, clock: row.clock ?? each.clock } as Row)
        : each;
    const { rows, opened } = this.state;
    this.update({ rows: rows.map(renewed), opened: opened && renewed(opened) }, "movement");
  }
}

/** The filters in the words of the server's addresses. */
export function asked({ state, due, owner, unit, service }: Filters): URLSearchParams {
  const query = new URLSearchParams();
  const said = { state, due: due ?? "", owner, unit, service_code: service };
  for (const [name, value] of Object.entries(said)) if (value) query.set(name, value);
  return query;
}

/** Whether a case that came in belongs to the list that is shown. */
export function belongs(row: Row, filters: Filters, openStates: readonly string[]): boolean {
  const { state, owner, unit, service, due } = filters;
  const codes = [row.unit_code, row.community_code, row.subdistrict_code];
  const inState = !state || (state === OPEN ? openStates.includes(row.state) : row.state === state);
  return (
    inState &&
    (!owner || row.owner === owner) &&
    (!service || row.category_code === service) &&
    (!unit || codes.some((code) => code?.startsWith(unit))) &&
    (due === null || row.due_at !== null)
  );
}
