"""What does the report of a grid say, and what is refused?"""

import geopandas as gpd
import pandas as pd
import pytest

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.grids.codes.scheme import SCHEMES
from gisgrid.grids.validation.grid_report import Relations, validate
from gisgrid.testing import synthetic_city

COLUMNS, ROWS, BLOCK = 16, 12, 4
KEYS = {"streets": "street_code", "communities": "community_code", "grids": "grid_code"}


def changed(levels, level, column, position, value):
    frame = levels[level].copy()
    frame[column] = [value if n == position else each for n, each in enumerate(frame[column])]
    return levels | {level: frame}


def test_faults_do_not_depend_on_the_order_of_rows(clean_cities, examined):
    grids = clean_cities[1]["grids"]
    levels = clean_cities[1] | {"grids": grids.set_geometry(grids.buffer(0.7, join_style="mitre"))}
    shuffled = levels | {
        "grids": levels["grids"].sample(frac=1, random_state=3).reset_index(drop=True)
    }
    first, second = (examined(each).faults.drop(columns="geometry") for each in (levels, shuffled))
    pd.testing.assert_frame_equal(first, second)


def test_the_synthetic_city_is_clean():
    city = synthetic_city(seed=3, n_issues=2_000, years=1)
    keys = {
        "subdistricts": "subdistrict_code",
        "communities": "community_code",
        "compounds": "compound_code",
    }
    relations = {
        "communities": Relations(parent="subdistrict_code"),
        "compounds": Relations(parent="community_code"),
    }
    report = validate({name: city.layers[name] for name in keys}, keys=keys, relations=relations)
    assert report.faults["message_en"].to_list() == []


def test_nothing_is_changed_and_the_report_says_what_it_is(clean_cities, examined):
    levels = clean_cities[1]
    before = levels["grids"].copy(deep=True)
    report = examined(levels)
    pd.testing.assert_frame_equal(levels["grids"], before)
    assert (
        repr(report)
        == "<GridReport of 2 streets > 12 communities > 192 grids: 0 errors, 0 warnings, 0 notes>"
    )
    assert any("rings are closed" in note.en for note in report.notes)


def test_codes_without_a_scheme_are_compared_with_each_other(clean_cities):
    levels = changed(clean_cities[1], "grids", "grid_code", 30, "1101010010010A2")
    faults = validate(levels, keys=KEYS).faults
    assert faults["rule"].to_list() == ["ill_formed_code"]
    levels = changed(clean_cities[1], "grids", "grid_code", 30, "10101001001002.0")
    relations = {"grids": Relations(scheme=SCHEMES["beijing-15"])}
    (message,) = validate(levels, keys=KEYS, relations=relations).faults["message_en"]
    assert "breaks beijing-15" in message


def test_a_level_without_a_parent_column_is_held_against_places(clean_cities):
    levels = {name: clean_cities[1][name] for name in ("communities", "grids")}
    report = validate(levels, keys=KEYS)
    assert report.clean
    assert report.nesting["by"].to_list() == [""]
    moved = levels | {"grids": levels["grids"].set_geometry(levels["grids"].translate(30, 0))}
    report = validate(moved, keys=KEYS)
    row = report.nesting.iloc[0]
    assert row["n_inside"] < row["n_most"] == row["n_units"] == 192
    crossing = report.faults[
        (report.faults["rule"] == "crosses_parent") & (report.faults["severity"] == "error")
    ]
    codes = levels["grids"]["grid_code"]
    eastern = {
        codes[r * COLUMNS + c] for r in range(ROWS) for c in range(BLOCK - 1, COLUMNS - 1, BLOCK)
    }
    assert eastern <= set(crossing["unit"])
    assert {"outside_parent", "parent_not_filled"} <= set(report.faults["rule"])


@pytest.mark.parametrize(
    ("levels", "error", "words"),
    [
        ({}, InputError, "0 levels"),
        ({"grids": "degrees"}, CrsError, "needs metres"),
        ({"grids": "no_crs"}, CrsError, "no coordinate reference system"),
        ({"grids": "empty"}, InputError, "0 units"),
        ({"grids": "no_key"}, ColumnError, "no column 'grid_code'"),
        ({"communities": "other_crs", "grids": "as_is"}, CrsError, "need one CRS"),
    ],
)
def test_what_cannot_be_examined_is_refused(clean_cities, levels, error, words):
    made = {
        "as_is": lambda frame: frame,
        "degrees": lambda frame: frame.to_crs(4326),
        "no_crs": lambda frame: frame.set_crs(None, allow_override=True),
        "empty": lambda frame: frame.iloc[:0],
        "no_key": lambda frame: frame.drop(columns="grid_code"),
        "other_crs": lambda frame: frame.to_crs(4548),
    }
    frames = {name: made[how](clean_cities[1][name]) for name, how in levels.items()}
    with pytest.raises(error, match=words):
        validate(frames, keys=KEYS)


def test_what_does_not_fit_the_levels_is_refused(clean_cities):
    levels = {"grids": clean_cities[1]["grids"]}
    with pytest.raises(InputError, match="did you mean 'grids'"):
        validate(levels, keys=KEYS, relations={"grid": Relations()})
    with pytest.raises(InputError, match="holds 1 geometries"):
        validate(levels, keys=KEYS, raw={"grids": [b""]})
    with pytest.raises(ColumnError, match="no column 'management'"):
        validate(levels, keys=KEYS, relations={"grids": Relations(groups=("management",))})


@pytest.fixture(scope="module")
def taipei(shared_data):
    folder = shared_data / "taipei"
    names = ("towns", "code2", "code1", "base_units", "villages")
    return {
        name: gpd.read_parquet(folder / f"taipei_{name}.parquet").to_crs(3826) for name in names
    }


TAIPEI_KEYS = {
    "towns": "TOWNCODE",
    "code2": "CODE2",
    "code1": "CODE1",
    "base_units": "CODEBASE",
    "villages": "VILLCODE",
}


@pytest.mark.data
def test_the_grid_of_taipei_has_no_orphan_and_is_whole(taipei):
    parents = {"code2": "TOWN_ID", "code1": "CODE2", "base_units": "CODE1"}
    report = validate(
        {name: frame for name, frame in taipei.items() if name != "villages"},
        keys=TAIPEI_KEYS, relations={name: Relations(parent=column) for name, column in parents.items()},
    )  # fmt: skip
    assert report.levels["n_units"].to_list() == [12, 907, 7_672, 11_490]
    assert report.nesting["n_orphans"].to_list() == [0, 0, 0]
    assert not {"orphan", "self_crossing", "invalid_shape", "two_parents"} & set(
        report.faults["rule"]
    )
    assert not (
        (report.faults["level"] == "base_units") & (report.faults["severity"] == "error")
    ).any()
    assert report.levels["area_km2"].iloc[3] == pytest.approx(269.29, abs=0.005)
    assert report.nesting["least_share"].iloc[2] > 0.985  # CODE1 is quantised: up to 1.1 % off


@pytest.mark.data
def test_villages_and_statistical_units_do_not_nest(taipei):
    levels = {name: taipei[name] for name in ("towns", "villages", "base_units")}
    report = validate(
        levels, keys=TAIPEI_KEYS, relations={"villages": Relations(parent="TOWNCODE")}
    )
    row = report.nesting.set_index("child").loc["base_units"]
    assert (row["n_units"], row["n_inside"], row["n_most"], row["n_orphans"]) == (
        11_490,
        9_571,
        11_486,
        0,
    )
    faults = report.faults
    invalid = faults[faults["rule"].isin(["self_crossing", "invalid_shape"])]
    assert invalid["unit"].to_list() == ["63000080037"]
    nested = faults[
        faults["rule"].isin(["crosses_parent", "outside_parent"])
        & (faults["level"] == "base_units")
    ]
    assert nested.loc[nested["severity"] == "error", "unit"].nunique() <= 11_490 - 9_571
    listed = nested.groupby("unit")["size"].sum() / taipei["base_units"].set_index("CODEBASE").area
    assert (listed > 0.05).sum() == pytest.approx(11_490 - 9_571, abs=3)
