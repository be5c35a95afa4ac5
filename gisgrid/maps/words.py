"""The words on a saved map, in both languages."""

from __future__ import annotations

from typing import Final, Literal

from gisgrid.schema import Text

Language = Literal["zh", "en"]

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "panel": "图例与结论",
        "name": "名称",
        "excluded": "另有 {n} 个单元缺少数据，未参加检验。",
        "no_value": "本单元没有可检验的数值。",
        "unknown": "无数据",
        "time": "时间",
        "all_steps": "全部时段",
        "at_step": "本时段的冷热（Gi*）",
    },
    "en": {
        "panel": "Legend and finding",
        "name": "Name",
        "excluded": "{n} more units have no value and are not tested.",
        "no_value": "This unit has no value that could be tested.",
        "unknown": "No data",
        "time": "Time",
        "all_steps": "All steps",
        "at_step": "Hot and cold at this step (Gi*)",
    },
}

COLUMN_TEXTS: Final[dict[str, Text]] = {
    "n_incidents": Text(zh="问题件数", en="Issues"),
    "population": Text(zh="常住人口", en="Residents"),
    "incidents_per_1000": Text(zh="每千人件数", en="Issues per 1 000 residents"),
    "area_km2": Text(zh="面积（km²）", en="Area (km²)"),
    "incidents_per_km2": Text(zh="每平方公里件数", en="Issues per km²"),
    "length_km": Text(zh="长度（km）", en="Length (km)"),
    "incidents_per_km": Text(zh="每公里件数", en="Issues per km"),
    "density_per_km": Text(zh="平滑后每公里件数", en="Issues per km, smoothed"),
    "eb_rate": Text(zh="率（经验贝叶斯）", en="Rate (empirical Bayes)"),
    "share_back_30d": Text(zh="30 天内反弹的比例", en="Share back within 30 days"),
    "share_reported": Text(zh="居民上报的比例", en="Share that is reported"),
    "value": Text(zh="检验的数值", en="Value tested"),
    "lag": Text(zh="邻居平均", en="Mean of the neighbours"),
    "c": Text(zh="c 值", en="c"),
    "cluster_rank": Text(zh="聚集区序号", en="Cluster"),
    "n_members": Text(zh="聚集区单元数", en="Areas of the cluster"),
    "cases": Text(zh="聚集区件数", en="Issues of the cluster"),
    "expected": Text(zh="期望件数", en="Issues expected"),
    "relative_risk": Text(zh="相对风险", en="Relative risk"),
    "n_steps": Text(zh="时段数", en="Steps"),
    "n_hot": Text(zh="其中热", en="of which hot"),
    "n_cold": Text(zh="其中冷", en="of which cold"),
    "z_last": Text(zh="最近一期 z 值", en="z of the last step"),
    "trend_p": Text(zh="趋势 p 值", en="p of the trend"),
    "major_m": Text(zh="椭圆长轴（m）", en="Ellipse, long axis (m)"),
    "minor_m": Text(zh="椭圆短轴（m）", en="Ellipse, short axis (m)"),
    "z": Text(zh="z 值", en="z"),
    "p": Text(zh="p 值", en="p"),
    "q": Text(zh="校正后 q 值", en="q (corrected)"),
}
"""What a pop-up calls a column, in the order in which it shows them."""

HEAD_TEXTS: Final[dict[str, Text]] = {
    "n_incidents": Text(zh="件数", en="Issues"),
    "incidents_per_1000": Text(zh="每千人", en="Per 1 000"),
    "incidents_per_km": Text(zh="每公里", en="Per km"),
    "incidents_per_km2": Text(zh="件/km²", en="Per km²"),
    "area_km2": Text(zh="km²", en="km²"),
    "density_per_km": Text(zh="平滑后", en="Smoothed"),
    "eb_rate": Text(zh="率", en="Rate"),
    "share_back_30d": Text(zh="30 天内", en="In 30 d"),
    "share_reported": Text(zh="上报", en="Reported"),
    "value": Text(zh="本单元", en="Itself"),
    "lag": Text(zh="邻居", en="Around"),
    "c": Text(zh="c", en="c"),
    "n_members": Text(zh="单元", en="Areas"),
    "cases": Text(zh="件数", en="Issues"),
    "relative_risk": Text(zh="风险", en="Risk"),
    "n_hot": Text(zh="热", en="Hot"),
    "n_steps": Text(zh="时段", en="Steps"),
    "z_last": Text(zh="最近 z", en="Last z"),
    "z": Text(zh="z", en="z"),
    "p": Text(zh="p", en="p"),
    "q": Text(zh="q", en="q"),
}
"""The same, short enough for the head of a table."""

CHANCES: Final = frozenset({"p", "q", "trend_p"})
"""Columns that are chances: three digits, and very small ones as such."""

DIGITS: Final[dict[str, int]] = {
    "n_incidents": 0, "population": 0, "cluster_rank": 0, "n_members": 0, "cases": 0, "n_steps": 0, "n_hot": 0,
    "n_cold": 0, "n_neighbours": 0, "major_m": 0, "minor_m": 0, "observed": 1, "expected": 1,
}  # fmt: skip
"""Digits after the point; two where nothing is said."""
