"""What is made from the city's layers: counts, rates, hotspots, density, months.

The functions that a layer names under ``[derived] function``: input layers' frames and the layer's parameters in, a
`Derivation` out, with the result, what was left out and why, and the decisions taken on the way.
A *report* is what somebody sent in; an *incident* is a report that repeats no other (``duplicate_of`` is missing).
"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from pyproj import CRS

from gisgrid.analysis import contiguity, excess, hotspots, kernel_density, rate
from gisgrid.catalogue import Derivation
from gisgrid.crs import crs_label, require_crs
from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids import tessellate
from gisgrid.join import assign_units, unit_counts

REPEATED: Final = "reports that repeat an earlier one"
IN_NO_AREA: Final = "reports that lie in none of the areas, or have no place"
IN_SLIVERS: Final = "incidents in cells that lie too little inside the city to be compared"
NO_RESIDENTS: Final = "areas without residents, which have no rate"
NO_TIME: Final = "incidents without a time of report"

_NO_MONTHS: Final = pd.PeriodIndex([], freq="M")
_FEW: Final = (
    10  # incidents per area on average, below which the labels are known to promise too much
)
_SCORES: Final = ("observed", "expected", "z", "p", "q", "label", "n_neighbours")


def unit_issues(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, key: str) -> Derivation:
    """Count how many reports and incidents each unit has, how many are still open, and what that is per resident.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `status`; brought into the CRS of `units` where it differs.
    units
        Areas with `key`, `name_zh`, `name_en`, `population`, `area_km2`.
    key
        The column that names a unit, for example ``community_code``.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_reports` (all), `n_incidents` (without repeats), `n_open`
        (incidents not settled), `population`, `area_km2`, `incidents_per_1000` (missing where nobody lives),
        `incidents_per_km2`, and the unit's geometry. Every report is counted in one unit, or excluded.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.

    Examples
    --------
    >>> from shapely import Point, box
    >>> issues = gpd.GeoDataFrame(
    ...     {"duplicate_of": [None, "1", None], "status": ["open", "open", "closed"]},
    ...     geometry=[Point(1, 1), Point(1, 1), Point(99, 1)], crs=4547,
    ... )
    >>> units = gpd.GeoDataFrame(
    ...     {"code": ["a"], "name_zh": ["甲"], "name_en": ["A"], "population": [500], "area_km2": [0.5]},
    ...     geometry=[box(0, 0, 9, 9)], crs=4547,
    ... )
    >>> made = unit_issues(issues, units, key="code")
    >>> made.value[["n_reports", "n_incidents", "n_open", "incidents_per_1000"]].iloc[0].to_list()
    [2.0, 1.0, 1.0, 2.0]
    >>> made.excluded
    {'reports that lie in none of the areas, or have no place': 1}
    """
    _demand(issues, "issues", "duplicate_of", "status")
    _demand(units, "units", key, "name_zh", "name_en", "population", "area_km2")
    issues, notes = _in_crs_of(issues, units)
    codes = assign_units(issues, {key: units})[key]
    first = issues["duplicate_of"].isna()
    still_open = first & (issues["status"] == "open")
    counts = pd.DataFrame(
        {
            "n_reports": unit_counts(codes, units[key]),
            "n_incidents": unit_counts(codes[first], units[key]),
            "n_open": unit_counts(codes[still_open], units[key]),
        }
    ).set_index(units.index)
    value = units[[key, "name_zh", "name_en"]].join(counts)
    value = value.join(units[["population", "area_km2"]])
    value["incidents_per_1000"] = rate(counts["n_incidents"], units["population"], per=1000)
    value["incidents_per_km2"] = rate(counts["n_incidents"], units["area_km2"])
    value = gpd.GeoDataFrame(value, geometry=units.geometry)
    return Derivation(value, _left_out({IN_NO_AREA: codes.isna().sum()}), notes)


def unit_hotspots(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
) -> Derivation:
    """Find the units that have, together with their neighbours, unusually many or few incidents per resident.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    population
        The column of residents; None to score the counts themselves, which grow with the size of a unit.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), `observed`, `expected` (incidents per 1000 residents of the unit with its neighbours, and
        of the city; or mean incidents), `z`, `p`, `q`, `label`, `n_neighbours`, `n_units` (how many were tested). A unit
        without residents or neighbours is not tested: its scores are missing.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.

    Notes
    -----
    Gi*, queen contiguity, q by Benjamini & Hochberg: see `gisgrid.analysis.hotspots`. Where residents are known, what is
    scored is `gisgrid.analysis.excess`: plain rates of unequal units call a fifth of all cities without any hotspot hot
    at 95 % (docs/decisions/0004-significance.md).
    """
    _demand(issues, "issues", "duplicate_of")
    _demand(units, "units", key, *([] if population is None else [population]))
    issues, notes = _in_crs_of(issues, units)
    incidents = issues[issues["duplicate_of"].isna()]
    codes = assign_units(incidents, {key: units})[key]
    counts = unit_counts(codes, units[key])
    names = [name for name in ("name_zh", "name_en", "name") if name in units.columns]
    value = units[[key, *names]].assign(n_incidents=counts.to_numpy())
    graph = contiguity(units, key=key)
    if population is None:
        values = counts.astype(float)
        scores = hotspots(values, graph)
    else:
        residents = units.set_index(key)[population]
        values = rate(counts, residents, per=1000)
        value = value.assign(population=units[population], incidents_per_1000=values.to_numpy())
        scores = _scores_per_resident(counts, residents, graph)
    value = value.assign(
        **{name: scores[name].array for name in _SCORES},
        n_units=int(scores["z"].notna().sum()),
    )
    excluded = {
        REPEATED: len(issues) - len(incidents),
        IN_NO_AREA: codes.isna().sum(),
        NO_RESIDENTS: values.isna().sum(),
    }
    value = gpd.GeoDataFrame(value, geometry=units.geometry)
    return Derivation(value, _left_out(excluded), notes + _few(counts))


def cell_hotspots(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    shape: str = "hexagon",
    min_share_inside: float = 0.5,
) -> Derivation:
    """Find the places where incidents lie unusually thick or thin, whatever the administrative borders.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    cell_m
        Width of a cell, metres.
    shape
        ``hexagon`` or ``square``.
    min_share_inside
        Cells of which less lies inside the city (0 to 1) are left out: a sliver's density jumps with one incident.

    Returns
    -------
    Derivation
        One row per cell: `cell_id`, `n_incidents`, `area_km2` (of what lies inside the city), `incidents_per_km2`,
        `observed`, `expected` (incidents/km²), `z`, `p`, `q`, `label`, `n_neighbours`, `n_units` (cells tested).

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.

    Notes
    -----
    Gi* on densities, queen contiguity, q by Benjamini & Hochberg: see `gisgrid.analysis.hotspots`.
    """
    _demand(issues, "issues", "duplicate_of")
    if shape not in {"hexagon", "square"}:
        raise InputError(f"shape = {shape!r} is no tessellation; choose hexagon or square")
    issues, notes = _in_crs_of(issues, area)
    incidents = issues[issues["duplicate_of"].isna()]
    whole = tessellate(area, cell_m=cell_m, shape="square" if shape == "square" else "hexagon")
    cells = whole[whole["share_inside"] >= min_share_inside].reset_index(drop=True)
    found = assign_units(incidents, {"cell_id": whole}, zones={"inside": area})
    codes = found.loc[found["inside"], "cell_id"]
    kept = codes[codes.isin(cells["cell_id"])]
    counts = unit_counts(kept, cells["cell_id"])
    inside_km2 = (cells["area_km2"] * cells["share_inside"]).to_numpy()
    density = rate(counts, pd.Series(inside_km2, counts.index))
    scores = hotspots(density, contiguity(cells, key="cell_id"))
    value = cells[["cell_id"]].assign(
        n_incidents=counts.to_numpy(),
        area_km2=inside_km2,
        incidents_per_km2=density.to_numpy(),
        **{name: scores[name].array for name in _SCORES},
        n_units=int(scores["z"].notna().sum()),
    )
    excluded = {
        REPEATED: len(issues) - len(incidents),
        IN_NO_AREA: len(incidents) - len(codes),
        IN_SLIVERS: len(codes) - len(kept),
    }
    dropped = len(whole) - len(cells)
    if dropped:
        notes += (
            f"{dropped} of {len(whole)} cells lie less than {min_share_inside:.0%} inside the city and are left out",
        )
    notes += _few(counts)
    value = gpd.GeoDataFrame(value, geometry=cells.geometry)
    return Derivation(value, _left_out(excluded), notes)


def issue_density(
    issues: gpd.GeoDataFrame, area: gpd.GeoDataFrame, *, cell_m: float, bandwidth_m: float
) -> Derivation:
    """Show how thick the incidents lie on the ground, as a surface in issues/km².

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres. The surface covers its bounding box and a bandwidth around.
    cell_m
        Side of a cell, metres.
    bandwidth_m
        How far one incident spreads, metres.

    Returns
    -------
    Derivation
        A `Surface`; its sum times the area of a cell is the number of incidents inside the city.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    """
    _demand(issues, "issues", "duplicate_of")
    issues, notes = _in_crs_of(issues, area)
    incidents = issues[issues["duplicate_of"].isna()]
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    west, south, east, north = area.total_bounds
    margin = bandwidth_m + 2 * cell_m
    surface = kernel_density(
        incidents[inside],
        cell_m=cell_m,
        bandwidth_m=bandwidth_m,
        bbox=(west - margin, south - margin, east + margin, north + margin),
    )
    excluded = {REPEATED: len(issues) - len(incidents), IN_NO_AREA: (~inside).sum()}
    return Derivation(surface, _left_out(excluded), notes)


def issue_months(
    issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, key: str, timezone: str
) -> Derivation:
    """Count the incidents of each unit in each month, and say which months the data cover as a whole.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at` (UTC); brought into the CRS of `units` where it differs.
    units
        Areas with `key`.
    key
        The column that names a unit.
    timezone
        Where a month begins, for example ``Asia/Shanghai``.

    Returns
    -------
    Derivation
        A table with a row for every unit and every month from the first report to the last: `key`, `month`
        (``YYYY-MM``), `n_incidents`, `complete` (the data reach from the month's first day to its last).

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    """
    _demand(issues, "issues", "duplicate_of", "reported_at")
    _demand(units, "units", key)
    issues, notes = _in_crs_of(issues, units)
    when = issues["reported_at"].dt.tz_convert(timezone).dt.tz_localize(None)
    first = issues["duplicate_of"].isna()
    codes = assign_units(issues, {key: units})[key]
    counted = first & codes.notna() & when.notna()
    days = when.dt.normalize()
    begin, end = days.min(), days.max()  # NaT where there is no time at all
    months = pd.period_range(begin, end, freq="M") if counted.any() else _NO_MONTHS
    month = months.get_indexer(pd.PeriodIndex(when[counted], freq="M"))
    unit = pd.Index(units[key]).get_indexer(pd.Index(codes[counted]))
    counts = np.bincount(unit * len(months) + month, minlength=len(units) * len(months))
    complete = (months.start_time >= begin) & (months.end_time.normalize() <= end)
    value = pd.DataFrame(
        {
            key: units[key].repeat(len(months)).array,
            "month": pd.Series(np.tile(months.strftime("%Y-%m"), len(units)), dtype="str"),
            "n_incidents": counts.astype(np.int64),
            "complete": np.tile(complete, len(units)),
        }
    )
    excluded = {
        REPEATED: (~first).sum(),
        IN_NO_AREA: (first & codes.isna()).sum(),
        NO_TIME: (first & codes.notna() & when.isna()).sum(),
    }
    return Derivation(
        value, _left_out(excluded), (*notes, f"months begin at midnight in {timezone}")
    )


def _scores_per_resident(counts: pd.Series, residents: pd.Series, graph: Graph) -> pd.DataFrame:
    """Score the excess over what the residents lead one to expect; say observed and expected per 1000 of them."""
    more = excess(counts, residents)
    scores = hotspots(more, graph)
    known = more.notna()
    n = counts.where(known, 0).reindex(graph.unique_ids).to_numpy(dtype=float)
    people = residents.where(known, 0).reindex(graph.unique_ids).to_numpy(dtype=float)
    around = graph.sparse
    pooled = pd.DataFrame(
        {"n": n + around @ n, "people": people + around @ people}, index=graph.unique_ids
    )
    observed = rate(pooled["n"], pooled["people"], per=1000).reindex(counts.index)
    return scores.assign(
        observed=observed.where(known),
        expected=1000 * n.sum() / people.sum() if people.sum() else np.nan,
    )


def _few(counts: pd.Series) -> tuple[str, ...]:
    """Warn where so few incidents are counted that the normal p is liberal (docs/decisions/0004-significance.md)."""
    mean = counts.mean()
    note = f"{mean:.1f} incidents per area are few: below {_FEW} chance makes more of them hot or cold than the labels say"
    return (f"{note}; choose larger areas or a longer period",) if mean < _FEW else ()


def _in_crs_of(
    issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame
) -> tuple[gpd.GeoDataFrame, tuple[str, ...]]:
    """Give the issues in the CRS of the units, and say so where that took a reprojection."""
    found, wanted = require_crs(issues, name="issues"), require_crs(units, name="units")
    if CRS(found) == CRS(wanted):
        return issues, ()
    note = f"the reports were brought from {crs_label(found)} to {crs_label(wanted)}"
    return issues.to_crs(wanted), (note,)


def _demand(frame: gpd.GeoDataFrame, name: str, *columns: str) -> None:
    for column in columns:
        if column not in frame.columns:
            raise ColumnError(
                f"no column {column!r} among {len(frame.columns)} columns of {name!r}"
                f"{did_you_mean(column, map(str, frame.columns))}"
            )


def _left_out(counts: dict[str, int]) -> dict[str, int]:
    return {reason: int(n) for reason, n in counts.items() if n}
