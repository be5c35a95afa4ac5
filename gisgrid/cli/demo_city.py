"""Is the synthetic city there, and is it the one that was asked for? If not, make it and build its layers."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import typer

import gisgrid
from gisgrid.catalogue import Catalogue, FolderStore, build, resolve_layers, standard_layers
from gisgrid.cli import bars, demo_cases, printing
from gisgrid.errors import ContractError, InputError, OutputError
from gisgrid.files import make_folder, whole_file, write_frame, write_surface, write_table

_RECORD: Final = "city.json"


@dataclass(frozen=True)
class Arguments:
    """Which city: equal arguments and an equal version of gisgrid give an equal city."""

    seed: int
    n_issues: int
    years: int


def catalogue_folder(argument: Path | None) -> Path:
    """Find the catalogue of the demonstration: the one named, else the one that comes with gisgrid.

    Parameters
    ----------
    argument
        What the user said, if anything.

    Returns
    -------
    Path
        A folder that is there.
    """
    return resolve_layers(argument) if argument is not None else standard_layers()


def prepare(layers: Path, data: Path, arguments: Arguments) -> None:
    """Make the city where it is not there yet, and build what is out of date.

    Parameters
    ----------
    layers
        The catalogue's folder.
    data
        Where the city's files go; made if it is not there.
    arguments
        Which city.

    Raises
    ------
    OutputError
        The folder holds files that the demonstration did not make, or cannot be written.
    ContractError
        A derived layer could not be built.
    """
    catalogue = Catalogue.read(layers)
    store = FolderStore(data)
    if _is_there(catalogue, store, arguments):
        typer.echo(f"the city is there: {data} ({_words(arguments)})", err=True)
    else:
        _make(catalogue, store, arguments)
    with bars.steps("building", len(catalogue.build_order())) as progress:
        made = build(catalogue, store, progress=progress)
    if any(step.status != "current" for step in made):
        typer.echo(printing.steps(made), err=True)
    if wrong := [step for step in made if step.status in {"waiting", "failed"}]:
        raise ContractError(
            f"{len(wrong)} of {len(made)} derived layers could not be built "
            f"(first: {wrong[0].layer}, {wrong[0].why}); mend the catalogue in {layers}"
        )
    demo_cases.prepare(catalogue, store, seed=arguments.seed)


def _is_there(catalogue: Catalogue, store: FolderStore, arguments: Arguments) -> bool:
    """Tell whether the folder holds this very city, whole and unchanged."""
    record = _read_record(store.folder)
    if record is None or record.get("made_with") != _made_with(arguments):
        return False
    files = record.get("sha256") or {}
    sources = [layer for layer in catalogue if not layer.is_derived and layer.id in files]
    return bool(sources) and all(
        store.exists(layer) and store.checksum(layer) == files[layer.id] for layer in sources
    )


def _make(catalogue: Catalogue, store: FolderStore, arguments: Arguments) -> None:
    from gisgrid.testing import raster_layers, synthetic_city  # noqa: PLC0415 - not needed where the city is there

    _demand_own_folder(store.folder)
    _write_record(store.folder, arguments, {})
    shutil.rmtree(store.folder / "casework", ignore_errors=True)  # cases of another city
    with bars.shares("making the city") as progress:
        city = synthetic_city(
            seed=arguments.seed,
            n_issues=arguments.n_issues,
            years=arguments.years,
            progress=progress,
        )
    checksums: dict[str, str] = {}
    for name, frame in city.layers.items():
        if name not in catalogue or catalogue[name].is_derived:
            continue
        layer = catalogue[name]
        path = store.path(layer)
        path.parent.mkdir(parents=True, exist_ok=True)
        write = write_table if layer.kind == "table" else write_frame
        write(frame, path)
        checksums[name] = store.checksum(layer)
    for name, surface in raster_layers(city).items():
        if name in catalogue and not catalogue[name].is_derived:
            write_surface(surface, store.path(catalogue[name]))
            checksums[name] = store.checksum(catalogue[name])
    write_frame(city.truth, store.folder / "truth.parquet")
    _write_record(store.folder, arguments, checksums)


def _demand_own_folder(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OutputError(
            f"--data {str(folder)!r} is a file, and the city needs a folder; name another"
        )
    advice = "make the folder it stands in, or name another with --data"
    make_folder(folder, purpose="the city", advice=advice, parents=False)
    others = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
    if others and _read_record(folder) is None:
        raise OutputError(
            f"the folder {str(folder)!r} holds files that the demonstration did not make (first: {others[0]!r}), "
            "and nothing of yours is written over; name another with --data"
        )


def _read_record(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / _RECORD).read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder / _RECORD} cannot be read ({error}); remove the folder and run the demonstration again"
        ) from error
    return record if isinstance(record, dict) else None


def _write_record(folder: Path, arguments: Arguments, checksums: dict[str, str]) -> None:
    """Write who made the folder: before the city, so that an interrupted one is known as ours, and after it."""
    record = {"made_with": _made_with(arguments), "sha256": checksums}
    with whole_file(folder / _RECORD) as draft:
        draft.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def _made_with(arguments: Arguments) -> dict[str, Any]:
    return {**asdict(arguments), "gisgrid": gisgrid.__version__}


def _words(arguments: Arguments) -> str:
    return (
        f"seed {arguments.seed}, {arguments.n_issues} reported issues over {arguments.years} years"
    )
