"""Numbers run from west to east, then from north to south, and what does not is found."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, IndexMismatchError, InputError
from gisgrid.grids import SCHEMES, numbering, out_of_order


def blocks(columns=6, rows=5, *, side=100.0, jitter=0.0, seed=0):
    """Cells of a street grid, each moved and narrowed a little, the north-western one first."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(columns), np.arange(rows)[::-1])
    west = x.ravel() * side + rng.uniform(0, jitter * side, x.size)
    south = y.ravel() * side + rng.uniform(0, jitter * side, x.size)
    shapes = shapely.box(west, south, west + (1 - jitter) * side, south + (1 - jitter) * side)
    return gpd.GeoDataFrame({"cell": np.arange(x.size)}, geometry=shapes, crs=4547)


@pytest.mark.parametrize("jitter", [0.0, 0.2])
def test_a_street_grid_is_numbered_as_one_reads(jitter):
    units = blocks(jitter=jitter)
    assert numbering(units).to_list() == list(range(1, 31))


def test_each_parent_starts_anew():
    units = blocks(4, 2).assign(parent=["a", "a", "b", "b"] * 2)
    assert numbering(units, within="parent").to_list() == [1, 2, 1, 2, 3, 4, 3, 4]
    assert numbering(units, within=units["parent"]).equals(numbering(units, within="parent"))


def test_a_scheme_writes_the_code():
    units = blocks(2, 1).assign(community="110101001002")
    codes = numbering(units, within="community", scheme=SCHEMES["beijing-15"])
    assert codes.to_list() == ["110101001002001", "110101001002002"]
    place = "010100" + "110101001002"
    lone = blocks(1, 1).assign(community=place)
    assert numbering(lone, within="community", scheme=SCHEMES["cjt349-20"]).to_list() == [
        place + "00"
    ]
    two = blocks(2, 1).assign(community=place)
    assert numbering(two, within="community", scheme=SCHEMES["cjt349-20"]).to_list() == [
        place + "01", place + "02",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("ask", "error", "said"),
    [
        (lambda u: numbering(u, within="x"), ColumnError, "no column 'x'"),
        (lambda u: numbering(u, within=pd.Series(["a"])), IndexMismatchError, "not indexed alike"),
        (lambda u: numbering(u.assign(p=[None] + ["a"] * 99), within="p"), InputError, "no parent"),
        (lambda u: numbering(u.set_geometry([None, *u.geometry[1:]], crs=u.crs)), InputError, "no place"),
        (
            lambda u: numbering(u.assign(p="010100110101001002"), within="p", scheme=SCHEMES["cjt349-20"]),
            InputError, "end at 99",
        ),
        (lambda u: numbering(u.assign(p="1101"), within="p", scheme=SCHEMES["beijing-15"]), InputError, "do not fit"),
    ],
)  # fmt: skip
def test_what_cannot_be_numbered_is_refused(ask, error, said):
    with pytest.raises(error, match=said):
        ask(blocks(10, 10))


@settings(max_examples=25, deadline=None)
@given(
    points=st.lists(
        st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(1, 9), st.integers(1, 9)),
        min_size=1, max_size=40, unique_by=lambda p: p[:2],
    ),
    seed=st.integers(0, 5),
)  # fmt: skip
def test_its_own_numbers_are_in_order_and_keep_to_the_ground(points, seed):
    x, y, w, h = (np.array(values, dtype=float) for values in zip(*points, strict=True))
    shapes = shapely.box(x * 2 - w, y * 2 - h, x * 2 + w, y * 2 + h)
    units = gpd.GeoDataFrame({"id": [f"{i:02d}" for i in range(len(x))]}, geometry=shapes, crs=4547)
    serial = numbering(units, key="id")
    assert sorted(serial) == list(range(1, len(x) + 1))
    assert not out_of_order(units.assign(n=serial), key="n").any()
    # The order of rows, the place and the unit of length mean nothing.
    shuffled = units.sample(frac=1, random_state=seed)
    assert numbering(shuffled, key="id").sort_index().equals(serial)
    moved = units.set_geometry(units.translate(512.0, -256.0).scale(4, 4, origin=(0, 0)))
    assert numbering(moved, key="id").equals(serial)
    # No later unit lies both west and north of an earlier one.
    order = np.argsort(serial.to_numpy())
    west = x[order][:, None] > x[order][None, :]
    north = y[order][:, None] < y[order][None, :]
    assert not np.triu(west & north, 1).any()


@pytest.mark.parametrize(
    ("numbers", "least"),
    [
        ("columns first", 20), ("from the east", 20), ("from the south", 20), ("like a snake", 10), ("two rows by columns", 5),
    ],
)  # fmt: skip
def test_other_orders_are_found(numbers, least):
    units = blocks(6, 2 if numbers.startswith("two") else 5)
    at = np.arange(len(units))
    column, row, rows = at % 6, at // 6, len(units) // 6
    serial = {
        "columns first": column * rows + row,
        "two rows by columns": column * rows + row,
        "from the east": row * 6 + 5 - column,
        "from the south": (rows - 1 - row) * 6 + column,
        "like a snake": row * 6 + np.where(row % 2, 5 - column, column),
    }[numbers]
    assert out_of_order(units.assign(n=serial), key="n").sum() >= least


@pytest.mark.parametrize("jitter", [0.0, 0.2])
@pytest.mark.parametrize(("one", "other", "n"), [(8, 9, 1), (0, 29, 2), (3, 21, 2), (14, 26, 2)])
def test_exchanged_numbers_are_found(jitter, one, other, n):
    units = blocks(jitter=jitter)
    serial = numbering(units).to_numpy().copy()
    serial[[one, other]] = serial[[other, one]]
    wrong = out_of_order(units.assign(n=serial), key="n")
    assert wrong.sum() == n
    assert set(wrong.index[wrong]) <= {one, other}


def test_other_rows_than_our_own_are_right_too():
    # Rows of two heights: by eye two rows, whatever the median height is.
    shapes = [
        shapely.box(0, 90, 50, 200),
        shapely.box(50, 100, 100, 200),
        shapely.box(100, 150, 150, 200),
    ]
    shapes += [
        shapely.box(0, 0, 50, 90),
        shapely.box(50, 0, 100, 100),
        shapely.box(100, 0, 150, 150),
    ]
    units = gpd.GeoDataFrame({"n": range(6)}, geometry=shapes, crs=4547)
    assert not out_of_order(units, key="n").any()


def test_committees_of_residents_and_of_villagers_are_numbered_apart():
    units = blocks(4, 1).assign(
        code=["110101001200", "110101001001", "110101001201", "110101001002"]
    )
    assert not out_of_order(units, key="code", scheme=SCHEMES["statistical-12"]).any()
    assert out_of_order(units, key="code").any()


def test_what_has_no_place_or_code_is_not_judged():
    units = blocks(3, 1).assign(code=["110101001002001", None, "x"])
    assert not out_of_order(units, key="code", scheme=SCHEMES["beijing-15"]).any()
    nowhere = units.set_geometry([None, shapely.Polygon(), units.geometry[2]], crs=units.crs)
    assert not out_of_order(nowhere.assign(n=[3, 2, 1]), key="n").any()


def test_text_is_in_order_by_length_and_then_by_its_characters():
    units = blocks(6, 2).assign(n=[str(k) for k in range(1, 13)])
    assert not out_of_order(units, key="n").any()


@pytest.mark.data
def test_the_units_of_taipei(shared_data):
    units = gpd.read_parquet(shared_data / "taipei" / "taipei_base_units.parquet")
    serial = numbering(units, within="CODE2", key="CODEBASE")
    numbered = units.assign(n=serial)
    assert not out_of_order(numbered, key="n", within="CODE2").any()
    # Exchange two far numbers in each of 50 parents that are large enough for it to be plain.
    rng, planted = np.random.default_rng(1), []
    groups = [at for at in units.groupby("CODE2").indices.values() if len(at) >= 20]
    for at in groups[:50]:
        order = at[np.argsort(serial.to_numpy()[at])]
        one, other = order[rng.integers(0, 5)], order[-1 - rng.integers(0, 5)]
        numbered.loc[[one, other], "n"] = serial[[other, one]].to_numpy()
        planted += [one, other]
    wrong = out_of_order(numbered, key="n", within="CODE2")
    found = set(np.flatnonzero(wrong))
    assert found == set(planted)
