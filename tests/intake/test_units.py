"""Units: polygons, one key, nothing doubtful in it."""

import geopandas as gpd
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


def test_keys_that_could_be_meant_are_listed(tmp_path):
    path = saved(tmp_path / "a.parquet", {"a_id": ["1", "2"], "网格编码": ["3", "4"]})
    with pytest.raises(
        ColumnError,
        match=r"2 columns could \(a_id, 网格编码\) for certain; choose with --units-key",
    ):
        read_units(path)
    path = saved(tmp_path / "b.parquet", {"county_id": ["1", "1"], "n": [1, 2]})
    with pytest.raises(
        ColumnError,
        match=r"no column does for certain; choose with --units-key \(there are: county_id, n\)",
    ):
        read_units(path)


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
