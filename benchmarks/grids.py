"""Examining and mending a grid: Taipei's 20 081 units in four levels, against geopandas with the usual few lines."""

from pathlib import Path

import geopandas as gpd
from timing import row, seconds

from gisgrid.grids.validation.grid_report import Relations, validate
from gisgrid.grids.validation.mending import repair

DATA = Path(__file__).parents[2] / "shared" / "data" / "taipei"
LEVELS = {"towns": "TOWNCODE", "code2": "CODE2", "code1": "CODE1", "base_units": "CODEBASE"}
PARENTS = {"code2": "TOWN_ID", "code1": "CODE2", "base_units": "CODE1"}
TIMES = 2
"""Runs that count: each takes seconds."""


def rows() -> list[dict]:
    if not DATA.is_dir():
        raise SystemExit(f"the real data are not at {DATA}")
    frames = {
        name: gpd.read_parquet(DATA / f"taipei_{name}.parquet").to_crs(3826) for name in LEVELS
    }
    relations = {name: Relations(parent=column) for name, column in PARENTS.items()}
    work = f"examine {sum(map(len, frames.values())):,} units of Taipei in 4 levels (at most 10 s)"
    ours = seconds(lambda: validate(frames, keys=LEVELS, relations=relations), times=TIMES)
    peer = seconds(lambda: [_overlaps_and_gaps(frame) for frame in frames.values()], times=TIMES)
    second, keys = {"code2": frames["code2"]}, {"code2": "CODE2"}
    report = validate(second, keys=keys)
    mended = seconds(lambda: repair(second, report, keys=keys), times=TIMES)
    return [
        row(work, ours, peer, "geopandas.overlay and union_all: overlaps and gaps only"),
        row("mend the 907 units of the second level: 4 090 slivers of rounding", mended),
    ]


def _overlaps_and_gaps(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, list]:
    units = frame[["geometry"]].reset_index()
    both = gpd.overlay(units, units, how="intersection", keep_geom_type=True)
    both = both[both["index_1"] < both["index_2"]]
    whole = units.union_all()
    return both, [ring for part in getattr(whole, "geoms", [whole]) for ring in part.interiors]
