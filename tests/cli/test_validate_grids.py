"""`gisgrid validate-grids`: files in, faults and a page out; exit code 1 says that there are some."""

import json
import struct

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely
from shapely import box

EAST, NORTH = 500_000.0, 3_900_000.0


def squares(columns, rows, side, codes):
    y, x = (each.ravel() for each in np.mgrid[:rows, :columns])
    west, south = EAST + x * side, NORTH + y * side
    return gpd.GeoDataFrame(
        {"code": codes}, geometry=shapely.box(west, south, west + side, south + side), crs=4547
    )


@pytest.fixture
def folder(tmp_path):
    """Two communities of eight grids each, clean, in two files."""
    communities = squares(2, 1, 400, ["110101001001", "110101001002"])
    row, column = (each.ravel() for each in np.mgrid[:2, :4])
    serial = [(1 - r) * 2 + c % 2 + 1 for r, c in zip(row, column, strict=True)]
    grids = squares(
        4, 2, 200, [f"11010100100{1 + c // 2}{n:03d}" for c, n in zip(column, serial, strict=True)]
    )
    communities.rename(columns={"code": "community_code"}).to_file(tmp_path / "communities.gpkg")
    grids.rename(columns={"code": "grid_code"}).to_file(tmp_path / "grids.gpkg")
    return tmp_path


@pytest.fixture
def faulty(folder):
    """The same, one grid too wide and one with a code that lost a zero."""
    grids = gpd.read_file(folder / "grids.gpkg")
    shapes = grids.geometry.to_numpy().copy()
    shapes[0] = box(EAST, NORTH, EAST + 210, NORTH + 200)
    shapes[7] = box(EAST + 600, NORTH + 200, EAST + 799.7, NORTH + 400)
    grids.set_geometry(gpd.GeoSeries(shapes, crs=4547)).to_file(folder / "grids.gpkg")
    return folder


def test_a_clean_grid_is_said_to_be_clean(gisgrid, folder):
    code, out, err = gisgrid(
        "validate-grids", folder / "communities.gpkg", folder / "grids.gpkg", "--language", "en"
    )
    assert code == 0, err
    assert "No fault was found." in out
    assert "the parents of grids are the first 12 characters of its codes" in " ".join(out.split())


def test_faults_give_exit_code_1_a_layer_a_page_and_json(gisgrid, faulty):
    files = {name: faulty / name for name in ("faults.gpkg", "faults.html", "mended.gpkg")}
    code, out, err = gisgrid(
        "validate-grids", faulty / "communities.gpkg", faulty / "grids.gpkg", "-o", files["faults.gpkg"],
        "--report", files["faults.html"], "--repair", files["mended.gpkg"], "--scheme", "grids=beijing-15", "--json",
    )  # fmt: skip
    assert code == 1, err
    said = json.loads(out)
    assert {(each["rule"], each["severity"]): each["n"] for each in said["faults"]} == {
        ("overlap", "error"): 1,
        (
            "unmatched_edges",
            "note",
        ): 1,  # the wide grid's corner lies on the edge of the grid to the north
    }
    assert said["repaired"]["n_left"] == 0
    assert said["repaired"]["moved_m2"] == pytest.approx(2_000)
    layer = gpd.read_file(files["faults.gpkg"])
    assert layer["rule"].to_list() == ["overlap", "unmatched_edges"]
    assert layer["size"].iloc[0] == pytest.approx(2_000)
    assert layer.geometry.iloc[0].equals(box(EAST + 200, NORTH, EAST + 210, NORTH + 200))
    assert sorted(pyogrio.list_layers(files["mended.gpkg"])[:, 0]) == [
        "communities",
        "grids",
        "moved",
    ]
    mended = gpd.read_file(files["mended.gpkg"], layer="grids")
    assert list(mended.columns) == ["grid_code", "geometry"]
    assert shapely.coverage_is_valid(mended.geometry.to_numpy())
    page = files["faults.html"].read_text(encoding="utf-8")
    assert "重叠" in page
    assert "Overlap" in page
    assert "<svg" in page
    assert "http" not in page.replace("http-equiv", "")
    code, out, err = gisgrid(
        "validate-grids",
        f"{files['mended.gpkg']}#communities",
        f"{files['mended.gpkg']}#grids",
        "--language",
        "en",
    )
    assert code == 0, out + err


def test_the_page_in_markdown_has_one_language(gisgrid, faulty):
    page = faulty / "faults.md"
    gisgrid(
        "validate-grids",
        faulty / "communities.gpkg",
        faulty / "grids.gpkg",
        "--report",
        page,
        "--language",
        "en",
    )
    text = page.read_text(encoding="utf-8")
    assert "### Overlap · grids · 1" in text
    assert "重叠" not in text


def test_the_narrow_strip_at_the_border_is_found_where_it_counts(gisgrid, faulty):
    _, out, _ = gisgrid(
        "validate-grids",
        faulty / "communities.gpkg",
        faulty / "grids.gpkg",
        "--nesting-m",
        "0.1",
        "--json",
    )
    rules = {
        (each["rule"], each["level"])
        for each in json.loads(out)["faults"]
        if each["severity"] != "note"
    }
    assert rules == {("overlap", "grids"), ("parent_not_filled", "communities")}


@pytest.mark.parametrize(
    ("suffix", "driver"), [(".geojson", "GeoJSON"), (".gpkg", "GPKG"), (".shp", "ESRI Shapefile")]
)
def test_an_open_ring_is_found_in_the_file(gisgrid, tmp_path, suffix, driver):
    path = tmp_path / f"grids{suffix}"
    if suffix == ".geojson":
        rings = [
            [[113, 35], [113.01, 35], [113.01, 35.01], [113, 35.01]],
            [[114, 35], [114.01, 35], [114, 35.01], [114, 35]],
        ]
        features = [
            {
                "type": "Feature",
                "properties": {"code": f"0{n}"},
                "geometry": {"type": "Polygon", "coordinates": [ring]},
            }
            for n, ring in enumerate(rings)
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    else:
        square = np.array(
            [(EAST, NORTH), (EAST + 9, NORTH), (EAST + 9, NORTH + 9), (EAST, NORTH + 9)]
        )
        whole = shapely.to_wkb(box(EAST + 50, NORTH, EAST + 60, NORTH + 9))
        blobs = np.array(
            [struct.pack("<BIII", 1, 3, 1, 4) + square.astype("<f8").tobytes(), whole], dtype=object
        )
        pyogrio.raw.write(
            path, blobs, [np.array(["00", "01"], dtype=object)], ["code"], geometry_type="Polygon", crs="EPSG:4547",
            driver=driver,
        )  # fmt: skip
    code, out, err = gisgrid(
        "validate-grids", path, "--key", "code", "--json", "--repair", tmp_path / "mended.gpkg"
    )
    assert code == 1, err
    said = json.loads(out)
    assert [(each["rule"], each["n"]) for each in said["faults"]] == [("unclosed_ring", 1)]
    assert said["repaired"]["n_changes"] == 1


def test_degrees_are_measured_in_metres_and_it_is_said(gisgrid, folder):
    for name in ("communities", "grids"):
        gpd.read_file(folder / f"{name}.gpkg").to_crs(4326).to_parquet(folder / f"{name}.parquet")
    code, out, err = gisgrid(
        "validate-grids",
        folder / "communities.parquet",
        folder / "grids.parquet",
        "--language",
        "en",
    )
    assert code == 0, out + err
    assert "reprojected from EPSG:4326" in " ".join(out.split())


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["missing.gpkg"], "there is no file"),
        (["grids.gpkg", "grids.gpkg"], "2 levels are called 'grids'"),
        (["grids.gpkg#nothing"], "no layer 'nothing' in 'grids.gpkg'"),
        (["grids.gpkg", "--key", "grid=grid_code"], "did you mean 'grids'?"),
        (["grids.gpkg", "--key", "gird_code"], "no column 'gird_code' (--key)"),
        (
            ["communities.gpkg", "grids.gpkg", "--parent", "grids=street"],
            "no column 'street' (--parent)",
        ),
        (["communities.gpkg", "grids.gpkg", "--parent", "street"], "names no level"),
        (["communities.gpkg", "grids.gpkg", "--parent", "communities=x"], "is the coarsest level"),
        (["grids.gpkg", "--scheme", "grids=beijing"], "there is no code scheme 'beijing'"),
        (["grids.gpkg", "--metric-crs", "EPSG:4326"], "no metres on the ground"),
        (["grids.gpkg", "-o", "faults.shp"], "which is not written"),
        (["grids.gpkg", "--report", "faults.pdf"], "a report is a page"),
        (["grids.gpkg", "--repair", "mended.geojson"], "let it end in .gpkg"),
        (["grids.gpkg", "-o", "nowhere/faults.gpkg"], "does not exist"),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_writes_nothing(
    gisgrid, folder, monkeypatch, words, sentence
):
    monkeypatch.chdir(folder)
    before = sorted(path.name for path in folder.iterdir())
    code, _, err = gisgrid("validate-grids", *words)
    assert code == 2
    assert sentence in err
    assert err.count("error:") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.data
def test_villages_and_units_of_taipei_through_the_command(gisgrid, shared_data, tmp_path):
    data = shared_data / "taipei"
    code, out, err = gisgrid(
        "validate-grids", data / "taipei_villages.parquet", data / "taipei_base_units.parquet", "--metric-crs",
        "EPSG:3826", "--key", "taipei_villages=VILLCODE", "--json", "-o", tmp_path / "faults.parquet",
    )  # fmt: skip
    assert code == 1, err
    (row,) = json.loads(out)["nesting"]
    assert (row["n_units"], row["n_inside"], row["n_most"]) == (11_490, 9_571, 11_486)
    assert len(gpd.read_parquet(tmp_path / "faults.parquet")) > 1_919
