"""Reports in memory: the same as taking a file in, without keeping anything."""

import pandas as pd
import pytest

from gisgrid.errors import InputError
from gisgrid.intake import Reports, Stated, UnsureError, read_reports
from gisgrid.intake.ingestion import FileCounts


def test_reports_come_as_points_indexed_by_their_row(city, reports_csv):
    reports = read_reports(reports_csv, reference=city.reference)
    assert repr(reports) == "<Reports: 600 read, 600 accepted, 0 rejected>"
    assert reports.accepted.index.tolist() == list(range(2, 602))
    assert (
        reports.accepted.to_crs(4547)
        .distance(city.points.set_axis(range(2, 602)).to_crs(4547))
        .max()
        < 0.05
    )
    assert reports.accepted["duplicate_of"].isna().all()
    assert isinstance(reports, Reports)
    said = " ".join(reports.notes)
    assert "the place is read from '经度', '纬度' in gcj02 (found)" in said
    assert "GB 18030" in said
    assert "times run from 2025-" in said


def test_the_rejected_keep_row_reason_and_columns(city, tmp_path):
    table = city.table.head(20).assign(row="r", reason="mine")
    table.loc[4, "纬度"] = ""
    path = tmp_path / "a.csv"
    table.to_csv(path, index=False)
    reports = read_reports(path, stated=Stated(datum="gcj02"))
    assert reports.rejected["row"].tolist() == [6]
    assert reports.rejected["reason"].tolist() == ["no_place"]
    assert reports.rejected["row.source"].tolist() == ["r"]
    assert reports.rejected["reason.source"].tolist() == ["mine"]
    assert len(reports.accepted) + len(reports.rejected) == reports.n_read


def test_nothing_is_left_on_disk(city, reports_csv, tmp_path):
    before = sorted(tmp_path.iterdir())
    read_reports(reports_csv, reference=city.reference)
    assert sorted(tmp_path.iterdir()) == before


def test_repeats_that_the_file_names_are_kept(city, tmp_path):
    path = tmp_path / "a.csv"
    city.table.assign(duplicate_of=["000001" if at == 5 else "" for at in range(600)]).to_csv(
        path, index=False
    )
    reports = read_reports(path, reference=city.reference)
    assert reports.accepted["duplicate_of"].dropna().to_dict() == {7: "000001"}
    assert reports.ingestion.n_incidents == 599
    assert reports.ingestion.duplicates["stated"] == 1


def test_what_cannot_be_told_is_refused(reports_csv):
    with pytest.raises(UnsureError, match="--datum"):
        read_reports(reports_csv)


def test_counts_that_do_not_add_up_cannot_be_made():
    with pytest.raises(
        AssertionError, match="1 accepted and 1 rejected rows of 'a' are not the 3 that were read"
    ):
        FileCounts("a", 3, 1, {"no_place": 1})


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([("", "")], r"none of 1 rows.*1 × no coordinates"),
        ([("x", "y")], "cannot be read as numbers"),
    ],
)
def test_no_usable_row_at_all_is_an_error_with_the_cause(tmp_path, rows, sentence):
    path = tmp_path / "a.csv"
    pd.DataFrame(rows, columns=["经度", "纬度"]).assign(n="1").to_csv(path, index=False)
    stated = Stated(columns={"lon": "经度", "lat": "纬度"}, datum="wgs84")
    with pytest.raises(InputError, match=sentence):
        read_reports(path, stated=stated)
