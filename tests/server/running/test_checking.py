"""`gisgrid serve --check`: what of cases it says before anybody depends on it."""

import sqlite3
from contextlib import closing

import pytest
from gisgrid_server.edge.keys import new_key
from gisgrid_server.running.checking import check_settings, lay_down
from gisgrid_server.settings import Settings

from gisgrid.casework.ledger import LedgerError

TWO_OWNERS = """
id = "two"
scheme = "gbt30428-new"
title = { zh = "例", en = "Example" }

[fallback]
level = "subdistrict"
column = "subdistrict_code"

[[owner]]
id = "roads"
level = "bureau"
title = { zh = "路", en = "Roads" }

[[owner]]
id = "water"
level = "bureau"
title = { zh = "水", en = "Water" }

[[rule]]
owner = "roads"
classes = ["0113"]

[[rule]]
owner = "water"
classes = ["0113"]
"""


@pytest.fixture
def settings(small_city):
    return Settings(layers=small_city / "layers", data=small_city / "data")


def test_every_class_has_one_owner_in_every_unit_by_the_built_in_rules(settings):
    found = check_settings(settings)
    (said,) = (one for one in found if "exactly one owner" in one.sentence)
    assert said.is_well
    assert said.sentence.endswith("in each of 16 units")


def test_what_several_own_is_listed(settings, tmp_path):
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "routing.toml").write_text(TWO_OWNERS, "utf-8")
    found = check_settings(settings.model_copy(update={"cases_rules": tmp_path / "rules"}))
    said = [one.sentence for one in found if "owner" in one.sentence]
    assert said[0].startswith("class 0113 has several owners, roads and water, in 16 of 16 units")
    assert len(said) == 1


def test_a_key_of_an_owner_whom_no_rule_knows_is_told(settings, tmp_path):
    file = tmp_path / "keys.toml"
    _, known = new_key("known", role="bureau", owners=["water", "subdistrict:419801001"])
    _, mistaken = new_key("mistaken", role="bureau", owners=["waters"])
    _, all_of_them = new_key("centre", role="system", owners=["*"])
    file.write_text(f"{known}\n{mistaken}\n{all_of_them}", "utf-8")
    found = check_settings(settings.model_copy(update={"keys_file": file}))
    (bad,) = (one.sentence for one in found if "settles cases" in one.sentence and not one.is_well)
    assert "'mistaken' settles cases as 'waters'" in bad
    assert "water" in bad.partition("waters")[2]


def test_a_city_without_cases_is_not_asked_for_owners(settings):
    found = check_settings(settings.model_copy(update={"cases": "off"}))
    assert not any("owner" in one.sentence for one in found)


def test_a_ledger_of_before_is_brought_up_before_any_worker_is_started(settings):
    said = []
    lay_down(settings, say=said.append)
    ledger = settings.data / "casework" / "cases.db"
    with closing(sqlite3.connect(ledger)) as connection, connection:
        connection.execute("ALTER TABLE cases DROP COLUMN n_reopenings")
        connection.execute("UPDATE gisgrid_ledger SET value = '1' WHERE name = 'tables'")
    lay_down(settings, say=said.append)
    with closing(sqlite3.connect(ledger)) as connection:
        assert connection.execute("SELECT count(n_reopenings) FROM cases").fetchone() == (0,)


def test_a_database_that_is_not_there_is_told_before_any_worker_is_started(settings):
    pytest.importorskip("psycopg", reason="psycopg is not installed (gisgrid[postgis])")
    gone = settings.model_copy(update={"cases": "postgresql://gis@127.0.0.1:1/cases"})
    with pytest.raises(LedgerError, match=r"cannot be opened now .*; see that the database runs"):
        lay_down(gone, say=print)
