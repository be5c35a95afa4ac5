"""``gisgrid append``: rows of a GeoJSON file into a layer that is being served."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gisgrid.catalogue import Catalogue, FolderStore, resolve_data, resolve_layers
from gisgrid.errors import InputError
from gisgrid.prepared import append
from gisgrid_server.settings import Settings


def append_file(
    settings: Settings, layer_id: str, file: Path, *, delete: Sequence[str] = ()
) -> int:
    """Add or change the rows that a file holds.

    Parameters
    ----------
    settings
        Where the layers and the data are.
    layer_id
        The layer.
    file
        GeoJSON in longitude, latitude: a collection, or one feature; ``-`` for standard input.
    delete
        Keys of rows that are no longer.

    Returns
    -------
    int
        How many changes were written: all of them or, where one does not fit, none.

    Raises
    ------
    InputError
        The file is no GeoJSON, or a feature does not fit the layer.
    LayerNotFoundError
        There is no such layer.
    OutputError
        They cannot be written.
    """
    catalogue = Catalogue.read(resolve_layers(settings.layers))
    store = FolderStore(resolve_data(settings.data))
    return append(
        catalogue[layer_id], store, read_features(file), delete=delete, folder=settings.prepared
    )


def read_features(file: Path) -> list[Mapping[str, Any]]:
    """Read the features of a GeoJSON file.

    Parameters
    ----------
    file
        The file; ``-`` for standard input.

    Returns
    -------
    list
        Features as they stand there.

    Raises
    ------
    InputError
        It is no GeoJSON.
    """
    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text("utf-8-sig")
        document = json.loads(text)
    except OSError as error:
        raise InputError(
            f"{str(file)!r} cannot be read ({error.strerror}); check the name"
        ) from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{str(file)!r} is no JSON ({error}); write GeoJSON (RFC 7946)") from error
    if isinstance(document, Mapping) and document.get("type") == "Feature":
        return [document]
    features = document.get("features") if isinstance(document, Mapping) else None
    if not isinstance(features, list) or not all(isinstance(one, Mapping) for one in features):
        raise InputError(
            f"{str(file)!r} is no GeoJSON of features; write a FeatureCollection, or one Feature"
        )
    return features
