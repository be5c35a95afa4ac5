"""Methods that hold every area against its neighbours."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

import geopandas as gpd
import pandas as pd

from gisgrid import derived
from gisgrid.cli.hotspots.finding import Asked, Found, counted, of_areas, optimised
from gisgrid.cli.hotspots.method import (
    CLUSTERS,
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
    Q,
    Z,
    highest,
    one_of,
)
from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.maps import PAIRS, SURROUNDINGS
from gisgrid.schema import Text


def _by_hot_company(frame: pd.DataFrame) -> pd.Series:
    """Rank by local Moran: high among high first, what is low or stands alone last."""
    centre = frame["value"].mean()
    together = (frame["value"] > centre) & (frame["lag"] > centre)
    return frame["i"].where(together, -frame["i"].abs())


def _z(frame: pd.DataFrame) -> pd.Series:
    return frame["z"]


def _pairs(asked: Asked) -> Found:
    """Hold each area against another thing in its neighbours: a column of the units, or other reports."""
    areas, covered = counted(asked)
    said = cast("str", asked.request.against)
    columns = [] if asked.units is None else [str(c) for c in asked.units.frame.columns]
    if asked.others is not None:
        others, _ = counted(asked, issues=asked.others)
        around = others.tested
    elif asked.units is not None and said in columns and asked.request.cells is None:
        around = derived.numbers_of(asked.units.frame, said, key=areas.key, least=None)
    else:
        raise ColumnError(
            f"--against {said!r} is no file of reports and no column of UNITS counted by{did_you_mean(said, columns)}"
        )
    return Found(derived.paired(areas, around, asked.terms), areas.key, covered, areas, asked.terms)


def _joins(asked: Asked) -> Found:
    """Say which areas that have something lie among others that have it."""
    areas, covered = counted(asked)
    units: gpd.GeoDataFrame | None = None
    if asked.units is not None and asked.request.cells is None:
        units = asked.units.frame
    flags = derived.flagged(areas, units, cast("str", asked.request.flag))
    made = derived.joined(areas, flags, asked.terms)
    return Found(made, areas.key, covered, areas, asked.terms)


_MORAN: Final = (
    N,
    Column("value", Text(zh="本单元", en="Itself"), ",.2f"),
    Column("lag", Text(zh="邻居", en="Neighbours"), ",.2f"),
    Z,
    Q,
)
_AROUND: Final = (
    N,
    Column("observed", Text(zh="邻居平均", en="Neighbours"), ",.2f"),
    Column("expected", Text(zh="其余平均", en="All others"), ",.2f"),
    Z,
    Q,
)
_PAIRED: Final = (
    N,
    Column("value", Text(zh="本单元", en="Itself"), ",.2f"),
    Column("lag", Text(zh="周围另一事物", en="The other, around"), ",.2f"),
    Z,
    Q,
)
_PAIRS: Final = {shade.name: shade.text for shade in PAIRS.shades}
_GEARY: Final = (N, Column("c", Text(zh="c", en="c"), ".2f"), Q)
_JOINS: Final = (N, Column("n_joins", Text(zh="同类邻居", en="Alike next door"), ",.0f"), P, Q)
_OUTLIERS: Final = Text(zh="聚集和异常", en="Clusters and outliers")
_CONTRASTS: Final = {
    "different": Text(zh="与邻居差别大", en="Unlike its neighbours"),
    "similar": Text(zh="与邻居相近", en="Like its neighbours"),
    "not_significant": Text(zh="不显著", en="Not significant"),
}
_COMPANY: Final = {
    "in_company": Text(zh="有，且周围也有", en="Has it, among others that have it"),
    "alone": Text(zh="有", en="Has it"),
    "without": Text(zh="无", en="Has it not"),
}
_CHOSEN: Final = frozenset({"cells", "cell_m", "permutations", "correction", "seed", "compare"})

METHODS: Final[Mapping[str, Method]] = {
    "gi-star": Method(
        does=Text(
            zh="哪些单元连同邻居异常地多或少（Getis-Ord Gi*）",
            en="which areas have, with their neighbours, unusually many or few (Getis-Ord Gi*)",
        ),
        options=COUNTED | TESTED | {"explain", "compare", "engine"},
        find=of_areas(derived.hot), title=HOTTEST, columns=GI, telling=highest("z", one_of("label", *HOT)),
        class_column="label", classes=LABELS, ranks=_z,
    ),
    "gi": Method(
        does=Text(
            zh="哪些单元的邻居异常地多或少，不计本单元（Getis-Ord Gi）",
            en="which areas have neighbours with unusually many or few, whatever they have themselves (Getis-Ord Gi)",
        ),
        options=COUNTED | TESTED | {"compare", "engine"},
        find=of_areas(derived.surrounded), title=Text(zh="邻居最热的地方", en="The hottest surroundings"),
        columns=_AROUND, telling=highest("z", one_of("label", *HOT)), class_column="label", classes=LABELS, ranks=_z,
        reading=SURROUNDINGS,
    ),
    "local-moran": Method(
        does=Text(
            zh="哪些单元与邻居同高同低，哪些是异常点（局部 Moran）",
            en="which areas lie among their like, which stand out (local Moran)",
        ),
        options=COUNTED | TESTED | {"compare", "engine"},
        find=of_areas(derived.alike), title=_OUTLIERS, columns=_MORAN,
        telling=highest("value", one_of("cluster", "high_high", "high_low", "low_high")),
        class_column="cluster", classes=CLUSTERS, ranks=_by_hot_company,
    ),
    "bivariate-moran": Method(
        does=Text(
            zh="本单元的件数与周围另一事物是否同高同低（双变量局部 Moran）",
            en="which areas have many where another thing is high around them (bivariate local Moran)",
        ),
        options=COUNTED | TESTED | {"against"}, needs={"against": "n_markets"},
        find=_pairs, title=_OUTLIERS, columns=_PAIRED,
        telling=highest("value", one_of("cluster", "high_high", "high_low", "low_high")),
        class_column="cluster", classes=_PAIRS, reading=PAIRS,
    ),
    "local-geary": Method(
        does=Text(
            zh="哪些单元与邻居差别特别大或特别小（局部 Geary）",
            en="which areas differ sharply from their neighbours, or hardly at all (local Geary)",
        ),
        options=COUNTED | TESTED | {"engine"},
        find=of_areas(derived.apart), title=Text(zh="差别最大的地方", en="The sharpest contrasts"), columns=_GEARY,
        telling=highest("c", one_of("contrast", "different")), class_column="contrast", classes=_CONTRASTS,
    ),
    "join-counts": Method(
        does=Text(
            zh="有某种情况的单元是否连成一片（局部连接计数）",
            en="which areas that have something lie among others that have it (local join counts)",
        ),
        options=frozenset({"cells", "cell_m", "neighbours", "correction", "flag", "engine"}), needs={"flag": "10"},
        find=_joins, title=Text(zh="连成一片的地方", en="Places in company"), columns=_JOINS,
        telling=highest("n_joins", one_of("company", "in_company")), class_column="company", classes=_COMPANY,
    ),
    "optimised": Method(
        does=Text(
            zh="由上报本身决定网格大小和邻域半径的 Gi*，并说明理由",
            en="Gi* with cells and neighbourhoods chosen by the reports, each choice with its reason",
        ),
        options=_CHOSEN | {"explain"},
        by="reports", find=optimised(derived.hot), title=HOTTEST, columns=GI, telling=highest("z", one_of("label", *HOT)),
        class_column="label", classes=LABELS, ranks=_z,
    ),
    "optimised-outliers": Method(
        does=Text(
            zh="由上报本身决定网格大小和邻域半径的局部 Moran，并说明理由",
            en="local Moran with cells and neighbourhoods chosen by the reports",
        ),
        options=_CHOSEN,
        by="reports", find=optimised(derived.alike), title=_OUTLIERS, columns=_MORAN,
        telling=highest("value", one_of("cluster", "high_high", "high_low", "low_high")),
        class_column="cluster", classes=CLUSTERS, ranks=_by_hot_company,
    ),
}  # fmt: skip
"""By their names."""
