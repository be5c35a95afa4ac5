"""What came in since the last merge: small tables, and an R-tree that says which of them have something at a place.

A batch of changes is a table of its own. The last ones are made one while they are small, so that there are few of them
and no change ever makes a table of thousands anew. The tree is shared by all states of a layer and changes in place; each
state knows by their serial numbers which entries are its own. Source of the sizes: O'Neil et al. 1996, The Log-Structured
Merge-Tree.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from threading import Lock
from time import monotonic
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from rtree.index import Index

from gisgrid.features.changes import Change, Key, fitting
from gisgrid.features.column import Column, read_only
from gisgrid.features.places import Packed, Places, point_places
from gisgrid.features.table import FeatureTable

CHUNK_ROWS: Final = 256
"""Tables are made one up to so many rows."""

_RATIO: Final = 8
"""A table of more than so many times the rows of those after it is left as it is."""

_KEPT_S: Final = 60.0
"""A replaced entry stays in the tree for so long: a request that began before still looks for it."""

_MOST: Final = 256
"""Where a place has more entries than this, all tables are asked, which costs less than to sort the entries."""

Box = tuple[float, float, float, float]


@dataclass(frozen=True, eq=False)
class Chunk:
    """Features that came in one after the other.

    Attributes
    ----------
    table
        As they are now, in the order of a layer of that kind.
    keys
        By row.
    serial
        Shape (n,), by row: in which order they came in.
    gone
        Shape (m,), ascending: the rows that were changed or deleted since.
    """

    table: FeatureTable
    keys: tuple[Key, ...]
    serial: NDArray[np.int64]
    gone: NDArray[np.int64] = field(default_factory=lambda: np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.serial) - len(self.gone)

    def without(self, serials: NDArray[np.int64]) -> Chunk:
        """Take features away.

        Parameters
        ----------
        serials
            Which, among others.

        Returns
        -------
        Chunk
            This one where none of them is in it.
        """
        gone = np.flatnonzero(np.isin(self.serial, serials))
        return replace(self, gone=np.union1d(self.gone, gone)) if len(gone) else self

    def live_keys(self) -> list[Key]:
        """Name the features that are still there.

        Returns
        -------
        list
            In the order in which they came in.
        """
        gone = set(self.gone.tolist())
        return [self.keys[row] for row in np.argsort(self.serial).tolist() if row not in gone]


class FreshTree:
    """Where fresh features are; safe to be asked and changed by several threads."""

    def __init__(self) -> None:
        self._tree = Index()
        self._lock = Lock()
        self._boxes: dict[int, Box] = {}
        self._leaving: deque[tuple[float, int]] = deque()

    def __len__(self) -> int:
        return len(self._boxes)

    def take_in(self, serials: NDArray[np.int64], boxes: NDArray[np.float64]) -> None:
        """Add features.

        Parameters
        ----------
        serials
            Shape (n,), numbers that were not there before.
        boxes
            Shape (n, 4), degrees; features without a place are left out.
        """
        placed = np.isfinite(boxes).all(axis=1)
        with self._lock:
            for serial, box in zip(serials[placed].tolist(), boxes[placed].tolist(), strict=True):
                self._boxes[serial] = tuple(box)
                self._tree.insert(serial, box)

    def let_go(self, serials: Sequence[int]) -> None:
        """Take features away that were changed or deleted, as soon as nobody looks for them any more.

        Parameters
        ----------
        serials
            Which.
        """
        now = monotonic()
        with self._lock:
            self._leaving.extend((now, serial) for serial in serials)
            while self._leaving and now - self._leaving[0][0] > _KEPT_S:
                serial = self._leaving.popleft()[1]
                box = self._boxes.pop(serial, None)
                if box is not None:
                    self._tree.delete(serial, box)

    def at(self, box: Box) -> list[int] | None:
        """List the features whose box touches one.

        Parameters
        ----------
        box
            West, south, east, north in degrees.

        Returns
        -------
        list of int or None
            Their serial numbers; None where there are very many.
        """
        with self._lock:
            if self._tree.count(box) > _MOST:
                return None
            return list(self._tree.intersection(box))


class FreshTable(FeatureTable):
    """Fresh features as a table, which is only put together when somebody wants it whole.

    Parameters
    ----------
    base
        A table with the same columns.
    chunks
        The features, in the order in which they came in.
    tree
        Where they are.
    whole
        Puts them together.
    """

    chunks: tuple[Chunk, ...]
    _base: FeatureTable
    _tree: FreshTree
    _make: Callable[[], FeatureTable]

    def __init__(
        self,
        base: FeatureTable,
        chunks: tuple[Chunk, ...],
        tree: FreshTree,
        whole: Callable[[], FeatureTable],
    ) -> None:
        parts = {"_base": base, "chunks": chunks, "_tree": tree, "_make": whole, "key": base.key}
        vars(self).update(parts)

    @classmethod
    def of(cls, table: FeatureTable) -> FreshTable:
        """Look at any table as fresh features.

        Parameters
        ----------
        table
            The features.

        Returns
        -------
        FreshTable
            The same where it is one.
        """
        if isinstance(table, FreshTable):
            return table
        tree, serial = FreshTree(), np.arange(len(table))
        tree.take_in(serial, table.boxes)
        chunks = (Chunk(table, (), serial),) if len(table) else ()
        return cls(table, chunks, tree, lambda: table)

    def __len__(self) -> int:
        return sum(map(len, self.chunks))

    def at(self, boxes: Sequence[Box]) -> tuple[Chunk, ...]:
        """Find the chunks that may have a feature at a place.

        Parameters
        ----------
        boxes
            The place: west, south, east, north in degrees each.

        Returns
        -------
        tuple of Chunk
            In the order in which they came in.
        """
        if not self.chunks:
            return ()
        found: set[int] = set()
        for box in boxes:
            serials = self._tree.at(box)
            if serials is None:
                return self.chunks
            # What came in after this table was made is nobody's here.
            own = [serial for serial in serials if serial <= self._last]
            if own:
                found.update((np.searchsorted(self._first, own, "right") - 1).tolist())
        return tuple(self.chunks[i] for i in sorted(found) if i >= 0)

    @cached_property
    def _first(self) -> NDArray[np.int64]:
        """The serial at which each chunk begins; what is before the first is nobody's any more."""
        return np.array([chunk.serial.min() for chunk in self.chunks], np.int64)

    @cached_property
    def _last(self) -> int:
        return max(int(chunk.serial.max()) for chunk in self.chunks)

    @cached_property
    def _whole(self) -> FeatureTable:
        return self._make()

    @cached_property
    def columns(self) -> Any:  # noqa: ANN401 - a field of the class above
        """See `FeatureTable`."""
        return self._whole.columns

    @cached_property
    def number(self) -> Any:  # noqa: ANN401 - the same
        """See `FeatureTable`."""
        return self._whole.number

    @cached_property
    def places(self) -> Any:  # noqa: ANN401 - the same
        """See `FeatureTable`."""
        return self._whole.places

    @cached_property
    def by_key(self) -> Any:  # noqa: ANN401 - the same
        """See `FeatureTable`."""
        return self._whole.by_key


def with_last(
    chunks: list[Chunk], last: Chunk | None, made: Callable[[Sequence[Key]], Chunk]
) -> tuple[Chunk, ...]:
    """Add a chunk, and make one of the last ones while none of them is much larger than those after it.

    Parameters
    ----------
    chunks
        Those so far.
    last
        What came in; None for nothing.
    made
        Makes a chunk of some features.

    Returns
    -------
    tuple of Chunk
        Few are of fewer than `CHUNK_ROWS` features, each of them much larger than the next.
    """
    if last is None:
        return tuple(chunks)
    left, together, n = [*chunks], last.live_keys(), 0
    while left and len(left[-1]) + len(together) <= CHUNK_ROWS:
        if len(left[-1]) > _RATIO * len(together):
            break
        together = left.pop().live_keys() + together
        n += 1
    return (*left, made(together) if n else last)


def chunk_of_changes(
    base: FeatureTable, changes: Sequence[Change], numbers: Sequence[int], serials: Sequence[int]
) -> Chunk:
    """Make changes a table of the same columns as the base.

    Parameters
    ----------
    base
        The features so far.
    changes
        None of which deletes.
    numbers
        Their places in the file.
    serials
        In which order they came in.

    Returns
    -------
    Chunk
        In the order of a layer of that kind.
    """
    number = np.array(numbers, np.int64)
    places, order = _places(base, [change.wkb for change in changes], number)
    columns = {
        name: Column.from_values(
            [fitting((change.values or {}).get(name), column.kind) for change in changes],
            name=name, kind=column.kind, clock=column.clock,
        ).take(order)
        for name, column in base.columns.items()
    }  # fmt: skip
    table = FeatureTable.from_columns(columns, number=number[order], places=places, key=base.key)
    keys = tuple(changes[i].key for i in order.tolist())
    return Chunk(table, keys, np.array(serials, np.int64)[order])


def _places(
    base: FeatureTable, wkb: Sequence[bytes | None], number: NDArray[np.int64]
) -> tuple[Places, NDArray[np.int64]]:
    shapes = np.asarray(shapely.from_wkb(np.array(wkb, dtype=object)))
    if base.kind == "point":
        return point_places(shapely.get_x(shapes), shapely.get_y(shapes))
    order = np.argsort(number, kind="stable")
    if base.kind == "none":
        return Places(), order
    texts = [wkb[i] or b"" for i in order]
    offsets = np.append(0, np.cumsum([len(text) for text in texts])).astype(np.int64)
    packed = Packed(read_only(offsets), read_only(np.frombuffer(b"".join(texts), np.uint8)))
    return Places.of_shapes(base.kind, packed, shapely.bounds(shapes[order])), order
