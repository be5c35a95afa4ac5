"""Rows that are added, changed and deleted while a layer is served: written once, seen by every worker."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from gisgrid.catalogue import FolderStore, Layer
from gisgrid.errors import InputError
from gisgrid.features import Journal, LiveTable, Privacy
from gisgrid.files import make_folder, whole_file
from gisgrid.locks import alone
from gisgrid.prepared.layers import prepare
from gisgrid.prepared.shown import layer_privacy
from gisgrid.prepared.state import Prepared

FOLDER: Final = ".live"
"""Under the data folder."""

_OF: Final = "of.txt"
"""Which state of the layer's file the fresh rows lie over."""


def live_folder(layer: Layer, store: FolderStore) -> Path:
    """Say where the fresh rows of a layer are written, whether there are any or not.

    Parameters
    ----------
    layer
        The layer.
    store
        Where its data are.

    Returns
    -------
    Path
        Under the data folder.
    """
    return store.folder / FOLDER / layer.id


def open_live(prepared: Prepared, store: FolderStore) -> LiveTable | None:
    """Open the fresh rows of a layer, over the rows that its file has now.

    Parameters
    ----------
    prepared
        The layer as it lies ready.
    store
        Where its data are.

    Returns
    -------
    LiveTable or None
        None where nothing was ever appended to it.
    """
    folder = live_folder(prepared.layer, store)
    if prepared.table is None or not (folder / _OF).is_file():
        return None
    _lay_over(prepared, folder)
    return LiveTable(folder)


def append(
    layer: Layer,
    store: FolderStore,
    features: Sequence[Mapping[str, Any]] = (),
    *,
    delete: Sequence[str | int] = (),
    folder: Path | None = None,
) -> int:
    """Add, change and delete rows of a layer while it is served; they are in its tiles within a second.

    Parameters
    ----------
    layer
        A layer with a primary key.
    store
        Where its data are. Its file is not changed.
    features
        GeoJSON features in longitude, latitude; one whose key is there already takes its place. Properties that the
        layer does not show are left out: what is not written down cannot get out.
    delete
        Keys of rows that are no longer.
    folder
        As for `prepare`.

    Returns
    -------
    int
        How many changes were written. They survive a loss of power.

    Raises
    ------
    InputError
        A feature does not fit the layer, or the layer has no key.
    OutputError
        They cannot be written.
    """
    return LiveRows(layer, store, folder=folder).append(features, delete=delete)


class LiveRows:
    """Where rows of a layer are added, changed and deleted: opened once, written to often.

    Parameters
    ----------
    layer
        A layer with a primary key.
    store
        Where its data are. Its file is not changed.
    folder
        As for `prepare`.
    """

    def __init__(self, layer: Layer, store: FolderStore, *, folder: Path | None = None) -> None:
        self._layer, self._store, self._folder = layer, store, folder
        self._over: tuple[int, int, int] | None = None
        self._open: tuple[Journal, frozenset[str]] | None = None

    def append(
        self, features: Sequence[Mapping[str, Any]] = (), *, delete: Sequence[str | int] = ()
    ) -> int:
        """Add, change and delete rows, as `append` does.

        Parameters
        ----------
        features
            GeoJSON features in longitude, latitude; one whose key is there already takes its place.
        delete
            Keys of rows that are no longer.

        Returns
        -------
        int
            How many changes were written. They survive a loss of power.

        Raises
        ------
        InputError
            A feature does not fit the layer, or the layer has no key.
        OutputError
            They cannot be written.
        """
        over = _stamp(self._store.path(self._layer))
        if self._open is None or over != self._over:
            self._open, self._over = self._opened(), over
        journal, shown = self._open
        privacy = layer_privacy(self._layer)
        return journal.append([_as_shown(one, shown, privacy) for one in features], delete=delete)

    def _opened(self) -> tuple[Journal, frozenset[str]]:
        """Lay fresh rows over the rows that the layer's file has now."""
        layer, store = self._layer, self._store
        prepared = prepare(layer, store, folder=self._folder)
        if prepared.table is None or layer.primary_key is None:
            raise InputError(
                f"rows are appended to a layer of features with a primary key and {layer.id!r} has none; "
                "state its primary_key in layer.toml"
            )
        place = live_folder(layer, store)
        make_folder(place.parent, purpose="fresh rows", advice="make the data folder writable")
        _lay_over(prepared, place)
        return Journal(place), frozenset(prepared.table.columns)


def _lay_over(prepared: Prepared, folder: Path) -> None:
    """See that fresh rows lie over the rows that the layer's file has now, and not over those of before."""
    with alone(folder.parent / f"{prepared.layer.id}.lock"):
        of = folder / _OF
        if of.is_file() and of.read_text("ascii") == prepared.version:
            return
        assert prepared.table is not None  # noqa: S101 - asked by both who call
        LiveTable.create(folder, prepared.table)
        with whole_file(of) as draft:
            draft.write_text(prepared.version, "ascii")


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino


def _as_shown(
    feature: Mapping[str, Any], shown: Collection[str], privacy: Privacy
) -> dict[str, Any]:
    """Leave out what the layer does not show, and blur what it blurs, before anything is written down."""
    properties = feature.get("properties") or {}
    kept = {name: value for name, value in properties.items() if name in shown}
    geometry = feature.get("geometry")
    if privacy.blur_m > 0 and isinstance(geometry, Mapping) and geometry.get("type") == "Point":
        lon, lat = (np.array([float(part)]) for part in geometry["coordinates"][:2])
        (east,), (north,) = privacy.blurred(lon, lat)
        geometry = {"type": "Point", "coordinates": [float(east), float(north)]}
    return {"type": "Feature", "properties": kept, "geometry": geometry}
