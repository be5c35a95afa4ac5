"""Methods that compare periods: change, campaigns, what comes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import numpy as np
import pandas as pd

from gisgrid import derived
from gisgrid.cli.hotspots.finding import Asked, Found, counted
from gisgrid.cli.hotspots.method import COUNTED, Column, Method, N, highest, one_of
from gisgrid.schema import Text


def _change(asked: Asked) -> Found:
    """Compare two periods."""
    said = asked.request
    areas, covered = counted(asked)
    made, alike = derived.changed(
        areas, asked.terms, before=cast("str", said.before), after=cast("str", said.after), timezone=asked.timezone
    )  # fmt: skip
    figures = {"kappa": alike.kappa, "similarity": alike.similarity, "expected": alike.expected}
    return Found(made, areas.key, covered, areas, asked.terms, figures=figures)


def _campaign(asked: Asked) -> Found:
    """Hold the units of a campaign against matched controls."""
    said = asked.request
    areas, covered = counted(asked)
    assert asked.units is not None  # noqa: S101 - check_method has made sure of it
    treated = derived.flags_of(asked.units.frame, cast("str", said.treated), key=areas.key)
    made, effect = derived.campaign(
        areas, treated, since=cast("str", said.since), timezone=asked.timezone, step=said.step or "week",
        neighbours=asked.terms.neighbours, seed=said.seed or 0,
    )  # fmt: skip
    names = (
        "ratio",
        "low",
        "high",
        "p",
        "n_averted",
        "pretrend_p",
        "placebo",
        "placebo_p",
        "chance_p",
    )
    figures = {name: getattr(effect, name) for name in names}
    course = effect.course.reset_index(names="begins_at").astype({"begins_at": "str"})
    extra = {"course": course.to_dict("records")}
    return Found(made, areas.key, covered, areas, asked.terms, figures=figures, extra=extra)


def _rebound(asked: Asked) -> Found:
    """Tell what is back, by area."""
    areas, covered = counted(asked)
    waits = derived.waits_of(areas, asked.request.place_m or derived.PLACE_M)
    return Found(derived.returned(waits), areas.key, covered, areas, asked.terms)


def _rebound_by_class(asked: Asked) -> Found:
    """Tell what is back, by class."""
    areas, covered = counted(asked)
    waits = derived.waits_of(areas, asked.request.place_m or derived.PLACE_M)
    made = derived.returned_by_class(waits)
    n = int(waits.areas.counts.sum())
    return Found(made, "category", covered, areas, asked.terms, n_counted=n)


def _of_the_city(frame: pd.DataFrame) -> pd.DataFrame:
    """Take the rows of all units together, the soonest back first."""
    city = frame[frame[frame.columns[0]].isna()]
    return city.sort_values("share_back_30d", ascending=False, kind="stable")


def _largest_changes(frame: pd.DataFrame) -> pd.DataFrame:
    """Take the significant changes, those up and down by the most times first."""
    changed = frame[frame["change"].isin(["rose", "fell"])]
    times = np.log(changed["ratio"].where(changed["n_after"] > 0, np.nan)).abs()
    order = times.fillna(np.inf).sort_values(ascending=False, kind="stable").index
    return pd.DataFrame(changed.loc[order])


_CHANGE: Final = (
    Column("n_before", Text(zh="前期", en="Before"), ",.0f"),
    Column("n_after", Text(zh="后期", en="After"), ",.0f"),
    Column("ratio", Text(zh="倍数", en="Times"), ".2f"),
    Column("low", Text(zh="下限", en="From"), ".2f"),
    Column("high", Text(zh="上限", en="To"), ".2f"),
    Column("q", Text(zh="q", en="q"), ".3f"),
)
_CHANGES: Final = {
    "rose": Text(zh="上升", en="Rose"),
    "fell": Text(zh="下降", en="Fell"),
    "no_change": Text(zh="无显著变化", en="No significant change"),
}
_ALIKE: Final = (
    Column("kappa", Text(zh="两期热点图的一致程度（模糊 kappa）", en="Agreement of the two hotspot maps (fuzzy kappa)"), ".2f"),
)  # fmt: skip
_CAMPAIGN: Final = (
    N,
    Column("per_step_before", Text(zh="前，每期", en="Before, per step"), ",.2f"),
    Column("per_step_after", Text(zh="后，每期", en="After, per step"), ",.2f"),
    Column("ratio", Text(zh="倍数", en="Times"), ".2f"),
)
_GROUPS: Final = {
    "treated": Text(zh="整治", en="With the campaign"),
    "control": Text(zh="对照", en="Matched controls"),
    "other": Text(zh="其他", en="Others"),
}
_EFFECT: Final = (
    Column("ratio", Text(zh="为无整治情形的倍数", en="Times as many as without it"), ".2f"),
    Column("low", Text(zh="下限", en="From"), ".2f"),
    Column("high", Text(zh="上限", en="To"), ".2f"),
    Column("p", Text(zh="p", en="p"), ".3f"),
    Column("n_averted", Text(zh="避免的件数", en="Averted"), ",.0f"),
    Column("pretrend_p", Text(zh="此前走势是否相同（p）", en="Alike before (p)"), ".3f"),
    Column("placebo_p", Text(zh="虚拟整治（p）", en="A campaign that never was (p)"), ".3f"),
    Column("chance_p", Text(zh="随机分组（p）", en="Random groups (p)"), ".3f"),
)
_REBOUND: Final = (
    Column("n", Text(zh="件数", en="Issues"), ",.0f"),
    Column("n_back", Text(zh="反弹", en="Back"), ",.0f"),
    Column("median_days", Text(zh="中位天数", en="Median days"), ",.0f"),
    Column("share_back_7d", Text(zh="7 天内", en="In 7 days"), ".0%"),
    Column("share_back_30d", Text(zh="30 天内", en="In 30 days"), ".0%"),
    Column("share_back_90d", Text(zh="90 天内", en="In 90 days"), ".0%"),
)
_BACK: Final = Text(zh="反弹最多的", en="What comes back most")

METHODS: Final[Mapping[str, Method]] = {
    "change": Method(
        does=Text(
            zh="哪些单元比前一时期上升或下降，热点图是否一致",
            en="which areas have more or fewer than in an earlier period, and whether the hotspots are the same",
        ),
        options=COUNTED | {"neighbours", "correction", "before", "after"},
        needs={"before": "2024", "after": "2025"},
        find=_change, title=Text(zh="变化最大的地方", en="The largest changes"), columns=_CHANGE,
        telling=_largest_changes, class_column="change", classes=_CHANGES,
        figures=_ALIKE,
    ),
    "campaign": Method(
        does=Text(
            zh="整治是否有效：与相似的未整治单元比较（匹配对照、双重差分）",
            en="whether a campaign helped, held against units like those that had none (matched controls)",
        ),
        options=frozenset({"population", "neighbours", "seed", "treated", "since", "step"}),
        needs={"treated": "campaign", "since": "2026-01-01"},
        by="units", find=_campaign, title=Text(zh="整治单元", en="Units of the campaign"), columns=_CAMPAIGN,
        telling=highest("n_before", one_of("group", "treated")), class_column="group", classes=_GROUPS,
        figures=_EFFECT,
    ),
    "rebound": Method(
        does=Text(
            zh="各单元的问题多久在同一地点反弹（Kaplan-Meier）",
            en="how soon problems are back at the same place, by area (Kaplan-Meier)",
        ),
        options=COUNTED | {"place_m"}, find=_rebound, title=_BACK, columns=_REBOUND,
        telling=highest("share_back_30d"), drawn="share_back_30d",
    ),
    "rebound-by-class": Method(
        does=Text(
            zh="各类问题多久在同一地点反弹：全市，以及各单元（Kaplan-Meier）",
            en="how soon each class of problem is back at the same place, in the city and in each unit (Kaplan-Meier)",
        ),
        options=frozenset({"place_m"}), by="units", makes="table",
        find=_rebound_by_class, title=_BACK, columns=_REBOUND, telling=_of_the_city,
    ),
}  # fmt: skip
"""By their names."""
