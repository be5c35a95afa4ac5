"""Delimited text: every record counted, as a row or as refused."""

import csv
import gzip
import io
import zipfile

import numpy as np
import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import joined
from gisgrid.intake.readers.source import open_source

ROWS = "编号,问题类别,经度,纬度\n00017,占道经营,113.21,35.22\n00018,暴露垃圾,113.22,35.23\n"


def written(path, content):
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def read(path, **options):
    return joined([batch for batch, _ in open_source(path, **options).batches()])


def reasons(batch):
    return [(one.row, one.reason) for one in batch.refused]


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("gb18030", "GB 18030"), ("gbk", "GB 18030"), ("utf-16", "UTF-16"), ("utf-16-le", "UTF-16-LE"), ("utf-16-be", "UTF-16-BE")],
)  # fmt: skip
def test_encodings_are_tried_in_strict_order(tmp_path, encoding, named):
    source = open_source(written(tmp_path / "a.csv", ROWS.encode(encoding)))
    assert source.notes[0].en.startswith(f"text is {named}")
    assert source.columns == ("编号", "问题类别", "经度", "纬度")
    ((batch, share),) = source.batches()
    assert share == 1.0
    assert batch.table["问题类别"].to_pylist() == ["占道经营", "暴露垃圾"]


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|", "，", "\x01", "^"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    batch = read(written(tmp_path / "a.txt", ROWS.replace(",", delimiter)))
    assert batch.table.to_pydict()["经度"] == ["113.21", "113.22"]


def test_a_delimiter_of_several_characters_can_be_stated(tmp_path):
    batch = read(written(tmp_path / "a.txt", ROWS.replace(",", "||")), delimiter="||")
    assert batch.table.to_pydict()["纬度"] == ["35.22", "35.23"]


def test_commas_inside_text_do_not_hide_a_semicolon(tmp_path):
    source = open_source(written(tmp_path / "a.csv", "id;note\n1;a, b, c\n2;d, e\n3;f\n"))
    assert source.columns == ("id", "note")


def test_codes_keep_their_zeros_and_empty_fields_stay_empty_text(tmp_path):
    table = read(written(tmp_path / "a.csv", "code,class,n\n007,0110,\n000,0406,NA\n")).table
    assert table.to_pydict() == {"code": ["007", "000"], "class": ["0110", "0406"], "n": ["", "NA"]}


def test_records_are_counted_across_blank_lines_and_line_breaks_in_quotes(tmp_path):
    batch = read(written(tmp_path / "a.csv", 'id,note\n1,"two\nlines, ""so"""\n\n2,one\r\n3,x'))
    assert batch.rows.tolist() == [2, 4, 5]
    assert batch.table["note"].to_pylist() == ['two\nlines, "so"', "one", "x"]


def test_ragged_rows_empty_rows_and_the_header_again_are_refused_with_their_number(tmp_path):
    text = "Case ID,Street Name,n\n1,a,1\nCASE_ID,STREET NAME,\n2,b\n3,c,3,4\n, ,\nCase ID,x,1\n"
    batch = read(written(tmp_path / "a.csv", text))
    assert reasons(batch) == [
        (3, "repeated_header"),
        (4, "too_few_fields"),
        (5, "too_many_fields"),
        (6, "empty_row"),
    ]
    assert batch.rows.tolist() == [2, 7]
    assert batch.refused[2].text == "3,c,3,4"


def test_a_quote_that_nothing_closes_costs_its_own_line_only(tmp_path):
    text = 'id,note,n\n1,"open,1\n2,ok,1\n3,"fine",1\n4,5" pipe,1\n5,"a"b,1\n6,"end\n'
    batch = read(written(tmp_path / "a.csv", text))
    assert reasons(batch) == [(2, "bad_quotes"), (6, "bad_quotes"), (7, "bad_quotes")]
    assert batch.table["note"].to_pylist() == ["ok", "fine", '5" pipe']


def test_damaged_characters_cost_their_record_only(tmp_path):
    rows = "id,note\n" + "1,井盖缺失占道经营暴露垃圾\n" * 50
    data = rows.encode("gbk") + b"2,\xbe\n" + "3,井\n".encode("gbk")
    source = open_source(written(tmp_path / "a.csv", data))
    batch = joined([batch for batch, _ in source.batches()])
    assert reasons(batch) == [(52, "bad_record")]
    assert len(batch.rows) == 51
    assert source.notes[1].en == "1 characters are damaged, and their records refused"


def test_columns_of_one_name_or_none_stay_apart(tmp_path):
    source = open_source(written(tmp_path / "a.csv", "a,a,,a.2\n1,2,3,4\n"))
    assert source.columns == ("a", "a.2", "column_3", "a.2.2")


def test_title_lines_are_skipped_and_not_counted_as_rows(tmp_path):
    text = "2026年3月案件,,\n\n编号,经度,纬度\nA1,113.2,35.2\nA2,113.3,35.3\n"
    batch = read(written(tmp_path / "a.csv", text))
    assert batch.rows.tolist() == [4, 5]
    assert batch.table.column_names == ["编号", "经度", "纬度"]


def test_a_table_without_header_is_told_and_loses_no_row(tmp_path):
    source = open_source(written(tmp_path / "a.txt", "1 42.1 -75.9\n2 42.2 -75.8\n3 42.3 -75.7\n"))
    assert source.columns == ("column_1", "column_2", "column_3")
    ((batch, _),) = source.batches()
    assert batch.rows.tolist() == [1, 2, 3]


def test_one_delimiter_more_in_every_row_than_in_the_header_is_a_nameless_column(tmp_path):
    batch = read(written(tmp_path / "a.csv", "a,b\n1,2,\n3,4,\n"))
    assert batch.table.to_pydict() == {"a": ["1", "3"], "b": ["2", "4"], "column_3": ["", ""]}


def test_packed_text_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("案件.csv", ROWS.encode("gbk"))
        archive.writestr("__MACOSX/._案件.csv", b"\0\1")
    written(tmp_path / "a.csv.gz", gzip.compress(ROWS.encode()))
    assert len(read(tmp_path / "a.csv.zip").rows) == 2
    assert len(read(tmp_path / "a.csv.gz").rows) == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\n \n", "'a.csv' is empty.*check that the export finished"),
        (b"id,lon,lat\n", r"'a.csv' has a header \(3 columns\) but no rows"),
        (b"id,note\n1,\xff\xff\xff\n", r"neither in UTF-8 nor in GB 18030.*encoding= \(--encoding\)"),
    ],
)  # fmt: skip
def test_unreadable_text_is_refused_in_a_sentence(tmp_path, content, sentence):
    with pytest.raises(InputError, match=sentence):
        open_source(written(tmp_path / "a.csv", content))


def test_a_stated_encoding_is_kept_or_refused(tmp_path):
    path = written(tmp_path / "a.csv", "id,note\n1,é\n".encode("cp1252"))
    assert read(path, encoding="cp1252").table["note"].to_pylist() == ["é"]
    with pytest.raises(InputError, match="no utf-8 text"):
        open_source(path, encoding="utf-8")
    with pytest.raises(InputError, match="encoding 'klingon' is not known"):
        open_source(path, encoding="klingon")


def test_prose_is_no_table(tmp_path):
    path = written(tmp_path / "a.txt", "Dear reader,\nthis is no table at all.\nBye\n")
    with pytest.raises(InputError, match="is text but no table"):
        open_source(path)


@pytest.mark.parametrize("block", [64, 97, 1 << 20])
@pytest.mark.parametrize("seed", range(3))
def test_it_agrees_with_the_csv_module_wherever_the_blocks_are_cut(
    tmp_path, monkeypatch, block, seed
):
    draw = np.random.default_rng(seed)
    pieces = ["a", "占道", ",", '"', '""', "\n", "\r\n", " ", "x y", "1.5", ""]
    rows = [["".join(draw.choice(pieces, size=4)) + "z" for _ in range(3)] for _ in range(60)]
    out = io.StringIO()
    csv.writer(out, lineterminator=draw.choice(["\n", "\r\n"])).writerows([["p", "q", "r"], *rows])
    path = written(tmp_path / "a.csv", out.getvalue())
    monkeypatch.setattr("gisgrid.intake.readers.encoding.BLOCK", block)
    table = read(path, delimiter=",").table
    assert [list(row) for row in zip(*table.to_pydict().values(), strict=True)] == rows


def test_a_sample_holds_rows_of_the_head_the_middle_and_the_end(tmp_path):
    path = written(tmp_path / "a.csv", "id\n" + "\n".join(map(str, range(50_000))) + "\n")
    source = open_source(path)
    batch = source.sample(1000)
    assert len(batch.rows) == 1000
    assert batch.rows[0] == 2
    assert batch.rows[-1] == 50_001
    assert ((batch.rows > 20_000) & (batch.rows < 30_000)).sum() == 250
    assert batch.table["id"].to_pylist() == [str(row - 2) for row in batch.rows.tolist()]
    assert len(source.sample(60_000).rows) == 50_000


def test_many_rows_come_in_steps_and_none_is_lost(tmp_path, monkeypatch):
    monkeypatch.setattr("gisgrid.intake.readers.encoding.BLOCK", 1 << 16)
    path = written(tmp_path / "a.csv", "id\n" + "\n".join(map(str, range(120_001))) + "\n")
    source = open_source(path)
    found = list(source.batches())
    shares = [share for _, share in found]
    assert len(found) > 5
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert joined([batch for batch, _ in found]).table["id"].to_pylist() == [
        str(n) for n in range(120_001)
    ]
