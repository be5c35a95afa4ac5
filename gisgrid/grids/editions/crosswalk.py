"""What became of each unit from one year's grid to the next, and how do values get from the old units to the new?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.editions.changes import change_table, pairs_by_code
from gisgrid.grids.editions.overlaps import overlaps, point_shares, unit_codes
from gisgrid.grids.levels.rolling import require_once
from gisgrid.schema import Text

Kind = Literal["unchanged", "renamed", "recoded", "split", "merged", "reshaped", "new", "gone"]
Basis = Literal["area", "count"]

KINDS: Final[Mapping[Kind, Text]] = MappingProxyType(
    {
        "unchanged": Text(zh="未变", en="unchanged"),
        "renamed": Text(zh="更名", en="renamed"),
        "recoded": Text(zh="换码", en="recoded"),
        "split": Text(zh="拆分", en="split"),
        "merged": Text(zh="合并", en="merged"),
        "reshaped": Text(zh="调整边界", en="reshaped"),
        "new": Text(zh="新设", en="new"),
        "gone": Text(zh="撤销", en="gone"),
    }
)
"""What can become of a unit, in words."""


@dataclass(frozen=True)
class Transfer:
    """Values carried from one edition to the other; nothing is lost on the way.

    Attributes
    ----------
    values
        Indexed by the code of every unit of the new edition. Null where a mean has nothing to go by.
    unplaced
        Indexed by old code: what no new unit takes over. Of counts, ``values.sum() + unplaced.sum()`` is the sum of
        what was to be carried.
    """

    values: pd.Series
    unplaced: pd.Series


@dataclass(frozen=True, eq=False, repr=False)
class Crosswalk:
    """What became of the units of one edition of a grid in the next; it does not change.

    Make one with `crosswalk_by_geometry` or `crosswalk_by_code`.

    Attributes
    ----------
    old, new
        The codes of both editions, sorted.
    changes
        One row per unit of either edition: `edition` (``old`` or ``new``), `code`, `kind` (one of `KINDS`), `others`
        (the codes that it became, or was made of, joined with ``; ``) and `name_changed`.
    pairs
        One row per old and new unit that have ground in common, or by code belong together: `old_code`, `new_code`,
        `area_m2`, `share_of_old`, `share_of_new` (0 to 1, of the area), `sliver` (too thin or small to count),
        `weight` (0 to 1, the share of the old unit's value that goes over) and `count_weight` (the same by points).
        Null where nothing says them.
    """

    old: pd.Index
    new: pd.Index
    changes: pd.DataFrame
    pairs: pd.DataFrame

    def __repr__(self) -> str:
        kinds = self.changes["kind"].value_counts()
        said = ", ".join(f"{kinds[kind]} {kind}" for kind in KINDS if kind in kinds)
        return f"<Crosswalk of {len(self.old)} old to {len(self.new)} new units ({said or 'no units'})>"

    def transfer(self, values: pd.Series, *, by: Basis = "area") -> Transfer:
        """Carry counts (issues, residents, households) from the old units to the new ones.

        Each old unit's value is divided among the new units by the share of its area, or of its points, that lies in
        them. Slivers take nothing: theirs goes with the rest of the unit. A unit without points is divided by area.

        Parameters
        ----------
        values
            Counts, indexed by old code; null is nothing to carry.
        by
            ``area``, or ``count`` where the crosswalk was made with points.

        Returns
        -------
        Transfer
            Values by new code, and what no new unit takes over: of ground that the new edition leaves out, and of
            codes that the old one does not have.

        Raises
        ------
        InputError
            A code stands twice, or the crosswalk does not know the shares that are asked for.

        Notes
        -----
        Conserves the sum to rounding (1e-9 of it). By area, a count is taken as spread evenly over its unit.

        Examples
        --------
        >>> from shapely import box
        >>> old = gpd.GeoDataFrame({"code": ["A"]}, geometry=[box(0, 0, 100, 100)], crs=4547)
        >>> new = gpd.GeoDataFrame({"code": ["A", "B"]}, geometry=[box(0, 0, 75, 100), box(75, 0, 100, 100)], crs=4547)
        >>> years = crosswalk_by_geometry(old, new, key="code")
        >>> years
        <Crosswalk of 1 old to 2 new units (3 split)>
        >>> years.transfer(pd.Series({"A": 40})).values.to_dict()
        {'A': 30.0, 'B': 10.0}
        """
        require_once(values)
        if by not in get_args(Basis):
            raise InputError(
                f"values cannot be divided by {by!r}{did_you_mean(by, get_args(Basis))}"
            )
        number = values.to_numpy(dtype=float, na_value=np.nan)
        at = pd.Index(values.index).get_indexer(pd.Index(self.pairs["old_code"]))
        mine = (at >= 0) & ~np.isnan(np.append(number, np.nan)[at])
        pairs, at = self.pairs[mine], at[mine]
        weight = pairs["weight" if by == "area" else "count_weight"].to_numpy(dtype=float)
        if np.isnan(weight).any():
            first = pairs[np.isnan(weight)].iloc[0]
            raise InputError(
                f"values cannot be divided by {by} because the crosswalk does not say how {first['old_code']!r} is shared "
                f"(with {first['new_code']!r}); make it "
                + (
                    "with points=..."
                    if by == "count"
                    else "by geometry, or with a table that has the column 'share'"
                )
            )
        parts = number[at] * weight
        target = self.new.get_indexer(pd.Index(pairs["new_code"]))
        carried = np.bincount(target, weights=parts, minlength=len(self.new))
        rest = number - np.bincount(at, weights=parts, minlength=len(values))
        left_out = np.abs(rest) > 1e-12 * np.abs(number)
        unplaced = pd.Series(rest, index=values.index, name=values.name)[left_out]
        return Transfer(pd.Series(carried, index=self.new, name=values.name), unplaced)

    def transfer_mean(self, values: pd.Series) -> Transfer:
        """Carry rates and other values that do not add up: a new unit gets the mean over its ground, by area.

        Parameters
        ----------
        values
            Rates, indexed by old code; null is left out.

        Returns
        -------
        Transfer
            Values by new code, null where nothing is known of its ground; and the values that no new unit uses.

        Raises
        ------
        InputError
            A code stands twice, or the crosswalk does not know the areas.
        """
        require_once(values)
        number = values.reindex(self.pairs["old_code"]).to_numpy(dtype=float, na_value=np.nan)
        used = ~np.isnan(number) & ~self.pairs["sliver"].to_numpy()
        pairs, number = self.pairs[used], number[used]
        weight = pairs["share_of_new"].to_numpy(dtype=float)
        if np.isnan(weight).any():
            first = pairs[np.isnan(weight)].iloc[0]
            raise InputError(
                f"a mean needs areas, but the crosswalk does not say how much of {first['new_code']!r} was "
                f"{first['old_code']!r}; make it by geometry"
            )
        target = self.new.get_indexer(pd.Index(pairs["new_code"]))
        total = np.bincount(target, weights=weight, minlength=len(self.new))
        summed = np.bincount(target, weights=weight * number, minlength=len(self.new))
        mean = np.divide(summed, total, out=np.full(len(self.new), np.nan), where=total > 0)
        unused = values[~values.index.isin(pairs["old_code"])].dropna()
        return Transfer(pd.Series(mean, index=self.new, name=values.name), unused)


def crosswalk_by_geometry(
    old: gpd.GeoDataFrame,
    new: gpd.GeoDataFrame,
    *,
    key: str,
    name: str | None = None,
    points: gpd.GeoDataFrame | None = None,
    point_weight: str | None = None,
    sliver_m: float = 1.0,
    sliver_share: float = 0.01,
) -> Crosswalk:
    """Tell what became of each unit by laying two editions of a grid over each other.

    Parameters
    ----------
    old, new
        Polygons of both editions, in one projected CRS in metres; a unit stands in one row.
    key
        The column of codes in both.
    name
        The column of names in both, if a change of name shall be seen.
    points
        Points to divide counts by, for example households, in the CRS of the units.
    point_weight
        A column of `points` that says how much each counts.
    sliver_m
        Ground in common is a sliver where it is no wider than this on average, metres, nor than a tenth of the
        narrower unit.
    sliver_share
        Or where it is no larger than this share of the smaller of both units.

    Returns
    -------
    Crosswalk
        What became of each unit, and the shares to carry values with.

    Raises
    ------
    CrsError
        The coordinates are not metres, or not the same in both.
    ColumnError
        A frame has no such column.
    InputError
        A code is missing or stands twice, or a unit is no valid polygon.

    Notes
    -----
    CRS: projected, metres. A unit is *split* if all its new units lie in it, *merged* if all that its new unit was
    made of lie in that; *reshaped* is what is neither, and what gained or lost ground at the edge. Units of one edition
    should not overlap; where they do, their shares are of the ground counted as often. Cost: 11 490 units against
    themselves in 4 s.
    """
    found = overlaps(old, new, key=key, sliver_m=sliver_m, sliver_share=sliver_share)
    pairs = found.pairs.assign(count_weight=np.nan)
    if points is not None:
        shares = point_shares(points, old, new, key=key, weight=point_weight)
        pairs = _with_counts(found.pairs, shares)
    changes = change_table(
        found.pairs[~found.pairs["sliver"].to_numpy()],
        old_covered=found.old_covered,
        new_covered=found.new_covered,
        old_names=_names(old, key, name, "old"),
        new_names=_names(new, key, name, "new"),
    )
    return Crosswalk(_index(old, key, "old"), _index(new, key, "new"), changes, pairs)


def crosswalk_by_code(
    old: pd.DataFrame,
    new: pd.DataFrame,
    *,
    key: str,
    name: str | None = None,
    table: pd.DataFrame | None = None,
) -> Crosswalk:
    """Tell what became of each unit by its code, and by the table of changes that a city publishes.

    A unit whose code is in both editions is the same unit, unless the table says otherwise. Where there are names, a
    code that is gone and a new one are the same unit if they alone have the same name.

    Parameters
    ----------
    old, new
        The units of both editions; a unit stands in one row.
    key
        The column of codes in both.
    name
        The column of names in both.
    table
        The changes: `old_code`, `new_code` and, if it is known, `share` (0 to 1, of the old unit). Several new codes
        of one old one are a split, several old codes of one new one a merger.

    Returns
    -------
    Crosswalk
        What became of each unit. A split without shares is known, but cannot carry values.

    Raises
    ------
    ColumnError
        A frame has no such column.
    InputError
        A code is missing or stands twice, the table has a code that no unit has, or shares of a unit exceed 1.

    Examples
    --------
    >>> old = pd.DataFrame({"code": ["01", "02", "03"], "name": ["和平", "新华", "东风"]})
    >>> new = pd.DataFrame({"code": ["01", "05", "04"], "name": ["和平", "新华", "东方"]})
    >>> years = crosswalk_by_code(old, new, key="code", name="name")
    >>> years.changes.set_index(["edition", "code"])["kind"].to_dict()  # doctest: +NORMALIZE_WHITESPACE
    {('old', '01'): 'unchanged', ('old', '02'): 'recoded', ('old', '03'): 'gone', ('new', '01'): 'unchanged',
     ('new', '04'): 'new', ('new', '05'): 'recoded'}
    """
    old_index, new_index = _index(old, key, "old"), _index(new, key, "new")
    old_names, new_names = _names(old, key, name, "old"), _names(new, key, name, "new")
    pairs = pairs_by_code(old_names, new_names, table=table, named=name is not None)
    changes = change_table(
        pairs,
        old_covered=pd.Series(data=True, index=old_index),
        new_covered=pd.Series(data=True, index=new_index),
        old_names=old_names,
        new_names=new_names,
    )
    return Crosswalk(old_index, new_index, changes, pairs)


def _with_counts(pairs: pd.DataFrame, shares: pd.DataFrame) -> pd.DataFrame:
    """Add the shares by points; a unit without points keeps those by area."""
    counted = pairs["old_code"].isin(shares["old_code"])
    table = pairs.merge(shares.dropna(), on=["old_code", "new_code"], how="outer")
    known = table["old_code"].isin(pairs.loc[counted, "old_code"]) | table["weight"].isna()
    table["count_weight"] = table["count_weight"].fillna(0.0).where(known, table["weight"])
    # Points on a border can fall to units that share nothing else.
    filled = {"area_m2": 0.0, "share_of_old": 0.0, "share_of_new": 0.0, "weight": 0.0}
    table = table.fillna(filled)
    table["sliver"] = table["sliver"].astype("boolean").fillna(value=True).astype(bool)
    return table.sort_values(["old_code", "new_code"], ignore_index=True)


def _index(frame: pd.DataFrame, key: str, name: str) -> pd.Index:
    codes: pd.Index = pd.Index(unit_codes(frame, key, name).sort_values(), name=key)
    return codes


def _names(frame: pd.DataFrame, key: str, name: str | None, called: str) -> pd.Series:
    """Give the names of units by code, empty where there are none."""
    codes = unit_codes(frame, key, called)
    if name is not None and name not in frame:
        raise ColumnError(
            f"{called!r} has no column {name!r}{did_you_mean(name, map(str, frame.columns))}"
        )
    names = pd.Series("", index=frame.index) if name is None else frame[name]
    return pd.Series(
        names.astype("str").fillna("").to_numpy(dtype=object), index=pd.Index(codes), dtype="str"
    ).sort_index()
