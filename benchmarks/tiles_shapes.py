"""One tile of polygons, against mapbox-vector-tile with shapely: select, clip, round and encode.

Ours starts from the source as a server holds it; the peer from prepared geometries in EPSG:3857 and property dicts.
Both write the same features, which is checked first.
"""

import tempfile
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import shapely
from timing import row, seconds

from gisgrid.features import FeatureTable
from gisgrid.tiles import bbox_tiles, tile_bbox, tile_bbox_mercator
from gisgrid.tiles.mvt import read_tile
from gisgrid.tiles.shapes import PreparedShapes, ShapeSource

TILE = (12, 3345, 1619)
OUTSIDE = 64 / 4096
SHOWN = ("name", "kind", "floors", "score")


def rows():
    return [polygons_row(), prepare_row(), *city_rows()]


def milliseconds(act, *, times=31):
    return 1000 * seconds(act, times=times)


def polygons(bbox, n, radius):
    """Blobs of 30 vertices, some of which the box's edge cuts; radius from and to as shares of the box's width."""
    rng = np.random.default_rng(2)
    west, south, east, north = bbox
    side = east - west
    middle = rng.uniform([west - 0.02 * side, south], [east + 0.02 * side, north], (n, 2))
    angle = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    reach = side * rng.uniform(*radius, (n, 1)) * rng.uniform(0.85, 1.0, (n, 30))
    x, y = middle[:, :1] + reach * np.cos(angle), middle[:, 1:] + reach * np.sin(angle)
    return gpd.GeoDataFrame(
        {
            "name": [f"area {i}" for i in range(n)],
            "kind": rng.choice(["a", "b", "c"], n),
            "floors": rng.integers(1, 30, n),
            "score": rng.normal(size=n),
        },
        geometry=shapely.polygons(np.stack([x, y], axis=2)),
        crs=4326,
    )


def of_a_tile():
    return polygons(tile_bbox(*TILE), 2_000, (0.01, 0.02))


def features(frame):
    columns = frame.drop(columns="geometry").to_dict("records")
    geometry = frame.geometry.to_crs(3857)
    return [
        {"id": i + 1, "geometry": shape, "properties": properties}
        for i, (shape, properties) in enumerate(zip(geometry, columns, strict=True))
    ]


def encode(prepared, box):
    cut = ({**f, "geometry": f["geometry"].intersection(box)} for f in prepared)
    return mapbox_vector_tile.encode(
        [{"name": "layer", "features": [f for f in cut if not f["geometry"].is_empty]}],
        default_options={"quantize_bounds": tile_bbox_mercator(*TILE), "extents": 4096},
    )


def source(frame, *, maxzoom=14):
    table = FeatureTable.from_frame(frame, properties=SHOWN)
    return ShapeSource(table, layer_id="layer", properties=SHOWN, maxzoom=maxzoom)


def decoded(tile):
    return {f["id"]: f["properties"] for f in mapbox_vector_tile.decode(tile)["layer"]["features"]}


def polygons_row():
    frame = of_a_tile()
    # The deepest zoom, so that both write every vertex.
    ours, prepared = source(frame, maxzoom=TILE[0]), features(frame)
    west, south, east, north = tile_bbox_mercator(*TILE)
    out = (east - west) * OUTSIDE
    box = shapely.box(west - out, south - out, east + out, north + out)
    body = ours.tile(*TILE).body
    assert decoded(body) == decoded(encode(prepared, box))  # the same work
    assert sum(len(ring) for f in read_tile(body)[0].features for ring in f.parts) > 29 * 2_000
    return row(
        "2 000 polygons of 30 vertices with 4 attributes, clipped and encoded",
        milliseconds(lambda: ours.tile(*TILE)),
        milliseconds(lambda: encode(prepared, box), times=3),
        "mapbox-vector-tile and shapely",
        unit="ms",
    )


def prepare_row():
    """What the first request of a layer waits for where nothing is on disk."""
    table = FeatureTable.from_frame(of_a_tile(), properties=SHOWN)
    return row(
        "2 000 polygons prepared for zooms 0 to 14",
        milliseconds(lambda: PreparedShapes.build(table, minzoom=0, maxzoom=14), times=3),
        unit="ms",
    )


def city_rows():
    """A city of 200 000 polygons, opened from disk: p99 over tiles of each zoom, the worst zoom shown."""
    box = (113.5, 34.5, 114.5, 35.5)
    options = {"layer_id": "layer", "properties": SHOWN, "maxzoom": 16}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "city"
        FeatureTable.from_frame(polygons(box, 200_000, (0.0005, 0.0015)), properties=SHOWN).save(
            folder
        )
        ShapeSource(FeatureTable.open(folder), folder=folder, **options)
        opening = milliseconds(
            lambda: ShapeSource(FeatureTable.open(folder), folder=folder, **options), times=3
        )
        city = ShapeSource(FeatureTable.open(folder), folder=folder, **options)
        worst = max(p99(city, box, z) for z in range(11, 17))
        low = max(p99(city, box, z) for z in range(3, 11))
        return [
            row("200 000 polygons opened from disk", opening, unit="ms"),
            row("200 000 polygons: p99 at the worst of zooms 11 to 16", worst, unit="ms"),
            row("200 000 polygons: p99 at the worst of zooms 3 to 10, 500 kB kept", low, unit="ms"),
        ]


def p99(city, box, z):
    tiles = list(bbox_tiles(box, z))
    chosen = tiles[:: max(1, len(tiles) // 40)]
    return float(
        np.quantile(
            [milliseconds(lambda tile=tile: city.tile(*tile), times=3) for tile in chosen], 0.99
        )
    )
