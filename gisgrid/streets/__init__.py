"""Which pieces of street are there, how do they hang together, and which place is on which?"""

from gisgrid.streets.nearest import nearest_segment
from gisgrid.streets.network import Network, network_of
from gisgrid.streets.segments import street_segments

__all__ = ["Network", "nearest_segment", "network_of", "street_segments"]
