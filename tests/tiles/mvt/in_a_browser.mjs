// Decode tiles as a map in a browser does: base64 lines in, one line of JSON out for each.
import { createInterface } from "node:readline";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const web = createRequire(process.argv[2]);
const load = (name) => import(pathToFileURL(web.resolve(name)));
const { VectorTile, classifyRings } = await load("@mapbox/vector-tile");
const { PbfReader } = await load("pbf");

const feature = (one) => {
  const lines = one.loadGeometry();
  return {
    id: one.id ?? null,
    kind: one.type,
    properties: one.properties,
    lines: lines.map((line) => line.map(({ x, y }) => [x, y])),
    polygons: one.type === 3 ? classifyRings(lines).map((rings) => rings.length) : [],
  };
};

for await (const line of createInterface({ input: process.stdin })) {
  const { layers } = new VectorTile(new PbfReader(Buffer.from(line, "base64")));
  const said = Object.values(layers).map(({ name, version, extent, length, ...layer }) => {
    const whole = layers[name];
    const features = Array.from({ length }, (_, i) => feature(whole.feature(i)));
    return { name, version, extent, features };
  });
  console.log(JSON.stringify(said));
}
