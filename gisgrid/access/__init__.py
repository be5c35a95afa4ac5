"""Who can reach what on foot, and whom does it leave out?

`network` (streets that can be walked), `osm` (an extract of OpenStreetMap), `reach` (how far is the nearest), `entrances`
(how long to the town), `areas` (service areas), `standards` and `coverage` (who reaches what is demanded), `pairs` and
`catchments` (what is there for each resident), `siting` (where one more would help most), `renewal` (what old compounds
lack). Functions take frames and return frames indexed like their first argument; none knows a layer.
"""

from gisgrid.access.areas import service_areas
from gisgrid.access.catchments import two_step_catchment
from gisgrid.access.coverage import (
    coverage,
    facility_density,
    left_out,
    most_helped,
    unserved_runs,
)
from gisgrid.access.entrances import minutes_to_areas
from gisgrid.access.network import WALKING_KMH, WalkingNetwork, walking_network
from gisgrid.access.osm import read_osm_facilities, read_osm_streets
from gisgrid.access.pairs import within_reach
from gisgrid.access.reach import nearest_facilities
from gisgrid.access.renewal import renewal_gaps
from gisgrid.access.siting import Sites, best_sites
from gisgrid.access.standards import Density, Renewal, Standard, Standards, read_standards

__all__ = [
    "WALKING_KMH",
    "Density",
    "Renewal",
    "Sites",
    "Standard",
    "Standards",
    "WalkingNetwork",
    "best_sites",
    "coverage",
    "facility_density",
    "left_out",
    "minutes_to_areas",
    "most_helped",
    "nearest_facilities",
    "read_osm_facilities",
    "read_osm_streets",
    "read_standards",
    "renewal_gaps",
    "service_areas",
    "two_step_catchment",
    "unserved_runs",
    "walking_network",
    "within_reach",
]
