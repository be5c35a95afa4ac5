"""What can be asked for tiles, and what comes back?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from gisgrid.tiles.scheme import BBox, MatrixSet

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

HowThinned = Literal[
    "aggregated",
    "clustered",
    "one-per-pixel",
    "dropped-densest",
    "dropped-smallest",
    "hidden-below-k",
]
"""How a tile came to show fewer things than there are: counted per cell, one point for near ones, one point per
pixel, every n-th point, only the largest shapes, or aggregates too small to be shown."""


@dataclass(frozen=True)
class Thinning:
    """What a tile does not show one by one.

    Attributes
    ----------
    how
        The way it was thinned.
    of
        How many features there are in the tile.
    shown
        How many of them its features stand for: all of them where they were only counted together.
    """

    how: HowThinned
    of: int
    shown: int

    def __str__(self) -> str:
        return f"{self.how}; of={self.of}; shown={self.shown}"


@dataclass(frozen=True)
class Tile:
    """One tile.

    Attributes
    ----------
    body
        Its bytes; empty for a vector tile without features.
    n_features
        How many features it has; 0 for a raster tile that shows nothing.
    thinned
        What it does not show one by one; None where everything is there.
    encoding
        How `body` is compressed, as HTTP calls it (``gzip``); None where it is not.
    """

    body: bytes
    n_features: int
    thinned: Thinning | None = None
    encoding: str | None = None


EMPTY_TILE = Tile(b"", 0)
"""A vector tile without features."""


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
        What a tile's body is, as HTTP calls it.
    left_out
        How many rows cannot be drawn, by reason.
    matrix_set
        The tile matrix set whose tiles it draws.
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
    @property
    def matrix_set(self) -> MatrixSet: ...  # noqa: D102

    def tile(self, z: int, x: int, y: int, *, where: Filter | None = None) -> Tile:
        """Draw a tile.

        Parameters
        ----------
        z, x, y
            The tile, in the source's tile matrix set.
        where
            Only the features that it selects; None for all.

        Returns
        -------
        Tile
            The tile.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the zoom is outside `minzoom` to `maxzoom`.
        InputError
            The source cannot select (a raster, an archive).
        """


Strategy = Literal["aggregate", "one_per_pixel", "drop_densest", "cluster", "none"]
"""What a layer does where single features would be too many: count them per cell, show one per pixel, leave out
the densest, gather near ones into one, or nothing (the budget still holds)."""


Shape = Literal["square", "hexagon"]
"""What cells are: squares, drawn as a point in their middle, or hexagons, drawn as polygons."""


@dataclass(frozen=True)
class LowZoom:
    """How a layer is drawn where its features are too many to be told apart.

    Attributes
    ----------
    strategy
        What is done below `below`, and above it where a tile would not keep the budget.
    cell_px
        Side of the square cells that are counted or clustered, or width of the hexagons that are counted, in pixels of
        a tile shown at 512: a power of two, 4 or more for hexagons.
    below
        The first zoom at which single features are shown.
    budget_bytes
        The most an uncompressed tile may weigh; what would weigh more is thinned, and the tile says so.
    counts_by
        A column with few words: each cell then counts each of them, as ``n_<word>``.
    shares
        Properties that say which share of a cell's features a CQL2 text selects, 0 to 1, by name.
    shape
        What the cells are that are counted.
    """

    strategy: Strategy = "aggregate"
    cell_px: int = 16
    below: int = 0
    budget_bytes: int = 500_000
    counts_by: str | None = None
    shares: tuple[tuple[str, str], ...] = ()
    shape: Shape = "square"
