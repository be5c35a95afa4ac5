"""What stands in a file of cases: its columns, its words, and what keeps a spreadsheet from running any of it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any, Final, Literal

import pandas as pd

from gisgrid.casework.ledger import CaseFilter
from gisgrid.desk import Desk
from gisgrid_server.casework.desk.one_case import CONTACT
from gisgrid_server.casework.desk.rows import plain

Language = Literal["zh", "en"]

TIMES: Final = ("reported_at", "uploaded_at", "filed_at", "dispatched_at", "handled_at", "due_at", "closed_at")  # fmt: skip

STORED: Final = (
    "case_id", "state", "category_code", "category", "unit_code", "community_code", "subdistrict_code", "owner", "source",
    "level_found", "urgency", *TIMES, "n_returns", "n_reworks", "n_hand_overs", "n_reopenings", "duplicate_of", "lon", "lat",
)  # fmt: skip
"""Columns of the ledger that a file holds."""

TITLES: Final = ("state_title", "class_title", "owner_title")
"""The words of a state, a class and an owner."""

TEXTS: Final = ("description", "contact_name", "contact_phone", "contact_email")
"""What reporters wrote, for who may read it."""

AT_ONCE: Final = 2_000
"""Cases that are read at a time."""

_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""With these a spreadsheet begins a formula, or is led to one."""


def tables(
    desk: Desk, wanted: CaseFilter, *, within: CaseFilter, texts: bool, language: Language
) -> Iterator[pd.DataFrame]:
    """Give the cases of a file, some at a time, in the order in which they were reported.

    Parameters
    ----------
    desk
        The cases.
    wanted
        Which ones.
    within
        What the asker sees.
    texts
        Whether what reporters wrote belongs to it.
    language
        Of the titles.

    Yields
    ------
    DataFrame
        `STORED`, `TITLES` and, if wanted, `TEXTS`; times in UTC.
    """
    named = titles(desk, language)
    after: tuple[dt.datetime | None, str] | None = None
    while True:
        frame = desk.ledger.cases(
            wanted, within=within, order="reported_at", limit=AT_ONCE, after=after, columns=STORED
        )
        if frame.empty:
            return
        last = frame.iloc[-1]
        after = (last["reported_at"].to_pydatetime(), last["case_id"])
        for title, column in zip(TITLES, ("state", "category_code", "owner"), strict=True):
            frame[title] = frame[column].map(named[column])
        yield frame.join(_texts(desk, frame["case_id"]), on="case_id") if texts else frame
        if len(frame) < AT_ONCE:
            return


def titles(desk: Desk, language: Language) -> Mapping[str, Mapping[str, str]]:
    """Give the words of states, classes and owners.

    Parameters
    ----------
    desk
        What is declared.
    language
        In which language.

    Returns
    -------
    mapping
        By column, words by code.
    """
    return {
        "state": {one.id: getattr(one.title, language) for one in desk.life_cycle.state},
        "category_code": {one.code: getattr(one.name, language) for one in desk.services},
        "owner": {one: getattr(desk.owners.title(one), language) for one in desk.routing.owner_ids},
    }


def harmless(value: Any) -> Any:  # noqa: ANN401 - any cell
    """Make sure that a spreadsheet takes a text for a text.

    Parameters
    ----------
    value
        A cell.

    Returns
    -------
    object
        A text that begins as a formula does is led by an apostrophe; all else is as it was.

    Examples
    --------
    >>> harmless("=1+1"), harmless(" @SUM(1)"), harmless("路灯不亮"), harmless(-1.5)
    ("'=1+1", "' @SUM(1)", '路灯不亮', -1.5)
    """
    if not isinstance(value, str):
        return value
    # Blanks, also the wide one and those without width, are taken off by some programs before they look.
    bare = value.lstrip(" \u00a0\u3000\u200b\ufeff")
    wide = bare[:1] in ("＝", "＋", "－", "＠")
    return f"'{value}" if bare.startswith(_DANGEROUS) or wide else value


def harmless_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Make all texts of a table harmless.

    Parameters
    ----------
    frame
        Any table.

    Returns
    -------
    DataFrame
        Numbers and times are as they were.
    """
    texts = [
        name
        for name, kind in frame.dtypes.items()
        if not (pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_datetime64_any_dtype(kind))
    ]
    return frame.assign(**{str(name): frame[name].map(harmless) for name in texts})


def _texts(desk: Desk, case_ids: pd.Series) -> pd.DataFrame:
    """Give what reporters wrote, by case."""
    events = desk.ledger.events(case_ids=case_ids.to_list(), kinds=[desk.life_cycle.opens])
    said = [
        (data.get("description"), *(_contact(data, name) for name in ("name", "phone", "email")))
        for data in events["data"]
    ]
    index = pd.Index(events["case_id"], name="case_id")
    return pd.DataFrame(said, columns=list(TEXTS), index=index, dtype=object)


def _contact(data: Mapping[str, Any], name: str) -> Any:  # noqa: ANN401 - what was sent
    contact = data.get(CONTACT)
    return plain(contact.get(name)) if isinstance(contact, Mapping) else None
