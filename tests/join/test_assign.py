"""Which unit is each issue in: the answers, the ties, and what is refused with which sentence."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from pandas.testing import assert_frame_equal, assert_series_equal
from shapely import LineString, MultiPoint, Point, Polygon, box

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.join import assign_units, unassigned, unit_counts

CRS = "EPSG:4547"
BOW_TIE = Polygon([(0, 0), (2, 2), (2, 0), (0, 2)])


def points(*xy, crs=CRS, index=None):
    return gpd.GeoDataFrame(geometry=[p and Point(p) for p in xy], crs=crs, index=index)


def areas(crs=CRS, column="code", **shapes):
    return gpd.GeoDataFrame({column: list(shapes)}, geometry=list(shapes.values()), crs=crs)


@pytest.fixture
def squares():
    return areas(B=box(0, 0, 10, 10), A=box(10, 0, 20, 10), C=box(0, 10, 20, 20))


def test_all_levels_and_zones_at_once(squares):
    compounds = areas(column="compound_code", B1=box(0, 0, 5, 10), B2=box(5, 0, 10, 10))
    villages = areas(v=box(4, 4, 6, 6), w=box(5, 5, 12, 6))
    issues = points((5.5, 5.5), (4, 4), (19, 5), (50, 50))
    found = assign_units(
        issues,
        {"code": squares, "compound_code": compounds},
        zones={"in_village": villages, "in_fringe": villages.iloc[1:]},
    )
    expected = pd.DataFrame(
        {
            "code": pd.array(["B", "B", "A", None], dtype="str"),
            "compound_code": pd.array(["B2", "B1", None, None], dtype="str"),
            "in_village": [True, True, False, False],
            "in_fringe": [True, False, False, False],
        }
    )
    assert_frame_equal(found, expected)


@pytest.mark.parametrize(
    ("xy", "code"),
    [
        ((10, 5), "A"),  # on the border of B and A
        ((5, 10), "B"),  # on the border of B and C
        ((10, 10), "A"),  # a corner of all three
        ((0, 0), "B"),  # an outer corner
        ((20, 15), "C"),  # the outer border
        ((np.nextafter(10, 0), 5), "B"),
        ((np.nextafter(20, 30), 5), None),
    ],
)
def test_a_point_on_a_shared_border_is_in_the_unit_with_the_lowest_code(squares, xy, code):
    for order in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        found = assign_units(points(xy), {"code": squares.iloc[order]})["code"][0]
        assert found == code if code else pd.isna(found)


def test_the_lowest_code_is_lowest_as_text_also_in_an_overlap():
    units = areas(**{"9": box(0, 0, 4, 4), "10": box(2, 0, 6, 4), "011": box(3, 0, 7, 4)})
    found = assign_units(points((1, 1), (2.5, 1), (3.5, 1), (5, 1), (6.5, 1)), {"code": units})
    assert found["code"].tolist() == ["9", "10", "011", "011", "011"]


def test_a_code_in_several_rows_is_one_unit():
    units = gpd.GeoDataFrame(
        {"code": ["B", "A", "B"]}, geometry=[box(i, 0, i + 1, 1) for i in range(3)], crs=CRS
    )
    found = assign_units(points((0.5, 0.5), (1.5, 0.5), (2.5, 0.5)), {"code": units})["code"]
    assert found.tolist() == ["B", "A", "B"]


def test_issues_without_a_place_are_in_no_unit(squares):
    geometry = [None, Point(), Point(np.nan, np.nan), Point(np.inf, 1), Point(5, 5)]
    issues = gpd.GeoDataFrame(geometry=geometry, crs=CRS)
    found = assign_units(issues, {"code": squares}, zones={"in_zone": squares})
    assert found["code"].isna().tolist() == [True, True, True, True, False]
    assert found["in_zone"].tolist() == [False, False, False, False, True]
    assert unassigned(found, "code").tolist() == [0, 1, 2, 3]


def test_heights_are_not_looked_at(squares):
    issues = gpd.GeoDataFrame(geometry=[Point(5, 5, 99)], crs=CRS)
    assert assign_units(issues, {"code": squares})["code"].tolist() == ["B"]


def test_units_without_a_shape_hold_nothing():
    units = areas(A=None, B=Polygon(), C=box(0, 0, 1, 1))
    assert assign_units(points((0, 0)), {"code": units})["code"].tolist() == ["C"]


@pytest.mark.parametrize(
    "index",
    [
        ["r1", "r1", "r2"],
        [7, 7, 7],
        pd.MultiIndex.from_tuples([("a", 1), ("a", 2), ("b", 1)]),
        pd.date_range("2025-01-01", periods=3),
    ],
)
def test_the_answer_is_indexed_like_the_issues(squares, index):
    issues = points((5, 5), (15, 5), (99, 5), index=index)
    found = assign_units(issues, {"code": squares}, zones={"in_zone": squares})
    assert found.index.equals(issues.index)
    assert found["code"].tolist()[:2] == ["B", "A"]
    assert unassigned(found, "code").tolist() == [issues.index[2]]
    assert unassigned(found, "in_zone").tolist() == [issues.index[2]]


def test_nothing_in_nothing_out(squares):
    none = points()
    found = assign_units(none, {"code": squares}, zones={"in_zone": squares})
    assert found.shape == (0, 2)
    assert found["code"].dtype == pd.StringDtype(na_value=np.nan)
    assert found["in_zone"].dtype == bool
    assert assign_units(points((1, 1)), {}).shape == (1, 0)
    no_units = assign_units(points((1, 1)), {"code": squares.iloc[:0]})
    assert no_units["code"].isna().tolist() == [True]
    assert unit_counts(found["code"], squares["code"]).tolist() == [0, 0, 0]


def test_nobodys_frame_is_changed(squares):
    issues, zones = points((5, 5), None), squares.copy()
    before = issues.copy(), squares.copy()
    assign_units(issues, {"code": squares}, zones={"in_zone": zones})
    assert_frame_equal(issues, before[0])
    assert_frame_equal(squares, before[1])


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:3435", "EPSG:4547", "EPSG:4490"])
def test_any_crs_will_do_if_it_is_one(squares, crs):
    units = squares.set_crs(crs, allow_override=True)
    found = assign_units(points((5, 5), crs=crs), {"code": units})
    assert found["code"].tolist() == ["B"]


def test_longitude_latitude_is_one_crs_by_either_name(squares):
    units = squares.set_crs("OGC:CRS84", allow_override=True)
    found = assign_units(points((15, 5), crs="EPSG:4326"), {"code": units})
    assert found["code"].tolist() == ["A"]


@pytest.mark.parametrize(
    ("issues_crs", "units_crs", "sentence"),
    [
        (
            "EPSG:4326",
            "EPSG:4547",
            r"'issues' is in EPSG:4326 \(degree\) and 'code' is in EPSG:4547 \(metre\); .*to_crs\(issues.crs\)",
        ),
        (None, "EPSG:4547", r"'issues' has no coordinate reference system"),
        ("EPSG:4547", None, r"'issues' is in EPSG:4547 \(metre\) and 'code' has none; state it"),
    ],
)
def test_two_crs_are_refused(squares, issues_crs, units_crs, sentence):
    issues = points((5, 5), crs=issues_crs)
    units = squares.set_crs(units_crs, allow_override=True)
    with pytest.raises(CrsError, match=sentence):
        assign_units(issues, {"code": units})
    with pytest.raises(CrsError, match=sentence):
        assign_units(issues, {}, zones={"code": units})


def test_invalid_polygons_are_refused_by_count_and_first_code(squares):
    units = pd.concat([squares, areas(X=BOW_TIE, Y=BOW_TIE)], ignore_index=True)
    sentence = (
        r"2 of 5 polygons of 'code' are invalid \(first: 'X', Self-intersection.*shapely.make_valid"
    )
    with pytest.raises(InputError, match=sentence):
        assign_units(points((1, 1)), {"code": units})
    with pytest.raises(
        InputError, match=r"2 of 5 polygons of 'in_zone' are invalid \(first: 'row 3'"
    ):
        assign_units(points((1, 1)), {}, zones={"in_zone": units})


def test_the_remedy_that_the_error_names_works(squares):
    units = pd.concat([squares, areas(X=BOW_TIE)], ignore_index=True)
    with pytest.raises(InputError) as error:
        assign_units(points((1, 1)), {"code": units})
    remedy = str(error.value).rpartition("for example ")[2]
    mended = eval(remedy, {"units": units, "shapely": shapely})  # noqa: S307 - our own sentence
    found = assign_units(points((2, 1), (15, 5), (1.5, 0.2)), {"code": mended})
    assert found["code"].tolist() == ["B", "A", "B"]


def test_shapes_that_are_no_areas_are_refused(squares):
    units = pd.concat([squares, areas(X=LineString([(0, 0), (1, 1)]))], ignore_index=True)
    with pytest.raises(
        InputError, match=r"1 of 4 shapes of 'code' are no polygons \(first: 'X', LineString\)"
    ):
        assign_units(points((1, 1)), {"code": units})


def test_issues_that_are_no_points_are_refused(squares):
    issues = gpd.GeoDataFrame(
        geometry=[Point(1, 1), MultiPoint([(1, 1)]), box(0, 0, 1, 1)],
        index=["a", "b", "c"],
        crs=CRS,
    )
    with pytest.raises(
        InputError,
        match=r"2 of 3 issues are no points \(first: 'b', MultiPoint\).*representative_point",
    ):
        assign_units(issues, {"code": squares})


@pytest.mark.parametrize(
    ("codes", "error", "sentence"),
    [
        ([1, 2, 3], ColumnError, r"codes in 'code' are integer \(first: 1\).*astype\(str\)"),
        (["A", None, "C"], InputError, r"1 of 3 codes in 'code' are missing \(first: row 1\)"),
        ([None, None, None], InputError, r"3 of 3 codes in 'code' are missing"),
        (["A", 2, "C"], ColumnError, r"codes in 'code' are mixed"),
    ],
)
def test_codes_are_text_and_there(squares, codes, error, sentence):
    units = squares.assign(code=pd.Series(codes, dtype=object))
    with pytest.raises(error, match=sentence):
        assign_units(points((1, 1)), {"code": units})


def test_a_level_without_its_column_is_refused_with_the_likeliest_name(squares):
    with pytest.raises(ColumnError, match="no column of that name; did you mean 'code'"):
        assign_units(points((1, 1)), {"codes": squares})


def test_a_name_is_a_level_or_a_zone(squares):
    with pytest.raises(ColumnError, match="'code' names a level of units and a zone"):
        assign_units(points((1, 1)), {"code": squares}, zones={"code": squares})


def test_counts_stand_in_the_order_given_and_lose_nothing(squares):
    issues = points((1, 1), (2, 2), (15, 5), (99, 99), None)
    codes = assign_units(issues, {"code": squares})["code"]
    counts = unit_counts(codes, squares["code"])
    expected = pd.Series([2, 1, 0], index=pd.Index(["B", "A", "C"], name="code"), name="n")
    assert_series_equal(counts, expected, check_index_type=False)
    assert counts.dtype == np.int64
    assert counts.sum() + codes.isna().sum() == len(issues)
    by_index = unit_counts(codes, squares.set_index("code").index)
    assert_series_equal(by_index, counts)


def test_counts_take_categories_and_objects():
    codes = pd.Series(["b", None, "b"], dtype="category")
    assert unit_counts(codes, pd.Index(["a", "b"], dtype=object)).tolist() == [0, 2]
    assert unit_counts(pd.Series([None, None], dtype=object), pd.Series(["a"])).tolist() == [0]
    assert unit_counts(pd.Series([], dtype=object), pd.Series([], dtype=object)).tolist() == []


@pytest.mark.parametrize(
    ("codes", "units", "sentence"),
    [
        (
            ["A", "X", "X"],
            ["A"],
            r"2 of 3 issues have a code that is none of the 1 unit codes \(first: 'X'\)",
        ),
        (["A"], ["A", "B", "A"], r"1 of 3 unit codes are repeated.*first: 'A' at position 2"),
        (["A"], ["A", None], r"1 of 2 unit codes are missing.*at position 1"),
    ],
)
def test_counts_that_would_lose_something_are_refused(codes, units, sentence):
    with pytest.raises(InputError, match=sentence):
        unit_counts(pd.Series(codes), pd.Series(units))


def test_unassigned_names_the_likeliest_level(squares):
    found = assign_units(points((1, 1)), {"code": squares})
    with pytest.raises(ColumnError, match="no level 'cod'; did you mean 'code'"):
        unassigned(found, "cod")
