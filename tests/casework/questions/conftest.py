"""A lattice of units with a month of cases whose truth is known."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.testing import synthetic_casework


def lattice(columns=24, rows=20, side=300.0, seed=5):
    """Square units, twelve to a community, near the middle of EPSG:4547."""
    x, y = (each.ravel() for each in np.meshgrid(np.arange(columns), np.arange(rows)))
    community = (y // 3) * (columns // 4) + x // 4
    rng = np.random.default_rng(seed)
    return gpd.GeoDataFrame(
        {
            "compound_code": [f"419801{c // 10 + 1:03d}{c + 1:03d}{i:05d}" for i, c in enumerate(community)],
            "community_code": [f"419801{c // 10 + 1:03d}{c + 1:03d}" for c in community],
            "population": rng.integers(300, 900, len(x)),
            "kind": np.where((x < 6) | (x >= columns - 6), "village", np.where(y < 8, "old", "new")),
        },
        geometry=shapely.box(500_000 + side * x, 3_900_000 + side * y, 500_000 + side * (x + 1), 3_900_000 + side * (y + 1)),
        crs=4547,
    )  # fmt: skip


@pytest.fixture(scope="session")
def units():
    return lattice()


@pytest.fixture(scope="session")
def month(units):
    return synthetic_casework(units, n_cases=16_000, seed=2)
