"""Where does the town stop and the fringe stop, on every bearing, and how sure is that?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import ndimage, stats

from gisgrid.crs import crs_label, is_metric
from gisgrid.errors import CrsError, InputError, warn_null
from gisgrid.surface import Surface
from gisgrid.zones.breaks import profiles

_FILTER: Final = 5
_BRIDGED: Final = 4
_LEAST_SAMPLES: Final = 8
_BLOCK: Final = 3
_CENTRE_SIGMA_M: Final = 2000.0
_NEARLY: Final = 0.9
_Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Breaks:
    """The two breaks around every centre.

    Attributes
    ----------
    rays
        A row per centre and bearing: `centre`, `bearing_deg` (from north, clockwise), `inner_m`, `outer_m` (where the town and
        where the fringe ends; NaN where the ray has no break), `inner_low_m`, `inner_high_m`, `outer_low_m`,
        `outer_high_m` (95 % bootstrap), `high`, `low` (the levels of the index), `r2`, `p` (of the slope against a straight
        line), `accepted`, and `inner_smooth_m`, `outer_smooth_m` (of which the polygons are made).
    zones
        Polygons: `zone_type` is ``core`` (inside the inner break), ``fringe`` (between the breaks), ``inner_band`` and
        ``outer_band`` (where each break lies by its intervals).
    """

    rays: pd.DataFrame
    zones: gpd.GeoDataFrame


def two_breaks(
    index: Surface,
    *,
    centres: gpd.GeoDataFrame | None = None,
    reach_m: float | None = None,
    n_rays: int = 72,
    min_r2: float = 0.6,
    min_drop: float = 0.2,
    alpha: float = 0.05,
    n_bootstrap: int = 199,
    seed: int = 0,
) -> Breaks:
    """Find where an urbanity index begins to fall and where it has fallen, around each centre.

    Parameters
    ----------
    index
        As from `gisgrid.zones.urbanity_index`, on a grid in metres.
    centres
        Points in the CRS of `index`; without them the middle of the highest ground (within a tenth of the
        highest) after a Gaussian of 2 km. With several, the rays of
        each end half-way to the others.
    reach_m
        How far rays go; without it to the edge of the raster.
    n_rays
        Bearings, evenly from north.
    min_r2, min_drop, alpha
        A ray has breaks where the three-piece profile explains at least this share of the variance, falls by this much of
        the index, and is better than a straight line at this level (F-test).
    n_bootstrap
        Draws of residuals behind the intervals, in blocks of three samples.
    seed
        Of the draws.

    Returns
    -------
    Breaks
        Rays and polygons.

    Raises
    ------
    CrsError
        The grid is not in metres.
    InputError
        Fewer than 8 rays, a centre off the raster, or rays of fewer than 8 cells.

    Warns
    -----
    NullResultWarning
        Fewer than half of a centre's rays have breaks: it gets no polygons.

    Notes
    -----
    A profile is sampled bilinearly every cell; high plateau, straight slope and low plateau are fitted by least squares
    over all pairs of breaks. Breaks of the rays are smoothed by a circular median of five, and up to four rays without
    are bridged. Source: the breakpoint studies of fringe belts (Peng and others, 2016; Wuhan), made exact; thresholds are this
    project's. Checked by recovery: on a synthetic city both radii within one cell.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> y, x = np.mgrid[:81, :81] - 40.0
    >>> fall = np.clip((14 - np.hypot(x, y) / 2) / 6, 0, 1)
    >>> city = Surface(fall.astype(np.float32), Affine(500, 0, 0, 0, -500, 40_500), CRS("EPSG:4547"), "index")
    >>> found = two_breaks(city).rays
    >>> float(found["inner_m"].median()), float(found["outer_m"].median())
    (8000.0, 14000.0)
    """
    if not is_metric(index.crs):
        raise CrsError(
            f"the index is in {crs_label(index.crs)} and breaks are measured in metres; bring it to a projected CRS, for example "
            "EPSG:4547"
        )
    if n_rays < 8:
        raise InputError(
            f"{n_rays} rays cannot follow the edge of a city; take 8 or more, usually 72"
        )
    places = _centres(index, centres)
    names = list(range(len(places))) if centres is None else centres.index.to_list()
    rng = np.random.default_rng(seed)
    tables, zones = [], []
    for at, name in enumerate(names):
        rows = [
            _ray(index, places, at, bearing, reach_m, n_bootstrap, rng)
            for bearing in np.arange(n_rays) * 360 / n_rays
        ]
        table = pd.DataFrame(rows)
        table["accepted"] = (
            (table["r2"] >= min_r2)
            & (table["high"] - table["low"] >= min_drop)
            & (table["p"] <= alpha)
        )
        columns = [c for c in map(str, table) if c.startswith(("inner_", "outer_"))]
        table.loc[~table["accepted"], columns] = np.nan
        table.insert(0, "centre", name)
        smooth = {column: _smoothed(table[column].to_numpy()) for column in columns}
        table["inner_smooth_m"], table["outer_smooth_m"] = smooth["inner_m"], smooth["outer_m"]
        tables.append(table)
        if table["accepted"].mean() < 0.5:
            warn_null(
                f"only {table['accepted'].sum()} of the {n_rays} rays of centre {name!r} have breaks, so it has no fringe by this method"
            )
            continue
        zones += _polygons(name, places[at], table["bearing_deg"].to_numpy(), smooth)
    frame = gpd.GeoDataFrame(zones, columns=["centre", "zone_type", "geometry"], crs=index.crs)
    return Breaks(pd.concat(tables, ignore_index=True), frame)


def _centres(index: Surface, centres: gpd.GeoDataFrame | None) -> _Floats:
    t = index.transform
    if centres is None:
        values = np.nan_to_num(index.values.astype(float), nan=0.0)
        smooth = ndimage.gaussian_filter(values, _CENTRE_SIGMA_M / t.a)
        # Of a plateau no cell is the highest but by chance: take the middle of all that are nearly as high.
        labels, _ = ndimage.label(smooth >= _NEARLY * smooth.max())
        row, column = ndimage.center_of_mass(labels == labels.flat[smooth.argmax()])
        return np.array([[t.c + (column + 0.5) * t.a, t.f + (row + 0.5) * t.e]])
    if centres.crs is None or not centres.crs.equals(index.crs, ignore_axis_order=True):
        raise CrsError(
            f"centres are in {'no CRS' if centres.crs is None else crs_label(centres.crs)} and the index in {crs_label(index.crs)}; bring "
            "them to the same: centres.to_crs(index.crs)"
        )
    places = shapely.get_coordinates(centres.geometry.to_numpy())
    west, south, east, north = index.bbox
    off = (
        (places[:, 0] < west)
        | (places[:, 0] > east)
        | (places[:, 1] < south)
        | (places[:, 1] > north)
    )
    if len(places) != len(centres) or off.any():
        raise InputError(
            f"{max(int(off.sum()), len(centres) - len(places))} of {len(centres)} centres are no points on the raster; give points inside it"
        )
    return np.asarray(places)


def _ray(  # noqa: PLR0917
    index: Surface, places: _Floats, at: int, bearing: float, reach_m: float | None, n_bootstrap: int, rng: np.random.Generator
) -> dict[str, float]:  # fmt: skip
    step = index.transform.a
    y = _profile(index, places, at, bearing, reach_m)
    row = {"bearing_deg": float(bearing)}
    none = dict.fromkeys(
        ("inner_m", "outer_m", "inner_low_m", "inner_high_m", "outer_low_m", "outer_high_m", "high", "low", "r2", "p"), np.nan
    )  # fmt: skip
    if len(y) < _LEAST_SAMPLES:
        return row | none
    begin, end, high, low, left = profiles.fit(y, 1)
    spread = float(((y - y.mean()) ** 2).sum())
    if begin < 0 or spread == 0:
        return row | none
    slope = stats.linregress(np.arange(len(y)), y)
    straight = spread * (1 - slope.rvalue**2)
    free = len(y) - 4
    f = max(0.0, straight - left) / 2 / max(left / free, 1e-300)
    fitted = profiles.shape(len(y), begin, end, high, low)
    starts = rng.integers(0, len(y), (n_bootstrap, -(-len(y) // _BLOCK)))
    drawn = profiles.bootstrap(y, fitted, 1, starts, _BLOCK)
    drawn = drawn[drawn[:, 0] >= 0]
    bounds = np.quantile(drawn, [0.025, 0.975], axis=0) if len(drawn) else np.full((2, 2), np.nan)
    return row | {
        "inner_m": begin * step, "outer_m": end * step,
        "inner_low_m": bounds[0, 0] * step, "inner_high_m": bounds[1, 0] * step,
        "outer_low_m": bounds[0, 1] * step, "outer_high_m": bounds[1, 1] * step,
        "high": high, "low": low, "r2": 1 - left / spread, "p": float(stats.f.sf(f, 2, free)),
    }  # fmt: skip


def _profile(
    index: Surface, places: _Floats, at: int, bearing: float, reach_m: float | None
) -> _Floats:
    """Sample the index along a ray, as far as it is known and nearer to this centre than to another."""
    t = index.transform
    height, width = index.values.shape
    longest = np.hypot(height, width) * t.a if reach_m is None else reach_m
    distance = np.arange(0.0, longest + t.a / 2, t.a)
    x = places[at, 0] + distance * np.sin(np.radians(bearing))
    y = places[at, 1] + distance * np.cos(np.radians(bearing))
    own = np.ones(len(distance), np.bool_)
    for other in np.delete(np.arange(len(places)), at):
        own &= distance <= np.hypot(x - places[other, 0], y - places[other, 1])
    rows, columns = (y - t.f) / t.e - 0.5, (x - t.c) / t.a - 0.5
    values = ndimage.map_coordinates(
        index.values.astype(float), [rows, columns], order=1, mode="constant", cval=np.nan
    )
    known = own & np.isfinite(values)
    return np.ascontiguousarray(values[: int(np.argmin(known)) if not known.all() else len(known)])


def _smoothed(values: _Floats) -> _Floats:
    """Take the circular median of five and bridge short stretches without a value."""
    n, half = len(values), _FILTER // 2
    around = np.stack([np.roll(values, shift) for shift in range(-half, half + 1)])
    known = np.isfinite(values)
    median = np.full(n, np.nan)
    median[known] = np.nanmedian(around[:, known], axis=0)
    if not known.any():
        return median
    at = np.flatnonzero(known)
    bridged = np.interp(np.arange(n), np.r_[at - n, at, at + n], np.tile(median[at], 3))
    since = (
        np.arange(n)
        - np.r_[at - n, at, at + n][
            np.searchsorted(np.r_[at - n, at, at + n], np.arange(n), side="right") - 1
        ]
    )
    until = np.r_[at - n, at, at + n][
        np.searchsorted(np.r_[at - n, at, at + n], np.arange(n))
    ] - np.arange(n)
    return np.where(since + until - 1 <= _BRIDGED, bridged, median)


def _polygons(
    name: object, place: _Floats, bearing: _Floats, smooth: dict[str, _Floats]
) -> list[tuple[object, str, shapely.Geometry]]:
    def disc(column: str) -> shapely.Geometry:
        radius = smooth[column]
        there = np.isfinite(radius)
        angle = np.radians(bearing[there])
        ring = place + radius[there, None] * np.column_stack([np.sin(angle), np.cos(angle)])
        return shapely.make_valid(shapely.Polygon(ring))

    core, outer = disc("inner_m"), disc("outer_m")
    bands = [
        (f"{edge}_band", shapely.difference(disc(f"{edge}_high_m"), disc(f"{edge}_low_m")))
        for edge in ("inner", "outer")
    ]
    return [
        (name, kind, shape)
        for kind, shape in [("core", core), ("fringe", shapely.difference(outer, core)), *bands]
    ]
