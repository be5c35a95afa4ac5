/** What things are called, in the reader's language. */
import type { Language } from "../api";
import { pick } from "../language";
import type { Holder, Row } from "./types";
import { tell } from "./words";

export class Names {
  private readonly states: ReadonlyMap<string, Holder["life_cycle"]["states"][number]>;
  private readonly steps: ReadonlyMap<string, Holder["life_cycle"]["steps"][number]>;
  private readonly services: ReadonlyMap<string, Holder["services"][number]>;
  private readonly owners: ReadonlyMap<string, Holder["all_owners"][number]>;

  constructor(
    readonly holder: Holder,
    readonly language: Language,
  ) {
    this.states = new Map(holder.life_cycle.states.map((each) => [each.id, each]));
    this.steps = new Map(holder.life_cycle.steps.map((each) => [each.kind, each]));
    this.services = new Map(holder.services.map((each) => [each.code, each]));
    this.owners = new Map(holder.all_owners.map((each) => [each.id, each]));
  }

  get openStates(): string[] {
    return this.holder.life_cycle.states.filter(({ open }) => open).map(({ id }) => id);
  }

  state(id: string): string {
    const found = this.states.get(id);
    return found ? pick(found.title, this.language) : id;
  }

  step(kind: string): string {
    const found = this.steps.get(kind);
    return found ? pick(found.title, this.language) : kind;
  }

  service(code: string | null): string {
    const found = code === null ? undefined : this.services.get(code);
    return found ? pick(found.name, this.language) : (code ?? "—");
  }

  owner(id: string | null): string {
    if (!id) return tell(this.language, "nobody");
    const found = this.owners.get(id);
    return found ? pick(found.title, this.language) : id;
  }

  unit(code: string): string {
    const found = this.holder.units[code];
    return (found && pick(found, this.language)) || code;
  }

  /** The places that a case lies in, the widest first, each once. */
  place({ subdistrict_code, community_code, unit_code }: Row): string {
    const codes = [subdistrict_code, community_code, unit_code].filter((code) => code !== null);
    if (codes.length === 0) return tell(this.language, "outside");
    return [...new Set(codes.map((code) => this.unit(code)))].join(" · ");
  }
}
