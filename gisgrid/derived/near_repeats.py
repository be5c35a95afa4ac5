"""Is a report followed by others nearby, and for how long, and how near?"""

from __future__ import annotations

import datetime as dt
from itertools import pairwise
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import Knox, knox, near_repeat
from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import reported
from gisgrid.derived.notes import FAR_IN_TIME, IN_NO_AREA, NO_TIME, heard, left_out
from gisgrid.derived.times import bulk
from gisgrid.errors import InputError
from gisgrid.join import assign_units

BANDS_M: Final = (100.0, 200.0, 300.0, 400.0)
"""Bands of distance, metres, where none are said."""

BANDS_DAYS: Final = (7.0, 14.0, 21.0, 28.0)
"""Bands of time, days, where none are said."""


def issue_near_repeats(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    bands_m: str = "100,200,300,400",
    bands_days: str = "7,14,21,28",
    permutations: int = 999,
    seed: int = 0,
) -> Derivation:
    """Say how much likelier another incident is within 100 m and a week of one than it would be by chance.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    bands_m
        Upper ends of the bands of distance, metres, rising, comma between.
    bands_days
        Upper ends of the bands of time, days, rising, comma between.
    permutations
        How many times the times are dealt out anew.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        A table, one row per band of distance and time: `over_m`, `to_m`, `over_days`, `to_days`, `n_pairs`, `expected`,
        `ratio`, `p` (one-sided, each band by itself).

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        Bands that are no rising numbers, or too many pairs for memory.

    Notes
    -----
    See `gisgrid.analysis.near_repeat`.
    """
    made, _ = near_repeats(
        issues, area, bands_m=bands_of(bands_m), bands_days=bands_of(bands_days),
        permutations=permutations, seed=seed,
    )  # fmt: skip
    return made


def bands_of(text: str) -> tuple[float, ...]:
    """Read the upper ends of bands.

    Parameters
    ----------
    text
        Numbers, comma between.

    Returns
    -------
    tuple of float
        The numbers.

    Raises
    ------
    InputError
        They are no rising numbers.

    Examples
    --------
    >>> bands_of("100, 200")
    (100.0, 200.0)
    """
    try:
        bands = tuple(float(each) for each in text.split(","))
    except ValueError:
        bands = ()
    if not bands or any(a >= b for a, b in pairwise(bands)) or bands[0] < 0:
        raise InputError(f"the bands {text!r} are no rising numbers; write for example 100,200,400")
    return bands


def near_repeats(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    bands_m: tuple[float, ...] = BANDS_M,
    bands_days: tuple[float, ...] = BANDS_DAYS,
    permutations: int = 999,
    seed: int = 0,
) -> tuple[Derivation, Knox]:
    """Give the table of `issue_near_repeats`, and the test of the nearest and soonest band alone.

    Parameters
    ----------
    issues
        As there.
    area
        As there.
    bands_m
        Upper ends of the bands of distance, metres.
    bands_days
        Upper ends of the bands of time, days.
    permutations
        How many times the times are dealt out anew.
    seed
        Seed of the permutations.

    Returns
    -------
    tuple of Derivation and Knox
        The table, and pairs within the first band of both.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        Bands that do not rise, or too many pairs for memory.
    """
    require_metres(area, what="the distance between reports", name="area")
    counted = reported(issues, area, "reported_at")
    incidents = counted.incidents
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    kept = bulk(incidents["reported_at"])
    timed = incidents["reported_at"].notna()
    within = incidents[inside & kept & timed]
    notes: list[str] = []
    with heard(notes):
        table = near_repeat(
            within, time="reported_at", bands_m=bands_m, bands_days=bands_days,
            permutations=permutations, seed=seed,
        )  # fmt: skip
        nearest = knox(
            within, time="reported_at", radius_m=bands_m[0], within=dt.timedelta(days=bands_days[0]),
            permutations=permutations, seed=seed,
        )  # fmt: skip
    excluded = {
        **counted.excluded,
        IN_NO_AREA: int((~inside).sum()),
        FAR_IN_TIME: int((inside & ~kept).sum()),
        NO_TIME: int((inside & ~timed).sum()),
    }
    table = pd.DataFrame(table).astype({"n_pairs": "int64"}).reset_index(drop=True)
    return Derivation(table, left_out(excluded), (*counted.notes, *notes)), nearest
