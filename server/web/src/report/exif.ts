/** Where a photo was taken, as far as the photo says so: the GPS tags of EXIF, in JPEG and in HEIC. */

export interface PhotoPlace {
  readonly lon: number;
  readonly lat: number;
}

const HEAD_BYTES = 512 * 1024;
const GPS_TAG = 0x8825;
const LATITUDE = { reference: 1, value: 2, negative: "S" } as const;
const LONGITUDE = { reference: 3, value: 4, negative: "W" } as const;

/** The beginning of the TIFF block that follows the word "Exif" and two zeros; -1 where there is none. */
function tiffStart(view: DataView): number {
  for (let at = 0; at + 14 < view.byteLength; at += 1) {
    if (view.getUint32(at) !== 0x45786966 || view.getUint16(at + 4) !== 0) continue;
    const order = view.getUint16(at + 6);
    if (order === 0x4949 || order === 0x4d4d) return at + 6;
  }
  return -1;
}

class Tiff {
  private readonly little: boolean;

  constructor(
    private readonly view: DataView,
    private readonly start: number,
  ) {
    this.little = view.getUint16(start) === 0x4949;
  }

  u16 = (at: number) => this.view.getUint16(this.start + at, this.little);
  u32 = (at: number) => this.view.getUint32(this.start + at, this.little);
  letter = (at: number) => String.fromCharCode(this.view.getUint8(this.start + at));

  /** Where each tag of a directory keeps its value. */
  directory(at: number): Map<number, number> {
    const entries = new Map<number, number>();
    const n = this.u16(at);
    for (let each = 0; each < n; each += 1) {
      const entry = at + 2 + 12 * each;
      entries.set(this.u16(entry), entry + 8);
    }
    return entries;
  }

  /** Degrees, minutes and seconds, each a fraction, as degrees. */
  degrees(at: number): number {
    const fraction = (from: number) => this.u32(from) / this.u32(from + 4);
    return fraction(at) + fraction(at + 8) / 60 + fraction(at + 16) / 3600;
  }
}

function angle(tiff: Tiff, gps: Map<number, number>, tags: typeof LATITUDE | typeof LONGITUDE) {
  const reference = gps.get(tags.reference);
  const value = gps.get(tags.value);
  if (reference === undefined || value === undefined) return null;
  const size = tiff.degrees(tiff.u32(value));
  return tiff.letter(reference) === tags.negative ? -size : size;
}

/** The place in the bytes of a photo, or null where they name none that makes sense. */
export function placeIn(bytes: ArrayBuffer): PhotoPlace | null {
  const view = new DataView(bytes);
  const start = tiffStart(view);
  if (start < 0) return null;
  try {
    const tiff = new Tiff(view, start);
    const gps = tiff.directory(tiff.u32(4)).get(GPS_TAG);
    if (gps === undefined) return null;
    const tags = tiff.directory(tiff.u32(gps));
    const [lat, lon] = [angle(tiff, tags, LATITUDE), angle(tiff, tags, LONGITUDE)];
    if (lat === null || lon === null || !Number.isFinite(lat + lon)) return null;
    if (Math.abs(lat) > 90 || Math.abs(lon) > 180 || (lat === 0 && lon === 0)) return null;
    return { lon, lat };
  } catch {
    return null; // a block that points outside of itself
  }
}

export async function photoPlace(file: Blob): Promise<PhotoPlace | null> {
  return placeIn(await file.slice(0, HEAD_BYTES).arrayBuffer());
}
