"""Tiles of points: one tile against mapbox-vector-tile, and a layer of ten million from every zoom, with and without a filter.

Ours starts from the source as a server holds it; the peer from prepared geometries in EPSG:3857 and property dicts. Both
write the same features, which is checked first. The ten million are asked for by a process of their own, which opens the
files that another one wrote.
"""

import json
import multiprocessing
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
from timing import row, seconds

from gisgrid.features import FeatureTable, Journal, LiveTable
from gisgrid.features.filters import Filter
from gisgrid.tiles import LowZoom, PointSource, VectorSource, tile_bbox, tile_bbox_mercator

TILE = (12, 3345, 1619)
N_MANY = 10_000_000
ZOOMS, TOLD = range(3, 19), (3, 8, 12, 16)
SHOWN = ("category", "status", "severity", "day")
FILTER = "category = 'category 3' AND severity >= 2"


def rows():
    return [one_tile_row(), *fresh_rows(), *many_rows()]


def points(n=10_000):
    rng = np.random.default_rng(1)
    west, south, east, north = tile_bbox(*TILE)
    hair = (east - west) / 1000
    places = rng.uniform([west + hair, south + hair], [east - hair, north - hair], (n, 2))
    return gpd.GeoDataFrame(
        {
            "category": rng.choice([f"category {i}" for i in range(12)], n),
            "status": rng.choice(["open", "closed", "queued", "refused"], n),
            "severity": rng.integers(1, 6, n),
            "day": rng.integers(0, 730, n),
        },
        geometry=gpd.points_from_xy(*places.T),
        crs=4326,
    )


def one_tile_row():
    frame = points()
    ours = VectorSource.from_frame(frame, layer_id="layer", properties=SHOWN)
    prepared = [
        {"id": i + 1, "geometry": shape, "properties": properties}
        for i, (shape, properties) in enumerate(
            zip(
                frame.to_crs(3857).geometry,
                frame.drop(columns="geometry").to_dict("records"),
                strict=True,
            )
        )
    ]

    def peer():
        return mapbox_vector_tile.encode(
            [{"name": "layer", "features": prepared}],
            default_options={"quantize_bounds": tile_bbox_mercator(*TILE), "extents": 4096},
        )

    assert decoded(ours.tile(*TILE).body) == decoded(peer())  # the same work
    return row(
        "10 000 points with 4 attributes, encoded",
        1000 * seconds(lambda: ours.tile(*TILE), times=300),
        1000 * seconds(peer, times=3),
        "mapbox-vector-tile",
        unit="ms",
    )


def decoded(tile):
    found = mapbox_vector_tile.decode(tile)["layer"]["features"]
    return {f["id"]: f["properties"] for f in found}


def fresh_rows():
    """A layer of 200 000 with 5 000 fresh rows: what one more row costs, from the journal into a tile, and a tile."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(points(200_000).drop(columns="geometry"))
    frame["id"] = [f"A-{i}" for i in range(len(frame))]
    frame["lon"], frame["lat"] = rng.uniform([113.9, 34.9], [114.1, 35.1], (len(frame), 2)).T
    with tempfile.TemporaryDirectory() as name:
        table = FeatureTable.from_frame(frame, key="id", properties=SHOWN, lonlat=("lon", "lat"))
        live, journal = LiveTable.create(Path(name) / "live", table), Journal(Path(name) / "live")
        source = PointSource(table, layer_id="layer", properties=SHOWN, maxzoom=18).prepare()
        n = 0

        def append(rows=1):
            nonlocal n
            journal.append([report(rng, n + i) for i in range(rows)])
            n += rows

        def drawn():
            snapshot = live.current(wait=False)
            fresh = source.with_fresh(snapshot.fresh, hidden=snapshot.hidden)
            fresh.tile(15, *(int(part[100_000]) >> 17 for part in (table.u, table.v)))
            return fresh

        for _ in range(50):
            append(100)
            drawn()
        seen = []
        for _ in range(60):
            append()
            start = perf_counter()
            drawn()
            seen.append(1000 * (perf_counter() - start))
        tiles = [
            (z, int(table.u[i]) >> 32 - z, int(table.v[i]) >> 32 - z)
            for z in (13, 14, 15, 16)
            for i in rng.integers(0, len(table), 50)
        ]
        with_fresh, without = (
            1000 * seconds(lambda source=one: [source.tile(*tile) for tile in tiles], times=5) / 200
            for one in (drawn(), source)
        )
    return [
        row("5 000 fresh points: one more, read and in a tile, median of 60", float(np.median(seen)), unit="ms"),
        row("5 000 fresh points: one more, read and in a tile, worst of 60", max(seen), unit="ms"),
        row(
            "5 000 fresh points over 200 000: a tile of zooms 13 to 16",
            with_fresh, without, "the same without fresh points", unit="ms",
        ),
    ]  # fmt: skip


def report(rng, number):
    lon, lat = rng.uniform([113.9, 34.9], [114.1, 35.1])
    return {
        "type": "Feature",
        "properties": {"id": f"F-{number}", "category": "category 3", "status": "open", "severity": 2, "day": 730},
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
    }  # fmt: skip


def many_rows():
    with tempfile.TemporaryDirectory() as folder:
        builder = multiprocessing.get_context("spawn").Process(target=build, args=(folder,))
        builder.start()
        builder.join()
        assert builder.exitcode == 0
        asked = subprocess.run(
            [sys.executable, __file__, folder], check=True, capture_output=True, text=True
        )
        found = json.loads(asked.stdout.splitlines()[-1])
    millions = f"{N_MANY // 10**6} million points"
    written = [row(f"{millions}: opened", found["open_s"], unit="s")]
    written += [
        row(
            f"{millions}: memory after all tiles (shared files included)",
            found["rss_mb"],
            unit="MB",
        )
    ]
    for name, how in (("all", ""), ("filtered", " with a CQL2 filter")):
        for z in TOLD:
            p50, p99 = found[name][str(z)]
            work = f"{millions}{how}, zoom {z}: a tile of 300"
            written += [row(f"{work}, median", p50, unit="ms"), row(f"{work}, p99", p99, unit="ms")]
        worst = max(p99 for _, p99 in found[name].values())
        written.append(row(f"{millions}{how}: the worst p99 of zooms 3 to 18", worst, unit="ms"))
    work = f"{millions}: the first tile of a new filter, zoom 3"
    return [*written, row(work, found["first_ms"], unit="ms")]


def build(folder):
    """Ten million reports in 120 clusters of a city, and the index of their tiles."""
    rng = np.random.default_rng(1)
    middle = rng.uniform([113.7, 34.7], [114.3, 35.3], (120, 2))
    cluster = rng.choice(120, N_MANY, p=rng.dirichlet(np.full(120, 0.7)))
    spread = rng.uniform(0.003, 0.03, 120)[cluster]
    words = [f"category {i}" for i in range(12)]
    frame = pd.DataFrame(
        {
            "category": pd.Categorical.from_codes(rng.integers(0, 12, N_MANY), words),
            "status": pd.Categorical.from_codes(
                rng.integers(0, 4, N_MANY), ["open", "closed", "queued", "refused"]
            ),
            "severity": rng.integers(1, 6, N_MANY),
            "day": rng.integers(0, 730, N_MANY),
            "lon": middle[cluster, 0] + rng.normal(size=N_MANY) * spread,
            "lat": middle[cluster, 1] + rng.normal(size=N_MANY) * spread,
        }
    )
    table = FeatureTable.from_frame(frame, properties=SHOWN, lonlat=("lon", "lat"))
    table.save(Path(folder))
    opened(folder)


def opened(folder):
    table = FeatureTable.open(Path(folder))
    return PointSource(
        table,
        layer_id="layer",
        properties=SHOWN,
        maxzoom=18,
        low_zoom=LowZoom(counts_by="category"),
        folder=Path(folder),
    ).prepare()


def ask(folder):
    """In a process of its own: open, then draw tiles around places drawn at random among the points."""
    start = perf_counter()
    source = opened(folder)
    found = {"open_s": perf_counter() - start}
    table, rng = source.table, np.random.default_rng(2)
    source.tile(0, 0, 0)
    where = Filter.parse(FILTER, fields=table.fields)
    start = perf_counter()
    source.tile(3, *(int(part[0]) >> 29 for part in (table.u, table.v)), where=where)
    found["first_ms"] = 1000 * (perf_counter() - start)
    for name, chosen in (("all", None), ("filtered", where)):
        found[name] = {}
        for z in ZOOMS:
            taken = []
            for i in rng.integers(0, len(table), 300):
                x, y = int(table.u[i]) >> 32 - z, int(table.v[i]) >> 32 - z
                start = perf_counter()
                source.tile(z, x, y, where=chosen)
                taken.append(1000 * (perf_counter() - start))
            found[name][z] = np.percentile(taken, [50, 99]).tolist()
    found["rss_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    ask(sys.argv[1])
