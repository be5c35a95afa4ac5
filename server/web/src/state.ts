/** What is being looked at: one immutable value, replaced as a whole, told to everybody who listens. */
import { useEffect, useState } from "preact/hooks";
import type { Language } from "./api";

export type Theme = "light" | "dark";
export type Measure = "count" | "rate";
export type SheetHeight = "peek" | "half" | "full";

export interface View {
  readonly lon: number;
  readonly lat: number;
  readonly zoom: number;
}

export interface Selection {
  readonly layer: string;
  readonly key: string;
}

/** What a link carries: everything that another person needs to see the same. */
export interface Shared {
  readonly view: View | null;
  readonly layers: readonly string[];
  readonly month: string | null;
  readonly measure: Measure;
  readonly language: Language;
  readonly selected: Selection | null;
}

export interface State extends Shared {
  readonly theme: Theme;
  readonly zoom: number;
  readonly panelOpen: boolean;
  readonly sheet: SheetHeight;
  readonly table: string | null;
  readonly basemap: boolean;
  readonly drawing: boolean;
  /** Layers whose tiles failed, with what was said. */
  readonly failures: Readonly<Record<string, string>>;
}

/** Whether a change is a step that the back button undoes, or only a movement. */
export type Step = "step" | "movement";
type Listener = (state: State, before: State, step: Step) => void;

export class Store {
  private readonly listeners = new Set<Listener>();

  constructor(private current: State) {}

  get state(): State {
    return this.current;
  }

  update(change: Partial<State>, step: Step = "step"): void {
    const before = this.current;
    const keys = Object.keys(change) as (keyof State)[];
    if (keys.every((key) => Object.is(before[key], change[key]))) return;
    this.current = { ...before, ...change };
    for (const listener of [...this.listeners]) listener(this.current, before, step);
  }

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  toggleLayer(id: string): void {
    const { layers } = this.current;
    const shown = layers.includes(id) ? layers.filter((each) => each !== id) : [...layers, id];
    this.update({ layers: shown });
  }

  select(selected: Selection | null): void {
    const { selected: before } = this.current;
    if (before?.layer === selected?.layer && before?.key === selected?.key) return;
    this.update({ selected });
  }
}

/** The store's state, drawn anew whenever it changes. */
export function useStore(store: Store): State {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.listen(setState);
  }, [store]);
  return state;
}
