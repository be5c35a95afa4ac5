import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import gi_star
from gisgrid.analysis.significance import corrected
from gisgrid.analysis.space_time.step_scores import step_scores
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning

SIDE, N, STEPS = 9, 81, 5


@pytest.fixture(scope="module")
def cube():
    return pd.DataFrame(np.random.default_rng(1).poisson(3, (N, STEPS)).astype(float))


@pytest.mark.parametrize("unequal", [False, True])
def test_each_step_is_gi_star_of_that_step_with_isolates_and_gaps(cube, lattice, graph_of, unequal):
    weights = lattice(SIDE)
    if unequal:
        weights *= np.random.default_rng(2).uniform(1, 2, weights.shape)
    weights[5] = weights[:, 5] = 0
    np.fill_diagonal(weights, np.where(np.arange(N) % 7 == 0, 1.5, 0))
    weights[5, 5] = 0
    graph = graph_of(weights)
    gaps = cube.copy()
    gaps.iloc[20:30, 2] = np.nan
    gaps.iloc[3, 4] = np.nan
    found = step_scores(gaps, graph)
    for step in gaps:
        expected = gi_star(gaps[step], graph)
        np.testing.assert_allclose(found.z[step], expected["z"], atol=1e-10)
        np.testing.assert_allclose(found.q[step], corrected(expected["p"]), atol=1e-10)


@pytest.mark.parametrize("lag", [1, 2, 9])
def test_a_lag_is_gi_star_of_the_space_time_graph(cube, lattice, graph_of, lag):
    weights = lattice(SIDE)
    near = weights + np.eye(N)
    graph = graph_of(weights)
    by_step = step_scores(cube, graph, lag=lag).z
    by_cube = step_scores(cube, graph, lag=lag, reference="cube").z
    for step in range(STEPS):
        k = min(lag, step) + 1
        values = pd.Series(cube.iloc[:, step - k + 1 : step + 1].to_numpy().T.ravel())
        expected = gi_star(values, graph_of(np.kron(np.ones((k, k)), near)))["z"][-N:]
        np.testing.assert_allclose(by_step[step], expected, atol=1e-10)
    back = np.tril(np.ones((STEPS, STEPS))) - np.tril(np.ones((STEPS, STEPS)), -lag - 1)
    expected = gi_star(pd.Series(cube.to_numpy().T.ravel()), graph_of(np.kron(back, near)))["z"]
    np.testing.assert_allclose(by_cube.to_numpy().T.ravel(), expected, atol=1e-10)


def test_a_step_where_all_is_the_same_has_no_score(cube, lattice, graph_of):
    silent = cube.copy()
    silent[2] = 0.0
    with pytest.warns(NullResultWarning, match="1 of 5 time steps"):
        found = step_scores(silent, graph_of(lattice(SIDE)))
    assert found.z[2].isna().all()
    assert found.z.drop(columns=2).notna().all(axis=None)
    with pytest.warns(NullResultWarning, match="5 of 5"):
        assert step_scores(cube * 0, graph_of(lattice(SIDE)), lag=1).z.isna().all(axis=None)
    with pytest.warns(NullResultWarning, match="5 of 5"):
        assert step_scores(cube * np.nan, graph_of(lattice(SIDE))).q.isna().all(axis=None)
    with pytest.warns(NullResultWarning, match="5 of 5"):
        assert step_scores(cube, graph_of(np.zeros((N, N)))).z.isna().all(axis=None)


def test_what_does_not_exist_is_refused(cube, lattice, graph_of):
    graph = graph_of(lattice(SIDE))
    for option in ({"lag": -1}, {"reference": "city"}, {"correction": "holm"}):
        with pytest.raises(InputError):
            step_scores(cube, graph, **option)
    with pytest.raises(IndexMismatchError):
        step_scores(cube.iloc[1:], graph)
    with pytest.raises(InputError, match="infinite"):
        step_scores(cube.replace(0, np.inf), graph)
