"""How often is a city without any hotspot said to have one?

Under no hotspot at all every finding is false, so the false discovery rate is the share of maps with any finding.
"""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.analysis import contiguity, excess, hotspots
from gisgrid.grids import tessellate

SEEDS = range(200)
LEVELS = {"hot_90": 0.10, "hot_95": 0.05, "hot_99": 0.01}


@pytest.fixture(scope="module")
def cells():
    city = gpd.GeoDataFrame(geometry=[shapely.box(5e5, 3.9e6, 5.09e5, 3.909e6)], crs=4547)
    cells = tessellate(city, cell_m=300)
    return cells[cells["share_inside"] >= 0.5]


@pytest.fixture(scope="module")
def graph(cells):
    return contiguity(cells, key="cell_id")


def labels_of_maps(cells, graph, reports_per_cell):
    """One row per map of reports strewn evenly, one column per cell."""
    whole = np.sqrt(3) / 2 * 0.09
    inside_km2 = (cells["area_km2"] * cells["share_inside"]).to_numpy()
    maps = []
    for seed in SEEDS:
        n = np.random.default_rng(seed).poisson(reports_per_cell * inside_km2 / whole)
        values = pd.Series(n / inside_km2, index=cells["cell_id"])
        maps.append(hotspots(values, graph)["label"].to_numpy())
    return np.array(maps)


def wrongly_hot(maps, label):
    at_least = {"hot_90": ["hot_90", "hot_95", "hot_99"], "hot_95": ["hot_95", "hot_99"], "hot_99": ["hot_99"]}  # fmt: skip
    return np.isin(maps, at_least[label])


def test_with_enough_reports_false_alarms_are_as_rare_as_promised(cells, graph):
    maps = labels_of_maps(cells, graph, 30)
    for label, promised in LEVELS.items():
        hot = wrongly_hot(maps, label)
        assert hot.mean() <= promised  # the share of wrongly hot cells
        by_chance = 3 * np.sqrt(promised * (1 - promised) / len(SEEDS))
        assert (
            hot.any(axis=1).mean() <= promised + by_chance
        )  # the share of maps with a false finding


def test_without_the_correction_nearly_every_map_would_have_a_false_hotspot(cells, graph):
    inside_km2 = (cells["area_km2"] * cells["share_inside"]).to_numpy()
    found = 0
    for seed in range(20):
        n = np.random.default_rng(seed).poisson(400 * inside_km2)
        scored = hotspots(pd.Series(n / inside_km2, index=cells["cell_id"]), graph)
        found += ((scored["p"] <= 0.05) & (scored["z"] > 0)).any()
    assert found == 20


def test_with_few_reports_the_promise_is_broken_as_the_docstring_says(cells, graph):
    maps = labels_of_maps(cells, graph, 0.3)
    hot = wrongly_hot(maps, "hot_95")
    assert hot.mean() <= 0.05
    assert 0.35 < hot.any(axis=1).mean() < 0.65
    assert "49 % with 0.3" in hotspots.__doc__


def test_unequal_residents_alarm_by_rate_and_not_by_excess(cells, graph):
    alarms = {"rate": 0, "excess": 0}
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        residents = pd.Series(rng.lognormal(0, 0.8, len(cells)), index=cells["cell_id"])
        n = pd.Series(rng.poisson(20 * residents), index=residents.index)
        for name, values in (("rate", n / residents), ("excess", excess(n, residents))):
            alarms[name] += (hotspots(values, graph)["q"] <= 0.05).any()
    assert alarms["excess"] / len(SEEDS) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / len(SEEDS))
    assert alarms["rate"] > 2 * alarms["excess"]
