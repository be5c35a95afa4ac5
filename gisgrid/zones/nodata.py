"""Does a raster have a value that means 'no data' and does not say so?"""

from __future__ import annotations

import warnings
from typing import Final

import numpy as np
import rasterio
from numpy.typing import NDArray

from gisgrid.surface import Surface
from gisgrid.zones.rasters import Raster

_GAP: Final = 0.5
_SHARE: Final = 0.001
_LOOKED_AT: Final = 1_000_000
_USUAL: Final = (
    250.0, 251.0, 252.0, 253.0, 254.0, 255.0, 32767.0, 65535.0, -9999.0, -32768.0, -999.0, -99.0, 4294967295.0, -3.4028234663852886e38,
)  # fmt: skip


class SuspectNodataWarning(UserWarning):
    """A raster declares no value for 'no data', and one of its values looks like it."""


def suspect_nodata(raster: Raster, *, remedy: str) -> None:
    """Warn where a value looks like 'no data' and none is declared.

    Parameters
    ----------
    raster
        A surface, or a file that rasterio opens; of large ones cells evenly apart are looked at.
    remedy
        What to do, with ``{value:g}`` for the value.

    Warns
    -----
    SuspectNodataWarning
        The lowest or highest value is one of those that programs use, stands as far from all others as half their range or
        more, and has a thousandth of the cells.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> lights = Surface(np.array([[3, 250, 7, 9]], np.float32), Affine(500, 0, 0, 0, -500, 500), CRS("EPSG:4547"), "")
    >>> with warnings.catch_warnings(record=True) as said:
    ...     warnings.simplefilter("always")
    ...     suspect_nodata(lights, remedy="leave out {value:g}")
    >>> len(said)
    1
    """
    if isinstance(raster, Surface):
        name = "the surface"
        seen = raster.values[:: _step(raster.values.shape), :: _step(raster.values.shape)]
    else:
        name = repr(str(raster))
        with rasterio.open(raster) as file:
            if file.nodata is not None:
                return
            step = _step(file.shape)
            shape = (max(1, file.height // step), max(1, file.width // step))
            seen = file.read(1, out_shape=shape)
    for value, share, low, high in _alone(seen[np.isfinite(seen)]):
        warnings.warn(
            f"{name} declares no value for 'no data', and {value:g} stands alone ({share:.1%} of the cells; all others are {low:g} to {high:g}); if it "
            f"means 'no data', {remedy.format(value=value)}",
            SuspectNodataWarning,
            stacklevel=3,
        )


def _step(shape: tuple[int, ...]) -> int:
    return max(1, int(np.ceil(np.sqrt(shape[0] * shape[1] / _LOOKED_AT))))


def _alone(seen: NDArray[np.generic]) -> list[tuple[float, float, float, float]]:
    values, counts = np.unique(seen, return_counts=True)
    values = values.astype(float)
    if len(values) < 3:
        return []
    found = []
    for at, inner in ((-1, -2), (0, 1)):
        other = values[-1 - at]
        apart = abs(values[at] - values[inner]) >= _GAP * abs(values[inner] - other)
        share = counts[at] / counts.sum()
        if apart and values[at] in _USUAL and share >= _SHARE:
            low, high = sorted((values[inner], other))
            found.append((float(values[at]), float(share), float(low), float(high)))
    return found
