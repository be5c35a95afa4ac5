"""Times that can mean one thing only."""

import datetime as dt

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import InputError
from gisgrid.intake.reasons import FLAGS
from gisgrid.intake.times.reading import FLAG_CODES, flag_words, read_times, time_flags, time_rule

SHANGHAI, NEW_YORK = "Asia/Shanghai", "America/New_York"


def read(values, *, timezone="+00:00", **options):
    """Read a column with the rule that its own values give: times to the second, and flags in words."""
    column = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values)
    times, flags = read_times(column, time_rule(column, timezone=timezone, **options))
    assert times.dtype == "datetime64[us]"
    assert flags.dtype == np.uint8
    return times.astype("datetime64[s]").astype(str).tolist(), flag_words(flags).to_pylist()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2026-03-04T09:30:05", "2026-03-04T09:30:05"),
        ("2026-03-04T09:30:05.750", "2026-03-04T09:30:05"),
        ("2026-03-04 09:30:05,750", "2026-03-04T09:30:05"),
        ("2026/3/4 9:30", "2026-03-04T09:30:00"),
        ("2024/1/5 8:00", "2024-01-05T08:00:00"),
        ("2026.3.4 9:30:05", "2026-03-04T09:30:05"),
        ("2026年03月04日 21:05:06", "2026-03-04T21:05:06"),
        ("2026年3月4日9时30分", "2026-03-04T09:30:00"),
        ("2026年3月4日 9点", "2026-03-04T09:00:00"),
        ("2026年3月4日星期三 09:30", "2026-03-04T09:30:00"),
        ("2026-03-04 下午 1:20:05", "2026-03-04T13:20:05"),
        ("2026/3/4 上午12:30", "2026-03-04T00:30:00"),
        ("2026/3/4 中午12:30", "2026-03-04T12:30:00"),
        ("2026/3/4 晚上8点30分", "2026-03-04T20:30:00"),
        ("01/31/2023 11:45:00 PM", "2023-01-31T23:45:00"),
        ("01/31/2023 12:00:00 AM", "2023-01-31T00:00:00"),
        ("3/14/2025 1:20", "2025-03-14T01:20:00"),
        ("31-01-2023 7:05 p.m.", "2023-01-31T19:05:00"),
        ("05.01.2024 08:00", "2024-01-05T08:00:00"),
        ("Mar 14, 2025 1:20 PM", "2025-03-14T13:20:00"),
        ("Fri, 14 Mar 2025 01:20:00 GMT", "2025-03-14T01:20:00"),
        ("20240105083000", "2024-01-05T08:30:00"),
        ("20240105T0830", "2024-01-05T08:30:00"),
        ("202401050830", "2024-01-05T08:30:00"),
        ("2024-12-31 24:00", "2025-01-01T00:00:00"),
        ("2026-03-04T09:30:05+08:00", "2026-03-04T01:30:05"),
        ("2026-03-04 09:30:05+08", "2026-03-04T01:30:05"),
        ("2026-03-04T09:30:05.000-0530", "2026-03-04T15:00:05"),
        ("2026-03-04T09:30Z", "2026-03-04T09:30:00"),
        ("２０２６/０３/０４　０９：３０", "2026-03-04T09:30:00"),
        ("'2026-03-04 09:30", "2026-03-04T09:30:00"),
        ("\u00a02026-03-04 09:30 ", "2026-03-04T09:30:00"),
    ],
)
def test_what_cities_write_is_read(text, time):
    assert read([text]) == ([time], [""])


@pytest.mark.parametrize(
    "text", ["2026-03-04", "2026年3月4日", " 2026-3-4 ", "20260304", "4-Mar-2026"]
)
def test_a_day_alone_is_read_as_such(text):
    assert read([text]) == (["2026-03-04T00:00:00"], ["day_only"])


@pytest.mark.parametrize(
    "text",
    ["soon", "2026-03", "2026-13-04", "2026-02-29", "2026-03-04 25:00", "2026-03-04 24:01", "2026-03-04 9:60",
     "9:30", "4小时", "2026-03-04 上午13:00", "2026-03-04 13:00 AM", "2026-03-04 09:30 CST", "2026-03-04 09:30:",
     "2026/03-04", "1/2/24", "2026-03-04 09:30 extra", "2026-03-04 08", "12345678901234567890", "2026年3月"],
)  # fmt: skip
def test_what_is_no_time_is_flagged(text):
    assert read([text]) == (["NaT"], ["unreadable_time"])


@pytest.mark.parametrize(
    "text", [None, "", "  ", "NULL", "-", "N/A", "无", "\\N", "0000-00-00 00:00:00"]
)
def test_a_missing_time_is_no_fault(text):
    assert read(["2026-03-04 09:30", text]) == (["2026-03-04T09:30:00", "NaT"], ["", ""])


def test_a_column_shows_which_of_day_and_month_comes_first():
    american, _ = read(["02/03/2026 01:00:00 PM", "02/28/2026 11:45:00 PM"])
    european, _ = read(["02/03/2026", "28/02/2026"])
    assert american == ["2026-02-03T13:00:00", "2026-02-28T23:45:00"]
    assert european == ["2026-03-02T00:00:00", "2026-02-28T00:00:00"]


def test_day_or_month_first_is_refused_where_nothing_decides():
    assert read(["02/03/2026", "04/04/2026"]) == (
        ["NaT", "2026-04-04T00:00:00"],
        ["ambiguous_time", "day_only"],
    )
    rule = time_rule(pa.array(["02/03/2026"]), timezone=SHANGHAI)
    assert rule.day_first is None
    assert "state day_first" in rule.notes[0].en


def test_day_or_month_first_can_be_stated():
    assert read(["02/03/2026"], day_first=True)[0] == ["2026-03-02T00:00:00"]
    assert read(["02/03/2026", "02/28/2026"], day_first=True) == (
        ["2026-03-02T00:00:00", "NaT"],
        ["day_only", "unreadable_time"],
    )


def test_a_column_that_contradicts_itself_gives_only_what_has_one_meaning():
    times, flags = read(["28/02/2026", "02/27/2026", "02/03/2026"])
    assert times == ["2026-02-28T00:00:00", "2026-02-27T00:00:00", "NaT"]
    assert flags[2] == "ambiguous_time"


def test_a_slip_of_the_pen_does_not_undo_a_column():
    times, flags = read(["02/28/2026"] * 400 + ["28/02/2026", "02/03/2026"])
    assert times[-2:] == ["NaT", "2026-02-03T00:00:00"]
    assert flags[-2] == "unreadable_time"


def test_several_formats_in_one_column():
    texts = [
        "2026-03-04T09:30:00Z",
        "3/14/2026 1:20",
        "2026年3月4日 09:30",
        "46084.5",
        "1772616600",
        "2026/3/5",
    ]
    times, flags = read(texts, timezone=SHANGHAI)
    assert times == [
        "2026-03-04T09:30:00", "2026-03-13T17:20:00", "2026-03-04T01:30:00",
        "2026-03-03T04:00:00", "2026-03-04T09:30:00", "2026-03-04T16:00:00",
    ]  # fmt: skip
    assert flags == ["", "", "", "", "", "day_only"]


@pytest.mark.parametrize(
    ("values", "first"),
    [
        (["45321.25", "45322"], "2024-01-30T06:00:00"),
        (pa.array([45321.25, 45322.0, None]), "2024-01-30T06:00:00"),
        (pa.array([1706594400, 1706594401]), "2024-01-30T06:00:00"),
        (pa.array([1706594400000, None]), "2024-01-30T06:00:00"),
        (pa.array([1706594400.0, float("nan")]), "2024-01-30T06:00:00"),
        (["1706594400000000"], "2024-01-30T06:00:00"),
        (["1706594400000000000"], "2024-01-30T06:00:00"),
        (pa.array([20240130, 20240131]), "2024-01-30T00:00:00"),
    ],
)
def test_numbers_say_what_they_count_by_their_size(values, first):
    assert read(values)[0][0] == first


def test_serials_are_those_of_the_1900_system():
    pairs = {
        61: "1900-03-01",
        25569: "1970-01-01",
        45292: "2024-01-01",
    }  # as every spreadsheet shows them
    serial = {str(number).zfill(5): day for number, day in pairs.items()}
    times, _ = read(list(serial), years=(1900, 2099))
    assert [time[:10] for time in times] == list(serial.values())


@pytest.mark.parametrize(
    "numbers", [["12345", "23456"], ["2024-01-05", "12345"], ["45321", "soon", "later", "x"]]
)
def test_numbers_that_fit_nothing_are_not_times(numbers):
    column = pa.array(numbers)
    rule = time_rule(column, timezone=SHANGHAI)
    assert not rule.units
    assert any("not read" in note.en for note in rule.notes)
    assert np.isnat(read_times(column, rule)[0][-1])


def test_an_hour_that_comes_twice_and_one_that_never_comes():
    times, flags = read(
        [
            "2024-11-03 01:30",
            "2024-11-03 02:00",
            "2024-03-10 02:30",
            "2024-03-10 03:00",
            "2024-11-03T01:30-05:00",
        ],
        timezone=NEW_YORK,
    )
    assert times == [
        "2024-11-03T05:30:00", "2024-11-03T07:00:00", "2024-03-10T07:00:00", "2024-03-10T07:00:00",
        "2024-11-03T06:30:00",
    ]  # fmt: skip
    assert flags == ["clock_change", "", "clock_change", "", ""]


def test_local_times_are_those_of_another_implementation():
    zone = np.random.default_rng(1)
    start, end = (np.datetime64(day, "s").astype(np.int64) for day in ("1985-01-01", "2030-01-01"))
    wall = pd.DatetimeIndex(zone.integers(start, end, 20_000).astype("datetime64[s]")).as_unit("us")
    for name in (SHANGHAI, NEW_YORK, "Europe/Berlin", "Australia/Lord_Howe", "+05:45"):
        mine, flags = read_times(
            pa.array(wall.astype(str)), time_rule(pa.array(wall.astype(str)[:50]), timezone=name)
        )
        theirs = wall.tz_localize(
            dt.timezone(dt.timedelta(hours=5, minutes=45)) if name[0] == "+" else name,
            ambiguous=np.ones(len(wall), bool), nonexistent="shift_forward",
        ).tz_convert("UTC").tz_localize(None)  # fmt: skip
        np.testing.assert_array_equal(mine, theirs.to_numpy())
        assert (flags == 0).mean() > 0.999


def test_years_that_nobody_believes_are_left_out():
    times, flags = read(
        [
            "1900-01-01",
            "9999-12-31 00:00",
            "0001-01-01 00:00",
            "2924-01-05 08:00",
            "2024-01-05 08:00",
        ]
    )
    assert times == ["NaT"] * 4 + ["2024-01-05T08:00:00"]
    assert flags == ["implausible_year"] * 4 + [""]


@pytest.mark.parametrize(
    ("column", "time", "flag"),
    [
        (pa.array([dt.date(2024, 1, 5)]), "2024-01-04T16:00:00", "day_only"),
        (pa.array([dt.date(2024, 1, 5)], pa.date64()), "2024-01-04T16:00:00", "day_only"),
        (pa.array([dt.datetime(2024, 1, 5, 8)]), "2024-01-05T00:00:00", ""),  # noqa: DTZ001 - the case
        (pa.array([1704412800], pa.timestamp("s")), "2024-01-04T16:00:00", ""),
        (pa.array([1704412800123456789], pa.timestamp("ns", tz="UTC")), "2024-01-05T00:00:00", ""),
        (pa.array([None], pa.timestamp("ms")), "NaT", ""),
        (pa.nulls(1), "NaT", ""),
        (pa.array(["2024-01-05 08:00"], pa.large_string()), "2024-01-05T00:00:00", ""),
        (pa.array(["2024-01-05 08:00"]).dictionary_encode(), "2024-01-05T00:00:00", ""),
        (pa.chunked_array([["2024-01-05 08:00"], []]), "2024-01-05T00:00:00", ""),
        (pa.array(["x", "2024-01-05 08:00"])[1:], "2024-01-05T00:00:00", ""),
    ],
)
def test_typed_columns_keep_their_meaning(column, time, flag):
    assert read(column, timezone=SHANGHAI) == ([time], [flag])


def test_an_empty_column_is_read():
    assert read(pa.array([], pa.string())) == ([], [])
    assert read(pa.chunked_array([], pa.string())) == ([], [])


def test_a_column_that_says_midnight_throughout_knows_days_only():
    for column in (
        pa.array(["2024-01-05 00:00:00"] * 30),
        pa.array([1704412800] * 30, pa.timestamp("s")),
    ):
        assert set(read(column)[1]) == {"day_only"}
    assert set(read(["2024-01-05 00:00:00"] * 30 + ["2024-01-05 08:00"])[1]) == {""}


def test_other_columns_and_zones_are_refused():
    with pytest.raises(InputError, match="type bool holds no times"):
        time_rule(pa.array([True]), timezone=SHANGHAI)
    with pytest.raises(
        InputError, match=r"no time zone 'Asia/Shanghia'; did you mean 'Asia/Shanghai'"
    ):
        time_rule(pa.array(["2024-01-05"]), timezone="Asia/Shanghia")
    with pytest.raises(InputError, match="no time zone '\\+99:00'"):
        time_rule(pa.array(["2024-01-05"]), timezone="+99:00")


@given(
    st.datetimes(dt.datetime(1980, 1, 2), dt.datetime(2099, 12, 30)),  # noqa: DTZ001 - by the clock on the wall
    st.sampled_from(
        ["%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S.%f", "%Y%m%d%H%M%S", "%Y年%m月%d日%H时%M分%S秒",
         "%d.%m.%Y %H:%M:%S", "%d %b %Y %H:%M:%S", "%B %d, %Y %I:%M:%S %p", "%Y-%m-%d %I:%M:%S %p"]
    ),
)  # fmt: skip
@settings(max_examples=80, deadline=None)
def test_what_is_written_is_read_back(moment, layout):
    text = moment.strftime(layout)
    assert read([text]) == ([moment.isoformat()[:19]], [""])


@given(st.lists(st.text(max_size=24), max_size=6))
@settings(max_examples=40, deadline=None)
def test_any_text_is_read_or_refused_row_by_row(texts):
    column = pa.array(texts, pa.string())
    rule = time_rule(column, timezone=SHANGHAI)
    times, flags = read_times(column, rule)
    alone = [read_times(pa.array([text]), rule) for text in texts]
    np.testing.assert_array_equal(times, np.concatenate([t for t, _ in alone]) if alone else times)
    np.testing.assert_array_equal(flags, np.concatenate([f for _, f in alone]) if alone else flags)


@given(st.text(alphabet="0123456789-/:. TZ+年月日上下午AP", max_size=26))
@settings(max_examples=150, deadline=None)
def test_a_time_that_is_read_lies_in_the_years_believed(text):
    times, flags = read_times(pa.array([text]), time_rule(pa.array([text]), timezone=SHANGHAI))
    assert np.isnat(times[0]) or 1979 <= times[0].astype("datetime64[Y]").astype(int) + 1970 <= 2100
    assert np.isnat(times[0]) or flags[0] in {0, 4, 16, 20}


def test_times_contradict_each_other_and_the_export():
    t = np.array(["2026-03-04T08:00", "2026-03-05T08:00", "NaT"], "datetime64[us]")
    as_of = dt.datetime(2026, 3, 5, 12, tzinfo=dt.UTC)
    assert flag_words(time_flags(t, t[::-1], t[[1, 0, 0]], as_of=as_of)).to_pylist() == [
        "", "closed_before_reported", "",
    ]  # fmt: skip
    early = dt.datetime(2026, 3, 5, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert flag_words(time_flags(t, t[[1, 0, 0]], as_of=early)).to_pylist() == [
        "in_the_future", "uploaded_before_reported;in_the_future", "",
    ]  # fmt: skip


def test_a_day_alone_is_not_before_an_hour_of_it():
    reported = np.array(["2026-03-04T06:00", "2026-03-04T06:00"], "datetime64[us]")
    closed = np.array(["2026-03-03T16:00", "2026-03-02T16:00"], "datetime64[us]")
    as_of = dt.datetime(2026, 4, 1, tzinfo=dt.UTC)
    flags = time_flags(reported, closed=closed, as_of=as_of, day_only=np.array([True, True]))
    assert flag_words(flags).to_pylist() == ["", "closed_before_reported"]


def test_the_export_needs_a_moment():
    with pytest.raises(InputError, match="has no time zone"):
        time_flags(np.array([], "datetime64[us]"), as_of=dt.datetime(2026, 3, 5))  # noqa: DTZ001 - the case


def test_every_flag_has_words():
    assert set(FLAG_CODES) <= set(FLAGS)


@pytest.mark.data
def test_the_times_of_new_york(shared_data):
    for name, column, closed, n_open, first, last in (
        ("nyc_311_20230228_raw.csv.gz", "Created Date", "Closed Date", 545, "2023-02-28T11:31", "2023-02-28T23:45"),
        ("nyc_311_animals_raw.csv.gz", "Created Date", "Closed Date", 277, "2025-01-01T07:52", "2025-03-14T01:20"),
    ):  # fmt: skip
        table = pd.read_csv(shared_data / "nyc" / name, dtype=str)
        columns = [
            pa.array(table[each].astype(object).where(table[each].notna(), None))
            for each in (column, closed)
        ]
        rules = [time_rule(each, timezone=NEW_YORK) for each in columns]
        assert [rule.day_first for rule in rules] == [False, False]
        (reported, flags), (settled, _) = (
            read_times(*pair) for pair in zip(columns, rules, strict=True)
        )
        assert not flags.any()
        local = (
            pd.DatetimeIndex([reported.min(), reported.max()])
            .tz_localize("UTC")
            .tz_convert(NEW_YORK)
        )
        assert local.strftime("%Y-%m-%dT%H:%M").tolist() == [first, last]
        assert np.isnat(settled).sum() == n_open
        before = time_flags(reported, closed=settled, as_of=dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
        if "20230228" in name:
            assert (before > 0).sum() == 2


@pytest.mark.data
def test_the_times_of_chicago(shared_data):
    table = pd.read_parquet(shared_data / "chicago" / "chicago_sanitation_2011_2014.parquet")
    columns = [pa.array(table[name]) for name in ("Creation_Date", "Completion_Date")]
    reported, closed = (
        read_times(each, time_rule(each, timezone="America/Chicago"))[0] for each in columns
    )
    assert np.isnat(closed).sum() == 325
    flags = time_flags(reported, closed=closed, as_of=dt.datetime(2016, 1, 1, tzinfo=dt.UTC))
    assert not flags.any()
    assert (reported < np.datetime64("2001-01-01")).sum() == 28
