"""How does a city become one file of tiles? PMTiles from the same tiles that a server draws."""

from __future__ import annotations

import json
import os
import time
import zlib
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
from isal import isal_zlib

import gisgrid
from gisgrid.errors import InputError
from gisgrid.files import require_folder
from gisgrid.progress import Progress, silent
from gisgrid.tiles.archive.addresses import Numbers, tile_places
from gisgrid.tiles.archive.coverage import covered
from gisgrid.tiles.archive.directory import rooted, runs_of
from gisgrid.tiles.archive.draft import Draft, MadeTile, Thinned
from gisgrid.tiles.archive.header import MEDIA_TYPES, About, header, metadata
from gisgrid.tiles.raster import RasterSource
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, BBox
from gisgrid.tiles.source import TileSource

Compression = Literal["fast", "small"]
"""How hard tiles are compressed: at the speed they are drawn at, or a twentieth of it and a tenth smaller."""

_FORMAT: Final = 1
"""Counts up when the same inputs give another archive, so that no draft of an older gisgrid is gone on with."""

_TILES_AT_ONCE: Final = 32
_KEEP_EVERY_S: Final = 1.0
_KEEP_EVERY: Final = 5_000
"""Tiles after which, or seconds, what is made is on the disk for good."""


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes
    ----------
    path
        The archive.
    n_tiles, n_contents
        How many tiles it has, and how many of them differ.
    n_empty
        How many more tiles were looked at in this run and show nothing.
    n_resumed
        How many tiles were there from a run that was stopped.
    n_bytes
        The size of the file.
    zooms
        The first and the last.
    thinned
        What its tiles do not show one by one, by layer and zoom.
    """

    path: Path
    n_tiles: int
    n_contents: int
    n_empty: int
    n_resumed: int
    n_bytes: int
    zooms: tuple[int, int]
    thinned: tuple[Thinned, ...]


def write_archive(
    sources: Sequence[TileSource], path: Path, *, about: About | None = None, zooms: tuple[int, int] | None = None,
    bbox: BBox | None = None, compression: Compression = "fast", state: str | None = None,
    progress: Progress = silent,
) -> Written:  # fmt: skip
    """Write tiles into an archive (PMTiles 3), for a map without a server.

    A tile holds each source's own tile, one after the other: before compression it is byte for byte what a server
    gives. Tiles that show nothing are not written, equal ones once. What a killed run has made stays in
    ``NAME.part`` and ``NAME.journal`` beside the archive.

    Parameters
    ----------
    sources
        Vector sources, each a layer of the archive; or one raster source. In WebMercatorQuad.
    path
        The archive, ending in ``.pmtiles``; what stood there is replaced as a whole, at the end.
    about
        What it is.
    zooms
        The first and the last; the sources' own where not given.
    bbox
        West, south, east, north in degrees; only tiles that touch it.
    compression
        ``fast`` or ``small``.
    state
        Names the state of what the sources draw, for example a checksum: a run that was stopped is gone on with when
        it is the same. Without it every run begins anew.
    progress
        Told how far the work is.

    Returns
    -------
    Written
        What was written.

    Raises
    ------
    InputError
        The sources cannot be in one archive, no zoom is drawn, or there are too many tiles.
    OutputError
        The archive cannot be written there, or another process is just doing so.
    """
    _check(sources, path)
    first, last = _zooms(sources, zooms)
    asked = [
        _FORMAT,
        gisgrid.__version__,
        [_words_of(one) for one in sources],
        first,
        last,
        bbox,
        compression,
        state,
    ]
    job = None if state is None else json.dumps(asked)
    with Draft(path, job=job) as draft:
        n_resumed = draft.n_tiles
        n_looked_at = _draw(
            draft, sources, (first, last), bbox=bbox, compression=compression, progress=progress
        )
        n_tiles, n_contents, thinned = draft.n_tiles, draft.n_contents, draft.thinned()
        _close(draft, sources, about or About(name=path.stem), zooms=(first, last), bbox=bbox)
    n_empty = n_looked_at - (n_tiles - n_resumed)
    size = path.stat().st_size
    return Written(path, n_tiles, n_contents, n_empty, n_resumed, size, (first, last), thinned)


def _check(sources: Sequence[TileSource], path: Path) -> None:
    if not sources:
        raise InputError("an archive needs at least one layer; name one that is drawn")
    if path.suffix != ".pmtiles":
        raise InputError(f"{path.name!r} is to be an archive of tiles; let it end in .pmtiles")
    require_folder(path)
    kinds = {source.media_type for source in sources}
    if len(kinds) > 1 or (len(sources) > 1 and isinstance(sources[0], RasterSource)):
        raise InputError(
            f"{len(sources)} layers ({', '.join(source.layer_id for source in sources)}) cannot be in one archive because "
            "a raster layer needs its own; write several archives"
        )
    if not kinds <= set(MEDIA_TYPES.values()):
        raise InputError(
            f"tiles of {', '.join(kinds)} are not known to PMTiles; write vector tiles, PNG or WebP"
        )
    names = [source.layer_id for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"layer {name!r} is asked for {names.count(name)} times; name it once")
    for source in sources:
        if source.matrix_set != WEB_MERCATOR_QUAD:
            raise InputError(
                f"{source.layer_id!r} is drawn in {source.matrix_set.id} but PMTiles knows only "
                f"{WEB_MERCATOR_QUAD.id}; make the source in that"
            )


def _zooms(sources: Sequence[TileSource], asked: tuple[int, int] | None) -> tuple[int, int]:
    lowest, highest = min(one.minzoom for one in sources), max(one.maxzoom for one in sources)
    first, last = (
        (lowest, highest) if asked is None else (max(asked[0], lowest), min(asked[1], highest))
    )
    if first > last:
        raise InputError(
            f"zooms {asked[0] if asked else first} to {asked[1] if asked else last} are asked for but the layers are drawn "
            f"at {lowest} to {highest}; change minzoom or maxzoom"
        )
    return first, last


def _words_of(source: TileSource) -> list[object]:
    return [source.layer_id, source.minzoom, source.maxzoom, source.media_type, source.bbox]


def _draw(
    draft: Draft, sources: Sequence[TileSource], zooms: tuple[int, int], *, bbox: BBox | None, compression: Compression,
    progress: Progress,
) -> int:  # fmt: skip
    """Draw all tiles that are not in the draft yet; return how many were looked at."""
    progress("tiles", 0.0)
    wanted: list[tuple[int, Numbers, list[TileSource]]] = []
    for z in range(zooms[0], zooms[1] + 1):
        there = [source for source in sources if source.minzoom <= z <= source.maxzoom]
        numbers = covered(there, z, bbox=bbox)
        wanted.append((z, numbers[numbers > draft.done], there))
    total = sum(len(numbers) for _, numbers, _ in wanted)
    n, kept, kept_at = 0, 0, time.monotonic()
    for tiles in _made(wanted, compression):
        draft.add(tiles)
        n += len(tiles)
        if n - kept >= _KEEP_EVERY or time.monotonic() - kept_at > _KEEP_EVERY_S:
            draft.keep()
            kept, kept_at = n, time.monotonic()
            progress("tiles", n / (total + 1))
    progress("tiles", 1.0)
    return n


def _made(
    wanted: Iterable[tuple[int, Numbers, list[TileSource]]], compression: Compression
) -> Iterator[list[MadeTile]]:
    """Draw tiles on all processors, some ahead of what is asked for, and give them in order."""
    n_threads = os.cpu_count() or 1
    ahead: deque[Future[list[MadeTile]]] = deque()
    with ThreadPoolExecutor(n_threads) as pool:
        try:
            for z, numbers, sources in wanted:
                for first in range(0, len(numbers), _TILES_AT_ONCE):
                    some = numbers[first : first + _TILES_AT_ONCE]
                    ahead.append(pool.submit(_drawn, sources, z, some, compression))
                    if len(ahead) >= 4 * n_threads:
                        yield ahead.popleft().result()
            while ahead:
                yield ahead.popleft().result()
        finally:
            for future in ahead:
                future.cancel()


def _drawn(
    sources: Sequence[TileSource], z: int, numbers: Numbers, compression: Compression
) -> list[MadeTile]:
    made = []
    columns, rows = tile_places(z, numbers)
    for number, x, y in zip(numbers.tolist(), columns.tolist(), rows.tolist(), strict=True):
        tiles = [(source, source.tile(z, x, y)) for source in sources]
        thinned = tuple(
            Thinned(source.layer_id, z, tile.thinned.how, 1, tile.thinned.of, tile.thinned.shown)
            for source, tile in tiles
            if tile.thinned is not None
        )
        body = b"".join(tile.body for _, tile in tiles if tile.n_features)
        if body and not isinstance(sources[0], RasterSource):
            body = _compressed(body, compression)
        made.append(MadeTile(number, body, thinned if body else ()))
    return made


def _compressed(body: bytes, compression: Compression) -> bytes:
    if compression == "fast":
        packed: bytes = isal_zlib.compress(body, level=isal_zlib.ISAL_BEST_COMPRESSION, wbits=31)
        return packed
    return zlib.compress(body, level=9, wbits=31)


def _close(
    draft: Draft,
    sources: Sequence[TileSource],
    about: About,
    *,
    zooms: tuple[int, int],
    bbox: BBox | None,
) -> None:
    """Write the directories, the metadata and the header."""
    entries = runs_of(*draft.entries())
    root, leaves = rooted(entries)
    generator = f"gisgrid {gisgrid.__version__}"
    words = metadata(sources, about, zooms=zooms, thinned=draft.thinned(), generator=generator)
    lengths = len(root), len(words), len(leaves)
    head = header(
        draft, bbox=_bbox(sources, bbox), zooms=zooms, media_type=sources[0].media_type, n_entries=len(entries),
        lengths=lengths,
    )  # fmt: skip
    draft.finish(head=head + root, tail=words + leaves)


def _bbox(sources: Sequence[TileSource], asked: BBox | None) -> BBox | None:
    boxes = np.array([source.bbox for source in sources if source.bbox is not None])
    if not len(boxes):
        return asked
    if (boxes[:, 0] > boxes[:, 2]).any():  # over the date line
        boxes[:, 0], boxes[:, 2] = -180, 180
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    if asked is not None:
        low, high = np.maximum(low, asked[:2]), np.minimum(high, asked[2:])
    west, south, east, north = map(float, (*low, *high))
    return west, south, max(west, east), max(south, north)
