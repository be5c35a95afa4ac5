"""Which unit is each issue in? Points to units of all levels and zones, exactly, and nothing is lost on the way.

`assign` for reports that fit in memory, `partitions` for files of them that do not, on this machine or on a cluster.
"""

from gisgrid.join.assign import LevelIndex, assign_units, unassigned, unit_counts
from gisgrid.join.partitions import PartitionCounts, count_partitions
from gisgrid.join.questions import TimeStep

__all__ = [
    "LevelIndex",
    "PartitionCounts",
    "TimeStep",
    "assign_units",
    "count_partitions",
    "unassigned",
    "unit_counts",
]
