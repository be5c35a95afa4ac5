"""How much of what was planted did a method find, and how much of what it found was planted?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import geopandas as gpd
import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean

Kind = Literal["hot", "cold", "emerging", "fading"]
_KINDS = ("hot", "cold", "emerging", "fading")
_CONFIDENCES = (90, 95, 99)
HALF = 0.5


@dataclass(frozen=True)
class Score:
    """How well found areas match planted ones; each share is 0 to 1, NaN where it would divide by nothing.

    Attributes
    ----------
    recall
        Share of the planted area that found units cover.
    recall_areas
        Share of the planted areas of which found units cover at least half.
    precision
        Share of the found units' area in units that touch a planted area (or lie within `tolerance_m` of one).
    precision_inside
        Share of the found units' area that itself lies in a planted area: strict, as a statistic that looks at
        a unit together with its neighbours always reaches one unit too far.
    n_planted, n_found
        Planted areas, and found units.
    """

    recall: float
    recall_areas: float
    precision: float
    precision_inside: float
    n_planted: int
    n_found: int


def score(
    found: gpd.GeoDataFrame,
    truth: gpd.GeoDataFrame,
    *,
    kind: Kind = "hot",
    category: str | None = None,
    confidence: int = 90,
    tolerance_m: float = 0.0,
) -> Score:
    """Say how much of the planted areas was found, and how much of the found area was planted.

    Parameters
    ----------
    found
        Units or cells with a `label` of `gisgrid.palette.LABELS`; those that are not hot (or cold) may be in it.
        They do not overlap. Metres.
    truth
        `City.truth`, in the same CRS.
    kind
        Which planted areas. Cold ones are held against cold labels, all others against hot labels. Recall asks for
        this kind only; for precision, a hot unit in an emerging or a fading area is right too.
    category
        The category whose issues were analysed; areas planted for another category alone are no part of the truth.
        None: all issues together.
    confidence
        The least confidence in percent of a label that counts: 90, 95 or 99.
    tolerance_m
        How far from a planted area a found unit may lie and still be right. 0: they must touch.

    Returns
    -------
    Score
        Recall, precision and the numbers behind them.

    Raises
    ------
    ColumnError
        `found` has no label.
    CrsError
        Degrees, or two coordinate reference systems.
    InputError
        `kind` or `confidence` is none of those above.

    Examples
    --------
    >>> from shapely import box
    >>> truth = gpd.GeoDataFrame({"kind": ["hot"], "category": [None]}, geometry=[box(0, 0, 20, 10)], crs=4547)
    >>> found = gpd.GeoDataFrame(
    ...     {"label": ["hot_99", "not_significant", "hot_90"]},
    ...     geometry=[box(0, 0, 10, 10), box(10, 0, 20, 10), box(50, 0, 60, 10)],
    ...     crs=4547,
    ... )
    >>> score(found, truth)
    Score(recall=0.5, recall_areas=1.0, precision=0.5, precision_inside=0.5, n_planted=1, n_found=2)
    """
    _check(found, truth, kind, confidence)
    side = "cold" if kind == "cold" else "hot"
    labels = [f"{side}_{level}" for level in _CONFIDENCES if level >= confidence]
    units = found.geometry[found["label"].isin(labels)].to_numpy()
    meant = truth["category"].isna() | (truth["category"] == category)
    planted = truth.geometry[meant & (truth["kind"] == kind)].to_numpy()
    right = truth.geometry[meant & ((truth["kind"] == "cold") == (side == "cold"))].to_numpy()
    covered = shapely.area(shapely.intersection(planted, shapely.union_all(units)))
    found_area = shapely.area(units)
    truly: BaseGeometry = shapely.union_all(right)
    touching = (
        shapely.dwithin(units, truly, tolerance_m) if len(right) else np.zeros(len(units), bool)
    )
    inside = shapely.area(shapely.intersection(units, truly))
    planted_area = shapely.area(planted)
    return Score(
        recall=_share(covered.sum(), planted_area.sum()),
        recall_areas=_share(float((covered >= HALF * planted_area).sum()), len(planted)),
        precision=_share(found_area[touching].sum(), found_area.sum()),
        precision_inside=_share(inside.sum(), found_area.sum()),
        n_planted=len(planted),
        n_found=len(units),
    )


def _share(part: float, whole: float) -> float:
    return float(part / whole) if whole else float("nan")


def _check(found: gpd.GeoDataFrame, truth: gpd.GeoDataFrame, kind: str, confidence: int) -> None:
    if "label" not in found:
        raise ColumnError(
            f"no column 'label' in 'found'{did_you_mean('label', map(str, found.columns))}"
        )
    if kind not in _KINDS:
        raise InputError(f"kind {kind!r} is no kind of planted area{did_you_mean(kind, _KINDS)}")
    if confidence not in _CONFIDENCES:
        raise InputError(
            f"confidence {confidence!r} is no class of a hotspot map; give 90, 95 or 99"
        )
    crs = require_metres(found, what="score", name="found")
    other = require_metres(truth, what="score", name="truth")
    if crs != other:
        raise CrsError(
            f"score needs one CRS but 'found' is in {crs_label(crs)} and 'truth' in {crs_label(other)}; "
            "reproject one, for example found.to_crs(truth.crs)"
        )
