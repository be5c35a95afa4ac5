import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis.compiled import WARM_UPS, warm_up
from gisgrid.analysis.scans import kernels as scan_kernels
from gisgrid.analysis.scans.space_time import space_time_scan
from gisgrid.analysis.scans.spatial import scan
from gisgrid.analysis.scans.windows import Window

KERNELS = [
    scan_kernels.fill_ladder,
    scan_kernels.best_windows,
    scan_kernels.area_maxima,
    scan_kernels.cylinder_maxima,
    scan_kernels.log_likelihood_ratio,
]


def test_after_warming_up_no_scan_compiles():
    heard = []
    warm_up(progress=lambda _, share: heard.append(share))
    before = [list(kernel.signatures) for kernel in KERNELS]
    assert all(before)
    n = 40
    rng = np.random.default_rng(1)
    centres = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*rng.uniform(0, 9_000, (2, n))), crs=4547
    )
    for mean in (3, 5_000):
        cases = pd.DataFrame(rng.poisson(mean, (n, 4)))
        people = pd.Series(1_000_000, index=cases.index)
        window = Window(rates="both", shape="ellipse", axis_ratios=(2.0,), directions=(2,))
        scan(cases[0], people, centres, window=window, permutations=19)
        scan(cases[0], people, centres, model="bernoulli", permutations=19, stop_after=5)
        space_time_scan(cases, centres, permutations=19)
    assert [list(kernel.signatures) for kernel in KERNELS] == before
    assert heard == sorted(heard)
    assert heard[-1] == 1.0
    assert len(WARM_UPS) > 0
