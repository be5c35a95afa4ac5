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
    counts = np.array([0, 1, 4, 5, 9, 10])
    assert Privacy(k_threshold=5).shown_counts(counts).tolist() == [0, 0, 0, 5, 5, 10]
    for k in (0, 1):
        assert Privacy(k_threshold=k).shown_counts(counts).tolist() == counts.tolist()
    assert [Privacy(k_threshold=k).shows_single for k in (0, 1, 2)] == [True, True, False]


def test_rules_that_cannot_be_kept_are_refused():
    areas = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.box(0, 0, 1, 1)], crs=4326)
    with pytest.raises(InputError, match="only points can be moved"):
        Privacy(blur_m=10).applied(FeatureTable.from_frame(areas, properties=["n"]))
    for wrong in ({"k_threshold": -1}, {"blur_m": -1}, {"blur_m": float("nan")}, {"blur_m": 1e9}):
        with pytest.raises(InputError, match="privacy asks for"):
            Privacy(**wrong)


FIELDS = {"kind": "text", "status": "text", "day": "integer", "at": "time"}


@given(st.integers(2, 50), st.lists(st.integers(0, 200), min_size=2, max_size=2).map(sorted))
def test_the_difference_of_two_shown_numbers_is_never_a_number_of_features(k, numbers):
    few, more = Privacy(k_threshold=k).shown_counts(np.array(numbers)).tolist()
    assert (more - few) % k == 0
    assert few <= more
    # Of a group that makes the difference nothing is known but that it is within two k of what is shown.
    apart = numbers[1] - numbers[0]
    assert abs(apart - (more - few)) < k


@pytest.mark.parametrize(
    "text",
    [
        "kind = 'noise'", "'noise' <> kind", "kind IN ('noise', 'road')", "kind IS NULL",
        "NOT (kind = 'noise' AND status <> 'open') OR status IS NOT NULL", "TRUE",
    ],
)  # fmt: skip
def test_where_groups_are_hidden_filters_choose_classes(text):
    Privacy(k_threshold=5, classes=("kind", "status")).check_filter(
        Filter.parse(text, fields=FIELDS)
    )


@pytest.mark.parametrize(
    "text",
    [
        "kind > 'noise'", "kind LIKE 'n%'", "CASEI(kind) = 'noise'", "kind = status", "day = 3", "kind = 'noise' AND day < 3",
        "at < TIMESTAMP('2026-01-01T00:00:00Z')", "NOT (at = DATE('2026-01-01'))", "S_INTERSECTS(geometry, BBOX(1, 2, 3, 4))",
        "kind = 'noise' OR S_WITHIN(geometry, BBOX(1, 2, 3, 4))", "geometry IS NULL", "day + 1 = 2", "(day = 3) IS NULL",
    ],
)  # fmt: skip
def test_nobody_moves_a_border_past_one_feature_after_the_other(text):
    where = Filter.parse(text, fields=FIELDS)
    with pytest.raises(FilterError, match=r"whole classes.* are 'kind' and 'status'"):
        Privacy(k_threshold=5, classes=("kind", "status")).check_filter(where)
    Privacy(k_threshold=1).check_filter(where)


def test_the_box_of_hidden_features_does_not_say_where_the_outermost_is():
    box = (113.9712345, 35.1012345, 114.0212345, 35.1412345)
    assert Privacy(k_threshold=2).shown_bbox(box) == (113.95, 35.1, 114.05, 35.15)
    assert Privacy().shown_bbox(box) == box
