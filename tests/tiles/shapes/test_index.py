import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.tiles.shapes.index import box_tree, boxes_touching


@pytest.mark.parametrize("n", [0, 1, 16, 17, 300, 5000])
def test_it_finds_what_a_look_at_every_box_finds(n):
    rng = np.random.default_rng(n)
    low = rng.integers(-1000, 1000, (n, 2))
    boxes = np.column_stack([low, low + rng.integers(0, 60, (n, 2))]).astype(np.int32)
    tree = box_tree(boxes)
    for left, top in rng.integers(-1100, 1100, (40, 2)):
        right, bottom = left + 90, top + 70
        touch = (
            (boxes[:, 0] <= right)
            & (boxes[:, 2] >= left)
            & (boxes[:, 1] <= bottom)
            & (boxes[:, 3] >= top)
        )
        assert (
            boxes_touching(tree, left, top, right, bottom).tolist()
            == np.flatnonzero(touch).tolist()
        )


@settings(derandomize=True, max_examples=50, deadline=None)
@given(st.lists(st.tuples(*[st.integers(-(2**31), 2**31 - 1)] * 4), max_size=40))
def test_boxes_of_any_size_are_found(corners):
    boxes = np.array(
        [(min(a, c), min(b, d), max(a, c), max(b, d)) for a, b, c, d in corners], np.int32
    ).reshape(-1, 4)
    tree = box_tree(boxes)
    everything = boxes_touching(tree, -(2**40), -(2**40), 2**40, 2**40)
    assert everything.tolist() == list(range(len(boxes)))
    for i, box in enumerate(boxes.tolist()):
        assert i in boxes_touching(tree, *box)


def test_neighbours_stand_together():
    x, y = np.meshgrid(np.arange(64), np.arange(64))
    low = np.column_stack([x.ravel(), y.ravel()]) * 10
    order = box_tree(np.column_stack([low, low + 1]).astype(np.int32)).position
    steps = np.abs(np.diff(low[order] // 10, axis=0)).sum(axis=1)
    assert steps.max() == 1  # the curve never leaps
