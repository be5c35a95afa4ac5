// The app's icons: PNG files drawn from src/report/icon.svg, which holds rectangles, circles and polygons only.
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { crc32, deflateSync } from "node:zlib";

const web = new URL("../", import.meta.url);
const icons = new URL("../gisgrid_server/static/icons/", web);
const SIDE = 512;
/** Samples per pixel along each axis: edges come out smooth. */
const SAMPLES = 4;

const attributes = (text) =>
  Object.fromEntries(
    [...text.matchAll(/([\w-]+)="([^"]*)"/g)].map(([, name, value]) => [name, value]),
  );

const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

function insideRect({ x, y, width, height, rx = "0" }) {
  const [left, top, wide, high, radius] = [x, y, width, height, rx].map(Number);
  return (px, py) => {
    const [dx, dy] = [px - left, py - top];
    if (dx < 0 || dy < 0 || dx > wide || dy > high) return false;
    const ex = Math.max(radius - dx, dx - (wide - radius), 0);
    const ey = Math.max(radius - dy, dy - (high - radius), 0);
    return ex === 0 || ey === 0 || ex * ex + ey * ey <= radius * radius;
  };
}

function insideCircle({ cx, cy, r }) {
  return (px, py) => (px - cx) ** 2 + (py - cy) ** 2 <= r ** 2;
}

function insidePolygon({ points }) {
  const corners = points
    .trim()
    .split(/\s+/)
    .map((pair) => pair.split(",").map(Number));
  return (px, py) => {
    let inside = false;
    corners.forEach(([x, y], at) => {
      const [fromX, fromY] = corners.at(at - 1);
      if (y > py !== fromY > py && px < ((fromX - x) * (py - y)) / (fromY - y) + x)
        inside = !inside;
    });
    return inside;
  };
}

const KINDS = { rect: insideRect, circle: insideCircle, polygon: insidePolygon };

function shapesOf(svg) {
  return [...svg.matchAll(/<(rect|circle|polygon)\s([^>]*?)\/>/g)].map(([, kind, text]) => {
    const given = attributes(text);
    return { id: given.id, inside: KINDS[kind](given), colour: rgb(given.fill) };
  });
}

/** What does not lie on the ground is cut off at its rounded corners. */
function draw(shapes, size, { square }) {
  const [ground, ...above] = shapes;
  const pixels = Buffer.alloc(size * size * 4);
  const step = SIDE / size;
  const sum = [0, 0, 0, 0];
  for (let at = 0; at < size * size; at += 1) {
    sum.fill(0);
    for (let sample = 0; sample < SAMPLES ** 2; sample += 1) {
      const x = ((at % size) + ((sample % SAMPLES) + 0.5) / SAMPLES) * step;
      const y = (Math.floor(at / size) + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) * step;
      if (!square && !ground.inside(x, y)) continue;
      const { colour } = above.findLast(({ inside }) => inside(x, y)) ?? ground;
      colour.forEach((value, channel) => (sum[channel] += value));
      sum[3] += 1;
    }
    const n = sum[3];
    for (let channel = 0; channel < 3; channel += 1) {
      pixels[4 * at + channel] = n === 0 ? 0 : Math.round(sum[channel] / n);
    }
    pixels[4 * at + 3] = Math.round((255 * n) / SAMPLES ** 2);
  }
  return pixels;
}

function chunk(kind, data) {
  const body = Buffer.concat([Buffer.from(kind, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

function png(pixels, size) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(size, 0);
  head.writeUInt32BE(size, 4);
  head.set([8, 6, 0, 0, 0], 8);
  const rows = Array.from({ length: size }, (_, y) =>
    Buffer.concat([Buffer.from([0]), pixels.subarray(4 * size * y, 4 * size * (y + 1))]),
  );
  return Buffer.concat([
    Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", head),
    chunk("IDAT", deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

const svg = await readFile(new URL("src/report/icon.svg", web), "utf8");
const shapes = shapesOf(svg);
await mkdir(icons, { recursive: true });
await writeFile(new URL("report.svg", icons), svg);
for (const [name, size, square] of [
  ["report-180", 180, true],
  ["report-192", 192, false],
  ["report-512", 512, false],
  ["report-mask-512", 512, true],
]) {
  await writeFile(new URL(`${name}.png`, icons), png(draw(shapes, size, { square }), size));
}
