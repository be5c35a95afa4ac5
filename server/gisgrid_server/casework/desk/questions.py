"""Which cases does a desk ask for? The parameters of an address, as a filter of the ledger."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable
from typing import Annotated, Any, Final, Literal
from zoneinfo import ZoneInfo

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from gisgrid.casework.deadlines import WorkCalendar
from gisgrid.casework.ledger import CaseFilter, LifeCycle
from gisgrid.errors import InputError, did_you_mean
from gisgrid_server.edge.problems import BadRequestError

Due = Literal["overdue", "today", "ahead", "provisional"]
"""How a deadline lies: passed, before midnight, later, or in a year whose holidays are not published yet."""

Order = Literal["due_at", "reported_at", "changed_at"]

OPEN: Final = "open"
"""Stands for every state in which somebody still has to do something."""

MAX_PAGE: Final = 200
_MOST_WORDS: Final = 200
_LAST_YEAR: Final = 2199


def _words(value: Any) -> Any:  # noqa: ANN401 - whatever stands in the address
    """Take apart what commas separate, in one parameter or in several."""
    parts = [value] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple):
        return value
    return tuple(word for part in parts for each in str(part).split(",") if (word := each.strip()))


_Words = Annotated[tuple[str, ...], BeforeValidator(_words), Field(max_length=_MOST_WORDS)]


class Asked(BaseModel):
    """What cases must be like; what is left out holds for any.

    Attributes
    ----------
    state
        States, or ``open`` for all that are.
    owner
        Owners.
    unit
        The beginnings of codes of grids, of any level.
    service_code
        Classes.
    source
        Where reports came from.
    due
        How the deadline lies.
    due_before
        Deadline before this time (ISO 8601 with its zone).
    reported_from, reported_to
        Seen in this half-open span.
    case
        Ids of cases.
    bbox
        West, south, east, north in WGS84 degrees.
    outside
        True for cases that lie in no grid of the city, False for those that do.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    state: _Words = ()
    owner: _Words = ()
    unit: _Words = ()
    service_code: _Words = ()
    source: _Words = ()
    due: Due | None = None
    due_before: dt.datetime | None = None
    reported_from: dt.datetime | None = None
    reported_to: dt.datetime | None = None
    case: _Words = ()
    bbox: str | None = None
    outside: bool | None = None

    def filter(
        self, *, cycle: LifeCycle, calendar: WorkCalendar, now: dt.datetime, without: str = ""
    ) -> CaseFilter:
        """Write it as a filter of the ledger.

        Parameters
        ----------
        cycle
            The states that there are.
        calendar
            Which years are published, and where a day begins.
        now
            The present time.
        without
            A parameter to leave out: what its other values would give is counted so.

        Returns
        -------
        CaseFilter
            The filter.

        Raises
        ------
        BadRequestError
            A state that there is not, a box that is none, or a time without its zone.
        """
        due = None if without == "due" else self.due
        due_from, due_before = span_of(due, calendar=calendar, now=now)
        if self.due_before is not None:
            due_before = self.due_before if due_before is None else min(due_before, self.due_before)
        states = () if without == "state" else self.state
        try:
            return CaseFilter(
                states=_states(states, cycle) if states or due is None else cycle.open_states,
                owners=None if without == "owner" else self.owner or None,
                unit_prefixes=self.unit or None,
                category_codes=None if without == "service_code" else self.service_code or None,
                sources=self.source or None,
                case_ids=self.case or None,
                due_from=due_from,
                due_before=due_before,
                reported_from=self.reported_from,
                reported_to=self.reported_to,
                bbox=_box(self.bbox),
                outside=self.outside,
            )
        except (InputError, TypeError) as error:
            raise BadRequestError(str(error)) from error

    def said(self) -> dict[str, Any]:
        """Tell what was asked for, in the words of the address.

        Returns
        -------
        dict
            JSON values of the parameters that were given.
        """
        return self.model_dump(mode="json", exclude_defaults=True)


class Page(Asked):
    """A page of cases.

    Attributes
    ----------
    order
        By which time.
    limit
        How many at most.
    after
        The cursor that came with the page before.
    """

    order: Order = "due_at"
    limit: Annotated[int, Field(ge=1, le=MAX_PAGE)] = 50
    after: str | None = Field(default=None, max_length=400)

    def place(self) -> tuple[dt.datetime | None, str] | None:
        """Read the cursor.

        Returns
        -------
        tuple or None
            The ordering time and the id of the last case of the page before.

        Raises
        ------
        BadRequestError
            It is none of ours.
        """
        return None if self.after is None else _read_cursor(self.after)


def cursor(time: dt.datetime | None, case_id: str) -> str:
    """Write where a page ends.

    Parameters
    ----------
    time
        The ordering time of its last case.
    case_id
        Its id.

    Returns
    -------
    str
        A word for an address.

    Examples
    --------
    >>> Page(after=cursor(None, "A-1")).place()
    (None, 'A-1')
    """
    said = f"{'' if time is None else time.isoformat()} {case_id}"
    return base64.urlsafe_b64encode(said.encode()).decode().rstrip("=")


def span_of(
    due: Due | None, *, calendar: WorkCalendar, now: dt.datetime
) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Say between which times such deadlines lie.

    Parameters
    ----------
    due
        How they lie.
    calendar
        Which years are published, and where a day begins.
    now
        The present time.

    Returns
    -------
    tuple
        From and before; None where it is not bounded.

    Examples
    --------
    >>> from gisgrid.casework.deadlines import read_calendar
    >>> now = dt.datetime(2026, 11, 22, 23, 0, tzinfo=dt.UTC)
    >>> from_, before = span_of("today", calendar=read_calendar(), now=now)
    >>> str(from_), str(before)
    ('2026-11-22 23:00:00+00:00', '2026-11-23 16:00:00+00:00')
    """
    local = now.astimezone(ZoneInfo(calendar.timezone))
    tomorrow = dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), local.tzinfo)
    spans: dict[Due, Callable[[], tuple[dt.datetime | None, dt.datetime | None]]] = {
        "overdue": lambda: (None, now),
        "today": lambda: (now, tomorrow.astimezone(dt.UTC)),
        "ahead": lambda: (tomorrow.astimezone(dt.UTC), None),
        "provisional": lambda: (_unpublished(calendar, local), None),
    }
    return (None, None) if due is None else spans[due]()


def _unpublished(calendar: WorkCalendar, now: dt.datetime) -> dt.datetime:
    """Find when the first year begins whose holidays are not published yet."""
    year = next(
        (year for year in range(now.year, _LAST_YEAR) if not calendar.is_published(year)),
        _LAST_YEAR,
    )
    return dt.datetime(year, 1, 1, tzinfo=now.tzinfo).astimezone(dt.UTC)


def _states(asked: tuple[str, ...], cycle: LifeCycle) -> tuple[str, ...] | None:
    found: list[str] = []
    for name in asked:
        if name == OPEN:
            found.extend(cycle.open_states)
        elif name in cycle.states:
            found.append(name)
        else:
            raise BadRequestError(f"no state {name!r}{did_you_mean(name, cycle.states)}")
    return tuple(found) or None


def _box(said: str | None) -> tuple[float, float, float, float] | None:
    if said is None:
        return None
    try:
        west, south, east, north = map(float, said.split(","))
    except ValueError:
        raise BadRequestError(
            f"bbox is {said!r} but must be four numbers, as in 114.0,35.1,114.2,35.3"
        ) from None
    return west, south, east, north


def _read_cursor(said: str) -> tuple[dt.datetime | None, str]:
    try:
        text = base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)).decode()
        time, _, case_id = text.partition(" ")
        moment = dt.datetime.fromisoformat(time) if time else None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        moment, case_id = None, ""
    if not case_id or (moment is not None and moment.tzinfo is None):
        raise BadRequestError(f"after is {said!r}, which is no cursor of this server; leave it out")
    return moment, case_id
