"""What is a method of `gisgrid hotspots`, and which words and columns do several share?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

import pandas as pd

from gisgrid.cli.hotspots.finding import Asked, Found
from gisgrid.maps import Reading
from gisgrid.palette import LABEL_TEXTS
from gisgrid.schema import Text

Kind = Literal["areas", "lines", "surface", "table"]
"""What a method makes: areas or lines in a vector format, a raster, or a table without a place."""


@dataclass(frozen=True)
class Column:
    """A column of the summary's table, or a figure: what it is called and how its numbers are written."""

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
    title
        What the table of the most telling rows is called.
    columns
        What the table shows behind the name.
    telling
        Which rows belong into the table, the most telling first.
    class_column, classes
        The column that puts an area into a class, and the classes in the legend's order; none for what has no classes.
    figures
        Figures for the whole city, as `Found.figures` has them.
    needs
        Options without which it cannot be asked, with an example of each.
    needs_one_of
        Of these options one is given, and not more.
    ranks
        A score by which areas can be ranked, hotter is higher, for `--compare`; None where there is none.
    by
        What it counts by: UNITS or cells (``areas``), ``units`` only, ``streets``, or the ``reports`` themselves.
    makes
        What it makes.
    drawn
        The column of numbers that the map page draws, for what has no classes.
    reading
        How the map page reads the classes, where it does not know them by their column.
    """

    does: Text
    options: frozenset[str]
    find: Callable[[Asked], Found]
    title: Text
    columns: tuple[Column, ...]
    telling: Callable[[pd.DataFrame], pd.DataFrame]
    class_column: str = ""
    classes: Mapping[str, Text] = field(default_factory=dict)
    figures: tuple[Column, ...] = ()
    needs: Mapping[str, str] = field(default_factory=dict)
    needs_one_of: Mapping[str, str] = field(default_factory=dict)
    ranks: Callable[[pd.DataFrame], pd.Series] | None = None
    by: Literal["areas", "units", "streets", "reports"] = "areas"
    makes: Kind = "areas"
    drawn: str = ""
    reading: Reading | None = None

    @property
    def on_a_page(self) -> bool:
        """Whether the map page can show it."""
        return self.makes in {"areas", "lines"}


def all_rows(frame: pd.DataFrame) -> pd.DataFrame:
    """Take every row, in its order.

    Parameters
    ----------
    frame
        The rows.

    Returns
    -------
    DataFrame
        The same.
    """
    return frame


def highest(
    column: str, kept: Callable[[pd.DataFrame], pd.Series] | None = None
) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Take the rows with the highest values of a column, of those that are kept."""

    def telling(frame: pd.DataFrame) -> pd.DataFrame:
        rows = frame[frame[column].notna() if kept is None else kept(frame)]
        return rows.sort_values(column, ascending=False, kind="stable")

    return telling


def one_of(column: str, *values: str) -> Callable[[pd.DataFrame], pd.Series]:
    """Keep the rows whose class is one of these."""
    return lambda frame: frame[column].isin(values)


def one_per_cluster(frame: pd.DataFrame) -> pd.DataFrame:
    """Take one row of each cluster of areas, the likeliest first."""
    inside = frame[frame["cluster_rank"].notna()].sort_values("cluster_rank", kind="stable")
    return inside.drop_duplicates("cluster_rank")


N: Final = Column("n_incidents", Text(zh="件数", en="Issues"), ",.0f")
Z: Final = Column("z", Text(zh="z", en="z"), ".2f")
Q: Final = Column("q", Text(zh="q", en="q"), ".3f")
P: Final = Column("p", Text(zh="p", en="p"), ".3f")
GI: Final = (
    N,
    Column("observed", Text(zh="邻域平均", en="Observed")),
    Column("expected", Text(zh="总体平均", en="Expected")),
    Z,
    Q,
)
SCAN: Final = (
    Column("n_members", Text(zh="单元数", en="Areas"), ",.0f"),
    Column("cases", Text(zh="件数", en="Issues"), ",.0f"),
    Column("expected", Text(zh="期望", en="Expected")),
    Column("relative_risk", Text(zh="相对风险", en="Relative risk"), ".2f"),
    P,
)
SPAN: Final = (
    Column("from_day", Text(zh="起", en="From"), ""),
    Column("to_day", Text(zh="止", en="To"), ""),
)

LABELS: Final[Mapping[str, Text]] = {label: Text(**words) for label, words in LABEL_TEXTS.items()}
HOT: Final = ("hot_99", "hot_95", "hot_90")
CLUSTERS: Final = {
    "high_high": Text(zh="高值聚集", en="High among high"),
    "high_low": Text(zh="高值异常（周围低）", en="High among low (outlier)"),
    "low_high": Text(zh="低值异常（周围高）", en="Low among high (outlier)"),
    "low_low": Text(zh="低值聚集", en="Low among low"),
    "not_significant": Text(zh="不显著", en="Not significant"),
}

COUNTED: Final = frozenset({"population", "cells", "cell_m"})
TESTED: Final = frozenset({"neighbours", "permutations", "correction", "seed"})
HOTTEST: Final = Text(zh="最热的地方", en="The hottest places")
FOUND: Final = Text(zh="聚集区", en="Clusters")
