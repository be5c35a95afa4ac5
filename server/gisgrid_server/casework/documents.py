"""How do places, texts and times look in what clients are told?"""

from __future__ import annotations

import datetime as dt
from typing import Any

from gisgrid.desk import Place
from gisgrid.schema import Text


def place_document(place: Place) -> dict[str, Any]:
    """Say where something lies in the grid.

    Parameters
    ----------
    place
        As the desk says.

    Returns
    -------
    dict
        Codes, names by level, and whether it is outside.
    """
    return {
        "unit_code": place.unit_code, "community_code": place.community_code, "subdistrict_code": place.subdistrict_code,
        "names": dict(place.names), "names_en": dict(place.names_en), "outside": place.outside,
    }  # fmt: skip


def words(text: Text) -> dict[str, str]:
    """Give a text in both languages.

    Parameters
    ----------
    text
        The text.

    Returns
    -------
    dict
        ``zh`` and ``en``.
    """
    return {"zh": text.zh, "en": text.en}


def moment(time: dt.datetime | None) -> str | None:
    """Give a time as clients read it.

    Parameters
    ----------
    time
        Aware, or None.

    Returns
    -------
    str or None
        ISO 8601 in UTC.

    Examples
    --------
    >>> moment(dt.datetime(2026, 11, 22, 8, tzinfo=dt.UTC))
    '2026-11-22T08:00:00Z'
    """
    return None if time is None else time.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
