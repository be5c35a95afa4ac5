"""What a scan found: the clusters, their units, their outlines."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.analysis.scans.kernels import log_likelihood_ratio
from gisgrid.analysis.scans.search import Found, Problem, chance_p, gumbel_p
from gisgrid.analysis.scans.units import Units
from gisgrid.analysis.significance import significance_labels
from gisgrid.errors import IndexMismatchError, InputError, warn_null

Overlap = Literal["none", "centre_outside", "all"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_CORNERS = 128  # of a drawn circle


@dataclass(frozen=True, eq=False)
class Scan:
    """The clusters of a scan, the likeliest first.

    Attributes
    ----------
    clusters
        Indexed by `rank` (1 is the most likely cluster): `centre` (the unit in the middle), `easting`, `northing`,
        `radius_m` (of an ellipse: the long half axis), `radius_minor_m`, `angle_deg` (of the long axis, counter-clockwise
        from east, over -90 up to 90), `n_units`, `cases`, `expected`, `ratio` (cases / expected), `relative_risk` (inside
        against outside; missing where there are no cases outside), `llr` (log likelihood ratio), `statistic` (the same
        less an ellipse's penalty; clusters are ranked and tested by it), `p` (Monte Carlo, already for all windows
        together), `p_gumbel`, `label` (``hot_99`` ... ``not_significant`` ... ``cold_99`` by `p`). With time also
        `first_step`, `last_step`, `n_steps`; with a population `population`; prospective `recurrence_steps` (1 / p: once
        in how many steps chance alone would raise such an alarm).
    members
        The units of each cluster, indexed by `rank`, in the order in which they joined, nearest first.
    maxima
        Shape (r,), the best statistic of each random map.
    units
        All that were scanned.
    points
        The clusters' centres and their CRS, for drawing.
    """

    clusters: pd.DataFrame
    members: pd.Series
    maxima: Floats
    units: pd.Index
    points: gpd.GeoSeries = field(repr=False)

    def membership(self, *, max_p: float = 0.05) -> pd.Series:
        """In which cluster is each unit?

        Parameters
        ----------
        max_p
            Clusters with a higher `p` do not count; 1 for all, also those without a p.

        Returns
        -------
        Series
            Shape (n,), indexed by unit: the rank of its (most likely) cluster, missing outside of all.
        """
        ranks = self._ranks(max_p)
        members = self.members[self.members.index.isin(ranks)]
        first = members[~members.duplicated()]
        rank = pd.Series(first.index, index=pd.Index(first.array), dtype="Int64")
        return rank.reindex(self.units).rename("rank")

    def windows(self, *, max_p: float = 0.05) -> gpd.GeoDataFrame:
        """Draw the circles and ellipses.

        Parameters
        ----------
        max_p
            As for `membership`.

        Returns
        -------
        GeoDataFrame
            The clusters with polygons, in the CRS of the centres. A cluster of one unit has no radius: it is drawn half
            as wide as the next unit is far.
        """
        chosen = self.clusters.loc[self._ranks(max_p)]
        least = _nearest(self.points, chosen["centre"]) / 2
        long = np.where(chosen["radius_m"] > 0, chosen["radius_m"], least)
        short = np.where(chosen["radius_m"] > 0, chosen["radius_minor_m"], least)
        turn = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
        angle = np.deg2rad(chosen["angle_deg"].to_numpy(float))[:, None]
        along, across = long[:, None] * np.cos(turn), short[:, None] * np.sin(turn)
        x = along * np.cos(angle) - across * np.sin(angle) + chosen[["easting"]].to_numpy()
        y = along * np.sin(angle) + across * np.cos(angle) + chosen[["northing"]].to_numpy()
        drawn = shapely.polygons(np.stack([x, y], axis=-1)) if len(chosen) else []
        return gpd.GeoDataFrame(chosen.copy(), geometry=drawn, crs=self.points.crs)

    def areas(self, units: gpd.GeoDataFrame, *, max_p: float = 0.05) -> gpd.GeoDataFrame:
        """Draw the units of each cluster together.

        Parameters
        ----------
        units
            Polygons, any CRS, indexed by the same names as the cases.
        max_p
            As for `membership`.

        Returns
        -------
        GeoDataFrame
            The clusters with (multi)polygons, in the CRS of `units`.

        Raises
        ------
        IndexMismatchError
            A unit of a cluster is not among `units`.
        """
        ranks = self._ranks(max_p)
        members = self.members[self.members.index.isin(ranks)]
        rows = units.index.get_indexer(pd.Index(members.array))
        if (rows < 0).any():
            raise IndexMismatchError(
                f"{(rows < 0).sum()} of {len(rows)} units of clusters are not among the {len(units)} units to draw "
                f"(first: {members.array[int(np.argmax(rows < 0))]!r}); index both by the same key"
            )
        polygons = units.geometry.to_numpy()[rows]
        drawn = [shapely.union_all(polygons[members.index == rank]) for rank in ranks]
        return gpd.GeoDataFrame(self.clusters.loc[ranks].copy(), geometry=drawn, crs=units.crs)

    def _ranks(self, max_p: float) -> pd.Index:
        if not 0 <= max_p <= 1:
            raise InputError(f"max_p of {max_p:g} is no probability; give 0 to 1, for example 0.05")
        if max_p == 1:
            return self.clusters.index
        return self.clusters.index[self.clusters["p"].to_numpy(float) <= max_p]


@dataclass(frozen=True)
class Naming:
    """How the parts of a result are called: the steps of time, and whether there is a population or an alarm.

    Attributes
    ----------
    steps
        Shape (t,), names of the steps of time; None where time plays no part.
    with_population
        Whether the units' population is known.
    prospective
        Whether clusters are alarms that last to the end.
    """

    steps: pd.Index | None = None
    with_population: bool = True
    prospective: bool = False


def result(
    problem: Problem,
    units: Units,
    found: Found,
    *,
    overlap: Overlap,
    stop_after: int | None,
    naming: Naming,
) -> Scan:
    """Name the clusters, from the most likely one on.

    Parameters
    ----------
    problem
        What was scanned.
    units
        The units in the same order.
    found
        The best windows.
    overlap
        Which less likely clusters are kept, as for `gisgrid.analysis.scan`.
    stop_after
        As for `search`.
    naming
        How columns are called.

    Returns
    -------
    Scan
        The clusters; none, with a warning, where no window has more (or fewer) cases than expected.

    Raises
    ------
    InputError
        There is no such rule for overlap.

    Warns
    -----
    NullResultWarning
        There is no cluster.
    """
    kept = _distinct(problem, found, overlap)
    if not kept:
        warn_null(
            f"a scan of {len(units.names)} units finds no window that departs from what is expected; no cluster comes back",
            depth=3,
        )
    rows = [
        _cluster(problem, units, found, centre, inside, naming=naming) for centre, inside in kept
    ]
    rank = pd.RangeIndex(1, len(rows) + 1, name="rank")
    clusters = pd.DataFrame(rows, index=rank, columns=_columns(naming))
    value = found.value[[centre for centre, _ in kept]]
    clusters["p"] = chance_p(value, found.maxima, stop_after)
    clusters["p_gumbel"] = gumbel_p(value, found.maxima)
    clusters["label"] = significance_labels(clusters["ratio"].astype(float) - 1, clusters["p"])
    if naming.prospective:
        clusters["recurrence_steps"] = 1 / clusters["p"]
    sizes = [len(inside) for _, inside in kept]
    inside = np.concatenate([*(inside for _, inside in kept), np.empty(0, np.int64)])
    members = pd.Series(units.names[inside.astype(np.int64)], index=rank.repeat(sizes), name="unit")
    return Scan(clusters, members, found.maxima, units.names, units.points)


def no_clusters(units: Units, naming: Naming) -> Scan:
    """Give the result of a scan in which nothing can be found.

    Parameters
    ----------
    units
        The units.
    naming
        How columns are called.

    Returns
    -------
    Scan
        With all columns and no rows.
    """
    rank = pd.RangeIndex(1, 1, name="rank")
    columns = [*_columns(naming), "p", "p_gumbel", "label"]
    clusters = pd.DataFrame(
        {name: pd.Series(dtype=_TEXT.get(name, float), index=rank) for name in columns}
    )
    members = pd.Series(units.names[:0], index=rank, name="unit")
    return Scan(clusters, members, np.empty(0), units.names, units.points)


_TEXT = {"centre": object, "label": object, "first_step": object, "last_step": object}


def _columns(naming: Naming) -> list[str]:
    return [
        *("centre", "easting", "northing", "radius_m", "radius_minor_m", "angle_deg", "n_units"),
        *(("first_step", "last_step", "n_steps") if naming.steps is not None else ()),
        *(("population",) if naming.with_population else ()),
        *("cases", "expected", "ratio", "relative_risk", "llr", "statistic"),
    ]


def _distinct(problem: Problem, found: Found, overlap: Overlap) -> list[tuple[int, Ints]]:
    """Choose the clusters to report, the likeliest first: (centre, units)."""
    if overlap not in get_args(Overlap):
        raise InputError(
            f"there is no rule of overlap {overlap!r}; choose one of {', '.join(get_args(Overlap))}"
        )
    taken = np.zeros(len(found.value), bool)
    kept = []
    for centre in _ranked(problem, found):
        if overlap != "all" and taken[centre]:
            continue  # a window holds its centre
        outline, border = int(found.outline[centre]), int(found.border[centre])
        if overlap == "none" and problem.places.nearer(centre, outline, border)[taken].any():
            continue
        inside = problem.places.units(centre, outline, int(found.size[centre]))
        if overlap == "none" and taken[inside].any():
            continue
        taken[inside] = True
        kept.append((centre, inside))
    return kept


def _ranked(problem: Problem, found: Found) -> list[int]:
    """Sort the centres that have a window: the likeliest first; of equally likely ones the tightest."""
    centres = np.flatnonzero(found.value > 0)
    level = np.array([float(f"{value:.9e}") for value in found.value[centres]])
    short = problem.places.short_axes_m(centres, found.outline[centres], found.border[centres])
    ratio = np.array([outline.axis_ratio for outline in problem.places.window.outlines])
    area = np.array([float(f"{held:.9e}") for held in short**2 * ratio[found.outline[centres]]])
    ranked: list[int] = centres[np.lexsort((centres, area, found.size[centres], -level))].tolist()
    return ranked


def _cluster(
    problem: Problem, units: Units, found: Found, centre: int, inside: Ints, *, naming: Naming
) -> dict[str, Hashable]:
    """Describe one cluster."""
    outline = problem.places.window.outlines[found.outline[centre]]
    at = np.array([centre])
    short = float(problem.places.short_axes_m(at, found.outline[at], found.border[at])[0])
    span = slice(
        int(problem.steps[problem.first[found.interval[centre]]]),
        int(problem.steps[problem.last[found.interval[centre]]]),
    )
    cases = int(problem.counts[inside, span].sum())
    expected = float(problem.expected[inside, span].sum())
    outside, beyond = problem.total - cases, problem.total - expected
    row: dict[str, Hashable] = {
        "centre": units.names[centre],
        "easting": units.xy[centre, 0],
        "northing": units.xy[centre, 1],
        "radius_m": short * outline.axis_ratio,
        "radius_minor_m": short,
        "angle_deg": outline.degrees if outline.degrees <= 90 else outline.degrees - 180,
        "n_units": len(inside),
        "cases": cases,
        "expected": expected,
        "ratio": cases / expected,
        "relative_risk": (cases / expected) / (outside / beyond) if outside else np.nan,
        "llr": log_likelihood_ratio(
            float(cases), expected, float(problem.total), problem.population
        ),
        "statistic": found.value[centre],
    }
    if naming.steps is not None:
        row["first_step"] = naming.steps[span.start]
        row["last_step"] = naming.steps[span.stop - 1]
        row["n_steps"] = span.stop - span.start
    if naming.with_population:
        row["population"] = float(units.population[inside].mean(axis=1).sum())
    return row


def _nearest(points: gpd.GeoSeries, centres: pd.Series) -> Floats:
    """Measure how far the nearest other place is from each of some units."""
    every = points.to_numpy()
    if len(centres) == 0 or len(every) < 2:
        return np.zeros(len(centres))
    of = every[points.index.get_indexer(pd.Index(centres))]
    (row, _), far = shapely.STRtree(every).query_nearest(
        of, exclusive=True, return_distance=True, all_matches=False
    )
    nearest = np.zeros(len(centres))
    nearest[row] = far
    return nearest
