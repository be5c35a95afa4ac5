"""Which reports count, and in which CRS?"""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
from pyproj import CRS

from gisgrid.crs import crs_label, is_metric, local_metric_crs, require_crs
from gisgrid.derived.notes import Note
from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.schema import Text


def demand(frame: gpd.GeoDataFrame, name: str, *columns: str) -> None:
    """See that columns are there.

    Parameters
    ----------
    frame
        Any frame.
    name
        What to call it.
    *columns
        The columns.

    Raises
    ------
    ColumnError
        One is missing.
    """
    for column in columns:
        if column not in frame.columns:
            raise ColumnError(
                f"no column {column!r} among {len(frame.columns)} columns of {name!r}"
                f"{did_you_mean(column, map(str, frame.columns))}"
            )


def in_crs_of(
    issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give the issues in the CRS of the units, and say so where that took a reprojection.

    Parameters
    ----------
    issues
        Points in any CRS.
    units
        Areas in any CRS.

    Returns
    -------
    tuple
        The issues, and notes.

    Raises
    ------
    CrsError
        A frame has no CRS.
    """
    found, wanted = require_crs(issues, name="issues"), require_crs(units, name="units")
    if CRS(found) == CRS(wanted):
        return issues, ()
    note = Text(
        zh=f"上报坐标由 {crs_label(found)} 转换到 {crs_label(wanted)}",
        en=f"the reports were brought from {crs_label(found)} to {crs_label(wanted)}",
    )
    return issues.to_crs(wanted), (Note.of(note),)


def in_metres(areas: gpd.GeoDataFrame, *, what: str) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give areas in metres for what measures, and say so where that took a reprojection.

    Parameters
    ----------
    areas
        Areas in any CRS.
    what
        What is measured, for the note, in English.

    Returns
    -------
    tuple
        The areas, and notes.

    Raises
    ------
    CrsError
        The areas have no CRS.
    """
    own = CRS(require_crs(areas, name="units"))
    if is_metric(own):
        return areas, ()
    metric = local_metric_crs(areas)
    note = Text(
        zh=f"{what} 按 {crs_label(metric)} 计算（原坐标系 {crs_label(own)}）",
        en=f"{what} is measured in {crs_label(metric)}; the areas themselves stay in {crs_label(own)}",
    )
    return areas.to_crs(metric), (Note.of(note),)


def names_of(columns: Iterable[str]) -> list[str]:
    """Say which columns hold names for people.

    Parameters
    ----------
    columns
        The columns of a frame.

    Returns
    -------
    list of str
        Those of `name_zh`, `name_en`, `name` that are there.
    """
    there = set(columns)
    return [name for name in ("name_zh", "name_en", "name") if name in there]
