/** The photos: taken here or chosen, each shown small; and what they say about the place. */
import { useEffect, useRef, useState } from "preact/hooks";
import type { Language } from "../api";
import { distance_m } from "./geo";
import { Icon, type IconName } from "./icons";
import { kept } from "./keeping";
import { thumbKey } from "./outbox";
import { distance } from "./phrases";
import { MOST_PHOTOS, take, UnreadablePhotoError } from "./photos";
import type { Position, TakenPhoto } from "./types";
import { say, type Key } from "./words";

/** Nearer than this a photo and the pin agree. */
const NEAR_M = 40;

/** A kept photo as an address that an image can show. */
export function usePhoto(key: string): string | null {
  const [url, setUrl] = useState<string | null>(null);
  useEffect(() => {
    let made: string | null = null;
    let gone = false;
    void kept<Blob>("photos", key).then((blob) => {
      if (gone || !blob) return;
      made = URL.createObjectURL(blob);
      setUrl(made);
    });
    return () => {
      gone = true;
      if (made) URL.revokeObjectURL(made);
    };
  }, [key]);
  return url;
}

export function Thumb({ id, name }: { id: string; name: string }) {
  const url = usePhoto(thumbKey(id));
  return url ? <img src={url} alt={name} /> : <span class="bone" />;
}

interface Props {
  readonly photos: readonly TakenPhoto[];
  readonly position: Position | null;
  readonly language: Language;
  readonly fault: string | null;
  /** The work of reading photos, so that sending can wait for it. */
  readonly onWork: (work: Promise<void>) => void;
  readonly onPhotos: (change: (photos: readonly TakenPhoto[]) => readonly TakenPhoto[]) => void;
  readonly onPlace: (place: { lon: number; lat: number }) => void;
}

export function PhotoRow(props: Props) {
  const { photos, language, fault, onWork, onPhotos } = props;
  const [reading, setReading] = useState(0);
  const [problem, setProblem] = useState<string | null>(null);
  const [placeless, setPlaceless] = useState(false);

  const read = async (files: readonly File[], fromAlbum: boolean) => {
    setProblem(null);
    setPlaceless(false);
    const room = MOST_PHOTOS - photos.length;
    if (files.length > room) setProblem(say(language, "photoTooMany", { n: String(MOST_PHOTOS) }));
    for (const file of files.slice(0, room)) {
      setReading((n) => n + 1);
      try {
        const photo = await take(file);
        onPhotos((before) => [...before, photo]);
        if (fromAlbum && !photo.place) setPlaceless(true);
      } catch (error) {
        if (!(error instanceof UnreadablePhotoError)) throw error;
        const type = file.type || file.name.split(".").at(-1) || "?";
        setProblem(say(language, "photoUnreadable", { type }));
      } finally {
        setReading((n) => n - 1);
      }
    }
  };
  const picked = (files: readonly File[], fromAlbum: boolean) => onWork(read(files, fromAlbum));
  return (
    <section class="block" aria-labelledby="photo-title">
      <h2 id="photo-title" class="unseen">
        {say(language, "photo")}
      </h2>
      <div class="photo-row">
        {photos.map(({ id }, at) => (
          <figure class="photo" key={id}>
            <Thumb id={id} name={say(language, "onePhoto", { n: String(at + 1) })} />
            <button
              type="button"
              aria-label={say(language, "removePhoto", { n: String(at + 1) })}
              onClick={() => onPhotos((before) => before.filter((each) => each.id !== id))}
            >
              <span>
                <Icon name="close" size={14} />
              </span>
            </button>
          </figure>
        ))}
        {reading > 0 && <span class="photo bone" />}
        {photos.length < MOST_PHOTOS && (
          <PhotoButtons small={photos.length > 0} language={language} onPicked={picked} />
        )}
      </div>
      <p role="status" class={reading > 0 ? "hint" : "unseen"}>
        {reading > 0 ? say(language, "readingPhoto") : ""}
      </p>
      {(problem ?? fault) && (
        <p class="fault" role="alert" id="photo-fault">
          {problem ?? fault}
        </p>
      )}
      {placeless && photos.length > 0 && <p class="hint">{say(language, "photoNoPlace")}</p>}
      <PlaceOffer {...props} />
    </section>
  );
}

interface PhotoButtonsProps {
  readonly small: boolean;
  readonly language: Language;
  readonly onPicked: (files: readonly File[], fromAlbum: boolean) => void;
}

/** Two ways to a photo: the camera at once, or the ones that were taken before. */
function PhotoButtons({ small, language, onPicked }: PhotoButtonsProps) {
  const camera = useRef<HTMLInputElement>(null);
  const album = useRef<HTMLInputElement>(null);
  const changed = (event: Event) => {
    const input = event.currentTarget as HTMLInputElement;
    const files = [...(input.files ?? [])];
    input.value = "";
    onPicked(files, input === album.current);
  };
  const button = (id: "take" | "choose", key: Key, icon: IconName, opened: typeof camera) => (
    <button
      type="button"
      class={id === "take" ? "photo-button" : "photo-button second"}
      data-small={small}
      id={`${id}-photo`}
      onClick={() => opened.current?.click()}
    >
      <Icon name={icon} size={id === "take" ? 26 : 22} />
      <span>{say(language, key)}</span>
    </button>
  );
  const shared = { type: "file", hidden: true, onChange: changed } as const;
  return (
    <>
      <input {...shared} ref={camera} accept="image/*" capture="environment" id="camera" />
      <input {...shared} ref={album} accept="image/*,.heic,.heif" multiple id="album" />
      {button("take", "takePhoto", "camera", camera)}
      {button("choose", "choosePhoto", "album", album)}
    </>
  );
}

/** The photo says another place than the pin: the person decides. */
function PlaceOffer({ photos, position, language, onPlace }: Props) {
  const [declined, setDeclined] = useState<string | null>(null);
  const photo = photos.findLast(({ place }) => place !== null);
  if (!photo?.place || !position || photo.id === declined) return null;
  const away = distance_m(position, photo.place);
  if (away < NEAR_M || position.by === "photo") return null;
  const place = photo.place;
  return (
    <div class="offer" role="status" id="photo-place">
      <p>{say(language, "photoAway", { distance: distance(away, language) })}</p>
      <button type="button" class="pill strong" onClick={() => onPlace(place)}>
        {say(language, "usePhotoPlace")}
      </button>
      <button type="button" class="pill" onClick={() => setDeclined(photo.id)}>
        {say(language, "keepPin")}
      </button>
    </div>
  );
}
