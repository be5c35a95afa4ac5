"""Where do the ways of drawing the fringe agree? A map of the units, and a table of the ways two by two."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import demand, names_of
from gisgrid.derived.notes import Note
from gisgrid.zones import FRINGE_CLASSES, REST, agreement, zone_shares

WAYS: Final = ("kept", "breaks", "degurba", "official")
"""The polygons that the city keeps, the two breaks, the Degree of Urbanisation, and the official classes."""

_FRINGE: Final = "fringe"


def zone_agreement(
    units: gpd.GeoDataFrame,
    fringe_zones: gpd.GeoDataFrame,
    fringe_breaks: gpd.GeoDataFrame,
    degurba_cells: gpd.GeoDataFrame,
    *,
    key: str,
    official: str = "urban_rural_class",
) -> Derivation:
    """Say of each unit which ways of drawing the fringe call it fringe, and what most of them say.

    Parameters
    ----------
    units
        Areas with `key`, in a projected CRS in metres, and the official class (111 to 220; missing where nobody gave one).
    fringe_zones
        The polygons that the city keeps.
    fringe_breaks
        As from `gisgrid.derived.fringe_breaks`.
    degurba_cells
        As from `gisgrid.derived.degurba_cells`.
    key
        The column that names a unit.
    official
        The column of the official class.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `population` where there is one, `zone_WAY` for each of `WAYS`
        (``fringe`` or ``rest`` by what most of its ground is; missing where a way says nothing), `n_fringe`, `n_ways`,
        `zone_type` (what most ways say) and `confidence` (the share of the ways that say so).

    Raises
    ------
    CrsError
        A frame without CRS, or units that are not in metres.
    ColumnError
        A column is missing.

    Notes
    -----
    See `gisgrid.zones.agreement`.
    """
    types, weights = _ways(units, fringe_zones, fringe_breaks, degurba_cells, key, official)
    pairs, agreed = agreement(types, weights=weights)
    columns = [key, *names_of(map(str, units.columns))]
    if "population" in units.columns:
        columns.append("population")
    table = pd.DataFrame(units[columns])
    for name, each in types.items():
        table[f"zone_{name}"] = each.astype("str").mask(each.isna())
    table["n_fringe"] = sum((each == _FRINGE).astype(np.int64) for each in types.values())
    table["n_ways"] = agreed["n_ways"].astype(np.int64)
    table["zone_type"] = agreed["zone_type"].astype("str")
    table["confidence"] = agreed["confidence"].astype(float)
    whole = weights.sum()
    sure = float(weights[agreed["confidence"] == 1].sum() / whole) if whole else np.nan
    least, most = pairs["kappa"].min(), pairs["kappa"].max()
    notes = (
        Note(
            f"all ways agree on the ground of {sure:.0%} of the weight; kappa of two ways is {least:.2f} to {most:.2f}",
            f"各方法一致的占 {sure:.0%}；两两卡帕系数 {least:.2f} 至 {most:.2f}",
        ),
    )
    return Derivation(gpd.GeoDataFrame(table, geometry=units.geometry), {}, notes)


def zone_pairs(
    units: gpd.GeoDataFrame,
    fringe_zones: gpd.GeoDataFrame,
    fringe_breaks: gpd.GeoDataFrame,
    degurba_cells: gpd.GeoDataFrame,
    *,
    key: str,
    official: str = "urban_rural_class",
) -> Derivation:
    """Compare the ways of drawing the fringe two by two.

    Parameters
    ----------
    units, fringe_zones, fringe_breaks, degurba_cells, key, official
        As for `zone_agreement`.

    Returns
    -------
    Derivation
        A table with a row per pair of ways: `pair_id`, `one`, `other`, `n_units`, `agree` (share of the residents, or of the
        ground, of whom both say the same), `kappa` (agreement beyond chance; below 0.4 they hardly speak of the same
        ground) and `overlap_fringe` (both over either).

    Raises
    ------
    CrsError, ColumnError
        As for `zone_agreement`.
    """
    types, weights = _ways(units, fringe_zones, fringe_breaks, degurba_cells, key, official)
    pairs, _ = agreement(types, weights=weights)
    table = pairs.reset_index()
    made = pd.DataFrame(
        {
            "pair_id": table["a"] + "-" + table["b"],
            "one": table["a"].astype("str"),
            "other": table["b"].astype("str"),
            "n_units": table["n"].astype(np.int64),
            "agree": table["agree"],
            "kappa": table["kappa"],
            "overlap_fringe": table.get(f"overlap_{_FRINGE}", np.nan),
        }
    )
    return Derivation(made)


def _ways(  # noqa: PLR0917
    units: gpd.GeoDataFrame, kept: gpd.GeoDataFrame, breaks: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, key: str, official: str
) -> tuple[dict[str, pd.Series], pd.Series]:  # fmt: skip
    demand(units, "units", key, official)
    demand(breaks, "fringe_breaks", "zone_type")
    demand(cells, "degurba_cells", "zone_type")
    crs = require_metres(units, what="shares of ground", name="units")
    drawn = {
        "kept": kept,
        "breaks": breaks[breaks["zone_type"] == _FRINGE],
        "degurba": cells[cells["zone_type"] == _FRINGE],
    }
    types = {}
    for name, frame in drawn.items():
        zones = gpd.GeoDataFrame(
            {"zone_type": [_FRINGE] * len(frame)}, geometry=frame.geometry.to_crs(crs).to_numpy(), crs=crs
        )  # fmt: skip
        types[name] = zone_shares(units, zones)["zone_type"]
    classes = units[official].astype("object")
    said = classes.astype("str").isin(FRINGE_CLASSES).map({True: _FRINGE, False: REST})
    types["official"] = said.astype("object").where(classes.notna(), None)
    weights = units["population"].astype(float) if "population" in units.columns else units.area
    return types, weights
