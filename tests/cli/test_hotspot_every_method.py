"""`gisgrid hotspots --method …` for what is not asked of areas alone: each is wired to the right function, and says so."""

import json
import re

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
import shapely
from shapely import box

from gisgrid import derived
from gisgrid.cli.app import run
from gisgrid.cli.hotspots.methods import METHODS

EAST, NORTH, CELL, SIDE = 500_000.0, 3_900_000.0, 600.0, 12
HOT = (EAST + 9.5 * CELL, NORTH + 8.5 * CELL)


@pytest.fixture(scope="module")
def city(tmp_path_factory):
    """144 square units, streets along their borders, reports of half a year with many around one unit from April on."""
    folder = tmp_path_factory.mktemp("city")
    column, row = np.divmod(np.arange(SIDE * SIDE), SIDE)
    west, south = EAST + column * CELL, NORTH + row * CELL
    units = gpd.GeoDataFrame(
        {
            "community_code": [f"41{c:02d}{r:02d}" for c, r in zip(column, row, strict=True)],
            "name_zh": [f"第{n}社区" for n in range(SIDE * SIDE)],
            "population": 1000,
            "kind": np.where(column > 5, "east", "west"),
            "campaign": (column % 4 == 0).astype(int),
            "patrol_km": np.where(row == 0, 0.0, 20.0),
            "bad": np.where((abs(column - 9) < 2) & (abs(row - 8) < 2), "是", "否"),
        },
        geometry=box(west, south, west + CELL, south + CELL),
        crs=4547,
    )
    units.to_file(folder / "units.gpkg")
    ends = np.arange(SIDE + 1) * CELL
    lines = [shapely.LineString([(EAST + x, NORTH), (EAST + x, NORTH + ends[-1])]) for x in ends]
    lines += [shapely.LineString([(EAST, NORTH + y), (EAST + ends[-1], NORTH + y)]) for y in ends]
    gpd.GeoDataFrame({"name": ["路"] * len(lines)}, geometry=lines, crs=4547).to_file(
        folder / "streets.gpkg"
    )
    rng = np.random.default_rng(1)
    usual = rng.uniform((EAST, NORTH), (EAST + SIDE * CELL, NORTH + SIDE * CELL), (2400, 2))
    days = np.concatenate([rng.uniform(0, 181, 2400), rng.uniform(90, 181, 600)])
    points = np.vstack([usual, rng.normal(HOT, 0.6 * CELL, (600, 2))])
    where = gpd.GeoSeries.from_xy(*points.T, crs=4547).to_crs(4326)
    reports = pd.DataFrame(
        {
            "案件编号": [f"{n:05d}" for n in range(3000)],
            "经度": where.x, "纬度": where.y,
            "上报时间": (pd.Timestamp("2025-01-01") + pd.to_timedelta(days, unit="D")).strftime("%Y-%m-%d %H:%M:%S"),
            "问题类型": np.where(rng.random(3000) < 0.5, "暴露垃圾", "违章停车"),
        }
    )  # fmt: skip
    reports.to_csv(folder / "reports.csv", index=False)
    reports.iloc[:1200].to_csv(folder / "controls.csv", index=False)
    return folder


@pytest.fixture
def ask(city, tmp_path, capsys):
    """Run a method; give its summary and the file it wrote."""

    def asked(method, *options, suffix=".gpkg", language="zh"):
        out = tmp_path / f"{method}{suffix}"
        words = [
            "hotspots",
            city / "reports.csv",
            city / "units.gpkg",
            "--datum",
            "wgs84",
            "-o",
            out,
        ]
        words += [
            "--timezone",
            "Asia/Shanghai",
            "--method",
            method,
            "--language",
            language,
            *options,
        ]
        capsys.readouterr()
        assert run([str(word) for word in [*words, "--json"]]) == 0
        said = json.loads(capsys.readouterr().out)
        assert out.exists()
        record = json.loads(out.with_name(f"{out.name}.provenance.json").read_text("utf8"))
        assert record["options"]["method"] == said["method"] == method
        return said, out

    return asked


def here(frame):
    return frame[frame.geometry.contains(shapely.Point(HOT))].iloc[0]


POPULATION = ("--population", "population")


@pytest.mark.parametrize(
    "case",
    [
        ("gi", POPULATION, "label", {"hot_99"}),
        ("bivariate-moran", (*POPULATION, "--against", "controls.csv"), "cluster", None),
        ("join-counts", ("--flag", "bad"), "company", {"in_company"}),
        ("join-counts", ("--flag", "60"), "has_it", {True}),
        ("scan", (*POPULATION, "--shape", "ellipse", "--permutations", "99"), "label", {"hot_99"}),
        ("scan", ("--controls", "controls.csv", "--permutations", "99"), "label", {"hot_99"}),
        ("scan", (*POPULATION, "--max-share", "0.05", "--permutations", "99"), "cluster_rank", {1}),
        ("space-time-scan", (*POPULATION, "--permutations", "99"), "label", {"hot_99"}),
        ("space-time-permutation", ("--permutations", "99", "--prospective"), "to_day", {"2025-06-30"}),
        ("change", ("--before", "2025-01..2025-03", "--after", "2025-04..2025-06"), "change", {"rose"}),
        ("campaign", ("--treated", "campaign", "--from", "2025-04-01"), "group", None),
        ("rebound", ("--place-m", "200"), "n", None),
        ("rates", POPULATION, "eb_rate", None),
        ("rates", ("--cells", "square", "--cell-m", "600"), "eb_rate", None),
        ("effort", ("--effort", "patrol_km", "--least-effort", "5"), "label", {"hot_99"}),
        ("reporting-rate", ("--lifetime-days", "10"), "n_repeats", {0}),
    ],
)  # fmt: skip
def test_areas(ask, city, case):
    method, options, column, values = case
    options = [city / word if str(word).endswith(".csv") else word for word in options]
    said, path = ask(method, *options)
    frame = gpd.read_file(path)
    assert len(frame) == said["areas"] == 144
    assert column in frame
    if values is not None:
        assert here(frame)[column] in values
    if said["labels"]:
        assert sum(said["labels"].values()) <= 144
    assert said["counted"] == frame["n_incidents"].sum()
    left_out = (
        "in_slivers",
        "in_part_steps",
        "far_in_time",
        "in_no_period",
        "unassigned",
        "without_time",
    )
    assert said["accepted"] == said["counted"] + sum(said[name] for name in left_out)


def test_rates_are_highest_where_many_reports_are(ask):
    said, path = ask("rates", *POPULATION)
    frame = gpd.read_file(path)
    assert said["hottest"][0]["key"] == frame.loc[frame["eb_rate"].idxmax(), "community_code"]
    assert here(frame)["eb_rate"] == frame["eb_rate"].max()


def test_nobody_looked_is_unknown(ask):
    said, path = ask("effort", "--effort", "patrol_km", language="en")
    frame = gpd.read_file(path)
    assert said["labels"]["unknown"] == 12 == (frame["label"] == "unknown").sum()
    assert any("are unknown (not cold)" in note for note in said["notes"])


def test_a_campaign_says_its_effect_with_its_checks(ask):
    said, path = ask("campaign", "--treated", "campaign", "--from", "2025-04-01", "--step", "week")
    figures = said["figures"]
    assert figures["low"] < figures["ratio"] < figures["high"]
    assert {"p", "pretrend_p", "placebo_p", "chance_p", "n_averted"} <= set(figures)
    assert said["labels"]["treated"] == 36
    assert len(said["course"]) == 25
    assert set(gpd.read_file(path)["group"]) <= {"treated", "control", "other"}


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables(ask, suffix):
    def read(path):
        return pd.read_csv(path) if suffix == ".csv" else pd.read_parquet(path)

    said, path = ask("temporal-scan", "--step", "week", suffix=suffix)
    (row,) = read(path).to_dict("records")
    assert str(row["from_day"]) >= "2025-03-24"
    assert said["labels"]["hot_99"] == 1
    said, path = ask("near-repeats", "--permutations", "19", "--bands-m", "100,300", suffix=suffix)
    assert len(read(path)) == 2 * 4
    assert said["figures"]["n_both"] == read(path)["n_pairs"].iloc[0]
    said, path = ask("zones", *POPULATION, "--zone", "kind", "--reference", "west", suffix=suffix)
    table = read(path)
    assert table["zone"].to_list() == ["west", "east"]
    assert table["ratio"].iloc[1] > 1.2
    assert said["counted"] == table["n_incidents"].sum()
    said, path = ask("rebound-by-class", suffix=suffix)
    table = read(path)
    city = table[table["community_code"].isna()]
    assert len(city) == 2
    assert city["n"].sum() == said["counted"] == table["n"].sum() / 2


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("density", ("--edge-correction",)),
        ("adaptive-density", ()),
        ("relative-risk", POPULATION),
        ("relative-risk", ("--from", "2025-04-01", "--comparison", "log2-ratio")),
        ("relative-risk", ("--against", "controls.csv")),
    ],
)
def test_surfaces(ask, city, method, options):
    options = [city / word if str(word).endswith(".csv") else word for word in options]
    said, path = ask(method, "--bandwidth-m", "900", "--cell-m", "150", *options, suffix=".tif")
    assert said["counted"] == said["accepted"] - said["unassigned"]
    with rasterio.open(path) as raster:
        assert raster.overviews(1) == [] or raster.overviews(1)[0] == 2
        values = raster.read(1)
        x, y = raster.xy(*np.unravel_index(np.nanargmax(values), values.shape))
    assert abs(x - HOT[0]) + abs(y - HOT[1]) < 2 * CELL


def test_streets(ask, city):
    streets = ("--streets", city / "streets.gpkg", "--within-m", "100")
    said, path = ask("street-segments", *streets, "--neighbours", "distance:400")
    frame = gpd.read_file(path)
    assert said["areas"] == len(frame) == 2 * 13 * 12 * 6
    assert said["labels"]["hot_99"] > 3
    hottest = frame.loc[frame["z"].idxmax()]
    assert hottest.geometry.distance(shapely.Point(HOT)) < 2 * CELL
    assert hottest["name"] == "路"
    assert said["counted"] + said["on_no_street"] == said["accepted"]
    record = json.loads(path.with_name(f"{path.name}.provenance.json").read_text("utf8"))
    assert len(record["unassigned_rows"]) == said["on_no_street"]
    assert record["inputs"]["streets"]["file"] == "streets.gpkg"
    said, path = ask("street-density", *streets, "--bandwidth-m", "300")
    frame = gpd.read_file(path)
    total = (frame["density_per_km"] * frame["length_km"]).sum()
    assert total == pytest.approx(said["counted"], rel=1e-6)


FEW = ("--permutations", "99")
STREETS = ("--streets", "streets.gpkg", "--within-m", "100")
PAGES = {
    "gi-star": POPULATION,
    "gi": POPULATION,
    "local-moran": (*POPULATION, *FEW),
    "bivariate-moran": (*POPULATION, *FEW, "--against", "patrol_km"),
    "local-geary": (*POPULATION, *FEW),
    "join-counts": ("--flag", "bad"),
    "optimised": (),
    "optimised-outliers": FEW,
    "scan": (*POPULATION, *FEW),
    "space-time-scan": (*POPULATION, *FEW),
    "space-time-permutation": FEW,
    "emerging": POPULATION,
    "change": ("--before", "2025-01..2025-03", "--after", "2025-04..2025-06"),
    "campaign": ("--treated", "campaign", "--from", "2025-04-01"),
    "rebound": ("--place-m", "200"),
    "rates": POPULATION,
    "effort": ("--effort", "patrol_km"),
    "reporting-rate": (),
    "dbscan": ("--radius-m", "80", "--min-reports", "20"),
    "hdbscan": ("--min-reports", "20"),
    "hierarchical": ("--min-reports", "15"),
    "street-segments": (*STREETS, *FEW),
    "street-density": (*STREETS, "--bandwidth-m", "300"),
}


def test_every_page_is_asked_for():
    assert set(PAGES) == {name for name, method in METHODS.items() if method.on_a_page}


@pytest.mark.parametrize("method", PAGES)
def test_what_lies_somewhere_has_a_page(ask, city, method):
    """In the language of its reader, every sentence filled, about the method that was asked for."""
    options = [city / word if word == "streets.gpkg" else word for word in PAGES[method]]
    _, path = ask(method, *options, suffix=".html", language="en")
    text = path.read_text(encoding="utf-8")
    aside = re.search(r"<aside.*?</aside>", text, re.DOTALL)[0]
    words = re.sub(r"第\d+社区|路", "", aside)  # names stay as the units have them
    assert not re.search(r"[{}\u4e00-\u9fff]", words)
    assert aside.count("<tr") > 2 or method == "reporting-rate"  # nothing was told twice
    data = json.loads(re.search(r"gisgridHotspots\(map_\w+, (\{.*\})\);", text)[1])
    assert len(data["areas"]["features"]) > 0
    properties = data["areas"]["features"][0]["properties"]
    for sentence in data["sentences"].values():
        assert set(re.findall(r"\{(\w+)\}", sentence)) <= set(properties)
    said = " ".join([aside, *data["sentences"].values()])
    assert ("Gi*" in said) == (method in {"gi-star", "optimised", "street-segments", "emerging"})
    assert ("the unit itself does not count" in said) == (method == "gi")
    assert ("stretch" in said) == (method == "street-segments")
    assert ("the other thing" in said) == (method == "bivariate-moran")
    assert (data["steps"] is not None) == (method == "emerging")


def test_the_page_of_patterns_has_every_month(ask):
    said, path = ask("emerging", *POPULATION, suffix=".html")
    data = json.loads(
        re.search(r"gisgridHotspots\(map_\w+, (\{.*\})\);", path.read_text(encoding="utf-8"))[1]
    )
    months = data["steps"]["names"]
    assert months == [f"2025-{month:02d}" for month in range(1, 7)][: len(months)]
    rows = [f["properties"] for f in data["areas"]["features"]]
    labels = np.array(data["steps"]["labels"]).T
    assert labels.shape == (said["areas"], len(months)) == (144, rows[0]["n_steps"])
    hot = (labels >= 0) & (labels < 2)  # hot_99 and hot_95: q at most 0.05, as a pattern counts
    assert hot.sum(axis=1).tolist() == [row["n_hot"] for row in rows]


def test_clusters_have_their_units(ask):
    said, path = ask("hierarchical", "--min-reports", "15")
    frame = gpd.read_file(path)
    first = frame[frame["order"] == 1]
    assert said["counted"] == first["n_incidents"].sum()
    assert said["accepted"] == said["counted"] + said["scattered"] + said["unassigned"]
    assert first["unit_codes"].str.contains("410908").any()


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(
    "case",
    [
        ("change", ("--before", "2025-01", "--after", "2025-05"), ".gpkg", ("fuzzy kappa|模糊 kappa", "Rose|上升")),
        ("temporal-scan", (), ".csv", ("Span of time|时段", "rows|行")),
        ("campaign", ("--treated", "campaign", "--from", "2025-04-01"), ".gpkg", ("Averted|避免的件数",)),
        ("street-density", ("--streets", "streets.gpkg", "--bandwidth-m", "300"), ".gpkg", ("stretches|街段",)),
    ],
)  # fmt: skip
def test_the_summary_speaks_both_languages(city, tmp_path, capsys, language, case):
    method, options, suffix, words = case
    options = [city / word if str(word) == "streets.gpkg" else word for word in options]
    files = [city / "reports.csv", city / "units.gpkg", "-o", tmp_path / f"out{suffix}"]
    said = ["--datum", "wgs84", "--timezone", "Asia/Shanghai", "--language", language]
    assert run([str(w) for w in ["hotspots", *files, "--method", method, *said, *options]]) == 0
    out = capsys.readouterr().out
    for each in words:
        assert each.split("|")[0 if language == "en" else 1] in out


@pytest.fixture(scope="module")
def parts(city, tmp_path_factory):
    """The same reports in three GeoParquet files, some repeated, some on fallback points."""
    folder = tmp_path_factory.mktemp("parts")
    reports = pd.read_csv(city / "reports.csv", dtype=str)
    frame = gpd.GeoDataFrame(
        {
            "issue_id": reports["案件编号"],
            "duplicate_of": np.where(np.arange(3000) % 10 == 0, "00001", None),
            "fallback": np.where(np.arange(3000) % 50 == 1, "town_hall", None),
        },
        geometry=gpd.points_from_xy(reports["经度"].astype(float), reports["纬度"].astype(float)),
        crs=4326,
    )
    for number, part in enumerate(np.array_split(np.arange(3000), 3)):
        frame.iloc[part].to_parquet(folder / f"2025-{number}.parquet")
    frame.to_parquet(folder.parent / "whole.parquet")
    return folder


def of_parts(issues, city, out, capsys, *options):
    capsys.readouterr()
    words = ["hotspots", issues, city / "units.gpkg", "-o", out, *POPULATION, "--json", *options]
    assert run([str(word) for word in words]) == 0
    return json.loads(capsys.readouterr().out), gpd.read_parquet(out)


def test_files_in_parts_are_counted_as_the_whole(city, parts, tmp_path, capsys):
    out = tmp_path / "out.parquet"
    said, counted = of_parts(parts, city, out, capsys, "--engine", "local")
    units = gpd.read_file(city / "units.gpkg")
    whole = derived.unit_hotspots(
        gpd.read_parquet(parts.parent / "whole.parquet"), units, key="community_code"
    )
    for column in ("n_incidents", "z", "label"):
        assert counted[column].to_list() == whole.value[column].to_list()
    assert said["read"] == 3000
    assert said["counted"] == whole.value["n_incidents"].sum()
    names = ("counted", "repeats", "on_fallback_points", "unassigned")
    assert sum(said[name] for name in names) == 3000
    pattern, again = of_parts(parts / "2025-*.parquet", city, out, capsys, "--engine", "local", "--method", "scan", "--permutations", "19")  # fmt: skip
    assert pattern["counted"] == again["n_incidents"].sum() == said["counted"]
    record = json.loads((tmp_path / "out.parquet.provenance.json").read_text("utf8"))
    assert record["inputs"]["issues"]["n_files"] == 3


def test_a_cluster_counts_the_same(city, parts, tmp_path, capsys):
    distributed = pytest.importorskip("distributed")
    out = tmp_path / "out.parquet"
    _, frame = of_parts(parts, city, out, capsys, "--engine", "local")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        options = ("--engine", "dask", "--scheduler", cluster.scheduler_address)
        said, counted = of_parts(parts, city, out, capsys, *options)
    pd.testing.assert_frame_equal(pd.DataFrame(frame), pd.DataFrame(counted))
    assert said["read"] == 3000
