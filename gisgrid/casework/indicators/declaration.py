"""What exactly is a closing rate? Counters, rates and durations as declared data, so that every variant has its name.

Cities publish different numbers under one name: some divide what was closed in time by what was due, some by what was
closed. Here a variant is an entry with its numerator and its denominator, and a result says which was taken.
"""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal, NamedTuple

from pydantic import AfterValidator, Field, model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.schema import Text

BUILT_IN: Final = Path(__file__).parent / "declared" / "indicators-cn.toml"
"""The indicators of Chinese city management."""

TIMES: Final = (
    "reported_at", "uploaded_at", "filed_at", "dispatched_at", "handled_at", "closed_at", "due_at",
)  # fmt: skip
NUMBERS: Final = ("n_returns", "n_reworks", "n_hand_overs", "n_reopenings")
WORDS: Final = (
    "state",
    "source",
    "owner",
    "urgency",
    "level_found",
    "category",
    "category_code",
    "duplicate_of",
)

_Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
_SAID: Final = re.compile(
    r"(?P<no>not )?(?P<column>[a-z_]+) (?:(?P<there>present|missing)|(?P<how>==|!=|<=|>=|<|>) (?P<than>\S+))"
)


class Condition(NamedTuple):
    """Something that must hold of a case.

    Attributes
    ----------
    column
        What is looked at.
    how
        ``present``, ``missing``, ``==``, ``!=``, ``<``, ``<=``, ``>`` or ``>=``.
    than
        A column of times, ``start`` or ``end`` of the period, a number or a word; empty for present and missing.
    negated
        Whether it must not hold. What is missing holds in no comparison, so it holds in a negated one.
    """

    column: str
    how: str
    than: str
    negated: bool


def condition_of(said: str) -> Condition:
    """Read a condition.

    Parameters
    ----------
    said
        As ``closed_at <= due_at``, ``not closed_at < end``, ``n_reworks > 0``, ``duplicate_of present``, ``state != void``.

    Returns
    -------
    Condition
        Its parts.

    Raises
    ------
    ValueError
        It is written otherwise, or compares what cannot be compared.

    Examples
    --------
    >>> condition_of("not closed_at < end")
    Condition(column='closed_at', how='<', than='end', negated=True)
    """
    found = _SAID.fullmatch(said)
    if found is None:
        raise ValueError(
            f"condition {said!r} is not written as 'closed_at <= due_at', 'n_reworks > 0' or 'duplicate_of present'"
        )
    column, how, than = found["column"], found["there"] or found["how"], found["than"] or ""
    if column not in (*TIMES, *NUMBERS, *WORDS):
        raise ValueError(
            f"condition {said!r} asks for {column!r}, which cases do not have; choose of {', '.join((*TIMES, *NUMBERS, *WORDS))}"
        )
    if than and column in TIMES and than not in (*TIMES, "start", "end"):
        raise ValueError(
            f"condition {said!r} compares a time with {than!r}; compare it with another time, start or end"
        )
    if than and column in NUMBERS and re.fullmatch(r"\d+", than) is None:
        raise ValueError(
            f"condition {said!r} compares a number with {than!r}; compare it with a whole number"
        )
    if than and column in WORDS and how not in {"==", "!="}:
        raise ValueError(f"condition {said!r} orders words; say == or !=")
    return Condition(column, how, than, found["no"] is not None)


def _readable(said: str) -> str:
    condition_of(said)
    return said


_When = Annotated[str, AfterValidator(_readable)]
_Time = Literal[
    "reported_at", "uploaded_at", "filed_at", "dispatched_at", "handled_at", "closed_at", "due_at"
]


class Counter(Declared):
    """How many cases: those of which a moment lies in the period, and of which every condition holds.

    Attributes
    ----------
    id, title
        Its short name (the column is ``n_`` and this) and its words.
    at
        The moment that puts a case into the period.
    window
        ``period``: from its start to its end; ``until_end``: any time before its end, for what is still open.
    when
        The conditions.
    """

    id: _Name
    title: Text
    at: _Time
    window: Literal["period", "until_end"] = "period"
    when: tuple[_When, ...] = ()


class Rate(Declared):
    """A share: some counters over others, each added up.

    Attributes
    ----------
    id, title
        Its short name and its words.
    numerator, denominator
        Counters by their ids.
    basis
        Where this definition is used.
    """

    id: _Name
    title: Text
    numerator: Annotated[tuple[_Name, ...], Field(min_length=1)]
    denominator: Annotated[tuple[_Name, ...], Field(min_length=1)]
    basis: Text | None = None


class Duration(Declared):
    """How long something took: median and 90th percentile over the cases in which it ended in the period.

    Attributes
    ----------
    id, title
        Its short name and its words.
    since, until
        From when to when.
    unit
        ``minutes``, ``hours`` or ``days``.
    when
        Conditions, as for a counter.
    """

    id: _Name
    title: Text
    since: _Time
    until: _Time
    unit: Literal["minutes", "hours", "days"]
    when: tuple[_When, ...] = ()


class Indicators(Declared):
    """What is counted, divided and timed."""

    counter: Annotated[tuple[Counter, ...], Field(min_length=1)]
    rate: tuple[Rate, ...] = ()
    duration: tuple[Duration, ...] = ()

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """The columns of cases that are asked for, each once."""
        found: list[str] = ["reported_at", *(each.at for each in self.counter)]
        for each in self.duration:
            found += [each.since, each.until]
        whens = [*(each.when for each in self.counter), *(each.when for each in self.duration)]
        for condition in (condition_of(said) for when in whens for said in when):
            found += [condition.column, *(name for name in TIMES if name == condition.than)]
        return tuple(dict.fromkeys(found))

    @model_validator(mode="after")
    def _hangs_together(self) -> Indicators:
        names = [
            *(each.id for each in self.counter),
            *(each.id for each in self.rate),
            *(each.id for each in self.duration),
        ]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"{twice[0]!r} is declared twice; give each its own id")
        counters = {each.id for each in self.counter}
        for rate in self.rate:
            if unknown := sorted({*rate.numerator, *rate.denominator} - counters):
                raise ValueError(
                    f"rate {rate.id!r} takes {unknown[0]!r}, which is no counter; declare it or take another"
                )
        return self


def read_indicators(path: str | Path = BUILT_IN) -> Indicators:
    """Read declared indicators.

    Parameters
    ----------
    path
        TOML with ``[[counter]]``, ``[[rate]]``, ``[[duration]]``; those of Chinese city management unless told otherwise.

    Returns
    -------
    Indicators
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or an entry that breaks a rule: all of them, a sentence per line.

    Examples
    --------
    >>> rates = {rate.id: rate for rate in read_indicators().rate}
    >>> rates["closing_on_time_rate"].denominator
    ('due_to_close',)
    """
    return read_declared(Indicators, path, what="indicators")
