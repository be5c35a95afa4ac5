"""The server as a whole, over HTTP on this machine: tiles that nobody has asked for before, and tiles that are ready.

200 000 points with 5 attributes in 120 clusters over 60 by 60 km, and 5 000 polygons; some 2 000 tiles of zooms 10 to 16,
most of them deep, as maps ask for them. Eight connections, gzip, two workers; the load generator is on the same cores.
wrk makes the load where it is installed, a small one of our own otherwise. The peer is tipg over PostGIS with the same
rows: it is measured where `GISGRID_BENCH_TIPG` names a Python that has tipg, made for example by
`python -m venv /tmp/tipg && /tmp/tipg/bin/pip install tipg uvicorn`, and where Debian's postgresql and PostGIS are installed.
"""

import json
import tempfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from loading import load, served
from postgis import kind, tipg
from timing import row

from gisgrid.files import write_frame
from gisgrid.tiles import bbox_tiles

CENTRE = (113.9, 35.3)
SPAN = 0.3
TILES_AT = {10: 8, 11: 22, 12: 60, 13: 181, 14: 518, 15: 600, 16: 600}


def rows():
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        tiles = write_city(root)
        found = {}
        for name, cache in (("uncached", 0), ("cached", 512 * 1024 * 1024)):
            with served(root, cache) as (base, _):
                for layer in ("issues", "areas"):
                    load(base, [f"/tiles/{layer}/{tile}.mvt" for tile in tiles], seconds=2)
                    found[name, layer] = load(
                        base, [f"/tiles/{layer}/{tile}.mvt" for tile in tiles]
                    )
        peer = tipg(root, tiles)
    table = []
    for (name, layer), ours in found.items():
        theirs = peer.get(layer) if peer and name == "uncached" else None
        table += [
            rate_row(f"{name} tiles, {layer}", ours, theirs),
            p99_row(f"{name} tiles, {layer}", ours, theirs),
        ]
    return table


def rate_row(work, ours, theirs):
    """Per tile, so that less is better, as in every row: 0.125 ms are 8 000 tiles a second."""
    work = f"{work}: a tile, at {ours['rate']:,.0f}/s"
    return row(
        work,
        1000 / ours["rate"],
        1000 / theirs["rate"] if theirs else None,
        "tipg + PostGIS" if theirs else None,
        unit="ms",
    )


def p99_row(work, ours, theirs):
    return row(
        f"{work}: p99",
        ours["p99_ms"],
        theirs["p99_ms"] if theirs else None,
        "tipg + PostGIS" if theirs else None,
        unit="ms",
    )


def points(n=200_000, seed=5):
    rng = np.random.default_rng(seed)
    middles = rng.uniform(-SPAN, SPAN, (120, 2))
    cluster = rng.integers(0, 120, n)
    place = middles[cluster] + rng.normal(0, 0.02, (n, 2)) + CENTRE
    return gpd.GeoDataFrame(
        {
            "issue_id": np.arange(n),
            "category_code": rng.choice([f"c{i:02d}" for i in range(12)], n),
            "status_code": rng.choice(["open", "closed", "queued", "refused"], n),
            "severity": rng.integers(1, 6, n),
            "day": rng.integers(0, 730, n),
        },
        geometry=gpd.points_from_xy(*place.T),
        crs=4326,
    )


def polygons(n=5_000, seed=6):
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-SPAN, SPAN, (n, 1, 2)) + CENTRE
    angle = np.linspace(0, 2 * np.pi, 31, endpoint=False)
    radius = rng.uniform(0.001, 0.004, (n, 1)) * rng.uniform(0.8, 1, (n, 31))
    ring = middle + np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=2)
    return gpd.GeoDataFrame(
        {
            "area_id": np.arange(n),
            "kind_code": rng.choice(["a", "b", "c"], n),
            "floors": rng.integers(1, 30, n),
            "score": rng.normal(size=n),
        },
        geometry=shapely.polygons(ring),
        crs=4326,
    )


def write_city(root):
    """A catalogue of two layers; gives the tiles to ask for, in an order of no meaning."""
    (root / "layers").mkdir()
    (root / "data").mkdir()
    (root / "layers" / "catalogue.toml").write_text(
        'title = { zh = "测", en = "Bench" }\ntimezone = "Asia/Shanghai"\ncrs = "OGC:CRS84"\n'
        '[groups]\nall = { zh = "全", en = "All" }\n',
        "utf-8",
    )
    reports = points()
    for name, frame, geometry in (("issues", reports, "Point"), ("areas", polygons(), "Polygon")):
        write_frame(frame, root / "data" / f"{name}.parquet")
        columns = [column for column in frame.columns if column != "geometry"]
        folder = root / "layers" / name
        folder.mkdir()
        fields = "".join(
            f'[[fields]]\nname = "{column}"\ntype = "{kind(frame[column])}"\ndescription = {{ zh = "x", en = "x" }}\n'
            for column in columns
        )
        (folder / "layer.toml").write_text(
            f'id = "{name}"\ntitle = {{ zh = "x", en = "x" }}\ndescription = {{ zh = "x", en = "x" }}\ngroup = "all"\n'
            f'geometry = "{geometry}"\nprimary_key = "{columns[0]}"\ncrs = "EPSG:4326"\n[source]\npath = "{name}.parquet"\n'
            f"[tiles]\nminzoom = 8\nmaxzoom = 16\nproperties = {json.dumps(columns)}\n"
            '[tiles.low_zoom]\nstrategy = "none"\n' + fields,
            "utf-8",
        )
    return some_tiles(reports)


def some_tiles(frame):
    rng = np.random.default_rng(7)
    places = frame.geometry.iloc[rng.integers(0, len(frame), 20_000)]
    chosen = []
    for zoom, n in TILES_AT.items():
        tiles = dict.fromkeys(next(bbox_tiles((p.x, p.y, p.x, p.y), zoom)) for p in places)
        chosen += [f"{z}/{x}/{y}" for z, x, y in list(tiles)[:n]]
    rng.shuffle(chosen)
    return chosen


if __name__ == "__main__":
    for one in rows():
        print(one)
