"""Which areas are hot, and how sure is that?

`weights`, `nearness` (who is next to whom, or near), `scale` (at what scale they gather), `rates`, `smoothing` (per resident, per km², with
less chance in it), `comparison` (is one kind of place worse), `hotspots` (which neighbourhoods are unusual), `outliers`,
`contrasts`, `join_counts` (which units resemble their neighbours or stand out), `global_statistics` (is the map clustered at
all), `permutations` and `significance` (which of those are not chance), `effort` (who looked, who reported), `accuracy` (did yesterday's
map hold today's reports), `density` (how thick do the reports lie).
Functions take frames and return frames indexed like their first argument; none reads a file or knows a layer.
"""

from gisgrid.analysis.accuracy import compare_maps, predictive_accuracy, stability
from gisgrid.analysis.comparison import compare_zones
from gisgrid.analysis.contrasts import local_geary
from gisgrid.analysis.density import kernel_density
from gisgrid.analysis.effort import UNKNOWN, known_labels, rate_per_effort, reporting_rate
from gisgrid.analysis.global_statistics import GlobalStatistic, geary, general_g, moran
from gisgrid.analysis.hotspots import gi, gi_star, hotspots
from gisgrid.analysis.join_counts import local_join_counts
from gisgrid.analysis.nearness import (
    distance_band,
    kernel_weights,
    nearest,
    same_parent,
    with_nearest_for_isolates,
)
from gisgrid.analysis.outliers import local_moran, local_moran_bivariate
from gisgrid.analysis.rates import excess, rate
from gisgrid.analysis.scale import (
    Choice,
    incremental_autocorrelation,
    locational_outliers,
    suggested_cell_m,
    suggested_distance_m,
)
from gisgrid.analysis.significance import corrected, false_discovery, significance_labels
from gisgrid.analysis.smoothing import empirical_bayes, smoothed_rate
from gisgrid.analysis.weights import contiguity

__all__ = [
    "UNKNOWN",
    "Choice",
    "GlobalStatistic",
    "compare_maps",
    "compare_zones",
    "contiguity",
    "corrected",
    "distance_band",
    "empirical_bayes",
    "excess",
    "false_discovery",
    "geary",
    "general_g",
    "gi",
    "gi_star",
    "hotspots",
    "incremental_autocorrelation",
    "kernel_density",
    "kernel_weights",
    "known_labels",
    "local_geary",
    "local_join_counts",
    "local_moran",
    "local_moran_bivariate",
    "locational_outliers",
    "moran",
    "nearest",
    "predictive_accuracy",
    "rate",
    "rate_per_effort",
    "reporting_rate",
    "same_parent",
    "significance_labels",
    "smoothed_rate",
    "stability",
    "suggested_cell_m",
    "suggested_distance_m",
    "with_nearest_for_isolates",
]
