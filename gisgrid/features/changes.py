"""What may change in a live layer: one feature as it is from now on, or its end, held against what the layer holds."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import numpy as np
import shapely
from shapely.errors import GEOSException

from gisgrid.errors import InputError, did_you_mean
from gisgrid.features.column import Clock, Kind, Plain
from gisgrid.features.filters.limits import FilterError
from gisgrid.features.filters.times import DAY, time_span
from gisgrid.features.places import GeometryKind
from gisgrid.features.table import FeatureTable

_POINT: Final = struct.Struct("<BIdd")
"""A point in WKB: the order of its bytes, its type, longitude and latitude."""

_TYPES: Final[Mapping[GeometryKind, frozenset[str]]] = {
    "point": frozenset(["Point"]), "line": frozenset(["LineString", "MultiLineString"]),
    "polygon": frozenset(["Polygon", "MultiPolygon"]), "none": frozenset(),
}  # fmt: skip

Key = str | int


@dataclass(frozen=True)
class Change:
    """A feature as it is from now on, or its end.

    Attributes
    ----------
    key
        The feature's key.
    values
        Property to value, times as microseconds; None where the feature is deleted.
    wkb
        Where it is, in longitude, latitude; None for no place.
    """

    key: Key
    values: Mapping[str, Plain] | None
    wkb: bytes | None = None


@dataclass(frozen=True)
class Schema:
    """What features must look like to belong to a layer.

    Attributes
    ----------
    key
        The property that names a feature.
    kinds, clocks
        What each property holds.
    geometry
        What the places are.
    """

    key: str
    kinds: Mapping[str, Kind]
    clocks: Mapping[str, Clock]
    geometry: GeometryKind

    @classmethod
    def of(cls, table: FeatureTable) -> Schema:
        """Take over what a table holds.

        Parameters
        ----------
        table
            The features.

        Returns
        -------
        Schema
            Its schema.

        Raises
        ------
        InputError
            The table has no key, by which rows could be changed.
        """
        if table.key is None:
            raise InputError(
                "features without a key cannot be changed one by one; name the column that is their key"
            )
        clocks = {name: column.clock for name, column in table.columns.items()}
        return cls(table.key, table.fields, clocks, table.kind)

    def change(self, feature: Mapping[str, Any]) -> Change:
        """Hold a GeoJSON feature against the schema.

        Parameters
        ----------
        feature
            With ``properties`` and ``geometry``; its key stands among the properties, or as ``id``.

        Returns
        -------
        Change
            What the journal keeps of it: the properties the layer has, and no others.

        Raises
        ------
        InputError
            It has no key, or a value or a place of another kind.
        """
        said = feature.get("properties") if isinstance(feature, Mapping) else None
        if not isinstance(said, Mapping) or feature.get("type") != "Feature":
            raise InputError(
                'what came in is no GeoJSON feature with properties; send {"type": "Feature", …}'
            )
        key = self.checked_key(said.get(self.key, feature.get("id")))
        for name in said:
            if name not in self.kinds:
                raise InputError(
                    f"feature {key!r} has a property {str(name)[:60]!r} that the layer has not{did_you_mean(str(name), self.kinds)}"
                )
        values = {
            name: _checked(said.get(name), name, kind, key, self.clocks[name])
            for name, kind in self.kinds.items()
            if name != self.key
        }
        return Change(key, {self.key: key, **values}, self._place(feature.get("geometry"), key))

    def checked_key(self, key: object) -> Key:
        """Hold a key against the schema.

        Parameters
        ----------
        key
            A feature's key.

        Returns
        -------
        str or int
            The key.

        Raises
        ------
        InputError
            It is missing, or of another kind.
        """
        if key is None or key == "":
            raise InputError(f"a feature has no {self.key!r}, which names it; give it one")
        return cast("Key", _checked(key, self.key, self.kinds[self.key], key))

    def _place(self, geometry: object, key: Key) -> bytes | None:
        if geometry is None:
            return None
        kind = geometry.get("type") if isinstance(geometry, Mapping) else None
        allowed = _TYPES.get(self.geometry)
        if allowed is not None and kind not in allowed:
            raise InputError(
                f"feature {key!r} has a geometry of type {str(kind)[:40]!r} but the layer has {self.geometry} geometry; correct it"
            )
        if kind == "Point" and isinstance(geometry, Mapping):
            point = _point(geometry.get("coordinates"))
            if point is not None:
                return point
        try:
            shape = shapely.force_2d(shapely.from_geojson(json.dumps(geometry)))
        except (GEOSException, ValueError, TypeError) as error:
            raise InputError(
                f"feature {key!r} has a geometry that cannot be read ({str(error)[:80]}); correct it"
            ) from error
        if shape is None or shapely.is_empty(shape):
            return None
        if not (np.abs(shapely.get_coordinates(shape)) <= (180, 90)).all():
            raise InputError(
                f"feature {key!r} has coordinates that are no longitude and latitude; give degrees (OGC:CRS84)"
            )
        return cast("bytes", shapely.to_wkb(shape, byte_order=1))


def _point(coordinates: object) -> bytes | None:
    """Write a plain point as WKB, as nearly all are that come in; None for whatever needs a closer look."""
    if not isinstance(coordinates, list | tuple) or len(coordinates) != 2:
        return None
    lon, lat = coordinates
    if type(lon) is not float or type(lat) is not float or not (abs(lon) <= 180 and abs(lat) <= 90):
        return None
    return _POINT.pack(1, 1, lon, lat)


def _checked(value: object, name: str, kind: Kind, key: object, clock: Clock = "instant") -> Plain:
    if value is None:
        return None
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else None
    match kind:
        case "text" if isinstance(value, str) and value.encode(errors="replace").decode() == value:
            return value
        case "boolean" if isinstance(value, bool):
            return value
        case "number" if number is not None and abs(number) < 1e300:
            return float(number)
        case "integer" if number is not None and abs(number) < 2**63 and number == int(number):
            return int(number)
        case "time" if isinstance(value, str):
            return _time(value, name, key, clock)
    raise InputError(
        f"feature {key!r} has {name!r} = {value!r:.60}, which is no {kind}; correct it"
    )


def _time(text: str, name: str, key: object, clock: Clock) -> int:
    try:
        time = time_span(text)[0]
    except FilterError as error:
        raise InputError(f"feature {key!r} has {name!r} = {error}") from error
    return time - time % DAY if clock == "day" else time


def fitting(value: Plain, kind: Kind) -> Plain:
    """Give a value, or none where the layer was built anew since and the property holds another kind now.

    Parameters
    ----------
    value
        As the journal has it.
    kind
        What the property holds.

    Returns
    -------
    str, int, float, bool or None
        The value.
    """
    match kind:
        case "text":
            return value if isinstance(value, str) else None
        case "boolean":
            return value if isinstance(value, bool) else None
        case "number":
            return (
                float(value)
                if isinstance(value, int | float) and not isinstance(value, bool)
                else None
            )
    return value if isinstance(value, int) and not isinstance(value, bool) else None
