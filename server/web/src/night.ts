/** A layer's style by night: data colours have their counterpart in night.json, greys change sides. */
import type { LayerSpecification } from "maplibre-gl";
import counterparts from "./night.json";

const NIGHT = new Map<string, string>(Object.entries(counterparts));
type Rgba = [red: number, green: number, blue: number, alpha: number];

/** Reads #rgb, #rrggbb, #rrggbbaa, rgb() and rgba(); null for anything else. */
function readColour(text: string): Rgba | null {
  const hex = /^#([0-9a-f]{3,8})$/i.exec(text.trim())?.[1];
  if (hex) {
    const long = hex.length < 6 ? [...hex].map((digit) => digit + digit).join("") : hex;
    const at = (from: number) => parseInt(long.slice(from, from + 2), 16);
    return [at(0), at(2), at(4), long.length === 8 ? at(6) / 255 : 1];
  }
  const parts = /^rgba?\(([^)]+)\)$/i
    .exec(text.trim())?.[1]
    ?.split(/[\s,/]+/)
    .map(Number);
  if (!parts || parts.length < 3 || parts.some(Number.isNaN)) return null;
  return [parts[0]!, parts[1]!, parts[2]!, parts[3] ?? 1];
}

/** The colour that does by night what this one does by day. */
export function nightColour(text: string): string {
  const known = NIGHT.get(text.toLowerCase());
  if (known) return known;
  const rgba = readColour(text) ?? (text === "white" ? [255, 255, 255, 1] : null);
  if (!rgba) return text === "black" ? "#ffffff" : text;
  const [red, green, blue, alpha] = rgba as Rgba;
  const chroma = Math.max(red, green, blue) - Math.min(red, green, blue);
  if (chroma > 60) return text;
  // The ground is not black: white paper becomes #15181c and black ink #f0f0ee.
  const turned = [red, green, blue].map((channel, index) => {
    const [dark, light] = [[21, 24, 28][index]!, [240, 240, 238][index]!];
    return Math.round(light - ((light - dark) * channel) / 255);
  });
  return `rgba(${turned.join(", ")}, ${alpha})`;
}

function turn(value: unknown): unknown {
  if (typeof value === "string") return nightColour(value);
  if (Array.isArray(value)) return value.map((part, at) => (at === 0 ? part : turn(part)));
  return value;
}

/** Turned day to night, a raster's colours keep their hue: lightness is inverted, then hue turned back. */
const NIGHT_RASTER = {
  "raster-brightness-min": 1,
  "raster-brightness-max": 0,
  "raster-hue-rotate": 180,
} as const;

export function nightLayer(layer: LayerSpecification): LayerSpecification {
  if (layer.type === "raster") return { ...layer, paint: { ...layer.paint, ...NIGHT_RASTER } };
  const paint = Object.entries(layer.paint ?? {}).map(([name, value]) => [
    name,
    name.endsWith("-color") ? turn(value) : value,
  ]);
  return { ...layer, paint: Object.fromEntries(paint) } as LayerSpecification;
}

/** What NIGHT_RASTER makes of a colour: inverted, then its hue turned back by half a circle. */
export function invert(text: string): string {
  const rgba = readColour(text);
  if (!rgba) return text;
  const [red, green, blue] = rgba.slice(0, 3).map((channel) => 255 - channel) as [
    number,
    number,
    number,
  ];
  const mean = (red + green + blue) / 3;
  const turned = [red, green, blue].map((channel) =>
    Math.round(Math.min(255, Math.max(0, 2 * mean - channel))),
  );
  return `rgb(${turned.join(", ")})`;
}
