"""What does a web map draw of a layer of features? Vector tiles straight from a frame in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.tiles.clip import Pieces, clip_paths
from gisgrid.tiles.mending import mended
from gisgrid.tiles.mvt import LINE, POINT, POLYGON, encode_layer
from gisgrid.tiles.properties import Properties, frame_properties
from gisgrid.tiles.scheme import EXTENT, BBox, check_zoom, check_zooms
from gisgrid.tiles.shapes import Ints, Points, Shapes, frame_shapes, tile_run

MVT_MEDIA_TYPE: Final = "application/vnd.mapbox-vector-tile"


@dataclass(frozen=True)
class VectorSource:
    """A layer of features, ready to be drawn: geometry projected once, properties encoded once.

    Every point is in exactly one tile of a zoom; lines and polygons reach 64 units past the edge of each tile they
    touch. Vertices are rounded to the grid of the zoom, 4096 units to the tile, and shapes that come to nothing on it
    are not drawn there; nothing else is ever left out of a tile. Polygons stay valid, and neighbours keep their common
    edges, save where a shape had to be mended.

    Attributes
    ----------
    layer_id
        The name of the layer in a tile.
    key
        The column that names a feature, shown among the properties; None for none.
    minzoom, maxzoom
        The zooms it draws, both included.
    n_features
        How many rows the frame has. A feature's id is the position of its row + 1.
    shapes, properties
        The flat arrays.
    """

    layer_id: str
    key: str | None
    minzoom: int
    maxzoom: int
    n_features: int
    shapes: Shapes
    properties: Properties

    @classmethod
    def from_frame(
        cls,
        frame: gpd.GeoDataFrame,
        *,
        layer_id: str,
        key: str | None = None,
        properties: Sequence[str] = (),
        minzoom: int = 0,
        maxzoom: int = 14,
    ) -> VectorSource:
        """Make a frame ready to be drawn.

        Parameters
        ----------
        frame
            Any CRS; it is projected once, here.
        layer_id
            The name of the layer in a tile.
        key
            The column that names a feature; it goes before the other properties.
        properties
            The columns that tiles show, and no others.
        minzoom, maxzoom
            The zooms to draw, both included.

        Returns
        -------
        VectorSource
            The source.

        Raises
        ------
        CrsError
            The frame has no CRS.
        ColumnError
            `key` or a property is no column, or holds what a tile cannot carry.
        InputError
            The zooms are not in order.

        Examples
        --------
        >>> from shapely import Point
        >>> frame = gpd.GeoDataFrame({"kind": ["dry_toilet"]}, geometry=[Point(114.0, 35.2)], crs=4326)
        >>> source = VectorSource.from_frame(frame, layer_id="facilities", properties=["kind"])
        >>> len(source.tile(0, 0, 0)), source.tile(14, 0, 0)
        (56, b'')
        """
        check_zooms(minzoom, maxzoom, layer_id=layer_id)
        if key is not None and key not in frame.columns:
            raise ColumnError(
                f"key {key!r} is no column of {layer_id!r}{did_you_mean(key, map(str, frame.columns))}"
            )
        names = list(dict.fromkeys(([key] if key is not None else []) + list(properties)))
        return cls(
            layer_id, key, minzoom, maxzoom, len(frame),
            frame_shapes(frame, name=layer_id), frame_properties(frame, names, name=layer_id),
        )  # fmt: skip

    @property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees of what is drawn; None where nothing is."""
        return self.shapes.bbox

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows are not drawn, or not wholly, by reason; empty where all are."""
        return dict(self.shapes.left_out)

    @property
    def media_type(self) -> str:
        """What `tile` returns, as HTTP calls it."""
        return MVT_MEDIA_TYPE

    def tile(self, z: int, x: int, y: int) -> bytes:
        """Draw a tile.

        Parameters
        ----------
        z, x, y
            The tile, in WebMercatorQuad.

        Returns
        -------
        bytes
            A Mapbox Vector Tile 2.1 with one layer; empty where it has no feature.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the zoom is outside `minzoom` to `maxzoom`.
        """
        check_zoom(self, z, x, y)
        shapes = self.shapes
        kinds: list[tuple[int, Pieces]] = []
        if shapes.polygons is not None:
            kinds.append((POLYGON, mended(clip_paths(*shapes.polygons, z, x, y, closed=True))))
        if shapes.lines is not None:
            kinds.append((LINE, clip_paths(*shapes.lines, z, x, y, closed=False)))
        if shapes.points is not None:
            kinds.append((POINT, _points(shapes.points, z, x, y)))
        return encode_layer(self.layer_id, kinds, self.properties)


def _points(points: Points, z: int, x: int, y: int) -> Pieces:
    run = tile_run(points, z, x, y)
    px, py = _tile_units(points.x[run], z, x), _tile_units(points.y[run], z, y)
    row = points.row[run]
    n = len(row)
    path = np.column_stack([np.arange(n), np.arange(1, n + 1)])
    if points.single:
        feature, rows = path, row
    else:
        order = np.argsort(row, kind="stable")
        px, py = px[order], py[order]
        rows, first = np.unique(row[order], return_index=True)
        feature = np.column_stack([first, np.append(first, n)[1:]])
    unset = np.zeros(len(rows), dtype=bool)
    return Pieces(px, py, path, np.zeros(n, dtype=bool), feature, rows, unset)


def _tile_units(steps: NDArray[np.uint32], z: int, tile: int) -> Ints:
    finer = 32 - z - 12  # steps of the world grid to units of the tile, as a power of two
    units = steps.astype(np.int64)
    units = units >> finer if finer >= 0 else units << -finer
    return units - tile * EXTENT
