/** The table beside every map layer: the same features for readers who cannot or would not use the map. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import {
  ApiError,
  fetchRows,
  type Catalogue,
  type Field,
  type Language,
  type Layer,
  type Rows,
  type TableRow,
} from "./api";
import { CloseButton } from "./closebutton";
import { shown } from "./drawer";
import { number, pick, say, unitText, type PlainKey } from "./language";
import { failureText } from "./notices";
import { isMissing } from "./selection";
import type { State, Store } from "./state";

const PAGE = 50;
const CANCEL_AFTER_MS = 5000;

interface Props {
  readonly layer: Layer;
  readonly catalogue: Catalogue;
  readonly state: State;
  readonly store: Store;
  readonly onRow: (layer: Layer, row: TableRow) => void;
}

interface Order {
  readonly sort: string | null;
  readonly descending: boolean;
  readonly offset: number;
}

/** Hotspots begin with the hottest; anything else as it is stored. */
function firstOrder({ fields }: Layer): Order {
  const scored = fields.some(({ name }) => name === "z");
  return { sort: scored ? "z" : null, descending: scored, offset: 0 };
}

type Loading = { rows: Rows | null; failure: ApiError | null; slow: boolean; cancel: () => void };

function useRows(layer: Layer, order: Order, attempt: number): Loading {
  const [rows, setRows] = useState<Rows | null>(null);
  const [failure, setFailure] = useState<ApiError | null>(null);
  const [slow, setSlow] = useState(false);
  const stop = useRef<() => void>(() => undefined);
  useEffect(() => {
    const controller = new AbortController();
    stop.current = () => controller.abort();
    setRows(null);
    setFailure(null);
    const timer = window.setTimeout(() => setSlow(true), CANCEL_AFTER_MS);
    fetchRows(layer.id, { limit: PAGE, ...order }, controller.signal)
      .then(setRows, (error: unknown) => error instanceof ApiError && setFailure(error))
      .finally(() => {
        window.clearTimeout(timer);
        setSlow(false);
      });
    return () => {
      window.clearTimeout(timer);
      controller.abort();
    };
  }, [layer.id, order, attempt]);
  return { rows, failure, slow, cancel: () => stop.current() };
}

/** What a table begins with: the name, then the verdict and its figures. */
const AHEAD = ["name_zh", "name_en", "label", "z", "q", "p"];

/** The columns that come with the rows: the name or the key first, then the verdict, then as described. */
function columnsOf(layer: Layer, rows: Rows | null, language: Language): Field[] {
  const given = rows?.rows[0] ? new Set(Object.keys(rows.rows[0].values)) : null;
  const otherName = language === "zh" ? "name_en" : "name_zh";
  const listed = layer.fields.filter(
    ({ name }) => name !== otherName && (!given || given.has(name)),
  );
  const named = listed.some(({ name }) => name.startsWith("name_"));
  const rank = ({ name }: Field) => {
    if (!named && name === layer.primary_key) return -1;
    const at = AHEAD.indexOf(name);
    return at < 0 ? AHEAD.length : at;
  };
  return listed.sort((left, right) => rank(left) - rank(right));
}

const SHORT: Readonly<Record<string, PlainKey>> = {
  label: "classOf",
  q: "qName",
  observed: "observed",
  expected: "expected",
  n_neighbours: "neighbours",
  n_units: "nUnits",
};

/** A column's heading: a short name where the description is a sentence, its unit behind it. */
function heading(field: Field, language: Language): string {
  const key = SHORT[field.name];
  const bare =
    field.name === "z" || field.name === "p" ? field.name : pick(field.description, language);
  const name = key ? say(language, key) : bare;
  return field.unit ? `${name} (${unitText(field.unit, language)})` : name;
}

function HeadCell({
  field,
  order,
  language,
  onSort,
}: {
  field: Field;
  order: Order;
  language: Language;
  onSort: (name: string) => void;
}) {
  const sorted = order.sort === field.name;
  const direction = sorted ? (order.descending ? "descending" : "ascending") : "none";
  return (
    <th
      scope="col"
      aria-sort={direction}
      class={field.type === "number" || field.type === "integer" ? "numeric" : undefined}
    >
      <button
        type="button"
        class="quiet"
        title={pick(field.description, language)}
        onClick={() => onSort(field.name)}
      >
        {heading(field, language)}
        <span aria-hidden="true">{sorted ? (order.descending ? " ↓" : " ↑") : ""}</span>
      </button>
    </th>
  );
}

function Cells({ row, columns, ...props }: { row: TableRow; columns: readonly Field[] } & Props) {
  const { language } = props.state;
  const [first, ...rest] = columns.map((field) => {
    const value = row.values[field.name];
    const text = isMissing(value) ? "–" : shown(value!, field, language, props.catalogue.timezone);
    const numeric = typeof value === "number";
    return {
      name: field.name,
      text,
      style: numeric ? "numeric" : /_(code|id)$/.test(field.name) ? "code" : "",
    };
  });
  return (
    <tr>
      <th scope="row">
        <button type="button" class="link" onClick={() => props.onRow(props.layer, row)}>
          {first?.text}
        </button>
      </th>
      {rest.map(({ name, text, style }) => (
        <td key={name} class={style}>
          {text}
        </td>
      ))}
    </tr>
  );
}

function Pager({
  n,
  order,
  language,
  onMove,
}: {
  n: number;
  order: Order;
  language: Language;
  onMove: (offset: number) => void;
}) {
  const to = Math.min(n, order.offset + PAGE);
  return (
    <div class="pager">
      <button
        type="button"
        class="quiet"
        disabled={order.offset === 0}
        onClick={() => onMove(order.offset - PAGE)}
      >
        {say(language, "previousPage")}
      </button>
      <span role="status">
        {say(language, "rowsShown", {
          from: number(Math.min(n, order.offset + 1), language),
          to: number(to, language),
          n: number(n, language),
        })}
      </span>
      <button
        type="button"
        class="quiet"
        disabled={to >= n}
        onClick={() => onMove(order.offset + PAGE)}
      >
        {say(language, "nextPage")}
      </button>
    </div>
  );
}

interface StatusProps {
  readonly loading: Loading;
  readonly language: Language;
  readonly onRetry: () => void;
  readonly onCancel: () => void;
}

/** While rows are under way, or did not come: what is happening and what can be done about it. */
function Status({ loading, language, onRetry, onCancel }: StatusProps) {
  const { rows, failure, slow } = loading;
  if (failure) {
    return (
      <p class="notice failed" role="alert">
        {say(language, "tableFailed", { said: failureText(failure, language) })}{" "}
        <button type="button" class="link" onClick={onRetry}>
          {say(language, "retry")}
        </button>
      </p>
    );
  }
  if (rows) return null;
  return (
    <p class="notice" role="status">
      {say(language, "loadingRows")}{" "}
      {slow && (
        <button type="button" class="link" onClick={onCancel}>
          {say(language, "cancel")}
        </button>
      )}
    </p>
  );
}

interface GridProps extends Props {
  readonly rows: Rows | null;
  readonly order: Order;
  readonly title: string;
  readonly onSort: (name: string) => void;
}

function Grid({ rows, order, title, onSort, ...props }: GridProps) {
  const { language } = props.state;
  const columns = columnsOf(props.layer, rows, language);
  return (
    <div
      class="table-scroll"
      tabIndex={0}
      role="region"
      aria-labelledby="table-title"
      aria-busy={!rows}
    >
      <table>
        <caption class="unseen">{say(language, "tableCaption", { title })}</caption>
        <thead>
          <tr>
            {columns.map((field) => (
              <HeadCell
                key={field.name}
                field={field}
                order={order}
                language={language}
                onSort={onSort}
              />
            ))}
          </tr>
        </thead>
        <tbody>
          {rows?.rows.map((row, at) => (
            <Cells key={`${order.offset}/${at}`} row={row} columns={columns} {...props} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function LayerTable(props: Props) {
  const { layer, state, store } = props;
  const { language } = state;
  const dialog = useRef<HTMLDialogElement>(null);
  const [order, setOrder] = useState<Order>(() => firstOrder(layer));
  const [attempt, setAttempt] = useState(0);
  const loading = useRows(layer, order, attempt);
  const { rows, cancel } = loading;
  useLayoutEffect(() => dialog.current?.showModal(), []);
  const close = () => dialog.current?.close();
  const sort = (name: string) => {
    const descending = order.sort === name && !order.descending;
    setOrder({ sort: name, descending, offset: 0 });
  };
  const title = pick(layer.title, language);
  return (
    <dialog
      class="table-dialog"
      id="table"
      ref={dialog}
      aria-labelledby="table-title"
      onClose={() => store.update({ table: null }, "movement")}
    >
      <header class="drawer-head">
        <h2 id="table-title">{title}</h2>
        <CloseButton name={say(language, "close")} onClick={close} />
      </header>
      <Status
        loading={loading}
        language={language}
        onRetry={() => setAttempt(attempt + 1)}
        onCancel={() => {
          cancel();
          close();
        }}
      />
      <Grid {...props} rows={rows} order={order} title={title} onSort={sort} />
      {rows && (
        <Pager
          n={rows.n}
          order={order}
          language={language}
          onMove={(offset) => setOrder({ ...order, offset })}
        />
      )}
    </dialog>
  );
}
