"""A score is right about perfect, empty and partial findings."""

import geopandas as gpd
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.testing import Score, score


def truth_of(*rows):
    kinds, categories, shapes = zip(*rows, strict=True)
    return gpd.GeoDataFrame(
        {"kind": kinds, "category": categories}, geometry=list(shapes), crs=4547
    )


def found_of(*rows):
    labels, shapes = zip(*rows, strict=True) if rows else ((), ())
    return gpd.GeoDataFrame({"label": list(labels)}, geometry=list(shapes), crs=4547)


HOT = ("hot", None, box(0, 0, 100, 100))
COLD = ("cold", None, box(500, 0, 600, 100))
GROWING = ("emerging", None, box(900, 0, 1_000, 100))
MARKET = ("hot", "street_vending", box(0, 900, 100, 1_000))
TRUTH = truth_of(HOT, COLD, GROWING, MARKET)


def test_a_perfect_finding():
    found = found_of(
        ("hot_99", HOT[2]), ("cold_90", COLD[2]), ("not_significant", box(200, 0, 300, 9))
    )
    assert score(found, TRUTH) == Score(1.0, 1.0, 1.0, 1.0, 1, 1)
    assert score(found, TRUTH, kind="cold") == Score(1.0, 1.0, 1.0, 1.0, 1, 1)


def test_finding_nothing_recalls_nothing_and_has_no_precision():
    for found in (found_of(), found_of(("not_significant", HOT[2]))):
        result = score(found, TRUTH)
        assert (result.recall, result.recall_areas, result.n_found) == (0.0, 0.0, 0)
        assert np.isnan(result.precision)
        assert np.isnan(result.precision_inside)


def test_nothing_planted_has_no_recall_and_every_finding_is_false():
    result = score(found_of(("hot_90", box(0, 0, 1, 1))), TRUTH.iloc[:0])
    assert np.isnan(result.recall)
    assert (result.precision, result.n_planted, result.n_found) == (0.0, 0, 1)


def test_a_partial_finding_counts_by_area_and_by_areas():
    truth = truth_of(HOT, ("hot", None, box(300, 0, 400, 100)))
    found = found_of(("hot_95", box(0, 0, 60, 100)), ("hot_90", box(300, 0, 340, 100)))
    result = score(found, truth)
    assert result.recall == pytest.approx(0.5)
    assert result.recall_areas == 0.5  # 60 % of one, 40 % of the other
    assert result.precision == 1.0


def test_a_unit_that_touches_is_right_and_one_nearby_is_right_within_the_tolerance():
    found = found_of(
        ("hot_99", box(0, 0, 100, 100)),
        ("hot_99", box(100, 0, 200, 100)),
        ("hot_99", box(210, 0, 310, 100)),
    )
    assert score(found, TRUTH).precision == pytest.approx(2 / 3)
    assert score(found, TRUTH).precision_inside == pytest.approx(1 / 3)
    assert score(found, TRUTH, tolerance_m=120).precision == 1.0
    assert score(found, TRUTH, tolerance_m=100).precision == pytest.approx(2 / 3)


def test_a_hot_unit_in_an_emerging_area_is_right_but_recalls_no_hot_area():
    result = score(found_of(("hot_99", GROWING[2])), TRUTH)
    assert (result.recall, result.precision) == (0.0, 1.0)
    assert score(found_of(("hot_99", GROWING[2])), TRUTH, kind="emerging").recall == 1.0


def test_cold_is_no_hot():
    found = found_of(("cold_99", HOT[2]))
    assert score(found, TRUTH).recall == 0.0
    assert score(found, TRUTH, kind="cold").precision == 0.0


def test_a_category_adds_its_own_areas():
    found = found_of(("hot_99", MARKET[2]))
    assert score(found, TRUTH).precision == 0.0
    result = score(found, TRUTH, category="street_vending")
    assert (result.recall, result.precision, result.n_planted) == (0.5, 1.0, 2)
    assert score(found, TRUTH, category="sewage").n_planted == 1


def test_confidence_leaves_out_what_is_less_sure():
    found = found_of(("hot_90", box(0, 0, 50, 100)), ("hot_95", box(50, 0, 100, 100)))
    assert [score(found, TRUTH, confidence=c).recall for c in (90, 95, 99)] == [1.0, 0.5, 0.0]


@settings(derandomize=True, max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True, max_size=30),
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9)), unique=True, min_size=1, max_size=12),
)
def test_shares_are_shares_and_more_found_never_recalls_less(found_cells, true_cells):
    truth = truth_of(*(("hot", None, box(x, y, x + 1, y + 1)) for x, y in true_cells))
    found = found_of(*(("hot_95", box(x, y, x + 1, y + 1)) for x, y in found_cells))
    result = score(found, truth)
    hits = len(set(found_cells) & set(true_cells))
    assert result.recall == pytest.approx(hits / len(true_cells))
    if found_cells:
        assert result.precision_inside == pytest.approx(hits / len(found_cells))
        assert result.precision >= result.precision_inside - 1e-12
        assert score(found.iloc[1:], truth).recall <= result.recall + 1e-12


def test_what_cannot_be_scored_is_refused():
    found = found_of(("hot_99", HOT[2]))
    with pytest.raises(ColumnError, match="no column 'label' in 'found'; did you mean 'labels'"):
        score(found.rename(columns={"label": "labels"}), TRUTH)
    with pytest.raises(CrsError, match=r"'found' is in EPSG:4546 .* and 'truth' in EPSG:4547"):
        score(found.set_crs(4546, allow_override=True), TRUTH)
    with pytest.raises(CrsError, match="needs metres"):
        score(found.set_crs(4490, allow_override=True), TRUTH)
    with pytest.raises(
        InputError, match="kind 'hott' is no kind of planted area; did you mean 'hot'"
    ):
        score(found, TRUTH, kind="hott")
    with pytest.raises(InputError, match="confidence 80 is no class"):
        score(found, TRUTH, confidence=80)
