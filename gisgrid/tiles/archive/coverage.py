"""Which tiles of a zoom may show something? Found from the boxes of the features, without drawing any."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.tiles.archive.addresses import Numbers, tile_numbers
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, BBox
from gisgrid.tiles.source import TileSource

if TYPE_CHECKING:
    from gisgrid.features import FeatureTable

MOST_TILES: Final = 50_000_000
"""Tiles of one zoom at most."""

_MARGIN: Final = 64 / 4096
"""How far features reach into the tiles beside theirs, in tiles."""

_AT_ONCE: Final = 1_000_000
"""Boxes, and tiles under them, that are looked at in one step."""

Boxes = NDArray[np.float64]


def covered(sources: Iterable[TileSource], z: int, *, bbox: BBox | None = None) -> Numbers:
    """List the tiles of a zoom in which at least one source may show something.

    Parameters
    ----------
    sources
        Those that draw the zoom.
    z
        The zoom.
    bbox
        West, south, east, north in degrees; tiles beyond it are left out.

    Returns
    -------
    array
        Shape (n,), the tiles' numbers along the curve, rising.

    Raises
    ------
    InputError
        There are more of them than an archive should hold.
    """
    within = None if bbox is None else _spans(np.array([bbox]), z, 0.0)[0]
    found = np.empty(0, dtype=np.int64)
    for source in sources:
        for boxes in _boxes(source):
            spans = _spans(boxes, z, _margin(source, z))
            if within is not None:
                spans = _clipped(spans, within)
            n_tiles = (spans[:, 2] - spans[:, 0] + 1) * (spans[:, 3] - spans[:, 1] + 1)
            if n_tiles.max(initial=0) + len(found) > MOST_TILES:
                raise InputError(
                    f"{source.layer_id!r} covers {n_tiles.max():,} tiles at zoom {z} but an archive takes at most "
                    f"{MOST_TILES:,} of a zoom; choose a lower maxzoom or a smaller bbox"
                )
            for some in _under(spans, n_tiles, z):
                found = np.union1d(found, some)
    return np.sort(tile_numbers(z, found >> z, found & ((1 << z) - 1)))


def _boxes(source: TileSource) -> Iterator[Boxes]:
    """Give the boxes of a source's features some at a time; of one that does not tell, its own."""
    tables: tuple[FeatureTable, ...] | None = getattr(source, "tables", None)
    if tables is None:
        if source.bbox is not None:
            yield np.array([source.bbox])
        return
    for table in tables:
        for first in range(0, len(table), _AT_ONCE):
            rows = slice(first, first + _AT_ONCE)
            if table.lon is not None and table.lat is not None:
                lon, lat = table.lon[rows], table.lat[rows]
                yield np.column_stack([lon, lat, lon, lat])
            else:
                yield np.asarray(table.boxes[rows], dtype=np.float64)


def _margin(source: TileSource, z: int) -> float:
    """How far what a source shows may lie beside where it is, in tiles of a zoom: the tiles' buffer, and blurring."""
    privacy: Any = getattr(source, "privacy", None)
    blur_m = float(getattr(privacy, "blur_m", 0.0) or 0.0)
    # A metre on the ground is the longer on the map the farther from the equator: 12 times at 85 degrees.
    return _MARGIN + 12 * blur_m / 40_000_000 * (1 << z)


def _spans(boxes: Boxes, z: int, margin: float) -> Numbers:
    """Turn boxes into first column, first row, last column, last row; boxes that are nowhere are left out."""
    boxes = boxes[np.isfinite(boxes).all(axis=1)]
    n = 1 << z
    left, top = WEB_MERCATOR_QUAD.to_unit(boxes[:, 0], boxes[:, 3])
    right, bottom = WEB_MERCATOR_QUAD.to_unit(boxes[:, 2], boxes[:, 1])
    around = right < left  # over the date line
    left, right = np.where(around, 0, left), np.where(around, 1, right)
    edges = np.column_stack(
        [left * n - margin, top * n - margin, right * n + margin, bottom * n + margin]
    )
    there = (edges[:, 2] >= 0) & (edges[:, 0] <= n) & (edges[:, 3] >= 0) & (edges[:, 1] <= n)
    return np.clip(np.floor(edges[there]), 0, n - 1).astype(np.int64)


def _clipped(spans: Numbers, within: Numbers) -> Numbers:
    first = np.maximum(spans[:, :2], within[:2])
    last = np.minimum(spans[:, 2:], within[2:])
    return np.hstack([first, last])[(first <= last).all(axis=1)]


def _under(spans: Numbers, n_tiles: Numbers, z: int) -> Iterator[Numbers]:
    """List the tiles under spans, some at a time and each once in a time: the column shifted by the zoom, and the row."""
    step = (np.cumsum(n_tiles) - 1) // _AT_ONCE
    for part in np.split(np.arange(len(spans)), np.flatnonzero(np.diff(step)) + 1):
        n = n_tiles[part]
        span = np.repeat(spans[part], n, axis=0)
        nth = np.arange(len(span)) - np.repeat(np.cumsum(n) - n, n)
        wide = span[:, 2] - span[:, 0] + 1
        yield np.unique((span[:, 0] + nth % wide) << z | (span[:, 1] + nth // wide))
