"""The whole run: a CSV of a million reports with Chinese headers, in GCJ-02, to hotspot areas in a GeoPackage.

Taken in and checked (columns, datum, times, classes, copies), joined to three levels of units, Gi* of every level,
emerging hotspots of the communities over 36 months, density of the incidents; each run in a process of its own.
PMTiles are not among it yet.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter, process_time

import geopandas as gpd
import intake
import pandas as pd
from join import peak_megabytes
from timing import row

SECONDS, MEGABYTES = 20.0, 3_000.0
"""What is promised: at most so long, at most so much memory."""
TIMES = 3
TIMEZONE = "Asia/Shanghai"


def rows() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        intake.write_city(Path(name))
        runs = [_in_a_process_of_its_own(Path(name)) for _ in range(TIMES)]
    found = {step: median(run[step] for run in runs) for step in runs[0]}
    megabytes = found.pop("megabytes")
    processor = found.pop("processor")
    total = sum(found.values())
    print(f"promised: {total:.1f} of {SECONDS:g} s, {megabytes:,.0f} of {MEGABYTES:,.0f} MB; PMTiles not yet made")  # fmt: skip
    return [
        row(f"CSV of {intake.N_ROWS:,} reports to hotspot areas in a GeoPackage", total),
        *(row(f"of which {step}", taken) for step, taken in found.items()),
        row("processor time of all threads together", processor),
        row("memory at most, in a process of its own", megabytes, unit="MB"),
    ]


def _in_a_process_of_its_own(folder: Path) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def whole_run(folder: Path) -> dict[str, float]:
    """Seconds of each step, the imports among them, as a user waits for them."""
    clock = _Clock()
    from gisgrid.analysis import contiguity, hotspots, kernel_density
    from gisgrid.analysis.space_time.cube import space_time_cube
    from gisgrid.analysis.space_time.emerging import emerging_hotspots
    from gisgrid.crs import parse_crs
    from gisgrid.files import read_frame, write_surface
    from gisgrid.intake import Reference, ingest
    from gisgrid.join import unit_counts

    clock.lap("imports")
    units = {level: read_frame(folder / f"{level}.parquet") for level in intake.LEVELS}
    done = ingest(
        folder / "案件.csv",
        folder / "reports.parquet",
        reference=Reference(units, {}),
        output_crs=parse_crs("EPSG:4547"),
    )
    assert done.n_accepted == intake.N_ROWS
    clock.lap("intake and join to three levels")
    columns = [*units, "reported_at", "duplicate_of", "geometry"]
    reports = gpd.read_parquet(folder / "reports.parquet", columns=columns)
    incidents = reports[reports["duplicate_of"].isna()]
    clock.lap("to read it back")
    graphs = {level: contiguity(frame, key=level) for level, frame in units.items()}
    scores = {}
    for level, frame in units.items():
        counts = unit_counts(incidents[level], frame[level])
        assert counts.sum() + incidents[level].isna().sum() == len(incidents)
        per_km2 = counts / (frame.set_index(level).area / 1e6)
        scores[level] = hotspots(per_km2, graphs[level]).assign(n_incidents=counts)
    clock.lap("Gi* of three levels, with their neighbours")
    level = "community_code"
    cube = space_time_cube(
        incidents["reported_at"], incidents[level], pd.Index(units[level][level]), timezone=TIMEZONE
    )
    scores[level] = scores[level].join(emerging_hotspots(cube.complete, graphs[level])["pattern"])
    clock.lap(f"emerging hotspots, {cube.complete.shape[0]} units, {cube.complete.shape[1]} months")
    surface = kernel_density(incidents[["geometry"]], cell_m=50, bandwidth_m=300)
    write_surface(surface, folder / "density.tif")
    clock.lap("density, 600 × 600 cells, as a COG")
    for level, frame in units.items():
        frame.join(scores[level], on=level).to_file(folder / "hotspots.gpkg", layer=level)
    clock.lap("GeoPackage of three layers")
    return {**clock.laps, "processor": process_time(), "megabytes": peak_megabytes()}


class _Clock:
    def __init__(self) -> None:
        self.laps: dict[str, float] = {}
        self.start = perf_counter()

    def lap(self, name: str) -> None:
        now = perf_counter()
        self.laps[name], self.start = now - self.start, now


if __name__ == "__main__":
    print(json.dumps(whole_run(Path(sys.argv[1]))))
