"""What was found out is kept, and read back the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.errors import InputError, OutputError
from gisgrid.intake.columns.mapping import ColumnMapping
from gisgrid.intake.columns.roles import ROLES

FULL = ColumnMapping(
    columns={"issue_id": "案件编号", "lon": '经度 "°"', "lat": "纬\\度", "status": ""},
    datum="gcj02",
    timezone="Asia/Shanghai",
    taxonomy="gbt30428-new",
    day_first=False,
)


def test_a_mapping_is_read_back_as_it_was_written(tmp_path):
    path = tmp_path / "映射.toml"
    FULL.write(path)
    assert ColumnMapping.read(path) == FULL


def test_its_head_says_in_two_languages_what_can_be_changed(tmp_path):
    text = FULL.to_toml()
    assert text.startswith("# 列映射")
    assert "an unknown key is an error" in text
    assert all(role in text for role in ROLES)  # those in use and those that could be


def test_nothing_known_is_a_mapping_as_well(tmp_path):
    ColumnMapping().write(tmp_path / "m.toml")
    assert ColumnMapping.read(tmp_path / "m.toml") == ColumnMapping()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[colums]\nlon = "a"', r"'m.toml' has the unknown key 'colums'; did you mean 'columns'\?"),
        ('[columns]\nlong = "a"', r"unknown key 'long' in \[columns\]; did you mean 'lon'\?"),
        ('[reading]\ndatums = "gcj02"', r"unknown key 'datums' in \[reading\]; did you mean 'datum'\?"),
        ("[columns]\nlon = 3", r"has lon = 3 but that is a text in double quotes"),
        ('[reading]\nday_first = "yes"', r"has day_first = 'yes' but that is true or false"),
        ("columns = 3", r"has columns = 3 but columns is a section; write it as \[columns\]"),
        ("[columns]\nlon = 经度", r"'m.toml' is no TOML in UTF-8"),
    ],
)  # fmt: skip
def test_a_mapping_that_says_something_else_is_refused(text, message, tmp_path):
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message):
        ColumnMapping.read(tmp_path / "m.toml")


def test_a_mapping_that_is_not_there_or_not_text_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"'none.toml' cannot be read"):
        ColumnMapping.read(tmp_path / "none.toml")
    (tmp_path / "gbk.toml").write_bytes('[columns]\nlon = "经度"'.encode("gbk"))
    with pytest.raises(InputError, match="no TOML in UTF-8"):
        ColumnMapping.read(tmp_path / "gbk.toml")


def test_an_unknown_role_is_refused_and_a_missing_folder_too(tmp_path):
    with pytest.raises(InputError, match="no role 'lng'"):
        ColumnMapping(columns={"lng": "经度"})
    with pytest.raises(OutputError, match="folder"):
        FULL.write(tmp_path / "none" / "m.toml")


def test_a_mapping_does_not_change(tmp_path):
    columns = {"lon": "a"}
    mapping = ColumnMapping(columns=columns)
    columns["lat"] = "b"
    assert mapping.columns == {"lon": "a"}


NAME = st.text(st.characters(exclude_categories=("Cs",)), max_size=30)


@given(st.dictionaries(st.sampled_from(list(ROLES)), NAME), st.none() | NAME, st.none() | st.booleans())  # fmt: skip
def test_any_name_survives(tmp_path_factory, columns, datum, day_first):
    path = tmp_path_factory.mktemp("m") / "m.toml"
    mapping = ColumnMapping(columns=columns, datum=datum, day_first=day_first)
    mapping.write(path)
    assert ColumnMapping.read(path) == mapping
