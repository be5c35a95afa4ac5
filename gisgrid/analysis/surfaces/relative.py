"""Where are reports thicker than what they are measured by: people, all reports, last year?"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np

from gisgrid.crs import crs_label
from gisgrid.errors import InputError, warn_null
from gisgrid.surface import Surface

Comparison = Literal["rate", "ratio", "log2_ratio", "difference"]


def relative_risk(
    cases: Surface, denominator: Surface, *, floor: float, comparison: Comparison = "ratio"
) -> Surface:
    """Show where there are more reports than people (or all reports, or last year's) would lead to expect.

    The plain density of reports is mostly a map of where people are. This divides one by the other. It is no test: where
    the denominator is thin, a single report makes a high ratio, so choose the floor with care.

    Parameters
    ----------
    cases
        What is asked about, as from `kernel_density`.
    denominator
        What it is measured by, on the same cells and by the same kernel, 0 or above.
    floor
        Cells where the denominator is below it have no value; above 0, in the unit of `denominator`.
    comparison
        ``rate``: cases per unit of the denominator. ``ratio``: that, divided by the rate of the whole, so that 1 is as
        everywhere and 2 twice as many. ``log2_ratio``: its binary logarithm, 1 for twice and -1 for half as many, missing
        where there is no case. ``difference``: cases above or below what the rate of the whole would give, in the unit of
        `cases`.

    Returns
    -------
    Surface
        float32, on the cells of `cases`; NaN under the floor and where either has no value. The whole is all cells with a
        value.

    Raises
    ------
    InputError
        The surfaces are not on the same cells, a negative value, a floor that is not above 0, or no such comparison.

    Warns
    -----
    NullResultWarning
        The denominator reaches the floor nowhere, or there are no cases where it does.

    Notes
    -----
    CRS: that of the surfaces. Source: Bithell 1990, Kelsall & Diggle 1995. Checked against: the ratio that the points
    were drawn with.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> def surface(values):
    ...     return Surface(np.array([values], np.float32), Affine(50, 0, 0, 0, -50, 50), CRS(4547), "issues/km²")
    >>> relative_risk(surface([4, 2, 1]), surface([10, 20, 0.1]), floor=1).values.round(3).tolist()
    [[2.0, 0.5, nan]]
    """
    _require(cases, denominator, floor, comparison)
    above, below = cases.values.astype(float), denominator.values.astype(float)
    held = (below >= floor) & ~np.isnan(above)
    whole = above[held].sum() / below[held].sum() if held.any() else math.nan
    if not held.any() or (whole == 0 and comparison != "rate"):
        warn_null(
            f"relative_risk has {held.sum()} of {held.size} cells with a denominator of {floor:g} {denominator.unit} or more "
            f"and {above[held].sum():g} cases in them: no cell has a value"
        )
        held[:] = False
    values = np.full(above.shape, np.nan)
    values[held] = above[held] / below[held]
    unit = f"({cases.unit})/({denominator.unit})"
    if comparison == "difference":
        values[held] = above[held] - whole * below[held]
        unit = cases.unit
    elif comparison != "rate":
        values[held] /= whole
        unit = "ratio"
    if comparison == "log2_ratio":
        none = values == 0
        values[none] = np.nan
        values = np.log2(values)
        unit = "log2 ratio"
    return Surface(values.astype(np.float32), cases.transform, cases.crs, unit)


def _require(cases: Surface, denominator: Surface, floor: float, comparison: str) -> None:
    if comparison not in get_args(Comparison):
        raise InputError(
            f"there is no comparison {comparison!r}; choose one of {', '.join(get_args(Comparison))}"
        )
    if not 0 < floor < math.inf:
        raise InputError(
            f"a floor of {floor:g} would divide by nothing; give one above 0, for example a tenth of the denominator's mean"
        )
    same = (
        cases.values.shape == denominator.values.shape
        and cases.transform.almost_equals(denominator.transform)
        and cases.crs == denominator.crs
    )
    if not same:
        height, width = cases.values.shape
        rows, columns = denominator.values.shape
        raise InputError(
            f"the cases lie on {height} × {width} cells in {crs_label(cases.crs)} and the denominator on {rows} × {columns} "
            f"in {crs_label(denominator.crs)}, not on the same; make both with the same cell_m and bbox"
        )
    for name, surface in (("cases", cases), ("denominator", denominator)):
        if (least := float(np.nanmin(surface.values, initial=0))) < 0:
            raise InputError(f"{name} hold {least:g} {surface.unit}, but a density is 0 or above")
