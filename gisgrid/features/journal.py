"""What came in since a layer was built: additions, changes and deletions, on disk before they are acknowledged.

A journal is a folder of segments, files to which batches are appended: the length of a batch, a checksum, and the batch
as JSON. A batch whose writing was cut short is no batch: readers stop before it, and the next writer removes it.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Any, Final

from gisgrid.errors import InputError, OutputError
from gisgrid.features import storage
from gisgrid.features.changes import Change, Key, Schema
from gisgrid.features.table import FeatureTable
from gisgrid.locks import alone

_HEAD: Final = struct.Struct("<II")
_LARGEST: Final = 64 << 20
"""Bytes of a batch; a length beyond it is no length but damage."""


MERGED: Final = "merged_segments"
"""The note of a base that says up to which segment the journal is part of it."""


class Journal:
    """Where changes to a layer are written, one batch after the other, by any process.

    Parameters
    ----------
    folder
        A layer that was made live, see `LiveTable.create`.

    Examples
    --------
    >>> import tempfile, pandas as pd
    >>> from gisgrid.features.live import LiveTable
    >>> frame = pd.DataFrame({"id": ["a"], "n": [1], "lon": [114.0], "lat": [35.0]})
    >>> table = FeatureTable.from_frame(frame, key="id", properties=["n"], lonlat=("lon", "lat"))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     live = LiveTable.create(Path(folder) / "reports", table)
    ...     new = {"type": "Feature", "properties": {"id": "b", "n": 2},
    ...            "geometry": {"type": "Point", "coordinates": [114.1, 35.1]}}
    ...     Journal(Path(folder) / "reports").append([new], delete=["a"])
    ...     live.current(wait=False).fresh.records(slice(None))
    2
    [{'id': 'b', 'n': 2}]
    """

    def __init__(self, folder: Path) -> None:
        self.folder = Path(folder)
        self._schema: Schema | None = None
        self._edition: str | None = None
        self._merged = 0
        self._known_end: tuple[int, int] = (0, 0)
        self._lock = Lock()

    def append(
        self, features: Sequence[Mapping[str, Any]] = (), *, delete: Sequence[Key] = ()
    ) -> int:
        """Add or change features, and delete some; all of them or, where one is wrong, none.

        Parameters
        ----------
        features
            GeoJSON features in longitude, latitude. One whose key is there already takes its place.
        delete
            Keys of features that are no longer; a key that is not there is passed over.

        Returns
        -------
        int
            How many changes were written. When this returns they survive a loss of power, and other processes see them
            within a second.

        Raises
        ------
        InputError
            A feature does not fit the layer.
        OutputError
            The disk refused; nothing was written.
        """
        schema = self._current_schema()
        changes = [schema.change(one) for one in features]
        changes += [Change(schema.checked_key(key), None) for key in delete]
        if changes:
            self._write(_batch(changes))
        return len(changes)

    def _current_schema(self) -> Schema:
        edition = storage.edition(base_folder(self.folder))
        if self._schema is None or edition != self._edition:
            base = FeatureTable.open(base_folder(self.folder))
            self._schema, self._edition = Schema.of(base), base.edition
            self._merged = int(base.notes.get(MERGED, 0))
        return self._schema

    def _write(self, batch: bytes) -> None:
        try:
            with self._lock, alone(self.folder / "append.lock"):
                self._write_locked(batch)
        except OSError as error:
            raise OutputError(
                f"the changes cannot be written to {str(self.folder)!r}: {error.strerror or error}; make room there and send them again"
            ) from error

    def _write_locked(self, batch: bytes) -> None:
        number = last_segment(self.folder, self._merged)
        path = segment_path(self.folder, number)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            size = os.fstat(handle).st_size
            known, start = self._known_end
            end = _whole_end(handle, start if known == number and start <= size else 0, size)
            if end < size:  # a writer was stopped within a batch that nobody was told is safe
                os.ftruncate(handle, end)
            try:
                view, at = memoryview(batch), end
                while view:
                    n = os.pwrite(handle, view, at)
                    view, at = view[n:], at + n
                os.fsync(handle)
            except OSError:
                self._known_end = (0, 0)
                os.ftruncate(handle, end)
                raise
            if end == 0:
                storage.sync_folder(path.parent)
            self._known_end = (number, at)
        finally:
            os.close(handle)


@dataclass(frozen=True)
class Tail:
    """How far a segment has been read.

    Attributes
    ----------
    number
        The segment.
    end
        Past the last whole batch.
    """

    number: int
    end: int = 0

    def read(self, folder: Path) -> tuple[list[Change], Tail]:
        """Read the whole batches that came since.

        Parameters
        ----------
        folder
            The layer.

        Returns
        -------
        tuple
            The changes in the order they were written, and how far the segment is read now.
        """
        try:
            with segment_path(folder, self.number).open("rb") as file:
                file.seek(self.end)
                data = file.read()
        except FileNotFoundError:
            return [], self
        changes, end = [], self.end
        for batch, stop in _batches(data):
            changes += _unpacked(batch)
            end = self.end + stop
        return changes, Tail(self.number, end)


def _batch(changes: Sequence[Change]) -> bytes:
    rows = [
        {
            "key": one.key,
            "values": one.values,
            "wkb": one.wkb.hex() if one.wkb is not None else None,
        }
        for one in changes
    ]
    body = json.dumps(rows, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()
    if len(body) > _LARGEST:
        raise InputError(
            f"{len(rows)} changes at once are {len(body) >> 20} MB and at most {_LARGEST >> 20} MB are written; send fewer at a time"
        )
    return _HEAD.pack(len(body), zlib.crc32(body)) + body


def _unpacked(body: bytes) -> list[Change]:
    return [
        Change(row["key"], row["values"], bytes.fromhex(row["wkb"]) if row["wkb"] else None)
        for row in json.loads(body)
    ]


def _batches(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Give the whole batches at the start of some bytes, and where each ends."""
    at = 0
    while at + _HEAD.size <= len(data):
        length, checksum = _HEAD.unpack_from(data, at)
        stop = at + _HEAD.size + length
        if not 0 < length <= _LARGEST or stop > len(data):
            return
        body = data[at + _HEAD.size : stop]
        if zlib.crc32(body) != checksum:
            return
        yield body, stop
        at = stop


def _whole_end(handle: int, start: int, size: int) -> int:
    """Find the end of the last whole batch of a segment, looking from the end of one on."""
    end = start
    data = os.pread(handle, size - start, start) if start < size else b""
    for _, stop in _batches(data):
        end = start + stop
    return end


def base_folder(folder: Path) -> Path:
    """Say where the features of a live layer are that were merged last.

    Parameters
    ----------
    folder
        The layer.

    Returns
    -------
    Path
        What `FeatureTable.open` opens.
    """
    return folder / "base"


def segment_path(folder: Path, number: int) -> Path:
    """Say where a segment is.

    Parameters
    ----------
    folder
        The layer.
    number
        The segment.

    Returns
    -------
    Path
        The file, which need not be there yet.
    """
    return folder / "journal" / f"{number:012d}.log"


def segments(folder: Path) -> list[int]:
    """List the segments there are.

    Parameters
    ----------
    folder
        The layer.

    Returns
    -------
    list of int
        Their numbers, ascending.
    """
    return sorted(
        int(path.stem) for path in (folder / "journal").glob("*.log") if path.stem.isdigit()
    )


def last_segment(folder: Path, merged: int) -> int:
    """Say which segment is written to.

    Parameters
    ----------
    folder
        The layer.
    merged
        The last segment that is part of the base.

    Returns
    -------
    int
        The last there is, and in any case one after those that are merged.
    """
    return max([merged + 1, *segments(folder)])
