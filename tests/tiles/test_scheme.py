import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gisgrid.errors import InputError, TileNotFoundError
from gisgrid.tiles import (
    MAX_LATITUDE,
    bbox_tiles,
    check_tile,
    lonlat_world,
    tile_bbox,
    tile_bbox_mercator,
    world_lonlat,
)
from gisgrid.tiles.scheme import CIRCUMFERENCE_M, check_zooms

tiles = st.integers(0, 24).flatmap(
    lambda z: st.tuples(st.just(z), st.integers(0, 2**z - 1), st.integers(0, 2**z - 1))
)


@settings(derandomize=True, max_examples=60)
@given(tiles)
def test_the_box_of_a_tile_gives_back_that_tile(tile):
    assert list(bbox_tiles(tile_bbox(*tile), tile[0])) == [tile]


@settings(derandomize=True, max_examples=60)
@given(tiles)
def test_tiles_nest(tile):
    z, x, y = tile
    if z == 0:
        return
    west, south, east, north = tile_bbox(*tile)
    above = tile_bbox(z - 1, x // 2, y // 2)
    hair = 1e-9
    assert above[0] <= west + hair
    assert above[1] <= south + hair
    assert east <= above[2] + hair
    assert north <= above[3] + hair


@settings(derandomize=True, max_examples=60)
@given(st.floats(-180, 180), st.floats(-MAX_LATITUDE, MAX_LATITUDE))
def test_world_coordinates_are_web_mercator_as_proj_has_it(lon, lat):
    x, y = lonlat_world([lon], [lat])
    easting, northing = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    assert (x[0] - 0.5) * CIRCUMFERENCE_M == pytest.approx(easting, abs=1e-6)
    assert (0.5 - y[0]) * CIRCUMFERENCE_M == pytest.approx(northing, abs=1e-6)
    back = world_lonlat(x, y)
    assert back[0][0] == pytest.approx(lon, abs=1e-9)
    assert back[1][0] == pytest.approx(lat, abs=1e-9)


def test_boxes_in_degrees_and_metres_are_the_same_tile():
    to_metres = Transformer.from_crs(4326, 3857, always_xy=True)
    west, south, east, north = tile_bbox(12, 3345, 1619)
    assert np.allclose(
        [*to_metres.transform(west, south), *to_metres.transform(east, north)],
        tile_bbox_mercator(12, 3345, 1619),
        atol=1e-6,
    )


def test_the_whole_world_has_every_tile():
    assert len(list(bbox_tiles((-180, -90, 180, 90), 4))) == 256
    assert next(bbox_tiles((-180, -90, 180, 90), 4)) == (4, 0, 0)


@pytest.mark.parametrize(
    "tile", [(-1, 0, 0), (25, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1)]
)
def test_what_is_no_tile_is_refused(tile):
    with pytest.raises(TileNotFoundError, match="there is no tile"):
        check_tile(*tile)


def test_zooms_out_of_order_are_refused():
    with pytest.raises(InputError, match="zooms 9 to 3"):
        check_zooms(9, 3, layer_id="streets")
