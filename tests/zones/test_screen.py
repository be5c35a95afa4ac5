"""A screen for urban villages: dense, low and disorderly blocks come first, and labels say how well."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box
from shapely.affinity import rotate

from gisgrid.errors import ColumnError, CrsError, IndexMismatchError, InputError
from gisgrid.zones import screen_accuracy, urban_village_screen

CRS = "EPSG:4547"
SIDE = 200.0


def village(x, y, rng):
    """Small low houses, every way round."""
    places = rng.uniform(12, SIDE - 12, (120, 2))
    return [
        (rotate(box(x + a - 5, y + b - 4, x + a + 5, y + b + 4), rng.uniform(0, 90)), 9.0)
        for a, b in places
    ]


def estate(x, y, rng):
    """Slabs in rows."""
    return [
        (box(x + a, y + b, x + a + 60, y + b + 14), float(rng.choice([18, 60])))
        for a in (15, 115)
        for b in (10, 55, 100, 145)
    ]


@pytest.fixture(scope="module")
def city():
    rng = np.random.default_rng(4)
    blocks, buildings, truth = [], [], []
    for k in range(40):
        x, y = SIDE * (k % 8), SIDE * (k // 8)
        is_village = k % 5 == 0
        blocks.append(box(x, y, x + SIDE, y + SIDE))
        buildings += village(x, y, rng) if is_village else estate(x, y, rng)
        truth.append(is_village)
    shapes, heights = zip(*buildings, strict=True)
    return (
        gpd.GeoDataFrame({"height": heights}, geometry=list(shapes), crs=CRS),
        gpd.GeoDataFrame(geometry=blocks, crs=CRS),
        pd.Series(truth),
    )


def test_planted_villages_rank_first(city):
    buildings, blocks, truth = city
    screen = urban_village_screen(buildings, blocks, height="height")
    assert screen["n_buildings"].sum() == len(buildings)
    assert truth[screen["rank"] <= truth.sum()].all()
    accuracy = screen_accuracy(screen, truth)
    assert accuracy.attrs["auc"] == 1
    assert accuracy.loc[0.2].tolist() == [8, 1, 1, 5]
    assert screen.loc[truth, "disorder"].min() > 0.9
    assert screen.loc[~truth, "disorder"].max() < 0.1


def test_measures_are_what_they_are_called():
    houses = gpd.GeoDataFrame(
        {"h": [3.0, 3, 30, 3, np.nan]},
        geometry=[box(x, 0, x + 10, 10) for x in (0, 15, 30, 45, 60)],
        crs=CRS,
    )
    blocks = gpd.GeoDataFrame(geometry=[box(-5, -5, 95, 95), box(500, 500, 600, 600)], crs=CRS)
    found = urban_village_screen(houses, blocks, height="h")
    assert found.loc[
        0, ["n_buildings", "coverage", "median_size_m2", "buildings_per_ha"]
    ].tolist() == [5, 0.05, 100, 5]
    assert found.loc[
        0, ["median_gap_m", "disorder", "median_height_m", "share_high_rise"]
    ].tolist() == [5, 0, 3, 0.25]
    assert found.loc[1, "n_buildings"] == 0
    assert np.isnan(found.loc[1, "score"])
    assert found["rank"].isna().tolist() == [False, True]


def test_a_screen_needs_metres_heights_and_labels_of_both_kinds(city):
    buildings, blocks, truth = city
    with pytest.raises(CrsError, match=r"buildings\.to_crs"):
        urban_village_screen(buildings.to_crs(4490), blocks)
    with pytest.raises(ColumnError, match="no column 'hight' in buildings"):
        urban_village_screen(buildings, blocks, height="hight")
    screen = urban_village_screen(buildings, blocks)
    assert screen["share_high_rise"].isna().all()
    with pytest.raises(InputError, match="0 of the 40 labelled"):
        screen_accuracy(screen, truth & False)
    with pytest.raises(IndexMismatchError, match="reindex"):
        screen_accuracy(screen, truth.iloc[1:])
