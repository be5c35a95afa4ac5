"""What does everything about access stand on: the facilities that are open, and the streets that lead to them?"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.access import WalkingNetwork, walking_network
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import demand
from gisgrid.derived.notes import Note
from gisgrid.derived.notes import left_out as counted
from gisgrid.errors import InputError

CLOSED: Final = "facilities that are not open"
FAR_FROM_STREETS: Final = "places farther than 200 m from any street, which reach nothing on foot"

_OPEN: Final = "open"
_OFF_STREET_M: Final = 200.0
_last: dict[bytes, WalkingNetwork] = {}  # the network made last, by what it was made of


def open_facilities(
    facilities: gpd.GeoDataFrame, *kinds: str
) -> tuple[gpd.GeoDataFrame, Mapping[str, int]]:
    """Choose the facilities of some kinds that are open.

    Parameters
    ----------
    facilities
        Points with `kind` and, where there is one, `status`.
    *kinds
        The kinds.

    Returns
    -------
    facilities : GeoDataFrame
        Those that are open.
    excluded : dict
        How many are not.

    Raises
    ------
    ColumnError
        There is no column `kind`.
    """
    demand(facilities, "facilities", "kind")
    chosen = facilities[facilities["kind"].isin(kinds)]
    if "status" not in chosen.columns:
        return chosen, {}
    there = chosen[chosen["status"] == _OPEN]
    return there, counted({CLOSED: len(chosen) - len(there)})


def street_network(streets: gpd.GeoDataFrame) -> tuple[WalkingNetwork, list[str]]:
    """Make the streets a network to walk along, once for all layers that stand on the same streets.

    Parameters
    ----------
    streets
        Lines in a projected CRS in metres.

    Returns
    -------
    network : WalkingNetwork
        As from `gisgrid.access.walking_network`, with its usual speed.
    notes : list of str
        What was found.

    Raises
    ------
    CrsError
        Coordinates that are no metres.
    InputError
        No street that is long enough.
    """
    crs = require_metres(streets, what="walking distances", name="streets")
    made_of = hashlib.sha256(crs.to_wkt().encode())
    made_of.update(np.asarray(streets.index.to_numpy(), dtype="U").tobytes())
    for shape in shapely.to_wkb(streets.geometry.to_numpy()):
        made_of.update(shape or b"-")
    digest = made_of.digest()
    if digest not in _last:
        network = walking_network(streets)
        _last.clear()
        _last[digest] = network
    network = _last[digest]
    return network, [Note.of(note) for note in network.notes]


def off_streets(homes: gpd.GeoDataFrame, network: WalkingNetwork) -> Mapping[str, int]:
    """Count the places that are on no street.

    Parameters
    ----------
    homes
        Places in the CRS of the network; a point inside stands for each.
    network
        The network.

    Returns
    -------
    dict
        How many, if any.

    Raises
    ------
    InputError
        All of them are.
    """
    points = homes.set_geometry(homes.geometry.representative_point())
    off = int((network.at(points, within_m=_OFF_STREET_M)["segment"] < 0).sum())
    if off == len(homes):
        raise InputError(
            f"none of the {len(homes)} places is within {_OFF_STREET_M:g} m of a street, so nothing can be said of them; give the streets of the same city, "
            "and check the CRS of both"
        )
    return counted({FAR_FROM_STREETS: off})
