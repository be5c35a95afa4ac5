"""A city's three levels that are drawn without fault, to be damaged."""

import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.grids.codes.numbering import numbering
from gisgrid.grids.codes.scheme import SCHEMES
from gisgrid.grids.validation.grid_report import Relations, validate

CELL, COLUMNS, ROWS, BLOCK = 100.0, 16, 12, 4
EAST, NORTH = 500_000.0, 3_900_000.0
KEYS = {"streets": "street_code", "communities": "community_code", "grids": "grid_code"}
RELATIONS = {
    "communities": Relations(parent="street_code"),
    "grids": Relations(
        parent="community_code", groups=("management_grid",), scheme=SCHEMES["beijing-15"]
    ),
}


def clean_city(seed):
    """Streets, communities and grids that tile and nest exactly, their corners jittered."""
    rng = np.random.default_rng(seed)
    x, y = np.meshgrid(np.arange(COLUMNS + 1) * CELL, np.arange(ROWS + 1) * CELL)
    corner = np.stack([x, y], 2) + rng.uniform(-14, 14, (ROWS + 1, COLUMNS + 1, 2)) + (EAST, NORTH)
    row, column = (each.ravel() for each in np.mgrid[:ROWS, :COLUMNS])
    ring = np.stack(
        [
            corner[row, column],
            corner[row, column + 1],
            corner[row + 1, column + 1],
            corner[row + 1, column],
        ],
        1,
    )
    block = row // BLOCK * (COLUMNS // BLOCK) + column // BLOCK
    grids = gpd.GeoDataFrame(
        {"block": block, "management_grid": [f"M{b}{r % BLOCK // 2}" for b, r in zip(block, row, strict=True)]},
        geometry=shapely.polygons(ring), crs=4547,
    )  # fmt: skip
    grids["community_code"] = [f"110101{1 + b // 6:03d}{1 + b % 6:03d}" for b in block]
    grids["grid_code"] = numbering(grids, within="community_code", scheme=SCHEMES["beijing-15"])
    communities = dissolved(grids, "community_code")
    communities["street_code"] = communities["community_code"].str[:9]
    return {
        "streets": dissolved(communities, "street_code"),
        "communities": communities,
        "grids": grids.drop(columns="block"),
    }


def dissolved(frame, column):
    codes = sorted(frame[column].unique())
    shapes = [
        shapely.coverage_union_all(frame.geometry[frame[column] == code].to_numpy())
        for code in codes
    ]
    return gpd.GeoDataFrame({column: codes}, geometry=shapes, crs=frame.crs)


@pytest.fixture(scope="session")
def clean_cities():
    """Streets, communities and grids (16 by 12 of 100 m, 4 by 4 to a community) by seed."""
    return {seed: clean_city(seed) for seed in (1, 2, 3)}


@pytest.fixture(scope="session")
def examined():
    """Examine such a city with all that is known of it."""

    def examine(levels, **options):
        return validate(levels, keys=KEYS, relations=RELATIONS, **options)

    return examine
