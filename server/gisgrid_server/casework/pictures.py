"""A photo is drawn anew without what it says about its taker.

What is kept comes from the pixels alone: no EXIF, no XMP, no maker's notes, no thumbnail, no profile is left.
"""

from __future__ import annotations

import io
import math
import threading
import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from PIL import Image, ImageCms

from gisgrid_server.casework.containers import animated, broken, kind_of, refuse_passengers
from gisgrid_server.edge.problems import PhotoError

MAX_PIXELS: Final = {"JPEG": 64_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
"""Pixels of a photo: a file of a few kilobytes can unpack to any number of them. Cameras write JPEG, which unpacks small."""
FULL_EDGE: Final = 2560
THUMB_EDGE: Final = 320
"""The longer edge of what is kept, pixels."""

_QUALITY: Final = 85

_QUIET: Final = threading.Lock()
"""Whether warnings are shown is a matter of the whole process."""
_TURNS: Final[Mapping[int, Image.Transpose]] = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE, 8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""What makes a picture upright, by the orientation that its EXIF tells."""
_ORIENTATION: Final = 0x0112
_EXIF: Final = 0x8769
_GPS: Final = 0x8825
_EXIF_TIME, _EXIF_ZONE = 0x9003, 0x9011


@dataclass(frozen=True)
class Place:
    """Where a photo says that it was taken.

    Attributes
    ----------
    lon, lat
        WGS84 degrees.
    accuracy_m
        How exact that is; None where it does not say.
    """

    lon: float
    lat: float
    accuracy_m: float | None = None


@dataclass(frozen=True)
class Picture:
    """A photo drawn anew.

    Attributes
    ----------
    full, thumb
        JPEG files, upright, with nothing but pixels.
    width, height
        Of `full`, pixels.
    place
        Where the original said that it was taken.
    taken_at
        When, where it said so with its zone.
    """

    full: bytes
    thumb: bytes
    width: int
    height: int
    place: Place | None
    taken_at: datetime | None


def redraw(data: bytes) -> Picture:
    """Draw a photo anew.

    Parameters
    ----------
    data
        A JPEG, PNG or WebP file.

    Returns
    -------
    Picture
        At most `FULL_EDGE` pixels long.

    Raises
    ------
    PhotoTypeError
        It is no such file.
    PhotoError
        It is cut off, broken, animated, too large once unpacked, or carries another document.

    Notes
    -----
    The position is what the photo says, WGS84 degrees; it is in nothing that is kept.
    """
    kind = kind_of(data)
    refuse_passengers(data, kind)
    try:
        with _QUIET, warnings.catch_warnings():
            warnings.simplefilter(
                "ignore"
            )  # of Pillow, about sizes and tags that are looked at here anyway
            image = Image.open(io.BytesIO(data), formats=(kind,))
            exif = _tags(image)
            place, taken_at = _place(exif), _taken_at(exif)
        with image:
            full, thumb = _drawn(image, kind, orientation=exif.get(_ORIENTATION))
        return Picture(_jpeg_of(full), _jpeg_of(thumb), full.width, full.height, place, taken_at)
    except PhotoError:
        raise
    except (Image.DecompressionBombError, MemoryError):
        raise _too_many(kind) from None
    except Exception as error:  # whatever a decoder says of a broken file
        raise broken() from error


def _tags(image: Image.Image) -> Image.Exif:
    try:
        return image.getexif()
    except Exception:  # noqa: BLE001 - tags hold anything
        return Image.Exif()


def _drawn(image: Image.Image, kind: str, *, orientation: object) -> tuple[Image.Image, Image.Image]:  # fmt: skip
    """Draw a photo upright, and a small one of it."""
    if image.width * image.height > MAX_PIXELS[kind]:
        raise _too_many(kind)
    # Further pictures in a JPEG are depth or light, no film.
    if kind != "JPEG" and getattr(image, "n_frames", 1) > 1:
        raise animated()
    if kind == "JPEG":
        image.draft("RGB", (FULL_EDGE, FULL_EDGE))  # a large one need not be unpacked whole
    image.load()
    full = _within(_coloured(image), FULL_EDGE)
    if isinstance(orientation, int) and orientation in _TURNS:
        full = full.transpose(_TURNS[orientation])
    return full, _within(full, THUMB_EDGE)


def _coloured(image: Image.Image) -> Image.Image:
    """Give red, green and blue as a screen shows them; what is clear becomes white."""
    profile = image.info.get("icc_profile")
    if image.mode.startswith("I"):
        image = image.convert("I").point(lambda value: value / 256).convert("L")
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        image = Image.new("RGB", clear.size, "white")
        image.paste(clear, mask=clear.getchannel("A"))
    elif profile and image.mode in {"RGB", "CMYK"}:
        image = _as_on_screen(image, profile)
    return image.convert("RGB")


def _as_on_screen(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        given = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        found = ImageCms.profileToProfile(image, given, ImageCms.createProfile("sRGB"), outputMode="RGB")  # fmt: skip
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a profile that cannot be read: the colours are a little off
    return image if found is None else found


def _within(image: Image.Image, edge: int) -> Image.Image:
    if max(image.size) <= edge:
        return image
    scale = edge / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _jpeg_of(image: Image.Image) -> bytes:
    bare = Image.new("RGB", image.size)
    bare.paste(image)  # nothing but pixels goes along
    drawn = io.BytesIO()
    bare.save(drawn, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
    return drawn.getvalue()


def _place(exif: Image.Exif) -> Place | None:
    """Read where a photo was taken; None where it says nothing that can be true."""
    try:
        gps: dict[int, Any] = exif.get_ifd(_GPS)
        lat, lon = _degrees(gps.get(2), gps.get(1)), _degrees(gps.get(4), gps.get(3))
        accuracy = _number(gps.get(31))
    except Exception:  # noqa: BLE001 - tags hold anything
        return None
    if lat is None or lon is None or abs(lat) > 90 or abs(lon) > 180 or (lat == 0 and lon == 0):
        return None
    return Place(lon, lat, accuracy if accuracy is not None and accuracy > 0 else None)


def _degrees(parts: Any, side: Any) -> float | None:  # noqa: ANN401 - tags hold anything
    numbers = [_number(part) for part in parts] if isinstance(parts, tuple) else []
    if len(numbers) != 3 or None in numbers or not isinstance(side, str):
        return None
    whole, minutes, seconds = (number or 0.0 for number in numbers)
    if (
        side[:1] not in set("NSEW")
        or min(whole, minutes, seconds) < 0
        or max(minutes, seconds) >= 60.0001
    ):
        return None
    return round((whole + minutes / 60 + seconds / 3600) * (-1 if side[0] in "SW" else 1), 7)


def _number(value: Any) -> float | None:  # noqa: ANN401 - tags hold anything
    try:
        number = float(value)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return number if math.isfinite(number) else None


def _taken_at(exif: Image.Exif) -> datetime | None:
    """Read when a photo was taken, where it says in which zone."""
    try:
        tags: dict[int, Any] = exif.get_ifd(_EXIF)
        return datetime.strptime(f"{tags[_EXIF_TIME]} {tags[_EXIF_ZONE]}", "%Y:%m:%d %H:%M:%S %z")
    except Exception:  # noqa: BLE001 - tags hold anything
        return None


def _too_many(kind: str) -> PhotoError:
    most = MAX_PIXELS[kind] // 1_000_000
    return PhotoError(
        f"the photo has more than the {most} million pixels that a {kind} file may have; send a smaller one",
        zh=f"照片像素过多（{kind} 最多 {most} 百万像素），请缩小后再发送。",
    )
