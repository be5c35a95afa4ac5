"""One vector tile from features in memory, against mapbox-vector-tile: select, clip, round and encode.

Ours starts from the source as a server holds it; the peer from prepared geometries in EPSG:3857 and property dicts.
Both write the same features, which is checked first.
"""

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import shapely
from timing import row, seconds

from gisgrid.tiles import VectorSource, tile_bbox, tile_bbox_mercator

TILE = (12, 3345, 1619)
OUTSIDE = 64 / 4096


def rows():
    return [points_row(), polygons_row(), load_row()]


def milliseconds(act, *, times=7):
    return 1000 * seconds(act, times=times)


def points(n=10_000):
    rng = np.random.default_rng(1)
    west, south, east, north = tile_bbox(*TILE)
    places = rng.uniform([west, south], [east, north], (n, 2))
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


def polygons(n=2_000):
    """Blobs of 30 vertices, some of which the tile's edge cuts."""
    rng = np.random.default_rng(2)
    west, south, east, north = tile_bbox(*TILE)
    side = east - west
    middle = rng.uniform([west - 0.02 * side, south], [east + 0.02 * side, north], (n, 2))
    angle = np.linspace(0, 2 * np.pi, 30, endpoint=False)
    radius = side * rng.uniform(0.01, 0.02, (n, 1)) * rng.uniform(0.85, 1.0, (n, 30))
    x, y = middle[:, :1] + radius * np.cos(angle), middle[:, 1:] + radius * np.sin(angle)
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


def features(frame):
    columns = frame.drop(columns="geometry").to_dict("records")
    geometry = frame.geometry.to_crs(3857)
    return [
        {"id": i + 1, "geometry": shape, "properties": properties}
        for i, (shape, properties) in enumerate(zip(geometry, columns, strict=True))
    ]


def encode(prepared, box=None):
    if box is not None:
        cut = ({**f, "geometry": f["geometry"].intersection(box)} for f in prepared)
        prepared = [f for f in cut if not f["geometry"].is_empty]
    return mapbox_vector_tile.encode(
        [{"name": "layer", "features": prepared}],
        default_options={"quantize_bounds": tile_bbox_mercator(*TILE), "extents": 4096},
    )


def source(frame):
    shown = [column for column in frame.columns if column != "geometry"]
    return VectorSource.from_frame(frame, layer_id="layer", properties=shown)


def decoded(tile):
    found = mapbox_vector_tile.decode(tile)["layer"]["features"]
    return {f["id"]: f["properties"] for f in found}


def points_row():
    frame = points()
    ours, prepared = source(frame), features(frame)
    assert decoded(ours.tile(*TILE)) == decoded(encode(prepared))  # the same work
    return row(
        "10 000 points with 4 attributes, encoded",
        milliseconds(lambda: ours.tile(*TILE)),
        milliseconds(lambda: encode(prepared)),
        "mapbox-vector-tile",
        unit="ms",
    )


def polygons_row():
    frame = polygons()
    ours, prepared = source(frame), features(frame)
    west, south, east, north = tile_bbox_mercator(*TILE)
    out = (east - west) * OUTSIDE
    box = shapely.box(west - out, south - out, east + out, north + out)
    assert decoded(ours.tile(*TILE)) == decoded(encode(prepared, box))  # the same work
    return row(
        "2 000 polygons of 30 vertices with 4 attributes, clipped and encoded",
        milliseconds(lambda: ours.tile(*TILE)),
        milliseconds(lambda: encode(prepared, box)),
        "mapbox-vector-tile and shapely",
        unit="ms",
    )


def load_row():
    """What the first request of a layer waits for."""
    many, areas = points(60_000), polygons(2_500)

    def load():
        source(many)
        source(areas)

    work = "60 000 points and 2 500 polygons made ready to be drawn"
    return row(work, milliseconds(load, times=3), unit="ms")
