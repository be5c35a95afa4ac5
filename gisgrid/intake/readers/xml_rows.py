"""Open311 GeoReport v2 service requests in XML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import Batch, NoRowsError, Source
from gisgrid.intake.readers.encoding import Encoding
from gisgrid.intake.readers.packed import Content
from gisgrid.intake.readers.xml_text import text_of_xml, xml_batch, xml_rows


@dataclass
class _Requests:
    """Makes a row of every service request: its elements, those inside them named with a point."""

    name: str
    root: str = ""
    rows: list[tuple[dict[str, str], object]] = field(default_factory=list)
    row: dict[str, str] = field(default_factory=dict)
    path: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def begin(self, tag: str, attributes: dict[str, str], depth: int) -> None:
        del attributes
        if depth == 1:
            self.root = tag
            _require_requests(tag, self.name)
        elif depth > 2:
            self.path.append(tag)

    def end(self, tag: str, text: str, depth: int) -> None:
        if self.root == "errors":
            if tag == "description":
                self.errors.append(text)
            if depth == 1:
                raise InputError(
                    f"{self.name!r} is an answer of a service that refused: {'; '.join(self.errors)[:200]}"
                )
            return
        if depth == 2:
            self.rows.append((self.row, None))
            self.row = {}
        elif depth > 2:
            key = ".".join(self.path)
            if text:
                self.row[key] = f"{self.row[key]}; {text}" if self.row.get(key) else text
            elif depth == 3 and not any(one.startswith(f"{key}.") for one in self.row):
                self.row.setdefault(key, "")
            self.path.pop()

    def take(self) -> list[tuple[dict[str, str], object]]:
        rows, self.rows = self.rows, []
        return rows


def _require_requests(root: str, name: str) -> None:
    if root == "services":
        raise InputError(
            f"{name!r} lists the services of an Open311 endpoint, not its requests; name its requests.xml"
        )
    if root not in {"service_requests", "errors"}:
        raise InputError(
            f"{name!r} is XML of <{root}>, which is not read; Open311 service requests, KML, CSV, Excel, GeoJSON and "
            "GeoPackage are"
        )


def open_xml(content: Content) -> Source:
    """Open the service requests of an Open311 GeoReport v2 service in XML.

    Parameters
    ----------
    content
        The text.

    Returns
    -------
    Source
        Text columns, one per element.

    Raises
    ------
    InputError
        Other XML, or XML that can do harm.
    """
    encoding = text_of_xml(content)
    columns: dict[str, None] = {}
    n_rows = 0
    for rows, _ in xml_rows(content, encoding, _Requests(content.name)):
        n_rows += len(rows)
        for row, _ in rows:
            columns.update(dict.fromkeys(row))
    if not n_rows:
        raise NoRowsError(
            f"{content.name!r} holds no service requests; widen the dates that were asked for"
        )
    names = tuple(columns)
    return Source(
        name=content.name,
        format="open311",
        columns=names,
        crs=None,
        n_rows=n_rows,
        notes=encoding.notes,
        stream=lambda: _batches(content, encoding, names),
    )


def _batches(
    content: Content, encoding: Encoding, columns: tuple[str, ...]
) -> Iterator[tuple[Batch, float]]:
    at = 0
    for rows, share in xml_rows(content, encoding, _Requests(content.name)):
        yield xml_batch(rows, columns, at, geometry=False), share
        at += len(rows)
