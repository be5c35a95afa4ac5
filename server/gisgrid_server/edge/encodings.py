"""How does an answer travel? Uncompressed, or by the best encoding that the client takes and we have."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, Literal

import brotli  # type: ignore[import-untyped]  # it ships no types
import zstandard
from isal import isal_zlib

Encoding = Literal["", "gzip", "br", "zstd"]
"""A content coding of HTTP; empty for none."""

WORTH_PACKING: Final = 200
"""Bytes from which compression is tried."""

_WORTH_TABLES: Final = 4096
"""Fewer bytes are packed with fixed Huffman tables: making better ones takes longer than sending the difference."""

_PREFERRED: Final[tuple[Encoding, ...]] = ("gzip", "zstd", "br")
"""Among encodings of one weight the fastest goes first: a browser lists all three with the same weight."""

_WEIGHT: Final = re.compile(r"^\s*q\s*=\s*(0(?:\.[0-9]{0,3})?|1(?:\.0{0,3})?)\s*$", re.IGNORECASE)
_MAX_HEADER: Final = 1000


@lru_cache(maxsize=1024)
def chosen_encoding(accept: bytes) -> Encoding:
    """Choose the encoding of an answer (RFC 9110, 12.5.3).

    Parameters
    ----------
    accept
        The client's ``Accept-Encoding``; empty where it has none.

    Returns
    -------
    str
        The encoding of the greatest weight that is ours; empty where none is taken, or plain bytes weigh more.

    Examples
    --------
    >>> chosen_encoding(b"gzip, deflate, br, zstd"), chosen_encoding(b"br;q=1, gzip;q=0.5")
    ('gzip', 'br')
    >>> chosen_encoding(b"gzip;q=0"), chosen_encoding(b"*"), chosen_encoding(b"identity, gzip;q=0.2")
    ('', 'gzip', '')
    """
    weights = _weights(accept[:_MAX_HEADER].decode("latin-1"))
    anything = weights.get("*", 0.0)
    best: Encoding = ""
    # Plain bytes are always taken, but only who says so wants them rather than what is smaller.
    highest = weights.get("identity", 0.0)
    for name in _PREFERRED:
        weight = weights.get(name, weights.get("x-gzip", anything) if name == "gzip" else anything)
        if weight > highest or (weight == highest > 0 and not best):
            best, highest = name, weight
    return best


def packed(body: bytes, encoding: Encoding) -> bytes:
    """Compress an answer.

    Parameters
    ----------
    body
        The plain bytes.
    encoding
        How.

    Returns
    -------
    bytes
        The same bytes for the same body, on every machine with these libraries.
    """
    match encoding:
        case "gzip":
            # The time in the header is 0: equal tiles are equal bytes.
            return isal_zlib.compress(body, 1 if len(body) >= _WORTH_TABLES else 0, 31)
        case "br":
            return bytes(brotli.compress(body, quality=4))
        case "zstd":
            return zstandard.ZstdCompressor(level=3).compress(body)
        case _:
            return body


def _weights(header: str) -> dict[str, float]:
    weights: dict[str, float] = {}
    for item in header.split(","):
        name, *parameters = item.split(";")
        weight = 1.0
        for parameter in parameters:
            found = _WEIGHT.match(parameter)
            if found is None and parameter.strip().lower().startswith("q"):
                weight = 0.0  # a weight that cannot be read is no wish
            elif found is not None:
                weight = float(found[1])
        if name.strip():
            weights[name.strip().lower()] = weight
    return weights
