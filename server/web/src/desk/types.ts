/** What the server tells a desk. */
import type { Words } from "../api";

export type Stands = "none" | "running" | "overdue" | "paused" | "met" | "missed";

export interface Clock {
  readonly stands: Stands;
  /** Below 0 past the deadline. */
  readonly working_hours_left: number | null;
  readonly provisional: boolean;
}

export interface Row {
  readonly case_id: string;
  readonly category_code: string | null;
  readonly category: string | null;
  readonly unit_code: string | null;
  readonly community_code: string | null;
  readonly subdistrict_code: string | null;
  readonly owner: string | null;
  readonly state: string;
  readonly source: string | null;
  readonly reported_at: string;
  readonly due_at: string | null;
  readonly closed_at: string | null;
  readonly changed_at: string;
  readonly lon: number | null;
  readonly lat: number | null;
  readonly n_returns: number;
  readonly n_reworks: number;
  readonly n_hand_overs: number;
  readonly n_reopenings: number;
  readonly duplicate_of: string | null;
  readonly version: number;
  /** News come without a clock: the page keeps the one it knows until it asks again. */
  readonly clock?: Clock;
}

export interface CaseEvent {
  readonly version: number;
  readonly kind: string;
  readonly at: string;
  readonly recorded_at: string;
  readonly by: string;
  readonly why: string;
  readonly data: Readonly<Record<string, unknown>>;
}

export interface NextStep {
  readonly kind: string;
  readonly title: Words;
  readonly to: string;
  readonly needs: readonly string[];
  readonly why: boolean;
}

export interface Photo {
  readonly id: string;
  readonly kind: string;
}

export interface Whole extends Row {
  readonly clock: Clock;
  readonly description: string;
  readonly photos: readonly Photo[];
  readonly events: readonly CaseEvent[];
  readonly next: readonly NextStep[];
  readonly nearby: readonly Row[];
  /** Only for those who may call back. */
  readonly contact?: Readonly<Record<string, string>>;
}

export interface Step extends NextStep {
  /** The states in which it may come; null for every open one. */
  readonly from: readonly string[] | null;
  readonly powers: readonly string[];
}

export interface Holder {
  readonly subject: string;
  readonly powers: readonly string[];
  readonly owners: readonly string[];
  readonly life_cycle: {
    readonly states: readonly {
      readonly id: string;
      readonly title: Words;
      readonly open: boolean;
      readonly colour: string;
    }[];
    readonly steps: readonly Step[];
  };
  readonly services: readonly {
    readonly code: string;
    readonly name: Words;
    readonly group: Words;
  }[];
  readonly all_owners: readonly { readonly id: string; readonly title: Words }[];
  readonly units: Readonly<Record<string, Words>>;
  readonly timezone: string;
  readonly published_until: number;
  readonly overdue_colour: string;
}

export interface Listed {
  readonly cases: readonly Row[];
  readonly next: string | null;
}

export interface Counts {
  readonly n: number;
  readonly state: Readonly<Record<string, number>>;
  readonly owner: Readonly<Record<string, number>>;
  readonly service_code: Readonly<Record<string, number>>;
  readonly due: Readonly<Record<string, number>>;
}

export interface FigureColumn {
  readonly name: string;
  readonly kind: "count" | "rate" | "duration";
  readonly title: Words;
  /** What a rate is of. */
  readonly basis?: Words | null;
  readonly share?: "median" | "p90";
}

export interface FigureRow {
  readonly group: string | null;
  readonly values: Readonly<Record<string, number | null>>;
}

/** The indicators of a period. */
export interface Figures {
  readonly period: { readonly written: string; readonly known_until: string };
  readonly by: string | null;
  readonly columns: readonly FigureColumn[];
  readonly rows: readonly FigureRow[];
}

export interface Act {
  readonly kind: string;
  readonly why?: string;
  readonly data?: Readonly<Record<string, unknown>>;
  readonly expected: number;
  readonly client_id: string;
}

export interface Done {
  readonly version: number;
  /** null where the case went to somebody else. */
  readonly case: Whole | null;
}

export type News =
  | { readonly event: "hello" }
  | { readonly event: "reload" }
  | { readonly event: "gone"; readonly data: { readonly case_id: string } }
  | {
      readonly event: "case";
      readonly data: { readonly kind: string; readonly by: string; readonly case: Row };
    };
