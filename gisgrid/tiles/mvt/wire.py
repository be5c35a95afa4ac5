"""How does a tile say a number? Protocol buffers' varints, for single numbers and in compiled loops."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled

Bytes = NDArray[np.uint8]
Ints = NDArray[np.int64]


def varint(number: int) -> bytes:
    """Write a whole number as protocol buffers do, seven bits to the byte.

    Parameters
    ----------
    number
        Not negative.

    Returns
    -------
    bytes
        One to ten bytes.

    Examples
    --------
    >>> varint(300).hex()
    'ac02'
    """
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def field(number: int, content: bytes) -> bytes:
    """Write a field of bytes: its number, its length, its content.

    Parameters
    ----------
    number
        The field's number.
    content
        Its bytes.

    Returns
    -------
    bytes
        The field.
    """
    return varint(number << 3 | 2) + varint(len(content)) + content


@compiled
def zigzag(number: int) -> int:
    """Fold a signed number so that small ones stay small, as protocol buffers do.

    Parameters
    ----------
    number
        Any.

    Returns
    -------
    int
        0, -1, 1, -2 become 0, 1, 2, 3.
    """
    return number << 1 ^ number >> 63


@compiled
def varint_size(number: int) -> int:
    """Say how many bytes a varint takes.

    Parameters
    ----------
    number
        Not negative.

    Returns
    -------
    int
        One to nine.
    """
    size = 1
    while number > 0x7F:
        number >>= 7
        size += 1
    return size


@compiled
def put_varint(number: int, out: Bytes, at: int) -> int:
    """Write a varint into a buffer.

    Parameters
    ----------
    number
        Not negative.
    out
        Where to, with room for it.
    at
        The first byte to write.

    Returns
    -------
    int
        The byte after it.
    """
    if number < 0x80:  # most numbers take one byte or two
        out[at] = number
        return at + 1
    if number < 0x4000:
        out[at], out[at + 1] = number & 0x7F | 0x80, number >> 7
        return at + 2
    while number > 0x7F:
        out[at] = number & 0x7F | 0x80
        number >>= 7
        at += 1
    out[at] = number
    return at + 1


@compiled
def put_bytes(source: Bytes, start: int, stop: int, out: Bytes, at: int) -> int:
    """Copy bytes into a buffer.

    Parameters
    ----------
    source
        Where from.
    start, stop
        Which of them.
    out
        Where to, with room for them; up to 15 bytes after them may be overwritten.
    at
        The first byte to write.

    Returns
    -------
    int
        The byte after them.
    """
    n = stop - start
    if start + n + 15 < len(source) and at + n + 15 < len(out):
        for first in range(0, n, 16):  # sixteen at a time are one move
            for i in range(first, first + 16):
                out[at + i] = source[start + i]
    else:
        for i in range(n):
            out[at + i] = source[start + i]
    return at + n
