"""How many reports and incidents does each unit have, and what is that per resident?"""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import rate
from gisgrid.catalogue import Derivation
from gisgrid.derived.incidents import demand, reported
from gisgrid.derived.notes import IN_NO_AREA, NO_PLACE, left_out
from gisgrid.join import assign_units, unit_counts


def unit_issues(issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, key: str) -> Derivation:
    """Count how many reports and incidents each unit has, how many are still open, and what that is per resident.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `status`; brought into the CRS of `units` where it differs.
    units
        Areas with `key`, `name_zh`, `name_en`, `population`, `area_km2`.
    key
        The column that names a unit, for example ``community_code``.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `n_reports` (all), `n_incidents` (without repeats), `n_open`
        (incidents not settled), `population`, `area_km2`, `incidents_per_1000` (missing where nobody lives),
        `incidents_per_km2`, and the unit's geometry. Every report is counted in one unit, or excluded.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.

    Examples
    --------
    >>> from shapely import Point, box
    >>> issues = gpd.GeoDataFrame(
    ...     {"duplicate_of": [None, "1", None], "status": ["open", "open", "closed"]},
    ...     geometry=[Point(1, 1), Point(1, 1), Point(99, 1)], crs=4547,
    ... )
    >>> units = gpd.GeoDataFrame(
    ...     {"code": ["a"], "name_zh": ["甲"], "name_en": ["A"], "population": [500], "area_km2": [0.5]},
    ...     geometry=[box(0, 0, 9, 9)], crs=4547,
    ... )
    >>> made = unit_issues(issues, units, key="code")
    >>> made.value[["n_reports", "n_incidents", "n_open", "incidents_per_1000"]].iloc[0].to_list()
    [2.0, 1.0, 1.0, 2.0]
    >>> made.excluded
    {'reports that lie in none of the areas, or have no place': 1}
    """
    demand(units, "units", key, "name_zh", "name_en", "population", "area_km2")
    counted = reported(issues, units, "status")
    codes = assign_units(counted.reports, {key: units})[key]
    first = counted.is_first
    still_open = first & (counted.reports["status"] == "open")
    counts = pd.DataFrame(
        {
            "n_reports": unit_counts(codes, units[key]),
            "n_incidents": unit_counts(codes[first], units[key]),
            "n_open": unit_counts(codes[still_open], units[key]),
        }
    ).set_index(units.index)
    value = units[[key, "name_zh", "name_en"]].join(counts)
    value = value.join(units[["population", "area_km2"]])
    value["incidents_per_1000"] = rate(counts["n_incidents"], units["population"], per=1000)
    value["incidents_per_km2"] = rate(counts["n_incidents"], units["area_km2"])
    value = gpd.GeoDataFrame(value, geometry=units.geometry)
    excluded = {NO_PLACE: counted.excluded[NO_PLACE], IN_NO_AREA: codes.isna().sum()}
    return Derivation(value, left_out(excluded), counted.notes)
