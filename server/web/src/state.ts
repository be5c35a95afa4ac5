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
type Listener<S> = (state: S, before: S, step: Step) => void;

/** A value that is replaced as a whole, and who wants to hear of it. */
export class Values<S extends object> {
  private readonly listeners = new Set<Listener<S>>();

  constructor(private current: S) {}

  get state(): S {
    return this.current;
  }

  update(change: Partial<S>, step: Step = "step"): void {
    const before = this.current;
    const keys = Object.keys(change) as (keyof S)[];
    if (keys.every((key) => Object.is(before[key], change[key]))) return;
    this.current = { ...before, ...change };
    for (const listener of [...this.listeners]) listener(this.current, before, step);
  }

  listen(listener: Listener<S>): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** What is being looked at on the map. */
export class Store extends Values<State> {
  toggleLayer(id: string): void {
    const { layers } = this.state;
    const shown = layers.includes(id) ? layers.filter((each) => each !== id) : [...layers, id];
    this.update({ layers: shown });
  }

  select(selected: Selection | null): void {
    const { selected: before } = this.state;
    if (before?.layer === selected?.layer && before?.key === selected?.key) return;
    this.update({ selected });
  }
}

/** The state, drawn anew whenever it changes. */
export function useStore<S extends object>(store: Values<S>): S {
  const [state, setState] = useState(store.state);
  useEffect(() => {
    setState(store.state);
    return store.listen(setState);
  }, [store]);
  return state;
}
