/** What is open in the drawer, however the reader came to it: a click, a list, a table row, a link, the back button. */
import { useEffect, useRef, useState } from "preact/hooks";
import { allRows, type Bbox, type Catalogue, type Layer, type Place, type TableRow } from "./api";
import type { CityMap, Found } from "./map";
import { selectedThing } from "./selection";
import type { State, Store } from "./state";

export interface Picked {
  readonly found: Found;
  /** What else is at the same place: the ground under a finding. */
  readonly others: readonly Found[];
}

export interface Picking {
  readonly picked: Picked | null;
  /** The key of a selection that is nowhere to be found. */
  readonly missing: string | null;
  /** Whether the focus follows: not after a click on the map. */
  readonly focus: boolean;
  readonly pickAt: (found: readonly Found[], byKeyboard: boolean) => void;
  readonly pickOther: (other: Found) => void;
  readonly pickRow: (layer: Layer, row: TableRow) => void;
  readonly pickPlace: (place: Place) => Promise<void>;
  readonly close: () => void;
}

const same = (left: Found, right: Found) =>
  left.layer.id === right.layer.id && left.key === right.key;

/** The cell at the peak of a place: the one hotspot whose score the place repeats. */
async function peakOf(catalogue: Catalogue, place: Place): Promise<[Layer, string] | null> {
  for (const layer of catalogue.layers) {
    if (layer.group !== "hotspots" || !layer.primary_key || !layer.ready) continue;
    const inside = (bbox: Bbox | null) =>
      bbox && bbox[0] >= place.bbox[0] - 1e-9 && bbox[2] <= place.bbox[2] + 1e-9;
    const row = (await allRows(layer.id)).find(
      ({ values, bbox }) => Math.abs(Number(values.z) - place.z) < 1e-9 && inside(bbox),
    );
    if (row) return [layer, String(row.values[layer.primary_key])];
  }
  return null;
}

type Set<T> = (change: T | ((before: T) => T)) => void;

/** Completes a selection by its row, and by what else is at its place. */
async function complete(
  catalogue: Catalogue,
  city: CityMap,
  store: Store,
  setPicked: Set<Picked | null>,
): Promise<void> {
  const { selected } = store.state;
  if (!selected) return;
  await city.settled();
  const thing = await selectedThing(catalogue, city, selected);
  const now = store.state.selected;
  if (now?.layer !== selected.layer || now.key !== selected.key) return;
  if (!thing) throw new NotFound(selected.key);
  const { found, bbox } = thing;
  setPicked((before) => {
    const known = before && same(before.found, found) ? before.others : [];
    const here = known.length > 0 || !bbox ? known : city.atMiddle(bbox);
    return { found, others: here.filter((each) => !same(each, found)) };
  });
}

class NotFound extends Error {}

export function usePicking(
  catalogue: Catalogue,
  city: CityMap | null,
  state: State,
  store: Store,
): Picking {
  const [picked, setPicked] = useState<Picked | null>(null);
  const [missing, setMissing] = useState<string | null>(null);
  const focus = useRef(false);
  const cameFrom = useRef<HTMLElement | null>(null);

  useEffect(() => {
    setMissing(null);
    if (!state.selected) return setPicked(null);
    if (!city) return;
    complete(catalogue, city, store, setPicked).catch((error: unknown) => {
      if (error instanceof NotFound) setMissing(error.message);
      else console.warn(error);
    });
  }, [city, state.selected]);

  const choose = (layer: Layer, key: string, byKeyboard: boolean) => {
    cameFrom.current = document.activeElement as HTMLElement | null;
    focus.current = byKeyboard;
    const { layers } = store.state;
    const shown = layers.includes(layer.id) ? layers : [...layers, layer.id];
    const selected = { layer: layer.id, key };
    store.update({ layers: shown, table: null, sheet: "peek", selected });
  };

  return {
    picked: state.selected ? picked : null,
    missing,
    focus: focus.current,
    pickAt([first, ...others], byKeyboard) {
      if (!first) return store.select(null);
      setPicked({ found: first, others });
      cameFrom.current = document.activeElement as HTMLElement | null;
      focus.current = byKeyboard;
      store.select({ layer: first.layer.id, key: first.key });
    },
    pickOther(other) {
      if (!picked) return;
      const others = [picked.found, ...picked.others].filter((each) => !same(each, other));
      focus.current = true;
      setPicked({ found: other, others });
      store.select({ layer: other.layer.id, key: other.key });
    },
    pickRow(layer, row) {
      if (row.bbox) city?.show(row.bbox);
      choose(layer, String(row.values[layer.primary_key ?? ""]), true);
    },
    async pickPlace(place) {
      city?.show(place.bbox);
      const [layer, key] = (await peakOf(catalogue, place)) ?? [];
      if (layer && key) choose(layer, key, true);
    },
    close() {
      store.select(null);
      cameFrom.current?.focus({ preventScroll: true });
    },
  };
}
