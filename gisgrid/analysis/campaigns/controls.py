"""Which units were like those of a campaign, and were left alone?"""

from __future__ import annotations

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from gisgrid.analysis.alignment import Floats, aligned
from gisgrid.analysis.space_time.trend import numbers_by_step
from gisgrid.errors import IndexMismatchError, InputError, warn_null


def matched_controls(
    before: pd.DataFrame,
    treated: pd.Series,
    *,
    n_controls: int = 3,
    covariates: pd.DataFrame | None = None,
    within: pd.Series | None = None,
    graph: Graph | None = None,
) -> pd.DataFrame:
    """Find for each unit of a campaign the units most like it that were left alone.

    Parameters
    ----------
    before
        Shape (n, T), reports per unit and time step before the campaign.
    treated
        Shape (n,), indexed like `before`: whether the campaign was there.
    n_controls
        How many controls for each; a unit can be a control of several.
    covariates
        Indexed like `before`: numbers to be alike in besides the level and the course of reports (residents, km²).
    within
        Shape (n,), indexed like `before`: controls come from the same district, or class, only.
    graph
        n nodes, the same names: neighbours of treated units are no controls, because a campaign moves problems next door
        or helps there too.

    Returns
    -------
    DataFrame
        One row per pair: `treated`, `control`, `distance` (in standard deviations of what was matched on), nearest first.
        A unit without any eligible control has no row.

    Raises
    ------
    IndexMismatchError
        The inputs are not indexed alike.
    InputError
        No treated unit, no control, missing or infinite numbers, or fewer controls than 1.

    Warns
    -----
    NullResultWarning
        Treated units have no eligible control: they have no rows.

    Notes
    -----
    Matched on the square root of the mean of the steps (counts vary alike on that scale), on its change from the first to
    the second half, and on the covariates, each divided by its standard deviation. Ties go to the first in the order of
    the index. Matching on the level before makes groups that were alike by accident drift apart again (regression to the
    mean); the placebo of `campaign_effect` shows it. CRS: none needed here.

    Examples
    --------
    >>> before = pd.DataFrame([[9, 9], [1, 1], [8, 10], [1, 2]], index=list("abcd"))
    >>> treated = pd.Series([True, False, False, False], index=list("abcd"))
    >>> matched_controls(before, treated, n_controls=1)["control"].to_list()
    ['c']
    """
    for name, other in (("treated", treated), ("covariates", covariates), ("within", within)):
        if other is not None and not other.index.equals(before.index):
            raise IndexMismatchError(
                f"'before' and {name!r} are not indexed alike ({len(before)} and {len(other)} rows); "
                f"align them first, for example {name}.reindex(before.index)"
            )
    if n_controls < 1:
        raise InputError(f"{n_controls} controls match nothing; give 1 or more, for example 3")
    traits = _traits(before, covariates)
    campaign = treated.to_numpy(dtype=bool)
    eligible = ~campaign
    if graph is not None:
        weights = aligned(pd.Series(0.0, index=before.index), graph).weights
        eligible &= ~(
            (weights.T @ campaign.astype(float) > 0) | (weights @ campaign.astype(float) > 0)
        )
    if not campaign.any() or not eligible.any():
        raise InputError(
            f"{campaign.sum()} units are treated and {eligible.sum()} are left as controls; a comparison needs both"
        )
    parts = []
    strata = np.zeros(len(before), np.int64) if within is None else pd.factorize(within)[0]
    for stratum in np.unique(strata[campaign & (strata >= 0)]):
        who, whom = (
            np.flatnonzero(campaign & (strata == stratum)),
            np.flatnonzero(eligible & (strata == stratum)),
        )
        if len(whom):
            parts.append(_nearest(traits, who, whom, min(n_controls, len(whom))))
    found = np.concatenate(parts) if parts else np.empty((0, 3))
    alone = campaign.sum() - len(np.unique(found[:, 0]))
    if alone:
        warn_null(
            f"{alone} of {campaign.sum()} treated units have no eligible control; they have no rows"
        )
    found = found[np.lexsort((found[:, 1], found[:, 2], found[:, 0]))]
    return pd.DataFrame(
        {
            "treated": before.index[found[:, 0].astype(np.int64)],
            "control": before.index[found[:, 1].astype(np.int64)],
            "distance": found[:, 2],
        }
    )


def _traits(before: pd.DataFrame, covariates: pd.DataFrame | None) -> Floats:
    """Give what units are matched on, in standard deviations."""
    y = numbers_by_step(before)
    if (y < 0).any():
        raise InputError("counts before a campaign are negative; correct them")
    half = y.shape[1] // 2
    columns = [np.sqrt(y.mean(axis=1))]
    if half:
        columns.append(np.sqrt(y[:, half:].mean(axis=1)) - np.sqrt(y[:, :half].mean(axis=1)))
    traits = np.column_stack(columns)
    if covariates is not None:
        traits = np.c_[traits, numbers_by_step(covariates)]
    if np.isnan(traits).any():
        row = int(np.argmax(np.isnan(traits).any(axis=1)))
        raise InputError(
            f"unit {before.index[row]!r} has a missing number to be matched on; fill it in or leave the unit out"
        )
    spread = traits.std(axis=0)
    return traits / np.where(spread > 0, spread, 1.0)


def _nearest(traits: Floats, who: NDArray[np.intp], whom: NDArray[np.intp], k: int) -> Floats:
    """Give pairs (place, place, distance) of the k most alike; of equals the first."""
    parts = []
    for unit in who:
        distance = np.sqrt(((traits[whom] - traits[unit]) ** 2).sum(axis=1))
        near = np.flatnonzero(distance <= np.partition(distance, k - 1)[k - 1])
        best = near[np.argsort(distance[near], kind="stable")[:k]]
        parts.append(np.c_[np.full(k, unit), whom[best], distance[best]])
    return np.concatenate(parts)
