"""What does each way of finding hotspots do with the reports and the units?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import cast

import geopandas as gpd
import pandas as pd
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
    others
        Other reports: controls, or what the reports are held against.
    streets
        Lines, if any.
    counts
        Incidents per unit that were counted elsewhere, of reports too many to hold; then `issues` has no row.
    """

    issues: gpd.GeoDataFrame
    units: Units | None
    request: Request
    timezone: str
    others: gpd.GeoDataFrame | None = None
    streets: gpd.GeoDataFrame | None = None
    counts: pd.Series | None = None

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
        The column that names a row.
    ground
        What was covered: the units, or the area under cells; None where streets are.
    areas, terms
        What was counted and how it was tested, for `explain` and `compare`; None where there are no areas to count by.
    n_counted
        How many incidents were counted; None where the rows' `n_incidents` add up to it.
    figures
        Figures for the whole city, by name.
    extra
        What else belongs into the record, for programs.
    steps
        Hot and cold at each step of time, areas by steps, where a map page is asked for.
    """

    made: Derivation
    key: str
    ground: gpd.GeoDataFrame | None
    areas: Areas | None = None
    terms: Terms = field(default_factory=Terms)
    n_counted: int | None = None
    figures: Mapping[str, float] = field(default_factory=dict)
    extra: Mapping[str, object] = field(default_factory=dict)
    steps: pd.DataFrame | None = None


def noted(made: Derivation, *notes: Note) -> Derivation:
    """Put what was decided before in front of the other notes."""
    return replace(made, notes=(*notes, *made.notes))


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


def counted(
    asked: Asked, *, issues: gpd.GeoDataFrame | None = None
) -> tuple[Areas, gpd.GeoDataFrame]:
    """Count by units, or by equal cells.

    Parameters
    ----------
    asked
        The reports, the units, and which of both.
    issues
        Other reports to count instead.

    Returns
    -------
    tuple
        The areas with their incidents, and what they cover.
    """
    said = asked.request
    reports = asked.issues if issues is None else issues
    if said.cells is not None and said.cell_m is not None:
        area, note = ground(asked)
        areas = derived.cell_areas(reports, area, cell_m=said.cell_m, shape=said.cells)
        return replace(areas, notes=(note, *areas.notes)), area
    assert asked.units is not None  # noqa: S101 - check() has made sure of it
    units = asked.units
    if asked.counts is not None and issues is None:
        areas = derived.areas_of_counts(
            asked.counts, units.frame, key=units.key, population=said.population
        )
    else:
        areas = derived.unit_areas(reports, units.frame, key=units.key, population=said.population)
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
