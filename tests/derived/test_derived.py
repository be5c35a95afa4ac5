"""Counts add up, rates are those of a pencil, months are those of the city's clock; nothing is lost without a word."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import Point, box

from gisgrid import derived
from gisgrid.errors import ColumnError, CrsError, InputError

EAST, NORTH = 500_000, 3_900_000
SIDE = 1_000


def city(n=4):
    """Units of 1 km in n rows of n, with 100 residents each and one more in every next."""
    squares = [
        box(EAST + x * SIDE, NORTH + y * SIDE, EAST + (x + 1) * SIDE, NORTH + (y + 1) * SIDE)
        for y in range(n)
        for x in range(n)
    ]
    codes = [f"{i:03}" for i in range(n * n)]
    return gpd.GeoDataFrame(
        {
            "community_code": codes,
            "name_zh": codes,
            "name_en": codes,
            "population": [100 + i for i in range(n * n)],
            "area_km2": 1.0,
        },
        geometry=squares,
        crs=4547,
    )


def reports(places, *, repeats=None, statuses=None, times=None):
    n = len(places)
    return gpd.GeoDataFrame(
        {
            "duplicate_of": pd.Series(repeats or [None] * n, dtype=object),
            "status": pd.Series(statuses or ["open"] * n, dtype=object),
            "reported_at": pd.to_datetime(times or ["2026-01-01T00:00"] * n, utc=True),
        },
        geometry=[place and Point(EAST + place[0], NORTH + place[1]) for place in places],
        crs=4547,
    )


PLACES = st.lists(
    st.tuples(st.integers(-500, 4_500), st.integers(-500, 4_500), st.booleans(), st.booleans()),
    max_size=60,
)


def drawn(rows):
    return reports(
        [(x, y) for x, y, _, _ in rows],
        repeats=["x" if repeated else None for _, _, repeated, _ in rows],
        statuses=["open" if still else "closed" for _, _, _, still in rows],
    )


def test_a_pencil_gives_the_same():
    issues = reports(
        [(10, 10), (20, 20), (30, 30), (1500, 10), (-5, 0), None],
        repeats=[None, "1", None, None, None, None],
        statuses=["open", "open", "closed", "closed", "open", "open"],
    )
    units = city(2)
    units.loc[1, "population"] = 0
    made = derived.unit_issues(issues, units, key="community_code")
    assert list(made.value.columns) == [
        "community_code", "name_zh", "name_en", "n_reports", "n_incidents", "n_open", "population",
        "area_km2", "incidents_per_1000", "incidents_per_km2", "geometry",
    ]  # fmt: skip
    assert made.value["n_reports"].to_list() == [3, 1, 0, 0]
    assert made.value["n_incidents"].to_list() == [2, 1, 0, 0]
    assert made.value["n_open"].to_list() == [1, 0, 0, 0]
    assert made.value["incidents_per_1000"].to_list()[0] == 20.0
    assert np.isnan(made.value["incidents_per_1000"].to_list()[1])
    assert made.value["incidents_per_km2"].to_list() == [2.0, 1.0, 0.0, 0.0]
    assert made.excluded == {derived.IN_NO_AREA: 2}
    assert made.notes == ()


@settings(derandomize=True, max_examples=20, deadline=None)
@given(PLACES)
def test_every_report_is_counted_once_or_left_out_with_a_reason(rows):
    issues, units = drawn(rows), city()
    made = derived.unit_issues(issues, units, key="community_code")
    assert made.value["n_reports"].sum() + sum(made.excluded.values()) == len(issues)
    first = issues["duplicate_of"].isna()
    assert made.value["n_incidents"].sum() <= first.sum()


@settings(derandomize=True, max_examples=10, deadline=None)
@given(PLACES, st.randoms(use_true_random=False))
def test_the_order_of_the_reports_does_not_matter(rows, random):
    issues, units = drawn(rows), city()
    shuffled = issues.sample(frac=1, random_state=random.randrange(1000))
    for function in (derived.unit_issues, derived.unit_hotspots):
        a = function(issues, units, key="community_code").value
        b = function(shuffled, units, key="community_code").value
        pd.testing.assert_frame_equal(pd.DataFrame(a), pd.DataFrame(b))


def test_nobody_s_frame_is_changed():
    issues, units = reports([(10, 10), (3000, 3000)]), city()
    issues_before, units_before = issues.copy(), units.copy()
    derived.unit_issues(issues.to_crs(4490), units, key="community_code")
    derived.unit_hotspots(issues, units, key="community_code")
    derived.cell_hotspots(issues, units, cell_m=500)
    derived.issue_density(issues, units, cell_m=100, bandwidth_m=300)
    derived.issue_months(issues, units, key="community_code", timezone="UTC")
    pd.testing.assert_frame_equal(issues, issues_before)
    pd.testing.assert_frame_equal(units, units_before)


def test_another_crs_is_brought_over_and_said():
    issues, units = reports([(10, 10), (1500, 500)]), city()
    here = derived.unit_issues(issues, units, key="community_code")
    there = derived.unit_issues(issues.to_crs(4490), units, key="community_code")
    pd.testing.assert_frame_equal(pd.DataFrame(here.value), pd.DataFrame(there.value))
    assert there.notes == ("the reports were brought from EPSG:4490 (degree) to EPSG:4547 (metre)",)


def test_a_missing_crs_is_never_guessed():
    issues = reports([(10, 10)]).set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="'issues' has no coordinate reference system"):
        derived.unit_issues(issues, city(), key="community_code")


@pytest.mark.parametrize(
    ("column", "function", "options"),
    [
        ("duplicate_of", derived.unit_hotspots, {"key": "community_code"}),
        ("status", derived.unit_issues, {"key": "community_code"}),
        ("reported_at", derived.issue_months, {"key": "community_code", "timezone": "UTC"}),
        ("duplicate_of", derived.cell_hotspots, {"cell_m": 500}),
        ("duplicate_of", derived.issue_density, {"cell_m": 50, "bandwidth_m": 300}),
    ],
)
def test_a_missing_column_is_named(column, function, options):
    with pytest.raises(ColumnError, match=f"no column '{column}' among 3 columns of 'issues'"):
        function(reports([(10, 10)]).drop(columns=column), city(), **options)


def hot_corner(n=12):
    """Forty incidents in each unit of one corner and one or two elsewhere."""
    rng = np.random.default_rng(1)
    places = []
    for y in range(n):
        for x in range(n):
            many = 40 if x < 3 and y < 3 else rng.integers(1, 4)
            places += [(x * SIDE + rng.uniform(1, SIDE - 1), y * SIDE + rng.uniform(1, SIDE - 1)) for _ in range(many)]  # fmt: skip
    return places


def test_a_planted_corner_is_hot_and_nothing_far_from_it_is():
    units = city(12).assign(population=1000)
    made = derived.unit_hotspots(reports(hot_corner()), units, key="community_code").value
    hot = made["label"].str.startswith("hot").to_numpy().reshape(12, 12)
    assert hot[:3, :3].all()
    assert not hot[5:, :].any()
    assert not hot[:, 5:].any()
    assert (made["n_units"] == 144).all()
    assert made.loc[0, "n_neighbours"] == 3


def test_hotspots_are_of_rates_and_not_of_crowds():
    """Forty times the reports of forty times the people are nothing to report."""
    units = city(12)
    corner = np.array([i % 12 < 3 and i // 12 < 3 for i in range(144)])
    places = []
    for i in range(144):
        places += [(i % 12 * SIDE + 500, i // 12 * SIDE + 500)] * (
            40 if corner[i] else 1 + (i % 7 == 0)
        )
    units["population"] = np.where(corner, 40_000, 1_000)
    made = derived.unit_hotspots(reports(places), units, key="community_code").value
    assert not made.loc[corner, "label"].str.startswith("hot").any()


def test_what_is_observed_and_expected_is_of_all_residents_together():
    units = city(3)
    units.loc[4, "population"] = 0
    issues = reports([(100 + 37 * i, 90 + 61 * i) for i in range(40)])
    made = derived.unit_hotspots(issues, units, key="community_code").value
    n = made["n_incidents"].where(units["population"] > 0, 0)
    for unit in range(9):
        around = units.geometry.intersects(units.geometry[unit])
        by_hand = 1000 * n[around].sum() / units["population"][around].sum()
        assert unit == 4 or made["observed"][unit] == pytest.approx(by_hand, rel=1e-12)
    assert np.isnan(made["observed"][4])
    assert made["expected"].to_numpy() == pytest.approx(
        1000 * n.sum() / units["population"].sum(), rel=1e-12
    )


def test_few_residents_alone_make_no_unit_hot():
    """In a city without any hotspot, small units' rates jump; what is tested must not."""
    units = city(14).assign(population=np.random.default_rng(3).lognormal(6, 0.8, 196).astype(int))
    share = np.cumsum(units["population"]) / units["population"].sum()
    maps_with_a_finding = 0
    for seed in range(60):
        random = np.random.default_rng(seed)
        at = units.geometry.centroid[np.searchsorted(share, random.random(196 * 20))]
        issues = reports([(point.x - EAST, point.y - NORTH) for point in at])
        labels = derived.unit_hotspots(issues, units, key="community_code").value["label"]
        maps_with_a_finding += labels.isin(["hot_95", "hot_99"]).any()
    assert maps_with_a_finding / 60 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)


def test_units_without_residents_are_not_tested():
    units = city(12).assign(population=1000)
    units.loc[[0, 50], "population"] = 0
    made = derived.unit_hotspots(reports(hot_corner()), units, key="community_code")
    assert made.value.loc[[0, 50], ["z", "q", "label", "incidents_per_1000"]].isna().all(axis=None)
    assert (made.value["n_units"] == 142).all()
    assert made.excluded[derived.NO_RESIDENTS] == 2


@pytest.mark.parametrize("shape", ["hexagon", "square"])
def test_cells_find_the_corner_and_count_every_incident(shape):
    places = [*hot_corner(), (-50, 10), None]
    issues = reports(places, repeats=[None] * len(hot_corner()) + [None, None])
    made = derived.cell_hotspots(issues, city(12), cell_m=700, shape=shape)
    cells = made.value
    assert cells["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)
    assert made.excluded[derived.IN_NO_AREA] == 2
    hot = cells[cells["label"].str.startswith("hot")].geometry.centroid
    assert len(hot) >= 9
    assert (hot.x < EAST + 5 * SIDE).all()
    assert (hot.y < NORTH + 5 * SIDE).all()
    np.testing.assert_allclose(
        cells["incidents_per_km2"], cells["n_incidents"] / cells["area_km2"], rtol=1e-12
    )


def test_cells_that_lie_too_little_inside_are_left_out_and_said():
    issues = reports([(5, 5), (2_000, 2_000)])
    made = derived.cell_hotspots(issues, city(), cell_m=900, shape="square", min_share_inside=0.9)
    every = derived.cell_hotspots(issues, city(), cell_m=900, shape="square", min_share_inside=0.0)
    assert len(made.value) < len(every.value)
    assert "inside the city and are left out" in made.notes[0]
    assert not any("left out" in note for note in every.notes)
    assert every.value["area_km2"].sum() == pytest.approx(16.0)
    assert made.excluded.get(derived.IN_SLIVERS, 0) + made.value["n_incidents"].sum() == 2


def test_a_shape_that_no_cell_has_is_refused():
    with pytest.raises(
        InputError, match="shape = 'triangle' is no tessellation; choose hexagon or square"
    ):
        derived.cell_hotspots(reports([(1, 1)]), city(), cell_m=500, shape="triangle")


def test_the_density_adds_up_to_the_incidents_inside():
    issues = reports([(0.5, 0.5), (1_000, 1_000), (3_999, 3_999), (-100, 0), (9_999, 0), None, (10, 10)],
                     repeats=[None] * 6 + ["1"])  # fmt: skip
    made = derived.issue_density(issues, city(), cell_m=50, bandwidth_m=300)
    total = made.value.values.sum(dtype=float) * made.value.cell_area / 1e6
    assert total == pytest.approx(3, rel=1e-5)
    assert made.excluded == {derived.REPEATED: 1, derived.IN_NO_AREA: 3}
    assert made.value.unit == "issues/km²"


def test_a_month_begins_at_the_city_s_midnight():
    times = [
        "2026-01-31T15:59:59",
        "2026-01-31T16:00:00",
        "2026-02-15T00:00:00",
        "2025-12-31T16:00:00",
    ]
    issues = reports([(10, 10)] * 4, times=times)
    made = derived.issue_months(
        issues, city(1), key="community_code", timezone="Asia/Shanghai"
    ).value
    assert dict(zip(made["month"], made["n_incidents"], strict=True)) == {
        "2026-01": 2,
        "2026-02": 2,
    }
    utc = derived.issue_months(issues, city(1), key="community_code", timezone="UTC").value
    assert dict(zip(utc["month"], utc["n_incidents"], strict=True)) == {"2025-12": 1, "2026-01": 2, "2026-02": 1}  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "complete"),
    [
        ("2026-01-01", "2026-03-31", [True, True, True]),
        ("2026-01-02", "2026-03-30", [False, True, False]),
        ("2026-02-01", "2026-02-28", [True]),
        ("2026-02-10", "2026-02-11", [False]),
    ],
)
def test_a_month_is_complete_from_its_first_day_to_its_last(first, last, complete):
    issues = reports([(10, 10)] * 2, times=[f"{first}T12:00", f"{last}T12:00"])
    made = derived.issue_months(issues, city(1), key="community_code", timezone="UTC").value
    assert made["complete"].to_list() == complete


@settings(derandomize=True, max_examples=15, deadline=None)
@given(PLACES, st.lists(st.integers(0, 700), min_size=60, max_size=60))
def test_every_unit_has_every_month_and_every_incident_is_in_one(rows, days):
    issues, units = drawn(rows), city()
    issues["reported_at"] = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(
        days[: len(issues)], unit="D"
    )
    made = derived.issue_months(issues, units, key="community_code", timezone="Asia/Shanghai")
    table = made.value
    assert len(table) == table["month"].nunique() * len(units)
    assert not table.duplicated(["community_code", "month"]).any()
    assert table["n_incidents"].sum() + sum(made.excluded.values()) == len(issues)


def test_incidents_without_a_time_are_left_out_with_a_reason():
    issues = reports([(10, 10)] * 2, times=["2026-01-01T00:00", None])
    made = derived.issue_months(issues, city(1), key="community_code", timezone="UTC")
    assert made.excluded == {derived.NO_TIME: 1}


@pytest.mark.parametrize("n", [0, 1])
def test_a_city_with_hardly_any_report_is_no_mistake(n):
    issues, units = reports([(10, 10)] * n), city()
    counts = derived.unit_issues(issues, units, key="community_code").value
    assert counts["n_reports"].sum() == n
    hot = derived.unit_hotspots(issues, units, key="community_code").value
    assert not hot["label"].dropna().str.startswith("cold").any()
    assert derived.cell_hotspots(issues, units, cell_m=500).value["n_incidents"].sum() == n
    months = derived.issue_months(issues, units, key="community_code", timezone="UTC").value
    assert len(months) == n * len(units)
    density = derived.issue_density(issues, units, cell_m=100, bandwidth_m=300).value
    assert density.values.sum(dtype=float) * density.cell_area / 1e6 == pytest.approx(n, abs=1e-6)


@pytest.mark.parametrize(("n_each", "says"), [(1, True), (9, True), (10, False)])
def test_few_incidents_are_said_to_make_the_labels_liberal(n_each, says):
    places = [(x * SIDE + 500, y * SIDE + 500) for x in range(4) for y in range(4)] * n_each
    units = derived.unit_hotspots(reports(places), city(), key="community_code")
    cells = derived.cell_hotspots(reports(places), city(), cell_m=SIDE, shape="square")
    assert any("incidents per area are few" in note for note in units.notes) is says
    assert any("incidents per area are few" in note for note in cells.notes) is says


@pytest.mark.parametrize(
    ("function", "options"),
    [
        ("unit_issues", {"key": "community_code"}),
        ("unit_hotspots", {"key": "community_code"}),
        ("unit_outliers", {"key": "community_code"}),
        ("unit_clusters", {"key": "community_code"}),
        ("unit_patterns", {"key": "community_code", "timezone": "Asia/Shanghai", "step": "month"}),
        ("cell_hotspots", {"cell_m": 500}),
        ("optimised_hotspots", {}),
        ("issue_density", {"cell_m": 100, "bandwidth_m": 600}),
        ("issue_clusters", {"min_reports": 5, "radius_m": 400}),
        ("issue_months", {"key": "community_code", "timezone": "Asia/Shanghai"}),
    ],
)
@pytest.mark.filterwarnings("ignore:.*:gisgrid.errors.SmallSampleWarning")
def test_what_is_on_no_real_place_is_left_out_and_counted(function, options):
    rng = np.random.default_rng(4)
    times = [f"2026-{1 + i % 6:02d}-10T00:00" for i in range(160)]
    issues = reports([tuple(xy) for xy in rng.uniform(10, 3_990, (160, 2))], times=times)
    pile = reports([(1_500.0, 1_500.0)] * 40, times=times[:40])
    both = pd.concat([issues.assign(fallback=None), pile.assign(fallback="pile")])
    act = getattr(derived, function)
    found, alone = (
        act(both.reset_index(drop=True), city(), **options),
        act(issues, city(), **options),
    )
    assert found.excluded == {**alone.excluded, derived.NO_PLACE: 40}
    if function == "issue_density":
        np.testing.assert_array_equal(found.value.values, alone.value.values)
    else:
        pd.testing.assert_frame_equal(pd.DataFrame(found.value), pd.DataFrame(alone.value))
