"""What does an archive say of itself? The 127 bytes at its beginning and the JSON of its metadata."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import log2
from typing import Any, Final, Literal, cast

from pmtiles.tile import (
    Compression,
    HeaderDict,
    TileType,
    deserialize_header,
    serialize_header,
)

from gisgrid.tiles.archive.draft import HEAD, Draft, Thinned
from gisgrid.tiles.raster import PNG_MEDIA_TYPE, WEBP_MEDIA_TYPE, RasterSource
from gisgrid.tiles.scheme import MAX_LATITUDE, BBox
from gisgrid.tiles.source import TileSource
from gisgrid.tiles.vector import counted_properties

FieldKind = Literal["String", "Number", "Boolean"]
"""What a property is, as TileJSON calls it."""

MEDIA_TYPES: Final = {
    TileType.MVT: "application/vnd.mapbox-vector-tile",
    TileType.PNG: PNG_MEDIA_TYPE,
    TileType.JPEG: "image/jpeg",
    TileType.WEBP: WEBP_MEDIA_TYPE,
}
ENCODINGS: Final = {
    Compression.NONE: None, Compression.GZIP: "gzip", Compression.BROTLI: "br", Compression.ZSTD: "zstd",
}  # fmt: skip


@dataclass(frozen=True)
class About:
    """What an archive is, for people and for programs that style it.

    Attributes
    ----------
    name, description, attribution
        Shown by viewers.
    fields
        Of each vector layer: the properties that its features have, and what they are.
    descriptions
        Of each layer.
    """

    name: str = ""
    description: str = ""
    attribution: str = ""
    fields: Mapping[str, Mapping[str, FieldKind]] = field(default_factory=dict)
    descriptions: Mapping[str, str] = field(default_factory=dict)


def metadata(
    sources: Sequence[TileSource], about: About, *, zooms: tuple[int, int], thinned: Sequence[Thinned], generator: str
) -> bytes:  # fmt: skip
    """Write the metadata.

    Parameters
    ----------
    sources
        What is in the archive.
    about
        What it is.
    zooms
        Its first and last zoom.
    thinned
        What its tiles do not show one by one.
    generator
        What made it.

    Returns
    -------
    bytes
        JSON, gzipped: TileJSON 3's words, and `thinned`; of a raster `unit` and `stops` (value and colour).
    """
    said: dict[str, Any] = {
        "name": about.name, "description": about.description, "attribution": about.attribution, "type": "overlay",
        "version": "2", "generator": generator,
    }  # fmt: skip
    first = sources[0]
    if isinstance(first, RasterSource):
        said |= {"unit": first.unit, "stops": [list(stop) for stop in first.stops]}
    else:
        said["vector_layers"] = [
            {
                "id": source.layer_id,
                "description": about.descriptions.get(source.layer_id, ""),
                "minzoom": max(source.minzoom, zooms[0]),
                "maxzoom": min(source.maxzoom, zooms[1]),
                "fields": _fields(source, about, thinned),
            }
            for source in sources
        ]
    said["thinned"] = [
        {"layer": t.layer, "zoom": t.zoom, "how": t.how, "tiles": t.tiles, "of": t.of, "shown": t.shown}
        for t in thinned
    ]  # fmt: skip
    return gzip.compress(json.dumps(said, ensure_ascii=False).encode(), mtime=0)


def _fields(source: TileSource, about: About, thinned: Sequence[Thinned]) -> dict[str, FieldKind]:
    """List the properties of single features, and those of the cells that stand for many where there are some."""
    fields: dict[str, FieldKind] = dict(about.fields.get(source.layer_id, {}))
    counted = any(
        one.layer == source.layer_id and one.how in {"aggregated", "clustered"} for one in thinned
    )
    if counted:
        fields |= dict.fromkeys(counted_properties(source), "Number")
    return fields


def header(
    draft: Draft, *, bbox: BBox | None, zooms: tuple[int, int], media_type: str, n_entries: int, lengths: tuple[int, int, int]
) -> bytes:  # fmt: skip
    """Write the header of an archive whose root is right behind it, then the tiles, the metadata and the leaves.

    Parameters
    ----------
    draft
        The tiles.
    bbox
        West, south, east, north in degrees; the whole world where there is none.
    zooms
        First and last.
    media_type
        Of a tile.
    n_entries
        How many entries all directories have.
    lengths
        Of the root, of the metadata, of all leaves.

    Returns
    -------
    bytes
        127 bytes, as PMTiles 3 has them.
    """
    west, south, east, north = bbox or (-180.0, -MAX_LATITUDE, 180.0, MAX_LATITUDE)
    south, north = max(south, -90.0), min(north, 90.0)
    root, words, leaves = lengths
    behind = HEAD + draft.size
    tile_type = next(kind for kind, media in MEDIA_TYPES.items() if media == media_type)
    says = {
        "root_offset": 127, "root_length": root, "metadata_offset": behind, "metadata_length": words,
        "leaf_directory_offset": behind + words, "leaf_directory_length": leaves,
        "tile_data_offset": HEAD, "tile_data_length": draft.size,
        "addressed_tiles_count": draft.n_tiles, "tile_entries_count": n_entries,
        "tile_contents_count": draft.n_contents, "clustered": True, "internal_compression": Compression.GZIP,
        "tile_compression": Compression.GZIP if tile_type is TileType.MVT else Compression.NONE,
        "tile_type": tile_type, "min_zoom": zooms[0], "max_zoom": zooms[1],
        "min_lon_e7": round(west * 1e7), "min_lat_e7": round(south * 1e7),
        "max_lon_e7": round(east * 1e7), "max_lat_e7": round(north * 1e7),
        "center_zoom": max(zooms[0], min(zooms[1], _zoom_of(east - west, north - south))),
        "center_lon_e7": round((west + east) / 2 * 1e7), "center_lat_e7": round((south + north) / 2 * 1e7),
    }  # fmt: skip
    written: bytes = serialize_header(cast("HeaderDict", says))
    return written


def read_header(content: bytes) -> HeaderDict:
    """Read a header.

    Parameters
    ----------
    content
        127 bytes.

    Returns
    -------
    HeaderDict
        What it says, as the package `pmtiles` calls it.
    """
    return deserialize_header(content)


def _zoom_of(wide: float, tall: float) -> int:
    """Find the zoom at which a part of the world is about as wide as two tiles."""
    widest = max(wide, tall)
    return max(0, round(log2(720 / widest))) if widest > 0 else 14
