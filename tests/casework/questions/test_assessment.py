"""Draws, residents never inspected, places to compare."""

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.casework.questions import assessed_places, draw_points, never_inspected, place_steps
from gisgrid.errors import CrsError, InputError


def points(n=100):
    kinds = np.array(["market", "street", "street", "street", "compound"])[np.arange(n) % 5]
    return pd.DataFrame({"point_id": [f"P{i:03d}" for i in range(n)], "kind": kinds})


def test_a_draw_depends_on_its_seed_and_not_on_the_order():
    drawn = draw_points(points(), n=20, key="point_id", strata="kind", seed=7)
    shuffled = draw_points(
        points().sample(frac=1, random_state=1), n=20, key="point_id", strata="kind", seed=7
    )
    assert drawn["point_id"].to_list() == shuffled["point_id"].to_list()
    assert (
        drawn["point_id"].to_list()
        != draw_points(points(), n=20, key="point_id", strata="kind", seed=8)["point_id"].to_list()
    )
    assert drawn["kind"].value_counts().to_dict() == {"street": 12, "compound": 4, "market": 4}
    assert drawn["weight"].sum() == pytest.approx(100)
    assert drawn["point_id"].to_list()[:2] == ["P029", "P069"]  # the same on every machine


def test_each_kind_is_drawn_at_least_once_and_no_more_than_there_are():
    table = pd.DataFrame(
        {
            "point_id": [f"P{i}" for i in range(1003)],
            "kind": ["rare"] + ["few"] * 2 + ["many"] * 1000,
        }
    )
    assert draw_points(table, n=5, key="point_id", strata="kind", seed=1)[
        "kind"
    ].value_counts().to_dict() == {"many": 3, "rare": 1, "few": 1}
    assert len(draw_points(table, n=1003, key="point_id", strata="kind", seed=1)) == 1003
    assert len(draw_points(table, n=2, key="point_id", strata="kind", seed=1)) == 2
    with pytest.raises(InputError, match="1 to 1003"):
        draw_points(table, n=1004, key="point_id", strata="kind", seed=1)
    with pytest.raises(InputError, match="once"):
        draw_points(table.assign(point_id="x"), n=2, key="point_id", strata="kind", seed=1)


def test_every_point_is_as_likely_as_another_of_its_kind():
    hits = pd.concat(
        [
            draw_points(points(), n=20, key="point_id", strata="kind", seed=seed)["point_id"]
            for seed in range(60)
        ]
    )
    count = hits.value_counts().reindex(points()["point_id"]).fillna(0)
    assert ((count - 12) ** 2 / (12 * 0.8)).sum() < 140  # chi-square, 97 degrees of freedom


def test_residents_out_of_reach_of_every_inspection(units):
    inspected = gpd.GeoDataFrame(geometry=[units.geometry.iloc[0].centroid], crs=units.crs)
    found = never_inspected(units, inspected, key="compound_code", radius_m=100)
    assert found["share_inspected"].iloc[0] == pytest.approx(np.pi * 100**2 / 300**2, rel=1e-3)
    assert found["share_inspected"].iloc[1:].eq(0).all()
    assert found["n_points"].sum() == 1
    assert found["nearest_m"].iloc[1] == pytest.approx(150)
    wide = never_inspected(units, inspected, key="compound_code", radius_m=1e5)
    assert wide["residents_never"].sum() == 0
    nowhere = never_inspected(units, inspected[:0], key="compound_code")
    assert nowhere["residents_never"].sum() == units["population"].sum()
    assert nowhere["nearest_m"].isna().all()
    with pytest.raises(CrsError):
        never_inspected(units, inspected.to_crs(4326), key="compound_code")


def test_places_elsewhere_are_apart_and_count_each_case_once(units):
    spots = gpd.GeoDataFrame(
        geometry=[shapely.Point(502_000, 3_902_000), shapely.Point(502_100, 3_902_000)],
        crs=units.crs,
    )
    places = assessed_places(spots, units, radius_m=300)
    xy = shapely.get_coordinates(places.geometry)
    elsewhere = xy[2:]
    apart = np.hypot(*(elsewhere[:, None] - elsewhere[None, :]).T)
    assert np.min(apart[~np.eye(len(apart), dtype=bool)]) >= 599.999
    assert np.min(np.hypot(*(elsewhere[:, None] - xy[None, :2]).T)) >= 600
    rng = np.random.default_rng(0)
    at = pd.Timestamp("2026-10-01", tz="UTC") + pd.to_timedelta(rng.uniform(0, 30, 2000), unit="D")
    cases = gpd.GeoDataFrame(
        {"reported_at": at},
        geometry=gpd.points_from_xy(
            rng.uniform(500_000, 507_200, 2000), rng.uniform(3_900_000, 3_906_000, 2000)
        ),
        crs=units.crs,
    )
    since, until = pd.Timestamp("2026-10-16", tz="UTC"), pd.Timestamp("2026-10-31", tz="UTC")
    cube, first = place_steps(cases, places, since=since, until=until, step_days=5)
    assert (first, cube.shape) == (2, (len(places), 5))
    assert cube.columns[first] == since
    near = (
        shapely.distance(shapely.multipoints(places.geometry.to_numpy()), cases.geometry.to_numpy())
        <= 300
    )
    inside = (at >= since - pd.Timedelta(days=10)) & (at < until)
    assert cube.to_numpy().sum() == (near & inside).sum()
    with pytest.raises(InputError, match="leave 0 places elsewhere"):
        assessed_places(spots, units, radius_m=5000)
    with pytest.raises(InputError, match="choose another day"):
        place_steps(cases, places, since=pd.Timestamp("2027-01-01", tz="UTC"), until=until)
