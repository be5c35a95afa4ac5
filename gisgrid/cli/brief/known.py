"""What is at hand for a brief, and what are things called in both languages?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import geopandas as gpd
import pandas as pd

from gisgrid.casework.indicators import Period
from gisgrid.catalogue import Catalogue, Layer
from gisgrid.desk import Desk
from gisgrid.schema import Text

UNKNOWN = Text(zh="未知", en="unknown")


class Words:
    """Names of units, classes and owners.

    Parameters
    ----------
    desk
        The city's desk: classes that can be reported, and owners.
    catalogue
        The layers, whose labels name what the desk does not.
    frames
        The levels of the grid by layer.
    """

    def __init__(
        self, desk: Desk, catalogue: Catalogue, frames: Mapping[str, gpd.GeoDataFrame]
    ) -> None:
        self._desk, self._catalogue, self._frames = desk, catalogue, frames

    def owner(self, owner: object) -> Text:
        """Name an owner."""
        return self._desk.owners.title(str(owner) if _there(owner) else None)

    def category(self, code: object, category: object = None) -> Text:
        """Name a class: as it is reported, else as the layers label it, else by its code."""
        if _there(category) and str(category) in self._labels:
            return self._labels[str(category)]
        if _there(code) and str(code) in self._services:
            return self._services[str(code)]
        said = category if _there(category) else code
        return Text(zh=str(said), en=str(said)) if _there(said) else UNKNOWN

    def unit(self, code: object) -> Text:
        """Name a unit of any level; its code where it has no name."""
        if not _there(code):
            return Text(zh="城市之外", en="outside the city")
        return self._units.get(str(code), Text(zh=str(code), en=str(code)))

    def sources(self, chain: Sequence[Layer]) -> tuple[tuple[Text, str], ...]:
        """Say where the grid comes from."""
        titles: dict[str, list[Text]] = {}
        for layer in chain:
            if layer.source is not None:
                said = (layer.source.attribution, layer.source.acquired, layer.source.licence)
                whence = " · ".join(each for each in said if each) or layer.source.path
                titles.setdefault(whence, []).append(layer.title)
        return tuple(
            (
                Text(
                    zh="、".join(each.zh for each in named), en=", ".join(each.en for each in named)
                ),
                whence,
            )
            for whence, named in titles.items()
        )

    @cached_property
    def _labels(self) -> dict[str, Text]:
        found: dict[str, Text] = {}
        for layer in self._catalogue:
            for field in layer.fields:
                if field.name == "category" and field.labels:
                    found |= field.labels
        return found

    @cached_property
    def _services(self) -> dict[str, Text]:
        return {one.code: one.name for one in self._desk.services}

    @cached_property
    def _units(self) -> dict[str, Text]:
        found: dict[str, Text] = {}
        for name, frame in self._frames.items():
            key = str(self._catalogue[name].primary_key)
            codes = frame[key].astype(str)
            zh = _column(frame, "name_zh", "name")
            en = _column(frame, "name_en")
            for code, in_zh, in_en in zip(codes, zh, en, strict=True):
                named = in_zh if _there(in_zh) else code
                found[code] = Text(zh=str(named), en=str(in_en if _there(in_en) else named))
        return found


@dataclass(frozen=True)
class Known:
    """Everything a brief is made of.

    Attributes
    ----------
    unit, layer
        The code, and the level it is of.
    chain, frames
        The levels of the grid, the finest first, and their areas.
    days, hot_days
        The period, and how many days to its end hotspots are found in.
    city
        The city's cases of twice so many days, with places.
    own
        Every case of the unit that was reported before the end of the period.
    words
        Names.
    now
        When the brief is made.
    n_cases
        Cases in the ledger.
    sources
        Where the grid comes from.
    """

    unit: str
    layer: Layer
    chain: tuple[Layer, ...]
    frames: Mapping[str, gpd.GeoDataFrame]
    days: Period
    hot_days: int
    city: pd.DataFrame
    own: pd.DataFrame
    words: Words
    now: pd.Timestamp
    n_cases: int
    sources: tuple[tuple[Text, str], ...]

    @property
    def key(self) -> str:
        """The column that names a unit of the level."""
        return str(self.layer.primary_key)

    @property
    def finest(self) -> Layer:
        """The finest level."""
        return self.chain[0]

    @property
    def between(self) -> Layer:
        """The level below the unit's own: what its parts are."""
        at = [layer.id for layer in self.chain].index(self.layer.id)
        return self.chain[max(at - 1, 0)]

    @cached_property
    def first(self) -> pd.DataFrame:
        """The unit's cases that are neither void nor repeats."""
        own = self.own
        return own[(own["state"] != "void").to_numpy(dtype=bool) & own["duplicate_of"].isna()]

    def codes_inside(self, layer: Layer) -> pd.Series:
        """Say of each unit of a level whether it lies in the unit of the brief (bool, in the order of the level)."""
        frame = self.frames[layer.id]
        codes = frame[str(layer.primary_key)].astype(str)
        own = codes
        at = [each.id for each in self.chain].index(layer.id)
        for step, above in zip(self.chain[at:], self.chain[at + 1 :], strict=False):
            if step.id == self.layer.id:
                break
            by = step.contract.inside.by if step.contract.inside else ""
            parents = (
                self.frames[step.id]
                .set_index(self.frames[step.id][str(step.primary_key)].astype(str))[by]
                .astype(str)
            )
            own = own.map(parents)
            if above.id == self.layer.id:
                break
        return pd.Series((own == self.unit).to_numpy(), index=frame.index)


def within(frame: pd.DataFrame, days: Period, column: str = "reported_at") -> pd.DataFrame:
    """Give the rows whose time lies in a period.

    Parameters
    ----------
    frame
        Cases.
    days
        The period.
    column
        The column of times.

    Returns
    -------
    DataFrame
        Some of the rows.
    """
    return frame[(frame[column] >= days.start) & (frame[column] < days.end)]


def _column(frame: gpd.GeoDataFrame, *names: str) -> Sequence[Any]:
    name = next((each for each in names if each in frame.columns), None)
    return [None] * len(frame) if name is None else frame[name].to_list()


def _there(value: object) -> bool:
    return value is not None and not pd.isna(value) and str(value) != ""  # type: ignore[call-overload]  # any scalar
