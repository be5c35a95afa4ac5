"""XML in steps: no entities, no document type, no nesting without end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Protocol
from xml.parsers import expat

import numpy as np
import pyarrow as pa

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import Batch, Refused
from gisgrid.intake.readers.encoding import Encoding, stated_encoding, text_encoding, utf_8_blocks
from gisgrid.intake.readers.geometry import wkb_of_geojson
from gisgrid.intake.readers.packed import Content

MAX_DEPTH: Final = 64
"""How deep elements may be nested."""
MAX_TEXT: Final = 64 << 20
"""How many characters one element may hold."""

_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]*encoding=["']([\w.-]+)["']""")
_FOUND_ANYWAY: Final = {"utf-8-sig", "gb18030", "utf-16"}


class Builder(Protocol):
    """Makes rows of the elements it is told of."""

    def begin(self, tag: str, attributes: dict[str, str], depth: int) -> None:
        """Hear that an element begins; its name is without namespace, the root is at depth 1."""

    def end(self, tag: str, text: str, depth: int) -> None:
        """Hear that an element ends, and what text was right in it."""

    def take(self) -> list[tuple[dict[str, str], object]]:
        """Give the rows that are done: fields, and a GeoJSON geometry or None."""


def text_of_xml(content: Content) -> Encoding:
    """Find the encoding of an XML text: what its declaration says, unless that is found anyway.

    Parameters
    ----------
    content
        The text.

    Returns
    -------
    Encoding
        UTF-8, GB 18030 and UTF-16 are found by the bytes, for a declaration may lie.
    """
    declared = _DECLARED.match(content.head(1024).removeprefix(b"\xef\xbb\xbf"))
    if declared:
        stated = stated_encoding(declared[1].decode("ascii", "replace"))
        if stated.codec not in _FOUND_ANYWAY:
            return stated
    return text_encoding(content)


def xml_rows(
    content: Content, encoding: Encoding, builder: Builder
) -> Iterator[tuple[list[tuple[dict[str, str], object]], float]]:
    """Give the rows that a builder makes of an XML text.

    Parameters
    ----------
    content, encoding
        The text.
    builder
        Told of every element.

    Yields
    ------
    list
        Rows.
    float
        The share read so far.

    Raises
    ------
    InputError
        A document type or an entity, elements nested without end, or no well-formed XML.
    """
    parser = _parser(content.name, builder)
    try:
        for block, share in utf_8_blocks(content, encoding, block=1 << 20):
            parser.Parse(block, False)  # noqa: FBT003 - expat's own
            if rows := builder.take():
                yield rows, share
        parser.Parse(b"", True)  # noqa: FBT003
    except expat.ExpatError as error:
        cut = error.code in {3, 5}  # no element found, unclosed token
        raise InputError(
            f"{content.name!r} is XML that {'is cut short' if cut else 'is not well formed'} (line {error.lineno}: "
            f"{expat.ErrorString(error.code)}); export it again"
        ) from error
    if rows := builder.take():
        yield rows, 1.0


def _parser(name: str, builder: Builder) -> expat.XMLParserType:
    """Make a parser that tells a builder of every element and refuses what can do harm."""
    parser = expat.ParserCreate("utf-8", " ")
    parser.buffer_text = True
    texts: list[list[str]] = []

    def begin(tag: str, attributes: dict[str, str]) -> None:
        if len(texts) == MAX_DEPTH:
            raise InputError(
                f"{name!r} is XML nested deeper than {MAX_DEPTH} elements, as no table is; export it again"
            )
        texts.append([])
        builder.begin(tag.rsplit(" ", 1)[-1], attributes, len(texts))

    def end(tag: str) -> None:
        text = "".join(texts[-1]).strip()
        builder.end(tag.rsplit(" ", 1)[-1], text, len(texts))
        texts.pop()

    def data(text: str) -> None:
        texts[-1].append(text)
        if len(texts[-1]) > 1024 and sum(map(len, texts[-1])) > MAX_TEXT:
            raise InputError(
                f"{name!r} holds an element of more than {MAX_TEXT >> 20} MB, as no report is"
            )

    def refuse(*_: object) -> None:
        raise InputError(
            f"{name!r} declares a document type or an entity (<!DOCTYPE>), through which XML can read other files or grow "
            "without end, so it is not read; export it without"
        )

    parser.StartElementHandler, parser.EndElementHandler = begin, end
    parser.CharacterDataHandler = data
    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    return parser


def xml_batch(
    rows: list[tuple[dict[str, str], object]], columns: tuple[str, ...], at: int, *, geometry: bool
) -> Batch:
    """Make a batch of rows.

    Parameters
    ----------
    rows
        Fields and geometry of each.
    columns
        All columns of the source.
    at
        How many rows came before.
    geometry
        Whether the source has geometry.

    Returns
    -------
    Batch
        Text columns; rows with an unreadable geometry are refused.
    """
    numbers = np.arange(at + 1, at + len(rows) + 1, dtype=np.int64)
    table = pa.table(
        {name: pa.array([row.get(name) for row, _ in rows], pa.string()) for name in columns}
    )
    if not geometry:
        return Batch(numbers, table)
    wkb, unreadable = wkb_of_geojson([shape for _, shape in rows])
    good = pa.array(~unreadable)
    refused = tuple(
        Refused(int(numbers[n]), "unreadable_place", ", ".join(rows[n][0].values()))
        for n in np.flatnonzero(unreadable)
    )
    return Batch(numbers[~unreadable], table.filter(good), wkb.filter(good), refused)
