"""How is a result read: which column puts an area into a class, in which colours, and what is said about it?"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pandas as pd

from gisgrid.schema import Text

Hatch = tuple[int, str, float, int]
"""Gap in pixels, ink, strength, angle in degrees."""

Telling = Callable[[pd.DataFrame], pd.DataFrame]
"""Which areas are the most telling, and in which order."""


@dataclass(frozen=True)
class Shade:
    """A class of areas: its name in the data, what it is called and how it is drawn."""

    name: str
    text: Text
    colour: str | None
    hatch: Hatch | None = None


@dataclass(frozen=True)
class Reading:
    """How a result is shown and what is said about it.

    Attributes
    ----------
    column
        Puts an area into a class.
    shades
        The classes in the legend's order.
    legend
        The legend's caption.
    finding, top, nothing
        The finding: of all areas, of the most telling one, and where none stands out. ``{n}`` is the number of areas
        tested, ``{n_NAME}`` that of a class, ``{n_hot}`` and ``{n_cold}`` those of either side, ``{name}`` and ``{COLUMN}``
        belong to the most telling area.
    unsure
        What is uncertain about it.
    places
        The caption of the table of the most telling areas.
    table
        Its columns behind the name.
    telling
        Which areas those are, the most telling first.
    shown
        Columns in a pop-up beside counts, residents and rates.
    sentences
        What a pop-up says, by class; that of ``""`` where a class has none of its own.
    tests
        Whether the classes come from a test.
    whole_legend
        Whether the legend also lists classes in which there is no area.
    group
        The column that says which areas belong together and are found together.
    called
        What an area without a name is called, ``{}`` for its key.
    measures
        What was scored, by a column that tells it: the first that is there; the columns' own words where there are none.
    """

    column: str
    shades: tuple[Shade, ...]
    legend: Text
    finding: Text
    top: Text
    nothing: Text
    unsure: Text
    places: Text
    table: tuple[str, ...]
    telling: Telling
    shown: tuple[str, ...] = ()
    sentences: Mapping[str, Text] = field(default_factory=dict)
    tests: bool = True
    whole_legend: bool = True
    group: str | None = None
    called: Text | None = None
    measures: Mapping[str, Text] = field(default_factory=dict)


def highest(column: str) -> Telling:
    """Take all areas with a value, the highest first.

    Parameters
    ----------
    column
        The value.

    Returns
    -------
    callable
        From areas to the telling ones.
    """

    def telling(frame: pd.DataFrame) -> pd.DataFrame:
        return frame[frame[column].notna()].sort_values(column, ascending=False, kind="stable")

    return telling


def among(column: str, classes: tuple[str, ...], by: str) -> Telling:
    """Take the areas of some classes, the highest first.

    Parameters
    ----------
    column
        The class.
    classes
        Which of them.
    by
        The value.

    Returns
    -------
    callable
        From areas to the telling ones.
    """

    def telling(frame: pd.DataFrame) -> pd.DataFrame:
        return highest(by)(frame[frame[column].isin(classes)])

    return telling


def plain_reading(
    column: str,
    classes: Mapping[str, Text],
    colours: Mapping[str, str | None],
    *,
    legend: Text,
    places: Text,
    table: tuple[str, ...] = ("n_incidents",),
    telling: Telling | None = None,
    tests: bool = True,
) -> Reading:
    """Read classes that are no method's of gisgrid, or a new one's: what they are called and how they are coloured.

    Parameters
    ----------
    column
        Puts an area into a class.
    classes
        What each class is called, in the legend's order.
    colours
        The colour of each; none for what is not drawn.
    legend
        The legend's caption.
    places
        The caption of the table of areas.
    table
        The table's columns behind the name.
    telling
        Which areas the table lists, the most telling first; without it, those of a coloured class by the table's first column.
    tests
        Whether the classes come from a test.

    Returns
    -------
    Reading
        For `hotspot_map`.
    """
    coloured = tuple(name for name in classes if colours.get(name) is not None)
    gaps = (5, 8, 11, 14)
    shades = tuple(
        Shade(name, text, colours.get(name), (gaps[k % 4], "#ffffff", 0.4, 45 * (k // 4 % 4)))
        for k, (name, text) in enumerate(classes.items())
    )
    return Reading(
        column=column,
        shades=tuple(each if each.colour else Shade(each.name, each.text, None) for each in shades),
        legend=legend,
        finding=Text(
            zh="{n} 个单元中，{n_found} 个属于着色的等级。",
            en="Of {n} units, {n_found} are in one of the coloured classes. ",
        ),
        top=Text(zh="首先是{name}：{class}。", en="First of all {name}: {class}."),
        nothing=Text(zh="{n} 个单元中没有一个突出。", en="None of {n} units stands out."),
        unsure=Text(zh="{corrected}", en="{corrected}")
        if tests
        else Text(zh="分类本身不是检验。", en="These classes are no test."),
        places=places,
        table=table,
        telling=telling or among(column, coloured, table[0]),
        shown=table,
        tests=tests,
        whole_legend=len(classes) <= 8,
    )
