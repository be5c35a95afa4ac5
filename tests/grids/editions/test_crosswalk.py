"""Two editions of a grid: what became of each unit, and values that lose nothing on the way."""

from datetime import date
from itertools import pairwise

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from gisgrid.errors import ColumnError, CrsError, IndexMismatchError, InputError
from gisgrid.grids import (
    KINDS,
    crosswalk_by_code,
    crosswalk_by_geometry,
    match_names,
    units_at,
    validity_faults,
)


def frame(shapes, **columns):
    return gpd.GeoDataFrame(
        {"code": list(shapes), **columns}, geometry=list(shapes.values()), crs=4547
    )


def kinds(crosswalk):
    table = crosswalk.changes
    return {
        edition: dict(zip(rows["code"], rows["kind"], strict=True))
        for edition, rows in table.groupby("edition")
    }


OLD = {
    "same": box(0, 0, 100, 100), "recoded": box(100, 0, 200, 100), "parted": box(200, 0, 300, 100),
    "one": box(0, 100, 100, 200), "two": box(100, 100, 200, 200), "left": box(200, 100, 300, 200),
    "right": box(300, 100, 400, 200), "gone": box(900, 0, 1000, 100),
}  # fmt: skip
NEW = {
    "same": box(0, 0, 100, 100), "r2": box(100, 0, 200, 100), "parted": box(200, 0, 260, 100),
    "p2": box(260, 0, 300, 100), "both": box(0, 100, 200, 200), "left": box(200, 100, 330, 200),
    "right": box(330, 100, 400, 200), "fresh": box(700, 0, 800, 100),
}  # fmt: skip


def test_every_kind_of_change_is_told():
    found = kinds(crosswalk_by_geometry(frame(OLD), frame(NEW), key="code"))
    assert found["old"] == {
        "same": "unchanged", "recoded": "recoded", "parted": "split", "one": "merged", "two": "merged",
        "left": "reshaped", "right": "reshaped", "gone": "gone",
    }  # fmt: skip
    assert found["new"] == {
        "same": "unchanged", "r2": "recoded", "parted": "split", "p2": "split", "both": "merged",
        "left": "reshaped", "right": "reshaped", "fresh": "new",
    }  # fmt: skip
    assert set(found["old"].values()) | set(found["new"].values()) | {"renamed"} == set(KINDS)


def test_a_new_name_is_a_change():
    old, new = (
        frame({"A": box(0, 0, 9, 9)}, name=["和平社区"]),
        frame({"A": box(0, 0, 9, 9)}, name=["新华社区"]),
    )
    for years in (
        crosswalk_by_geometry(old, new, key="code", name="name"),
        crosswalk_by_code(old, new, key="code", name="name"),
    ):
        assert years.changes["kind"].to_list() == ["renamed", "renamed"]
        assert years.changes["name_changed"].all()
    assert kinds(crosswalk_by_geometry(old, new, key="code"))["old"] == {"A": "unchanged"}


def test_a_border_drawn_a_little_otherwise_is_no_change():
    rng = np.random.default_rng(3)
    corners = np.stack(np.meshgrid(np.arange(6) * 100.0, np.arange(6) * 100.0), axis=-1)
    editions = []
    for _ in range(2):
        at = corners + rng.uniform(-0.4, 0.4, corners.shape)
        rings = np.stack([at[:-1, :-1], at[:-1, 1:], at[1:, 1:], at[1:, :-1]], axis=2).reshape(
            -1, 4, 2
        )
        editions.append(frame({f"{k:02d}": shapely.Polygon(ring) for k, ring in enumerate(rings)}))
    years = crosswalk_by_geometry(*editions, key="code")
    assert (years.changes["kind"] == "unchanged").all()
    assert years.pairs["sliver"].sum() > 0
    values = pd.Series(np.arange(25.0), index=editions[0]["code"])
    carried = years.transfer(values)
    np.testing.assert_allclose(carried.values.to_numpy(), values.to_numpy(), rtol=1e-12)
    assert carried.unplaced.empty
    # With no tolerance the same borders are changes.
    strict = crosswalk_by_geometry(*editions, key="code", sliver_m=0.0, sliver_share=0.0)
    assert (strict.changes["kind"] == "reshaped").all()


def test_a_unit_that_is_itself_a_strip_is_no_sliver():
    whole = frame({"A": box(0, 0, 100, 100)})
    strips = frame({"A": box(0, 0, 99.5, 100), "bank": box(99.5, 0, 100, 100)})
    assert kinds(crosswalk_by_geometry(strips, whole, key="code"))["old"] == {
        "A": "merged",
        "bank": "merged",
    }
    years = crosswalk_by_geometry(whole, strips, key="code")
    assert kinds(years)["new"] == {"A": "split", "bank": "split"}
    assert years.transfer(pd.Series({"A": 200.0})).values.to_dict() == pytest.approx(
        {"A": 199, "bank": 1}
    )


def test_counts_go_by_area_or_by_points_and_rates_by_area():
    old, new = (
        frame({"A": box(0, 0, 100, 100), "B": box(100, 0, 200, 100)}),
        frame({"A1": box(0, 0, 50, 100), "A2": box(50, 0, 120, 100), "B": box(120, 0, 200, 100)}),
    )
    homes = gpd.GeoDataFrame(
        {"n": [1, 2, 1]}, geometry=shapely.points([[10, 10], [60, 10], [70, 90]]), crs=4547
    )
    values = pd.Series({"A": 80.0, "B": 10.0})
    years = crosswalk_by_geometry(old, new, key="code", points=homes, point_weight="n")
    assert years.transfer(values).values.to_dict() == pytest.approx({"A1": 40, "A2": 42, "B": 8})
    # A is shared 1 to 3 by its homes; B has none and goes by area.
    assert years.transfer(values, by="count").values.to_dict() == pytest.approx(
        {"A1": 20, "A2": 62, "B": 8}
    )
    assert years.transfer_mean(values).values.to_dict() == pytest.approx(
        {"A1": 80, "A2": 60, "B": 10}
    )
    assert crosswalk_by_geometry(old, new, key="code", points=homes).transfer(values, by="count").values["A1"] == (
        pytest.approx(80 / 3)
    )  # fmt: skip


def test_ground_that_is_left_out_keeps_its_value_on_the_list():
    old, new = (
        frame({"A": box(0, 0, 100, 100), "B": box(100, 0, 200, 100)}),
        frame({"A": box(0, 0, 40, 100)}),
    )
    years = crosswalk_by_geometry(old, new, key="code")
    assert kinds(years) == {"old": {"A": "reshaped", "B": "gone"}, "new": {"A": "reshaped"}}
    carried = years.transfer(pd.Series({"A": 10.0, "B": 3.0, "X": 2.0, "Y": np.nan}))
    assert carried.values.to_dict() == {"A": 4.0}
    assert carried.unplaced.to_dict() == {"A": 6.0, "B": 3.0, "X": 2.0}
    assert years.transfer_mean(pd.Series({"B": 3.0, "X": 2.0})).unplaced.to_dict() == {
        "B": 3.0,
        "X": 2.0,
    }


@st.composite
def divisions(draw):
    """Cut a square into strips and these into cells."""
    ground = []
    rows = sorted({0, 1000, *draw(st.lists(st.integers(100, 900), max_size=3))})
    for south, north in pairwise(rows):
        columns = sorted({0, 1000, *draw(st.lists(st.integers(100, 900), max_size=3))})
        ground += [box(w, south, e, north) for w, e in pairwise(columns)]
    return frame({f"u{k:02d}": cell for k, cell in enumerate(ground)})


@settings(max_examples=25, deadline=None)
@given(old=divisions(), new=divisions(), seed=st.integers(0, 99))
def test_a_transfer_conserves_and_does_not_mind_the_order(old, new, seed):
    rng = np.random.default_rng(seed)
    values = pd.Series(rng.exponential(1e4, len(old)), index=old["code"])
    points = gpd.GeoDataFrame(geometry=shapely.points(rng.uniform(0, 1000, (60, 2))), crs=4547)
    years = crosswalk_by_geometry(old, new, key="code", points=points)
    for by in ("area", "count"):
        carried = years.transfer(values, by=by)
        assert carried.values.sum() + carried.unplaced.sum() == pytest.approx(
            values.sum(), rel=1e-9
        )
        assert (carried.values >= 0).all()
        assert carried.unplaced.empty
    shuffled = crosswalk_by_geometry(
        old.sample(frac=1, random_state=seed), new.sample(frac=1, random_state=seed), key="code"
    )
    pd.testing.assert_frame_equal(shuffled.changes, years.changes)
    # A rate that is the same everywhere stays so, and a count spread evenly stays so.
    even = years.transfer_mean(pd.Series(7.0, index=old["code"]))
    np.testing.assert_allclose(even.values, 7.0)
    kept = years.pairs[~years.pairs["sliver"]]
    if not years.pairs["sliver"].any():
        area = pd.Series(old.area.to_numpy(), index=old["code"])
        back = years.transfer(area).values.reindex(new["code"])
        np.testing.assert_allclose(back, new.area.to_numpy(), rtol=1e-9)
    assert kept.groupby("old_code")["weight"].sum().to_numpy() == pytest.approx(1.0)


@settings(max_examples=25, deadline=None)
@given(units=divisions())
def test_an_edition_is_itself(units):
    years = crosswalk_by_geometry(units, units, key="code")
    assert (years.changes["kind"] == "unchanged").all()
    values = pd.Series(np.arange(len(units), dtype=float), index=units["code"])
    pd.testing.assert_series_equal(
        years.transfer(values).values,
        values.sort_index(),
        check_names=False,
        check_index_type=False,
    )


@settings(max_examples=25, deadline=None)
@given(units=divisions())
def test_what_was_split_is_merged_on_the_way_back(units):
    whole = frame({"whole": box(0, 0, 1000, 1000)})
    there = kinds(crosswalk_by_geometry(whole, units, key="code"))
    back = kinds(crosswalk_by_geometry(units, whole, key="code"))
    expected = ("recoded", "recoded") if len(units) == 1 else ("split", "merged")
    assert set(there["new"].values()) == {expected[0]} == set(there["old"].values())
    assert set(back["old"].values()) == {expected[1]} == set(back["new"].values())


def test_the_table_of_changes_that_a_city_publishes():
    old = pd.DataFrame({"code": ["01", "02", "03", "04", "05"], "name": list("甲乙丙丁戊")})
    new = pd.DataFrame(
        {"code": ["01", "11", "12", "13", "05"], "name": ["甲", "乙东", "乙西", "丙丁", "戊"]}
    )
    table = pd.DataFrame(
        {"old_code": ["02", "02", "03", "04"], "new_code": ["11", "12", "13", "13"]}
    )
    years = crosswalk_by_code(old, new, key="code", name="name", table=table)
    assert kinds(years)["old"] == {
        "01": "unchanged",
        "02": "split",
        "03": "merged",
        "04": "merged",
        "05": "unchanged",
    }
    assert years.changes.set_index(["edition", "code"]).loc[("old", "02"), "others"] == "11; 12"
    values = pd.Series({"01": 1.0, "03": 4.0, "04": 5.0})
    assert years.transfer(values).values["13"] == 9.0
    with pytest.raises(InputError, match="how '02' is shared"):
        years.transfer(pd.Series({"02": 4.0}))
    shared = crosswalk_by_code(old, new, key="code", table=table.assign(share=[0.25, 0.75, 1, 1]))
    assert shared.transfer(pd.Series({"02": 4.0})).values[["11", "12"]].to_list() == [1.0, 3.0]


def test_a_code_that_stays_may_be_split_all_the_same():
    old, new = pd.DataFrame({"code": ["01"]}), pd.DataFrame({"code": ["01", "02"]})
    table = pd.DataFrame({"old_code": ["01", "01"], "new_code": ["01", "02"]})
    assert set(crosswalk_by_code(old, new, key="code", table=table).changes["kind"]) == {"split"}


A = frame({"A": box(0, 0, 9, 9)})
TABLE = pd.DataFrame({"old_code": ["A", "A"], "new_code": ["A", "A"]})


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda: crosswalk_by_geometry(A, A.to_crs(4490), key="code"), CrsError, "needs metres"),
        (lambda: crosswalk_by_geometry(A, A.to_crs(4548), key="code"), CrsError, "EPSG:4548"),
        (lambda: crosswalk_by_geometry(A, A, key="cod"), ColumnError, "did you mean 'code'"),
        (lambda: crosswalk_by_geometry(A, pd.concat([A, A]), key="code"), InputError, "code of another"),
        (lambda: crosswalk_by_geometry(A.assign(code=None), A, key="code"), InputError, "have no code"),
        (
            lambda: crosswalk_by_geometry(A, frame({"A": shapely.Polygon([(0, 0), (9, 9), (9, 0), (0, 9)])}), key="code"),
            InputError, "no valid polygons",
        ),
        (lambda: crosswalk_by_geometry(A, A, key="code", name="n"), ColumnError, "no column 'n'"),
        (lambda: crosswalk_by_geometry(A, A, key="code").transfer(pd.Series({"A": 1}), by="count"), InputError, "points="),
        (lambda: crosswalk_by_geometry(A, A, key="code").transfer(pd.Series({"A": 1}), by="size"), InputError, "'size'"),
        (lambda: crosswalk_by_geometry(A, A, key="code").transfer(pd.Series([1, 1], index=["A", "A"])), InputError, "'A'"),
        (lambda: crosswalk_by_code(A, A, key="code", table=TABLE), InputError, "twice"),
        (lambda: crosswalk_by_code(A, A, key="code", table=TABLE[:1].assign(share=1.5)), InputError, "1.5"),
        (lambda: crosswalk_by_code(A, A, key="code", table=TABLE.assign(new_code="Z")), InputError, "unknown new_code"),
        (lambda: crosswalk_by_code(A, A, key="code", table=TABLE[["old_code"]]), ColumnError, "new_code"),
        (lambda: match_names(A["code"], A["code"], within=A["code"]), IndexMismatchError, "give both"),
    ],
)  # fmt: skip
def test_what_cannot_be_compared_is_refused(ask, error, said):
    with pytest.raises(error, match=said):
        ask()


def test_units_of_a_day():
    units = pd.DataFrame(
        {
            "code": ["A", "A1", "A2", "B"],
            "valid_from": [None, "2025-07-01", "2025-07-01", "2020-01-01"],
            "valid_to": ["2025-07-01", None, None, "2024-01-01"],
        }
    )
    assert units_at(units, "2025-06-30")["code"].to_list() == ["A"]
    assert units_at(units, date(2025, 7, 1))["code"].to_list() == ["A1", "A2"]
    assert units_at(units, "2021-01-01")["code"].to_list() == ["A", "B"]
    assert validity_faults(units, key="code") == []
    with pytest.raises(ColumnError, match="valid_from"):
        units_at(units.drop(columns="valid_from"), "2025-01-01")


def test_days_that_contradict_each_other():
    units = pd.DataFrame(
        {
            "code": ["A", "A", "B", "C", "C"],
            "valid_from": ["2020-01-01", "2021-01-01", "2022-01-01", None, "2023-01-01"],
            "valid_to": ["2021-06-01", None, "2021-01-01", "2023-01-01", None],
        }
    )
    faults = {fault.rule: fault for fault in validity_faults(units, key="code")}
    assert faults["ends_before_it_begins"].first == "B"
    assert (faults["twice_at_once"].n, faults["twice_at_once"].first) == (1, "A")


def test_names_are_matched_whole_then_bare_and_never_by_chance():
    known = pd.Series({"1": "太阳宫地区", "2": "东风街道", "3": "东风乡", "4": "和平街道"})
    found = match_names(pd.Series(["太阳宫镇", "东风镇", "东风街道", None, "新华"]), known)
    assert found["match"].fillna("").to_list() == ["1", "", "2", "", ""]
    assert found["how"].to_list() == ["bare", "ambiguous", "exact", "none", "none"]


@pytest.mark.data
def test_the_sub_districts_of_beijing_find_their_codes(shared_data):
    units = gpd.read_file(shared_data / "beijing" / "BJStreet.shp.zip", columns=["县", "乡"])
    counties = pd.read_parquet(shared_data / "cn-codes" / "areas.parquet").set_index("code")["name"]
    streets = pd.read_parquet(shared_data / "cn-codes" / "streets.parquet").set_index("code")
    streets = streets[streets["provinceCode"] == "11"]
    found = match_names(
        units["乡"],
        streets["name"],
        within=units["县"],
        known_within=streets["areaCode"].map(counties),
    )
    assert len(units) == 335
    assert (found["how"] == "exact").sum() == 271
    assert found["match"].notna().sum() >= 330
    # What is named too is in the county that the row itself names.
    assert (found["match"].str[:6].map(counties) == units["县"])[found["match"].notna()].all()


@pytest.mark.data
def test_taipei_merged_to_its_first_level_and_back(shared_data):
    units = gpd.read_parquet(shared_data / "taipei" / "taipei_base_units.parquet").to_crs(3826)
    units = units[units["CODE2"].str[:5] == "A6301"]
    units = units.set_geometry(units.make_valid())
    parts = units.rename(columns={"CODEBASE": "code"})[["code", "CODE1", "geometry"]]
    wholes = (
        parts.dissolve("CODE1")
        .reset_index()[["CODE1", "geometry"]]
        .rename(columns={"CODE1": "code"})
    )
    years = crosswalk_by_geometry(parts, wholes, key="code")
    size = parts.groupby("CODE1")["code"].transform("size")
    expected = np.where(size > 1, "merged", "recoded")
    told = years.changes[years.changes["edition"] == "old"].set_index("code")["kind"]
    assert told.reindex(parts["code"]).to_list() == expected.tolist()
    values = pd.Series(np.random.default_rng(0).poisson(9, len(parts)), index=parts["code"])
    carried = years.transfer(values)
    assert carried.unplaced.empty
    summed = values.groupby(parts.set_index("code")["CODE1"]).sum()
    np.testing.assert_allclose(carried.values, summed.reindex(carried.values.index))
