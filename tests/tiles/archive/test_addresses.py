"""Numbers along the curve, as the package `pmtiles` counts them."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.tile import tileid_to_zxy, zxy_to_tileid

from gisgrid.tiles.archive.addresses import tile_number, tile_numbers, tile_places

TILES = st.integers(0, 24).flatmap(
    lambda z: st.tuples(st.just(z), st.integers(0, 2**z - 1), st.integers(0, 2**z - 1))
)


@settings(deadline=None)  # the first call compiles
@given(TILES)
def test_numbers_are_those_of_pmtiles(tile):
    assert tile_number(*tile) == zxy_to_tileid(*tile)
    assert tileid_to_zxy(int(tile_number(*tile))) == tile


def test_places_are_what_numbers_come_from():
    for z in (0, 1, 5):
        x, y = (axis.ravel() for axis in np.mgrid[: 1 << z, : 1 << z])
        numbers = tile_numbers(z, x, y)
        first = (4**z - 1) // 3
        assert sorted(numbers.tolist()) == list(range(first, first + 4**z))
        assert all((a == b).all() for a, b in zip(tile_places(z, numbers), (x, y), strict=True))
