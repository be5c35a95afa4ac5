"""Which requests does a client of Open311 ask for?"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo

from starlette.datastructures import QueryParams

from gisgrid.casework.ledger import CaseFilter, LifeCycle
from gisgrid_server.casework.open311.writing import Refusal

MOST: Final = 1000
"""Requests of one answer."""
DEEPEST: Final = 50_000
"""Requests that pages lead through; further ones are found by narrower dates."""
SPAN: Final = dt.timedelta(days=90)

_WITHOUT_PLUS: Final = re.compile(r"^(.+T.+) (\d\d:?\d\d)$")
_DAY: Final = re.compile(r"^\d{4}-\d\d-\d\d$")
_INSTANT: Final = dt.timedelta(microseconds=1)


@dataclass(frozen=True)
class Asked:
    """What a client asks for.

    Attributes
    ----------
    wanted
        What the cases must be like.
    page, page_size
        Which part of them, from 1.
    is_paged
        Whether the client knows of pages.
    extended
        Whether it wants the fields of the bulk specification.
    """

    wanted: CaseFilter
    page: int = 1
    page_size: int = MOST
    is_paged: bool = False
    extended: bool = False


def read_question(
    query: QueryParams, cycle: LifeCycle, *, timezone: str, now: dt.datetime
) -> Asked:
    """Read what a client asks for.

    Parameters
    ----------
    query
        The parameters of ``GET requests``; what is empty counts as not said, what is unknown is passed over.
    cycle
        Which states are open.
    timezone
        Where a day without a zone begins.
    now
        The present time.

    Returns
    -------
    Asked
        Without dates the last 90 days.

    Raises
    ------
    Refusal
        A value means nothing; all of them are told.
    """
    wrong: list[tuple[int, str]] = []
    given = _Values(query, ZoneInfo(timezone), wrong)
    ids = given.listed("service_request_id")
    page, size = given.number("page", 1, DEEPEST), given.number("page_size", MOST, MOST)
    extended = (given.text("extensions") or "").lower() in {"true", "1"}
    is_paged = bool(given.text("page") or given.text("page_size"))
    if page * size > DEEPEST:
        wrong.append((400, f"page {page} of {size} lies behind {DEEPEST} requests; ask for a shorter span of time"))  # fmt: skip
    if ids:
        wanted = CaseFilter(case_ids=ids[:MOST])
        if len(ids) > MOST:
            wrong.append((400, f"{len(ids)} service_request_id are asked for, at most {MOST} are answered; ask in parts"))  # fmt: skip
    else:
        wanted = _filter(given, cycle, now, wrong)
    if wrong:
        raise Refusal(*wrong)
    return Asked(wanted, page, size, is_paged, extended)


def _filter(
    given: _Values, cycle: LifeCycle, now: dt.datetime, wrong: list[tuple[int, str]]
) -> CaseFilter:
    start, end = given.time("start_date"), given.time("end_date", is_end=True)
    since, until = given.time("updated_after"), given.time("updated_before")
    ends_by_day = _DAY.fullmatch((given.text("end_date") or "").strip()) is not None
    longest = SPAN + (dt.timedelta(days=1) if ends_by_day else _INSTANT)
    if start and end and end - start > longest:
        wrong.append((400, "start_date and end_date are more than 90 days apart; ask for 90 days at most"))  # fmt: skip
    if start and end and end < start:
        wrong.append((400, "end_date lies before start_date; exchange them"))
    if start is None and (end is not None or not (since or until)):
        start = (end or now) - SPAN
    elif start is not None and end is None:
        end = start + SPAN
    codes = given.listed("service_code")
    bbox = given.bbox()
    if wrong:
        return CaseFilter()
    return CaseFilter(
        states=_states(given, cycle, wrong), category_codes=codes or None, bbox=bbox,
        reported_from=start, reported_to=end, changed_from=since, changed_to=until,
    )  # fmt: skip


def _states(
    given: _Values, cycle: LifeCycle, wrong: list[tuple[int, str]]
) -> tuple[str, ...] | None:
    said = {word.lower() for word in given.listed("status")}
    if unknown := sorted(said - {"open", "closed"}):
        wrong.append((400, f"status {unknown[0][:40]!r} is none; write open, closed or open,closed"))  # fmt: skip
    if not said or said >= {"open", "closed"}:
        return None
    ends = tuple(state.id for state in cycle.state if not state.open)
    return cycle.open_states if "open" in said else ends


class _Values:
    """The values of a query; what is wrong with them is noted."""

    def __init__(self, query: QueryParams, zone: ZoneInfo, wrong: list[tuple[int, str]]) -> None:
        self._given: Mapping[str, list[str]] = {name: query.getlist(name) for name in query}
        self._zone, self._wrong = zone, wrong

    def text(self, name: str) -> str | None:
        return next((value.strip() for value in self._given.get(name, ()) if value.strip()), None)

    def listed(self, name: str) -> tuple[str, ...]:
        """Read values between commas; the parameter may also be there several times."""
        words = (word.strip() for value in self._given.get(name, ()) for word in value.split(","))
        return tuple(dict.fromkeys(word for word in words if word))

    def number(self, name: str, default: int, most: int) -> int:
        text = self.text(name)
        if text is None:
            return default
        if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= most):
            self._wrong.append((400, f"{name} is {text[:40]!r} but must be a number from 1 to {most}"))  # fmt: skip
            return default
        return int(text)

    def time(self, name: str, *, is_end: bool = False) -> dt.datetime | None:
        text = self.text(name)
        if text is None:
            return None
        text = _WITHOUT_PLUS.sub(r"\1+\2", text)  # a plus that was sent bare arrives as a blank
        try:
            found = dt.datetime.fromisoformat(text)
        except ValueError:
            found = None
        if found is None or not 1970 < found.year < 2199 or (found.tzinfo is None and not _DAY.match(text)):  # fmt: skip
            self._wrong.append((400, f"{name} is {text[:40]!r} but must be a time with its zone; write 2026-11-22T08:00:00+08:00"))  # fmt: skip
            return None
        if found.tzinfo is None:
            found = found.replace(tzinfo=self._zone) + dt.timedelta(days=int(is_end))
        elif is_end:
            found += _INSTANT  # the end is meant too
        return found.astimezone(dt.UTC)

    def bbox(self) -> tuple[float, float, float, float] | None:
        text = self.text("bbox")
        if text is None:
            return None
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError:
            west = south = east = north = float("nan")
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
            self._wrong.append((400, f"bbox is {text[:80]!r} but must be west,south,east,north in degrees (WGS84)"))  # fmt: skip
            return None
        return west, south, east, north
