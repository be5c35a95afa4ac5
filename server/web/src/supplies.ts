/** What comes in while the page is open: class breaks for the other measure, names, one month's colours. */
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Loaded } from "./app";
import type { Catalogue, Layer } from "./api";
import { fetchLabels, namesAreas, type Labels } from "./labels";
import type { CityMap } from "./map";
import { otherBreaks, type Breaks } from "./measure";
import { monthBreaks, monthValues } from "./months";
import type { State } from "./state";

/** Breaks of the measure that the styles were not written for. */
function useBreaks(catalogue: Catalogue, { measure }: State): Breaks {
  const [breaks, setBreaks] = useState<Breaks>(new Map());
  useEffect(() => {
    otherBreaks(catalogue.layers, measure).then(
      (found) => setBreaks((before) => new Map([...before, ...found])),
      (error: unknown) => console.warn(error),
    );
  }, [catalogue, measure]);
  return breaks;
}

/** Whether a layer writes names inside areas at this zoom. */
const writesNames = (layer: Layer, { layers, zoom }: State): boolean =>
  layer.ready &&
  layers.includes(layer.id) &&
  namesAreas(layer) &&
  layer.style.some((part) => part.type === "symbol" && zoom >= (part.minzoom ?? 0));

/** The names of the layers that are on, from the zoom at which they are written. */
function useLabels(catalogue: Catalogue, state: State): Labels {
  const [labels, setLabels] = useState<Labels>(new Map());
  const wanted = catalogue.layers.filter(
    (each) => writesNames(each, state) && !labels.has(each.id),
  );
  useEffect(() => {
    for (const layer of wanted) {
      fetchLabels(layer).then(
        (points) => setLabels((before) => new Map([...before, [layer.id, points]])),
        (error: unknown) => console.warn(error),
      );
    }
  }, [wanted.map(({ id }) => id).join()]);
  return labels;
}

export interface Supplied {
  readonly breaks: Breaks;
  readonly monthLimits: readonly number[];
}

/** Keeps the map supplied, and gives what the legends need of it. */
export function useSupplies(loaded: Loaded, city: CityMap | null, state: State): Supplied {
  const { catalogue, months, residents } = loaded;
  const { month, measure } = state;
  const breaks = useBreaks(catalogue, state);
  const labels = useLabels(catalogue, state);
  const monthLimits = useMemo(
    () => (months ? monthBreaks(months, measure, residents) : []),
    [months, measure, residents],
  );
  useEffect(() => city?.supply({ breaks }), [city, breaks]);
  useEffect(() => city?.supply({ labels }), [city, labels]);
  useEffect(() => {
    if (!months) return;
    const values = month ? monthValues(months, month, measure, residents) : new Map();
    city?.setMonth(values, monthLimits);
  }, [city, months, month, measure, residents, monthLimits]);
  return { breaks, monthLimits };
}
