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
    group
        The column that says which areas belong together and are found together.
    called
        What an area without a name is called, ``{}`` for its key.
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
    group: str | None = None
    called: Text | None = None


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
