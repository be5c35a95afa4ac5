"""A city of thirty days: the grid in files."""

import pytest

from gisgrid.catalogue import Catalogue
from gisgrid.testing import synthetic_city


@pytest.fixture(scope="session")
def city():
    return synthetic_city(seed=11, n_issues=2_000, years=1)


@pytest.fixture(scope="session")
def catalogue(layers_dir):
    return Catalogue.read(layers_dir)
