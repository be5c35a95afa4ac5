"""A layer that changes while it is served: the sorted features, and over them what came in since.

A folder holds the `base` (a `FeatureTable`) and a `journal`. Every process follows the journal by itself and sees a
change within a quarter of a second. When the journal has grown, one process makes a new base of the old one and the
finished segments, beside it, and puts it in place in one step: nobody waits, and nobody sees a mixture.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np

from gisgrid.errors import GisgridError, InputError
from gisgrid.features import storage
from gisgrid.features.changes import Change, Key, Schema
from gisgrid.features.column import read_only
from gisgrid.features.fresh import Chunk, FreshTable, FreshTree, chunk_of_changes, with_last
from gisgrid.features.journal import (
    MERGED,
    Tail,
    base_folder,
    last_segment,
    segment_path,
    segments,
)
from gisgrid.features.merging import joined
from gisgrid.features.snapshot import Snapshot
from gisgrid.features.table import FeatureTable
from gisgrid.locks import alone, handed_on

POLL_S: Final = 0.25
"""The journal is looked at no more often than this, and a change is seen no later."""

MERGE_AT: Final = 5_000
"""Fresh rows from which a merge is worth its work."""

_MERGE: Final = """
import os, sys
os.nice(19)  # before anything is loaded: who sends a report waits for no merge
from pathlib import Path
from gisgrid.errors import GisgridError
from gisgrid.features import merge
try:
    merge(Path(sys.argv[1]), held=True)
except GisgridError as error:
    sys.exit(f"fresh rows were not merged: {error}")
"""

_log: Final = logging.getLogger(__name__)

_NEXT: Final = "next_number"
_LOCK: Final = "merge.lock"


class LiveTable:
    """A layer that changes, as one process sees it; safe to be asked by several threads.

    Parameters
    ----------
    folder
        What `create` made.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._refreshing = Lock()
        self._looked = -np.inf
        self._state = _State.read(self.folder)
        self._merger: subprocess.Popen[bytes] | None = None

    @classmethod
    def create(cls, folder: Path, table: FeatureTable) -> LiveTable:
        """Make a layer live, or give a live layer new features; what is in its journal stays on top.

        Parameters
        ----------
        folder
            Made where it is not there; the folder above it must be.
        table
            The features, with a key.

        Returns
        -------
        LiveTable
            The layer.

        Raises
        ------
        InputError
            The table has no key.
        """
        Schema.of(table)
        folder = Path(folder)
        (folder / "journal").mkdir(parents=True, exist_ok=True)
        with alone(folder / _LOCK):
            notes = _kept_notes(folder)
            following = max(int(notes.get(_NEXT, 0)), _following(table))
            merged = int(notes.get(MERGED, 0))
            table.save(base_folder(folder), notes={MERGED: merged, _NEXT: following})
        return cls(folder)

    def current(self, *, wait: bool = True) -> Snapshot:
        """Give the layer as it is now.

        Parameters
        ----------
        wait
            Whether what was seen less than `POLL_S` ago will do; if not, the journal is looked at in any case.

        Returns
        -------
        Snapshot
            While one thread takes in changes, the others get the snapshot before.
        """
        now = time.monotonic()
        if wait and now - self._looked < POLL_S:
            return self._state.snapshot
        if self._refreshing.acquire(blocking=not wait):
            try:
                self._looked = time.monotonic()
                self._state = self._renewed()
            except (OSError, GisgridError) as error:
                # What was whole a moment ago is better than no answer.
                _log.warning("live layer %s is shown as it was: %s", self.folder.name, error)
            finally:
                self._refreshing.release()
        return self._state.snapshot

    def _renewed(self) -> _State:
        try:
            return self._state.renewed(self.folder)
        except _Unsettled:
            return _State.read(self.folder)

    def merge_if_due(self, *, at: int = MERGE_AT) -> bool:
        """Start a merge in a process of its own where the journal has grown and none is running.

        Parameters
        ----------
        at
            Fresh and hidden rows from which it has.

        Returns
        -------
        bool
            Whether one was started.
        """
        if self._merger is not None and self._merger.poll() is None:
            return False
        snapshot = self.current()
        if len(snapshot.fresh) + len(snapshot.hidden) < at:
            return False
        with handed_on(self.folder / _LOCK) as lock:
            if lock is None:
                return False
            self._merger = subprocess.Popen(  # noqa: S603 - our own command
                [sys.executable, "-c", _MERGE, str(self.folder)],
                stdin=subprocess.DEVNULL,
                pass_fds=() if sys.platform == "win32" else (lock,),
            )
        return True

    def merged(self, *, timeout_s: float | None = None) -> bool:
        """Wait for the merge that `merge_if_due` started.

        Parameters
        ----------
        timeout_s
            How long, at most.

        Returns
        -------
        bool
            Whether it ended well; also where none was started.
        """
        if self._merger is None:
            return True
        try:
            return self._merger.wait(timeout_s) == 0
        except subprocess.TimeoutExpired:
            return False


class _Unsettled(Exception):  # noqa: N818 - never leaves this module
    """Another process put a new base in place while we looked."""


@dataclass
class _State:
    """What one process knows of the folder: the base, how far the journal was read, and what it changes.

    Attributes
    ----------
    base
        The features merged last.
    tails
        The segments after them, and how far each was read.
    changes
        The last change to each key.
    found
        By key: its row in the base (None where it is new), and its number.
    serials
        By key: which entry of `tree` it has, where it is fresh.
    following
        The number of the next new feature, and the serial of the next fresh one.
    tree
        Where fresh features are; states that follow one another share it.
    snapshot
        All that put together.
    """

    base: FeatureTable
    tails: list[Tail]
    changes: dict[Key, Change]
    found: dict[Key, tuple[int | None, int]]
    serials: dict[Key, int]
    following: tuple[int, int]
    tree: FreshTree
    snapshot: Snapshot

    @classmethod
    def of(cls, base: FeatureTable) -> _State:
        """Begin with a base and nothing of the journal."""
        following = max(int(base.notes.get(_NEXT, 0)), _following(base))
        return cls(base, [], {}, {}, {}, (following, 0), FreshTree(), Snapshot.of(base))

    @classmethod
    def read(cls, folder: Path) -> _State:
        """Open the base and read the journal from its beginning."""
        for _ in range(20):
            state = cls.of(FeatureTable.open(base_folder(folder)))
            try:
                return state.renewed(folder)
            except _Unsettled:
                time.sleep(0.01)
        raise InputError(
            f"the features in {str(folder)!r} change faster than they can be opened; try again"
        )

    @classmethod
    def read_to(cls, folder: Path, base: FeatureTable, last: int) -> _State:
        """Read the journal over a base up to a segment that is no longer written to."""
        state = cls.of(base)
        merged = int(base.notes.get(MERGED, 0))
        parts = [
            Tail(number).read(folder) for number in segments(folder) if merged < number <= last
        ]
        new = [change for changes, _ in parts for change in changes]
        return state.with_changes(new, [tail for _, tail in parts]) if new else state

    def renewed(self, folder: Path) -> _State:
        """Take in what came since; a new state with a new base, this one otherwise."""
        if storage.edition(base_folder(folder)) != self.base.edition:
            return _State.read(folder)
        merged = int(self.base.notes.get(MERGED, 0))
        there = [number for number in segments(folder) if number > merged]
        if there and there[0] != merged + 1:
            raise _Unsettled
        known = {tail.number: tail for tail in self.tails}
        tails = [known.get(number) or Tail(number) for number in there]
        # Only the last segment of before may have grown; those after it are new.
        last = max(known, default=0)
        new, read = [], []
        for tail in tails:
            changes, after = tail.read(folder) if tail.number >= last else ([], tail)
            new += changes
            read.append(after)
        # Nothing of this state is changed before all of the next has been made.
        return self.with_changes(new, read) if new else replace(self, tails=read)

    def with_changes(self, new: Sequence[Change], tails: list[Tail]) -> _State:
        """Take in changes; nothing but the shared tree is changed, and that last."""
        # A fresh table holds what puts it together: were this state among that, so would be all those before it.
        base, changes = self.base, {**self.changes}
        found, serials = {**self.found}, {**self.serials}
        number, serial = self.following
        latest = {change.key: change for change in new}
        for change in new:
            changes[change.key] = change
            if change.key not in found:
                row = base.row(change.key)
                if row is not None:
                    found[change.key] = row, int(base.number[row])
                elif change.values is not None:
                    found[change.key] = None, number
                    number += 1
        gone = [serials.pop(key) for key in latest if key in serials]
        added = [key for key, change in latest.items() if change.values is not None]
        serials.update(zip(added, range(serial, serial + len(added)), strict=True))
        rows = [found[key][0] for key in changes if key in found]
        hidden = np.array(sorted(row for row in rows if row is not None), np.int64)

        def chunk_of(keys: Sequence[Key]) -> Chunk:
            numbers, places = [found[key][1] for key in keys], [serials[key] for key in keys]
            return chunk_of_changes(base, [changes[key] for key in keys], numbers, places)

        old = _fresh_chunks(self.snapshot)
        left = [chunk.without(np.array(gone, np.int64)) for chunk in old] if gone else [*old]
        latest_chunk = chunk_of(added) if added else None
        chunks = with_last([chunk for chunk in left if len(chunk)], latest_chunk, chunk_of)

        def whole() -> FeatureTable:
            return chunk_of([key for key in changes if key in serials]).table

        fresh = FreshTable(base, chunks, self.tree, whole)
        version = f"{base.edition}-{tails[-1].number}-{tails[-1].end}"
        snapshot = Snapshot(base, read_only(hidden), fresh, version)
        if latest_chunk is not None:
            self.tree.take_in(latest_chunk.serial, latest_chunk.table.boxes)
        self.tree.let_go(gone)
        following = number, serial + len(added)
        return _State(base, tails, changes, found, serials, following, self.tree, snapshot)


def _fresh_chunks(snapshot: Snapshot) -> tuple[Chunk, ...]:
    return snapshot.fresh.chunks if isinstance(snapshot.fresh, FreshTable) else ()


def merge(folder: Path, *, held: bool = False) -> bool:
    """Make a new base of the old one and the journal; readers and writers go on meanwhile.

    Parameters
    ----------
    folder
        What `LiveTable.create` made.
    held
        Whether the process was started with the lock (`LiveTable.merge_if_due`).

    Returns
    -------
    bool
        Whether there was something to merge and no other process was at it.

    Notes
    -----
    Stopped at any moment, it leaves the old base or the new one, and the journal for the next to finish.
    """
    with nullcontext(held) if held else alone(folder / _LOCK, wait=False) as mine:
        if not mine:
            return False
        base = FeatureTable.open(base_folder(folder))
        merged = int(base.notes.get(MERGED, 0))
        if not _State.of(base).renewed(folder).changes:
            return False
        with alone(folder / "append.lock"):
            last = last_segment(folder, merged)
            # From here on writers use the next segment, and this one stays as it is.
            segment_path(folder, last + 1).touch()
            storage.sync_folder(folder / "journal")
        state = _State.read_to(folder, base, last)
        table = joined(base, state.snapshot.fresh, without=state.snapshot.hidden)
        table.save(base_folder(folder), notes={MERGED: last, _NEXT: state.following[0]})
        # Readers may still be at the base before; they need the segments after it, and none older.
        for number in segments(folder):
            if number <= merged:
                segment_path(folder, number).unlink(missing_ok=True)
    return True


def _kept_notes(folder: Path) -> Mapping[str, Any]:
    """Give the notes of the base there is; where it is lost, those that put the whole journal on top of the next."""
    try:
        return FeatureTable.open(base_folder(folder)).notes
    except InputError:
        return {MERGED: min(segments(folder), default=1) - 1}


def _following(table: FeatureTable) -> int:
    return int(table.number.max()) + 1 if len(table) else 0
