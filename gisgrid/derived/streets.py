"""On which stretch of street are there too many incidents: litter, parking, stalls?"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import (
    nearest_segment,
    rate,
    segment_counts,
    street_kernel_density,
    street_segments,
)
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue import Derivation
from gisgrid.derived.areas import Areas
from gisgrid.derived.hotspots import hot
from gisgrid.derived.incidents import in_metres, names_of, reported
from gisgrid.derived.notes import ON_NO_STREET, Note, heard, left_out
from gisgrid.derived.terms import Terms
from gisgrid.schema import Text

SEGMENT_M: Final = 100.0
"""About how long a segment is, metres, where it is not said."""

_PERMUTATIONS: Final = 99_999
"""So that one bad stretch among ten thousand can pass the correction."""

WITHIN_M: Final = 50.0
"""How far from a street an incident may lie and be on it, metres, where it is not said."""


def street_hotspots(
    issues: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    segment_m: float = SEGMENT_M,
    within_m: float = WITHIN_M,
    neighbours: str = "contiguity",
    permutations: int = _PERMUTATIONS,
    correction: Correction = "fdr",
    seed: int = 0,
) -> Derivation:
    """Find the stretches of street that have, with those around them, unusually many or few incidents per km.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `streets` where it differs.
    streets
        Lines in any CRS; brought to metres where they are not. With `name_zh`, `name_en`, `name` where there are.
    segment_m
        About how long a segment is, metres.
    within_m
        An incident farther from every street is on none, metres.
    neighbours
        ``contiguity`` (at the same junction), or ``distance:300`` (within 300 m along the streets).
    permutations
        How many; 0 for the normal p, which few incidents per segment do not bear.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.

    Returns
    -------
    Derivation
        One row per segment: `segment_id`, names of its street, `n_incidents`, `length_km`, `incidents_per_km`, `observed`,
        `expected` (per km, of the segment with its neighbours and of all), `z`, `p`, `q`, `label`, `n_neighbours`,
        `n_units`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        Something other than lines, a length that is not above 0, no such neighbourhood, correction or number of
        permutations.

    Notes
    -----
    Gi* on the excess over what the length leads one to expect, along the streets: see `gisgrid.analysis.segment_graph`.
    """
    areas, _ = street_areas(issues, streets, segment_m=segment_m, within_m=within_m)
    return street_hot(areas, Terms(neighbours, permutations, correction, seed))


def street_hot(areas: Areas, terms: Terms) -> Derivation:
    """Score street segments by Gi* along the streets.

    Parameters
    ----------
    areas
        Segments as from `street_areas`.
    terms
        How it is tested; 99 999 permutations where they are not said.

    Returns
    -------
    Derivation
        The segments with the columns that `street_hotspots` says.
    """
    if terms.permutations is None:
        terms = replace(terms, permutations=_PERMUTATIONS)
    return hot(areas, terms)


def street_density(
    issues: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    bandwidth_m: float,
    segment_m: float = SEGMENT_M,
    within_m: float = WITHIN_M,
) -> Derivation:
    """Show how many incidents there are per km of street, smoothed along the streets and not through the houses.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `streets` where it differs.
    streets
        Lines in any CRS; brought to metres where they are not.
    bandwidth_m
        How far an incident counts along the streets, metres.
    segment_m
        About how long a segment is, metres.
    within_m
        An incident farther from every street is on none, metres.

    Returns
    -------
    Derivation
        One row per segment: `segment_id`, names of its street, `n_incidents`, `length_km`, `incidents_per_km` (of the
        segment alone), `density_per_km` (smoothed; times the length, and summed, the incidents on a street).

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        Something other than lines, or a length or bandwidth that is not above 0.

    Notes
    -----
    See `gisgrid.analysis.street_kernel_density`. It is no test.
    """
    areas, on_segments = street_areas(issues, streets, segment_m=segment_m, within_m=within_m)
    return street_thick(areas, on_segments, bandwidth_m=bandwidth_m)


def street_thick(areas: Areas, on_segments: pd.DataFrame, *, bandwidth_m: float) -> Derivation:
    """Smooth along street segments.

    Parameters
    ----------
    areas
        Segments as from `street_areas`.
    on_segments
        Where on them the incidents are, as from there.
    bandwidth_m
        How far an incident counts along the streets, metres.

    Returns
    -------
    Derivation
        The segments with the columns that `street_density` says.
    """
    segments = areas.segments
    assert segments is not None  # noqa: S101 - street_areas has cut them
    notes: list[str] = []
    with heard(notes):
        density = street_kernel_density(on_segments, segments, bandwidth_m=bandwidth_m)
    made = areas.made({"density_per_km": density}, tested=areas.counts.notna(), notes=tuple(notes))
    value = gpd.GeoDataFrame(made.value)
    return Derivation(value.drop(columns="n_units"), made.excluded, made.notes)


def street_areas(
    issues: gpd.GeoDataFrame,
    streets: gpd.GeoDataFrame,
    *,
    segment_m: float = SEGMENT_M,
    within_m: float = WITHIN_M,
) -> tuple[Areas, pd.DataFrame]:
    """Cut streets into segments, and count the incidents on each.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`.
    streets
        Lines in any CRS.
    segment_m
        About how long a segment is, metres.
    within_m
        An incident farther from every street is on none, metres.

    Returns
    -------
    tuple of Areas and DataFrame
        One area per segment, with `segments`; and where on them the incidents are, as from
        `gisgrid.analysis.nearest_segment`.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    InputError
        Something other than lines, or a length that is not above 0.
    """
    lines, about_metres = in_metres(streets, what="the length of streets")
    notes: list[str] = []
    with heard(notes):
        segments = street_segments(lines, length_m=segment_m)
    counted = reported(issues, segments)
    incidents = counted.incidents
    on_segments = nearest_segment(incidents, segments, within_m=within_m)
    numbers = segment_counts(on_segments, segments)
    counts = numbers["n_reports"].rename_axis("segment_id").rename("n")
    names = lines[names_of(map(str, lines.columns))].reindex(segments["street"]).reset_index(drop=True)  # fmt: skip
    width = len(str(max(len(segments) - 1, 0)))
    frame = pd.DataFrame(
        {
            "segment_id": [f"{number:0{width}d}" for number in segments.index],
            **{str(name): names[name].to_numpy() for name in names},
            "n_incidents": counts.to_numpy(),
            "length_km": numbers["length_km"].to_numpy(),
            "incidents_per_km": rate(counts, numbers["length_km"]).to_numpy(),
        }
    )
    text = Text(
        zh=f"街道分为 {len(segments)} 段，每段约 {segment_m:g} 米；离街道 {within_m:g} 米以内的事件计入最近的一段",
        en=f"the streets make {len(segments)} segments of about {segment_m:g} m; an incident within {within_m:g} m counts on the nearest",
    )
    off = int(on_segments["segment_id"].isna().sum())
    shapes = gpd.GeoSeries(segments.geometry.to_numpy(), crs=segments.crs)
    areas = Areas(
        frame=gpd.GeoDataFrame(frame, geometry=shapes), key="segment_id", counts=counts,
        denominator=numbers["length_km"], per=1.0, incidents=incidents,
        codes=on_segments["segment_id"], excluded=left_out({**counted.excluded, ON_NO_STREET: off}),
        notes=(*about_metres, *counted.notes, Note.of(text), *notes), segments=segments,
    )  # fmt: skip
    return areas, on_segments
