"""`gisgrid hotspots`: from files to files, or one sentence and nothing written."""

import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from shapely import box

from gisgrid.cli.app import run
from gisgrid.palette import LABELS

SIDE, CELL = 12, 400.0
EAST, NORTH = 500_000.0, 3_900_000.0
SCORES = ["observed", "expected", "z", "p", "q", "label", "n_neighbours", "n_units"]


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """A folder with 144 units and 3 000 reports, many of them around the unit in column 9, row 8."""
    folder = tmp_path_factory.mktemp("city")
    column, row = np.divmod(np.arange(SIDE * SIDE), SIDE)
    west, south = EAST + column * CELL, NORTH + row * CELL
    units = gpd.GeoDataFrame(
        {
            "community_code": [f"41{c:02d}{r:02d}" for c, r in zip(column, row, strict=True)],
            "name_zh": [f"第{n}社区" for n in range(SIDE * SIDE)],
            "name_en": [f"Community {n}" for n in range(SIDE * SIDE)],
            "population": np.where(column == 0, 0, 1000),
        },
        geometry=box(west, south, west + CELL, south + CELL),
        crs=4547,
    )
    units.to_file(folder / "units.gpkg")
    rng = np.random.default_rng(1)
    xy = np.vstack([
        rng.uniform((EAST, NORTH), (EAST + SIDE * CELL, NORTH + SIDE * CELL), (2000, 2)),
        rng.normal((EAST + 9.5 * CELL, NORTH + 8.5 * CELL), 0.6 * CELL, (1000, 2)),
    ])  # fmt: skip
    points = gpd.GeoSeries.from_xy(*xy.T, crs=4547).to_crs(4326)
    reports = pd.DataFrame(
        {"案件编号": [f"{n:05d}" for n in range(3000)], "经度": points.x, "纬度": points.y}
    )
    reports.loc[10:12, "经度"] = None
    reports.loc[13, ["经度", "纬度"]] = 0.0
    reports.loc[20:24, "纬度"] += 0.5
    reports["上报时间"] = "2026年3月4日 09:30"
    reports.to_csv(folder / "reports.csv", index=False, encoding="gb18030")
    return folder


def hotspots(city, *options, units="units.gpkg", reports="reports.csv"):
    files = [city / reports] + ([city / units] if units else [])
    return run(["hotspots", *map(str, files), *map(str, options)])


def written(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("suffix", [".gpkg", ".parquet", ".geojson", ".fgb"])
def test_the_planted_area_is_hot_in_every_format(city, tmp_path, suffix):
    out = tmp_path / f"out{suffix}"
    assert hotspots(city, "-o", out) == 0
    frame = gpd.read_parquet(out) if suffix == ".parquet" else gpd.read_file(out)
    assert list(frame.columns) == [
        "community_code",
        "name_zh",
        "name_en",
        "n_incidents",
        *SCORES,
        "geometry",
    ]
    assert len(frame) == SIDE * SIDE
    by_code = frame.set_index("community_code")
    assert by_code["label"]["410908"] == "hot_99"
    assert by_code["name_zh"]["410908"] == "第116社区"
    assert set(frame["label"]) <= set(LABELS)
    assert set(by_code.index[by_code["label"].str.startswith("hot")]) <= {
        f"41{c:02d}{r:02d}" for c in range(7, 12) for r in range(6, 11)
    }
    assert frame.crs.to_epsg() == (4326 if suffix == ".geojson" else 4547)
    assert written(tmp_path) == sorted([out.name, f"{out.name}.provenance.json", "out.rejects.csv"])


def test_every_row_is_accounted_for(city, tmp_path, capsys):
    assert (
        hotspots(city, "-o", tmp_path / "out.gpkg", "--json", "--column", "reported_at=上报时间")
        == 0
    )
    said = json.loads(capsys.readouterr().out)
    rejects = pd.read_csv(tmp_path / "out.rejects.csv", dtype=str)
    assert said["read"] == 3000 == said["accepted"] + said["rejected"]
    assert (
        said["accepted"]
        == said["counted"] + said["unassigned"] + said["repeats"] + said["in_slivers"]
    )
    assert said["counted"] == int(gpd.read_file(tmp_path / "out.gpkg")["n_incidents"].sum())
    assert rejects["row"].tolist() == ["12", "13", "14", "15"]
    assert rejects["案件编号"].tolist() == ["00010", "00011", "00012", "00013"]
    assert rejects["reason"].tolist() == ["no_place"] * 3 + ["zero_place"]
    assert said["rejected_by_reason"] == {"no_place": 3, "zero_place": 1}
    assert rejects["reason_en"][0] == "no coordinates"
    assert (tmp_path / "out.rejects.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    record = json.loads((tmp_path / "out.gpkg.provenance.json").read_text(encoding="utf-8"))
    assert len(record["unassigned_rows"]) == said["unassigned"] >= 5
    assert record["inputs"]["issues"]["n_rows"] == 3000
    assert len(record["inputs"]["units"]["sha256"]["units.gpkg"]) == 64
    assert record["versions"]["gisgrid"]
    notes = " ".join(record["notes"])
    assert "the place is read from '经度', '纬度' in wgs84 (found)" in notes
    assert "brought from OGC:CRS84 (degree) to EPSG:4547 (metre)" in notes
    assert "times run from 2026-03-04 01:30 to 2026-03-04 01:30 (UTC)" in notes


def test_the_same_question_gives_the_same_bytes(city, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        for suffix in (".parquet", ".html"):
            assert hotspots(city, "-o", tmp_path / name / f"out{suffix}") == 0
    for file in (tmp_path / "a").iterdir():
        assert file.read_bytes() == (tmp_path / "b" / file.name).read_bytes(), file.name


def test_rates_leave_out_where_nobody_lives(city, tmp_path, capsys):
    assert (
        hotspots(city, "--population", "population", "-o", tmp_path / "out.parquet", "--json") == 0
    )
    assert json.loads(capsys.readouterr().out)["tested"] == SIDE * (SIDE - 1)
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    empty = frame["population"] == 0
    assert frame.loc[empty, ["incidents_per_1000", "z", "label"]].isna().all(axis=None)
    assert np.allclose(frame["incidents_per_1000"][~empty], frame["n_incidents"][~empty])
    assert frame.loc[frame["community_code"] == "410908", "label"].item() == "hot_99"


@pytest.mark.parametrize("shape", ["hexagon", "square"])
@pytest.mark.parametrize("units", ["units.gpkg", None])
def test_cells_find_the_planted_area_too(city, tmp_path, shape, units, capsys):
    out = tmp_path / "out.geojson"
    assert (
        hotspots(
            city,
            "--cells",
            shape,
            "--cell-m",
            "400",
            "-o",
            out,
            "--json",
            "--datum",
            "wgs84",
            units=units,
        )
        == 0
    )
    said = json.loads(capsys.readouterr().out)
    assert (
        said["accepted"]
        == said["counted"] + said["unassigned"] + said["repeats"] + said["in_slivers"]
    )
    frame = gpd.read_file(out).to_crs(4547)
    hot = frame[frame["label"] == "hot_99"]
    planted = box(EAST + 7 * CELL, NORTH + 6 * CELL, EAST + 12 * CELL, NORTH + 11 * CELL).buffer(
        CELL
    )
    assert len(hot) > 4
    assert hot.within(planted).all()
    assert any(
        ("units in EPSG:4547" if units else "convex hull of the reports") in note
        for note in said["notes"]
    )


def test_repeats_are_not_counted_where_the_file_names_them(city, tmp_path, capsys):
    table = pd.read_csv(city / "reports.csv", dtype=str, encoding="gb18030")
    table["duplicate_of"] = None
    table.loc[100:199, "duplicate_of"] = "00001"
    table.to_csv(tmp_path / "repeats.csv", index=False)
    assert run(["hotspots", str(tmp_path / "repeats.csv"), str(city / "units.gpkg"), "-o", str(tmp_path / "out.gpkg"), "--json"]) == 0  # fmt: skip
    assert json.loads(capsys.readouterr().out)["repeats"] == 100


@pytest.mark.parametrize(
    ("language", "word"), [("zh", "不在任何单元内"), ("en", "in none of the areas")]
)
def test_the_summary_and_the_map_speak_the_language(city, tmp_path, capsys, language, word):
    assert (
        hotspots(city, "-o", tmp_path / "out.html", "--language", language, "--title", "三月 & <b>")
        == 0
    )
    assert word in capsys.readouterr().out
    page = (tmp_path / "out.html").read_text(encoding="utf-8")
    assert f'<html lang="{"zh-CN" if language == "zh" else "en"}">' in page
    assert "<h1>三月 &amp; &lt;b&gt;</h1>" in page


def test_names_come_from_the_column_asked_for(city, tmp_path):
    units = (
        gpd.read_file(city / "units.gpkg")
        .rename(columns={"name_zh": "片区", "community_code": "key"})
        .drop(columns="name_en")
    )
    units.to_file(tmp_path / "units.shp", encoding="utf-8")
    out = tmp_path / "out.parquet"
    assert run(["hotspots", str(city / "reports.csv"), str(tmp_path / "units.shp"), "--units-key", "key",
                "--units-name", "片区", "-o", str(out)]) == 0  # fmt: skip
    assert gpd.read_parquet(out)["name"].iloc[0] == "第0社区"


def test_a_rejects_file_can_be_named_and_does_not_outlive_its_rejects(city, tmp_path):
    assert (
        hotspots(city, "-o", tmp_path / "out.gpkg", "--rejects", tmp_path / "refused.parquet") == 0
    )
    assert len(pd.read_parquet(tmp_path / "refused.parquet")) == 4
    assert hotspots(city, "-o", tmp_path / "out.gpkg") == 0
    clean = pd.read_csv(city / "reports.csv", dtype=str, encoding="gb18030").drop(
        index=range(10, 14)
    )
    clean.to_csv(tmp_path / "clean.csv", index=False)
    assert (
        run(
            [
                "hotspots",
                str(tmp_path / "clean.csv"),
                str(city / "units.gpkg"),
                "-o",
                str(tmp_path / "out.gpkg"),
            ]
        )
        == 0
    )
    assert len(pd.read_csv(tmp_path / "out.rejects.csv")) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "{out}/nowhere/out.gpkg"], "because the folder '{out}/nowhere' does not exist; make it first"),
        (["-o", "{out}/out.xlsx"], "'out.xlsx' ends in '.xlsx', which is not written; choose one of .parquet, .gpkg"),
        (["-o", "{out}/out.gpkg", "--rejects", "{out}/no/r.csv"], "folder '{out}/no' does not exist"),
        (["-o", "{out}/out.gpkg", "--rejects", "{out}/r.txt"], "let it end in .csv or .parquet"),
        (["-o", "{out}/out.gpkg", "--cells", "hexagon"], "--cells is given without --cell-m; give both"),
        (["-o", "{out}/out.gpkg", "--cells", "round"], "'round'"),
        (["-o", "{out}/out.gpkg", "--cells", "square", "--cell-m", "9", "--population", "population"], "--population counts the residents"),
        (["-o", "{out}/out.gpkg", "--units-key", "comunity_code"], "no column 'comunity_code' (--units-key)"),
        (["-o", "{out}/out.gpkg", "--population", "residents"], "no column 'residents' (--population)"),
        (["-o", "{out}/out.gpkg", "--population", "name_zh"], "144 of 144 values of 'name_zh' in 'units.gpkg' are not numbers (first: '第0社区')"),
        (["-o", "{out}/out.gpkg", "--column", "lon=lng"], "no column 'lng' for 'lon' among 4 columns"),
        (["-o", "{out}/out.gpkg", "--column", "经度"], "--column '经度' names no role; write role=name"),
        (["-o", "{out}/out.gpkg", "--datum", "EPSG:99"], "datum 'EPSG:99' is neither a CRS that PROJ knows nor a name of a datum"),
        (["-o", "{out}/out.gpkg", "--datum", "gcj2"], "did you mean 'gcj02'?"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence_and_nothing_is_written(
    city, tmp_path, capsys, options, sentence
):
    assert hotspots(city, *(option.format(out=tmp_path) for option in options)) == 2
    error = capsys.readouterr().err
    assert sentence.format(out=tmp_path) in error
    assert "Traceback" not in error
    assert written(tmp_path) == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "'bad.csv' is empty (0 bytes)"),
        ("id,lon,lat\n", "has a header (3 columns) but no rows"),
        ("id,lon,lat\n1,,\n2,,\n", "none of 2 rows of 'bad.csv' has a usable place"),
        (
            "id,lon,lat\n1,200,95\n",
            "what the coordinates of 'bad.csv' are cannot be told for certain",
        ),
        ("id,x,y\n1,5,5\n", "what the coordinates of 'bad.csv' are cannot be told for certain"),
        ("id,where\n1,here\n", "no column of 'bad.csv' says where its rows are"),
    ],
)
def test_a_bad_file_gets_one_sentence_and_nothing_is_written(
    city, tmp_path, capsys, content, sentence
):
    (tmp_path / "bad.csv").write_text(content)
    out = tmp_path / "out"
    out.mkdir()
    assert (
        run(
            [
                "hotspots",
                str(tmp_path / "bad.csv"),
                str(city / "units.gpkg"),
                "-o",
                str(out / "out.gpkg"),
            ]
        )
        == 2
    )
    error = capsys.readouterr().err
    assert sentence in error
    assert "Traceback" not in error
    assert written(out) == []


def test_units_are_needed_unless_there_are_cells(city, tmp_path, capsys):
    assert hotspots(city, "-o", tmp_path / "out.gpkg", units=None) == 2
    assert (
        "UNITS is not given; name a file of units, or ask for equal cells"
        in capsys.readouterr().err
    )


def test_an_input_is_never_replaced(city, capsys):
    before = (city / "units.gpkg").read_bytes()
    assert hotspots(city, "-o", city / "units.gpkg") == 2
    assert "'units.gpkg' is also read" in capsys.readouterr().err
    assert (city / "units.gpkg").read_bytes() == before


def test_reports_on_one_spot_enclose_no_cells(tmp_path, capsys):
    (tmp_path / "a.csv").write_text("lon,lat\n113,35\n113,35\n")
    assert run(["hotspots", str(tmp_path / "a.csv"), "--cells", "square", "--cell-m", "100", "--datum", "wgs84", "-o", str(tmp_path / "o.gpkg")]) == 2  # fmt: skip
    assert "2 reports lie on one spot or one line" in capsys.readouterr().err


@pytest.fixture(scope="module")
def chicago_found(shared_data, tmp_path_factory):
    """What the command writes: with longitude and latitude, and with the columns in feet."""
    folder = tmp_path_factory.mktemp("chicago")
    chicago = shared_data / "chicago"
    files = [
        str(chicago / "chicago_sanitation_2011_2014.parquet"),
        str(chicago / "Chicago77.shp"),
    ]
    units = ["--units-key", "AREANO", "--units-crs", "EPSG:3435"]
    for name, *options in (
        ("lonlat.gpkg",),
        ("feet.gpkg", "--datum", "EPSG:3435"),
        ("lonlat.html", "--units-name", "COMMUNITY"),
    ):
        assert run(["hotspots", *files, *units, "-o", str(folder / name), *options]) == 0
    return folder


@pytest.mark.data
def test_chicago_s_areas_without_a_crs_are_told_theirs_by_the_reports(
    shared_data, tmp_path, capsys
):
    chicago = shared_data / "chicago"
    files = [str(chicago / "chicago_sanitation_2011_2014.parquet"), str(chicago / "Chicago77.shp")]
    out = tmp_path / "out.gpkg"
    for command in (["hotspots", *files], ["ingest", files[0], "--units", files[1]]):
        assert run([*command, "-o", str(out)]) == 2
        said = capsys.readouterr().err
        assert "99.7% of them lie in the units" in said
        assert said.rstrip().endswith("state it: --units-crs EPSG:3435")
        assert not out.exists()


@pytest.mark.data
def test_chicago_without_a_key_numbers_the_areas_and_keeps_what_names_them(
    chicago_found, shared_data, tmp_path
):
    chicago = shared_data / "chicago"
    files = [str(chicago / "chicago_sanitation_2011_2014.parquet"), str(chicago / "Chicago77.shp")]
    out = tmp_path / "out.gpkg"
    assert run(["hotspots", *files, "--units-crs", "EPSG:3435", "-o", str(out)]) == 0
    numbered = gpd.read_file(out)
    assert numbered["unit_id"].tolist() == [f"{row:02}" for row in range(1, 78)]
    assert numbered.set_index("AREANO").loc[25, ["name", "n_incidents"]].tolist() == [
        "AUSTIN",
        3271,
    ]
    keyed = gpd.read_file(chicago_found / "lonlat.gpkg")
    assert numbered["AREANO"].astype(str).tolist() == keyed["AREANO"].tolist()
    assert np.abs(numbered["z"] - keyed["z"]).max() < 0.01  # a point on a border may change sides


@pytest.mark.data
@pytest.mark.parametrize("name", ["lonlat", "feet"])
def test_chicago_the_counts_are_the_documented_ones(chicago_found, name):
    said = json.loads((chicago_found / f"{name}.gpkg.provenance.json").read_text(encoding="utf-8"))
    assert (said["read"], said["rejected"], said["unassigned"]) == (74_401, 24, 199)
    counts = gpd.read_file(chicago_found / f"{name}.gpkg").set_index("AREANO")["n_incidents"]
    assert counts["25"] == 3_271
    assert counts["71"] == 2_793
    assert counts["67"] == 2_389
    assert counts[["36", "54", "76", "37"]].tolist() == [59, 84, 115, 120]


@pytest.mark.data
def test_chicago_the_scores_are_those_of_r_spdep(chicago_found, shared_data):
    reference = pd.read_csv(shared_data / "hotspot-ref/chicago77_sanitation_queen_spdep_local.csv")
    order = pd.read_csv(shared_data / "hotspot-ref/chicago77_order.csv")["AREANO"].astype(str)
    frame = gpd.read_file(chicago_found / "feet.gpkg").set_index("AREANO").loc[order]
    assert frame["n_incidents"].tolist() == reference["x"].tolist()
    assert frame["n_neighbours"].tolist() == reference["n_nb"].tolist()
    assert np.abs(frame["z"].to_numpy() - reference["GiStar_B"].to_numpy()).max() < 1e-10


@pytest.mark.data
def test_chicago_longitude_and_latitude_move_only_points_on_borders(chicago_found):
    lonlat, feet = (
        gpd.read_file(chicago_found / f"{name}.gpkg").set_index("AREANO")
        for name in ("lonlat", "feet")
    )
    assert np.abs(lonlat["n_incidents"] - feet["n_incidents"]).sum() <= 20
    assert np.abs(lonlat["z"] - feet["z"]).max() < 0.01
    assert (lonlat["label"] == feet["label"]).all()


@pytest.mark.data
def test_chicago_the_map_names_the_hot_areas(chicago_found):
    page = (chicago_found / "lonlat.html").read_text(encoding="utf-8")
    assert page.index("HUMBOLDT PARK</button>") < page.index("AUBURN GRESHAM</button>")
    assert "74,178" in page


def test_a_pile_at_the_town_hall_is_left_out_and_said(city, tmp_path, capsys):
    table = pd.read_csv(city / "reports.csv", dtype=str, encoding="gb18030")
    hall = table.iloc[[100] * 900].assign(案件编号=[f"9{n:05d}" for n in range(900)])
    hall["上报时间"] = [f"2026年3月{1 + n % 28}日 {n % 24:02d}:15" for n in range(900)]
    pd.concat([table, hall]).to_csv(tmp_path / "piled.csv", index=False)
    counted = {}
    for name, reports in (("plain", city / "reports.csv"), ("piled", tmp_path / "piled.csv")):
        assert hotspots(city, "-o", tmp_path / f"{name}.gpkg", "--json", reports=reports) == 0
        said = json.loads(capsys.readouterr().out)
        counted[name] = (said["on_fallback_points"], said["counted"])
    assert counted["plain"][0] == 0
    assert counted["piled"] == (
        901,
        counted["plain"][1] - 1,
    )  # the report that was there goes with them
    frame = gpd.read_file(tmp_path / "piled.gpkg")
    assert frame["n_incidents"].sum() == counted["piled"][1]
