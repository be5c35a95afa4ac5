import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.features.zorder import (
    box_rows,
    in_order,
    square_rows,
    steps_lonlat,
    world_steps,
    z_order,
)

STEP = st.integers(0, 2**32 - 1)


def _codes(u, v):
    return [
        int("".join(f"{b}{a}" for a, b in zip(f"{x:032b}", f"{y:032b}", strict=True)), 2)
        for x, y in zip(u.tolist(), v.tolist(), strict=True)
    ]


def _placed(n, seed):
    rng = np.random.default_rng(seed)
    lon = np.concatenate([rng.uniform(-180, 180, n), rng.normal(114, 0.01, n)])
    lat = np.concatenate([rng.uniform(-85, 85, n), rng.normal(35, 0.01, n)])
    return lon, lat, z_order(lon, lat)


def test_the_order_is_that_of_interleaved_bits():
    lon, lat, order = _placed(2000, 1)
    codes = _codes(order.u, order.v)
    assert codes == sorted(codes)
    assert in_order(order.u, order.v)
    assert sorted(order.rows.tolist()) == list(range(4000))
    u, v = world_steps(lon[order.rows], lat[order.rows])
    np.testing.assert_array_equal(u, order.u)
    np.testing.assert_array_equal(v, order.v)


def test_points_at_one_place_keep_their_order():
    order = z_order(np.full(50, 114.0), np.full(50, 35.0))
    assert order.rows.tolist() == list(range(50))


def test_places_that_are_none_go_last():
    lon = np.array([0.0, np.nan, np.inf, 181.0, 180.0, -180.0])
    lat = np.array([86.0, 0.0, 0.0, 0.0, 85.05112877980659, -85.05112877980659])
    order = z_order(lon, lat)
    assert len(order.u) == 2
    assert order.rows[2:].tolist() == [0, 1, 2, 3]
    assert sorted(zip(order.u.tolist(), order.v.tolist(), strict=True)) == [
        (0, 2**32 - 1),
        (2**32 - 1, 0),
    ]
    assert len(z_order(np.zeros(0), np.zeros(0)).rows) == 0


@settings(deadline=None)  # the first call loads compiled loops
@given(STEP, STEP, STEP, STEP)
def test_runs_of_a_box_hold_all_of_it_and_no_more_where_they_say_so(a, b, c, d):
    _, _, order = _placed(4000, 2)
    left, right, top, bottom = min(a, b), max(a, b), min(c, d), max(c, d)
    runs = box_rows(order.u, order.v, (left, top, right, bottom))
    u, v = order.u.astype(np.int64), order.v.astype(np.int64)
    inside = (u >= left) & (u <= right) & (v >= top) & (v <= bottom)
    covered, whole = np.zeros(len(u), bool), np.zeros(len(u), bool)
    for start, stop, all_of_it in runs.tolist():
        assert not covered[start:stop].any()
        covered[start:stop] = True
        whole[start:stop] = all_of_it
    assert not (inside & ~covered).any()
    assert not (whole & ~inside).any()
    assert (np.diff(runs[:, 0]) > 0).all()


def test_squares_share_out_all_rows():
    _, _, order = _placed(3000, 3)
    for level in (32, 31, 29):
        side = 1 << level
        n = 2**32 // side
        squares = np.array([(x * side, y * side) for y in range(n) for x in range(n)])
        ends = square_rows(order.u, order.v, squares, level)
        assert (ends[:, 1] - ends[:, 0]).sum() == len(order.u)
        for (x, y), (start, stop) in zip(squares.tolist(), ends.tolist(), strict=True):
            u, v = order.u[start:stop].astype(np.int64), order.v[start:stop].astype(np.int64)
            assert ((u // side == x // side) & (v // side == y // side)).all()


def test_steps_and_degrees_are_inverse():
    steps = np.array([0, 1, 2**31, 2**32 - 1])
    u, v = world_steps(*steps_lonlat(steps, steps))
    assert (abs(u - steps) <= 1).all()
    assert (abs(v - steps) <= 1).all()
