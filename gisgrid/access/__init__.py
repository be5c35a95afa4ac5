"""Who can reach what on foot, and whom does it leave out?

`network` (streets that can be walked), `osm` (an extract of OpenStreetMap), `reach` (how far is the nearest, and what is within reach),
`areas` (service areas). Functions take frames and return frames indexed like their first argument; none knows a layer.
"""

from gisgrid.access.areas import service_areas
from gisgrid.access.network import WALKING_KMH, WalkingNetwork, walking_network
from gisgrid.access.reach import nearest_facilities

__all__ = [
    "WALKING_KMH",
    "WalkingNetwork",
    "nearest_facilities",
    "service_areas",
    "walking_network",
]
