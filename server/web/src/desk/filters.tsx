/** What the list is narrowed by: deadline, state, owner, grid, class; each choice says how many cases it gives. */
import { useMemo, useRef, useState } from "preact/hooks";
import { number, pick } from "../language";
import { Icon } from "./icons";
import type { Names } from "./names";
import { DUES, OPEN, type DeskState, type DeskStore } from "./state";
import { tell } from "./words";

interface Props {
  readonly state: DeskState;
  readonly store: DeskStore;
  readonly names: Names;
  readonly onOpen: (id: string) => void;
}

/** Something that can be looked for by its name. */
interface Thing {
  readonly name: string;
  readonly apply: () => void;
}

function useThings({ store, names }: Props): readonly Thing[] {
  return useMemo(() => {
    const { holder, language } = names;
    const units = Object.entries(holder.units).flatMap(([code, title]) => {
      const apply = () => store.filter({ unit: code });
      return [{ name: code, apply }, ...(title.zh ? [{ name: pick(title, language), apply }] : [])];
    });
    const services = holder.services.map(({ code, name }) => ({
      name: pick(name, language),
      apply: () => store.filter({ service: code }),
    }));
    const owners = holder.all_owners.map(({ id, title }) => ({
      name: pick(title, language),
      apply: () => store.filter({ owner: id }),
    }));
    return [...owners, ...services, ...units];
  }, [names, store]);
}

const MOST_OFFERED = 12;

function Search(props: Props) {
  const { names, onOpen } = props;
  const { language } = names;
  const things = useThings(props);
  const field = useRef<HTMLInputElement>(null);
  const [said, setSaid] = useState("");
  const [missed, setMissed] = useState("");
  const low = said.trim().toLowerCase();
  const offered = low ? things.filter(({ name }) => name.toLowerCase().includes(low)) : [];
  const submit = (event: Event) => {
    event.preventDefault();
    if (!low) return;
    const thing = offered.find(({ name }) => name.toLowerCase() === low) ?? offered[0];
    if (thing) thing.apply();
    else if (/\d/.test(low)) onOpen(said.trim());
    else return setMissed(said.trim());
    setSaid("");
    setMissed("");
    field.current!.blur();
  };
  return (
    <form class="search" role="search" onSubmit={submit}>
      <Icon name="search" />
      <input
        id="search"
        ref={field}
        type="search"
        list="things"
        autocomplete="off"
        placeholder={tell(language, "search")}
        aria-label={tell(language, "search")}
        value={said}
        onInput={({ currentTarget }) => {
          setSaid(currentTarget.value);
          setMissed("");
        }}
      />
      <kbd aria-hidden="true">/</kbd>
      <datalist id="things">
        {offered.slice(0, MOST_OFFERED).map(({ name }) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      <p role="status" class={missed ? "muted" : "unseen"}>
        {missed && tell(language, "searchNothing", { said: missed })}
      </p>
    </form>
  );
}

function Dues({ state, store }: Props) {
  const { language, filters, counts } = state;
  const chip = (due: (typeof DUES)[number]) => (
    <button
      key={due}
      type="button"
      class="chip"
      data-due={due}
      aria-pressed={filters.due === due}
      onClick={() => store.filter({ due: filters.due === due ? null : due })}
    >
      {tell(language, `due_${due}`)}
      <b>{counts ? number(counts.due[due] ?? 0, language) : "·"}</b>
    </button>
  );
  return (
    <div class="chips" role="group" aria-label={tell(language, "dueFilter")}>
      {DUES.map(chip)}
    </div>
  );
}

interface Choice {
  readonly value: string;
  readonly name: string;
}

function Select({
  id,
  label,
  any,
  value,
  choices,
  onChoose,
}: {
  id: string;
  label: string;
  any: string | null;
  value: string;
  choices: readonly Choice[];
  onChoose: (value: string) => void;
}) {
  // prettier-ignore
  const known = choices.some((each) => each.value === value) || value === "";
  return (
    <select
      id={id}
      aria-label={label}
      title={label}
      data-chosen={value !== "" && value !== OPEN}
      value={value}
      onChange={({ currentTarget }) => onChoose(currentTarget.value)}
    >
      {any !== null && <option value="">{any}</option>}
      {!known && <option value={value}>{value}</option>}
      {choices.map((each) => (
        <option key={each.value} value={each.value}>
          {each.name}
        </option>
      ))}
    </select>
  );
}

export function Filters(props: Props) {
  const { state, store, names } = props;
  const { language, filters, counts } = state;
  const { holder } = names;
  const withCount = (name: string, n: number | undefined) =>
    n === undefined ? name : `${name} (${number(n, language)})`;
  const countsOf = counts?.state ?? {};
  const nOpen = names.openStates.reduce((sum, id) => sum + (countsOf[id] ?? 0), 0);
  const states = [
    { value: OPEN, name: withCount(tell(language, "anyOpen"), counts ? nOpen : undefined) },
    ...holder.life_cycle.states.map(({ id }) => ({
      value: id,
      name: withCount(names.state(id), counts ? (countsOf[id] ?? 0) : undefined),
    })),
  ];
  const counted = (
    said: Readonly<Record<string, number>> | undefined,
    name: (id: string) => string,
  ) =>
    Object.entries(said ?? {})
      .filter(([id]) => id !== "")
      .map(([id, n]) => ({ value: id, name: withCount(name(id), n) }));
  const units = Object.keys(holder.units)
    .filter((code) => code.length <= 12)
    .map((code) => ({
      value: code,
      name: `${code.length > 9 ? "\u2003" : ""}${names.unit(code)}`,
    }));
  return (
    <div class="filters">
      <Search {...props} />
      <Dues {...props} />
      <div class="selects">
        <Select
          id="state"
          label={tell(language, "stateFilter")}
          any={tell(language, "anyState")}
          value={filters.state}
          choices={states}
          onChoose={(value) => store.filter({ state: value })}
        />
        <Select
          id="owner"
          label={tell(language, "ownerFilter")}
          any={tell(language, "anyOwner")}
          value={filters.owner}
          choices={counted(counts?.owner, (id) => names.owner(id))}
          onChoose={(owner) => store.filter({ owner })}
        />
        <Select
          id="service"
          label={tell(language, "serviceFilter")}
          any={tell(language, "anyService")}
          value={filters.service}
          choices={counted(counts?.service_code, (code) => names.service(code))}
          onChoose={(service) => store.filter({ service })}
        />
        <Select
          id="unit"
          label={tell(language, "unitFilter")}
          any={tell(language, "anyUnit")}
          value={filters.unit}
          choices={units}
          onChoose={(unit) => store.filter({ unit })}
        />
      </div>
    </div>
  );
}
