"""Which ways of finding hotspots are there, what does each need, and what does it say? One table.

A method is an entry of `METHODS`: its name, what it asks in both languages, the options that have a part in it, the
function that finds, and the columns that the summary shows. Adding a method is adding an entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid import derived
from gisgrid.analysis.space_time.emerging import PATTERN_TEXTS
from gisgrid.cli.hotspots import finding
from gisgrid.cli.hotspots.finding import Asked, Found
from gisgrid.cli.hotspots.request import Request
from gisgrid.errors import InputError, OutputError
from gisgrid.palette import LABEL_TEXTS
from gisgrid.schema import Text


@dataclass(frozen=True)
class Column:
    """A column of the summary's table: what it is called and how its numbers are written."""

    name: str
    text: Text
    form: str = ",.1f"


@dataclass(frozen=True)
class Method:
    """A way of finding hotspots.

    Attributes
    ----------
    does
        What it asks.
    options
        The options that have a part in it, as attributes of `Request`.
    find
        The function.
    class_column, classes
        The column that puts an area into a class, and the classes in the legend's order; none for what has no classes.
    title
        What the table of the most telling areas is called.
    columns
        What the table shows behind the name.
    telling
        Which rows belong into the table, the most telling first.
    ranks
        A score by which areas can be ranked, hotter is higher, for `--compare`; None where there is none.
    suffixes
        What a result can end in, where not any vector format will do.
    on_a_page
        Whether the map page can show it.
    """

    does: Text
    options: frozenset[str]
    find: Callable[[Asked], Found]
    title: Text
    columns: tuple[Column, ...]
    telling: Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]
    class_column: str = ""
    classes: Mapping[str, Text] = field(default_factory=dict)
    ranks: Callable[[pd.DataFrame], pd.Series] | None = None
    suffixes: tuple[str, ...] = ()
    on_a_page: bool = False


def _sorted(
    column: str, kept: Callable[[gpd.GeoDataFrame], pd.Series]
) -> Callable[[gpd.GeoDataFrame], gpd.GeoDataFrame]:
    def telling(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return frame[kept(frame)].sort_values(column, ascending=False, kind="stable")

    return telling


def _in(column: str, *values: str) -> Callable[[gpd.GeoDataFrame], pd.Series]:
    return lambda frame: frame[column].isin(values)


def _one_per_cluster(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    inside = frame[frame["cluster_rank"].notna()].sort_values("cluster_rank", kind="stable")
    return inside.drop_duplicates("cluster_rank")


def _patterns(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found = frame[frame["pattern"].notna() & (frame["pattern"] != "no_pattern")]
    order = found["pattern"].map(list(PATTERN_TEXTS).index)
    return found.assign(order=order).sort_values(
        ["order", "z_last"], ascending=[True, False], kind="stable"
    )


def _by_hot_company(frame: pd.DataFrame) -> pd.Series:
    """Rank by local Moran: high among high first, what is low or stands alone last."""
    centre = frame["value"].mean()
    together = (frame["value"] > centre) & (frame["lag"] > centre)
    return frame["i"].where(together, -frame["i"].abs())


_N: Final = Column("n_incidents", Text(zh="件数", en="Issues"), ",.0f")
_Z, _Q = Column("z", Text(zh="z", en="z"), ".2f"), Column("q", Text(zh="q", en="q"), ".3f")
_P: Final = Column("p", Text(zh="p", en="p"), ".3f")
_GI: Final = (
    _N,
    Column("observed", Text(zh="邻域平均", en="Observed")),
    Column("expected", Text(zh="总体平均", en="Expected")),
    _Z,
    _Q,
)
_MORAN: Final = (
    _N,
    Column("value", Text(zh="本单元", en="Itself"), ",.2f"),
    Column("lag", Text(zh="邻居", en="Neighbours"), ",.2f"),
    _Z,
    _Q,
)
_GEARY: Final = (_N, Column("c", Text(zh="c", en="c"), ".2f"), _Q)
_SCAN: Final = (
    Column("n_members", Text(zh="单元数", en="Areas"), ",.0f"),
    Column("cases", Text(zh="件数", en="Issues"), ",.0f"),
    Column("expected", Text(zh="期望", en="Expected")),
    Column("relative_risk", Text(zh="相对风险", en="Relative risk"), ".2f"),
    _P,
)
_EMERGING: Final = (
    _N,
    Column("n_hot", Text(zh="热的期数", en="Hot steps"), ".0f"),
    Column("n_steps", Text(zh="期数", en="Steps"), ".0f"),
    Column("z_last", Text(zh="最近一期 z", en="Last z"), ".2f"),
    Column("trend_p", Text(zh="趋势 p", en="p of trend"), ".3f"),
)
_PLACES: Final = (
    _N,
    Column("area_km2", Text(zh="面积 km²", en="Area, km²"), ",.3f"),
    Column("incidents_per_km2", Text(zh="件/km²", en="Per km²"), ",.0f"),
)

_LABELS: Final[Mapping[str, Text]] = {label: Text(**words) for label, words in LABEL_TEXTS.items()}
_CLUSTERS: Final = {
    "high_high": Text(zh="高值聚集", en="High among high"),
    "high_low": Text(zh="高值异常（周围低）", en="High among low (outlier)"),
    "low_high": Text(zh="低值异常（周围高）", en="Low among high (outlier)"),
    "low_low": Text(zh="低值聚集", en="Low among low"),
    "not_significant": Text(zh="不显著", en="Not significant"),
}
_CONTRASTS: Final = {
    "different": Text(zh="与邻居差别大", en="Unlike its neighbours"),
    "similar": Text(zh="与邻居相近", en="Like its neighbours"),
    "not_significant": Text(zh="不显著", en="Not significant"),
}

_COUNTED: Final = frozenset({"population", "cells", "cell_m"})
_TESTED: Final = frozenset({"neighbours", "permutations", "correction", "seed"})
_HOTTEST: Final = Text(zh="最热的地方", en="The hottest places")

METHODS: Final[Mapping[str, Method]] = {
    "gi-star": Method(
        does=Text(
            zh="哪些单元连同邻居异常地多或少（Getis-Ord Gi*）",
            en="which areas have, with their neighbours, unusually many or few (Getis-Ord Gi*)",
        ),
        options=_COUNTED | _TESTED | {"explain", "compare"},
        find=finding.of_areas(derived.hot), title=_HOTTEST, columns=_GI,
        telling=_sorted("z", _in("label", "hot_99", "hot_95", "hot_90")),
        class_column="label", classes=_LABELS, ranks=lambda frame: frame["z"], on_a_page=True,
    ),
    "local-moran": Method(
        does=Text(
            zh="哪些单元与邻居同高同低，哪些是异常点（局部 Moran）",
            en="which areas lie among their like, which stand out (local Moran)",
        ),
        options=_COUNTED | _TESTED | {"compare"},
        find=finding.of_areas(derived.alike), title=Text(zh="聚集和异常", en="Clusters and outliers"), columns=_MORAN,
        telling=_sorted("value", _in("cluster", "high_high", "high_low", "low_high")),
        class_column="cluster", classes=_CLUSTERS, ranks=_by_hot_company,
    ),
    "local-geary": Method(
        does=Text(
            zh="哪些单元与邻居差别特别大或特别小（局部 Geary）",
            en="which areas differ sharply from their neighbours, or hardly at all (local Geary)",
        ),
        options=_COUNTED | _TESTED,
        find=finding.of_areas(derived.apart), title=Text(zh="差别最大的地方", en="The sharpest contrasts"), columns=_GEARY,
        telling=_sorted("c", _in("contrast", "different")), class_column="contrast", classes=_CONTRASTS,
    ),
    "optimised": Method(
        does=Text(
            zh="由上报本身决定网格大小和邻域半径的 Gi*，并说明理由",
            en="Gi* with cells and neighbourhoods chosen by the reports, each choice with its reason",
        ),
        options=frozenset({"cells", "cell_m", "permutations", "correction", "seed", "explain", "compare"}),
        find=finding.optimised(derived.hot), title=_HOTTEST, columns=_GI,
        telling=_sorted("z", _in("label", "hot_99", "hot_95", "hot_90")),
        class_column="label", classes=_LABELS, ranks=lambda frame: frame["z"], on_a_page=True,
    ),
    "optimised-outliers": Method(
        does=Text(
            zh="由上报本身决定网格大小和邻域半径的局部 Moran，并说明理由",
            en="local Moran with cells and neighbourhoods chosen by the reports",
        ),
        options=frozenset({"cells", "cell_m", "permutations", "correction", "seed", "compare"}),
        find=finding.optimised(derived.alike), title=Text(zh="聚集和异常", en="Clusters and outliers"), columns=_MORAN,
        telling=_sorted("value", _in("cluster", "high_high", "high_low", "low_high")),
        class_column="cluster", classes=_CLUSTERS, ranks=_by_hot_company,
    ),
    "scan": Method(
        does=Text(
            zh="哪一片（大小不限）的件数超出人口能解释的程度（Kulldorff 扫描统计）",
            en="in which circle, of any size, there are more than the population explains (Kulldorff's scan)",
        ),
        options=_COUNTED | {"permutations", "seed", "compare"},
        find=finding.of_areas(derived.clustered), title=Text(zh="聚集区", en="Clusters"), columns=_SCAN,
        telling=_one_per_cluster, class_column="label", classes=_LABELS,
        ranks=lambda frame: frame["llr"].fillna(0.0),
    ),
    "emerging": Method(
        does=Text(
            zh="哪些热点是新增、加剧、持续、减弱的（17 类时空模式）",
            en="which hotspots are new, growing, lasting or fading (17 patterns over time)",
        ),
        options=_COUNTED | {"neighbours", "correction", "step", "compare"},
        find=finding.emerging, title=Text(zh="有模式的地方", en="Places with a pattern"), columns=_EMERGING,
        telling=_patterns, class_column="pattern", classes=PATTERN_TEXTS, ranks=lambda frame: frame["z_last"],
    ),
    "dbscan": Method(
        does=Text(
            zh="上报点本身成片的地方，按半径和最少件数（DBSCAN）",
            en="where the reports themselves lie thick, within a radius (DBSCAN)",
        ),
        options=frozenset({"radius_m", "min_reports"}),
        find=finding.clusters, title=Text(zh="件数最多的片", en="The largest clusters"), columns=_PLACES,
        telling=lambda frame: frame,
    ),
    "hdbscan": Method(
        does=Text(
            zh="疏密不同的成片，不需要半径（HDBSCAN）",
            en="clusters of different thickness, without a radius (HDBSCAN)",
        ),
        options=frozenset({"min_reports"}),
        find=finding.clusters, title=Text(zh="件数最多的片", en="The largest clusters"), columns=_PLACES,
        telling=lambda frame: frame,
    ),
    "density": Method(
        does=Text(zh="密度面（核密度，件/km²）", en="how thick the reports lie, as a surface (kernel density)"),
        options=frozenset({"cell_m", "bandwidth_m"}),
        find=finding.density, title=Text(zh="", en=""), columns=(), telling=lambda frame: frame, suffixes=(".tif",),
    ),
}  # fmt: skip
"""Every method by its name."""


_OPTIONS: Final = (
    "population", "cells", "cell_m", "neighbours", "permutations", "correction", "seed", "step", "radius_m",
    "min_reports", "bandwidth_m", "explain", "compare",
)  # fmt: skip
"""The options that have a part in some methods only."""


def check_method(request: Request) -> Method:
    """Refuse options that have no part in the method, and results it cannot be written as.

    Parameters
    ----------
    request
        What the user asked for.

    Returns
    -------
    Method
        The method.

    Raises
    ------
    InputError
        An option that the method does not take, options that contradict each other, or one that is missing.
    OutputError
        A suffix in which this method's result is not written.
    """
    name, method = request.method, METHODS[request.method]
    for option in _OPTIONS:
        if getattr(request, option) is not None and option not in method.options:
            takers = [other for other, each in METHODS.items() if option in each.options]
            raise InputError(
                f"--{option.replace('_', '-')} has no part in --method {name}; leave it out, or choose "
                f"{' or '.join([', '.join(takers[:-1]), takers[-1]] if takers[1:] else takers)}"
            )
    if method.suffixes and request.output.suffix not in method.suffixes:
        raise OutputError(
            f"--method {name} makes a surface and {request.output.name!r} is none; let it end in {' or '.join(method.suffixes)}"
        )
    if not method.suffixes and request.output.suffix == ".tif":
        raise OutputError(
            f"--method {name} makes areas and {request.output.name!r} is a raster; let it end in .gpkg, for example"
        )
    if request.output.suffix == ".html" and not method.on_a_page:
        pages = ", ".join(other for other, each in METHODS.items() if each.on_a_page)
        raise OutputError(
            f"the map page shows hot and cold classes and --method {name} has others; let {request.output.name!r} end in "
            f".gpkg, for example, or choose {pages}"
        )
    if "population" in method.options:
        _check_areas(request)
    return method


def _check_areas(request: Request) -> None:
    """See that there is something to count by."""
    if request.units is None and request.cells is None:
        raise InputError(
            "hotspots need areas to count by but UNITS is not given; name a file of units, or ask for equal cells with "
            "--cells hexagon --cell-m 300"
        )
    if (request.cells is None) != (request.cell_m is None):
        given, other = ("--cell-m", "--cells") if request.cells is None else ("--cells", "--cell-m")
        raise InputError(
            f"{given} is given without {other}; give both, for example --cells hexagon --cell-m 300"
        )
    if request.population is not None and request.cells is not None:
        raise InputError(
            "--population counts the residents of UNITS, who cannot be shared out among --cells; leave one of them out"
        )
