"""Lay a layer down on disk as columns, once per state of its data, and let go of what nobody uses."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from gisgrid.catalogue import Catalogue, FolderStore, Layer
from gisgrid.errors import GisgridError, InputError, OutputError
from gisgrid.features import FeatureTable, GeometryKind
from gisgrid.files import make_folder
from gisgrid.locks import Hold, alone, try_lock
from gisgrid.prepared.shown import layer_privacy, shown_fields
from gisgrid.prepared.sources import layer_source
from gisgrid.prepared.state import Prepared, state_of
from gisgrid.progress import Progress, silent
from gisgrid.surface import Surface

FOLDER: Final = ".tiles"
"""Under the data folder."""

_KINDS: Final[Mapping[str, GeometryKind]] = {
    "Point": "point", "LineString": "line", "Polygon": "polygon", "none": "none",
}  # fmt: skip
_IN_USE: Final = "in-use.lock"


def prepare(
    layer: Layer, store: FolderStore, *, folder: Path | None = None, progress: Progress = silent
) -> Prepared:
    """Give a layer that lies ready, and lay it down where it does not.

    Parameters
    ----------
    layer
        Any layer.
    store
        Where its data are.
    folder
        Where layers lie ready; ``.tiles`` in the data folder where it is not given.
    progress
        Told when rows have to be laid down.

    Returns
    -------
    Prepared
        The layer as its file is now.

    Raises
    ------
    InputError
        The layer has no data, or they cannot be read.
    OutputError
        The folder cannot be written.
    """
    checksum = store.checksum(layer)
    version = state_of(layer, checksum)
    if layer.kind == "raster":
        return Prepared(layer, version, None, None)
    root = _root(store, folder)
    place = root / f"{layer.id}-{version}"
    with alone(root / f"{layer.id}.lock"):
        table = _opened(place)
        if table is None:
            progress(layer.id, 0.0)
            _lay_down(layer, store, place, checksum=checksum)
            table = FeatureTable.open(place)
            if layer.tiles is not None and layer.kind == "vector":
                # What draws it lays its index down beside the rows.
                layer_source(Prepared(layer, version, place, table), store)
            progress(layer.id, 1.0)
        hold = Hold(place / _IN_USE)
        _let_go_of_old(root, layer.id, keep=place)
    return Prepared(layer, version, place, table, hold)


def prepare_all(
    catalogue: Catalogue,
    store: FolderStore,
    *,
    only: Iterable[str] | None = None,
    folder: Path | None = None,
    progress: Progress = silent,
) -> dict[str, str]:
    """Lay down every drawn layer whose data are there, so that a server starts at once.

    Parameters
    ----------
    catalogue
        The layers.
    store
        Where their data are.
    only
        Only these; all where it is not given.
    folder
        As for `prepare`.
    progress
        Told of each layer that has to be laid down.

    Returns
    -------
    dict
        Layers that cannot be laid down, and why; those without data are passed over.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    wanted = set(only) if only is not None else None
    layers = [one for one in catalogue if one.tiles is not None and one.kind == "vector"]
    faults: dict[str, str] = {}
    for layer in layers:
        if (wanted is None or layer.id in wanted) and store.exists(layer):
            try:
                prepare(layer, store, folder=folder, progress=progress)
            except OutputError:
                raise
            except GisgridError as error:
                faults[layer.id] = str(error)
    return faults


def _root(store: FolderStore, folder: Path | None) -> Path:
    root = folder if folder is not None else store.folder / FOLDER
    make_folder(root, purpose="prepared layers", advice="name one that can with GISGRID_PREPARED")
    return root


def _opened(place: Path) -> FeatureTable | None:
    """Open what lies there; what is not whole is made anew."""
    if not place.is_dir():
        return None
    try:
        return FeatureTable.open(place)
    except InputError:
        shutil.rmtree(place, ignore_errors=True)
        return None


def _lay_down(layer: Layer, store: FolderStore, place: Path, *, checksum: str) -> None:
    value = store.read(layer)
    if isinstance(value, Surface):  # pragma: no cover - the kind said otherwise
        raise InputError(f"layer {layer.id!r} is a raster where rows were expected; check its file")
    if store.checksum(layer) != checksum:
        raise InputError(f"the file of layer {layer.id!r} changed while it was read; try again")
    shown = [field.name for field in shown_fields(layer)]
    table = FeatureTable.from_frame(
        value, key=layer.primary_key, properties=shown, kind=_KINDS[layer.geometry], name=f"layer {layer.id!r}"
    )  # fmt: skip
    # What is hidden is not laid down: what is not there cannot be asked for.
    layer_privacy(layer).applied(table).save(place)


def _let_go_of_old(root: Path, layer_id: str, *, keep: Path) -> None:
    """Remove other states of a layer that nobody uses."""
    for place in root.glob(f"{layer_id}-*"):
        if place == keep or place.name.rpartition("-")[0] != layer_id or not place.is_dir():
            continue
        _unless_used(place / _IN_USE, lambda gone=place: shutil.rmtree(gone, ignore_errors=True))  # type: ignore[misc]


def _unless_used(path: Path, act: Callable[[], None]) -> None:
    with contextlib.suppress(FileNotFoundError), path.open("ab") as file:
        if try_lock(file):
            act()
