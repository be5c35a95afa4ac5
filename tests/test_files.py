"""A file is whole or it is not there; what is written is read back as it was."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import rasterio
from affine import Affine
from pyproj import CRS
from shapely import Point

from gisgrid.errors import InputError, OutputError
from gisgrid.files import (
    FRAME_SUFFIXES,
    make_folder,
    read_frame,
    read_surface,
    whole_file,
    write_frame,
    write_surface,
    write_table,
)
from gisgrid.surface import Surface


def frame():
    return gpd.GeoDataFrame(
        {"code": ["007", "010"], "name": ["城中村", None], "at": pd.to_datetime(["2024-01-05T08:00", None], utc=True)},
        geometry=[Point(500_000, 3_900_000), Point(500_100.25, 3_900_000.5)],
        crs=4547,
    )  # fmt: skip


@pytest.mark.parametrize("suffix", FRAME_SUFFIXES)
def test_a_frame_comes_back_with_its_codes_gaps_times_and_places(tmp_path, suffix):
    path = tmp_path / f"a{suffix}"
    write_frame(frame(), path)
    back = read_frame(path).sort_values(
        "code", ignore_index=True
    )  # FlatGeobuf orders rows by place
    assert back["code"].tolist() == ["007", "010"]
    assert back["name"].tolist()[0] == "城中村"
    assert back["name"].isna().tolist() == [False, True]
    assert pd.Timestamp(back["at"].iloc[0]) == pd.Timestamp("2024-01-05T08:00Z")
    assert back.to_crs(4547).geometry.distance(frame().geometry).max() < 0.02


def test_geojson_is_longitude_latitude_and_the_others_keep_their_crs(tmp_path):
    for suffix in FRAME_SUFFIXES:
        write_frame(frame(), tmp_path / f"a{suffix}")
    codes = {suffix: read_frame(tmp_path / f"a{suffix}").crs.to_epsg() for suffix in FRAME_SUFFIXES}
    assert codes == {".parquet": 4547, ".gpkg": 4547, ".geojson": 4326, ".fgb": 4547}
    lon, lat = read_frame(tmp_path / "a.geojson").geometry[0].coords[0]
    assert (round(lon), round(lat)) == (114, 35)


def test_the_same_frame_gives_the_same_bytes(tmp_path):
    for name in ("a.parquet", "b.parquet"):
        write_frame(frame(), tmp_path / name)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()


def test_a_writing_that_breaks_off_leaves_what_was_there_and_nothing_else(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("before")

    def break_off():
        with whole_file(path) as draft:
            draft.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        break_off()
    assert path.read_text() == "before"
    assert [each.name for each in tmp_path.iterdir()] == ["a.csv"]


def test_a_folder_that_is_not_there_and_a_suffix_that_is_not_written_are_refused(tmp_path):
    with pytest.raises(
        OutputError, match=r"'a.gpkg' cannot be written because the folder .*nowhere"
    ):
        write_frame(frame(), tmp_path / "nowhere" / "a.gpkg")
    with pytest.raises(OutputError, match=r"ends in '.xyz'.*\.parquet, \.gpkg"):
        write_frame(frame(), tmp_path / "a.xyz")
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_read_is_said_in_one_sentence(tmp_path):
    broken = tmp_path / "a.gpkg"
    broken.write_bytes(b"no geopackage")
    for read in (read_frame, read_surface):
        with pytest.raises(InputError, match=r"there is no file .*b.tif"):
            read(tmp_path / "b.tif")
        with pytest.raises(
            InputError, match=r"'a.gpkg' cannot be read as a (vector file|raster): [^\n]+$"
        ):
            read(broken)


def test_a_table_as_csv_shows_chinese_in_spreadsheets(tmp_path):
    table = pd.DataFrame({"社区": ["祥谷"], "code": ["007"]})
    for suffix in (".csv", ".parquet"):
        write_table(table, tmp_path / f"a{suffix}")
    assert (tmp_path / "a.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    pd.testing.assert_frame_equal(pd.read_csv(tmp_path / "a.csv", dtype="str"), table)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), table)


def test_a_surface_comes_back_as_a_cog_with_its_gaps_place_and_unit(tmp_path):
    values = np.arange(600 * 700, dtype=np.float32).reshape(600, 700)
    values[3, 5] = np.nan
    surface = Surface(values, Affine(50, 0, 5e5, 0, -50, 3.9e6), CRS(4547), "issues/km²")
    path = tmp_path / "a.tif"
    write_surface(surface, path)
    back = read_surface(path)
    np.testing.assert_array_equal(back.values, values)
    assert back.bbox == (5e5, 3.9e6 - 30_000, 5e5 + 35_000, 3.9e6)
    assert back.cell_area == 2500
    assert (back.crs.to_epsg(), back.unit) == (4547, "issues/km²")
    with rasterio.open(path) as raster:
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert raster.overviews(1)


def test_no_cell_of_a_csv_is_a_formula_and_numbers_stay(tmp_path):
    risky = ["=1+1", "+rm", "-rm", "@SUM(A1)", "\tx", "＝1", "-3.5", "+86", "1e5", "ok", None, ""]
    table = pd.DataFrame({"=cmd": risky, "n": range(len(risky))})
    write_table(table, tmp_path / "a.csv")
    back = pd.read_csv(tmp_path / "a.csv", dtype=str, keep_default_na=False)
    assert back.columns.tolist() == ["'=cmd", "n"]
    assert back["'=cmd"].tolist() == [
        "'=1+1", "'+rm", "'-rm", "'@SUM(A1)", "'\tx", "'＝1", "-3.5", "+86", "1e5", "ok", "", "",
    ]  # fmt: skip
    assert table["=cmd"][0] == "=1+1"


def test_a_folder_that_cannot_be_made_is_said(tmp_path):
    make_folder(tmp_path / "a/b", purpose="photos", advice="name another")
    make_folder(tmp_path / "a/b", purpose="photos", advice="name another")
    assert (tmp_path / "a/b").is_dir()
    (tmp_path / "file").write_text("", "utf8")
    with pytest.raises(
        OutputError, match=r"folder '.*file/below' for photos cannot be made .*; name another$"
    ):
        make_folder(tmp_path / "file/below", purpose="photos", advice="name another")
    with pytest.raises(OutputError, match="cannot be made"):
        make_folder(tmp_path / "c/d", purpose="photos", advice="name another", parents=False)
