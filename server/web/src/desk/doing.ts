/** Taking steps: one after the other, each sent once however often it is tried, and what others did meanwhile. */
import { ApiError } from "../api";
import type { Asking } from "./asking";
import type { CaseEvent, NextStep, Row, Whole } from "./types";

/** What a reader wrote for the last of the steps. */
export interface Said {
  readonly why: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Somebody else was faster. */
export interface Conflict {
  readonly case: Whole;
  readonly since: readonly CaseEvent[];
}

export function conflictOf(error: unknown): Conflict | null {
  if (!(error instanceof ApiError) || error.status !== 409) return null;
  const { case: found, since } = error.problem as { case?: Whole; since?: readonly CaseEvent[] };
  return found && since ? { case: found, since } : null;
}

/** A name for each act, so that sending it again does it once. */
export const newId = (): string => crypto.randomUUID();

/** Take the steps; gives the case as it is then, or null where it is no longer the reader's. */
export async function take(
  asking: Asking,
  { case_id, version }: Pick<Row, "case_id" | "version">,
  path: readonly NextStep[],
  { why, data }: Said,
  id: string,
): Promise<Whole | null> {
  let expected = version;
  let found: Whole | null = null;
  for (const [at, step] of path.entries()) {
    const isLast = at === path.length - 1;
    const said = isLast ? { why, data } : {};
    const act = { kind: step.kind, expected, client_id: `${id}-${at}`, ...said };
    const done = await asking.act(case_id, act);
    expected = done.version;
    found = done.case;
  }
  return found;
}
