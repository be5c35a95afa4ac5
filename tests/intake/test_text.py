"""Characters, fields and line numbers of text files."""

import gzip
import zipfile

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.text import read_delimited

ROWS = "编号,问题类别,经度,纬度\n00017,占道经营,113.21,35.22\n00018,暴露垃圾,113.22,35.23\n"


@pytest.mark.parametrize(
    ("encoding", "named"),
    [("utf-8", "utf-8-sig"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030"), ("utf-16", "utf-16")],
)  # fmt: skip
def test_encodings_are_tried_in_strict_order(tmp_path, encoding, named):
    path = tmp_path / "a.csv"
    path.write_bytes(ROWS.encode(encoding))
    text = read_delimited(path)
    assert text.encoding == named
    assert list(text.table.columns) == ["编号", "问题类别", "经度", "纬度"]
    assert text.table["问题类别"].tolist() == ["占道经营", "暴露垃圾"]


def test_gbk_after_thousands_of_ascii_rows_is_read_right(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(("id,note\n" + "1,ok\n" * 5000 + "2,井盖缺失\n").encode("gbk"))
    text = read_delimited(path)
    assert text.encoding == "gb18030"
    assert text.table["note"].iloc[-1] == "井盖缺失"


@pytest.mark.parametrize("delimiter", [",", "\t", ";", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    path = tmp_path / "a.txt"
    path.write_text(ROWS.replace(",", delimiter), encoding="utf-8")
    text = read_delimited(path)
    assert text.delimiter == delimiter
    assert text.table.shape == (2, 4)


def test_commas_inside_text_do_not_hide_a_semicolon(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id;note\n1;a, b, c\n2;d, e\n3;f\n")
    assert read_delimited(path).delimiter == ";"


def test_codes_keep_their_leading_zeros_and_empty_fields_are_missing(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("code,class,n\n007,0110,\n000,0406,1\n")
    table = read_delimited(path).table
    assert table["code"].tolist() == ["007", "000"]
    assert table["class"].tolist() == ["0110", "0406"]
    assert table["n"].isna().tolist() == [True, False]


def test_rows_are_numbered_by_their_line_across_blank_lines_and_line_breaks(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('id,note\n1,"two\nlines"\n\n2,one\n')
    table = read_delimited(path).table
    assert table.index.tolist() == [2, 5]
    assert table["note"].tolist() == ["two\nlines", "one"]


def test_the_header_again_and_ragged_rows_are_refused_with_their_line(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text(
        "Case ID,Street Name,n\n1,a,1\nCASE_ID,STREET NAME,\n2,b\n3,c,3,4\nStreet Name,x,1\n"
    )
    text = read_delimited(path)
    assert text.refused.to_dict() == {
        3: "the header row again",
        4: "2 fields where the header has 3",
        5: "4 fields where the header has 3",
    }
    assert text.table.index.tolist() == [2, 3, 4, 5, 6]
    assert text.table.loc[5].tolist() == ["3", "c", "3"]


def test_columns_of_one_name_or_none_stay_apart(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a,a,,a.2\n1,2,3,4\n")
    assert list(read_delimited(path).table.columns) == ["a", "a.2", "column_3", "a.2.2"]


def test_packed_text_is_read(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", ROWS.encode("gbk"))
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress(ROWS.encode()))
    assert len(read_delimited(tmp_path / "a.csv.zip").table) == 2
    assert len(read_delimited(tmp_path / "a.csv.gz").table) == 2


def test_two_tables_in_one_archive_are_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.csv", ROWS)
        archive.writestr("b.csv", ROWS)
    with pytest.raises(InputError, match=r"holds 2 files \(a.csv, b.csv.*unpack it"):
        read_delimited(tmp_path / "a.zip")


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\n \n", "'a.csv' is empty.*check that the export finished"),
        (b"id,lon,lat\n", r"'a.csv' has a header \(3 columns\) but no rows"),
        (b'id,note\n1,ok\n2,"never closed\n3,x\n', "cannot be read from line 3 on .*quotes do not pair"),
        (b"id,note\n1,\xff\xff\xff\n", "neither in UTF-8 nor in GB 18030.*save it again as UTF-8"),
        (b'id\n"' + b"x" * 200_000, "cannot be read from line 2 on .*field larger"),
    ],
)  # fmt: skip
def test_unreadable_text_is_refused_in_a_sentence(tmp_path, content, sentence):
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(InputError, match=sentence):
        read_delimited(path)


def test_many_rows_come_in_steps_and_none_is_lost(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("id\n" + "\n".join(map(str, range(120_001))) + "\n")
    table = read_delimited(path).table
    assert table["id"].tolist() == [str(n) for n in range(120_001)]
    assert table.index[-1] == 120_002
