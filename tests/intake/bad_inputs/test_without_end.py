"""Files that would fill the memory: bombs, lines and values without end, nesting without end."""

import gzip
import json
import subprocess
import sys
import zipfile

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers import packed
from gisgrid.intake.readers.source import open_source

MB = 1 << 20


@pytest.fixture
def small(monkeypatch):
    """Lower the limits, so that a test need not unpack gigabytes."""
    monkeypatch.setattr(packed, "RATIO_FROM", MB)


def test_a_zip_bomb_is_refused_with_its_limit(tmp_path, small):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.csv", b"id,x\n" + b"1,1\n" * MB)
    with pytest.raises(InputError, match=r"'a.zip' unpacks to more than 250 times its size"):
        open_source(tmp_path / "a.zip")


def test_a_gzip_bomb_is_refused_with_its_limit(tmp_path, small):
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,x\n" + b"1,1\n" * MB))
    with pytest.raises(InputError, match=r"'a.csv.gz' unpacks to more than 250 times its size"):
        open_source(tmp_path / "a.csv.gz")


def test_the_size_alone_is_limited_too(tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "MAX_UNPACKED", MB)
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(b"id,x\n" + b"1,1\n" * MB))
    with pytest.raises(InputError, match="unpacks to more than 1 MB, which is the most"):
        open_source(tmp_path / "a.csv.gz")


def test_a_workbook_bomb_is_refused_before_it_is_opened(tmp_path, small):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", "<workbook/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (4 * MB))
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        open_source(tmp_path / "a.xlsx")


def test_an_archive_that_lies_about_its_size_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"<workbook/>" + b" " * MB)
    data = (tmp_path / "a.xlsx").read_bytes()
    true = (MB + 11).to_bytes(4, "little")
    (tmp_path / "a.xlsx").write_bytes(data.replace(true, (99).to_bytes(4, "little")))
    with pytest.raises(InputError, match="is damaged"):
        open_source(tmp_path / "a.xlsx")


def test_a_shapefile_bomb_is_refused_while_it_is_unpacked(tmp_path, small):
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * (4 * MB))
        archive.writestr("a.shx", b"")
    with pytest.raises(InputError, match="unpacks to more than 250 times its size"):
        open_source(tmp_path / "a.zip")


def test_an_archive_of_very_many_files_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for n in range(10_001):
            archive.writestr(f"{n}", b"")
    with pytest.raises(InputError, match="holds 10,001 files"):
        open_source(tmp_path / "a.zip")


@pytest.mark.parametrize("first", [b"", b"id,note\n1,x\n"])
def test_a_line_without_end_is_refused(tmp_path, first):
    with (tmp_path / "a.csv").open("wb") as out:
        out.write(first)
        for _ in range(20):
            out.write(b"a," * (MB // 2))
    with pytest.raises(InputError, match=r"record (of 'a.csv'|3 of 'a.csv') is longer than"):
        list(open_source(tmp_path / "a.csv").batches())


def test_a_quote_that_nothing_closes_does_not_swallow_the_file(tmp_path):
    rows = b"1,some words here\n" * (MB + MB // 8)
    (tmp_path / "a.csv").write_bytes(b'id,note\n1,"open\n' + rows)
    batches = [batch for batch, _ in open_source(tmp_path / "a.csv").batches()]
    assert [(one.row, one.reason) for batch in batches for one in batch.refused] == [
        (2, "bad_quotes")
    ]
    assert sum(len(batch.rows) for batch in batches) == MB + MB // 8


def test_a_json_value_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("gisgrid.intake.readers.json_values.MAX_VALUE", MB)
    monkeypatch.setattr("gisgrid.intake.readers.json_place.MAX_VALUE", MB)
    monkeypatch.setattr("gisgrid.intake.readers.encoding.BLOCK", 1 << 16)
    for name, text in (
        ("list.json", json.dumps([{"a": "x" * (2 * MB)}])),
        ("line.jsonl", json.dumps({"a": "x" * (2 * MB)})),
        ("one.json", json.dumps({"a": "x" * (2 * MB)}, indent=1)),
    ):
        (tmp_path / name).write_text(text)
        with pytest.raises(InputError, match=r"of more than 1 MB"):
            open_source(tmp_path / name)


@pytest.mark.parametrize("brackets", ['{"a":', "["])
def test_json_nested_without_end_is_refused(tmp_path, brackets):
    (tmp_path / "a.json").write_text(brackets * 100_000)
    with pytest.raises(InputError, match="nested deeper than 64 brackets"):
        open_source(tmp_path / "a.json")
    (tmp_path / "a.jsonl").write_text('{"a": 1}\n' + brackets * 100_000)
    batches = [batch for batch, _ in open_source(tmp_path / "a.jsonl").batches()]
    refused = [(one.row, one.reason) for batch in batches for one in batch.refused]
    assert refused == [(2, "bad_record")]


def test_xml_nested_without_end_is_refused(tmp_path):
    (tmp_path / "a.kml").write_text("<kml>" + "<Folder>" * 100_000)
    with pytest.raises(InputError, match="nested deeper than 64 elements"):
        open_source(tmp_path / "a.kml")


def test_a_file_larger_than_the_memory_allowed_is_streamed(tmp_path):
    line = (
        b"A0001,2026-03-04 09:30:00,113.210000,35.220000,0401," + "占道经营,".encode() * 4 + b"x\n"
    )
    with (tmp_path / "a.csv").open("wb") as out:
        out.write(b"a,b,c,d,e,f,g,h,i,j\n")
        for _ in range(8):
            out.write(line * (10 * MB // len(line)))
    script = """
import resource, sys
from gisgrid.intake.readers.source import open_source
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
source = open_source(sys.argv[1])
batches = source.batches()
next(batches)
before = peak()
n = sum(len(batch.rows) for batch, _ in batches) + len(source.sample().rows)
print(peak() - before, n)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "a.csv")],
        check=True,
        capture_output=True,
        timeout=300,
    )
    grown_mb, n = map(int, done.stdout.split())
    assert n > 500_000
    assert grown_mb < 60
