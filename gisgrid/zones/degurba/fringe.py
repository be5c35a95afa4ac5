"""Which cells are urban fringe?"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from gisgrid.surface import Surface


def fringe_cells(cells: Surface) -> Surface:
    """Find the urban-rural fringe among classified cells.

    Parameters
    ----------
    cells
        As from `gisgrid.zones.classify_cells`.

    Returns
    -------
    Surface
        1 for suburban and semi-dense cells (21, 22) and for rural clusters (13) that touch, corners included, a centre, a
        dense cluster or a suburban cell (30, 23, 21); 0 for all others.

    Notes
    -----
    Source: the classes of the Degree of Urbanisation that lie between town and country; which of them make the fringe is a
    choice of this project, stated here.

    Examples
    --------
    >>> from affine import Affine
    >>> from pyproj import CRS
    >>> row = Surface(np.array([[30, 21, 13, 13, 11]], np.float32), Affine.identity(), CRS("ESRI:54009"), "")
    >>> fringe_cells(row).values.tolist()
    [[0.0, 1.0, 1.0, 0.0, 0.0]]
    """
    classes = cells.values.astype(np.int16)
    town = np.isin(classes, (30, 23, 21))
    beside = ndimage.binary_dilation(town, np.ones((3, 3), np.bool_))
    fringe = np.isin(classes, (21, 22)) | ((classes == 13) & beside)
    return Surface(fringe.astype(np.float32), cells.transform, cells.crs, "fringe")
