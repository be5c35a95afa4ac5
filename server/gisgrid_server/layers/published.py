"""Which layers are served, and what do they hold now?

What is served is one `Snapshot`: the catalogue and one edition of each layer that has been read. A watcher looks at the
files; when one has changed, the new edition is made while the old one is served, and then the whole snapshot is put in
the place of the old one. An answer is made from one snapshot, so it never mixes old and new.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final, Protocol

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.catalogue import Catalogue, FolderStore, Layer
from gisgrid.errors import GisgridError
from gisgrid.features import LiveTable
from gisgrid.features.journal import base_folder
from gisgrid.prepared import Prepared, live_folder, open_live, prepare
from gisgrid.progress import Progress, silent
from gisgrid.tiles import BBox
from gisgrid_server.edge.problems import NotReadyError, log
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.files import Stamp, descriptions, stamp_of
from gisgrid_server.layers.snapshot import Snapshot

_GONE_S: Final = 5.0
"""A file that is missing for so long was taken away; for less, it is being replaced."""

_LIVE_S: Final = 0.2
"""Rows that come in are looked for so often."""


class Listener(Protocol):
    """Told when something was read anew, or could not be."""

    def __call__(self, *, well: bool) -> None:
        """Hear whether it went well."""


class Published:
    """The layers of a catalogue, with their data as they are now.

    Parameters
    ----------
    catalogue
        The layers.
    store
        Where their data are.
    prepared
        Where layers lie ready; ``.tiles`` in the data folder where it is not given.
    look_s
        How often files are looked at, in seconds.
    progress
        Told when a layer has to be laid down.
    """

    def __init__(
        self,
        catalogue: Catalogue,
        store: FolderStore,
        *,
        prepared: Path | None = None,
        look_s: float = 1.0,
        progress: Progress = silent,
    ) -> None:
        self.store = store
        self.look_s = look_s
        self.on_reload: Listener = _ignore
        self.on_fresh: Callable[[int], None] = _forget
        self._prepared, self._progress = prepared, progress
        self._snapshot = Snapshot(catalogue)
        self._swapping = threading.Lock()
        self._reading: dict[str, threading.Lock] = {}
        self._stamps: dict[str, Stamp] = {}
        self._missing: dict[str, float] = {}
        self._live: dict[str, tuple[Prepared, LiveTable]] = {}
        self._described = descriptions(catalogue.folder)
        self._watcher: threading.Thread | None = None
        self._stop = threading.Event()

    @property
    def now(self) -> Snapshot:
        """What is served at this moment; take it once for each answer."""
        return self._snapshot

    @property
    def catalogue(self) -> Catalogue:
        """The layers."""
        return self._snapshot.catalogue

    def edition(self, layer_id: str) -> Edition:
        """Give a layer as it is now, reading it where nobody did.

        Parameters
        ----------
        layer_id
            The layer.

        Returns
        -------
        Edition
            The latest reading.

        Raises
        ------
        LayerNotFoundError
            There is no such layer.
        NotReadyError
            Its data are not there or cannot be read.
        """
        self.watch()
        found = self._snapshot.editions.get(layer_id)
        if found is not None:
            return found
        layer = self._snapshot.catalogue[layer_id]
        with self._swapping:
            reading = self._reading.setdefault(layer.id, threading.Lock())
        with reading:
            found = self._snapshot.editions.get(layer_id)
            if found is None:
                found = self._read(layer)
                self._put(found)
            return found

    def ready(self, layer_id: str) -> Edition | None:
        """Give a layer's latest reading without reading: None where there is none.

        Parameters
        ----------
        layer_id
            The layer.

        Returns
        -------
        Edition or None
            Something that can be answered from at once.
        """
        return self._snapshot.editions.get(layer_id)

    def editions(self) -> Iterator[tuple[Layer, Edition | NotReadyError]]:
        """Go through all layers, those that are not ready included.

        Yields
        ------
        tuple of (Layer, Edition or NotReadyError)
            Each layer with its data, or why it has none.
        """
        for layer in self._snapshot.catalogue:
            try:
                yield layer, self.edition(layer.id)
            except NotReadyError as error:
                yield layer, error

    def as_of(self, layer: Layer) -> pd.Timestamp | None:
        """Say of when a layer is: the newest report in it, or in what it is made from.

        Parameters
        ----------
        layer
            One of the layers.

        Returns
        -------
        Timestamp or None
            None where no reports are in it.
        """
        try:
            own = self.edition(layer.id).as_of
        except GisgridError:
            return None
        of = [self.as_of(self.catalogue[name]) for name in layer.inputs.values()]
        times = [time for time in (own, *of) if time is not None]
        return max(times, default=None)

    @property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees of the areas, which a misplaced report does not stretch."""
        drawn = [
            (layer.geometry == "Polygon", edition.source.bbox)
            for layer, edition in self.editions()
            if isinstance(edition, Edition) and layer.tiles is not None and layer.kind == "vector"
        ]
        boxes = [box for is_area, box in drawn if is_area and box is not None]
        there = np.array(boxes or [box for _, box in drawn if box is not None])
        if not len(there):
            return None
        west, south = there[:, :2].min(axis=0)
        east, north = there[:, 2:].max(axis=0)
        return float(west), float(south), float(east), float(north)

    def watch(self) -> None:
        """Begin to look at the files from time to time, if that has not begun."""
        if self._watcher is None and not self._stop.is_set():
            with self._swapping:
                if self._watcher is None:
                    self._watcher = threading.Thread(
                        target=_watch, args=(weakref.ref(self), self._stop, self.look_s), name="watch", daemon=True
                    )  # fmt: skip
                    self._watcher.start()

    def close(self) -> None:
        """Look at the files no more."""
        self._stop.set()

    def refresh(self) -> None:
        """Look at the files now, and serve what is new.

        Whatever cannot be read stays as it was, and the log says why.
        """
        self._refresh_catalogue()
        for layer_id, edition in self._snapshot.editions.items():
            stamp = stamp_of(self.store.path(edition.layer))
            if stamp is None:
                self._miss(layer_id)
                continue
            self._missing.pop(layer_id, None)
            if stamp != self._stamps.get(layer_id):
                self._renew(edition.layer, stamp)

    def _refresh_catalogue(self) -> None:
        old = self._snapshot.catalogue
        described = descriptions(old.folder)
        if old.folder is None or described == self._described:
            return
        try:
            new = Catalogue.read(old.folder)
        except GisgridError as error:
            if described == descriptions(old.folder):  # not in the middle of being written
                self._described = described
                self._failed("the catalogue has changed but cannot be read, so the old one stays: %s", error)  # fmt: skip
            return
        kept: dict[str, Edition] = {}
        for layer_id, edition in self._snapshot.editions.items():
            if layer_id not in new:
                continue
            layer = new[layer_id]
            try:
                kept[layer_id] = edition if layer == edition.layer else self._read(layer)
            except GisgridError as error:
                self._failed("layer %r has a new description but cannot be read: %s", layer_id, error)  # fmt: skip
        with self._swapping:
            # Layers that were read for the first time meanwhile are read again when they are asked for.
            self._snapshot = Snapshot(new, MappingProxyType(kept))
        self._described = described
        self.on_reload(well=True)
        log.info("the catalogue has changed and is served anew")

    def _renew(self, layer: Layer, stamp: Stamp) -> None:
        try:
            edition = self._read(layer)
        except GisgridError as error:
            self._stamps[layer.id] = stamp  # tried again when the file has changed once more
            self._failed("layer %r has changed but cannot be read, so the old one stays: %s", layer.id, error)  # fmt: skip
            return
        if self._snapshot.editions[layer.id].prepared.version != edition.prepared.version:
            self._warm(edition)
            self._put(edition)
            self.on_reload(well=True)
            log.info("layer %r is served anew, version %s", layer.id, edition.version)

    def _warm(self, edition: Edition) -> None:
        """Make what draws it before anybody has to wait for that."""
        if edition.layer.tiles is not None and edition.layer.kind != "table":
            _ = edition.source

    def _miss(self, layer_id: str) -> None:
        since = self._missing.setdefault(layer_id, time.monotonic())
        if time.monotonic() - since >= _GONE_S:
            with self._swapping:
                self._snapshot = self._snapshot.dropping(layer_id)
            self._failed("the data of layer %r have gone, and it is served no more", layer_id)

    def _failed(self, sentence: str, *words: object) -> None:
        log.warning(sentence, *words)
        self.on_reload(well=False)

    def _put(self, edition: Edition) -> None:
        with self._swapping:
            if self._snapshot.catalogue[edition.layer.id] == edition.layer:
                self._snapshot = self._snapshot.putting(edition)

    def refresh_live(self) -> None:
        """Take in rows that came in since; called several times a second."""
        for layer_id, edition in self._snapshot.editions.items():
            live = self._live.get(layer_id)
            if live is None or live[0] is not edition.prepared:
                if (
                    edition.prepared.table is not None
                    and live_folder(edition.layer, self.store).is_dir()
                ):
                    self._put(self._enlivened(edition))
                continue
            snapshot = live[1].current(wait=False)
            if edition.live is None or snapshot.version != edition.live.version:
                newer = edition.with_live(snapshot, base_folder(live[1].folder))
                if not newer.is_somebodys:  # whose rows are wanted next, nobody knows
                    self._warm(newer)
                self._put(newer)
            live[1].merge_if_due()
        self.on_fresh(
            sum(
                len(one.live.fresh)
                for one in self._snapshot.editions.values()
                if one.live and not one.is_somebodys
            )
        )

    def _enlivened(self, edition: Edition) -> Edition:
        """Put rows that came in over those of the file, if ever any did."""
        try:
            live = open_live(edition.prepared, self.store)
        except (GisgridError, OSError) as error:
            self._failed("the fresh rows of layer %r cannot be read: %s", edition.layer.id, error)
            return edition
        if live is None:
            return edition
        self._live[edition.layer.id] = edition.prepared, live
        found = edition.with_live(live.current(wait=False), base_folder(live.folder))
        self._warm(found)
        return found

    def _read(self, layer: Layer) -> Edition:
        stamp = stamp_of(self.store.path(layer))
        if stamp is None:
            step = "run gisgrid build" if layer.is_derived else "put its file into the data folder"
            name = self.store.path(layer).name
            raise NotReadyError(
                f"layer {layer.id!r} has no data yet (there is no {name!r}); {step}"
            )
        try:
            found = prepare(layer, self.store, folder=self._prepared, progress=self._progress)
        except (GisgridError, OSError) as error:
            # Why is for the log and for --check: the sentence goes to whoever asks, and paths are not theirs to know.
            log.warning("layer %r cannot be read: %s", layer.id, error)
            raise NotReadyError(f"layer {layer.id!r} cannot be read; run gisgrid check") from error
        self._stamps[layer.id] = stamp
        return self._enlivened(Edition.of(found, self.store))


def frames(published: Published, names: Mapping[str, str]) -> dict[str, gpd.GeoDataFrame | None]:
    """Read the frames of some layers, as far as they are there; nobody keeps them.

    Parameters
    ----------
    published
        The layers.
    names
        What each shall be called, and its layer.

    Returns
    -------
    dict
        Name to frame; None where the city has no such layer, or it is not ready.
    """
    found: dict[str, gpd.GeoDataFrame | None] = {}
    for name, layer_id in names.items():
        found[name] = None
        if layer_id in published.catalogue:
            try:
                edition = published.edition(layer_id)
                frame = published.store.read(edition.layer)
            except GisgridError:
                continue
            found[name] = frame if isinstance(frame, gpd.GeoDataFrame) else None
    return found


def _watch(of: weakref.ref[Published], stop: threading.Event, look_s: float) -> None:
    """Look at the files until the server stops, or nobody has it any more."""
    next_look = time.monotonic() + look_s
    while not stop.wait(min(look_s, _LIVE_S)):
        published = of()
        if published is None:
            return
        try:
            if time.monotonic() >= next_look:
                published.refresh()
                next_look = time.monotonic() + look_s
            published.refresh_live()
        except Exception as error:  # noqa: BLE001 - whatever goes wrong, the next look may go well
            log.error("the files could not be looked at: %s", error, exc_info=error)
        del published


def _ignore(*, well: bool) -> None:
    del well


def _forget(n: int) -> None:
    del n
