"""What is each kind of result about? One table: classes, colours and words of every method's map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import pandas as pd

from gisgrid.analysis.space_time.emerging import PATTERN_MEANINGS, PATTERN_TEXTS
from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.maps.numbers import of_numbers, of_point_clusters
from gisgrid.maps.reading import Hatch, Reading, Shade, among
from gisgrid.maps.words import COLUMN_TEXTS
from gisgrid.palette import (
    CLUSTER_COLOURS,
    CLUSTER_TEXTS,
    CONTRAST_COLOURS,
    CONTRAST_TEXTS,
    GI_COLOURS,
    LABEL_TEXTS,
    LABELS,
    PATTERN_COLOURS,
)
from gisgrid.schema import Text

_RED, _BLUE, _WHITE = "#b2182b", "#053061", "#ffffff"
_CLUSTER_ID: Final = "cluster_id"


def _shades(
    colours: Mapping[Any, str | None], texts: Mapping[Any, Any], hatches: Mapping[str, Hatch]
) -> tuple[Shade, ...]:
    def said(name: str) -> Text:
        text = texts[name]
        return text if isinstance(text, Text) else Text(**text)

    return tuple(
        Shade(name, said(name), colour, hatches.get(name)) for name, colour in colours.items()
    )


def _one_of_each_cluster(frame: pd.DataFrame) -> pd.DataFrame:
    inside = frame[frame["cluster_rank"].notna()].sort_values("cluster_rank", kind="stable")
    return inside.drop_duplicates("cluster_rank")


def _with_a_pattern(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame[frame["pattern"].notna() & (frame["pattern"] != "no_pattern")]
    order = found["pattern"].map(list(PATTERN_TEXTS).index)
    return found.assign(_order=order).sort_values(
        ["_order", "z_last"], ascending=[True, False], kind="stable"
    )


_GI_HATCHES: Final[dict[str, Hatch]] = {
    "hot_99": (5, _WHITE, 0.4, 45),
    "hot_95": (8, _RED, 0.5, 45),
    "hot_90": (12, _RED, 0.35, 45),
    "cold_90": (12, "#2166ac", 0.35, -45),
    "cold_95": (8, _BLUE, 0.4, -45),
    "cold_99": (5, _WHITE, 0.4, -45),
}
_CLUSTER_HATCHES: Final[dict[str, Hatch]] = {
    "high_high": (5, _WHITE, 0.4, 45),
    "high_low": (8, _RED, 0.5, 45),
    "low_high": (8, _BLUE, 0.4, -45),
    "low_low": (5, _WHITE, 0.4, -45),
}
_CONTRAST_HATCHES: Final[dict[str, Hatch]] = {
    "different": (6, _WHITE, 0.4, 0),
    "similar": (10, _WHITE, 0.5, 90),
}
_PATTERN_LINES: Final[dict[str, tuple[int, str | None, float, int]]] = {  # no ink: that of the side
    "new": (4, _WHITE, 0.55, 0),
    "consecutive": (6, _WHITE, 0.45, 45),
    "intensifying": (6, _WHITE, 0.45, 90),
    "persistent": (8, None, 0.5, 45),
    "diminishing": (8, None, 0.4, 90),
    "sporadic": (12, None, 0.35, 45),
    "oscillating": (8, None, 0.4, -45),
    "historical": (12, None, 0.4, 0),
}
_PATTERN_HATCHES: Final[dict[str, Hatch]] = {
    f"{kind}_{side}": (gap, own or ink, strength, angle)
    for side, ink in (("hot", _RED), ("cold", _BLUE))
    for kind, (gap, own, strength, angle) in _PATTERN_LINES.items()
}

_TESTED: Final = Text(
    zh="同时检验 {n} 个单元，若不校正，仅凭偶然约有 {chance} 个看似显著（p < 0.05）；",
    en="{n} units are tested at once: without correction about {chance} would look unusual by chance (p < 0.05). ",
)
CORRECTED: Final[Mapping[str, Text]] = {
    "fdr": Text(
        zh=_TESTED.zh + "校正后，标为显著（q ≤ 0.05）的单元中偶然所致的预计不超过 5%。",
        en=_TESTED.en
        + "After correction at most 5\u00a0% of the units labelled at q ≤ 0.05 are expected to be chance.",
    ),
    "bonferroni": Text(
        zh=_TESTED.zh
        + "校正后（Bonferroni），整张图上哪怕有一个单元是偶然标为显著（q ≤ 0.05）的，概率也不超过 5%。",
        en=_TESTED.en
        + "After correction (Bonferroni) the chance that even one unit is labelled wrongly at q ≤ 0.05 is at most 5\u00a0%.",
    ),
    "none": Text(
        zh="同时检验 {n} 个单元，没有校正：仅凭偶然就约有 {chance} 个看似显著（p < 0.05）。",
        en="{n} units are tested at once and not corrected: about {chance} look unusual by chance alone (p < 0.05).",
    ),
}
"""What is uncertain about many tests on one map, by what was done about it."""

CORRECTION_TEXTS: Final[Mapping[str, Text]] = {
    "fdr": Text(zh="错误发现率已校正", en="FDR-corrected"),
    "bonferroni": Text(zh="Bonferroni 已校正", en="Bonferroni-corrected"),
    "none": Text(zh="未校正", en="not corrected"),
}
"""What was done about the many tests of one map, for a caption."""

_NONE: Final = Text(
    zh="{n} 个单元中没有一个明显高于或低于随机波动。",
    en="None of {n} units stands out from what chance alone would give.",
)
_HOTTEST: Final = Text(zh="最热的地方", en="The hottest places")

_BY_COLUMN: Final[Mapping[str, Reading]] = {
    "cluster_rank": Reading(
        column="label",
        shades=_shades(GI_COLOURS, LABEL_TEXTS, _GI_HATCHES),
        legend=Text(zh="聚集区内的单元（扫描统计）", en="Areas in a cluster (scan statistic)"),
        finding=Text(
            zh="找到 {n_groups} 个聚集区，仅凭偶然难以出现（p ≤ 0.1），含 {n_inside} 个单元。",
            en="{n_groups} clusters would hardly arise by chance (p ≤ 0.1); {n_inside} areas lie in them. ",
        ),
        top=Text(
            zh="最显著的一片：{cases} 件，期望 {expected} 件，相对风险 {relative_risk}（p\u00a0=\u00a0{p}）。",
            en="The clearest has {cases} issues where {expected} are expected: {relative_risk} times the risk elsewhere (p\u00a0=\u00a0{p}).",
        ),
        nothing=Text(
            zh="在 {n} 个单元中没有找到聚集区：件数与期望的差别不超出随机波动。",
            en="No cluster among {n} areas: the issues differ from what is expected by no more than chance would have it.",
        ),
        unsure=Text(
            zh="p 对整张图成立：若毫无聚集，二十张图里只有一张会出现 p ≤ 0.05 的聚集区。边界是搜索的最优结果，不是精确界线。",
            en="p holds for the whole map: where nothing clusters, one map in twenty shows a cluster at p ≤ 0.05. Its border is "
            "the search's best guess, not a line on the ground.",
        ),
        places=Text(zh="聚集区", en="Clusters"),
        table=("cases", "relative_risk", "p"),
        telling=_one_of_each_cluster,
        shown=("cluster_rank", "n_members", "cases", "expected", "relative_risk", "p"),
        sentences={
            "not_significant": Text(zh="不在任何聚集区内。", en="In none of the clusters."),
            "": Text(
                zh="属于第 {cluster_rank} 聚集区：{n_members} 个单元共 {cases} 件，期望 {expected} 件。",
                en="In cluster {cluster_rank}: {n_members} areas with {cases} issues, where {expected} are expected.",
            ),
        },
        whole_legend=False,
        group="cluster_rank",
    ),
    "pattern": Reading(
        column="pattern",
        shades=_shades(PATTERN_COLOURS, PATTERN_TEXTS, _PATTERN_HATCHES),
        legend=Text(zh="时空模式（{correction}）", en="Patterns over time ({correction})"),
        finding=Text(
            zh="{n} 个单元中，{n_hot} 个有热点模式，{n_cold} 个有冷点模式。",
            en="Of {n} units, {n_hot} have a pattern of hotspots and {n_cold} one of coldspots. ",
        ),
        top=Text(
            zh="首先是{name}：{class}，{n_steps} 期中热 {n_hot} 期。",
            en="First of all {name}: {class}, hot at {n_hot} of {n_steps} steps.",
        ),
        nothing=Text(
            zh="{n} 个单元中没有一个有明显的时空模式。", en="None of {n} units has a pattern over time."
        ),
        unsure=Text(
            zh="每一时段同时检验 {n} 个单元（{correction}）；模式由各时段的结果按规则得出，本身不是检验。",
            en="At each step all {n} units are tested at once ({correction}); a pattern follows from these by rule and is "
            "no test of its own.",
        ),
        places=Text(zh="有模式的地方", en="Places with a pattern"),
        table=("n_incidents", "n_hot", "z_last"),
        telling=_with_a_pattern,
        shown=("n_steps", "n_hot", "n_cold", "z_last", "trend_p"),
        sentences={
            name: Text(zh=said.zh + "。", en=said.en + ".") for name, said in PATTERN_MEANINGS.items()
        },
        whole_legend=False,
    ),
    "cluster": Reading(
        column="cluster",
        shades=_shades(CLUSTER_COLOURS, CLUSTER_TEXTS, _CLUSTER_HATCHES),
        legend=Text(zh="聚集和异常（局部 Moran，{correction}）", en="Clusters and outliers (local Moran, {correction})"),
        finding=Text(
            zh="{n} 个单元中，高值聚集 {n_high_high} 个，低值聚集 {n_low_low} 个；与周围相反的 {n_out} 个。",
            en="Of {n} units, {n_high_high} lie high among high and {n_low_low} low among low; {n_out} stand out against "
            "their neighbours. ",
        ),
        top=Text(zh="其中最高的是{name}。", en="The highest of them is {name}."),
        nothing=_NONE,
        unsure=Text(zh="{corrected}", en="{corrected}"),
        places=Text(zh="聚集和异常", en="Clusters and outliers"),
        table=("n_incidents", "z", "q"),
        telling=among("cluster", ("high_high", "high_low", "low_high"), "value"),
        shown=("value", "lag", "z", "p", "q"),
        sentences={
            "": Text(
                zh="检验的数值：本单元 {value}，{n_neighbours} 个相邻单元平均 {lag}。",
                en="What is tested is {value} here and {lag} on average among its {n_neighbours} neighbours.",
            )
        },
    ),
    "contrast": Reading(
        column="contrast",
        shades=_shades(CONTRAST_COLOURS, CONTRAST_TEXTS, _CONTRAST_HATCHES),
        legend=Text(zh="与邻居的差别（局部 Geary，{correction}）", en="Contrast with the neighbours (local Geary, {correction})"),
        finding=Text(
            zh="{n} 个单元中，{n_different} 个与邻居差别特别大，{n_similar} 个特别相近。",
            en="Of {n} units, {n_different} differ sharply from their neighbours and {n_similar} hardly at all. ",
        ),
        top=Text(zh="差别最大的是{name}（c\u00a0=\u00a0{c}）。", en="The sharpest contrast is {name} (c\u00a0=\u00a0{c})."),
        nothing=_NONE,
        unsure=Text(zh="{corrected}", en="{corrected}"),
        places=Text(zh="差别最大的地方", en="The sharpest contrasts"),
        table=("n_incidents", "c", "q"),
        telling=among("contrast", ("different",), "c"),
        shown=("value", "c", "p", "q"),
        sentences={
            "": Text(
                zh="与 {n_neighbours} 个邻居的差别 c = {c}：邻居全都一样时为 0，随机时约为 2。",
                en="Its contrast with {n_neighbours} neighbours is c = {c}: 0 where all are the same, about 2 by chance.",
            )
        },
    ),
    "label": Reading(
        column="label",
        shades=_shades(GI_COLOURS, LABEL_TEXTS, _GI_HATCHES),
        legend=Text(zh="热点等级（Gi*，{correction}）", en="Hot and cold areas (Gi*, {correction})"),
        finding=Text(
            zh="{n} 个单元中，热点 {n_hot} 个，冷点 {n_cold} 个（置信度不低于 90%，{correction}）。",
            en="Of {n} units, {n_hot} stand out as hot and {n_cold} as cold (at least 90\u00a0% sure, {correction}). ",
        ),
        top=Text(zh="最热的是{name}（z\u00a0=\u00a0{z}）。", en="The hottest is {name} (z\u00a0=\u00a0{z})."),
        nothing=_NONE,
        unsure=Text(zh="{corrected}", en="{corrected}"),
        places=_HOTTEST,
        table=("n_incidents", "z", "q"),
        telling=among("label", LABELS[:3], "z"),
        shown=("z", "p", "q"),
        sentences={
            "": Text(
                zh="{measure}：本单元连同 {n_neighbours} 个相邻单元平均 {observed}，全部单元平均 {expected}。",
                en="{measure}: this unit and its {n_neighbours} neighbours average {observed}, all units {expected}.",
            )
        },
    ),
}  # fmt: skip

SURROUNDINGS: Final = replace(
    _BY_COLUMN["label"],
    legend=Text(zh="邻居的热点等级（Gi，不计本单元，{correction}）", en="Hot and cold surroundings (Gi, without the unit itself, {correction})"),
    finding=Text(
        zh="{n} 个单元中，邻居偏热的 {n_hot} 个，偏冷的 {n_cold} 个（置信度不低于 90%，{correction}）。",
        en="Of {n} units, {n_hot} have hot neighbours and {n_cold} cold ones (at least 90\u00a0% sure, {correction}). ",
    ),
    top=Text(zh="邻居最热的是{name}（z\u00a0=\u00a0{z}）。", en="The hottest surroundings are those of {name} (z\u00a0=\u00a0{z})."),
    places=Text(zh="邻居最热的地方", en="The hottest surroundings"),
    sentences={
        "": Text(
            zh="{measure}：{n_neighbours} 个相邻单元平均 {observed}，其余单元平均 {expected}；本单元不计在内。",
            en="{measure}: its {n_neighbours} neighbours average {observed}, all other units {expected}; the unit itself does not count.",
        )
    },
    measures={
        "incidents_per_1000": Text(zh="超出按人口期望的程度（标准差）", en="Above what its residents lead one to expect, in standard deviations"),
    },
)  # fmt: skip
"""How Gi is read: what an area has itself is no part of its score."""

_PAIR_TEXTS: Final = {
    "high_high": Text(zh="本单元高，周围另一事物也高", en="High, and the other high around"),
    "high_low": Text(zh="本单元高，周围另一事物低", en="High, the other low around"),
    "low_high": Text(zh="本单元低，周围另一事物高", en="Low, the other high around"),
    "low_low": Text(zh="本单元低，周围另一事物也低", en="Low, and the other low around"),
    "not_significant": Text(**CLUSTER_TEXTS["not_significant"]),
}
PAIRS: Final = replace(
    _BY_COLUMN["cluster"],
    shades=_shades(CLUSTER_COLOURS, _PAIR_TEXTS, _CLUSTER_HATCHES),
    legend=Text(zh="本单元与周围另一事物（双变量局部 Moran，{correction}）", en="Here, and another thing around (bivariate local Moran, {correction})"),
    finding=Text(
        zh="{n} 个单元中，本单元高、周围另一事物也高的 {n_high_high} 个，两者都低的 {n_low_low} 个；一高一低的 {n_out} 个。",
        en="Of {n} units, {n_high_high} are high where the other thing is high around them and {n_low_low} low where it is low; "
        "{n_out} are the one where the other thing is the other. ",
    ),
    places=Text(zh="同高和相反的地方", en="Alike and opposite"),
    sentences={
        "": Text(
            zh="本单元 {value}；另一事物在 {n_neighbours} 个相邻单元平均 {lag}。",
            en="{value} here; the other thing is {lag} on average among its {n_neighbours} neighbours.",
        )
    },
)  # fmt: skip
"""How bivariate local Moran is read: a value here, and another thing's around it."""

_STRETCHES: Final = replace(
    _BY_COLUMN["label"],
    legend=Text(zh="街段的热点等级（沿街道的 Gi*，{correction}）", en="Hot and cold stretches (Gi* along the streets, {correction})"),
    finding=Text(
        zh="{n} 个街段中，热 {n_hot} 个，冷 {n_cold} 个（置信度不低于 90%，{correction}）。",
        en="Of {n} stretches of street, {n_hot} stand out as hot and {n_cold} as cold (at least 90\u00a0% sure, {correction}). ",
    ),
    nothing=Text(
        zh="{n} 个街段中没有一个明显高于或低于随机波动。",
        en="None of {n} stretches of street stands out from what chance alone would give.",
    ),
    places=Text(zh="最热的街段", en="The hottest stretches"),
    sentences={
        "": Text(
            zh="{measure}：本街段连同 {n_neighbours} 个相邻街段 {observed}，全部街道 {expected}。",
            en="{measure}: {observed} on this stretch with its {n_neighbours} neighbours, {expected} on all streets.",
        )
    },
    measures={"incidents_per_km": COLUMN_TEXTS["incidents_per_km"]},
)  # fmt: skip

READINGS: Final[Mapping[str, Reading]] = {"segment_id": _STRETCHES, **_BY_COLUMN}
"""How each kind of result is read, by the column by which it is known; the first that is there and has its classes."""


def reading_of(frame: pd.DataFrame, column: str | None) -> tuple[Reading, pd.Series]:
    """Say how a result is read, and give each area its class.

    Parameters
    ----------
    frame
        The areas.
    column
        A column of numbers to draw in five classes instead; None for what the result itself is about.

    Returns
    -------
    tuple
        How it is read, and the class of every area; missing where it has none.

    Raises
    ------
    ColumnError
        There is no such column, it holds no numbers, or nothing tells what the result is about.
    """
    columns = [str(each) for each in frame.columns]
    if column is None:
        known = next(
            (name for name, each in READINGS.items() if {name, each.column} <= set(columns)), None
        )
        if known is not None:
            reading = READINGS[known]
            return reading, frame[reading.column]
        if _CLUSTER_ID not in columns:
            raise ColumnError(
                f"a map shows classes ({', '.join(_BY_COLUMN)}, {_CLUSTER_ID}) but none of these is among {len(columns)} columns"
                f"{did_you_mean('label', columns)}; name numbers to draw, for example column='n_incidents'"
            )
        return of_point_clusters(frame)
    if column not in columns:
        raise ColumnError(
            f"no column {column!r} among {len(columns)} columns of the hotspots{did_you_mean(column, columns)}"
        )
    if column in _BY_COLUMN:
        return _BY_COLUMN[column], frame[_BY_COLUMN[column].column]
    if not pd.api.types.is_numeric_dtype(frame[column]):
        raise ColumnError(
            f"column {column!r} holds {frame[column].dtype} and is none of {', '.join(_BY_COLUMN)}; "
            "numbers are drawn in five classes, words only where they are a method's classes"
        )
    return of_numbers(frame, column)
