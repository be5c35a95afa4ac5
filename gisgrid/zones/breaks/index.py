"""How urban does a place look, by its lights, its buildings and its shops together?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from scipy import ndimage

from gisgrid.errors import InputError
from gisgrid.surface import Surface
from gisgrid.zones.rasters import Stack

_LOW, _HIGH = 1.0, 99.0
_WINDOW: Final = 3


def urbanity_index(
    layers: Mapping[str, Surface],
    *,
    weights: Mapping[str, float] | None = None,
    logarithm: tuple[str, ...] = (),
) -> Surface:
    """Bring several signs of a city into one index.

    Parameters
    ----------
    layers
        Surfaces on the same cells by name, the more the more urban: night lights, share of built-up ground, density of
        shops and other places.
    weights
        What each counts, by name; all the same without it.
    logarithm
        The layers of which ``log(1 + value)`` is taken: lights and densities, which a few places lead by far.

    Returns
    -------
    Surface
        0 to 1 on the same cells, the mean of 3 × 3 cells; NaN where any layer has none.

    Raises
    ------
    InputError
        No layer, layers on different cells, weights for other layers or not above 0, or a layer that is the same
        everywhere.

    Notes
    -----
    Each layer is cut at its 1st and 99th percentile and stretched to 0 to 1, so that one floodlight does not make the
    scale. This is the fused index of the Chinese literature on fringe belts, with every choice stated.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> lights = Surface(np.tile(np.arange(9.0, dtype=np.float32), (3, 1)), Affine(500, 0, 0, 0, -500, 1500), CRS("EPSG:4547"), "")
    >>> urbanity_index({"lights": lights}).values[1, [2, 4, 6]].tolist()
    [0.25, 0.5, 0.75]
    """
    if not layers:
        raise InputError(
            "no layer is given and an index needs one at least, for example night lights"
        )
    given = dict.fromkeys(layers, 1.0) if weights is None else dict(weights)
    if set(given) != set(layers) or min(given.values()) <= 0:
        raise InputError(
            f"weights are given for {', '.join(sorted(given))} and the layers are {', '.join(sorted(layers))}; give each layer a weight "
            "above 0"
        )
    stack = Stack.of(**dict(layers))
    total = np.zeros(stack.shape)
    for name, layer in layers.items():
        values = layer.values.astype(float)
        if name in logarithm:
            values = np.log1p(np.clip(values, 0, None))
        known = values[np.isfinite(values)]
        low, high = np.percentile(known, [_LOW, _HIGH]) if len(known) else (0.0, 0.0)
        if not high > low:
            raise InputError(
                f"layer {name!r} is the same nearly everywhere and tells no town from country; leave it out"
            )
        total += given[name] * (np.clip(values, low, high) - low) / (high - low)
    mean = total / sum(given.values())
    known = np.isfinite(mean)
    filtered = ndimage.uniform_filter(np.where(known, mean, 0.0), _WINDOW, mode="nearest")
    there = ndimage.uniform_filter(known.astype(float), _WINDOW, mode="nearest")
    index = np.divide(filtered, there, out=np.full(stack.shape, np.nan), where=known)
    return Surface(index.astype(np.float32), stack.transform, stack.crs, "index 0 to 1")
