"""What would a whole city look like whose hotspots we know? A synthetic city, the same for the same seed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.errors import InputError
from gisgrid.progress import Progress, silent
from gisgrid.testing.casework import Casework, synthetic_casework
from gisgrid.testing.facilities import assessment_frame, facility_frame, street_frame
from gisgrid.testing.grids import grid_frames
from gisgrid.testing.ground import lay_ground
from gisgrid.testing.issues import issue_frame
from gisgrid.testing.places import places
from gisgrid.testing.rhythm import period
from gisgrid.testing.services import with_renewal, with_services
from gisgrid.testing.streets import main_streets
from gisgrid.testing.tessellation import divide, moved
from gisgrid.testing.truth import plant
from gisgrid.testing.zones import zone_frames

LEAST_ISSUES, MOST_ISSUES = 2_000, 2_000_000
LEAST_YEARS, MOST_YEARS = 1, 5
_FIRST_DAY: Final = dt.date(2025, 8, 25)
_DAYS: Final = 56  # eight whole weeks, to the end of the reports
_CASES: Final = 60_000


@dataclass(frozen=True)
class City:
    """A city's source layers, and what was planted in its issues.

    Attributes
    ----------
    layers
        The frame of each source layer by the layer's id (subdistricts, communities, compounds, streets,
        urban_villages, suburban_villages, fringe_zones, facilities, assessment_points, reported_issues), EPSG:4547; and
        the tables case_history, authority, patrol_fixes (lon and lat).
    truth
        The planted areas: truth_id, kind (hot, cold, emerging, fading), factor, category (missing where all
        categories are meant), starts_at, ends_at (UTC), geometry. Issues per resident are `factor` times what they
        are elsewhere: all the time where it is hot or cold; rising evenly from 1 at `starts_at` to `factor` at
        `ends_at` where it is emerging; falling evenly from `factor` to 1 between them where it is fading.
    casework
        Eight weeks of cases and patrols, and what was planted in them: authority gaps, blind spots, rebounds, and half as
        many cases around the assessment points from the fifth week on.
    """

    layers: Mapping[str, Any]  # GeoDataFrames, and tables
    truth: gpd.GeoDataFrame
    casework: Casework

    def __repr__(self) -> str:
        issues, communities = self.layers["reported_issues"], self.layers["communities"]
        first, last = (f"{time:%Y-%m-%d}" for time in issues["reported_at"].agg(["min", "max"]))
        return (
            f"<City of {len(communities)} communities and {communities['population'].sum():,} residents: "
            f"{len(issues):,} reports from {first} to {last}, {len(self.truth)} planted areas>"
        )


def synthetic_city(
    *,
    seed: int = 1,
    n_issues: int = 60_000,
    years: int = 3,
    planted: bool = True,
    progress: Progress = silent,
) -> City:
    """Make a city of 18 km by 16 km with reported issues whose hotspots are known.

    For trying out an analysis, a map or a server at any size, and for measuring how well a method finds what is
    there (`score`). It is no model of any real city: do not draw conclusions about cities from it.

    Parameters
    ----------
    seed
        Not negative. The same seed gives the same bytes; another seed another city. The layers other than
        `reported_issues` depend on nothing else.
    n_issues
        How many issues, duplicates included, 2 000 to 2 000 000. Exact.
    years
        How many years of reports, 1 to 5. They end with 20 October 2025 (Asia/Shanghai) and begin on a
        1 November: the last month is cut off, as in any export.
    planted
        False leaves out every planted area: issues are then proportional to residents everywhere.
    progress
        Told how far the work is.

    Returns
    -------
    City
        Layers in the columns of the catalogue, and the truth.

    Raises
    ------
    InputError
        A number is outside its range.

    Notes
    -----
    *Hot in which sense.* Issues are drawn in proportion to residents times the planted factor, so the planted areas
    are exactly where the **rate per resident** differs. For **counts per area** a dense place is hot by itself: here
    residents per km² differ by about a third within the built-up area and fall to about a quarter of it in fields,
    well below the planted factors of 4 to 4.5; Gi* on 300 m hexagons therefore finds the planted areas and not the
    city as a whole. Planted cold areas are cold as a rate; as counts they look like fields.

    *What is not perfect, on purpose.* 6 % of issues are reported again within days and metres (`duplicate_of`); about
    1 in 1 000 lies outside the city, in no unit; 1 in 2 000 lies exactly on a corner of its compound; 3 % of the
    collectors' reports arrive hours late; cases not closed by the end are open. River reaches are compounds without
    residents.

    *Grid.* All borders are noded together on 1 cm, so neighbours share exactly equal vertices at every level and a
    unit is exactly the union of its parts. Codes follow the statistical scheme; the county 419801 does not exist.

    CRS: EPSG:4547 near 114° E, 35.2° N. Cost: about 2 s, and 5 s for each further million issues.

    Examples
    --------
    >>> city = synthetic_city(seed=1, n_issues=2_000, years=1)
    >>> issues = city.layers["reported_issues"]
    >>> len(issues), int(issues["duplicate_of"].notna().sum())
    (2000, 120)
    >>> city.truth["kind"].value_counts().to_dict()
    {'hot': 3, 'cold': 1, 'emerging': 1, 'fading': 1}
    """
    _require("n_issues", n_issues, LEAST_ISSUES, MOST_ISSUES)
    _require("years", years, LEAST_YEARS, MOST_YEARS)
    _require("seed", seed, 0, 2**63 - 1)
    chance = [np.random.default_rng([seed, part]) for part in range(10)]
    step = "synthetic city"
    progress(step, 0.0)
    ground = lay_ground(chance[0])
    main = main_streets(ground, chance[1])
    division = divide(ground, main, chance[2])
    progress(step, 0.3)
    grid = grid_frames(division, chance[3])
    streets = street_frame([moved(line) for line in main], division.cuts, chance[4])
    spots = places(
        grid.compounds.geometry.to_numpy(),
        streets.geometry.to_numpy(),
        streets["kind"].to_numpy(dtype=np.str_),
    )
    zones = zone_frames(grid, chance[5])
    progress(step, 0.5)
    days = period(years)
    plan = plant(grid, days, chance[6], planted=planted)
    facilities = facility_frame(grid, streets, spots, chance[7])
    inspected = assessment_frame(grid, spots, chance[7])
    casework = synthetic_casework(
        grid.compounds,
        n_cases=_CASES,
        first_day=_FIRST_DAY,
        days=_DAYS,
        points=inspected,
        seed=seed,
    )
    layers = {
        "subdistricts": grid.subdistricts,
        "communities": grid.communities,
        "compounds": with_renewal(grid.compounds, chance[9]),
        "streets": streets,
        **zones,
        "facilities": with_services(facilities, grid, streets, spots, chance[9]),
        "assessment_points": inspected,
        "reported_issues": issue_frame(grid, spots, plan, days, n=n_issues, rng=chance[8]),
        **_tables(casework),
    }
    progress(step, 1.0)
    return City(MappingProxyType(layers), plan.truth, casework)


def _tables(casework: Casework) -> dict[str, pd.DataFrame]:
    """Give cases and patrols as tables: they are evidence for what is derived from them, and nothing to show."""
    fixes = casework.fixes
    lonlat = shapely.get_coordinates(fixes.geometry.to_numpy())
    cases = casework.cases.assign(duplicate_of=casework.cases["duplicate_of"].astype("str"))
    return {
        "case_history": cases,
        "authority": casework.authority,
        "patrol_fixes": pd.DataFrame(
            {
                "track_id": fixes["track_id"].astype("str"),
                "at": fixes["at"],
                "lon": lonlat[:, 0],
                "lat": lonlat[:, 1],
            }
        ),
    }


def _require(name: str, value: int, least: int, most: int) -> None:
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, np.integer))
        or not least <= value <= most
    ):
        raise InputError(
            f"{name} {value!r} is no whole number from {least} to {most}; give one in that range, for example {name}={least}"
        )
