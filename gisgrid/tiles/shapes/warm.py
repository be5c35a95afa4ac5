"""Compile (or load) every loop that draws shapes before a request waits for it."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.features import FeatureTable
from gisgrid.tiles.shapes.source import ShapeSource
from gisgrid.tiles.warm import warms_up


@warms_up
def draw_shapes() -> None:
    """Go once through every loop: shapes inside a tile, cut by its edge, broken by rounding, in memory and on disk."""
    box = shapely.box(0, 0, 20, 20)
    comb = shapely.union_all(
        [
            shapely.box(-60, -40, 60, -38),
            *(shapely.box(a, -40, a + 1e-4, 40) for a in range(-60, 60, 4)),
        ]
    )
    shapes = [
        box,
        box.exterior,
        box.centroid,
        comb,
        shapely.box(-180, -89, 180, 89).difference(box),
    ]
    frame = gpd.GeoDataFrame(
        {
            "text": list("abcde"),
            "number": np.arange(5) / 3,
            "flag": [True, False] * 2 + [True],
            "far": np.arange(5) * 10**12,
        },
        geometry=shapes,
        crs=4326,
    )
    frame["time"] = np.arange(5).astype("datetime64[us]")
    table = FeatureTable.from_frame(frame, properties=["text", "number", "flag", "far", "time"])
    with TemporaryDirectory() as folder:
        for where in (None, Path(folder)):
            source = ShapeSource(
                table, layer_id="shapes", properties=list(table.columns), maxzoom=3, folder=where
            )
            for z in range(4):
                source.tile(z, (1 << z) // 2, (1 << z) // 2)
        opened = ShapeSource(
            table, layer_id="shapes", properties=list(table.columns), maxzoom=3, folder=Path(folder)
        )
        opened.tile(2, 1, 1)
