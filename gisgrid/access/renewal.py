"""What do old compounds still lack of what they are to be renewed with?"""

from __future__ import annotations

from collections.abc import Iterable

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.access.network import WalkingNetwork
from gisgrid.access.reach import nearest_facilities
from gisgrid.access.standards import Renewal
from gisgrid.errors import ColumnError, did_you_mean

LISTS = ("basic", "improved", "upgraded")


def renewal_gaps(
    compounds: gpd.GeoDataFrame,
    facilities: gpd.GeoDataFrame,
    items: Iterable[Renewal],
    network: WalkingNetwork,
    *,
    kind: str = "kind",
    residents: str | None = None,
    off_street_m: float = 200.0,
) -> pd.DataFrame:
    """Go through the renewal lists for every old compound.

    Parameters
    ----------
    compounds
        Old compounds (built before 2000), polygons or points, n of them, in the CRS of the network; with a column (true or
        false) for what they have themselves.
    facilities
        Points with their kind.
    items
        The lists, as from `gisgrid.access.read_standards`, m items.
    network
        As from `gisgrid.access.walking_network`.
    kind, residents
        The columns of the facilities' kind and of the compounds' residents.
    off_street_m
        A compound farther than this from every street reaches nothing.

    Returns
    -------
    DataFrame
        Indexed like `compounds`: a column per item (True there, False lacking, missing where nothing is known: the compounds
        have no such column, or the facilities none of the kind), `n_basic`, `n_improved`, `n_upgraded` (lacking of each list),
        `n_unknown`, `need` (residents times items lacking, basic ones counting four times and improved ones twice) and
        `rank`, 1 for the greatest need.

    Raises
    ------
    CrsError
        Different CRS.
    ColumnError
        No column of kinds or residents.

    Notes
    -----
    The lists are those of the State Council's opinion on renewing old compounds (国办发〔2020〕23号): basic, improved, upgraded. How
    they are weighed against each other is this project's choice: safety and pipes before lifts before services.
    """
    for name, frame, what in (
        (kind, facilities, "facilities"),
        (residents, compounds, "compounds"),
    ):
        if name is not None and name not in frame.columns:
            raise ColumnError(
                f"no column {name!r} in the {what}{did_you_mean(name, map(str, frame.columns))}"
            )
    people = (
        np.ones(len(compounds))
        if residents is None
        else compounds[residents].fillna(0).to_numpy(dtype=float)
    )
    table = pd.DataFrame(index=compounds.index)
    lists: dict[str, list[str]] = {name: [] for name in LISTS}
    places = compounds.reset_index(drop=True)
    for item in items:
        lists[item.list].append(item.id)
        if item.has is not None:
            known = compounds[item.has].astype("boolean") if item.has in compounds else pd.NA
        else:
            known = _reached(
                places, facilities[facilities[kind] == item.within], item, network, off_street_m
            )
        table[item.id] = pd.Series(known, index=compounds.index, dtype="boolean")
    lacking = {name: (table[each] == False).sum(axis=1) for name, each in lists.items()}  # noqa: E712 - missing is neither
    n_unknown = table.isna().sum(axis=1)
    for name, n in lacking.items():
        table[f"n_{name}"] = n.astype(np.int64)
    table["n_unknown"] = n_unknown.astype(np.int64)
    table["need"] = people * (4 * lacking["basic"] + 2 * lacking["improved"] + lacking["upgraded"])
    table["rank"] = table["need"].rank(ascending=False, method="first").astype(np.int64)
    return table


def _reached(
    places: gpd.GeoDataFrame, goals: gpd.GeoDataFrame, item: Renewal, network: WalkingNetwork, off_street_m: float
) -> object:  # fmt: skip
    if goals.empty or item.limit_m is None:
        return pd.NA
    found = nearest_facilities(
        places, goals, network, limit_m=item.limit_m, off_street_m=off_street_m
    )
    return np.isin(np.arange(len(places)), found["origin"].to_numpy())
