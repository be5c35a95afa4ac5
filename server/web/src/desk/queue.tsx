/** The list of cases: the most urgent first; it keeps its place while others work. */
import { useEffect, useRef } from "preact/hooks";
import { number } from "../language";
import { failureText } from "../notices";
import { clockText, dueText } from "./clock";
import { stateColours } from "./colours";
import type { Queue as Loaded } from "./loading";
import type { Names } from "./names";
import {
  NO_FILTERS,
  ORDERS,
  type DeskState,
  type DeskStore,
  type Filters,
  type Order,
} from "./state";
import type { Row } from "./types";
import { tell } from "./words";

interface Props {
  readonly state: DeskState;
  readonly store: DeskStore;
  readonly names: Names;
  readonly queue: Loaded;
  readonly mayMark: boolean;
  readonly onOpen: (id: string) => void;
}

export function ClockSign({ row, names }: { row: Row; names: Names }) {
  const { language, holder } = names;
  const { clock, due_at } = row;
  const year = due_at ? due_at.slice(0, 4) : "";
  return (
    <span class="clock" data-stands={clock?.stands ?? "none"}>
      <b title={tell(language, "workingTime")}>{clockText(row, language)}</b>
      {due_at && (
        <span>{tell(language, "due", { time: dueText(due_at, language, holder.timezone) })}</span>
      )}
      {clock?.provisional && (
        <span class="badge" title={tell(language, "provisionalWhy", { year })}>
          {tell(language, "provisional")}
        </span>
      )}
    </span>
  );
}

export function StateSign({ id, names, state }: { id: string; names: Names; state: DeskState }) {
  return (
    <span class="state">
      <i style={{ background: stateColours(names.holder, state.theme).get(id) }} />
      {names.state(id)}
    </span>
  );
}

function Line({ row, at, ...props }: Props & { row: Row; at: number }) {
  const { state, store, names, mayMark, onOpen } = props;
  const { language, selected, marked, gone } = state;
  const { case_id } = row;
  const isGone = gone.includes(case_id);
  return (
    <li
      class="row"
      data-id={case_id}
      data-gone={isGone}
      data-stands={row.clock?.stands}
      aria-current={selected === case_id}
    >
      {mayMark && (
        <input
          type="checkbox"
          tabIndex={-1}
          aria-label={tell(language, "mark", { id: case_id })}
          checked={marked.includes(case_id)}
          disabled={isGone}
          onChange={() => store.mark(case_id)}
        />
      )}
      <button type="button" class="open" data-at={at} onClick={() => onOpen(case_id)}>
        <span class="row-title">
          <strong>{names.service(row.category_code)}</strong>
          {isGone && <em>{tell(language, "goneRow")}</em>}
        </span>
        <span class="row-place">{names.place(row)}</span>
        <span class="row-more">
          {names.owner(row.owner)} <span class="code">{case_id}</span>
        </span>
        <span class="row-side">
          <ClockSign row={row} names={names} />
          <StateSign id={row.state} names={names} state={state} />
        </span>
      </button>
    </li>
  );
}

/** Each filter that is on, to be taken off where it leaves nothing. */
function chosen(
  filters: Filters,
  names: Names,
): readonly { name: string; undo: Partial<Filters> }[] {
  const { language } = names;
  const { state, due, owner, unit, service } = filters;
  return [
    state &&
      state !== NO_FILTERS.state && { name: names.state(state), undo: { state: NO_FILTERS.state } },
    due && { name: tell(language, `due_${due}`), undo: { due: null } },
    owner && { name: names.owner(owner), undo: { owner: "" } },
    service && { name: names.service(service), undo: { service: "" } },
    unit && { name: names.unit(unit), undo: { unit: "" } },
  ].filter((each) => typeof each === "object" && each !== null);
}

function Empty({ state, store, names }: Props) {
  const { language, filters } = state;
  const on = chosen(filters, names);
  return (
    <div class="empty" role="status">
      <p>{tell(language, on.length > 0 ? "emptyBy" : "emptyClean")}</p>
      <p class="undo">
        {on.map(({ name, undo }) => (
          <button
            key={name}
            type="button"
            class="chip"
            aria-label={tell(language, "removeFilter", { name })}
            onClick={() => store.filter(undo)}
          >
            {name} <span aria-hidden="true">×</span>
          </button>
        ))}
      </p>
    </div>
  );
}

function Bones() {
  return (
    <div class="bones" aria-hidden="true">
      {[0, 1, 2, 3, 4, 5].map((each) => (
        <div key={each}>
          <span class="bone bone-title" />
          <span class="bone" />
          <span class="bone bone-short" />
        </div>
      ))}
    </div>
  );
}

function ListHead({ state, store }: Props) {
  const { language, counts, order } = state;
  const n = counts?.n;
  const found =
    n === undefined
      ? ""
      : n === 1
        ? tell(language, "foundOne")
        : tell(language, "found", { n: number(n, language) });
  return (
    <div class="list-head">
      <p aria-live="polite" id="found">
        {found}
      </p>
      <select
        id="order"
        aria-label={tell(language, "order")}
        value={order}
        onChange={({ currentTarget }) => store.update({ order: currentTarget.value as Order })}
      >
        {ORDERS.map((each) => (
          <option key={each} value={each}>
            {tell(language, `order_${each}`)}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Queue(props: Props) {
  const { state, queue, names } = props;
  const { language, rows, next, loading, failed, fresh } = state;
  const scroll = useRef<HTMLDivElement>(null);
  useEffect(() => {
    if (loading === "first") scroll.current?.scrollTo({ top: 0 });
  }, [loading]);
  return (
    <section class="list" aria-label={tell(language, "cases")} aria-busy={loading !== null}>
      <ListHead {...props} />
      <div class="scroll" ref={scroll} tabIndex={-1} id="cases">
        <p class="fresh" role="status">
          {fresh.length > 0 && (
            <button type="button" id="fresh" onClick={queue.reload}>
              <span aria-hidden="true">↑</span>{" "}
              {tell(language, "fresh", { n: number(fresh.length, language) })}
            </button>
          )}
        </p>
        {failed !== null && (
          <p class="notice failed" role="alert">
            {failureText(failed, language)}{" "}
            <button type="button" class="link" onClick={queue.reload}>
              {tell(language, "retry")}
            </button>
          </p>
        )}
        {loading === "first" && rows.length === 0 && <Bones />}
        {loading === null && failed === null && rows.length === 0 && <Empty {...props} />}
        <ol data-stale={loading === "first"}>
          {rows.map((row, at) => (
            <Line key={row.case_id} {...props} row={row} at={at} names={names} />
          ))}
        </ol>
        {next && (
          <button
            type="button"
            class="quiet more-rows"
            onClick={queue.more}
            disabled={loading !== null}
          >
            {tell(language, loading === "more" ? "loading" : "more")}
          </button>
        )}
      </div>
    </section>
  );
}
