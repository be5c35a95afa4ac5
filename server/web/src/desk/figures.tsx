/** The indicators of a period, told apart by whose, where or what the cases are, with what every rate is made of. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../api";
import { CloseButton } from "../closebutton";
import { figure, moment, number, percent, pick } from "../language";
import { failureText } from "../notices";
import type { Asking } from "./asking";
import type { Names } from "./names";
import { KINDS, around, beside, periodText, today, written, type Period } from "./periods";
import { NO_FILTERS, asked, type DeskState, type DeskStore, type Filters } from "./state";
import type { FigureColumn, FigureRow, Figures } from "./types";
import { tell } from "./words";

interface Props {
  readonly asking: Asking;
  readonly state: DeskState;
  readonly store: DeskStore;
  readonly names: Names;
  readonly onClose: () => void;
}

const BY = ["owner", "subdistrict_code", "community_code", "unit_code", "category_code", "source"] as const; // prettier-ignore
type By = (typeof BY)[number];

/** Of all that is reckoned, what is read every week; the rest is in the server's answer. */
const SHOWN = [
  "n_reported", "n_filed", "n_handled", "n_closed", "n_overdue", "handling_on_time_rate", "closing_on_time_rate",
  "rework_rate", "return_rate", "time_to_close_hours_median", "time_to_close_hours_p90",
]; // prettier-ignore

interface Loaded {
  readonly whole: Figures;
  readonly parts: Figures;
}

/** The whole and its parts, asked for anew with every period; the former ones stay in sight until then. */
function useFigures({ asking, state }: Props, period: string, by: By, isCompared: boolean) {
  const { owner, unit, service } = state.filters;
  const [loaded, setLoaded] = useState<Loaded | null>(null);
  const [busy, setBusy] = useState(true);
  const [error, setError] = useState<unknown>(null);
  const [tries, setTries] = useState(0);
  useEffect(() => {
    const now = new AbortController();
    const query = asked({ ...NO_FILTERS, state: "", owner, unit, service });
    query.set("period", period);
    if (isCompared) query.set("compare", "true");
    const parted = new URLSearchParams(query);
    parted.set("by", by);
    setBusy(true);
    setError(null);
    Promise.all([asking.figures(query, now.signal), asking.figures(parted, now.signal)])
      .then(
        ([whole, parts]) => setLoaded({ whole, parts }),
        (said: unknown) => now.signal.aborted || setError(said),
      )
      .finally(() => now.signal.aborted || setBusy(false));
    return () => now.abort();
  }, [asking, owner, unit, service, period, by, isCompared, tries]);
  return { loaded, busy, error, retry: () => setTries((n) => n + 1) };
}

/** What the row of a group is called. */
function groupName(group: string | null, by: By, names: Names): string {
  if (by === "owner") return names.owner(group);
  if (group === null) return by.endsWith("_code") && by !== "category_code" ? tell(names.language, "outside") : "—"; // prettier-ignore
  if (by === "category_code") return names.service(group);
  return by === "source" ? group : names.unit(group);
}

/** The filter that leaves the cases of a group; null where the list has none for it. */
function filterOf(group: string | null, by: By): Partial<Filters> | null {
  if (group === null || by === "source") return null;
  return by === "owner" ? { owner: group } : by === "category_code" ? { service: group } : { unit: group }; // prettier-ignore
}

/** Time by the clock, nights and Sundays too: in minutes below two hours, in days from two days. */
function lastedText(hours: number, language: Language): string {
  if (hours < 2) return tell(language, "minutes", { n: number(Math.round(60 * hours), language) });
  const inDays = hours >= 48;
  const n = figure(inDays ? hours / 24 : hours, language);
  return tell(language, inDays ? "lastedDays" : "lastedHours", { n });
}

const CHANGES = { changeBefore: "_change_before", changeYearAgo: "_change_year_ago" } as const;

/** How much more or less than in the period before and a year ago: of a rate in points, of the rest relative to it. */
function Changes({ column, row, names }: CellProps) {
  const { language } = names;
  const said = (change: number) => {
    const sign = change > 0 ? "+" : "";
    if (column.kind !== "rate") return `${sign}${percent(change, language)}`;
    return tell(language, "points", { n: `${sign}${number(100 * change, language, 1)}` });
  };
  return (
    <>
      {(Object.keys(CHANGES) as (keyof typeof CHANGES)[]).map((key) => {
        const change = row.values[`${column.name}${CHANGES[key]}`] ?? null;
        return (
          change !== null && (
            <span key={key} class="muted change">
              {tell(language, key, { change: said(change) })}
            </span>
          )
        );
      })}
    </>
  );
}

interface CellProps {
  readonly column: FigureColumn;
  readonly row: FigureRow;
  readonly names: Names;
}

function Cell({ column, row, names }: CellProps) {
  const { language } = names;
  const value = row.values[column.name];
  if (value === null || value === undefined) return <td class="numeric muted">—</td>;
  const part = (name: string) => number(row.values[`${column.name}_${name}`] ?? 0, language);
  const said = {
    count: () => number(value, language),
    duration: () => lastedText(value, language),
    rate: () => `${number(value * 100, language, 1)}${language === "en" ? " %" : "%"}`,
  };
  return (
    <td class="numeric">
      {said[column.kind]()}
      {column.kind === "rate" && (
        <span class="muted">
          {part("numerator")}/{part("denominator")}
        </span>
      )}
      <Changes column={column} row={row} names={names} />
    </td>
  );
}

interface Order {
  readonly name: string;
  readonly descending: boolean;
}

/** Groups by a column, those without a value last. */
function sorted(rows: readonly FigureRow[], { name, descending }: Order): readonly FigureRow[] {
  const sign = descending ? -1 : 1;
  return [...rows].sort((left, right) => {
    const [one, other] = [left.values[name] ?? null, right.values[name] ?? null];
    if (one === null || other === null) return Number(one === null) - Number(other === null);
    return sign * (one - other);
  });
}

function heading({ title, kind, share }: FigureColumn, names: Names): string {
  const said = pick(title, names.language);
  return kind === "duration" && share ? tell(names.language, `share_${share}`, { said }) : said;
}

const columnsOf = ({ columns }: Figures): readonly FigureColumn[] =>
  SHOWN.flatMap((name) => columns.find((each) => each.name === name) ?? []);

/** What each rate is of: one name is reckoned in several ways in the field. */
function Bases({ figures, names }: { figures: Figures; names: Names }) {
  const { language } = names;
  const rates = columnsOf(figures).filter(({ basis }) => basis);
  return (
    <details class="figures-bases">
      <summary>{tell(language, "bases")}</summary>
      <dl>
        {rates.map((column) => (
          <div key={column.name}>
            <dt>{heading(column, names)}</dt>
            <dd>{pick(column.basis!, language)}</dd>
          </div>
        ))}
      </dl>
      <p>{tell(language, "basesTime")}</p>
      <p>{tell(language, "basesCompare")}</p>
    </details>
  );
}

interface TableProps extends Props {
  readonly loaded: Loaded;
  readonly by: By;
  readonly onDone: () => void;
}

function Table({ loaded, by, store, names, onDone }: TableProps) {
  const { language } = names;
  const [order, setOrder] = useState<Order>({ name: "n_filed", descending: true });
  const columns = columnsOf(loaded.parts);
  const cells = (row: FigureRow) =>
    columns.map((column) => <Cell key={column.name} column={column} row={row} names={names} />);
  const [whole] = loaded.whole.rows;
  if (!whole || loaded.parts.rows.length === 0) {
    return (
      <p class="muted" id="figures-none">
        {tell(language, "noFigures")}
      </p>
    );
  }
  const head = (column: FigureColumn) => {
    const isIt = order.name === column.name;
    return (
      <th
        key={column.name}
        scope="col"
        class="numeric"
        aria-sort={isIt ? (order.descending ? "descending" : "ascending") : "none"}
      >
        <button
          type="button"
          class="quiet"
          onClick={() => setOrder({ name: column.name, descending: !isIt || !order.descending })}
        >
          {heading(column, names)}
        </button>
      </th>
    );
  };
  const line = (row: FigureRow) => {
    const filter = filterOf(row.group, by);
    const name = groupName(row.group, by, names);
    const show = () => (store.filter(filter!), onDone());
    return (
      <tr key={row.group}>
        <th scope="row">
          {filter ? (
            <button type="button" class="link" onClick={show}>
              {name}
            </button>
          ) : (
            name
          )}
        </th>
        {cells(row)}
      </tr>
    );
  };
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{tell(language, `by_${by}`)}</th>
          {columns.map(head)}
        </tr>
      </thead>
      <tbody>
        <tr class="whole">
          <th scope="row">{tell(language, "together")}</th>
          {cells(whole)}
        </tr>
        {sorted(loaded.parts.rows, order).map(line)}
      </tbody>
    </table>
  );
}

interface ChoiceProps {
  readonly names: Names;
  readonly period: Period;
  readonly by: By;
  readonly onPeriod: (period: Period) => void;
  readonly onBy: (by: By) => void;
  readonly isCompared: boolean;
  readonly onCompared: (isCompared: boolean) => void;
}

function Choices({ names, period, by, onPeriod, onBy, isCompared, onCompared }: ChoiceProps) {
  const { language, holder } = names;
  const now = today(holder.timezone);
  const next = beside(period, 1);
  return (
    <div class="figures-choices">
      <div class="figures-kinds" role="group" aria-label={tell(language, "periodKind")}>
        {KINDS.map((kind) => (
          <button
            key={kind}
            type="button"
            class="quiet"
            data-kind={kind}
            aria-pressed={period.kind === kind}
            onClick={() => onPeriod(around(kind, now))}
          >
            {tell(language, `kind_${kind}`)}
          </button>
        ))}
      </div>
      <div class="figures-period">
        <button
          type="button"
          class="quiet icon"
          id="period-before"
          aria-label={tell(language, "periodBefore")}
          onClick={() => onPeriod(beside(period, -1))}
        >
          ‹
        </button>
        <output id="period" data-written={written(period)} aria-live="polite">
          {periodText(period, language)}
        </output>
        <button
          type="button"
          class="quiet icon"
          id="period-after"
          aria-label={tell(language, "periodAfter")}
          disabled={next.first > now}
          onClick={() => onPeriod(next)}
        >
          ›
        </button>
      </div>
      <select
        id="figures-by"
        aria-label={tell(language, "tellApart")}
        value={by}
        onChange={({ currentTarget }) => onBy(currentTarget.value as By)}
      >
        {BY.map((each) => (
          <option key={each} value={each}>
            {tell(language, `by_${each}`)}
          </option>
        ))}
      </select>
      <label class="figures-compare">
        <input
          type="checkbox"
          id="figures-compare"
          checked={isCompared}
          onChange={({ currentTarget }) => onCompared(currentTarget.checked)}
        />
        {tell(language, "compare")}
      </label>
    </div>
  );
}

interface MeantProps extends Pick<Props, "state" | "names"> {
  readonly period: Period;
  readonly loaded: Loaded | null;
}

/** Which cases are meant, and until when they are known. */
function Meant({ state, names, period, loaded }: MeantProps) {
  const { language, holder } = names;
  const { owner, unit, service } = state.filters;
  const said = [owner && names.owner(owner), unit && names.unit(unit), service && names.service(service)].filter(Boolean); // prettier-ignore
  const until =
    beside(period, 1).first > today(holder.timezone) && loaded?.whole.period.known_until;
  return (
    <p class="muted">
      {said.length > 0 ? said.join(" · ") : tell(language, "allCases")}
      {until &&
        ` · ${tell(language, "knownUntil", { time: moment(until, language, holder.timezone) })}`}
    </p>
  );
}

export function FiguresDialog(props: Props) {
  const { state, names, onClose } = props;
  const { language, holder } = names;
  const dialog = useRef<HTMLDialogElement>(null);
  const [period, setPeriod] = useState(() => around("month", today(holder.timezone)));
  const [by, setBy] = useState<By>("owner");
  const [isCompared, setCompared] = useState(false);
  const { loaded, busy, error, retry } = useFigures(props, written(period), by, isCompared);
  useLayoutEffect(() => dialog.current!.showModal(), []);
  const close = () => dialog.current!.close();
  const shown = loaded && loaded.parts.by === by ? loaded : null;
  return (
    <dialog
      ref={dialog}
      class="figures-dialog"
      id="figures"
      aria-labelledby="figures-title"
      onClose={onClose}
    >
      <header>
        <div>
          <h2 id="figures-title">{tell(language, "figures")}</h2>
          <Meant state={state} names={names} period={period} loaded={shown} />
        </div>
        <CloseButton name={tell(language, "close")} onClick={close} />
      </header>
      <Choices
        names={names}
        period={period}
        by={by}
        onPeriod={setPeriod}
        onBy={setBy}
        isCompared={isCompared}
        onCompared={setCompared}
      />
      {error !== null && (
        <p class="notice failed" role="alert">
          {failureText(error, language)}{" "}
          <button type="button" class="link" onClick={retry}>
            {tell(language, "retry")}
          </button>
        </p>
      )}
      <div
        class="figures-scroll"
        role="region"
        tabIndex={0}
        aria-labelledby="figures-title"
        aria-busy={busy}
      >
        {shown ? (
          <Table {...props} loaded={shown} by={by} onDone={close} />
        ) : (
          error === null && <p class="muted">{tell(language, "loading")}</p>
        )}
      </div>
      {shown && <Bases figures={shown.whole} names={names} />}
    </dialog>
  );
}
