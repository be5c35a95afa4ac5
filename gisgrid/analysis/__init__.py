"""Which areas are hot, and how sure is that?

`weights`, `nearness` (who is next to whom, or near), `scale` (at what scale they gather), `rates`, `smoothing` (per resident, per km², with
less chance in it), `comparison` (is one kind of place worse), `hotspots` (which neighbourhoods are unusual), `outliers`,
`contrasts`, `join_counts` (which units resemble their neighbours or stand out), `global_statistics` (is the map clustered at
all), `permutations` and `significance` (which of those are not chance), `effort` (who looked, who reported), `accuracy` (did yesterday's
map hold today's reports), `density` (how thick do the reports lie).
`scan` and `space_time_scan` (clusters that choose their own size), `cube`, `emerging`, `trend`, `change`, `near_repeat`,
`rebound`, `before_after` (in time), `point_clusters`, `nearest_neighbour_order`, `outlines` (places the reports draw
themselves), `bandwidths`, `relative_density` (surfaces), `street_graph`, `segments`, `street_density` (along streets).
Functions take frames and return frames indexed like their first argument; none reads a file or knows a layer.
"""

from gisgrid.analysis.accuracy import compare_maps, predictive_accuracy, stability
from gisgrid.analysis.bandwidths import adaptive_bandwidth
from gisgrid.analysis.before_after import CampaignEffect, campaign_effect
from gisgrid.analysis.change import HotspotSimilarity, hotspot_similarity, rate_change
from gisgrid.analysis.comparison import compare_zones
from gisgrid.analysis.compiled import warm_up
from gisgrid.analysis.contrasts import local_geary
from gisgrid.analysis.controls import matched_controls
from gisgrid.analysis.cube import SpaceTimeCube, space_time_cube
from gisgrid.analysis.density import kernel_density
from gisgrid.analysis.effort import UNKNOWN, known_labels, rate_per_effort, reporting_rate
from gisgrid.analysis.emerging import (
    PATTERN_MEANINGS,
    PATTERN_TEXTS,
    PATTERNS,
    emerging_hotspots,
    emerging_patterns,
)
from gisgrid.analysis.global_statistics import GlobalStatistic, geary, general_g, moran
from gisgrid.analysis.hotspots import gi, gi_star, hotspots
from gisgrid.analysis.join_counts import local_join_counts
from gisgrid.analysis.near_repeat import Knox, knox, near_repeat
from gisgrid.analysis.nearest_neighbour_order import nearest_neighbour_clusters
from gisgrid.analysis.nearness import (
    distance_band,
    kernel_weights,
    nearest,
    same_parent,
    with_nearest_for_isolates,
)
from gisgrid.analysis.outliers import local_moran, local_moran_bivariate
from gisgrid.analysis.outlines import cluster_outlines, cluster_units
from gisgrid.analysis.point_clusters import dbscan, hdbscan
from gisgrid.analysis.rates import excess, rate
from gisgrid.analysis.rebound import rebound, time_to_next
from gisgrid.analysis.relative_density import relative_risk
from gisgrid.analysis.scale import (
    Choice,
    incremental_autocorrelation,
    locational_outliers,
    suggested_cell_m,
    suggested_distance_m,
)
from gisgrid.analysis.scan import scan
from gisgrid.analysis.scan_result import Scan
from gisgrid.analysis.scan_space_time import space_time_scan, temporal_scan
from gisgrid.analysis.scan_windows import Window
from gisgrid.analysis.segments import nearest_segment, segment_counts, segment_graph
from gisgrid.analysis.significance import corrected, false_discovery, significance_labels
from gisgrid.analysis.smoothing import empirical_bayes, smoothed_rate
from gisgrid.analysis.step_scores import StepScores, step_scores
from gisgrid.analysis.street_density import street_kernel_density
from gisgrid.analysis.street_graph import street_segments
from gisgrid.analysis.survival import LogRank, kaplan_meier, log_rank
from gisgrid.analysis.trend import mann_kendall, theil_sen
from gisgrid.analysis.weights import contiguity

__all__ = [
    "PATTERNS",
    "PATTERN_MEANINGS",
    "PATTERN_TEXTS",
    "UNKNOWN",
    "CampaignEffect",
    "Choice",
    "GlobalStatistic",
    "HotspotSimilarity",
    "Knox",
    "LogRank",
    "Scan",
    "SpaceTimeCube",
    "StepScores",
    "Window",
    "adaptive_bandwidth",
    "campaign_effect",
    "cluster_outlines",
    "cluster_units",
    "compare_maps",
    "compare_zones",
    "contiguity",
    "corrected",
    "dbscan",
    "distance_band",
    "emerging_hotspots",
    "emerging_patterns",
    "empirical_bayes",
    "excess",
    "false_discovery",
    "geary",
    "general_g",
    "gi",
    "gi_star",
    "hdbscan",
    "hotspot_similarity",
    "hotspots",
    "incremental_autocorrelation",
    "kaplan_meier",
    "kernel_density",
    "kernel_weights",
    "known_labels",
    "knox",
    "local_geary",
    "local_join_counts",
    "local_moran",
    "local_moran_bivariate",
    "locational_outliers",
    "log_rank",
    "mann_kendall",
    "matched_controls",
    "moran",
    "near_repeat",
    "nearest",
    "nearest_neighbour_clusters",
    "nearest_segment",
    "predictive_accuracy",
    "rate",
    "rate_change",
    "rate_per_effort",
    "rebound",
    "relative_risk",
    "reporting_rate",
    "same_parent",
    "scan",
    "segment_counts",
    "segment_graph",
    "significance_labels",
    "smoothed_rate",
    "space_time_cube",
    "space_time_scan",
    "stability",
    "step_scores",
    "street_kernel_density",
    "street_segments",
    "suggested_cell_m",
    "suggested_distance_m",
    "temporal_scan",
    "theil_sen",
    "time_to_next",
    "warm_up",
    "with_nearest_for_isolates",
]
