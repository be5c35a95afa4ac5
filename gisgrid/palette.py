"""The one source of colours, for tiles, legends, notebooks and briefs.

Hot and cold are the red and blue ends of a diverging ramp that colour-blind readers can tell apart; what is not
significant has no fill. The layers' style.json files use these values, and a test holds them to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Label = Literal["hot_99", "hot_95", "hot_90", "not_significant", "cold_90", "cold_95", "cold_99"]

LABELS: Final[tuple[Label, ...]] = (
    "hot_99", "hot_95", "hot_90", "not_significant", "cold_90", "cold_95", "cold_99",
)  # fmt: skip
"""The seven classes of a hotspot map, from hot to cold, in the legend's order."""

GI_COLOURS: Final[dict[Label, str | None]] = {
    "hot_99": "#b2182b",
    "hot_95": "#ef8a62",
    "hot_90": "#fddbc7",
    "not_significant": None,
    "cold_90": "#d1e5f0",
    "cold_95": "#67a9cf",
    "cold_99": "#2166ac",
}

LABEL_TEXTS: Final[dict[Label, dict[str, str]]] = {
    "hot_99": {"zh": "热点 99%", "en": "Hot, 99 %"},
    "hot_95": {"zh": "热点 95%", "en": "Hot, 95 %"},
    "hot_90": {"zh": "热点 90%", "en": "Hot, 90 %"},
    "not_significant": {"zh": "不显著", "en": "Not significant"},
    "cold_90": {"zh": "冷点 90%", "en": "Cold, 90 %"},
    "cold_95": {"zh": "冷点 95%", "en": "Cold, 95 %"},
    "cold_99": {"zh": "冷点 99%", "en": "Cold, 99 %"},
}

CLUSTER_COLOURS: Final[dict[str, str | None]] = {
    "high_high": "#b2182b",
    "high_low": "#ef8a62",
    "low_high": "#67a9cf",
    "low_low": "#2166ac",
    "not_significant": None,
}
"""Clusters and outliers (local Moran): alike in the strong colours, unlike in the light ones."""

CLUSTER_TEXTS: Final[dict[str, dict[str, str]]] = {
    "high_high": {"zh": "高值聚集", "en": "High among high"},
    "high_low": {"zh": "高值异常（周围低）", "en": "High among low (outlier)"},
    "low_high": {"zh": "低值异常（周围高）", "en": "Low among high (outlier)"},
    "low_low": {"zh": "低值聚集", "en": "Low among low"},
    "not_significant": {"zh": "不显著", "en": "Not significant"},
}

CONTRAST_COLOURS: Final[dict[str, str | None]] = {
    "different": "#b35806",
    "similar": "#8073ac",
    "not_significant": None,
}
"""Contrasts (local Geary) say nothing of high or low, so they are neither red nor blue."""

CONTRAST_TEXTS: Final[dict[str, dict[str, str]]] = {
    "different": {"zh": "与邻居差别大", "en": "Unlike its neighbours"},
    "similar": {"zh": "与邻居相近", "en": "Like its neighbours"},
    "not_significant": {"zh": "不显著", "en": "Not significant"},
}

PATTERN_COLOURS: Final[dict[str, str | None]] = {
    f"{kind}_{side}": colour
    for side, colours in (
        ("hot", ("#b2182b", "#ef8a62", "#fddbc7")),
        ("cold", ("#2166ac", "#67a9cf", "#d1e5f0")),
    )
    for colour, kinds in zip(
        colours,
        (
            ("new", "consecutive", "intensifying"),
            ("persistent",),
            ("diminishing", "sporadic", "oscillating", "historical"),
        ),
        strict=True,
    )
    for kind in kinds
} | {"no_pattern": None}
"""Patterns over time in three steps a side: what grows, what lasts, what fades or comes and goes."""

GROUND: Final = "#f7f7f5"
GROUND_DARK: Final = "#15181c"
URBAN_VILLAGE: Final = "#7b3294"
SUBURBAN_VILLAGE: Final = "#1b7837"
FRINGE: Final = "#b8860b"

REACHED_COLOURS: Final[dict[str, str]] = {"reached": "#5aae61", "left_out": "#c51b7d"}
"""Who reaches what the standards demand, and who does not: neither the red nor the blue of hot and cold."""

DISCOVERY_COLOURS: Final[dict[str, str]] = {"blind": "#b35806", "unpatrolled": "#8073ac"}
"""Where patrols find too little, and where hardly anyone looks: neither says that it is bad there, so neither is red."""

STAGE_COLOURS: Final[dict[str, str]] = {
    "at_zero": "#5aae61",
    "falling": "#fddbc7",
    "not_falling": "#c51b7d",
}
"""How far a campaign is: none left, fewer from week to week, not fewer."""

CASE_STATE_COLOURS: Final[dict[str, str]] = {
    "reported": "#17385c",
    "filed": "#336190",
    "appealed": "#336190",
    "dispatched": "#5f8dba",
    "suspended": "#5f8dba",
    "handled": "#93b6d6",
    "feedback": "#93b6d6",
    "verified": "#93b6d6",
    "closed": "#c3d6e8",
    "void": "#c3d6e8",
}
"""How far a case is: one hue, the paler the nearer to being settled. States that a city adds are like "dispatched"."""

OVERDUE_COLOUR: Final = "#b83a1b"
"""A case beyond its deadline, whatever its state: the one colour that stands out."""

DENSITY_RAMP: Final[tuple[str, ...]] = (
    "#fff3e6",
    "#fdd3a7",
    "#fba762",
    "#f0792c",
    "#c94f0a",
    "#8a3104",
    "#4d1a02",
)
"""One hue, even in lightness, from few to many; transparent where there is nothing."""

RATE_RAMP: Final[tuple[str, ...]] = ("#f2f0f7", "#cbc9e2", "#9e9ac8", "#756bb1", "#54278f")
"""Counts and rates per unit, five classes."""


@dataclass(frozen=True)
class Ramp:
    """Colours for a quantity, from low to high.

    Attributes
    ----------
    colours
        Evenly spaced; between them colours are mixed.
    kind
        ``from_nothing``: the low end is nothing and transparent, and the first colours fade in. ``between``: every
        value has a colour. ``about_nothing``: the same, and the middle colour means 0.
    """

    colours: tuple[str, ...]
    kind: Literal["from_nothing", "between", "about_nothing"]


RAMPS: Final[dict[str, Ramp]] = {
    "density": Ramp(DENSITY_RAMP, "from_nothing"),
    "rate": Ramp(RATE_RAMP, "from_nothing"),
    "cold_hot": Ramp(
        ("#2166ac", "#67a9cf", "#d1e5f0", "#f7f7f7", "#fddbc7", "#ef8a62", "#b2182b"), "about_nothing"
    ),
    "viridis": Ramp(
        (
            "#440154", "#472d7b", "#3b528b", "#2c728e", "#21918c", "#28ae80", "#5ec962", "#addc30", "#fde725",
        ),
        "between",
    ),
    "greys": Ramp(("#f7f7f7", "#cccccc", "#969696", "#636363", "#252525"), "between"),
}  # fmt: skip
"""The ramps that a raster's tiles can be asked for by name."""

INK: Final = "#2b3138"
"""Words on the map; their halo is `GROUND`."""

BOUNDARY: Final = "#6b7480"
"""Hairlines of the management grid: the weight says the level, never the colour."""

STREET: Final = "#dedbd3"
"""Streets, barely there."""

STATUS_COLOURS: Final[dict[str, str]] = {"open": "#1f3b57", "closed": "#9db1c4"}
"""Reported issues: two steps of one hue."""

FACILITY_COLOURS: Final[dict[str, str]] = {
    "public_toilet": "#4f7d8c",
    "dry_toilet": "#8c6d4f",
    "wet_market": "#7a8450",
    "bus_stop": "#5a6b9a",
    "community_facility": "#94627f",
    "convenience_store": "#a0703f",
    "supermarket": "#7d7a3c",
    "elderly_day_care": "#8a6aa0",
    "childrens_centre": "#a8657a",
    "culture_room": "#5b7fa6",
    "fitness": "#5d8a63",
    "waste_station": "#7b7f86",
}
"""Muted, equal in lightness: the hotspots alone are loud."""
