"""Is this file still the one it was? Checksums that are not computed twice."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any, Final

from gisgrid.errors import OutputError
from gisgrid.files import whole_file

_SHAPEFILE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SETTLED_NS: Final = 2_000_000_000
"""A file written within two seconds of its reading may change again without its time stamp showing it."""


class Checksums:
    """SHA-256 of files, remembered by their size and time stamps, so that the second start reads none of them.

    Parameters
    ----------
    memory
        The file that remembers. Where it cannot be written, nothing is remembered and nothing is wrong.
    """

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, dict[str, Any]] | None = None

    def of(self, path: Path) -> str:
        """Give a file's checksum.

        Parameters
        ----------
        path
            The file. For a Shapefile, all its parts count.

        Returns
        -------
        str
            64 hexadecimal digits: what ``sha256sum`` says; for a Shapefile, that of the sorted ``sha256sum`` lines.

        Raises
        ------
        FileNotFoundError
            There is no such file.
        """
        if path.suffix.lower() != ".shp":
            return self._of_one(path)
        parts = sorted(
            p for p in path.parent.glob(f"{path.stem}.*") if p.suffix.lower() in _SHAPEFILE_PARTS
        )
        lines = "".join(f"{self._of_one(part)}  {part.name}\n" for part in parts)
        return hashlib.sha256(lines.encode()).hexdigest()

    def _of_one(self, path: Path) -> str:
        known = self._read()
        state = path.stat()
        stamp = [state.st_size, state.st_mtime_ns, state.st_ctime_ns]
        name = path.resolve().as_posix()
        remembered = known.get(name)
        if remembered is not None and remembered["stamp"] == stamp:
            return str(remembered["sha256"])
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if time.time_ns() - state.st_mtime_ns > _SETTLED_NS:
            known[name] = {"stamp": stamp, "sha256": digest}
            self._write(known)
        return digest

    def _read(self) -> dict[str, dict[str, Any]]:
        if self._known is None:
            try:
                self._known = json.loads(self._memory.read_text(encoding="utf-8"))
            except (OSError, ValueError):
                self._known = {}
        return self._known if isinstance(self._known, dict) else {}

    def _write(self, known: dict[str, dict[str, Any]]) -> None:
        try:
            with whole_file(self._memory) as draft:
                draft.write_text(json.dumps(known, indent=1, sort_keys=True), encoding="utf-8")
        except (OSError, OutputError):
            return
