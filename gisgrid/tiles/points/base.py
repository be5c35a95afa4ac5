"""What all tiles of a layer of points share: its index, its sums, and what filters were asked of late.

Workers share the files that the index and the sums lie in; each keeps the masks and sums of its own latest filters.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, GisgridError, InputError, did_you_mean
from gisgrid.features import FeatureTable
from gisgrid.features.storage import open_folder, save
from gisgrid.kept import Latest
from gisgrid.locks import alone
from gisgrid.tiles.mvt.wire import Bytes, Ints
from gisgrid.tiles.points.cells import (
    MOST_CLASSES,
    MOST_SHARES,
    Measures,
)
from gisgrid.tiles.points.encoding import feature_bytes
from gisgrid.tiles.points.index import PointIndex, point_index
from gisgrid.tiles.points.tallies import Tally, chosen_tally, tally
from gisgrid.tiles.scheme import MatrixSet
from gisgrid.tiles.source import LowZoom

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

_INDEX_ARRAYS: Final = ("u", "v", "row", "record", "layout", "data", "start", "number")
_NOT_KEPT: Final = ("u", "v", "number", "row")
"""The arrays that are the table's own where point i is row i."""
_TALLY_ARRAYS: Final = ("u", "v", "start", "sums")

_FORM: Final = 1
"""Raised when an index means something else, so that one of old is made anew."""


class PointBase:
    """The points of a layer that do not change, and what is known of them.

    Parameters
    ----------
    table
        A point layer, as it may be shown.
    properties
        The columns that features show.
    matrix_set
        The set whose tiles are asked for.
    low_zoom
        What cells say.
    folder
        The folder of the table, where the index lies, or shall lie; None to keep it in memory.
    edition
        What the features are, in a word that no others have.
    variant
        What was done to them.
    """

    def __init__(
        self,
        table: FeatureTable,
        *,
        properties: Sequence[str],
        matrix_set: MatrixSet,
        low_zoom: LowZoom,
        folder: Path | None = None,
        edition: str = "",
        variant: str = "",
    ) -> None:
        for name in properties:
            if name not in table.columns:
                raise ColumnError(
                    f"property {name!r} is no column{did_you_mean(name, table.columns)}"
                )
        self.table = table
        self.properties = tuple(dict.fromkeys(properties))
        self.matrix_set = matrix_set
        self.measures = _measures(table, low_zoom)
        self._low_zoom, self._edition, self._variant = low_zoom, edition, variant
        self._folder = None if folder is None else folder / self._folder_name()
        self._made: tuple[PointIndex, Tally | None] | None = None
        self._lock = threading.Lock()
        self._masks: Latest[Bytes] = Latest(lambda mask: mask.nbytes)
        self._tallies: Latest[Tally] = Latest(lambda sums: sums.sums.nbytes)

    @property
    def index(self) -> PointIndex:
        """The points, made ready at the first question."""
        return self._ready()[0]

    @property
    def tally(self) -> Tally | None:
        """The sums over all of them."""
        return self._ready()[1]

    @cached_property
    def feature_bytes(self) -> float:
        """How many bytes of a tile a point takes on the average."""
        return feature_bytes(self.index)

    def index_of(self, table: FeatureTable) -> PointIndex:
        """Make other features of the same layer ready to be drawn beside these.

        Parameters
        ----------
        table
            With the same columns.

        Returns
        -------
        PointIndex
            In memory.
        """
        return point_index(
            table,
            properties=self.properties,
            matrix_set=self.matrix_set,
            classes=_classes(table, self._low_zoom.counts_by, self.measures),
            bits=_share_bits(table, self._low_zoom),
        )

    def mask(self, where: Filter) -> Bytes:
        """Say for all points whether a filter selects them; remembered for the latest filters.

        Parameters
        ----------
        where
            The filter.

        Returns
        -------
        array
            Shape (n,), uint8.
        """
        return self._masks.get(where.key, lambda: self.selected(where, slice(0, len(self.index))))

    def selected(self, where: Filter, points: slice | Ints) -> Bytes:
        """Say for some points whether a filter selects them.

        Parameters
        ----------
        where
            The filter.
        points
            A run, or positions.

        Returns
        -------
        array
            Shape (m,), uint8.
        """
        return selected(self.table, self.index, where, points)

    def tally_of(self, where: Filter | None) -> Tally | None:
        """Sum up what a filter selects; remembered for the latest filters.

        Parameters
        ----------
        where
            The filter; None for all.

        Returns
        -------
        Tally or None
            None where the layer is too small for one.
        """
        whole = self.tally
        if whole is None or where is None:
            return whole
        return self._tallies.get(
            where.key, lambda: chosen_tally(self.index, whole, self.measures, self.mask(where))
        )

    def positions(self, rows: Ints) -> Ints:
        """Find the points of some rows.

        Parameters
        ----------
        rows
            Shape (m,), rows of the table.

        Returns
        -------
        array
            Ascending; rows without a place have none.
        """
        return self.index.positions(rows)

    def _ready(self) -> tuple[PointIndex, Tally | None]:
        if self._made is None:
            with self._lock:
                if self._made is None:
                    self._made = self._opened() or self._built()
        return self._made

    def _built(self) -> tuple[PointIndex, Tally | None]:
        if self._folder is None:
            return self._computed()
        self._folder.parent.mkdir(parents=True, exist_ok=True)
        with alone(self._folder.parent):  # one makes it for all processes
            found = self._opened()
            if found is not None:
                return found
            index, sums = self._computed()
            self._save(self._folder, index, sums)
            return self._opened() or (index, sums)

    def _computed(self) -> tuple[PointIndex, Tally | None]:
        index = self.index_of(self.table)
        return index, tally(index, self.measures)

    def _opened(self) -> tuple[PointIndex, Tally | None] | None:
        if self._folder is None or not self._folder.exists():
            return None
        try:
            about, arrays = open_folder(self._folder)
        except GisgridError:
            return None  # half a folder, or one of another form: it is made anew
        if about["of"] != {**self._said(), "edition": self._edition}:
            return None
        parts: dict[str, Any] = {name: arrays.get(f"index_{name}") for name in _INDEX_ARRAYS}
        if parts["row"] is None:  # point i is row i: these arrays are the table's own
            u, v = self.table.u, self.table.v
            parts |= {"u": u, "v": v, "number": self.table.number[: self.table.n_placed]}
        index = PointIndex(**parts)
        if about["depth"] is None:
            return index, None
        sums = {name: arrays[f"tally_{name}"] for name in _TALLY_ARRAYS}
        return index, Tally(depth=about["depth"], **sums)

    def _save(self, folder: Path, index: PointIndex, sums: Tally | None) -> None:
        names = [name for name in _INDEX_ARRAYS if index.row is not None or name not in _NOT_KEPT]
        arrays = {f"index_{name}": getattr(index, name) for name in names}
        if sums is not None:
            arrays |= {f"tally_{name}": getattr(sums, name) for name in _TALLY_ARRAYS}
        about = {
            "of": {**self._said(), "edition": self._edition},
            "depth": None if sums is None else sums.depth,
        }
        save(folder, about, arrays)

    def _said(self) -> dict[str, Any]:
        """Say what an index depends on, besides the features."""
        return {
            "form": _FORM,
            "variant": self._variant,
            "n": len(self.table),
            "properties": list(self.properties),
            "projection": self.matrix_set.projection,
            "counts_by": self._low_zoom.counts_by,
            "classes": list(self.measures.classes),
            "shares": [list(share) for share in self._low_zoom.shares],
        }

    def _folder_name(self) -> str:
        """Name the folder of this index among those of the same features."""
        text = json.dumps(self._said(), ensure_ascii=False, sort_keys=True)
        return f"points-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def selected(table: FeatureTable, index: PointIndex, where: Filter, points: slice | Ints) -> Bytes:
    """Say for some points whether a filter selects them.

    Parameters
    ----------
    table
        The features.
    index
        Their points.
    where
        The filter.
    points
        A run, or positions.

    Returns
    -------
    array
        Shape (m,), uint8.
    """
    return np.ascontiguousarray(where.mask(table, index.rows(points))).view(np.uint8)


def _measures(table: FeatureTable, low_zoom: LowZoom) -> Measures:
    classes: tuple[str, ...] = ()
    if low_zoom.counts_by is not None:
        name = low_zoom.counts_by
        if name not in table.columns:
            raise ColumnError(
                f"cells count by {name!r}, which is no column{did_you_mean(name, table.columns)}"
            )
        column = table.columns[name]
        if column.kind != "text" or len(column.words) > MOST_CLASSES:
            found = f"{len(column.words):,} words" if column.kind == "text" else column.kind
            raise InputError(
                f"cells count by {name!r}, which holds {found}, but they count at most {MOST_CLASSES} words of a text; "
                "name another column"
            )
        classes = tuple(column.words)
    if len(low_zoom.shares) > MOST_SHARES:
        raise InputError(
            f"cells are to say {len(low_zoom.shares)} shares but they say at most {MOST_SHARES}; leave some out"
        )
    return Measures(classes, tuple(name for name, _ in low_zoom.shares))


def _classes(table: FeatureTable, name: str | None, measures: Measures) -> NDArray[np.uint8] | None:
    if name is None:
        return None
    column = table.columns[name]
    place = {word: i for i, word in enumerate(measures.classes)}
    codes = column.codes
    assert codes is not None  # noqa: S101 - `_measures` let only text through
    code_of = np.full(
        int(np.iinfo(codes.dtype).max) + 1 if codes.dtype == np.uint8 else len(column.words) + 1,
        255,
        np.uint8,
    )
    for i, word in enumerate(column.words):
        code_of[i] = place.get(word, 255)
    return np.asarray(code_of[np.minimum(codes, len(code_of) - 1)])


def _share_bits(table: FeatureTable, low_zoom: LowZoom) -> NDArray[np.uint8] | None:
    if not low_zoom.shares:
        return None
    from gisgrid.features.filters import Filter  # noqa: PLC0415 - only layers with shares need the parser

    bits = np.zeros(len(table), np.uint8)
    for i, (_, text) in enumerate(low_zoom.shares):
        where = Filter.parse(text, language="cql2-text", fields=table.fields)
        bits |= where.mask(table).astype(np.uint8) << np.uint8(i)
    return bits
