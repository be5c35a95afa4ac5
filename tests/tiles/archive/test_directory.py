"""Directories as the package `pmtiles` reads and writes them; what is damaged is refused."""

import gzip

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pmtiles.tile import Entry, deserialize_directory, serialize_directory

from gisgrid.errors import InputError
from gisgrid.tiles.archive.directory import (
    MOST_ROOT_BYTES,
    Directory,
    packed,
    rooted,
    runs_of,
    unpacked,
)


def entries(n, *, seed=0):
    rng = np.random.default_rng(seed)
    number = np.unique(rng.integers(0, 10 * n + 10, n))
    length = rng.integers(1, 60_000, len(number))
    offset = np.cumsum(length) - length
    for again in rng.integers(0, len(number), len(number) // 4):
        offset[again], length[again] = offset[again // 2], length[again // 2]
    return number, offset, length


def theirs(directory):
    columns = (directory.number, directory.offset, directory.length, directory.run)
    return [Entry(*row) for row in np.column_stack(columns).tolist()]


@pytest.mark.parametrize("n", [1, 2, 5000])
def test_directories_are_those_of_pmtiles(n):
    ours = runs_of(*entries(n))
    assert gzip.decompress(packed(ours)) == gzip.decompress(serialize_directory(theirs(ours)))
    assert list(map(str, deserialize_directory(packed(ours)))) == list(map(str, theirs(ours)))
    again = unpacked(packed(ours), compressed=True, name="it")
    for column in ("number", "run", "length", "offset"):
        assert (getattr(again, column) == getattr(ours, column)).all()


def test_nothing_is_a_directory_too():
    none = np.empty(0, dtype=np.int64)
    assert len(unpacked(packed(runs_of(none, none, none)), compressed=True, name="it")) == 0


def test_tiles_in_a_row_with_the_same_content_are_one_entry():
    number = np.array([5, 6, 7, 9, 10])
    joined = runs_of(number, np.array([0, 0, 0, 0, 40]), np.array([40, 40, 40, 40, 2]))
    assert joined.number.tolist() == [5, 9, 10]
    assert joined.run.tolist() == [3, 1, 1]
    found = {n: joined.find(n) for n in range(4, 12)}
    assert found == {4: None, 5: 0, 6: 0, 7: 0, 8: None, 9: 1, 10: 2, 11: None}


def test_the_root_always_fits_its_place():
    number, offset, length = entries(200_000)
    root, leaves = rooted(runs_of(number, offset, length))
    assert len(root) <= MOST_ROOT_BYTES
    of_leaves = unpacked(root, compressed=True, name="it")
    assert (of_leaves.run == 0).all()
    seen = []
    for at, n in zip(of_leaves.offset.tolist(), of_leaves.length.tolist(), strict=True):
        leaf = unpacked(leaves[at : at + n], compressed=True, name="it")
        seen += leaf.number.tolist()
    assert seen == runs_of(number, offset, length).number.tolist()


@settings(deadline=None)  # the first call compiles
@given(st.binary(max_size=200))
def test_what_is_damaged_is_refused(content):
    """Whatever the bytes are: a directory, or one sentence."""
    for compressed in (True, False):
        try:
            found = unpacked(content, compressed=compressed, name="it")
        except InputError:
            continue
        assert isinstance(found, Directory)


def test_a_bomb_is_refused():
    bomb = gzip.compress(bytes(100_000_000))
    with pytest.raises(InputError, match="larger than any directory"):
        unpacked(bomb, compressed=True, name="it")
