"""Where do buildings stand as they do in urban villages? A ranking of candidates, never a finding."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, CrsError, IndexMismatchError, InputError, did_you_mean

_BINS: Final = 18
_FEWEST: Final = 5
_DENSE: Final = ("coverage", "buildings_per_ha", "disorder")
_SPARSE: Final = ("median_size_m2", "median_gap_m")


def urban_village_screen(
    buildings: gpd.GeoDataFrame,
    blocks: gpd.GeoDataFrame,
    *,
    height: str | None = None,
    high_rise_m: float = 24.0,
) -> pd.DataFrame:
    """Rank blocks by how much their buildings stand like those of an urban village.

    Urban villages are dense, low, fine-grained and grown rather than planned. Old town centres and workers' housing are
    so, too: who is on this list is worth a visit, and nothing else. Polygons of urban villages that a city keeps are
    the truth; this screen is not.

    Parameters
    ----------
    buildings
        Footprints, in a projected CRS in metres; each counts in the block that holds its centroid.
    blocks
        Blocks, communities or cells to rank, n of them, in the same CRS.
    height
        The column of `buildings` with heights in metres.
    high_rise_m
        Buildings of this height or more speak against an urban village.

    Returns
    -------
    DataFrame
        Shape (n, 10), indexed like `blocks`: `n_buildings`, `coverage` (share of the ground), `median_size_m2`,
        `buildings_per_ha`, `median_gap_m` (to the nearest other building), `disorder` (0 all walls on two axes, 1 in every
        direction alike), `median_height_m` and `share_high_rise` (NaN without heights), `score` (0 to 1, the mean of the
        ranks of what speaks for it) and `rank` (1 the likeliest). Blocks of fewer than 5 buildings have no score.

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    ColumnError
        No such column of heights.

    Notes
    -----
    Disorder is the entropy of the walls' bearings in 5° steps modulo 90°, weighted by their length, over the largest there
    can be (Boeing, 2019, for streets). The score weighs all measures alike, because which of them tells is a matter of the
    city: score it on labelled data with `screen_accuracy` first.
    """
    crs = require_metres(blocks, what="the measures of buildings", name="blocks")
    if buildings.crs is None or not buildings.crs.equals(crs, ignore_axis_order=True):
        raise CrsError(
            "buildings and blocks are in different CRS; bring them to one: buildings.to_crs(blocks.crs)"
        )
    if height is not None and height not in buildings.columns:
        raise ColumnError(
            f"no column {height!r} in buildings{did_you_mean(height, map(str, buildings.columns))}"
        )
    shapes, ground = buildings.geometry.to_numpy(), blocks.geometry.to_numpy()
    block = _block_of(shapes, ground)
    there = block >= 0
    shapes, block = shapes[there], block[there]
    n = np.bincount(block, minlength=len(ground))
    hectares = np.maximum(shapely.area(ground) / 10_000, 1e-12)
    size = shapely.area(shapes)
    table = pd.DataFrame({"n_buildings": n}, index=blocks.index)
    table["coverage"] = np.bincount(block, size, minlength=len(ground)) / (hectares * 10_000)
    table["median_size_m2"] = _medians(size, block, len(ground))
    table["buildings_per_ha"] = n / hectares
    table["median_gap_m"] = _medians(_gaps(shapes), block, len(ground))
    table["disorder"] = _disorder(shapes, block, len(ground))
    table["median_height_m"], table["share_high_rise"] = np.nan, np.nan
    if height is not None:
        metres = buildings[height].to_numpy(dtype=float)[there]
        known = np.isfinite(metres)
        table["median_height_m"] = _medians(metres[known], block[known], len(ground))
        high = np.bincount(block[known], metres[known] >= high_rise_m, minlength=len(ground))
        of = np.bincount(block[known], minlength=len(ground))
        table["share_high_rise"] = np.divide(
            high, of, out=np.full(len(ground), np.nan), where=of > 0
        )
    return _ranked(table)


def screen_accuracy(screen: pd.DataFrame, labelled: pd.Series) -> pd.DataFrame:
    """Say how well a screen finds what is known to be urban villages.

    Parameters
    ----------
    screen
        As from `urban_village_screen`.
    labelled
        Whether each block is an urban village, indexed like `screen`; missing where nobody knows.

    Returns
    -------
    DataFrame
        A row per share of the blocks that one would visit (5, 10, 20, 50 %): `n_visited`, `precision` (share of them that
        are), `recall` (share of all that are found), `lift` (precision over what chance has); and the attribute ``auc``,
        the chance that an urban village ranks before another block.

    Raises
    ------
    IndexMismatchError
        Labels indexed otherwise.
    InputError
        Labels of one kind only.
    """
    if not labelled.index.equals(screen.index):
        raise IndexMismatchError(
            "labelled is indexed otherwise than the screen; give labelled.reindex(screen.index)"
        )
    known = labelled.notna() & screen["score"].notna()
    truth = labelled[known].astype(bool).to_numpy()
    if truth.all() or not truth.any():
        raise InputError(
            f"{int(truth.sum())} of the {len(truth)} labelled blocks are urban villages, and accuracy needs some of either kind"
        )
    score = screen.loc[known, "score"]
    order = np.argsort(-score.to_numpy(), kind="stable")
    rows = []
    for share in (0.05, 0.1, 0.2, 0.5):
        n = max(1, round(share * len(order)))
        hits = int(truth[order[:n]].sum())
        rows.append((share, n, hits / n, hits / truth.sum(), hits / n / truth.mean()))
    table = pd.DataFrame(
        rows, columns=["share", "n_visited", "precision", "recall", "lift"]
    ).set_index("share")
    ranks = score.rank().to_numpy()
    n_true = int(truth.sum())
    table.attrs["auc"] = float(
        (ranks[truth].sum() - n_true * (n_true + 1) / 2) / (n_true * (len(truth) - n_true))
    )
    return table


def _block_of(shapes: NDArray[np.object_], ground: NDArray[np.object_]) -> NDArray[np.int64]:
    """Give each building the first block that holds its centroid; -1 where none does."""
    block = np.full(len(shapes), -1, np.int64)
    pairs = shapely.STRtree(shapely.centroid(shapes)).query(ground, predicate="intersects")
    block[pairs[1][::-1]] = pairs[0][::-1]  # of several the last assignment stays: the first block
    return block


def _medians(values: NDArray[np.float64], block: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    medians = pd.Series(values).groupby(block).median()
    return np.asarray(medians.reindex(range(n)).to_numpy(dtype=float))


def _gaps(shapes: NDArray[np.object_]) -> NDArray[np.float64]:
    """Measure from each building to the nearest other one."""
    gaps = np.full(len(shapes), np.nan)
    if len(shapes) > 1:
        tree = shapely.STRtree(shapes)
        (own, _), distance = tree.query_nearest(
            shapes, exclusive=True, all_matches=False, return_distance=True
        )
        gaps[own] = distance
    return gaps


def _disorder(shapes: NDArray[np.object_], block: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    xy, of = shapely.get_coordinates(
        shapely.get_exterior_ring(shapely.get_geometry(shapes, 0)), return_index=True
    )
    step = np.diff(xy, axis=0)
    same = of[1:] == of[:-1]
    step, of = step[same], of[:-1][same]
    length = np.hypot(step[:, 0], step[:, 1])
    bearing = np.degrees(np.arctan2(step[:, 0], step[:, 1])) % 90
    bins = np.minimum((bearing / (90 / _BINS)).astype(int), _BINS - 1)
    walls = np.bincount(block[of] * _BINS + bins, length, minlength=n * _BINS).reshape(n, _BINS)
    total = walls.sum(axis=1, keepdims=True)
    share = np.divide(walls, total, out=np.zeros_like(walls), where=total > 0)
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=1) / np.log(_BINS)
    return np.where(total[:, 0] > 0, entropy, np.nan)


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    enough = table["n_buildings"] >= _FEWEST
    among = table[enough]
    speaks = [among[name].rank(pct=True) for name in _DENSE]
    speaks += [1 - among[name].rank(pct=True) for name in _SPARSE]
    if among["median_height_m"].notna().any():
        speaks.append(1 - among["share_high_rise"].rank(pct=True))
    score = pd.concat(speaks, axis=1).mean(axis=1) if len(among) else pd.Series(dtype=float)
    table["score"] = score.reindex(table.index)
    table["rank"] = table["score"].rank(ascending=False, method="first").astype("Int64")
    return table
