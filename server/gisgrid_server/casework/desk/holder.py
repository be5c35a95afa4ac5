"""Who sits at this desk, what may they do, and by what words are things called here?"""

from __future__ import annotations

import datetime as dt
from typing import Any, Final

from gisgrid.desk import Desk
from gisgrid.palette import CASE_STATE_COLOURS, OVERDUE_COLOUR
from gisgrid_server.casework.desk.export import MOST
from gisgrid_server.casework.desk.rows import words
from gisgrid_server.edge.rights import Rights, beginnings, steps_need

_LAST_YEAR: Final = 2099


def holder_document(desk: Desk, rights: Rights, *, now: dt.datetime) -> dict[str, Any]:
    """Tell a page all that it needs before its first case.

    Parameters
    ----------
    desk
        What the city declares.
    rights
        The holder's.
    now
        The present time.

    Returns
    -------
    dict
        ``subject``, ``powers``, ``owners``, ``grids``, ``classes``; ``life_cycle`` (states and steps, with the powers that each
        step asks for), ``services``, ``all_owners``, ``units`` (names by code, of the grids of the holder), ``timezone``,
        ``published_until`` (the last year whose holidays are known), ``overdue_colour`` and ``export_limits``.
    """
    cycle = desk.life_cycle
    return {
        "subject": rights.subject, "powers": sorted(rights.powers), "owners": list(rights.owners),
        "grids": list(rights.grids), "classes": list(rights.classes),
        "life_cycle": {
            "states": [{"id": one.id, "title": words(one.title), "open": one.open, "colour": _colour(one.id)} for one in cycle.state],
            "steps": [
                {"kind": one.id, "title": words(one.title), "to": one.to, "needs": list(one.needs), "why": one.why,
                 "from": None if one.before is None else list(one.before), "powers": list(steps_need(one.id))}
                for one in cycle.event
            ],
        },
        "services": [{"code": one.code, "name": words(one.name), "group": words(one.group)} for one in desk.services],
        "all_owners": [{"id": one, "title": words(desk.owners.title(one))} for one in desk.routing.owner_ids],
        "units": _units(desk, rights), "timezone": desk.calendar.timezone, "published_until": _published(desk, now.year),
        "overdue_colour": OVERDUE_COLOUR, "export_limits": dict(MOST), "as_of": now.isoformat(),
    }  # fmt: skip


def _colour(state: str) -> str:
    return CASE_STATE_COLOURS.get(state, CASE_STATE_COLOURS["dispatched"])


def _units(desk: Desk, rights: Rights) -> dict[str, Any]:
    """Name the grids of all levels, as far as they are the holder's."""
    begin = beginnings(rights.grids)
    found: dict[str, Any] = {}
    for place in desk.ground.places:
        for level, code in (("subdistrict", place.subdistrict_code), ("community", place.community_code), ("unit", place.unit_code)):  # fmt: skip
            if code is None or code in found or not (begin is None or code.startswith(begin)):
                continue
            zh = place.names.get(level, "")
            found[code] = {"zh": zh, "en": place.names_en.get(level, zh), "level": level}
    return dict(sorted(found.items()))


def _published(desk: Desk, year: int) -> int:
    """Give the last year whose holidays are known, from this one on."""
    while desk.calendar.is_published(year) and year < _LAST_YEAR:
        year += 1
    return year - 1
