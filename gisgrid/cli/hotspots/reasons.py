"""Why is this area hot, and which method would have foretold the later reports? `--explain` and `--compare`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, cast

import geopandas as gpd
import pandas as pd

from gisgrid import derived
from gisgrid.analysis import compare_maps
from gisgrid.analysis.reasons import Explanation, explanation
from gisgrid.cli.hotspots.finding import Asked, Found
from gisgrid.cli.hotspots.method import Method
from gisgrid.cli.hotspots.methods import METHODS
from gisgrid.cli.hotspots.request import Request
from gisgrid.derived.notes import heard
from gisgrid.errors import GisgridError, InputError
from gisgrid.intake.classes.files import CATEGORIES
from gisgrid.join import assign_units, unit_counts

SHARE: Final = 0.05
"""The share of the city's area at which methods are compared."""

_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_PLAIN: Final = "counts"


def explained(found: Found, asked: Asked) -> Explanation:
    """Say what made the area hot that the user asked about.

    Parameters
    ----------
    found
        What was found, by a method with areas and z.
    asked
        What the user said, with `explain`.

    Returns
    -------
    Explanation
        Classes and months are counted where the reports have them.
    """
    areas = found.areas
    assert areas is not None  # noqa: S101 - methods that explain have areas
    language = asked.request.language
    frame = cast("gpd.GeoDataFrame", found.made.value)
    graph, _ = derived.neighbourhood(areas, found.terms.neighbours)
    scores = pd.DataFrame(frame.drop(columns=frame.geometry.name)).set_index(areas.key)
    named = next(
        (c for c in (f"name_{language}", "name", "name_zh", "name_en") if c in scores), None
    )
    names = (
        None
        if named is None
        else scores[named].where(scores[named].notna(), scores.index.to_series())
    )
    return explanation(
        _key(asked.request.explain, areas.counts.index), areas.counts, graph,
        values=areas.tested, denominator=areas.denominator, per=areas.per, scores=scores, names=names,
        by_class=_by_class(areas, language), by_month=_by_month(areas, asked.timezone),
    )  # fmt: skip


def _key(code: str | None, index: pd.Index) -> object:
    """Find the unit whose key reads like the code, also where keys are numbers."""
    return next((key for key in index if str(key) == code), code)


def _by_class(areas: derived.Areas, language: Literal["zh", "en"]) -> pd.DataFrame | None:
    column = next(
        (c for c in ("category", "category_code") if c in areas.incidents and areas.incidents[c].notna().any()), None
    )  # fmt: skip
    if column is None:
        return None
    table = _table(areas, areas.incidents[column].astype("str"))
    texts = {key: getattr(each.words, language) for key, each in CATEGORIES.items()}
    return table.rename(columns=texts)


def _by_month(areas: derived.Areas, timezone: str) -> pd.DataFrame | None:
    times = areas.incidents.get("reported_at")
    if times is None or times.isna().all():
        return None
    return _table(areas, times.dt.tz_convert(timezone).dt.strftime("%Y-%m"))


def _table(areas: derived.Areas, what: pd.Series) -> pd.DataFrame:
    there = areas.codes.notna() & what.notna()
    table = pd.crosstab(areas.codes[there].to_numpy(), what[there].to_numpy())
    return table.reindex(areas.counts.index, fill_value=0)


@dataclass(frozen=True)
class Later:
    """Reports of a later period, to hold a map against.

    Attributes
    ----------
    issues
        The later reports.
    since
        The day from which on they are taken from the same file; None where they come from another.
    """

    issues: gpd.GeoDataFrame
    since: str | None = None


def day_of(request: Request) -> str | None:
    """Give the day from which on reports count as later, where the user named a day and no file.

    Parameters
    ----------
    request
        What the user asked for.

    Returns
    -------
    str or None
        The day, as ``YYYY-MM-DD``.
    """
    return request.compare if request.compare and _DAY.fullmatch(request.compare) else None


def split(issues: gpd.GeoDataFrame, day: str, *, timezone: str) -> tuple[gpd.GeoDataFrame, Later]:
    """Part the reports at a day.

    Parameters
    ----------
    issues
        All reports, with `reported_at`.
    day
        The first later day.
    timezone
        Where that day begins.

    Returns
    -------
    tuple
        The earlier reports, and the later ones; those without a time are neither.

    Raises
    ------
    InputError
        There are no reports on one of the sides, or no such day.
    """
    try:
        moment = pd.Timestamp(day, tz=timezone)
    except ValueError as error:
        raise InputError(
            f"--compare {day!r} is no day: {error}; write for example 2026-01-01"
        ) from error
    times = issues["reported_at"]
    before, after = issues[times < moment], issues[times >= moment]
    if before.empty or after.empty:
        raise InputError(
            f"--compare {day} leaves {len(before)} reports before it and {len(after)} from it on; "
            f"choose a day inside the period ({int(times.isna().sum())} reports have no time)"
        )
    return before, Later(after, since=day)


def compared(found: Found, asked: Asked, later: Later) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Rank methods by how many of the later reports lay where each would have sent people.

    Parameters
    ----------
    found
        What the chosen method found; its areas are those of all.
    asked
        The earlier reports and what the user said.
    later
        The later reports.

    Returns
    -------
    tuple of DataFrame and notes
        As from `gisgrid.analysis.compare_maps`, the best first; why a method is not among them.
    """
    areas = found.areas
    assert areas is not None  # noqa: S101 - methods that compare have areas
    notes: list[str] = []
    maps: dict[str, pd.Series] = {_PLAIN: _density(areas)}
    for name, method in _rivals(asked.request.method).items():
        try:
            with heard(notes):
                made = (
                    found.made
                    if name == asked.request.method
                    else method.find(_alike(asked, name)).made
                )
        except GisgridError as error:
            notes.append(f"{name} is not compared: {error}")
            continue
        scores = ranking(made.value, method)
        maps[name] = scores.set_axis(areas.counts.index)
    with heard(notes):
        table = compare_maps(
            maps, _counts(areas, later.issues), _km2(areas), share=SHARE, earlier=areas.counts.astype(float)
        )  # fmt: skip
    return table, tuple(notes)


def ranking(value: object, method: Method) -> pd.Series:
    """Give the score by which a method's map would send people out.

    Parameters
    ----------
    value
        What the method made.
    method
        A method with `ranks`.

    Returns
    -------
    Series
        One score per area, in their order; missing where there was no test.
    """
    assert method.ranks is not None  # noqa: S101 - the caller has chosen
    return method.ranks(pd.DataFrame(cast("pd.DataFrame", value))).astype(float)


def _rivals(chosen: str) -> Mapping[str, Method]:
    """Give the methods that can be ranked on the areas of the chosen one."""
    if chosen.startswith("optimised"):
        return {chosen: METHODS[chosen]}
    return {
        name: method for name, method in METHODS.items()
        if method.ranks is not None and method.by == "areas"
    }  # fmt: skip


def _alike(asked: Asked, name: str) -> Asked:
    """Ask another method the same, without the options that have no part in it."""
    options = METHODS[name].options
    optional = ("neighbours", "permutations", "correction", "seed", "step", "shape", "max_share")
    changes: dict[str, Any] = {option: None for option in optional if option not in options}
    return replace(asked, request=replace(asked.request, method=name, **changes))


def _density(areas: derived.Areas) -> pd.Series:
    return areas.counts / _km2(areas)


def _km2(areas: derived.Areas) -> pd.Series:
    if areas.are_cells and areas.denominator is not None:
        return areas.denominator
    frame, _ = derived.in_metres(areas.frame, what="the area of the units")
    return pd.Series(frame.area.to_numpy() / 1e6, index=areas.counts.index)


def _counts(areas: derived.Areas, issues: gpd.GeoDataFrame) -> pd.Series:
    """Count later incidents in the same areas."""
    first = derived.incidents(issues).to_crs(areas.frame.crs)
    codes = assign_units(first, {areas.key: areas.frame})[areas.key]
    return unit_counts(codes, areas.frame[areas.key]).astype(float)
