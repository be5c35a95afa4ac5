"""The datum is found by fit or not at all: never wrongly."""

import json
from functools import cache

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyproj import CRS, Transformer

from gisgrid.datum import Datum, bd09_from_wgs84, gcj02_from_wgs84, wgs84_from_gcj02
from gisgrid.errors import ColumnError, CrsError
from gisgrid.intake.datums.candidates import frames
from gisgrid.intake.datums.detective import CONVERTED, Reference, detect_datum
from gisgrid.intake.datums.marks import read_marks
from gisgrid.intake.datums.unstated import detect_units_crs
from gisgrid.join import assign_units
from gisgrid.testing import synthetic_city

NOTHING = Reference(units={}, names={})
SHIFTS = {
    "wgs84": lambda lon, lat: (lon, lat),
    "gcj02": gcj02_from_wgs84,
    "bd09": bd09_from_wgs84,
    "gcj02-twice": lambda lon, lat: gcj02_from_wgs84(*gcj02_from_wgs84(lon, lat)),
    "wgs84-twice": wgs84_from_gcj02,
}


def detect(x, y, reference, *, named=None, stated=None, hints=()):
    found = detect_datum(x, y, stated=stated, reference=reference, named=named, hints=hints)
    assert 0 <= found.confidence <= 1
    assert (found.datum is None) or found.confidence >= 0.99
    assert all(text.zh and text.en for text in found.evidence)
    return found


def texts(names):
    return pa.array(list(names), pa.string(), from_pandas=True)


def projected(code, lon, lat):
    return Transformer.from_crs(4326, code, always_xy=True).transform(lon, lat)


@cache
def city(seed):
    layers = synthetic_city(seed=seed, n_issues=4_000, years=1).layers
    issues = layers["reported_issues"]
    names = assign_units(issues, {"community_code": layers["communities"]})["community_code"]
    points = issues.geometry.to_crs(4326)
    return layers, points.x.to_numpy(), points.y.to_numpy(), names.to_numpy(dtype=object)


def references(layers):
    communities = {"community": layers["communities"]}
    return {
        "units and streets": (Reference(communities, {}, layers["streets"]), False),
        "streets": (Reference({}, {}, layers["streets"]), False),
        "units": (Reference(communities, {}), False),
        "names": (Reference(communities, {"community": "community_code"}), True),
    }


@pytest.mark.parametrize("seed", [1, 2])
def test_two_hundred_points_of_a_city_are_never_taken_for_another_datum(seed):
    layers, lon, lat, names = city(seed)
    chosen = np.sort(np.random.default_rng(seed).choice(len(lon), 200, replace=False))
    for kind, (reference, with_names) in references(layers).items():
        named = texts(names[chosen]) if with_names else None
        for datum in SHIFTS if kind == "units and streets" else ("wgs84", "gcj02", "bd09"):
            x, y = SHIFTS[datum](lon[chosen], lat[chosen])
            found = detect(x, y, reference, named=named)
            # Two hundred points seldom have enough of them near the city's edge for its outline alone to tell.
            right = {datum, None} if kind == "units" else {datum}
            assert (found.datum.id if found.datum else None) in right, (kind, datum)
            assert (found.advice is None) == (found.datum is not None)


def test_units_alone_tell_with_enough_points():
    layers, lon, lat, _ = city(1)
    reference, _ = references(layers)["units"]
    for datum in ("wgs84", "gcj02", "bd09"):
        assert detect(*SHIFTS[datum](lon, lat), reference).datum.id == datum


@pytest.mark.parametrize(
    ("code", "swapped", "shift"),
    [
        (4547, False, "wgs84"),
        (4547, True, "gcj02"),
        (4526, True, "wgs84"),
        (4526, False, "bd09"),
        (4497, False, "wgs84"),
        (32649, False, "wgs84"),
        (3857, True, "wgs84"),
        (3857, False, "gcj02"),
    ],
)
def test_planes_are_known_by_their_numbers(code, swapped, shift):
    layers, lon, lat, _ = city(1)
    x, y = projected(code, *SHIFTS[shift](lon, lat))
    found = detect(*((y, x) if swapped else (x, y)), references(layers)["units and streets"][0])
    tail = (f":{shift}" if shift != "wgs84" else "") + (":swapped" if swapped else "")
    assert found.datum.id == f"EPSG:{code}{tail}"


def test_an_old_datum_is_refused_with_what_to_do():
    layers, lon, lat, _ = city(1)
    x, y = projected(4547, lon, lat)
    for code in (2435, 2383):
        found = detect(x, y, references(layers)["units"][0], stated=CRS(code))
        assert found.datum is None
        assert "CGCS2000" in found.advice.en
        assert "not public" in found.evidence[0].en


def test_what_somebody_stated_is_not_overruled_by_a_shift():
    layers, lon, lat, _ = city(1)
    reference = references(layers)["units and streets"][0]
    x, y = projected(4547, *gcj02_from_wgs84(lon, lat))
    found = detect(x, y, reference, stated=CRS(4547))
    assert found.datum is None
    assert [c.datum.id for c in found.candidates[:2]] == ["EPSG:4547:gcj02", "EPSG:4547"]
    assert "--datum EPSG:4547:gcj02" in found.advice.en
    found = detect(*gcj02_from_wgs84(lon, lat), reference, stated=CRS(4490))
    assert found.datum is None
    found = detect(lon, lat, reference, stated=CRS(4490))
    assert found.datum.id == "cgcs2000"


def test_what_every_geojson_states_is():
    layers, lon, lat, _ = city(1)
    reference = references(layers)["units and streets"][0]
    assert detect(*gcj02_from_wgs84(lon, lat), reference, stated=CRS(4326)).datum.id == "gcj02"
    assert detect(lon, lat, reference, stated=CRS(4326)).datum.id == "wgs84"


def test_a_stated_zone_with_its_number_left_out_or_its_axes_swapped_is_mended():
    layers, lon, lat, _ = city(1)
    reference = references(layers)["units and streets"][0]
    x, y = projected(4547, lon, lat)
    assert detect(x, y, reference, stated=CRS(4526)).datum.id == "EPSG:4547"
    assert detect(y, x, reference, stated=CRS(4547)).datum.id == "EPSG:4547:swapped"
    x, y = projected(4526, lon, lat)
    assert detect(x, y, reference, stated=CRS(4547)).datum.id == "EPSG:4526"
    assert detect(lon, lat, reference, stated=CRS(4547)).datum.id == "wgs84"


def test_a_reference_in_an_old_datum_still_tells():
    layers, lon, lat, names = city(1)
    old = Reference({"c": layers["communities"].to_crs(2435)}, {"c": "community_code"})
    assert detect(*gcj02_from_wgs84(lon, lat), old, named=texts(names)).datum.id == "gcj02"


def test_what_was_converted_is_kept():
    layers, lon, lat, _ = city(1)
    found = detect(lon, lat, references(layers)["units"][0], hints=[CONVERTED, "amap_id"])
    assert found.datum.id == "wgs84"
    assert "not converted again" in found.evidence[-1].en


@pytest.mark.parametrize(("east_m", "north_m"), [(250, -330), (-300, 500), (900, 900)])
def test_a_move_that_no_datum_explains_is_told(east_m, north_m):
    layers, lon, lat, names = city(1)
    x = lon + east_m / (111_195 * np.cos(np.radians(lat)))
    y = lat + north_m / 111_195
    reference, _ = references(layers)["names"]
    found = detect(x, y, reference, named=texts(names))
    assert found.datum is None
    assert "no known datum explains" in found.evidence[-1].en


def test_points_of_another_place_fit_nowhere():
    layers, _, _, _ = city(1)
    rng = np.random.default_rng(1)
    found = detect(
        rng.uniform(121, 122, 500), rng.uniform(31, 32, 500), references(layers)["units"][0]
    )
    assert found.datum is None
    assert any("another place" in text.en for text in found.evidence)


def test_points_that_keep_away_from_streets_say_nothing_by_them():
    layers, _, _, _ = city(1)
    west, south, east, north = layers["communities"].to_crs(4326).total_bounds
    rng = np.random.default_rng(1)
    found = detect(
        rng.uniform(west, east, 400),
        rng.uniform(south, north, 400),
        Reference({}, {}, layers["streets"]),
    )
    assert found.datum is None
    assert "not drawn to streets" in found.evidence[-1].en


def test_a_pile_of_reports_is_one_witness():
    layers, lon, lat, _ = city(1)
    reference, _ = references(layers)["units"]
    chosen = np.random.default_rng(5).choice(len(lon), 60, replace=False)
    alone = detect(lon[chosen], lat[chosen], reference)
    piled = detect(
        np.concatenate([lon[chosen], np.repeat(lon[chosen[0]], 5_000)]),
        np.concatenate([lat[chosen], np.repeat(lat[chosen[0]], 5_000)]),
        reference,
    )
    assert alone.datum is None
    assert piled.datum is None


def test_zeros_gaps_and_junk_do_not_decide():
    layers, lon, lat, _ = city(1)
    x, y = gcj02_from_wgs84(lon, lat)
    junk = np.array([0.0, np.nan, np.inf, 1e300, 999.0])
    found = detect(
        np.concatenate([x, junk]),
        np.concatenate([y, junk]),
        references(layers)["units and streets"][0],
    )
    assert found.datum.id == "gcj02"
    for empty in ([], [0.0, 0.0], [np.nan]):
        found = detect(empty, empty, NOTHING)
        assert (found.datum, found.confidence, found.candidates) == (None, 0.0, ())


def test_the_finding_does_not_depend_on_the_rows_order():
    layers, lon, lat, _ = city(1)
    reference = references(layers)["units and streets"][0]
    there, back = detect(lon, lat, reference), detect(lon[::-1], lat[::-1], reference)
    assert there.datum == back.datum
    shares = [sorted(c.share_inside for c in found.candidates) for found in (there, back)]
    assert shares[0] == shares[1]


def test_the_scores_are_shares_and_the_best_comes_first():
    layers, lon, lat, _ = city(1)
    found = detect(lon[:200], lat[:200], references(layers)["units"][0])
    scores = [candidate.score for candidate in found.candidates]
    assert sum(scores) == pytest.approx(1.0)
    assert scores[0] == max(scores)


def test_without_a_reference_only_words_decide():
    lon, lat = np.array([113.25, 113.26]), np.array([35.21, 35.22])
    assert detect(lon, lat, NOTHING).datum is None
    assert detect(lon, lat, NOTHING, hints=["经度", "纬度"]).datum is None
    assert detect(lon, lat, NOTHING, hints=["lng_bd09", "lat_bd09"]).datum.id == "bd09"
    assert detect(lon, lat, NOTHING, hints=["wgs84_lng"]).datum.id == "wgs84"
    assert detect(lon, lat, NOTHING, hints=["lng_gcj02", "lng_wgs84"]).datum is None
    assert detect(lon, lat, NOTHING, stated=CRS(4326)).datum is None
    assert detect(lon, lat, NOTHING, stated=CRS(4490)).datum.id == "cgcs2000"
    x, y = projected(4526, lon, lat)
    assert detect(x, y, NOTHING).datum is None
    assert detect(x, y, NOTHING).candidates[0].datum.id == "EPSG:4526"
    assert detect(x, y, NOTHING, stated=CRS(4526)).datum.id == "EPSG:4526"
    assert detect(x, y, NOTHING, stated=CRS(4547)).datum is None
    assert detect(lon, lat, NOTHING, stated=CRS(4547)).datum is None


def test_abroad_degrees_are_wgs84_and_swapped_only_where_that_is_impossible():
    chicago = np.array([-87.65, -87.66]), np.array([41.85, 41.86])
    assert detect(*chicago, NOTHING).datum.id == "wgs84"
    assert detect(*chicago[::-1], NOTHING).datum.id == "wgs84:swapped"
    assert detect(*chicago, NOTHING, stated=CRS(4269)).datum.id == "EPSG:4269"
    assert detect(*chicago, NOTHING, stated=CRS(4326)).datum.id == "wgs84"
    nairobi = np.array([36.82, 36.83]), np.array([-1.28, -1.29])
    assert detect(*nairobi, NOTHING).datum is None
    assert detect(*nairobi, NOTHING, hints=["longitude", "latitude"]).datum.id == "wgs84"


def test_whole_metres_are_not_taken_for_millionths_of_a_degree():
    layers, lon, lat, _ = city(1)
    x, y = (np.rint(value) for value in projected(4526, lon, lat))
    assert detect(x, y, NOTHING).datum is None
    assert detect(x, y, references(layers)["units and streets"][0]).datum.id == "EPSG:4526"
    x, y = (np.rint(value) for value in projected(3857, lon, lat))
    assert detect(x, y, NOTHING).datum is None
    assert detect(x, y, references(layers)["units and streets"][0]).datum.id == "EPSG:3857"


def test_numbers_of_nothing_known_are_refused():
    found = detect([5e9, 5.1e9], [7e9, 7.1e9], NOTHING)
    assert found.datum is None
    assert "no system" in found.evidence[-1].en
    assert "--datum" in found.advice.en


@pytest.mark.parametrize(
    ("hints", "datum"),
    [
        (["adname", "pname"], "gcj02"),
        (["name", "B0K64AMVY9"], "gcj02"),
        (["高德经度"], "gcj02"),
        (["baidu_lng"], "bd09"),
        (["detail_info"], "bd09"),
        (["天地图"], "wgs84"),
        (["国家2000"], "cgcs2000"),
    ],
)
def test_words_of_a_provider_are_noticed(hints, datum):
    marks = read_marks(hints)
    assert max(marks.weights, key=lambda name: marks.weights[name]) == datum
    assert marks.words


@pytest.mark.parametrize(
    "hints", [["adname"], ["address", "name", "lon", "lat"], ["mapping", "along"]]
)
def test_common_words_are_no_marks(hints):
    assert not read_marks(hints).weights


def test_one_plane_under_two_names_is_one_candidate():
    layers, lon, lat, _ = city(1)
    x, y = projected(4547, lon[:500], lat[:500])
    bounds = tuple(layers["communities"].to_crs(4326).total_bounds)
    found = frames(x, y, stated=Datum.parse("EPSG:4547"), bounds=bounds, reference=(CRS(4547),))
    assert found[0].id == "EPSG:4547"
    assert len({datum.id for datum in found}) == len(found)


def test_a_reference_without_crs_or_column_is_refused():
    layers, lon, lat, names = city(1)
    bare = layers["communities"].set_crs(None, allow_override=True)
    with pytest.raises(CrsError, match="no coordinate reference system"):
        detect(lon, lat, Reference({"community": bare}, {}))
    with pytest.raises(ColumnError, match="no column 'nam'"):
        detect(
            lon,
            lat,
            Reference({"community": layers["communities"]}, {"community": "nam"}),
            named=texts(names),
        )


def test_units_without_a_crs_are_placed_by_the_reports():
    layers, lon, lat, _ = city(1)
    units = layers["communities"]
    for code in (4547, 4526, 3857, 4326):
        bare = units.to_crs(code).set_crs(None, allow_override=True)
        found = detect_units_crs(bare, *gcj02_from_wgs84(lon, lat))
        assert found.datum.id == ("wgs84" if code == 4326 else f"EPSG:{code}")
    nowhere = detect_units_crs(units.set_crs(None, allow_override=True), lon + 5, lat)
    assert nowhere.datum is None
    assert "--units-crs" in nowhere.advice.en
    assert detect_units_crs(units, [], []).datum is None


# The real files beside the project.


@pytest.fixture(scope="module")
def shanghai(shared_data):
    pois = pd.read_parquet(shared_data / "shanghai" / "shanghai_poi.parquet")
    districts = gpd.read_file(
        f"zip://{shared_data / 'shanghai' / 'shanghai_districts_gbk.shp.zip'}", encoding="gbk"
    )
    return pois, Reference({"district": districts}, {"district": "NAME"})


@pytest.mark.data
@pytest.mark.parametrize(
    ("datum", "swapped"), [*((datum, False) for datum in SHIFTS), ("wgs84", True), ("bd09", True)]
)
def test_shanghai_is_what_it_was_made(shanghai, datum, swapped):
    pois, reference = shanghai
    x, y = SHIFTS[datum](pois["lon"].to_numpy(), pois["lat"].to_numpy())
    found = detect(
        *((y, x) if swapped else (x, y)),
        reference,
        named=pa.array(pois["adname"]),
        hints=list(pois.columns),
    )
    assert found.datum.id == datum + (":swapped" if swapped else "")
    best = found.candidates[0]
    assert best.share_named == pytest.approx(0.963, abs=0.003)  # two districts were renamed since
    assert best.share_named > found.candidates[1].share_named + 0.03


@pytest.mark.data
@pytest.mark.parametrize("code", [4528, 4549, 4499, 3857])
def test_shanghai_in_a_plane(shanghai, code):
    pois, reference = shanghai
    x, y = projected(code, pois["lon"].to_numpy(), pois["lat"].to_numpy())
    named = pa.array(pois["adname"])
    assert detect(y, x, reference, named=named).datum.id == f"EPSG:{code}:swapped"


@pytest.mark.data
def test_shanghai_in_millionths_and_off_by_a_little(shanghai):
    pois, reference = shanghai
    lon, lat, named = pois["lon"].to_numpy(), pois["lat"].to_numpy(), pa.array(pois["adname"])
    x, y = (np.rint(value * 1e6) for value in gcj02_from_wgs84(lon, lat))
    assert detect(x, y, reference, named=named).datum.id == "gcj02:e6"
    assert detect(lon + 0.003, lat + 0.003, reference, named=named).datum is None


@pytest.mark.data
def test_haikou_has_the_marks_of_amap_and_nothing_to_check_it_by(shared_data):
    toilets = json.loads((shared_data / "haikou" / "haikou_toilets.json").read_text("utf-8"))
    xy = np.array([toilet["location"]["coordinates"] for toilet in toilets])
    hints = [*toilets[0], *(toilet["_id"] for toilet in toilets[:5])]
    found = detect(xy[:, 0], xy[:, 1], NOTHING, hints=hints)
    assert found.datum is None
    assert [c.datum.id for c in found.candidates[:2]] == ["gcj02", "wgs84"]
    assert "--datum gcj02" in found.advice.en
    assert "AMap" in found.evidence[0].en


@pytest.fixture(scope="module")
def chicago(shared_data):
    folder = shared_data / "chicago"
    reports = pd.read_parquet(folder / "chicago_sanitation_2011_2014.parquet")
    areas = gpd.read_file(folder / "Chicago77.shp")
    districts = gpd.read_parquet(folder / "policeDistricts.parquet")
    return reports, areas, districts


@pytest.mark.data
def test_chicago_by_degrees_and_by_feet(chicago):
    reports, areas, districts = chicago
    known = Reference({"area": areas.set_crs(3435)}, {"area": "AREA_NUMBE"})
    named = pa.array(reports["Community_Area"].astype("string"))
    lon, lat, x, y = (
        reports[name].to_numpy(np.float64)
        for name in ("Longitude", "Latitude", "X_Coordinate", "Y_Coordinate")
    )
    for reference in (known, Reference({"district": districts}, {})):
        assert detect(lon, lat, reference, named=named).datum.id == "wgs84"
        assert detect(lat, lon, reference, named=named).datum.id == "wgs84:swapped"
        assert detect(x, y, reference, named=named).datum.id == "EPSG:3435"
        assert detect(y, x, reference, named=named).datum.id == "EPSG:3435:swapped"
    assert detect(lon, lat, known, named=named).candidates[0].share_named > 0.98
    for reference in (known, Reference({"district": districts}, {})):
        moved = detect(lon + 0.003, lat + 0.003, reference, named=named)
        assert moved.datum is None
        assert "no known datum explains" in moved.evidence[-1].en


@pytest.mark.data
def test_chicagos_areas_without_their_prj_are_in_feet(chicago):
    reports, areas, _ = chicago
    found = detect_units_crs(
        areas, reports["Longitude"].astype(float), reports["Latitude"].astype(float)
    )
    assert found.datum.id == "EPSG:3435"


@pytest.mark.data
def test_new_york_in_mercator_swapped_and_moved(shared_data):
    boroughs = gpd.read_parquet(shared_data / "nyc" / "nyc_borough.parquet")
    thefts = pd.read_parquet(shared_data / "nyc" / "nyc_vehicle_thefts_2014_2017.parquet")
    lon, lat = thefts["longitude"].to_numpy(), thefts["latitude"].to_numpy()
    reference = Reference({"borough": boroughs}, {})
    x, y = projected(3857, lon, lat)
    assert detect(lon, lat, reference).datum.id == "wgs84"
    assert detect(x, y, reference).datum.id == "EPSG:3857"
    assert detect(y, x, reference).datum.id == "EPSG:3857:swapped"
    assert detect(lat, lon, reference).datum.id == "wgs84:swapped"
    assert (
        detect(*projected(2263, lon, lat), Reference({"b": boroughs.to_crs(4326)}, {})).datum.id
        == "EPSG:2263"
    )
    for east, north in ((0.003, 0.003), (-0.003, 0.003)):
        assert detect(lon + east, lat + north, reference).datum is None
