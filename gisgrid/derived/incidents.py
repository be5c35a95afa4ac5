"""Which reports count, and in which CRS?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from gisgrid.crs import crs_label, is_metric, local_metric_crs, require_crs
from gisgrid.derived.notes import NO_PLACE, REPEATED, Note
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


@dataclass(frozen=True)
class Reported:
    """The reports that count, in the CRS of what they are counted by.

    Attributes
    ----------
    reports
        Those on real places.
    is_first
        Which of them repeat no other: the incidents.
    excluded
        What does not count, by reason.
    notes
        What was decided.
    """

    reports: gpd.GeoDataFrame
    is_first: pd.Series
    excluded: Mapping[str, int]
    notes: tuple[str, ...]

    @property
    def incidents(self) -> gpd.GeoDataFrame:
        """The reports that repeat no other."""
        return self.reports[self.is_first]


def reported(issues: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *columns: str) -> Reported:
    """Leave out what is on no real place, tell incidents from repeats, and go to the CRS of the areas.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; with `fallback` where `gisgrid ingest` made them.
    areas
        Areas in any CRS.
    *columns
        Further columns that are needed.

    Returns
    -------
    Reported
        The reports that count.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    """
    demand(issues, "issues", "duplicate_of", *columns)
    placed = _on_real_places(issues)
    reports, notes = in_crs_of(placed, areas)
    is_first = reports["duplicate_of"].isna()
    excluded = {NO_PLACE: len(issues) - len(placed), REPEATED: int((~is_first).sum())}
    return Reported(reports, is_first, excluded, notes)


def incidents(issues: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Give the reports on real places that repeat no other.

    Parameters
    ----------
    issues
        As for `reported`.

    Returns
    -------
    GeoDataFrame
        Some of the rows.
    """
    return _on_real_places(issues[issues["duplicate_of"].isna()])


def _on_real_places(issues: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return issues[issues["fallback"].isna()] if "fallback" in issues.columns else issues


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
