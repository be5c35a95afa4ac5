"""Write a small palette PNG: one byte to the pixel, 256 colours with their opacity."""

from __future__ import annotations

import struct
import zlib

import numpy as np
from numpy.typing import NDArray


def palette_png(indices: NDArray[np.uint8], palette: NDArray[np.uint8]) -> bytes:
    """Write an image whose pixels point into a palette.

    Parameters
    ----------
    indices
        Shape (height, width), row 0 at the top.
    palette
        Shape (256, 4), red, green, blue, opacity, 0 to 255 each.

    Returns
    -------
    bytes
        A PNG (ISO/IEC 15948); equal input gives equal bytes.
    """
    height, width = indices.shape
    rows = np.zeros(
        (height, width + 1), dtype=np.uint8
    )  # the first byte of a row names its filter: 0, none
    rows[:, 1:] = indices
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette[:, :3].tobytes()),
            _chunk(b"tRNS", palette[:, 3].tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), level=3)),
            _chunk(b"IEND", b""),
        ]
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return (
        struct.pack(">I", len(content))
        + kind
        + content
        + struct.pack(">I", zlib.crc32(kind + content))
    )
