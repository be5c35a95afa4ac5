"""Methods that ask about rates, kinds of places, and who looked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from gisgrid import derived
from gisgrid.cli.hotspots.finding import Asked, Found, counted
from gisgrid.cli.hotspots.method import (
    COUNTED,
    GI,
    HOT,
    HOTTEST,
    LABELS,
    TESTED,
    Column,
    Method,
    N,
    P,
    all_rows,
    highest,
    one_of,
)
from gisgrid.intake import Units
from gisgrid.schema import Text


def _units(asked: Asked) -> Units:
    assert asked.units is not None  # noqa: S101 - check_method has made sure of it
    return asked.units


def _rates(asked: Asked) -> Found:
    """Give rates with less chance in them."""
    areas, covered = counted(asked)
    made = derived.rated(areas, asked.terms.neighbours)
    return Found(made, areas.key, covered, areas, asked.terms)


def _zones(asked: Asked) -> Found:
    """Compare kinds of units."""
    said = asked.request
    units = _units(asked)
    areas, covered = counted(asked)
    made = derived.zoned(
        areas, units.frame, zone=cast("str", said.zone), reference=said.reference or "", strata=said.strata or ""
    )  # fmt: skip
    return Found(made, "zone", covered, areas, asked.terms)


def _effort(asked: Asked) -> Found:
    """Score what was found for the effort made."""
    said = asked.request
    units = _units(asked)
    areas, covered = counted(asked)
    effort = derived.numbers_of(units.frame, cast("str", said.effort), key=units.key)
    made = derived.looked_at(areas, effort, asked.terms, least=said.least_effort or 0.0)
    return Found(made, areas.key, covered, areas, asked.terms)


def _reporting(asked: Asked) -> Found:
    """Say how readily people report."""
    units = _units(asked)
    made = derived.unit_reporting(
        asked.issues, units.frame, key=units.key,
        lifetime_days=asked.request.lifetime_days or derived.LIFETIME_DAYS,
    )  # fmt: skip
    return Found(made, units.key, units.frame)


_RATES: Final = (
    N,
    Column("eb_rate", Text(zh="经验贝叶斯", en="Empirical Bayes"), ",.2f"),
    Column("eb_local_rate", Text(zh="局部贝叶斯", en="Local"), ",.2f"),
    Column("smoothed_rate", Text(zh="邻域率", en="Smoothed"), ",.2f"),
    Column("excess", Text(zh="超出", en="Excess"), ",.1f"),
)
_ZONES: Final = (
    Column("n_units", Text(zh="单元数", en="Units"), ",.0f"),
    N,
    Column("rate", Text(zh="率", en="Rate"), ",.2f"),
    Column("ratio", Text(zh="率比", en="Ratio"), ",.2f"),
    Column("low", Text(zh="下限", en="From"), ",.2f"),
    Column("high", Text(zh="上限", en="To"), ",.2f"),
    P,
)
_REPORTING: Final = (
    N,
    Column("n_repeats", Text(zh="重复上报", en="Repeats"), ",.0f"),
    Column("share_reported", Text(zh="上报比例", en="Share reported"), ".0%"),
    Column("factor", Text(zh="折算倍数", en="Times"), ",.2f"),
)
_KNOWN: Final = {
    **LABELS,
    "unknown": Text(zh="情况不明（无人巡查）", en="Unknown (hardly anyone looked)"),
}

METHODS: Final[Mapping[str, Method]] = {
    "rates": Method(
        does=Text(
            zh="各单元的率：粗率、经验贝叶斯（全局、局部）、邻域平滑、超出期望",
            en="the rate of each area: crude, empirical Bayes (global and local), smoothed, and its excess",
        ),
        options=COUNTED | {"neighbours", "engine"}, needs_one_of={"population": "population", "cells": "hexagon"},
        find=_rates, title=Text(zh="率最高的地方", en="The highest rates"), columns=_RATES,
        telling=highest("eb_rate"), drawn="eb_rate",
    ),
    "zones": Method(
        does=Text(
            zh="城中村、城边与其他区域的率是否不同（率比和置信区间）",
            en="whether urban villages, fringe and the rest differ (rate ratios with intervals)",
        ),
        options=frozenset({"population", "zone", "reference", "strata", "engine"}), needs={"zone": "kind"},
        by="units", find=_zones, title=Text(zh="各区域", en="Zones"), columns=_ZONES, telling=all_rows, makes="table",
    ),
    "effort": Method(
        does=Text(
            zh="按巡查投入计算的热点；无人巡查的单元是不明，不是冷点",
            en="hot and cold for the patrol there was; where hardly anyone looked is unknown, not cold",
        ),
        options=TESTED | {"effort", "least_effort", "engine"}, needs={"effort": "patrol_km"},
        by="units", find=_effort, title=HOTTEST, columns=GI, telling=highest("z", one_of("label", *HOT)),
        class_column="label", classes=_KNOWN,
    ),
    "reporting-rate": Method(
        does=Text(
            zh="各单元的居民上报积极程度（由重复上报估计）",
            en="how readily people report in each unit, judged by their repeats",
        ),
        options=frozenset({"lifetime_days"}),
        by="units", find=_reporting, title=Text(zh="上报最少的地方", en="Where least is reported"), columns=_REPORTING,
        telling=highest("factor", lambda frame: frame["n_repeats"] > 0), drawn="share_reported",
    ),
}  # fmt: skip
"""By their names."""
