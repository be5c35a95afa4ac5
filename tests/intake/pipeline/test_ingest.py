"""Taking files in: every row is accepted or rejected, what is accepted is right, and nothing is half-written."""

import datetime as dt
import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from shapely import Point

from gisgrid.errors import ColumnError
from gisgrid.intake import ColumnMapping, Gazetteer, Stated, UnsureError, ingest
from gisgrid.intake.pipeline.canonical import LEADING
from gisgrid.join import assign_units

AS_OF = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
HERE = Stated(as_of=AS_OF)
SMALL = Stated(as_of=AS_OF, datum="gcj02")
"""For tables too small for the datum to be told by fit."""


def take(path, output, city, **options):
    options = {"reference": city.reference, "stated": HERE, **options}
    return ingest(path, output, **options)


def written(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_gcj02_table_without_any_option_lands_on_the_ground(city, reports_csv, tmp_path):
    out = tmp_path / "reports.parquet"
    done = take(reports_csv, out, city)
    frame = gpd.read_parquet(out)
    assert (
        repr(done)
        == f"<Ingestion: 600 read, 600 accepted ({done.n_incidents} incidents), 0 rejected>"
    )
    assert done.findings[0].mapping.datum == "gcj02"
    assert frame.crs == "OGC:CRS84"
    assert frame.to_crs(4547).distance(city.points.to_crs(4547)).max() < 0.05
    assert done.n_assigned == {"subdistrict_code": 600, "community_code": 600, "compound_code": 600}
    assert done.sample.n_outside == 0
    expected = assign_units(frame[["geometry"]].to_crs(4547), city.units)
    for level in city.units:
        assert frame[level].tolist() == expected[level].tolist()
    assert written(tmp_path) == ["reports.mapping.toml", "reports.parquet", "案件.csv"]


def test_the_canonical_columns_come_first_and_the_file_s_own_stay_as_they_were(
    city, reports_csv, tmp_path
):
    out = tmp_path / "reports.parquet"
    take(reports_csv, out, city)
    frame = gpd.read_parquet(out)
    levels, own = (
        list(city.units),
        ["status.source" if name == "status" else name for name in city.table],
    )
    assert list(frame) == [
        *(name for name, _ in LEADING),
        *levels,
        "source_file",
        "source_row",
        *own,
        "geometry",
    ]
    assert frame["status.source"].tolist() == city.table["status"].tolist()
    for name in ("案件编号", "上报时间", "经度", "问题描述"):
        assert frame[name].tolist() == city.table[name].tolist()
    assert frame["source_row"].tolist() == list(range(2, 602))
    assert frame["issue_id"].tolist() == city.table["案件编号"].tolist()
    assert set(frame["category_scheme"]) == {"GB/T 30428.2-2013"}
    assert frame.loc[frame["问题类别"] == "道路不洁", "category"].unique().tolist() == [
        "dirty_road"
    ]
    assert set(frame["source"]) == {"collector", "hotline"}
    assert set(zip(frame["status"], frame["status.source"], strict=True)) == {
        ("closed", "已结案"),
        ("open", "处置中"),
    }


def test_times_become_utc(city, reports_csv, tmp_path):
    take(reports_csv, tmp_path / "reports.parquet", city)
    frame = gpd.read_parquet(tmp_path / "reports.parquet")
    expected = pd.to_datetime(city.table["上报时间"]).dt.tz_localize("Asia/Shanghai")
    assert (frame["reported_at"] == expected).all()
    assert str(frame["reported_at"].dtype) == "datetime64[us, UTC]"
    assert (frame["closed_at"] - frame["reported_at"]).unique().tolist() == [pd.Timedelta("2h")]


def test_the_geo_metadata_are_valid(city, reports_csv, tmp_path):
    out = tmp_path / "reports.parquet"
    take(reports_csv, out, city)
    geo = json.loads(pq.read_schema(out).metadata[b"geo"])
    column = geo["columns"]["geometry"]
    assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
    assert (column["encoding"], column["geometry_types"], "crs" in column) == (
        "WKB",
        ["Point"],
        False,
    )
    assert np.allclose(column["bbox"], gpd.read_parquet(out).total_bounds)


def test_the_mapping_file_gives_the_same_bytes_again(city, reports_csv, tmp_path):
    a, b = tmp_path / "a.parquet", tmp_path / "b.parquet"
    take(reports_csv, a, city)
    mapping = ColumnMapping.read(tmp_path / "a.mapping.toml")
    assert mapping.datum == "gcj02"
    assert mapping.columns["lon"] == "经度"
    take(reports_csv, b, city, stated=Stated(as_of=AS_OF, mapping=mapping))
    assert a.read_bytes() == b.read_bytes()


def test_doubtful_rows_are_kept_and_marked(city, tmp_path):
    table = city.table.head(60).copy()
    table.loc[0, "结案时间"] = "2024-01-01 00:00:00"
    table.loc[1, "上报时间"] = "soon"
    table.loc[2, "上报时间"] = ""
    table.loc[3, "上报时间"] = "2031-01-01 00:00"
    table.loc[4, ["类别代码", "问题类别"]] = ["7777", "看不懂"]
    table.loc[5, ["经度", "纬度"]] = ["114.5", "35.9"]
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    done = take(path, tmp_path / "out.parquet", city)
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    assert done.n_accepted == 60
    flags = frame["flags"].fillna("").tolist()
    assert flags[0] == "closed_before_reported"
    assert flags[1] == "unreadable_time"
    assert flags[2] == "no_time"
    assert "in_the_future" in flags[3]
    assert flags[4] == "category_unknown"
    assert flags[5] == "outside_units"
    assert flags[6:] == [""] * 54
    assert {p.code: p.n for p in done.problems if p.kind == "flag"}["no_time"] == 1
    assert frame["subdistrict_code"].isna().tolist() == [at == 5 for at in range(60)]


def test_rows_without_a_place_are_rejected_with_their_row_and_reason(city, tmp_path):
    lines = city.table.head(40).to_csv(index=False).splitlines()
    header = lines[0]
    cells = [line.split(",") for line in lines]
    cells[2][5] = ""
    cells[3][5], cells[3][6] = "0", "0"
    cells[4][5] = "不详"
    cells[5][6] = "95"
    cells[6] = cells[6][:4]
    cells[7] = header.split(",")
    cells[8][9] = "=HYPERLINK(1)"
    cells[8][6] = ""
    path = tmp_path / "a.csv"
    path.write_text("\n".join(",".join(row) for row in cells) + "\n", encoding="utf-8")
    done = take(path, tmp_path / "out.parquet", city, stated=SMALL)
    assert (done.n_read, done.n_accepted, done.n_rejected) == (40, 33, 7)
    table = pd.read_csv(done.rejects, dtype=str, keep_default_na=False)
    reasons = dict(zip(table["row"].astype(int), table["reason"], strict=True))
    assert reasons == {
        3: "no_place", 4: "zero_place", 5: "unreadable_place", 6: "lat_range", 7: "too_few_fields",
        8: "repeated_header", 9: "no_place",
    }  # fmt: skip
    by_row = table.set_index("row")
    assert by_row.loc["9", "问题描述"] == "'=HYPERLINK(1)"
    assert by_row.loc["4", "reason_zh"].startswith("坐标为 0")
    assert by_row.loc["3", "案件编号"] == city.table["案件编号"][1]
    assert done.rejected["no_place"] == 2
    assert [
        example.row for p in done.problems if p.code == "no_place" for example in p.examples
    ] == [3, 9]


def test_rejects_do_not_outlive_their_run(city, reports_csv, tmp_path):
    bad = tmp_path / "bad.csv"
    table = city.table.head(30).copy()
    table.loc[3, "经度"] = ""
    table.to_csv(bad, index=False)
    assert take(bad, tmp_path / "out.parquet", city, stated=SMALL).n_rejected == 1
    assert len(pd.read_csv(tmp_path / "out.rejects.csv")) == 1
    take(reports_csv, tmp_path / "out.parquet", city, stated=SMALL)
    assert len(pd.read_csv(tmp_path / "out.rejects.csv")) == 0


def test_copies_are_linked_and_none_is_deleted(city, tmp_path):
    table = pd.concat([city.table.head(50), city.table.iloc[[7, 7, 9]]], ignore_index=True)
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    done = take(path, tmp_path / "out.parquet", city, stated=SMALL)
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    assert done.duplicates["exact"] == 3
    assert frame["duplicate_of"][50:].tolist() == ["000007", "000007", "000009"]
    assert frame["incident_id"][50:].tolist() == ["000007", "000007", "000009"]
    assert done.n_incidents == frame["duplicate_of"].isna().sum()
    assert len(frame) == 53
    assert (
        take(path, tmp_path / "out.parquet", city, stated=SMALL, find_repeats=False).n_incidents
        == 53
    )


def test_codes_that_mean_two_things_are_refused_without_a_scheme(city, tmp_path):
    path = tmp_path / "a.csv"
    city.table.drop(columns="问题类别").to_csv(path, index=False)
    before = written(tmp_path)
    with pytest.raises(UnsureError, match=r"04 and 05 are exchanged.*--taxonomy") as stopped:
        take(path, tmp_path / "out.parquet", city)
    assert stopped.value.findings[0].name == "a.csv"
    assert written(tmp_path) == before
    for scheme, category in (
        ("gbt30428-new", "unlicensed_vending"),
        ("cjt214-2007", "road_collapse"),
    ):
        take(path, tmp_path / "out.parquet", city, stated=Stated(as_of=AS_OF, taxonomy=scheme))
        frame = gpd.read_parquet(tmp_path / "out.parquet")
        assert set(frame.loc[frame["类别代码"] == "0401", "category"]) == {category}


def test_a_datum_that_cannot_be_told_is_refused_with_the_option(reports_csv, tmp_path):
    with pytest.raises(UnsureError, match="--datum") as stopped:
        ingest(reports_csv, tmp_path / "out.parquet")
    assert stopped.value.findings[0].datum.advice is not None
    assert written(tmp_path) == [reports_csv.name]
    done = ingest(reports_csv, tmp_path / "out.parquet", stated=Stated(datum="gcj02", as_of=AS_OF))
    assert any("--units" in text.en for text in done.advice)
    assert done.sample.n_outside is None


@pytest.mark.parametrize("suffix", [".gpkg", ".geojson", ".fgb"])
def test_the_other_formats_hold_the_same(city, reports_csv, tmp_path, suffix):
    take(reports_csv, tmp_path / "a.parquet", city)
    take(reports_csv, tmp_path / f"a{suffix}", city)
    a = gpd.read_parquet(tmp_path / "a.parquet").set_index("issue_id")
    b = gpd.read_file(tmp_path / f"a{suffix}").set_index("issue_id").loc[a.index]
    assert b.crs.to_epsg() == 4326
    assert np.abs(a.get_coordinates() - b.get_coordinates()).to_numpy().max() < 2e-7
    for name in ("compound_code", "category", "问题描述", "source_row"):
        assert a[name].tolist() == b[name].tolist()
    assert (pd.to_datetime(b["reported_at"], utc=True) == a["reported_at"]).all()


def test_points_can_be_written_in_another_crs(city, reports_csv, tmp_path):
    from pyproj import CRS

    take(reports_csv, tmp_path / "a.parquet", city, output_crs=CRS(4547))
    frame = gpd.read_parquet(tmp_path / "a.parquet")
    assert frame.crs.to_epsg() == 4547
    assert frame.distance(city.points.to_crs(4547)).max() < 0.05


def test_several_files_are_one_result_and_each_adds_up(city, tmp_path):
    a, b = tmp_path / "一月.csv", tmp_path / "二月.csv"
    city.table.head(300).to_csv(a, index=False)
    second = (
        city.table.tail(300)
        .rename(columns={"案件编号": "工单编号"})
        .drop(columns="来源")
        .assign(备注="x")
    )
    second.iloc[5, second.columns.get_loc("经度")] = ""
    second.to_csv(b, index=False, sep="\t")
    done = take([a, b], tmp_path / "out.parquet", city)
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    assert [(each.name, each.n_read, each.n_accepted) for each in done.counts] == [
        ("一月.csv", 300, 300),
        ("二月.csv", 300, 299),
    ]
    assert frame["issue_id"].tolist() == city.table["案件编号"].drop(305).tolist()
    assert frame["工单编号"].isna().tolist() == [True] * 300 + [False] * 299
    assert frame["备注"].isna().sum() == 300
    assert {path.name for path in done.mappings} == {
        "out.一月.mapping.toml",
        "out.二月.mapping.toml",
    }


def test_taking_in_a_result_again_changes_no_place_and_keeps_its_links(city, tmp_path):
    path = tmp_path / "a.csv"
    pd.concat([city.table, city.table.iloc[[7]]]).to_csv(path, index=False)
    first = take(path, tmp_path / "one.parquet", city)
    again = take(tmp_path / "one.parquet", tmp_path / "two.parquet", city)
    one, two = (gpd.read_parquet(tmp_path / f"{name}.parquet") for name in ("one", "two"))
    assert again.findings[0].mapping.datum == "wgs84"
    assert (one.geometry == two.geometry).all()
    assert two["duplicate_of"].tolist() == one["duplicate_of"].tolist()
    assert two["issue_id"].tolist() == one["issue_id"].tolist()
    assert again.n_incidents == first.n_incidents


def test_addresses_are_looked_up_where_there_is_a_gazetteer(city, tmp_path):
    path = tmp_path / "a.csv"
    pd.DataFrame(
        {
            "案件编号": ["1", "2", "3"],
            "发生地址": ["阳光小区3号楼", "不知何处", ""],
            "问题类别": ["道路不洁"] * 3,
        }
    ).to_csv(path, index=False)
    with pytest.raises(ColumnError, match="--places"):
        take(path, tmp_path / "out.parquet", city)
    places = gpd.GeoDataFrame(
        {"name": ["阳光小区"]}, geometry=[Point(city.points.iloc[0])], crs=4326
    )
    done = take(path, tmp_path / "out.parquet", city, gazetteer=Gazetteer(places, ("name",)))
    assert done.rejected == {"address_unknown": 1, "no_place": 1}
    frame = gpd.read_parquet(tmp_path / "out.parquet")
    assert frame["flags"].tolist() == ["place_from_address"]
    assert frame.geometry[0].equals_exact(city.points.iloc[0], 1e-9)


def test_personal_data_are_masked_in_the_examples(city, tmp_path):
    table = city.table.head(30).assign(
        联系电话="13812345678", 问题描述="请回电13912345678或张三 140802199001011234"
    )
    table.loc[0, "经度"] = ""
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    done = take(path, tmp_path / "out.parquet", city, stated=SMALL)
    shown = next(p for p in done.problems if p.code == "no_place").examples[0].values
    assert shown["问题描述"] == "请回电139****5678或张三 140***********1234"
    assert shown.get("联系电话", "***") == "***"
    assert shown["案件编号"] == "000000"
