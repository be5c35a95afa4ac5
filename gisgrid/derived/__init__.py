"""What is made from the city's layers: counts, rates, hotspots, outliers, clusters, patterns, density, months.

The functions that a layer names under ``[derived] function``: input layers' frames and the layer's parameters in, a
`Derivation` out, with the result, what was left out and why, and the decisions taken on the way.
A *report* is what somebody sent in; an *incident* is a report that repeats no other (``duplicate_of`` is missing). Reports that `gisgrid ingest` found on points that are no place (``fallback`` says why) are
left out everywhere, and counted.

`counts` and `months` only count, `surfaces` smooths, `clusters` outlines; `areas` counts for a test, `terms` says how it is tested, and `hotspots`, `outliers`, `optimised`,
`scans` and `emerging` test.
"""

from gisgrid.derived.areas import Areas, cell_areas, unit_areas
from gisgrid.derived.clusters import issue_clusters
from gisgrid.derived.counts import unit_issues
from gisgrid.derived.emerging import patterned, unit_patterns
from gisgrid.derived.hotspots import cell_hotspots, hot, unit_hotspots
from gisgrid.derived.incidents import in_metres, incidents, names_of
from gisgrid.derived.months import issue_months
from gisgrid.derived.notes import (
    FAR_OUT,
    IN_NO_AREA,
    IN_PART_STEPS,
    IN_SLIVERS,
    NO_PLACE,
    NO_RESIDENTS,
    NO_TIME,
    REPEATED,
    SCATTERED,
    Note,
)
from gisgrid.derived.optimised import fitted, optimised_hotspots, optimised_outliers
from gisgrid.derived.outliers import CONTRASTS, alike, apart, unit_outliers
from gisgrid.derived.scans import clustered, unit_clusters
from gisgrid.derived.surfaces import issue_density
from gisgrid.derived.terms import NEIGHBOURS, Terms, neighbourhood

__all__ = [
    "CONTRASTS",
    "FAR_OUT",
    "IN_NO_AREA",
    "IN_PART_STEPS",
    "IN_SLIVERS",
    "NEIGHBOURS",
    "NO_PLACE",
    "NO_RESIDENTS",
    "NO_TIME",
    "REPEATED",
    "SCATTERED",
    "Areas",
    "Note",
    "Terms",
    "alike",
    "apart",
    "cell_areas",
    "cell_hotspots",
    "clustered",
    "fitted",
    "hot",
    "in_metres",
    "incidents",
    "issue_clusters",
    "issue_density",
    "issue_months",
    "names_of",
    "neighbourhood",
    "optimised_hotspots",
    "optimised_outliers",
    "patterned",
    "unit_areas",
    "unit_clusters",
    "unit_hotspots",
    "unit_issues",
    "unit_outliers",
    "unit_patterns",
]
