"""Rows out of JSON: GeoJSON, lists of objects wherever they lie, and one object per line."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import pyarrow as pa

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import Batch, NoRowsError, Refused, Source
from gisgrid.intake.readers.encoding import encoding_of
from gisgrid.intake.readers.geometry import is_geometry, wkb_of_geojson
from gisgrid.intake.readers.json_place import Place, find_rows, parsed_values, uncollected
from gisgrid.intake.readers.packed import Content
from gisgrid.schema import Text

_Row = Mapping[str, object]


@dataclass
class _Columns:
    """What all the rows together have: their members in order, and what kinds of values each holds."""

    kinds: dict[str, set[type]] = field(default_factory=dict)
    geometry: str | None = None
    n_rows: int = 0
    n_refused: int = 0


def open_json(content: Content, *, suffix: str, layer: str | None, encoding: str | None) -> Source:
    """Open a JSON text.

    Parameters
    ----------
    content
        Its bytes.
    suffix
        What its name ends in; ``.jsonl`` and its kin hold one object per line.
    layer
        The path to the list of rows, where there are several (``data.items``).
    encoding
        What the bytes mean; found where it is not given.

    Returns
    -------
    Source
        GeoJSON properties keep their types; the members of other objects are text, those of objects inside them named
        with a point (``place.lng``), lists written as JSON.

    Raises
    ------
    InputError
        No JSON, JSON that holds no rows, several lists and none chosen, or a document of another kind.
    """
    found = encoding_of(content, encoding)
    place, crs, notes = find_rows(content, found, suffix=suffix, layer=layer)
    columns = _columns(place)
    if columns.n_refused and not columns.n_rows and not place.features:
        raise InputError(
            f"{content.name!r} begins like JSON but none of {columns.n_refused} values in it is an object; export it again"
        )
    if not columns.n_rows + columns.n_refused:
        raise NoRowsError(f"{content.name!r} is JSON without rows; check that the export finished")
    if place.features and crs is None:
        notes = (*notes, Text(zh="文件声明的坐标系无法识别", en="the CRS it names is not known"))
    if not place.features and columns.geometry is not None:
        notes = (
            *notes,
            Text(
                zh=f"位置取自 {columns.geometry!r}（GeoJSON 几何）",
                en=f"the place is read from {columns.geometry!r}, a GeoJSON geometry",
            ),
        )
    names = tuple(columns.kinds)
    open311 = {"service_request_id", "service_code"} <= set(names)
    kind = (
        "geojson"
        if place.features
        else "open311"
        if open311
        else "jsonl"
        if place.by_line
        else "json"
    )
    return Source(
        name=content.name,
        format=kind,
        columns=names,
        crs=crs if place.features else None,
        n_rows=columns.n_rows + columns.n_refused,
        notes=(*found.notes, *notes),
        stream=lambda: uncollected(_batches(place, columns)),
    )


def _rows(place: Place) -> Iterator[tuple[list[tuple[int, _Row, object]], list[Refused], float]]:
    """Give (number, members, geometry) of every row, and what is none."""
    n_more = 0  # a collection among the values is as many rows as it has features
    for part, share in parsed_values(place):
        rows: list[tuple[int, _Row, object]] = []
        refused: list[Refused] = []
        for number, text, value in part:
            spread = _spread(value) if place.features else None
            for row, one in enumerate([value] if spread is None else spread, number + n_more):
                made = _feature(one, whole=place.whole) if place.features else _object(one)
                if made is None:
                    shown = text if spread is None else json.dumps(one).encode()
                    refused.append(
                        Refused(row, "bad_record", shown[:1000].decode(errors="replace"))
                    )
                else:
                    rows.append((row, *made))
            n_more += 0 if spread is None else len(spread) - 1
        yield rows, refused, share


def _spread(value: object) -> list[object] | None:
    """Give the features of a collection that stands among others; None for any other value."""
    if isinstance(value, dict) and value.get("type") == "FeatureCollection":
        inside = value.get("features")
        if isinstance(inside, list):
            return inside
    return None


def _feature(value: object, *, whole: bool) -> tuple[_Row, object] | None:
    """Give the members and the geometry of a feature."""
    if whole:
        return {}, value
    if not isinstance(value, dict) or value.get("type") != "Feature":
        return None
    members = value.get("properties")
    if members is not None and not isinstance(members, dict):
        return None
    row = members or {}
    if any(type(one) is dict for one in row.values()):
        row = dict(_flat(row))
    if value.get("id") is not None and "id" not in row:
        row = {"id": value["id"], **row}
    return row, value.get("geometry")


def _object(value: object) -> tuple[_Row, object] | None:
    """Give the members of an object, and the first of them that is a geometry."""
    if not isinstance(value, dict):
        return None
    if not any(isinstance(one, dict) for one in value.values()):
        return value, None
    geometry = next((key for key, one in value.items() if is_geometry(one)), None)
    row = dict(_flat({key: one for key, one in value.items() if key != geometry}))
    return row, None if geometry is None else (geometry, value[geometry])


def _flat(
    members: Mapping[str, object], before: str = "", depth: int = 0
) -> Iterator[tuple[str, object]]:
    """Give the members of an object and, named with a point, of those inside it."""
    for key, value in members.items():
        if isinstance(value, dict) and value and depth < 3 and not is_geometry(value):
            yield from _flat(value, f"{before}{key}.", depth + 1)
        else:
            yield before + key, value


def _columns(place: Place) -> _Columns:
    """Read all rows once to know what they have together."""
    found = _Columns()
    for rows, refused, _ in uncollected(_rows(place)):
        found.n_rows += len(rows)
        found.n_refused += len(refused)
        members = [row for _, row, _ in rows]
        for key in dict.fromkeys(chain.from_iterable(members)):
            values = [row.get(key) for row in members]
            kinds = found.kinds.setdefault(key, set())
            kinds.update(map(type, values))
            if int in kinds and str not in kinds and _too_long(values):
                kinds.add(str)
        if found.geometry is None:
            named = (geometry[0] for _, _, geometry in rows if isinstance(geometry, tuple))
            found.geometry = next(named, None)
    return found


def _too_long(values: Sequence[object]) -> bool:
    """Tell whether some whole number needs more than 64 bits."""
    whole = [value for value in values if type(value) is int]
    return bool(whole) and not (min(whole) >= -(2**63) and max(whole) < 2**63)


def _batches(place: Place, columns: _Columns) -> Iterator[tuple[Batch, float]]:
    has_geometry = place.features or columns.geometry is not None
    for rows, refused, share in _rows(place):
        kept, wkb = rows, None
        if has_geometry:
            shapes = [one[1] if isinstance(one, tuple) else one for _, _, one in rows]
            wkb, unreadable = wkb_of_geojson(shapes)
            if unreadable.any():
                for at in np.flatnonzero(unreadable).tolist():
                    refused.append(
                        Refused(
                            rows[at][0],
                            "unreadable_place",
                            json.dumps(shapes[at], ensure_ascii=False),
                        )
                    )
                wkb = wkb.filter(pa.array(~unreadable))
            kept = [row for row, bad in zip(rows, unreadable, strict=True) if not bad]
        table = pa.table(
            [
                _column([row.get(name) for _, row, _ in kept], kinds if place.features else {str})
                for name, kinds in columns.kinds.items()
            ],
            names=list(columns.kinds),
        )
        numbers = np.array([number for number, _, _ in kept], dtype=np.int64)
        batch = Batch(numbers, table, wkb, tuple(sorted(refused, key=lambda one: one.row)))
        if batch.n_records:
            yield batch, share


def _column(found: Sequence[object], kinds: set[type]) -> pa.Array:
    """Make a column: of the one kind that all its values have, else of text."""
    kinds = kinds - {type(None)}
    if kinds == {bool}:
        return pa.array(found, pa.bool_())
    if kinds == {int}:
        return pa.array(found, pa.int64())
    if kinds and kinds <= {int, float}:
        return pa.array([None if one is None else float(one) for one in found], pa.float64())  # type: ignore[arg-type]
    return pa.array(
        [one if one is None or type(one) is str else _as_text(one) for one in found], pa.string()
    )


def _as_text(value: object) -> str:
    if isinstance(value, bool | dict | list):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
