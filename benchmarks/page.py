"""docs/benchmarks.md: what was measured, on what machine and when, as `run.py` left it in benchmarks/out."""

import json
import os
import platform
from importlib import metadata
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
TITLES = {
    "whole_run": "From a file of reports to hotspots", "intake": "Taking reports in", "join": "Points to units",
    "grids": "Grids", "hotspots": "Hotspots, neighbours, density", "hotspots_points": "Clusters, surfaces, streets",
    "zones": "Zones", "access": "Walking", "hotspots_scan": "Scan statistics", "hotspots_time": "Space and time", "tiles_points": "Tiles of points", "tiles_shapes": "Tiles of areas",
    "tiles_raster": "Tiles of surfaces, archives", "tiles_server": "Tile server", "casework": "The ledger of cases",
    "casework_http": "Reports over HTTP",
}  # fmt: skip
PEERS = ("esda", "libpysal", "scikit-learn", "scipy", "numpy", "pandas", "geopandas", "shapely", "pointpats", "statsmodels", "rasterio", "mapbox-vector-tile")  # fmt: skip
"""Dependencies of the project or of its tests that rows are measured against."""
OPTIONAL = {"hotspots": ("KDEpy", "pygeoda"), "join": ("sedonadb",)}
"""Peers that are measured where they can be imported; what is not installed is named as not measured."""

ABOUT = "about"
"""When and on what the rows of NAME.json were measured stands in NAME.about.json."""

HEAD = """# Benchmarks

Written by `make bench`, which measures every row anew, ours and the peers in one run on one machine, and then writes this page; \
not edited by hand. Each figure is the median of several runs after one that does not count (compiling, caches); `ratio` says how \
many times faster (or smaller) ours is. Where a peer does the very same work, the benchmark \
asserts that both find the same. Peers that are \
no dependency of the project are measured where they are found:

```sh
.venv/bin/uv pip install --target peers KDEpy pygeoda sedonadb
GISGRID_BENCH_PEERS=peers make bench
```

The peers of the tiles are commands: tippecanoe is measured where it is on the path, tipg as the head of \
`benchmarks/tiles_server.py` says.
"""


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_gb():.0f} GB",
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def benchmarks() -> list[str]:
    """The names of all benchmarks."""
    helpers = {"loading", "page", "postgis", "run", "soak", "timing"}
    return sorted(path.stem for path in HERE.glob("*.py") if path.stem not in helpers)


def peers(name: str, rows: list[dict]) -> dict[str, str | None]:
    """The version of each peer of a benchmark; None for what is not installed."""
    told = " ".join(row["peer_name"] or "" for row in rows)
    used = [peer for peer in PEERS if peer in told]
    found: dict[str, str | None] = {}
    for peer in (*used, *OPTIONAL.get(name, ())):
        try:
            found[peer] = metadata.version(peer)
        except metadata.PackageNotFoundError:
            found[peer] = None
    return found


def write(out: Path, page: Path = PAGE) -> list[str]:
    """Write what was measured into the page, whose other sections stay; give the names of what was."""
    order = list(dict.fromkeys([*TITLES, *benchmarks()]))
    measured = [name for name in order if (out / f"{name}.{ABOUT}.json").exists()]
    parts = _sections(page) | {TITLES.get(name, name): section(name, out) for name in measured}
    titles = [TITLES.get(name, name) for name in order]
    page.write_text("\n".join([HEAD, *(parts[one] for one in titles if one in parts)]), "utf-8")
    return measured


def _sections(page: Path) -> dict[str, str]:
    """The sections of the page by their titles, as `section` gives them."""
    text = page.read_text("utf-8") if page.exists() else ""
    parts = text.split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts}


def section(name: str, out: Path) -> str:
    """What was measured of a benchmark, as it stands on the page."""
    rows = json.loads((out / f"{name}.json").read_text("utf8"))
    measured = json.loads((out / f"{name}.{ABOUT}.json").read_text("utf8"))
    on = measured["machine"]
    about = (
        f"Measured on {measured['date']}: {on['processor']}, {on['cores']} cores, {on['memory']}, {on['system']}, "
        f"Python {on['python']}. `make bench ONLY={name}`"
    )
    told = " ".join(row["peer_name"] or "" for row in rows)
    about_it = {
        peer: version
        for peer, version in measured["peers"].items()
        if peer in told or peer in OPTIONAL.get(name, ())
    }
    versions = [f"{peer} {version}" for peer, version in about_it.items() if version]
    missing = [peer for peer, version in about_it.items() if not version]
    told = f"Peers: {', '.join(versions)}." if versions else ""
    if missing:
        told += f" Not installed, so not measured: {', '.join(missing)}."
    lines = ["| work | gisgrid | peer | ratio |", "|---|---:|---:|---:|"]
    for row in rows:
        peer = (
            "–"
            if row["peer"] is None
            else f"{_number(row['peer'])} {row['unit']} ({row['peer_name']})"
        )
        ratio = "–" if row["ratio"] is None else f"{row['ratio']:.1f}×"
        lines.append(
            f"| {_cell(row['work'])} | {_number(row['ours'])} {row['unit']} | {_cell(peer)} | {ratio} |"
        )
    return "\n".join(
        [
            f"## {TITLES.get(name, name)}",
            "",
            about,
            "",
            *([told.strip(), ""] if told else []),
            *lines,
            "",
        ]
    )


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text("utf8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
