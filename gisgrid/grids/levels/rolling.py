"""What do parts add up to?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import InputError, did_you_mean

Aggregate = Literal["sum", "mean", "max", "min"]

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True)
class RollUp:
    """Values of parts, brought together per unit; nothing is lost on the way.

    Attributes
    ----------
    units
        Indexed by the code of all units of the upper level: `value`, `n_parts` (parts with a value) and `n_missing`
        (parts without one). A sum over no parts is 0; a mean, largest or smallest over none is null.
    unplaced
        The values of parts that have no unit above, by code. ``units["value"].sum() + unplaced.sum()`` is the sum of
        the parts, where the values were summed.
    """

    units: pd.DataFrame
    unplaced: pd.Series


def roll_up(
    values: pd.Series, unit: _Ints, units: pd.Index, *, how: Aggregate, weights: pd.Series | None
) -> RollUp:
    """Bring values together by the unit in which they lie.

    Parameters
    ----------
    values
        Shape (n,), numbers indexed by code.
    unit
        Shape (n,), the position of the unit of each, -1 for none.
    units
        The codes of all units.
    how
        ``sum``, ``mean``, ``max`` or ``min``.
    weights
        For a mean, what each value weighs, indexed by code.

    Returns
    -------
    RollUp
        Values per unit, and what is unplaced.

    Raises
    ------
    InputError
        A code stands twice, a weight is negative, there are weights but no mean, or there is no such `how`.
    """
    if how not in get_args(Aggregate):
        raise InputError(
            f"values cannot be rolled up by {how!r}{did_you_mean(how, get_args(Aggregate))}"
        )
    require_once(values)
    number = values.to_numpy(dtype=float, na_value=np.nan)
    weight = np.ones(len(values)) if weights is None else _aligned(weights, values, how)
    placed = unit >= 0
    seen = placed & ~np.isnan(number) & ~np.isnan(weight)
    n = len(units)
    n_parts = np.bincount(unit[seen], minlength=n)
    n_missing = np.bincount(unit[placed & ~seen], minlength=n)
    at, number, weight = unit[seen], number[seen], weight[seen]
    if how in {"sum", "mean"}:
        value = np.bincount(at, weights=number * weight, minlength=n).astype(float)
        if how == "mean":
            total = np.bincount(at, weights=weight, minlength=n)
            value = np.divide(value, total, out=np.full(n, np.nan), where=total > 0)
        else:
            value[(n_parts == 0) & (n_missing > 0)] = np.nan
    else:
        value = np.full(n, -np.inf if how == "max" else np.inf)
        (np.maximum if how == "max" else np.minimum).at(value, at, number)
        value[n_parts == 0] = np.nan
    table = pd.DataFrame({"value": value, "n_parts": n_parts, "n_missing": n_missing}, index=units)
    return RollUp(table, values[~placed])


def require_once(values: pd.Series) -> None:
    """See that every code has one value.

    Parameters
    ----------
    values
        Indexed by code.

    Raises
    ------
    InputError
        A code stands twice.
    """
    if values.index.has_duplicates:
        first = values.index[values.index.duplicated()][0]
        raise InputError(
            f"{int(values.index.duplicated().sum())} of {len(values)} values have a code that another has too "
            f"(first: {first!r}); bring them together first, for example values.groupby(level=0).sum()"
        )


def _aligned(weights: pd.Series, values: pd.Series, how: Aggregate) -> _Floats:
    if how != "mean":
        raise InputError(
            f"weights belong to a mean, but values shall be rolled up by {how!r}; leave them out"
        )
    require_once(weights)
    aligned = weights.reindex(values.index).to_numpy(dtype=float, na_value=np.nan)
    if (aligned < 0).any():
        at = int(np.argmax(aligned < 0))
        raise InputError(
            f"{int((aligned < 0).sum())} of {len(aligned)} weights are negative (first: {values.index[at]!r}, "
            f"{aligned[at]:g}); give counts or areas"
        )
    return aligned
