/** Short distances and circles on the ground, good to a thousandth within a city. */
import type { Feature, Polygon } from "geojson";

interface Spot {
  readonly lon: number;
  readonly lat: number;
}

const M_PER_DEGREE = 111_195;
const CORNERS = 64;

export function distance_m(from: Spot, to: Spot): number {
  const across = (to.lon - from.lon) * Math.cos(((from.lat + to.lat) / 360) * Math.PI);
  return Math.hypot(across, to.lat - from.lat) * M_PER_DEGREE;
}

export function circle({ lon, lat }: Spot, radius_m: number): Feature<Polygon> {
  const dLat = radius_m / M_PER_DEGREE;
  const dLon = dLat / Math.cos((lat / 180) * Math.PI);
  const ring = Array.from({ length: CORNERS + 1 }, (_, at) => {
    const turn = (2 * Math.PI * at) / CORNERS;
    return [lon + dLon * Math.cos(turn), lat + dLat * Math.sin(turn)];
  });
  return { type: "Feature", properties: {}, geometry: { type: "Polygon", coordinates: [ring] } };
}
