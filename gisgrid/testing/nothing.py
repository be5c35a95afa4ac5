"""What do reports look like where there is no hotspot at all? Points spread evenly, to test false discoveries."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely

from gisgrid.crs import require_metres
from gisgrid.errors import InputError


def null_points(area: gpd.GeoDataFrame, *, n: int, seed: int) -> gpd.GeoDataFrame:
    """Spread points over an area so that no place is more likely than another.

    Parameters
    ----------
    area
        Polygons that do not overlap. Metres.
    n
        How many points.
    seed
        The same seed gives the same points.

    Returns
    -------
    GeoDataFrame
        Shape (n, 1), all inside the area, in its CRS.

    Raises
    ------
    CrsError
        `area` is not in metres.
    InputError
        `n` is negative, or the area is empty.

    Notes
    -----
    Triangles are drawn by their area and a point in each uniformly: exact, nothing is rejected.

    Examples
    --------
    >>> square = gpd.GeoDataFrame(geometry=[shapely.box(0, 0, 100, 100)], crs=4547)
    >>> points = null_points(square, n=1000, seed=1)
    >>> len(points), bool(points.within(square.geometry[0]).all())
    (1000, True)
    """
    require_metres(area, what="null_points", name="area")
    if n < 0:
        raise InputError(f"n {n} is negative; give how many points to spread, 0 or more")
    triangles = shapely.get_parts(shapely.constrained_delaunay_triangles(area.geometry.to_numpy()))
    sizes = shapely.area(triangles)
    if not sizes.sum() > 0:
        raise InputError(
            f"null_points spreads points over 'area' but its {len(area)} rows cover 0 m²; give polygons"
        )
    rng = np.random.default_rng(seed)
    corners = shapely.get_coordinates(triangles).reshape(-1, 4, 2)[:, :3]
    corners = np.repeat(corners, rng.multinomial(n, sizes / sizes.sum()), axis=0)
    u, v = rng.random((2, n))
    over = u + v > 1
    u[over], v[over] = 1 - u[over], 1 - v[over]
    xy = np.einsum("nk,nkd->nd", np.column_stack([1 - u - v, u, v]), corners)
    return gpd.GeoDataFrame(geometry=shapely.points(xy), crs=area.crs)
