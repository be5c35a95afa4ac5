"""Workbooks: title rows, merged cells, serial dates, codes as numbers."""

import datetime as dt

import openpyxl
import pytest

from gisgrid.errors import InputError
from gisgrid.intake.readers.source import open_source


def saved(path, rows, *, merged=(), sheets=()):
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "案件"
    for row in rows:
        sheet.append(row)
    for one in merged:
        sheet.merge_cells(one)
    for name, state, cells in sheets:
        other = book.create_sheet(name)
        other.sheet_state = state
        for row in cells:
            other.append(row)
    book.save(path)
    return path


def read(path, **options):
    source = open_source(path, **options)
    (batch,) = [batch for batch, _ in source.batches()]
    return source, batch


def test_title_rows_are_skipped_and_rows_bear_the_sheet_s_numbers(tmp_path):
    rows = [
        ["2026年3月案件清单"],
        ["制表单位：指挥中心"],
        ["案件编号", "经度", "纬度", "类别"],
        ["A1", 113.2, 35.2, "0401"],
        [None, None, None, None],
        ["A2", 113.3, 35.3, "0110"],
    ]
    source, batch = read(saved(tmp_path / "a.xlsx", rows, merged=["A1:D1"]))
    assert source.format == "xlsx"
    assert source.columns == ("案件编号", "经度", "纬度", "类别")
    assert batch.rows.tolist() == [4, 6]
    assert batch.table["经度"].to_pylist() == ["113.2", "113.3"]
    assert batch.table["类别"].to_pylist() == ["0401", "0110"]
    assert any("2 title rows" in note.en for note in source.notes)


def test_merged_cells_below_the_header_mean_the_same_as_above(tmp_path):
    rows = [["街道", "编号"], ["东方红", "1"], [None, "2"], ["解放", "3"], [None, "4"]]
    source, batch = read(saved(tmp_path / "a.xlsx", rows, merged=["A2:A3"]))
    assert batch.table["街道"].to_pylist() == ["东方红", "东方红", "解放", ""]
    assert any("1 merged ranges" in note.en for note in source.notes)


def test_merged_cells_reach_over_the_batches(tmp_path, monkeypatch):
    monkeypatch.setattr("gisgrid.intake.readers.excel.ROWS_AT_ONCE", 2)
    rows = [["街道", "编号"], ["东方红", "1"], *([None, str(n)] for n in range(2, 8))]
    source = open_source(saved(tmp_path / "a.xlsx", rows, merged=["A2:A7"]))
    batches = [batch for batch, _ in source.batches()]
    assert len(batches) == 4
    streets = [one for batch in batches for one in batch.table["街道"].to_pylist()]
    assert streets == ["东方红"] * 6 + [""]


def test_a_header_of_two_rows_gives_each_column_its_own_name(tmp_path):
    rows = [
        ["编号", "位置", None, "计划", "实际"],
        [None, "经度", "纬度", "日期", "日期"],
        ["A1", "113.2", "35.2", "1", "2"],
    ]
    merged = ["A1:A2", "B1:C1"]
    source, batch = read(saved(tmp_path / "a.xlsx", rows, merged=merged))
    assert source.columns == ("编号", "经度", "纬度", "计划 日期", "实际 日期")
    assert batch.rows.tolist() == [3]


def test_numbers_keep_their_digits_and_dates_become_iso_text(tmp_path):
    rows = [
        ["代码", "数", "时间", "日", "真", "空"],
        [110105001, 0.1, dt.datetime(2026, 3, 4, 9, 30, 15), dt.date(2026, 3, 4), True, None],  # noqa: DTZ001 - Excel knows no zones
        [1.0, 1e-7, dt.datetime(2026, 3, 5), dt.date(2026, 3, 5), False, "x"],  # noqa: DTZ001
    ]
    source, batch = read(saved(tmp_path / "a.xlsx", rows))
    table = batch.table.to_pydict()
    assert table["代码"] == ["110105001", "1"]
    assert table["数"] == ["0.1", "1e-07"]
    assert table["时间"] == ["2026-03-04 09:30:15", "2026-03-05 00:00:00"]
    assert table["日"] == ["2026-03-04", "2026-03-05"]
    assert table["真"] == ["TRUE", "FALSE"]
    assert table["空"] == ["", "x"]
    assert any("'时间', '日'" in note.en for note in source.notes)


def test_codes_that_only_look_padded_are_warned_of(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["代码", "x"])
    book.active.append([110, "a"])
    book.active["A2"].number_format = "000000"
    book.save(tmp_path / "a.xlsx")
    source, batch = read(tmp_path / "a.xlsx")
    assert batch.table["代码"].to_pylist() == ["110"]
    assert any("padded with zeros" in note.en for note in source.notes)


def test_the_header_again_is_refused(tmp_path):
    rows = [["编号", "街道"], ["1", "a"], ["编号", "街道"], ["2", "编号"]]
    _, batch = read(saved(tmp_path / "a.xlsx", rows))
    assert batch.rows.tolist() == [2, 4]
    assert [(one.row, one.reason) for one in batch.refused] == [(3, "repeated_header")]


def test_the_only_visible_sheet_with_content_is_taken_and_others_can_be_named(tmp_path):
    rows = [["a"], ["1"]]
    hidden = ("字典", "hidden", [["k"], ["v"]])
    path = saved(tmp_path / "a.xlsx", rows, sheets=[hidden, ("空", "visible", [])])
    assert read(path)[0].columns == ("a",)
    assert read(path, layer="字典")[0].columns == ("k",)
    with pytest.raises(InputError, match=r"no sheet '案' in 'a.xlsx'"):
        open_source(path, layer="案")


def test_several_sheets_are_refused_until_one_is_chosen(tmp_path):
    path = saved(tmp_path / "a.xlsx", [["a"], ["1"]], sheets=[("二月", "visible", [["a"], ["2"]])])
    with pytest.raises(InputError, match=r"has 2 sheets \(案件, 二月\); choose one with layer="):
        open_source(path)
    assert read(path, layer="二月")[1].table["a"].to_pylist() == ["2"]


def test_a_header_without_rows_and_an_empty_workbook_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"has a header \(2 columns\) but no rows"):
        open_source(saved(tmp_path / "a.xlsx", [["a", "b"]]))
    with pytest.raises(InputError, match="no sheet with anything in it"):
        open_source(saved(tmp_path / "b.xlsx", []))


def test_the_old_kind_of_workbook_is_read(tmp_path, xls):
    cells = [(0, 0, "标题"), (1, 0, "编号"), (1, 1, "上报时间"), (1, 2, "街道"), (2, 0, 17.0), (2, 1, (46085.395833333336, 1)), (2, 2, "东方红")]  # fmt: skip
    cells += [(3, 0, 18.0), (3, 1, (46086.0, 1))]
    (tmp_path / "a.xls").write_bytes(xls(cells, merged=[(0, 0, 0, 2), (2, 3, 2, 2)]))
    source, batch = read(tmp_path / "a.xls")
    assert source.format == "xls"
    assert batch.rows.tolist() == [3, 4]
    assert batch.table["编号"].to_pylist() == ["17", "18"]
    assert batch.table["上报时间"].to_pylist() == ["2026-03-04 09:30:00", "2026-03-05 00:00:00"]
    assert batch.table["街道"].to_pylist() == ["东方红", "东方红"]
