import datetime as dt

import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis.space_time.cube import space_time_cube
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning

UNITS = pd.Index(["a", "b", "c", "never"])
CITY = "Asia/Shanghai"


def reports(m=3_000, seed=1, zone="UTC"):
    rng = np.random.default_rng(seed)
    seconds = rng.integers(0, 400 * 86_400, m)
    times = pd.Series(
        pd.Timestamp("2024-03-10 05:00", tz=zone) + pd.to_timedelta(seconds, unit="s")
    )
    codes = pd.Series(rng.choice(["a", "b", "c", "elsewhere"], m))
    return times, codes


def test_counts_are_those_of_pandas_in_the_citys_months():
    times, codes = reports()
    cube = space_time_cube(times, codes, UNITS, timezone=CITY)
    month = times.dt.tz_convert(CITY).dt.strftime("%Y-%m")
    expected = pd.crosstab(codes, month).reindex(index=UNITS, fill_value=0)
    np.testing.assert_array_equal(cube.counts, expected)
    assert cube.counts.columns.strftime("%Y-%m").to_list() == expected.columns.to_list()
    assert cube.n_outside == (codes == "elsewhere").sum()
    assert cube.counts.to_numpy().sum() + cube.n_outside == len(times)


def test_half_months_at_the_ends_are_marked():
    times, codes = reports()
    cube = space_time_cube(times, codes, UNITS, timezone=CITY)
    assert cube.steps["complete"].to_list() == [False] + [True] * 12 + [False]
    assert cube.complete.shape == (4, 12)
    assert "12 of them complete" in repr(cube)
    whole = space_time_cube(
        times, codes, UNITS, timezone=CITY,
        since=pd.Timestamp("2024-03-01", tz=CITY), until=pd.Timestamp("2025-05-01", tz=CITY),
    )  # fmt: skip
    assert whole.steps["complete"].all()
    np.testing.assert_array_equal(whole.counts, cube.counts)


def test_a_period_leaves_out_and_counts_what_is_beyond():
    times, codes = reports()
    since = dt.datetime(2024, 6, 15, tzinfo=dt.UTC)
    cube = space_time_cube(times, codes, UNITS, timezone="UTC", since=since)
    late = times >= since
    assert cube.n_before_or_after == (~late).sum()
    assert cube.counts.to_numpy().sum() == (late & codes.isin(UNITS)).sum()
    assert not cube.steps["complete"].iloc[0]


@pytest.mark.parametrize(
    "step", ["day", "week", "quarter", "year", dt.timedelta(days=10), dt.timedelta(hours=7)]
)
def test_every_report_lands_in_the_step_it_was_made_in(step):
    times, codes = reports(zone="America/Chicago")  # summer time begins and ends within
    cube = space_time_cube(times, codes, UNITS, step=step, timezone="America/Chicago")
    assert cube.counts.to_numpy().sum() == codes.isin(UNITS).sum()
    starts, ends = cube.steps.index, cube.steps["ends_at"]
    for column in (0, 3, len(starts) - 1):
        if column < len(starts):
            inside = (times >= starts[column]) & (times < ends.iloc[column])
            assert cube.steps["n"].iloc[column] == (inside & codes.isin(UNITS)).sum()
    if step == "week":
        assert set(starts.day_name()) == {"Monday"}
    if step != dt.timedelta(hours=7):
        assert (starts.hour == 0).all()


def test_the_order_of_reports_does_not_matter():
    times, codes = reports()
    mixed = np.random.default_rng(0).permutation(len(times))
    pd.testing.assert_frame_equal(
        space_time_cube(times, codes, UNITS, timezone=CITY).counts,
        space_time_cube(times.iloc[mixed], codes.iloc[mixed], UNITS, timezone=CITY).counts,
    )


def test_nothing_to_count_is_said():
    times, codes = reports(5)
    with pytest.warns(NullResultWarning, match="no steps"):
        cube = space_time_cube(times[:0], codes[:0], UNITS, timezone=CITY)
    assert cube.counts.shape == (4, 0)
    with pytest.warns(NullResultWarning, match="no steps"):
        cube = space_time_cube(times.where(times.isna()), codes, UNITS, timezone=CITY)
    assert cube.n_without_time == 5
    with pytest.warns(NullResultWarning, match="all counts are 0"):
        cube = space_time_cube(times, codes.where(codes.isna()), UNITS, timezone=CITY)
    assert cube.n_outside == 5
    assert (cube.counts == 0).all(axis=None)


def test_what_cannot_be_meant_is_refused():
    times, codes = reports(5)
    with pytest.raises(IndexMismatchError):
        space_time_cube(times, codes[::-1], UNITS, timezone=CITY)
    with pytest.raises(InputError, match="with a zone"):
        space_time_cube(times.dt.tz_localize(None), codes, UNITS, timezone=CITY)
    with pytest.raises(InputError, match="time zone 'Peking'"):
        space_time_cube(times, codes, UNITS, timezone="Peking")
    with pytest.raises(InputError, match="occur again"):
        space_time_cube(times, codes, pd.Index(["a", "a"]), timezone=CITY)
    for step in ("fortnight", dt.timedelta(0)):
        with pytest.raises(InputError, match="step"):
            space_time_cube(times, codes, UNITS, timezone=CITY, step=step)
    with pytest.raises(InputError, match="no time zone"):
        space_time_cube(times, codes, UNITS, timezone=CITY, since=dt.datetime(2024, 1, 1))  # noqa: DTZ001
    with pytest.raises(InputError, match="empty"):
        space_time_cube(
            times, codes, UNITS, timezone=CITY, until=pd.Timestamp("2020-01-01", tz=CITY)
        )
    with pytest.raises(InputError, match="memory"):
        space_time_cube(*reports(), pd.RangeIndex(10_000_000), timezone=CITY, step="day")
