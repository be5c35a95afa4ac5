/** A photo as it is kept and sent: a JPEG of at most 2048 pixels, upright, without what the camera wrote into it. */
import { photoPlace } from "./exif";
import { keep } from "./keeping";
import { newId, thumbKey } from "./outbox";
import type { TakenPhoto } from "./types";

const LARGEST_PX = 2048;
const THUMB_PX = 240;
const QUALITY = 0.85;
export const MOST_PHOTOS = 4;

/** The browser cannot read the file as a picture. */
export class UnreadablePhotoError extends Error {}

async function decoded(file: Blob): Promise<ImageBitmap | HTMLImageElement> {
  try {
    return await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return await throughElement(file);
  }
}

/** Some phones read their own format in a page, but not into a bitmap. */
async function throughElement(file: Blob): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = URL.createObjectURL(file);
  try {
    await image.decode();
    return image;
  } catch {
    throw new UnreadablePhotoError("the browser cannot read this photo");
  } finally {
    URL.revokeObjectURL(image.src);
  }
}

function drawn(picture: ImageBitmap | HTMLImageElement, largest: number): Promise<Blob> {
  const [width, height] =
    picture instanceof HTMLImageElement
      ? [picture.naturalWidth, picture.naturalHeight]
      : [picture.width, picture.height];
  const scale = Math.min(1, largest / Math.max(width, height));
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = canvas.getContext("2d")!;
  pen.fillStyle = "#ffffff";
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((done, failed) => {
    const finish = (blob: Blob | null) =>
      blob ? done(blob) : failed(new UnreadablePhotoError("the photo cannot be written as JPEG"));
    canvas.toBlob(finish, "image/jpeg", QUALITY);
  });
}

/** Keep a photo on the phone, large and small, and say where it was taken. */
export async function take(file: Blob): Promise<TakenPhoto> {
  const place = await photoPlace(file);
  const picture = await decoded(file);
  const id = newId();
  await keep("photos", id, await drawn(picture, LARGEST_PX));
  await keep("photos", thumbKey(id), await drawn(picture, THUMB_PX));
  if ("close" in picture) picture.close();
  return { id, sent: null, place };
}
