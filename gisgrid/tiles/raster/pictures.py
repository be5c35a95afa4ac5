"""How is a picture written? PNG with a palette, by hand because it is quick, and WebP by GDAL."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from typing import Final

import numpy as np
import rasterio
from affine import Affine
from isal import isal_zlib
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.files import first_line

_LEVEL: Final = 1
"""Of the compression: a sixth of the time of zlib's level 1, and smaller."""


def palette_png(rows: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Write a PNG of one byte to the pixel.

    Parameters
    ----------
    rows
        Shape (height, width + 1), row 0 at the top. The first column names each row's filter and must be 0 (none);
        the others are places in the palette.
    palette
        Shape (256, 4), red, green, blue, opacity, 0 to 255 each.

    Returns
    -------
    bytes
        A PNG (ISO/IEC 15948); equal input gives equal bytes.
    """
    height, width = rows.shape
    header = struct.pack(">IIBBBBB", width - 1, height, 8, 3, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette[:, :3].tobytes()),
            _chunk(b"tRNS", palette[:, 3].tobytes()),
            _chunk(b"IDAT", isal_zlib.compress(rows, level=_LEVEL)),
            _chunk(b"IEND", b""),
        ]
    )


@lru_cache(maxsize=4)
def nothing_png(side: int) -> bytes:
    """Write a PNG in which nothing is to be seen.

    Parameters
    ----------
    side
        Its width and height in pixels.

    Returns
    -------
    bytes
        A PNG.
    """
    row = bytes(1 + (side + 7) // 8)
    header = struct.pack(">IIBBBBB", side, side, 1, 3, 0, 0, 0)
    chunks = [
        _chunk(b"IHDR", header), _chunk(b"PLTE", bytes(3)), _chunk(b"tRNS", bytes(1)),
        _chunk(b"IDAT", zlib.compress(row * side, 9)), _chunk(b"IEND", b""),
    ]  # fmt: skip
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def webp(rows: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Write a WebP without loss.

    Parameters
    ----------
    rows, palette
        As for `palette_png`.

    Returns
    -------
    bytes
        A WebP (RFC 9649); equal input gives equal bytes.

    Raises
    ------
    InputError
        The GDAL that is installed cannot write it.
    """
    pixels = np.moveaxis(palette[rows[:, 1:]], 2, 0)
    height, width = pixels.shape[1:]
    north_up = Affine(1, 0, 0, 0, -1, height)  # a picture without a place draws a warning
    try:
        with rasterio.MemoryFile() as memory:
            with memory.open(
                driver="WEBP", width=width, height=height, count=4, dtype="uint8", transform=north_up, lossless=True
            ) as picture:  # fmt: skip
                picture.write(pixels)
            memory.seek(0)
            return bytes(memory.read())
    except (rasterio.errors.RasterioError, ValueError) as error:
        raise InputError(
            f"a WebP is asked for and GDAL cannot write it ({first_line(error)}); ask for png"
        ) from error


def _chunk(kind: bytes, content: bytes) -> bytes:
    summed = zlib.crc32(content, zlib.crc32(kind))
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", summed)
