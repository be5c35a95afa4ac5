"""Who states whom as parent, and where do these statements fail?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.codes.forms import as_text
from gisgrid.grids.codes.layout import text_series
from gisgrid.schema import Text

_Ints = NDArray[np.int64]
Links = Mapping[tuple[str, str], _Ints]
"""For a level and a level above that it states: the position of the parent of each unit, -1 for none."""


@dataclass(frozen=True)
class HierarchyFault:
    """One rule that a hierarchy breaks: at which level, how often, for which units, and the sentence.

    Attributes
    ----------
    level
        The level of the units.
    rule
        ``no_code``, ``ill_formed`` (its code says no parent), ``no_parent`` (it states none),
        ``orphan`` (the parent it states is not there), ``two_parents``, or ``disagreement`` (two ways up lead to
        different units).
    n
        How many units.
    codes
        Which, sorted.
    message
        The sentence.
    """

    level: str
    rule: str
    n: int
    codes: tuple[str, ...]
    message: Text


LEVELS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        "subdistricts": Text(zh="办事处（乡镇）", en="sub-districts"),
        "communities": Text(zh="社区（村）", en="communities"),
        "compounds": Text(zh="楼院（庭院）", en="compounds"),
        "unit_grids": Text(zh="单元网格", en="unit grids"),
        "management_grids": Text(zh="管理网格", en="management grids"),
        "evaluation_grids": Text(zh="评价网格", en="evaluation grids"),
        "duty_grids": Text(zh="责任网格", en="duty grids"),
        "extended_grids": Text(zh="扩展网格", en="extended grids"),
    }
)
"""The levels that city management knows; a hierarchy may have others."""

_SENTENCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "no_code": ("没有编码", "have no code"),
        "ill_formed": ("的编码说不出上级", "have a code that says no unit of {up}"),
        "no_parent": ("没有写明所属的{up}", "state no unit of {up}"),
        "orphan": ("所属的{up}不存在", "lie in a unit of {up} that is not there"),
        "two_parents": ("写了两个所属的{up}", "state two units of {up}"),
        "disagreement": ("按不同的路径属于不同的{up}", "lie in different units of {up} by different ways"),
    }
)  # fmt: skip


def level_codes(
    frames: Mapping[str, pd.DataFrame], keys: Mapping[str, str]
) -> dict[str, pd.Series]:
    """Give the column of codes of each level.

    Parameters
    ----------
    frames
        The units of each level.
    keys
        The name of the column of each.

    Returns
    -------
    dict of Series
        By level.

    Raises
    ------
    ColumnError
        A level has no key, or no such column.
    """
    if missing := [level for level in frames if level not in keys]:
        raise ColumnError(f"'keys' does not name the column of codes of {missing[0]!r}; add it")
    return {level: level_column(frame, keys[level], level=level) for level, frame in frames.items()}


def level_column(frame: pd.DataFrame, name: str, *, level: str) -> pd.Series:
    """Give a column of a level.

    Parameters
    ----------
    frame
        The units.
    name
        The column.
    level
        What the level is called in the error's sentence.

    Returns
    -------
    Series
        The column.

    Raises
    ------
    ColumnError
        There is none of that name.
    """
    if name not in frame:
        known = [str(column) for column in frame.columns]
        raise ColumnError(f"{level!r} has no column {name!r}{did_you_mean(name, known)}")
    return frame[name]


def link_levels(
    codes: Mapping[str, pd.Series],
    stated: Mapping[tuple[str, str], pd.Series],
    *,
    by_code: bool,
) -> tuple[Mapping[str, pd.Index], Links, tuple[HierarchyFault, ...]]:
    """Link units with the parents that they state, and list the statements that fail.

    Parameters
    ----------
    codes
        The codes of each level; one may stand in several rows.
    stated
        For a level and a level above, the code of the parent that each row states.
    by_code
        Whether the parents were read from the codes.

    Returns
    -------
    tuple
        The units of each level, the links, and the faults.

    Raises
    ------
    InputError
        Levels lie in each other.
    """
    known = {level: text_series(as_text(values), values.index) for level, values in codes.items()}
    known = {level: values.where(values.str.strip() != "") for level, values in known.items()}
    units = {
        level: pd.Index(values.dropna().sort_values().unique(), dtype="str", name=level)
        for level, values in known.items()
    }
    faults = [
        _fault(level, "no_code", "", [f"row {row}" for row in values.index[values.isna()]], n_units=len(values))
        for level, values in known.items()
        if values.isna().any()
    ]  # fmt: skip
    links: dict[tuple[str, str], _Ints] = {}
    for (level, up), column in stated.items():
        parents = text_series(as_text(column), column.index)
        parents = parents.where(parents.str.strip() != "")
        links[level, up], found = _link(known[level], parents, units, (level, up), by_code=by_code)
        faults += found
    faults += _disagreements(units, links)
    return MappingProxyType(units), MappingProxyType(links), tuple(faults)


def _link(
    codes: pd.Series, parents: pd.Series, units: Mapping[str, pd.Index], pair: tuple[str, str], *, by_code: bool
) -> tuple[_Ints, list[HierarchyFault]]:  # fmt: skip
    level, up = pair
    here = units[level]
    child = here.get_indexer(pd.Index(codes))
    number, names = pd.factorize(parents)
    stated_both = (child >= 0) & (number >= 0)
    pairs = np.unique(child[stated_both] * (len(names) + 1) + number[stated_both])
    said = np.stack(np.divmod(pairs, len(names) + 1), axis=1)
    n_said = np.bincount(said[:, 0], minlength=len(here))
    link = np.full(len(here), -1, dtype=np.int64)
    once = said[n_said[said[:, 0]] == 1]
    there = np.append(units[up].get_indexer(pd.Index(names, dtype="str")), -1)
    link[once[:, 0]] = there[once[:, 1]]
    wrong = {
        "ill_formed" if by_code else "no_parent": n_said == 0,
        "two_parents": n_said > 1,
        "orphan": (n_said == 1) & (link < 0),
    }
    stated = np.full(len(here), None, dtype=object)
    stated[once[:, 0]] = names.to_numpy(dtype=object)[once[:, 1]]
    return link, [
        _fault(level, rule, up, here[found].to_list(), n_units=len(here), stated=stated[found][0])
        for rule, found in wrong.items()
        if found.any()
    ]


def _disagreements(units: Mapping[str, pd.Index], links: Links) -> Iterator[HierarchyFault]:
    for level in units:
        for up in units:
            ways = [follow(links, way) for way in ways_up(links, level, up)]
            differ = np.zeros(len(units[level]), dtype=bool)
            for other in ways[1:]:
                differ |= (other != ways[0]) & (other >= 0) & (ways[0] >= 0)
            if differ.any():
                yield _fault(
                    level, "disagreement", up, units[level][differ].to_list(), n_units=len(differ)
                )


def ways_up(links: Links, level: str, to: str) -> list[list[str]]:
    """List the ways from a level to one above it.

    Parameters
    ----------
    links
        The links.
    level, to
        From where to where.

    Returns
    -------
    list of list of str
        The levels on each way, both ends included; the shortest way first.

    Raises
    ------
    InputError
        Levels lie in each other.
    """
    ways: list[list[str]] = []
    open_ways = [[level]]
    while open_ways:
        way = open_ways.pop()
        for child, up in links:
            if child == way[-1]:
                if up in way:
                    raise InputError(
                        f"levels cannot lie in each other, but they do: {' < '.join([*way, up])}; leave out one link"
                    )
                (ways if up == to else open_ways).append([*way, up])
    return sorted(ways, key=lambda way: (len(way), way))


def follow(links: Links, way: Sequence[str]) -> _Ints:
    """Give the unit at the end of a way in which each unit at its beginning lies.

    Parameters
    ----------
    links
        The links.
    way
        Levels, each linked to the next.

    Returns
    -------
    ndarray
        Positions, -1 for none.
    """
    at = np.arange(len(links[way[0], way[1]]))
    for child, up in pairwise(way):
        at = np.append(links[child, up], -1)[at]
    return at


def place_in(links: Links, level: str, to: str) -> _Ints:
    """Give the unit of a higher level in which each unit lies, by the shortest way.

    Parameters
    ----------
    links
        The links.
    level, to
        From where to where.

    Returns
    -------
    ndarray
        Positions, -1 for none.

    Raises
    ------
    ColumnError
        There is no way.
    InputError
        Several ways are equally short and lead to different units.
    """
    ways = ways_up(links, level, to)
    if not ways:
        above = sorted({up for child, up in links if child == level})
        raise ColumnError(
            f"{level!r} do not lie in {to!r}; they lie in: {', '.join(above) or 'no other level'}"
        )
    shortest = [way for way in ways if len(way) == len(ways[0])]
    found = [follow(links, way) for way in shortest]
    for way, other in zip(shortest[1:], found[1:], strict=True):
        if n := int((other != found[0]).sum()):
            by = " and by ".join(repr(steps[1]) for steps in (shortest[0], way))
            raise InputError(
                f"{level!r} lie in {to!r} by {by}, and these differ for {n} of {len(other)} units; "
                f"name the column of {level!r} that says the unit of {to!r} in 'parents'"
            )
    return found[0]


def _fault(
    level: str, rule: str, up: str, codes: list[str], *, n_units: int, stated: object = None
) -> HierarchyFault:
    zh, en = (text.format(up=up) for text in _SENTENCES[rule])
    where = (f"，所属“{stated}”", f", in {stated!r}") if rule == "orphan" else ("", "")
    message = Text(
        zh=f"{n_units} 个 {level} 中有 {len(codes)} 个{zh}（第一个：“{codes[0]}”{where[0]}）",
        en=f"{len(codes)} of {n_units} {level} {en} (first: {codes[0]!r}{where[1]})",
    )
    return HierarchyFault(level, rule, len(codes), tuple(codes), message)
