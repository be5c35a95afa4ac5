"""How many incidents in which month?"""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.catalogue import Derivation
from gisgrid.derived.incidents import demand, reported
from gisgrid.derived.notes import IN_NO_AREA, NO_TIME, left_out
from gisgrid.join import assign_units

_NO_MONTHS: Final = pd.PeriodIndex([], freq="M")


def issue_months(
    issues: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, key: str, timezone: str
) -> Derivation:
    """Count the incidents of each unit in each month, and say which months the data cover as a whole.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of` and `reported_at` (UTC); brought into the CRS of `units` where it differs.
    units
        Areas with `key`.
    key
        The column that names a unit.
    timezone
        Where a month begins, for example ``Asia/Shanghai``.

    Returns
    -------
    Derivation
        A table with a row for every unit and every month from the first report to the last: `key`, `month`
        (``YYYY-MM``), `n_incidents`, `complete` (the data reach from the month's first day to its last).

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    """
    demand(units, "units", key)
    counting = reported(issues, units, "reported_at")
    issues, first = counting.reports, counting.is_first
    when = issues["reported_at"].dt.tz_convert(timezone).dt.tz_localize(None)
    codes = assign_units(issues, {key: units})[key]
    counted = first & codes.notna() & when.notna()
    days = when.dt.normalize()
    begin, end = days.min(), days.max()  # NaT where there is no time at all
    months = pd.period_range(begin, end, freq="M") if counted.any() else _NO_MONTHS
    month = months.get_indexer(pd.PeriodIndex(when[counted], freq="M"))
    unit = pd.Index(units[key]).get_indexer(pd.Index(codes[counted]))
    counts = np.bincount(unit * len(months) + month, minlength=len(units) * len(months))
    complete = (months.start_time >= begin) & (months.end_time.normalize() <= end)
    value = pd.DataFrame(
        {
            key: units[key].repeat(len(months)).array,
            "month": pd.Series(np.tile(months.strftime("%Y-%m"), len(units)), dtype="str"),
            "n_incidents": counts.astype(np.int64),
            "complete": np.tile(complete, len(units)),
        }
    )
    excluded = {
        **counting.excluded,
        IN_NO_AREA: (first & codes.isna()).sum(),
        NO_TIME: (first & codes.notna() & when.isna()).sum(),
    }
    return Derivation(
        value, left_out(excluded), (*counting.notes, f"months begin at midnight in {timezone}")
    )
