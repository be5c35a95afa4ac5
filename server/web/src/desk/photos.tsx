/** The photos of a case; they are fetched with the key, for an image's own address cannot carry one. */
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { CloseButton } from "../closebutton";
import type { Asking } from "./asking";
import type { Names } from "./names";
import type { Photo } from "./types";
import { tell } from "./words";

function usePicture(
  asking: Asking,
  id: string,
  size: "thumb" | "full",
): { url: string | null; failed: boolean } {
  const [found, setFound] = useState<{ url: string | null; failed: boolean }>({
    url: null,
    failed: false,
  });
  useEffect(() => {
    let url: string | null = null;
    let left = false;
    asking.photo(id, size).then(
      (blob) => {
        if (left) return;
        url = URL.createObjectURL(blob);
        setFound({ url, failed: false });
      },
      () => left || setFound({ url: null, failed: true }),
    );
    return () => {
      left = true;
      if (url) URL.revokeObjectURL(url);
    };
  }, [asking, id, size]);
  return found;
}

function Thumb({
  asking,
  photo,
  name,
  names,
  onOpen,
}: {
  asking: Asking;
  photo: Photo;
  name: string;
  names: Names;
  onOpen: () => void;
}) {
  const { url, failed } = usePicture(asking, photo.id, "thumb");
  if (failed) return <p class="photo muted">{tell(names.language, "photoFailed")}</p>;
  return (
    <button type="button" class="photo" aria-label={name} title={name} onClick={onOpen}>
      {url ? <img src={url} alt="" /> : <span class="bone" />}
    </button>
  );
}

function Full({
  asking,
  photo,
  name,
  names,
  onClose,
}: {
  asking: Asking;
  photo: Photo;
  name: string;
  names: Names;
  onClose: () => void;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const { url, failed } = usePicture(asking, photo.id, "full");
  useLayoutEffect(() => dialog.current!.showModal(), []);
  return (
    <dialog ref={dialog} class="picture" aria-label={name} onClose={onClose}>
      <CloseButton name={tell(names.language, "close")} onClick={() => dialog.current!.close()} />
      {failed ? <p>{tell(names.language, "photoFailed")}</p> : url && <img src={url} alt={name} />}
    </dialog>
  );
}

export function Photos({
  asking,
  photos,
  names,
}: {
  asking: Asking;
  photos: readonly Photo[];
  names: Names;
}) {
  const [open, setOpen] = useState<number | null>(null);
  if (photos.length === 0) return null;
  const name = (at: number) =>
    tell(names.language, "photoOf", { what: names.step(photos[at]!.kind), n: String(at + 1) });
  return (
    <section aria-label={tell(names.language, "photos")}>
      <ul class="photos">
        {photos.map((photo, at) => (
          <li key={`${photo.id}-${photo.kind}`}>
            <Thumb
              asking={asking}
              photo={photo}
              name={name(at)}
              names={names}
              onOpen={() => setOpen(at)}
            />
            <span>{names.step(photo.kind)}</span>
          </li>
        ))}
      </ul>
      {open !== null && (
        <Full
          asking={asking}
          photo={photos[open]!}
          name={name(open)}
          names={names}
          onClose={() => setOpen(null)}
        />
      )}
    </section>
  );
}
