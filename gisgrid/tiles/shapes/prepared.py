"""What does a layer need so that any of its tiles is drawn at once? Made when the layer is built, then only read.

The layer's own grid is that of its deepest zoom, and its geometry is kept there once. A zoom keeps of its own only those
shapes that are more than rounded at it: simplified, mended, without a ring. All others are the deepest ones, shifted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import InputError
from gisgrid.features import storage
from gisgrid.locks import alone
from gisgrid.tiles.mvt.writer import LINE, POINT, POLYGON
from gisgrid.tiles.scheme import EXTENT, WEB_MERCATOR_QUAD, BBox, MatrixSet
from gisgrid.tiles.scheme import matrix_set as matrix_set_of
from gisgrid.tiles.shapes.flattening import flat_shapes
from gisgrid.tiles.shapes.index import BoxTree, box_tree
from gisgrid.tiles.shapes.paths import (
    Ints,
    Paths,
    RawPaths,
    Steps,
    boxes_of,
    joined_paths,
    sizes_of,
)
from gisgrid.tiles.shapes.rounding import Grid, round_paths
from gisgrid.tiles.shapes.simplification import vertex_depths

if TYPE_CHECKING:
    from gisgrid.features import FeatureTable

_FORM: Final = 1
"""Raised when the same features give other arrays, so that files of old are made anew."""

_EXTENT_BITS: Final = EXTENT.bit_length() - 1

_WIDEST: Final = 1 << 30
"""Steps that a layer may span: products of two differences stay within 64 bits."""

_NAMES: Final = {POINT: "point", LINE: "line", POLYGON: "polygon"}


@dataclass(frozen=True, eq=False)
class Prepared:
    """One kind of a layer's geometry, ready to be drawn. An item is what a row has of that kind.

    Attributes
    ----------
    kind
        `POINT`, `LINE` or `POLYGON`.
    paths
        The items' paths on the layer's grid, then those that zooms have of their own, on the grids of those.
    row
        Shape (n items,), the row of the table, ascending.
    level
        Shape (n zooms, n items), the entry of `paths` that a zoom draws; -1 for none.
    boxes
        Shape (n items, 4), left, top, right, bottom on the layer's grid.
    size
        Shape (n items,), root of the area or length on the unit square, 0 for points: which are the smallest.
    tree
        The index of `boxes`.
    """

    kind: int
    paths: Paths
    row: Ints
    level: Steps
    boxes: NDArray[np.int32]
    size: NDArray[np.float32]
    tree: BoxTree


@dataclass(frozen=True, eq=False)
class PreparedShapes:
    """All of a layer's geometry, ready to be drawn.

    Attributes
    ----------
    kinds
        Polygons, lines, points, as far as there are some.
    matrix_set
        Whose tiles it is prepared for.
    minzoom, maxzoom
        The zooms.
    depth
        How often the unit square is halved for tiles on the layer's own grid.
    corner
        The layer's corner in steps from the unit square's.
    left_out
        How many rows are not drawn, or not wholly, by reason.
    """

    kinds: tuple[Prepared, ...]
    matrix_set: MatrixSet
    minzoom: int
    maxzoom: int
    depth: int
    corner: tuple[int, int]
    left_out: dict[str, int]

    @classmethod
    def build(
        cls,
        table: FeatureTable,
        *,
        minzoom: int,
        maxzoom: int,
        matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
    ) -> PreparedShapes:
        """Prepare a layer.

        Parameters
        ----------
        table
            Its features.
        minzoom, maxzoom
            The zooms to draw, both included.
        matrix_set
            Whose tiles.

        Returns
        -------
        PreparedShapes
            The same for the same features, to the byte.
        """
        raw, left_out = flat_shapes(table, matrix_set)
        low_u, low_v, span = _ends(list(raw.values()))
        depth = matrix_set.depth(maxzoom)
        while span * 2.0 ** (depth + _EXTENT_BITS) >= _WIDEST:
            depth -= 1
        side = 2.0 ** (depth + _EXTENT_BITS)
        corner = (int(np.floor(low_u * side)), int(np.floor(low_v * side)))
        kinds = []
        for kind in sorted(raw, reverse=True):
            least = min(matrix_set.depth(minzoom), depth)
            made = _prepared(kind, raw.pop(kind), side, corner, range(least, depth + 1))
            if len(made.row):
                kinds.append(made)
        return cls(tuple(kinds), matrix_set, minzoom, maxzoom, depth, corner, left_out)

    @classmethod
    def beside(
        cls,
        folder: Path,
        table: FeatureTable,
        *,
        minzoom: int,
        maxzoom: int,
        matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
    ) -> PreparedShapes:
        """Open what was prepared for a layer, or prepare and save it where that is not there or of another edition.

        Parameters
        ----------
        folder
            The folder of the table; the shapes go into a folder of their own in it.
        table
            The features, opened from there.
        minzoom, maxzoom
            The zooms to draw.
        matrix_set
            Whose tiles.

        Returns
        -------
        PreparedShapes
            Read in place and shared by all processes.
        """
        own = folder / f"shapes-{matrix_set.id}-{minzoom}-{maxzoom}"
        of = f"{storage.edition(folder)}-{crc32(np.ascontiguousarray(table.boxes).data):08x}"
        found = _opened_if(own, of)
        if found is not None:
            return found
        with alone(folder):  # one makes it for all processes
            found = _opened_if(own, of)
            if found is None:
                found = cls.build(table, minzoom=minzoom, maxzoom=maxzoom, matrix_set=matrix_set)
                found.save(own, of=of)
            return found

    def save(self, folder: Path, *, of: str | None = None) -> None:
        """Write it into a folder, whole or not at all.

        Parameters
        ----------
        folder
            Made where it is not there; the folder above it must be.
        of
            The edition of the features that it was made from.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        about = {
            "form": _FORM, "of": of, "matrix_set": self.matrix_set.id, "minzoom": self.minzoom, "maxzoom": self.maxzoom,
            "depth": self.depth, "corner": list(self.corner), "left_out": self.left_out,
            "kinds": [one.kind for one in self.kinds],
        }  # fmt: skip
        storage.save(folder, about, _arrays(self))

    @classmethod
    def open(cls, folder: Path) -> PreparedShapes:
        """Open what `save` wrote, in place.

        Parameters
        ----------
        folder
            The folder.

        Returns
        -------
        PreparedShapes
            The layer.

        Raises
        ------
        InputError
            There is no such folder, or its files are not whole or of another form.
        """
        about, arrays = storage.open_folder(folder)
        if about.get("form") != _FORM:
            raise InputError(
                f"the shapes in {str(folder)!r} are of form {about.get('form')} and form {_FORM} is read; build them again"
            )
        return _opened(about, arrays)

    def level(self, depth: int) -> int:
        """Say which row of `Prepared.level` draws the tiles of a depth.

        Parameters
        ----------
        depth
            How often the unit square is halved for the tile.

        Returns
        -------
        int
            The last one for what is deeper than the layer's own grid.
        """
        first = min(self.matrix_set.depth(self.minzoom), self.depth)
        return min(depth, self.depth) - first

    @cached_property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees of what is drawn; None where nothing is."""
        if not self.kinds:
            return None
        ends = np.array(
            [[*one.boxes[:, :2].min(axis=0), *one.boxes[:, 2:].max(axis=0)] for one in self.kinds]
        )
        side = 2.0 ** (self.depth + _EXTENT_BITS)
        low = (ends[:, :2].min(axis=0) + self.corner) / side
        high = (ends[:, 2:].max(axis=0) + self.corner) / side
        tallest = 1.0 / self.matrix_set.n_columns
        (west, east), (north, south) = self.matrix_set.to_lonlat(
            np.clip([low[0], high[0]], 0, 1), np.clip([low[1], high[1]], 0, tallest)
        )
        return float(west), float(south), float(east), float(north)

    @cached_property
    def checksum(self) -> str:
        """A word that says whether two are the same."""
        found = hashlib.sha256()
        for name, array in sorted(_arrays(self).items()):
            found.update(name.encode() + np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:16]


def _ends(raw: list[RawPaths]) -> tuple[float, float, float]:
    there = [one for one in raw if len(one.u)]
    if not there:
        return 0.0, 0.0, 0.0
    low_u, low_v = min(one.u.min() for one in there), min(one.v.min() for one in there)
    high_u, high_v = max(one.u.max() for one in there), max(one.v.max() for one in there)
    return float(low_u), float(low_v), float(max(high_u - low_u, high_v - low_v))


def _prepared(
    kind: int, raw: RawPaths, side: float, corner: tuple[int, int], depths: range
) -> Prepared:
    x = (np.floor(raw.u * side + 0.5).astype(np.int64) - corner[0]).astype(np.int32)
    y = (np.floor(raw.v * side + 0.5).astype(np.int64) - corner[1]).astype(np.int32)
    given = Paths(x, y, raw.start, raw.is_shell, raw.entry)
    if kind == POINT:
        base, row = given, raw.row
        chunks, levels = [base], [np.arange(len(row), dtype=np.int32)] * len(depths)
    else:
        every, as_given, closed = np.zeros(len(x), np.uint8), True, kind == POLYGON
        own, base = round_paths(given, every, Grid(depths[-1], 0, *corner), closed, as_given)
        row = raw.row[own > 0]
        chunks, levels = _levels(base, corner, depths, closed=closed)
    paths = joined_paths(chunks)
    boxes = boxes_of(base)
    return Prepared(
        kind, paths, row, np.array(levels, np.int32).reshape(len(depths), len(row)),
        boxes, sizes_of(base, kind, side), box_tree(boxes),
    )  # fmt: skip


def _levels(
    base: Paths, corner: tuple[int, int], depths: range, *, closed: bool
) -> tuple[list[Paths], list[Steps]]:
    n_items = len(base.entry) - 1
    deepest = depths[-1]
    vertex_depth = vertex_depths(base, deepest, closed=closed)
    chunks, n_entries = [base], n_items
    levels = [np.arange(n_items, dtype=np.int32)]
    for depth in reversed(depths[:-1]):
        grid, as_given = Grid(depth, deepest - depth, *corner), False
        own, paths = round_paths(base, vertex_depth, grid, closed, as_given)
        level = np.where(own > 0, own - 1 + n_entries, np.where(own < 0, -1, levels[0]))
        levels.append(level.astype(np.int32))
        chunks.append(paths)
        n_entries += len(paths.entry) - 1
    return chunks, levels[::-1]


def _arrays(shapes: PreparedShapes) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    for one in shapes.kinds:
        name = _NAMES[one.kind]
        arrays |= {f"{name}_{part}": array for part, array in one.paths._asdict().items()}
        arrays |= {f"{name}_tree_{part}": array for part, array in one.tree._asdict().items()}
        arrays |= {
            f"{name}_row": one.row, f"{name}_level": one.level, f"{name}_boxes": one.boxes, f"{name}_size": one.size,
        }  # fmt: skip
    return arrays


def _opened_if(folder: Path, of: str) -> PreparedShapes | None:
    """Open what was saved, if it is there, whole, of this form and made from these features."""
    try:
        about, arrays = storage.open_folder(folder)
    except InputError:
        return None
    return _opened(about, arrays) if about["form"] == _FORM and about["of"] == of else None


def _opened(about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> PreparedShapes:
    kinds = []
    for kind in about["kinds"]:
        name = _NAMES[kind]
        paths = Paths(*(arrays[f"{name}_{part}"] for part in Paths._fields))
        tree = BoxTree(*(arrays[f"{name}_tree_{part}"] for part in BoxTree._fields))
        kinds.append(
            Prepared(
                kind,
                paths,
                arrays[f"{name}_row"],
                arrays[f"{name}_level"],
                arrays[f"{name}_boxes"],
                arrays[f"{name}_size"],
                tree,
            )
        )
    east, south = about["corner"]
    return PreparedShapes(
        tuple(kinds), matrix_set_of(about["matrix_set"]), about["minzoom"], about["maxzoom"], about["depth"],
        (east, south), dict(about["left_out"]),
    )  # fmt: skip
