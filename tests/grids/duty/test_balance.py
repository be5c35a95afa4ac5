"""Duty grids share the work, stay in one piece and inside their community, and come near the best there is."""

from functools import lru_cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, CrsError, IndexMismatchError, InputError
from gisgrid.grids import balance, duty_grids, suggest_moves, workload
from gisgrid.grids.duty.exchange import Wishes, cost, exchange
from gisgrid.grids.duty.neighbours import components, neighbours
from gisgrid.grids.duty.starts import compact_start, joined, strip_start


def lattice(columns, rows, community="c", east=0.0):
    """Squares of 100 m, row by row from the north-west."""
    column, row = np.arange(columns * rows) % columns, np.arange(columns * rows) // columns
    west, south = 500_000 + east + 100 * column, 3_900_000 - 100 * row
    names = [f"{community}{i:03}" for i in range(columns * rows)]
    return gpd.GeoDataFrame(
        {"unit_grid_code": names, "community_code": community},
        geometry=shapely.box(west, south, west + 100, south + 100), crs=4547,
    )  # fmt: skip


@lru_cache
def divisions(columns, rows, k):
    """Every division of a lattice into k grids in one piece, one per row."""
    n = columns * rows
    graph = neighbours(lattice(columns, rows).geometry.to_numpy())
    bits = 2 ** np.arange(n)
    whole = np.zeros(2**n, dtype=bool)
    for mask in range(1, 2**n):
        inside = (mask & bits) > 0
        whole[mask] = len(np.unique(components(inside.astype(int), graph)[inside])) == 1
    every = np.indices((k,) * n).reshape(n, -1).T
    return every[np.all([whole[(every == grid) @ bits] for grid in range(k)], axis=0)]


def loads_of(every, load, k):
    """The load of each grid of each division."""
    return np.stack([(every == grid) @ np.asarray(load) for grid in range(k)], axis=1)


def largest_over_mean(label, load):
    loads = np.bincount(label, weights=load)
    return loads.max() / loads.mean()


@given(
    seed=st.integers(0, 10_000), shape=st.sampled_from([(3, 3), (4, 2), (9, 1), (3, 2)]), k=st.integers(2, 3)
)  # fmt: skip
@settings(max_examples=12, deadline=None)
def test_small_communities_come_near_the_best_of_all_divisions(seed, shape, k):
    units = lattice(*shape)
    load = pd.Series(np.random.default_rng(seed).integers(1, 20, len(units)).astype(float))
    loads = loads_of(divisions(*shape, k), load, k)
    best = (loads.max(axis=1) / loads.mean(axis=1)).min()
    found = balance(units, load, within="community_code", n_grids=k, tolerance=0.0)
    row = found.communities.loc["c"]
    assert row["imbalance_bound"] <= best + 1e-9
    assert best - 1e-9 <= row["imbalance_after"] <= 1.1 * best
    assert row["imbalance_after"] == pytest.approx(
        largest_over_mean(pd.factorize(found.duty_grid)[0], load)
    )


def test_most_small_communities_get_the_very_best():
    every = divisions(4, 2, 3)
    exact = 0
    for seed in range(20):
        load = pd.Series(np.random.default_rng(seed).integers(1, 20, 8).astype(float))
        loads = loads_of(every, load, 3)
        best = (loads.max(axis=1) / loads.mean(axis=1)).min()
        found = balance(lattice(4, 2), load, within="community_code", n_grids=3, tolerance=0.0)
        exact += found.communities.loc["c", "imbalance_after"] <= best + 1e-9
    assert exact >= 16


@pytest.fixture(scope="module")
def town():
    """Three communities of 84 units with a busy corner each, and a fourth without work."""
    frames = [lattice(12, 7, community=name, east=5_000 * i) for i, name in enumerate("pqrs")]
    units = pd.concat(frames, ignore_index=True)
    rng = np.random.default_rng(7)
    middle = units.centroid
    corner = np.exp(-((middle.x % 5_000) / 500))
    load = pd.Series(rng.poisson(2 + 12 * corner).astype(float), index=units.index)
    load[units["community_code"] == "s"] = 0
    return units, load


def test_a_town_is_balanced_in_one_piece_inside_its_communities(town):
    units, load = town
    found = balance(units, load, within="community_code", n_grids=6)
    assert found.duty_grid.index.equals(units.index)
    assert (found.duty_grid.str[:1] == units["community_code"]).all()
    assert (found.grids["n_pieces"] == 1).all()
    assert found.grids["workload"].sum() == pytest.approx(load.sum())
    assert found.grids["n_units"].sum() == len(units)
    busy = found.communities.drop("s")
    assert (busy["imbalance_after"] <= 1.1 + 1e-9).all()
    assert (busy["imbalance_after"] < busy["imbalance_before"]).all()
    assert found.grids["compactness"].min() > 0.2
    assert found.grids["compactness"].median() > 0.45
    assert found.grids.drop(columns="geometry").loc["s-01"]["n_units"] == pytest.approx(14, abs=1)
    assert found.grids["share_of_mean"].isna().sum() == 6
    assert "at most" in repr(found)


def test_grids_are_numbered_from_west_to_east(town):
    units, load = town
    found = balance(units, load, within="community_code", n_grids=2)
    assert list(found.grids.index) == [f"{c}-{i:02}" for c in "pqrs" for i in (1, 2)]
    middle = found.grids.centroid
    assert ((middle["p-01":"p-01"].x.iloc[0] < middle["p-02":"p-02"].x.iloc[0])
            or middle["p-01":"p-01"].y.iloc[0] > middle["p-02":"p-02"].y.iloc[0])  # fmt: skip


def test_twice_the_same_and_whatever_the_order(town):
    units, load = town
    before = units.copy()
    first = balance(units, load, within="community_code", n_grids=5)
    assert first.duty_grid.equals(
        balance(units, load, within="community_code", n_grids=5).duty_grid
    )
    assert units.equals(before)
    order = np.random.default_rng(1).permutation(len(units))
    mixed = balance(units.iloc[order], load.iloc[order], within="community_code", n_grids=5)
    assert mixed.duty_grid.sort_index().equals(first.duty_grid)


def test_the_number_of_grids_follows_from_the_load(town):
    units, load = town
    found = balance(units, load, within="community_code", load_per_grid=60)
    work = load.groupby(units["community_code"]).sum()
    assert found.communities["n_grids"].to_dict() == {
        c: max(1, round(work[c] / 60)) for c in "pqrs"
    }
    some = balance(
        units, load, within="community_code", n_grids=pd.Series({"p": 1, "q": 2, "r": 3, "s": 84})
    )
    assert some.communities["n_grids"].to_list() == [1, 2, 3, 84]


def test_islands_are_reached_over_the_shortest_gap_and_that_is_said():
    units = pd.concat([lattice(4, 2), lattice(2, 1, east=900)], ignore_index=True)
    found = balance(units, pd.Series(1.0, index=units.index), within="community_code", n_grids=2)
    assert found.communities.loc["c", "n_bridges"] == 1
    assert sorted(found.grids["n_units"]) == [5, 5]
    assert sorted(found.grids["n_pieces"]) == [1, 2]
    graph = neighbours(units.geometry.to_numpy())
    assert graph.bridges.tolist() == [[3, 8]]


def test_a_grid_that_touches_in_a_corner_only_is_not_in_one_piece():
    graph = neighbours(lattice(2, 2).geometry.to_numpy())
    assert components(np.array([0, 1, 1, 0]), graph).max() == 3
    assert graph.border_m.tolist() == [100.0] * 8


def test_neighbours_whose_borders_differ_by_millimetres_touch():
    units = shapely.box([0, 100.004, 100], [0, 0, 50.003], [100, 200, 200], [100, 50, 100])
    graph = neighbours(units)
    assert len(graph.bridges) == 0
    assert np.diff(graph.first).tolist() == [2, 2, 2]


def test_the_search_keeps_every_grid_in_one_piece_and_never_gets_worse():
    for seed in range(6):
        units = lattice(9, 8)
        graph = neighbours(units.geometry.to_numpy())
        load = np.random.default_rng(seed).gamma(1, 5, len(units))
        middle = shapely.get_coordinates(units.centroid.to_numpy())
        wishes = Wishes(0.05, 1.0, np.zeros(len(units), dtype=np.int64), 0.0)
        starts = [compact_start(middle, graph, n_grids=7)]
        starts += [strip_start(axis, load, graph, n_grids=7) for axis in middle.T]
        for start in starts:
            assert components(start, graph).max() == 6
            found = exchange(start, load, graph, wishes, n_grids=7)
            assert components(found, graph).max() == 6
            assert (
                cost(found, load, graph, wishes, n_grids=7)
                <= cost(start, load, graph, wishes, n_grids=7) + 1e-9
            )


def test_what_is_in_pieces_is_joined():
    graph = neighbours(lattice(6, 1).geometry.to_numpy())
    assert joined(np.array([0, 1, 0, 0, 2, 2]), np.ones(6), graph).tolist() == [1, 1, 0, 0, 2, 2]


def test_the_present_division_is_the_imbalance_before(town):
    units, load = town
    now = units["community_code"] + np.where(np.arange(len(units)) % 84 < 60, "a", "b")
    found = balance(units, load, within="community_code", current=now)
    assert (found.communities["n_grids"] == 2).all()
    loads = load.groupby(now).sum()
    assert found.communities.loc["p", "imbalance_before"] == pytest.approx(
        2 * loads["pa"] / (loads["pa"] + loads["pb"])
    )


def fewest(load, home, tolerance):
    """The fewest units that must move, of all divisions of 5 by 2; None if none is within the tolerance."""
    every = divisions(5, 2, 2)
    loads = loads_of(every, load, 2)
    fair = (np.abs(loads / loads.mean(axis=1)[:, None] - 1) <= tolerance + 1e-9).all(axis=1)
    return int((every[fair] != home).sum(axis=1).min()) if fair.any() else None


@pytest.mark.parametrize("seed", range(8))
def test_the_fewest_moves_are_the_fewest(seed):
    units = lattice(5, 2)
    rng = np.random.default_rng(seed)
    load = pd.Series(rng.integers(1, 12, 10).astype(float))
    home = np.array([0, 0, 0, 1, 1] * 2)
    want = fewest(load, home, 0.1)
    now = pd.Series(home).map({0: "west", 1: "east"})
    found = suggest_moves(
        units, load, now, key="unit_grid_code", within="community_code", tolerance=0.1
    )
    row = found.communities.loc["c"]
    if want is None:
        assert (row["within_tolerance"], row["fewest"], row["n_moves_bound"]) == (False, False, -1)
        assert row["imbalance_after"] <= row["imbalance_before"] + 1e-9
    else:
        assert (row["n_moves"], row["fewest"], row["n_moves_bound"]) == (want, True, want)
        assert row["within_tolerance"]
        assert row["in_one_piece"]


def test_moves_can_be_carried_out_one_by_one(town):
    units, load = town
    before = balance(units, load, within="community_code", n_grids=5).duty_grid
    later = load * np.random.default_rng(3).uniform(0.4, 1.8, len(load))
    found = suggest_moves(
        units, later, before, key="unit_grid_code", within="community_code", tolerance=0.15
    )
    assert found.communities["within_tolerance"].all()
    assert found.communities["in_one_piece"].all()
    assert 0 < len(found.moves) < 0.1 * len(units)
    now = before.copy()
    for move in found.moves.itertuples():
        at = units.index[units["unit_grid_code"] == move.unit_grid_code][0]
        assert now[at] == move.from_grid
        now[at] = move.to_grid
        loads = later.groupby(now).sum()
        assert move.workload == pytest.approx(later[at])
        assert (move.from_load, move.to_load) == pytest.approx(
            (loads[move.from_grid], loads[move.to_grid])
        )
        mine = loads[loads.index.str.startswith(move.community_code)]
        assert move.imbalance == pytest.approx(mine.max() / mine.mean())
    done = duty_grids(units, now, later, within="community_code")
    assert (done["n_pieces"] == 1).all()
    share = done["share_of_mean"].dropna()
    assert ((share - 1).abs() <= 0.15 + 1e-9).all()


def test_a_fair_division_needs_no_moves():
    units = lattice(4, 1)
    found = suggest_moves(
        units,
        pd.Series([1.0] * 4),
        pd.Series(list("xxyy")),
        key="unit_grid_code",
        within="community_code",
    )
    assert len(found.moves) == 0
    assert found.communities[["n_moves", "fewest", "within_tolerance"]].values.tolist() == [
        [0, True, True]
    ]
    assert "0 unit grids" in repr(found)


def test_a_division_in_pieces_is_joined_even_if_it_is_fair():
    units = lattice(6, 1)
    now = pd.Series(list("xyxyxy"))
    found = suggest_moves(
        units, pd.Series([1.0] * 6), now, key="unit_grid_code", within="community_code"
    )
    row = found.communities.loc["c"]
    assert (row["n_moves"], row["fewest"], row["in_one_piece"]) == (2, True, True)


def test_a_tolerance_that_one_unit_alone_breaks_is_called_impossible():
    units = lattice(4, 1)
    found = suggest_moves(
        units,
        pd.Series([90.0, 1, 1, 1]),
        pd.Series(list("xxyy")),
        key="unit_grid_code",
        within="community_code",
    )
    row = found.communities.loc["c"]
    assert (row["n_moves_bound"], row["within_tolerance"]) == (-1, False)


def test_without_time_the_search_stands_in_and_nothing_is_called_proved():
    units = lattice(5, 2)
    load = pd.Series([9.0, 1, 1, 1, 1] * 2)
    now = pd.Series(list("xxxyy") * 2)
    found = suggest_moves(
        units,
        load,
        now,
        key="unit_grid_code",
        within="community_code",
        tolerance=0.45,
        time_limit_s=0.0,
    )
    row = found.communities.loc["c"]
    assert not row["fewest"]
    assert row["within_tolerance"]
    assert row["in_one_piece"]


UNITS = lattice(2, 2)
ONES = pd.Series([1.0] * 4)


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"units": UNITS.to_crs(4326)}, CrsError, "needs metres"),
        ({"within": "village"}, ColumnError, "no column 'village'"),
        ({"units": UNITS.iloc[:0], "load": ONES[:0]}, InputError, "0 units"),
        ({"load": ONES[:3]}, IndexMismatchError, "3 rows .* 4 units"),
        ({"load": -ONES}, InputError, "4 of 4 loads are missing, negative"),
        ({"load": ONES * np.nan}, InputError, "4 of 4 loads"),
        ({"units": UNITS.assign(community_code=None)}, InputError, "4 of 4 units have no 'community_code'"),
        ({"units": UNITS.set_geometry(UNITS.centroid)}, InputError, "4 of 4 units have no area"),
        ({"n_grids": 5}, InputError, "n_grids is 5 for 'c' but its 4 units"),
        ({"n_grids": 0}, InputError, "n_grids is 0"),
        ({"n_grids": 1.5}, InputError, "n_grids is 1.5"),
        ({"n_grids": pd.Series({"d": 1})}, InputError, "n_grids is None for 'c'"),
        ({"n_grids": None}, InputError, "needs the number of duty grids"),
        ({"load_per_grid": 3.0}, InputError, "both given"),
        ({"n_grids": None, "load_per_grid": 0.0}, InputError, "load_per_grid is 0"),
        ({"tolerance": 1.0}, InputError, "tolerance is 1"),
        ({"current": pd.Series(["a", "a", None, "b"])}, InputError, "1 of 4 units have no duty grid"),
        ({"units": UNITS.assign(community_code=list("ccdd")), "current": pd.Series(list("aaab")), "n_grids": None},
         InputError, "1 of 2 duty grids lie in more than one 'community_code'"),
    ],
)  # fmt: skip
def test_what_cannot_be_balanced_is_refused(change, error, words):
    given_ = {"units": UNITS, "load": ONES, "within": "community_code", "n_grids": 2} | change
    with pytest.raises(error, match=words):
        balance(given_.pop("units"), given_.pop("load"), **given_)


def test_moves_need_a_name_for_each_unit():
    now = pd.Series(list("aabb"))
    with pytest.raises(ColumnError, match="no column 'unit'"):
        suggest_moves(UNITS, ONES, now, key="unit", within="community_code")
    with pytest.raises(InputError, match="4 of 4 units have no 'unit'"):
        suggest_moves(UNITS.assign(unit=None), ONES, now, key="unit", within="community_code")
    with pytest.raises(InputError, match="tolerance is 2"):
        suggest_moves(UNITS, ONES, now, key="unit_grid_code", within="community_code", tolerance=2)


def test_work_is_a_weighted_sum():
    units = pd.DataFrame({"n_reports": [4, None], "households": [100, 50], "name": ["a", "b"]})
    assert workload(units, {"n_reports": 2, "households": 0.1}).to_list() == [18.0, 5.0]
    with pytest.raises(ColumnError, match="did you mean 'households'"):
        workload(units, {"household": 1})
    with pytest.raises(ColumnError, match="made of numbers"):
        workload(units, {"name": 1})
    with pytest.raises(InputError, match="cannot be negative"):
        workload(units, {"n_reports": -1})
    with pytest.raises(InputError, match="1 column or more"):
        workload(units, {})
