"""Which places are no places: where exports put what they could not locate?

A report without a place gets one: the town hall, the geocoder's default, the middle of its grid, a coordinate with three
decimals. On a map that is a hotspot. `fallback_points` finds such points and marks them; it moves and deletes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray
from scipy.spatial import cKDTree
from scipy.stats import poisson

from gisgrid.errors import InputError
from gisgrid.intake.repeats.piles import M_PER_DEGREE, judged_spots, spots_of
from gisgrid.intake.repeats.rounding import LEAST_ROWS, rounded_rows
from gisgrid.schema import Text

ZERO, GRID_CENTRE, PILE, ROUNDED = 1, 2, 3, 4
KINDS: Final = ("", "zero", "grid_centre", "pile", "rounded")
"""What the numbers of `FallbackPoints.kind` mean; where several apply, the first of them holds."""

_CENTRE_M: Final = 0.5


@dataclass(frozen=True)
class FallbackPoints:
    """Which rows lie where a report is put that has no place.

    Attributes
    ----------
    kind
        Shape (n,), positions in `KINDS`; analysis leaves out all but 0 by default and says so.
    piles
        One row per coordinate with at least 20 reports that stands out or was judged: `lon`, `lat`, `n` reports,
        `n_near` other reports within 250 m, `n_addresses` (missing without addresses), `kind` (``pile``,
        ``grid_centre``, ``zero``, ``rounded``, or ``busy``: a place with many reports that is kept), `first_row` (its first
        position), `why_zh`, `why_en`. Largest first.
    share
        0 to 1, of all rows.
    evidence
        What was found, a sentence each; empty where nothing was.
    """

    kind: NDArray[np.uint8]
    piles: pd.DataFrame
    share: float
    evidence: tuple[Text, ...]

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{int((self.kind == number).sum())} {kind}"
            for number, kind in enumerate(KINDS)
            if kind
        )
        return f"<FallbackPoints: {self.share:.1%} of {len(self.kind)} reports ({counts})>"


def fallback_points(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    *,
    source_x: NDArray[np.float64] | None = None,
    source_y: NDArray[np.float64] | None = None,
    source_unit_m: float = M_PER_DEGREE,
    category: pa.Array | None = None,
    reported_at: NDArray[np.datetime64] | None = None,
    address: pa.Array | None = None,
    centres: NDArray[np.float64] | None = None,
) -> FallbackPoints:
    """Find the reports that lie where a report is put that has no place.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees, WGS84; rows with NaN are left alone.
    source_x, source_y
        Shape (n,), the numbers as the source writes them, before any conversion: their decimals tell how they were
        rounded. `lon` and `lat` where not given.
    source_unit_m
        Metres in one unit of `source_x`: 111 320 for degrees, 1 for metres, 0.3048 for feet.
    category
        Shape (n,), the class: a default collects all classes, a house its own.
    reported_at
        Shape (n,), datetime64, UTC: a default goes on, an event is over soon.
    address
        Shape (n,), as written: many addresses on one coordinate are no house.
    centres
        Shape (k, 2), lon, lat: centroids and representative points of the units, all levels.

    Returns
    -------
    FallbackPoints
        The kind of each row, the table of piles, the share, and the evidence in words.

    Raises
    ------
    InputError
        Arrays of different lengths.

    Notes
    -----
    A *pile* is a coordinate with at least 20 rows for which one of these holds:

    * many addresses: no address makes up a fifth of its rows, and they have at least ten addresses;
    * a gap: it and the larger ones stand apart from the next largest by a factor of at least 3, where the tail of all
      coordinates (Hill's estimate from the next largest, 1 % of them, at least 20) makes such a gap by chance once in 10 000
      cities (the ratio of neighbouring order statistics of a Pareto tail), *and* its address is not one and the same;
    * a gap (factor 3; 2 where chance makes it once in 100) *and* a mixture of classes that cannot be told from that of the whole city
      (chi-squared of up to 200 rows, p of at least 0.01, three classes or more), whatever its address: an office gives its own.

    And its reports go on: the middle half of their times spans a tenth or more of what the city's does. So a tower that
    is reported 125 times in four years, where the next have 82, 66 and 59, is a busy place: it stays, and is in the table.

    *Grid centres*: rows within 0.5 m of a centre, where they are more than chance would bring (Poisson, p below 0.001;
    at least 20, or half of the rows). *Rounded*: both coordinates end on a lattice coarser than 50 m (three decimals or fewer
    of a degree) in at least 20 rows and five times what finer numbers would by chance. Where more than half of all rows
    do, that is the file's precision: the evidence says so and no row is marked. Four decimals (11 m) are only mentioned.
    *Zero*: the source's coordinates are exactly 0, 0.

    CRS: WGS84 degrees. Cost: about 1 s for a million rows.

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> lon, lat = 114 + rng.normal(0, 0.05, 2_000), 35.2 + rng.normal(0, 0.05, 2_000)
    >>> fallback_points(lon, lat)
    <FallbackPoints: 0.0% of 2000 reports (0 zero, 0 grid_centre, 0 pile, 0 rounded)>
    >>> lon[:100], lat[:100] = 114.0123456, 35.2123456
    >>> found = fallback_points(lon, lat)
    >>> found.piles[["lon", "n", "kind"]].values.tolist()
    [[114.0123456, 100, 'pile']]
    """
    n = len(lon)
    _require(n, lat=lat, source_x=source_x, source_y=source_y, category=category,
             reported_at=reported_at, address=address)  # fmt: skip
    x, y = (lon, lat) if source_x is None or source_y is None else (source_x, source_y)
    known = np.isfinite(lon) & np.isfinite(lat)
    kind = np.zeros(n, np.uint8)
    spots = spots_of(lon, lat, known)
    rounded, rounding = rounded_rows(x, y, known, source_unit_m)
    kind[rounded] = ROUNDED
    table = judged_spots(spots, category, reported_at, address)
    for spot in table.loc[table["kind"] == "pile", "spot"]:
        kind[spots.members(spot)] = PILE
    at_centre = _at_centres(lon, lat, known, centres)
    kind[at_centre] = GRID_CENTRE
    kind[known & (x == 0) & (y == 0)] = ZERO
    first = spots.rows[spots.begin[table["spot"].to_numpy(np.int64)]]
    final = np.array([*KINDS])[kind[first]]
    table["kind"] = np.where(final == "", table["kind"].to_numpy(object), final)
    table = table.drop(columns="spot").reset_index(drop=True)
    share = float((kind > 0).mean()) if n else 0.0
    return FallbackPoints(kind, table, share, (*_evidence(kind, table), *rounding))


def _require(n: int, **arrays: NDArray[np.generic] | pa.Array | None) -> None:
    for name, values in arrays.items():
        if values is not None and len(values) != n:
            raise InputError(
                f"{name} has {len(values)} values but lon has {n}; give one for each report"
            )


def _at_centres(
    lon: NDArray[np.float64],
    lat: NDArray[np.float64],
    known: NDArray[np.bool_],
    centres: NDArray[np.float64] | None,
) -> NDArray[np.int64]:
    """Find the rows on the middle of a unit, where they are too many for chance."""
    rows = np.flatnonzero(known)
    if centres is None or len(centres) == 0 or len(rows) == 0:
        return np.zeros(0, np.int64)
    shrink = np.cos(np.radians(float(np.mean(lat[rows])))) * M_PER_DEGREE
    points = np.column_stack([lon[rows] * shrink, lat[rows] * M_PER_DEGREE])
    middles = np.column_stack([centres[:, 0] * shrink, centres[:, 1] * M_PER_DEGREE])
    middles = middles[np.isfinite(middles).all(axis=1)]
    near = _perhaps_near(points, middles, 4 * _CENTRE_M)
    rows_near, points = rows[near], points[near]
    distance, _ = cKDTree(middles).query(points, distance_upper_bound=_CENTRE_M)
    hit = np.isfinite(distance)
    # As many as lie in the ring from there to four times as far, by area: 1 to 15.
    ring, _ = cKDTree(middles).query(points[~hit], distance_upper_bound=4 * _CENTRE_M)
    expected = np.isfinite(ring).sum() / 15.0 + 1.0
    n_hit = int(hit.sum())
    enough = n_hit >= min(LEAST_ROWS, 0.5 * len(rows)) and poisson.sf(n_hit - 1, expected) < 1e-3
    return rows_near[hit] if enough else np.zeros(0, np.int64)


def _perhaps_near(
    points: NDArray[np.float64], middles: NDArray[np.float64], reach_m: float
) -> NDArray[np.int64]:
    """Find the points that may lie within reach of a middle, and a few others: nearly all are left out at no cost."""
    table = np.zeros(1 << 22, np.bool_)
    around = np.arange(-1, 2)
    cells = np.floor(middles / reach_m).astype(np.int64)
    for east in around:
        for north in around:
            table[_slot(cells[:, 0] + east, cells[:, 1] + north, len(table))] = True
    own = np.floor(points / reach_m).astype(np.int64)
    return np.flatnonzero(table[_slot(own[:, 0], own[:, 1], len(table))])


def _slot(x: NDArray[np.int64], y: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    return ((x * 73_856_093) ^ (y * 19_349_663)) & (n - 1)


def _evidence(kind: NDArray[np.uint8], table: pd.DataFrame) -> list[Text]:
    """Say what was found, each kind in a sentence."""
    evidence, total = [], len(kind)
    counts = np.bincount(kind, minlength=len(KINDS))
    if counts[ZERO]:
        evidence.append(
            Text(zh=f"{counts[ZERO]} 行坐标为 0, 0", en=f"{counts[ZERO]} rows lie at 0, 0")
        )
    if n := int(counts[GRID_CENTRE]):
        zh = f"{n} 行（{n / total:.1%}）正好在网格中心，远多于偶然"
        en = f"{n} rows ({n / total:.1%}) lie exactly on the middle of a unit, far more than by chance"
        evidence.append(Text(zh=zh, en=en))
    piles = table[table["kind"] == "pile"]
    if n := int(counts[PILE]):
        worst = piles.iloc[0]
        zh = f"{len(piles)} 个坐标上堆了 {n} 行（{n / total:.1%}），最大的在 {worst['lon']:.6f}, {worst['lat']:.6f}：{worst['why_zh']}"
        en = f"{n} rows ({n / total:.1%}) are piled on {len(piles)} coordinates, most at {worst['lon']:.6f}, {worst['lat']:.6f}: {worst['why_en']}"
        evidence.append(Text(zh=zh, en=en))
    return evidence
