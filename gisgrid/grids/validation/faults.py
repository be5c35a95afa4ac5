"""How are the faults of a grid listed: one row each, with its rule, its units, its size and its place?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.grids.validation.rules import RULES, SEVERITIES, Severity
from gisgrid.schema import Text

Shapes = NDArray[np.object_]

COLUMNS: Final = (
    "rule", "severity", "level", "unit", "others", "n", "size", "size_unit", "share", "message_zh", "message_en",
)  # fmt: skip


@dataclass(frozen=True)
class GridFault:
    """One fault of one unit, or of what lies between units.

    Attributes
    ----------
    rule
        A key of `RULES`.
    level
        The level it is a fault of.
    unit
        The code of the unit (or of the first of several).
    message
        The sentence for people.
    geometry
        Where: what overlaps, what is missing, what reaches out, the point of a crossing.
    others
        Codes of the other units concerned.
    size, size_unit
        How large: m², m, or nothing.
    n
        How many pieces, vertices or units it is made of.
    share
        0 to 1, where a share of the unit is meant.
    severity
        Where it is not the rule's own.
    """

    rule: str
    level: str
    unit: str
    message: Text
    geometry: shapely.Geometry | None
    others: tuple[str, ...] = ()
    size: float = float("nan")
    size_unit: str = ""
    n: int = 1
    share: float = float("nan")
    severity: Severity | None = None


def fault_frame(faults: Iterable[GridFault], crs: CRS | None) -> gpd.GeoDataFrame:
    """Put faults in a table: errors before warnings, then in the order of the rules, of the levels, the largest first.

    Parameters
    ----------
    faults
        The faults.
    crs
        The CRS of their geometry.

    Returns
    -------
    GeoDataFrame
        The columns `COLUMNS` and the geometry, one row per fault.
    """
    rows = list(faults)
    table = pd.DataFrame(
        {
            "rule": pd.Series([fault.rule for fault in rows], dtype="str"),
            "severity": pd.Series(
                [fault.severity or RULES[fault.rule].severity for fault in rows], dtype="str"
            ),
            "level": pd.Series([fault.level for fault in rows], dtype="str"),
            "unit": pd.Series([fault.unit for fault in rows], dtype="str"),
            "others": pd.Series(["; ".join(fault.others) for fault in rows], dtype="str"),
            "n": np.array([fault.n for fault in rows], dtype=np.int64),
            "size": np.array([fault.size for fault in rows], dtype=np.float64),
            "size_unit": pd.Series([fault.size_unit for fault in rows], dtype="str"),
            "share": np.array([fault.share for fault in rows], dtype=np.float64),
            "message_zh": pd.Series([fault.message.zh for fault in rows], dtype="str"),
            "message_en": pd.Series([fault.message.en for fault in rows], dtype="str"),
        }
    )
    shapes = np.empty(len(rows), dtype=object)
    shapes[:] = [fault.geometry for fault in rows]
    frame = gpd.GeoDataFrame(table, geometry=shapes, crs=crs)
    rule, level = _rank(frame["rule"], RULES), _rank(frame["level"], dict.fromkeys(frame["level"]))
    size = -frame["size"].fillna(0.0).round(3).to_numpy()  # rounding must not decide between equals
    severity = _rank(frame["severity"], SEVERITIES)
    unit, others = (frame[name].to_numpy(dtype=np.str_) for name in ("unit", "others"))
    order = np.lexsort((others, unit, size, level, rule, severity))
    return frame.iloc[order].reset_index(drop=True)


def _rank(values: pd.Series, order: Iterable[str]) -> NDArray[np.int64]:
    rank = {name: at for at, name in enumerate(order)}
    return np.asarray(values.map(rank), dtype=np.int64)


def measured(metres: float, *, squared: bool) -> str:
    """Write a length or an area for people, with as many digits as they mean something.

    Parameters
    ----------
    metres
        The length in metres or the area in square metres.
    squared
        Whether it is an area.

    Returns
    -------
    str
        With its unit.

    Examples
    --------
    >>> measured(0.0123, squared=True), measured(12345.6, squared=True), measured(2_500_000, squared=True)
    ('0.012 m²', '12,346 m²', '2.5 km²')
    >>> measured(7.25, squared=False)
    '7.2 m'
    """
    unit = "m²" if squared else "m"
    return (
        f"{digits(metres / 1e6)} km²" if squared and metres >= 1e6 else f"{digits(metres)} {unit}"
    )


def digits(number: float) -> str:
    """Write a number for people, with as many digits as they mean something.

    Parameters
    ----------
    number
        Not negative.

    Returns
    -------
    str
        Two digits below 10, whole above.

    Examples
    --------
    >>> digits(0.01234), digits(9.97), digits(360.4), digits(12345)
    ('0.012', '10', '360', '12,345')
    """
    return f"{number:,.0f}" if number >= 9.5 else f"{number:.2g}"


def wider_than(shapes: Shapes, width_m: float) -> NDArray[np.bool_]:
    """Tell which polygons are somewhere wider than a width: whether a circle of that diameter fits in.

    Parameters
    ----------
    shapes
        Shape (n,), polygons.
    width_m
        In metres, above 0.

    Returns
    -------
    ndarray of bool
        Shape (n,). Hairs of no width, which rounding leaves on polygons, do not count, however long they are.

    Examples
    --------
    >>> strips = shapely.box(0, 0, 1_000, [0.5, 2.0])
    >>> wider_than(strips, 1.0).tolist()
    [False, True]
    """
    areas, perimeters = shapely.area(shapes), shapely.length(shapes)
    # Twice the area over the perimeter is never more than the diameter of the largest circle inside.
    wide: NDArray[np.bool_] = (2 * areas >= width_m * perimeters) & (areas > 0)
    ask = ~wide & (areas > 0)
    wide[ask] = ~shapely.is_empty(shapely.buffer(shapes[ask], -width_m / 2, quad_segs=4))
    return wide


def polygon_parts(shapes: Shapes) -> tuple[Shapes, NDArray[np.int64]]:
    """Take shapes apart into their polygons; lines and points are left behind.

    Parameters
    ----------
    shapes
        Shape (n,), any geometry; None and empty ones have no part.

    Returns
    -------
    parts : ndarray of Polygon
        Shape (m,).
    owner : ndarray of int
        Shape (m,), the position of each part's shape.
    """
    parts, owner = shapely.get_parts(shapes, return_index=True)
    parts, inner = shapely.get_parts(
        parts, return_index=True
    )  # a collection may hold multipolygons
    area = shapely.get_type_id(parts) == shapely.GeometryType.POLYGON
    area &= ~shapely.is_empty(parts)
    return parts[area], np.asarray(owner[inner][area], dtype=np.int64)


def gathered(parts: Shapes, owner: NDArray[np.int64], n: int) -> Shapes:
    """Put polygons together again by owner: a Polygon for one, a MultiPolygon for several, an empty one for none.

    Parameters
    ----------
    parts
        Shape (m,) of Polygon.
    owner
        Shape (m,), to whom each belongs, 0 to n - 1.
    n
        How many owners there are.

    Returns
    -------
    ndarray
        Shape (n,).
    """
    whole = np.full(n, shapely.Polygon(), dtype=object)
    order = np.argsort(owner, kind="stable")
    count = np.bincount(owner, minlength=n)
    ends = np.cumsum(count)
    for at in np.flatnonzero(count):
        mine = parts[order[ends[at] - count[at] : ends[at]]]
        whole[at] = mine[0] if len(mine) == 1 else shapely.multipolygons(mine)
    return whole


def clean_polygons(shapes: Shapes) -> Shapes:
    """Give what area the shapes have: flat, valid polygons; an empty one where there is none.

    Parameters
    ----------
    shapes
        Shape (n,), any geometry or None.

    Returns
    -------
    ndarray
        Shape (n,) of Polygon or MultiPolygon. Valid ones are the given ones without Z.
    """
    flat = shapely.force_2d(shapes)
    finite = np.isfinite(shapely.bounds(flat)).all(axis=1)  # nan for empty and missing ones
    polygonal = np.isin(
        shapely.get_type_id(flat), (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    )
    good = finite & polygonal & shapely.is_valid(flat)
    clean = np.full(len(flat), shapely.Polygon(), dtype=object)
    clean[good] = flat[good]
    odd = np.flatnonzero(finite & ~good)
    if len(odd):
        mended = shapely.make_valid(flat[odd], method="structure", keep_collapsed=False)
        parts, owner = polygon_parts(mended)
        whole = gathered(parts, owner, len(odd))
        several = np.flatnonzero(shapely.get_num_geometries(whole) > 1)
        whole[several] = [shapely.union_all(shapely.get_parts(each)) for each in whole[several]]
        clean[odd] = whole
    return clean


def quoted(names: Sequence[str], *, most: int = 3) -> Text:
    """Name a few units in a sentence and count the others.

    Parameters
    ----------
    names
        Codes.
    most
        How many are named.

    Returns
    -------
    Text
        For example ``'a', 'b' and 4 others``.

    Examples
    --------
    >>> quoted(["a", "b", "c", "d", "e"]).en, quoted(["a", "b"]).en, quoted(["a"]).zh
    ("'a', 'b', 'c' and 2 others", "'a' and 'b'", '“a”')
    """
    zh = "、".join(f"“{name}”" for name in names[:most])
    shown = [repr(str(name)) for name in names[:most]]
    rest = len(names) - most
    if rest > 0:
        others = "1 other" if rest == 1 else f"{rest} others"
        return Text(zh=f"{zh}等{len(names)}个单元", en=f"{', '.join(shown)} and {others}")
    joined = " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)
    return Text(zh=zh, en=joined)
