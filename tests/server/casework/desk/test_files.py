"""Cases as files: what is filtered and nothing else, opened by the programs they are for, and harmless to all of them."""

import csv
import datetime as dt
import io
import json
import threading

import geopandas as gpd
import openpyxl
import pyogrio
import pytest
from gisgrid_server.casework.desk import export, table
from gisgrid_server.casework.desk.table import harmless
from hypothesis import given
from hypothesis import strategies as st

LOCAL, PARKS, WATER = "0102", "0117", "0125"
"""Classes by their owners."""

EVIL = ['=HYPERLINK("http://x","y")', "+1+1", "-2+3", "@SUM(1)", "\t=1", "\r=1", " =1+1", "＝1+1", "\u200b=1"]  # fmt: skip


def rows_of(form, content, tmp_path):
    """A file's cases as its own programs read them: dicts of texts and numbers by the names of columns."""
    path = tmp_path / f"cases.{form}"
    path.write_bytes(content)
    if form == "csv":
        assert content.startswith(b"\xef\xbb\xbf")
        return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    if form == "xlsx":
        rows = [[cell.value for cell in row] for row in openpyxl.load_workbook(path).worksheets[0]]
        names = {text.en: name for name, text in export.HEADINGS.items()}
        return [
            dict(zip((names[title] for title in rows[0]), row, strict=True)) for row in rows[1:]
        ]
    if form == "gpkg":
        return gpd.read_file(path).to_dict("records")
    return [each["properties"] for each in json.loads(content)["features"]]


@pytest.mark.parametrize("form", ["csv", "xlsx", "gpkg", "geojson"])
def test_a_file_opens_and_holds_what_is_filtered_and_seen(office, tmp_path, form):
    parks = office.brought_to("closed", PARKS)
    local = office.brought_to("dispatched", LOCAL)
    office.brought_to("dispatched", WATER)
    office.brought_to("dispatched", LOCAL, east=500)
    answer = office.ask(
        f"export.{form}", "west", params={"lang": "en", "service_code": f"{PARKS},{LOCAL}"}
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert f".{form}" in answer.headers["content-disposition"]
    rows = rows_of(form, answer.content, tmp_path)
    assert [row["case_id"] for row in rows] == [parks, local]
    assert [row["state"] for row in rows] == ["closed", "dispatched"]
    assert rows[1]["owner_title"] == "Unit 419801001"
    about = json.loads(answer.headers["x-provenance"])
    assert about["made_by"] == "west"
    assert about["n_cases"] == 2
    assert about["filter"] == {"service_code": [PARKS, LOCAL], "lang": "en"}
    if form in {"csv", "xlsx"}:
        case = office.desk.ledger.case(parks)
        read = rows[0]["reported_at"]
        local_time = dt.datetime.fromisoformat(read) if form == "csv" else read.replace(tzinfo=dt.timezone(dt.timedelta(hours=8)))  # fmt: skip
        assert local_time == case.reported_at.replace(microsecond=0)
    if form == "gpkg":
        frame = gpd.read_file(tmp_path / "cases.gpkg")
        assert frame.crs.to_epsg() == 4326
        assert frame.geometry.x.to_list() == pytest.approx([office.place()[0]] * 2)
        said = pyogrio.read_info(tmp_path / "cases.gpkg")["layer_metadata"]
        assert json.loads(said["provenance"])["made_by"] == "west"
    if form == "xlsx":
        book = openpyxl.load_workbook(tmp_path / "cases.xlsx")
        said = {row[0].value: row[1].value for row in book["Provenance"]}
        assert said["made_by"] == "west"


@pytest.mark.parametrize("form", ["csv", "xlsx", "gpkg", "geojson"])
def test_an_empty_file_is_a_file(office, tmp_path, form):
    answer = office.ask(f"export.{form}", params={"state": "void", "lang": "en"})
    assert answer.status_code == 200
    assert rows_of(form, answer.content, tmp_path) == []


def test_no_cell_of_a_spreadsheet_begins_a_formula(office, tmp_path):
    for text in EVIL:
        office.report(description=text, contact={"name": text})
    office.report(description="普通描述\x0b", contact={"name": "王女士"})
    for form in ("csv", "xlsx"):
        answer = office.ask(f"export.{form}", params={"texts": "true", "lang": "en"})
        rows = rows_of(form, answer.content, tmp_path)
        assert len(rows) == len(EVIL) + 1
        for row in rows:
            for value in row.values():
                assert harmless(value) == value or is_number(value), value
        written = {row["description"].lstrip("'").strip() for row in rows}
        assert {text.strip() for text in EVIL} <= written
        assert any(row["description"].startswith("普通描述") for row in rows)
    book = openpyxl.load_workbook(tmp_path / "cases.xlsx")
    assert not any(cell.data_type == "f" for sheet in book for row in sheet for cell in row)


def is_number(value):
    try:
        float(value)
    except (TypeError, ValueError):
        return False
    return True


@given(st.text())
def test_a_text_stays_what_it_is_but_never_begins_a_formula(text):
    found = harmless(text)
    assert found in {text, f"'{text}"}
    assert found[:1] not in ("=", "+", "-", "@", "\t", "\r")
    assert harmless(found) == found


def test_texts_and_contacts_need_their_power_and_files_need_theirs(office, problem):
    office.report(LOCAL, description="机密", contact={"phone": "13800000000"})
    problem(office.ask("export.csv", "west", params={"texts": "true"}), 403)
    plain = office.ask("export.csv", "west")
    assert "机密" not in plain.text
    assert "13800000000" not in plain.text
    told = office.ask("export.csv", "district", params={"texts": "true"})
    assert "机密" in told.text
    assert "13800000000" in told.text
    problem(office.ask("export.csv", "walker"), 403)


def test_a_file_of_many_cases_is_read_in_parts_and_too_many_are_refused(
    office, problem, tmp_path, monkeypatch
):
    monkeypatch.setattr(table, "AT_ONCE", 2)
    made = [office.report() for _ in range(5)]
    for form in ("csv", "geojson", "gpkg", "xlsx"):
        answer = office.ask(f"export.{form}", params={"lang": "en"})
        assert [row["case_id"] for row in rows_of(form, answer.content, tmp_path)] == made
    monkeypatch.setitem(export.MOST, "csv", 4)
    detail = problem(office.ask("export.csv"), 400)["detail"]
    assert "5 cases" in detail
    assert "at most 4" in detail


def test_a_worker_makes_so_many_files_at_a_time_and_gives_the_room_back(
    office, problem, monkeypatch
):
    monkeypatch.setattr(export, "_room", threading.BoundedSemaphore(1))
    office.report()
    for _ in range(3):
        assert office.ask("export.csv").status_code == 200
    with export._room:
        assert problem(office.ask("export.csv"), 503)["type"].endswith(":busy")
    left = export.written("csv", iter(()), export.Provenance(dt.datetime.now(dt.UTC), "x", {}, 0, "UTC"), "en")  # fmt: skip
    next(left)
    del left
    assert office.ask("export.csv").status_code == 200


def test_indicators_are_of_what_is_seen(office, problem, now):
    for code in (PARKS, PARKS, WATER):
        office.brought_to("closed", code)
    office.brought_to("dispatched", PARKS)
    period = now.astimezone(dt.timezone(dt.timedelta(hours=8))).strftime("%Y-%m")
    found = office.get("indicators", period=period, by="owner")
    values = {row["group"]: row["values"] for row in found["rows"]}
    assert values["urban_management"]["n_closed"] == 2
    assert values["urban_management"]["n_reported"] == 3
    assert values["water"]["closing_on_time_rate_of_open"] == 1
    names = {column["name"] for column in found["columns"]}
    assert names <= set(values["water"])
    own = office.get("indicators", "water", period=period, by="owner")
    assert [row["group"] for row in own["rows"]] == ["water"]
    whole = office.get("indicators", "water", period=period, compare="true")
    assert whole["rows"][0]["values"]["n_closed"] == 1
    assert whole["rows"][0]["values"]["n_closed_before"] is None
    for wrong in ("2026-13", "soon", "2190"):
        problem(office.ask("indicators", params={"period": wrong}), 400)
