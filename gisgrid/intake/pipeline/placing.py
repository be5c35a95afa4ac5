"""Where is each row of a batch, in degrees of WGS84, and in which unit of every level?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gisgrid.intake.pipeline.canonical import is_blank
from gisgrid.intake.pipeline.levels import Levels
from gisgrid.intake.pipeline.plan import Plan
from gisgrid.intake.places.gazetteer import locate
from gisgrid.intake.places.usable import PLACE_REASONS, Places, chunk_of, read_places, to_lonlat
from gisgrid.intake.readers.source import Batch

_NOWHERE: Final = [PLACE_REASONS.index(code) for code in ("no_place", "zero_place")]


@dataclass(frozen=True)
class Placed:
    """A batch and where its rows are.

    Attributes
    ----------
    batch
        The rows.
    lon, lat
        Shape (n,), WGS84 degrees; NaN where a row has no usable place.
    places
        The numbers as the file has them, and why a row has no usable place.
    from_address
        Shape (n,), whether the place was looked up by its address.
    units
        Per level, shape (n,): the position in the level's codes, or -1.
    """

    batch: Batch
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    places: Places
    from_address: NDArray[np.bool_]
    units: tuple[NDArray[np.int32], ...] = ()


def placed(batch: Batch, plan: Plan, levels: Levels) -> Placed:
    """Find where the rows of a batch are.

    Parameters
    ----------
    batch
        Some rows of a file; it may have none.
    plan
        How the file is read; its datum is settled.
    levels
        The units.

    Returns
    -------
    Placed
        Every row with its place, or the reason why it has none.
    """
    assert plan.datum is not None  # noqa: S101 - a plan without one is refused before
    findings = plan.findings
    places = read_places(
        batch.table, batch.wkb, kind=findings.place_kind, columns=findings.place_columns
    )
    lon, lat, places = to_lonlat(places, plan.datum)
    found = Placed(batch, lon, lat, places, np.zeros(len(lon), np.bool_))
    if plan.gazetteer is not None:
        found = _looked_up(found, plan)
    return replace(found, units=tuple(levels.positions(found.lon, found.lat)))


def _looked_up(found: Placed, plan: Plan) -> Placed:
    """Look up the addresses of rows without coordinates."""
    column = plan.roles.get("address")
    wanted = np.isin(found.places.reason, _NOWHERE)
    if plan.gazetteer is None or column is None or not wanted.any():
        return found
    addresses = chunk_of(found.batch.table[column]).cast(pa.string())
    at = np.flatnonzero(wanted & ~np.asarray(is_blank(addresses)))
    if not len(at):
        return found
    spots = locate(addresses.take(pa.array(at)), plan.gazetteer.places, names=plan.gazetteer.names)
    known = np.isfinite(spots["lon"].to_numpy())
    lon, lat, reason = found.lon.copy(), found.lat.copy(), found.places.reason.copy()
    lon[at], lat[at] = spots["lon"], spots["lat"]
    reason[at] = np.where(known, 0, PLACE_REASONS.index("address_unknown"))
    from_address = np.zeros(len(lon), np.bool_)
    from_address[at[known]] = True
    places = Places(found.places.x, found.places.y, reason)
    return Placed(found.batch, lon, lat, places, from_address)
