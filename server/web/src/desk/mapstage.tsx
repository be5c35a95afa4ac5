/** Where the map is, with its buttons and the key to its dots; without WebGL the list works alone. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Catalogue } from "../api";
import type { Asking } from "./asking";
import { lateColour, stateColours } from "./colours";
import { DeskMap } from "./deskmap";
import { Icon } from "./icons";
import type { Names } from "./names";
import type { DeskState, DeskStore } from "./state";
import { tell, type DeskKey } from "./words";

interface Props {
  readonly asking: Asking;
  readonly catalogue: Catalogue;
  readonly state: DeskState;
  readonly store: DeskStore;
  readonly names: Names;
  readonly map: DeskMap | null;
  readonly onMap: (map: DeskMap) => void;
  readonly onOpen: (id: string) => void;
}

const SHADES = ["reported", "filed", "dispatched", "handled", "closed"];

function Key({ state, names }: { state: DeskState; names: Names }) {
  const { language, theme } = state;
  const colours = stateColours(names.holder, theme);
  const dot = (colour: string, name: string) => (
    <li key={name}>
      <i style={{ background: colour }} />
      {name}
    </li>
  );
  return (
    <ul class="map-key" aria-label={tell(language, "legend")}>
      {dot(lateColour(names.holder, theme), tell(language, "legendLate"))}
      {SHADES.map((id) => dot(colours.get(id) ?? "", names.state(id)))}
    </ul>
  );
}

export function MapStage({ asking, catalogue, state, store, map, onMap, onOpen, names }: Props) {
  const { language } = state;
  const container = useRef<HTMLDivElement>(null);
  const latest = useRef(onOpen);
  latest.current = onOpen;
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let made: DeskMap | null = null;
    try {
      made = new DeskMap(container.current!, catalogue, names.holder, store, asking.headers, (id) =>
        latest.current(id),
      );
      Object.assign(window, { gisgrid: { map: made.map, store } });
      onMap(made);
    } catch (error) {
      console.warn(error);
      setFailed(true);
      document.body.dataset.ready = "true";
    }
    return () => made?.remove();
  }, [asking, catalogue, store]);
  const button = (icon: "in" | "out" | "city", key: DeskKey, act: () => void) => (
    <button
      type="button"
      class="quiet icon"
      aria-label={tell(language, key)}
      title={tell(language, key)}
      onClick={act}
    >
      <Icon name={icon} />
    </button>
  );
  return (
    <section class="stage" aria-label={tell(language, "map")}>
      <div class="map" ref={container} />
      {failed && (
        <p class="notice" role="alert">
          {tell(language, "noWebgl")}
        </p>
      )}
      {!failed && <Key state={state} names={names} />}
      {map && (
        <div class="map-buttons">
          {button("in", "zoomIn", () => map.zoomBy(1))}
          {button("out", "zoomOut", () => map.zoomBy(-1))}
          {button("city", "wholeCity", () => map.showCity())}
        </div>
      )}
    </section>
  );
}
