"""What draws a layer of features? Points are drawn from runs of rows, lines, polygons and mixtures from prepared shapes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd

from gisgrid.errors import ColumnError, did_you_mean
from gisgrid.features import FeatureTable
from gisgrid.features.privacy import Privacy
from gisgrid.tiles.mvt import MVT_MEDIA_TYPE
from gisgrid.tiles.points import PointSource
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, BBox, MatrixSet, check_zooms
from gisgrid.tiles.shapes import ShapeSource
from gisgrid.tiles.source import LowZoom, Tile, TileSource

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

__all__ = ["MVT_MEDIA_TYPE", "VectorSource", "counted_properties", "vector_source"]

_OPEN = Privacy()
_AS_IT_COMES = LowZoom()
_COUNTING = frozenset({"aggregate", "cluster"})


def vector_source(
    table: FeatureTable,
    *,
    layer_id: str,
    properties: Sequence[str] = (),
    minzoom: int = 0,
    maxzoom: int = 14,
    privacy: Privacy = _OPEN,
    low_zoom: LowZoom = _AS_IT_COMES,
    matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
    folder: Path | None = None,
) -> PointSource | ShapeSource:
    """Make a layer of features ready to be drawn, by what its geometry is.

    Parameters
    ----------
    table
        The features.
    layer_id
        The name of the layer in a tile.
    properties
        The columns that tiles show, and no others.
    minzoom, maxzoom
        The zooms to draw, both included.
    privacy
        What must never leave.
    low_zoom
        What is drawn where features are too many.
    matrix_set
        The set whose tiles are drawn.
    folder
        The folder that the table was opened from, to keep beside it what is made ready; None to keep it in memory.

    Returns
    -------
    PointSource or ShapeSource
        The source.

    Raises
    ------
    InputError
        The zooms are not in order, or `low_zoom` or `privacy` asks for what this geometry cannot be given.
    ColumnError
        A property is no column, or none that may be shown.
    """
    draw = PointSource if table.kind == "point" else ShapeSource
    return draw(
        table, layer_id=layer_id, properties=properties, minzoom=minzoom, maxzoom=maxzoom,
        privacy=privacy, low_zoom=low_zoom, matrix_set=matrix_set, folder=folder,
    )  # fmt: skip


def counted_properties(source: TileSource) -> tuple[str, ...]:
    """Name what a tile says of many features that it shows as one.

    Parameters
    ----------
    source
        What draws the layer.

    Returns
    -------
    tuple of str
        ``count``, ``n_CLASS`` and the shares that `LowZoom` declares, all numbers; empty for what is never counted.
    """
    drawer = source.source if isinstance(source, VectorSource) else source
    if not isinstance(drawer, PointSource) or drawer.low_zoom.strategy not in _COUNTING:
        return ()
    measures = drawer.base.measures
    return ("count", *(f"n_{word}" for word in measures.classes), *measures.shares)


@dataclass(frozen=True)
class VectorSource:
    """A frame in memory, ready to be drawn: the way in for notebooks and small layers.

    Attributes
    ----------
    source
        What draws it.
    key
        The column that names a feature, shown among the properties; None for none.
    n_features
        How many rows the frame has. A feature's id is the position of its row + 1.
    """

    source: PointSource | ShapeSource
    key: str | None
    n_features: int

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
        low_zoom: LowZoom | None = None,
        matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
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
        low_zoom
            What is drawn where features are too many; None to draw all of them, however heavy a tile becomes.
        matrix_set
            The set whose tiles are drawn.

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
        >>> len(source.tile(0, 0, 0).body), source.tile(14, 0, 0).body
        (56, b'')
        """
        check_zooms(minzoom, maxzoom, layer_id=layer_id)
        names = list(dict.fromkeys(([key] if key is not None else []) + list(properties)))
        for name in names:
            if name not in frame.columns:
                what = "key" if name == key else "property"
                raise ColumnError(
                    f"{what} {name!r} is no column of {layer_id!r}{did_you_mean(name, map(str, frame.columns))}"
                )
        table = FeatureTable.from_frame(frame, key=key, properties=names, name=layer_id)
        source = vector_source(
            table, layer_id=layer_id, properties=names, minzoom=minzoom, maxzoom=maxzoom,
            low_zoom=LowZoom("none") if low_zoom is None else low_zoom, matrix_set=matrix_set,
        )  # fmt: skip
        return cls(source, key, len(frame))

    @property
    def layer_id(self) -> str:
        """The name of the layer in a tile."""
        return self.source.layer_id

    @property
    def minzoom(self) -> int:
        """The first zoom that is drawn."""
        return self.source.minzoom

    @property
    def maxzoom(self) -> int:
        """The last zoom that is drawn."""
        return self.source.maxzoom

    @property
    def matrix_set(self) -> MatrixSet:
        """The set whose tiles are drawn."""
        return self.source.matrix_set

    @property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees of what is drawn; None where nothing is."""
        return self.source.bbox

    @property
    def tables(self) -> tuple[FeatureTable, ...]:
        """All that is drawn, as it may be shown."""
        return self.source.tables

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows are not drawn, or not wholly, by reason; empty where all are."""
        return self.source.left_out

    @property
    def media_type(self) -> str:
        """What a tile's body is, as HTTP calls it."""
        return MVT_MEDIA_TYPE

    def tile(self, z: int, x: int, y: int, *, where: Filter | None = None) -> Tile:
        """Draw a tile.

        Parameters
        ----------
        z, x, y
            The tile, in `matrix_set`.
        where
            Only the features that it selects; None for all.

        Returns
        -------
        Tile
            A Mapbox Vector Tile 2.1 with one layer; empty where it has no feature.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the zoom is outside `minzoom` to `maxzoom`.
        """
        return self.source.tile(z, x, y, where=where)
