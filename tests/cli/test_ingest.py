"""`gisgrid ingest`: from an export to rows that can be trusted, or one sentence and nothing written."""

import json
import os
import signal
import subprocess
import sys
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest

from gisgrid.join import assign_units

STEP = 0.01


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with units on two levels and 400 reports in WGS84, of which ten have no place."""
    folder = tmp_path_factory.mktemp("exports")
    from shapely import box

    for name, n in (("districts", 2), ("communities", 8)):
        column, row = np.divmod(np.arange(n * n), n)
        width = 8 * STEP / n
        west, south = 114 + column * width, 35 + row * width
        codes = [f"0{c:02d}{r:02d}" for c, r in zip(column, row, strict=True)]
        key = "community_code" if name == "communities" else "district"
        gpd.GeoDataFrame(
            {key: codes, "name": codes},
            geometry=box(west, south, west + width, south + width),
            crs=4326,
        ).to_file(folder / f"{name}.gpkg")
    rng = np.random.default_rng(5)
    n = 400
    table = pd.DataFrame(
        {
            "案件编号": [f"{i:05d}" for i in range(n)],
            "上报时间": "2026年3月4日 09:30",
            "经度": (114 + rng.random(n) * 8 * STEP).round(6).astype(str),
            "纬度": (35 + rng.random(n) * 8 * STEP).round(6).astype(str),
            "问题类别": rng.choice(["道路不洁", "暴露垃圾"], n),
        }
    )
    table.loc[:9, "经度"] = ""
    table.to_csv(folder / "案件.csv", index=False, encoding="gb18030")
    return folder


def units(folder):
    return (
        "--units",
        f"{folder / 'districts.gpkg'}:district",
        "--units",
        folder / "communities.gpkg",
    )


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def test_an_export_becomes_rows_page_mapping_rejects_and_provenance(gisgrid, folder, tmp_path):
    code, out, err = gisgrid(
        "ingest", folder / "案件.csv", "-o", tmp_path / "out.parquet", *units(folder), "--json"
    )
    assert code == 0, err
    said = json.loads(out)
    assert (said["read"], said["accepted"], said["rejected"]) == (400, 390, 10)
    assert said["rejected_by_reason"] == {"no_place": 10}
    assert said["assigned"] == {"district": 390, "community_code": 390}
    assert said["sources"][0]["datum"] == "wgs84"
    assert said["sources"][0]["columns"]["lon"]["column"] == "经度"
    assert written(tmp_path) == sorted(said["files"])
    assert written(tmp_path) == [
        "out.intake.html", "out.mapping.toml", "out.parquet", "out.parquet.provenance.json", "out.rejects.csv",
    ]  # fmt: skip
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    assert frame["district"].notna().all()
    record = json.loads((tmp_path / "out.parquet.provenance.json").read_text(encoding="utf-8"))
    assert record["made_by"] == "gisgrid ingest"
    assert len(record["inputs"]["案件.csv"]) == 64
    assert record["read"] == record["accepted"] + sum(record["rejected"].values())


@pytest.mark.parametrize(
    ("language", "words"),
    [("zh", ("退回", "没有坐标", "已写入")), ("en", ("rejected", "no coordinates", "Written"))],
)
def test_the_summary_speaks_the_language(gisgrid, folder, tmp_path, language, words):
    code, out, _ = gisgrid(
        "ingest",
        folder / "案件.csv",
        "-o",
        tmp_path / "out.gpkg",
        *units(folder),
        "--language",
        language,
    )
    assert code == 0
    for word in words:
        assert word in out
    assert f'lang="{"zh-CN" if language == "zh" else "en"}"' in (
        tmp_path / "out.intake.html"
    ).read_text("utf-8")


def test_a_mapping_is_used_again_and_options_go_before_it(gisgrid, folder, tmp_path):
    first = (
        "ingest",
        folder / "案件.csv",
        "--as-of",
        "2026-04-01",
        "--report",
        tmp_path / "page.md",
    )
    assert gisgrid(*first, "-o", tmp_path / "a.parquet", *units(folder))[0] == 0
    again = gisgrid(
        *first,
        "-o",
        tmp_path / "b.parquet",
        "--mapping",
        tmp_path / "a.mapping.toml",
        *units(folder),
        "--json",
    )
    assert again[0] == 0
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    assert "没有坐标" in (tmp_path / "page.md").read_text("utf-8")
    code, out, _ = gisgrid(
        *first,
        "-o",
        tmp_path / "c.parquet",
        "--mapping",
        tmp_path / "a.mapping.toml",
        "--timezone",
        "UTC",
        "--json",
    )
    assert code == 0
    assert json.loads(out)["period"][0] == "2026-03-04T09:30:00Z"


def test_what_cannot_be_told_stops_with_the_page_and_the_option(gisgrid, folder, tmp_path):
    code, out, err = gisgrid("ingest", folder / "案件.csv", "-o", tmp_path / "out.parquet")
    assert (code, out) == (2, "")
    assert "cannot be told for certain" in err
    assert "--datum wgs84" in err
    assert written(tmp_path) == ["out.intake.html"]
    assert "没有接收任何数据" in (tmp_path / "out.intake.html").read_text("utf-8")
    code, _, err = gisgrid(
        "ingest", folder / "案件.csv", "-o", tmp_path / "out.parquet", "--datum", "wgs84"
    )
    assert code == 0, err


def test_the_catalogue_s_grid_is_used_where_there_is_one(
    gisgrid, demo_data, layers_dir, tmp_path, monkeypatch
):
    issues = gpd.read_parquet(demo_data / "reported_issues.parquet").head(500)
    where = issues.geometry.to_crs(4326)
    table = pd.DataFrame(issues.drop(columns="geometry")).assign(lng=where.x, lat=where.y)
    table.to_csv(tmp_path / "issues.csv", index=False)
    code, out, err = gisgrid(
        "ingest",
        tmp_path / "issues.csv",
        "-o",
        tmp_path / "out.parquet",
        "--layers",
        layers_dir,
        "--data",
        demo_data,
        "--json",
    )
    assert code == 0, err
    said = json.loads(out)
    assert list(said["assigned"]) == ["subdistrict_code", "community_code", "compound_code"]
    districts = gpd.read_parquet(demo_data / "subdistricts.parquet")
    inside = assign_units(issues, {"subdistrict_code": districts})["subdistrict_code"].notna()
    assert said["assigned"]["subdistrict_code"] == inside.sum() > 450
    assert said["sources"][0]["datum"] == "wgs84"
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    assert frame["category"].tolist() == issues["category"].tolist()
    assert set(frame["category_scheme"]) == {"GB/T 30428.2-2013"}
    assert (
        frame["reported_at"] - issues["reported_at"].reset_index(drop=True)
    ).abs().max() < pd.Timedelta("1s")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["-o", "{out}/out.txt"], "'out.txt' ends in '.txt', which is not written"),
        (["-o", "{out}/no/out.parquet"], "does not exist; make it first"),
        (["-o", "{out}/out.parquet", "--report", "{out}/page.pdf"], "let it end in .html or .md"),
        (["-o", "{out}/out.parquet", "--rejects", "{out}/r.txt"], "let it end in .csv or .parquet"),
        (["-o", "{out}/out.parquet", "--column", "lng=经度"], "no role 'lng'"),
        (["-o", "{out}/out.parquet", "--datum", "gcj"], "did you mean 'gcj02'?"),
        (["-o", "{out}/out.parquet", "--as-of", "yesterday"], "--as-of 'yesterday' is no date"),
        (["-o", "{out}/out.parquet", "--timezone", "Asia/Zhengzhou", "--datum", "wgs84"], "'Asia/Zhengzhou'"),
        (["-o", "{out}/out.parquet", "--taxonomy", "gb", "--datum", "wgs84"], "no taxonomy 'gb'"),
        (["-o", "{out}/out.parquet", "--output-crs", "EPSG:99"], "--output-crs 'EPSG:99' is not a coordinate reference system"),
        (["-o", "{out}/out.parquet", "--mapping", "{out}/no.toml"], "no.toml"),
        (["-o", "{out}/out.parquet", "--units", "{out}/no.gpkg"], "no.gpkg"),
        (["-o", "{out}/out.parquet", "--places", "{units}:nope"], "no column of 'communities.gpkg' is known to hold names"),
    ],
)  # fmt: skip
def test_a_mistake_gets_one_sentence_and_nothing_is_written(
    gisgrid, folder, tmp_path, options, sentence
):
    filled = [option.format(out=tmp_path, units=folder / "communities.gpkg") for option in options]
    code, _, err = gisgrid("ingest", folder / "案件.csv", *filled)
    assert code == 2
    assert sentence in err
    assert "Traceback" not in err
    assert written(tmp_path) == []


@pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_killed_intake_leaves_nothing_half_written(folder, tmp_path, number):
    big = tmp_path / "big.csv"
    table = pd.read_csv(folder / "案件.csv", dtype=str, encoding="gb18030")
    pd.concat([table] * 1_000).to_csv(big, index=False)
    out = tmp_path / "out"
    out.mkdir()
    words = ["ingest", str(big), "-o", str(out / "out.parquet"), "--datum", "wgs84"]
    nowhere = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen([sys.executable, "-m", "gisgrid.cli", *words], **nowhere) as done:
        while not list(out.glob(".out-*/rows.arrow")) and done.poll() is None:
            time.sleep(0.05)  # until the rows are on their way to disk
        done.send_signal(number)
        assert done.wait(timeout=60) == 130
    assert written(out) == []
