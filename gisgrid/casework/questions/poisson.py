"""How many would one expect here, given who lives here, what kind of place it is and how often someone looks?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import linalg

from gisgrid.errors import IndexMismatchError, InputError

_STEPS: Final = 100
_CLOSE: Final = 1e-10
_LEAST_MEAN: Final = 1e-10

_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class PoissonFit:
    """A log-linear model of counts.

    Attributes
    ----------
    coefficients
        Indexed like the columns of the design: the logarithm of the factor per unit of each.
    errors
        Their standard errors, widened by the dispersion where that is above 1.
    expected
        Shape (n,), the mean of each row.
    dispersion
        Pearson's chi-square over the degrees of freedom: 1 for pure chance, more where places differ beyond the model.
    deviance
        Twice the logarithm of how much likelier the counts would be under their own values.
    """

    coefficients: pd.Series
    errors: pd.Series
    expected: pd.Series
    dispersion: float
    deviance: float


def poisson_fit(
    counts: pd.Series, design: pd.DataFrame, *, exposure: pd.Series | None = None
) -> PoissonFit:
    """Fit counts by a log-linear Poisson model (iteratively reweighted least squares).

    Parameters
    ----------
    counts
        Shape (n,), whole numbers or none below 0.
    design
        Shape (n, k), indexed like `counts`: numbers; put a column of ones in for a constant.
    exposure
        Shape (n,), above 0, indexed like `counts`: residents, days; the mean is proportional to it.

    Returns
    -------
    PoissonFit
        The model.

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    InputError
        Missing, negative or infinite numbers, columns that say the same, fewer rows than columns, or a model that does not
        settle (a kind of place where nothing was ever found).

    Notes
    -----
    Cost: O(n k²) per step, some 6 steps. Checked against: statsmodels' GLM.

    Examples
    --------
    >>> counts = pd.Series([1, 3, 4, 12])
    >>> design = pd.DataFrame({"constant": 1.0, "market": [0, 1, 0, 1]})
    >>> fit = poisson_fit(counts, design, exposure=pd.Series([1.0, 1, 4, 4]))
    >>> fit.coefficients.round(3).to_list(), fit.expected.round(6).to_list()
    ([0.0, 1.099], [1.0, 3.0, 4.0, 12.0])
    """
    y, x, offset = _numbers(counts, design, exposure)
    n, k = x.shape
    mean = y + 0.5 * (y.mean() + _LEAST_MEAN)
    beta, deviance = np.zeros(k), np.inf
    for _ in range(_STEPS):
        eta = np.log(mean)
        root = np.sqrt(mean)
        solved, _, rank, _ = linalg.lstsq(
            x * root[:, None], (eta - offset + (y - mean) / mean) * root
        )
        if rank < k:
            raise InputError(
                f"the {k} columns of the design say only {rank} things ({', '.join(map(str, design.columns))}); leave out what follows from others"
            )
        beta = np.asarray(solved)
        mean = np.maximum(np.exp(np.clip(x @ beta + offset, -40, 40)), _LEAST_MEAN)
        before, deviance = deviance, _deviance(y, mean)
        if abs(before - deviance) <= _CLOSE * (abs(deviance) + 0.1):
            break
    else:
        raise InputError(
            "the model of counts does not settle; look for a kind of place where nothing was ever found and join it to another"
        )
    chi = float(((y - mean) ** 2 / mean).sum())
    dispersion = chi / (n - k) if n > k else np.nan
    inverse = linalg.inv((x * mean[:, None]).T @ x)
    errors = np.sqrt(np.diag(inverse) * max(1.0, dispersion if np.isfinite(dispersion) else 1.0))
    return PoissonFit(
        pd.Series(beta, index=design.columns), pd.Series(errors, index=design.columns),
        pd.Series(mean, index=counts.index, name="expected"), dispersion, deviance,
    )  # fmt: skip


def _numbers(
    counts: pd.Series, design: pd.DataFrame, exposure: pd.Series | None
) -> tuple[_Floats, _Floats, _Floats]:
    others: tuple[pd.Series | pd.DataFrame, ...] = (
        (design,) if exposure is None else (design, exposure)
    )
    for other in others:
        if not other.index.equals(counts.index):
            raise IndexMismatchError(
                f"{len(counts)} counts and {len(other)} rows beside them are not indexed alike; align them first, for example with reindex"
            )
    y = counts.to_numpy(dtype=float, na_value=np.nan)
    x = design.to_numpy(dtype=float, na_value=np.nan)
    size = np.ones(len(y)) if exposure is None else exposure.to_numpy(dtype=float, na_value=np.nan)
    wrong = (
        ~np.isfinite(y) | (y < 0) | ~np.isfinite(x).all(axis=1) | ~np.isfinite(size) | ~(size > 0)
    )
    if wrong.any():
        raise InputError(
            f"{wrong.sum()} of {len(y)} rows have a missing, infinite or negative number, or no exposure "
            f"(first: {counts.index[int(np.argmax(wrong))]!r}); leave them out"
        )
    if len(y) < x.shape[1] or not y.any():
        raise InputError(
            f"{len(y)} rows with {y.sum():g} counts cannot be modelled by {x.shape[1]} columns; take more places or fewer columns"
        )
    return y, x, np.log(size)


def _deviance(y: _Floats, mean: _Floats) -> float:
    own = np.where(y > 0, y * np.log(np.where(y > 0, y, 1) / mean), 0.0)
    return float(2 * (own - (y - mean)).sum())
