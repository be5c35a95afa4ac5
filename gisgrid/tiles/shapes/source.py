"""What does a web map draw of a layer of lines and polygons? Every shape that is large enough to be seen."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.features import FeatureTable, FreshTable
from gisgrid.features.privacy import Privacy
from gisgrid.tiles.mvt import MVT_MEDIA_TYPE, NO_ID, Drawn, TagRows, Tags, write_layer
from gisgrid.tiles.scheme import (
    EXTENT,
    WEB_MERCATOR_QUAD,
    BBox,
    MatrixSet,
    boxes_around,
    check_zoom,
    check_zooms,
)
from gisgrid.tiles.shapes.clipping import BUFFER, View
from gisgrid.tiles.shapes.drawing import Sheet, draw_items, sift_items
from gisgrid.tiles.shapes.index import boxes_touching
from gisgrid.tiles.shapes.paths import Bools, Ints
from gisgrid.tiles.shapes.prepared import Prepared, PreparedShapes
from gisgrid.tiles.source import EMPTY_TILE, LowZoom, Thinning, Tile

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

_OPEN: Final = Privacy()
_AS_IT_COMES: Final = LowZoom()
_NO_ROWS: Final = np.zeros(0, np.int64)

_LEAST_BYTES: Final = 16
"""A shape without properties takes as much of a tile, or more."""

_ATTEMPTS: Final = 8

_AROUND: Final = 1 / 60
"""How far past its edge a tile looks for fresh shapes, in tiles: a little more than it draws."""


@dataclass(frozen=True, eq=False)
class _Part:
    """Rows of one table: those of the layer, or fresh ones."""

    table: FeatureTable
    prepared: PreparedShapes
    tags: Tags
    named: tuple[Bools, ...]
    hidden: Ints

    @classmethod
    def of(cls, table: FeatureTable, prepared: PreparedShapes, properties: Sequence[str]) -> _Part:
        # A row that has shapes of several kinds is several features: the first of them carries the id.
        named, before = [], _NO_ROWS
        for one in prepared.kinds:
            named.append(~np.isin(one.row, before))
            before = np.union1d(before, one.row)
        tags = Tags(tuple(table.columns[name] for name in properties))
        return cls(table, prepared, tags, tuple(named), _NO_ROWS)


@dataclass(frozen=True, eq=False)
class _Found:
    """Shapes of one kind that a tile may show."""

    part: _Part
    kind: int  # its place among the part's kinds
    sheet: Sheet
    items: Ints

    @property
    def of(self) -> Prepared:
        return self.part.prepared.kinds[self.kind]

    def draw(self) -> tuple[Drawn, Ints]:
        """Draw it; gives the items that show too."""
        shown, commands, start = draw_items(self.sheet, self.items)
        items = self.items[shown]
        number = self.part.table.number[self.of.row[items]] + 1
        number[~self.part.named[self.kind][items]] = NO_ID
        return Drawn(self.of.kind, number, commands, start), items

    def tags(self, items: Ints) -> TagRows:
        return self.part.tags.rows(self.of.row[items])


class ShapeSource:
    """A layer of lines and polygons, or of a mixture, ready to be drawn.

    A tile shows its shapes in the order of their rows, polygons before lines before points, to 64 units past its edges.
    Shapes are simplified by no more than a quarter of a pixel, at the deepest zoom not at all; neighbours stay
    neighbours, save where a shape had to be mended. What comes to nothing on the grid of a zoom is not shown there; where
    a tile would weigh more than `low_zoom.budget_bytes` the smallest shapes are left out; the tile says how many.

    Parameters
    ----------
    table
        A layer of any geometry.
    layer_id
        The name of the layer in a tile.
    properties
        The columns that tiles show, and no others.
    minzoom, maxzoom
        The zooms to draw, both included.
    privacy
        What must never leave; it is applied to the table here.
    low_zoom
        Its budget, unless its strategy is ``none``: shapes are not counted or gathered.
    matrix_set
        The set whose tiles are drawn.
    folder
        The folder of the table, where what is prepared lies or shall lie; None to keep it in memory. Processes that name
        the same folder share it.

    Raises
    ------
    InputError
        The zooms are not in order, or `privacy` asks for what only points can be given.
    ColumnError
        A property is no column, or none that may be shown.
    """

    def __init__(
        self,
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
    ) -> None:
        check_zooms(minzoom, maxzoom, layer_id=layer_id)
        if not privacy.shows_single:
            raise InputError(
                f"{layer_id!r} asks for k_threshold = {privacy.k_threshold} but only points are counted, and this layer "
                f"is of {table.kind} geometry; publish a layer of counts per area instead, or set k_threshold = 0"
            )
        shown = privacy.applied(table)
        for name in properties:
            if name not in shown.columns:
                raise ColumnError(
                    f"property {name!r} is no column of {layer_id!r}{did_you_mean(name, shown.columns)}"
                )
        self.layer_id, self.minzoom, self.maxzoom = layer_id, minzoom, maxzoom
        self.privacy, self.low_zoom, self.matrix_set = privacy, low_zoom, matrix_set
        self._properties = tuple(dict.fromkeys(properties))
        prepared = (
            self._build(shown)
            if folder is None
            else PreparedShapes.beside(
                folder, shown, minzoom=minzoom, maxzoom=maxzoom, matrix_set=matrix_set
            )
        )
        self._base = _Part.of(shown, prepared, self._properties)
        self._fresh: FreshTable | None = None
        self._made: dict[FeatureTable, _Part] = {}

    @property
    def table(self) -> FeatureTable:
        """The features as they may be shown."""
        return self._base.table

    @property
    def tables(self) -> tuple[FeatureTable, ...]:
        """All that is drawn, as it may be shown: `table`, then what came in since."""
        return tuple(part.table for part in self._parts())

    @property
    def media_type(self) -> str:
        """What a tile's body is, as HTTP calls it."""
        return MVT_MEDIA_TYPE

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows are not drawn, or not wholly, by reason; empty where all are."""
        return dict(self._base.prepared.left_out)

    @property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees of what is drawn; None where nothing is."""
        boxes = [part.prepared.bbox for part in self._parts()]
        there = np.array([box for box in boxes if box is not None])
        if not len(there):
            return None
        west, south = there[:, :2].min(axis=0)
        east, north = there[:, 2:].max(axis=0)
        return float(west), float(south), float(east), float(north)

    def with_fresh(self, fresh: FeatureTable | None, *, hidden: Ints = _NO_ROWS) -> ShapeSource:
        """Draw fresh rows too, and leave out those that they replace.

        Parameters
        ----------
        fresh
            Rows with the same columns; None for none.
        hidden
            Shape (m,), rows of the table that are not to be drawn.

        Returns
        -------
        ShapeSource
            Another one, which shares all else with this one.

        Notes
        -----
        Cost: that of the rows that came in since the last call, where `fresh` is a `FreshTable`. Fresh shapes are
        simplified among those that came with them; their borders with others may differ by a quarter of a pixel until
        they are merged.
        """
        there = FreshTable.of(fresh) if fresh is not None and len(fresh) else None
        tables = [chunk.table for chunk in there.chunks] if there is not None else []
        made = {table: self._made.get(table) or self._fresh_part(table) for table in tables}
        self._made = made  # for the next call; what is drawn no more is let go
        other = copy.copy(self)
        base = replace(self._base, hidden=np.sort(hidden))
        vars(other).update(_base=base, _fresh=there, _made=made)
        return other

    def _fresh_part(self, table: FeatureTable) -> _Part:
        shown = self.privacy.applied(table)
        return _Part.of(shown, self._build(shown), self._properties)

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
        check_zoom(self, z, x, y, matrix_set=self.matrix_set)
        depth = self.matrix_set.depth(z)
        found = [
            one
            for part in self._parts((depth, x, y))
            for kind in range(len(part.prepared.kinds))
            if len((one := _found(part, kind, (depth, x, y), where)).items)
        ]
        if not found:
            return EMPTY_TILE
        budget = self.low_zoom.budget_bytes if self.low_zoom.strategy != "none" else None
        return self._within(found, budget)

    def _parts(self, tile: tuple[int, int, int] | None = None) -> list[_Part]:
        """Give what is drawn; of fresh shapes those tables only that have some in or near a tile, where one is named."""
        if self._fresh is None:
            return [self._base]
        chunks = self._fresh.chunks
        if tile is not None:
            around = boxes_around(*tile, margin=_AROUND, matrix_set=self.matrix_set)
            chunks = self._fresh.at(around)
        made = [(self._made[chunk.table], chunk.gone) for chunk in chunks]
        return [
            self._base, *(replace(part, hidden=gone) if len(gone) else part for part, gone in made),
        ]  # fmt: skip

    def _within(self, found: list[_Found], budget: int | None) -> Tile:
        """Draw all of it, or as many of the largest as the budget allows."""
        sifted = [sift_items(one.sheet, one.items, 2 * len(self._properties)) for one in found]
        there = [
            replace(one, items=items) for one, (items, _, _) in zip(found, sifted, strict=True)
        ]
        weights = np.concatenate([weight for _, weight, _ in sifted])
        chosen = there if budget is None else _largest(there, weights, budget)
        n_left_out = len(weights) - sum(len(one.items) for one in chosen)
        of = 0
        for _ in range(_ATTEMPTS):
            drawn = [one.draw() for one in chosen]
            n_shown = sum(len(items) for _, items in drawn)
            # What is too small for the zoom, or was left out before it was drawn, is counted by its box.
            of = of or n_shown + n_left_out + sum(n_small for _, _, n_small in sifted)
            body = write_layer(
                self.layer_id,
                [
                    (features, one.tags(items), one.part.tags)
                    for one, (features, items) in zip(chosen, drawn, strict=True)
                ],
            )
            if budget is None or len(body) <= budget:
                break
            chosen = [
                replace(one, items=items) for one, (_, items) in zip(chosen, drawn, strict=True)
            ]
            weights = np.concatenate(
                [np.diff(features.start) + _LEAST_BYTES for features, _ in drawn]
            )
            chosen = _largest(chosen, weights * (len(body) / weights.sum()), 0.97 * budget)
        else:
            body, n_shown = b"", 0  # one shape alone is too heavy
        if n_shown == of:
            return Tile(body, n_shown) if n_shown else EMPTY_TILE
        return Tile(body, n_shown, Thinning("dropped-smallest", of, n_shown))

    def _build(self, table: FeatureTable) -> PreparedShapes:
        return PreparedShapes.build(
            table, minzoom=self.minzoom, maxzoom=self.maxzoom, matrix_set=self.matrix_set
        )


def _found(part: _Part, kind: int, tile: tuple[int, int, int], where: Filter | None) -> _Found:
    shapes, one = part.prepared, part.prepared.kinds[kind]
    depth, x, y = tile
    shift = shapes.depth - depth
    adds, owns, ends = [], [], []
    for corner, number in zip(shapes.corner, (x, y), strict=True):
        first = number * EXTENT
        adds.append(
            corner + (1 << shift >> 1) - (first << shift)
            if shift >= 0
            else corner - (first >> -shift)
        )
        owns.append((corner >> max(shift, 0)) - first)
        low, high = first - BUFFER - 1, first + EXTENT + BUFFER + 1
        ends.append((_shifted(low, shift) - corner, _shifted(high, shift) - corner))
    (left, right), (top, bottom) = ends
    items = boxes_touching(one.tree, left, top, right, bottom)
    if len(part.hidden):
        items = items[~np.isin(one.row[items], part.hidden)]
    if where is not None and len(items):
        items = items[where.mask(part.table, one.row[items])]
    sheet = Sheet(
        one.kind, one.paths, one.level[shapes.level(depth)], one.boxes,
        View(adds[0], adds[1], shift), View(owns[0], owns[1], 0),
    )  # fmt: skip
    return _Found(part, kind, sheet, items)


def _shifted(units: int, shift: int) -> int:
    return units << shift if shift >= 0 else units >> -shift


def _largest(found: list[_Found], weights: NDArray[np.float64], most: float) -> list[_Found]:
    """Keep the largest shapes whose weights together stay within a limit, each kind in its order."""
    if weights.sum() <= most:
        return found
    size = np.concatenate([one.of.size[one.items] for one in found])
    order = np.argsort(-size, kind="stable")
    keep = np.zeros(len(size), bool)
    keep[order[np.cumsum(weights[order]) <= most]] = True
    parts = np.split(keep, np.cumsum([len(one.items) for one in found])[:-1])
    return [replace(one, items=one.items[part]) for one, part in zip(found, parts, strict=True)]
