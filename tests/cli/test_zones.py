"""`gisgrid zones`, as a user has it."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from affine import Affine

from gisgrid.cli.zones.group import zones

EAST, NORTH = 500_000, 3_900_000
COMMANDS = [each.name for each in zones.registered_commands]


def write(path, shapes, crs=4547, to=None, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
    (frame if to is None else frame.to_crs(to)).to_file(path)
    return path


def raster(path, values, *, cell=1000.0, crs="ESRI:54009", nodata=None, origin=(0, 0)):
    values = np.asarray(values, np.float32)
    west, south = origin
    transform = Affine(cell, 0, west, 0, -cell, south + cell * len(values))
    with rasterio.open(
        path, "w", driver="GTiff", height=len(values), width=len(values[0]), count=1, dtype="float32", crs=crs, nodata=nodata,
        transform=transform,
    ) as file:  # fmt: skip
        file.write(values, 1)
    return path


def english(out):
    return not [letter for letter in out if "\u4e00" <= letter <= "\u9fff"]


def notes(out):
    return [note["en"] for note in json.loads(out)["notes"]]


@pytest.fixture
def people(tmp_path):
    values = np.zeros((12, 12))
    values[3:9, 3:9] = 2500
    return raster(tmp_path / "people.tif", values)


@pytest.fixture
def in_folder(gisgrid, tmp_path, monkeypatch):
    """Run a command in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return gisgrid


@pytest.mark.parametrize("command", COMMANDS)
def test_every_question_explains_itself_and_is_in_the_guide(gisgrid, project, command):
    code, out, _ = gisgrid("zones", command, "--help")
    assert code == 0
    assert "Example" in out
    assert re.search(r"[\u4e00-\u9fff]{6}", out)
    section = (project / "docs/guides/commands.md").read_text("utf8").split("## gisgrid zones\n")[1]
    section = section.split("\n## ")[0]
    assert f"`{command}`" in section
    options = set(re.findall(r"(--[a-z][a-z0-9-]+)", out)) - {"--help"}
    assert {option for option in options if option not in section} == set()


def test_cells_are_classified(gisgrid, people, tmp_path):
    path, drawn = tmp_path / "classes.tif", tmp_path / "core.gpkg"
    code, out, err = gisgrid(
        "zones", "degurba", people, "-o", path, "--zones", drawn, "--language", "en"
    )
    with rasterio.open(path) as file:
        classes = file.read(1)
    assert (code, int((classes == 30).sum())) == (0, 36)
    assert english(out + err)
    assert "urban centre" in out
    assert gpd.read_file(drawn)["zone_type"].tolist() == ["core"]
    record = json.loads((tmp_path / "classes.tif.provenance.json").read_text("utf8"))
    assert record["options"]["thresholds"]["centre_density"] == 1500
    assert record["inputs"]["population"]["file"] == "people.tif"
    assert len(record["inputs"]["population"]["sha256"]) == 64
    assert record["files"] == ["classes.tif", "core.gpkg"]


def test_square_metres_are_made_shares_and_thresholds_are_options(gisgrid, people, tmp_path):
    land = raster(tmp_path / "land.tif", np.full((12, 12), 1e6))
    code, out, _ = gisgrid(
        "zones", "degurba", people, "--land", land, "--rule", "centre_density=3000", "--rule", "centre_built=none",
        "--rules", "2022", "-o", tmp_path / "c.tif", "--json",
    )  # fmt: skip
    said = json.loads(out)
    assert code == 0
    assert {row["class"]: row["n_cells"] for row in said["cells"]}[30] == 0
    assert any(
        "land.tif holds up to 1e+06, which is taken for square metres" in note
        for note in notes(out)
    )


def test_units_are_classified_by_their_residents(gisgrid, people, tmp_path):
    units = write(
        tmp_path / "units.gpkg",
        [shapely.box(3000, 3000, 9000, 9000), shapely.box(9e6, 0, 9.1e6, 9)],
        crs="ESRI:54009",
        name=["a", "b"],
    )
    code, out, _ = gisgrid(
        "zones", "degurba", people, "--units", units, "-o", tmp_path / "u.csv", "--json"
    )
    made = pd.read_csv(tmp_path / "u.csv")
    assert (code, made["level2"].tolist()) == (0, [30, 0])
    assert any("1 units lie outside the population grid" in note for note in notes(out))


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-o", "c.gpkg"), "no --units are given"),
        (("-o", "c.xyz"), "ends in '.xyz'"),
        (("-o", "c.tif", "--rule", "center_density=1"), "did you mean 'centre_density'"),
        (("-o", "c.tif", "--rule", "centre_density=many"), "no number behind '='"),
        (("-o", "c.tif", "--rules", "2020"), "there are 2022 and 2023"),
        (("-o", "c.tif", "--level", "1", "--zones", "z.gpkg"), "cells of level 2"),
        (("-o", "nowhere/c.tif"), "does not exist"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(in_folder, people, words, sentence):
    code, _, err = in_folder("zones", "degurba", people, *words)
    assert (code, err.count("error: ")) == (2, 1)
    assert sentence in err


def test_negative_residents_and_rasters_without_crs_are_refused(gisgrid, tmp_path):
    bad = raster(tmp_path / "bad.tif", np.full((4, 4), -99999.0))
    assert "fewer than none" in gisgrid("zones", "degurba", bad, "-o", tmp_path / "c.tif")[2]
    nowhere = raster(tmp_path / "nowhere.tif", np.ones((4, 4)), crs=None)
    code, _, err = gisgrid("zones", "degurba", nowhere, "-o", tmp_path / "c.tif")
    assert (code, "no coordinate reference system" in err) == (2, True)
    assert not (tmp_path / "c.tif").exists()
    assert "no file" in gisgrid("zones", "degurba", "gone.tif", "-o", tmp_path / "c.tif")[2]


def fall(n=81, cell=500.0):
    y, x = np.mgrid[:n, :n] - n // 2
    return np.clip((14_000 - np.hypot(x, y) * cell) / 6000, 0, 1)


def test_the_fringe_lies_between_the_breaks(gisgrid, tmp_path):
    origin = (EAST - 20_250, NORTH - 20_250)
    lights = raster(tmp_path / "lights.tif", 30 * fall(), cell=500, crs="EPSG:4547", origin=origin)
    built = raster(tmp_path / "built.tif", fall(n=41, cell=1000.0), crs="EPSG:4547", origin=origin)
    path, rays = tmp_path / "fringe.gpkg", tmp_path / "rays.csv"
    code, out, _ = gisgrid(
        "zones", "breaks", "--built", built, "--lights", lights, "--weight", "built=2", "--bootstrap", 19, "--rays", 24,
        "--rays-table", rays, "-o", path, "--json",
    )  # fmt: skip
    said, drawn = json.loads(out), gpd.read_file(path)
    assert (code, set(drawn["zone_type"])) == (0, {"core", "fringe", "inner_band", "outer_band"})
    assert said["centres"][0]["outer_m"] == pytest.approx(14_000, abs=1500)
    assert any("built is resampled to the cells of lights" in note for note in notes(out))
    assert len(pd.read_csv(rays)) == 24


def test_beyond_the_city_nothing_is_read(gisgrid, tmp_path):
    origin = (EAST - 20_250, NORTH - 20_250)
    glow = np.where(fall() == 0, 30.0, 30 * fall())  # another city shines beyond the border
    lights = raster(tmp_path / "lights.tif", glow, cell=500, crs="EPSG:4547", origin=origin)
    city = write(tmp_path / "city.gpkg", [shapely.Point(EAST, NORTH).buffer(17_000)])
    words = (
        "zones",
        "breaks",
        "--lights",
        lights,
        "--bootstrap",
        19,
        "--rays",
        16,
        "-o",
        tmp_path / "f.gpkg",
    )
    code, out, _ = gisgrid(*words, "--within", city, "--reach-m", 13_500, "--json")
    assert (code, json.loads(out)["centres"][0]["accepted"]) == (0, 16)
    glow[:4] = 255  # and nobody declared it
    raster(tmp_path / "lights.tif", glow, cell=500, crs="EPSG:4547", origin=origin)
    out = gisgrid(*words, "--within", city, "--reach-m", 13_500, "--json")[1]
    assert any("255 stands alone" in note for note in notes(out))
    assert "-a_nodata 255" in next(n["zh"] for n in json.loads(out)["notes"] if "255" in n["en"])
    off = write(tmp_path / "off.gpkg", [shapely.Point(EAST + 9e5, NORTH).buffer(17_000)])
    assert "no cell of the raster lies in the 1 areas" in gisgrid(*words, "--within", off)[2]


def test_shops_are_counted_and_nothing_to_see_is_said(gisgrid, tmp_path):
    origin = (EAST - 20_250, NORTH - 20_250)
    lights = raster(tmp_path / "lights.tif", 30 * fall(), cell=500, crs="EPSG:4547", origin=origin)
    xy = np.random.default_rng(1).normal((EAST, NORTH), 5000, (4000, 2))
    shops = write(tmp_path / "shops.gpkg", shapely.points(xy), to=4326)
    code, out, _ = gisgrid(
        "zones", "breaks", "--lights", lights, "--poi", shops, "--bootstrap", 19, "--rays", 16, "-o", tmp_path / "f.gpkg", "--json"
    )  # fmt: skip
    assert (code, any("shops.gpkg is reprojected" in note for note in notes(out))) == (0, True)
    assert "needs a sign of the city" in gisgrid("zones", "breaks", "-o", tmp_path / "g.gpkg")[2]
    assert (
        "points alone have no cells"
        in gisgrid("zones", "breaks", "--poi", shops, "-o", tmp_path / "g.gpkg")[2]
    )
    noise = raster(
        tmp_path / "noise.tif", np.random.default_rng(2).random((60, 60)), cell=500, crs="EPSG:4547"
    )
    code, _, err = gisgrid(
        "zones", "breaks", "--lights", noise, "--bootstrap", 19, "-o", tmp_path / "g.gpkg"
    )
    assert (code, "has a fringe by this method" in err) == (2, True)


COMMUNITIES = [
    shapely.box(EAST + 1000 * i, NORTH, EAST + 1000 * (i + 1), NORTH + 1000) for i in range(4)
]
CODES = [f"41980100100{i}" for i in range(4)]


@pytest.fixture
def communities(tmp_path):
    return write(
        tmp_path / "communities.gpkg",
        COMMUNITIES,
        community_code=CODES,
        population=[10, 20, 30, 40],
    )


def test_official_classes_are_joined_by_code(gisgrid, communities, tmp_path):
    table = tmp_path / "codes.csv"
    pd.DataFrame({"代码": CODES[:3], "分类": ["111", "112", "220"]}).to_csv(table, index=False)
    path = tmp_path / "classes.gpkg"
    words = (
        "zones",
        "official",
        communities,
        table,
        "--code",
        "代码",
        "--class",
        "分类",
        "-o",
        path,
    )
    code, out, _ = gisgrid(*words, "--json")
    made = gpd.read_file(path)
    assert (code, made["zone_type"].fillna("").tolist()) == (0, ["rest", "fringe", "rest", ""])
    assert json.loads(out)["n_without"] == 1
    assert (
        "did you mean"
        in gisgrid("zones", "official", communities, table, "--key", "community_cod", "-o", path)[2]
    )
    assert (
        "--class 'class' is no column"
        in gisgrid("zones", "official", communities, table, "--code", "代码", "-o", path)[2]
    )


def test_villages_at_the_edge(gisgrid, communities, tmp_path):
    town = write(
        tmp_path / "town.gpkg", [shapely.box(EAST, NORTH, EAST + 900, NORTH + 1000)], to=4326
    )
    path = tmp_path / "villages.parquet"
    code, out, _ = gisgrid(
        "zones", "villages", communities, town, "--within-m", 500, "-o", path, "--json"
    )
    made = gpd.read_parquet(path)
    assert (code, made["zone_type"].tolist()) == (0, ["rest", "suburban_village", "rest", "rest"])
    assert json.loads(out)["n_inside"] == 1
    said = gisgrid("zones", "villages", communities, town, "--minutes", "m", "-o", path)[2]
    assert "give the limit and one of them" in said


def test_villages_within_a_time(gisgrid, communities, tmp_path):
    town = write(tmp_path / "town.gpkg", [shapely.box(EAST, NORTH, EAST + 900, NORTH + 1000)])
    road = [shapely.LineString([(EAST, NORTH + 500), (EAST + 2600, NORTH + 500)])]
    path, words = (
        tmp_path / "villages.parquet",
        ("zones", "villages", communities, town, "--within-m", 50),
    )
    streets = write(tmp_path / "streets.gpkg", road, to=4326)
    code, out, _ = gisgrid(
        *words,
        "--streets",
        streets,
        "--within-minutes",
        10,
        "--speed-kmh",
        4.5,
        "-o",
        path,
        "--json",
    )
    made = gpd.read_parquet(path)
    assert (code, json.loads(out)["n_by_time"]) == (0, 2)
    assert made["zone_type"].tolist() == ["rest", "suburban_village", "rest", "rest"]
    assert made["by"].tolist() == ["inside", "time", "time", "distance"]
    assert any("1 villages have no street to the built-up area" in note for note in notes(out))
    code, out, _ = gisgrid(
        *words,
        "--streets",
        streets,
        "--within-minutes",
        10,
        "--speed-kmh",
        12,
        "-o",
        path,
        "--json",
    )
    assert gpd.read_parquet(path)["zone_type"].tolist()[:3] == [
        "rest",
        "suburban_village",
        "suburban_village",
    ]
    assert "give the limit and one of them" in gisgrid(*words, "--streets", streets, "-o", path)[2]


def test_candidates_are_ranked_and_scored(gisgrid, communities, tmp_path):
    rng = np.random.default_rng(0)
    houses, heights = [], []
    for block, (n, size) in enumerate([(150, 9), (12, 40), (14, 45), (140, 10)]):
        xy = rng.uniform(
            (EAST + 1000 * block + 60, NORTH + 60), (EAST + 1000 * block + 940, NORTH + 940), (n, 2)
        )
        houses += [shapely.box(x, y, x + size, y + size) for x, y in xy]
        heights += [6 if n > 50 else 60] * n
    footprints = write(tmp_path / "houses.gpkg", houses, height=heights)
    known = write(tmp_path / "known.gpkg", [COMMUNITIES[0], COMMUNITIES[3]])
    path = tmp_path / "candidates.gpkg"
    words = ("zones", "screen", footprints, communities, "--height", "height", "-o", path)
    code, out, _ = gisgrid(*words, "--known", known, "--json")
    said = json.loads(out)
    assert (code, said["auc"]) == (0, 1.0)
    assert set(gpd.read_file(path).nsmallest(2, "rank")["community_code"]) == {CODES[0], CODES[3]}
    assert any("finds nothing" in note for note in notes(out))
    assert (
        "did you mean"
        in gisgrid("zones", "screen", footprints, communities, "--height", "heigt", "-o", path)[2]
    )


@pytest.fixture
def fringe(tmp_path):
    whole = shapely.box(EAST, NORTH, EAST + 1600, NORTH + 1000)
    return write(tmp_path / "fringe.gpkg", [whole], zone_type=["fringe"])


def test_units_and_reports_get_their_zone(gisgrid, communities, fringe, tmp_path):
    path = tmp_path / "zoned.gpkg"
    code, _, _ = gisgrid("zones", "shares", communities, fringe, "-o", path)
    made = gpd.read_file(path)
    assert (code, made["zone_type"].tolist()) == (0, ["fringe", "fringe", "rest", "rest"])
    assert made["confidence"].round(2).tolist() == [1, 0.2, 1, 1]
    reports = tmp_path / "reports.csv"
    points = gpd.GeoSeries(
        shapely.points([(EAST + 500, NORTH + 500), (EAST + 1600, NORTH + 500)]), crs=4547
    ).to_crs(4326)
    pd.DataFrame({"lon": points.x, "lat": points.y}).to_csv(reports, index=False)
    code, out, _ = gisgrid(
        "zones", "shares", reports, f"fringe={fringe}", "-o", tmp_path / "r.csv", "--json"
    )
    made = pd.read_csv(tmp_path / "r.csv")
    assert (code, made["share_fringe"].round(2).tolist()) == (0, [1, 0.5])
    assert "points count as circles of 20 m" in notes(out)


def test_ways_are_compared(gisgrid, communities, fringe, tmp_path):
    other = write(
        tmp_path / "other.gpkg",
        [shapely.box(EAST, NORTH, EAST + 1000, NORTH + 1000)],
        zone_type=["fringe"],
    )
    path = tmp_path / "agreed.gpkg"
    code, out, err = gisgrid(
        "zones", "agree", f"a={fringe}", f"b={other}", "--units", communities, "--weights", "population", "-o", path, "--language", "en"
    )  # fmt: skip
    assert (code, english(out + err)) == (0, True)
    assert "80.0%" in out
    assert gpd.read_file(path)["confidence"].tolist() == [1, 0.5, 1, 1]
    code, out, _ = gisgrid(
        "zones", "agree", fringe, f"b=fringe={other}", "--only", "fringe", "-o", path, "--json"
    )
    said = json.loads(out)
    assert (code, said["pairs"][0]["a"]) == (0, "fringe")
    assert 0 < said["pairs"][0]["agree"] < 1
    assert "needs two or more" in gisgrid("zones", "agree", f"a={fringe}", "-o", path)[2]
    assert (
        "two ways are called 'a'"
        in gisgrid("zones", "agree", f"a={fringe}", f"a={other}", "-o", path)[2]
    )


def test_shapes_that_cross_themselves_and_empty_areas_are_counted(gisgrid, people, tmp_path):
    bow = shapely.Polygon([(3000, 3000), (9000, 9000), (9000, 3000), (3000, 9000)])
    areas = write(
        tmp_path / "areas.gpkg", [bow, None, shapely.box(9e5, 0, 9.1e5, 9)], crs="ESRI:54009"
    )
    code, out, _ = gisgrid(
        "zones", "statistics", areas, people, "--statistic", "sum", "--statistic", "mean", "-o", tmp_path / "s.csv", "--json"
    )  # fmt: skip
    said = json.loads(out)
    assert (code, said["n_areas"], said["n_empty"]) == (0, 2, 1)
    assert any("1 shapes of areas.gpkg crossed themselves" in note for note in notes(out))
    assert any("1 rows of areas.gpkg have no shape" in note for note in notes(out))
    made = pd.read_csv(tmp_path / "s.csv")
    assert made["sum"][0] == pytest.approx(18 * 2500, rel=1e-5)
    words = ("zones", "statistics", areas, people, "-o", tmp_path / "s.csv")
    assert "did you mean 'mean'" in gisgrid(*words, "--statistic", "meen")[2]
    points = write(tmp_path / "points.gpkg", shapely.points([(3000, 3000)]), crs="ESRI:54009")
    assert (
        "needs polygons, and 1 of 1 rows are Points"
        in gisgrid("zones", "statistics", points, people, "-o", tmp_path / "s.csv")[2]
    )


# --- real data ------------------------------------------------------------------------------------------------------


@pytest.mark.data
def test_belgium_is_as_published(gisgrid, shared_data, tmp_path):
    folder = shared_data / "belgium-degurba"
    code, _, _ = gisgrid(
        "zones", "degurba", folder / "POP.tif", "--land", folder / "LAND.tif", "--built", folder / "BUILT_S.tif", "-o",
        tmp_path / "c.tif", "--json",
    )  # fmt: skip
    with (
        rasterio.open(tmp_path / "c.tif") as made,
        rasterio.open(folder / "classification6v2.tif") as published,
    ):
        same = made.read(1)[5:-5, 5:-5] == published.read(1)
    assert code == 0
    assert same.mean() >= 0.999


@pytest.mark.data
def test_mumbai_s_broken_shapes_are_mended_and_counted(gisgrid, shared_data, tmp_path):
    folder = shared_data / "mumbai"
    code, out, _ = gisgrid(
        "zones", "statistics", folder / "mumbai_slum_clusters.parquet", folder / "uis_mumbai_10m.tif", "--statistic", "sum", "-o",
        tmp_path / "m.csv", "--json",
    )  # fmt: skip
    said = json.loads(out)
    assert (code, said["n_areas"]) == (0, 2541)
    assert any(note.startswith("26 shapes of mumbai_slum_clusters.parquet") for note in notes(out))
    assert any(note.startswith("1 rows of mumbai_slum_clusters.parquet") for note in notes(out))


@pytest.mark.data
def test_new_york_s_undocumented_nodata_is_named(gisgrid, shared_data, tmp_path):
    folder = shared_data / "nyc-raster"
    words = (
        "zones",
        "statistics",
        folder / "nyc_tracts_2020_zonal.parquet",
        folder / "nyc_impervious_2024.tif",
        "--by-centre",
    )
    code, out, _ = gisgrid(*words, "-o", tmp_path / "t.parquet", "--json")
    made = pd.read_parquet(tmp_path / "t.parquet")
    assert code == 0
    assert np.abs(made["mean"] - made["PCT_IMPERVIOUS"]).max() == 0
    assert any("250 stands alone" in note for note in notes(out))
    assert "--nodata 250" in json.loads(out)["notes"][0]["zh"]


@pytest.mark.data
def test_beijing_s_cells_are_only_like_degurba(gisgrid, shared_data, tmp_path):
    folder = shared_data / "beijing"
    words = (
        "zones",
        "degurba",
        folder / "bj_ppp_2020_1000m_UNadj.tif",
        "--units",
        folder / "BJStreet.shp.zip",
    )
    code, out, _ = gisgrid(*words, "-o", tmp_path / "b.csv", "--json")
    said = json.loads(out)
    assert code == 0
    assert {row["class"]: row["n_units"] for row in said["units"]}[30] > 150
    assert any("only DEGURBA-like" in note for note in notes(out))
