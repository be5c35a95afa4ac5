/** A small picture of a class, drawn from the layer's own style. */
import type { LayerSpecification } from "maplibre-gl";
import { evaluate, type Properties } from "./evaluate";
import { patternSide, patternUrl } from "./patterns";
import type { Theme } from "./state";

const WIDTH = 30;
const HEIGHT = 18;

interface Props {
  readonly parts: readonly LayerSpecification[];
  readonly properties: Properties;
  readonly zoom: number;
  readonly theme: Theme;
}

type Read = (name: string) => unknown;

function reader(part: LayerSpecification, properties: Properties, zoom: number): Read {
  const paint = (part.paint ?? {}) as Record<string, unknown>;
  return (name) => evaluate(paint[name], { properties, zoom });
}

const size = (value: unknown, otherwise: number) =>
  typeof value === "number" && Number.isFinite(value) ? value : otherwise;
const colour = (value: unknown) => (typeof value === "string" ? value : "none");
const clear = (value: unknown) => value === undefined || value === null;

function Fill({ read, theme, id }: { read: Read; theme: Theme; id: string }) {
  const box = { x: 1, y: 1, width: WIDTH - 2, height: HEIGHT - 2, rx: 2 };
  const opacity = size(read("fill-opacity"), 1);
  const pattern = read("fill-pattern");
  if (typeof pattern !== "string")
    return <rect {...box} fill={colour(read("fill-color"))} fillOpacity={opacity} />;
  const side = patternSide(pattern);
  return (
    <>
      <pattern id={id} width={side} height={side} patternUnits="userSpaceOnUse">
        <image href={patternUrl(pattern, theme)} width={side} height={side} />
      </pattern>
      <rect {...box} fill={`url(#${id})`} opacity={opacity} />
    </>
  );
}

function Line({ read, hollow }: { read: Read; hollow: boolean }) {
  const width = Math.min(4, size(read("line-width"), 1));
  const stroke = {
    stroke: colour(read("line-color")),
    strokeWidth: width,
    strokeOpacity: size(read("line-opacity"), 1),
  };
  const dash = read("line-dasharray");
  const dashes = Array.isArray(dash)
    ? dash.map((part) => Number(part) * width).join(" ")
    : undefined;
  if (hollow)
    return (
      <rect
        x={1}
        y={1}
        width={WIDTH - 2}
        height={HEIGHT - 2}
        rx={2}
        fill="none"
        {...stroke}
        strokeDasharray={dashes}
      />
    );
  return (
    <path
      d={`M1 ${HEIGHT - 4} L${WIDTH / 2} 6 L${WIDTH - 1} ${HEIGHT / 2}`}
      fill="none"
      {...stroke}
      strokeDasharray={dashes}
    />
  );
}

function Circle({ read }: { read: Read }) {
  return (
    <circle
      cx={WIDTH / 2}
      cy={HEIGHT / 2}
      r={Math.max(3, Math.min(7, size(read("circle-radius"), 5)))}
      fill={colour(read("circle-color"))}
      fillOpacity={size(read("circle-opacity"), 1)}
      stroke={clear(read("circle-stroke-color")) ? "none" : colour(read("circle-stroke-color"))}
      strokeWidth={size(read("circle-stroke-width"), 0)}
    />
  );
}

let drawn = 0;

export function Swatch({ parts, properties, zoom, theme }: Props) {
  drawn += 1;
  const areal = parts.some(({ type }) => type === "fill");
  const seen = parts.filter(
    (part) =>
      !("filter" in part) ||
      part.filter === undefined ||
      evaluate(part.filter, { properties, zoom }) !== false,
  );
  return (
    <svg
      class="swatch"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      {areal && (
        <rect class="swatch-edge" x={1} y={1} width={WIDTH - 2} height={HEIGHT - 2} rx={2} />
      )}
      {seen.map((part, at) => {
        const read = reader(part, properties, zoom);
        if (part.type === "fill")
          return <Fill read={read} theme={theme} id={`hatch-${drawn}-${at}`} />;
        if (part.type === "line") return <Line read={read} hollow={areal || parts.length > 1} />;
        return part.type === "circle" ? <Circle read={read} /> : null;
      })}
    </svg>
  );
}

/** A swatch of one flat colour. */
export function Plain({ colour }: { colour: string }) {
  return (
    <svg
      class="swatch"
      width={WIDTH}
      height={HEIGHT}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      aria-hidden="true"
    >
      <rect x={1} y={1} width={WIDTH - 2} height={HEIGHT - 2} rx={2} fill={colour} />
      <rect class="swatch-edge" x={1} y={1} width={WIDTH - 2} height={HEIGHT - 2} rx={2} />
    </svg>
  );
}
