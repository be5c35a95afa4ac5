"""Which stretches of street have how many reports, and which stretches are neighbours?"""

from __future__ import annotations

import math

import geopandas as gpd
import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from gisgrid.analysis.streets.walks import near_along
from gisgrid.analysis.weights.contiguity import graph_of_pairs
from gisgrid.errors import InputError
from gisgrid.streets import Network, network_of

_Ints = NDArray[np.int64]


def segment_counts(
    on_segments: pd.DataFrame, segments: gpd.GeoDataFrame, *, years: float | None = None
) -> pd.DataFrame:
    """Count the reports on each segment, and per km of street.

    Parameters
    ----------
    on_segments
        As from `nearest_segment`; reports on no street are not counted.
    segments
        As from `street_segments`.
    years
        How long the reports were collected; adds the count per km and year.

    Returns
    -------
    DataFrame
        Indexed like `segments`: `n_reports`, `length_km`, `reports_per_km` and, with `years`, `reports_per_km_year`.

    Raises
    ------
    ColumnError
        A column of `street_segments` is missing.
    InputError
        A report is on a segment that is not there, or a time that is not above 0.

    Notes
    -----
    CRS: none needed here. The counts add up to the reports on a street.

    Examples
    --------
    >>> segments = gpd.GeoDataFrame({"from_node": [0, 1], "to_node": [1, 2], "length_m": [50.0, 100.0]})
    >>> on = pd.DataFrame({"segment_id": pd.array([1, 1, None], dtype="Int64")})
    >>> segment_counts(on, segments)["reports_per_km"].to_list()
    [0.0, 20.0]
    """
    net = network_of(segments)
    if years is not None and not 0 < years < math.inf:
        raise InputError(f"{years:g} years are no time to count in; give a number above 0")
    place = places_of_segments(on_segments, segments)
    counts = np.bincount(place[place >= 0], minlength=len(segments))
    found = pd.DataFrame(
        {"n_reports": counts, "length_km": net.length / 1000}, index=segments.index
    )
    found["reports_per_km"] = found["n_reports"] / found["length_km"]
    if years is not None:
        found["reports_per_km_year"] = found["reports_per_km"] / years
    return found


def segment_graph(segments: gpd.GeoDataFrame, *, within_m: float | None = None) -> Graph:
    """Say which segments are neighbours along the streets, for Gi* and the rest.

    A block's two sides are near each other through the houses and far by the street; this goes by the street.

    Parameters
    ----------
    segments
        As from `street_segments`.
    within_m
        How far apart the middles of neighbours may be along the network, metres. Without it: neighbours share a junction.

    Returns
    -------
    Graph
        Binary, symmetric, named and ordered as ``segments.index``. A segment without neighbours stays as an isolate.

    Raises
    ------
    ColumnError
        A column of `street_segments` is missing.
    InputError
        There are no segments, or a distance that is not above 0.

    Notes
    -----
    CRS: none needed here, the lengths are the segments'. Cost: O(pairs log pairs). Checked against: scipy's `dijkstra`.

    Examples
    --------
    >>> segments = gpd.GeoDataFrame({"from_node": [0, 1, 2], "to_node": [1, 2, 3], "length_m": [50.0, 50.0, 50.0]})
    >>> list(segment_graph(segments)[0].index), list(segment_graph(segments, within_m=100)[0].index)
    ([1], [1, 2])
    """
    net = network_of(segments)
    if len(segments) == 0:
        raise InputError("there are 0 segments, so none is next to another; give at least one")
    if within_m is not None and not 0 < within_m < math.inf:
        raise InputError(f"no segment is within {within_m:g} m of another; give metres above 0")
    if within_m is None:
        focal, neighbour = _sharing(net)
    else:
        focal, neighbour = near_along(net, within_m)
        # The way there and the way back may be rounded to two sides of the limit: one of them is enough.
        focal, neighbour = _once(np.r_[focal, neighbour], np.r_[neighbour, focal], len(segments))
    ids = pd.Index(segments.index, name="focal")
    return graph_of_pairs(ids, focal, neighbour, np.ones(len(focal), np.int64))


def places_of_segments(on_segments: pd.DataFrame, segments: gpd.GeoDataFrame) -> _Ints:
    """Find where each report's segment stands among the segments.

    Parameters
    ----------
    on_segments
        As from `nearest_segment`.
    segments
        As from `street_segments`.

    Returns
    -------
    array
        Shape (n,), -1 for a report on no street.

    Raises
    ------
    InputError
        A report is on a segment that is not there.
    """
    names = on_segments["segment_id"]
    place = segments.index.get_indexer(pd.Index(names))
    if (lost := (place < 0) & names.notna().to_numpy()).any():
        raise InputError(
            f"{lost.sum()} of {len(names)} reports are on segments that are not there (first: {names[lost].iloc[0]!r}); "
            "give the segments that nearest_segment was given"
        )
    return np.where(names.isna(), -1, place)


def _sharing(net: Network) -> tuple[_Ints, _Ints]:
    """List the pairs of segments that share a node, each both ways and once."""
    degree = np.diff(net.first)
    segment = net.leaving // 2
    node = np.repeat(np.arange(len(degree)), degree)
    focal = np.repeat(segment, degree[node])
    start = np.repeat(net.first[node], degree[node])
    steps = np.arange(len(focal)) - np.repeat(np.cumsum(degree[node]) - degree[node], degree[node])
    neighbour = segment[start + steps]
    other = focal != neighbour
    return _once(focal[other], neighbour[other], len(net.length))


def _once(focal: _Ints, neighbour: _Ints, n: int) -> tuple[_Ints, _Ints]:
    """Give each pair once, in order: as one number, which sorts a hundred times faster than two."""
    pairs = np.sort(focal * n + neighbour)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return pairs // n, pairs % n
