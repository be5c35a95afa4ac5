"""Where in a JSON text are the rows, and what are they: features, objects in a list, or one object per line."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeVar

from pyproj import CRS

from gisgrid.crs import LONLAT, parse_crs
from gisgrid.errors import CrsError, InputError, did_you_mean
from gisgrid.intake.readers.batch import LAYER_OPTION, ROWS_AT_ONCE
from gisgrid.intake.readers.encoding import Encoding, utf_8_blocks
from gisgrid.intake.readers.geometry import GEOMETRY_TYPES
from gisgrid.intake.readers.json_values import MAX_VALUE, Array, Outline, outline, values
from gisgrid.intake.readers.packed import Content
from gisgrid.schema import Text

LINE_SUFFIXES: Final = (".jsonl", ".ndjson", ".jsonlines", ".geojsonl", ".geojsons")

_Item = TypeVar("_Item")

BAD: Final = object()
"""Stands for a value that is no JSON."""

_DOCUMENTS: Final = {
    "tilejson": "a TileJSON document, which describes tiles",
    "openapi": "an OpenAPI document, which describes a service",
    "swagger": "an OpenAPI document, which describes a service",
    "$schema": "a JSON schema or a document that follows one",
    "stac_version": "a STAC document, which describes images",
}


@dataclass(frozen=True)
class Place:
    """Where the rows lie, and what they are."""

    content: Content
    encoding: Encoding
    at: int = 0
    end: int | None = None
    by_line: bool = False
    features: bool = False
    whole: bool = False
    """The value is one geometry, not an object of members."""


def find_rows(
    content: Content, encoding: Encoding, *, suffix: str, layer: str | None
) -> tuple[Place, CRS | None, tuple[Text, ...]]:
    """Find where the rows lie.

    Parameters
    ----------
    content, encoding
        The text.
    suffix
        What its name ends in; one of `LINE_SUFFIXES` says that every line is a value.
    layer
        The path to the list of rows, where there are several.

    Returns
    -------
    place : Place
        From where to where, and whether the rows are features.
    crs : CRS or None
        What features are in, None where the name of it is not known.
    notes : tuple of Text
        What was decided.

    Raises
    ------
    InputError
        There are no rows, several lists of them, or it is a document of another kind.
    """
    place = Place(content, encoding)
    if suffix in LINE_SUFFIXES or _is_lines(content, encoding):
        place = replace(place, by_line=True)
        return replace(place, features=_are_features(place)), LONLAT, ()
    found = outline(content, encoding)
    if not found.n_values:
        raise InputError(f"{content.name!r} holds no JSON value, so there is nothing to read")
    if found.n_values > 1:
        note = Text(
            zh=f"{found.n_values} 个 JSON 值首尾相接",
            en=f"{found.n_values} JSON values one after the other",
        )
        return replace(place, features=_are_features(place)), LONLAT, (note,)
    if found.arrays and not found.arrays[0].path and _starts_with_list(found, content, encoding):
        top = found.arrays[0]
        if not top.of_objects and top.first:
            raise InputError(
                f"{content.name!r} is a JSON list but not of objects; give one object per row"
            )
        place = replace(place, at=top.at, end=top.end)
        return replace(place, features=_are_features(place)), LONLAT, ()
    return _in_object(place, found, layer=layer)


def _in_object(
    place: Place, found: Outline, *, layer: str | None
) -> tuple[Place, CRS | None, tuple[Text, ...]]:
    """Find the rows in a single object."""
    name = place.content.name
    frame = _frame(place, found)
    kind = frame.get("type")
    if kind in GEOMETRY_TYPES:
        return replace(place, features=True, whole=True), _crs(frame), ()
    if kind == "Feature":
        return replace(place, features=True), _crs(frame), ()
    _refuse_documents(frame, name)
    by_path = {array.path: array for array in found.arrays}
    if kind == "FeatureCollection":
        if (array := by_path.get("features")) is None:
            raise InputError(
                f"{name!r} says it is a FeatureCollection but has no list 'features'; export it again"
            )
        return replace(place, at=array.at, end=array.end, features=True), _crs(frame), ()
    if layer is not None:
        if layer not in by_path:
            raise InputError(f"no list {layer!r} in {name!r}{did_you_mean(layer, by_path)}")
        array = by_path[layer]
    else:
        array = _likeliest(found, name)
    place = replace(place, at=array.at, end=array.end)
    note = Text(zh=f"各行取自 {array.path!r}", en=f"the rows are the list {array.path!r}")
    return replace(place, features=_are_features(place)), LONLAT, (note,)


def _refuse_documents(frame: Mapping[str, object], name: str) -> None:
    if frame.get("type") == "Topology":
        raise InputError(
            f"{name!r} is TopoJSON, which is not read; convert it to GeoJSON (ogr2ogr or mapshaper)"
        )
    if "geometryType" in frame and "spatialReference" in frame:
        raise InputError(f"{name!r} is Esri JSON, which is not read; ask the service for f=geojson")
    for key, what in _DOCUMENTS.items():
        if key in frame:
            raise InputError(
                f"{name!r} is {what}, not a table of rows; name the file that holds the rows"
            )


def _likeliest(found: Outline, name: str) -> Array:
    """Choose the list of objects that holds most of the text, if one does."""
    lists = [array for array in found.arrays if array.of_objects]
    most = max(lists, key=lambda array: array.end - array.at, default=None)
    if most is None:
        raise InputError(
            f"{name!r} is a JSON object that holds no list of objects, so it has no rows; give GeoJSON, a list of objects "
            "or one object per line (.jsonl)"
        )
    if len(lists) > 1 and most.end - most.at < 0.5 * found.n_bytes:
        raise InputError(
            f"{name!r} holds {len(lists)} lists that could be the rows ({', '.join(array.path for array in lists[:8])}); "
            f"choose one with {LAYER_OPTION}"
        )
    return most


def _starts_with_list(found: Outline, content: Content, encoding: Encoding) -> bool:
    for data, _ in utf_8_blocks(content, encoding):
        return data[: found.arrays[0].at].strip() == b"["
    return False


def _frame(place: Place, found: Outline) -> dict[str, object]:
    """Parse the object without what its lists hold."""
    parts: list[bytes] = []
    n_seen = 0
    for data, _ in utf_8_blocks(place.content, place.encoding):
        keep, at = [], 0
        for array in found.arrays:
            a, b = array.at - n_seen, array.end - n_seen
            keep.append(data[at : max(at, min(a, len(data)))])
            at = max(at, min(b, len(data)))
        parts.append(b"".join([*keep, data[at:]]))
        n_seen += len(data)
        if sum(map(len, parts)) > MAX_VALUE:
            raise InputError(
                f"{place.content.name!r} is one JSON object of more than {MAX_VALUE >> 20} MB; give a list of rows"
            )
    frame = _parsed([b"".join(parts)])[0]
    if not isinstance(frame, dict):
        raise InputError(f"{place.content.name!r} starts like JSON but is none; export it again")
    return frame


def _crs(frame: Mapping[str, object]) -> CRS | None:
    """Give the CRS that an old GeoJSON names; WGS84 longitude, latitude where it names none (RFC 7946)."""
    stated = frame.get("crs")
    if not isinstance(stated, dict):
        return LONLAT
    properties = stated.get("properties")
    name = properties.get("name") if isinstance(properties, dict) else None
    try:
        return parse_crs(name) if isinstance(name, str) else None
    except CrsError:
        return None


def _is_lines(content: Content, encoding: Encoding) -> bool:
    """Tell whether the first line is a whole object and the next line begins another."""
    for data, _ in utf_8_blocks(content, encoding, block=1 << 20):
        lines = [line.strip(b"\x1e\r\t ") for line in data.split(b"\n")]
        kept = [line for line in lines if line]
        return len(kept) > 1 and kept[1][:1] == b"{" and isinstance(_parsed(kept[:1])[0], dict)
    return False


def _lines(place: Place) -> Iterator[tuple[list[bytes], float]]:
    rest = b""
    for data, share in utf_8_blocks(place.content, place.encoding, block=4 << 20):
        lines = (rest + data).split(b"\n")
        rest = lines.pop()
        if len(rest) > MAX_VALUE:
            raise InputError(
                f"{place.content.name!r} holds a line of more than {MAX_VALUE >> 20} MB, as no report is; check that it has "
                "line breaks"
            )
        yield lines, share
    yield [rest], 1.0


def parsed_values(place: Place) -> Iterator[tuple[list[tuple[int, bytes, object]], float]]:
    """Give every value with its number and its text, parsed.

    Parameters
    ----------
    place
        Where the values lie.

    Yields
    ------
    list
        Number, text and value of each; one that is no JSON is `BAD`.
    float
        The share read so far.
    """
    n_before = 0
    found = (
        _lines(place)
        if place.by_line
        else values(place.content, place.encoding, at=place.at, end=place.end)
    )
    for texts, share in found:
        kept = [
            (n_before + n, text)
            for n, text in enumerate(texts, start=1)
            if text.strip(b"\x1e\r\t ")
        ]
        n_before += len(texts)
        for first in range(0, len(kept), ROWS_AT_ONCE):
            part = kept[first : first + ROWS_AT_ONCE]
            parsed = _parsed([text for _, text in part])
            yield [(n, text, value) for (n, text), value in zip(part, parsed, strict=True)], share


def _parsed(texts: Sequence[bytes]) -> list[object]:
    cleaned = [text.strip(b"\x1e\r\t ") for text in texts]
    try:
        parsed = json.loads(b"[" + b",".join(cleaned) + b"]")
        if len(parsed) == len(texts):
            return list(parsed)
    except (ValueError, RecursionError):
        pass
    out: list[object] = []
    for text in cleaned:
        try:
            out.append(json.loads(text))
        except (ValueError, RecursionError):
            out.append(BAD)
    return out


def _are_features(place: Place) -> bool:
    for part, _ in parsed_values(place):
        return any(
            isinstance(v, dict) and v.get("type") in {"Feature", "FeatureCollection"}
            for _, _, v in part[:100]
        )
    return False


def uncollected(items: Iterator[_Item]) -> Iterator[_Item]:
    """Let the garbage collector rest while each item is made: parsed JSON holds no cycles, and it costs half the time.

    Parameters
    ----------
    items
        What makes the items.

    Yields
    ------
    object
        The same items.
    """
    end = object()
    while True:
        was_on = gc.isenabled()
        gc.disable()
        try:
            item = next(items, end)
        finally:
            if was_on:
                gc.enable()
        if item is end:
            return
        yield item  # type: ignore[misc]
