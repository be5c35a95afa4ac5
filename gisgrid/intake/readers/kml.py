"""KML: every placemark a row, with its folder, its data and its geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from gisgrid.crs import LONLAT
from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import Batch, Source
from gisgrid.intake.readers.encoding import Encoding
from gisgrid.intake.readers.packed import Content
from gisgrid.intake.readers.xml_text import text_of_xml, xml_batch, xml_rows
from gisgrid.schema import Text

_UNREADABLE: Final[dict[str, object]] = {"type": "Point"}
_COMMA: Final = re.compile(r"\s*,\s*")
_SHAPES: Final = frozenset(
    {"Point", "LineString", "LinearRing", "Polygon", "MultiGeometry", "Track", "MultiTrack"}
)
_TEXTS: Final = frozenset({"name", "description", "address", "phoneNumber", "when", "begin", "end"})
_Shape = dict[str, object]


@dataclass
class _Placemarks:
    """Makes a row of every placemark. `open` holds the shapes that are being built, the outermost first."""

    rows: list[tuple[dict[str, str], object]] = field(default_factory=list)
    folders: list[tuple[int, str]] = field(default_factory=list)
    row: dict[str, str] | None = None
    data_name: str = ""
    open: list[tuple[str, list[object]]] = field(default_factory=list)
    shape: object = None
    n_links: int = 0

    def begin(self, tag: str, attributes: dict[str, str], depth: int) -> None:
        if tag in {"Folder", "Document"} and self.row is None:
            self.folders.append((depth, ""))
        elif tag == "Placemark":
            self.row, self.shape, self.open = {}, None, []
            path = "/".join(name for _, name in self.folders if name)
            if path:
                self.row["folder"] = path
        elif tag in {"Data", "SimpleData"}:
            self.data_name = attributes.get("name", "")
        elif tag in _SHAPES and self.row is not None:
            self.open.append((tag, []))

    def end(self, tag: str, text: str, depth: int) -> None:
        if self.row is None:
            self._end_outside(tag, text, depth)
        elif tag == "Placemark":
            self.rows.append((self.row, self.shape))
            self.row = None
        elif tag in _SHAPES and self.open:
            self._close()
        elif self.open:
            if tag in {"coordinates", "coord"}:
                self.open[-1][1].append(_positions(text, tracked=tag == "coord"))
        elif tag == "SimpleData" or (tag == "value" and self.data_name):
            self.row[self.data_name] = text
        elif tag in _TEXTS and text:
            self.row.setdefault(tag, text)

    def take(self) -> list[tuple[dict[str, str], object]]:
        rows, self.rows = self.rows, []
        return rows

    def _end_outside(self, tag: str, text: str, depth: int) -> None:
        """Hear of what ends outside of placemarks: folders, their names, links."""
        if tag == "NetworkLink":
            self.n_links += 1
        elif self.folders and tag in {"Folder", "Document"}:
            self.folders.pop()
        elif tag == "name" and self.folders and self.folders[-1][0] == depth - 1:
            self.folders[-1] = (depth - 1, text)

    def _close(self) -> None:
        """Finish a shape and hand it to the one around it."""
        tag, parts = self.open.pop()
        shape = _geojson(tag, parts)
        if self.open:
            self.open[-1][1].append(shape)
        elif self.shape is None:
            self.shape = shape


def open_kml(content: Content) -> Source:
    """Open a KML text.

    Parameters
    ----------
    content
        The text, perhaps out of a .kmz.

    Returns
    -------
    Source
        Text columns: folder, name, description, times and the extended data; WKB in WGS84 longitude, latitude. Links
        to other files are not followed.

    Raises
    ------
    InputError
        Not well formed, or without placemarks.
    """
    encoding = text_of_xml(content)
    columns: dict[str, None] = {}
    n_rows, builder = 0, _Placemarks()
    for rows, _ in xml_rows(content, encoding, builder):
        n_rows += len(rows)
        for row, _ in rows:
            columns.update(dict.fromkeys(row))
    links = builder.n_links
    if not n_rows:
        raise InputError(
            f"{content.name!r} is KML without placemarks"
            + (
                f", only {links} links to other files, which are not followed; name the file they lead to"
                if links
                else "; check that the export finished"
            )
        )
    names = tuple(columns)
    notes = list(encoding.notes)
    if links:
        notes.append(
            Text(zh=f"{links} 个网络链接未打开", en=f"{links} network links are not followed")
        )
    return Source(
        name=content.name,
        format="kml",
        columns=names,
        crs=LONLAT,
        n_rows=n_rows,
        notes=tuple(notes),
        stream=lambda: _batches(content, encoding, names),
    )


def _batches(
    content: Content, encoding: Encoding, columns: tuple[str, ...]
) -> Iterator[tuple[Batch, float]]:
    at = 0
    for rows, share in xml_rows(content, encoding, _Placemarks()):
        yield xml_batch(rows, columns, at, geometry=True), share
        at += len(rows)


def _positions(text: str, *, tracked: bool) -> list[list[float]] | None:
    """Read ``lon,lat[,height]`` tuples, or one ``lon lat height`` of a track; None where they are no numbers."""
    tuples = (
        [text.split()] if tracked else [one.split(",") for one in _COMMA.sub(",", text).split()]
    )
    try:
        positions = [[float(number) for number in one[:2]] for one in tuples]
    except ValueError:
        return None
    return positions if all(len(one) == 2 for one in positions) else None


def _geojson(tag: str, parts: list[object]) -> _Shape:
    """Make a GeoJSON geometry of the parts of a KML shape."""
    if None in parts:
        return _UNREADABLE
    match tag:
        case "Point":
            first = parts[0] if parts else []
            return {
                "type": "Point",
                "coordinates": first[0] if isinstance(first, list) and first else None,
            }
        case "LineString" | "LinearRing":
            return {"type": "LineString", "coordinates": parts[0] if parts else []}
        case "Track":
            return {
                "type": "LineString",
                "coordinates": [one[0] for one in parts if isinstance(one, list) and one],
            }
        case "Polygon":
            return {
                "type": "Polygon",
                "coordinates": [one["coordinates"] for one in parts if isinstance(one, dict)],
            }
    return _collected([one for one in parts if isinstance(one, dict)])


def _collected(shapes: list[_Shape]) -> _Shape:
    """Make one geometry of several: of one kind where they are."""
    kinds = {shape["type"] for shape in shapes}
    if len(kinds) == 1 and (kind := str(next(iter(kinds)))) in {"Point", "LineString", "Polygon"}:
        return {
            "type": f"Multi{kind}",
            "coordinates": [shape.get("coordinates") for shape in shapes],
        }
    return {"type": "GeometryCollection", "geometries": shapes}
