"""How are rows written as GeoJSON? Properties from the columns, places in the CRS that was asked for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.features import FeatureTable
from gisgrid_server.ogc.coordinates import Coordinates

_DEGREES: Final = 9
_METRES: Final = 4
"""Digits after the point: a tenth of a millimetre either way."""


def feature_collection(
    features: Sequence[bytes], *, n_matched: int, links: Sequence[Mapping[str, Any]]
) -> bytes:
    """Write a page of features.

    Parameters
    ----------
    features
        As `features_json` writes them.
    n_matched
        How many there are in all.
    links
        The collection's links.

    Returns
    -------
    bytes
        GeoJSON.
    """
    members = {
        "type": "FeatureCollection",
        "numberMatched": n_matched,
        "numberReturned": len(features),
        "links": list(links),
    }
    head = json.dumps(members, ensure_ascii=False).encode()
    return head[:-1] + b', "features": [' + b",\n".join(features) + b"]}"


def features_json(
    table: FeatureTable, rows: NDArray[np.int64], *, names: Sequence[str], crs: Coordinates
) -> list[bytes]:
    """Write rows as GeoJSON features.

    Parameters
    ----------
    table
        The layer.
    rows
        Which rows.
    names
        The properties to show.
    crs
        What the places are written in.

    Returns
    -------
    list of bytes
        One feature each; `id` is the key, or the feature's number in tiles where the layer has no key.
    """
    places = geometries_json(table, rows, crs=crs)
    properties = table.records(rows, properties=list(names))
    return [
        b'{"type": "Feature", "id": %b, "geometry": %b, "properties": %b}'
        % (_json(feature_id), place, _json(shown))
        for feature_id, place, shown in zip(
            feature_ids(table, rows), places, properties, strict=True
        )
    ]


def feature_ids(table: FeatureTable, rows: NDArray[np.int64]) -> list[Any]:
    """Give what names each row in an address.

    Parameters
    ----------
    table
        The layer.
    rows
        Which rows.

    Returns
    -------
    list
        Keys, or numbers from 1 where the layer has no key.
    """
    numbers: list[Any] = (table.number[rows] + 1).tolist()
    if table.key is None:
        return numbers
    keys = table.columns[table.key].at(rows)
    return [number if key is None else key for key, number in zip(keys, numbers, strict=True)]


def geometries_json(
    table: FeatureTable, rows: NDArray[np.int64], *, crs: Coordinates
) -> list[bytes]:
    """Write the places of rows as GeoJSON geometry.

    Parameters
    ----------
    table
        The layer.
    rows
        Which rows.
    crs
        What they are written in.

    Returns
    -------
    list of bytes
        One geometry each, ``null`` where there is none.
    """
    if table.kind == "none" or not len(rows):
        return [b"null"] * len(rows)
    places = crs.written(table.geometries(rows))
    digits = _DEGREES if crs.crs.is_geographic else _METRES
    rounded = shapely.transform(places, lambda xy: np.round(xy, digits))
    there = ~(shapely.is_missing(rounded) | shapely.is_empty(rounded))
    written = np.full(len(rounded), None, dtype=object)
    written[there] = shapely.to_geojson(rounded[there])
    return [b"null" if text is None else str(text).encode() for text in written]


def _json(value: Any) -> bytes:  # noqa: ANN401 - any JSON
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
