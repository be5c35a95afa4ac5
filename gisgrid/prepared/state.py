"""In what state is a layer, and where does that state lie?"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from gisgrid.catalogue import FolderStore, Layer
from gisgrid.features import FeatureTable
from gisgrid.locks import Hold
from gisgrid.prepared.shown import shown_fields

_FORM: Final = 3
"""Raised when the same rows are laid down otherwise or give other tiles, so that nobody keeps old ones."""


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
    return state_of(layer, store.checksum(layer))


def state_of(layer: Layer, checksum: str) -> str:
    """Name the state of a layer whose file is known already.

    Parameters
    ----------
    layer
        The layer.
    checksum
        Of its file.

    Returns
    -------
    str
        As for `layer_version`.
    """
    tiles = layer.tiles.model_dump_json(exclude={"visible", "access"}) if layer.tiles else ""
    shown = [field.name for field in shown_fields(layer)]
    said = (layer.id, layer.geometry, layer.crs, layer.primary_key, shown, tiles)
    text = json.dumps((_FORM, checksum, *said), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
