"""`gisgrid hotspots --method …`: every method runs, says what it did, and refuses what has no part in it."""

import json
import typing
import xml.etree.ElementTree as ET

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from shapely import box

from gisgrid.analysis.space_time.emerging import PATTERNS
from gisgrid.cli.app import run
from gisgrid.cli.hotspots import command, methods
from gisgrid.cli.hotspots.request import Request
from gisgrid.cli.hotspots.summary import STEPS
from gisgrid.palette import LABELS

EAST, NORTH, CELL, SIDE = 500_000.0, 3_900_000.0, 600.0, 12


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """144 square units and reports of half a year, a third of them around the unit 410908."""
    folder = tmp_path_factory.mktemp("city")
    column, row = np.divmod(np.arange(SIDE * SIDE), SIDE)
    west, south = EAST + column * CELL, NORTH + row * CELL
    units = gpd.GeoDataFrame(
        {
            "community_code": [f"41{c:02d}{r:02d}" for c, r in zip(column, row, strict=True)],
            "name_zh": [f"第{n}社区" for n in range(SIDE * SIDE)],
            "name_en": [f"Community {n}" for n in range(SIDE * SIDE)],
            "population": 1000,
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
    days = pd.Timestamp("2025-01-01") + pd.to_timedelta(rng.uniform(0, 181, 3000), unit="D")
    reports = pd.DataFrame(
        {
            "案件编号": [f"{n:05d}" for n in range(3000)],
            "经度": points.x, "纬度": points.y,
            "上报时间": days.strftime("%Y-%m-%d %H:%M:%S"),
        }
    )  # fmt: skip
    reports.to_csv(folder / "reports.csv", index=False)
    reports[days >= "2025-05-01"].to_csv(folder / "later.csv", index=False)
    return folder


@pytest.fixture
def ask(city, tmp_path, capsys):
    """Run the command; give what it says and the file it wrote."""

    def asked(*options, suffix=".gpkg", code=0):
        out = tmp_path / f"out{suffix}"
        words = ["hotspots", city / "reports.csv", city / "units.gpkg", "--datum", "wgs84"]
        words += ["--timezone", "Asia/Shanghai", "-o", out, *options]
        capsys.readouterr()
        assert run([str(word) for word in words]) == code
        said = capsys.readouterr()
        return (said.out if code == 0 else said.err), out

    return asked


def test_the_options_and_the_table_name_the_same_methods():
    assert {name.value for name in command.MethodName} == set(methods.METHODS)
    options = set(typing.get_type_hints(command.hotspots))
    for method in methods.METHODS.values():
        assert method.options <= options
        assert set(method.needs) | set(method.needs_one_of) <= method.options
        assert method.title.zh
        assert method.title.en
        assert (method.class_column == "") == (not method.classes)
        assert method.does.zh
        assert method.does.en
    assert set(STEPS["zh"]) == set(STEPS["en"])
    attributes = set(Request.__dataclass_fields__)
    assert set(methods.OPTIONS) <= attributes


@pytest.mark.parametrize(
    ("method", "column", "values", "cells"),
    [
        ("gi-star", "label", LABELS, False),
        ("gi-star", "label", LABELS, True),
        ("local-moran", "cluster", ("high_high", "low_low", "high_low", "low_high", "not_significant"), False),
        ("local-geary", "contrast", ("similar", "different", "not_significant"), False),
        ("scan", "label", LABELS, True),
        ("emerging", "pattern", PATTERNS, False),
    ],
)  # fmt: skip
def test_every_method_of_areas_finds_the_planted_one(ask, method, column, values, cells):
    options = ("--cells", "square", "--cell-m", "600") if cells else ("--population", "population")
    out, path = ask("--method", method, "--json", *options)
    said = json.loads(out)
    frame = gpd.read_file(path)
    assert said["method"] == method
    assert said["labels"] == {v: int((frame[column] == v).sum()) for v in values}
    assert said["counted"] == frame["n_incidents"].sum()
    assert said["tested"] == len(frame) == 144
    middle = frame.geometry.contains(
        gpd.points_from_xy([EAST + 9.5 * CELL], [NORTH + 8.5 * CELL])[0]
    )
    here = frame.loc[middle, column].item()
    expected = {"local-geary": set(values), "emerging": {"persistent_hot", "sporadic_hot"}}
    assert here in expected.get(method, {"hot_99", "high_high"})
    if method in {"gi-star", "scan", "local-moran"}:
        assert said["hottest"][0][column] == here


def test_optimised_writes_a_page_and_says_its_choices_in_both_languages(ask):
    for language, words in (
        ("zh", ("网格宽", "邻域半径")),
        ("en", ("cells of", "neighbours within")),
    ):
        out, path = ask("--method", "optimised", "--language", language, suffix=".html")
        for word in words:
            assert word in out.replace("\n", "")
        assert "<h1>" in path.read_text(encoding="utf-8")
    record = json.loads(path.with_name("out.html.provenance.json").read_text(encoding="utf-8"))
    assert any(note.startswith("cells of") for note in record["notes"])
    assert record["options"]["method"] == "optimised"
    assert record["labels"]["hot_99"] > 0
    out, path = ask(
        "--method", "optimised-outliers", "--cells", "square", "--cell-m", "500", "--json"
    )
    assert gpd.read_file(path)["cell_id"].str.startswith("s500_").all()
    assert json.loads(out)["labels"]["high_high"] > 0


def test_clusters_of_reports_and_a_surface_need_no_areas(ask):
    out, path = ask("--method", "dbscan", "--radius-m", "80", "--min-reports", "25", "--json")
    said, frame = json.loads(out), gpd.read_file(path)
    assert said["accepted"] == said["counted"] + said["unassigned"] + said["scattered"]
    assert frame["n_incidents"].sum() == said["counted"] > 250
    assert (
        frame.geometry[0].distance(gpd.points_from_xy([EAST + 9.5 * CELL], [NORTH + 8.5 * CELL])[0])
        < CELL
    )
    out, path = ask("--method", "hdbscan", "--min-reports", "100")
    assert "HDBSCAN" in out
    out, path = ask("--method", "density", "--bandwidth-m", "300", "--json", suffix=".tif")
    said = json.loads(out)
    assert said["counted"] == said["accepted"] - said["unassigned"]
    with rasterio.open(path) as raster:
        values = raster.read(1)
        assert np.nansum(values, dtype=float) * 50 * 50 / 1e6 == pytest.approx(
            said["counted"], rel=1e-3
        )
        row, column = np.unravel_index(np.nanargmax(values), values.shape)
        x, y = raster.xy(row, column)
    assert abs(x - EAST - 9.5 * CELL) + abs(y - NORTH - 8.5 * CELL) < CELL


def test_permutations_corrections_neighbours_and_seeds_reach_the_statistic(ask):
    def found(*options):
        return gpd.read_file(ask(*options)[1])

    plain, drawn = found(), found("--permutations", "999", "--seed", "3")
    np.testing.assert_allclose(plain["z"], drawn["z"])
    np.testing.assert_allclose(drawn["p"] * 1000 / 2, (drawn["p"] * 1000 / 2).round(), atol=1e-6)
    again, other = (
        found("--permutations", "999", "--seed", "3"),
        found("--permutations", "999", "--seed", "4"),
    )
    assert (again["p"] == drawn["p"]).all()
    assert (other["p"] != drawn["p"]).any()
    np.testing.assert_array_equal(found("--correction", "none")["q"], plain["p"])
    strict = found("--correction", "bonferroni")
    np.testing.assert_allclose(strict["q"], np.minimum(1, 144 * plain["p"]))
    assert (found("--neighbours", "nearest:5")["n_neighbours"] == 5).all()
    assert found("--neighbours", "distance:650")["n_neighbours"].max() == 4


def test_too_few_permutations_are_a_note(ask):
    out, _ = ask("--permutations", "99", "--correction", "bonferroni", "--language", "en")
    assert "no area can pass" in out
    out, _ = ask("--permutations", "99", "--correction", "bonferroni")
    assert "不可能显著" in out


@pytest.mark.parametrize("language", ["zh", "en"])
def test_an_explanation_is_said_written_and_drawn(ask, language):
    out, path = ask("--explain", "410908", "--population", "population", "--language", language)
    words = ("第116社区 410908（热点 99%", "z 中本单元占", "最多的月份：2025-") if language == "zh" else (
        "Community 116 410908 (Hot, 99 %", "Of z, the unit itself brings", "The busiest month is 2025-")  # fmt: skip
    for word in words:
        assert word in out.replace("\n", "") or word in out.replace("\n", " ")
    drawing = path.with_name("out.explanation.svg")
    assert drawing.name in out
    root = ET.fromstring(drawing.read_text(encoding="utf-8"))  # noqa: S314 - our own file
    texts = [element.text for element in root.iter() if element.tag.endswith("text")]
    assert sum(text in {"第116社区", "Community 116"} for text in texts) == 1
    assert sum(1 for e in root.iter() if e.tag.endswith("path")) >= 10
    record = json.loads(path.with_name("out.gpkg.provenance.json").read_text(encoding="utf-8"))
    told = record["explanation"]
    score = gpd.read_file(path).set_index("community_code").loc["410908"]
    assert told["z"] == pytest.approx(score["z"])
    assert sum(part["z"] for part in told["parts"]) == pytest.approx(score["z"])
    assert sum(told["by_month"].values()) == score["n_incidents"]
    assert told["observed"] == pytest.approx(score["observed"])


def test_an_explanation_of_nothing_is_refused_before_anything_is_written(ask):
    err, path = ask("--explain", "41098", code=2)
    assert "no unit '41098' among 144 units; did you mean '410" in err
    assert not list(path.parent.iterdir())


def test_methods_are_compared_on_the_reports_that_came_later(ask, city):
    out, path = ask("--compare", "2025-05-01", "--json")
    said = json.loads(out)
    n_later = len(pd.read_csv(city / "later.csv"))
    assert said["later"] == pytest.approx(n_later, abs=30)  # midnight is the city's
    assert said["counted"] + said["later"] + said["unassigned"] == pytest.approx(
        said["accepted"], abs=30
    )
    rows = {row["method"]: row for row in said["compare"]}
    assert set(rows) == {"counts", "gi-star", "gi", "local-moran", "scan", "emerging"}
    assert all(0 <= row["hit_rate"] <= 1 and row["pai"] > 2 for row in rows.values())
    assert [row["pei"] for row in said["compare"]] == sorted(
        (row["pei"] for row in rows.values()), reverse=True
    )
    assert gpd.read_file(path)["n_incidents"].sum() == said["counted"]
    out, _ = ask("--compare", city / "later.csv", "--language", "en")
    assert "Hit rate" in out
    assert "local-moran" in out
    out, _ = ask("--method", "optimised", "--compare", "2025-05-01", "--json")
    assert {row["method"] for row in json.loads(out)["compare"]} == {"counts", "optimised"}


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("--method", "optimised", "--neighbours", "nearest:8"), "--neighbours has no part in --method optimised; leave it out, or choose gi-star, gi, local-moran, bivariate-moran, local-geary"),
        (("--method", "scan", "--correction", "none"), "--correction has no part in --method scan"),
        (("--method", "gi-star", "--step", "week"), "--step has no part in --method gi-star; leave it out, or choose space-time-scan, space-time-permutation, temporal-scan, emerging or campaign"),
        (("--method", "dbscan", "--min-reports", "9"), "needs --radius-m, which is not given; give it, for example --radius-m 100, or take --method hdbscan"),
        (("--method", "dbscan", "--radius-m", "9"), "needs --min-reports, which is not given; give it, for example --min-reports 20"),
        (("--method", "local-moran", "--explain", "410908"), "--explain has no part in --method local-moran; leave it out, or choose gi-star or optimised"),
        (("--neighbours", "distance"), "neighbours 'distance' say nothing about who is near whom"),
        (("--permutations", "5"), "5 permutations cannot tell 5 % from chance"),
        (("--compare", "2030-01-01"), "leaves 3000 reports before it and 0 from it on; choose a day inside the period"),
        (("--compare", "2025-02-31"), "--compare '2025-02-31' is no day"),
        (("--compare", "nowhere.csv"), "nowhere.csv"),
        (("--method", "nonsense"), "nonsense"),
        (("--method", "bivariate-moran", "--against", "populaton"), "--against 'populaton' is no file of reports and no column of UNITS counted by; did you mean 'population'?"),
        (("--method", "join-counts", "--flag", "name_zh"), "say neither yes nor no (first: '第0社区')"),
        (("--method", "change", "--before", "2025-01"), "--method change needs --after, which is not given; give it, for example --after 2025"),
        (("--method", "change", "--before", "2025-01", "--after", "May"), "'May' is no period; write a year, a month, a day"),
        (("--method", "campaign", "--treated", "population", "--from", "2025-03-01"), "values of 'population' say neither yes nor no"),
        (("--method", "rates",), "--method rates is held against one thing and none is given; give one of --population population or --cells hexagon"),
        (("--method", "effort", "--effort", "name_en"), "values of 'name_en' are no numbers"),
        (("--method", "scan", "--controls", "nowhere.csv"), "nowhere.csv"),
        (("--scheduler", "tcp://127.0.0.1:1"), "give --engine dask with it"),
        (("--engine", "local"), "--engine counts GeoParquet files and 'reports.csv' is none"),
        (("--engine", "local", "--explain", "410908"), "--explain has no part in it"),
        (("--engine", "local", "--method", "emerging"), "--engine has no part in --method emerging"),
    ],
)  # fmt: skip
def test_what_has_no_part_in_a_method_gets_one_sentence(ask, options, sentence):
    err, path = ask(*options, code=2)
    assert sentence in err
    assert "Traceback" not in err
    assert not list(path.parent.iterdir())


@pytest.mark.parametrize(
    ("method", "suffix", "sentence"),
    [
        ("density", ".gpkg", "--method density makes a surface, which 'out.gpkg' cannot hold; let it end in .tif or .pmtiles"),
        ("gi-star", ".tif", "--method gi-star makes areas, which 'out.tif' cannot hold; let it end in .parquet, .gpkg"),
    ],
)  # fmt: skip
def test_a_result_that_a_method_has_not_is_refused(ask, method, suffix, sentence):
    err, _ = ask("--method", method, suffix=suffix, code=2)
    assert sentence in err


def test_the_same_question_gives_the_same_bytes(ask):
    options = ("--method", "local-moran", "--seed", "2", "--population", "population")
    first = ask(*options, suffix=".parquet")[1].read_bytes()
    assert ask(*options, suffix=".parquet")[1].read_bytes() == first
