"""The words on a saved map, in both languages."""

from __future__ import annotations

from typing import Final, Literal

Language = Literal["zh", "en"]

TEXTS: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "panel": "图例与结论",
        "legend": "热点等级（Gi*，错误发现率已校正）",
        "places": "最热的地方",
        "name": "名称",
        "n": "件数",
        "finding": "{n} 个单元中，热点 {n_hot} 个，冷点 {n_cold} 个（校正后置信度不低于 90%）。",
        "hottest": "最热的是{name}（z\u00a0=\u00a0{z}）。",
        "nothing": "{n} 个单元中没有一个明显高于或低于随机波动。",
        "uncertainty": "同时检验 {n} 个单元，若不校正，仅凭偶然约有 {chance} 个看似显著（p < 0.05）；"
        "校正后，标为 95% 的单元中偶然所致的预计不超过 5%。",
        "excluded": "另有 {n} 个单元缺少数据，未参加检验。",
        "sentence": "{measure}：本单元连同 {neighbours} 个相邻单元平均 {observed}，全部单元平均 {expected}。",
        "no_value": "本单元没有可检验的数值。",
        "unknown": "无数据",
    },
    "en": {
        "panel": "Legend and finding",
        "legend": "Hot and cold areas (Gi*, FDR-corrected)",
        "places": "The hottest places",
        "name": "Name",
        "n": "Issues",
        "finding": "Of {n} units, {n_hot} stand out as hot and {n_cold} as cold (at least 90\u00a0% sure after correction). ",
        "hottest": "The hottest is {name} (z\u00a0=\u00a0{z}).",
        "nothing": "None of {n} units stands out from what chance alone would give.",
        "uncertainty": "{n} units are tested at once: without correction about {chance} would look unusual by chance "
        "(p < 0.05). After correction at most 5\u00a0% of the units labelled 95\u00a0% are expected to be chance.",
        "excluded": "{n} more units have no value and are not tested.",
        "sentence": "{measure}: this unit and its {neighbours} neighbours average {observed}, all units {expected}.",
        "no_value": "This unit has no value that could be tested.",
        "unknown": "No data",
    },
}

COLUMN_TEXTS: Final[dict[str, dict[Language, str]]] = {
    "n_incidents": {"zh": "问题件数", "en": "Issues"},
    "population": {"zh": "常住人口", "en": "Residents"},
    "incidents_per_1000": {"zh": "每千人件数", "en": "Issues per 1 000 residents"},
    "area_km2": {"zh": "面积（km²）", "en": "Area (km²)"},
    "incidents_per_km2": {"zh": "每平方公里件数", "en": "Issues per km²"},
    "z": {"zh": "z 值", "en": "z"},
    "p": {"zh": "p 值", "en": "p"},
    "q": {"zh": "校正后 q 值", "en": "q (FDR-corrected)"},
}
"""What a pop-up shows, in this order, where the column is there."""
