"""What is already made of an archive? Tiles in a file, and a journal beside it that a killed process leaves whole."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from gisgrid.errors import OutputError
from gisgrid.files import first_line
from gisgrid.tiles.archive.addresses import Numbers

HEAD: Final = 16384
"""Bytes before the tiles: the header and the root directory, which are written last."""

_REMEMBERED: Final = 500_000
"""Contents that are known again at most, the first ones: what repeats does so from the beginning."""

_TABLES: Final = """
CREATE TABLE job (words TEXT NOT NULL, done INTEGER NOT NULL, size INTEGER NOT NULL);
CREATE TABLE contents (place INTEGER PRIMARY KEY, digest BLOB NOT NULL);
CREATE TABLE tiles (number INTEGER PRIMARY KEY, place INTEGER NOT NULL, length INTEGER NOT NULL);
CREATE TABLE thinned (
    layer TEXT, zoom INTEGER, how TEXT, tiles INTEGER, of_features INTEGER, shown INTEGER,
    PRIMARY KEY (layer, zoom, how)
) WITHOUT ROWID;
"""

_ADD_THINNED: Final = """
INSERT INTO thinned VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
tiles = tiles + excluded.tiles, of_features = of_features + excluded.of_features, shown = shown + excluded.shown
"""


@dataclass(frozen=True)
class Thinned:
    """What the tiles of one layer at one zoom do not show one by one.

    Attributes
    ----------
    layer, zoom
        Which.
    how
        The way they were thinned, as in `gisgrid.tiles.source.Thinning`.
    tiles
        How many tiles were.
    of, shown
        Their features, and how many of them the tiles stand for.
    """

    layer: str
    zoom: int
    how: str
    tiles: int
    of: int
    shown: int


@dataclass(frozen=True)
class MadeTile:
    """A tile as it goes into an archive.

    Attributes
    ----------
    number
        Along the curve.
    content
        Compressed; empty where nothing is shown.
    thinned
        Of each layer in it that is.
    """

    number: int
    content: bytes
    thinned: tuple[Thinned, ...] = ()


class Draft:
    """An archive that is being made.

    Tiles are appended to ``NAME.part``; ``NAME.journal``, an SQLite file, says which there are. Both are on the disk
    before the journal says so, so that a draft can be gone on with whatever stopped its maker.

    Parameters
    ----------
    path
        Where the archive shall be.
    job
        What it is made of; a draft of another job is begun anew. None: begun anew in any case.

    Raises
    ------
    OutputError
        The folder cannot be written, or another process is making the same archive.
    """

    def __init__(self, path: Path, *, job: str | None) -> None:
        self.path = path
        self._tiles_path = path.with_name(f"{path.name}.part")
        self._journal_path = path.with_name(f"{path.name}.journal")
        self._job = job or ""
        try:
            self._journal = self._opened(resume=job is not None)
            self._tiles = self._tiles_path.open("r+b" if self._tiles_path.exists() else "w+b")
        except (OSError, sqlite3.Error) as error:
            if "locked" in str(error):
                raise OutputError(
                    f"{path.name!r} is being made by another process; wait for it, or choose another name"
                ) from error
            raise OutputError(
                f"{path.name!r} cannot be written to {str(path.parent)!r}: {first_line(error)}"
            ) from error
        done, size = self._journal.execute("SELECT done, size FROM job").fetchone()
        self.done = int(done)
        """The number of the last tile that was looked at; -1 where there is none."""
        self._end = int(size)
        known = self._journal.execute("SELECT digest, place FROM contents ORDER BY place")
        self._known: dict[bytes, int] = dict(known)
        self._tiles.truncate(HEAD + self._end)
        self._tiles.seek(HEAD + self._end)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Leave the draft where it is, for the next time; what was not kept yet is made again then."""
        self._tiles.close()
        self._journal.close()

    @property
    def n_tiles(self) -> int:
        """How many tiles there are."""
        return int(self._journal.execute("SELECT count(*) FROM tiles").fetchone()[0])

    @property
    def n_contents(self) -> int:
        """How many of them differ."""
        return int(self._journal.execute("SELECT count(DISTINCT place) FROM tiles").fetchone()[0])

    @property
    def size(self) -> int:
        """Bytes of tiles."""
        return self._end

    def add(self, tiles: Iterable[MadeTile]) -> None:
        """Append tiles; the same content is written once.

        Parameters
        ----------
        tiles
            Rising by number, and beyond those that are there.
        """
        places: list[tuple[int, int, int]] = []
        contents: list[tuple[int, bytes]] = []
        thinned: list[Thinned] = []
        for tile in tiles:
            self.done = tile.number
            if not tile.content:
                continue
            digest = blake2b(tile.content, digest_size=16).digest()
            place = self._known.get(digest)
            if place is None:
                place = self._end
                self._tiles.write(tile.content)
                self._end += len(tile.content)
                if len(self._known) < _REMEMBERED:
                    self._known[digest] = place
                    contents.append((place, digest))
            places.append((tile.number, place, len(tile.content)))
            thinned += tile.thinned
        self._journal.executemany("INSERT INTO tiles VALUES (?, ?, ?)", places)
        self._journal.executemany("INSERT INTO contents VALUES (?, ?)", contents)
        self._journal.executemany(_ADD_THINNED, map(astuple, thinned))

    def keep(self) -> None:
        """Make sure that what was added is found again after a crash."""
        self._flush()
        self._journal.execute("UPDATE job SET done = ?, size = ?", (self.done, self._end))
        self._journal.commit()

    def entries(self) -> tuple[Numbers, Numbers, Numbers]:
        """Give all tiles.

        Returns
        -------
        tuple of array
            Shape (n,) each: numbers, rising; offsets among the tiles; lengths.
        """
        rows = self._journal.execute("SELECT number, place, length FROM tiles ORDER BY number")
        flat = np.fromiter((word for row in rows for word in row), dtype=np.int64)
        number, place, length = np.ascontiguousarray(flat.reshape(-1, 3).T)
        return number, place, length

    def thinned(self) -> tuple[Thinned, ...]:
        """Give what tiles do not show one by one, by layer and zoom."""
        rows = self._journal.execute(
            "SELECT layer, zoom, how, tiles, of_features, shown FROM thinned ORDER BY layer, zoom, how"
        )
        return tuple(Thinned(*row) for row in rows)

    def finish(self, *, head: bytes, tail: bytes) -> None:
        """Write what goes before and behind the tiles, and put the archive in its place.

        Parameters
        ----------
        head
            Header and root.
        tail
            Metadata and leaves.
        """
        self.keep()
        self._tiles.seek(HEAD + self._end)
        self._tiles.write(tail)
        self._tiles.seek(0)
        self._tiles.write(head.ljust(HEAD, b"\0"))
        self._flush()
        self._tiles.close()
        self._journal.close()
        self._tiles_path.replace(self.path)
        self._journal_path.unlink()

    def _flush(self) -> None:
        self._tiles.flush()
        os.fsync(self._tiles.fileno())

    def _opened(self, *, resume: bool) -> sqlite3.Connection:
        if not resume or not self._tiles_path.exists():
            return self._begun()
        journal: sqlite3.Connection | None = None
        try:
            journal = self._connected()
            words, size = journal.execute("SELECT words, size FROM job").fetchone()
            if words == self._job and HEAD + size <= self._tiles_path.stat().st_size:
                return journal
        except (sqlite3.DatabaseError, TypeError) as error:
            if "locked" in str(error):
                raise
        if journal is not None:
            journal.close()
        return self._begun()

    def _begun(self) -> sqlite3.Connection:
        """Begin anew; a journal that another process holds is not touched."""
        try:
            self._connected().close()
        except sqlite3.DatabaseError as error:
            if "locked" in str(error):
                raise
        undo = self._journal_path.with_name(f"{self._journal_path.name}-journal")
        for path in (self._journal_path, undo, self._tiles_path):
            path.unlink(missing_ok=True)
        journal = self._connected()
        journal.executescript(_TABLES)
        journal.execute("INSERT INTO job VALUES (?, -1, 0)", (self._job,))
        journal.commit()
        return journal

    def _connected(self) -> sqlite3.Connection:
        journal = sqlite3.connect(self._journal_path, timeout=0.2)
        try:
            journal.execute("PRAGMA locking_mode = EXCLUSIVE")
            journal.execute("BEGIN EXCLUSIVE")  # taken now, so that a second process hears of it
        except sqlite3.Error:
            journal.close()
            raise
        return journal
