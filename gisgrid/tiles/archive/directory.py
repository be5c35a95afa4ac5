"""Where in an archive is a tile? PMTiles' directories: numbers, runs, lengths and offsets, each as varints, gzipped."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.errors import InputError
from gisgrid.tiles.archive.addresses import Numbers
from gisgrid.tiles.warm import warms_up

MOST_ROOT_BYTES: Final = 16384 - 127
"""The header and the root must be in the first 16 384 bytes of the file."""

_LEAF: Final = 4096
_MOST_BYTES: Final = 64_000_000
"""An unpacked directory at most; what is larger is no directory but an attack."""


@dataclass(frozen=True)
class Directory:
    """Entries of an archive, rising.

    Attributes
    ----------
    number
        Shape (n,), the first tile of each entry.
    run
        Shape (n,), how many tiles share the entry's content; 0 where it is a leaf directory.
    length, offset
        Shape (n,), where the content is in its section of the file.
    """

    number: Numbers
    run: Numbers
    length: Numbers
    offset: Numbers

    def __len__(self) -> int:
        return len(self.number)

    def part(self, first: int, last: int) -> Directory:
        """Give some of the entries.

        Parameters
        ----------
        first, last
            Which; the last is not included.

        Returns
        -------
        Directory
            Views, not copies.
        """
        some = slice(first, last)
        return Directory(self.number[some], self.run[some], self.length[some], self.offset[some])

    def find(self, number: int) -> int | None:
        """Find the entry that leads to a tile.

        Parameters
        ----------
        number
            The tile's number.

        Returns
        -------
        int or None
            The entry's position; None where the archive has no such tile.
        """
        at = int(self.number.searchsorted(number, side="right")) - 1
        if at < 0:
            return None
        run = int(self.run[at])
        return at if run == 0 or number - int(self.number[at]) < run else None


def runs_of(number: Numbers, offset: Numbers, length: Numbers) -> Directory:
    """Join tiles that follow each other and have the same content.

    Parameters
    ----------
    number, offset, length
        Shape (n tiles,), rising by number.

    Returns
    -------
    Directory
        One entry per run.
    """
    if not len(number):
        return Directory(number, number, length, offset)
    begins = np.append(True, (np.diff(number) != 1) | (np.diff(offset) != 0))
    first = np.flatnonzero(begins)
    run = np.diff(np.append(first, len(number)))
    return Directory(number[first], run, length[first], offset[first])


def packed(entries: Directory) -> bytes:
    """Write a directory.

    Parameters
    ----------
    entries
        Its entries.

    Returns
    -------
    bytes
        As PMTiles 3 has it, gzipped; equal input gives equal bytes.
    """
    follows = np.append(False, entries.offset[1:] == entries.offset[:-1] + entries.length[:-1])
    words = np.concatenate(
        [
            [len(entries)], np.diff(entries.number, prepend=0), entries.run, entries.length,
            np.where(follows[: len(entries)], 0, entries.offset + 1),
        ]
    )  # fmt: skip
    out = np.empty(len(words) * 10, dtype=np.uint8)
    n = write_varints(words.astype(np.uint64), out)
    return gzip.compress(out[:n].tobytes(), mtime=0)


def unpacked(content: bytes, *, compressed: bool, name: str) -> Directory:
    """Read a directory.

    Parameters
    ----------
    content
        As it is in the file.
    compressed
        Whether it is gzipped.
    name
        The archive, for an error's sentence.

    Returns
    -------
    Directory
        Its entries.

    Raises
    ------
    InputError
        It is damaged.
    """
    try:
        plain = gunzipped(content) if compressed else content
        words = np.empty(len(plain), dtype=np.uint64)
        n = int(read_varints(np.frombuffer(plain, dtype=np.uint8), words))
    except zlib.error as error:
        raise InputError(f"{name!r} has a damaged directory ({error}); make it again") from error
    n_entries = int(words[0]) if n > 0 else -1
    if n_entries < 0 or n != 1 + 4 * n_entries or (words[:n] >> np.uint64(62)).any():
        raise InputError(
            f"{name!r} has a directory of {n} numbers that says it has {n_entries} entries of 4; make it again"
        )
    steps, run, length, offset = words[1:n].astype(np.int64).reshape(4, n_entries)
    resolve_offsets(length, offset)
    return Directory(np.cumsum(steps), run, length, offset)


def gunzipped(content: bytes) -> bytes:
    """Unpack gzip that must not grow beyond a directory's size.

    Parameters
    ----------
    content
        Gzipped bytes.

    Returns
    -------
    bytes
        The same, unpacked.

    Raises
    ------
    zlib.error
        They are damaged, or grow beyond it.
    """
    stream = zlib.decompressobj(wbits=31)
    plain = stream.decompress(content, _MOST_BYTES)
    if not stream.eof:
        raise zlib.error("it is cut off, or larger than any directory")
    return plain


def rooted(entries: Directory) -> tuple[bytes, bytes]:
    """Write all entries as a root that fits its place, and leaves under it where they do not fit in the root.

    Parameters
    ----------
    entries
        All of the archive.

    Returns
    -------
    tuple of bytes
        The root and the leaves one after the other.
    """
    if len(entries) <= 4 * _LEAF:
        root = packed(entries)
        if len(root) <= MOST_ROOT_BYTES:
            return root, b""
    size = _LEAF
    while True:
        firsts = list(range(0, len(entries), size))
        leaves = [packed(entries.part(first, first + size)) for first in firsts]
        length = np.array([len(leaf) for leaf in leaves], dtype=np.int64)
        offset = np.cumsum(length) - length
        root = packed(Directory(entries.number[firsts], np.zeros_like(length), length, offset))
        if len(root) <= MOST_ROOT_BYTES:
            return root, b"".join(leaves)
        size *= 2


@compiled
def write_varints(words: NDArray[np.uint64], out: NDArray[np.uint8]) -> int:
    """Write numbers seven bits to the byte; return how many bytes there are."""
    n = 0
    for word in words:
        rest = word
        while rest > np.uint64(0x7F):
            out[n] = np.uint8((rest & np.uint64(0x7F)) | np.uint64(0x80))
            rest >>= np.uint64(7)
            n += 1
        out[n] = np.uint8(rest)
        n += 1
    return n


@compiled
def read_varints(content: NDArray[np.uint8], out: NDArray[np.uint64]) -> int:
    """Read numbers of seven bits to the byte; return how many there are, -1 where the last has no end or one is too long."""
    n, shift = 0, 0
    word = np.uint64(0)
    for byte in content:
        if shift > 63:
            return -1
        word |= np.uint64(byte & np.uint8(0x7F)) << np.uint64(shift)
        if byte & np.uint8(0x80):
            shift += 7
        else:
            out[n] = word
            n += 1
            word, shift = np.uint64(0), 0
    return n if shift == 0 else -1


@compiled
def resolve_offsets(length: Numbers, offset: Numbers) -> None:
    """Turn offsets as written (0: right behind the entry before; else one more) into offsets."""
    for i in range(len(offset)):
        if offset[i] == 0 and i > 0:
            offset[i] = offset[i - 1] + length[i - 1]
        else:
            offset[i] -= 1


@warms_up
def _warm_up() -> None:
    one = np.array([1], dtype=np.int64)
    unpacked(packed(Directory(one, one, one, one)), compressed=True, name="")
