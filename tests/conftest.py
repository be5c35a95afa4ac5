"""What every test may ask for."""

import runpy
import shutil
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def project() -> Path:
    """The folder of the project."""
    return PROJECT


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The real data beside the project, or a skip that says what is missing."""
    folder = PROJECT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data are not beside the project (../shared/data)")
    return folder


@pytest.fixture(scope="session")
def layers_dir() -> Path:
    """The catalogue that comes with the project."""
    return PROJECT / "layers"


@pytest.fixture(scope="session")
def _small_city(project, layers_dir, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("small") / "city"
    runpy.run_path(str(project / "tests/desk/small_city.py"))["make"](folder, layers_dir)
    return folder


@pytest.fixture
def small_city(_small_city, tmp_path) -> Path:
    """A folder with `layers` and `data`: a grid of 16 units and the layer of cases, no case yet."""
    return Path(shutil.copytree(_small_city, tmp_path / "city"))
