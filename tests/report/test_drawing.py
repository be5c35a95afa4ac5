"""The small map: what is drawn lies in the picture, and what is not is counted."""

import re

import geopandas as gpd
import numpy as np
import pytest
from shapely import box

from gisgrid.report.drawing import draw_points

NONE = np.empty((0, 2))


def areas(*bounds, crs=4326):
    return gpd.GeoDataFrame(geometry=[box(*each) for each in bounds], crs=crs)


def coordinates(svg):
    paths = " ".join(re.findall(r'd="([^"]*)"', svg))
    return np.array(re.findall(r"[ML](-?[\d.]+) (-?[\d.]+)", paths), dtype=float)


@pytest.mark.parametrize(
    "shape", [(114, 35, 114.2, 35.1), (114, 35, 114.01, 35.4), (-87.9, 41.6, -87.5, 42.1)]
)
def test_everything_drawn_lies_in_the_picture(shape):
    west, south, east, north = shape
    inside = np.array([[west, south], [east, north], [(west + east) / 2, (south + north) / 2]])
    drawing = draw_points(areas(shape), inside=inside, marked=NONE)
    width, height = map(float, re.search(r'viewBox="0 0 (\d+) (\d+)"', drawing.svg).groups())
    xy = coordinates(drawing.svg)
    assert (xy >= 0).all()
    assert (xy[:, 0] <= width).all()
    assert (xy[:, 1] <= height).all()


def test_points_beside_the_city_widen_the_picture_and_far_ones_are_counted():
    city = areas((114, 35, 114.1, 35.1))
    near, far = [114.12, 35.05], [120.0, 30.0]
    drawing = draw_points(city, inside=NONE, marked=np.array([near, far]))
    assert drawing.n_beyond == 1
    assert drawing.svg.count("a2.6 2.6") == 2  # one dot of two arcs


def test_north_is_up_and_the_scale_is_round():
    drawing = draw_points(None, inside=np.array([[114.0, 35.0], [114.1, 35.2]]), marked=NONE)
    dots = re.search(r'class="inside" d="([^"]*)"', drawing.svg)[1]
    (west, low), (east, high) = (
        (float(x), float(y)) for x, y in re.findall(r"M([\d.]+) ([\d.]+)", dots)
    )
    assert west < east
    assert low > high
    assert re.search(r">[125]0* k?m</text>", drawing.svg)


def test_a_projected_frame_is_drawn_like_any_other():
    plane = areas((114, 35, 114.1, 35.1)).to_crs(4547)
    one, other = (
        draw_points(frame, inside=NONE, marked=NONE).svg
        for frame in (areas((114, 35, 114.1, 35.1)), plane)
    )
    assert np.allclose(coordinates(one), coordinates(other), atol=0.6)


def test_where_there_is_nothing_there_is_no_picture():
    assert draw_points(None, inside=NONE, marked=NONE) is None


def test_one_point_is_a_picture_too():
    assert 'class="inside"' in draw_points(None, inside=np.array([[114.0, 35.0]]), marked=NONE).svg
