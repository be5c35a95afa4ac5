"""Reports: every row is accepted, or rejected with its reason."""

import math

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.intake import Reports, read_reports

CITY = pd.DataFrame(
    {
        "编号": ["001", "002", "003"],
        "经度": [113.20, 113.21, 113.22],
        "纬度": [35.20, 35.21, 35.22],
        "类别": ["占道经营", "暴露垃圾", "违规停车"],
    }
)


def points(**columns):
    frame = gpd.GeoDataFrame(
        CITY[["编号", "类别"]], geometry=gpd.points_from_xy(CITY["经度"], CITY["纬度"]), crs=4326
    )
    return frame.assign(**columns)


def write(frame, path):
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False, encoding="gb18030")
        case ".parquet":
            frame.to_parquet(path, index=False)
        case ".gpkg":
            frame.to_file(path, driver="GPKG")
        case ".geojson":
            frame.to_file(path, driver="GeoJSON")
        case ".fgb":
            frame.to_file(path, driver="FlatGeobuf", SPATIAL_INDEX="NO")
        case ".shp":
            frame.to_file(path, driver="ESRI Shapefile", encoding="utf-8")
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_tables_are_read(tmp_path, suffix):
    reports = read_reports(write(CITY, tmp_path / f"a{suffix}"))
    assert (reports.n_read, len(reports.accepted), len(reports.rejected)) == (3, 3, 0)
    assert reports.accepted.crs.to_epsg() == 4326
    assert reports.accepted.geometry.x.tolist() == CITY["经度"].tolist()
    assert reports.accepted["编号"].tolist() == ["001", "002", "003"]
    assert reports.accepted.index.tolist() == ([2, 3, 4] if suffix == ".csv" else [1, 2, 3])


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".geojson", ".fgb", ".shp"])
def test_vector_files_are_read(tmp_path, suffix):
    reports = read_reports(write(points(), tmp_path / f"a{suffix}"))
    assert (reports.n_read, len(reports.accepted)) == (3, 3)
    assert reports.accepted["类别"].tolist() == CITY["类别"].tolist()
    assert np.allclose(reports.accepted.geometry.y, CITY["纬度"])
    assert "as it says itself" in " ".join(reports.notes)


@pytest.mark.parametrize("cpg", [True, False])
def test_a_gbk_shapefile_is_read_with_and_without_its_cpg(tmp_path, cpg):
    path = tmp_path / "a.shp"
    points().to_file(path, driver="ESRI Shapefile", encoding="gbk")
    path.with_suffix(".cpg").unlink(missing_ok=True)
    if cpg:
        path.with_suffix(".cpg").write_text("GBK")
    table = path.with_suffix(".dbf")
    raw = bytearray(table.read_bytes())
    raw[29] = 0  # the driver's own code page is forgotten
    table.write_bytes(raw)
    reports = read_reports(path)
    assert reports.accepted["类别"].tolist() == CITY["类别"].tolist()
    assert list(reports.accepted.columns[:2]) == ["编号", "类别"]
    assert ("gb18030" in " ".join(reports.notes)) is not cpg


def test_every_kind_of_unusable_place_has_its_reason(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "id,lon,lat\n1,113.2,35.2\n2,,\n3,113.2,\n4,east,35\n5,200,35\n6,113,95\n7,0,0\n8,0.0,0.00\n9,inf,1\n"
        "id,lon,lat\n10,1\n11, 113.3 ,35.3\n",
        encoding="utf-8",
    )
    reports = read_reports(path)
    assert reports.accepted["id"].tolist() == ["1", "11"]
    assert reports.rejected[["row", "reason"]].to_numpy().tolist() == [
        [3, "'lon' and 'lat' are empty"],
        [4, "'lat' is empty"],
        [5, "'lon' is not a number"],
        [6, "the longitude is outside -180 to 180"],
        [7, "the latitude is outside -90 to 90"],
        [8, "the coordinates are 0, 0, where exports put what has no place"],
        [9, "the coordinates are 0, 0, where exports put what has no place"],
        [10, "'lon' is not a number"],
        [11, "the header row again"],
        [12, "2 fields where the header has 3"],
    ]
    assert reports.rejected["id"].tolist() == ["2", "3", "4", "5", "6", "7", "8", "9", "id", "10"]


def test_geometry_that_is_no_place_has_its_reason(tmp_path):
    shapes = [
        shapely.Point(113.2, 35.2), None, shapely.Point(), shapely.LineString([(113, 35), (114, 36)]),
        shapely.MultiPoint([(113.3, 35.3)]), shapely.MultiPoint([(113, 35), (114, 36)]), shapely.Point(300, 35),
    ]  # fmt: skip
    frame = gpd.GeoDataFrame({"id": range(7)}, geometry=shapes, crs=4326)
    reports = read_reports(write(frame, tmp_path / "a.parquet"))
    assert reports.accepted["id"].tolist() == [0, 4]
    assert reports.accepted.geometry.geom_type.unique().tolist() == ["Point"]
    assert dict(zip(reports.rejected["row"], reports.rejected["reason"], strict=True)) == {
        2: "no geometry",
        3: "no geometry",
        4: "the geometry is a linestring, not a point",
        6: "the geometry is a multipoint, not a point",
        7: "the longitude is outside -180 to 180",
    }


def test_geometry_as_text_is_read_in_the_stated_crs(tmp_path):
    path = tmp_path / "a.csv"
    hexadecimal = shapely.Point(500_002, 3_900_000).wkb_hex
    path.write_text(f"id,geom\n1,POINT (500001 3900000)\n2,{hexadecimal}\n3,elsewhere\n4,\n")
    reports = read_reports(path, crs="EPSG:4547")
    assert reports.accepted.geometry.x.tolist() == [500_001, 500_002]
    assert reports.rejected["reason"].tolist() == ["the geometry cannot be read", "no geometry"]


def test_nothing_is_reprojected_and_the_stated_crs_is_kept(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n500000,3900000\n1e300,1e300\n")
    reports = read_reports(path, crs=4547)
    assert reports.accepted.crs.to_epsg() == 4547
    assert reports.accepted.geometry.iloc[0] == shapely.Point(500_000, 3_900_000)
    assert reports.rejected["reason"].tolist() == [
        "the coordinates lie outside the reach of EPSG:4547 (metre)"
    ]


def test_a_stated_crs_overrules_the_file_and_that_is_said(tmp_path):
    path = write(points(), tmp_path / "a.gpkg")
    reports = read_reports(path, crs=4490)
    assert reports.accepted.crs.to_epsg() == 4490
    assert "as --issues-crs states, although the file itself says EPSG:4326" in " ".join(
        reports.notes
    )


def test_a_vector_file_without_crs_asks_for_it(tmp_path):
    path = tmp_path / "a.shp"
    points().to_file(path, driver="ESRI Shapefile", encoding="utf-8")
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match=r"'a.shp' does not say.*--issues-crs EPSG:4547"):
        read_reports(path)
    assert read_reports(path, crs="EPSG:4326").n_read == 3


def test_degrees_under_a_projected_crs_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("x,y\n113.2,35.2\n113.3,35.3\n")
    with pytest.raises(
        CrsError,
        match=r"look like degrees \(first: 113.2, 35.2\) but EPSG:4547 \(metre\).*EPSG:4326",
    ):
        read_reports(path, crs="EPSG:4547")


def test_a_crs_that_places_nothing_is_refused(tmp_path):
    with pytest.raises(CrsError, match="does not place points on a map"):
        read_reports(write(CITY, tmp_path / "a.csv"), crs="EPSG:5773")
    with pytest.raises(CrsError, match="issues-crs 'EPSG:0' is not a coordinate reference system"):
        read_reports(tmp_path / "a.csv", crs="EPSG:0")


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ("id,lon,lat\n1,,\n2,,\n", r"none of 2 rows of 'a.csv' has a usable place \(2 × 'lon' and 'lat' are empty; first: row 2\)"),
        ("id,lon,lat\n1,35.2,113.2\n", "longitude and latitude look exchanged: exchange --x and --y"),
        ("id,lon,lat\n1,500000,3900000\n", "look like projected coordinates: state theirs with --issues-crs"),
    ],
)  # fmt: skip
def test_no_usable_row_at_all_is_an_error_with_the_likeliest_cause(tmp_path, rows, sentence):
    path = tmp_path / "a.csv"
    path.write_text(rows)
    with pytest.raises(InputError, match=sentence):
        read_reports(path)


def test_files_that_are_not_there_or_not_read_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*nowhere.csv"):
        read_reports(tmp_path / "nowhere.csv")
    with pytest.raises(InputError, match="is a folder"):
        read_reports(tmp_path)
    (tmp_path / "a.csv").touch()
    with pytest.raises(InputError, match=r"'a.csv' is empty \(0 bytes\)"):
        read_reports(tmp_path / "a.csv")
    (tmp_path / "a.xyz").write_text("1")
    with pytest.raises(InputError, match=r"ends in '.xyz', which is not read; choose one of .csv"):
        read_reports(tmp_path / "a.xyz")
    (tmp_path / "b.parquet").write_text("not parquet")
    with pytest.raises(InputError, match=r"'b.parquet' is no Parquet file"):
        read_reports(tmp_path / "b.parquet")
    (tmp_path / "c.geojson").write_text("{")
    with pytest.raises(InputError, match=r"'c.geojson' cannot be read as a vector file"):
        read_reports(tmp_path / "c.geojson")


def test_several_layers_are_listed_and_one_can_be_chosen(tmp_path):
    path = tmp_path / "a.gpkg"
    points().to_file(path, layer="reports", driver="GPKG")
    points().to_file(path, layer="old", driver="GPKG")
    with pytest.raises(
        InputError, match=r"has 2 layers \(reports, old\); choose one with --issues-layer"
    ):
        read_reports(path)
    assert read_reports(path, layer="old").n_read == 3
    with pytest.raises(InputError, match=r"no layer 'new' in 'a.gpkg'; it has: reports, old"):
        read_reports(path, layer="new")


def test_times_are_read_and_the_period_is_said(tmp_path):
    path = write(CITY.assign(上报时间=["2026/3/4 9:30", "2026/3/6", "soon"]), tmp_path / "a.csv")
    reports = read_reports(path, time="上报时间")
    assert reports.accepted["上报时间"].dt.day.tolist()[:2] == [4, 6]
    assert reports.notes[-1] == (
        "times in '上报时间' run from 2026-03-04 09:30 to 2026-03-06 00:00; 1 of 3 are missing or cannot be read"
    )
    with pytest.raises(ColumnError, match=r"no column '时间' \(--time\)"):
        read_reports(path, time="时间")
    with pytest.raises(InputError, match="none of 3 values of '类别'"):
        read_reports(path, time="类别")


def test_columns_called_row_and_reason_are_kept_apart(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("row,reason,lon,lat\n7,late,,\n8,none,113,35\n")
    rejected = read_reports(path).rejected
    assert rejected.loc[0, ["row", "row.source", "reason.source"]].tolist() == [2, "7", "late"]


def test_counts_that_do_not_add_up_cannot_be_made():
    with pytest.raises(AssertionError, match="0 accepted and 0 rejected rows are not the 1"):
        Reports(gpd.GeoDataFrame(), pd.DataFrame(), 1, ())


def test_a_look_at_the_reports_says_the_counts(tmp_path):
    assert (
        repr(read_reports(write(CITY, tmp_path / "a.csv")))
        == "<Reports: 3 read, 3 accepted, 0 rejected>"
    )


_FIELD = st.one_of(
    st.floats(-400, 400).map(repr),
    st.sampled_from(["", " ", "0", "113.2", "35.2", "nan", "inf", "-", "三", "lon", "1,5", '"']),
)


@settings(derandomize=True, max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(_FIELD, _FIELD), min_size=1, max_size=12))
def test_accepted_and_rejected_rows_are_the_rows_read(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("law") / "a.csv"
    table = pd.DataFrame([("113.1", "35.1"), *rows], columns=["lon", "lat"])
    table.assign(id=range(len(table))).to_csv(path, index=False)
    reports = read_reports(path)
    assert reports.n_read == len(table)
    assert len(reports.accepted) + len(reports.rejected) == len(table)
    assert sorted([*reports.accepted["id"], *reports.rejected["id"]], key=int) == [
        str(n) for n in range(len(table))
    ]
    assert reports.rejected["reason"].str.len().gt(0).all()
    xy = shapely.get_coordinates(reports.accepted.geometry.array)
    assert len(xy) == len(reports.accepted)
    assert all(
        abs(x) <= 180 and abs(y) <= 90 and (x, y) != (0, 0) and math.isfinite(x + y) for x, y in xy
    )
