"""The indicators of a period, for what somebody may see."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import pandas as pd

from gisgrid.casework.indicators import (
    Indicators,
    compared,
    indicators,
    period_of,
    read_indicators,
)
from gisgrid.casework.ledger import CaseFilter
from gisgrid.desk import Desk
from gisgrid.errors import InputError
from gisgrid_server.casework.desk.rows import plain, words
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.edge.rights import Rights

By = Literal["owner", "subdistrict_code", "community_code", "unit_code", "category_code", "source"]


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
    cases = desk.ledger.touched(
        min(each.start for each in periods).to_pydatetime(), max(each.end for each in periods).to_pydatetime(), wanted,
        within=rights.within(), columns=tuple(dict.fromkeys((*declared.columns, *([by] if by else [])))),
    )  # fmt: skip
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
