import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, InputError
from gisgrid.features import FeatureTable, Privacy
from gisgrid.features.filters import Filter, FilterError
from gisgrid.features.zorder import in_order

DEGREE_M = 6371008.8 * np.pi / 180


@given(st.floats(-180, 180), st.floats(-90, 90), st.floats(1, 100_000))
def test_blur_is_stable_and_moves_no_point_out_of_reach(lon, lat, blur_m):
    privacy = Privacy(blur_m=blur_m)
    x, y = privacy.blurred(np.array([lon]), np.array([lat]))
    again = privacy.blurred(x, y)
    assert abs(x[0]) <= 180
    assert abs(y[0]) <= 90
    np.testing.assert_allclose(again, (x, y), atol=1e-9)
    assert abs(y[0] - lat) * DEGREE_M <= blur_m
    # Near a pole a cell is a good part of the circle, and a degree of longitude is short.
    assert abs(x[0] - lon) * DEGREE_M * np.cos(np.radians(y[0])) <= blur_m + 1e-6 or abs(y[0]) > 89


def test_what_is_blurred_cannot_be_found_by_filters(table):
    blurred = Privacy(blur_m=500, keep=("category",)).applied(table)
    assert set(blurred.columns) == {"category"}
    assert in_order(blurred.u, blurred.v)
    assert len({*zip(blurred.lon[:2900].tolist(), blurred.lat[:2900].tolist(), strict=True)}) > 1000
    row = 7
    exact = Filter.bbox(
        table.lon[row] - 1e-7, table.lat[row] - 1e-7, table.lon[row] + 1e-7, table.lat[row] + 1e-7
    )
    assert exact.mask(table).sum() == 1
    assert exact.mask(blurred).sum() == 0
    with pytest.raises(FilterError, match="no property 'id'"):
        Filter.parse("id = 'R-00001'", fields=blurred.fields)
    assert blurred.key is None
    assert blurred.is_whole()
    at = int(np.flatnonzero(blurred.number == table.number[row])[0])
    assert blurred.records([at]) == [{"category": table.records([row])[0]["category"]}]


def test_only_kept_columns_remain_without_blur(table):
    kept = Privacy(keep=("severity", "id")).applied(table)
    assert list(kept.columns) == ["severity", "id"]
    assert kept.row("R-00003") == table.row("R-00003")
    assert Privacy().applied(table) is table
    with pytest.raises(ColumnError, match="privacy keeps 'secret'"):
        Privacy(keep=("secret",)).applied(table)


def test_small_groups_are_hidden():
    counts = np.array([0, 1, 4, 5])
    assert Privacy(k_threshold=5).shown_groups(counts).tolist() == [False, False, False, True]
    assert Privacy().shown_groups(counts).tolist() == [False, True, True, True]
    assert [Privacy(k_threshold=k).shows_single for k in (0, 1, 2)] == [True, True, False]


def test_rules_that_cannot_be_kept_are_refused():
    areas = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    with pytest.raises(InputError, match="only points can be moved"):
        Privacy(blur_m=10).applied(FeatureTable.from_frame(areas, properties=["n"]))
    for wrong in ({"k_threshold": -1}, {"blur_m": -1}, {"blur_m": float("nan")}, {"blur_m": 1e9}):
        with pytest.raises(InputError, match="privacy asks for"):
            Privacy(**wrong)
