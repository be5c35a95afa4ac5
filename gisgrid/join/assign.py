"""Which unit of every level, and which zones, is each issue in, and how many issues has each unit?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.crs import crs_label, require_crs
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean
from gisgrid.join.points import shape_coordinates
from gisgrid.join.raster_index import RasterIndex

_AREAS: Final = (3, 6)
_MEND: Final = 'make_valid(method="structure", keep_collapsed=False)'


@dataclass(frozen=True)
class LevelIndex:
    """The units of one level, laid out once, so that points that come batch after batch are looked up in it.

    Attributes
    ----------
    codes
        Shape (m,), the unit's code of each row of the level, in the order of the codes as text: a code stands as often
        as its unit has rows.
    crs
        The CRS of the units.
    """

    codes: NDArray[np.object_]
    crs: CRS
    _index: RasterIndex

    @classmethod
    def of(cls, units: gpd.GeoDataFrame, level: str) -> LevelIndex:
        """Lay out the units of a level.

        Parameters
        ----------
        units
            Polygons or MultiPolygons in any CRS, with their codes as text.
        level
            The column of the codes.

        Returns
        -------
        LevelIndex
            For `positions`.

        Raises
        ------
        CrsError
            The units have no CRS.
        ColumnError
            There is no column of codes, or they are not text.
        InputError
            A code is missing, a geometry is no polygon, or a polygon is invalid.
        """
        crs = require_crs(units, name=level)
        codes = _codes(units, level)
        order = np.argsort(codes, kind="stable")
        areas = _areas(units, name=level, labels=codes)
        return cls(codes[order], crs, RasterIndex.of(areas[order]))

    def positions(self, xy: NDArray[np.float64]) -> NDArray[np.int32]:
        """Find the unit of each point; on a border, or where units overlap, the one with the lowest code.

        Parameters
        ----------
        xy
            Shape (n, 2), in the units' CRS; NaN is in no unit.

        Returns
        -------
        ndarray
            Shape (n,), the position in `codes`, or -1.
        """
        return self._index.first_covering(xy)


def assign_units(
    issues: gpd.GeoDataFrame,
    units: Mapping[str, gpd.GeoDataFrame],
    *,
    zones: Mapping[str, gpd.GeoDataFrame] | None = None,
) -> pd.DataFrame:
    """Say which unit of every level each issue is in, and in which zones it lies.

    An issue on a shared border, or where units overlap, is in the unit with the lowest code (compared as text): in one
    unit of a level, never in two. Zones may overlap; each is a flag. To count the issues per unit, pass a column on to
    `unit_counts`; to list those in none, to `unassigned`.

    Parameters
    ----------
    issues
        Shape (n,), Points. A missing or empty point, or one without numbers, is in no unit and no zone.
    units
        Per level, under the name of its code column (for example ``community_code``), the frame of its units:
        Polygons or MultiPolygons, codes as text. A code may stand in several rows: together they are the unit.
    zones
        Per flag, under the name it shall get (for example ``in_urban_village``), the frame of its zones.

    Returns
    -------
    DataFrame
        Indexed like `issues`: per level its code (text, NaN where in none), per zone True or False.

    Raises
    ------
    CrsError
        A frame has no CRS, or another one than `issues`.
    ColumnError
        A level has no column of its name, or its codes are not text; or a zone's name is a level's.
    InputError
        A code is missing, a geometry is not of the kind asked for, or a polygon is invalid.

    Notes
    -----
    CRS: any, the same for all; the test is planar in it, so edges are straight there. Exact: whether a point is left
    of a border, right of it or on it is decided without rounding. Cost: O(n) per level. Checked against:
    ``shapely.covers`` and rational arithmetic; where these differ (26 in a million of 12 million points chosen within
    a float step of a border, because GEOS rounds there), this agrees with the latter.

    Examples
    --------
    >>> from shapely import Point, box
    >>> issues = gpd.GeoDataFrame(geometry=[Point(5, 5), Point(10, 5), Point(99, 5), None], crs=4547)
    >>> communities = gpd.GeoDataFrame(
    ...     {"community_code": ["B", "A"]}, geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10)], crs=4547
    ... )
    >>> villages = gpd.GeoDataFrame(geometry=[box(4, 4, 6, 6)], crs=4547)
    >>> assign_units(issues, {"community_code": communities}, zones={"in_urban_village": villages})
      community_code  in_urban_village
    0              B              True
    1              A             False
    2            NaN             False
    3            NaN             False
    """
    zones = zones or {}
    if shared := sorted(units.keys() & zones.keys()):
        raise ColumnError(
            f"{shared[0]!r} names a level of units and a zone, but each needs a column of its own; "
            "give the zone another name"
        )
    xy = _coordinates(issues)
    columns: dict[str, pd.api.extensions.ExtensionArray | NDArray[np.bool_]] = {}
    for level, frame in units.items():
        columns[level] = _codes_at(xy, frame, issues=issues, level=level)
    for zone, frame in zones.items():
        _check_crs(frame, name=zone, issues=issues)
        areas = _areas(frame, name=zone, labels=frame.index.map("row {}".format))
        columns[zone] = RasterIndex.of(areas).first_covering(xy) >= 0
    return pd.DataFrame(columns, index=issues.index)


def unit_counts(codes: pd.Series, unit_codes: pd.Series | pd.Index) -> pd.Series:
    """Count the issues in each unit, also where there are none.

    Nothing is lost: the counts and the missing codes add up to the number of issues.

    Parameters
    ----------
    codes
        Shape (n,), the code of each issue's unit, missing where it is in none: a column of `assign_units`.
    unit_codes
        Shape (m,), the codes of all units, each once.

    Returns
    -------
    Series
        Shape (m,), whole numbers named ``n``, indexed by unit code in the order given.

    Raises
    ------
    InputError
        A unit code is missing or stands twice, or an issue's code is none of them.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> unit_counts(pd.Series(["A", "B", None, "A"]), pd.Index(["C", "B", "A"]))
    C    0
    B    1
    A    2
    Name: n, dtype: int64
    """
    name = codes.name if unit_codes.name is None else unit_codes.name
    index = pd.Index(unit_codes, name=name)
    for fault, rule in (
        (index.isna(), "missing, but a unit needs a code"),
        (index.duplicated(), "repeated, but a unit is counted once"),
    ):
        if fault.any():
            at = int(np.argmax(fault))
            raise InputError(
                f"{int(fault.sum())} of {len(index)} unit codes are {rule} (first: {index[at]!r} at position {at}); "
                "give each unit's code once, for example units[key].drop_duplicates()"
            )
    known = codes.dropna()
    positions = index.get_indexer(pd.Index(known))
    if (unknown := positions < 0).any():
        first = known[unknown].iloc[0]
        raise InputError(
            f"{int(unknown.sum())} of {len(codes)} issues have a code that is none of the {len(index)} unit codes "
            f"(first: {first!r}); count them against the units they were assigned to"
        )
    counts = np.bincount(positions, minlength=len(index)).astype(np.int64)
    return pd.Series(counts, index=index, name="n")


def unassigned(assignment: pd.DataFrame, level: str) -> pd.Index:
    """List the issues that are in no unit of a level, or in no zone.

    Parameters
    ----------
    assignment
        What `assign_units` gave.
    level
        The name of one of its columns.

    Returns
    -------
    Index
        The labels of those issues, in their order.

    Raises
    ------
    ColumnError
        There is no such column.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> unassigned(pd.DataFrame({"community_code": ["A", None]}, index=["r1", "r2"]), "community_code").tolist()
    ['r2']
    """
    if level not in assignment.columns:
        raise ColumnError(
            f"the assignment has no level {level!r}{did_you_mean(level, map(str, assignment.columns))}"
        )
    column = assignment[level]
    none = ~column if pd.api.types.is_bool_dtype(column.dtype) else column.isna()
    return assignment.index[none.to_numpy()]


def _coordinates(issues: gpd.GeoDataFrame) -> NDArray[np.float64]:
    """Give x, y of every issue, NaN where it has no point."""
    require_crs(issues, name="issues")
    points = issues.geometry.to_numpy()
    xy, wrong = shape_coordinates(points)
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"{int(wrong.sum())} of {len(points)} issues are no points (first: {issues.index[at]!r}, "
            f"{points[at].geom_type}), but an issue is in the unit that its point is in; "
            "give points, for example issues.set_geometry(issues.representative_point())"
        )
    return xy


def _codes_at(
    xy: NDArray[np.float64], units: gpd.GeoDataFrame, *, issues: gpd.GeoDataFrame, level: str
) -> pd.api.extensions.ExtensionArray:
    _check_crs(units, name=level, issues=issues)
    index = LevelIndex.of(units, level)
    text = pd.array(index.codes, dtype=pd.StringDtype(na_value=np.nan))
    return text.take(index.positions(xy), allow_fill=True)


def _codes(units: gpd.GeoDataFrame, level: str) -> NDArray[np.object_]:
    if level not in units.columns:
        known = units.columns.drop(units.geometry.name)
        raise ColumnError(
            f"the units of level {level!r} have no column of that name{did_you_mean(level, map(str, known))}"
        )
    codes = units[level]
    if (missing := codes.isna().to_numpy()).any():
        raise InputError(
            f"{int(missing.sum())} of {len(codes)} codes in {level!r} are missing "
            f"(first: row {units.index[missing][0]!r}), but a unit needs a code; "
            f"fill them or leave those rows out, for example units.dropna(subset={level!r})"
        )
    if len(codes) and (kind := pd.api.types.infer_dtype(codes)) != "string":
        raise ColumnError(
            f"the codes in {level!r} are {kind} (first: {codes.iloc[0]!r}), but codes are text, so that leading zeros "
            f"stay; turn them into text, for example units[{level!r}].astype(str)"
        )
    return np.asarray(codes, dtype=object)


def _check_crs(units: gpd.GeoDataFrame, *, name: str, issues: gpd.GeoDataFrame) -> None:
    ours = require_crs(issues, name="issues")
    if units.crs is None:
        raise CrsError(
            f"assign_units needs one CRS, but 'issues' is in {crs_label(ours)} and {name!r} has none; "
            "state it, for example units.set_crs('EPSG:4547')"
        )
    theirs = require_crs(units, name=name)
    # geopandas holds x before y whatever the axis order of the CRS says: EPSG:4326 and OGC:CRS84 are one here.
    if not theirs.equals(ours, ignore_axis_order=True):
        raise CrsError(
            f"assign_units needs one CRS, but 'issues' is in {crs_label(ours)} and {name!r} is in {crs_label(theirs)}; "
            "reproject one of them first, for example units.to_crs(issues.crs)"
        )


def _areas(
    frame: gpd.GeoDataFrame, *, name: str, labels: NDArray[np.object_] | pd.Index
) -> NDArray[np.object_]:
    """Give the polygons of a frame, or say which are none or cannot be trusted."""
    areas: NDArray[np.object_] = np.asarray(frame.geometry.to_numpy(), dtype=object)
    there = ~(shapely.is_missing(areas) | shapely.is_empty(areas))
    if (wrong := there & ~np.isin(shapely.get_type_id(areas), _AREAS)).any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"{int(wrong.sum())} of {len(areas)} shapes of {name!r} are no polygons (first: {labels[at]!r}, "
            f"{areas[at].geom_type}), but only an area has an inside; leave them out, for example "
            "units[units.geom_type.isin(['Polygon', 'MultiPolygon'])]"
        )
    if (wrong := there & ~shapely.is_valid(areas)).any():
        at = int(np.argmax(wrong))
        raise InputError(
            f"{int(wrong.sum())} of {len(areas)} polygons of {name!r} are invalid (first: {labels[at]!r}, "
            f"{shapely.is_valid_reason(areas[at])}), and an invalid polygon has no certain inside; "
            f"mend them with shapely.make_valid, for example units.set_geometry(units.{_MEND})"
        )
    return areas
