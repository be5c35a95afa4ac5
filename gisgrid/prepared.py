"""What does a map need of a layer? Its rows as columns on disk, made once per state of the data, and what draws them.

A layer lies ready in ``data/.tiles/<layer>-<version>/``. It is made by whoever needs it first, while others wait; it is
never changed, and it goes when there is a newer one and nobody uses it any more.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import shutil
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from gisgrid.catalogue import Catalogue, FolderStore, Layer, Tiles
from gisgrid.errors import GisgridError, InputError, LayerNotFoundError, OutputError
from gisgrid.features import FeatureTable, GeometryKind, Journal, LiveTable, Privacy
from gisgrid.files import whole_file
from gisgrid.locks import Hold, alone, try_lock
from gisgrid.progress import Progress, silent
from gisgrid.schema import Field
from gisgrid.surface import Surface
from gisgrid.tiles import LowZoom, PointSource, RasterSource, TileSource, vector_source
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, MatrixSet
from gisgrid.tiles.shapes.source import ShapeSource

FOLDER: Final = ".tiles"
"""Under the data folder."""

_FORM: Final = 2
"""Raised when the same rows are laid down otherwise or give other tiles, so that nobody keeps old ones."""

_KINDS: Final[Mapping[str, GeometryKind]] = {
    "Point": "point", "LineString": "line", "Polygon": "polygon", "none": "none",
}  # fmt: skip
_IN_USE: Final = "in-use.lock"

LIVE_FOLDER: Final = ".live"
"""Under the data folder."""

_OF: Final = "of.txt"
"""Which state of the layer's file the fresh rows lie over."""


@dataclass(frozen=True)
class Prepared:
    """A layer that lies ready; it holds its folder as long as it lives.

    Attributes
    ----------
    layer
        The layer.
    version
        A short word that changes whenever the data, what is shown of them or the writing of tiles do.
    folder
        Where it lies; None for a raster, which is drawn from its own file.
    table
        Its rows; None for a raster.
    hold
        Keeps the folder from being removed.
    """

    layer: Layer
    version: str
    folder: Path | None
    table: FeatureTable | None
    hold: Hold | None = None


def shown_fields(layer: Layer) -> tuple[Field, ...]:
    """Say which fields of a layer may leave the house.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    tuple of Field
        The primary key, then the exposed ones in their order. Where single rows are never shown (`k_threshold`), the
        key is not shown either: it would tell them apart.
    """
    exposed = layer.exposed
    if layer.tiles is not None and layer.tiles.privacy.k_threshold:
        return tuple(one for one in exposed if one.name != layer.primary_key)
    key = tuple(one for one in layer.fields if one.name == layer.primary_key and one not in exposed)
    return key + exposed


def layer_version(layer: Layer, store: FolderStore) -> str:
    """Name the state that a layer is in.

    Parameters
    ----------
    layer
        The layer.
    store
        Where its data are.

    Returns
    -------
    str
        12 hexadecimal digits. It does not change with the layer's words or colours, which are not in its tiles.

    Raises
    ------
    OSError
        There are no data.
    """
    return _version(layer, store.checksum(layer))


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
    version = _version(layer, checksum)
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


def layer_source(
    prepared: Prepared, store: FolderStore, *, matrix_set: MatrixSet = WEB_MERCATOR_QUAD
) -> TileSource:
    """Make what draws a layer: the same for a server and for an archive.

    Parameters
    ----------
    prepared
        The layer as it lies ready.
    store
        Where a raster's file is.
    matrix_set
        Which tiles.

    Returns
    -------
    TileSource
        It shows what the description says, and nothing else.

    Raises
    ------
    LayerNotFoundError
        The layer is not drawn.
    """
    layer, tiles = prepared.layer, prepared.layer.tiles
    if tiles is None or layer.kind == "table":
        raise LayerNotFoundError(f"layer {layer.id!r} is not drawn: its description has no [tiles]")
    if layer.kind == "raster" or prepared.table is None:
        return RasterSource.from_file(
            store.path(layer), layer_id=layer.id, minzoom=tiles.minzoom, maxzoom=tiles.maxzoom
        )
    return table_source(layer, prepared.table, folder=prepared.folder, matrix_set=matrix_set)


def table_source(
    layer: Layer,
    table: FeatureTable,
    *,
    folder: Path | None = None,
    matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
) -> PointSource | ShapeSource:
    """Make what draws the features of a layer.

    Parameters
    ----------
    layer
        A drawn layer of features.
    table
        Its rows, blurred already where the description asks for that.
    folder
        Where they lie; what is worked out for them is laid down there too.
    matrix_set
        Which tiles.

    Returns
    -------
    PointSource or ShapeSource
        Ready to draw; fresh rows can be put over it.
    """
    tiles = layer.tiles or Tiles()
    shown = tuple(field.name for field in shown_fields(layer))
    source = vector_source(
        table,
        layer_id=layer.id,
        properties=shown,
        minzoom=tiles.minzoom,
        maxzoom=tiles.maxzoom,
        privacy=Privacy(k_threshold=tiles.privacy.k_threshold, keep=shown),
        low_zoom=layer_low_zoom(layer),
        matrix_set=matrix_set,
        folder=folder,
    )
    return source.prepare() if isinstance(source, PointSource) else source


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
    return store.folder / LIVE_FOLDER / layer.id


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
    return _live(prepared, folder)


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
    prepared = prepare(layer, store, folder=folder)
    if prepared.table is None or layer.primary_key is None:
        raise InputError(
            f"rows are appended to a layer of features with a primary key and {layer.id!r} has none; "
            "state its primary_key in layer.toml"
        )
    place = live_folder(layer, store)
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{str(place.parent)!r} cannot be made ({error.strerror}); make the data folder writable") from error  # fmt: skip
    _live(prepared, place)
    shown, privacy = set(prepared.table.columns), layer_privacy(layer)
    return Journal(place).append(
        [_as_shown(one, shown, privacy) for one in features], delete=delete
    )


def layer_privacy(layer: Layer) -> Privacy:
    """Say what is hidden of a layer, as the encoder takes it.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    Privacy
        Nothing is hidden where the description says nothing.
    """
    if layer.tiles is None:
        return Privacy()
    said = layer.tiles.privacy
    return Privacy(k_threshold=said.k_threshold, blur_m=said.blur_m)


def layer_low_zoom(layer: Layer) -> LowZoom:
    """Say what a layer draws where single features are too many, as the encoder takes it.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    LowZoom
        As the description says.
    """
    if layer.tiles is None:
        return LowZoom()
    said = layer.tiles.low_zoom
    return LowZoom(
        strategy=said.strategy, cell_px=said.cell_px, below=said.below, budget_bytes=said.budget_bytes,
        counts_by=said.counts_by, shares=tuple(said.shares.items()), shape=said.shape,
    )  # fmt: skip


def _live(prepared: Prepared, folder: Path) -> LiveTable:
    """Open fresh rows; where the layer's file is another than they were laid over, lay them over the new one."""
    with alone(folder.parent / f"{prepared.layer.id}.lock"):
        of = folder / _OF
        if of.is_file() and of.read_text("ascii") == prepared.version:
            return LiveTable(folder)
        assert prepared.table is not None  # noqa: S101 - asked by both who call
        live = LiveTable.create(folder, prepared.table)
        with whole_file(of) as draft:
            draft.write_text(prepared.version, "ascii")
        return live


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


def _version(layer: Layer, checksum: str) -> str:
    tiles = layer.tiles.model_dump_json(exclude={"visible", "access"}) if layer.tiles else ""
    shown = [field.name for field in shown_fields(layer)]
    said = (layer.id, layer.geometry, layer.crs, layer.primary_key, shown, tiles)
    text = json.dumps((_FORM, checksum, *said), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _root(store: FolderStore, folder: Path | None) -> Path:
    root = folder if folder is not None else store.folder / FOLDER
    try:
        root.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"layers cannot be laid down in {str(root)!r} ({error.strerror}); "
            "name a folder that can be written with GISGRID_PREPARED"
        ) from error
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
