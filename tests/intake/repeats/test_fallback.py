"""Places that are none: found where they were planted, not invented elsewhere."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gisgrid.errors import InputError
from gisgrid.intake.repeats.fallback import KINDS, fallback_points
from gisgrid.testing.city import synthetic_city

WEST, SOUTH = 114.0, 35.2


@pytest.fixture(scope="module")
def city():
    layers = synthetic_city(seed=5, n_issues=12_000, years=1).layers
    issues, lonlat = layers["reported_issues"], layers["reported_issues"].geometry.to_crs(4326)
    middles = layers["compounds"].geometry.representative_point().to_crs(4326)
    return {
        "lon": lonlat.x.to_numpy(),
        "lat": lonlat.y.to_numpy(),
        "category": pa.array(issues["category"].astype(object)),
        "reported_at": issues["reported_at"].dt.tz_localize(None).to_numpy(),
        "centres": np.column_stack([middles.x, middles.y]),
    }


def said(found, kind):
    return np.flatnonzero(found.kind == KINDS.index(kind))


def moved(city, rows, lon, lat):
    changed = {**city, "lon": city["lon"].copy(), "lat": city["lat"].copy()}
    changed["lon"][rows], changed["lat"][rows] = lon, lat
    return changed


def heavy(seed=1, *, n_places=6_000):
    """Draw reports at addresses, a few of which are reported very often, as geocoded exports have them."""
    rng = np.random.default_rng(seed)
    n_at = np.minimum(np.floor(rng.pareto(1.8, n_places) + 1), 400).astype(int)
    at = np.repeat(np.arange(n_places), n_at)
    lon, lat = WEST + rng.normal(0, 0.05, n_places), SOUTH + rng.normal(0, 0.05, n_places)
    own = rng.integers(0, 6, n_places)  # each place has a class of its own for half of its reports
    classes = np.where(rng.random(len(at)) < 0.5, own[at], rng.integers(0, 6, len(at)))
    return rng, at, {
        "lon": lon[at],
        "lat": lat[at],
        "category": pa.array([f"c{k}" for k in classes]),
        "reported_at": np.datetime64("2024-01-01", "us") + rng.integers(0, 366, len(at)).astype("timedelta64[D]"),
    }  # fmt: skip


def test_a_clean_city_has_none(city):
    found = fallback_points(**city)
    assert not found.kind.any()
    assert found.share == 0.0
    assert found.evidence == ()


@pytest.mark.parametrize("seed", range(6))
def test_busy_places_are_kept(seed):
    _, at, reports = heavy(seed)
    assert np.bincount(at).max() >= 50
    found = fallback_points(**reports)
    assert not found.kind.any()
    assert (found.piles["kind"] == "busy").all()


def test_planted_piles_are_recovered(city):
    rng = np.random.default_rng(2)
    rows = rng.permutation(len(city["lon"]))
    hall, default, small = rows[:600], rows[600:900], rows[900:940]
    reports = moved(city, hall, 114.0321987, 35.2109876)
    reports = moved(reports, default, 113.98765432, 35.19876543)
    reports = moved(reports, small, 114.0011223, 35.2233445)
    found = fallback_points(**reports)
    assert sorted(said(found, "pile")) == sorted(rows[:940])
    assert found.piles["n"].tolist() == [600, 300, 40]
    assert found.piles["first_row"].tolist() == [hall.min(), default.min(), small.min()]
    assert "940 rows (7.8%) are piled on 3 coordinates" in found.evidence[0].en


@pytest.mark.parametrize("seed", range(4))
def test_a_default_among_busy_places_is_known_by_its_classes(seed):
    rng, at, reports = heavy(seed)
    top = np.bincount(at).max()
    rows = rng.choice(len(at), 4 * top, replace=False)
    found = fallback_points(**moved(reports, rows, 114.0321987, 35.2109876))
    assert sorted(said(found, "pile")) == sorted(rows)
    assert "classes are those of the whole city" in found.piles["why_en"].iloc[0]


def test_a_place_with_a_class_of_its_own_stays_busy():
    rng, at, reports = heavy(1)
    n = 3 * np.bincount(at).max()
    rows = rng.choice(
        np.flatnonzero(pa.compute.equal(reports["category"], "c1").to_numpy(zero_copy_only=False)),
        n,
        replace=False,
    )
    found = fallback_points(**moved(reports, rows, 114.0321987, 35.2109876))
    assert found.piles["kind"].iloc[0] == "busy"
    assert not found.kind.any()


def test_many_addresses_are_no_house():
    rng, at, reports = heavy(2)
    address = np.array([f"{k} Main St" for k in at], dtype=object)
    rows = rng.choice(len(at), 60, replace=False)
    reports = moved(reports, rows, 114.0321987, 35.2109876)
    found = fallback_points(**reports, address=pa.array(address))
    assert sorted(said(found, "pile")) == sorted(rows)
    assert "different addresses" in found.piles.loc[found.piles["kind"] == "pile", "why_en"].iloc[0]


def test_one_address_far_ahead_of_all_others_is_a_house(city):
    rows = np.flatnonzero(
        pa.compute.equal(city["category"], "sewage").to_numpy(zero_copy_only=False)
    )[:200]
    reports = moved(city, rows, 114.0321987, 35.2109876)
    address = np.array([f"{k} Main St" for k in range(len(city["lon"]))], dtype=object)
    address[rows] = "1 Tower Rd"
    assert said(fallback_points(**reports), "pile").size == 200
    found = fallback_points(**reports, address=pa.array(address))
    assert not found.kind.any()
    assert found.piles["kind"].tolist() == ["busy"]


def test_an_event_is_no_default(city):
    order = np.argsort(city["reported_at"])
    rows = order[6_000:6_080]
    found = fallback_points(**moved(city, rows, 114.0321987, 35.2109876))
    assert not found.kind.any()
    assert "like one event" in found.piles["why_en"].iloc[0]


def test_reports_on_the_middle_of_their_grid(city):
    rng = np.random.default_rng(3)
    rows = rng.choice(len(city["lon"]), 800, replace=False)
    middle = city["centres"][rng.integers(0, len(city["centres"]), 800)]
    reports = moved(city, rows, *np.round(middle, 7).T)
    found = fallback_points(**reports)
    assert sorted(said(found, "grid_centre")) == sorted(rows)
    assert len(said(found, "pile")) == 0
    without = fallback_points(**{**reports, "centres": None})
    assert len(said(without, "grid_centre")) == 0


@pytest.mark.parametrize("decimals", [2, 3])
def test_rounded_rows_are_marked(city, decimals):
    rows = np.random.default_rng(4).choice(len(city["lon"]), 500, replace=False)
    reports = moved(
        city, rows, city["lon"][rows].round(decimals), city["lat"][rows].round(decimals)
    )
    found = fallback_points(**reports)
    assert set(np.flatnonzero(found.kind)) == set(rows)
    assert any("500 rows (4.2%) are rounded" in each.en for each in found.evidence)


def test_four_decimals_are_mentioned_and_a_rounded_file_is_not_marked(city):
    rows = np.arange(500)
    some = fallback_points(
        **moved(city, rows, city["lon"][rows].round(4), city["lat"][rows].round(4))
    )
    assert not some.kind.any()
    assert "too little to be marked" in some.evidence[0].en
    whole = fallback_points(**{**city, "lon": city["lon"].round(3), "lat": city["lat"].round(3)})
    assert not said(whole, "rounded").size
    assert "the file's precision" in whole.evidence[-1].en


def test_the_source_tells_how_it_was_rounded(city):
    """After a change of datum nothing looks rounded any more; the source's own metres still do."""
    x, y = city["lon"] * 91_000, city["lat"] * 111_000
    rows = np.random.default_rng(6).choice(len(x), 400, replace=False)
    x[rows], y[rows] = x[rows].round(-2), y[rows].round(-2)
    found = fallback_points(**city, source_x=x.round(2), source_y=y.round(2), source_unit_m=1.0)
    assert sorted(said(found, "rounded")) == sorted(rows)
    x[:5], y[:5] = 0.0, 0.0
    assert said(
        fallback_points(**city, source_x=x, source_y=y, source_unit_m=1.0), "zero"
    ).tolist() == [0, 1, 2, 3, 4]


def test_the_order_of_rows_does_not_matter(city):
    rows = np.arange(300)
    reports = moved(city, rows, 114.0321987, 35.2109876)
    found = fallback_points(**reports)
    order = np.random.default_rng(1).permutation(len(found.kind))
    shuffled = {
        name: values if name == "centres" else values.take(pa.array(order)) if isinstance(values, pa.Array) else values[order]
        for name, values in reports.items()
    }  # fmt: skip
    again = fallback_points(**shuffled)
    np.testing.assert_array_equal(found.kind[order], again.kind)
    assert found.evidence == again.evidence


def test_rows_without_a_place_are_left_alone():
    found = fallback_points(np.array([np.nan, 114.0]), np.array([35.0, np.nan]))
    assert found.kind.tolist() == [0, 0]
    assert fallback_points(np.zeros(0), np.zeros(0)).share == 0.0


def test_lengths_must_agree():
    with pytest.raises(InputError, match="category has 1 values but lon has 2"):
        fallback_points(np.zeros(2), np.zeros(2), category=pa.array(["a"]))


@pytest.mark.data
def test_chicago_has_a_busy_house_and_no_fallback_point(shared_data):
    frame = pd.read_parquet(shared_data / "chicago" / "chicago_sanitation_2011_2014.parquet")
    nature = frame["What_is_the_Nature_of_this_Code_Violation"].astype(object)
    for address in (None, pa.array(frame["Street_Address"].astype(object))):
        found = fallback_points(
            frame["Longitude"].to_numpy(float), frame["Latitude"].to_numpy(float),
            category=pa.array(nature.where(nature.notna(), None)), address=address,
            reported_at=pd.to_datetime(frame["Creation_Date"]).to_numpy(),
        )  # fmt: skip
        assert not found.kind.any()
        top = found.piles.iloc[0]
        assert (round(top["lat"], 6), round(top["lon"], 6), top["n"]) == (
            41.954846,
            -87.699491,
            125,
        )
        assert top["kind"] == "busy"
        assert "the next have 82, 66, 59" in top["why_en"]


@pytest.mark.data
def test_new_york_has_none_either(shared_data):
    thefts = pd.read_parquet(shared_data / "nyc" / "nyc_vehicle_thefts_2014_2017.parquet")
    assert not fallback_points(
        thefts["longitude"].to_numpy(), thefts["latitude"].to_numpy()
    ).kind.any()
    for name in ("nyc_311_20230228_raw.csv.gz", "nyc_311_animals_raw.csv.gz"):
        table = pd.read_csv(shared_data / "nyc" / name, dtype=str)
        found = fallback_points(
            table["Longitude"].to_numpy(float), table["Latitude"].to_numpy(float),
            category=pa.array(table["Complaint Type"].astype(object)),
        )  # fmt: skip
        assert not found.kind.any()
