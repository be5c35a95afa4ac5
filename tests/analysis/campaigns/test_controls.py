import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis.campaigns.controls import matched_controls
from gisgrid.errors import IndexMismatchError, InputError, NullResultWarning

N = 60


@pytest.fixture
def city():
    rng = np.random.default_rng(1)
    before = pd.DataFrame(rng.poisson(rng.gamma(2, 5, N)[:, None], (N, 6)))
    return before, pd.Series(np.arange(N) < 12)


def test_the_nearest_are_taken(city):
    before, treated = city
    found = matched_controls(before, treated, n_controls=2)
    level = np.sqrt(before.mean(axis=1))
    rise = np.sqrt(before.iloc[:, 3:].mean(axis=1)) - np.sqrt(before.iloc[:, :3].mean(axis=1))
    traits = np.c_[level / level.std(ddof=0), rise / rise.std(ddof=0)]
    for unit in range(12):
        distance = np.sqrt(((traits[12:] - traits[unit]) ** 2).sum(axis=1))
        chosen = found[found["treated"] == unit]
        assert chosen["control"].to_list() == (12 + np.argsort(distance)[:2]).tolist()
        np.testing.assert_allclose(chosen["distance"], np.sort(distance)[:2])


def test_controls_are_alike_in_what_was_asked_for(city):
    before, treated = city
    zone = pd.Series(np.where(np.arange(N) % 2, "village", "rest"))
    found = matched_controls(before, treated, within=zone)
    assert (zone[found["treated"]].to_numpy() == zone[found["control"]].to_numpy()).all()
    size = pd.DataFrame({"residents": np.where(np.arange(N) % 3 == 0, 1e6, 1.0)})
    found = matched_controls(before, treated, covariates=size, n_controls=1)
    alike = (
        size["residents"][found["treated"]].to_numpy()
        == size["residents"][found["control"]].to_numpy()
    )
    assert alike.mean() > 0.9


def test_neighbours_are_no_controls(city, graph_of):
    before, treated = city
    chain = np.eye(N, k=1) + np.eye(N, k=-1)
    found = matched_controls(before, treated, graph=graph_of(chain), n_controls=50)
    assert 12 not in set(found["control"])
    assert 13 in set(found["control"])


def test_a_unit_without_a_control_is_said(city):
    before, treated = city
    zone = pd.Series(np.where(np.arange(N) == 3, "alone", "rest"))
    with pytest.warns(NullResultWarning, match="1 of 12 treated"):
        found = matched_controls(before, treated, within=zone)
    assert 3 not in set(found["treated"])


def test_what_cannot_be_meant_is_refused(city):
    before, treated = city
    with pytest.raises(IndexMismatchError):
        matched_controls(before, treated.iloc[1:])
    with pytest.raises(InputError, match="needs both"):
        matched_controls(before, treated & False)
    with pytest.raises(InputError, match="needs both"):
        matched_controls(before, treated | True)
    with pytest.raises(InputError, match="0 controls"):
        matched_controls(before, treated, n_controls=0)
    with pytest.raises(InputError, match="missing number"):
        matched_controls(before.astype(float).replace(before.iloc[0, 0], np.nan), treated)
    with pytest.raises(InputError, match="negative"):
        matched_controls(-before, treated)
