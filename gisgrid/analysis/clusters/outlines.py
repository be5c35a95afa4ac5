"""What ground does a cluster of reports cover, and in which units does it lie?"""

from __future__ import annotations

import math
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.errors import IndexMismatchError, InputError, warn_null
from gisgrid.places import point_places

Outline = Literal["hull", "ellipse"]

_Floats = NDArray[np.float64]


def cluster_outlines(
    points: gpd.GeoDataFrame,
    clusters: pd.Series,
    *,
    outline: Outline = "hull",
    concavity: float = 0.3,
    margin_m: float = 10.0,
    codes: pd.DataFrame | None = None,
) -> gpd.GeoDataFrame:
    """Draw each cluster of reports as an area, with its size, its middle and the units it lies in.

    Parameters
    ----------
    points
        One point per report, in a projected CRS in metres.
    clusters
        Shape (n,), indexed like `points`: the cluster of each report, missing for one in none, as from `dbscan`.
    outline
        ``hull``: the concave hull, which follows the reports. ``ellipse``: the standard deviational ellipse, which says
        how far and in which direction they spread.
    concavity
        Of the hull: 0 follows the reports as closely as one piece can, 1 is the convex hull.
    margin_m
        By how much a hull is widened, so that reports on one spot or in one row have an area too; an ellipse has no
        semi-axis shorter than it. Metres, above 0.
    codes
        Shape (n, levels), indexed like `points`: the unit of each report on each level, as from
        `gisgrid.join.assign_units`. Each column becomes one of the result.

    Returns
    -------
    GeoDataFrame
        Shape (number of clusters, …), indexed by `cluster`, ascending, in the CRS of `points`: `n_reports`, `easting` and
        `northing` (mean centre), `area_km2` and `reports_per_km2` (of the outline), `major_m` and `minor_m` (semi-axes of the
        ellipse), `bearing_deg` (of the major axis, 0 to 180 clockwise from grid north; missing for a circle), a text per
        column of `codes` (the units, from that with the most reports, comma between; `cluster_units` has the shares),
        and the outline.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    IndexMismatchError
        `clusters` or `codes` are not indexed like `points`.
    InputError
        Something other than points, no such outline, a concavity outside 0 to 1, or a margin that is not above 0.

    Warns
    -----
    NullResultWarning
        There is no cluster.

    Notes
    -----
    Ellipse: with C = Σ (p - p̄)(p - p̄)ᵀ / n of the cluster's points, its axes lie along the eigenvectors of C and its
    semi-axes are √2 · √eigenvalue. The factor √2 (Yuill's correction, also in CrimeStat, which divides by n - 2) makes it hold
    63 % of a normal cloud; without it 39 %. CRS: projected, metres. Source: Lefever 1926, Yuill 1971; hull: GEOS.
    Checked against: points drawn from a known normal distribution.

    Examples
    --------
    >>> reports = gpd.GeoDataFrame(geometry=gpd.points_from_xy([0, 100, 200, 0], [0, 0, 0, 9_000]), crs=4547)
    >>> found = cluster_outlines(reports, pd.Series([1, 1, 1, None]), outline="ellipse")
    >>> found[["n_reports", "easting", "major_m", "minor_m", "bearing_deg"]].round(1).to_dict("records")
    [{'n_reports': 3, 'easting': 100.0, 'major_m': 115.5, 'minor_m': 0.0, 'bearing_deg': 90.0}]
    """
    places = point_places(points, what="cluster_outlines")
    _require(points, clusters, outline, concavity, margin_m, codes)
    member = clusters.notna().to_numpy() & places.there
    of_point, names = pd.factorize(clusters[member], sort=True)
    if len(names) == 0:
        warn_null(f"none of {len(points)} reports is in a cluster: there is no outline")
    xy = places.xy[member[places.there]]
    frame = _measures(xy, of_point, len(names))
    if outline == "hull":
        geometry = _hulls(xy, of_point, len(names), concavity, margin_m)
    else:
        geometry = _ellipses(frame, margin_m)
    frame.insert(3, "area_km2", shapely.area(geometry) / 1e6)
    frame.insert(4, "reports_per_km2", frame["n_reports"] / frame["area_km2"])
    frame.index = pd.Index(names, name="cluster")
    if codes is not None:
        for level, column in codes[member].items():
            units = cluster_units(clusters[member], column)
            text = units.groupby("cluster", sort=True)[str(level)].agg(", ".join)
            frame[str(level)] = text.reindex(frame.index)
    return gpd.GeoDataFrame(frame, geometry=geometry, crs=places.crs)


def cluster_units(clusters: pd.Series, codes: pd.Series) -> pd.DataFrame:
    """Say how the reports of each cluster are shared among the units.

    Parameters
    ----------
    clusters
        Shape (n,), the cluster of each report, missing for one in none.
    codes
        Shape (n,), indexed alike: the unit of each report, missing for one outside.

    Returns
    -------
    DataFrame
        One row per cluster and unit that have reports in common, by cluster, then from the unit with the most (of equals
        the lower code): `cluster`, the name of `codes` (``unit_code`` where it has none), `n_reports`, `share` (0 to 1, of
        all reports of the cluster, so that those outside all units are what is missing to 1).

    Raises
    ------
    IndexMismatchError
        The two are not indexed alike.

    Notes
    -----
    CRS: none needed here.

    Examples
    --------
    >>> cluster_units(pd.Series([1, 1, 1, None]), pd.Series(["a", "b", "b", "a"], name="cell"))
       cluster cell  n_reports     share
    0      1.0    b          2  0.666667
    1      1.0    a          1  0.333333
    """
    if not clusters.index.equals(codes.index):
        raise IndexMismatchError(
            f"cluster_units has {len(clusters)} clusters and {len(codes)} codes that are not indexed alike; "
            "take both from the same frame of reports"
        )
    level = "unit_code" if codes.name is None else str(codes.name)
    pairs = pd.DataFrame({"cluster": clusters, level: codes})
    counts = pairs.dropna().groupby(["cluster", level], observed=True).size().rename("n_reports")
    found = counts.reset_index()
    found["share"] = found["n_reports"] / found["cluster"].map(clusters.value_counts())
    return found.sort_values(
        ["cluster", "n_reports", level], ascending=[True, False, True], ignore_index=True
    )


def _require(  # noqa: PLR0917 - all that the caller gave
    points: gpd.GeoDataFrame,
    clusters: pd.Series,
    outline: str,
    concavity: float,
    margin_m: float,
    codes: pd.DataFrame | None,
) -> None:
    for name, other in (("clusters", clusters), ("codes", codes)):
        if other is not None and not other.index.equals(points.index):
            raise IndexMismatchError(
                f"{name!r} has {len(other)} rows that are not indexed like the {len(points)} points; "
                "take them from the same frame of reports"
            )
    if outline not in get_args(Outline):
        raise InputError(f"there is no outline {outline!r}; choose 'hull' or 'ellipse'")
    if not (0 <= concavity <= 1 and 0 < margin_m < math.inf):
        raise InputError(
            f"a concavity of {concavity:g} with a margin of {margin_m:g} m draws no area; "
            "give 0 to 1 and metres above 0"
        )


def _measures(xy: _Floats, cluster: NDArray[np.intp], n: int) -> pd.DataFrame:
    """Count, centre and standard ellipse of each cluster."""
    size = np.bincount(cluster, minlength=n)
    centre = np.column_stack([np.bincount(cluster, axis, n) / size for axis in xy.T])
    dx, dy = (xy - centre[cluster]).T
    xx, xy_, yy = (np.bincount(cluster, part, n) / size for part in (dx * dx, dx * dy, dy * dy))
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy_)
    angle = np.degrees(np.arctan2(2 * xy_, xx - yy) / 2)  # of the major axis, from the east
    bearing = (90 - angle) % 180
    round_ = half <= 1e-12 * middle
    return pd.DataFrame(
        {
            "n_reports": size,
            "easting": centre[:, 0],
            "northing": centre[:, 1],
            "major_m": np.sqrt(2 * (middle + half)),
            "minor_m": np.sqrt(2 * np.maximum(middle - half, 0)),
            "bearing_deg": np.where(round_, np.nan, bearing),
        }
    )


def _hulls(
    xy: _Floats, cluster: NDArray[np.intp], n: int, concavity: float, margin_m: float
) -> NDArray[np.object_]:
    order = np.argsort(cluster, kind="stable")
    clouds = shapely.multipoints(xy[order], indices=cluster[order]) if n else np.empty(0, object)
    clouds = shapely.extract_unique_points(clouds)
    hulls: NDArray[np.object_] = shapely.buffer(
        shapely.concave_hull(clouds, ratio=concavity), margin_m, quad_segs=8
    )
    return hulls


def _ellipses(frame: pd.DataFrame, margin_m: float) -> NDArray[np.object_]:
    """Stretch, turn and move a circle: all ellipses at once."""
    major, minor = (np.maximum(frame[name], margin_m) for name in ("major_m", "minor_m"))
    turn = np.radians(90 - frame["bearing_deg"].fillna(90))
    x, y = shapely.get_coordinates(shapely.Point(0, 0).buffer(1, quad_segs=16)).T
    along, across = np.outer(major, x), np.outer(minor, y)
    cos, sin = (np.asarray(part)[:, None] for part in (np.cos(turn), np.sin(turn)))
    east = along * cos - across * sin + frame["easting"].to_numpy()[:, None]
    north = along * sin + across * cos + frame["northing"].to_numpy()[:, None]
    ellipses: NDArray[np.object_] = shapely.polygons(np.stack([east, north], axis=-1))
    return ellipses
