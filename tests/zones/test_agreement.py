"""Shares of zones in units, and where ways of drawing zones agree: scikit-learn is the oracle of kappa."""

import sys

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import box
from sklearn.metrics import cohen_kappa_score, jaccard_score

from gisgrid.errors import ColumnError, CrsError, InputError
from gisgrid.zones import agreement, zone_shares

CRS = "EPSG:4547"


def frame(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=CRS)


def test_units_are_shared_by_their_ground():
    units = frame(box(0, 0, 10, 10), box(10, 0, 20, 10), box(50, 0, 60, 10))
    zones = frame(
        box(0, 0, 10, 6), box(0, 4, 10, 6), box(14, 0, 20, 10), zone_type=["urban_village", "urban_village", "fringe"]
    )  # fmt: skip
    found = zone_shares(units, zones)
    assert found["share_urban_village"].tolist() == [0.6, 0, 0]
    assert found["share_fringe"].tolist() == [0, 0.6, 0]
    assert found["share_rest"].tolist() == pytest.approx([0.4, 0.4, 1])
    assert found["zone_type"].tolist() == ["urban_village", "fringe", "rest"]
    assert found["confidence"].tolist() == pytest.approx([0.2, 0.2, 1])


def test_a_ring_does_not_hold_its_middle():
    ring = box(0, 0, 100, 100).difference(box(40, 40, 60, 60))
    found = zone_shares(
        frame(box(45, 45, 55, 55), box(0, 0, 100, 100)), frame(ring, zone_type=["fringe"])
    )
    assert found["share_fringe"].tolist() == pytest.approx([0, 0.96])


@settings(derandomize=True, max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**31), n=st.integers(5, 60))
def test_kappa_and_overlap_are_those_of_scikit_learn(seed, n):
    rng = np.random.default_rng(seed)
    names = np.array(["fringe", "rest", "village"])
    a, b = pd.Series(rng.choice(names, n)), pd.Series(rng.choice(names, n))
    weight = pd.Series(rng.uniform(0.1, 5, n))
    pairs, units = agreement({"a": a, "b": b}, weights=weight)
    row = pairs.loc[("a", "b")]
    if len(set(a) | set(b)) > 1:
        assert row["kappa"] == pytest.approx(
            cohen_kappa_score(a, b, sample_weight=weight), nan_ok=True
        )
    for name in set(a) | set(b):
        expected = jaccard_score(a == name, b == name, sample_weight=weight)
        assert row[f"overlap_{name}"] == pytest.approx(expected)
    assert units["zone_type"].tolist() == a.tolist()  # of equals the first way decides


def test_most_ways_decide_and_silence_is_no_vote():
    ways = {
        "cells": pd.Series(["fringe", "rest", None]),
        "codes": pd.Series(["rest", "rest", None]),
        "breaks": pd.Series(["rest", None, None]),
    }
    _, units = agreement(ways)
    assert units["zone_type"].tolist()[:2] == ["rest", "rest"]
    assert units["confidence"].tolist()[:2] == pytest.approx([2 / 3, 1])
    assert units["n_ways"].tolist() == [3, 2, 0]
    assert pd.isna(units["zone_type"].iloc[2])


def test_what_cannot_be_shared_or_compared_is_refused():
    units, zones = frame(box(0, 0, 1, 1)), frame(box(0, 0, 1, 1), zone_type=["fringe"])
    with pytest.raises(CrsError, match=r"zones\.to_crs"):
        zone_shares(units, zones.to_crs(4490))
    with pytest.raises(ColumnError, match="no column 'kind' in zones"):
        zone_shares(units, zones, zone_type="kind")
    with pytest.raises(InputError, match="1 zones have no zone_type"):
        zone_shares(units, zones.assign(zone_type=[None]))
    with pytest.raises(InputError, match="needs two or more"):
        agreement({"a": pd.Series(["rest"])})
    with pytest.raises(InputError, match="different units"):
        agreement({"a": pd.Series(["rest"]), "b": pd.Series(["rest"], index=[7])})


def test_shapes_that_fall_into_pieces_when_mended_keep_their_ground():
    # Mended this is a collection of a polygon and a line, and that one a polygon and a point, as nine of Mumbai's are.
    spike = shapely.Polygon([(0, 0), (10, 0), (10, 10), (20, 10), (10, 10), (0, 10)])
    assert shapely.make_valid(spike).geom_type == "GeometryCollection"
    units = gpd.GeoDataFrame(
        geometry=[
            shapely.box(0, 0, 20, 10),
            spike,
            shapely.Polygon(),
            shapely.Point(5, 5),
            None,
            shapely.Point(),
        ],
        crs=4547,
    )
    zones = gpd.GeoDataFrame({"zone_type": ["fringe"]}, geometry=[spike], crs=4547)
    found = zone_shares(units, zones)
    assert found["share_fringe"].iloc[:2].tolist() == [0.5, 1.0]
    assert found.iloc[[2, 4, 5]].isna().all(axis=None)
    assert found.iloc[3][["share_fringe", "zone_type", "confidence"]].tolist() == [1, "fringe", 1]


def test_large_grounds_are_parted_and_nothing_changes(monkeypatch):
    rng = np.random.default_rng(4)
    angle = np.sort(rng.uniform(0, 2 * np.pi, 3000))
    radius = 1000 + rng.uniform(-60, 60, 3000)
    blob = shapely.Polygon(np.column_stack([radius * np.cos(angle), radius * np.sin(angle)]))
    circles = shapely.buffer(shapely.points(rng.uniform(-1300, 1300, (900, 2))), 60)
    units = gpd.GeoDataFrame(geometry=circles, crs=4547)
    zones = gpd.GeoDataFrame({"zone_type": ["fringe"]}, geometry=[blob], crs=4547)
    whole = zone_shares(units, zones)
    monkeypatch.setattr(sys.modules["gisgrid.zones.agreement"], "_MANY", 10)
    parted = zone_shares(units, zones)
    columns = ["share_fringe", "share_rest", "confidence"]
    np.testing.assert_allclose(parted[columns], whole[columns], atol=1e-9)
    assert parted["zone_type"].equals(whole["zone_type"])
