"""A city of thirty days: the grid in files, and a PostgreSQL where one is installed."""

import runpy
from pathlib import Path

import pytest

from gisgrid.catalogue import Catalogue
from gisgrid.testing import synthetic_city

_ledgers = runpy.run_path(str(Path(__file__).parents[1] / "casework" / "ledger" / "conftest.py"))
postgresql, postgresql_url = _ledgers["postgresql"], _ledgers["postgresql_url"]


@pytest.fixture(scope="session")
def city():
    return synthetic_city(seed=11, n_issues=2_000, years=1)


@pytest.fixture(scope="session")
def catalogue(layers_dir):
    return Catalogue.read(layers_dir)
