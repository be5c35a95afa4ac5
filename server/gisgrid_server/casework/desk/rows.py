"""How does a case look on a desk: what it is, where, whose, and how much working time is left?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final, Literal

import pandas as pd

from gisgrid.casework.deadlines import WorkCalendar, time_spent
from gisgrid.casework.ledger import Case, LifeCycle

Clock = Literal["none", "running", "overdue", "paused", "met", "missed"]
"""No deadline; before or after it while open; standing still; closed in time or too late."""

SHOWN: Final = (
    "case_id", "category_code", "category", "unit_code", "community_code", "subdistrict_code", "owner", "state",
    "source", "level_found", "urgency", "reported_at", "due_at", "closed_at", "state_at", "changed_at", "lon", "lat",
    "n_returns", "n_reworks", "n_hand_overs", "n_reopenings", "duplicate_of", "version",
)  # fmt: skip
"""The columns of a case that a desk is given."""

_SETTLED: Final = "closed"


def row_of(case: Case) -> dict[str, Any]:
    """Write a case as a row of JSON, without its clock.

    Parameters
    ----------
    case
        The case.

    Returns
    -------
    dict
        The columns of `SHOWN`.
    """
    return {name: plain(getattr(case, name)) for name in SHOWN}


def rows_of(
    frame: pd.DataFrame, *, cycle: LifeCycle, calendar: WorkCalendar, now: dt.datetime
) -> list[dict[str, Any]]:
    """Write cases as rows of JSON, each with its clock.

    Parameters
    ----------
    frame
        Cases with the columns of `SHOWN`.
    cycle
        Which states are open.
    calendar
        When the administration works.
    now
        The present time.

    Returns
    -------
    list of dict
        The columns, and ``clock``: how it stands, the working hours that are left (below 0: past the deadline), and
        whether the deadline is provisional.
    """
    clocks = clocks_of(frame, cycle=cycle, calendar=calendar, now=now)
    rows = frame[list(SHOWN)].astype(object).to_dict("records")
    return [
        {str(name): plain(value) for name, value in row.items()} | {"clock": clock}
        for row, clock in zip(rows, clocks, strict=True)
    ]


def clocks_of(
    frame: pd.DataFrame, *, cycle: LifeCycle, calendar: WorkCalendar, now: dt.datetime
) -> list[dict[str, Any]]:
    """Say how the clock of each case stands.

    Parameters
    ----------
    frame
        Cases: `state`, `due_at`, `closed_at`.
    cycle
        Which states are open.
    calendar
        When the administration works.
    now
        The present time.

    Returns
    -------
    list of dict
        ``stands``, ``working_hours_left`` (None where no clock runs), ``provisional``.
    """
    due, moment = frame["due_at"], pd.Timestamp(now)
    is_open = frame["state"].isin(cycle.open_states)
    late = due < frame["closed_at"].where(~is_open, moment)
    ahead = time_spent(due.where(due >= moment).map(lambda _: moment), due, "working_hours", calendar=calendar)  # fmt: skip
    behind = time_spent(due.where(due < moment), moment, "working_hours", calendar=calendar)
    left = ahead.where(due >= moment, -behind)
    paused = {state for step in cycle.event if step.to == "previous" for state in step.before or ()}
    found = []
    for state, opened, until, is_late, hours in zip(frame["state"], is_open, due, late, left, strict=True):  # fmt: skip
        stands = (
            "paused"
            if state in paused
            else _stands(state, has_deadline=not pd.isna(until), is_open=opened, is_late=is_late)
        )
        runs = stands in ("running", "overdue")
        provisional = not pd.isna(until) and not _is_known(until, now, calendar)
        found.append({
            "stands": stands, "working_hours_left": round(float(hours), 2) + 0.0 if runs else None,
            "provisional": provisional and opened,
        })  # fmt: skip
    return found


def plain(value: Any) -> Any:  # noqa: ANN401 - any cell
    """Give a cell as a value of JSON.

    Parameters
    ----------
    value
        A text, number or time; missing in any of its ways.

    Returns
    -------
    object
        Times as ISO 8601 in UTC, what is missing as None.

    Examples
    --------
    >>> plain(pd.NaT), plain(pd.Timestamp("2026-11-22T08:00:00+08:00"))
    (None, '2026-11-22T00:00:00+00:00')
    """
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat()
    return value.item() if hasattr(value, "item") else value


def words(text: Any) -> Mapping[str, str]:  # noqa: ANN401 - Text, as declared tables hold it
    """Give words of a declared table as JSON.

    Parameters
    ----------
    text
        Chinese and English.

    Returns
    -------
    mapping
        ``zh`` and ``en``.
    """
    return {"zh": text.zh, "en": text.en}


def _stands(state: str, *, has_deadline: bool, is_open: bool, is_late: bool) -> Clock:
    if not has_deadline or (not is_open and state != _SETTLED):
        return "none"
    if is_open:
        return "overdue" if is_late else "running"
    return "missed" if is_late else "met"


def _is_known(due: dt.datetime, now: dt.datetime, calendar: WorkCalendar) -> bool:
    last = pd.Timestamp(due).tz_convert(calendar.timezone).year
    return all(calendar.is_published(year) for year in range(min(now.year, last), last + 1))
