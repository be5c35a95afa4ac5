"""In which state are the files that layers are read from? Two states that are equal say that nothing has changed."""

from __future__ import annotations

from pathlib import Path

Stamp = tuple[int, int, int]
"""The state of a file: its size, when it was written, which file it is."""


def stamp_of(path: Path) -> Stamp | None:
    """Say in which state a file is.

    Parameters
    ----------
    path
        The file.

    Returns
    -------
    tuple of int or None
        None where it is not there.
    """
    try:
        state = path.stat()
    except OSError:
        return None
    return state.st_size, state.st_mtime_ns, state.st_ino


def descriptions(folder: Path | None) -> frozenset[tuple[str, int, int]]:
    """Say which descriptions of layers there are, and in which state.

    Parameters
    ----------
    folder
        The catalogue's; None where it was made in memory.

    Returns
    -------
    frozenset of tuple
        Path, when it was written, size.
    """
    if folder is None:
        return frozenset()
    found = []
    for pattern in ("catalogue.toml", "*/layer.toml", "*/style.json"):
        for path in folder.glob(pattern):
            try:
                state = path.stat()
            except OSError:
                continue
            found.append((str(path), state.st_mtime_ns, state.st_size))
    return frozenset(found)
