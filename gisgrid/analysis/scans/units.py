"""Bring cases, population and places into one order, or say what is wrong with them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import require_metres
from gisgrid.errors import IndexMismatchError, InputError, SmallSampleWarning, warn_null

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_FEW = 30
_MOST = 1 << 31  # cases: what a 32-bit number counts


@dataclass(frozen=True)
class Units:
    """The units that are scanned, west to east (then south to north), whatever the order they came in.

    Attributes
    ----------
    names
        Shape (n,), as in the cases' index.
    xy
        Shape (n, 2), metres.
    cases, population
        Shape (n, t).
    points
        Shape (n,), the centres with their CRS, in the same order.
    """

    names: pd.Index
    xy: Floats
    cases: Ints
    population: Floats
    points: gpd.GeoSeries


def units(cases: pd.DataFrame, population: pd.DataFrame | None, centres: gpd.GeoDataFrame) -> Units:
    """Read what is scanned and leave out units without cases or population.

    Parameters
    ----------
    cases
        Shape (n, t), whole numbers; a row with a missing value is left out.
    population
        Shape (n, t) or (n, 1), indexed like `cases`; None where there is none.
    centres
        Shape (n,), the same names in any order; points, or polygons of which the centroid is taken. Metres.

    Returns
    -------
    Units
        In an order that depends on the places (and, where two are at one place, on the names) alone.

    Raises
    ------
    IndexMismatchError
        The three do not name the same units, or name one twice.
    InputError
        Cases or population that cannot be, or a unit without a place.
    CrsError
        The centres are not in metres.

    Warns
    -----
    SmallSampleWarning
        Fewer than 30 units.
    """
    require_metres(centres, what="a scan", name="centres")
    place = _alike(cases.index, centres.index, "centres")
    counts = _counts(cases)
    people = np.ones((len(cases), 1))
    if population is not None:
        people = _numbers(population.iloc[_alike(cases.index, population.index, "population")])
        _require_people(people, counts, cases.index)
    known = np.flatnonzero(~(np.isnan(counts).any(axis=1) | np.isnan(people).any(axis=1)))
    points = centres.geometry.iloc[place]
    xy = shapely.get_coordinates(shapely.centroid(points.to_numpy()[known]))
    if len(xy) != len(known) or not np.isfinite(xy).all():
        empty = points.is_empty | points.isna()
        raise InputError(
            f"{int(empty.sum())} of {len(points)} centres have no place (first: {points.index[empty][0]!r}); "
            "a scan needs to know where a unit is, leave the others out of cases and centres"
        )
    names = cases.index[known]
    order = np.lexsort((names.map(str).to_numpy(), xy[:, 1], xy[:, 0]))
    if 0 < len(order) < _FEW:
        warnings.warn(
            SmallSampleWarning(
                f"a scan of {len(order)} units tries few windows, and its p can hardly be small; "
                f"read its clusters as a list, not as a test (fewer than {_FEW} units)"
            ),
            stacklevel=3,
        )
    return Units(
        names[order],
        xy[order],
        counts[known][order].astype(np.int64),
        people[known][order],
        gpd.GeoSeries(shapely.points(xy[order]), index=names[order], crs=centres.crs),
    )


def one_place(cases: pd.Series, population: pd.Series) -> Units:
    """Read a series of cases over time as that of one unit.

    Parameters
    ----------
    cases
        Shape (t,), whole numbers, none missing.
    population
        Shape (t,), none missing.

    Returns
    -------
    Units
        One, anywhere.

    Raises
    ------
    InputError
        Cases or population that cannot be.
    """
    counts = _counts(cases.to_frame()).T
    people = _numbers(population.to_frame()).T
    names = pd.Index(["all"])
    _require_people(people, counts, names)
    points = gpd.GeoSeries(shapely.points([[0.0, 0.0]]), index=names)
    return Units(names, np.zeros((1, 2)), counts.astype(np.int64), people, points)


def nothing_to_scan(cases: Ints, *, least_steps: int = 1) -> bool:
    """Tell, and warn, that there are too few units, steps of time or cases for any window.

    Parameters
    ----------
    cases
        Shape (n, t).
    least_steps
        The fewest steps of time that can be compared.

    Returns
    -------
    bool
        True where nothing can be found.

    Warns
    -----
    NullResultWarning
        There are no units, no cases, or one place at one time.
    """
    n, t = cases.shape
    if n * t > 1 and t >= least_steps and cases.sum() > 0:
        return False
    warn_null(
        f"a scan of {n} units over {t} steps of time with {int(cases.sum())} cases has no answer, there is nothing to "
        "compare; no cluster comes back",
        depth=3,
    )
    return True


def _alike(index: pd.Index, other: pd.Index, what: str) -> Ints:
    """Find the rows of `other` in the order of `index`."""
    for names, of in ((index, "cases"), (other, what)):
        if not names.is_unique:
            twice = names[names.duplicated()]
            raise IndexMismatchError(
                f"{len(twice)} of {len(names)} rows of {of!r} name a unit again (first: {twice[0]!r}); "
                "a scan needs one row per unit, add them up first"
            )
    rows = other.get_indexer(index)
    if (rows < 0).any() or len(index) != len(other):
        unknown, unused = index[rows < 0], other.difference(index)
        first = unknown[0] if len(unknown) else unused[0]
        raise IndexMismatchError(
            f"{len(unknown)} of {len(index)} units with cases are not in {what!r} and {len(unused)} of its "
            f"{len(other)} have no cases (first: {first!r}); index both by the same key, with 0 where nothing was counted"
        )
    return rows.astype(np.int64)


def _numbers(frame: pd.DataFrame) -> Floats:
    try:
        values = frame.to_numpy(dtype=float, na_value=np.nan)
    except (TypeError, ValueError) as error:
        raise InputError(
            f"a scan needs numbers but was given others: {error}; give counts per unit"
        ) from error
    bad = ~(np.isnan(values) | ((values >= 0) & (values < np.inf)))
    if bad.any():
        row, column = np.argwhere(bad)[0]
        raise InputError(
            f"{bad.sum()} of {bad.size} values of a scan are negative or infinite "
            f"(first: unit {frame.index[row]!r}, {values[row, column]:g}); correct them or set them missing"
        )
    return values


def _counts(cases: pd.DataFrame) -> Floats:
    values = _numbers(cases)
    split = ~np.isnan(values) & (values != np.floor(values))
    if split.any():
        row, column = np.argwhere(split)[0]
        raise InputError(
            f"{split.sum()} of {split.size} numbers of cases are not whole "
            f"(first: unit {cases.index[row]!r}, {values[row, column]:g}); a scan counts cases, give counts and not rates"
        )
    if np.nansum(values) >= _MOST:
        raise InputError(
            f"{np.nansum(values):.0f} cases are more than a scan can count; give fewer than {_MOST}"
        )
    return values


def _require_people(people: Floats, counts: Floats, index: pd.Index) -> None:
    """See that there is nobody counted where there is nobody."""
    alone = (counts > 0) & (people == 0)
    if alone.any():
        row = int(np.argmax(alone.any(axis=1)))
        raise InputError(
            f"{int(alone.any(axis=1).sum())} of {len(index)} units have cases but a population of 0 "
            f"(first: {index[row]!r}, {np.nansum(counts[row]):g} cases); correct the population or set it missing"
        )
