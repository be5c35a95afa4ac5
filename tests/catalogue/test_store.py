"""What is written is read again, whole or not at all; a checksum is that of the file as it is now."""

import hashlib
import os
import time

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from affine import Affine
from geopandas.testing import assert_geodataframe_equal
from pyproj import CRS

from gisgrid.catalogue import FolderStore
from gisgrid.catalogue.checksums import Checksums
from gisgrid.errors import InputError, OutputError
from gisgrid.files import write_frame
from gisgrid.surface import Surface


def from_file(catalogue, name):
    layer = catalogue["communities"]
    return layer.model_copy(update={"source": layer.source.model_copy(update={"path": name})})


@pytest.mark.parametrize("suffix", [".parquet", ".gpkg", ".geojson", ".fgb", ".shp"])
def test_a_source_is_read_by_its_suffix(catalogue, tmp_path, units, suffix):
    layer = from_file(catalogue, f"communities{suffix}")
    store = FolderStore(tmp_path)
    path = store.path(layer)
    if suffix == ".shp":
        units = units.rename(columns={"community_code": "code"})
        units.to_file(path, encoding="utf-8")
    else:
        write_frame(units, path)
    frame = store.read(layer).sort_values("name_en", ignore_index=True)  # FlatGeobuf sorts by place
    assert frame["name_zh"].to_list() == list("甲乙丙丁")
    assert pd.api.types.is_integer_dtype(frame["population"])
    near = frame.to_crs(units.crs).geometry.to_numpy()
    assert all(near[n].equals_exact(units.geometry[n], 0.01, normalize=True) for n in range(4))


def test_a_shapefile_in_gbk_is_read_with_the_encoding_the_description_states(
    catalogue, tmp_path, units
):
    layer = from_file(catalogue, "gbk.shp")
    layer = layer.model_copy(update={"source": layer.source.model_copy(update={"encoding": "gbk"})})
    units.rename(columns={"community_code": "code"}).to_file(tmp_path / "gbk.shp", encoding="gbk")
    (tmp_path / "gbk.cpg").unlink()
    assert FolderStore(tmp_path).read(layer)["name_zh"].to_list() == list("甲乙丙丁")


def test_a_file_without_a_crs_has_the_one_the_description_states(catalogue, tmp_path, units):
    layer = from_file(catalogue, "bare.parquet")
    units.set_crs(None, allow_override=True).to_parquet(tmp_path / "bare.parquet")
    assert FolderStore(tmp_path).read(layer).crs == CRS(4547)


def test_a_file_with_another_crs_keeps_its_own(catalogue, tmp_path, units):
    layer = from_file(catalogue, "degrees.parquet")
    units.to_crs(4490).to_parquet(tmp_path / "degrees.parquet")
    assert FolderStore(tmp_path).read(layer).crs == CRS(4490)


def test_whole_numbers_that_a_format_kept_as_fractions_are_whole_again(catalogue, tmp_path, units):
    layer = from_file(catalogue, "c.gpkg")
    units["population"] = [1.0, 2.0, np.nan, 4.0]
    write_frame(units, tmp_path / "c.gpkg")
    assert FolderStore(tmp_path).read(layer)["population"].dtype == "Int64"
    units["population"] = [1.5, 2.0, 3.0, 4.0]
    write_frame(units, tmp_path / "c.gpkg")
    assert FolderStore(tmp_path).read(layer)["population"].dtype == float


def test_a_file_that_is_not_there_says_what_to_do(catalogue, tmp_path):
    store = FolderStore(tmp_path)
    with pytest.raises(InputError, match=r"'communities' has no file .*; put it there"):
        store.read(catalogue["communities"])
    with pytest.raises(InputError, match="run gisgrid build"):
        store.read(catalogue["community_issues"])


def test_a_derived_frame_is_read_as_it_was_written(catalogue, store, units):
    layer = catalogue["community_issues"]
    store.write(layer, units)
    assert_geodataframe_equal(store.read(layer), units)
    assert store.location(layer).endswith("community_issues.parquet")


def test_a_derived_table_is_read_as_it_was_written(catalogue, store):
    table = pd.DataFrame({"community_code": ["a"], "month": ["2026-01"], "complete": [True]})
    store.write(catalogue["issue_months"], table)
    read = store.read(catalogue["issue_months"])
    assert not isinstance(read, gpd.GeoDataFrame)
    pd.testing.assert_frame_equal(read, table)


def test_a_derived_surface_is_read_as_it_was_written(catalogue, store):
    layer = catalogue["community_issues"].model_copy(
        update={"id": "density", "geometry": "raster", "fields": (), "primary_key": None}
    )
    values = np.arange(12, dtype=np.float32).reshape(3, 4)
    store.write(layer, Surface(values, Affine(50, 0, 0, 0, -50, 150), CRS(4547), "issues/km²"))
    read = store.read(layer)
    np.testing.assert_array_equal(read.values, values)
    assert (read.unit, read.crs) == ("issues/km²", CRS(4547))


def test_a_table_may_come_as_csv_with_codes_kept_as_text(catalogue, tmp_path):
    layer = catalogue["issue_months"]
    source = catalogue["communities"].source.model_copy(update={"path": "months.csv"})
    layer = layer.model_copy(update={"derived": None, "source": source})
    (tmp_path / "months.csv").write_text(
        "community_code,month,n_incidents\n007,2026-01,3\n", "utf8"
    )
    table = FolderStore(tmp_path).read(layer)
    assert table["community_code"].to_list() == ["007"]
    (tmp_path / "months.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot be read as a table"):
        FolderStore(tmp_path).read(layer)


def test_a_source_is_never_written(catalogue, store, units):
    with pytest.raises(OutputError, match="is a source and is never written"):
        store.write(catalogue["communities"], units)


def test_a_failed_writing_leaves_what_was_there(catalogue, store, units):
    layer = catalogue["community_issues"]
    store.write(layer, units)
    before = store.path(layer).read_bytes()
    with pytest.raises(Exception, match=r"(?i)convert|object|type"):
        store.write(layer, units.assign(name_en=[1, "a", object(), None]))
    assert store.path(layer).read_bytes() == before
    assert [path.name for path in store.path(layer).parent.iterdir()] == [
        "community_issues.parquet"
    ]


def test_a_data_folder_that_is_not_there_is_refused(catalogue, tmp_path, units):
    with pytest.raises(OutputError, match="make the data folder first"):
        FolderStore(tmp_path / "nowhere").write(catalogue["community_issues"], units)


def test_a_record_that_cannot_be_read_is_none(catalogue, store):
    layer = catalogue["community_issues"]
    assert store.provenance(layer) is None
    (store.folder / "derived").mkdir()
    for text in ("", "{}", "[", "\x00"):
        (store.folder / "derived" / "community_issues.provenance.json").write_text(text, "utf8")
        assert store.provenance(layer) is None
    assert store.provenance(catalogue["communities"]) is None


def test_a_checksum_is_that_of_sha256sum(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"grid")
    assert Checksums(tmp_path / "memory").of(path) == hashlib.sha256(b"grid").hexdigest()


def test_a_changed_file_has_another_checksum_even_at_the_same_size_and_time(tmp_path):
    path = tmp_path / "file"
    long_ago = time.time() - 1000
    path.write_bytes(b"one")
    os.utime(path, (long_ago, long_ago))
    sums = Checksums(tmp_path / "memory")
    first = sums.of(path)
    path.write_bytes(b"two")
    os.utime(path, (long_ago, long_ago))
    assert sums.of(path) != first
    assert Checksums(tmp_path / "memory").of(path) == hashlib.sha256(b"two").hexdigest()


def test_a_file_known_already_is_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    long_ago = time.time() - 1000
    os.utime(path, (long_ago, long_ago))
    first = Checksums(tmp_path / "memory").of(path)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("the file was read again"))
    assert Checksums(tmp_path / "memory").of(path) == first


def test_a_file_just_written_is_read_again(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"one")
    Checksums(tmp_path / "memory").of(path)
    assert not (tmp_path / "memory").exists()


@pytest.mark.parametrize("text", ["", "[]", "{", '{"x": 1}'])
def test_a_memory_that_cannot_be_read_is_no_memory(tmp_path, text):
    (tmp_path / "memory").write_text(text, "utf8")
    path = tmp_path / "file"
    path.write_bytes(b"one")
    assert Checksums(tmp_path / "memory").of(path) == hashlib.sha256(b"one").hexdigest()


def test_every_part_of_a_shapefile_counts(tmp_path, units):
    units.rename(columns={"community_code": "code"}).to_file(tmp_path / "s.shp")
    sums = Checksums(tmp_path / "memory")
    first = sums.of(tmp_path / "s.shp")
    with (tmp_path / "s.dbf").open("ab") as part:
        part.write(b" ")
    assert sums.of(tmp_path / "s.shp") != first
