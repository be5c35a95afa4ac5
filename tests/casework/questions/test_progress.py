"""Stocks that fall to zero, and come back."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.casework.questions import progress_to_zero
from gisgrid.errors import InputError

END = pd.Timestamp("2026-11-29", tz="UTC")


def cases(rows):
    units, since, settled = zip(*rows, strict=True)
    day = [
        pd.Timestamp("2026-10-01", tz="UTC") + pd.Timedelta(days=d) if d is not None else pd.NaT
        for d in (*since, *settled)
    ]
    days = pd.to_datetime(pd.Series(day), utc=True)
    return pd.DataFrame(
        {
            "unit_code": units,
            "filed_at": days[: len(units)].array,
            "closed_at": days[len(units) :].array,
        }
    )


def test_zero_pace_and_return():
    log = cases([
        ("gone", 0, 5), ("gone", 1, 10),
        ("back", 0, 5), ("back", 20, 30), ("back", 40, 50),
        ("falls", 0, None), ("falls", 0, None), ("falls", 0, 35), ("falls", 0, 45),
        ("grows", 40, None), ("grows", 41, None),
    ])  # fmt: skip
    found = progress_to_zero(
        log, until=END, units=pd.Index(["gone", "back", "falls", "grows", "never"])
    )
    assert found["n_open"].to_dict() == {"back": 0, "falls": 2, "gone": 0, "grows": 2, "never": 0}
    assert found["n_back"].to_dict() == {"back": 2, "falls": 0, "gone": 0, "grows": 0, "never": 0}
    assert found["most_open"]["falls"] == 4
    assert str(found["at_zero_since"]["gone"].date()) == "2026-10-11"
    assert found["at_zero_since"].isna().to_dict() == {
        "back": False,
        "falls": True,
        "gone": False,
        "grows": True,
        "never": True,
    }
    assert found["settled_per_week"]["falls"] == 0.5
    assert found["weeks_to_zero"]["falls"] == 4
    assert found["weeks_to_zero"].drop("falls").isna().all()
    assert np.isnan(found["share_settled"]["never"])


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from("ab"), st.integers(0, 58), st.none() | st.integers(0, 70)),
        min_size=1,
        max_size=25,
    )
)
def test_what_was_is_what_is_settled_and_what_is_open(rows):
    log = cases(rows)
    found = progress_to_zero(log, until=END)
    assert (found["n_ever"] == found["n_settled"] + found["n_open"]).all()
    assert (found["most_open"] <= found["n_ever"]).all()
    assert (
        found["at_zero_since"].notna() == ((found["n_ever"] > 0) & (found["n_open"] == 0))
    ).all()
    shuffled = progress_to_zero(log.sample(frac=1, random_state=0), until=END)
    pd.testing.assert_frame_equal(found, shuffled)


def test_what_is_void_repeated_or_without_a_zone():
    log = cases([("a", 0, None)] * 3).assign(
        state=["filed", "void", "filed"], duplicate_of=[None, None, "x"]
    )
    assert progress_to_zero(log, until=END)["n_open"].to_list() == [1]
    with pytest.raises(InputError, match="needs a time zone"):
        progress_to_zero(log, until=END.tz_localize(None))
    with pytest.raises(InputError, match="'filed_at' has no time zone"):
        progress_to_zero(log.assign(filed_at=log["filed_at"].dt.tz_localize(None)), until=END)
