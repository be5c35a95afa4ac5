"""Scan statistics: no maintained Python peer is known, so the times stand alone (no package tries these windows)."""

import geopandas as gpd
import numpy as np
import pandas as pd
from timing import row, seconds

from gisgrid.analysis.scans.space_time import space_time_scan
from gisgrid.analysis.scans.spatial import scan
from gisgrid.analysis.scans.windows import Window

EAST, NORTH = 500_000.0, 3_900_000.0


def rows():
    return [*area_rows(), *cylinder_rows()]


def town(n, n_cases):
    rng = np.random.default_rng(1)
    people = pd.Series(rng.integers(500, 5_000, n))
    cases = pd.Series(rng.multinomial(n_cases, people / people.sum()))
    points = gpd.points_from_xy(
        *(rng.uniform(0, 20_000, (2, n)) + np.array([[EAST], [NORTH]])), crs=4547
    )
    return cases, people, gpd.GeoDataFrame(geometry=points)


def area_rows():
    n = 5_000
    for n_cases, share in ((20_000, 0.5), (20_000, 0.05), (1_000_000, 0.5)):
        inputs, window = town(n, n_cases), Window(max_share=share)
        found = scan(*inputs, window=window)
        assert len(found.maxima) == 999
        yield row(
            f"circular scan, {n} units, {n_cases} cases, windows up to {share:.0%}, 999 random maps",
            seconds(lambda inputs=inputs, window=window: scan(*inputs, window=window), times=3),
        )
    inputs, window = town(1_000, 20_000), Window(shape="ellipse", max_share=0.1)
    yield row(
        "elliptic scan (46 ellipses and the circle), 1000 units, windows up to 10%, 999 random maps",
        seconds(lambda: scan(*inputs, window=window), times=3),
    )


def cylinder_rows():
    n, steps = 1_000, 24
    rng = np.random.default_rng(2)
    cases = pd.DataFrame(rng.poisson(0.5, (n, steps)))
    centres, window = town(n, 10)[2], Window(max_share=0.1)
    for prospective in (True, False):
        kind = "prospective" if prospective else "retrospective"
        yield row(
            f"space-time permutation scan, {kind}, {n} units x {steps} steps, up to 10%, 999 random maps",
            seconds(
                lambda prospective=prospective: space_time_scan(
                    cases, centres, window=window, prospective=prospective
                ),
                times=3,
            ),
        )
