"""Where do incidents lie so thick that they make a place of their own, whatever the grid says?"""

from __future__ import annotations

import geopandas as gpd

from gisgrid.analysis.clusters.by_density import dbscan, hdbscan
from gisgrid.analysis.clusters.outlines import cluster_outlines
from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import reported
from gisgrid.derived.notes import IN_NO_AREA, SCATTERED, Note, heard, left_out
from gisgrid.join import assign_units
from gisgrid.schema import Text


def issue_clusters(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    min_reports: int,
    radius_m: float | None = None,
) -> Derivation:
    """Find the places where incidents lie thick, and draw their outlines.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    min_reports
        How many incidents lie within `radius_m` of the core of a cluster; without a radius, the smallest cluster.
    radius_m
        How near is near, metres (DBSCAN); None for clusters of different thickness (HDBSCAN), for up to some
        ten thousand incidents.

    Returns
    -------
    Derivation
        One row per cluster, that with the most incidents first: `cluster_id`, `n_incidents`, `area_km2` and
        `incidents_per_km2` (of the outline), `easting`, `northing` (mean centre), `major_m`, `minor_m`, `bearing_deg` (of the
        standard ellipse), and the concave hull.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        A radius that is not above 0, or too few reports for a cluster.

    Notes
    -----
    No test: see `gisgrid.analysis.clusters.by_density.dbscan`.
    """
    require_metres(area, what="clusters of reports", name="area")
    counted = reported(issues, area)
    incidents = counted.incidents
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    within = incidents[inside]
    said: list[str] = []
    with heard(said):
        if radius_m is None:
            cluster = hdbscan(within, min_reports=min_reports)["cluster"]
        else:
            cluster = dbscan(within, radius_m=radius_m, min_reports=min_reports)["cluster"]
        found = cluster_outlines(within, cluster)
    columns = ["easting", "northing", "major_m", "minor_m", "bearing_deg"]
    value = found[columns].assign(
        cluster_id=found.index.astype("int64").astype("str"),
        n_incidents=found["n_reports"],
        area_km2=found["area_km2"],
        incidents_per_km2=found["reports_per_km2"],
    )
    order = ["cluster_id", "n_incidents", "area_km2", "incidents_per_km2", *columns]
    value = gpd.GeoDataFrame(value[order], geometry=found.geometry).reset_index(drop=True)
    text = Text(
        zh="聚类不是显著性检验：事件多的地方，偶然也会成片",
        en="clusters are no test: where incidents are many, some are near each other by chance alone",
    )
    excluded = {
        **counted.excluded,
        IN_NO_AREA: int((~inside).sum()),
        SCATTERED: int(cluster.isna().sum()),
    }
    return Derivation(value, left_out(excluded), (*counted.notes, Note.of(text), *said))
