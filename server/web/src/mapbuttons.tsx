/** Buttons on the map, and the small sign beside the pointer. */
import type { Language } from "./api";
import { isCell } from "./cells";
import { nameOf } from "./drawer";
import { scoreOf } from "./explain";
import { figure, pick, say, type PlainKey } from "./language";
import type { CityMap, Hover } from "./map";
import type { State } from "./state";

const ICONS = {
  in: "M8 3v10M3 8h10",
  out: "M3 8h10",
  city: "M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10",
} as const;

export function MapButtons({ city, state }: { city: CityMap; state: State }) {
  const button = (icon: keyof typeof ICONS, key: PlainKey, act: () => void) => (
    <button
      type="button"
      class="quiet icon"
      aria-label={say(state.language, key)}
      title={say(state.language, key)}
      onClick={act}
    >
      <svg width="16" height="16" viewBox="0 0 16 16" aria-hidden="true">
        <path d={ICONS[icon]} fill="none" stroke="currentColor" stroke-width="1.75" />
      </svg>
    </button>
  );
  return (
    <div class="map-buttons">
      {button("in", "zoomInButton", () => city.zoomBy(1))}
      {button("out", "zoomOutButton", () => city.zoomBy(-1))}
      {button("city", "wholeCity", () => city.showCity())}
    </div>
  );
}

export function Tooltip({ hover, language }: { hover: Hover; language: Language }) {
  if (!hover) return null;
  const { found, x, y } = hover;
  const { layer, properties } = found;
  const score = scoreOf(properties);
  const labels = layer.fields.find(({ name }) => name === "label")?.labels;
  const words = score ? labels?.[score.label] : undefined;
  return (
    <div
      class="tooltip"
      aria-hidden="true"
      style={{ transform: `translate(${x + 14}px, ${y + 14}px)` }}
    >
      {(properties.name_zh ?? properties.name_en) && <strong>{nameOf(found, language)}</strong>}
      <span>
        {score && words
          ? `${pick(words, language)} · z ${figure(score.z, language)}`
          : isCell(layer, properties)
            ? nameOf(found, language)
            : pick(layer.title, language)}
      </span>
    </div>
  );
}
