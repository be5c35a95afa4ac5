"""What does a web map draw from an archive? The tiles as they are stored, found by reading two directories at most."""

from __future__ import annotations

import json
import os
import weakref
import zlib
from collections import OrderedDict
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final

from pmtiles.tile import Compression, HeaderDict, TileType

from gisgrid.errors import InputError
from gisgrid.tiles.archive.addresses import tile_number
from gisgrid.tiles.archive.directory import Directory, gunzipped, unpacked
from gisgrid.tiles.archive.header import ENCODINGS, MEDIA_TYPES, read_header
from gisgrid.tiles.raster import SIDE, nothing_png
from gisgrid.tiles.scheme import MAX_ZOOM, WEB_MERCATOR_QUAD, BBox, MatrixSet, check_zoom
from gisgrid.tiles.source import EMPTY_TILE, Tile

if TYPE_CHECKING:
    from gisgrid.features.filters import Filter

_KEPT_LEAVES: Final = 64
_DEEPEST: Final = 3
"""Leaves under leaves under the root at most, as PMTiles says."""


class PmtilesSource:
    """An archive of tiles, ready to be served; its tiles are given as they are stored, compressed.

    The file is read where it is asked for and never mapped: a file that is cut while it is served gives an error,
    where a mapped one would end the process. An archive that is replaced by another (as `write_archive` does it) is
    served to its end as it was.

    Parameters
    ----------
    path
        A PMTiles 3 archive, made by anything.

    Raises
    ------
    InputError
        There is no such file, or it is no such archive, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
        self._file = os.open(path, os.O_RDONLY)
        weakref.finalize(self, os.close, self._file)
        self._size = os.fstat(self._file).st_size
        self._header = self._checked()
        self._leaves: OrderedDict[int, Directory] = OrderedDict()
        self._lock = Lock()
        self._root = self._directory(self._header["root_offset"], self._header["root_length"])

    def __repr__(self) -> str:
        return f"PmtilesSource({str(self.path)!r})"

    @property
    def layer_id(self) -> str:
        """The name of the file without its suffix."""
        return self.path.stem

    @property
    def minzoom(self) -> int:
        """The first zoom it has."""
        return self._header["min_zoom"]

    @property
    def maxzoom(self) -> int:
        """The last zoom it has."""
        return self._header["max_zoom"]

    @property
    def bbox(self) -> BBox | None:
        """West, south, east, north in degrees, as the archive says; None where it does not."""
        h = self._header
        words = (h["min_lon_e7"], h["min_lat_e7"], h["max_lon_e7"], h["max_lat_e7"])
        west, south, east, north = (word / 1e7 for word in words)
        return (west, south, east, north) if any(words) else None

    @property
    def media_type(self) -> str:
        """What a tile is once it is unpacked, as HTTP calls it."""
        return MEDIA_TYPES[self._header["tile_type"]]

    @property
    def encoding(self) -> str | None:
        """How a tile is compressed, as HTTP calls it (``gzip``); None where it is not."""
        return ENCODINGS[self._header["tile_compression"]]

    @property
    def left_out(self) -> dict[str, int]:
        """Nothing that the archive knew of."""
        return {}

    @property
    def matrix_set(self) -> MatrixSet:
        """WebMercatorQuad, as PMTiles has no other."""
        return WEB_MERCATOR_QUAD

    @cached_property
    def metadata(self) -> Mapping[str, Any]:
        """What the archive says of itself: `name`, `attribution`, `vector_layers`, …"""
        content = self._bytes(self._header["metadata_offset"], self._header["metadata_length"])
        try:
            plain = (
                gunzipped(content)
                if self._header["internal_compression"] is Compression.GZIP
                else content
            )
            said = json.loads(plain)
        except (zlib.error, ValueError) as error:
            raise InputError(
                f"{self.path.name!r} has damaged metadata ({error}); make it again"
            ) from error
        return said if isinstance(said, dict) else {}

    def tile(self, z: int, x: int, y: int, *, where: Filter | None = None) -> Tile:
        """Give a tile.

        Parameters
        ----------
        z, x, y
            The tile, in WebMercatorQuad.
        where
            Nothing: an archive's tiles are made.

        Returns
        -------
        Tile
            As it is stored, `encoding` says how it is compressed. `n_features` is 1 where there is a tile, because an
            archive does not count. Where there is none: an empty vector tile, or a transparent picture.

        Raises
        ------
        TileNotFoundError
            The scheme has no such tile, or the archive no such zoom.
        InputError
            A filter is given, or the archive is damaged there.
        """
        check_zoom(self, z, x, y)
        if where is not None:
            raise InputError(
                f"{self.path.name!r} is an archive and cannot select features; serve the layer itself for that"
            )
        body = self._stored(int(tile_number(z, x, y)))
        if body is not None:
            return Tile(body, 1, encoding=self.encoding)
        return (
            EMPTY_TILE if self._header["tile_type"] is TileType.MVT else Tile(nothing_png(SIDE), 0)
        )

    def _stored(self, number: int) -> bytes | None:
        directory = self._root
        for _ in range(_DEEPEST + 1):
            at = directory.find(number)
            if at is None:
                return None
            offset, length = int(directory.offset[at]), int(directory.length[at])
            if directory.run[at]:
                return self._bytes(self._header["tile_data_offset"] + offset, length)
            directory = self._leaf(offset, length)
        raise InputError(f"{self.path.name!r} has directories in a circle; make it again")

    def _leaf(self, offset: int, length: int) -> Directory:
        with self._lock:
            found = self._leaves.get(offset)
            if found is not None:
                self._leaves.move_to_end(offset)
                return found
        leaf = self._directory(self._header["leaf_directory_offset"] + offset, length)
        with self._lock:
            self._leaves[offset] = leaf
            while len(self._leaves) > _KEPT_LEAVES:
                self._leaves.popitem(last=False)
        return leaf

    def _directory(self, offset: int, length: int) -> Directory:
        compressed = self._header["internal_compression"] is Compression.GZIP
        return unpacked(self._bytes(offset, length), compressed=compressed, name=self.path.name)

    def _bytes(self, offset: int, length: int) -> bytes:
        content = b"" if offset + length > self._size else os.pread(self._file, length, offset)
        if len(content) != length:
            raise InputError(
                f"{self.path.name!r} says that {length} bytes are at {offset:,} but it ends at {self._size:,}; copy or "
                "make it again"
            )
        return content

    def _checked(self) -> HeaderDict:
        """Read the header, and refuse what this source could not serve."""
        try:
            said = read_header(self._bytes(0, 127))
            known = said["tile_type"] in MEDIA_TYPES and said["tile_compression"] in ENCODINGS
        except Exception as error:
            raise InputError(
                f"{self.path.name!r} is no archive of PMTiles 3; make it again"
            ) from error
        if not known or said["internal_compression"] not in {Compression.NONE, Compression.GZIP}:
            raise InputError(
                f"{self.path.name!r} holds {said['tile_type'].name} tiles, compressed by {said['tile_compression'].name}, with "
                f"directories by {said['internal_compression'].name}, which is not served; convert it with the program pmtiles"
            )
        if not 0 <= said["min_zoom"] <= said["max_zoom"] <= MAX_ZOOM:
            raise InputError(
                f"{self.path.name!r} has zooms {said['min_zoom']} to {said['max_zoom']} but they must rise within 0 to "
                f"{MAX_ZOOM}; make it again"
            )
        return said
