"""What does each way of finding hotspots do with the reports and the units?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import cast

import geopandas as gpd
from pyproj import CRS

from gisgrid import derived
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue import Derivation
from gisgrid.cli.hotspots.request import Request
from gisgrid.crs import crs_label, is_metric, local_metric_crs
from gisgrid.derived import Areas, Note, Terms
from gisgrid.errors import InputError
from gisgrid.intake import Units
from gisgrid.schema import Text


@dataclass(frozen=True)
class Asked:
    """What a method is given: reports with a place, the units if any, and what the user said.

    Attributes
    ----------
    issues
        The reports that lie somewhere.
    units
        The units as read, if any.
    request
        What the user asked for.
    timezone
        Where a day begins.
    """

    issues: gpd.GeoDataFrame
    units: Units | None
    request: Request
    timezone: str

    @property
    def terms(self) -> Terms:
        """On what terms is tested: what the user said, else what suits the method."""
        said = self.request
        return Terms(
            neighbours=said.neighbours or "contiguity",
            permutations=said.permutations,
            correction=cast("Correction", said.correction or "fdr"),
            seed=said.seed or 0,
        )


@dataclass(frozen=True)
class Found:
    """What a method found.

    Attributes
    ----------
    made
        The result, what was left out, what was decided.
    key
        The column that names an area.
    ground
        What was covered: the units, or the area under cells.
    areas, terms
        What was counted and how it was tested, for `explain` and `compare`; None where there are no areas to count by.
    """

    made: Derivation
    key: str
    ground: gpd.GeoDataFrame
    areas: Areas | None = None
    terms: Terms = field(default_factory=Terms)


def ground(asked: Asked) -> tuple[gpd.GeoDataFrame, Note]:
    """Give what cells or clusters shall cover, in metres, and say what was done for it.

    Parameters
    ----------
    asked
        The reports and the units.

    Returns
    -------
    tuple
        The area and a note.

    Raises
    ------
    InputError
        There are no units and the reports enclose no area.
    """
    if asked.units is not None:
        frame = asked.units.frame
        own = CRS(frame.crs)
        if is_metric(own):
            text = Text(
                zh=f"范围取自单元（{crs_label(own)}）",
                en=f"cells are laid over the units in {crs_label(own)}",
            )
            return frame, Note.of(text)
        metric = local_metric_crs(frame)
        text = Text(
            zh=f"单元由 {crs_label(own)} 转换到 {crs_label(metric)}，范围取自单元",
            en=f"the units were brought from {crs_label(own)} to {crs_label(metric)}, and cells are laid over them",
        )
        return frame.to_crs(metric), Note.of(text)
    issues = derived.incidents(asked.issues)
    metric = local_metric_crs(issues)
    hull = issues.to_crs(metric).geometry.union_all().convex_hull
    if hull.geom_type != "Polygon":
        raise InputError(
            f"{len(issues)} reports lie on one spot or one line, so they enclose no area for cells; give UNITS"
        )
    text = Text(
        zh=f"没有给出单元：范围取上报点的凸包（{crs_label(metric)}），其中的水面和空地按没有上报计",
        en=(
            f"no UNITS are given: cells are laid over the convex hull of the reports, in {crs_label(metric)}; "
            "water and empty land inside it count as places without reports"
        ),
    )
    return gpd.GeoDataFrame(geometry=[hull], crs=metric), Note.of(text)


def counted(asked: Asked) -> tuple[Areas, gpd.GeoDataFrame]:
    """Count by units, or by equal cells.

    Parameters
    ----------
    asked
        The reports, the units, and which of both.

    Returns
    -------
    tuple
        The areas with their incidents, and what they cover.
    """
    said = asked.request
    if said.cells is not None and said.cell_m is not None:
        area, note = ground(asked)
        areas = derived.cell_areas(asked.issues, area, cell_m=said.cell_m, shape=said.cells)
        return replace(areas, notes=(note, *areas.notes)), area
    assert asked.units is not None  # noqa: S101 - check() has made sure of it
    units = asked.units
    areas = derived.unit_areas(asked.issues, units.frame, key=units.key, population=said.population)
    return areas, units.frame


def of_areas(test: Callable[[Areas, Terms], Derivation]) -> Callable[[Asked], Found]:
    """Make a method of a test of areas.

    Parameters
    ----------
    test
        From areas and terms to a result.

    Returns
    -------
    callable
        From what was asked to what was found.
    """

    def find(asked: Asked) -> Found:
        areas, covered = counted(asked)
        return Found(test(areas, asked.terms), areas.key, covered, areas, asked.terms)

    return find


def emerging(asked: Asked) -> Found:
    """Name the pattern of each area over time.

    Parameters
    ----------
    asked
        The reports, the units, and what the user said.

    Returns
    -------
    Found
        The areas with their patterns.

    Raises
    ------
    InputError
        An option that is needed is not given, or has no such value.
    """
    areas, covered = counted(asked)
    made = derived.patterned(
        areas, asked.terms, timezone=asked.timezone, step=asked.request.step or "month"
    )
    return Found(made, areas.key, covered, areas, asked.terms)


def optimised(test: Callable[[Areas, Terms], Derivation]) -> Callable[[Asked], Found]:
    """Make a method of a test of cells that the reports themselves choose.

    Parameters
    ----------
    test
        From areas and terms to a result.

    Returns
    -------
    callable
        From what was asked to what was found.
    """

    def find(asked: Asked) -> Found:
        area, note = ground(asked)
        said = asked.request
        areas, terms = derived.fitted(
            asked.issues, area, shape=said.cells or "hexagon", cell_m=said.cell_m, terms=asked.terms
        )
        areas = replace(areas, notes=(note, *areas.notes))
        return Found(test(areas, terms), areas.key, area, areas, terms)

    return find


def clusters(asked: Asked) -> Found:
    """Find clusters of the reports themselves.

    Parameters
    ----------
    asked
        The reports, the units, and what the user said.

    Returns
    -------
    Found
        The clusters.

    Raises
    ------
    InputError
        An option that is needed is not given, or has no such value.
    """
    area, note = ground(asked)
    said = asked.request
    if said.min_reports is None:
        raise InputError(
            "clusters need to know how many reports make one; give --min-reports, for example 20"
        )
    if said.method == "dbscan" and said.radius_m is None:
        raise InputError(
            "dbscan needs to know how near is near; give --radius-m, for example 100, or take --method hdbscan"
        )
    made = derived.issue_clusters(
        asked.issues, area, min_reports=said.min_reports, radius_m=said.radius_m
    )
    return Found(replace(made, notes=(note, *made.notes)), "cluster_id", area)


def density(asked: Asked) -> Found:
    """Smooth the reports.

    Parameters
    ----------
    asked
        The reports, the units, and what the user said.

    Returns
    -------
    Found
        The surface.

    Raises
    ------
    InputError
        An option that is needed is not given, or has no such value.
    """
    area, note = ground(asked)
    said = asked.request
    if said.bandwidth_m is None:
        raise InputError(
            "a density needs to know how far one report spreads; give --bandwidth-m, for example 300"
        )
    cell_m = said.cell_m or said.bandwidth_m / 6
    made = derived.issue_density(asked.issues, area, cell_m=cell_m, bandwidth_m=said.bandwidth_m)
    text = Text(
        zh=f"带宽 {said.bandwidth_m:g} 米，栅格 {cell_m:g} 米",
        en=f"bandwidth {said.bandwidth_m:g} m, cells of {cell_m:g} m",
    )
    return Found(replace(made, notes=(note, Note.of(text), *made.notes)), "", area)
