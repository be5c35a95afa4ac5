"""Compile (or load) every loop that draws points before a request waits for it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from gisgrid.features import FeatureTable
from gisgrid.features.filters import Filter
from gisgrid.tiles.points.source import PointSource
from gisgrid.tiles.scheme import WORLD_CRS84_QUAD
from gisgrid.tiles.source import LowZoom
from gisgrid.tiles.warm import warms_up


@warms_up
def draw_points() -> None:
    """Draw tiles of every kind that a layer of points has."""
    n = 2000
    number = np.arange(n)
    frame = pd.DataFrame(
        {
            "word": pd.array(np.array(["a", "b"])[number % 2], dtype="str"),
            "number": number,
            "lon": 10 + 0.001 * (number % 97),
            "lat": 10 + 0.001 * (number % 89),
        }
    )
    table = FeatureTable.from_frame(frame, properties=["word", "number"], lonlat=("lon", "lat"))
    where = Filter.parse("number > 9", fields=table.fields)
    fresh = table.take(np.arange(5))
    for low_zoom in (
        LowZoom("aggregate", below=9, counts_by="word", shares=(("share", "number > 5"),)),
        LowZoom("aggregate", below=9, counts_by="word", shape="hexagon"),
        LowZoom("one_per_pixel", below=9),
        LowZoom("drop_densest", below=9),
        LowZoom("cluster", below=9),
    ):
        source = PointSource(
            table, layer_id="layer", properties=["word", "number"], low_zoom=low_zoom
        )
        for drawn in (source, source.with_fresh(fresh, hidden=np.arange(3))):
            for z, x, y in ((0, 0, 0), (8, 135, 120), (10, 540, 483)):
                drawn.tile(z, x, y)
                drawn.tile(z, x, y, where=where)
    PointSource(table, layer_id="layer", matrix_set=WORLD_CRS84_QUAD).tile(8, 270, 113)
