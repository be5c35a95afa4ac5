"""Reports have a rhythm, arrive late, are settled later, and some are said twice: all of it is recovered."""

import numpy as np
import pandas as pd
import pytest
import shapely

from gisgrid.testing import rhythm
from gisgrid.testing.issues import DUPLICATE_SHARE, STRAY_SHARE


@pytest.fixture(scope="module")
def local(originals):
    return originals["reported_at"].dt.tz_convert("Asia/Shanghai")


def test_issues_are_in_the_order_of_their_reports_and_named_once(issues):
    assert issues["reported_at"].is_monotonic_increasing
    assert issues["issue_id"].is_unique
    assert issues["issue_id"].is_monotonic_increasing


def test_every_category_has_its_code(issues):
    assert set(zip(issues["category"], issues["category_code"], strict=True)) == set(
        rhythm.CATEGORIES.items()
    )


def test_nothing_arrives_before_it_is_reported_or_closes_before_it_arrives(issues):
    assert (issues["uploaded_at"] >= issues["reported_at"]).all()
    closed = issues[issues["closed_at"].notna()]
    assert (closed["closed_at"] > closed["uploaded_at"]).all()


def test_open_cases_are_those_without_an_end_and_most_are_recent(issues):
    is_open = issues["status"] == "open"
    assert (is_open == issues["closed_at"].isna()).all()
    assert 0 < is_open.sum() < 0.05 * len(issues)
    end = pd.Timestamp("2025-10-21", tz="Asia/Shanghai")
    assert issues[["uploaded_at", "closed_at"]].max().max() <= end
    last_day = issues["reported_at"] > end - pd.Timedelta(days=1)
    assert is_open[last_day].mean() > 5 * is_open.mean()


@pytest.mark.parametrize("source", rhythm.SOURCES)
def test_the_week_is_recovered(originals, local, source):
    days = pd.date_range(local.min().date(), local.max().date())
    n_weekend = int((days.day_of_week >= 5).sum())
    mine = local[originals["source"] == source].dt.day_of_week >= 5
    ratio = mine.sum() / n_weekend / ((~mine).sum() / (len(days) - n_weekend))
    error = ratio * np.sqrt(1 / mine.sum() + 1 / (~mine).sum())
    assert abs(ratio - rhythm.WEEKEND[source]) < 4 * error


@pytest.mark.parametrize("category", rhythm.CATEGORIES)
def test_the_season_is_recovered(originals, local, category):
    swing, peak = rhythm.SEASON[category]
    mine = local[originals["category"] == category]
    mine = mine[mine >= mine.max() - pd.Timedelta(days=354)]
    angle = 2 * np.pi * (mine.dt.day_of_year - 1 - peak) / 365.25
    found = 2 * np.cos(angle).mean()
    error = np.sqrt(2 / len(mine))
    assert abs(found - swing) < 4 * error + 0.05  # eleven days of October are missing


def test_collectors_work_by_day_and_cameras_at_any_hour(originals, local):
    hour = local.dt.hour
    collectors = originals["source"] == "collector"
    assert hour[collectors].between(6, 21).all()
    assert hour[collectors].between(8, 17).mean() > 0.85
    assert set(hour[originals["source"] == "video"]) == set(range(24))


@pytest.mark.parametrize("source", rhythm.SOURCES)
def test_upload_delays_have_their_median(originals, source):
    mine = originals[originals["source"] == source]
    minutes = (mine["uploaded_at"] - mine["reported_at"]).dt.total_seconds() / 60
    assert minutes.median() == pytest.approx(rhythm.UPLOAD_MINUTES[source][0], rel=0.1)
    if source == "collector":  # some had no network
        assert (minutes > 180).mean() == pytest.approx(rhythm.OFFLINE_SHARE, rel=0.25)


@pytest.mark.parametrize("category", rhythm.CATEGORIES)
def test_closing_times_have_their_median(originals, category):
    long_ago = originals["reported_at"] < originals["reported_at"].max() - pd.Timedelta(days=365)
    mine = originals[(originals["category"] == category) & long_ago]
    hours = (mine["closed_at"] - mine["uploaded_at"]).dt.total_seconds() / 3600
    assert hours.fillna(np.inf).median() == pytest.approx(
        rhythm.CLOSING_HOURS[category][0], rel=0.2
    )


def test_duplicates_name_an_earlier_report_near_in_space_and_time(issues):
    again = issues[issues["duplicate_of"].notna()]
    assert len(again) == round(DUPLICATE_SHARE * len(issues))
    first = issues.set_index("issue_id").loc[again["duplicate_of"]]
    assert first["duplicate_of"].isna().all()
    wait = again["reported_at"].reset_index(drop=True) - first["reported_at"].reset_index(drop=True)
    assert wait.min() > pd.Timedelta(0)
    assert wait.max() < pd.Timedelta(days=4)
    away = shapely.distance(again.geometry.to_numpy(), first.geometry.to_numpy())
    assert away.max() < 60
    assert (again["category"].to_numpy() == first["category"].to_numpy()).all()
    later = again["closed_at"].reset_index(drop=True) - first["closed_at"].reset_index(drop=True)
    assert later.min() >= pd.Timedelta(0)


def test_one_in_a_thousand_lies_outside_the_city_and_some_exactly_on_a_border(city, originals):
    points = originals.geometry.to_numpy()
    area = city.layers["subdistricts"].union_all()
    assert (~shapely.intersects(area, points)).sum() == round(STRAY_SHARE * len(originals))
    borders = shapely.boundary(city.layers["communities"].geometry.to_numpy())
    hits = shapely.STRtree(borders).query(points, predicate="intersects")
    assert 5 <= len(np.unique(hits[0])) < 0.001 * len(points)


def test_a_border_point_lies_in_more_than_one_unit(city, originals):
    hits = city.layers["compounds"].sindex.query(originals.geometry, predicate="intersects")
    assert (np.bincount(hits[0]) > 1).sum() > 10


def test_issues_gather_along_streets(city, originals):
    tree = shapely.STRtree(city.layers["streets"].geometry.to_numpy())
    parking = originals[originals["category"] == "illegal_parking"].geometry.to_numpy()
    near = tree.query(parking, predicate="dwithin", distance=13.0)
    assert len(np.unique(near[0])) > 0.7 * len(parking)


def test_nothing_is_reported_from_the_river(city, originals):
    compounds = city.layers["compounds"]
    river = shapely.union_all(compounds.geometry[compounds["population"] == 0].to_numpy())
    shapely.prepare(river)
    assert not shapely.contains_properly(river, originals.geometry.to_numpy()).any()
