"""What `gisgrid hotspots` is asked for, and whether that can be done at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from gisgrid.errors import OutputError
from gisgrid.files import FRAME_SUFFIXES, require_folder

SUFFIXES: Final = (*FRAME_SUFFIXES, ".html", ".pmtiles", ".tif", ".csv")
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
    columns: tuple[str, ...] = ()
    datum: str | None = None
    timezone: str | None = None
    mapping: Path | None = None
    issues_layer: str | None = None
    cells: Literal["hexagon", "square"] | None = None
    cell_m: float | None = None
    method: str = "gi-star"
    neighbours: str | None = None
    permutations: int | None = None
    correction: str | None = None
    seed: int | None = None
    step: str | None = None
    radius_m: float | None = None
    min_reports: int | None = None
    bandwidth_m: float | None = None
    against: str | None = None
    flag: str | None = None
    shape: str | None = None
    max_share: float | None = None
    controls: Path | None = None
    prospective: bool = False
    before: str | None = None
    after: str | None = None
    treated: str | None = None
    since: str | None = None
    place_m: float | None = None
    zone: str | None = None
    reference: str | None = None
    strata: str | None = None
    effort: str | None = None
    least_effort: float | None = None
    lifetime_days: float | None = None
    bands_m: str | None = None
    bands_days: str | None = None
    edge_correction: bool = False
    comparison: str | None = None
    streets: Path | None = None
    segment_m: float | None = None
    within_m: float | None = None
    engine: Literal["local", "dask"] | None = None
    scheduler: str | None = None
    explain: str | None = None
    compare: str | None = None
    language: Literal["zh", "en"] = "zh"
    title: str | None = None

    @property
    def provenance(self) -> Path:
        """Where it is written how the result was made."""
        return self.output.with_name(f"{self.output.name}.provenance.json")

    @property
    def drawing(self) -> Path:
        """Where the small map of an explanation goes."""
        return self.output.with_name(f"{self.output.stem}.explanation.svg")

    @property
    def rejects_file(self) -> Path:
        """Where refused rows go."""
        return self.rejects or self.output.with_name(f"{self.output.stem}.rejects.csv")


def check(request: Request) -> None:
    """Refuse, before anything is read, what could not be written.

    Parameters
    ----------
    request
        What the user asked for.

    Raises
    ------
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
    for path in filter(None, (request.issues, request.units, request.controls, request.streets)):
        if output.resolve() == path.resolve():
            raise OutputError(f"{output.name!r} is also read; give the result another name")
