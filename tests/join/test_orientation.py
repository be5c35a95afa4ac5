"""The side of a line, against arithmetic without rounding."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.join.orientation import orientation

coordinate = st.floats(-1e7, 1e7, allow_subnormal=False)


def exact_side(*numbers):
    ax, ay, bx, by, px, py = map(Fraction, numbers)
    side = (ax - px) * (by - py) - (ay - py) * (bx - px)
    return (side > 0) - (side < 0)


@pytest.mark.parametrize("offset", [0.0, 4e5, 3.9e6, 1e12])
@pytest.mark.parametrize("unit", [1.0, 1e-7, 2.0**-40, 1e5])
def test_points_a_few_float_steps_from_a_slanted_line(offset, unit):
    rng = np.random.default_rng(20)
    for _ in range(200):
        a, b = offset + unit * rng.integers(-50, 50, (2, 2)) / 7
        p = a + rng.random() * (b - a)
        for x in (p[0], np.nextafter(p[0], np.inf), np.nextafter(p[0], -np.inf)):
            found = orientation(*a, *b, x, p[1])
            assert np.sign(found) == exact_side(*a, *b, x, p[1])


@given(st.tuples(*[coordinate] * 6), st.floats(0, 1))
@settings(derandomize=True, max_examples=200, deadline=None)
def test_any_points_and_points_near_the_line(numbers, share):
    ax, ay, bx, by, px, py = numbers
    assert np.sign(orientation(ax, ay, bx, by, px, py)) == exact_side(ax, ay, bx, by, px, py)
    px, py = ax + share * (bx - ax), ay + share * (by - ay)
    assert np.sign(orientation(ax, ay, bx, by, px, py)) == exact_side(ax, ay, bx, by, px, py)


def test_the_line_read_backwards_has_its_sides_exchanged():
    forth = orientation(0.1, 0.2, 0.7, 0.9, 0.4, 0.55)
    back = orientation(0.7, 0.9, 0.1, 0.2, 0.4, 0.55)
    assert np.sign(forth) == -np.sign(back)
    assert np.sign(forth) == exact_side(0.1, 0.2, 0.7, 0.9, 0.4, 0.55)


def test_the_exact_sum_decides_where_a_float_determinant_is_wrong():
    wrong = 0
    for i in range(64):
        for j in range(64):
            x, y = 0.5 + i * 2.0**-53, 0.5 + j * 2.0**-53
            side = exact_side(12.0, 12.0, 24.0, 24.0, x, y)
            assert np.sign(orientation(12.0, 12.0, 24.0, 24.0, x, y)) == side
            wrong += np.sign((12.0 - x) * (24.0 - y) - (12.0 - y) * (24.0 - x)) != side
    assert wrong > 1000
