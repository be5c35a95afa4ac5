"""How is each report's kernel laid on the cells: one by one, or all together by FFT?"""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from gisgrid.analysis.surfaces.kernels import (
    BLOCK,
    GAUSSIAN_REACH,
    gathered_from_cells,
    shared_among_cells,
    spread_alike,
    spread_each,
    spread_inside,
)

SurfaceKernel = Literal["quartic", "gaussian"]

_Floats = NDArray[np.float64]

# Cells of bandwidth where sharing among sixteen cells errs by under 0.1 % of the peak; the Gaussian has no edge.
_FFT_FROM: Final[dict[SurfaceKernel, float]] = {"quartic": 20.0, "gaussian": 11.0}
_THREADS: Final = 2
_SHARED: Final = 2  # cells by which a report's sixteen shares reach beyond it
_NOTHING: Final = 1e-12  # of the peak: rounding of the FFT, not ground


@dataclass(frozen=True)
class Cloud:
    """Reports in cells from the centre of the cell in the north-west corner.

    Attributes
    ----------
    x, y
        Shape (n,), to the east and to the south.
    radius
        Shape (n,) or (1,), bandwidth in cells.
    weight
        Shape (n,), what each report counts.
    """

    x: _Floats
    y: _Floats
    radius: _Floats
    weight: _Floats

    def taken(self, which: NDArray[np.generic] | slice) -> Cloud:
        """Give some of the reports."""
        radius = self.radius[which] if len(self.radius) > 1 else self.radius
        return Cloud(self.x[which], self.y[which], radius, self.weight[which])


def reach_of(kernel: SurfaceKernel, radius: float) -> float:
    """How far from a report does its kernel count, in cells?

    Parameters
    ----------
    kernel
        Which kernel.
    radius
        Its bandwidth in cells.

    Returns
    -------
    float
        Beyond it there is nothing.
    """
    reach = radius * GAUSSIAN_REACH if kernel == "gaussian" else radius
    return reach + _SHARED if radius >= _FFT_FROM[kernel] else reach


def spread(
    cloud: Cloud, shape: tuple[int, int], kernel: SurfaceKernel, inside: _Floats | None
) -> _Floats:
    """Lay the kernels of all reports on the cells.

    Parameters
    ----------
    cloud
        The reports.
    shape
        Rows and columns.
    kernel
        Which kernel.
    inside
        1 for the cells that count, 0 for the others: a report's weight is shared among those that count. All cells
        count where it is missing, also those beyond the window.

    Returns
    -------
    array
        Of that shape, weight per cell.
    """
    height, width = shape
    reach = reach_of(kernel, float(cloud.radius.max(initial=1.0))) + _SHARED
    near = (
        (cloud.x > -reach)
        & (cloud.x < width + reach)
        & (cloud.y > -reach)
        & (cloud.y < height + reach)
    )
    cloud = cloud if near.all() else cloud.taken(near)
    if len(cloud.x) == 0:
        return np.zeros(shape)
    cloud = _by_block(cloud)
    if len(cloud.radius) == 1 and cloud.radius[0] >= _FFT_FROM[kernel]:
        return _by_fft(cloud, shape, kernel, inside)
    return _one_by_one(cloud, shape, kernel, inside)


def _by_block(cloud: Cloud) -> Cloud:
    """Sort reports by blocks of cells, row by row, so that neighbours in memory are neighbours on the ground."""
    row, column = (np.floor(each).astype(np.int64) // BLOCK for each in (cloud.y, cloud.x))
    number = (row - row.min()) * (np.ptp(column) + 1) + column - column.min()
    short = number.astype(np.uint16) if number.max() < 1 << 16 else number  # sorted in one pass
    return cloud.taken(np.argsort(short, kind="stable"))


def _one_by_one(
    cloud: Cloud, shape: tuple[int, int], kernel: SurfaceKernel, inside: _Floats | None
) -> _Floats:
    """Lay each kernel as it is: the northern half of the reports in one thread, the southern in another."""
    middle = len(cloud.x) // 2
    reach = math.ceil(reach_of(kernel, float(cloud.radius.max()))) + 1
    top = min(max(0, math.floor(cloud.y[middle:].min()) - reach), shape[0])
    top -= top % BLOCK
    north, south = np.zeros(shape), np.zeros((shape[0] - top, shape[1]))

    def lay(part: tuple[_Floats, slice, int]) -> None:
        out, which, first = part
        some = cloud.taken(which)
        y, gaussian = some.y - first, kernel == "gaussian"
        if inside is not None:
            spread_inside(out, inside[first:], some.x, y, some.radius, some.weight, gaussian)
        elif len(cloud.radius) == 1:
            spread_alike(out, some.x, y, float(some.radius[0]), some.weight, gaussian)
        else:
            spread_each(out, some.x, y, some.radius, some.weight, gaussian)

    parts = [(north, slice(middle), 0), (south, slice(middle, None), top)]
    with ThreadPoolExecutor(_THREADS) as threads:
        list(threads.map(lay, parts))
    north[top:] += south
    return north


def _by_fft(
    cloud: Cloud, shape: tuple[int, int], kernel: SurfaceKernel, inside: _Floats | None
) -> _Floats:
    """Share each report among sixteen cells, then convolve all cells at once."""
    patch = _patch(kernel, float(cloud.radius[0]))
    margin = patch.shape[0] // 2 + 2 * _SHARED  # how far a report reaches in all, and some
    wide = shape[0] + 2 * margin, shape[1] + 2 * margin
    counts = np.zeros(wide)
    x, y, weight = cloud.x + margin, cloud.y + margin, cloud.weight
    if inside is not None:
        # The share of a kernel that is inside, by the very weights that share the report: so nothing is lost.
        kept = _convolved(np.pad(inside, margin), patch)
        share = gathered_from_cells(kept, x, y)
        weight = np.where(share > 1e-6, weight / np.maximum(share, 1e-6), 0.0)
    shared_among_cells(counts, x, y, weight)
    values = _convolved(counts, patch)[margin:-margin, margin:-margin]
    if inside is not None:
        values = values * inside
    total = values.sum()
    values[values <= _NOTHING * values.max()] = 0.0  # what cubic shares undershoot, and rounding
    left = values.sum()
    if left > 0:
        values *= total / left
    return values


def _patch(kernel: SurfaceKernel, radius: float) -> _Floats:
    """Give the kernel on cell centres; sums to 1."""
    reach = math.ceil(radius * GAUSSIAN_REACH if kernel == "gaussian" else radius) - 1
    square = (np.arange(-reach, reach + 1) / radius) ** 2
    apart = square[:, None] + square
    height = np.exp(-4.5 * apart) if kernel == "gaussian" else np.maximum(0, 1 - apart) ** 2
    patch: _Floats = height / height.sum()
    return patch


def _convolved(values: _Floats, patch: _Floats) -> _Floats:
    """Convolve, same shape; what reaches over the edge is lost."""
    from scipy import fft  # noqa: PLC0415 - only a density needs it

    half = patch.shape[0] // 2
    size = [fft.next_fast_len(n + half, real=True) for n in values.shape]
    placed = np.zeros(size)
    placed[: patch.shape[0], : patch.shape[1]] = patch
    placed = np.roll(placed, (-half, -half), axis=(0, 1))  # its middle at the origin
    spectrum = fft.rfft2(values, size, workers=_THREADS)
    spectrum *= fft.rfft2(placed, workers=_THREADS)
    found: _Floats = fft.irfft2(spectrum, size, workers=_THREADS)
    return found[: values.shape[0], : values.shape[1]]
