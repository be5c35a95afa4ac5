"""What the derived layers test: by every neighbourhood, with every choice said, and as the statistics themselves say."""

import copy
import json
import pickle

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import Point, box

from gisgrid import analysis, derived
from gisgrid.analysis.space_time.emerging import PATTERNS
from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.palette import LABELS

EAST, NORTH, SIDE, N = 500_000, 3_900_000, 1_000, 12


def city():
    x, y = np.divmod(np.arange(N * N), N)
    corner = EAST + x * SIDE, NORTH + y * SIDE
    codes = [f"u{i:03}" for i in range(N * N)]
    return gpd.GeoDataFrame(
        {"code": codes, "name_en": codes, "population": 1_000},
        geometry=box(corner[0], corner[1], corner[0] + SIDE, corner[1] + SIDE),
        crs=4547,
    )


def reports(*, months=1, seed=1, corner=3, many=60, usual=10):
    """Many reports in each unit of one corner, fewer elsewhere, the same in every month."""
    rng = np.random.default_rng(seed)
    x, y = np.divmod(np.arange(N * N), N)
    expected = np.where((x < corner) & (y < corner), many, usual)
    rows = []
    for month in range(months):
        unit = np.repeat(np.arange(N * N), rng.poisson(expected))
        at = np.column_stack([x[unit], y[unit]]) * SIDE + rng.uniform(1, SIDE - 1, (len(unit), 2))
        day = pd.Timestamp("2025-01-01", tz="UTC") + pd.DateOffset(months=month)
        rows.append((at, day + pd.to_timedelta(rng.uniform(1, 26, len(unit)), unit="D")))
    at = np.vstack([row[0] for row in rows])
    times = pd.DatetimeIndex(np.concatenate([row[1].tz_localize(None).to_numpy() for row in rows]))
    times = times.tz_localize("UTC")
    return gpd.GeoDataFrame(
        {"duplicate_of": pd.Series([None] * len(at), dtype=object), "reported_at": times},
        geometry=gpd.points_from_xy(EAST + at[:, 0], NORTH + at[:, 1]),
        crs=4547,
    )


@pytest.fixture(scope="module")
def planted():
    return reports(), city()


IN_CORNER = np.array([i // N < 3 and i % N < 3 for i in range(N * N)])
FAR = np.array([i // N > 5 or i % N > 5 for i in range(N * N)])


@pytest.mark.parametrize("neighbours", ["contiguity", "rook", "distance:1500", "nearest:8"])
@pytest.mark.parametrize("permutations", [0, 999])
def test_the_corner_is_hot_by_every_neighbourhood(planted, neighbours, permutations):
    issues, units = planted
    made = derived.unit_hotspots(
        issues, units, key="code", neighbours=neighbours, permutations=permutations
    )
    labels = made.value["label"]
    assert labels[IN_CORNER].str.startswith("hot").mean() > 0.6
    assert not labels[FAR].str.startswith("hot").any()
    inner = made.value["n_neighbours"][N + 1]
    assert inner == (4 if neighbours == "rook" else 8)


def test_scores_are_those_of_the_statistic(planted):
    issues, units = planted
    areas = derived.unit_areas(issues, units, key="code")
    graph, notes = derived.neighbourhood(areas, "distance:1500")
    assert notes == ()
    expected = analysis.hotspots(
        areas.tested, graph, permutations=99, correction="bonferroni", seed=5
    )
    made = derived.unit_hotspots(
        issues, units, key="code",
        neighbours="distance:1500", permutations=99, correction="bonferroni", seed=5,
    )  # fmt: skip
    for column in ("z", "p", "q"):
        np.testing.assert_array_equal(made.value[column], expected[column])
    moran = analysis.local_moran(areas.tested, graph, permutations=99, seed=5)
    found = derived.alike(areas, derived.Terms("distance:1500", 99, seed=5)).value
    np.testing.assert_array_equal(found["i"], moran["i"])
    assert found["cluster"].to_list() == moran["cluster"].to_list()


def test_too_few_permutations_for_bonferroni_are_said(planted):
    issues, units = planted
    options = {"key": "code", "permutations": 999, "correction": "bonferroni"}
    for function in (derived.unit_hotspots, derived.unit_outliers):
        made = function(issues, units, **options)
        (note,) = (note for note in made.notes if "no area can pass" in note)
        assert "draw 28800 or more" in note
        assert "28800" in note.zh
    enough = derived.unit_hotspots(issues, units, **{**options, "permutations": 28_800})
    assert not any("no area can pass" in note for note in enough.notes)
    assert (enough.value["label"] == "hot_99").any()


@pytest.mark.parametrize("word", ["near", "distance", "distance:0", "distance:x", "nearest:2.5", "nearest:-1", "contiguity:3"])  # fmt: skip
def test_a_neighbourhood_that_says_nothing_is_refused(planted, word):
    issues, units = planted
    with pytest.raises(
        InputError,
        match=f"neighbours '{word}' say nothing about who is near whom; write contiguity",
    ):
        derived.unit_hotspots(issues, units, key="code", neighbours=word)


def test_units_in_degrees_are_measured_in_metres_and_it_is_said(planted):
    issues, units = planted
    here = derived.unit_hotspots(issues, units, key="code", neighbours="distance:1500")
    there = derived.unit_hotspots(
        issues, units.to_crs(4490), key="code", neighbours="distance:1500"
    )
    assert there.value.crs.to_epsg() == 4490
    assert any("measured in EPSG:4547" in note for note in there.notes)
    np.testing.assert_allclose(there.value["z"], here.value["z"], atol=1e-9)


def test_islands_are_counted_and_named(planted):
    issues, units = planted
    island = units.geometry.where(
        units["code"] != "u143", box(EAST + 50_000, NORTH, EAST + 51_000, NORTH + 1_000)
    )
    made = derived.unit_hotspots(issues, units.set_geometry(island), key="code")
    assert "1 of 144 areas have no neighbours and are not tested (first: u143)" in made.notes
    assert made.value["n_units"].eq(143).all()


def at_centres(units, counts):
    """As many reports in the middle of each unit."""
    middle = units.geometry.centroid.iloc[np.repeat(np.arange(len(units)), counts)]
    nobody = pd.Series([None] * len(middle), dtype=object)
    return gpd.GeoDataFrame({"duplicate_of": nobody}, geometry=middle.to_numpy(), crs=4547)


def test_outliers_tell_the_one_bad_unit_from_the_bad_quarter():
    units = city()
    x, y = np.divmod(np.arange(N * N), N)
    counts = 18 + (7 * x + 3 * y) % 5
    counts[IN_CORNER] = 80
    counts[(x >= 7) & (y >= 7)] = 1
    lone = 9 * N + 9
    counts[lone] = 60
    made = derived.unit_outliers(at_centres(units, counts), units, key="code")
    cluster = made.value["cluster"]
    assert (cluster[IN_CORNER] == "high_high").sum() >= 7
    assert cluster[lone] == "high_low"
    assert cluster[10 * N + 11] == "low_low"
    assert made.value["value"][lone] > 0 > made.value["lag"][lone]
    areas = derived.unit_areas(at_centres(units, counts), units, key="code")
    geary = derived.apart(areas, derived.Terms()).value
    assert set(geary["contrast"].dropna()) <= set(derived.CONTRASTS)
    assert geary["contrast"][10 * N + 11] == "similar"
    assert geary["n_units"].eq(144).all()


def test_geary_calls_alike_what_differs_less_than_chance_with_its_own_value_held():
    units = city()
    issues = at_centres(
        units, np.repeat(np.arange(N), N) * 4 + 1
    )  # a slope: all are like their neighbours
    found = derived.apart(derived.unit_areas(issues, units, key="code"), derived.Terms()).value
    assert (found["contrast"] == "similar").mean() > 0.8
    assert not (found["contrast"] == "different").any()


def test_the_scan_finds_the_corner_as_one_cluster(planted):
    issues, units = planted
    made = derived.unit_clusters(issues, units, key="code", permutations=99)
    value = made.value
    assert (value["cluster_rank"] == 1).to_numpy()[IN_CORNER].mean() > 0.8
    assert value["label"].isin(LABELS).all()
    assert (value.loc[value["cluster_rank"].isna(), "label"] == "not_significant").all()
    first = value[value["cluster_rank"] == 1].iloc[0]
    assert first["n_members"] == (value["cluster_rank"] == 1).sum()
    assert first["cases"] == value.loc[value["cluster_rank"] == 1, "n_incidents"].sum()
    by_area = derived.unit_clusters(issues, units, key="code", population=None, permutations=99)
    assert (
        "no residents are given: incidents are held against the area of the units" in by_area.notes
    )
    assert by_area.value["cluster_rank"].equals(value["cluster_rank"])


def test_units_without_residents_have_no_place_in_a_scan(planted):
    issues, units = planted
    empty = units.assign(population=units["population"].where(units["code"] != "u100", 0))
    value = derived.unit_clusters(issues, empty, key="code", permutations=19).value.set_index(
        "code"
    )
    assert pd.isna(value.loc["u100", "label"])
    assert value["n_units"].eq(143).all()


def test_a_lasting_hotspot_is_persistent_and_half_a_month_is_no_fall(planted):
    _, units = planted
    made = derived.unit_patterns(reports(months=12), units, key="code", timezone="Asia/Shanghai")
    value = made.value
    assert set(value["pattern"]) <= set(PATTERNS)
    assert (value["pattern"][IN_CORNER] == "persistent_hot").mean() > 0.5
    assert (value["n_steps"] == 10).all()  # neither the first nor the last month is whole
    assert made.excluded[derived.IN_PART_STEPS] > 0
    assert any(
        note.startswith("10 whole steps of a month in Asia/Shanghai; 2 that") for note in made.notes
    )
    with pytest.raises(
        InputError, match="there is no step 'decade' of time; choose one of day, week"
    ):
        derived.unit_patterns(reports(), units, key="code", timezone="UTC", step="decade")
    with pytest.raises(ColumnError, match="no column 'reported_at'"):
        derived.unit_patterns(
            reports().drop(columns="reported_at"), units, key="code", timezone="UTC"
        )


def test_few_steps_are_a_note_and_no_warning(planted):
    issues, units = planted
    made = derived.unit_patterns(reports(months=4), units, key="code", timezone="UTC")
    assert any("rest on few" in note for note in made.notes)
    one = derived.unit_patterns(issues, units, key="code", timezone="UTC")
    assert one.value["pattern"].isna().all()
    assert any("nothing can emerge" in note for note in one.notes)


def test_an_optimised_map_says_every_choice_and_loses_no_report(planted):
    issues, units = planted
    far = gpd.GeoDataFrame(
        {"duplicate_of": pd.Series([None, "r", None], dtype=object), "reported_at": issues["reported_at"].iloc[:3]},
        geometry=[Point(EAST - 90_000, NORTH), Point(EAST + 5, NORTH + 5), None], crs=4547,
    )  # fmt: skip
    issues = pd.concat([issues, far], ignore_index=True)
    made = derived.optimised_hotspots(issues, units)
    cells = made.value
    assert cells["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)
    assert made.excluded[derived.REPEATED] == 1
    assert made.excluded[derived.IN_NO_AREA] == 2
    said = " ".join(made.notes)
    for word in ("cells of ", "neighbours within ", "incidents per neighbourhood on average"):
        assert word in said
    assert all(getattr(note, "zh", "") for note in made.notes)
    hot = cells[cells["label"].isin(["hot_99"])].geometry.centroid
    assert len(hot) > 5
    assert (hot.x < EAST + 5 * SIDE).all()
    assert (hot.y < NORTH + 5 * SIDE).all()
    fixed = derived.optimised_outliers(issues, units, cell_m=1_500, shape="square")
    assert fixed.value["cell_id"].str.startswith("s1500_").all()
    assert not any(note.startswith("cells of") for note in fixed.notes)
    assert (fixed.value["cluster"] == "high_high").any()


def test_an_optimised_map_needs_metres_and_reports(planted):
    issues, units = planted
    with pytest.raises(CrsError):
        derived.optimised_hotspots(issues, units.to_crs(4490))
    with pytest.raises(InputError, match="do not suggest a cell; give at least 30 reports"):
        derived.optimised_hotspots(issues.iloc[:20], units)
    few = derived.optimised_hotspots(issues, units.iloc[:4], cell_m=600, shape="square")
    assert any("neighbours are the cells next door" in note for note in few.notes)


@pytest.mark.parametrize("radius_m", [150, None])
def test_clusters_of_reports_are_outlined_and_every_report_is_accounted_for(planted, radius_m):
    _, units = planted
    rng = np.random.default_rng(4)
    knots = np.vstack([rng.normal((3_000, 3_000), 60, (80, 2)), rng.normal((9_000, 5_000), 60, (50, 2)), rng.uniform(0, 12_000, (60, 2))])  # fmt: skip
    issues = gpd.GeoDataFrame(
        {"duplicate_of": pd.Series([None] * 189 + ["r"], dtype=object)},
        geometry=gpd.points_from_xy(EAST + knots[:, 0], NORTH + knots[:, 1]), crs=4547,
    )  # fmt: skip
    made = derived.issue_clusters(issues, units, min_reports=20, radius_m=radius_m)
    assert made.value["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)
    assert made.value["cluster_id"].to_list() == ["1", "2"]
    if radius_m is not None:
        middle = made.value.geometry.centroid
        assert middle[0].distance(Point(EAST + 3_000, NORTH + 3_000)) < 60
    nothing = derived.issue_clusters(issues, units, min_reports=150, radius_m=radius_m and 10)
    assert len(nothing.value) == 0
    assert any("there is no outline" in note for note in nothing.notes)


def test_a_note_is_a_sentence_in_both_languages_wherever_it_goes(planted):
    issues, units = planted
    note = derived.unit_hotspots(issues.to_crs(4490), units, key="code").notes[0]
    assert note == "the reports were brought from EPSG:4490 (degree) to EPSG:4547 (metre)"
    assert "上报坐标由" in note.zh
    assert json.loads(json.dumps([note])) == [note]
    for same in (copy.deepcopy(note), pickle.loads(pickle.dumps(note))):  # noqa: S301 - its own bytes
        assert (same, same.zh) == (note, note.zh)


def test_the_same_question_gives_the_same_answer_and_nobody_s_frame_changes(planted):
    issues, units = planted
    before = issues.copy(), units.copy()
    for ask in (
        lambda: derived.unit_outliers(issues, units, key="code"),
        lambda: derived.optimised_outliers(issues, units),
        lambda: derived.unit_clusters(issues, units, key="code", permutations=19),
        lambda: derived.issue_clusters(issues, units, min_reports=15, radius_m=100),
    ):
        first, second = ask(), ask()
        pd.testing.assert_frame_equal(pd.DataFrame(first.value), pd.DataFrame(second.value))
        assert first.notes == second.notes
    pd.testing.assert_frame_equal(issues, before[0])
    pd.testing.assert_frame_equal(units, before[1])
