"""A code is text that a declared scheme takes apart, puts together and judges."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, InputError
from gisgrid.files import FRAME_SUFFIXES, read_frame, write_frame, write_table
from gisgrid.grids import SCHEMES, CodeScheme, code_scheme

LENGTHS = {
    "gbt2260-6": 6, "statistical-12": 12, "urban-rural-3": 3, "statistical-17": 17, "cjt213-14": 14, "beijing-15": 15,
    "compound-15": 15, "component-16-2013": 16, "component-16-platform": 16, "cjt349-20": 20,
}  # fmt: skip

TAIPEI = """
id = "taipei-minimum"
title = { zh = "最小统计区一级发布区", en = "First dissemination area" }
source = "declared by a test"
cut = true

[[parts]]
name = "district"
title = { zh = "区", en = "district" }
width = 5
characters = "letters_and_digits"

[[parts]]
name = "second"
title = { zh = "二级发布区", en = "second dissemination area" }
width = 2
separator = "-"

[[parts]]
name = "first"
title = { zh = "一级发布区", en = "first dissemination area" }
width = 3
separator = "-"
"""


def series(*codes):
    return pd.Series(list(codes))


def rules(scheme, *codes, level=None):
    return [fault.rule for fault in SCHEMES[scheme].validate(series(*codes), level=level)]


def some_code(scheme, draw):
    """Draw a code of a scheme that lies in its ranges and ends in no part of zeros."""
    text = ""
    for part in scheme.parts:
        spans = [s for s in part.ranges if part.strict and int(s.end) > 0] or None
        if spans is None:
            value = draw(st.integers(1, 10**part.width - 1))
        else:
            span = draw(st.sampled_from(spans))
            value = draw(st.integers(max(1, int(span.first)), int(span.end)))
        text += f"{value:0{part.width}d}"
    return text


@pytest.mark.parametrize("name", sorted(LENGTHS))
def test_a_scheme_is_as_long_as_its_standard_says(name):
    assert SCHEMES[name].length == LENGTHS[name]


def test_every_scheme_has_its_file_and_both_languages():
    assert set(SCHEMES) == set(LENGTHS)
    for name, scheme in SCHEMES.items():
        assert scheme.id == name
        texts = [scheme.title, *(part.title for part in scheme.parts)]
        texts += [span.title for part in scheme.parts for span in part.ranges]
        assert all(text.zh and text.en for text in texts)


def test_two_codes_of_one_length_are_cut_differently():
    code = series("1101010101000001")
    old, new = (
        SCHEMES["component-16-2013"].parse(code),
        SCHEMES["component-16-platform"].parse(code),
    )
    assert (old["minor_class"].item(), old["serial"].item()) == ("01", "000001")
    assert (new["minor_class"].item(), new["serial"].item()) == ("010", "00001")


@pytest.mark.parametrize("name", sorted(LENGTHS))
@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_build_puts_together_what_parse_took_apart(name, data):
    scheme = SCHEMES[name]
    codes = pd.Series([some_code(scheme, data.draw) for _ in range(3)], index=[5, 5, 7])
    assert scheme.build(scheme.parse(codes)).equals(codes.astype("str"))
    assert scheme.validate(codes) == []


@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_a_damaged_code_is_found_and_mended_where_that_is_provable(data):
    code = some_code(SCHEMES["statistical-12"], data.draw)
    wide = code.translate({ord(d): ord(d) + 0xFEE0 for d in "0123456789"})
    scientific = f"{code[0]}.{code[1:]}E+11"
    damages = {
        "full_width": wide, "whitespace": f"\u200b {code}\u3000", "decimal": f"{code}.0", "scientific": scientific,
    }  # fmt: skip
    for rule, damaged in damages.items():
        (fault,) = SCHEMES["statistical-12"].validate(series(code, damaged))
        assert (fault.rule, fault.n, fault.positions.tolist()) == (rule, 1, [1])
        assert fault.suggestions.tolist() == [code]


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        (None, "missing"), ("  ", "missing"), ("1.40802E+14", "digits_lost"), ("110101001", "level"),
        ("110101001000", "level"), ("110101001700", "range"), ("600101001001", "range"), ("110101700001", "range"),
        ("11010100100a", "characters"), ("1101010010", "length"), ("1101010010010", "length"), ("-", "characters"),
    ],
)  # fmt: skip
def test_what_cannot_be_mended_is_named_without_a_suggestion(code, rule):
    (fault,) = SCHEMES["statistical-12"].validate(series("110101001001", code))
    assert fault.rule == rule
    assert fault.suggestions.isna().all()
    assert fault.message.zh
    assert fault.message.en.startswith("1 of 2 codes")


def test_a_code_that_begins_with_no_zero_by_its_ranges_did_not_lose_one():
    # 01 is no province, so this cannot be 01101010010; nothing proves what it was.
    assert rules("statistical-12", "1101010010") == ["length"]


def test_lost_zeros_are_given_back_only_if_nothing_else_explains_the_code():
    whole, lost = "01010011010100100100", "1010011010100100100"
    (fault,) = SCHEMES["cjt349-20"].validate(series(lost))
    assert (fault.rule, fault.suggestions.tolist()) == ("leading_zeros", [whole])
    # The column kept the zeros of another code, so it does not lose them.
    assert rules("cjt349-20", lost, whole) == ["length"]
    # 90 is no province: the longer code is wrong too.
    assert rules("cjt349-20", "1010019010100100100") == ["length"]


def test_numbers_are_named_as_such_and_give_their_zeros_back():
    codes = pd.Series([10100110101001, 110101001], dtype="int64")
    (fault,) = SCHEMES["cjt213-14"].validate(codes)
    assert fault.rule == "number"
    assert fault.suggestions.isna().all()  # 00 and 10 are no provinces
    numbers = pd.Series(["110101001001", "310101001001"]).astype(float)
    (fault,) = SCHEMES["statistical-12"].validate(numbers)
    assert fault.suggestions.tolist() == ["110101001001", "310101001001"]


def test_a_float_beyond_its_digits_is_lost():
    codes = pd.Series(["01010011010100100100"]).astype(float)
    (fault,) = SCHEMES["cjt349-20"].validate(codes)
    assert fault.rule == "digits_lost"
    assert fault.suggestions.isna().all()


def test_a_mixed_column_keeps_its_texts():
    codes = pd.Series(["110101001001", 110101001002, None, 110101001003.0], dtype=object)
    found = {
        fault.rule: fault.positions.tolist() for fault in SCHEMES["statistical-12"].validate(codes)
    }
    assert found == {"missing": [2], "decimal": [3]}


def test_upper_levels_are_right_where_they_are_asked_for():
    scheme = SCHEMES["statistical-12"]
    assert scheme.validate(series("110101001", "110101001000"), level="township") == []
    assert scheme.validate(series("11", "1101", "110101001001"), level="any") == []
    with pytest.raises(ColumnError, match="did you mean 'village'"):
        scheme.validate(series("11"), level="vilage")


def test_every_fault_counts_each_code_once():
    codes = series("110101001001", None, "x", "1", "110101001700", "11010100100１", "110101001001 ")
    faults = SCHEMES["statistical-12"].validate(codes)
    positions = sorted(np.concatenate([fault.positions for fault in faults]).tolist())
    assert positions == [1, 2, 3, 4, 5, 6]
    assert all(fault.n == len(fault.positions) == len(fault.suggestions) for fault in faults)


def test_parents_lead_up_to_the_province():
    scheme, code = SCHEMES["compound-15"], "110101001001007"
    way = [code]
    while (above := scheme.parent(way[-1]) if way[-1] else None) is not None:
        way.append(above)
        scheme = SCHEMES["statistical-12"]
    assert way[1:] == ["110101001001", "110101001", "110101", "1101", "11"]


def test_a_thing_lies_in_a_county_and_a_specialised_grid_in_a_community():
    assert SCHEMES["component-16-platform"].parent("1101010101000001") == "110101"
    assert SCHEMES["cjt349-20"].parent("01010011010100100102") == "110101001001"


def test_a_code_is_said_in_both_languages():
    code = "11010100100111112"
    zh = SCHEMES["statistical-17"].explain(code, names={"110101001": "东华门街道"})
    en = SCHEMES["statistical-17"].explain(code, language="en")
    assert "乡级 001（东华门街道）" in zh
    assert "城乡分类 112（城乡结合区）" in zh
    assert "urban-rural class 112 (urban-rural junction)" in en
    with pytest.raises(InputError, match="not of the form"):
        SCHEMES["statistical-17"].explain("11")


def test_a_city_declares_its_own_scheme(tmp_path):
    path = tmp_path / "taipei-minimum.toml"
    path.write_text(TAIPEI, encoding="utf-8")
    scheme = code_scheme(path)
    assert scheme.parse(series("A6301-01-007")).iloc[0].to_list() == ["A6301", "01", "007"]
    assert scheme.parent("A6301-01-007") == "A6301-01"
    assert [fault.rule for fault in scheme.validate(series("A6301-01-07", "A6301_01_007"))] == [
        "characters", "length",
    ]  # fmt: skip
    below = tmp_path / "own.toml"
    below.write_text(
        'id = "own"\ntitle = { zh = "自定", en = "own" }\nsource = "x"\n[[parts]]\ninclude = "taipei-minimum"\n'
        '[[parts]]\nname = "serial"\ntitle = { zh = "顺序码", en = "serial" }\nwidth = 2\nseparator = "/"\n',
        encoding="utf-8",
    )
    assert CodeScheme.from_file(below).length == len("A6301-01-007/01")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("width = 2", "width = 0"), "width"), (("width = 2", "widht = 2"), "widht"),
        (('name = "second"', 'name = "district"'), "once"), (("title = {", "title = ["), "TOML"),
        (('separator = "-"', 'ranges = [{ first = "1", title = { zh = "", en = "" } }]'), "in full"),
        (('[[parts]]\nname = "district"', '[[parts]]\ninclude = "taipei-minimum"\n[[parts]]\nname = "district"'), "itself"),
        (('[[parts]]\nname = "district"', '[[parts]]\ninclude = "beijing"\n[[parts]]\nname = "district"'), "beijing-15"),
        (("width = 5", "width = 5\nplace = false"), "no place"),
    ],
)  # fmt: skip
def test_a_file_that_breaks_a_rule_is_refused(tmp_path, change, said):
    path = tmp_path / "taipei-minimum.toml"
    path.write_text(TAIPEI.replace(*change), encoding="utf-8")
    with pytest.raises(InputError, match=said):
        CodeScheme.from_file(path)


def test_neither_a_scheme_nor_a_file(tmp_path):
    with pytest.raises(InputError, match="did you mean 'beijing-15'"):
        code_scheme("bejing-15")
    with pytest.raises(InputError, match="cannot be read"):
        code_scheme(tmp_path / "none.toml")


def test_parse_refuses_or_nulls_what_is_ill_formed():
    codes = series("110101001002013", "x", None)
    with pytest.raises(InputError, match="2 of 3 codes"):
        SCHEMES["beijing-15"].parse(codes)
    assert SCHEMES["beijing-15"].parse(codes, ill_formed="null").isna().all(axis=1).tolist() == [
        False, True, True,
    ]  # fmt: skip


def test_build_refuses_a_serial_number_that_has_grown_too_long():
    scheme = SCHEMES["beijing-15"]
    parts = scheme.parse(series("110101001002013"))
    with pytest.raises(InputError, match="not 3 digits"):
        scheme.build(parts.assign(unit_grid=1000))
    with pytest.raises(InputError, match="no 'township'"):
        scheme.build(parts.drop(columns="township"))


def test_categories_and_empty_columns_are_codes_too():
    scheme = SCHEMES["beijing-15"]
    assert scheme.validate(series("110101001002013").astype("category")) == []
    assert scheme.validate(pd.Series([], dtype="str")) == []
    assert len(scheme.parse(pd.Series([], dtype="str"))) == 0


@pytest.mark.parametrize("suffix", FRAME_SUFFIXES)
def test_leading_zeros_survive_every_format(tmp_path, suffix):
    codes = ["01010011010100100100", "00000000000000000001", "007"]
    frame = gpd.GeoDataFrame(
        {"code": codes}, geometry=shapely.points([[1, 1], [2, 2], [3, 3]]), crs=4490
    )
    write_frame(frame, tmp_path / f"units{suffix}")
    back = read_frame(tmp_path / f"units{suffix}")
    assert sorted(back["code"]) == sorted(codes)


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_leading_zeros_survive_tables(tmp_path, suffix):
    codes = pd.DataFrame({"code": ["01010011010100100100", "007"]})
    path = tmp_path / f"units{suffix}"
    write_table(codes, path)
    back = pd.read_parquet(path) if suffix == ".parquet" else pd.read_csv(path, dtype="str")
    assert back["code"].to_list() == codes["code"].to_list()


@pytest.mark.data
def test_all_codes_of_the_country_are_right_and_have_their_parents(shared_data):
    scheme = SCHEMES["statistical-12"]
    tables = {
        level: pd.read_parquet(shared_data / "cn-codes" / f"{name}.parquet")["code"]
        for level, name in (
            ("province", "provinces"), ("prefecture", "cities"), ("county", "areas"), ("township", "streets"),
            ("village", "villages_11_31_46"),
        )
    }  # fmt: skip
    assert len(tables["township"]) == 41_352
    for level, codes in tables.items():
        assert scheme.validate(codes, level=level) == []
        assert scheme.levels(codes).eq(level).all()
    for up, level in zip(list(tables), list(tables)[1:], strict=False):
        assert scheme.parents(tables[level]).isin(tables[up]).all()
    padded = tables["township"] + "000"
    # One county has no townships; filled with zeros its code is that of the county.
    assert scheme.place_codes(padded, level="township").isna().sum() == 1


@pytest.mark.data
def test_codes_that_were_numbers_come_back_whole(shared_data):
    codes = pd.read_parquet(shared_data / "cn-codes" / "villages_11_31_46.parquet")["code"]
    (fault,) = SCHEMES["statistical-12"].validate(codes.astype("int64"))
    assert fault.n == len(codes)
    assert fault.suggestions.to_list() == codes.to_list()
