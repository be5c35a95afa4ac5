"""What every test may ask for."""

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
