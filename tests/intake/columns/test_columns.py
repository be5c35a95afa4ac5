"""Which column is what: by its header in two languages, by its values, or by what the user says."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError
from gisgrid.intake.columns.recognition import recognise
from gisgrid.intake.columns.roles import PLACE_ROLES, ROLES, plain

N = 40
LON = [f"{116.3 + i / 997:.6f}" for i in range(N)]
LAT = [f"{39.9 + i / 991:.6f}" for i in range(N)]
IDS = [f"A2026{i:05d}" for i in range(N)]
TIMES = [f"2026/3/{1 + i % 28} {i % 24}:05" for i in range(N)]
NAMES = ["暴露垃圾", "道路破损", "店外经营", "非法小广告"] * (N // 4)


def table(**columns):
    return pa.table({name: pa.array(list(values)) for name, values in columns.items()})


def found(columns, *, fixed=None, has_geometry=False):
    return recognise(pa.table(columns), has_geometry=has_geometry, fixed=fixed or {})


def roles(columns, **options):
    return found(columns, **options).columns


CHINESE_EXPORT = {
    "序号": [str(i) for i in range(N)], "案件编号": IDS, "问题来源": ["采集员上报", "12345热线"] * (N // 2),
    "大类": ["市容环境", "街面秩序"] * (N // 2), "小类": NAMES, "问题描述": [f"第{i}处有垃圾" for i in range(N)],
    "所属区": ["东区"] * N, "所属街道": ["东街街道", "西街街道"] * (N // 2), "所属社区": ["花园社区"] * N,
    "单元网格编码": [f"1101010010{i:02d}" for i in range(N)], "案发地址": [f"花园路{i}号" for i in range(N)],
    "经度": LON, "纬度": LAT, "上报时间": TIMES, "受理时间": TIMES, "处置截止时间": TIMES, "结案时间": TIMES,
    "案件状态": ["处置中", "已结案"] * (N // 2), "处置结果描述": ["已清理"] * N,
}  # fmt: skip


def test_a_chinese_case_export_needs_no_option():
    got = found(CHINESE_EXPORT)
    assert got.columns == {
        "issue_id": "案件编号", "lon": "经度", "lat": "纬度", "address": "案发地址", "reported_at": "上报时间",
        "closed_at": "结案时间", "major": "大类", "category": "小类", "description": "问题描述", "source": "问题来源",
        "status": "案件状态", "district": "所属区", "subdistrict": "所属街道", "community": "所属社区",
        "grid_code": "单元网格编码",
    }  # fmt: skip
    assert not got.doubts
    assert got.unused == ("序号", "受理时间", "处置截止时间", "处置结果描述")
    assert all(0.9 <= match.confidence <= 1 for match in got.matches.values())
    assert "经度" in got.matches["lon"].why.zh
    assert "degrees" in got.matches["lon"].why.en


def test_open311_requests_are_known():
    rows = {
        "service_request_id": IDS, "status": ["open", "closed"] * (N // 2), "service_name": NAMES,
        "service_code": ["001", "006"] * (N // 2), "description": [f"text {i}" for i in range(N)],
        "requested_datetime": ["2026-03-04T09:30:00Z"] * N, "updated_datetime": ["2026-03-05T09:30:00Z"] * N,
        "expected_datetime": ["2026-03-06T09:30:00Z"] * N, "address": ["1 Main St"] * N, "lat": LAT, "long": LON,
    }  # fmt: skip
    assert roles(rows) == {
        "issue_id": "service_request_id", "lon": "long", "lat": "lat", "address": "address",
        "reported_at": "requested_datetime", "category_code": "service_code", "category": "service_name",
        "description": "description", "status": "status",
    }  # fmt: skip


SHARED = {
    "chicago/chicago_sanitation_2011_2014.parquet": {
        "issue_id": "Service_Request_Number", "lon": "Longitude", "lat": "Latitude", "address": "Street_Address",
        "reported_at": "Creation_Date", "closed_at": "Completion_Date", "major": "Type_of_Service_Request",
        "category": "What_is_the_Nature_of_this_Code_Violation", "status": "Status", "community": "Community_Area",
    },
    "chicago/chicago_burglary_2011_2014.parquet": {
        "issue_id": "Case_Number", "lon": "Longitude", "lat": "Latitude", "address": "Block", "reported_at": "Date",
        "category_code": "IUCR", "category": "Primary_Type", "description": "Description", "community": "Community_Area",
    },
    "chicago/chicago_sanitation_snapshot_20141110_raw.csv.zip": {
        "issue_id": "Service_Request_Number", "lon": "Longitude", "lat": "Latitude", "address": "Street_Address",
        "reported_at": "Creation_Date", "closed_at": "Completion_Date", "major": "Type_of_Service_Request",
        "category": "What_is_the_Nature_of_this_Code_Violation", "status": "Status", "community": "Community_Area",
    },
    "nyc/nyc_311_20230228_raw.csv.gz": {
        "issue_id": "Unique Key", "lon": "Longitude", "lat": "Latitude", "address": "Incident Address",
        "reported_at": "Created Date", "closed_at": "Closed Date", "category": "Complaint Type",
        "description": "Descriptor", "source": "Open Data Channel Type", "status": "Status", "district": "Borough",
        "subdistrict": "Community Board",
    },
    "nyc/nyc_311_animals_raw.csv.gz": {
        "issue_id": "Unique Key", "lon": "Longitude", "lat": "Latitude", "address": "Incident Address",
        "reported_at": "Created Date", "closed_at": "Closed Date", "category": "Complaint Type",
        "description": "Descriptor", "status": "Status", "district": "Borough", "subdistrict": "Community Board",
    },
    "nyc/nyc_vehicle_thefts_2014_2017.parquet": {
        "issue_id": "uid", "lon": "longitude", "lat": "latitude", "reported_at": "date_single",
    },
    "shanghai/shanghai_poi.parquet": {
        "lon": "lon", "lat": "lat", "address": "address", "category": "type", "district": "adname",
    },
    "shanghai/metrostop2.csv": {"lon": "lon", "lat": "lat"},
}  # fmt: skip


@pytest.mark.data
@pytest.mark.parametrize("file", SHARED)
def test_real_files_need_no_option(file, shared_data):
    path = shared_data / file
    if path.suffix == ".parquet":
        frame = pd.read_parquet(path)
    else:
        frame = pd.read_csv(path, dtype=str, keep_default_na=False, nrows=5000)
    got = recognise(
        pa.Table.from_pandas(frame.head(20_000), preserve_index=False), has_geometry=False
    )
    assert got.columns == SHARED[file]
    assert not got.doubts


@pytest.mark.data
def test_nested_json_of_haikou_says_where(shared_data):
    frame = pd.read_json(shared_data / "haikou" / "haikou_toilets.json", dtype=False)
    text = {name: frame[name].map(str) for name in ("_id", "name", "address", "location")}
    assert roles(text) == {"issue_id": "_id", "geometry": "location", "address": "address"}


@pytest.mark.parametrize(
    ("header", "role"),
    [
        (" 经度（°）", "lon"), ("ＬＮＧ", "lon"), ("Longitude", "lon"), ("incident_longitude", "lon"), ("案发经度", "lon"),
        ("经度(GCJ-02)", "lon"), ("lng_wgs84", "lon"), ("gpsLng", "lon"), ("GEO_LAT", "lat"), ("纬度坐标", "lat"),
    ],
)  # fmt: skip
def test_one_axis_is_known_in_many_spellings(header, role):
    other = ("lat", LAT) if role == "lon" else ("lon", LON)
    own = LON if role == "lon" else LAT
    got = roles({header: own, other[0]: other[1]})
    assert got == {role: header, other[0]: other[0]}


@pytest.mark.parametrize(
    ("header", "values", "role"),
    [
        ("坐标", [f"{x},{y}" for x, y in zip(LON, LAT, strict=True)], "lonlat"),
        ("Location", [f"({y}, {x})" for x, y in zip(LON, LAT, strict=True)], "lonlat"),
        ("whatever", [f"[{x}, {y}]" for x, y in zip(LON, LAT, strict=True)], "lonlat"),
        ("位置", [f"POINT ({x} {y})" for x, y in zip(LON, LAT, strict=True)], "geometry"),
        ("shape", ["01010000000000000000005D400000000000004440"] * N, "geometry"),
        ("geom", ['{"type": "Point", "coordinates": [116.3, 39.9]}'] * N, "geometry"),
        ("geom", [b"\x01\x01\x00\x00\x00" + bytes(16)] * N, "geometry"),
    ],
)
def test_one_column_can_say_where(header, values, role):
    assert roles({header: values, "案件编号": IDS}) == {"issue_id": "案件编号", role: header}


def test_a_place_in_words_is_an_address_and_no_coordinate():
    got = found({"位置": [f"花园路{i}号" for i in range(N)], "经度": LON, "纬度": LAT})
    assert got.columns == {"lon": "经度", "lat": "纬度", "address": "位置"}


def test_longitude_and_latitude_go_before_x_and_y():
    xy = {"X_Coordinate": ["1165166.5"] * N, "Y_Coordinate": ["1872509.0"] * N}
    got = found({**xy, "Latitude": LAT, "Longitude": LON})
    assert set(got.columns) == {"lon", "lat"}
    assert got.unused == tuple(xy)
    assert roles(xy) == {"x": "X_Coordinate", "y": "Y_Coordinate"}


def test_surveyors_x_is_the_northing():
    northing, easting = ["4417123.5"] * N, ["39512345.1"] * N
    got = found({"X坐标": northing, "Y坐标": easting})
    assert got.columns == {"x": "Y坐标", "y": "X坐标"}
    assert "surveyors" in got.matches["x"].why.en
    assert roles({"X坐标": ["512345.1"] * N, "Y坐标": northing}) == {"x": "X坐标", "y": "Y坐标"}


def test_axes_that_the_values_do_not_tell_apart_are_doubted():
    got = found({"X坐标": ["5123.5"] * N, "Y坐标": ["6234.1"] * N})
    assert got.matches["x"].confidence <= 0.5
    assert "--column x=" in got.doubts[0].zh


def test_degrees_under_x_and_y_are_longitude_and_latitude():
    assert roles({"X坐标": LON, "Y坐标": LAT}) == {"lon": "X坐标", "lat": "Y坐标"}


def test_metres_under_longitude_and_latitude_are_no_degrees():
    got = found({"经度": ["39512345.1"] * N, "纬度": ["4417123.5"] * N})
    assert got.columns == {"x": "经度", "y": "纬度"}
    assert got.matches["x"].confidence <= 0.7


def test_a_pair_that_begins_alike_belongs_together():
    rows = {"lng": LON, "lat": LAT, "home_lng": LAT, "home_lat": LON}
    assert roles(rows) == {"lon": "lng", "lat": "lat"}


def test_two_pairs_that_say_different_things_are_not_decided():
    rows = {"start_lng": LON, "start_lat": LAT, "end_lng": LON[::-1], "end_lat": LAT[::-1]}
    got = found(rows)
    assert not {*got.columns} & {*PLACE_ROLES}
    assert "start_lng" in got.doubts[0].en
    assert "end_lng" in got.doubts[0].zh
    assert "--column lon=COLUMN" in got.doubts[0].en
    assert roles(rows, fixed={"lon": "end_lng", "lat": "end_lat"}) == {
        "lon": "end_lng", "lat": "end_lat",
    }  # fmt: skip


def test_two_pairs_that_say_the_same_are_one():
    assert roles({"lng": LON, "lat": LAT, "经度": LON, "纬度": LAT}) == {"lon": "lng", "lat": "lat"}


def test_an_unshifted_pair_goes_before_a_shifted_one():
    shifted = {"lng_gcj02": LON[::-1], "lat_gcj02": LAT[::-1]}
    assert roles({**shifted, "lng": LON, "lat": LAT}) == {"lon": "lng", "lat": "lat"}


def test_values_alone_can_say_where_and_stay_doubted():
    got = found({"a": LON, "b": LAT, "n": [str(i) for i in range(N)]})
    assert got.columns == {"lon": "a", "lat": "b"}
    assert got.matches["lon"].confidence == 0.5
    assert "--column lon=" in got.doubts[0].en


def test_nothing_to_find_says_how_to_name_it():
    got = found({"编号": IDS, "人口": [str(i) for i in range(N)]})
    assert got.columns == {"issue_id": "编号"}
    assert "--column lon=列名" in got.doubts[0].zh


def test_a_file_with_geometry_needs_no_columns_of_place():
    got = found({"lng": LON, "lat": LAT, "案件编号": IDS}, has_geometry=True)
    assert got.columns == {"issue_id": "案件编号"}
    assert not got.doubts
    assert roles(
        {"lng": LON, "lat": LAT}, has_geometry=True, fixed={"lon": "lng", "lat": "lat"}
    ) == {"lon": "lng", "lat": "lat"}


def test_equal_candidates_are_taken_in_order_and_doubted():
    got = found({"lon": LON, "lat": LAT, "案件状态": ["a", "b"] * (N // 2), "工单状态": ["c", "d"] * (N // 2)})  # fmt: skip
    assert got.columns["status"] == "案件状态"
    assert "'工单状态'" in got.doubts[0].en
    assert "--column status=" in got.doubts[0].zh


def test_values_that_cannot_be_rule_a_header_out():
    rows = {"lon": LON, "lat": LAT, "上报时间": ["张三", "李四"] * (N // 2), "状态": [str(i) for i in range(N)]}  # fmt: skip
    assert roles(rows) == {"lon": "lon", "lat": "lat"}


def test_an_empty_column_is_taken_by_its_name_with_less_confidence():
    got = found({"lon": LON, "lat": LAT, "结案时间": [""] * N, "上报时间": [None] * N})
    assert got.matches["closed_at"].confidence < 0.65
    assert "没有值" in got.matches["closed_at"].why.zh


def test_codes_under_a_name_are_codes():
    codes = ["0401", "0102", "0110", "0505"] * (N // 4)
    assert roles({"lon": LON, "lat": LAT, "问题类别": codes}) == {
        "lon": "lon", "lat": "lat", "category_code": "问题类别",
    }  # fmt: skip
    both = roles({"lon": LON, "lat": LAT, "小类代码": codes, "小类": NAMES, "大类代码": ["04"] * N})
    assert both["category_code"] == "小类代码"
    assert both["category"] == "小类"
    assert both["major_code"] == "大类代码"


def test_seen_goes_before_reported_which_then_is_the_upload():
    assert roles({"lon": LON, "lat": LAT, "上报时间": TIMES, "发现时间": TIMES}) == {
        "lon": "lon", "lat": "lat", "reported_at": "发现时间", "uploaded_at": "上报时间",
    }  # fmt: skip


def test_the_only_times_are_the_report_but_never_an_update():
    rows = {"lon": LON, "lat": LAT}
    got = found({**rows, "什么时候": TIMES})
    assert got.columns["reported_at"] == "什么时候"
    assert "--column reported_at=" in got.doubts[0].en
    assert "reported_at" not in roles({**rows, "updatedAt": TIMES})


def test_serials_and_typed_times_are_times():
    serial = [str(46085 + i / 24) for i in range(N)]
    stamps = pd.date_range("2026-03-01", periods=N, freq="h")
    assert roles({"lon": LON, "lat": LAT, "上报时间": serial})["reported_at"] == "上报时间"
    assert roles({"lon": LON, "lat": LAT, "created_date": stamps})["reported_at"] == "created_date"


def test_what_the_user_says_holds():
    rows = {"东": LON, "北": LAT, "lon": LON, "lat": LAT, "状态": ["a", "b"] * (N // 2)}
    got = found(rows, fixed={"lon": "东", "lat": "北", "status": ""})
    assert got.columns == {"lon": "东", "lat": "北"}
    assert got.matches["lon"].confidence == 1
    assert roles({"lng": LON, "纬度": LAT}, fixed={"lon": "lng"}) == {"lon": "lng", "lat": "纬度"}


@pytest.mark.parametrize(
    ("fixed", "message"),
    [
        ({"longitude": "lon"}, r"no role 'longitude' that a column can have among \d+; "),
        ({"lon": "Lon"}, r"no column 'Lon' for 'lon' among 2 columns; did you mean 'lon'\?"),
        ({"lon": "lon", "x": "lon"}, r"column 'lon' is named for 'lon' and for 'x'"),
    ],
)
def test_what_the_user_says_must_be_there(fixed, message):
    with pytest.raises(ColumnError, match=message):
        recognise(table(lon=LON, lat=LAT), has_geometry=False, fixed=fixed)


def test_a_table_without_rows_is_known_by_its_header():
    empty = {name: pa.array([], pa.string()) for name in ("案件编号", "经度", "纬度", "坐标")}
    assert roles(empty) == {"issue_id": "案件编号", "lon": "经度", "lat": "纬度"}


def test_typed_columns_are_looked_at_like_text():
    frame = pd.DataFrame({"经度": np.array(LON, float), "纬度": np.array(LAT, float), "编号": IDS})
    frame.loc[3, "经度"] = np.nan
    got = recognise(pa.Table.from_pandas(frame), has_geometry=False)
    assert got.columns == {"issue_id": "编号", "lon": "经度", "lat": "纬度"}


def test_words_stand_as_headers_are_compared():
    for role in ROLES.values():
        for tier in role.tiers:
            for word in tier:
                assert plain(word) == word, (role.id, word)


@settings(max_examples=8, deadline=None)
@given(st.permutations(list(CHINESE_EXPORT)))
def test_the_order_of_columns_does_not_matter(order):
    assert roles({name: CHINESE_EXPORT[name] for name in order}) == roles(CHINESE_EXPORT)
