"""What else is there to walk to, and what have old compounds been renewed with?"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.testing.facilities import draw_compounds, facility_names, facility_states
from gisgrid.testing.grids import CRS_CODE, Grid
from gisgrid.testing.ground import Floats
from gisgrid.testing.names import Name
from gisgrid.testing.places import Places

_HOW_MANY: Mapping[str, tuple[int, float, Name]] = {
    "convenience_store": (260, 0.5, ("便利店", " Convenience Store")),
    "supermarket": (40, 0.3, ("超市", " Supermarket")),
    "elderly_day_care": (60, 0.3, ("日间照料中心", " Day Care for the Elderly")),
    "childrens_centre": (52, 0.3, ("儿童之家", " Children's Centre")),
    "culture_room": (44, 0.5, ("文化活动室", " Culture Room")),
    "fitness": (120, 0.6, ("健身点", " Fitness Ground")),
    "waste_station": (420, 0.4, ("垃圾分类收集点", " Waste Sorting Point")),
}
"""How many of each kind, how much a resident of a village counts for where they stand, and what they are called."""

_RENEWED: Mapping[str, float] = {
    "pipes_renewed": 0.55,
    "fire_safety": 0.6,
    "parking": 0.35,
    "lift": 0.12,
}
"""Which share of old compounds has what renewal brings."""


def with_services(
    facilities: gpd.GeoDataFrame,
    grid: Grid,
    streets: gpd.GeoDataFrame,
    places: Places,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    """Add shops, care, culture, fitness and waste points to the facilities, behind those that are there.

    Parameters
    ----------
    facilities
        As from `facility_frame`; its rows stay as they are.
    grid, streets, places
        Who lives where, and where points may lie.
    rng
        The source of chance.

    Returns
    -------
    GeoDataFrame
        The same columns, more rows.
    """
    people = grid.compounds["population"].to_numpy(dtype=np.float64)
    built = people * np.isin(grid.setting, ["centre", "urban"])
    rural = people * np.isin(grid.setting, ["nucleus", "field"])
    spots = [draw_compounds(built + share * rural, n, rng) for n, share, _ in _HOW_MANY.values()]
    kinds = np.repeat(list(_HOW_MANY), [len(rows) for rows in spots])
    xy: Floats = places.draw(np.concatenate(spots), np.ones(len(kinds), dtype=bool), rng)
    table = pd.DataFrame({"kind": kinds})
    table["status"], table["opened_on"] = facility_states(table["kind"], rng)
    words = {kind: name for kind, (_, _, name) in _HOW_MANY.items()}
    table["name_zh"], table["name_en"] = facility_names(table["kind"], streets, xy, words)
    first = len(facilities) + 1
    table["facility_id"] = [f"F{first + number:05d}" for number in range(len(table))]
    more = gpd.GeoDataFrame(table, geometry=shapely.points(np.round(xy, 2)), crs=CRS_CODE)
    joined = pd.concat([facilities, more[facilities.columns]], ignore_index=True)
    return gpd.GeoDataFrame(joined, crs=CRS_CODE)


def with_renewal(compounds: gpd.GeoDataFrame, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Say what old compounds have been renewed with: pipes, fire safety, parking, a lift.

    Parameters
    ----------
    compounds
        As from `grid_frames`; their columns stay as they are.
    rng
        The source of chance.

    Returns
    -------
    GeoDataFrame
        With `pipes_renewed`, `fire_safety`, `parking` and `lift`, missing where the compound is not old.
    """
    old = (compounds["kind"] == "old_compound").to_numpy()
    columns = {
        name: pd.arrays.BooleanArray(rng.random(len(compounds)) < share, ~old)
        for name, share in _RENEWED.items()
    }
    geometry = compounds.geometry
    table = pd.DataFrame(compounds.drop(columns=geometry.name)).assign(**columns)
    return gpd.GeoDataFrame(table, geometry=geometry, crs=compounds.crs)
