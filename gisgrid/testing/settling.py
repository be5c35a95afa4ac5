"""What becomes of a synthetic case: who may settle it, how long that takes, and whether it comes back."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.testing.rhythm import CATEGORIES, DAY_S, SOURCES, upload_seconds

LEVELS: Final = ("community", "subdistrict", "district", "bureau")
"""Who sees, and who settles."""

ABLE: Final = {
    "illegal_parking": ("bureau",), "illegal_building": ("bureau",), "exposed_garbage": ("community", "subdistrict"),
    "dirty_road": ("community", "subdistrict"), "damaged_road": ("bureau",), "wet_market_disorder": ("district",),
    "vector_breeding": ("community",), "sewage": ("bureau",), "illegal_adverts": ("community", "subdistrict"),
    "street_vending": ("subdistrict",), "dry_toilet": ("subdistrict",),
}  # fmt: skip
"""Which levels may settle which class."""

HANDLING_HOURS: Final = {
    "illegal_parking": 3.0, "illegal_building": 60.0, "exposed_garbage": 5.0, "dirty_road": 5.0, "damaged_road": 40.0,
    "wet_market_disorder": 16.0, "vector_breeding": 24.0, "sewage": 18.0, "illegal_adverts": 8.0, "street_vending": 4.0,
    "dry_toilet": 48.0,
}  # fmt: skip
"""Median hours from upload to handling where those who saw it may settle it."""

TIMES_AS_LONG: Final = 2.0
"""How much longer it takes where they may not."""

_SPREAD: Final = 0.7  # of the logarithm of hours
_BACK, _BACK_PLANTED, _FALSE = 0.05, 0.65, 0.5

Ints = NDArray[np.int64]


def settled(drawn: pd.DataFrame, plan: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Say when each case was uploaded, filed, dispatched, handled and closed, and what went wrong on the way.

    Parameters
    ----------
    drawn
        One row per case: `unit` (row of the plan), `source`, `category`, `level` (positions), `reported` (seconds of UTC),
        `x`, `y`.
    plan
        What was planted, by unit.
    rng
        The source of chance.

    Returns
    -------
    DataFrame
        The same with those times, `due`, `owner` (position), `n_hand_overs`, `n_returns`, `n_reworks`.
    """
    n = len(drawn)
    names = list(CATEGORIES)
    able = np.array([[level in ABLE[name] for level in LEVELS] for name in names])
    category = drawn["category"].to_numpy()
    gap = ~able[category, drawn["level"].to_numpy()]
    hours = np.array([HANDLING_HOURS[name] for name in names])[category] * np.where(
        gap, TIMES_AS_LONG, 1.0
    )
    wait = np.maximum(300, 3600 * hours * np.exp(rng.normal(0, _SPREAD, n))).astype(np.int64)
    uploaded = drawn["reported"].to_numpy() + upload_seconds(drawn["source"].to_numpy(), rng)
    handled = uploaded + wait
    filed = uploaded + np.minimum(wait // 10, rng.integers(60, 1200, n))
    dispatched = filed + np.minimum(wait // 10, rng.integers(60, 1800, n))
    planned = plan["rebound"].to_numpy()[drawn["unit"]]
    return drawn.assign(
        uploaded=uploaded, filed=filed, dispatched=dispatched, handled=handled, closed=handled + rng.integers(600, 7200, n),
        due=dispatched + (1.5 * 3600 * np.array([HANDLING_HOURS[name] for name in names])[category]).astype(np.int64),
        owner=able[category].argmax(axis=1), n_hand_overs=np.where(gap, 1 + rng.poisson(0.6, n), rng.poisson(0.05, n)),
        n_returns=rng.binomial(1, 0.04, n), n_reworks=rng.binomial(1, np.where(planned, 0.12, 0.05)),
    )  # fmt: skip


def returned(
    drawn: pd.DataFrame, plan: pd.DataFrame, end: int, rng: np.random.Generator
) -> pd.DataFrame:
    """Let problems come back where they were, some days after closing; a third time too.

    Parameters
    ----------
    drawn
        One row per case: `unit` (row of the plan), `source`, `category`, `level` (positions), `reported` (seconds of UTC),
        `x`, `y` and what `settled` adds.
    plan
        What was planted, by unit.
    end
        When the data end.
    rng
        The source of chance.

    Returns
    -------
    DataFrame
        The cases that came back, up to three times, settled.
    """
    parts, now = [], drawn
    for _ in range(3):
        chance = np.where(plan["rebound"].to_numpy()[now["unit"]], _BACK_PLANTED, _BACK)
        back = now[(rng.random(len(now)) < chance) & (now["closed"] < end).to_numpy()]
        soon = rng.random(len(back)) < _FALSE
        days = np.where(soon, rng.uniform(0.1, 2.0, len(back)), 2 + rng.exponential(4.0, len(back)))
        again = back.assign(
            reported=back["closed"] + (days * DAY_S).astype(np.int64),
            x=back["x"] + rng.normal(0, 0.5, len(back)), y=back["y"] + rng.normal(0, 0.5, len(back)),
        )  # fmt: skip
        now = settled(again[again["reported"] < end].reset_index(drop=True), plan, rng)
        parts.append(now)
    return pd.concat(parts, ignore_index=True)


def ledger_frame(drawn: pd.DataFrame, units: gpd.GeoDataFrame, key: str, end: int) -> pd.DataFrame:
    """Give the cases in the ledger's columns, without what had not happened by the end.

    Parameters
    ----------
    drawn
        One row per case: `unit` (row of the plan), `source`, `category`, `level` (positions), `reported` (seconds of UTC),
        `x`, `y` and what `settled` adds.
    units
        The units in the plan's order.
    key
        The column that names a unit.
    end
        When the data end.

    Returns
    -------
    DataFrame
        In the columns of the ledger's frame of cases.
    """
    points = gpd.GeoSeries(gpd.points_from_xy(drawn["x"], drawn["y"]), crs=units.crs).to_crs(4326)
    unit = drawn["unit"].to_numpy()
    names = np.array(list(CATEGORIES), dtype=object)[drawn["category"].to_numpy()]
    community = units["community_code"].to_numpy(dtype=object)[unit]
    times = {
        f"{name}_at": _moments(drawn[name].to_numpy(), end)
        for name in ("reported", "uploaded", "filed", "dispatched", "handled", "closed")
    }
    state = np.full(len(drawn), "reported", dtype=object)
    for name in ("filed", "dispatched", "handled", "closed"):
        state[times[f"{name}_at"].notna().to_numpy()] = name
    dispatched = times["dispatched_at"].notna()
    table = {
        "case_id": [f"C{number:07d}" for number in range(1, len(drawn) + 1)],
        "category_code": np.array([CATEGORIES[name] for name in names], dtype=object), "category": names,
        "unit_code": units[key].to_numpy(dtype=object)[unit], "community_code": community,
        "subdistrict_code": [code[:9] for code in community],
        "level_found": np.array(LEVELS, dtype=object)[drawn["level"].to_numpy()],
        "source": np.array(SOURCES, dtype=object)[drawn["source"].to_numpy()],
        "owner": np.array(LEVELS, dtype=object)[drawn["owner"].to_numpy()], "state": state, **times,
        "due_at": _moments(drawn["due"].to_numpy(), np.iinfo(np.int64).max).where(dispatched),
        **{name: drawn[name].where(dispatched.to_numpy(), 0).astype("int64") for name in ("n_returns", "n_reworks", "n_hand_overs")},
        "n_reopenings": 0,
        "urgency": "normal", "lon": points.x.to_numpy(), "lat": points.y.to_numpy(),
        "duplicate_of": pd.Series(None, index=drawn.index, dtype=object),
    }  # fmt: skip
    return pd.DataFrame(table)


def _moments(seconds: Ints, end: int) -> pd.Series:
    times = pd.Series(
        pd.DatetimeIndex((seconds * 1_000_000).view("datetime64[us]")).tz_localize("UTC")
    )
    return times.where(seconds < end)
