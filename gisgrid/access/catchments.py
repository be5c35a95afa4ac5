"""How much of a facility is there for each resident within reach? Two-step floating catchment areas."""

from __future__ import annotations

from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, IndexMismatchError, InputError, did_you_mean

Decay = Literal["none", "steps", "gaussian"]

_STEPS: Final = ((1 / 3, 1.0), (2 / 3, 0.68), (1.0, 0.22))
_AT_LIMIT: Final = 0.01


def two_step_catchment(
    pairs: pd.DataFrame,
    *,
    residents: pd.Series,
    supply: pd.Series,
    limit_m: float,
    decay: Decay = "none",
) -> pd.DataFrame:
    """Share out what facilities offer among all who can reach them.

    Parameters
    ----------
    pairs
        `origin`, `facility`, `distance_m`: all pairs within the limit, as from `gisgrid.access.within_reach`; labels of the two
        series.
    residents
        How many live at each origin, n of them.
    supply
        What each facility offers: seats, stalls, beds.
    limit_m
        How far people go; longer pairs are left out.
    decay
        ``none``: within the limit all count alike (2SFCA). ``steps``: thirds of the limit count 1, 0.68 and 0.22 (E2SFCA).
        ``gaussian``: from 1 at the door to 0.01 at the limit.

    Returns
    -------
    DataFrame
        Indexed like `residents`: `accessibility` (supply per resident; 0 where nothing is in reach), `n_facilities` in reach,
        and `ratio_to_mean` (1 is what everybody would have if all shared alike; NaN where nothing is offered).

    Raises
    ------
    ColumnError
        A column of pairs that is not there.
    IndexMismatchError
        Pairs name a place that the series do not.
    InputError
        Negative residents or supply, no such decay, or a limit that is not above 0.

    Notes
    -----
    First step: a facility's supply over the weighted residents in its reach. Second: the sum of these ratios, weighted,
    over what an origin reaches. Supply is conserved: residents times accessibility add up to the supply of all facilities
    that anybody reaches. Source: Luo and Wang 2003 (2SFCA), Luo and Qi 2009 (E2SFCA, weights of its second set).

    Examples
    --------
    >>> pairs = pd.DataFrame({"origin": [0, 1], "facility": [0, 0], "distance_m": [100.0, 400.0]})
    >>> people, seats = pd.Series([30.0, 70.0]), pd.Series([10.0])
    >>> two_step_catchment(pairs, residents=people, supply=seats, limit_m=500)["accessibility"].tolist()
    [0.1, 0.1]
    """
    for name in ("origin", "facility", "distance_m"):
        if name not in pairs.columns:
            raise ColumnError(
                f"no column {name!r} in pairs{did_you_mean(name, map(str, pairs.columns))}"
            )
    if decay not in get_args(Decay):
        raise InputError(f"no decay {decay!r}; there are {', '.join(get_args(Decay))}")
    if not limit_m > 0:
        raise InputError(f"limit_m is {limit_m:g}; give metres above 0")
    for name, values in (("residents", residents), ("supply", supply)):
        if (values < 0).any():
            raise InputError(f"{name} holds {values.min():g} and there cannot be fewer than 0")
    near = pairs[pairs["distance_m"] <= limit_m]
    origin = residents.index.get_indexer(pd.Index(near["origin"]))
    facility = supply.index.get_indexer(pd.Index(near["facility"]))
    if (origin < 0).any() or (facility < 0).any():
        raise IndexMismatchError(
            f"{int((origin < 0).sum())} pairs name an origin, and {int((facility < 0).sum())} a facility, that residents and supply do not; give them "
            "for all"
        )
    weight = _weights(near["distance_m"].to_numpy(dtype=float) / limit_m, decay)
    people, offered = residents.to_numpy(dtype=float), supply.to_numpy(dtype=float)
    demand = np.bincount(facility, weight * people[origin], len(offered))
    ratio = np.divide(offered, demand, out=np.zeros(len(offered)), where=demand > 0)
    access = np.bincount(origin, weight * ratio[facility], len(people))
    mean = offered[demand > 0].sum() / people.sum() if people.sum() else np.nan
    n = np.bincount(origin, weight > 0, len(people)).astype(np.int64)
    relative = access / mean if mean else np.full(len(access), np.nan)
    return pd.DataFrame(
        {"accessibility": access, "n_facilities": n, "ratio_to_mean": relative},
        index=residents.index,
    )


def _weights(share: NDArray[np.float64], decay: Decay) -> NDArray[np.float64]:
    if decay == "none":
        return np.ones(len(share))
    if decay == "steps":
        return np.select([share <= upto for upto, _ in _STEPS], [weight for _, weight in _STEPS])
    return np.asarray(np.exp(np.log(_AT_LIMIT) * share**2))
