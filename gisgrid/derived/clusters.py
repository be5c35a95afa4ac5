"""Where do incidents lie so thick that they make a place of their own, whatever the grid says?"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import (
    cluster_outlines,
    cluster_units,
    dbscan,
    hdbscan,
    nearest_neighbour_clusters,
)
from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import demand, reported
from gisgrid.derived.notes import IN_NO_AREA, SCATTERED, Note, heard, left_out
from gisgrid.join import assign_units
from gisgrid.schema import Text

_PLACE = ["easting", "northing", "major_m", "minor_m", "bearing_deg"]


def issue_clusters(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    min_reports: int,
    radius_m: float | None = None,
    key: str | None = None,
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
    key
        The column of `area` that names a unit, for the units of each cluster; None where there are none.

    Returns
    -------
    Derivation
        One row per cluster, that with the most incidents first: `cluster_id`, `n_incidents`, `area_km2` and
        `incidents_per_km2` (of the outline), with `key` also `unit_codes` (from that with the most incidents, comma
        between) and `unit_shares` (of the incidents, likewise), `easting`, `northing` (mean centre), `major_m`, `minor_m`,
        `bearing_deg` (of the standard ellipse), and the concave hull.

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
    points = _points(issues, area, key)
    said: list[str] = []
    with heard(said):
        if radius_m is None:
            cluster = hdbscan(points.within, min_reports=min_reports)["cluster"]
        else:
            cluster = dbscan(points.within, radius_m=radius_m, min_reports=min_reports)["cluster"]
        value = _outlined(points, cluster)
    value.insert(0, "cluster_id", _numbered(value))
    return _told(points, value.drop(columns="number"), cluster, said)


def issue_knots(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    min_reports: int,
    threshold_m: float | None = None,
    key: str | None = None,
) -> Derivation:
    """Find knots of incidents that one patrol can walk, and the knots of knots that make a district.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    min_reports
        How many incidents a knot of the first order has at least.
    threshold_m
        How near is near for the first order, metres; None for the mean nearest distance of as many random points.
    key
        The column of `area` that names a unit, for the units of each cluster; None where there are none.

    Returns
    -------
    Derivation
        One row per cluster of every order: `cluster_id` (order and number), `order`, `parent_id` (the cluster of the next
        order that it is part of; missing for none), then as from `issue_clusters`. Those of the first order come first.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        A threshold that is not above 0, or too few reports for a cluster.

    Notes
    -----
    No test: see `gisgrid.analysis.nearest_neighbour_clusters`.
    """
    points = _points(issues, area, key)
    said: list[str] = []
    with heard(said):
        orders = nearest_neighbour_clusters(
            points.within, min_reports=min_reports, threshold_m=threshold_m,
            area_km2=float(area.geometry.union_all().area) / 1e6,
        )  # fmt: skip
        drawn = [_outlined(points, orders[name]) for name in orders]
    for number, (value, name) in enumerate(zip(drawn, orders, strict=True), start=1):
        parents = orders[orders.columns[number]] if number < len(orders.columns) else None
        first = orders[name].drop_duplicates().dropna()
        of = {} if parents is None else dict(zip(first, parents[first.index], strict=True))
        parent = [
            f"{number + 1}-{of[each]}" if pd.notna(of.get(each)) else None
            for each in value["number"]
        ]
        value.insert(0, "cluster_id", f"{number}-" + _numbered(value))
        value.insert(1, "order", number)
        value.insert(2, "parent_id", pd.Series(parent, index=value.index, dtype="object"))
    value = gpd.GeoDataFrame(pd.concat(drawn, ignore_index=True), crs=area.crs)
    return _told(points, value.drop(columns="number"), orders["order_1"], said)


@dataclass(frozen=True)
class _Points:
    """The incidents inside, and in which unit each is."""

    within: gpd.GeoDataFrame
    codes: pd.Series | None
    excluded: dict[str, int]
    notes: tuple[str, ...]


def _points(issues: gpd.GeoDataFrame, area: gpd.GeoDataFrame, key: str | None) -> _Points:
    require_metres(area, what="clusters of reports", name="area")
    counted = reported(issues, area)
    incidents = counted.incidents
    if key is not None:
        demand(area, "area", key)
        codes = assign_units(incidents, {key: area})[key]
        inside = codes.notna()
    else:
        codes = None
        inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    return _Points(
        incidents[inside], None if codes is None else codes[inside],
        {**counted.excluded, IN_NO_AREA: int((~inside).sum())}, counted.notes,
    )  # fmt: skip


def _outlined(points: _Points, cluster: pd.Series) -> gpd.GeoDataFrame:
    """Draw clusters, with their units."""
    found = cluster_outlines(points.within, cluster)
    value = found[_PLACE].assign(
        number=found.index.astype("int64"), n_incidents=found["n_reports"],
        area_km2=found["area_km2"], incidents_per_km2=found["reports_per_km2"],
    )  # fmt: skip
    order = ["number", "n_incidents", "area_km2", "incidents_per_km2"]
    if points.codes is not None:
        shares = cluster_units(cluster, points.codes.astype("object").rename("code"))
        by = shares.groupby(shares["cluster"].astype("int64"), sort=True)
        value["unit_codes"] = by["code"].agg(lambda codes: ",".join(map(str, codes)))
        value["unit_shares"] = by["share"].agg(lambda each: ",".join(f"{one:.2f}" for one in each))
        order += ["unit_codes", "unit_shares"]
    frame = gpd.GeoDataFrame(value[[*order, *_PLACE]], geometry=found.geometry)
    return frame.reset_index(drop=True)


def _numbered(value: gpd.GeoDataFrame) -> pd.Series:
    return pd.Series(value["number"].astype("str"))


def _told(
    points: _Points, value: gpd.GeoDataFrame, cluster: pd.Series, said: list[str]
) -> Derivation:
    text = Text(
        zh="聚类不是显著性检验：事件多的地方，偶然也会成片",
        en="clusters are no test: where incidents are many, some are near each other by chance alone",
    )
    excluded = {**points.excluded, SCATTERED: int(cluster.isna().sum())}
    return Derivation(value, left_out(excluded), (*points.notes, Note.of(text), *said))
