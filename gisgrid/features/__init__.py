"""What does a layer hold, row by row? Its features as columns, the filters over them, and rows that come in fresh.

`table` holds features in flat arrays that workers share, `filters` choose among them, `privacy` says what must never
leave, `live` adds, changes and takes away rows while others read.
"""

from gisgrid.features.column import Clock, Column, Kind
from gisgrid.features.fresh import Chunk, FreshTable
from gisgrid.features.journal import Journal
from gisgrid.features.live import LiveTable, merge
from gisgrid.features.places import GeometryKind, Packed, Places
from gisgrid.features.privacy import Privacy
from gisgrid.features.snapshot import Snapshot
from gisgrid.features.table import FeatureTable
from gisgrid.features.warm import compile_loops
from gisgrid.features.words import Words
from gisgrid.features.zorder import box_rows

__all__ = [
    "Chunk",
    "Clock",
    "Column",
    "FeatureTable",
    "FreshTable",
    "GeometryKind",
    "Journal",
    "Kind",
    "LiveTable",
    "Packed",
    "Places",
    "Privacy",
    "Snapshot",
    "Words",
    "box_rows",
    "compile_loops",
    "merge",
]
