import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyproj import Transformer

from gisgrid.errors import InputError, TileNotFoundError
from gisgrid.tiles import (
    MATRIX_SETS,
    MAX_LATITUDE,
    bbox_tiles,
    check_tile,
    lonlat_world,
    matrix_set,
    tile_bbox,
    tile_bbox_mercator,
    world_lonlat,
)
from gisgrid.tiles.scheme import CIRCUMFERENCE_M, STEP_BITS, check_zooms

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
    # The east and the south edge belong to the last tile.
    south = -85.05112877980659
    assert list(bbox_tiles((180, south, 180, south), 4)) == [(4, 15, 15)]
    assert list(bbox_tiles((0, -86, 0, -86), 4)) == []


@pytest.mark.parametrize(
    "tile", [(-1, 0, 0), (25, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1)]
)
def test_what_is_no_tile_is_refused(tile):
    with pytest.raises(TileNotFoundError, match="there is no tile"):
        check_tile(*tile)


def test_zooms_out_of_order_are_refused():
    with pytest.raises(InputError, match="zooms 9 to 3"):
        check_zooms(9, 3, layer_id="streets")


# --- other tile matrix sets -------------------------------------------------------------------------------------

EVERY_SET = pytest.mark.parametrize("tms", MATRIX_SETS.values(), ids=lambda s: s.id)


@EVERY_SET
@settings(derandomize=True, max_examples=60)
@given(tiles, st.booleans())
def test_the_box_of_a_tile_of_any_set_gives_back_that_tile(tms, tile, east):
    z, x, y = tile
    x += tms.tiles_at(z)[0] // 2 if east and tms.n_columns == 2 else 0
    assert list(bbox_tiles(tile_bbox(z, x, y, matrix_set=tms), z, matrix_set=tms)) == [(z, x, y)]


@EVERY_SET
@settings(derandomize=True, max_examples=100)
@given(st.floats(-180, 180), st.floats(-90, 90), st.integers(0, 24))
def test_a_place_is_in_the_tile_that_its_steps_are_shifted_to(tms, lon, lat, z):
    u, v, there = tms.to_steps([lon], [lat])
    assert there[0] == (tms.projection == "degrees" or abs(lat) <= MAX_LATITUDE)
    if not there[0]:
        assert u[0] == v[0] == 0
        return
    bits = STEP_BITS - tms.depth(z)
    x, y = int(u[0]) >> bits, int(v[0]) >> bits
    check_tile(z, x, y, matrix_set=tms)
    west, south, east, north = tile_bbox(z, x, y, matrix_set=tms)
    assert west - 1e-6 <= lon <= east + 1e-6
    assert south - 1e-6 <= lat <= north + 1e-6


@EVERY_SET
def test_the_corners_of_the_world_are_in_the_corner_tiles(tms):
    edge = MAX_LATITUDE if tms.projection == "mercator" else 90.0
    n_columns, n_rows = tms.tiles_at(5)
    bits = STEP_BITS - tms.depth(5)
    u, v, there = tms.to_steps([-180, 180, 180, 180.1, np.nan], [edge, -edge, 0, 0, 0])
    assert (u[:3] >> bits).tolist() == [0, n_columns - 1, n_columns - 1]
    assert (v[:3] >> bits).tolist() == [0, n_rows - 1, n_rows // 2]
    assert there.tolist() == [True, True, True, False, False]
    lon, lat = tms.to_lonlat([0.25], [0.125])
    assert [a[0] for a in tms.to_unit(lon, lat)] == pytest.approx([0.25, 0.125])


def test_the_sets_of_degrees_have_the_cells_of_the_standard():
    # OGC 17-083r4, table D.2: 2 by 1 tiles of 256 cells of 0.703125 degrees at zoom 0.
    for name in ("WorldCRS84Quad", "CGCS2000Quad"):
        tms = matrix_set(name)
        assert [tms.tiles_at(z) for z in range(3)] == [(2, 1), (4, 2), (8, 4)]
        for z in (0, 7, 17):
            west, south, east, north = tile_bbox(z, 0, 0, matrix_set=tms)
            assert (west, north) == (-180, 90)
            assert east - west == north - south == 256 * 0.703125 / 2**z
    with pytest.raises(
        TileNotFoundError, match="no tile matrix set 'WorldCRS84quad'; did you mean"
    ):
        matrix_set("WorldCRS84quad")
