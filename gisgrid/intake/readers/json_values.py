"""Where are the rows in a JSON text: one compiled pass over the bytes finds its values, its arrays and its depth.

Nothing is parsed here; so a file of any size is cut into values of bounded size first, and each is parsed alone.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.compiled import compiled
from gisgrid.errors import InputError
from gisgrid.intake.readers.encoding import Encoding, utf_8_blocks
from gisgrid.intake.readers.packed import Content

MAX_DEPTH: Final = 64
"""How deep brackets may be nested."""
MAX_VALUE: Final = 64 << 20
"""How many bytes one row may have (64 MB)."""

_OPEN, _OPEN_LIST, _CLOSE, _CLOSE_LIST = ord("{"), ord("["), ord("}"), ord("]")
_QUOTE, _BACKSLASH, _COMMA, _COLON = ord('"'), ord("\\"), ord(","), ord(":")


@dataclass(frozen=True)
class Array:
    """A list in the first value of a text that lies in objects only.

    Attributes
    ----------
    path
        The names that lead to it, joined by points; '' for the text itself.
    at, end
        The bytes between its brackets.
    first
        Its first value, as far as 64 bytes of it.
    """

    path: str
    at: int
    end: int
    first: bytes

    @property
    def of_objects(self) -> bool:
        """Whether its first value is an object or nothing."""
        return self.first.startswith((b"{", b"null"))


@dataclass(frozen=True)
class Outline:
    """What a JSON text is made of.

    Attributes
    ----------
    n_values
        How many values stand one after the other: 1, or more in JSON lines.
    arrays
        The lists that may hold rows.
    n_bytes
        Its length in UTF-8.
    """

    n_values: int
    arrays: tuple[Array, ...]
    n_bytes: int


def outline(content: Content, encoding: Encoding) -> Outline:
    """Find the values and the lists of a JSON text.

    Parameters
    ----------
    content, encoding
        The text.

    Returns
    -------
    Outline
        Offsets are those of the text in UTF-8 without a mark.

    Raises
    ------
    InputError
        Brackets that do not pair, or nested deeper than `MAX_DEPTH`.
    """
    state = np.zeros(
        8, np.int64
    )  # depth, in a string, after a backslash, values, lists around, n of found, in a scalar
    kinds = np.zeros(MAX_DEPTH + 1, np.uint8)
    found = np.zeros((64, 2), np.int64)
    n_before = 0
    for data, _ in utf_8_blocks(content, encoding):
        fault = _outline(np.frombuffer(data, np.uint8), n_before, state, kinds, found)
        if fault == 1:
            raise InputError(
                f"{content.name!r} is JSON nested deeper than {MAX_DEPTH} brackets, as no table is; give its rows as a list"
            )
        if fault == 2:
            raise InputError(
                f"{content.name!r} is JSON whose brackets do not pair; export it again"
            )
        n_before += len(data)
    if state[0] or state[1]:
        raise InputError(
            f"{content.name!r} is JSON that ends in the middle ({state[0]} brackets are still open); it is cut short: "
            "copy or download it again"
        )
    arrays = _named(content, encoding, [(int(a), int(b)) for a, b in found[: state[5]]])
    return Outline(int(state[3]), tuple(arrays), n_before)


def values(
    content: Content, encoding: Encoding, *, at: int, end: int | None
) -> Iterator[tuple[list[bytes], float]]:
    """Cut the text between two places into the values that stand there one after the other.

    Parameters
    ----------
    content, encoding
        The text.
    at, end
        From which byte to which; to the end where that is None.

    Yields
    ------
    list of bytes
        Whole values, not parsed.
    float
        The share read so far.

    Raises
    ------
    InputError
        One value is longer than `MAX_VALUE`.
    """
    rest, n_seen = b"", 0
    for data, share in utf_8_blocks(content, encoding):
        begin = max(0, at - n_seen)
        stop = len(data) if end is None else max(0, min(len(data), end - n_seen))
        n_seen += len(data)
        if begin >= stop:
            if end is not None and n_seen > end:
                break
            continue
        text = rest + data[begin:stop]
        spans, consumed = cut(text, at_end=False)
        rest = text[consumed:]
        if len(rest) > MAX_VALUE:
            raise InputError(
                f"{content.name!r} holds a row of more than {MAX_VALUE >> 20} MB, as no report is; check that its rows are "
                "a list"
            )
        if spans:
            yield spans, share
    spans, _ = cut(rest, at_end=True)
    if spans:
        yield spans, 1.0


def cut(text: bytes, *, at_end: bool) -> tuple[list[bytes], int]:
    """Cut a text into the values that stand in it one after the other, with or without commas.

    Parameters
    ----------
    text
        UTF-8.
    at_end
        Whether it ends here; otherwise the last value, if it may go on, is left.

    Returns
    -------
    list of bytes
        The values.
    int
        Where the bytes begin that belong to no value yet.

    Examples
    --------
    >>> cut(b'{"a": [1, 2]}, null {"b"', at_end=False)
    ([b'{"a": [1, 2]}', b'null'], 20)
    """
    view = np.frombuffer(text, np.uint8)
    spans = np.empty((len(text) // 2 + 1, 2), np.int64)
    n, consumed = _cut(view, at_end, spans)
    return [text[a:b] for a, b in spans[:n].tolist()], int(consumed)


def _named(content: Content, encoding: Encoding, found: list[tuple[int, int]]) -> Iterator[Array]:
    """Give the lists their names; the texts between them are small, unless they are rows themselves."""
    if not found:
        return
    head = b""
    for data, _ in utf_8_blocks(content, encoding):
        head += data
        if len(head) >= MAX_VALUE:
            break
    for at, end in found:
        path = _path(head[: at - 1]) if at <= len(head) else "…"
        yield Array(path, at, end, head[at : min(end, at + 4096)].lstrip()[:64])


def _path(text: bytes) -> str:
    """Give the names that lead to the end of a text: the open objects' last names."""
    names: list[str] = []
    for piece in _open_names(np.frombuffer(text, np.uint8)).tolist():
        try:
            names.append(
                str(
                    json.JSONDecoder().raw_decode(
                        text[piece : piece + 4096].decode(errors="replace")
                    )[0]
                )
            )
        except ValueError:
            names.append("?")
    return ".".join(names)


@compiled
def _open_names(data: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Give where the last name of each object that is still open begins."""
    last = np.zeros(MAX_DEPTH + 2, np.int64)
    depth, string, at = 0, -1, 0
    while at < len(data):
        byte = data[at]
        if string >= 0:
            if byte == _BACKSLASH:
                at += 1
            elif byte == _QUOTE:
                last[depth], string = string, -1
        elif byte == _QUOTE:
            string = at
        elif byte in (_OPEN, _OPEN_LIST):
            depth += 1
        elif byte in (_CLOSE, _CLOSE_LIST):
            depth -= 1
        at += 1
    return last[1 : depth + 1].copy()


@compiled
def _outline(  # noqa: C901, PLR0912 - one loop over the bytes, compiled as a whole
    data: NDArray[np.uint8],
    n_before: int,
    state: NDArray[np.int64],
    kinds: NDArray[np.uint8],
    found: NDArray[np.int64],
) -> int:
    """Go on with the outline; give 1 where it is too deep, 2 where brackets do not pair."""
    depth, string, escaped, n_values, lists, n_found, scalar, inside = state
    for at in range(len(data)):
        byte = data[at]
        if string:
            if escaped:
                escaped = 0
            elif byte == _BACKSLASH:
                escaped = 1
            elif byte == _QUOTE:
                string = 0
            continue
        if byte == _QUOTE:
            string = 1
            n_values += depth == 0
            scalar = 0
        elif byte in (_OPEN, _OPEN_LIST):
            n_values += depth == 0
            scalar = 0
            if depth == MAX_DEPTH:
                return 1
            if byte == _OPEN_LIST:
                if lists == 0 and n_values == 1 and depth <= 4 and n_found < len(found):
                    found[n_found, 0], inside = n_before + at + 1, 1
                lists += 1
            kinds[depth] = byte
            depth += 1
        elif byte in (_CLOSE, _CLOSE_LIST):
            depth -= 1
            if depth < 0 or kinds[depth] != byte - 2:
                return 2
            if byte == _CLOSE_LIST:
                lists -= 1
                if lists == 0 and inside:
                    found[n_found, 1], inside = n_before + at, 0
                    n_found += 1
        elif depth == 0:
            if byte > 32 and byte != _COMMA:
                n_values += scalar == 0
                scalar = 1
            else:
                scalar = 0
    state[0], state[1], state[2], state[3] = depth, string, escaped, n_values
    state[4], state[5], state[6], state[7] = lists, n_found, scalar, inside
    return 0


@compiled
def _cut(  # noqa: C901, PLR0912 - one loop over the bytes, compiled as a whole
    data: NDArray[np.uint8],
    at_end: bool,  # noqa: FBT001 - compiled code takes plain arguments
    spans: NDArray[np.int64],
) -> tuple[int, int]:
    """Fill the spans of values at depth 0; give their number and where the unfinished begins."""
    n, at, size, done = 0, 0, len(data), 0
    while at < size:
        byte = data[at]
        if byte <= 32 or byte == _COMMA:
            at += 1
            done = at
            continue
        begin, depth, string = at, 0, False
        while at < size:
            byte = data[at]
            if string:
                if byte == _BACKSLASH:
                    at += 1
                elif byte == _QUOTE:
                    string = False
            elif byte == _QUOTE:
                string = True
            elif byte in (_OPEN, _OPEN_LIST):
                if depth == 0 and at > begin:
                    break
                depth += 1
            elif byte in (_CLOSE, _CLOSE_LIST):
                depth -= 1
                if depth <= 0:
                    at += 1
                    break
            elif depth == 0 and (byte <= 32 or byte == _COMMA):
                break
            at += 1
        closed = at < size or (depth == 0 and not string and data[begin] in (_OPEN, _OPEN_LIST))
        if not closed and not at_end:
            break
        at = min(at, size)
        spans[n, 0], spans[n, 1] = begin, at
        n, done = n + 1, at
    return n, done
