"""What `gisgrid hotspots` is asked for, and whether that can be done at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gisgrid.errors import InputError, OutputError
from gisgrid.files import FRAME_SUFFIXES, require_folder

SUFFIXES: Final = (*FRAME_SUFFIXES, ".html")
"""What a result may end in."""


@dataclass(frozen=True)
class Request:
    """What the user asked for, option by option."""

    issues: Path
    output: Path
    units: Path | None = None
    rejects: Path | None = None
    units_key: str | None = None
    units_name: str | None = None
    units_layer: str | None = None
    units_crs: str | None = None
    population: str | None = None
    x: str | None = None
    y: str | None = None
    issues_crs: str | None = None
    issues_layer: str | None = None
    time: str | None = None
    cells: Literal["hexagon", "square"] | None = None
    cell_m: float | None = None
    language: Literal["zh", "en"] = "zh"
    title: str | None = None

    @property
    def provenance(self) -> Path:
        """Where it is written how the result was made."""
        return self.output.with_name(f"{self.output.name}.provenance.json")

    @property
    def rejects_file(self) -> Path:
        """Where refused rows go."""
        return self.rejects or self.output.with_name(f"{self.output.stem}.rejects.csv")


def check(request: Request) -> None:
    """Refuse, before anything is read, what could not be written or does not fit together.

    Parameters
    ----------
    request
        What the user asked for.

    Raises
    ------
    InputError
        Options that contradict each other.
    OutputError
        A suffix that is not written, a folder that does not exist, or a result that would replace its own input.
    """
    output = request.output
    if output.suffix not in SUFFIXES:
        raise OutputError(
            f"{output.name!r} ends in {output.suffix!r}, which is not written; choose one of {', '.join(SUFFIXES)}"
        )
    for path in (output, request.rejects_file):
        require_folder(path)
    if request.rejects is not None and request.rejects.suffix not in {".csv", ".parquet"}:
        raise OutputError(
            f"--rejects {request.rejects.name!r} is a table; let it end in .csv or .parquet"
        )
    for path in filter(None, (request.issues, request.units)):
        if output.resolve() == path.resolve():
            raise OutputError(f"{output.name!r} is also read; give the result another name")
    if request.units is None and request.cells is None:
        raise InputError(
            "hotspots need areas to count by but UNITS is not given; name a file of units, or ask for equal cells with "
            "--cells hexagon --cell-m 300"
        )
    if (request.cells is None) != (request.cell_m is None):
        given, other = ("--cell-m", "--cells") if request.cells is None else ("--cells", "--cell-m")
        raise InputError(
            f"{given} is given without {other}; give both, for example --cells hexagon --cell-m 300"
        )
    if request.population is not None and request.cells is not None:
        raise InputError(
            "--population counts the residents of UNITS, who cannot be shared out among --cells; leave one of them out"
        )
