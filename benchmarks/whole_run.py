"""The whole run: a CSV of a million reports with Chinese headers, in GCJ-02, to hotspot areas in a GeoPackage and as tiles.

Taken in and checked (columns, datum, times, classes, copies), joined to three levels of units, Gi* of every level,
emerging hotspots of the communities over 36 months, density of the incidents; the areas written as a GeoPackage and
as PMTiles. Each run in a process of its own; the memory at most is told by step.
"""

import json
import subprocess
import sys
import tempfile
from contextlib import suppress
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
SHOWN = ["n_incidents", "z", "q", "label"]


def rows() -> list[dict]:
    with tempfile.TemporaryDirectory() as name:
        intake.write_city(Path(name))
        runs = [_in_a_process_of_its_own(Path(name)) for _ in range(TIMES)]
    steps = list(runs[0]["seconds"])
    taken = {step: median(run["seconds"][step] for run in runs) for step in steps}
    at_most = {step: median(run["megabytes"][step] for run in runs) for step in steps}
    processor = median(run["processor"] for run in runs)
    total, megabytes = sum(taken.values()), max(at_most.values())
    for step in steps:
        print(f"{taken[step]:7.2f} s {at_most[step]:7,.0f} MB  {step}")
    print(f"promised: {total:.1f} of {SECONDS:g} s, {megabytes:,.0f} of {MEGABYTES:,.0f} MB")
    return [
        row(
            f"CSV of {intake.N_ROWS:,} reports to hotspot areas in a GeoPackage and as PMTiles",
            total,
        ),
        *(row(f"of which {step} (at most {at_most[step]:,.0f} MB)", taken[step]) for step in steps),
        row("processor time of all threads together", processor),
        row("memory at most, in a process of its own", megabytes, unit="MB"),
    ]


def _in_a_process_of_its_own(folder: Path) -> dict:
    done = subprocess.run(
        [sys.executable, __file__, str(folder)], capture_output=True, text=True, check=True, cwd=Path(__file__).parent
    )  # fmt: skip
    return json.loads(done.stdout.splitlines()[-1])


def whole_run(folder: Path) -> dict:
    """Seconds and megabytes of each step, the imports among them, as a user waits for them."""
    clock = _Clock()
    from gisgrid.analysis import contiguity, hotspots, kernel_density
    from gisgrid.analysis.space_time.cube import space_time_cube
    from gisgrid.analysis.space_time.emerging import emerging_hotspots
    from gisgrid.crs import parse_crs
    from gisgrid.files import read_frame, write_surface
    from gisgrid.intake import Reference, ingest
    from gisgrid.join import unit_counts
    from gisgrid.tiles import VectorSource
    from gisgrid.tiles.archive import write_archive

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
    found = {level: frame.join(scores[level], on=level) for level, frame in units.items()}
    for level, frame in found.items():
        frame.to_file(folder / "hotspots.gpkg", layer=level)
    clock.lap("GeoPackage of three layers")
    sources = [
        VectorSource.from_frame(
            frame, layer_id=level, key=level, properties=SHOWN, minzoom=8, maxzoom=14
        )
        for level, frame in found.items()
    ]
    written = write_archive(sources, folder / "hotspots.pmtiles")
    assert written.n_tiles > 100
    clock.lap("PMTiles of three layers, zooms 8 to 14")
    return {"seconds": clock.seconds, "megabytes": clock.megabytes, "processor": process_time()}


class _Clock:
    """Time and memory of each step; without Linux the memory is that of all steps so far."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.megabytes: dict[str, float] = {}
        self.start = perf_counter()

    def lap(self, name: str) -> None:
        self.seconds[name] = perf_counter() - self.start
        self.megabytes[name] = peak_megabytes()
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")  # the memory at most begins anew
        self.start = perf_counter()


if __name__ == "__main__":
    print(json.dumps(whole_run(Path(sys.argv[1]))))
