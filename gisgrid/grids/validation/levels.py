"""What does a check need to know of one level: its codes, its shapes as drawn and as clean polygons?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean
from gisgrid.grids.validation.faults import Shapes, clean_polygons


@dataclass(frozen=True, eq=False)
class Level:
    """One level of a grid, made ready to be checked.

    Attributes
    ----------
    name
        What the level is called.
    frame
        As it was given.
    key
        The column of its codes.
    codes
        Shape (n,), the codes as text; empty where there is none.
    labels
        Shape (n,), what a message calls each unit: its code, or its row where it has none.
    drawn
        Shape (n,), the geometry as given.
    clean
        Shape (n,), flat valid polygons; empty where there is no area.
    areas
        Shape (n,), m² of `clean`.
    """

    name: str
    frame: gpd.GeoDataFrame
    key: str
    codes: NDArray[np.object_]
    labels: NDArray[np.object_]
    drawn: Shapes
    clean: Shapes
    areas: NDArray[np.float64]

    def __len__(self) -> int:
        """Count the units."""
        return len(self.frame)

    def column(self, name: str) -> NDArray[np.object_]:
        """Give a column's values as text, empty where missing."""
        if name not in self.frame:
            known = [str(column) for column in self.frame.columns]
            raise ColumnError(
                f"no column {name!r} among {len(known)} columns of level {self.name!r}{did_you_mean(name, known)}"
            )
        return code_text(self.frame[name])


def code_text(values: pd.Series) -> NDArray[np.object_]:
    """Give codes as text, whole numbers without a point, empty where missing.

    Parameters
    ----------
    values
        Shape (n,), codes as they were read.

    Returns
    -------
    ndarray of str
        Shape (n,), trimmed.

    Examples
    --------
    >>> code_text(pd.Series(["01 ", None])).tolist(), code_text(pd.Series([7.0, float("nan")])).tolist()
    (['01', ''], ['7', ''])
    """
    if pd.api.types.is_float_dtype(values.dtype):
        whole = values.dropna()
        if (whole == np.floor(whole)).all():
            values = values.astype("Int64")
    there = values.notna().to_numpy()
    text = np.full(len(values), "", dtype=object)
    text[there] = [str(value).strip() for value in values.to_numpy(dtype=object)[there]]
    return text


def made_levels(
    levels: Mapping[str, gpd.GeoDataFrame], keys: Mapping[str, str]
) -> tuple[tuple[Level, ...], CRS]:
    """Make levels ready to be checked.

    Parameters
    ----------
    levels
        The frames by name, from coarse to fine, all in one projected CRS in metres.
    keys
        The column of codes of each.

    Returns
    -------
    levels : tuple of Level
        In the same order.
    crs : CRS
        Their common CRS.

    Raises
    ------
    InputError
        No level at all, or a level without units.
    ColumnError
        A level has no key, or no such column.
    CrsError
        No CRS, no metres, or several CRSs.
    """
    if not levels:
        raise InputError("0 levels were given to check; give at least one, from coarse to fine")
    crs: CRS | None = None
    for name, frame in levels.items():
        found = require_metres(frame, what="a grid's check", name=name)
        if crs is not None and found != crs:
            raise CrsError(
                f"level {name!r} is in {crs_label(found)} but the levels above it are in {crs_label(crs)}; "
                "all levels need one CRS: reproject them first"
            )
        crs = crs or found
        if not len(frame):
            raise InputError(f"level {name!r} has 0 units; leave it out or give its units")
        if name not in keys:
            raise ColumnError(f"keys names no column for level {name!r}{did_you_mean(name, keys)}")
    assert crs is not None  # noqa: S101 - there is at least one level
    return tuple(_level(name, frame, keys[name]) for name, frame in levels.items()), crs


def _level(name: str, frame: gpd.GeoDataFrame, key: str) -> Level:
    if key not in frame:
        known = [str(column) for column in frame.columns if column != frame.geometry.name]
        raise ColumnError(
            f"no column {key!r} (the key) among {len(known)} columns of level {name!r}{did_you_mean(key, known)}"
        )
    codes = code_text(frame[key])
    labels = np.where(codes == "", [f"row {row}" for row in range(1, len(frame) + 1)], codes)
    drawn = np.asarray(frame.geometry.array, dtype=object)
    clean = clean_polygons(drawn)
    return Level(name, frame, key, codes, labels.astype(object), drawn, clean, shapely.area(clean))


def named(levels: Sequence[Level], name: str) -> Level:
    """Give the level of a name.

    Parameters
    ----------
    levels
        The levels.
    name
        The name.

    Returns
    -------
    Level
        That level.

    Raises
    ------
    InputError
        There is none of that name.
    """
    for level in levels:
        if level.name == name:
            return level
    known = [level.name for level in levels]
    raise InputError(f"no level {name!r} among {len(known)} levels{did_you_mean(name, known)}")
