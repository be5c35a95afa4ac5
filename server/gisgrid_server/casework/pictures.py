"""Is this a photo, and nothing else? Told by its content, taken apart, and drawn anew without what it says about its taker.

A file is a photo when it is whole from its first byte to its last mark, shows one picture, and carries no other document on
its back. What is kept is drawn anew from the pixels: no EXIF, no XMP, no maker's notes, no thumbnail, no profile is left.
"""

from __future__ import annotations

import io
import math
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from PIL import Image, ImageCms

from gisgrid_server.edge.problems import PhotoError, PhotoTypeError

MAX_PIXELS: Final = {"JPEG": 64_000_000, "PNG": 24_000_000, "WEBP": 24_000_000}
"""Pixels of a photo: a file of a few kilobytes can unpack to any number of them. Cameras write JPEG, which unpacks small."""
FULL_EDGE: Final = 2560
THUMB_EDGE: Final = 320
"""The longer edge of what is kept, pixels."""

_QUALITY: Final = 85

_OTHERS: Final = (
    (b"GIF8", "GIF"), (b"%PDF", "PDF"), (b"PK\x03\x04", "ZIP"), (b"BM", "BMP"), (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"),
    (b"\0\0\1\0", "ICO"), (b"<svg", "SVG"), (b"<?xml", "XML"), (b"<!DOCTYPE", "HTML"), (b"<html", "HTML"), (b"\x7fELF", "program"),
    (b"MZ", "program"), (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"\xff\x0a", "JPEG XL"), (b"\xff\x4f\xff\x51", "JPEG 2000"),
)  # fmt: skip
_ON_ITS_BACK: Final = (
    b"pk\x05\x06", b"%pdf-", b"<script", b"<?php", b"<svg", b"<html", b"<!doctype", b"<iframe", b"rar!\x1a", b"7z\xbc\xaf\x27\x1c",
)  # fmt: skip
"""What makes a file another document besides, in small letters. A ZIP ends with its mark, the others begin with theirs."""
_LOOKED_AT: Final = 66_000
"""Bytes of what follows a picture that are looked at, from its start and from its end: phones put short films there."""
_HEIC: Final = frozenset((b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"))
_AVIF: Final = frozenset((b"avif", b"avis"))
_NO_LENGTH: Final = frozenset((0x01, *range(0xD0, 0xD8)))
_SOS, _EOI = 0xDA, 0xD9

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
    _refuse_passengers(data, kind)
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
        raise _broken() from error


def kind_of(data: bytes) -> str:
    r"""Tell what a file is by what it holds, not by what it is called.

    Parameters
    ----------
    data
        The file.

    Returns
    -------
    {"JPEG", "PNG", "WEBP"}
        As Pillow names them.

    Raises
    ------
    PhotoTypeError
        It is something else.
    PhotoError
        It is empty.

    Examples
    --------
    >>> kind_of(b"\xff\xd8\xff\xe0")
    'JPEG'
    """
    if not data:
        raise PhotoError("the photo is empty; send its bytes as the body", zh="没有收到照片内容。")
    if data[:3] == b"\xff\xd8\xff":
        return "JPEG"
    if data[:8] == b"\x89PNG\r\n\x1a\n":
        return "PNG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:8] == b"ftyp" and (brand := data[8:12]) in _HEIC | _AVIF:
        name = "HEIC" if brand in _HEIC else "AVIF"
        raise PhotoTypeError(
            f"the photo is {name}, which is not read here; send JPEG, PNG or WebP "
            "(an iPhone takes JPEG with Settings, Camera, Formats, Most Compatible)",
            zh=f"照片是 {name} 格式，这里无法读取；请发送 JPEG、PNG 或 WebP（iPhone：设置 → 相机 → 格式 → 兼容性最佳）。",
        )
    start = data[:256].lstrip(b"\xef\xbb\xbf \t\r\n")
    name = next((name for magic, name in _OTHERS if start.lower().startswith(magic.lower())), "of no known kind")  # fmt: skip
    raise PhotoTypeError(
        f"the file is {name}, not a photo; send JPEG, PNG or WebP",
        zh="这个文件不是 JPEG、PNG 或 WebP 照片。",
    )


def _refuse_passengers(data: bytes, kind: str) -> None:
    """See that a file is whole, and that what is no pixels in it is no other document."""
    rest = b"\n".join(_WALKS[kind](data)).lower()
    found = next((magic for magic in _ON_ITS_BACK if magic in rest), None)
    if found is not None:
        raise PhotoError(
            f"the photo carries another document ({found!r}); send the photo alone",
            zh="照片文件里夹带了其他内容，请只发送照片。",
        )


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Give what is no pixels in a JPEG file: its segments, and what follows its end."""
    at = 2
    while True:
        if data[at : at + 1] != b"\xff":
            raise _broken()
        while data[at : at + 1] == b"\xff":  # any number may stand before a mark
            at += 1
        if at >= len(data):
            raise _cut_off()
        mark = data[at]
        at += 1
        if mark == _EOI:
            break
        if mark in _NO_LENGTH:
            continue
        if at + 2 > len(data):
            raise _cut_off()
        (length,) = struct.unpack_from(">H", data, at)
        if length < 2 or at + length > len(data):
            raise _cut_off()
        yield data[at + 2 : at + length]
        at += length
        if mark == _SOS:
            at = _after_scan(data, at)
    yield from _trailer(data, at)


def _after_scan(data: bytes, at: int) -> int:
    """Find the mark after a scan: 0xFF, and neither a stuffed zero nor a restart."""
    while (at := data.find(b"\xff", at)) >= 0:
        following = data[at + 1 : at + 2]
        if not following:
            break
        if following[0] == 0xFF:
            at += 1
        elif following[0] == 0 or 0xD0 <= following[0] <= 0xD7:
            at += 2
        else:
            return at
    raise _cut_off()


def _png(data: bytes) -> Iterator[bytes]:
    """Give what is no pixels in a PNG file; every part is checked against its sum."""
    at = 8
    while True:
        if at + 12 > len(data):
            raise _cut_off()
        length, name = struct.unpack_from(">I4s", data, at)
        end = at + 12 + length
        if end > len(data):
            raise _cut_off()
        if zlib.crc32(data[at + 4 : end - 4]) != struct.unpack_from(">I", data, end - 4)[0]:
            raise _broken()
        if name in {b"acTL", b"fcTL", b"fdAT"}:
            raise _animated()
        if name != b"IDAT":
            yield data[at + 8 : end - 4]
        at = end
        if name == b"IEND":
            yield from _trailer(data, at)
            return


def _webp(data: bytes) -> Iterator[bytes]:
    """Give what is no pixels in a WebP file."""
    (size,) = struct.unpack_from("<I", data, 4)
    end = 8 + size
    if end > len(data) or len(data) < 20:
        raise _cut_off()
    at = 12
    while at < end:
        if at + 8 > end:
            raise _cut_off()
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > end:
            raise _cut_off()
        if name in {b"ANIM", b"ANMF"}:
            raise _animated()
        if name not in {b"VP8 ", b"VP8L", b"ALPH"}:
            yield data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    yield from _trailer(data, end)


def _trailer(data: bytes, at: int) -> tuple[bytes, bytes]:
    rest = data[at:]
    return rest[:_LOOKED_AT], rest[-_LOOKED_AT:]


_WALKS: Final = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}


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
        raise _animated()
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


def _broken() -> PhotoError:
    return PhotoError("the photo cannot be read: its file is broken; send it again", zh="照片文件已损坏，请重新发送。")  # fmt: skip


def _cut_off() -> PhotoError:
    return PhotoError("the photo is cut off before its end; send it again", zh="照片文件不完整，请重新发送。")  # fmt: skip


def _animated() -> PhotoError:
    return PhotoError("the file is a moving picture; send a photo", zh="这是动画，请发送静态照片。")
