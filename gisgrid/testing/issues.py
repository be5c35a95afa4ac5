"""What was reported: issues drawn from who lives where, what is planted, and when people report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gisgrid.testing import rhythm
from gisgrid.testing.grids import CRS_CODE, Grid
from gisgrid.testing.ground import Floats
from gisgrid.testing.places import Places
from gisgrid.testing.rhythm import CATEGORIES, DAY_S, SOURCES, UTC_OFFSET_S, Ints, Period
from gisgrid.testing.truth import Planted

SCHEME = "GB/T 30428.2-2013"
DUPLICATE_SHARE, STRAY_SHARE, BORDER_SHARE = 0.06, 0.001, 0.0005

MIX: Mapping[str, tuple[float, ...]] = {
    "centre": (26, 4, 13, 12, 6, 3, 3, 4, 14, 15, 0.2),
    "urban": (22, 6, 16, 13, 8, 3, 5, 5, 11, 10, 0.8),
    "nucleus": (6, 14, 26, 12, 11, 3, 9, 9, 3, 3, 6),
    "field": (4, 18, 26, 10, 14, 1, 9, 11, 2, 2, 5),
    "water": (0, 1, 6, 2, 1, 0, 2, 6, 0, 0, 0),
}
"""Weight of each category of `CATEGORIES`, by the compound's setting; every resident counts the same."""

BY_STREET: Mapping[str, float] = {"illegal_parking": 0.9, "street_vending": 0.9, "damaged_road": 0.95, "dirty_road": 0.95,
                                  "illegal_adverts": 0.8, "exposed_garbage": 0.55, "sewage": 0.6}  # fmt: skip
_BY_STREET_ELSE = 0.35


@dataclass(frozen=True)
class Draw:
    """Issues as numbers, all of one length.

    Attributes
    ----------
    category, source
        Positions in `CATEGORIES` and `SOURCES`.
    local
        Seconds since 1970-01-01 in local time when it was reported.
    xy
        Shape (n, 2), EPSG:4547.
    """

    category: Ints
    source: Ints
    local: Ints
    xy: Floats


def issue_frame(
    grid: Grid,
    places: Places,
    planted: Planted,
    period: Period,
    *,
    n: int,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Draw the reported issues.

    Parameters
    ----------
    grid, places, planted, period
        Who lives where, where points may lie, what is planted, and when.
    n
        How many, duplicates included.
    rng
        The source of chance.

    Returns
    -------
    GeoDataFrame
        Shape (n, ...), sorted by `reported_at`, in EPSG:4547.
    """
    n_duplicates = round(DUPLICATE_SHARE * n)
    first = _originals(grid, places, planted, period, n=n - n_duplicates, rng=rng)
    again, of = _duplicates(first, period, n_duplicates, grid, rng)
    draw = Draw(
        *(np.concatenate([getattr(first, f), getattr(again, f)]) for f in Draw.__dataclass_fields__)
    )
    end = period.last * DAY_S - UTC_OFFSET_S
    reported = draw.local - UTC_OFFSET_S
    uploaded = np.minimum(reported + rhythm.upload_seconds(draw.source, rng), end)
    closed = uploaded + rhythm.closing_seconds(draw.category, rng)
    late = np.arange(len(of)) + len(first.local)
    closed[late] = np.maximum(
        closed[of], uploaded[late] + 60
    )  # a duplicate is settled with its first report
    order = np.argsort(reported, kind="stable")
    place = np.empty(n, dtype=np.int64)
    place[order] = np.arange(n)
    duplicate_of = np.full(n, -1, dtype=np.int64)
    duplicate_of[late] = place[of]
    return _table(
        Draw(draw.category[order], draw.source[order], draw.local[order], draw.xy[order]),
        times=(reported[order], uploaded[order], closed[order]),
        end=end,
        duplicate_of=duplicate_of[order],
    )


def _originals(
    grid: Grid,
    places: Places,
    planted: Planted,
    period: Period,
    *,
    n: int,
    rng: np.random.Generator,
) -> Draw:
    days = period.days
    rates = rhythm.day_rates(days)
    share = np.array([rhythm.SOURCE_SHARE[name] for name in CATEGORIES])
    mix = {key: np.array(weights) / sum(weights) for key, weights in MIX.items()}
    by_day = planted.ramps[:, None, None, :] * rates[None]
    weight = (
        grid.compounds["population"].to_numpy(dtype=np.float64)[:, None]
        * np.array([mix[key] for key in grid.setting])
        * planted.factor
    )[:, :, None] * (share[None] * by_day.mean(axis=3)[planted.trend])
    counts = rng.multinomial(n, (weight / weight.sum()).ravel())
    cell = np.repeat(np.arange(counts.size), counts)
    compound, category, source = (np.asarray(k) for k in np.unravel_index(cell, weight.shape))
    profile = np.ravel_multi_index((planted.trend[compound], category, source), by_day.shape[:3])
    day = days[rhythm.pick(by_day.reshape(-1, len(days)), np.asarray(profile), rng)]
    local = day * DAY_S + _second_of_day(source, rng)
    by_street = np.array([BY_STREET.get(name, _BY_STREET_ELSE) for name in CATEGORIES])
    xy = places.draw(compound, rng.random(n) < by_street[category], rng)
    _move_to_borders(xy, compound, grid, rng)
    _move_outside(xy, grid, rng)
    return Draw(category, source, local, xy)


def _second_of_day(source: Ints, rng: np.random.Generator) -> Ints:
    hour = rhythm.pick(rhythm.hours_weights(), source, rng)
    return np.asarray(hour * 3600 + rng.integers(0, 3600, len(source)))


def _move_to_borders(xy: Floats, compound: Ints, grid: Grid, rng: np.random.Generator) -> None:
    """Put some issues exactly on a corner of their compound."""
    rows = rng.choice(len(xy), max(1, round(BORDER_SHARE * len(xy))), replace=False)
    shapes = grid.compounds.geometry.to_numpy()
    corners = shapely.get_num_coordinates(shapes)
    first = np.concatenate([[0], np.cumsum(corners)])
    pick = first[compound[rows]] + rng.integers(0, corners[compound[rows]])
    xy[rows] = shapely.get_coordinates(shapes)[pick]


def _move_outside(xy: Floats, grid: Grid, rng: np.random.Generator) -> None:
    """Put some issues outside the city: wrong positions, as real exports have them."""
    n = max(1, round(STRAY_SHARE * len(xy)))
    rows = rng.choice(len(xy), n, replace=False)
    west, south, east, north = grid.subdistricts.total_bounds
    angle = rng.uniform(0, 2 * np.pi, n)
    reach = np.hypot(east - west, north - south) / 2 + rng.exponential(1_500.0, n)
    xy[rows, 0] = (west + east) / 2 + reach * np.cos(angle)
    xy[rows, 1] = (south + north) / 2 + reach * np.sin(angle)


def _duplicates(
    first: Draw, period: Period, n: int, grid: Grid, rng: np.random.Generator
) -> tuple[Draw, Ints]:
    """Report some issues again, up to three days later and a few metres away."""
    last_day = period.last - 1
    early = np.flatnonzero(first.local // DAY_S < last_day)
    of = rng.choice(early, n)
    source = rng.choice(len(SOURCES) - 1, n, p=[0.5, 0.3, 0.2])  # a camera does not report twice
    local = (first.local[of] // DAY_S + rng.integers(0, 3, n)) * DAY_S + _second_of_day(source, rng)
    local += DAY_S * (local <= first.local[of])
    over = local // DAY_S > last_day
    room = period.last * DAY_S - 1 - first.local[of[over]]
    local[over] = (
        first.local[of[over]] + 1 + (rng.random(int(over.sum())) * (room - 1)).astype(np.int64)
    )
    xy = first.xy[of] + rng.normal(0, 9.0, (n, 2))
    city = shapely.union_all(grid.subdistricts.geometry.to_numpy())
    shapely.prepare(city)
    was_in, is_in = (shapely.contains_xy(city, p[:, 0], p[:, 1]) for p in (first.xy[of], xy))
    crossed = was_in != is_in
    xy[crossed] = first.xy[of[crossed]]
    return Draw(first.category[of], source, local, xy), of


def _table(
    draw: Draw, *, times: tuple[Ints, Ints, Ints], end: int, duplicate_of: Ints
) -> gpd.GeoDataFrame:
    n = len(draw.category)
    reported, uploaded, closed = times
    is_open = closed > end
    ids = _identifiers(np.arange(n))
    columns = {
        "issue_id": ids,
        "category_scheme": _words([SCHEME], np.zeros(n, dtype=np.int64)),
        "category_code": _words(list(CATEGORIES.values()), draw.category),
        "category": _words(list(CATEGORIES), draw.category),
        "reported_at": _utc(reported),
        "uploaded_at": _utc(uploaded),
        "closed_at": _utc(closed).where(~is_open),
        "source": _words(list(SOURCES), draw.source),
        "status": _words(["closed", "open"], is_open.astype(np.int64)),
        "duplicate_of": _identifiers(duplicate_of),
    }
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=shapely.points(draw.xy), crs=CRS_CODE)


def _text(values: pa.Array) -> pd.Series:
    text: pd.Series = pa.table({"text": values}).to_pandas()["text"]
    return text.astype("str")


def _words(words: list[str], at: NDArray[np.int64]) -> pd.Series:
    return _text(pa.array(words).take(pa.array(at)))


def _identifiers(number: Ints) -> pd.Series:
    """Write issue numbers as identifiers; -1 is none."""
    plain = pc.utf8_lpad(
        pc.cast(pa.array(np.maximum(number, 0) + 1), pa.string()), width=7, padding="0"
    )
    made = pc.binary_join_element_wise("R", plain, "")
    return _text(pc.if_else(pa.array(number >= 0), made, pa.scalar(None, pa.string())))


def _utc(seconds: Ints) -> pd.Series:
    return pd.Series((seconds * 1_000_000).astype("datetime64[us]")).dt.tz_localize("UTC")
