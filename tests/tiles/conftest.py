"""Decoders that nobody here wrote, and awkward shapes."""

from dataclasses import dataclass

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pyogrio
import pytest
import shapely

from gisgrid.tiles import Tile, bbox_tiles


@dataclass(frozen=True)
class Decoded:
    """One feature as mapbox-vector-tile reads it: tile units, y to the south."""

    id: int
    properties: dict
    geometry: shapely.Geometry


def _decode(tile: Tile | bytes, layer: str) -> list[Decoded]:
    tile = tile.body if isinstance(tile, Tile) else tile
    if not tile:
        return []
    document = mapbox_vector_tile.decode(tile, default_options={"y_coord_down": True})
    assert list(document) == [layer]
    assert document[layer]["version"] == 2
    assert document[layer]["extent"] == 4096
    return [
        Decoded(f["id"], f["properties"], shapely.geometry.shape(f["geometry"]))
        for f in document[layer]["features"]
    ]


NAN = float("nan")
with np.errstate(invalid="ignore"):
    NO_LINE = shapely.LineString([(114.0, 35.1), (NAN, 35.2)])

AWKWARD = {
    "missing": None,
    "empty point": shapely.Point(),
    "empty polygon": shapely.Polygon(),
    "no number": shapely.Point(NAN, 35.1),
    "line with no number": NO_LINE,
    "point": shapely.Point(114.01, 35.1),
    "point with height": shapely.Point(114.01, 35.1, 80.0),
    "pole": shapely.Point(114.0, 90.0),
    "beyond the world": shapely.Point(200.0, 35.1),
    "date line": shapely.Point(180.0, 35.1),
    "many points": shapely.MultiPoint([(114.0, 35.1), (114.5, 35.6), (114.0, 35.1)]),
    "line": shapely.LineString([(113.9, 35.0), (114.2, 35.3), (114.2, 35.0)]),
    "line that stands still": shapely.LineString([(114.0, 35.1), (114.0, 35.1)]),
    "line that comes back": shapely.LineString([(114.0, 35.1), (114.1, 35.1), (114.0, 35.1)]),
    "ring": shapely.LinearRing([(114.0, 35.0), (114.1, 35.0), (114.1, 35.1)]),
    "many lines": shapely.MultiLineString([[(113, 35), (115, 36)], [(114, 35), (114.1, 35.1)]]),
    "box": shapely.box(114.0, 35.0, 114.1, 35.1),
    "wrong winding": shapely.Polygon([(114, 35), (114, 35.1), (114.1, 35.1), (114.1, 35)]),
    "speck": shapely.box(114.0, 35.0, 114.0 + 1e-9, 35.0 + 1e-9),
    "sliver": shapely.Polygon([(113.0, 35.0), (115.0, 35.3), (115.0, 35.3 + 1e-7)]),
    "hole": shapely.box(114.0, 35.0, 114.2, 35.2).difference(shapely.box(114.05, 35.05, 114.15, 35.15)),
    "hole as large as the shell": shapely.Polygon(
        [(114, 35), (114.1, 35), (114.1, 35.1), (114, 35.1)],
        [[(114 + 1e-9, 35 + 1e-9), (114.1 - 1e-9, 35 + 1e-9), (114.1 - 1e-9, 35.1 - 1e-9), (114 + 1e-9, 35.1 - 1e-9)]],
    ),
    "hole that touches": shapely.Polygon(
        [(114, 35), (114.2, 35), (114.2, 35.2), (114, 35.2)], [[(114, 35), (114.1, 35.05), (114.05, 35.1)]]
    ),
    "bow tie": shapely.Polygon([(114, 35), (114.1, 35.1), (114.1, 35), (114, 35.1)]),
    "spike": shapely.Polygon([(114, 35), (114.1, 35), (114.1, 35.1), (114.3, 35.1), (114.1, 35.1), (114, 35.1)]),
    "ring that touches itself": shapely.Polygon(
        [(114, 35), (114.2, 35), (114.2, 35.2), (114.1, 35.0), (114, 35.2)]
    ),
    "many polygons": shapely.MultiPolygon([shapely.box(114, 35, 114.1, 35.1), shapely.box(114.3, 35, 114.4, 35.1)]),
    "corner to corner": shapely.MultiPolygon(
        [shapely.box(114, 35, 114.1, 35.1), shapely.box(114.1, 35.1, 114.2, 35.2)]
    ),
    "comb": shapely.union_all(
        [shapely.box(113.5, 35.0, 114.5, 35.01)]
        + [shapely.box(a, 35.0, a + 0.01, 35.5) for a in np.arange(113.5, 114.5, 0.02)]
    ),
    "spiral": shapely.LineString(
        [(114.1 + r * np.cos(40 * r), 35.1 + r * np.sin(40 * r)) for r in np.linspace(0.01, 0.5, 300)]
    ).buffer(0.01),
    "whole world": shapely.box(-180, -90, 180, 90),
    "collection": shapely.GeometryCollection(
        [shapely.Point(114.0, 35.0), shapely.box(114.0, 35.0, 114.1, 35.1), shapely.LineString([(114, 35), (114.3, 35.2)])]
    ),
}  # fmt: skip


@pytest.fixture(scope="session")
def awkward() -> gpd.GeoDataFrame:
    """Every awkward shape in one frame."""
    return gpd.GeoDataFrame({"name": list(AWKWARD)}, geometry=list(AWKWARD.values()), crs=4326)


@pytest.fixture(scope="session", params=list(AWKWARD))
def awkward_one(request) -> gpd.GeoDataFrame:
    """One awkward shape after the other, each in a frame of its own."""
    return gpd.GeoDataFrame({"name": [request.param]}, geometry=[AWKWARD[request.param]], crs=4326)


@pytest.fixture(scope="session")
def decode():
    """A tile as mapbox-vector-tile reads it."""
    return _decode


@pytest.fixture(scope="session")
def decode_gdal(tmp_path_factory):
    """A tile as GDAL reads it, in EPSG:3857."""
    path = tmp_path_factory.mktemp("gdal") / "tile.mvt"

    def read(tile: Tile | bytes, z: int, x: int, y: int) -> gpd.GeoDataFrame:
        path.write_bytes(tile.body if isinstance(tile, Tile) else tile)
        return pyogrio.read_dataframe(path, X=str(x), Y=str(y), Z=str(z), CLIP="NO")

    return read


@pytest.fixture(scope="session")
def some_tiles():
    """Some tiles of a zoom around the awkward shapes."""

    def tiles_over(z: int) -> list[tuple[int, int, int]]:
        tiles = list(bbox_tiles((113.8, 34.9, 114.45, 35.55), z))
        return tiles[:: max(1, len(tiles) // 12)]

    return tiles_over
