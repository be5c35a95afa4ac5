"""Files that are not what their names say, are cut short, or hold nothing."""

import gzip
import zipfile

import numpy as np
import openpyxl
import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.source import open_source


def refused(path, sentence, content=None):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        list(open_source(path).batches())


@pytest.mark.parametrize("seed", range(20))
def test_binary_junk_named_csv_is_refused(tmp_path, seed):
    junk = np.random.default_rng(seed).bytes(50_000)
    refused(tmp_path / "a.csv", "'a.csv' is", junk)


def test_junk_without_zero_bytes_is_refused(tmp_path):
    junk = bytes(np.random.default_rng(1).choice([0x80, 0xFF, 0xFE, 0xF8, 0x81], 20_000).tolist())
    refused(tmp_path / "a.csv", "text neither in UTF-8 nor in GB 18030", junk)


@pytest.mark.parametrize(
    "suffix",
    [
        ".csv",
        ".json",
        ".geojson",
        ".kml",
        ".xml",
        ".xlsx",
        ".xls",
        ".gpkg",
        ".shp",
        ".fgb",
        ".parquet",
        ".zip",
        ".gz",
        ".kmz",
        ".dbf",
        ".jsonl",
        "",
    ],
)
@pytest.mark.parametrize(
    "magic",
    [
        b"",
        b"PK\x03\x04",
        b"\x1f\x8b\x08",
        b"PAR1",
        b"SQLite format 3\0",
        b"fgb\x03fgb\0",
        b"\0\0\x27\x0a",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"{",
        b"[",
        b"<kml>",
        b"\x03",
    ],
)
def test_junk_behind_any_name_and_any_beginning_is_an_input_error(tmp_path, suffix, magic):
    junk = magic + np.random.default_rng(len(suffix)).bytes(3000)
    if suffix == ".shp":
        (tmp_path / "a.shx").write_bytes(junk)
    refused(tmp_path / f"a{suffix}", "'a", junk)


@pytest.mark.parametrize("suffix", [".csv", ".json", ".xlsx", ".gpkg", ".parquet", ".kml", ".zip"])
def test_a_file_of_no_bytes_is_refused(tmp_path, suffix):
    refused(tmp_path / f"a{suffix}", r"is empty \(0 bytes\), so there is nothing to read", b"")


@pytest.mark.parametrize(
    "page",
    [
        b"<html><body><table><tr><td>1</td></tr></table></body></html>",
        b"<!DOCTYPE html PUBLIC '-//W3C//DTD XHTML'><html></html>",
        b"\xef\xbb\xbf\r\n<table border=1><tr><td>1</td></tr></table>",
        b"<meta charset=gbk><style></style><html xmlns:x='urn:schemas-microsoft-com:office:excel'>",
    ],
)
@pytest.mark.parametrize("suffix", [".xls", ".xlsx", ".csv", ".json"])
def test_a_web_page_saved_as_a_table_is_said(tmp_path, page, suffix):
    refused(tmp_path / f"a{suffix}", r"is a web page \(HTML\), whatever its name says", page)


def test_a_workbook_named_csv_is_read_as_a_workbook(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append(["1"])
    book.save(tmp_path / "a.csv")
    assert open_source(tmp_path / "a.csv").format == "xlsx"


def test_a_file_that_is_cut_short_is_said(tmp_path):
    rows = b"id,x\n" + b"1,abcdefgh\n" * 9999 + bytes(range(33, 90)) * 200
    packed = gzip.compress(rows)
    refused(tmp_path / "a.csv.gz", "'a.csv.gz' is cut short", packed[: len(packed) // 2])
    damaged = packed[:200] + bytes(20) + packed[220:]
    refused(tmp_path / "b.csv.gz", "'b.csv.gz' is damaged", damaged)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", rows)
    data = (tmp_path / "a.zip").read_bytes()
    refused(tmp_path / "cut.zip", "'cut.zip' is", data[: len(data) // 2])
    refused(tmp_path / "bad.zip", "'bad.zip' is damaged", data[:100] + bytes(10) + data[110:])
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.save(tmp_path / "a.xlsx")
    refused(tmp_path / "cut.xlsx", "'cut.xlsx' is", (tmp_path / "a.xlsx").read_bytes()[:-200])


def test_a_locked_archive_is_said(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", b"id\n1\n")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[6] |= 1
    data[data.index(b"PK\x01\x02") + 8] |= 1
    refused(tmp_path / "a.zip", "is locked with a password; unpack it", bytes(data))
