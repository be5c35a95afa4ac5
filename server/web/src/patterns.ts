/** Hatches, drawn when the page opens: their direction and density say a class even in a grey print. */
import type { Theme } from "./state";

interface Hatch {
  /** Rising lines for hot, falling ones for cold, dots for what is uncertain. */
  readonly kind: "rising" | "falling" | "dots";
  /** CSS pixels between two lines; the tile's side. */
  readonly spacing: number;
  readonly width: number;
  readonly day: string;
  readonly night: string;
}

const HOT = { kind: "rising", day: "rgba(64,0,14,.95)", night: "rgba(40,4,8,.75)" } as const;
const COLD = { kind: "falling", day: "rgba(4,28,70,.85)", night: "rgba(2,18,40,.75)" } as const;

const HATCHES: Readonly<Record<string, Hatch>> = {
  "hatch-hot_99": { ...HOT, spacing: 5, width: 1 },
  "hatch-hot_95": { ...HOT, spacing: 8, width: 0.9 },
  "hatch-hot_90": { ...HOT, spacing: 13, width: 0.8 },
  "hatch-cold_99": { ...COLD, spacing: 5, width: 1 },
  "hatch-cold_95": { ...COLD, spacing: 8, width: 0.9 },
  "hatch-cold_90": { ...COLD, spacing: 13, width: 0.8 },
  "hatch-urban_village": {
    kind: "rising",
    spacing: 7,
    width: 1.1,
    day: "#7b3294",
    night: "#c592dc",
  },
  "hatch-suburban_village": {
    kind: "falling",
    spacing: 9,
    width: 1,
    day: "#1b7837",
    night: "#6cc487",
  },
  "hatch-fringe": { kind: "dots", spacing: 8, width: 1.5, day: "#b8860b", night: "#dcae45" },
};

export const PATTERN_NAMES: readonly string[] = Object.keys(HATCHES);
export const isPattern = (name: string): boolean => name in HATCHES;

function drawLines(pen: CanvasRenderingContext2D, side: number, rising: boolean): void {
  pen.beginPath();
  for (const offset of [-side, 0, side]) {
    pen.moveTo(offset - 1, rising ? side + 1 : -1);
    pen.lineTo(offset + side + 1, rising ? -1 : side + 1);
  }
  pen.stroke();
}

function drawDots(pen: CanvasRenderingContext2D, side: number, width: number): void {
  for (const [x, y] of [
    [0.25, 0.25],
    [0.75, 0.75],
  ] as const) {
    pen.beginPath();
    pen.arc(x * side, y * side, width * 0.6, 0, 2 * Math.PI);
    pen.fill();
  }
}

/** One seamless tile of a hatch, at `ratio` image pixels per CSS pixel; unknown names give a clear tile. */
function patternTile(name: string, theme: Theme, ratio: number): HTMLCanvasElement {
  const hatch = HATCHES[name];
  const canvas = document.createElement("canvas");
  const side = hatch?.spacing ?? 8;
  canvas.width = canvas.height = side * ratio;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!hatch || !pen) return canvas;
  pen.scale(ratio, ratio);
  pen.lineWidth = hatch.width;
  pen.strokeStyle = pen.fillStyle = theme === "dark" ? hatch.night : hatch.day;
  if (hatch.kind === "dots") drawDots(pen, side, hatch.width);
  else drawLines(pen, side, hatch.kind === "rising");
  return canvas;
}

export const PATTERN_RATIO = 2;

/** The hatch as MapLibre takes an image. */
export function patternImage(name: string, theme: Theme): ImageData {
  const canvas = patternTile(name, theme, PATTERN_RATIO);
  const pen = canvas.getContext("2d")!;
  return pen.getImageData(0, 0, canvas.width, canvas.height);
}

const urls = new Map<string, string>();

/** The hatch as a picture's address, drawn once. */
export function patternUrl(name: string, theme: Theme): string {
  const known = urls.get(`${name} ${theme}`);
  const url = known ?? patternTile(name, theme, PATTERN_RATIO).toDataURL();
  urls.set(`${name} ${theme}`, url);
  return url;
}

export const patternSide = (name: string): number => HATCHES[name]?.spacing ?? 8;
