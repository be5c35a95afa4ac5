"""The purpose of it all: a method that looks for hotspots finds what was planted, and not the city's middle."""

import numpy as np
import pandas as pd
import pytest

from gisgrid.analysis import contiguity, hotspots, rate
from gisgrid.grids import tessellate
from gisgrid.testing import score, synthetic_city


def counts(points, units, key):
    hits = units.sindex.query(points.geometry, predicate="intersects")
    _, once = np.unique(hits[0], return_index=True)
    n = np.bincount(hits[1][once], minlength=len(units))
    return pd.Series(n, index=pd.Index(units[key], name=key))


def found(units, values, key):
    return units.assign(label=hotspots(values, contiguity(units, key=key))["label"].to_numpy())


@pytest.fixture(scope="module", params=[None, (8, 20_000)], ids=str)
def some_city(request, city):
    if request.param is None:
        return city
    seed, n_issues = request.param
    return synthetic_city(seed=seed, n_issues=n_issues, years=2)


def incidents(city):
    issues = city.layers["reported_issues"]
    return issues[issues["duplicate_of"].isna()]


def test_counts_on_hexagons_find_the_planted_hotspots(some_city):
    cells = tessellate(some_city.layers["subdistricts"], cell_m=300)
    n = counts(incidents(some_city), cells, "cell_id").astype(float)
    result = score(found(cells, n, "cell_id"), some_city.truth)
    assert result.recall >= 0.9
    assert result.recall_areas == 1.0
    assert result.precision >= 0.75


def test_rates_of_communities_find_the_planted_hotspots(some_city):
    communities = some_city.layers["communities"]
    residents = communities.set_index("community_code")["population"]
    n = counts(incidents(some_city), communities, "community_code")
    values = rate(n, residents, per=1000)
    result = score(found(communities, values, "community_code"), some_city.truth)
    assert result.recall >= 0.9
    assert result.recall_areas == 1.0
    assert result.precision >= 0.9


def test_without_planted_areas_rates_find_next_to_nothing(even_city):
    communities = even_city.layers["communities"]
    residents = communities.set_index("community_code")["population"]
    n = counts(incidents(even_city), communities, "community_code")
    result = found(communities, rate(n, residents, per=1000), "community_code")
    assert (result["label"] != "not_significant").sum() <= 3
