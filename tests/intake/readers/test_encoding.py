"""Bytes become characters in a strict order, whatever the blocks they come in."""

import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.encoding import (
    Encoding,
    cut_text,
    text_encoding,
    utf_8_blocks,
    value_encoding,
)
from gisgrid.intake.readers.packed import Content


def content(tmp_path, data):
    path = tmp_path / "a.txt"
    path.write_bytes(data)
    return Content.of(path)


def test_gbk_after_much_ascii_is_found(tmp_path):
    data = ("id,note\n" + "1,ok\n" * 5000 + "2,井盖缺失\n").encode("gbk")
    assert text_encoding(content(tmp_path, data)).codec == "gb18030"


@pytest.mark.parametrize("block", [1, 2, 3, 5])
def test_utf_8_is_seen_across_blocks_that_cut_characters(tmp_path, monkeypatch, block):
    monkeypatch.setattr("gisgrid.intake.readers.encoding.BLOCK", block)
    data = "aé井\U00020000z".encode() * 3
    assert text_encoding(content(tmp_path, data)) == Encoding("utf-8-sig")
    assert text_encoding(content(tmp_path, "井盖".encode("gbk") * 9)) == Encoding("gb18030")


@pytest.mark.parametrize("codec", ["utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("block", [1, 7, 1 << 20])
def test_blocks_together_are_the_text(tmp_path, codec, block):
    text = "编号,é\n\U00020000" * 20
    blocks = utf_8_blocks(
        content(tmp_path, text.encode(codec)), Encoding(codec), block=max(3, block)
    )
    assert b"".join(data for data, _ in blocks).decode() == text


def test_bytes_with_zeros_are_no_text(tmp_path):
    with pytest.raises(InputError, match="holds zero bytes"):
        text_encoding(content(tmp_path, b"abc\0\1\2\3\0\0\0xyz"))


@pytest.mark.parametrize(
    ("values", "stated", "codec"),
    [
        (["所属街道".encode("gbk")], None, "gb18030"),
        (["所属街道".encode()[:10]], None, "utf-8"),
        (["所属街道".encode()], "gb18030", "utf-8"),
        (["所属街道".encode("gbk")], "utf-8", "gb18030"),
        (["一".encode("gbk")], "gb18030", "gb18030"),
        ([b"plain"], None, "utf-8"),
        ([b"\xff\xff\xff"], None, "latin-1"),
        (["區".encode("big5") * 3], "big5", "big5"),
    ],
)
def test_short_values_are_read_in_the_first_encoding_that_all_obey(values, stated, codec):
    assert value_encoding(values, stated=stated) == codec


def test_a_value_cut_inside_a_character_loses_only_the_stump():
    assert cut_text("所属街道".encode("gbk")[:7], "gb18030") == "所属街"
