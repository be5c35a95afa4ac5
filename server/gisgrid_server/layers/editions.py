"""What is a layer now? One reading of it: description, version, rows and what draws them; it never changes."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from threading import Lock, RLock
from typing import Final
from weakref import WeakKeyDictionary

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.casework.ledger import CaseFilter
from gisgrid.catalogue import FolderStore, Layer, ScopedBy
from gisgrid.features import FeatureTable, Kind, Privacy, Snapshot
from gisgrid.features.merging import joined
from gisgrid.prepared import Prepared, layer_privacy, layer_source, shown_fields, table_source
from gisgrid.prepared.state import state_of
from gisgrid.schema import Field
from gisgrid.tiles import PointSource, TileSource
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, MatrixSet
from gisgrid.tiles.shapes.source import ShapeSource
from gisgrid_server.edge.rights import PUBLIC, Rights
from gisgrid_server.layers.scopes import Cut

REPORTED_AT: Final = "reported_at"

_MOST_SCOPES: Final = 64


class _BaseSources:
    """What draws the rows under those that came in, by tile matrix set."""

    def __init__(self, layer: Layer, table: FeatureTable, folder: Path | None) -> None:
        self.table = table
        self._layer, self._folder = layer, folder
        self._lock = Lock()
        self._made: dict[str, PointSource | ShapeSource] = {}

    def source(self, matrix_set: MatrixSet) -> PointSource | ShapeSource:
        with self._lock:
            found = self._made.get(matrix_set.id)
            if found is None:
                found = table_source(
                    self._layer, self.table, folder=self._folder, matrix_set=matrix_set
                )
                self._made[matrix_set.id] = found
            return found


@dataclass(frozen=True, eq=False)
class _Scope:
    """A table as one scope sees it, and what draws that."""

    cut: Cut
    sources: _BaseSources


_SCOPES: Final[WeakKeyDictionary[FeatureTable, OrderedDict[str, _Scope]]] = WeakKeyDictionary()
"""The scopes asked for last of each table; they go with it."""

_CUTTING: Final = Lock()


def _cut_once(layer: Layer, whole: FeatureTable, by: ScopedBy, rights: Rights) -> _Scope:
    """Cut a table for a scope, or give what was cut before."""
    with _CUTTING:
        scopes = _SCOPES.setdefault(whole, OrderedDict())
        found = scopes.get(rights.mark)
        if found is None:
            while len(scopes) >= _MOST_SCOPES:
                scopes.popitem(last=False)
            cut = Cut.of(whole, by, rights.within())
            found = scopes[rights.mark] = _Scope(cut, _BaseSources(layer, cut.table, None))
        scopes.move_to_end(rights.mark)
        return found


@dataclass(frozen=True, eq=False)
class Edition:
    """A layer as it was read once; it never changes.

    Attributes
    ----------
    layer
        Its description.
    version
        A short word that changes whenever data, description or the writing of tiles do.
    prepared
        How it lies on disk.
    store
        Where it was read from.
    live
        Its rows with those that came in since; None where rows do not come in.
    scope
        Whose rows these are, see `gisgrid_server.layers.scopes`; None where no scope was asked for. Of a layer whose
        rows are somebody's, an edition without a scope has none.
    """

    layer: Layer
    version: str
    prepared: Prepared
    store: FolderStore
    live: Snapshot | None = None
    scope: str | None = None
    _making: RLock = field(default_factory=RLock, repr=False)
    _sources: dict[str, TileSource] = field(default_factory=dict, repr=False)
    _base: _BaseSources | None = field(default=None, repr=False)
    _scoped: dict[str, Edition] = field(default_factory=dict, repr=False)

    @classmethod
    def of(cls, prepared: Prepared, store: FolderStore) -> Edition:
        """Give a layer as it lies ready.

        Parameters
        ----------
        prepared
            The layer.
        store
            Where it was read from.

        Returns
        -------
        Edition
            Without rows that come in.
        """
        return cls(prepared.layer, prepared.version, prepared, store)

    def with_live(self, live: Snapshot, folder: Path) -> Edition:
        """Give the layer with the rows that came in.

        Parameters
        ----------
        live
            Its rows as they are now.
        folder
            Where their base lies.

        Returns
        -------
        Edition
            Another one; what draws the base is shared as long as that is the same.
        """
        mark = hashlib.sha256(live.version.encode()).hexdigest()[:8]
        base = self._base
        if base is None or base.table is not live.base:
            base = _BaseSources(self.layer, live.base, folder)
        version = f"{self.prepared.version}{mark}"
        return replace(
            self, version=version, live=live, _base=base, _making=RLock(), _sources={}, _scoped={}
        )

    def within(self, rights: Rights) -> Edition:
        """Give the layer as somebody may see it.

        Parameters
        ----------
        rights
            Whose.

        Returns
        -------
        Edition
            The same where its rows are nobody's in particular; otherwise one with the rows of those rights alone. Who sees
            the same gets the same edition; its version does not tell of other rows.
        """
        by = self.layer.tiles.scoped_by if self.layer.tiles is not None else None
        if by is None or self.prepared.table is None or self.scope is not None:
            return self
        with self._making:
            found = self._scoped.get(rights.mark)
            if found is None:
                while len(self._scoped) >= _MOST_SCOPES:
                    self._scoped.pop(next(iter(self._scoped)))
                found = self._scoped[rights.mark] = self._cut(rights, by)
            return found

    def _cut(self, rights: Rights, by: ScopedBy) -> Edition:
        if rights.within() == CaseFilter():  # who sees all needs no cutting
            return replace(self, scope=rights.mark, _making=RLock(), _sources={}, _scoped={})
        whole = self.live.base if self.live is not None else self.prepared.table
        assert whole is not None  # noqa: S101 - seen by the caller
        sources = _cut_once(self.layer, whole, by, rights)
        cut, live = sources.cut, None
        version = cut.version
        if self.live is not None:
            live = cut.live(self.live, by, rights.within())
            version = live.version
        version = hashlib.sha256(f"{state_of(self.layer, '')}{version}{rights.mark}".encode()).hexdigest()  # fmt: skip
        prepared = replace(self.prepared, table=cut.table, folder=None)
        return replace(
            self, version=version[:20], prepared=prepared, live=live, scope=rights.mark, _base=sources.sources,
            _making=RLock(), _sources={}, _scoped={},
        )  # fmt: skip

    @property
    def is_somebodys(self) -> bool:
        """Whether its rows are somebody's, so that not everybody may even know how many there are."""
        return self.layer.tiles is not None and self.layer.tiles.scoped_by is not None

    @property
    def _is_nobodys(self) -> bool:
        """Whether its rows are somebody's, and nobody has said whose are asked for."""
        return self.is_somebodys and self.scope is None

    @property
    def is_live(self) -> bool:
        """Whether rows may come in at any moment."""
        return self.live is not None

    @cached_property
    def table(self) -> FeatureTable | None:
        """Its rows, of the shown properties; None for a raster. Rows that came in are put among them when asked for."""
        if self._is_nobodys:
            return self.within(PUBLIC).table
        if self.live is None:
            return self.prepared.table
        with self._making:
            changed = len(self.live.fresh) or len(self.live.hidden)
            if not changed:
                return self.live.base
            return joined(self.live.base, self.live.fresh, without=self.live.hidden)

    @property
    def shown(self) -> tuple[Field, ...]:
        """The fields that leave the server: the primary key and what the description exposes."""
        return shown_fields(self.layer)

    @cached_property
    def fields(self) -> dict[str, Kind]:
        """What may be asked for in filters, and of which kind it is; empty for a raster."""
        table = self.prepared.table
        if table is None:
            return {}
        return {one.name: table.fields[one.name] for one in self.shown if one.name in table.fields}

    @property
    def time_field(self) -> str | None:
        """The property that ``datetime`` means: the first shown time, or the first shown day; None without one."""
        for kind in ("datetime", "date"):
            for shown in self.shown:
                if shown.type == kind and self.fields.get(shown.name) == "time":
                    return shown.name
        return None

    @property
    def privacy(self) -> Privacy:
        """What is hidden of it."""
        return layer_privacy(self.layer)

    @property
    def n_rows(self) -> int | None:
        """How many rows it has, as it may be said; None for a raster."""
        if self._is_nobodys:
            return self.within(PUBLIC).n_rows
        if self.prepared.table is None:
            return None
        n = len(self.live) if self.live is not None else len(self.prepared.table)
        return int(self.privacy.shown_counts(np.array(n)))

    @property
    def source(self) -> TileSource:
        """What draws its tiles; made at the first call, while others wait for it."""
        return self.source_in(WEB_MERCATOR_QUAD)

    def source_in(self, matrix_set: MatrixSet) -> TileSource:
        """Give what draws its tiles in a tile matrix set.

        Parameters
        ----------
        matrix_set
            Which tiles.

        Returns
        -------
        TileSource
            Made at the first call, while others wait for it.

        Raises
        ------
        LayerNotFoundError
            The layer is not drawn.
        """
        if self._is_nobodys:
            return self.within(PUBLIC).source_in(matrix_set)
        found = self._sources.get(matrix_set.id)
        if found is not None:
            return found
        with self._making:
            if matrix_set.id not in self._sources:
                self._sources[matrix_set.id] = self._made(matrix_set)
            return self._sources[matrix_set.id]

    def _made(self, matrix_set: MatrixSet) -> TileSource:
        if self._base is None:
            return layer_source(self.prepared, self.store, matrix_set=matrix_set)
        base = self._base.source(matrix_set)
        if self.live is None:
            return base
        return base.with_fresh(self.live.fresh, hidden=self.live.hidden)

    @cached_property
    def file_order(self) -> NDArray[np.uint32]:
        """Shape (n rows,), the rows in the order of the file."""
        if self.table is None:
            return np.empty(0, np.uint32)
        return np.argsort(self.table.number, kind="stable").astype(np.uint32)

    @cached_property
    def period(self) -> tuple[pd.Timestamp, pd.Timestamp] | None:
        """When the oldest and the newest report in it were made; None where it shows no reports' times.

        Where it shows groups only, the days of the k-th oldest and the k-th newest: the time of a single one is nobody's.
        """
        column = None if self.table is None else self.table.columns.get(REPORTED_AT)
        if column is None or column.kind != "time" or column.values is None:
            return None
        known, k = column.values[~column.missing()], max(1, self.privacy.k_threshold)
        if len(known) < k:
            return None
        ends = np.partition(known, (k - 1, len(known) - k))[[k - 1, len(known) - k]]
        first, last = (pd.Timestamp(int(value), unit="us", tz="UTC") for value in ends)
        return (first, last) if self.privacy.shows_single else (first.floor("D"), last.floor("D"))

    @property
    def as_of(self) -> pd.Timestamp | None:
        """When the newest report in it was made; None where it holds no reports."""
        return None if self.period is None else self.period[1]
