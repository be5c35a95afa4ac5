"""Which layers are served, and what do they hold now?

A layer is read when it is first asked for, and again when its file has changed: an answer is made from one reading,
never from two. Only the primary key and the properties that the description exposes ever leave this module's frames.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.catalogue import Catalogue, FolderStore, Layer
from gisgrid.crs import LONLAT
from gisgrid.errors import GisgridError, LayerNotFoundError
from gisgrid.schema import Field
from gisgrid.surface import Surface
from gisgrid.tiles import BBox, RasterSource, TileSource, VectorSource
from gisgrid_server.problems import NotReadyError

_LOOK_AGAIN_S: Final = 1.0
"""A file is not looked at more often than this."""

_ENCODING: Final = "1"
"""Raised when the same data give other tiles, so that no client keeps old ones."""

_Stamp = tuple[int, int, int]


@dataclass(frozen=True, eq=False)
class Edition:
    """A layer as it was read once; it never changes.

    Attributes
    ----------
    layer
        Its description.
    version
        A short word that changes whenever data, description or the writing of tiles do.
    frame
        Its rows; None for a raster.
    store
        Where it was read from.
    """

    layer: Layer
    version: str
    frame: pd.DataFrame | None
    store: FolderStore
    _making: Lock = field(default_factory=Lock, repr=False)

    @property
    def shown(self) -> tuple[Field, ...]:
        """The fields that leave the server: the primary key and what the description exposes."""
        return shown_fields(self.layer)

    @property
    def n_rows(self) -> int | None:
        """How many rows it has; None for a raster."""
        return None if self.frame is None else len(self.frame)

    @property
    def source(self) -> TileSource:
        """What draws its tiles; made at the first call, while others wait for it."""
        with self._making:
            return self._source

    @cached_property
    def _source(self) -> TileSource:
        layer, tiles = self.layer, self.layer.tiles
        if tiles is None:
            raise LayerNotFoundError(
                f"layer {layer.id!r} is not drawn: its description has no [tiles]"
            )
        if layer.kind == "raster":
            return RasterSource.from_file(
                self.store.path(layer),
                layer_id=layer.id,
                minzoom=tiles.minzoom,
                maxzoom=tiles.maxzoom,
            )
        if not isinstance(self.frame, gpd.GeoDataFrame):
            raise LayerNotFoundError(
                f"layer {layer.id!r} is not drawn: it is a table without a place"
            )
        return VectorSource.from_frame(
            self.frame, layer_id=layer.id, key=layer.primary_key,
            properties=[shown.name for shown in self.shown], minzoom=tiles.minzoom, maxzoom=tiles.maxzoom,
        )  # fmt: skip

    @cached_property
    def bounds(self) -> NDArray[np.float64]:
        """Shape (n rows, 4), west, south, east, north of each row in degrees; NaN where it has no place."""
        if not isinstance(self.frame, gpd.GeoDataFrame):
            return np.full((self.n_rows or 0, 4), np.nan)
        return np.asarray(self.frame.geometry.to_crs(LONLAT).bounds.to_numpy(dtype=float))

    @cached_property
    def as_of(self) -> pd.Timestamp | None:
        """When the newest report in it was made; None where it holds no reports."""
        if self.frame is None or "reported_at" not in self.frame or not len(self.frame):
            return None
        newest = self.frame["reported_at"].max()
        return None if pd.isna(newest) else pd.Timestamp(newest)


def shown_fields(layer: Layer) -> tuple[Field, ...]:
    """Say which fields of a layer leave the server.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    tuple of Field
        The primary key, then the exposed ones in their order.
    """
    exposed = layer.exposed
    key = tuple(one for one in layer.fields if one.name == layer.primary_key and one not in exposed)
    return key + exposed


class Published:
    """The layers of a catalogue, with their data as they are now.

    Parameters
    ----------
    catalogue
        The layers.
    store
        Where their data are.
    """

    def __init__(self, catalogue: Catalogue, store: FolderStore) -> None:
        self.catalogue, self.store = catalogue, store
        self._slots = {layer.id: _Slot(layer, store) for layer in catalogue}

    def edition(self, layer_id: str) -> Edition:
        """Give a layer as it is now.

        Parameters
        ----------
        layer_id
            The layer.

        Returns
        -------
        Edition
            The latest reading; a new one when its file has changed.

        Raises
        ------
        LayerNotFoundError
            There is no such layer.
        NotReadyError
            Its data are not there or cannot be read.
        """
        layer = self.catalogue[layer_id]
        return self._slots[layer.id].edition()

    def ready(self, layer_id: str) -> Edition | None:
        """Give a layer's latest reading without reading: None where there is none, or it may be out of date.

        Parameters
        ----------
        layer_id
            The layer.

        Returns
        -------
        Edition or None
            Something that can be answered from at once.
        """
        slot = self._slots.get(layer_id)
        return slot.ready() if slot is not None else None

    def editions(self) -> Iterator[tuple[Layer, Edition | NotReadyError]]:
        """Go through all layers, those that are not ready included.

        Yields
        ------
        tuple of (Layer, Edition or NotReadyError)
            Each layer with its data, or why it has none.
        """
        for layer in self.catalogue:
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
        except NotReadyError:
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


class _Slot:
    """Where a layer's latest reading is kept; one reads at a time, the others wait for it."""

    def __init__(self, layer: Layer, store: FolderStore) -> None:
        self._layer, self._store = layer, store
        self._lock = Lock()
        self._edition: Edition | None = None
        self._stamp: _Stamp | None = None
        self._looked = -np.inf

    def ready(self) -> Edition | None:
        fresh = time.monotonic() - self._looked < _LOOK_AGAIN_S
        return self._edition if fresh else None

    def edition(self) -> Edition:
        ready = self.ready()
        if ready is not None:
            return ready
        with self._lock:
            stamp = self._look()
            if self._edition is None or stamp != self._stamp:
                edition = self._read()
                self._edition, self._stamp = edition, stamp
            self._looked = time.monotonic()
            return self._edition

    def _look(self) -> _Stamp:
        path = self._store.path(self._layer)
        try:
            state = path.stat()
        except OSError as error:
            step = (
                "run gisgrid build"
                if self._layer.is_derived
                else "put its file into the data folder"
            )
            raise NotReadyError(
                f"layer {self._layer.id!r} has no data yet (there is no {path.name!r}); {step}"
            ) from error
        return state.st_size, state.st_mtime_ns, state.st_ino

    def _read(self) -> Edition:
        layer = self._layer
        try:
            checksum = self._store.checksum(layer)
            value = None if layer.kind == "raster" else self._store.read(layer)
        except (GisgridError, OSError) as error:
            raise NotReadyError(
                f"layer {layer.id!r} cannot be read: {error}; run gisgrid check"
            ) from error
        frame = None if isinstance(value, Surface) else value
        written = f"{_ENCODING} {checksum} {layer.model_dump_json()}"
        version = hashlib.sha256(written.encode()).hexdigest()[:12]
        return Edition(layer, version, frame, self._store)


def frames(published: Published, names: Mapping[str, str]) -> dict[str, gpd.GeoDataFrame | None]:
    """Give the frames of some layers, as far as they are there.

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
                frame = published.edition(layer_id).frame
            except NotReadyError:
                continue
            found[name] = frame if isinstance(frame, gpd.GeoDataFrame) else None
    return found
