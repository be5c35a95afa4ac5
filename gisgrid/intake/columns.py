"""Which columns say where a report is?

A column is taken only where its name leaves no doubt; otherwise the candidates are listed with the option to use.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pyproj import CRS

from gisgrid.errors import ColumnError, CrsError, did_you_mean

Kind = Literal["lonlat", "xy", "geometry"]

LON_NAMES: Final = frozenset({"经度", "lng", "lon", "long", "longitude", "经度坐标"})
LAT_NAMES: Final = frozenset({"纬度", "lat", "latitude", "纬度坐标"})
XY_NAMES: Final = (
    ("x", "y"),
    ("xcoord", "ycoord"),
    ("xcoordinate", "ycoordinate"),
    ("coordx", "coordy"),
    ("pointx", "pointy"),
    ("easting", "northing"),
    ("东坐标", "北坐标"),
)
"""Pairs of easting, northing. X坐标 and Y坐标 are not among them: Chinese surveyors call the northing X."""
GEOMETRY_NAMES: Final = frozenset({"geometry", "geom", "wkt", "wkb", "wkbgeometry", "thegeom"})

_SHIFTED: Final = re.compile(r"gcj|bd-?_?09|火星|百度|高德|腾讯|amap|baidu|tencent", re.IGNORECASE)


@dataclass(frozen=True)
class Place:
    """The columns that say where: two of coordinates, or one of geometry.

    Attributes
    ----------
    kind
        Degrees by name, easting and northing, or a geometry as text.
    columns
        (x, y), or the one geometry column.
    """

    kind: Kind
    columns: tuple[str, ...]


def plain(header: str) -> str:
    """Reduce a header to what tells it apart: no case, spaces, underscores or bracketed remarks.

    Parameters
    ----------
    header
        A column's name as it stands in the file.

    Returns
    -------
    str
        The name to compare by.

    Examples
    --------
    >>> plain("X Coordinate (State Plane)"), plain(" 经度（°）"), plain("Lat_itude")
    ('xcoordinate', '经度', 'latitude')
    """
    return re.sub(r"[（(].*?[)）]|[\s_\-.]", "", header).casefold()


def require_column(name: str, columns: Iterable[str], *, option: str, source: str) -> str:
    """Give the column that an option names, or say which there are.

    Parameters
    ----------
    name
        What the option says.
    columns
        The columns of the file.
    option
        The option's name, for the error.
    source
        The file's name, for the error.

    Returns
    -------
    str
        `name`.

    Raises
    ------
    ColumnError
        There is no such column.
    """
    known = [str(column) for column in columns]
    if name not in known:
        raise ColumnError(
            f"no column {name!r} (--{option}) among {len(known)} columns of {source!r}"
            f"{did_you_mean(name, known)}"
        )
    return name


def place_columns(
    columns: Sequence[str], *, x: str | None, y: str | None, crs: CRS | None, source: str
) -> Place:
    """Find the columns that say where each row is.

    Parameters
    ----------
    columns
        The columns of the file.
    x, y
        The columns of easting (longitude) and northing (latitude) where the user names them.
    crs
        The CRS where the user states it: a projected one asks for x and y, otherwise longitude and latitude do.
    source
        The file's name, for the errors.

    Returns
    -------
    Place
        The columns, and what they are.

    Raises
    ------
    ColumnError
        A named column is not there; or no column, or more than one, could be meant.
    CrsError
        The columns say nothing of their CRS and `crs` is not given.

    Examples
    --------
    >>> place_columns(["编号", "经度", "纬度"], x=None, y=None, crs=None, source="a.csv").columns
    ('经度', '纬度')
    """
    if x is not None or y is not None:
        return _named_place(columns, x, y, crs, source)
    lon, lat = _named(columns, LON_NAMES), _named(columns, LAT_NAMES)
    pairs = _xy_pairs(columns)
    texts = [(name,) for name in _named(columns, GEOMETRY_NAMES)]
    if lon and lat and (crs is None or crs.is_geographic):
        _one_each(lon, lat, source)
        _refuse_shifted((lon[0], lat[0]), crs)
        return Place("lonlat", (lon[0], lat[0]))
    found = [*pairs, *texts]
    if not found:
        raise ColumnError(_nothing_found(columns, crs, source))
    if crs is None:
        raise CrsError(
            f"columns {_quoted(found[0])} of {source!r} do not say their coordinate reference system; "
            "state it, for example crs='EPSG:4547' (--issues-crs EPSG:4547 on the command line)"
        )
    if len(found) > 1:
        raise ColumnError(
            f"{len(found)} choices of columns could say where the rows of {source!r} are "
            f"({'; '.join(map(_quoted, found))}); name them with x= and y= (--x, --y)"
        )
    return Place("xy" if found[0] in pairs else "geometry", found[0])


def _named_place(
    columns: Sequence[str], x: str | None, y: str | None, crs: CRS | None, source: str
) -> Place:
    if x is None or y is None:
        given, other = ("y", "x") if x is None else ("x", "y")
        raise ColumnError(
            f"--{given} names a column of {source!r} but --{other} does not; name both"
        )
    pair = (
        require_column(x, columns, option="x", source=source),
        require_column(y, columns, option="y", source=source),
    )
    _refuse_shifted(pair, crs)
    if plain(x) in LON_NAMES and plain(y) in LAT_NAMES and (crs is None or crs.is_geographic):
        return Place("lonlat", pair)
    if crs is None:
        raise CrsError(
            f"columns {_quoted(pair)} of {source!r} do not say their coordinate reference system; "
            "state it, for example crs='EPSG:4547' (--issues-crs EPSG:4547 on the command line)"
        )
    return Place("xy", pair)


def _named(columns: Sequence[str], names: frozenset[str]) -> list[str]:
    return [column for column in columns if plain(column) in names]


def _xy_pairs(columns: Sequence[str]) -> list[tuple[str, ...]]:
    by_name: dict[str, list[str]] = {}
    for column in columns:
        by_name.setdefault(plain(column), []).append(column)
    return [
        (first, second)
        for x, y in XY_NAMES
        for first in by_name.get(x, [])
        for second in by_name.get(y, [])
    ]


def _one_each(lon: list[str], lat: list[str], source: str) -> None:
    for names, what, option in ((lon, "longitude", "x"), (lat, "latitude", "y")):
        if len(names) > 1:
            raise ColumnError(
                f"{len(names)} columns of {source!r} could be the {what} ({', '.join(map(repr, names))}); "
                f"name the one that is meant with {option}= (--{option})"
            )


def _refuse_shifted(pair: tuple[str, ...], crs: CRS | None) -> None:
    """Refuse coordinates that their own header calls shifted: no PROJ code undoes that."""
    for column in pair:
        if crs is None and (word := _SHIFTED.search(column)):
            raise CrsError(
                f"column {column!r} says {word.group()!r}, a shifted datum that lies up to 700 m off WGS84; "
                "convert its coordinates first, then state what they are with --issues-crs EPSG:4326"
            )


def _nothing_found(columns: Sequence[str], crs: CRS | None, source: str) -> str:
    shown = ", ".join(columns[:12]) + (" …" if len(columns) > 12 else "")
    wanted = (
        "easting and northing" if crs is not None and crs.is_projected else "longitude and latitude"
    )
    return (
        f"no columns of {source!r} are {wanted} for certain (there are: {shown}); "
        "name them with x= and y= (--x, --y on the command line)"
    )


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))
