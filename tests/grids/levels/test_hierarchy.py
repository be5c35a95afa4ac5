"""Who belongs to whom, and what parts add up to."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, InputError
from gisgrid.grids import LEVELS, SCHEMES, Hierarchy

KEYS = {"subdistricts": "s", "communities": "c", "compounds": "p"}


def city(**changes):
    frames = {
        "subdistricts": pd.DataFrame({"s": ["01", "02"]}),
        "communities": pd.DataFrame({"c": ["011", "012", "021"], "s": ["01", "01", "02"]}),
        "compounds": pd.DataFrame({"p": ["0111", "0112", "0121", "0211"], "c": ["011", "011", "012", "021"]}),
    }  # fmt: skip
    return Hierarchy.from_columns(frames | changes, keys=KEYS)


def rules(hierarchy):
    return {(fault.level, fault.rule): fault.codes for fault in hierarchy.faults}


def test_units_know_those_above_and_below():
    units = city()
    assert units.faults == ()
    assert units.parents("compounds", to="subdistricts").to_dict() == {
        "0111": "01", "0112": "01", "0121": "01", "0211": "02",
    }  # fmt: skip
    assert units.children("01", level="subdistricts", of="compounds").to_list() == [
        "0111",
        "0112",
        "0121",
    ]
    assert units.ancestors("0121", level="compounds") == {
        "communities": "012",
        "subdistricts": "01",
    }
    assert units.parents("compounds", to="compounds")["0111"] == "0111"


def test_values_go_up_and_down():
    units = city()
    values = pd.Series({"0111": 1.0, "0112": 5.0, "0121": np.nan, "0211": 4.0})
    summed = units.roll_up(values, of="compounds", to="communities")
    assert summed.units.to_dict("list") == {
        "value": [6.0, pytest.approx(np.nan, nan_ok=True), 4.0], "n_parts": [2, 0, 1], "n_missing": [0, 1, 0],
    }  # fmt: skip
    assert units.drill_down(values, "01", level="subdistricts", of="compounds").index.to_list() == [
        "0112", "0111", "0121",
    ]  # fmt: skip
    mean = units.roll_up(
        values, of="compounds", to="subdistricts", how="mean", weights=pd.Series({"0111": 3, "0112": 1, "0211": 0})
    )  # fmt: skip
    assert mean.units["value"].tolist() == [2.0, pytest.approx(np.nan, nan_ok=True)]
    assert units.roll_up(values, of="compounds", to="subdistricts", how="max").units[
        "value"
    ].tolist() == [5.0, 4.0]


def test_what_lies_nowhere_is_listed():
    units = city(
        compounds=pd.DataFrame({"p": ["0111", "0911", "0", ""], "c": ["011", "091", None, "011"]})
    )
    assert rules(units) == {
        ("compounds", "no_code"): ("row 3",),
        ("compounds", "no_parent"): ("0",),
        ("compounds", "orphan"): ("0911",),
    }
    assert units.orphans("compounds").to_list() == ["0", "0911"]
    assert units.childless("communities", of="compounds").to_list() == ["012", "021"]
    values = pd.Series({"0111": 1, "0911": 2, "unknown": 4})
    up = units.roll_up(values, of="compounds", to="subdistricts")
    assert up.unplaced.to_dict() == {"0911": 2, "unknown": 4}
    assert up.units["value"].tolist() == [1.0, 0.0]


def test_a_unit_of_two_parents_has_none_until_someone_decides():
    twice = pd.DataFrame({"p": ["0111", "0111", "0112", "0112"], "c": ["011", "012", "011", "011"]})
    units = city(compounds=twice)
    assert rules(units) == {("compounds", "two_parents"): ("0111",)}
    assert units.parents("compounds", to="communities").to_dict() == {
        "0111": pytest.approx(np.nan, nan_ok=True),
        "0112": "011",
    }
    assert "0111" in units.orphans("compounds")


def test_unit_grids_are_grouped_in_several_ways():
    frames = {
        "subdistricts": pd.DataFrame({"s": ["01", "02"]}),
        "communities": pd.DataFrame({"c": ["011", "021"], "s": ["01", "02"]}),
        "duty_grids": pd.DataFrame({"d": ["D1", "D2"], "s": ["01", "02"]}),
        "unit_grids": pd.DataFrame({"u": ["a", "b", "c"], "c": ["011", "011", "021"], "d": ["D1", "D2", "D2"]}),
    }  # fmt: skip
    keys = {"subdistricts": "s", "communities": "c", "duty_grids": "d", "unit_grids": "u"}
    units = Hierarchy.from_columns(frames, keys=keys)
    assert rules(units) == {("unit_grids", "disagreement"): ("b",)}
    values = pd.Series({"a": 1, "b": 2, "c": 4})
    by_duty = units.roll_up(values, of="unit_grids", to="duty_grids").units["value"]
    assert by_duty.to_dict() == {"D1": 1.0, "D2": 6.0}
    with pytest.raises(InputError, match="differ for 1 of 3"):
        units.roll_up(values, of="unit_grids", to="subdistricts")
    stated = {"communities": {"subdistricts": "s"}, "unit_grids": {"communities": "c"}}
    plain = Hierarchy.from_columns(frames, keys=keys, parents=stated)
    assert plain.roll_up(values, of="unit_grids", to="subdistricts").units["value"].tolist() == [
        3.0,
        4.0,
    ]
    assert set(frames) <= set(LEVELS)


def test_codes_alone_make_a_hierarchy():
    scheme = SCHEMES["compound-15"]
    frames = {
        "communities": pd.DataFrame({"code": ["110101001001", "110101001002"]}),
        "compounds": pd.DataFrame({"code": ["110101001001001", "110101001003001", "1101"]}),
    }
    units = Hierarchy.from_codes(
        frames, keys=dict.fromkeys(frames, "code"), scheme=scheme,
        levels={"communities": "village", "compounds": "compound"},
    )  # fmt: skip
    assert rules(units) == {
        ("compounds", "ill_formed"): ("1101",),
        ("compounds", "orphan"): ("110101001003001",),
    }
    assert units.parents("compounds", to="communities")["110101001001001"] == "110101001001"


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda c: c.parents("compound", to="communities"), ColumnError, "did you mean 'compounds'"),
        (lambda c: c.parents("communities", to="compounds"), ColumnError, "do not lie in"),
        (lambda c: c.children("9", level="communities", of="compounds"), InputError, "no unit '9'"),
        (lambda c: c.roll_up(pd.Series([1, 1], index=["x", "x"]), of="compounds", to="communities"), InputError, "'x'"),
        (lambda c: c.roll_up(pd.Series([1.0], index=["0111"]), of="compounds", to="communities", how="median"), InputError, "median"),
        (
            lambda c: c.roll_up(pd.Series([1.0], index=["0111"]), of="compounds", to="communities", weights=pd.Series([1.0])),
            InputError, "leave them out",
        ),
        (
            lambda c: c.roll_up(
                pd.Series([1.0], index=["0111"]), of="compounds", to="communities", how="mean",
                weights=pd.Series([-1.0], index=["0111"]),
            ),
            InputError, "negative",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_answered_is_refused(ask, error, said):
    with pytest.raises(error, match=said):
        ask(city())


def test_levels_cannot_lie_in_each_other():
    frame = pd.DataFrame({"a": ["1"], "b": ["2"]})
    with pytest.raises(InputError, match="lie in each other"):
        Hierarchy.from_columns(
            {"x": frame, "y": frame}, keys={"x": "a", "y": "b"}, parents={"x": {"y": "b"}, "y": {"x": "a"}}
        )  # fmt: skip
    with pytest.raises(ColumnError, match="'keys' does not name"):
        Hierarchy.from_columns({"x": frame}, keys={})


def test_nothing_given_is_changed():
    frame = pd.DataFrame({"c": ["b", "a", None], "s": ["01", " ", "02"]}, index=[3, 1, 1])
    before = frame.copy()
    city(communities=frame)
    pd.testing.assert_frame_equal(frame, before)


@settings(max_examples=30, deadline=None)
@given(
    parents=st.lists(st.sampled_from(["A", "B", "C", "nowhere", None]), min_size=1, max_size=30),
    seed=st.integers(0, 10),
)
def test_nothing_is_lost_on_the_way_up_and_order_does_not_matter(parents, seed):
    rng = np.random.default_rng(seed)
    codes = [f"u{k:02d}" for k in range(len(parents))]
    parts = pd.DataFrame({"u": codes, "p": pd.Series(parents, dtype="str")})
    whole = pd.DataFrame({"p": ["A", "B", "C"]})
    values = pd.Series(rng.normal(0, 1e6, len(parents)), index=codes)
    mixed = parts.sample(frac=1, random_state=seed)
    ups = [
        Hierarchy.from_columns({"wholes": whole, "parts": frame}, keys={"wholes": "p", "parts": "u"}).roll_up(
            values, of="parts", to="wholes"
        )
        for frame in (parts, mixed)
    ]  # fmt: skip
    for up in ups:
        assert up.units["value"].sum() + up.unplaced.sum() == pytest.approx(
            values.sum(), rel=1e-12, abs=1e-6
        )
        assert up.units["n_parts"].sum() + len(up.unplaced) == len(values)
    pd.testing.assert_frame_equal(ups[0].units, ups[1].units)
    expected = values.groupby(parts.set_index("u")["p"]).sum().reindex(["A", "B", "C"]).fillna(0.0)
    np.testing.assert_allclose(ups[0].units["value"], expected)


@pytest.mark.data
def test_the_grid_of_taipei_has_no_orphan(shared_data):
    frames = {
        name: gpd.read_parquet(shared_data / "taipei" / f"taipei_{name}.parquet")
        for name in ("towns", "code2", "code1", "base_units")
    }
    units = Hierarchy.from_columns(
        frames,
        keys={"towns": "TOWNCODE", "code2": "CODE2", "code1": "CODE1", "base_units": "CODEBASE"},
        parents={
            "code2": {"towns": "TOWN_ID"},
            "code1": {"code2": "CODE2", "towns": "TOWN_ID"},
            "base_units": {"code1": "CODE1", "code2": "CODE2", "towns": "TOWN_ID"},
        },
    )
    assert {level: len(codes) for level, codes in units.units.items()} == {
        "towns": 12, "code2": 907, "code1": 7_672, "base_units": 11_490,
    }  # fmt: skip
    assert units.faults == ()
    for level, below in (("towns", "code2"), ("code2", "code1"), ("code1", "base_units")):
        assert units.childless(level, of=below).empty
    ones = pd.Series(1, index=units.units["base_units"])
    up = units.roll_up(ones, of="base_units", to="towns")
    assert up.units["value"].sum() == 11_490
    assert up.unplaced.empty


@pytest.mark.data
def test_villages_lie_in_their_streets_by_code(shared_data):
    names = {"counties": "areas", "streets": "streets", "villages": "villages_11_31_46"}
    frames = {
        level: pd.read_parquet(shared_data / "cn-codes" / f"{name}.parquet") for level, name in names.items()
    }  # fmt: skip
    units = Hierarchy.from_codes(
        frames, keys=dict.fromkeys(names, "code"), scheme=SCHEMES["statistical-12"],
        levels={"counties": "county", "streets": "township", "villages": "village"},
    )  # fmt: skip
    assert units.faults == ()
    assert len(units.children("110101", level="counties", of="villages")) > 100
