"""What is the same report, or tells of the same incident: recovered where it was planted, not invented elsewhere."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gisgrid.errors import InputError
from gisgrid.intake.repeats.duplicates import KINDS, find_duplicates, row_hashes
from gisgrid.intake.repeats.likeness import text_likeness
from gisgrid.testing.city import synthetic_city

HOUR, DAY = np.timedelta64(1, "h"), np.timedelta64(1, "D")
START = np.datetime64("2025-01-01T00:00", "us")
WORDS = [
    a + b for a in "路小垃堆井占噪门北无三异桥树灯墙" for b in "口区圾放盖道音侧人天味下上旁边内"
]


def words_of(column):
    return pa.array(column.astype(object).where(column.notna(), None))


def found_in(issues, **options):
    return find_duplicates(
        x_m=issues.geometry.x.to_numpy(), y_m=issues.geometry.y.to_numpy(),
        reported_at=issues["reported_at"].dt.tz_localize(None).to_numpy(),
        category=words_of(issues["category"]), **options,
    )  # fmt: skip


def quality(first_of, found):
    """Give precision and recall of links: right where both belong to one planted incident."""
    rows = np.arange(len(first_of))
    mine = np.where(found.duplicate_of >= 0, found.duplicate_of, rows)
    said, true = found.duplicate_of >= 0, first_of != rows
    precision = (first_of[mine] == first_of)[said].mean()
    recall = (mine[first_of] == mine)[true].mean()
    return precision, recall


def planted(issues):
    at = pd.Series(np.arange(len(issues)), index=issues["issue_id"])
    of = issues["duplicate_of"].map(at)
    return of.fillna(at.reset_index(drop=True)).astype(int).to_numpy()


def scattered(n, *, days=365, side_m=5_000.0, seed=1, classes=3):
    """Draw independent reports: no two of one incident."""
    rng = np.random.default_rng(seed)
    return {
        "x_m": rng.uniform(0, side_m, n),
        "y_m": rng.uniform(0, side_m, n),
        "reported_at": START + rng.integers(0, days * 86_400_000_000, n).astype("timedelta64[us]"),
        "category": pa.array(np.array(list("abc"))[rng.integers(0, classes, n)].tolist()),
    }


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_planted_repeats_are_recovered_and_none_is_invented(seed):
    issues = synthetic_city(seed=seed, n_issues=20_000, years=1).layers["reported_issues"]
    found = found_in(issues)
    assert min(quality(planted(issues), found)) >= 0.95
    assert found.n_reports == 20_000
    assert found.n_incidents == 20_000 - (found.duplicate_of >= 0).sum()
    alone = issues[issues["duplicate_of"].isna()].reset_index(drop=True)
    assert (found_in(alone).duplicate_of >= 0).mean() <= 0.01


@pytest.mark.parametrize("n", [1_000, 10_000, 40_000])
def test_chance_neighbours_are_not_repeats_however_dense(n):
    """At the densest, every second report has a neighbour of its class within 50 m and three days."""
    found = find_duplicates(**scattered(n, days=30, side_m=3_000.0))
    assert (found.duplicate_of >= 0).mean() <= 0.01


def test_a_tower_that_is_reported_all_year_is_no_incident():
    reports = scattered(5_000)
    reports["x_m"][:300], reports["y_m"][:300] = 2_500.0, 2_500.0
    reports["category"] = pa.array(["a"] * 5_000)
    found = find_duplicates(**reports)
    assert (found.duplicate_of[:300] >= 0).mean() <= 0.02


def labelled(seed, *, n=4_000, n_repeats=400):
    """Draw reports with texts in a dense district; some are told again by others, in other words."""
    rng = np.random.default_rng(seed)
    reports = scattered(n, days=60, side_m=2_200.0, seed=seed)
    of = rng.choice(n, n_repeats, replace=False)
    texts = [rng.choice(WORDS, 9).tolist() for _ in range(n)]
    again = [
        [word if rng.random() < 0.7 else rng.choice(WORDS) for word in texts[each]] for each in of
    ]
    return np.concatenate([np.arange(n), of]), {
        "x_m": np.append(reports["x_m"], reports["x_m"][of] + rng.normal(0, 15, n_repeats)),
        "y_m": np.append(reports["y_m"], reports["y_m"][of] + rng.normal(0, 15, n_repeats)),
        "reported_at": np.append(
            reports["reported_at"],
            reports["reported_at"][of] + rng.integers(1, 48 * 60, n_repeats).astype("timedelta64[m]"),
        ),
        "category": pa.concat_arrays([reports["category"], reports["category"].take(pa.array(of))]),
        "description": pa.array(["".join(words) for words in texts + again]),
    }  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_words_tell_repeats_from_neighbours_where_places_cannot(seed):
    first_of, reports = labelled(seed)
    with_words = quality(first_of, find_duplicates(**reports))
    without = quality(first_of, find_duplicates(**{**reports, "description": None}))
    assert min(with_words) >= 0.95
    assert min(without) < 0.9


def test_likeness_of_texts():
    a = pa.array(["小区门口垃圾堆放", "Overflowing bin, corner", None, "ab", "完全不同的话题"])
    b = pa.array(
        ["小区门口垃圾堆放。", "overflowing BIN corner", "x" * 9, "ab", "路灯不亮已经三天"]
    )
    alike = text_likeness(a, b)
    assert alike[0] == alike[1] == 1.0
    assert np.isnan(alike[2:4]).all()
    assert alike[4] < 0.3
    assert len(text_likeness(a[:0], b[:0])) == 0


def test_the_order_of_rows_does_not_matter():
    issues = synthetic_city(seed=4, n_issues=3_000, years=1).layers["reported_issues"]
    found = found_in(issues)
    order = np.random.default_rng(1).permutation(len(issues))
    shuffled = found_in(issues.iloc[order].reset_index(drop=True))
    back = np.where(shuffled.duplicate_of >= 0, order[shuffled.duplicate_of], -1)
    np.testing.assert_array_equal(found.duplicate_of[order], back)
    np.testing.assert_array_equal(found.score[order], shuffled.score)


def test_an_incident_does_not_creep():
    """Reports 20 m and 10 hours apart, one after the other, along a street."""
    n = 40
    found = find_duplicates(
        x_m=np.arange(n) * 20.0, y_m=np.zeros(n), reported_at=START + np.arange(n) * 10 * HOUR,
        category=None, least_score=0.01,
    )  # fmt: skip
    rows = np.flatnonzero(found.duplicate_of >= 0)
    assert len(rows) > 0
    assert (found.duplicate_of[found.duplicate_of[rows]] == -1).all()
    assert (np.abs(rows - found.duplicate_of[rows]) * 20.0 <= 50.0).all()


def test_class_radius_and_window_bound_a_link():
    def linked(*, dx=0.0, hours=1.0, second="a", **options):
        found = find_duplicates(
            x_m=np.array([0.0, dx]), y_m=np.zeros(2),
            reported_at=np.array([START, START + np.timedelta64(round(hours * 60), "m")]),
            category=pa.array(["a", second]), **options,
        )  # fmt: skip
        return bool(found.duplicate_of[1] == 0)

    assert linked()
    assert not linked(second="b")
    assert not linked(second=None)
    assert not linked(dx=51.0)
    assert linked(dx=51.0, by_category={"a": (200.0, 24.0)})
    assert not linked(dx=51.0, by_category={"b": (200.0, 24.0)})
    assert not linked(hours=73.0)
    assert linked(hours=73.0, within_h=400.0)


def test_rows_without_a_place_or_a_time_are_witnesses_of_nothing():
    found = find_duplicates(
        x_m=np.array([np.nan, 0.0, 0.0]), y_m=np.array([0.0, 0.0, np.nan]),
        reported_at=np.array([START, "NaT", START], "datetime64[us]"), category=None,
        issue_id=pa.array(["A", "A", None]),
    )  # fmt: skip
    assert found.duplicate_of.tolist() == [-1, 0, -1]
    assert [KINDS[kind] for kind in found.kind] == ["", "same_id", ""]


def test_copies_and_ids_come_before_incidents():
    table = pa.table(
        {
            "id": ["7", "7", "7", "8", " "],
            "status": ["open", "open", "closed", "open", "open"],
            "day": [1, 1, 2, 1, 1],
        }
    )
    found = find_duplicates(
        x_m=np.array([0.0, 0.0, 0.0, 3.0, 9_000.0]), y_m=np.zeros(5),
        reported_at=START + table["day"].to_numpy() * DAY, category=None,
        row_hash=row_hashes(table), issue_id=table["id"],
    )  # fmt: skip
    kinds = [KINDS[kind] for kind in found.kind]
    assert sorted(kinds) == ["", "", "exact", "same_id", "same_incident"]
    assert len(set(np.where(found.duplicate_of < 0, np.arange(5), found.duplicate_of)[:4])) == 1
    assert found.same_id_differs.tolist() == [True, True, True, False, False]
    assert found.n_incidents == 2


def test_a_placeholder_is_no_id():
    n = 60
    reports = scattered(n, side_m=1e6)
    placeholder = find_duplicates(
        **reports, issue_id=pa.array(["0"] * 25 + [f"A{i}" for i in range(35)])
    )
    assert placeholder.n_incidents == n
    assert "placeholder" in placeholder.notes[0].en
    district = find_duplicates(**reports, issue_id=pa.array([str(i % 6) for i in range(n)]))
    assert district.n_incidents == n
    assert "not taken for an id" in district.notes[0].en


def test_nothing_is_read_without_rows():
    found = find_duplicates(
        x_m=np.zeros(0), y_m=np.zeros(0), reported_at=np.zeros(0, "datetime64[us]"), category=pa.array([], pa.string()),
        row_hash=row_hashes(pa.table({"a": pa.array([], pa.string())})), issue_id=pa.array([], pa.string()),
        description=pa.array([], pa.string()), source=pa.array([], pa.string()),
    )  # fmt: skip
    assert found.n_reports == found.n_incidents == 0


def test_what_cannot_be_is_refused():
    reports = scattered(5)
    for options, words in (
        ({"radius_m": 0.0}, "radius_m 0 is not between"),
        ({"within_h": 0.0}, "within_h 0 is not between"),
        ({"by_category": {"a": (-1.0, 24.0)}}, "radius_m -1 for 'a'"),
        ({"text_similarity": 1.0}, "text_similarity 1 is not between 0 and 1"),
        ({"issue_id": pa.array(["1"])}, "issue_id has 1 values but x_m has 5"),
    ):
        with pytest.raises(InputError, match=words):
            find_duplicates(**reports, **options)


def test_hashes_differ_where_rows_do():
    columns = {
        "text": pa.array(["a", "a", "a ", None, "", "b" * 40, "a"]),
        "number": pa.array([1.5, 1.5, 1.5, None, 0.0, np.nan, 1.5]),
        "whole": pa.array([1, 1, 1, None, 0, 3, -1]),
        "day": pa.array([0, 0, 0, None, 1, 2, 0], pa.date32()),
        "moment": pa.array([0, 0, 0, None, 1, 2, 0], pa.timestamp("us", tz="UTC")),
        "truth": pa.array([True, True, True, None, False, True, True]),
        "class": pa.array(["x", "x", "x", None, "y", "z", "x"]).dictionary_encode(),
        "list": pa.array([[1], [1], [1], None, [], [2], [1]]),
        "bytes": pa.array([b"a", b"a", b"a", None, b"", b"b", b"a"]),
    }
    hashes = row_hashes(pa.table(columns))
    assert hashes[0] == hashes[1]
    assert len(set(hashes.tolist())) == 6
    moved = pa.table(
        {name: pa.concat_arrays([values, values])[3:10] for name, values in columns.items()}
    )
    np.testing.assert_array_equal(row_hashes(moved), np.roll(hashes, -3))
    whole, parts = (
        pa.table(columns),
        pa.concat_tables([pa.table(columns)[:2], pa.table(columns)[2:]]),
    )
    np.testing.assert_array_equal(row_hashes(whole), row_hashes(parts))
    assert row_hashes(pa.table({"a": ["xy", "x"], "b": ["z", "yz"]})).tolist()[0] not in row_hashes(
        pa.table({"a": ["x"], "b": ["yz"]})
    )


@pytest.mark.data
def test_chicago_repeats_what_its_truth_says(shared_data):
    table = pq.read_table(shared_data / "chicago" / "chicago_sanitation_2011_2014.parquet")
    frame = table.to_pandas()
    found = find_duplicates(
        x_m=frame["X_Coordinate"].to_numpy() * 0.3048006, y_m=frame["Y_Coordinate"].to_numpy() * 0.3048006,
        reported_at=pd.to_datetime(frame["Creation_Date"]).to_numpy().astype("datetime64[us]"),
        category=table["What_is_the_Nature_of_this_Code_Violation"], row_hash=row_hashes(table),
        issue_id=table["Service_Request_Number"],
    )  # fmt: skip
    kinds = np.bincount(found.kind, minlength=len(KINDS))
    assert kinds[KINDS.index("exact")] == 3
    assert kinds[KINDS.index("exact")] + kinds[KINDS.index("same_id")] == 375
    # The city marks some repeats itself ("Completed - Dup"): five times as often among those found.
    by_city = frame["Status"].str.contains("Dup").to_numpy()
    linked = found.kind == KINDS.index("same_incident")
    assert by_city[linked].mean() > 5 * by_city[~linked].mean()
