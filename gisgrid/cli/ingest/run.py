"""What `gisgrid ingest` does: find the units, take the files in, write the page and how it was all made."""

from __future__ import annotations

import hashlib
import json
import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from types import FrameType
from typing import Any, Final

import geopandas as gpd

from gisgrid import catalogue as c
from gisgrid.catalogue.provenance import versions
from gisgrid.cli.ingest.request import Request, check, stated
from gisgrid.crs import LONLAT, parse_crs
from gisgrid.errors import CatalogueError, ColumnError, InputError
from gisgrid.files import read_frame, whole_file
from gisgrid.intake import Gazetteer, Ingestion, Reference, UnsureError, ingest, read_units
from gisgrid.progress import Progress, silent
from gisgrid.report import write_findings, write_intake

_GRID_GROUP: Final = "grid"
_NAMES: Final = ("name_zh", "name", "NAME", "名称", "name_en")


@dataclass(frozen=True)
class City:
    """The units and streets that the rows are held against.

    Attributes
    ----------
    reference
        The units and streets.
    timezone
        The city's, where a catalogue says it.
    notes
        What was decided on the way.
    """

    reference: Reference
    timezone: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Done:
    """What was taken in, and where the rest is.

    Attributes
    ----------
    ingestion
        What came of it.
    page, provenance
        The page for people, the record for programs.
    notes
        What was decided on the way, beside what the page says.
    """

    ingestion: Ingestion
    page: Path
    provenance: Path
    notes: tuple[str, ...]


def run(request: Request, *, progress: Progress = silent) -> Done:
    """Do what the user asked for.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Done
        What came of it; it is written already.

    Raises
    ------
    UnsureError
        The datum or the scheme of the classes cannot be told; the page that says so is written.
    """
    check(request)
    progress("units", 0.0)
    city = _city(request)
    progress("units", 1.0)
    told = stated(request, timezone=city.timezone)
    crs = (
        LONLAT if request.output_crs is None else parse_crs(request.output_crs, name="--output-crs")
    )
    with _ended_by_signal():
        try:
            done = ingest(
                [Path(each) if "://" not in each else each for each in request.files], request.output,
                reference=city.reference, stated=told, gazetteer=_gazetteer(request), output_crs=crs, rejects=request.rejects, progress=progress,
            )  # fmt: skip
        except UnsureError as error:
            write_findings(error, request.page, language=request.language)
            raise UnsureError(
                f"{error}\n{request.page} says what was found", error.findings
            ) from error
        progress("page", 0.0)
        write_intake(done, request.page, units=city.reference.units, language=request.language)
        record = _provenance(request, done, city)
        with whole_file(request.provenance) as draft:
            draft.write_text(
                json.dumps(record, ensure_ascii=False, indent=1, default=str) + "\n",
                encoding="utf-8",
            )
        progress("page", 1.0)
    return Done(done, request.page, request.provenance, city.notes)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """Let a polite kill (SIGTERM) end the work like Ctrl-C, so that nothing half-made stays behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        del number, frame
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _city(request: Request) -> City:
    """Give the units that were named, or those of the catalogue where there is one."""
    if request.units or request.streets is not None:
        return _named_city(request)
    if request.layers is None and request.data is None:
        try:
            return _catalogue_city(c.resolve_layers(), c.resolve_data())
        except (CatalogueError, InputError):
            return City(Reference({}, {}))
    return _catalogue_city(c.resolve_layers(request.layers), c.resolve_data(request.data))


def _named_city(request: Request) -> City:
    units: dict[str, gpd.GeoDataFrame] = {}
    notes: list[str] = []
    for text in request.units:
        path, key = _path_and_key(text)
        read = read_units(path, key=key, crs=request.units_crs, reports=request.files[0])
        level = read.key if read.key not in units else f"{path.stem}_{read.key}"
        units[level] = read.frame.rename(columns={read.key: level})
        notes += read.notes
    streets = None if request.streets is None else read_frame(request.streets)
    return City(Reference(units, _names(units), streets), None, tuple(notes))


def _gazetteer(request: Request) -> Gazetteer | None:
    """Give the named places; their names are in the column named, else in all that are called names."""
    if request.places is None:
        return None
    path, column = _path_and_key(request.places)
    places = read_frame(path)
    names = (
        tuple(name for name in _NAMES if name in places.columns) if column is None else (column,)
    )
    if not names or names[0] not in places.columns:
        raise ColumnError(
            f"no column of {path.name!r} is known to hold names (there are: {', '.join(map(str, places.columns))}); "
            f"name it: --places {path.name}:NAME"
        )
    return Gazetteer(places, names)


def _path_and_key(text: str) -> tuple[Path, str | None]:
    """Part FILE from KEY; a colon may belong to the file's name."""
    if Path(text).exists() or ":" not in text:
        return Path(text), None
    path, _, key = text.rpartition(":")
    return (Path(path), key) if len(path) > 1 else (Path(text), None)


def _catalogue_city(layers: Path, data: Path) -> City:
    """Take the grid's levels and the streets from the catalogue, as far as their files are there."""
    catalogue, store = c.Catalogue.read(layers), c.FolderStore(data)
    units: dict[str, gpd.GeoDataFrame] = {}
    for layer in catalogue:
        if layer.group == _GRID_GROUP and layer.geometry == "Polygon" and not layer.is_derived and layer.primary_key and store.exists(layer):  # fmt: skip
            units[layer.primary_key] = store.read(layer)
    streets = None
    if "streets" in catalogue and store.exists(catalogue["streets"]):
        streets = store.read(catalogue["streets"])
    ordered = dict(sorted(units.items(), key=lambda item: len(item[1])))
    notes = (f"units of the catalogue {str(layers)!r}: {', '.join(ordered)}",) if ordered else ()
    return City(Reference(ordered, _names(ordered), streets), catalogue.about.timezone, notes)


def _names(units: Mapping[str, gpd.GeoDataFrame]) -> dict[str, str]:
    found = {
        level: next((name for name in _NAMES if name in frame.columns), None)
        for level, frame in units.items()
    }
    return {level: name for level, name in found.items() if name is not None}


def _provenance(request: Request, done: Ingestion, city: City) -> dict[str, Any]:
    """Say how the result was made: the same inputs, options and versions give the same record."""
    options = {
        name: value.name if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if value not in (None, ())
        and name not in {"output", "report", "rejects", "files", "layers", "data"}
    }
    return {
        "made_by": "gisgrid ingest",
        "options": options,
        "inputs": {Path(file).name: _checksum(file) for file in request.files},
        "read": done.n_read,
        "accepted": done.n_accepted,
        "rejected": done.rejected,
        "files": [
            {"file": each.name, "format": each.format, "columns": dict(each.mapping.columns), "datum": each.mapping.datum,
             "datum_confidence": round(each.datum.confidence, 4), "timezone": each.mapping.timezone,
             "taxonomy": each.mapping.taxonomy}
            for each in done.findings
        ],
        "incidents": done.n_incidents,
        "duplicates": dict(done.duplicates),
        "fallback": dict(done.fallback),
        "assigned": dict(done.n_assigned),
        "notes": [*city.notes, *(note.en for note in done.notes)],
        "versions": versions(),
    }  # fmt: skip


def _checksum(file: str) -> str | None:
    """Give the SHA-256 of a file; a service has none."""
    path = Path(file)
    if not path.is_file():
        return None
    with path.open("rb") as raw:
        return hashlib.file_digest(raw, "sha256").hexdigest()
