"""What happened: who did what to which case, when, where and why?

An event is never changed and never deleted. It carries two clocks: the sender's (`at`) and the ledger's (`recorded_at`).
"""

from __future__ import annotations

import datetime as dt
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from gisgrid.errors import InputError

EventKind = str
"""The id of an event of the life cycle, as the city declares it: ``reported``, ``filed``, ``dispatched``, …"""

ATTRIBUTES: Final = (
    "category_code", "category", "unit_code", "subdistrict_code", "community_code", "level_found", "source",
    "owner", "urgency", "due_at", "duplicate_of",
)  # fmt: skip
"""Keys of an event's data that the case takes over as its own columns; all other keys stay in the event."""

_LONGEST_ID: Final = 128
_LONGEST_WHY: Final = 4_000
_MOST_DATA: Final = 65_536
_SKEW: Final = dt.timedelta(minutes=2)
_EARLIEST: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_LATEST: Final = dt.datetime(2200, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Event:
    """Something that happened to a case, as its sender tells it.

    Attributes
    ----------
    case_id
        The case.
    kind
        What happened; the life cycle declares the kinds.
    at
        When, by the sender's clock; aware, kept in UTC.
    by
        Who: a person's, an owner's or a program's id.
    place
        Where, longitude and latitude in WGS84 degrees.
    why
        The reason, in the sender's words.
    data
        What else belongs to it: JSON values. Keys of `ATTRIBUTES` change the case; ``due_at`` is an aware datetime or
        ISO 8601 text.

    Raises
    ------
    InputError
        A field breaks one of these rules.
    """

    case_id: str
    kind: EventKind
    at: dt.datetime
    by: str
    place: tuple[float, float] | None = None
    why: str = ""
    data: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("case_id", "kind", "by"):
            checked_id(getattr(self, name), f"{name} of an event")
        object.__setattr__(self, "at", utc(self.at, f"at of the event on case {self.case_id!r}"))
        checked_text(self.why, f"why of the event on case {self.case_id!r}", _LONGEST_WHY)
        if self.place is not None:
            object.__setattr__(self, "place", _checked_place(self.place, self.case_id))
        data, text = _checked_data(self.data, self.case_id)
        object.__setattr__(self, "data", data)
        object.__setattr__(self, "_data_text", text)

    @property
    def data_text(self) -> str:
        """The data as `canonical` writes them."""
        text: str | None = vars(self).get("_data_text")
        return canonical(self.data) if text is None else text


@dataclass(frozen=True)
class StoredEvent:
    """An event as the ledger holds it.

    Attributes
    ----------
    seq
        Its number in the ledger; later events have higher ones.
    event
        What was sent.
    version
        The case's version after it: 1 for the report, one more with every event.
    recorded_at
        When the ledger took it, by the ledger's clock.
    sent_at
        What the sender's clock said when it sent, where it told.
    client_id
        The upload it came with.
    """

    seq: int
    event: Event
    version: int
    recorded_at: dt.datetime
    sent_at: dt.datetime | None
    client_id: str

    @property
    def true_at(self) -> dt.datetime:
        """When it happened by the ledger's clock: the sender's time, corrected where its clock was wrong.

        A sender that told its clock when it sent is corrected by the difference where that is over two minutes. Nothing
        happened after the ledger heard of it.
        """
        at = self.event.at
        if self.sent_at is not None and abs(self.recorded_at - self.sent_at) > _SKEW:
            at += self.recorded_at - self.sent_at
        return min(at, self.recorded_at)


def checked_id(value: object, what: str) -> str:
    """Give an id back if it can be one.

    Parameters
    ----------
    value
        What was given.
    what
        What it is, for the sentence.

    Returns
    -------
    str
        The id.

    Raises
    ------
    InputError
        No text, empty, over 128 characters, or with control characters.

    Examples
    --------
    >>> checked_id("A-1", "case_id")
    'A-1'
    """
    if type(value) is str and value.isascii() and value.isprintable() and value.strip() and len(value) <= _LONGEST_ID:  # fmt: skip
        return value
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"{what} is {value!r} but must be text that is not empty; give one")
    if not value.isprintable():
        raise InputError(f"{what} is {value!r}, which holds control characters; leave them out")
    return checked_text(value, what, _LONGEST_ID)


def checked_text(value: object, what: str, longest: int) -> str:
    """Give a text back if every database can keep it.

    Parameters
    ----------
    value
        What was given.
    what
        What it is, for the sentence.
    longest
        How many characters it may have.

    Returns
    -------
    str
        The text.

    Raises
    ------
    InputError
        No text, too long, or with characters that no database keeps.
    """
    if not isinstance(value, str):
        raise InputError(f"{what} is {value!r} but must be text")
    if len(value) > longest:
        raise InputError(
            f"{what} has {len(value)} characters, at most {longest} are kept; shorten it"
        )
    if "\0" in value or not _is_unicode(value):
        raise InputError(
            f"{what} holds characters that are no text (NUL or half a pair); leave them out"
        )
    return value


def utc_now() -> dt.datetime:
    """Give the present time: the clock of whoever is given no other.

    Returns
    -------
    datetime
        In UTC.
    """
    return dt.datetime.now(tz=dt.UTC)


def utc(value: object, what: str) -> dt.datetime:
    """Give a time in UTC.

    Parameters
    ----------
    value
        An aware datetime, or ISO 8601 text with its offset.
    what
        What it is, for the sentence.

    Returns
    -------
    datetime
        In UTC.

    Raises
    ------
    InputError
        No time, no zone, or a year outside 1970 to 2199.

    Examples
    --------
    >>> utc("2026-11-22T08:00:00+08:00", "due_at").isoformat()
    '2026-11-22T00:00:00+00:00'
    """
    time = value
    if isinstance(value, str):
        try:
            time = dt.datetime.fromisoformat(value)
        except ValueError:
            raise InputError(
                f"{what} is {value!r}, which is no ISO 8601 time; write 2026-11-22T08:00:00+08:00"
            ) from None
    if not isinstance(time, dt.datetime):
        raise InputError(f"{what} is {value!r} but must be a datetime with its zone")
    if time.tzinfo is None:
        raise InputError(
            f"{what} is {time.isoformat()} without a zone; add one, for example datetime.UTC"
        )
    try:
        found = dt.datetime.fromtimestamp(0, tz=dt.UTC) + (time - _EARLIEST)
    except OverflowError:
        found = _LATEST
    if not _EARLIEST <= found < _LATEST:
        raise InputError(
            f"{what} is {time.isoformat()}; years from 1970 to 2199 are kept; set the clock"
        )
    return found


def _is_unicode(value: str) -> bool:
    if value.isascii():
        return True
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _checked_place(place: object, case_id: str) -> tuple[float, float]:
    try:
        lon, lat = map(float, place)  # type: ignore[call-overload]
    except (TypeError, ValueError):
        raise InputError(
            f"place of the event on case {case_id!r} is {place!r} but must be (lon, lat)"
        ) from None
    if not (math.isfinite(lon) and math.isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise InputError(
            f"place of the event on case {case_id!r} is {place!r}, which is no longitude and latitude in degrees; give (lon, lat) or None"
        )
    return lon, lat


def _checked_data(data: object, case_id: str) -> tuple[dict[str, Any], str]:
    """Give the data as they are read again, and as they are written."""
    what = f"of the event on case {case_id!r}"
    if not isinstance(data, Mapping):
        raise InputError(f"data {what} is {data!r} but must be a mapping")
    found = dict(data)
    for key in ATTRIBUTES:
        if found.get(key) is None:
            continue
        if key == "due_at":
            found[key] = utc(found[key], f"due_at {what}").isoformat()
        else:
            checked_id(found[key], f"{key} {what}")
    try:
        text = canonical(found)
    except (TypeError, ValueError, RecursionError) as error:
        raise InputError(
            f"data {what} is no JSON ({error}); give texts, numbers, lists and mappings"
        ) from None
    checked_text(text, f"data {what} as JSON", _MOST_DATA)
    return json.loads(text), text


def canonical(data: Mapping[str, Any]) -> str:
    """Write data as JSON in one way only, so that equal data are equal text.

    Parameters
    ----------
    data
        JSON values.

    Returns
    -------
    str
        Keys sorted, no blanks.

    Examples
    --------
    >>> canonical({"b": 1, "a": "街道"})
    '{"a":"街道","b":1}'
    """
    return json.dumps(
        data, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    )
