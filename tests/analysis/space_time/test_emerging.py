import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from gisgrid.analysis import contiguity, excess
from gisgrid.analysis.space_time.cube import space_time_cube
from gisgrid.analysis.space_time.emerging import (
    PATTERN_MEANINGS,
    PATTERN_TEXTS,
    PATTERNS,
    emerging_hotspots,
    emerging_patterns,
)
from gisgrid.analysis.space_time.step_scores import step_scores
from gisgrid.analysis.space_time.trend import mann_kendall
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning, SmallSampleWarning
from gisgrid.join import assign_units
from gisgrid.testing import synthetic_city

# One character per step: h hot, c cold, . neither, ? no test. Then the trend's z and p.
SERIES = [
    (".........h", 0, 1, "new_hot"),
    ("........hh", 0, 1, "consecutive_hot"),
    ("..hhhhhhhh", 9, 0, "consecutive_hot"),
    (".hhhhhhhhh", 3, 0.01, "intensifying_hot"),
    ("hhhhhhhhhh", 3, 0.01, "intensifying_hot"),
    ("hhhhhhhhhh", 3, 0.20, "persistent_hot"),
    ("hhh.hhhhhh", 0, 1, "persistent_hot"),
    ("hhhhhhhhhh", -3, 0.01, "diminishing_hot"),
    ("hchhhhhhhh", -3, 0.01, "diminishing_hot"),
    ("h.......h.", 0, 1, "sporadic_hot"),
    ("h........h", 0, 1, "sporadic_hot"),
    (".hhhhhhhh.", 0, 1, "sporadic_hot"),
    ("c.h......h", 0, 1, "oscillating_hot"),
    ("chh.hhhhhh", 5, 0, "oscillating_hot"),
    ("hhhhhhhhh.", 0, 1, "historical_hot"),
    ("..........", 3, 0, "no_pattern"),
    ("h...c.....", 0, 1, "no_pattern"),
    # Where two rules hold: the side of the last step, then the order of the table.
    ("c........h", 0, 1, "new_hot"),
    ("c.......hh", 0, 1, "consecutive_hot"),
    ("hhhhhhhhhc", 0, 1, "new_cold"),
    ("hhhhhhhcch", 0, 1, "oscillating_hot"),
    # Shares are of the steps with a test.
    ("?hhhhhhhhh", 0, 1, "persistent_hot"),
    ("?????????h", 0, 1, "new_hot"),
    ("hhhhhhhhh?", 0, 1, None),
]  # fmt: skip
CODE = {"h": 1.0, "c": -1.0, ".": 0.0, "?": np.nan}


def classified(rows, **options):
    states = pd.DataFrame([[CODE[step] for step in row[0]] for row in rows])
    trend = pd.DataFrame(
        {"z": [row[1] for row in rows], "p": [row[2] for row in rows]}, dtype=float
    )
    return emerging_patterns(states, trend, **options)["pattern"]


@pytest.mark.parametrize("row", SERIES, ids=lambda row: row[0])
def test_each_pattern_by_hand(row):
    found = classified([row]).iloc[0]
    assert found == row[3] if row[3] else pd.isna(found)


@pytest.mark.parametrize("row", SERIES, ids=lambda row: row[0])
def test_each_pattern_mirrored(row):
    swap = str.maketrans("hc", "ch")
    found = classified([(row[0].translate(swap), -row[1], row[2])]).iloc[0]
    if row[3] is None:
        assert pd.isna(found)
    else:
        kind, _, side = row[3].rpartition("_")
        mirrored = {"hot": f"{kind}_cold", "cold": f"{kind}_hot"}
        assert found == mirrored.get(side, row[3])


def test_the_series_by_hand_hold_every_pattern():
    named = {row[3] for row in SERIES if row[3]}
    assert len(PATTERNS) == 17
    assert named | {name.replace("_hot", "_cold") for name in named} == set(PATTERNS)
    assert set(PATTERN_TEXTS) == set(PATTERN_MEANINGS) == set(PATTERNS)
    assert len({text.zh for text in PATTERN_MEANINGS.values()}) == 17


def test_sporadic_can_demand_the_last_step():
    rows = [("h.......h.", 0, 1), ("h.......hh", 0, 1), ("c.......c.", 0, 1)]
    assert classified(rows, sporadic="last_step").to_list() == [
        "no_pattern",
        "sporadic_hot",
        "no_pattern",
    ]


@given(
    arrays.arrays(np.int8, (20, 7), elements=st.integers(-1, 1)),
    arrays.arrays(np.float64, 20, elements=st.floats(-4, 4)),
)
def test_mirrored_states_have_mirrored_patterns(states, z):
    def patterns(sign):
        trend = pd.DataFrame({"z": sign * z, "p": np.where(abs(z) > 2, 0.01, 0.5)})
        return emerging_patterns(pd.DataFrame(sign * states), trend)["pattern"]

    swapped = patterns(-1).str.replace("_hot", "_HOT").str.replace("_cold", "_hot")
    assert patterns(1).to_list() == swapped.str.replace("_HOT", "_cold").to_list()


@pytest.fixture(scope="module")
def square(graph_of, lattice):
    return graph_of(lattice(10))


def cube_of(**planted):
    """Quiet counts on 10 x 10 cells over 20 steps, with a course planted in the corner of 3 x 3."""
    values = np.random.default_rng(5).poisson(10, (100, 20)).astype(float)
    cell = np.arange(100)
    corner = (cell // 10 < 3) & (cell % 10 < 3)
    for course in planted.values():
        values[corner] += course
    return pd.DataFrame(values, index=cell)


def test_values_mirrored_give_mirrored_patterns_and_order_does_not_matter(square):
    cube = cube_of(rise=np.linspace(0, 40, 20))
    found = emerging_hotspots(cube, square)
    mirrored = emerging_hotspots(-cube, square)
    swapped = mirrored["pattern"].str.replace("_cold", "_HOT").str.replace("_hot", "_cold")
    assert found["pattern"].to_list() == swapped.str.replace("_HOT", "_hot").to_list()
    np.testing.assert_allclose(found["trend_z"], -mirrored["trend_z"])
    mixed = np.random.default_rng(1).permutation(100)
    pd.testing.assert_frame_equal(emerging_hotspots(cube.iloc[mixed], square), found.iloc[mixed])
    pd.testing.assert_frame_equal(emerging_hotspots(cube * 3 + 5, square), found)


def test_planted_courses_are_named(square):
    steps = np.arange(20)
    expected = {
        "persistent_hot": np.full(20, 30.0),
        "intensifying_hot": 9.0 + steps,
        "diminishing_hot": 9.0 + steps[::-1],
        "new_hot": np.where(steps == 19, 40.0, 0.0),
        "consecutive_hot": np.where(steps > 12, 40.0, 0.0),
        "historical_hot": np.where(steps < 19, 40.0, 0.0),
    }
    for name, course in expected.items():
        found = emerging_hotspots(cube_of(course=course), square, level=0.01)
        assert found.loc[11, "pattern"] == name
        assert found.loc[99, "pattern"] == "no_pattern"


def test_trend_is_mann_kendall_of_the_scores(square):
    cube = cube_of(rise=np.linspace(0, 40, 20))
    expected = mann_kendall(step_scores(cube, square, lag=1).z)
    found = emerging_hotspots(cube, square, lag=1)
    np.testing.assert_array_equal(found["trend_p"], expected["p"])
    assert found.columns.to_list() == [
        "pattern", "n_steps", "n_hot", "n_cold", "last", "z_last", "trend_z", "trend_p",
    ]  # fmt: skip


@pytest.fixture(scope="module")
def city():
    made = synthetic_city(seed=1, n_issues=40_000, years=2)
    communities, issues = made.layers["communities"], made.layers["reported_issues"]
    issues = issues[issues["duplicate_of"].isna()]
    codes = assign_units(issues, {"community_code": communities})["community_code"]
    units = pd.Index(communities["community_code"])
    cube = space_time_cube(issues["reported_at"], codes, units, timezone="Asia/Shanghai")
    people = communities.set_index("community_code")["population"]
    return made, communities, cube.complete.apply(lambda counts: excess(counts, people))


def test_planted_areas_of_a_city_emerge_and_fade(city):
    made, communities, values = city
    found = emerging_hotspots(values, contiguity(communities, key="community_code"), lag=2)
    middles = shapely.point_on_surface(communities.geometry.to_numpy())
    everywhere = made.truth[made.truth["category"].isna()].set_index("kind")["geometry"]
    inside = {
        kind: shapely.contains(shapely.union_all(everywhere.loc[[kind]].to_numpy()), middles)
        for kind in ("hot", "emerging", "fading")
    }
    emerged = found[inside["emerging"]]
    assert (emerged["last"] == "hot").all()
    assert emerged["pattern"].isin(["new_hot", "consecutive_hot"]).all()
    assert (emerged["trend_z"] > 3).all()
    faded = found[inside["fading"]]
    assert (faded["trend_z"] < -3).all()
    assert faded["pattern"].isin(["sporadic_hot", "historical_hot"]).all()
    hot = found[inside["hot"]]
    assert hot["pattern"].isin(["persistent_hot", "intensifying_hot"]).mean() > 0.7
    elsewhere = ~(inside["hot"] | inside["emerging"] | inside["fading"])
    assert (
        found.loc[elsewhere, "pattern"].isin(["no_pattern", "sporadic_cold", "sporadic_hot"])
    ).mean() > 0.85


def test_nothing_to_tell_is_said(square):
    cube = cube_of()
    with pytest.warns(NullResultWarning, match="1 time steps"):
        found = emerging_hotspots(cube[[0]], square)
    assert found["pattern"].isna().all()
    with pytest.warns(NullResultWarning, match="20 of 20"):
        found = emerging_hotspots(cube * 0, square)
    assert found["pattern"].isna().all()
    assert (found["n_steps"] == 0).all()
    with pytest.warns(SmallSampleWarning):
        emerging_hotspots(cube[range(5)], square)


def test_what_does_not_exist_is_refused(square):
    with pytest.raises(InputError, match="level"):
        emerging_hotspots(cube_of(), square, level=5)
    states, trend = pd.DataFrame([[0, 2.0]]), pd.DataFrame({"z": [0.0], "p": [1.0]})
    with pytest.raises(InputError, match="state"):
        emerging_patterns(states, trend)
    with pytest.raises(InputError, match="sporadic"):
        emerging_patterns(states * 0, trend, sporadic="never")
    with pytest.raises(IndexMismatchError):
        emerging_patterns(states, trend.set_axis([7]))
