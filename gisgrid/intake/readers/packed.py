"""What bytes does a file hold, packed or not: read in steps, counted, and refused where it unpacks without end."""

from __future__ import annotations

import gzip
import shutil
import tempfile
import weakref
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Final

from gisgrid.errors import InputError
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import Batch, Source, shown_name

MAX_UNPACKED: Final = 64 << 30
"""How many bytes a file may unpack to where it is read in steps (64 GiB)."""
MAX_HELD: Final = 4 << 30
"""How many bytes may be unpacked to disk or memory at once: Shapefiles, workbooks (4 GiB)."""
MAX_RATIO: Final = 250
"""How many times its size a file may unpack to, once that is more than `RATIO_FROM`: tables stay well under it."""
RATIO_FROM: Final = 64 << 20

_UNREADABLE: Final = (EOFError, zlib.error, zipfile.BadZipFile, gzip.BadGzipFile, OSError)


class Workspace:
    """A temporary folder that goes when nothing refers to it any more.

    Attributes
    ----------
    path
        The folder.
    """

    def __init__(self) -> None:
        self.path = Path(tempfile.mkdtemp(prefix="gisgrid-"))
        self._end = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def keep_for(self, source: Source) -> Source:
        """Keep the folder for as long as a source may be read.

        Parameters
        ----------
        source
            What reads from the folder.

        Returns
        -------
        Source
            The same rows.
        """
        stream, pick = source.stream, source.pick

        def batches() -> Iterator[tuple[Batch, float]]:
            if self.path.is_dir():
                yield from stream()

        return replace(source, stream=batches, pick=pick)


@dataclass(frozen=True)
class Content:
    """The bytes of a file, or of one file in an archive.

    Attributes
    ----------
    name
        What to call it in a sentence.
    path
        The file on disk.
    member
        Which file of a ``.zip`` it is.
    gz
        Whether it is packed with gzip.
    """

    name: str
    path: Path
    member: zipfile.ZipInfo | None = None
    gz: bool = False

    @classmethod
    def of(cls, path: Path) -> Content:
        """Give the bytes of a file as they stand.

        Parameters
        ----------
        path
            The file.

        Returns
        -------
        Content
            Nothing is opened yet.
        """
        return cls(shown_name(path), path)

    @contextmanager
    def open(self) -> Iterator[Stream]:
        """Open it for reading from the start.

        Yields
        ------
        Stream
            Its bytes, unpacked.

        Raises
        ------
        InputError
            It is cut short, damaged, locked with a password or unpacks without end.
        """
        size = self.path.stat().st_size
        try:
            with self.path.open("rb") as raw:
                if self.member is not None:
                    with zipfile.ZipFile(raw) as archive, archive.open(self.member) as unpacked:
                        yield Stream(
                            self.name,
                            unpacked,
                            raw,
                            self.member.compress_size,
                            self.member.file_size,
                        )
                elif self.gz:
                    with gzip.GzipFile(fileobj=raw) as unpacked:
                        yield Stream(self.name, unpacked, raw, size, None)
                else:
                    yield Stream(self.name, raw, raw, size, size)
        except RuntimeError as error:
            raise _locked(self.name, error) from error
        except (zipfile.BadZipFile, NotImplementedError) as error:
            raise unreadable_archive(self.name, error) from error

    def head(self, n: int = 1 << 16) -> bytes:
        """Read the first bytes.

        Parameters
        ----------
        n
            How many.

        Returns
        -------
        bytes
            Fewer where there are no more.
        """
        with self.open() as stream:
            return stream.read(n)


class Stream:
    """Bytes read in steps, counted on the way."""

    def __init__(
        self,
        name: str,
        unpacked: IO[bytes] | gzip.GzipFile,
        raw: IO[bytes],
        n_packed: int,
        n_unpacked: int | None,
    ) -> None:
        self._name = name
        self._unpacked = unpacked
        self._raw = raw
        self._n_packed = max(1, n_packed)
        self._n_unpacked = n_unpacked
        self._n_read = 0

    @property
    def share(self) -> float:
        """How much of it is read, 0 to 1."""
        if self._n_unpacked is not None:
            return min(1.0, self._n_read / max(1, self._n_unpacked))
        return min(1.0, self._raw.tell() / self._n_packed)

    def read(self, n: int) -> bytes:
        """Read up to `n` bytes.

        Parameters
        ----------
        n
            How many at most.

        Returns
        -------
        bytes
            Nothing at the end.

        Raises
        ------
        InputError
            The file is cut short or damaged, or unpacks without end.
        """
        parts: list[bytes] = []
        left = n
        try:
            while left and (part := self._unpacked.read(left)):
                parts.append(part)
                left -= len(part)
        except _UNREADABLE as error:
            raise unreadable_archive(self._name, error) from error
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        self._n_read += len(data)
        if self._unpacked is not self._raw:
            check_size(self._name, self._n_read, self._n_packed, most=MAX_UNPACKED)
        return data


def check_size(name: str, n_unpacked: int, n_packed: int, *, most: int) -> None:
    """Refuse what unpacks to more than any table does.

    Parameters
    ----------
    name
        What to call it.
    n_unpacked, n_packed
        Bytes unpacked and packed.
    most
        How many unpacked bytes are allowed.

    Raises
    ------
    InputError
        Too much, or too many times its size.
    """
    if n_unpacked > most:
        raise InputError(
            f"{name!r} unpacks to more than {most >> 20:,} MB, which is the most that is unpacked; "
            "unpack it yourself and split it"
        )
    if n_unpacked > RATIO_FROM and n_unpacked > MAX_RATIO * max(1, n_packed):
        raise InputError(
            f"{name!r} unpacks to more than {MAX_RATIO} times its size ({n_packed:,} bytes to {n_unpacked:,}), as no "
            "table does; if it is what you expect, unpack it yourself and name the file"
        )


def unreadable_archive(name: str, error: Exception) -> InputError:
    """Say that a packed file is damaged.

    Parameters
    ----------
    name
        What to call it.
    error
        What the unpacking said.

    Returns
    -------
    InputError
        To raise.
    """
    if isinstance(error, OSError) and error.errno is not None:
        return InputError(f"{name!r} cannot be read: {error.strerror}")
    cut = isinstance(error, EOFError) or "truncated" in str(error) or "End-of-central" in str(error)
    what = "is cut short" if cut else f"is damaged ({first_line(error)})"
    return InputError(f"{name!r} {what}, so its rows cannot be trusted; copy or download it again")


def _locked(name: str, error: Exception) -> InputError:
    if "password" in str(error) or "encrypted" in str(error):
        return InputError(f"{name!r} is locked with a password; unpack it and name the file")
    return unreadable_archive(name, error)


def members(path: Path) -> tuple[zipfile.ZipInfo, ...]:
    """List the files in an archive that carry data; what file managers add is left out.

    Parameters
    ----------
    path
        A ``.zip`` file.

    Returns
    -------
    tuple of ZipInfo
        In their order.

    Raises
    ------
    InputError
        Damaged, or more files than any export has.
    """
    name = shown_name(path)
    try:
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except _UNREADABLE as error:
        raise unreadable_archive(name, error) from error
    if len(found) > 10_000:
        raise InputError(
            f"{name!r} holds {len(found):,} files but one table is read at a time; unpack it and name the file"
        )
    return tuple(
        one
        for one in found
        if not one.is_dir()
        and not one.filename.startswith("__MACOSX/")
        and Path(one.filename).name not in {".DS_Store", "Thumbs.db", "desktop.ini"}
    )


def member_name(member: zipfile.ZipInfo) -> str:
    """Give the name of a file in an archive, Chinese names read as Chinese Windows writes them.

    Parameters
    ----------
    member
        The file.

    Returns
    -------
    str
        Its path in the archive.
    """
    if member.flag_bits & 0x800 or member.filename.isascii():
        return member.filename
    try:
        return member.filename.encode("cp437").decode("gb18030")
    except UnicodeError:
        return member.filename


def unpacked_member(path: Path, member: zipfile.ZipInfo) -> Content:
    """Give the bytes of one file in an archive.

    Parameters
    ----------
    path
        The archive.
    member
        Which file.

    Returns
    -------
    Content
        Refused when opened where it unpacks without end.
    """
    return replace(Content.of(path), name=shown_name(path), member=member)


def extract(content: Content, to: Path) -> None:
    """Unpack bytes to a file whose name we choose, so that no archive writes where it likes.

    Parameters
    ----------
    content
        What to unpack.
    to
        The file.

    Raises
    ------
    InputError
        It unpacks to more than `MAX_HELD`.
    """
    n = 0
    with content.open() as stream, to.open("wb") as out:
        while block := stream.read(1 << 20):
            n += len(block)
            check_size(content.name, n, content.path.stat().st_size, most=MAX_HELD)
            out.write(block)
