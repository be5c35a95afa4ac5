"""One door: what a file is, by its content; where it must lie; what it is called."""

import gzip
import os
import zipfile

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.source import open_source

ROWS = b"id,lon,lat\n1,113.2,35.2\n2,113.3,35.3\n"


def test_the_content_decides_not_the_name(tmp_path):
    (tmp_path / "a.xls").write_bytes(ROWS.replace(b",", b"\t"))
    assert open_source(tmp_path / "a.xls").format == "csv"
    (tmp_path / "a.csv").write_bytes(b'{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InputError):
        open_source(tmp_path / "a.csv")
    (tmp_path / "b").write_bytes(b'[{"id": "1"}]')
    assert open_source(str(tmp_path / "b")).format == "json"


def test_batches_can_be_read_again_and_again(tmp_path):
    (tmp_path / "a.csv").write_bytes(ROWS)
    source = open_source(tmp_path / "a.csv")
    assert [len(list(source.batches())) for _ in range(3)] == [1, 1, 1]
    assert source.sample(1).rows.tolist() == [2]
    assert "stream" not in repr(source)


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.tif", b"II*\0abc", r"is a raster \(TIFF\)"),
        ("a.csv", b"\x89PNG\r\n\x1a\n\0\0", r"is a picture \(PNG\)"),
        ("a.nc", b"CDF\x01\0\0", "is NetCDF, a raster"),
        ("a.pmtiles", b"PMTiles\x03\0", r"is a tile archive \(PMTiles\)"),
        ("a.osm.pbf", b"\0\0\0\x0d\n\tOSMHeader\x18", "is an OpenStreetMap extract"),
        ("a.mvt", b"\x1a\x05", "is a map tile"),
        ("a.pdf", b"%PDF-1.7\n", "is a PDF document"),
        ("a.rar", b"Rar!\x1a\x07\0", "is packed with RAR, which is not read; unpack it"),
        ("a.tar", b"x" * 257 + b"ustar\0", "is packed with tar"),
        ("a.accdb", b"\0\x01\0\0Standard ACE DB", "is an Access database"),
        ("a.pkl", b"\x80\x04\x95", "is a Python pickle"),
        ("a.gpx", b"<?xml version='1.0'?><gpx version='1.1'></gpx>", "is GPX"),
        ("a.xml", b"<?xml version='1.0'?><Workbook xmlns='urn:schemas-microsoft-com:office:spreadsheet'/>", "a workbook in XML of 2003"),
        ("a.svg", b"<svg></svg>", r"is a picture \(SVG\)"),
    ],
)  # fmt: skip
def test_what_is_not_read_is_named_in_a_sentence(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=f"'{name}' .*{sentence}"):
        open_source(tmp_path / name)


def zipped(path, **files):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in files.items():
            archive.writestr(name.replace("__", "."), data)
    return path


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ({}, "is an archive with no file in it"),
        ({"a__csv": ROWS, "b__csv": ROWS}, r"holds 2 files \(a.csv, b.csv\) but one table is read at a time"),
        ({"a__shp": b"", "b__shp": b""}, "holds 2 Shapefiles"),
        ({"a__shp": b""}, "has no .shx beside its .shp"),
        ({"stops__txt": ROWS, "trips__txt": ROWS, "routes__txt": ROWS}, r"is a public-transport timetable \(GTFS\)"),
        ({"x__zip": b"PK\x03\x04"}, "is an archive in an archive"),
        ({"a__tif": b"II*\0"}, r"is a raster \(TIFF\)"),
        ({"x__gdb/a00000001__gdbtable": b"", "x__gdb/timestamps": b""}, "is a file geodatabase"),
        ({"word/document__xml": b"<x/>"}, "is a text document or slides"),
    ],
)  # fmt: skip
def test_what_an_archive_holds_decides(tmp_path, files, sentence):
    with pytest.raises(InputError, match=sentence):
        open_source(zipped(tmp_path / "a.zip", **files))


def test_other_formats_in_gzip_are_to_be_unpacked(tmp_path):
    (tmp_path / "a.gpkg.gz").write_bytes(gzip.compress(b"SQLite format 3\0" + bytes(100)))
    with pytest.raises(InputError, match="is a gpkg file packed with gzip; unpack it"):
        open_source(tmp_path / "a.gpkg.gz")
    (tmp_path / "a.geojson.gz").write_bytes(gzip.compress(b'{"type":"Point","coordinates":[1,2]}'))
    assert open_source(tmp_path / "a.geojson.gz").n_rows == 1


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    (tmp_path / "outside.csv").write_bytes(ROWS)
    inside = tmp_path / "in"
    inside.mkdir()
    (inside / "link.csv").symlink_to(tmp_path / "outside.csv")
    (inside / "good.csv").write_bytes(ROWS)
    (inside / "also.csv").symlink_to(inside / "good.csv")
    for path in (inside / "link.csv", inside / ".." / "outside.csv"):
        with pytest.raises(InputError, match="leads out of the folder 'in'"):
            open_source(path, inside=inside)
    assert open_source(inside / "also.csv", inside=inside).columns == ("id", "lon", "lat")
    assert open_source(inside / "link.csv").columns == ("id", "lon", "lat")


def test_a_part_of_a_shapefile_may_not_lie_elsewhere(tmp_path):
    inside = tmp_path / "in"
    inside.mkdir()
    (tmp_path / "a.dbf").write_bytes(b"")
    (inside / "a.shp").write_bytes(b"\0\0\x27\x0a")
    (inside / "a.dbf").symlink_to(tmp_path / "a.dbf")
    with pytest.raises(InputError, match="leads out of the folder"):
        open_source(inside / "a.shp", inside=inside)


def test_a_name_that_is_no_utf_8_works_and_is_shown_escaped(tmp_path):
    name = os.fsdecode("案件.csv".encode("gbk"))
    (tmp_path / name).write_bytes(ROWS)
    source = open_source(tmp_path / name)
    assert source.name.endswith(".csv")
    assert source.name.isascii()
    with pytest.raises(InputError) as caught:
        open_source(tmp_path / f"no-{name}")
    str(caught.value).encode()


def test_what_is_no_file_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"there is no file .*check the spelling"):
        open_source(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match="is a folder but a file is needed"):
        open_source(tmp_path)
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(InputError, match="is a device or a pipe"):
        open_source(tmp_path / "pipe.csv")


def test_every_reason_has_words():
    from gisgrid.intake.readers.delimited import _REASONS
    from gisgrid.intake.reasons import register

    given = {
        *_REASONS.values(),
        "too_few_fields",
        "too_many_fields",
        "unreadable_place",
        "bad_record",
    }
    assert register(sorted(given)) == tuple(sorted(given))
