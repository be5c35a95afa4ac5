import json

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.errors import ColumnError, CrsError, InputError, OutputError
from gisgrid.features import FeatureTable, storage
from gisgrid.features.zorder import in_order


def _plain(value):
    if pd.isna(value):
        return None
    if isinstance(value, pd.Timestamp):
        return value.tz_convert("UTC").tz_localize(None).isoformat() + "Z"
    return value.isoformat() if hasattr(value, "isoformat") else value


def test_every_value_comes_back_under_its_number(frame, table):
    records = table.records(slice(None))
    for row in range(0, len(table), 37):
        source = frame.iloc[int(table.number[row])]
        assert records[row] == {name: _plain(source[name]) for name in table.columns}


def test_points_stand_in_z_order_and_those_without_a_place_last(frame, table):
    assert in_order(table.u, table.v)
    assert table.n_placed == len(frame) - 13
    assert sorted(table.number[table.n_placed :].tolist()) == list(range(13))
    assert np.isnan(table.lon).sum() == 10
    assert (
        table.lat[table.n_placed :][~np.isnan(table.lon[table.n_placed :])].tolist() == [88.0] * 3
    )


def test_rows_are_found_by_key(frame, table):
    for key in frame["id"].iloc[::101]:
        assert table.records([table.row(key)])[0]["id"] == key
    assert table.row("R-99999") is None
    assert table.row("") is None
    assert table.row("\udc80") is None


def test_rows_are_found_by_whole_number_keys_and_by_id():
    frame = pd.DataFrame({"n": [30, 10, 20], "lon": [1.0, 2, 3], "lat": [1.0, 2, 3]})
    by_key = FeatureTable.from_frame(frame, key="n", properties=[], lonlat=("lon", "lat"))
    assert [by_key.number[by_key.row(text)] for text in ("30", "10", "20")] == [0, 1, 2]
    assert [by_key.row(text) for text in ("11", "x", "1e1", "-128", "9" * 30, "３０")] == [None] * 6
    by_id = FeatureTable.from_frame(frame, properties=["n"], lonlat=("lon", "lat"))
    assert [by_id.records([by_id.row(str(i))])[0]["n"] for i in (1, 2, 3)] == [30, 10, 20]
    assert by_id.row("0") is None
    assert by_id.row("4") is None


def test_what_is_saved_is_opened_alike(table, tmp_path):
    table.save(tmp_path / "layer", notes={"a": 1})
    opened = FeatureTable.open(tmp_path / "layer")
    assert opened.records(slice(None)) == table.records(slice(None))
    assert opened.is_whole()
    assert opened.notes == {"a": 1}
    assert opened.bbox == table.bbox
    for name in ("lon", "lat", "u", "v", "number", "by_key", "boxes"):
        np.testing.assert_array_equal(getattr(opened, name), getattr(table, name))
    assert [opened.row(key) for key in ("R-00000", "R-02999")] == [
        table.row(key) for key in ("R-00000", "R-02999")
    ]


def test_arrays_that_are_shared_cannot_be_written(table, tmp_path):
    table.save(tmp_path / "layer")
    for one in (table, FeatureTable.open(tmp_path / "layer")):
        arrays = [
            one.number,
            one.lon,
            one.u,
            one.by_key,
            *(column.stored for column in one.columns.values()),
        ]
        assert not any(array.flags.writeable for array in arrays)


def test_shapes_keep_their_order_and_come_back():
    shapes = [
        shapely.box(1, 1, 2, 2),
        None,
        shapely.MultiPolygon([shapely.box(5, 5, 6, 6)]),
        shapely.Polygon(),
    ]
    frame = gpd.GeoDataFrame({"n": range(4)}, geometry=shapes, crs=4326)
    table = FeatureTable.from_frame(frame, properties=["n"])
    assert table.kind == "polygon"
    assert table.number.tolist() == [0, 1, 2, 3]
    back = table.geometries(slice(None))
    assert shapely.equals(back[[0, 2]], np.array(shapes, object)[[0, 2]]).all()
    assert back[1] is None
    np.testing.assert_array_equal(table.boxes[0], [1, 1, 2, 2])
    assert np.isnan(table.boxes[1]).all()
    assert table.bbox == (1, 1, 6, 6)
    part = table.take(np.array([0, 2]))
    assert shapely.equals(part.geometries(slice(None)), back[[0, 2]]).all()
    assert part.is_whole()


def test_points_of_any_crs_are_brought_to_degrees():
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(114, 35)], crs=4326).to_crs(4547)
    table = FeatureTable.from_frame(frame, properties=["n"])
    assert (table.lon[0], table.lat[0]) == pytest.approx((114, 35), abs=1e-7)
    with pytest.raises(CrsError, match="no coordinate reference system"):
        FeatureTable.from_frame(frame.set_crs(None, allow_override=True), properties=["n"])


@pytest.mark.parametrize(
    ("geometry", "kind"),
    [
        ([shapely.Point(0, 0), None], "point"),
        ([shapely.LineString([(0, 0), (1, 1)])], "line"),
        ([shapely.Point(0, 0), shapely.box(0, 0, 1, 1)], "mixed"),
        ([shapely.MultiPoint([(0, 0), (1, 1)])], "mixed"),
        ([None], "none"),
        ([], "none"),
    ],
)
def test_kinds_are_found(geometry, kind, tmp_path):
    frame = gpd.GeoDataFrame({"n": range(len(geometry))}, geometry=geometry, crs=4326)
    table = FeatureTable.from_frame(frame, properties=["n"])
    assert table.kind == kind
    table.save(tmp_path / "t")
    opened = FeatureTable.open(tmp_path / "t")
    assert len(opened) == len(geometry)
    assert opened.is_whole()
    assert [one is None for one in opened.geometries(slice(None))] == [
        one is None for one in geometry
    ]


def test_an_empty_layer_of_points_is_one():
    frame = gpd.GeoDataFrame({"n": pd.Series([], dtype="int64")}, geometry=[], crs=4326)
    table = FeatureTable.from_frame(frame, properties=["n"], kind="point")
    assert (table.kind, len(table), table.bbox) == ("point", 0, None)
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    with pytest.raises(InputError, match="said to hold points but holds polygon"):
        FeatureTable.from_frame(frame, properties=["n"], kind="point")


def test_columns_that_are_not_there_are_named():
    frame = pd.DataFrame({"severity": [1]})
    with pytest.raises(
        ColumnError, match="'severty' is no column of the frame; did you mean 'severity'"
    ):
        FeatureTable.from_frame(frame, properties=["severty"])


def test_a_reader_keeps_what_it_opened_when_a_new_edition_comes(table, tmp_path):
    table.save(tmp_path / "layer")
    old = FeatureTable.open(tmp_path / "layer")
    table.take(np.arange(5)).save(tmp_path / "layer")
    new = FeatureTable.open(tmp_path / "layer")
    assert (len(old), len(new)) == (len(table), 5)
    assert old.is_whole()
    assert old.edition != new.edition
    assert len(list((tmp_path / "layer").iterdir())) == 2


def test_a_cut_short_or_missing_folder_says_so(table, tmp_path):
    with pytest.raises(InputError, match="no features in"):
        FeatureTable.open(tmp_path / "nothing")
    with pytest.raises(OutputError, match="cannot be written"):
        table.save(tmp_path / "no" / "such")
    table.save(tmp_path / "layer")
    meta = tmp_path / "layer" / "meta.json"
    whole = meta.read_text()
    for broken in (
        "",
        "{",
        "[]",
        json.dumps({**json.loads(whole), "about": {}}),
        json.dumps({**json.loads(whole), "form": 99}),
    ):
        meta.write_text(broken)
        with pytest.raises(InputError, match="build them again"):
            FeatureTable.open(tmp_path / "layer")
    meta.write_text(whole)
    for array in sorted((tmp_path / "layer").glob("arrays-*/*.npy"))[:4]:
        content = array.read_bytes()
        array.write_bytes(content[: len(content) // 2])
        with pytest.raises(InputError, match="not whole"):
            FeatureTable.open(tmp_path / "layer")
        array.write_bytes(content)
    assert FeatureTable.open(tmp_path / "layer").is_whole()


def test_saving_that_fails_leaves_the_old_edition(table, tmp_path, monkeypatch):
    table.save(tmp_path / "layer")
    for failing in range(0, 12, 3):
        calls = iter(range(1000))

        def fsync(handle, failing=failing, calls=calls):
            if next(calls) == failing:
                raise OSError(28, "No space left on device")

        monkeypatch.setattr("os.fsync", fsync)
        with pytest.raises(OutputError, match="No space left"):
            table.take(np.arange(3)).save(tmp_path / "layer")
        assert len(FeatureTable.open(tmp_path / "layer")) == len(table)
    assert len(list((tmp_path / "layer").iterdir())) == 2
    assert storage.edition(tmp_path / "layer") is not None
