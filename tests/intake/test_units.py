"""Units: polygons, one key, nothing doubtful in it."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import box

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.intake import read_units


def saved(path, columns, shapes=None, crs=4547):
    n = len(next(iter(columns.values())))
    shapes = shapes or [box(i, 0, i + 1, 1) for i in range(n)]
    frame = gpd.GeoDataFrame(columns, geometry=shapes, crs=crs)
    if path.suffix == ".parquet":
        frame.to_parquet(path, index=False)
    else:
        frame.to_file(path)
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".geojson", ".shp"])
def test_units_are_read_with_the_certain_key(tmp_path, suffix):
    path = saved(
        tmp_path / f"a{suffix}", {"name": ["甲", "乙"], "unit_code": ["0101", "0102"]}, crs=4326
    )
    units = read_units(path)
    assert units.key == "unit_code"
    assert units.frame["unit_code"].tolist() == ["0101", "0102"]
    assert units.frame["name"].tolist() == ["甲", "乙"]
    assert "units are named by 'unit_code'" in units.notes


def test_the_catalogue_s_keys_are_known_the_finest_first(tmp_path):
    columns = {"community_code": ["1", "2"], "compound_code": ["11", "21"], "other_id": ["a", "b"]}
    assert read_units(saved(tmp_path / "a.parquet", columns)).key == "compound_code"


@pytest.mark.parametrize(
    ("columns", "identifiers"),
    [
        ({"a_id": ["x", "y"], "网格编码": ["3", "4"]}, ("a_id", "网格编码")),
        ({"county_id": ["1", "1"], "n": [1, 2]}, ("n",)),
        ({"share": [0.5, 0.7]}, ()),
    ],
)
def test_units_that_no_column_names_for_certain_are_numbered_and_keep_what_tells_them_apart(
    tmp_path, columns, identifiers
):
    units = read_units(saved(tmp_path / "a.parquet", columns))
    assert units.key == "unit_id"
    assert units.frame["unit_id"].tolist() == ["1", "2"]
    assert units.identifiers == identifiers
    (note,) = [note for note in units.notes if "for certain" in note]
    assert "unit_id is their row" in note
    assert ("--units-key" in note) is bool(identifiers)


def test_numbering_units_takes_no_column_of_the_file(tmp_path):
    path = saved(tmp_path / "a.parquet", {"unit_id": ["x", "y"], "other_id": ["z", "w"]})
    units = read_units(path)
    assert units.key == "unit_row"
    assert units.frame["unit_id"].tolist() == ["x", "y"]


def test_numbers_of_units_sort_like_their_rows(tmp_path):
    shapes = [box(i, 0, i + 1, 1) for i in range(12)]
    path = tmp_path / "a.parquet"
    gpd.GeoDataFrame({"share": np.linspace(0, 1, 12)}, geometry=shapes, crs=4547).to_parquet(path)
    codes = read_units(path).frame["unit_id"].tolist()
    assert codes == sorted(codes)
    assert codes[0] == "01"


@pytest.mark.parametrize(
    ("values", "codes"),
    [([7, 8], ["7", "8"]), ([7.0, 8.0], ["7", "8"]), (["07", "7"], ["07", "7"])],
)
def test_a_named_key_becomes_text(tmp_path, values, codes):
    units = read_units(saved(tmp_path / "a.parquet", {"AREANO": values}), key="AREANO")
    assert units.frame["AREANO"].tolist() == codes


def test_missing_repeated_and_unknown_keys_are_refused(tmp_path):
    path = saved(tmp_path / "a.parquet", {"k": ["1", None, "3"], "r": ["a", "b", "b"]})
    with pytest.raises(
        InputError, match=r"1 of 3 units of 'a.parquet' have no 'k' \(first: row 2\)"
    ):
        read_units(path, key="k")
    with pytest.raises(
        InputError, match=r"1 of 3 units of 'a.parquet' repeat a 'r' \(first: 'b' in row 3\)"
    ):
        read_units(path, key="r")
    with pytest.raises(ColumnError, match=r"no column 'key' \(--units-key\) among 2 columns"):
        read_units(path, key="key")


def test_a_missing_crs_asks_for_it(tmp_path):
    path = saved(tmp_path / "a.shp", {"k": ["1"]})
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match=r"'a.shp' does not say.*--units-crs EPSG:4547"):
        read_units(path, key="k")
    units = read_units(path, key="k", crs="EPSG:3435")
    assert units.frame.crs.to_epsg() == 3435
    assert "as --units-crs states" in units.notes[0]


def test_invalid_polygons_are_repaired_and_that_is_said(tmp_path):
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])
    spike = shapely.Polygon([(5, 0), (6, 0), (6, 1), (5, 1), (5, 0), (5, -1), (5, 0)])
    units = read_units(
        saved(tmp_path / "a.parquet", {"k": ["a", "b", "c"]}, [bow, box(9, 9, 10, 10), spike]),
        key="k",
    )
    assert units.frame.is_valid.all()
    assert set(units.frame.geom_type) <= {"Polygon", "MultiPolygon"}
    assert units.frame.area.round(9).tolist() == [2.0, 1.0, 1.0]
    assert "2 of 3 units had invalid polygons and were repaired (first: k 'a')" in units.notes


def test_units_without_area_are_left_out_and_that_is_said(tmp_path):
    flat = shapely.Polygon([(0, 0), (1, 0), (2, 0), (0, 0)])
    units = read_units(
        saved(tmp_path / "a.parquet", {"k": ["a", "b", "c"]}, [flat, None, box(0, 0, 1, 1)]),
        key="k",
    )
    assert units.frame["k"].tolist() == ["c"]
    assert "2 of 3 units have no area and are left out (first: k 'a')" in units.notes


def test_other_shapes_are_refused(tmp_path):
    path = saved(tmp_path / "a.parquet", {"k": ["a", "b"]}, [box(0, 0, 1, 1), shapely.Point(0, 0)])
    with pytest.raises(
        InputError, match=r"1 of 2 units of 'a.parquet' are no polygons \(first: k 'b', a point\)"
    ):
        read_units(path, key="k")
    (tmp_path / "a.csv").write_text("k\n1\n")
    with pytest.raises(InputError, match=r"'a.csv' is text without polygons"):
        read_units(tmp_path / "a.csv", key="k")


def test_heights_are_dropped_and_the_layer_can_be_chosen(tmp_path):
    path = tmp_path / "a.gpkg"
    high = gpd.GeoDataFrame({"k": ["1"]}, geometry=[shapely.force_3d(box(0, 0, 1, 1), 5)], crs=4547)
    high.to_file(path, layer="units", driver="GPKG")
    high.to_file(path, layer="more", driver="GPKG")
    with pytest.raises(InputError, match="choose one with --units-layer"):
        read_units(path, key="k")
    assert not read_units(path, key="k", layer="units").frame.has_z.any()
