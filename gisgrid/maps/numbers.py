"""How are plain numbers shown: counts, rates, the size of clusters of points?"""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.maps.reading import Reading, Shade, highest
from gisgrid.maps.words import COLUMN_TEXTS
from gisgrid.palette import RATE_RAMP
from gisgrid.schema import Text

_CLASS: Final = "class"
_NO_TEST: Final = Text(
    zh="这是{measure}，不是检验：多不等于异常。各等级中的单元数大致相同。",
    en="These are plain numbers, not a test: many is not yet unusual. Each class holds about as many areas.",
)


def of_numbers(frame: pd.DataFrame, column: str) -> tuple[Reading, pd.Series]:
    """Read numbers in up to five classes of about as many areas each.

    Parameters
    ----------
    frame
        The areas.
    column
        Their numbers.

    Returns
    -------
    tuple
        How they are read, and the class of every area; missing where it has no number.
    """
    shades, classes = _quantiles(frame[column])
    measure = COLUMN_TEXTS.get(column, Text(zh=column, en=column))
    reading = Reading(
        column=_CLASS, shades=shades, legend=measure,
        finding=Text(
            zh="{n} 个单元，一半不超过 {median}，最高 {highest}。",
            en="{n} units: half of them have at most {median}, the highest {highest}. ",
        ),
        top=Text(zh="最高的是{name}。", en="The highest is {name}."),
        nothing=Text(zh="没有一个单元有数值。", en="No unit has a value."),
        unsure=Text(zh=_NO_TEST.zh.replace("{measure}", measure.zh), en=_NO_TEST.en),
        places=Text(zh="最高的地方", en="The highest places"),
        table=tuple(dict.fromkeys(("n_incidents", column))), telling=highest(column),
        shown=(column,), tests=False,
    )  # fmt: skip
    return reading, classes


def of_point_clusters(frame: pd.DataFrame) -> tuple[Reading, pd.Series]:
    """Read clusters of points by how many issues they hold.

    Parameters
    ----------
    frame
        The clusters, with `n_incidents`.

    Returns
    -------
    tuple
        How they are read, and the class of every cluster.
    """
    shades, classes = _quantiles(frame["n_incidents"])
    reading = Reading(
        column=_CLASS, shades=shades, legend=Text(zh="每片的件数", en="Issues of a cluster"),
        finding=Text(zh="上报点自成 {n} 片，共 {total} 件。", en="The reports lie in {n} clusters, {total} issues in all. "),
        top=Text(
            zh="最大的一片有 {n_incidents} 件，占地 {area_km2} km²。",
            en="The largest has {n_incidents} issues on {area_km2} km².",
        ),
        nothing=Text(zh="上报点没有成片。", en="The reports lie in no cluster."),
        unsure=Text(
            zh="聚类不是显著性检验：事件多的地方，偶然也会成片。边界是点的凹包。",
            en="Clusters are no test: where issues are many, some lie near each other by chance alone. The outlines are "
            "concave hulls of the points.",
        ),
        places=Text(zh="件数最多的片", en="The largest clusters"),
        table=("n_incidents", "area_km2", "incidents_per_km2"), telling=highest("n_incidents"),
        shown=("major_m", "minor_m"), tests=False, called=Text(zh="第 {} 片", en="Cluster {}"),
    )  # fmt: skip
    return reading, classes


def _quantiles(numbers: pd.Series) -> tuple[tuple[Shade, ...], pd.Series]:
    """Put numbers into classes, the highest class first in the legend."""
    values = numbers.astype(float)
    values = values.where(np.isfinite(values))
    borders = _borders(np.asarray(values.dropna(), dtype=float))
    place = np.searchsorted(borders, values.to_numpy(), side="right")
    names = [f"class_{k}" for k in range(len(borders) + 1)]
    classes = pd.Series(np.array(names, dtype=object)[place], index=numbers.index)
    ramp = np.linspace(0, len(RATE_RAMP) - 1, len(names)).round().astype(int)
    digits = _digits(values)
    shades = [
        Shade(name, _span(values[(place == k) & values.notna()], digits), RATE_RAMP[ramp[k]])
        for k, name in enumerate(names)
    ]
    return tuple(shades[::-1]), classes.where(values.notna(), None)


def _borders(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give where the second and each later class begins; few different values have a class each."""
    different = np.unique(values)
    if len(different) <= len(RATE_RAMP):
        return np.asarray(different[1:])
    inner = np.arange(1, len(RATE_RAMP)) / len(RATE_RAMP)
    borders = np.unique(np.quantile(values, inner))
    return np.asarray(borders[borders > different[0]])


def _digits(values: pd.Series) -> int:
    there = values.dropna()
    if (there == there.round()).all():
        return 0
    return 1 if there.max() - there.min() >= 100 else 2


def _span(inside: pd.Series, digits: int) -> Text:
    if inside.empty:
        return Text(zh="–", en="–")
    low, high = f"{inside.min():,.{digits}f}", f"{inside.max():,.{digits}f}"
    said = low if low == high else f"{low} – {high}"
    return Text(zh=said, en=said)
