"""Where do photos lie, whose are they, and when do they go?

A photo's name is the SHA-256 of what is kept, so the same photo lies there once, its name cannot be guessed, and it never
changes. It lies in ``ab/cd/``, after the first four letters of its name: ``<name>.jpg``, ``<name>.thumb.jpg`` and, once an
event of the ledger names it, ``<name>.cases`` with the ids of those cases. Nothing else says whose it is: this is derived
from the ledger, in whatever process asks first.
"""

from __future__ import annotations

import asyncio
import errno
import hashlib
import os
import re
import shutil
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import BinaryIO, Final, Literal

import pandas as pd

from gisgrid.casework.ledger import Ledger
from gisgrid.errors import GisgridError, OutputError
from gisgrid.features.storage import sync_folder
from gisgrid.files import make_folder, whole_file
from gisgrid_server.casework.pictures import Place, redraw
from gisgrid_server.edge.problems import BusyError, FullError, PhotoError, PhotoNotFoundError

Size = Literal["full", "thumb"]

NAME: Final = re.compile(r"[0-9a-f]{64}")

_KNOWN: Final = "known-until"
_TIDIED: Final = "tidied"
_EVENTS_AT_ONCE: Final = 5_000
_AT_ONCE: Final = 2
"""Photos that are drawn at the same time; each may take some 250 MB."""
_MOST_WAITING: Final = 64
_DAY_S: Final = 86_400.0
_UNNAMED_DAYS: Final = 30
"""A phone without a network sends its photo first and its report later."""
_NO_ROOM: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


@dataclass(frozen=True)
class Kept:
    """What the sender of a photo hears.

    Attributes
    ----------
    id
        The photo's name.
    width, height
        Of what is kept, pixels.
    place, taken_at
        Where and when the photo said that it was taken: told to its sender, kept nowhere.
    """

    id: str
    width: int
    height: int
    place: Place | None
    taken_at: datetime | None


class Photos:
    """The photos of a city's cases.

    Parameters
    ----------
    folder
        Where they lie; made where it is not there.
    ledger
        Whose events name them.

    Raises
    ------
    OutputError
        The folder cannot be made.
    """

    def __init__(self, folder: Path, ledger: Ledger) -> None:
        make_folder(folder, purpose="photos", advice="set GISGRID_MEDIA to one that can")
        self._folder, self._ledger = folder, ledger
        self._lock = threading.Lock()
        self._hands = ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="photos")
        self._n_waiting = 0
        if not any(folder.iterdir()):  # no event so far names a photo that could lie here
            _write(folder / _KNOWN, str(ledger.last_seq()).encode())

    def close(self) -> None:
        """Finish what was begun."""
        self._hands.shutdown()

    async def take(self, file: BinaryIO) -> Kept:
        """Keep a photo while others are served; see `keep`.

        Parameters
        ----------
        file
            A JPEG, PNG or WebP file, open.

        Returns
        -------
        Kept
            Its name, and what it said about itself.

        Raises
        ------
        PhotoTypeError, PhotoError, FullError
            As in `keep`.
        BusyError
            Too many photos wait already.
        """
        if self._n_waiting >= _MOST_WAITING:
            raise BusyError(f"{self._n_waiting} photos wait to be read; send this one again later")
        self._n_waiting += 1
        try:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._hands, self._keep_file, file)
        finally:
            self._n_waiting -= 1

    def _keep_file(self, file: BinaryIO) -> Kept:
        file.seek(0)
        return self.keep(file.read())

    def keep(self, data: bytes) -> Kept:
        """Keep a photo, drawn anew. When this returns, it is on the disk.

        Parameters
        ----------
        data
            A JPEG, PNG or WebP file.

        Returns
        -------
        Kept
            Its name, and what it said about itself.

        Raises
        ------
        PhotoTypeError
            It is no such file.
        PhotoError
            It is broken, animated, too large, or more than a photo.
        FullError
            The disk takes no more; nothing is left half-written.
        """
        picture = redraw(data)
        name = hashlib.sha256(picture.full).hexdigest()
        full = self._path(name, ".jpg")
        try:
            if not _begin_anew(full):
                full.parent.mkdir(parents=True, exist_ok=True)
                _write(full.with_suffix(".thumb.jpg"), picture.thumb)
                _write(full, picture.full)  # last: what has this has both
                for folder in (*full.parents,)[
                    :3
                ]:  # the names are on the disk too, not only the bytes
                    sync_folder(folder)
        except OSError as error:
            raise _refusal(error) from error
        self._tidy_daily()
        return Kept(name, picture.width, picture.height, picture.place, picture.taken_at)

    def demand(self, names: Iterable[str]) -> None:
        """Make sure that photos are there before a report names them.

        Parameters
        ----------
        names
            Their names.

        Raises
        ------
        PhotoError
            One is not: it was never sent, or went because nobody named it for too long.
        """
        for name in names:
            if not _is_name(name) or not _begin_anew(self._path(name, ".jpg")):
                raise PhotoError(
                    f"no photo {str(name)[:64]!r} was sent here; send the photo first and name it by the id of the answer",
                    zh="找不到这张照片，请先上传照片。",
                )

    def file(self, name: str, size: Size = "full") -> Path:
        """Give the file of a photo.

        Parameters
        ----------
        name
            The photo.
        size
            The photo, or a small one.

        Returns
        -------
        Path
            A JPEG file that never changes.

        Raises
        ------
        PhotoNotFoundError
            There is none.
        """
        path = self._path(name, ".jpg" if size == "full" else ".thumb.jpg")
        if not _is_name(name) or not path.is_file():
            raise no_photo(name)
        return path

    def cases(self, name: str) -> Iterator[str]:
        """Tell in which cases a photo is, those that are known already first.

        Parameters
        ----------
        name
            The photo.

        Yields
        ------
        str
            The id of a case, each once.

        Raises
        ------
        LedgerError
            The ledger does not answer.
        """
        told = self._named_by(name)
        yield from told
        if self.follow():
            yield from (one for one in self._named_by(name) if one not in told)

    def follow(self) -> bool:
        """Read what the ledger says of photos since it was last asked.

        Returns
        -------
        bool
            Whether there was anything new.

        Raises
        ------
        LedgerError
            The ledger does not answer.
        """
        with self._lock:
            since = start = self._known_until()
            while True:
                events = self._ledger.events(since=since, limit=_EVENTS_AT_ONCE)
                if events.empty:
                    break
                self._note(events)
                since = int(events["seq"].iloc[-1])
            if since == start:
                return False
            with suppress(OSError, GisgridError):  # who comes next reads it again
                _write(self._folder / _KNOWN, str(since).encode())
            return True

    def tidy(self, *, days: float = _UNNAMED_DAYS) -> int:
        """Take away photos that no case names.

        Parameters
        ----------
        days
            How long a photo may lie there unnamed.

        Returns
        -------
        int
            How many went.

        Raises
        ------
        LedgerError
            The ledger does not answer; none goes.
        """
        before = time.time() - days * _DAY_S
        self.follow()
        gone = 0
        for full in self._folder.glob("??/??/*.jpg"):
            name = full.name.removesuffix(".jpg")
            if not _is_name(name) or full.with_suffix(".cases").exists():
                continue
            with suppress(OSError):
                if full.stat().st_mtime < before:
                    full.unlink()
                    full.with_suffix(".thumb.jpg").unlink(missing_ok=True)
                    gone += 1
        for draft in self._folder.glob("??/??/.*"):  # of a process that was killed
            with suppress(OSError):
                if draft.is_dir() and draft.stat().st_mtime < time.time() - _DAY_S:
                    shutil.rmtree(draft)
        return gone

    def _path(self, name: str, suffix: str) -> Path:
        return self._folder / name[:2] / name[2:4] / f"{name}{suffix}"

    def _known_until(self) -> int:
        try:
            return int((self._folder / _KNOWN).read_bytes())
        except (OSError, ValueError):
            return 0

    def _named_by(self, name: str) -> list[str]:
        try:
            text = self._path(name, ".cases").read_text("utf-8")
        except OSError:
            return []
        return list(dict.fromkeys(text.splitlines()))

    def _note(self, events: pd.DataFrame) -> None:
        """Write the case beside each photo that its events name. Twice does no harm."""
        for case_id, data in zip(events["case_id"], events["data"], strict=True):
            named = data.get("photos")
            for name in named if isinstance(named, list) else ():
                if not _is_name(name):
                    continue
                path = self._path(name, ".cases")
                if case_id in self._named_by(name) or not path.parent.is_dir():
                    continue
                try:
                    with path.open("ab") as file:
                        file.write(f"{case_id}\n".encode())
                except OSError as error:
                    raise _refusal(error) from error

    def _tidy_daily(self) -> None:
        """Tidy up once a day, whichever process comes first; nobody waits for it."""
        mark = self._folder / _TIDIED
        try:
            if mark.stat().st_mtime > time.time() - _DAY_S:
                return
        except OSError:
            pass
        with suppress(OSError):
            mark.touch()
            threading.Thread(target=self._tidy_quietly, name="tidy photos", daemon=True).start()

    def _tidy_quietly(self) -> None:
        with suppress(GisgridError, OSError):  # tomorrow again
            self.tidy()


def no_photo(name: str) -> PhotoNotFoundError:
    """Say that there is no such photo, or none that the asker sees: both sound alike.

    Parameters
    ----------
    name
        What was asked for.

    Returns
    -------
    PhotoNotFoundError
        To be raised.
    """
    return PhotoNotFoundError(f"no photo {name[:64]!r} here; check the id")


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAME.fullmatch(value) is not None


def _begin_anew(photo: Path) -> bool:
    """Let the time of a photo that nobody names begin anew; tell whether it is there."""
    try:
        os.utime(photo)
    except FileNotFoundError:
        return False
    return True


def _write(path: Path, data: bytes) -> None:
    with whole_file(path) as draft:
        draft.write_bytes(data)


def _refusal(error: OSError) -> FullError:
    if error.errno in _NO_ROOM or isinstance(error, OutputError):
        return FullError("the disk of the photos takes no more; nothing was kept, send it again later")  # fmt: skip
    return FullError(
        f"the photo cannot be kept ({error.strerror or error}); nothing was kept, send it again later"
    )
