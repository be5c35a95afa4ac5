"""Which open cases lie near a place?"""

from __future__ import annotations

import math
from typing import Final

from gisgrid.casework.ledger import Case, CaseFilter, Ledger
from gisgrid.casework.ledger.tables import case_of_row
from gisgrid.desk.places import METRES_PER_DEGREE, metres_between
from gisgrid.errors import InputError

_MOST: Final = 200


def cases_near(
    ledger: Ledger,
    lon: float,
    lat: float,
    *,
    service_code: str | None = None,
    radius_m: float = 250.0,
    within: CaseFilter | None = None,
) -> list[Case]:
    """List open cases near a place, which may be the same problem.

    Parameters
    ----------
    ledger
        The cases.
    lon, lat
        WGS84 degrees.
    service_code
        Only of this class.
    radius_m
        How far, in metres.
    within
        What the asker may see.

    Returns
    -------
    list of Case
        The nearest first, 200 at most.

    Raises
    ------
    InputError
        The radius is not from 0 to 5 000 metres.
    LedgerError
        The database does not answer.
    """
    if not 0 <= radius_m <= 5_000:
        raise InputError(f"radius_m is {radius_m!r} but must be from 0 to 5000 metres")
    up = radius_m / METRES_PER_DEGREE
    across = up / max(math.cos(math.radians(lat)), 0.01)
    wanted = CaseFilter(
        bbox=(max(lon - across, -180), max(lat - up, -90), min(lon + across, 180), min(lat + up, 90)),
        states=ledger.life_cycle.open_states,
        category_codes=None if service_code is None else (service_code,),
    )  # fmt: skip
    frame = ledger.cases(wanted, within=within, order="reported_at", limit=5 * _MOST)  # fmt: skip
    away = metres_between(lon, lat, frame["lon"].to_numpy(), frame["lat"].to_numpy())
    placed = frame.assign(_away=away)
    near = placed[placed["_away"] <= radius_m].sort_values(["_away", "case_id"])
    return [case_of_row(row) for row in near.drop(columns="_away").head(_MOST).to_dict("records")]  # fmt: skip
