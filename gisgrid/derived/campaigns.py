"""Did the campaign help, held against units like those that were left alone?"""

from __future__ import annotations

import datetime as dt
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph

from gisgrid.analysis import CampaignEffect, campaign_effect, matched_controls
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas, unit_areas
from gisgrid.derived.flags import flags_of
from gisgrid.derived.incidents import demand
from gisgrid.derived.notes import Note, heard
from gisgrid.derived.terms import neighbourhood
from gisgrid.derived.times import checked_step, day_of, stepped, without_strays
from gisgrid.errors import InputError
from gisgrid.schema import Text

GROUPS: Final = ("treated", "control", "other")
"""What a unit is to a campaign."""

_DAYS: Final = {"day": 1, "week": 7}
_LEAST_STEPS: Final = 4  # before the campaign, for the checks


def unit_campaign(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    treated: str,
    since: str,
    timezone: str,
    step: str = "week",
    population: str | None = "population",
    neighbours: str = "contiguity",
    n_controls: int = 3,
    seed: int = 0,
) -> Derivation:
    """Say what a campaign changed in the units where it was, over what changed in units like them (matched controls).

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and `treated`.
    key
        The column that names a unit.
    treated
        The column that says yes where the campaign was.
    since
        The day on which it began, as ``2025-03-09``.
    timezone
        Where a day begins.
    step
        ``day``, ``week`` (both laid end to end from that day), ``month``, ``quarter`` or ``year`` (then it must begin with
        one).
    population
        The column of residents, to be alike in; None to do without.
    neighbours
        Neighbours of treated units are no controls, because a campaign moves problems next door.
    n_controls
        How many controls for each.
    seed
        Seed of the random groups that the effect is held against.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_incidents`, `population` and `incidents_per_1000` (where
        residents are known), `group` (``treated``, ``control``, ``other``), `n_matched` (of how many treated units it is a
        control), `n_before`, `n_after`, `per_step_before`, `per_step_after`, `ratio` (after over before), `n_units`. Notes
        say the effect with its interval and its checks.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        No unit or every unit is treated, a day that leaves no whole step on a side, or no such step or zone.

    Notes
    -----
    See `gisgrid.analysis.campaign_effect` and `gisgrid.analysis.matched_controls`.
    """
    areas = unit_areas(issues, units, key=key, population=population)
    made, _ = campaign(
        areas, flags_of(units, treated, key=key), since=since, timezone=timezone, step=step,
        neighbours=neighbours, n_controls=n_controls, seed=seed,
    )  # fmt: skip
    return made


def campaign(
    areas: Areas,
    treated: pd.Series,
    *,
    since: str,
    timezone: str,
    step: str = "week",
    neighbours: str = "contiguity",
    n_controls: int = 3,
    seed: int = 0,
) -> tuple[Derivation, CampaignEffect]:
    """Hold the units of a campaign against matched controls.

    Parameters
    ----------
    areas
        What was counted, with `reported_at` among the incidents' columns.
    treated
        Shape (n,), bool, indexed by key.
    since
        The day on which it began.
    timezone
        Where a day begins.
    step
        As for `unit_campaign`.
    neighbours
        As for `unit_campaign`.
    n_controls
        How many controls for each.
    seed
        Seed of the random groups.

    Returns
    -------
    tuple of Derivation and CampaignEffect
        The areas with the columns that `unit_campaign` says, and the effect.

    Raises
    ------
    ColumnError
        There are no times.
    InputError
        As for `unit_campaign`.
    """
    treated = treated.reindex(areas.counts.index).astype(bool)
    if treated.all() or not treated.any():
        raise InputError(
            f"{int(treated.sum())} of {len(treated)} units are treated, but an effect needs units with and without the "
            "campaign; mark those where it was"
        )
    day = day_of(since, timezone=timezone)
    notes: list[str] = []
    counted, cube, first_after = _steps(areas, day, timezone=timezone, step=step, notes=notes)
    graph, about_neighbours = neighbourhood(areas, neighbours)
    covariates = None
    if areas.denominator is not None and not areas.are_cells:
        covariates = areas.denominator.fillna(0).to_frame("residents").astype(float)
    with heard(notes):
        matches = _matches(
            cube.iloc[:, :first_after],
            treated,
            covariates=covariates,
            graph=graph,
            n_controls=n_controls,
            notes=notes,
        )
        effect = campaign_effect(cube, treated, first_after=first_after, matches=matches, seed=seed)
    notes += said(effect)
    n_matched = matches["control"].value_counts().reindex(cube.index, fill_value=0)
    group = np.select([treated, n_matched > 0], GROUPS[:2], GROUPS[2])
    before, after = cube.iloc[:, :first_after], cube.iloc[:, first_after:]
    per_before, per_after = before.mean(axis=1), after.mean(axis=1)
    columns = {
        "group": pd.Series(group, index=cube.index, dtype="object"),
        "n_matched": n_matched.astype("int64"),
        "n_before": before.sum(axis=1), "n_after": after.sum(axis=1),
        "per_step_before": per_before, "per_step_after": per_after,
        "ratio": (per_after / per_before).where(per_before > 0),
    }  # fmt: skip
    compared = treated | (n_matched > 0)
    made = counted.made(columns, tested=compared, notes=(*about_neighbours, *notes))
    return made, effect


def _matches(
    before: pd.DataFrame,
    treated: pd.Series,
    *,
    covariates: pd.DataFrame | None,
    graph: Graph,
    n_controls: int,
    notes: list[str],
) -> pd.DataFrame:
    """Match controls that are no neighbours of treated units; where there is none, any."""
    links = graph.adjacency.reset_index()
    links = links[(links["weight"] > 0) & links["focal"].isin(treated.index[treated])]
    near = set(links["neighbor"])
    if near >= set(treated.index[~treated]):
        text = Text(
            zh="所有未整治的单元都与整治单元相邻：对照只能取自邻居，效果可能外溢",
            en="every unit left alone is next to a treated one: controls are taken from neighbours, where a campaign may spill over",
        )
        notes.append(Note.of(text))
        return matched_controls(before, treated, n_controls=n_controls, covariates=covariates)
    return matched_controls(
        before, treated, n_controls=n_controls, covariates=covariates, graph=graph
    )


def _steps(
    areas: Areas, day: pd.Timestamp, *, timezone: str, step: str, notes: list[str]
) -> tuple[Areas, pd.DataFrame, int]:
    """Count by steps of which one begins on the day."""
    demand(areas.incidents, "issues", "reported_at")
    checked_step(step)
    areas = without_strays(areas)
    times = areas.incidents["reported_at"][areas.codes.notna()].dropna()
    length = _DAYS.get(step)
    since = None
    if length is not None and len(times):
        whole = int((day - times.min().tz_convert(timezone).normalize()).days // length)
        since = day - pd.DateOffset(days=whole * length) if whole > 0 else day
    counted, cube = stepped(
        areas, timezone=timezone, step=step if length is None else dt.timedelta(days=length),
        since=since, notes=notes,
    )  # fmt: skip
    counts = cube.complete
    begins = pd.DatetimeIndex(counts.columns)
    if len(begins) and begins[0] < day <= begins[-1] and day not in begins:
        raise InputError(
            f"the campaign began on {day:%Y-%m-%d}, which begins no {step}; give the first day of one, or count by week"
        )
    first_after = int((begins < day).sum())
    if first_after < _LEAST_STEPS or first_after == len(begins):
        raise InputError(
            f"{day:%Y-%m-%d} leaves {first_after} whole steps before it and {len(begins) - first_after} after, but an "
            f"effect needs {_LEAST_STEPS} and 1; choose another day, or a shorter step"
        )
    return counted, counts, first_after


def said(effect: CampaignEffect) -> tuple[str, ...]:
    """Say an effect and its checks, in sentences.

    Parameters
    ----------
    effect
        The effect.

    Returns
    -------
    tuple of str
        Notes.
    """
    if pd.isna(effect.ratio):
        text = Text(zh="整治或对照单元在某一期没有事件，无法估计效果", en="a group has no incident in one of the periods: there is no effect to tell")  # fmt: skip
        return (Note.of(text),)
    first = Text(
        zh=(
            f"整治后为无整治情形的 {effect.ratio:.2f} 倍（95% 区间 {effect.low:.2f}–{effect.high:.2f}，p={effect.p:.3f}），"
            f"{effect.n_treated} 个整治单元，{effect.n_controls} 个对照"
        ),
        en=(
            f"with the campaign there were {effect.ratio:.2f} times as many as without (95 % interval {effect.low:.2f} to "
            f"{effect.high:.2f}, p {effect.p:.3f}), by {effect.n_treated} treated units and {effect.n_controls} controls"
        ),
    )
    notes = [Note.of(first)]
    if effect.pretrend_p < 0.05 or effect.placebo_p < 0.05:
        doubt = Text(
            zh=f"整治前两组走势已不同（p={effect.pretrend_p:.3f}）或虚拟整治也有“效果”（p={effect.placebo_p:.3f}）：不要相信这个倍数",
            en=(
                f"before the campaign the groups already moved apart (p {effect.pretrend_p:.3f}) or one that never was has an "
                f"effect (p {effect.placebo_p:.3f}): do not trust the ratio"
            ),
        )
        notes.append(Note.of(doubt))
    return tuple(notes)
