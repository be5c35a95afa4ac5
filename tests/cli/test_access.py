"""`gisgrid access`, as a user has it."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.cli.access.group import access

EAST, NORTH = 500_000, 3_900_000
COMMANDS = [each.name for each in access.registered_commands]


def at(*places):
    return shapely.points(np.add(places, (EAST, NORTH)))


def line(*places):
    return shapely.LineString(np.add(places, (EAST, NORTH)))


def write(path, shapes, crs=4547, to=None, **columns):
    frame = gpd.GeoDataFrame(columns, geometry=list(shapes), crs=crs)
    (frame if to is None else frame.to_crs(to)).to_file(path)
    return path


def english(out):
    return not [letter for letter in out if "\u4e00" <= letter <= "\u9fff"]


def notes(out):
    return [note["en"] for note in json.loads(out)["notes"]]


@pytest.fixture
def streets(tmp_path):
    return write(tmp_path / "streets.gpkg", [line((0, 0), (2000, 0))], name=["long"])


@pytest.fixture
def homes(tmp_path):
    return write(
        tmp_path / "homes.gpkg", at((100, 10), (900, 10), (1000, 900)), people=[80, 20, 5], unit=["u", "u", "v"]
    )  # fmt: skip


@pytest.fixture
def toilets(tmp_path):
    return write(
        tmp_path / "toilets.gpkg", at((0, 0), (900, 0)), kind=["public_toilet"] * 2, status=["open", "closed"], seats=[10, 5]
    )  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_every_question_explains_itself_and_is_in_the_guide(gisgrid, project, command):
    code, out, _ = gisgrid("access", command, "--help")
    assert code == 0
    assert "Example" in out
    assert re.search(r"[\u4e00-\u9fff]{6}", out)
    section = (
        (project / "docs/guides/commands.md").read_text("utf8").split("## gisgrid access\n")[1]
    )
    section = section.split("\n## ")[0]
    assert f"`{command}`" in section
    options = set(re.findall(r"(--[a-z][a-z0-9-]+)", out)) - {"--help"}
    assert {option for option in options if option not in section} == set()


def test_who_reaches_what_is_demanded(gisgrid, homes, toilets, streets, tmp_path):
    units = write(
        tmp_path / "units.gpkg",
        [shapely.box(EAST - 9, NORTH - 9, EAST + 950, NORTH + 99)],
        code=["u"],
    )
    path = tmp_path / "covered.gpkg"
    words = (
        "access",
        "coverage",
        homes,
        toilets,
        streets,
        "--residents",
        "people",
        "--standard",
        "toilet_walk_300",
        "--standard",
        "shop_5",
    )
    code, out, _ = gisgrid(
        *words,
        "--only",
        "status=open",
        "--units",
        units,
        "--units-key",
        "code",
        "-o",
        path,
        "--json",
    )
    said, made = json.loads(out), gpd.read_file(path)
    assert (code, made["left_out_toilet_walk_300"].tolist()) == (0, [0, 20, 5])
    assert made["m_toilet_walk_300"].round().tolist()[:2] == [110, 910]
    assert said["standards"][0] | {"zh": "", "en": ""} == {
        "standard": "toilet_walk_300", "zh": "", "en": "", "left_out": 25, "share": pytest.approx(25 / 105), "near_miss": 0,
    }  # fmt: skip
    by_unit = gpd.read_file(tmp_path / "covered.units.gpkg")
    assert (by_unit["residents"][0], by_unit["share_toilet_walk_300"][0]) == (
        100,
        pytest.approx(0.2),
    )
    for sentence in (
        "1 of 2 facilities have status=open",
        "1 of 3 places are farther than 200 m",
        "hold none of convenience_store",
        "1 places lie in none",
    ):
        assert any(sentence in note for note in notes(out)), sentence
    record = json.loads((tmp_path / "covered.gpkg.provenance.json").read_text("utf8"))
    assert {"streets", "facilities", "places", "units"} == set(record["inputs"])
    assert record["options"]["ground"]["speed_kmh"] == 4.5


def test_the_summary_speaks_the_user_s_language(gisgrid, homes, toilets, streets, tmp_path):
    words = ("access", "coverage", homes, toilets, streets, "-o", tmp_path / "c.csv")
    code, out, err = gisgrid(*words, "--language", "en")
    assert (code, english(out + err)) == (0, True)
    assert "Public toilet within 300 m" in out
    _, out, err = gisgrid(*words)
    assert "300 米内有公厕" in out
    assert "路网" in err


def test_speed_and_a_city_s_own_standards(gisgrid, homes, toilets, streets, tmp_path):
    own = tmp_path / "own.toml"
    own.write_text(
        '[[standard]]\nid = "quick"\nfacility = "public_toilet"\nmeasure = "minutes"\nlimit = 1.6\n'
        'title = { zh = "快", en = "quick" }\nbasis = { zh = "本市", en = "ours" }\n',
        encoding="utf-8",
    )
    words = (
        "access",
        "coverage",
        homes,
        toilets,
        streets,
        "--standards",
        own,
        "-o",
        tmp_path / "c.csv",
        "--json",
    )
    left = [
        json.loads(gisgrid(*words, "--speed-kmh", kmh)[1])["standards"][0]["left_out"]
        for kmh in (4.5, 3.6)
    ]
    assert left == [1, 2]
    assert "nobody walks 40 km/h" in gisgrid(*words, "--speed-kmh", 40)[2]


def test_degrees_are_reprojected_and_places_come_as_csv(gisgrid, toilets, tmp_path):
    streets = write(tmp_path / "streets.geojson", [line((0, 0), (2000, 0))], to=4326)
    places = gpd.GeoSeries(at((100, 10)), crs=4547).to_crs(4326)
    homes = tmp_path / "homes.csv"
    pd.DataFrame({"经度": places.x, "纬度": places.y}).to_csv(homes, index=False)
    code, out, _ = gisgrid(
        "access",
        "coverage",
        homes,
        toilets,
        streets,
        "--standard",
        "toilet_300",
        "-o",
        tmp_path / "c.csv",
        "--json",
    )
    assert (code, pd.read_csv(tmp_path / "c.csv")["m_toilet_300"].round().tolist()) == (0, [100])
    assert any("streets.geojson is reprojected from" in note for note in notes(out))
    pd.DataFrame({"a": [1]}).to_csv(homes, index=False)
    assert (
        "no columns lon and lat"
        in gisgrid("access", "coverage", homes, toilets, streets, "-o", tmp_path / "c.csv")[2]
    )


def test_what_hangs_apart_and_one_way_traps_are_said(gisgrid, homes, toilets, tmp_path):
    streets = write(
        tmp_path / "apart.gpkg", [line((0, 0), (700, 0)), line((800, 0), (900, 0)), line((700, 0), (750, 0))], oneway=[False, False, True]
    )  # fmt: skip
    words = (
        "access",
        "coverage",
        homes,
        toilets,
        streets,
        "--standard",
        "toilet_walk_300",
        "-o",
        tmp_path / "c.csv",
        "--json",
    )
    code, out, _ = gisgrid(*words, "--oneway", "oneway")
    assert code == 0
    assert any("falls into 3 parts" in note for note in notes(out))
    assert any("traps of one-way streets" in note for note in notes(out))
    assert any(
        "1 places are on parts of the network that are cut off" in note for note in notes(out)
    )
    assert (
        "--oneway 'one_way' is no column of the streets; did you mean 'oneway'"
        in gisgrid(*words, "--oneway", "one_way")[2]
    )


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("coverage", "homes.gpkg", "-o", "c.gpkg"), "nobody walks without streets"),
        (("coverage", "homes.gpkg", "toilets.gpkg", "streets.gpkg", "-o", "c.xyz"), "ends in '.xyz'"),
        (("coverage", "homes.gpkg", "toilets.gpkg", "streets.gpkg", "--kind", "kin", "-o", "c.gpkg"), "did you mean 'kind'"),
        (("coverage", "homes.gpkg", "toilets.gpkg", "streets.gpkg", "--standard", "toilet", "-o", "c.gpkg"), "no standard 'toilet'"),
        (("coverage", "homes.gpkg", "toilets.gpkg", "streets.gpkg", "--residents", "peple", "-o", "c.gpkg"), "did you mean 'people'"),
        (("coverage", "homes.gpkg", "toilets.gpkg", "homes.gpkg", "-o", "c.gpkg"), "needs lines"),
        (("areas", "toilets.gpkg", "streets.gpkg", "--facility", "market", "-o", "c.gpkg"), "there are public_toilet"),
        (("areas", "toilets.gpkg", "streets.gpkg", "--only", "status", "-o", "c.gpkg"), "write COLUMN=VALUE"),
        (("areas", "toilets.gpkg", "streets.gpkg", "--only", "status=gone", "-o", "c.gpkg"), "none of the 2 facilities has status=gone"),
        (("catchments", "homes.gpkg", "toilets.gpkg", "streets.gpkg", "-o", "c.gpkg"), "--residents 'population' is no column"),
        (("sites", "homes.gpkg", "toilets.gpkg", "streets.gpkg", "--n", "9", "-o", "c.gpkg"), "give a number from 1 to 2"),
        (("areas", "toilets.gpkg", "--osm", "city.osm.pbf", "-o", "c.gpkg"), "no file 'city.osm.pbf'"),
        (("density", "homes.gpkg", "toilets.gpkg", "-o", "c.csv"), "needs polygons"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("homes", "toilets", "streets")
def test_what_cannot_be_asked_is_said_in_a_sentence(in_folder, words, sentence):
    code, _, err = in_folder("access", *words)
    assert (code, err.count("error: ")) == (2, 1)
    assert sentence in err


@pytest.fixture
def in_folder(gisgrid, tmp_path, monkeypatch):
    """Run a command in the folder of the test."""
    monkeypatch.chdir(tmp_path)
    return gisgrid


def test_streets_of_another_city_are_refused(gisgrid, homes, toilets, tmp_path):
    far = write(tmp_path / "far.gpkg", [line((300_000, 0), (302_000, 0))])
    for question in ("coverage", "catchments"):
        words = (
            *(("--residents", "people") if question == "catchments" else ()),
            "-o",
            tmp_path / "c.csv",
        )
        code, _, err = gisgrid("access", question, homes, toilets, far, *words)
        assert (code, "is within 200 m of a street, so nothing can be said" in err) == (2, True)


def test_residents_below_nobody_are_refused_and_unknown_ones_counted(
    gisgrid, toilets, streets, tmp_path
):
    words = (
        "-o",
        tmp_path / "c.csv",
        "--standard",
        "toilet_300",
        "--residents",
        "people",
        "--json",
    )
    bad = write(tmp_path / "bad.gpkg", at((1, 1), (2, 2)), people=[3, -1])
    assert (
        "1 of 2 places have fewer than 0 residents (first: row 1)"
        in gisgrid("access", "coverage", bad, toilets, streets, *words)[2]
    )
    unknown = write(tmp_path / "unknown.gpkg", at((1, 1), (2, 2)), people=["3", "?"])
    assert any(
        "1 places have no number of residents" in note
        for note in notes(gisgrid("access", "coverage", unknown, toilets, streets, *words)[1])
    )


def test_service_areas_follow_the_streets(gisgrid, toilets, streets, tmp_path):
    path = tmp_path / "areas.gpkg"
    code, out, _ = gisgrid(
        "access",
        "areas",
        toilets,
        streets,
        "--limit-m",
        300,
        "--minutes",
        8,
        "--each",
        "-o",
        path,
        "--json",
    )
    made = gpd.read_file(path)
    assert (code, sorted(set(made["limit_m"]))) == (0, [300, 600])
    assert [row["street_m"] for row in json.loads(out)["areas"]] == [
        pytest.approx(900),
        pytest.approx(1500),
    ]
    assert made["facility"].notna().sum() == 4
    far = write(tmp_path / "far.gpkg", at((0, 5000)))
    code, _, err = gisgrid("access", "areas", far, streets, "-o", path)
    assert (code, "none of the 1 facilities is within 200 m of a street" in err) == (2, True)


def test_supply_is_shared_out(gisgrid, homes, toilets, streets, tmp_path):
    path = tmp_path / "seats.csv"
    words = (
        "access",
        "catchments",
        homes,
        toilets,
        streets,
        "--residents",
        "people",
        "--supply",
        "seats",
        "--limit-m",
        1000,
        "-o",
        path,
    )
    code, out, err = gisgrid(*words, "--json")
    assert not err.count("error"), err
    made = pd.read_csv(path)
    assert (code, json.loads(out)["residents_without"]) == (0, 5)
    assert (made["people"] * made["accessibility"]).sum() == pytest.approx(15)
    assert gisgrid(*words, "--decay", "gaussian")[0] == 0


@pytest.mark.parametrize("aim", ["coverage", "p-median"])
@pytest.mark.usefixtures("homes", "toilets", "streets")
def test_the_next_site_is_where_most_are_helped(in_folder, tmp_path, aim):
    write(tmp_path / "lots.gpkg", at((1000, 0), (1900, 0)), lot=["by the homes", "by nobody"])
    code, out, _ = in_folder(
        "access", "sites", "homes.gpkg", "lots.gpkg", "streets.gpkg", "--existing", "toilets.gpkg", "--only", "status=open", "--residents",
        "people", "--aim", aim, "-o", "next.gpkg", "--json",
    )  # fmt: skip
    made = gpd.read_file(tmp_path / "next.gpkg")
    name = {"coverage": "covers", "p-median": "saves_m"}[aim]
    assert (code, made["lot"].tolist()) == (0, ["by the homes"])
    assert made[name][0] > 0
    assert "it is proved that no other sites do better" in notes(out)


def test_old_compounds_lack_what_is_not_there(gisgrid, toilets, streets, tmp_path):
    compounds = write(
        tmp_path / "compounds.gpkg", at((10, 0), (20, 0), (30, 0)), built=[1980, 2010, 1995], lift=[True, True, False], people=[5, 5, 9]
    )  # fmt: skip
    path = tmp_path / "gaps.csv"
    words = ("access", "renewal", compounds, toilets, streets, "--residents", "people", "-o", path)
    code, out, _ = gisgrid(*words, "--built-year", "built", "--json")
    said = json.loads(out)
    assert (code, said["n_compounds"], pd.read_csv(path)["built"].tolist()) == (0, 2, [1995, 1980])
    assert {row["item"]: row["n_lacking"] for row in said["items"]}["lift"] == 1
    assert any("2 compounds were built before 2000; 1 newer ones" in note for note in notes(out))
    assert any("nothing is known about pipes" in note for note in notes(out))
    assert "was built before 1900" in gisgrid(*words, "--built-year", "built", "--before", 1900)[2]


def test_density_and_runs(gisgrid, toilets, streets, tmp_path):
    land = write(
        tmp_path / "land.gpkg",
        [shapely.box(EAST - 500, NORTH - 500, EAST + 500, NORTH + 500)],
        land_use=["residential"],
    )
    code, out, _ = gisgrid("access", "density", land, toilets, "-o", tmp_path / "d.csv", "--json")
    first = json.loads(out)["densities"][0]
    assert (code, first["n"], first["n_missing"]) == (0, 1, 2)
    code, out, _ = gisgrid(
        "access",
        "runs",
        streets,
        toilets,
        "--facility",
        "public_toilet",
        "--name",
        "name",
        "-o",
        tmp_path / "r.gpkg",
        "--json",
    )
    assert (code, [row["length_m"] for row in json.loads(out)["runs"]]) == (0, [1100, 900])


@pytest.mark.data
def test_porto_alegre_from_an_extract(gisgrid, shared_data, tmp_path):
    folder = shared_data / "portoalegre"
    code, out, _ = gisgrid(
        "access", "coverage", folder / "poa_hexgrid.csv", "--osm", folder / "poa_osm.pbf", "--residents", "population", "--off-street-m",
        500, "-o", tmp_path / "poa.csv", "--json",
    )  # fmt: skip
    said = json.loads(out)
    assert (code, said["n_places"], said["residents"]) == (0, 1227, 812_935)
    share = {row["standard"]: row["share"] for row in said["standards"]}
    assert share["bus_500"] < share["bus_300"] < 0.5
    assert any("what is not mapped there may well be there" in note for note in notes(out))
