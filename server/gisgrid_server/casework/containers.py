"""Is this file a photo, and nothing else? Told by its content, which is walked from its first byte to its last mark.

A file is a photo when it is whole, shows one picture, and carries no other document on its back.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import Final

from gisgrid_server.edge.problems import PhotoError, PhotoTypeError

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


def refuse_passengers(data: bytes, kind: str) -> None:
    """See that a file is whole, and that what is no pixels in it is no other document.

    Parameters
    ----------
    data
        The file.
    kind
        What `kind_of` says of it.

    Raises
    ------
    PhotoError
        It is cut off, broken, animated, or carries another document.
    """
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
            raise broken()
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
            raise broken()
        if name in {b"acTL", b"fcTL", b"fdAT"}:
            raise animated()
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
            raise animated()
        if name not in {b"VP8 ", b"VP8L", b"ALPH"}:
            yield data[at + 8 : at + 8 + length]
        at += 8 + length + length % 2
    yield from _trailer(data, end)


def _trailer(data: bytes, at: int) -> tuple[bytes, bytes]:
    rest = data[at:]
    return rest[:_LOOKED_AT], rest[-_LOOKED_AT:]


_WALKS: Final = {"JPEG": _jpeg, "PNG": _png, "WEBP": _webp}


def broken() -> PhotoError:
    """Say that a file cannot be read.

    Returns
    -------
    PhotoError
        To be raised.
    """
    return PhotoError("the photo cannot be read: its file is broken; send it again", zh="照片文件已损坏，请重新发送。")  # fmt: skip


def _cut_off() -> PhotoError:
    return PhotoError("the photo is cut off before its end; send it again", zh="照片文件不完整，请重新发送。")  # fmt: skip


def animated() -> PhotoError:
    """Say that a file is a film.

    Returns
    -------
    PhotoError
        To be raised.
    """
    return PhotoError("the file is a moving picture; send a photo", zh="这是动画，请发送静态照片。")
