"""``gisgrid serve city.pmtiles``: an archive of tiles, with its TileJSON and a style, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from gisgrid.errors import InputError
from gisgrid.palette import GROUND
from gisgrid.tiles.archive import PmtilesSource

_KINDS: Final = (
    ("fill", "Polygon", {"fill-color": "#4477aa", "fill-opacity": 0.3}),
    ("line", "LineString", {"line-color": "#225588", "line-width": 1.2}),
    ("circle", "Point", {"circle-color": "#cc6677", "circle-radius": 3}),
)


@dataclass(frozen=True)
class Archive:
    """An archive that is served.

    Attributes
    ----------
    source
        What gives its tiles.
    version
        A word that changes when the file does.
    """

    source: PmtilesSource
    version: str

    @property
    def is_raster(self) -> bool:
        """Whether its tiles are pictures."""
        return self.source.media_type.startswith("image/")

    @property
    def suffix(self) -> str:
        """What its tiles' addresses end in."""
        return self.source.media_type.partition("/")[2] if self.is_raster else "mvt"

    @property
    def vector_layers(self) -> list[dict[str, Any]]:
        """What it says of the layers in its tiles."""
        said = self.source.metadata.get("vector_layers", [])
        return (
            [dict(one) for one in said if isinstance(one, Mapping) and "id" in one]
            if isinstance(said, list)
            else []
        )

    @property
    def layer_ids(self) -> list[str]:
        """The layers in its tiles."""
        return [str(one["id"]) for one in self.vector_layers] or [self.source.layer_id]


def open_archive(path: Path) -> Archive:
    """Open an archive to serve it.

    Parameters
    ----------
    path
        A PMTiles file.

    Returns
    -------
    Archive
        The archive.

    Raises
    ------
    InputError
        There is no such file, or it is no archive.
    """
    source = PmtilesSource(path)
    try:
        state = os.stat(path)  # noqa: PTH116 - beside the one that was opened
    except OSError as error:
        raise InputError(
            f"{str(path)!r} cannot be read ({error.strerror}); check the file"
        ) from error
    said = f"{state.st_size} {state.st_mtime_ns} {json.dumps(source.metadata, sort_keys=True)}"
    return Archive(source, hashlib.sha256(said.encode()).hexdigest()[:12])


def archive_tilejson(archive: Archive, *, base: str) -> dict[str, Any]:
    """Describe an archive's tiles (TileJSON 3.0.0).

    Parameters
    ----------
    archive
        The archive.
    base
        The server's address.

    Returns
    -------
    dict
        JSON. Below `thinned` it says where features were too many when the tiles were drawn.
    """
    source, said = archive.source, archive.source.metadata
    document: dict[str, Any] = {
        "tilejson": "3.0.0",
        "name": str(said.get("name", source.layer_id)),
        "description": str(said.get("description", "")),
        "attribution": str(said.get("attribution", "")),
        "scheme": "xyz",
        "tiles": [f"{base}/tiles/{source.layer_id}/{{z}}/{{x}}/{{y}}.{archive.suffix}?v={archive.version}"],
        "minzoom": source.minzoom,
        "maxzoom": source.maxzoom,
        "vector_layers": [] if archive.is_raster else [{"fields": {}, **one} for one in archive.vector_layers],
    }  # fmt: skip
    if said.get("thinned"):
        document["thinned"] = said["thinned"]
    if source.bbox is not None:
        west, south, east, north = source.bbox
        document["bounds"] = [west, south, east, north]
        document["center"] = [(west + east) / 2, (south + north) / 2, source.minzoom]
    return document


def archive_style(archive: Archive, *, base: str) -> dict[str, Any]:
    """Give a style that shows whatever is in an archive.

    Parameters
    ----------
    archive
        The archive.
    base
        The server's address.

    Returns
    -------
    dict
        A MapLibre style: areas under lines under points.
    """
    name = archive.source.layer_id
    url = f"{base}/tiles/{name}/tilejson.json"
    layers: list[dict[str, Any]] = [{"id": "ground", "type": "background", "paint": {"background-color": GROUND}}]  # fmt: skip
    if archive.is_raster:
        source = {"type": "raster", "url": url, "tileSize": 256}
        layers.append({"id": name, "type": "raster", "source": name})
    else:
        source = {"type": "vector", "url": url}
        layers += [
            {
                "id": f"{layer}-{kind}", "type": kind, "source": name, "source-layer": layer,
                "filter": ["==", ["geometry-type"], geometry], "paint": paint,
            }
            for kind, geometry, paint in _KINDS
            for layer in archive.layer_ids
        ]  # fmt: skip
    return {"version": 8, "name": name, "sources": {name: source}, "layers": layers}
