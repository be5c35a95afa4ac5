"""How thick do the reports lie along the streets?"""

from __future__ import annotations

import math
from typing import Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid.analysis.streets.segments import places_of_segments
from gisgrid.analysis.streets.walks import walk_kernels
from gisgrid.errors import ColumnError, InputError, did_you_mean, warn_null
from gisgrid.streets import network_of

Split = Literal["discontinuous", "continuous"]


def street_kernel_density(
    on_segments: pd.DataFrame,
    segments: gpd.GeoDataFrame,
    *,
    bandwidth_m: float,
    split: Split = "discontinuous",
) -> pd.Series:
    """Show how many reports there are per km of street, smoothed along the streets and not through the houses.

    For what happens on streets: parking, stalls, litter, broken lamps. It has no test, as `kernel_density` has none.

    Parameters
    ----------
    on_segments
        As from `nearest_segment`; reports on no street are left out.
    segments
        As from `street_segments`: short ones, a tenth of the bandwidth, show the kernel's shape; each holds its mean.
    bandwidth_m
        How far a report counts along the streets, metres.
    split
        At a junction of k segments a kernel goes on into the k - 1 others in equal parts (``discontinuous``: simple, and
        quick), or, ``continuous``, 2/k of it into each other and the rest, 2/k - 1, back: so that the density does not
        jump at the junction, at the price of longer walks.

    Returns
    -------
    Series
        Indexed like `segments`, `reports_per_km`: times the length, and summed, it is the number of reports on a street.

    Raises
    ------
    ColumnError
        A column of `street_segments` or `nearest_segment` is missing.
    InputError
        A bandwidth that is not above 0, no such split, or a report on a segment that is not there or beyond its end.

    Warns
    -----
    NullResultWarning
        No report is on a street: all is 0.

    Notes
    -----
    Quartic kernel 15 / (16 h) (1 - d²/h²)² along the street, integrated over each segment, so that no report is lost
    however long the segments are. A dead end turns the kernel round. Every walk without turning back counts, also round
    a block; one that carries under a ten-thousandth of a report ends on the segment it has reached. CRS: none needed here. Cost: O(reports · walks within the bandwidth), which doubles with every junction.
    Source: Okabe, Satoh & Sugihara 2009. Checked against: the kernel by hand on a line, a cross and a ring; two-sided
    limits at junctions.

    Examples
    --------
    >>> segments = gpd.GeoDataFrame({"from_node": [0, 1], "to_node": [1, 2], "length_m": [100.0, 100.0]})
    >>> on = pd.DataFrame({"segment_id": [0], "along_m": [100.0]})
    >>> street_kernel_density(on, segments, bandwidth_m=50).round(6).to_list()
    [5.0, 5.0]
    """
    net = network_of(segments)
    for column in ("segment_id", "along_m"):
        if column not in on_segments.columns:
            raise ColumnError(
                f"no column {column!r} in the reports{did_you_mean(column, map(str, on_segments.columns))}; "
                "make them with nearest_segment"
            )
    if split not in get_args(Split):
        raise InputError(f"there is no split {split!r}; choose 'discontinuous' or 'continuous'")
    if not 0 < bandwidth_m < math.inf:
        raise InputError(f"a kernel of {bandwidth_m:g} m has no shape; give metres above 0")
    place = places_of_segments(on_segments, segments)
    on = place >= 0
    along = on_segments["along_m"].to_numpy(dtype=float, na_value=np.nan)[on]
    place = place[on]
    beyond = ~((along >= 0) & (along <= net.length[place] * (1 + 1e-9)))
    if beyond.any():
        raise InputError(
            f"{beyond.sum()} of {len(place)} reports are beyond their segment's end (first: {along[beyond][0]:g} m of "
            f"{net.length[place][beyond][0]:g}); give the segments that nearest_segment was given"
        )
    if len(place) == 0:
        warn_null(f"street_kernel_density has {len(on)} reports and none on a street: all is 0")
    order = np.lexsort((along, place))  # so that the order of the rows does not matter
    mass = walk_kernels(
        net,
        place[order].astype(np.int64),
        np.minimum(along, net.length[place])[order],
        float(bandwidth_m),
        split == "continuous",
    )
    return pd.Series(mass / (net.length / 1000), segments.index, name="reports_per_km")
