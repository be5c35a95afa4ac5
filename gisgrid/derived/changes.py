"""What has become better or worse from one period to another, and did the hotspots move?"""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import HotspotSimilarity, hotspot_similarity, hotspots, rate_change
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.incidents import demand
from gisgrid.derived.notes import IN_NO_PERIOD, NO_TIME, Note, heard
from gisgrid.derived.terms import Terms, few, neighbourhood
from gisgrid.derived.times import Days, days_of, last_two
from gisgrid.errors import InputError
from gisgrid.schema import Text


def unit_changes(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    timezone: str,
    before: str = "",
    after: str = "",
    population: str | None = "population",
    neighbours: str = "contiguity",
    correction: Correction = "fdr",
) -> Derivation:
    """Say which units have more or fewer incidents than in an earlier period, and whether the hotspots are the same.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    before, after
        The periods: ``2024``, ``2024-03``, or ``2024-03-01..2024-05-31`` with the last day included; both empty for the
        last year of the data and the year before it (their halves where they cover less than two years).
    timezone
        Where a day begins.
    population
        The column of residents, for the hotspots of each period; None to look at the counts themselves.
    neighbours
        ``contiguity``, ``rook``, ``distance:500`` or ``nearest:8``.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents` (of both periods), `population` and
        `incidents_per_1000` (where residents are known), `n_before`, `n_after`, `per_year_before`, `per_year_after`,
        `ratio` (after over before), `low`, `high` (95 %), `p`, `q`, `change` (``rose``, ``fell``, ``no_change``),
        `label_before`, `label_after` (Gi* of each period), `similarity` (of the two maps around the unit, 0 to 1),
        `n_units`. A note says how alike the two maps are (fuzzy kappa).

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        Periods that overlap or hold no incident, or no such zone, neighbourhood or correction.

    Notes
    -----
    See `gisgrid.analysis.rate_change` and `gisgrid.analysis.hotspot_similarity`. Compare like seasons.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    made, _ = changed(
        areas,
        Terms(neighbours, correction=correction),
        before=before,
        after=after,
        timezone=timezone,
    )
    return made


def changed(
    areas: Areas, terms: Terms, *, timezone: str, before: str = "", after: str = ""
) -> tuple[Derivation, HotspotSimilarity]:
    """Compare two periods of the same areas.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    terms
        Neighbours and correction.
    before, after
        The periods; both empty for the last year and the one before.
    timezone
        Where a day begins.

    Returns
    -------
    tuple of Derivation and HotspotSimilarity
        The areas with the columns that `unit_changes` says, and how alike the two maps are.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        Periods that overlap or hold no incident, or no such zone, neighbourhood or correction.
    """
    demand(areas.incidents, "issues", "reported_at")
    if before or after:
        periods = tuple(days_of(text, timezone=timezone) for text in (before, after))
    else:
        periods = last_two(areas.incidents["reported_at"], timezone=timezone)
    if periods[0].end > periods[1].first:
        raise InputError(
            f"{after!r} does not lie after {before!r}, but a change is from one period to a later one; let none overlap"
        )
    first, second = (_within(areas, period) for period in periods)
    graph, about_neighbours = neighbourhood(areas, terms.neighbours)
    notes: list[str] = []
    with heard(notes):
        found = rate_change(
            first.counts, second.counts, exposure_before=periods[0].years, exposure_after=periods[1].years,
            correction=terms.correction,
        )  # fmt: skip
        labels = [
            hotspots(each.tested, graph, correction=terms.correction)["label"]
            for each in (first, second)
        ]
        alike = hotspot_similarity(labels[0], labels[1], graph)
    notes += few(pd.concat([first.counts, second.counts], axis=1).min(axis=1), graph)
    notes += [_periods(*periods), _said(alike)]
    columns = {str(name): found[name] for name in found}
    columns["per_year_before"] = columns.pop("rate_before")
    columns["per_year_after"] = columns.pop("rate_after")
    order = ["n_before", "n_after", "per_year_before", "per_year_after"]
    columns = {name: columns[name] for name in dict.fromkeys([*order, *columns])}
    for name in ("n_before", "n_after"):
        columns[name] = columns[name].astype("int64")
    maps = {"label_before": labels[0], "label_after": labels[1], "similarity": alike.local}
    both = first.counts + second.counts
    times = areas.incidents["reported_at"]
    there = areas.codes.notna()
    neither = there & times.notna() & ~periods[0].holds(times) & ~periods[1].holds(times)
    told = areas.recounted(both).without(
        {NO_TIME: int((there & times.isna()).sum()), IN_NO_PERIOD: int(neither.sum())}
    )
    return told.made(
        {**columns, **maps}, tested=found["p"].notna(), notes=(*about_neighbours, *notes)
    ), alike


def _within(areas: Areas, period: Days) -> Areas:
    """Count the incidents of a period."""
    codes = areas.codes[period.holds(areas.incidents["reported_at"])].dropna()
    if codes.empty:
        raise InputError(
            f"no incident in the areas is dated {period.text}; choose a period that the reports cover"
        )
    counts = codes.value_counts().reindex(areas.counts.index, fill_value=0).astype("int64")
    return replace(areas, counts=counts)


def _periods(first: Days, second: Days) -> Note:
    text = Text(
        zh=f"前期 {first.text}，后期 {second.text}（含末日）",
        en=f"{first.text} is held against {second.text}, last days included",
    )
    return Note.of(text)


def _said(alike: HotspotSimilarity) -> Note:
    if pd.isna(alike.kappa):
        text = Text(
            zh="两期热点图相同或没有热点，无法比较（kappa 为空）",
            en="the two hotspot maps cannot be compared: both are one label everywhere (kappa is missing)",
        )
    else:
        text = Text(
            zh=f"两期热点图的模糊 kappa 为 {alike.kappa:.2f}（0 为偶然，1 为相同）",
            en=f"the hotspot maps of both periods agree with a fuzzy kappa of {alike.kappa:.2f} (0 is chance, 1 the same)",
        )
    return Note.of(text)
