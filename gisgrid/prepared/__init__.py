"""What does a map need of a layer? Its rows as columns on disk, made once per state of the data, and what draws them.

A layer lies ready in ``data/.tiles/<layer>-<version>/``. It is made by whoever needs it first, while others wait; it is
never changed, and it goes when there is a newer one and nobody uses it any more.
"""

from gisgrid.prepared.layers import prepare, prepare_all
from gisgrid.prepared.live import LiveRows, append, live_folder, open_live
from gisgrid.prepared.shown import layer_low_zoom, layer_privacy, shown_fields
from gisgrid.prepared.sources import layer_source, table_source
from gisgrid.prepared.state import Prepared, layer_version

__all__ = [
    "LiveRows",
    "Prepared",
    "append",
    "layer_low_zoom",
    "layer_privacy",
    "layer_source",
    "layer_version",
    "live_folder",
    "open_live",
    "prepare",
    "prepare_all",
    "shown_fields",
    "table_source",
]
