"""Two breaks around a centre: planted radii come back, and what has no break says so."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import CRS
from scipy import optimize
from shapely import Point

from gisgrid.errors import CrsError, InputError, NullResultWarning
from gisgrid.surface import Surface
from gisgrid.zones import two_breaks, urbanity_index
from gisgrid.zones.breaks import profiles

METRES = CRS("EPSG:4547")


def surface(values, cell=500.0, crs=METRES):
    values = np.asarray(values, np.float32)
    return Surface(values, Affine(cell, 0, 0, 0, -cell, cell * len(values)), crs, "index")


def town(inner_km, outer_km, *, noise=0.0, side=121, at=(60.0, 60.0)):
    y, x = np.mgrid[:side, :side].astype(float)
    distance = np.hypot(x - at[0], y - at[1]) / 2
    fall = np.clip((outer_km - distance) / (outer_km - inner_km), 0, 1)
    return fall + np.random.default_rng(1).normal(0, noise, fall.shape)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.2])
@pytest.mark.parametrize(("inner", "outer"), [(8, 14), (5, 20)])
def test_planted_radii_come_back_within_a_cell(inner, outer, noise):
    values = town(inner, outer, noise=noise)
    index = urbanity_index({"lights": surface(values)}) if noise else surface(values)
    found = two_breaks(index)
    rays = found.rays
    assert rays["accepted"].mean() > 0.95
    assert abs(rays["inner_m"].median() - inner * 1000) <= 500
    assert abs(rays["outer_m"].median() - outer * 1000) <= 500
    zones = found.zones.set_index("zone_type").area / 1e6
    assert np.sqrt(zones["core"] / np.pi) == pytest.approx(inner, abs=0.5)
    assert np.sqrt((zones["core"] + zones["fringe"]) / np.pi) == pytest.approx(outer, abs=0.5)
    if noise:
        for edge, radius in (("inner", inner * 1000), ("outer", outer * 1000)):
            covered = (rays[f"{edge}_low_m"] <= radius) & (rays[f"{edge}_high_m"] >= radius)
            assert covered.mean() >= 0.75


def test_of_two_towns_each_has_its_own():
    values = np.maximum(town(4, 8, side=161, at=(40, 80)), 0.8 * town(3, 9, side=161, at=(120, 80)))
    middles = [Point(20_250, 40_250), Point(60_250, 40_250)]
    centres = gpd.GeoDataFrame(index=["west", "east"], geometry=middles, crs=METRES)
    found = two_breaks(surface(values), centres=centres)
    medians = found.rays.groupby("centre")[["inner_m", "outer_m"]].median()
    assert medians.loc["west"].tolist() == pytest.approx([4000, 8000], abs=500)
    assert medians.loc["east"].tolist() == pytest.approx([3000, 9000], abs=500)
    assert set(found.zones["centre"]) == {"west", "east"}


def test_a_bearing_without_an_edge_is_bridged_or_left_open():
    values = town(8, 14)
    values[59:62, 60:] = 1  # a ribbon of town to the east, as far as the map goes
    found = two_breaks(surface(values)).rays.set_index("bearing_deg")
    assert not found.loc[90.0, "accepted"]
    assert np.isnan(found.loc[90.0, "inner_m"])
    assert found.loc[90.0, "inner_smooth_m"] == pytest.approx(8000, abs=2000)


def test_a_plain_without_a_town_has_no_fringe():
    noise = np.random.default_rng(3).normal(0.5, 0.2, (81, 81))
    with pytest.warns(NullResultWarning, match="no fringe by this method"):
        found = two_breaks(surface(noise))
    assert found.zones.empty
    assert found.rays["accepted"].mean() < 0.5


def test_the_same_seed_gives_the_same():
    index = surface(town(8, 14, noise=0.1))
    first, second = two_breaks(index), two_breaks(index)
    pd.testing.assert_frame_equal(first.rays, second.rays)
    other = two_breaks(index, seed=1).rays
    assert not first.rays["inner_low_m"].equals(other["inner_low_m"])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(8, 30))
def test_the_fit_is_the_least_of_all(seed, n):
    rng = np.random.default_rng(seed)
    y = np.sort(rng.random(n))[::-1] + rng.normal(0, 0.1, n)
    begin, end, high, low, left = profiles.fit(y, 1)
    assert left == pytest.approx(
        ((y - profiles.shape(n, begin, end, high, low)) ** 2).sum(), abs=1e-9
    )
    for a in range(1, n - 2):
        for b in range(a + 1, n - 1):
            design = np.column_stack([np.ones(n), profiles.shape(n, a, b, 1.0, 0.0)])
            solution = optimize.lsq_linear(design, y)
            if solution.x[1] > 0:
                assert 2 * solution.cost >= left - 1e-9


def test_an_index_is_the_weighted_mean_of_stretched_layers():
    lights, shops = np.tile(np.arange(101.0), (5, 1)), np.tile(np.arange(101.0)[::-1], (5, 1))
    both = urbanity_index({"lights": surface(lights), "shops": surface(shops)})
    assert np.abs(both.values - 0.5).max() < 1e-6
    mostly = urbanity_index(
        {"lights": surface(lights), "shops": surface(shops)}, weights={"lights": 3, "shops": 1}
    )
    assert mostly.values[2, 100] == pytest.approx(0.75, abs=0.01)
    lights[0, 0] = np.nan
    assert np.isnan(urbanity_index({"lights": surface(lights)}).values[0, 0])


def test_what_cannot_be_indexed_or_broken_is_refused():
    level = surface(np.ones((9, 9)))
    with pytest.raises(InputError, match="'lights' is the same nearly everywhere"):
        urbanity_index({"lights": level})
    with pytest.raises(InputError, match="no layer"):
        urbanity_index({})
    with pytest.raises(InputError, match="give each layer a weight"):
        urbanity_index({"lights": level}, weights={"shops": 1})
    with pytest.raises(CrsError, match="measured in metres"):
        two_breaks(surface(town(8, 14), crs=CRS("EPSG:4490")))
    with pytest.raises(InputError, match="7 rays"):
        two_breaks(surface(town(8, 14)), n_rays=7)
    off = gpd.GeoDataFrame(geometry=[Point(-1, -1)], crs=METRES)
    with pytest.raises(InputError, match="1 of 1 centres"):
        two_breaks(surface(town(8, 14)), centres=off)
    with pytest.raises(CrsError, match=r"centres\.to_crs"):
        two_breaks(surface(town(8, 14)), centres=off.set_crs(4326, allow_override=True))
