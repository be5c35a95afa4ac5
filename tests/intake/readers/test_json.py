"""JSON: GeoJSON, lists of objects wherever they lie, values one after the other, one object per line."""

import json

import geopandas as gpd
import numpy as np
import pyarrow as pa
import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.json_values import cut
from gisgrid.intake.readers.source import open_source


def opened(path, value, **options):
    path.write_text(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
    source = open_source(path, **options)
    return source, joined([batch for batch, _ in source.batches()])


def feature(geometry, **properties):
    return {"type": "Feature", "properties": properties, "geometry": geometry}


def point(x, y):
    return {"type": "Point", "coordinates": [x, y]}


def test_geojson_keeps_types_and_says_what_is_no_feature(tmp_path):
    features = [
        feature(point(113.2, 35.2), code="007", n=1, share=0.5, open=True),
        feature(None, code="008", n=None, share=1),
        None,
        feature({"type": "Point", "coordinates": ["a", 1]}, code="9"),
        {"type": "Feature", "properties": [], "geometry": None},
        feature(
            {"type": "LineString", "coordinates": [[0, 0], [1, 1]]},
            more={"a": {"b": 1}},
            tags=["x"],
        ),
    ]
    source, batch = opened(
        tmp_path / "a.geojson", {"type": "FeatureCollection", "name": "x", "features": features}
    )
    assert (source.format, source.n_rows) == ("geojson", 6)
    assert source.crs.to_authority() == ("OGC", "CRS84")
    assert batch.rows.tolist() == [1, 2, 6]
    assert [(one.row, one.reason) for one in batch.refused] == [
        (3, "bad_record"),
        (4, "unreadable_place"),
        (5, "bad_record"),
    ]
    table = batch.table
    assert table.schema.field("n").type == pa.int64()
    assert table.schema.field("share").type == pa.float64()
    assert table.schema.field("open").type == pa.bool_()
    assert table["code"].to_pylist() == ["007", "008", None]
    assert table["more.a.b"].to_pylist() == [None, None, 1]
    assert table["tags"].to_pylist() == [None, None, '["x"]']
    shapes = shapely.from_wkb(batch.wkb.to_numpy(zero_copy_only=False))
    assert [None if one is None else one.geom_type for one in shapes] == [
        "Point",
        None,
        "LineString",
    ]


def test_geojson_agrees_with_gdal(tmp_path):
    rng = np.random.default_rng(1)
    shapes = [shapely.Point(*rng.random(2)).buffer(0.1) for _ in range(40)] + [
        shapely.MultiPoint(rng.random((3, 2)))
    ]
    frame = gpd.GeoDataFrame(
        {"n": range(41), "name": ["甲"] * 41}, geometry=shapes, crs="OGC:CRS84"
    )
    frame.to_file(tmp_path / "a.geojson")
    source = open_source(tmp_path / "a.geojson")
    batch = joined([batch for batch, _ in source.batches()])
    assert batch.table.to_pydict() == {"n": list(range(41)), "name": ["甲"] * 41}
    expected = gpd.read_file(tmp_path / "a.geojson").geometry.array
    assert shapely.equals_exact(
        shapely.from_wkb(batch.wkb.to_numpy(zero_copy_only=False)), expected
    ).all()


def test_the_crs_of_an_old_geojson_is_kept(tmp_path):
    value = {"type": "FeatureCollection", "features": [feature(point(1, 2))]}
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4547"}}
    assert opened(tmp_path / "a.json", {**value, "crs": crs})[0].crs.to_epsg() == 4547
    crs["properties"]["name"] = "GCJ-02"
    source, _ = opened(tmp_path / "b.json", {**value, "crs": crs})
    assert source.crs is None
    assert any("is not known" in note.en for note in source.notes)


def test_open_rings_are_kept_as_drawn(tmp_path):
    ring = [[0, 0], [1, 0], [1, 1]]
    shapes = [
        {"type": "Polygon", "coordinates": [ring]},
        {"type": "MultiPolygon", "coordinates": [[ring]]},
    ]
    _, batch = opened(
        tmp_path / "a.json",
        {"type": "FeatureCollection", "features": [feature(one) for one in shapes]},
    )
    wkb = batch.wkb.to_numpy(zero_copy_only=False)
    assert shapely.is_missing(shapely.from_wkb(wkb, on_invalid="ignore")).all()
    assert shapely.area(shapely.from_wkb(wkb, on_invalid="fix")).tolist() == [0.5, 0.5]


@pytest.mark.parametrize("value", [feature(point(1, 2), a=1), point(1, 2)])
def test_a_single_feature_or_geometry_is_one_row(tmp_path, value):
    source, batch = opened(tmp_path / "a.geojson", value)
    assert (source.format, source.n_rows, len(batch.wkb)) == ("geojson", 1, 1)


ROW = {
    "id": "007",
    "n": 1,
    "big": 12345678901234567890,
    "at": {"lng": 113.2, "lat": 35.2},
    "none": None,
}
TEXT = {
    "id": "007",
    "n": "1",
    "big": "12345678901234567890",
    "at.lng": "113.2",
    "at.lat": "35.2",
    "none": None,
}


@pytest.mark.parametrize(
    ("value", "note"),
    [
        ([ROW, ROW], None),
        ({"code": 0, "data": {"total": 2, "list": [ROW, ROW]}}, "data.list"),
        (f"{json.dumps(ROW)} {json.dumps(ROW)}", "one after the other"),
        (f"{json.dumps(ROW)},\n\n{json.dumps(ROW, indent=1)}\n", "one after the other"),
        (f"{json.dumps(ROW)}\n{json.dumps(ROW)}\n", None),
    ],
)
def test_rows_are_found_wherever_they_lie_and_all_is_text(tmp_path, value, note):
    source, batch = opened(tmp_path / "a.json", value)
    assert batch.rows.tolist() == [1, 2]
    assert batch.table.to_pylist() == [TEXT, TEXT]
    assert note is None or any(note in one.en for one in source.notes)


def test_a_geojson_location_inside_a_row_is_its_geometry(tmp_path):
    rows = [{"name": "a", "location": point(110.2, 20.1)}, {"name": "b", "location": None}]
    source, batch = opened(tmp_path / "a.json", rows)
    assert source.columns == ("name", "location")
    assert source.crs is None
    assert batch.wkb.null_count == 1


def test_a_broken_line_costs_itself_only_and_lines_are_counted(tmp_path):
    text = '{"a": "1"}\n\n{"a": \n["x"]\n{"b": "2"}\n{"a": "3"'
    source, batch = opened(tmp_path / "a.jsonl", text)
    assert source.format == "jsonl"
    assert batch.rows.tolist() == [1, 5]
    assert [(one.row, one.reason) for one in batch.refused] == [
        (3, "bad_record"),
        (4, "bad_record"),
        (6, "bad_record"),
    ]
    assert batch.table.to_pydict() == {"a": ["1", None], "b": [None, "2"]}


def test_features_line_by_line_and_collections_one_after_the_other(tmp_path):
    one = feature(point(1, 2), a=1)
    lines = "\n".join(json.dumps(one) for _ in range(3))
    assert opened(tmp_path / "a.geojsonl", lines)[0].format == "geojson"
    two = json.dumps({"type": "FeatureCollection", "features": [one, one]}, indent=1)
    source, batch = opened(tmp_path / "b.json", f"{two}\n{two}")
    assert source.n_rows == 4
    assert batch.rows.tolist() == [1, 2, 3, 4]


def test_several_lists_are_refused_until_one_is_chosen(tmp_path):
    value = {"a": [{"x": "1"}], "b": [{"y": "2"}, {"y": "3"}], "c": [{"z": "4"}]}
    with pytest.raises(InputError, match=r"holds 3 lists .* \(a, b, c\); choose one with layer="):
        opened(tmp_path / "a.json", value)
    assert opened(tmp_path / "a.json", value, layer="b")[1].table.to_pydict() == {"y": ["2", "3"]}
    with pytest.raises(InputError, match="no list 'd'"):
        opened(tmp_path / "a.json", value, layer="d")


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ({"type": "FeatureCollection", "features": []}, "JSON without rows"),
        ({"type": "FeatureCollection"}, "has no list 'features'"),
        ({"type": "Topology", "objects": {}}, "is TopoJSON"),
        ({"a": 1}, "holds no list of objects"),
        ([1, 2], "a JSON list but not of objects"),
        ([], "JSON without rows"),
        ({"tilejson": "3.0.0", "vector_layers": [{"id": "x"}]}, "is a TileJSON document"),
        (
            {"geometryType": "esriGeometryPoint", "spatialReference": {}, "features": [{}]},
            "is Esri JSON",
        ),
        ('{"type": "FeatureCollection", "features": [{"type"', "it is cut short"),
        ('{"a": [1}]', "brackets do not pair"),
        ("   ", "is empty, so there is nothing to read"),
        ("id,lon\n", "named .json but is no JSON"),
    ],
)
def test_what_holds_no_rows_is_refused_in_a_sentence(tmp_path, value, sentence):
    with pytest.raises(InputError, match=sentence):
        opened(tmp_path / "a.json", value)


@pytest.mark.parametrize("block", [7, 64, 1 << 20])
def test_values_are_cut_the_same_in_any_blocks(tmp_path, monkeypatch, block):
    monkeypatch.setattr("gisgrid.intake.readers.encoding.BLOCK", block)
    rows = [{"t": 'a"\\ ] } 占道', "n": [n, {"m": n}]} for n in range(30)]
    _, batch = opened(tmp_path / "a.json", {"x": "[{", "rows": rows})
    assert batch.table["t"].to_pylist() == [row["t"] for row in rows]
    assert batch.table["n"].to_pylist() == [json.dumps(row["n"]) for row in rows]


def test_values_without_brackets_are_cut_too():
    assert cut(b'"a b", 1 true [2]', at_end=True)[0] == [b'"a b"', b"1", b"true", b"[2]"]
