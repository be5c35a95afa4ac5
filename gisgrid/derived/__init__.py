"""What is made from the city's layers: counts, rates, hotspots, outliers, clusters, patterns, density, months.

The functions that a layer names under ``[derived] function``: input layers' frames and the layer's parameters in, a
`Derivation` out, with the result, what was left out and why, and the decisions taken on the way. A *report* is what
somebody sent in; an *incident* is a report that repeats no other (``duplicate_of`` is missing). Reports that `gisgrid
ingest` found on points that are no place (``fallback`` says why) are left out everywhere, and counted.

`counts` and `months` only count; `surfaces` and `streets` smooth, `clusters` outlines. `areas` counts for a test,
`terms` says how it is tested, `times` which days are compared; `hotspots`, `outliers`, `company`, `optimised`, `scans`,
`space_time_scans`, `emerging`, `near_repeats`, `changes`, `campaigns`, `returns`, `rates` and `effort` ask. `zones`
says in which zone units and reports are, `access` who reaches what on foot. Of the ledger's cases `casework` asks what
comes back, `authority` who sees what nobody there may settle, `discovery` what is never found, `inspection` what is for
show, `progress` how far a campaign is.
"""

from gisgrid.derived.access import (
    IN_NO_UNIT,
    NOT_OLD,
    facility_areas,
    old_compound_gaps,
    place_coverage,
    unit_left_out,
)
from gisgrid.derived.access_ground import CLOSED, FAR_FROM_STREETS
from gisgrid.derived.access_supply import next_sites, place_supply
from gisgrid.derived.areas import Areas, areas_of_counts, cell_areas, unit_areas
from gisgrid.derived.authority import NO_SEER, case_authority_gap
from gisgrid.derived.campaigns import GROUPS, campaign, unit_campaign
from gisgrid.derived.casework import FALSE_DAYS, VOID, case_campaign, case_issues, case_rebound
from gisgrid.derived.changes import changed, unit_changes
from gisgrid.derived.clusters import issue_clusters, issue_knots
from gisgrid.derived.company import (
    COMPANY,
    flagged,
    joined,
    paired,
    surrounded,
    unit_joins,
    unit_pairs,
    unit_surroundings,
)
from gisgrid.derived.counts import unit_issues
from gisgrid.derived.discovery import FOUND_BY_OTHERS, LEAPS, unit_discovery
from gisgrid.derived.effort import LIFETIME_DAYS, looked_at, unit_effort, unit_reporting
from gisgrid.derived.emerging import patterned, step_labels, unit_patterns
from gisgrid.derived.flags import flags_of, numbers_of
from gisgrid.derived.hotspots import cell_hotspots, hot, unit_hotspots
from gisgrid.derived.incidents import in_metres, incidents, names_of
from gisgrid.derived.inspection import assessment_change, assessment_effect, unit_inspection
from gisgrid.derived.months import issue_months
from gisgrid.derived.near_repeats import bands_of, issue_near_repeats, near_repeats
from gisgrid.derived.notes import (
    FAR_IN_TIME,
    FAR_OUT,
    IN_NO_AREA,
    IN_NO_PERIOD,
    IN_PART_STEPS,
    IN_SLIVERS,
    NO_PLACE,
    NO_RESIDENTS,
    NO_TIME,
    ON_NO_STREET,
    REPEATED,
    SCATTERED,
    UNPATROLLED,
    Note,
    heard,
)
from gisgrid.derived.optimised import fitted, optimised_hotspots, optimised_outliers
from gisgrid.derived.outliers import CONTRASTS, alike, apart, unit_outliers
from gisgrid.derived.progress import NOT_FILED, OTHER_CLASSES, STAGES, case_progress
from gisgrid.derived.rates import rated, unit_rates, zone_rates, zoned
from gisgrid.derived.returns import (
    PLACE_M,
    WITHIN_DAYS,
    class_rebound,
    returned,
    returned_by_class,
    unit_rebound,
    waits_of,
)
from gisgrid.derived.scans import clustered, unit_clusters, window_of
from gisgrid.derived.space_time_scans import clustered_in_time, space_time_clusters, time_clusters
from gisgrid.derived.streets import (
    SEGMENT_M,
    WITHIN_M,
    street_areas,
    street_density,
    street_hot,
    street_hotspots,
    street_thick,
)
from gisgrid.derived.surfaces import (
    adaptive_density,
    earlier_risk,
    issue_density,
    report_risk,
    resident_risk,
)
from gisgrid.derived.terms import NEIGHBOURS, Terms, neighbourhood
from gisgrid.derived.times import Days, day_of, days_of
from gisgrid.derived.zones import (
    EMPTY_ZONES,
    WITHOUT_PLACE,
    ZONES,
    issue_zones,
    report_zones,
    zone_units,
)
from gisgrid.derived.zones_agreement import WAYS, zone_agreement, zone_pairs
from gisgrid.derived.zones_drawn import (
    BEYOND,
    OFF_THE_GRID,
    degurba_cells,
    degurba_units,
    fringe_breaks,
)

__all__ = [
    "BEYOND",
    "CLOSED",
    "COMPANY",
    "CONTRASTS",
    "EMPTY_ZONES",
    "FALSE_DAYS",
    "FAR_FROM_STREETS",
    "FAR_IN_TIME",
    "FAR_OUT",
    "FOUND_BY_OTHERS",
    "GROUPS",
    "IN_NO_AREA",
    "IN_NO_PERIOD",
    "IN_NO_UNIT",
    "IN_PART_STEPS",
    "IN_SLIVERS",
    "LEAPS",
    "LIFETIME_DAYS",
    "NEIGHBOURS",
    "NOT_FILED",
    "NOT_OLD",
    "NO_PLACE",
    "NO_RESIDENTS",
    "NO_SEER",
    "NO_TIME",
    "OFF_THE_GRID",
    "ON_NO_STREET",
    "OTHER_CLASSES",
    "PLACE_M",
    "REPEATED",
    "SCATTERED",
    "SEGMENT_M",
    "STAGES",
    "UNPATROLLED",
    "VOID",
    "WAYS",
    "WITHIN_DAYS",
    "WITHIN_M",
    "WITHOUT_PLACE",
    "ZONES",
    "Areas",
    "Days",
    "Note",
    "Terms",
    "adaptive_density",
    "alike",
    "apart",
    "areas_of_counts",
    "assessment_change",
    "assessment_effect",
    "bands_of",
    "campaign",
    "case_authority_gap",
    "case_campaign",
    "case_issues",
    "case_progress",
    "case_rebound",
    "cell_areas",
    "cell_hotspots",
    "changed",
    "class_rebound",
    "clustered",
    "clustered_in_time",
    "day_of",
    "days_of",
    "degurba_cells",
    "degurba_units",
    "earlier_risk",
    "facility_areas",
    "fitted",
    "flagged",
    "flags_of",
    "fringe_breaks",
    "heard",
    "hot",
    "in_metres",
    "incidents",
    "issue_clusters",
    "issue_density",
    "issue_knots",
    "issue_months",
    "issue_near_repeats",
    "issue_zones",
    "joined",
    "looked_at",
    "names_of",
    "near_repeats",
    "neighbourhood",
    "next_sites",
    "numbers_of",
    "old_compound_gaps",
    "optimised_hotspots",
    "optimised_outliers",
    "paired",
    "patterned",
    "place_coverage",
    "place_supply",
    "rated",
    "report_risk",
    "report_zones",
    "resident_risk",
    "returned",
    "returned_by_class",
    "space_time_clusters",
    "step_labels",
    "street_areas",
    "street_density",
    "street_hot",
    "street_hotspots",
    "street_thick",
    "surrounded",
    "time_clusters",
    "unit_areas",
    "unit_campaign",
    "unit_changes",
    "unit_clusters",
    "unit_discovery",
    "unit_effort",
    "unit_hotspots",
    "unit_inspection",
    "unit_issues",
    "unit_joins",
    "unit_left_out",
    "unit_outliers",
    "unit_pairs",
    "unit_patterns",
    "unit_rates",
    "unit_rebound",
    "unit_reporting",
    "unit_surroundings",
    "waits_of",
    "window_of",
    "zone_agreement",
    "zone_pairs",
    "zone_rates",
    "zone_units",
    "zoned",
]
