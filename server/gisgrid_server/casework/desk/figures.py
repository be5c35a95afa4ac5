"""The indicators of a period, for what somebody may see."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final, Literal

import pandas as pd

from gisgrid.casework.indicators import (
    Indicators,
    Period,
    compared,
    indicators,
    period_of,
    read_indicators,
)
from gisgrid.casework.indicators.declaration import NUMBERS, TIMES, WORDS
from gisgrid.casework.ledger import CaseFilter
from gisgrid.desk import Desk
from gisgrid.errors import InputError
from gisgrid_server.casework.desk.rows import plain, words
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.edge.rights import Rights

By = Literal["owner", "subdistrict_code", "community_code", "unit_code", "category_code", "source"]

_KEYS: Final = ("case_id", "subdistrict_code", "community_code", "unit_code")
_COLUMNS: Final = tuple(dict.fromkeys((*_KEYS, *TIMES, *NUMBERS, *WORDS)))


def indicators_document(
    desk: Desk,
    written: str,
    rights: Rights,
    *,
    by: By | None,
    wanted: CaseFilter,
    compare: bool,
    now: dt.datetime,
) -> dict[str, Any]:
    """Tell the indicators of a period, reckoned of the cases that the asker sees and of no others.

    Parameters
    ----------
    desk
        The cases.
    written
        The period, as ``2026-11``, ``2026-W46`` or ``2026-11-22``.
    rights
        The asker's.
    by
        What to tell apart; None for all together.
    wanted
        Of which cases.
    compare
        Whether with the period before and the same a year ago.
    now
        The present time: a period that is not over is cut here.

    Returns
    -------
    dict
        ``period``, ``by``, ``columns`` (each indicator with its words, and the numerator and denominator of rates), ``rows``.

    Raises
    ------
    BadRequestError
        No period, or one of which nothing is known yet.
    """
    try:
        period = period_of(written, timezone=desk.calendar.timezone).known_until(pd.Timestamp(now))
    except InputError as error:
        raise BadRequestError(str(error)) from error
    declared = read_indicators()
    periods = [period]
    if compare:
        periods += [other for other in (period.before(), period.year_ago()) if other is not None]
    cases = _touched(desk, wanted & rights.within(), periods)
    reckoned = compared if compare else indicators
    frame = reckoned(cases, period, by=[by] if by else [], declared=declared)
    rows = [
        {
            "group": plain(group) if by else None,
            "values": {str(k): plain(v) for k, v in row.items()},
        }
        for group, row in zip(frame.index, frame.astype(object).to_dict("records"), strict=True)
    ]
    return {
        "period": {
            "written": written, "kind": period.kind, "first": period.first.isoformat(),
            "after": period.after.isoformat(), "known_until": plain(period.end), "timezone": period.timezone,
        },
        "by": by, "columns": _columns(declared), "rows": rows,
    }  # fmt: skip


def _touched(desk: Desk, wanted: CaseFilter, periods: list[Period]) -> pd.DataFrame:
    """Read the cases that may count in some periods: changed since, still open, or due in one of them."""
    first = min(period.start for period in periods)
    end = max(period.end for period in periods)
    since, cycle = first.to_pydatetime(), desk.life_cycle
    settled = tuple(state for state in cycle.states if state not in cycle.open_states)
    # No case is read twice; one that changes meanwhile is, and counts as it is then. Each in the order of an index.
    parts: tuple[tuple[Literal["due_at", "changed_at"], CaseFilter], ...] = (
        ("due_at", CaseFilter(states=cycle.open_states, changed_to=since)),
        ("due_at", CaseFilter(states=settled, changed_to=since, due_from=since, due_before=end.to_pydatetime())),
        ("changed_at", CaseFilter(changed_from=since)),
    )  # fmt: skip
    frames = [desk.ledger.cases(wanted & part, order=order, columns=_COLUMNS) for order, part in parts]  # fmt: skip
    cases = pd.concat(frames, ignore_index=True)
    return cases.drop_duplicates("case_id", keep="last", ignore_index=True)


def _columns(declared: Indicators) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = [
        {"name": f"n_{each.id}", "kind": "count", "title": words(each.title)} for each in declared.counter
    ]  # fmt: skip
    found += [
        {
            "name": rate.id, "kind": "rate", "title": words(rate.title),
            "numerator": list(rate.numerator), "denominator": list(rate.denominator),
            "basis": words(rate.basis) if rate.basis else None,
        }
        for rate in declared.rate
    ]  # fmt: skip
    for each in declared.duration:
        found += [
            {"name": f"{each.id}_{each.unit}_{share}", "kind": "duration", "unit": each.unit, "share": share,
             "title": words(each.title)}
            for share in ("median", "p90")
        ]  # fmt: skip
    return found
