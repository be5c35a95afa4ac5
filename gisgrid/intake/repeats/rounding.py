"""How precisely were coordinates written down? Rows that were rounded stand on a lattice."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from gisgrid.schema import Text

LEAST_ROWS: Final = 20
"""Rows below which nothing is judged: with fewer, no rule can tell a habit from chance."""

_COARSE_M: Final = 50.0


def rounded_rows(
    x: NDArray[np.float64], y: NDArray[np.float64], known: NDArray[np.bool_], unit_m: float
) -> tuple[NDArray[np.int64], list[Text]]:
    """Find the rows whose coordinates were rounded to a coarse lattice.

    Parameters
    ----------
    x, y
        Shape (n,), as the source writes them.
    known
        Shape (n,), which rows count.
    unit_m
        Metres in one unit of `x`.

    Returns
    -------
    rows : ndarray of int64
        Those on a lattice of 50 m or coarser; none where most of the file is.
    notes : list of Text
        What was found.
    """
    rows = np.flatnonzero(known)
    if len(rows) < LEAST_ROWS:
        return rows[:0], []
    decimals = np.maximum(_decimals(x[rows]), _decimals(y[rows]))
    finest = int(np.quantile(decimals, 0.95))
    levels = [places for places in range(4, -4, -1) if 5.0 <= unit_m * 10.0**-places <= 100_000.0]
    whole = [places for places in levels if (decimals <= places).sum() > 0.5 * len(rows)]
    notes = []
    if whole and (step_m := unit_m * 10.0 ** -whole[-1]) >= 10.0:
        notes.append(_whole_note(int((decimals <= whole[-1]).sum()), len(rows), step_m))
    for places in levels:
        if whole and places >= whole[-1]:
            continue
        step_m = unit_m * 10.0**-places
        marked = step_m >= _COARSE_M
        on = decimals <= places if marked else decimals == places
        by_chance = len(rows) * 100.0 ** -max(finest - places, 0)
        if (n_on := int(on.sum())) < max(LEAST_ROWS, 5.0 * by_chance):
            continue
        notes.append(_part_note(n_on, len(rows), step_m, marked=marked))
        if marked:
            return rows[on], notes
    return rows[:0], notes


def _decimals(values: NDArray[np.float64]) -> NDArray[np.int8]:
    """Count the decimals that a number was written with: 7 stands for more, -3 for whole thousands."""
    decimals = np.full(len(values), 7, np.int8)
    open_rows = np.arange(len(values))
    for places in range(6, -4, -1):
        scaled = values[open_rows] * 10.0**places
        tolerance = np.maximum(1e-9 * np.abs(scaled), 1e-9) if places < 4 else 1e-5
        open_rows = open_rows[np.abs(scaled - np.rint(scaled)) <= tolerance]
        decimals[open_rows] = places
    return decimals


def _whole_note(n: int, of: int, step_m: float) -> Text:
    half = f"{step_m / 2:.0f}"
    zh = f"{of} 行中有 {n} 行坐标取整到 {step_m:.0f} 米：这是文件本身的精度（±{half} 米），不逐行标记；比这更细的热点没有意义"
    en = f"{n} of {of} rows are rounded to {step_m:.0f} m: that is the file's precision (±{half} m), so no row is marked; hotspots finer than that mean nothing"
    return Text(zh=zh, en=en)


def _part_note(n: int, of: int, step_m: float, *, marked: bool) -> Text:
    zh = f"{n} 行（{n / of:.1%}）坐标取整到 {step_m:.0f} 米" + (
        "，已标记" if marked else "，影响不大，不标记"
    )
    en = f"{n} rows ({n / of:.1%}) are rounded to {step_m:.0f} m" + (
        " and marked" if marked else ", too little to be marked"
    )
    return Text(zh=zh, en=en)
