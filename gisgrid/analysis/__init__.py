"""Which areas are hot, and how sure is that?

One room to a question: `weights` (who is next to whom), `rates` (per resident, per patrol, with less chance in it),
`autocorrelation` (which units resemble their neighbours or stand out), `scans` (clusters that choose their own size),
`space_time` (what is new, grows, fades, repeats), `campaigns` (did it help, is it back), `clusters` (places the reports
draw themselves), `surfaces` (how thick on the ground), `streets` (how thick along streets). What all rooms share stands beside
them: `alignment`, `permutations`, `significance`, `scale`, `accuracy`, `reasons`.
Functions take frames and return frames indexed like their first argument; none reads a file or knows a layer.
"""

from gisgrid.analysis.accuracy import compare_maps, predictive_accuracy, stability
from gisgrid.analysis.autocorrelation.geary import local_geary
from gisgrid.analysis.autocorrelation.getis_ord import gi, gi_star, hotspots
from gisgrid.analysis.autocorrelation.join_counts import local_join_counts
from gisgrid.analysis.autocorrelation.moran import local_moran, local_moran_bivariate
from gisgrid.analysis.autocorrelation.whole_map import GlobalStatistic, geary, general_g, moran
from gisgrid.analysis.campaigns.before_after import CampaignEffect, campaign_effect
from gisgrid.analysis.campaigns.controls import matched_controls
from gisgrid.analysis.campaigns.returns import rebound, time_to_next
from gisgrid.analysis.campaigns.survival import LogRank, kaplan_meier, log_rank
from gisgrid.analysis.clusters.by_density import dbscan, hdbscan
from gisgrid.analysis.clusters.nearest_neighbour import nearest_neighbour_clusters
from gisgrid.analysis.clusters.outlines import cluster_outlines, cluster_units
from gisgrid.analysis.compiled import warm_up
from gisgrid.analysis.rates.crude import excess, rate
from gisgrid.analysis.rates.effort import UNKNOWN, known_labels, rate_per_effort, reporting_rate
from gisgrid.analysis.rates.smoothing import empirical_bayes, smoothed_rate
from gisgrid.analysis.rates.zones import compare_zones
from gisgrid.analysis.reasons import Explanation, explanation
from gisgrid.analysis.scale import (
    Choice,
    incremental_autocorrelation,
    locational_outliers,
    suggested_cell_m,
    suggested_distance_m,
)
from gisgrid.analysis.scans.result import Scan
from gisgrid.analysis.scans.space_time import space_time_scan, temporal_scan
from gisgrid.analysis.scans.spatial import scan
from gisgrid.analysis.scans.windows import Window
from gisgrid.analysis.significance import corrected, false_discovery, significance_labels
from gisgrid.analysis.space_time.change import HotspotSimilarity, hotspot_similarity, rate_change
from gisgrid.analysis.space_time.cube import SpaceTimeCube, space_time_cube
from gisgrid.analysis.space_time.emerging import (
    PATTERN_MEANINGS,
    PATTERN_TEXTS,
    PATTERNS,
    emerging_hotspots,
    emerging_patterns,
)
from gisgrid.analysis.space_time.near_repeats import Knox, knox, near_repeat
from gisgrid.analysis.space_time.step_scores import StepScores, step_scores
from gisgrid.analysis.space_time.trend import mann_kendall, theil_sen
from gisgrid.analysis.streets.density import street_kernel_density
from gisgrid.analysis.streets.segments import segment_counts, segment_graph
from gisgrid.analysis.surfaces.bandwidths import adaptive_bandwidth
from gisgrid.analysis.surfaces.density import kernel_density
from gisgrid.analysis.surfaces.relative import relative_risk
from gisgrid.analysis.weights.contiguity import contiguity
from gisgrid.analysis.weights.nearness import (
    distance_band,
    kernel_weights,
    nearest,
    same_parent,
    with_nearest_for_isolates,
)
from gisgrid.streets import nearest_segment, street_segments

__all__ = [
    "PATTERNS",
    "PATTERN_MEANINGS",
    "PATTERN_TEXTS",
    "UNKNOWN",
    "CampaignEffect",
    "Choice",
    "Explanation",
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
    "explanation",
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
