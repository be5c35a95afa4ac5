"""Points without any hotspot: all inside, evenly spread, the same for the same seed."""

import geopandas as gpd
import numpy as np
import pytest
import shapely
from shapely import Polygon, box

from gisgrid.errors import CrsError, InputError
from gisgrid.testing import null_points

RING = Polygon(box(0, 0, 100, 100).exterior, holes=[box(20, 20, 80, 80).exterior])


def frame(*shapes, crs=4547):
    return gpd.GeoDataFrame(geometry=list(shapes), crs=crs)


def test_points_lie_inside_and_not_in_the_hole():
    points = null_points(frame(RING, box(200, 0, 300, 50)), n=3_000, seed=1)
    assert len(points) == 3_000
    assert points.crs.to_epsg() == 4547
    area = shapely.union_all([RING, box(200, 0, 300, 50)])
    assert shapely.dwithin(area, points.geometry.to_numpy(), 1e-9).all()


def test_equal_areas_get_equal_numbers():
    area = frame(Polygon([(0, 0), (400, 0), (400, 100), (100, 100), (0, 60)]))
    points = null_points(area, n=20_000, seed=2)
    cells = np.array([box(x, y, x + 50, y + 50) for x in range(0, 400, 50) for y in (0, 50)])
    size = shapely.area(shapely.intersection(cells, area.geometry[0]))
    hits = points.sindex.query(cells, predicate="intersects")
    n = np.bincount(hits[0], minlength=len(cells))
    expected = len(points) * size / area.area.sum()
    chi2 = ((n - expected) ** 2 / expected).sum()
    assert chi2 < len(cells) + 4 * np.sqrt(2 * len(cells))


def test_the_seed_decides():
    area = frame(RING)
    one, same, other = (null_points(area, n=50, seed=seed) for seed in (7, 7, 8))
    assert one.geometry.equals(same.geometry)
    assert not one.geometry.equals(other.geometry)


def test_no_points_are_an_empty_frame():
    assert len(null_points(frame(RING), n=0, seed=1)) == 0


def test_what_cannot_be_filled_is_refused():
    with pytest.raises(InputError, match="n -1 is negative"):
        null_points(frame(RING), n=-1, seed=1)
    with pytest.raises(InputError, match="its 0 rows cover 0 m²"):
        null_points(frame(RING).iloc[:0], n=5, seed=1)
    with pytest.raises(CrsError, match="null_points needs metres"):
        null_points(frame(RING, crs=4490), n=5, seed=1)
