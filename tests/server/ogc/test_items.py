"""Features: pages, filters, boxes, times, coordinate reference systems."""

import numpy as np
import pytest
import shapely
from gisgrid_server.ogc.paging import page
from pyproj import Transformer

ITEMS = "/collections/reported_issues/items"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"


def ids(client, query, path=ITEMS):
    answer = client.get(f"{path}?limit=1000&{query}")
    assert answer.status_code == 200, answer.text
    return [feature["id"] for feature in answer.json()["features"]]


@pytest.fixture(scope="module")
def places(client):
    """Every report's id with its longitude and latitude."""
    features = client.get(f"{ITEMS}?limit=1000").json()["features"]
    return {one["id"]: one["geometry"]["coordinates"] for one in features}


def test_a_feature(client):
    answer = client.get(f"{ITEMS}?limit=1")
    assert answer.headers["content-type"] == "application/geo+json"
    assert answer.headers["content-crs"] == "<http://www.opengis.net/def/crs/OGC/1.3/CRS84>"
    document = answer.json()
    assert (document["type"], document["numberMatched"], document["numberReturned"]) == (
        "FeatureCollection",
        200,
        1,
    )
    (feature,) = document["features"]
    assert feature["type"] == "Feature"
    assert feature["id"] == "A-0000"
    assert feature["properties"] == {
        "issue_id": "A-0000", "category": "dry_toilet", "reported_at": "2026-01-01T00:00:00Z",
    }  # fmt: skip
    lon, lat = feature["geometry"]["coordinates"]
    assert 113.9 < lon < 114.1
    assert 35.1 < lat < 35.3


def test_pages_hold_every_feature_once_both_ways(client, follow):
    forward = follow(client, f"{ITEMS}?limit=7&category=exposed_garbage")
    assert [len(part) for part in forward] == [7] * 21 + [3]
    whole = [one for part in forward for one in part]
    assert whole == ids(client, "category=exposed_garbage")
    back = follow(client, f"{ITEMS}?limit=7&category=exposed_garbage&before=100000", "prev")
    assert sorted(one for part in back for one in part) == sorted(whole)
    assert back[0] == whole[-7:]
    everything = follow(client, f"{ITEMS}?limit=60")
    assert [len(part) for part in everything] == [60, 60, 60, 20]


def test_pages_do_not_shift_when_rows_come_and_go():
    rng = np.random.default_rng(3)
    number = rng.permutation(50)
    first = page(number, None, limit=10)
    # Five rows of the first page go, new ones come at the end.
    later = np.concatenate([number[number >= 5], np.arange(50, 60)])
    second = page(later, None, limit=10, after=first.after)
    assert later[second.rows].tolist() == list(range(10, 20))
    back = page(later, None, limit=10, before=second.before)
    assert later[back.rows].tolist() == list(range(5, 10))
    assert back.before is None


@pytest.mark.parametrize("seed", range(20))
def test_any_page_is_what_sorting_all_would_give(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 60))
    number = rng.choice(1000, n, replace=False)
    selected = rng.random(n) < 0.5 if seed % 2 else None
    there = np.sort(number if selected is None else number[selected])
    for _ in range(10):
        limit, at = int(rng.integers(1, 12)), int(rng.integers(0, 1001))
        after = page(number, selected, limit=limit, after=at)
        assert number[after.rows].tolist() == there[there > at][:limit].tolist()
        before = page(number, selected, limit=limit, before=at)
        assert number[before.rows].tolist() == there[there < at][-limit:].tolist()
        assert after.n_matched == len(there)
        if len(after.rows):
            assert (after.after is not None) == bool((there > number[after.rows[-1]]).any())
            assert (after.before is not None) == bool((there < number[after.rows[0]]).any())


def test_one_feature(client, problem):
    answer = client.get(f"{ITEMS}/A-0003")
    assert answer.headers["content-type"] == "application/geo+json"
    feature = answer.json()
    assert feature["id"] == "A-0003"
    assert {link["rel"] for link in feature["links"]} == {"self", "alternate", "collection"}
    assert client.get(feature["links"][0]["href"]).json() == feature
    written = {"crs": "http://www.opengis.net/def/crs/EPSG/0/4326"}
    other = client.get(f"{ITEMS}/A-0003", params=written).json()
    assert other["geometry"] != feature["geometry"]
    assert client.get(other["links"][0]["href"]).json() == other
    for name in ("A-9999", "..%2f..%2fsecret", "%00", "a" * 3000, "'; DROP TABLE x", "1e999"):
        problem(client.get(f"{ITEMS}/{name}"), 404)
    problem(client.get(f"{ITEMS}/A-0003?limit=1"), 400)


def test_private_columns_cannot_be_had_or_asked_by(client, problem):
    assert "13800000000" not in client.get(f"{ITEMS}?limit=1000").text
    for query in ("caller=13800000000", "filter=caller='13800000000'", "filter=caller IS NULL"):
        detail = problem(client.get(f"{ITEMS}?{query}"), 400)["detail"]
        assert "caller" in detail
        assert "category" in detail


def test_boxes(client, places):
    lon, lat = np.array(list(places.values())).T
    middle = np.median(lon)
    inside = {name for name, (x, _) in places.items() if x <= middle}
    assert set(ids(client, f"bbox=113,35,{middle},36")) == inside
    assert set(ids(client, f"bbox=113,35,0,{middle},36,100")) == inside
    south, north = np.quantile(lat, [0.25, 0.75])
    assert len(ids(client, f"bbox=113,{south},115,{north}")) == sum(
        south <= y <= north for y in lat
    )
    assert len(ids(client, "bbox=-180,-90,180,90")) == 200
    assert ids(client, "bbox=0,0,1,1") == []


def test_a_box_across_the_antimeridian_goes_round_the_other_side(client, places):
    lon = np.array(list(places.values()))[:, 0]
    middle = float(np.median(lon))
    across = set(ids(client, f"bbox={middle},-90,-170,90"))
    assert across == {name for name, (x, _) in places.items() if x >= middle}
    assert ids(client, "bbox=170,-90,-170,90") == []


def test_boxes_in_other_systems_of_coordinates(client, places):
    plain = np.array(list(places.values()))
    lon, lat = np.quantile(plain, [0.2, 0.8], axis=0).T
    expected = set(ids(client, f"bbox={lon[0]},{lat[0]},{lon[1]},{lat[1]}"))
    assert 40 < len(expected) < 160
    for code in (4326, 4490):
        query = f"bbox={lat[0]},{lon[0]},{lat[1]},{lon[1]}&bbox-crs={EPSG}{code}"
        assert set(ids(client, query)) == expected
    x, y = Transformer.from_crs(4326, 3857, always_xy=True).transform(lon, lat)
    assert set(ids(client, f"bbox={x[0]},{y[0]},{x[1]},{y[1]}&bbox-crs={EPSG}3857")) == expected
    # The plane of the layer: northing first, and a box of it is no box of degrees.
    easting, northing = Transformer.from_crs(4326, 4547, always_xy=True).transform(*plain.T)
    e, n = np.quantile(easting, [0.3, 0.7]), np.quantile(northing, [0.3, 0.7])
    inside = (easting >= e[0]) & (easting <= e[1]) & (northing >= n[0]) & (northing <= n[1])
    found = set(ids(client, f"bbox={n[0]},{e[0]},{n[1]},{e[1]}&bbox-crs={EPSG}4547"))
    assert found == {name for name, is_in in zip(places, inside, strict=True) if is_in}


@pytest.mark.parametrize("box", ["0,-6000000,9000000,7000000", "0,-8000000,10000000,9000000",
                                 "-20000000,-20000000,20000000,20000000", "3000000,0,4500000,1e300"])  # fmt: skip
def test_a_box_of_the_plane_that_is_larger_than_its_zone_misses_nothing(client, box):
    assert len(ids(client, f"bbox={box}&bbox-crs={EPSG}4547")) == 200
    for far in ("1e7,0,2e7,1", "1e300,1e300,2e300,2e300"):
        assert ids(client, f"bbox={far}&bbox-crs={EPSG}4547") == []


def test_answers_in_other_systems_of_coordinates(client, places):
    for code, name in ((4490, "A-0007"), (4547, "A-0011"), (3857, "A-0013")):
        answer = client.get(f"{ITEMS}/{name}?crs={EPSG}{code}")
        assert answer.headers["content-crs"] == f"<{EPSG}{code}>"
        x, y = Transformer.from_crs(4326, code, always_xy=True).transform(*places[name])
        expected = (x, y) if code == 3857 else (y, x)
        assert answer.json()["geometry"]["coordinates"] == pytest.approx(expected, abs=1e-3)
    (whole,) = client.get(f"/collections/subdistricts/items?crs={EPSG}4547").json()["features"]
    ring = shapely.from_geojson(str(whole["geometry"]).replace("'", '"'))
    assert ring.bounds == pytest.approx((3_895_000, 500_000, 3_898_000, 503_000), abs=0.01)
    for text in ("EPSG:4490", "urn:ogc:def:crs:EPSG::4490", "[EPSG:4490]"):
        answer = client.get(f"{ITEMS}?limit=1", params={"crs": text, "limit": 1})
        assert answer.headers["content-crs"] == f"<{EPSG}4490>"


def test_times(client):
    assert len(ids(client, "datetime=2026-01-01/2026-01-31")) == 31
    assert ids(client, "datetime=2026-01-02T00:00:00Z") == ["A-0001"]
    assert len(ids(client, "datetime=../2026-01-10")) == 10
    assert len(ids(client, "datetime=2026-07-10T00:00:00Z/..")) == 10
    # A layer without times has no features outside of any time.
    assert len(ids(client, "datetime=1999-01-01", "/collections/communities/items")) == 2


def test_filters(client):
    assert len(ids(client, "category=dry_toilet")) == 50
    assert len(ids(client, "filter=category = 'dry_toilet' AND issue_id < 'A-0100'")) == 25
    both = "filter=category IN ('dry_toilet','x')&datetime=2026-01-01/2026-01-08"
    assert ids(client, both) == ["A-0000", "A-0004"]
    json = '{"op":"=","args":[{"property":"category"},"dry_toilet"]}'
    assert len(ids(client, f"filter={json}&filter-lang=cql2-json")) == 50
    names = ids(client, "filter=name_zh = '东风社区'", "/collections/communities/items")
    assert names == ["410105001001"]
    assert ids(client, "name_zh=红旗社区", "/collections/communities/items") == ["410105001002"]
    inside = "filter=S_INTERSECTS(geometry, POINT(114.001 35.19))"
    assert len(ids(client, inside, "/collections/communities/items")) == 1


def test_a_table_has_rows_without_a_place(client):
    document = client.get("/collections/issue_density/items")
    assert document.status_code == 404
    answer = client.get("/collections/issue_months/items")
    assert answer.status_code == 404  # it shows none of its columns


def test_limits(client):
    assert client.get(f"{ITEMS}?limit=100000").json()["numberReturned"] == 200
    assert client.get(ITEMS).json()["numberReturned"] == 100


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=-1",
        "limit=1.5",
        "limit=１",
        "limit=" + "9" * 400,
        "limit=1&limit=2",
        "after=-1",
        "after=x",
        "after=1&before=2",
        "bbox=1,2,3",
        "bbox=1,2,3,4,5",
        "bbox=1,2,3,4,5,6,7,8,9",
        "bbox=a,b,c,d",
        "bbox=nan,0,1,1",
        "bbox=-inf,0,1,1",
        "bbox=1e400,0,1,1",
        "bbox=113,36,114,35",
        "bbox=113,35,114,96",
        "bbox=",
        "bbox=" + "1," * 5000,
        f"bbox=3900000,500000,3895000,600000&bbox-crs={EPSG}4547",
        f"bbox-crs={EPSG}2154&bbox=1,2,3,4",
        "crs=http://example.org/crs",
        f"crs={EPSG}99999999",
        "crs=",
        "datetime=yesterday",
        "datetime=2026-13-01",
        "datetime=2026-02-01/2026-01-01",
        "datetime=" + "9" * 5000,
        "filter=category",
        "filter=category =",
        "filter=categry = 'x'",
        "filter=category = 5 AND",
        "filter=" + "(" * 3000 + "1=1" + ")" * 3000,
        "filter=" + "NOT " * 2000 + "category='x'",
        "filter=category IN (" + ",".join(["'a'"] * 1800) + ")",
        "filter=" + "x" * 9000,
        "filter={}&filter-lang=cql2-json",
        "filter=" + "[" * 3000 + "&filter-lang=cql2-json",
        "filter=category='x'&filter-lang=sql",
        f"filter=category='x'&filter-crs={EPSG}4547",
        "categry=x",
        "category=x&category=y",
        "x" * 5000 + "=1",
        "f=xml",
        "resulttype=hits",
    ],
)
def test_what_cannot_be_asked_is_a_problem(client, problem, query):
    problem(client.get(f"{ITEMS}?{query}"), 400)


def test_thousands_of_parameters_are_refused(client, problem):
    problem(client.get(f"{ITEMS}?" + "&".join(f"a{i}=1" for i in range(3000))), 400)
