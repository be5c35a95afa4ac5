/** What is wrong: the classes this phone uses most, then all of them with a search. */
import { useMemo, useState } from "preact/hooks";
import type { Language } from "../api";
import { pick } from "../language";
import { Dialog } from "./dialog";
import { Icon } from "./icons";
import type { Service } from "./types";
import { say } from "./words";

const SHOWN = 6;

/** How often something was reported: a class on this phone, or a category in the city. */
export type Uses = Readonly<Record<string, number>>;

/** What this phone reports most, then what the city has most, then the order of the list. */
function frequent(services: readonly Service[], uses: Uses, common: Uses): readonly Service[] {
  const own = ({ code }: Service) => uses[code] ?? 0;
  const all = ({ category }: Service) => common[category] ?? 0;
  return [...services]
    .sort((left, right) => own(right) - own(left) || all(right) - all(left))
    .slice(0, SHOWN);
}

/** The classes that a search means: by name in either language, code, keyword or description. */
function matching(services: readonly Service[], text: string): readonly Service[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return services.filter(({ code, name, group, description, keywords }) => {
    const all = [code, name.zh, name.en, group.zh, group.en, description.zh, description.en];
    const within = [...all, ...keywords].join(" ").toLowerCase();
    return words.every((word) => within.includes(word));
  });
}

/** Classes by the name of their group, in the order in which they come. */
function grouped(services: readonly Service[], language: Language): [string, Service[]][] {
  const groups = new Map<string, Service[]>();
  for (const service of services) {
    const name = pick(service.group, language);
    groups.set(name, [...(groups.get(name) ?? []), service]);
  }
  return [...groups];
}

interface Props {
  readonly services: readonly Service[];
  readonly uses: Uses;
  readonly common: Uses;
  readonly chosen: string | null;
  readonly language: Language;
  readonly fault: string | null;
  readonly onChoose: (code: string | null) => void;
}

export function ClassPicker({ services, uses, common, chosen, language, fault, onChoose }: Props) {
  const [open, setOpen] = useState(false);
  const shown = useMemo(() => frequent(services, uses, common), [services, uses, common]);
  const current = services.find(({ code }) => code === chosen);
  const choose = (code: string) => {
    setOpen(false);
    onChoose(code);
  };
  return (
    <section class="block" aria-labelledby="class-title" id="classes">
      <h2 id="class-title" class={current ? "unseen" : ""}>
        {say(language, "classTitle")}
      </h2>
      {fault && (
        <p class="fault" role="alert" id="class-fault">
          {fault}
        </p>
      )}
      {current ? (
        <button
          type="button"
          class="chosen"
          id="chosen-class"
          onClick={() => setOpen(true)}
          aria-haspopup="dialog"
        >
          <Icon name="check" />
          <span>
            <strong>{pick(current.name, language)}</strong>
            <small>{pick(current.group, language)}</small>
          </span>
          <Icon name="onward" size={18} />
        </button>
      ) : (
        <>
          <ul class="class-grid">
            {shown.map(({ code, name }) => (
              <li key={code}>
                <button type="button" class="class" data-code={code} onClick={() => choose(code)}>
                  {pick(name, language)}
                </button>
              </li>
            ))}
          </ul>
          <button
            type="button"
            class="class all-classes"
            id="all-classes"
            aria-haspopup="dialog"
            onClick={() => setOpen(true)}
          >
            <Icon name="search" size={18} />
            {say(language, "allClasses", { n: String(services.length) })}
          </button>
        </>
      )}
      {open && (
        <ClassDialog
          services={services}
          language={language}
          chosen={chosen}
          onChoose={choose}
          onClose={() => setOpen(false)}
        />
      )}
    </section>
  );
}

interface DialogProps extends Pick<Props, "services" | "language" | "chosen"> {
  readonly onChoose: (code: string) => void;
  readonly onClose: () => void;
}

function ClassDialog({ services, language, chosen, onChoose, onClose }: DialogProps) {
  const [text, setText] = useState("");
  const found = matching(services, text);
  const groups = grouped(found, language);
  const search = (
    <div class="search">
      <Icon name="search" size={18} />
      <input
        type="search"
        id="class-search"
        value={text}
        aria-label={say(language, "searchClasses")}
        placeholder={say(language, "searchClasses")}
        onInput={({ currentTarget }) => setText(currentTarget.value)}
      />
    </div>
  );
  return (
    <Dialog
      id="class-dialog"
      title={say(language, "classTitle")}
      language={language}
      onClose={onClose}
      head={search}
    >
      <p class="unseen" role="status">
        {say(language, "classesFound", { n: String(found.length) })}
      </p>
      {groups.map(([group, members]) => (
        <section key={group}>
          <h3>{group}</h3>
          <ul class="class-list">
            {members.map(({ code, name, description }) => (
              <li key={code}>
                <button
                  type="button"
                  data-code={code}
                  aria-pressed={code === chosen}
                  onClick={() => onChoose(code)}
                >
                  <span>{pick(name, language)}</span>
                  {description.zh !== name.zh && <small>{pick(description, language)}</small>}
                </button>
              </li>
            ))}
          </ul>
        </section>
      ))}
      {found.length === 0 && (
        <p class="empty">
          {say(language, "noClassFound", { text })}{" "}
          <button type="button" class="link" onClick={() => setText("")}>
            {say(language, "clearSearch")}
          </button>
        </p>
      )}
    </Dialog>
  );
}
