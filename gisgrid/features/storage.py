"""Flat arrays in a folder: written whole or not at all, opened without being read.

A folder holds `meta.json` and, beside it, one sub-folder of arrays that it names. A new edition is written beside the
old one and `meta.json` is then replaced in one step, so that a reader sees the old or the new one and never a mixture.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import InputError, OutputError
from gisgrid.locks import alone

_META: Final = "meta.json"
_FORM: Final = 1
"""Raised when the arrays change their meaning, so that files of old are made anew, never misread."""

_PREFIX: Final = "arrays-"


def save(folder: Path, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    """Write arrays and what there is to say about them.

    Parameters
    ----------
    folder
        Made where it is not there; the folder above it must be.
    about
        What JSON can say.
    arrays
        By name.

    Returns
    -------
    str
        The edition, a word no other edition has.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    try:
        folder.mkdir(exist_ok=True)
        with alone(folder):  # what is not named is another's draft or nobody's
            return _save(folder, about, arrays)
    except OSError as error:
        raise OutputError(
            f"features cannot be written to {str(folder)!r}: {error.strerror or error}; make room there, or choose another folder"
        ) from error


def _save(folder: Path, about: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    draft = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=folder))
    draft.chmod(0o755)  # those who serve it need not be those who build it
    try:
        for name, array in arrays.items():
            _write(draft / f"{name}.npy", array)
        sync_folder(draft)
        said = {"form": _FORM, "arrays": draft.name, "names": sorted(arrays), "about": about}
        replace_text(folder / _META, json.dumps(said, ensure_ascii=False, indent=1))
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    for old in folder.glob(f"{_PREFIX}*"):
        if old.name != draft.name:
            shutil.rmtree(old, ignore_errors=True)
    return draft.name


def edition(folder: Path) -> str | None:
    """Say which edition a folder holds, at the cost of reading one small file.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    str or None
        A word no other edition has; None where there is none.
    """
    try:
        said = json.loads((folder / _META).read_text(encoding="utf-8"))
        return str(said["arrays"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def open_folder(folder: Path) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Open what `save` wrote.

    Parameters
    ----------
    folder
        The folder.

    Returns
    -------
    tuple
        What there was to say, with the `edition`, and the arrays, in place and read-only.

    Raises
    ------
    InputError
        There is no such folder, or its files are not whole.
    """
    for attempt in range(5):
        try:
            said = json.loads((folder / _META).read_text(encoding="utf-8"))
            if said["form"] != _FORM:
                raise InputError(
                    f"the features in {str(folder)!r} are of form {said['form']} and form {_FORM} is read; build them again"
                )
            beside = folder / said["arrays"]
            return {**said["about"], "edition": said["arrays"]}, {
                name: _read(beside / f"{name}.npy") for name in said["names"]
            }
        except FileNotFoundError as error:
            # Another process may have put a new edition in place between our two steps.
            if attempt == 4 or not (folder / _META).exists():
                raise InputError(
                    f"there are no features in {str(folder)!r}; build them first"
                ) from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(
                f"the features in {str(folder)!r} are not whole ({error}); build them again"
            ) from error
    raise AssertionError("the last attempt returns or raises")


def replace_text(path: Path, text: str) -> None:
    """Put a small file in place of another in one step that survives a loss of power.

    Parameters
    ----------
    path
        The file.
    text
        What it shall hold.
    """
    handle, draft = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(draft).chmod(0o644)
        Path(draft).replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            Path(draft).unlink()
        raise
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make the names in a folder survive a loss of power.

    Parameters
    ----------
    folder
        The folder.
    """
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _write(path: Path, array: NDArray[Any]) -> None:
    with path.open("wb") as file:
        np.save(file, np.ascontiguousarray(array), allow_pickle=False)
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> NDArray[Any]:
    if path.stat().st_size == 0:
        raise ValueError(f"{path.name} is empty")
    try:
        return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
    except ValueError:
        array = np.load(path, allow_pickle=False)  # an array without entries cannot be mapped
        array.setflags(write=False)
        return np.asarray(array)
