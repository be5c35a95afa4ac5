"""`gisgrid make-grids` and `gisgrid balance-grids`, as a user has them."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

EAST, NORTH = 500_000, 3_900_000


def write(path, shapes, crs=4547, to=None, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
    (frame if to is None else frame.to_crs(to)).to_file(path)
    return path


@pytest.fixture
def communities(tmp_path):
    squares = shapely.box([EAST, EAST + 600], NORTH, [EAST + 600, EAST + 1000], NORTH + 500)
    return write(
        tmp_path / "communities.gpkg", squares, community_code=["110101001001", "110101001002"]
    )


@pytest.fixture
def streets(tmp_path):
    street = shapely.LineString([(EAST - 100, NORTH + 250), (EAST + 1100, NORTH + 250)])
    return write(tmp_path / "streets.gpkg", [street])


@pytest.fixture
def grids(gisgrid, communities, streets, tmp_path):
    path = tmp_path / "grids.gpkg"
    assert gisgrid("make-grids", communities, streets, "-o", path)[0] == 0
    return path


def test_grids_are_made(gisgrid, communities, streets, tmp_path):
    path = tmp_path / "grids.parquet"
    code, out, _ = gisgrid("make-grids", communities, streets, "-o", path, "--language", "en")
    made = gpd.read_parquet(path)
    assert (code, len(made)) == (0, 50)
    assert made["unit_grid_code"].is_unique
    assert shapely.coverage_is_valid(made.geometry.to_numpy())
    assert "median area, m²" in out
    assert "grids.parquet" in out
    assert not [letter for letter in out if "\u4e00" <= letter <= "\u9fff"]


def test_the_summary_is_in_chinese_unless_asked(gisgrid, communities, tmp_path):
    _, out, err = gisgrid("make-grids", communities, "-o", tmp_path / "grids.gpkg")
    assert "面积中位数" in out
    assert "划分单元网格" in err


def test_grids_pass_the_validator(gisgrid, communities, grids):
    code, out, _ = gisgrid(
        "validate-grids", communities, grids, "--scheme", "grids=beijing-15", "--json"
    )
    assert code == 0, out


def test_options_reach_the_grids(gisgrid, communities, tmp_path):
    house = write(
        tmp_path / "houses.gpkg", shapely.box([EAST + 80], NORTH + 20, [EAST + 130], NORTH + 40)
    )
    field = write(
        tmp_path / "fields.gpkg", shapely.box([EAST + 600], NORTH, [EAST + 1000], NORTH + 500)
    )
    path = tmp_path / "grids.gpkg"
    code, out, _ = gisgrid(
        "make-grids", communities, "-o", path, "--area-m2", 20_000, "--keep-whole", house, "--open-land", field,
        "--open-area-m2", 200_000, "--scheme", "none", "--json",
    )  # fmt: skip
    said, made = json.loads(out), gpd.read_file(path)
    assert (code, said["n_grids"], said["aim_m2"]) == (0, 16, 20_000)
    assert made["unit_grid_id"].iloc[-1] == "110101001002-001"
    assert made.covers(gpd.read_file(house).geometry.iloc[0].buffer(-0.001)).sum() == 1


def test_degrees_are_reprojected_and_that_is_said(gisgrid, streets, tmp_path):
    square = [shapely.box(EAST, NORTH, EAST + 300, NORTH + 200)]
    degrees = write(tmp_path / "degrees.geojson", square, to=4326, community_code=["110101001001"])
    code, out, _ = gisgrid("make-grids", degrees, streets, "-o", tmp_path / "g.gpkg", "--json")
    notes = [note["en"] for note in json.loads(out)["notes"]]
    assert code == 0
    assert any(
        "degrees.geojson is reprojected from" in note and "EPSG:4547" in note for note in notes
    )


@pytest.fixture
def reports(tmp_path):
    xy = np.random.default_rng(0).uniform((EAST, NORTH), (EAST + 1000, NORTH + 500), (800, 2))
    path = tmp_path / "reports.parquet"
    points = gpd.GeoDataFrame(
        geometry=shapely.points(np.vstack([xy, [(EAST - 999, NORTH)]])), crs=4547
    )
    points.to_crs(4326).to_parquet(path)
    return path


def test_reports_are_counted_and_shared(gisgrid, grids, reports, tmp_path):
    path, table = tmp_path / "duty.gpkg", tmp_path / "units.csv"
    code, out, _ = gisgrid(
        "balance-grids",
        grids,
        "--reports",
        reports,
        "--load-per-grid",
        80,
        "-o",
        path,
        "--table",
        table,
        "--json",
    )
    said, duty, units = json.loads(out), gpd.read_file(path), pd.read_csv(table, dtype=str)
    assert (code, said["n_duty_grids"], said["n_in_pieces"]) == (0, 10, 0)
    assert said["imbalance_after"]["worst"] <= 1.1
    assert duty["workload"].sum() == 800
    assert {
        "zh": "801条上报中1条不在任何单元内",
        "en": "1 of 801 reports are in none of the units",
    } in said["notes"]
    assert units["unit_grid_code"].tolist() == gpd.read_file(grids)["unit_grid_code"].tolist()
    assert set(units["duty_grid_id"]) == set(duty["duty_grid_id"])


def test_the_fewest_moves_are_listed(gisgrid, grids, tmp_path):
    units = gpd.read_file(grids)
    middle = units.centroid
    units["households"] = 10
    units["duty"] = units["community_code"] + np.where(middle.y > NORTH + 330, "N", "S")
    units.to_file(now := tmp_path / "now.gpkg")
    path, table = tmp_path / "duty.gpkg", tmp_path / "moves.csv"
    words = (
        "balance-grids",
        now,
        "--load",
        "households=2",
        "--current",
        "duty",
        "--fewest-moves",
        "-o",
        path,
    )
    code, out, _ = gisgrid(*words, "--table", table, "--language", "en")
    moves, duty = pd.read_csv(table), gpd.read_file(path)
    assert code == 0
    assert len(moves) > 0
    assert "units to move" in out
    assert duty["share_of_mean"].between(0.9, 1.1).all()
    assert (duty["n_pieces"] == 1).all()
    _, out, _ = gisgrid(*words, "--json")
    assert json.loads(out)["n_moves"] == len(moves)
    code, out, _ = gisgrid(
        "balance-grids", now, "--load", "households", "--current", "duty", "-o", path, "--json"
    )
    assert (code, json.loads(out)["n_duty_grids"]) == (0, 4)


MAKE = (
    (("nowhere.gpkg",), "nowhere.gpkg"),
    (("communities.gpkg", "-o", "out.shp"), "ends in '.shp'"),
    (("communities.gpkg", "-o", "no/out.gpkg"), "does not exist"),
    (("communities.gpkg", "--scheme", "beijing"), "did you mean 'beijing-15'"),
    (("communities.gpkg", "communities.gpkg"), "2 of 2 streets are no lines"),
)
BALANCE = (
    (("--n-grids", 2), "give --load COLUMN"),
    (("--load", "area_m2"), "needs the number of duty grids"),
    (("--load", "area_m2=x", "--n-grids", 2), "no number behind '='"),
    (("--load", "areas", "--n-grids", 2), "no column 'areas'"),
    (("--load", "area_m2", "--fewest-moves"), "--current"),
    (("--load", "area_m2", "--current", "duty"), "--current 'duty'"),
    (("--within", "code", "--load", "area_m2", "--n-grids", 1), "--within 'code'"),
    (("--reports", "communities.gpkg", "--n-grids", 2), "are no points"),
    (("--load", "area_m2", "--n-grids", 2, "--table", "t.xlsx"), "'.xlsx'"),
)


def test_mistakes_are_said(gisgrid, grids, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    asked = [(("make-grids", "-o", "out.gpkg", *words), said) for words, said in MAKE]
    asked += [(("balance-grids", grids, "-o", "out.gpkg", *words), said) for words, said in BALANCE]
    for words, said in asked:
        code, _, err = gisgrid(*words)
        assert (code, said in err) == (2, True), (words, err)
        assert not (tmp_path / "out.gpkg").exists()
