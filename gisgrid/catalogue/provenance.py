"""From what, how and by which versions was a derived layer made, and what was left out?"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version

import pandas as pd
import pyproj
import rasterio
import shapely
from pydantic import BaseModel, ConfigDict

from gisgrid import __version__
from gisgrid.catalogue.layer import Parameter
from gisgrid.surface import Surface

Value = pd.DataFrame | Surface
"""What a layer holds: a GeoDataFrame, a table without a place, or a surface."""


class InputRecord(BaseModel):
    """One input as it was when the layer was made.

    Attributes
    ----------
    layer
        The input's id.
    sha256
        Its file's checksum.
    n_rows
        Its rows; None for a raster.
    crs
        The CRS it was in; None for a table.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    layer: str
    sha256: str
    n_rows: int | None = None
    crs: str | None = None


class Provenance(BaseModel):
    """How a derived layer was made. Equal inputs, parameters and versions give an equal record.

    Attributes
    ----------
    layer, function, parameters
        What was made, by which function ``module:name``, with which parameters.
    inputs
        By the name the function knows them under.
    excluded
        Rows of the inputs that are not in the result, by reason.
    notes
        Decisions a reader should know, for example a reprojection.
    n_rows, crs
        Of the result; `n_rows` is None for a raster, `crs` is None for a table.
    sha256
        Checksum of the result's file.
    versions
        Of gisgrid and of what it computes with.
    """

    model_config = ConfigDict(extra="ignore", frozen=True)

    layer: str
    function: str
    parameters: Mapping[str, Parameter]
    inputs: Mapping[str, InputRecord]
    excluded: Mapping[str, int]
    notes: tuple[str, ...]
    n_rows: int | None
    crs: str | None
    sha256: str
    versions: Mapping[str, str]


def versions() -> dict[str, str]:
    """Give the versions of everything that a derived layer's numbers may depend on.

    Returns
    -------
    dict
        Name to version.

    Examples
    --------
    >>> {"gisgrid", "GEOS", "PROJ", "numpy"} <= set(versions())
    True
    """
    packages = ("geopandas", "libpysal", "numpy", "pandas", "pyarrow", "scipy", "shapely")
    return {
        "gisgrid": __version__,
        **{package: version(package) for package in packages},
        "GDAL": rasterio.__gdal_version__,
        "GEOS": shapely.geos_version_string,
        "PROJ": pyproj.proj_version_str,
    }


def row_count(value: Value) -> int | None:
    """Count the rows of a layer's value.

    Parameters
    ----------
    value
        A frame, a table or a surface.

    Returns
    -------
    int or None
        None for a surface, which has cells and no rows.
    """
    return None if isinstance(value, Surface) else len(value)
