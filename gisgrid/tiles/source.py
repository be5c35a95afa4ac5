"""What can be asked for tiles?"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from gisgrid.tiles.scheme import BBox


@runtime_checkable
class TileSource(Protocol):
    """Something that draws tiles of one layer: vector, raster, or an archive.

    Attributes
    ----------
    layer_id
        The layer's id; the name of the layer in a vector tile.
    minzoom, maxzoom
        The zooms it draws, both included.
    bbox
        West, south, east, north in degrees of what it shows; None where it shows nothing.
    media_type
        What `tile` returns, as HTTP calls it.
    left_out
        How many rows cannot be drawn, by reason.
    """

    @property
    def layer_id(self) -> str: ...  # noqa: D102
    @property
    def minzoom(self) -> int: ...  # noqa: D102
    @property
    def maxzoom(self) -> int: ...  # noqa: D102
    @property
    def bbox(self) -> BBox | None: ...  # noqa: D102
    @property
    def media_type(self) -> str: ...  # noqa: D102
    @property
    def left_out(self) -> dict[str, int]: ...  # noqa: D102

    def tile(self, z: int, x: int, y: int) -> bytes:
        """Draw a tile.

        Parameters
        ----------
        z, x, y
            The tile, in WebMercatorQuad.

        Returns
        -------
        bytes
            The tile as `media_type`; empty for a vector tile without features.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the zoom is outside `minzoom` to `maxzoom`.
        """
