"""One synthetic city for all tests of it."""

import pytest

from gisgrid.testing import synthetic_city


@pytest.fixture(scope="session")
def city():
    """A city with planted areas: 60 000 issues over two years."""
    return synthetic_city(seed=3, n_issues=60_000, years=2)


@pytest.fixture(scope="session")
def issues(city):
    return city.layers["reported_issues"]


@pytest.fixture(scope="session")
def originals(issues):
    return issues[issues["duplicate_of"].isna()]


@pytest.fixture(scope="session")
def even_city():
    """The same city without planted areas, with fewer issues."""
    return synthetic_city(seed=3, n_issues=20_000, years=2, planted=False)
