"""What `gisgrid hotspots` found, before it is written and said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import pandas as pd

from gisgrid.analysis.reasons import Explanation
from gisgrid.catalogue.provenance import Value
from gisgrid.cli.hotspots.partitions import Counted
from gisgrid.intake import Reports


@dataclass(frozen=True)
class Result:
    """The areas found, and what a reader needs to trust them.

    Attributes
    ----------
    frame
        The areas with their scores; a surface or a table where the method makes one.
    key
        The column that names an area.
    outline
        The units, where the areas are cells over them.
    reports
        The reports as read, or as counted in parts.
    summary
        Counts, labels, the hottest places, notes: what is printed.
    unassigned
        The source rows of incidents that lie in none of the areas.
    explanation
        Of the area that was asked about.
    steps
        For a map page of what changes: hot and cold at each step of time, areas by steps.
    """

    frame: Value
    key: str
    outline: gpd.GeoDataFrame | None
    reports: Reports | Counted
    summary: dict[str, Any]
    unassigned: list[int]
    explanation: Explanation | None = None
    steps: pd.DataFrame | None = None
