"""What does a web map draw of a layer of points? Each point where they can be told apart, cells that count them below."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from gisgrid.errors import InputError
from gisgrid.features import FeatureTable, FreshTable
from gisgrid.features.privacy import Privacy
from gisgrid.tiles.mvt import MVT_MEDIA_TYPE
from gisgrid.tiles.mvt.wire import Ints
from gisgrid.tiles.points.base import PointBase
from gisgrid.tiles.points.encoding import (
    NO_ROWS,
    Chosen,
    layer_head,
    layer_keys,
    write_points,
)
from gisgrid.tiles.points.features import TileFrame
from gisgrid.tiles.points.parts import Part
from gisgrid.tiles.points.thinned import SAMPLES, CellDrawing, TileRoom, sampled_tile
from gisgrid.tiles.points.whole import write_whole
from gisgrid.tiles.scheme import (
    MAX_LATITUDE,
    WEB_MERCATOR_QUAD,
    BBox,
    MatrixSet,
    boxes_around,
    check_zoom,
    check_zooms,
)
from gisgrid.tiles.source import EMPTY_TILE, LowZoom, Tile

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

_CERTAIN: Final = 0.75
"""Points that would fill a tile to the budget by so much of what they weigh on the average are not even tried."""

_AROUND: Final = 1 / 60
"""How far past its edge a tile looks for fresh points, in tiles: a little more than it draws."""

_LEAST_HEXAGON: Final = 4

_OPEN: Final = Privacy()
_AS_IT_COMES: Final = LowZoom()


class PointSource:
    """A layer of points, ready to be drawn.

    A tile shows its points one by one, in the order of the Z-curve, and those a 64th of its side past its edges, so that
    symbols are whole in both tiles. Below `low_zoom.below`, and where a tile would weigh more than
    `low_zoom.budget_bytes`, points are counted, gathered or thinned as `low_zoom` says, and the tile says so. A cell and
    a cluster are points (hexagons are polygons) with ``count``, also where that is 1, and with what else `low_zoom` declares; their ids are their
    places on the Z-curve + 1.

    Parameters
    ----------
    table
        A point layer.
    layer_id
        The name of the layer in a tile.
    properties
        The columns that tiles show, and no others.
    minzoom, maxzoom
        The zooms to draw, both included.
    privacy
        What must never leave; it is applied to the table here, and to every number that a tile says.
    low_zoom
        What is drawn where points are too many.
    matrix_set
        The set whose tiles are drawn.
    folder
        The folder that the table was opened from, where the index lies or shall lie beside it; None to keep it in
        memory. Processes that name the same folder share it.

    Raises
    ------
    InputError
        The table is of something else than points, the zooms are not in order, or `low_zoom` cannot be.
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
        if table.kind != "point":
            raise InputError(
                f"{layer_id!r} is of {table.kind} geometry and a PointSource draws points; use vector_source"
            )
        px = low_zoom.cell_px
        if not 1 <= px <= 512 or px & (px - 1):
            raise InputError(
                f"{layer_id!r} asks for cells of {px} px but a cell's side is a power of two from 1 to 512; "
                "16 and 32 are common"
            )
        if low_zoom.shape == "hexagon" and px < _LEAST_HEXAGON:
            raise InputError(
                f"{layer_id!r} asks for hexagons of {px} px but they are {_LEAST_HEXAGON} px wide at least; raise "
                "cell_px or set shape = 'square'"
            )
        if folder is not None and not table.edition:
            raise InputError(
                f"{layer_id!r} is to keep its index in {str(folder)!r} but its features were not opened from a folder; "
                "save them there and open them first"
            )
        self.layer_id, self.minzoom, self.maxzoom = layer_id, minzoom, maxzoom
        self.privacy, self.low_zoom, self.matrix_set = privacy, low_zoom, matrix_set
        self.base = PointBase(
            privacy.applied(table),
            properties=properties,
            matrix_set=matrix_set,
            low_zoom=low_zoom,
            folder=folder,
            edition=table.edition,
            variant=repr(privacy),
        )
        self._given = table
        self._head, self._keys = layer_head(layer_id), layer_keys(self.base.properties)
        self._text = np.frombuffer(self._head, np.uint8), np.frombuffer(self._keys, np.uint8)
        self._fresh: FreshTable | None = None
        self._made: dict[FeatureTable, Part] = {}
        self._hidden_rows = NO_ROWS
        self._hidden: Ints | None = NO_ROWS

    @property
    def table(self) -> FeatureTable:
        """The features as they may be shown."""
        return self.base.table

    @property
    def tables(self) -> tuple[FeatureTable, ...]:
        """All that is drawn, as it may be shown: `table`, then what came in since."""
        return (self.table, *(part.table for part in self._fresh_parts()))

    @property
    def media_type(self) -> str:
        """What a tile's body is, as HTTP calls it."""
        return MVT_MEDIA_TYPE

    @property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees of what is drawn; None where nothing is."""
        boxes = [self.privacy.shown_bbox(box) for table in self.tables if (box := table.bbox)]
        if not boxes:
            return None
        west, south, east, north = np.array(boxes).T
        edge = MAX_LATITUDE if self.matrix_set.projection == "mercator" else 90.0
        return (
            max(float(west.min()), -180.0), max(float(south.min()), -edge),
            min(float(east.max()), 180.0), min(float(north.max()), edge),
        )  # fmt: skip

    @property
    def left_out(self) -> dict[str, int]:
        """How many rows are not drawn, by reason; empty where all are."""
        lon, n = self.table.lon, len(self.table)
        assert lon is not None  # noqa: S101 - a point layer has places
        placeless = int(np.isnan(lon[self.table.n_placed :]).sum())
        reasons = {
            "no geometry": placeless,
            "outside the world of web maps": n - len(self.base.index) - placeless,
        }
        return {reason: count for reason, count in reasons.items() if count}

    def prepare(self) -> PointSource:
        """Make everything ready now that the first tile would otherwise wait for.

        Returns
        -------
        PointSource
            The same.
        """
        _ = self.base.index, self._parts(), self._most
        return self

    def with_fresh(self, fresh: FeatureTable | None, *, hidden: Ints = NO_ROWS) -> PointSource:
        """Draw fresh rows too, and leave out those that they replace.

        Parameters
        ----------
        fresh
            Rows with the same columns; None for none.
        hidden
            Shape (m,), rows of the table that are not to be drawn.

        Returns
        -------
        PointSource
            Another one, which shares all else with this one.

        Notes
        -----
        Cost: that of the rows that came in since the last call, where `fresh` is a `FreshTable`. A word that no row of
        the table has is counted in a cell's ``count``, but has no ``n_<word>`` of its own before the rows are merged.
        """
        if self.table.u is not self._given.u:  # blurred points stand in another order
            hidden = np.flatnonzero(np.isin(self.table.number, self._given.number[hidden]))
        there = FreshTable.of(fresh) if fresh is not None and len(fresh) else None
        tables = [chunk.table for chunk in there.chunks] if there is not None else []
        made = {table: self._made.get(table) or self._fresh_part(table) for table in tables}
        self._made = made  # for the next call; what is drawn no more is let go
        other = copy.copy(self)
        vars(other).update(_fresh=there, _made=made, _hidden_rows=hidden, _hidden=None)
        return other

    def _fresh_part(self, table: FeatureTable) -> Part:
        shown = self.privacy.applied(table)
        return Part(shown, self.base.index_of(shown))

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
        if where is not None and where.is_all:
            where = None
        if where is not None:
            self.privacy.check_filter(where)
        n_columns, n_rows = self.matrix_set.tiles_at(z)
        frame = TileFrame(self.matrix_set.depth(z), x, y, n_columns)
        if not self.privacy.shows_single:
            return self._cells(frame, n_rows, where)
        if z < self.low_zoom.below and self.low_zoom.strategy != "none":
            return self._thinned(frame, n_rows, where)
        return self._points(frame, n_rows, where) or self._thinned(frame, n_rows, where)

    def _parts(self, frame: TileFrame | None = None) -> tuple[Part, ...]:
        """Give what is drawn; of fresh points those tables only that have some in or near a tile, where one is named."""
        if self._hidden is None:
            self._hidden = self.base.positions(self._hidden_rows)
        return (
            Part(self.table, self.base.index, self.base, self._hidden), *self._fresh_parts(frame),
        )  # fmt: skip

    def _fresh_parts(self, frame: TileFrame | None = None) -> list[Part]:
        if self._fresh is None:
            return []
        chunks = self._fresh.chunks
        if (
            frame is not None and self.privacy.blur_m <= 0
        ):  # a blurred point is not where the tree has it
            chunks = self._fresh.at(
                boxes_around(
                    frame.depth, frame.x, frame.y, margin=_AROUND, matrix_set=self.matrix_set
                )
            )
        found = []
        for chunk in chunks:
            part, gone = self._made[chunk.table], chunk.gone
            if len(gone):
                if part.table.u is not chunk.table.u:
                    gone = np.flatnonzero(np.isin(part.table.number, chunk.table.number[gone]))
                part = replace(part, hidden=part.index.positions(gone))
            found.append(part)
        return found

    @cached_property
    def _budget(self) -> int:
        return self.low_zoom.budget_bytes if self.low_zoom.strategy != "none" else 1 << 62

    @cached_property
    def _most(self) -> int:
        """How many points may keep the budget, at the very most."""
        return int(self._budget / max(_CERTAIN * self.base.feature_bytes, 1.0))

    def _points(self, frame: TileFrame, n_rows: int, where: Filter | None) -> Tile | None:
        """Draw every point; None where that is beyond the budget."""
        chosen, most = [], self._most
        if where is None and self._fresh is None and self._hidden is NO_ROWS:
            head, keys = self._text
            whole = write_whole(self.base.index, frame, n_rows, head=head, keys=keys, most=most)
            if whole is None or len(whole[0]) > self._budget:
                return None
            return Tile(*whole) if whole[1] else EMPTY_TILE
        for part in self._parts(frame):
            start, stop = part.run(frame)
            if stop - start > most and part.count(frame, where) - len(part.hidden) > most:
                return None
            more = part.around(frame, n_rows)
            keep = part.keep(where, (start, stop), more)
            chosen.append(Chosen(part.index, start, stop, more, keep))
        body, n = write_points(frame, chosen, head=self._head, keys=self._keys)
        if len(body) > self._budget:
            return None
        return Tile(body, n) if n else EMPTY_TILE

    def _thinned(self, frame: TileFrame, n_rows: int, where: Filter | None) -> Tile:
        how = SAMPLES.get(self.low_zoom.strategy)
        if how is None:
            return self._cells(frame, n_rows, where)
        room, text = TileRoom(self._most, self._budget), (self._head, self._keys)
        return sampled_tile(self._parts(), frame, n_rows, where, how=how, room=room, text=text)

    def _cells(self, frame: TileFrame, n_rows: int, where: Filter | None) -> Tile:
        measures, name = self.base.measures, self.layer_id
        drawn = CellDrawing(self._parts(), measures, self.low_zoom, self.privacy, name)
        return drawn.tile(frame, n_rows, where)
