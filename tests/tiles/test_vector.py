import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, CrsError, InputError, TileNotFoundError
from gisgrid.tiles import EMPTY_TILE, TileSource, VectorSource, bbox_tiles, lonlat_world, tile_bbox

ZOOMS = (0, 3, 7, 10, 12, 14)
BOX = shapely.box(-64, -64, 4160, 4160)


def source(frame, **options):
    return VectorSource.from_frame(frame, layer_id="layer", maxzoom=22, **options)


def units(geometry, z, x, y):
    """A geometry in degrees in the units of a tile, not rounded."""

    def place(lonlat):
        wx, wy = lonlat_world(lonlat[:, 0], lonlat[:, 1])
        return np.column_stack([(wx * 2**z - x) * 4096, (wy * 2**z - y) * 4096])

    return shapely.transform(shapely.force_2d(geometry), place)


# --- geometry ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("z", ZOOMS)
def test_awkward_polygons_come_out_valid_wound_and_closed(awkward, decode, some_tiles, z):
    drawn = source(awkward, key="name")
    for tile in some_tiles(z):
        for feature in decode(drawn.tile(*tile), "layer"):
            shape = feature.geometry
            assert shape.is_valid, (feature.properties, tile, shapely.is_valid_reason(shape))
            assert BOX.covers(shape), (feature.properties, tile)
            for polygon in shapely.get_parts(shape):
                if polygon.geom_type == "Polygon":
                    # Surveyor's formula with y to the south: shells positive, holes negative.
                    assert shapely.is_ccw(polygon.exterior)
                    assert not any(shapely.is_ccw(ring) for ring in polygon.interiors)
                    assert polygon.area > 0


@pytest.mark.parametrize("z", [3, 10, 12])
def test_awkward_shapes_stay_within_a_unit_of_what_they_were(awkward_one, decode, some_tiles, z):
    drawn, geometry = source(awkward_one), awkward_one.geometry[0]
    if geometry is None or not np.isfinite(shapely.get_coordinates(geometry)).all():
        assert all(drawn.tile(*tile).body == b"" for tile in some_tiles(z))
        return
    for tile in some_tiles(z):
        was = units(shapely.make_valid(geometry), *tile)
        for feature in decode(drawn.tile(*tile), "layer"):
            points = shapely.points(shapely.get_coordinates(feature.geometry))
            assert shapely.distance(points, was).max() <= 1.01


@pytest.mark.parametrize("z", [10, 12, 13])
def test_the_areas_of_polygons_are_kept(awkward, decode, some_tiles, z):
    areal = awkward[awkward.geometry.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(
        drop=True
    )
    drawn = source(areal, key="name")
    for tile in some_tiles(z):
        found = {f.properties["name"]: f.geometry for f in decode(drawn.tile(*tile), "layer")}
        for name, geometry in zip(areal["name"], areal.geometry, strict=True):
            was = shapely.make_valid(units(geometry, *tile)).intersection(BOX)
            got = found.get(name, shapely.Polygon())
            assert abs(got.area - was.area) <= 0.75 * was.length + 4, (name, tile)


def test_gdal_reads_the_same_as_mapbox(awkward, decode, decode_gdal, some_tiles):
    drawn = source(awkward, key="name")
    n = 0
    for tile in some_tiles(11):
        features = decode(drawn.tile(*tile), "layer")
        if not features:
            continue
        frame = decode_gdal(drawn.tile(*tile), *tile)
        # A row of several kinds is several features, of which only the first has an id: none is 0 to the one, NaN to the other.
        assert frame["mvt_id"].fillna(0).tolist() == [f.id for f in features]
        assert frame["name"].tolist() == [f.properties["name"] for f in features]
        assert frame.geometry.is_valid.all()
        degrees = frame.to_crs(4326).geometry
        for feature, geometry in zip(features, degrees, strict=True):
            assert shapely.hausdorff_distance(units(geometry, *tile), feature.geometry) < 0.01
        n += len(features)
    assert n > 20


def test_what_cannot_be_drawn_is_counted(awkward):
    assert source(awkward).left_out == {
        "no geometry": 3,
        "coordinates that are no place": 2,
        "outside the world of web maps": 2,
    }
    assert source(awkward.iloc[[5]]).left_out == {}


def test_an_empty_frame_draws_nothing():
    drawn = source(gpd.GeoDataFrame({"name": []}, geometry=[], crs=4326), key="name")
    assert drawn.tile(0, 0, 0) == EMPTY_TILE
    assert drawn.bbox is None
    assert drawn.left_out == {}


@settings(derandomize=True, max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.floats(113, 115), st.floats(34, 36)), min_size=1, max_size=40),
    st.integers(0, 20),
)
def test_every_point_is_in_exactly_one_tile_within_a_unit(decode, places, z):
    frame = gpd.GeoDataFrame(geometry=[shapely.Point(p) for p in places], crs=4326)
    drawn = source(frame)
    found = {}
    wanted = {tile for p in places for tile in bbox_tiles((*p, *p), z)}
    around = {(z, x + i, y + j) for _, x, y in wanted for i in (-1, 0, 1) for j in (-1, 0, 1)}
    for tile in around:
        if not (0 <= tile[1] < 2**z and 0 <= tile[2] < 2**z):
            continue
        for feature in decode(drawn.tile(*tile), "layer"):
            x, y = feature.geometry.coords[0]
            if not (0 <= x < 4096 and 0 <= y < 4096):
                continue  # a point just past the edge, drawn in both tiles
            assert feature.id not in found
            found[feature.id] = feature
            was = units(frame.geometry[feature.id - 1], *tile)
            assert abs(was.x - x) <= 1.0001
            assert abs(was.y - y) <= 1.0001
    assert sorted(found) == list(range(1, len(places) + 1))


@settings(derandomize=True, max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.integers(8, 15), st.booleans())
def test_random_polygons_decode_to_what_they_were(decode, seed, z, deepest):
    rng = np.random.default_rng(seed)
    middle = shapely.Point(114 + rng.random() / 10, 35 + rng.random() / 10)
    n = int(rng.integers(3, 30))
    angle = np.sort(rng.uniform(0, 2 * np.pi, n))
    radius = rng.uniform(0.001, 0.05) * rng.uniform(0.3, 1, n)
    ring = np.column_stack([middle.x + radius * np.cos(angle), middle.y + radius * np.sin(angle)])
    polygon = shapely.make_valid(shapely.Polygon(ring))
    # A corner is rounded by less than 0.71 units; above the deepest zoom shapes are simplified by 2, a quarter of a pixel.
    maxzoom, reach = (z, 0.75) if deepest else (22, 2.75)
    drawn = VectorSource.from_frame(
        gpd.GeoDataFrame(geometry=[polygon], crs=4326), layer_id="layer", maxzoom=maxzoom
    )
    tile = next(bbox_tiles((middle.x, middle.y, middle.x, middle.y), z))
    was = units(polygon, *tile).intersection(BOX)
    features = decode(drawn.tile(*tile), "layer")
    got = features[0].geometry if features else shapely.Polygon()
    assert got.is_valid
    assert got.difference(was.buffer(reach)).area < 1e-9
    assert was.difference(got.buffer(reach)).area < max(2.0, 0.02 * was.area)


def test_adjoining_tiles_agree_at_the_seam(decode):
    shapes = [shapely.Point(114 + a / 40, 35.1 + a / 90).buffer(0.02) for a in range(12)]
    frame = gpd.GeoDataFrame(geometry=shapes, crs=4326)
    drawn, z = source(frame), 13
    for _, x, y in bbox_tiles(tuple(frame.total_bounds), z):
        west = {f.id: f.geometry for f in decode(drawn.tile(z, x, y), "layer")}
        east = {f.id: f.geometry for f in decode(drawn.tile(z, x + 1, y), "layer")}
        seam = shapely.LineString([(4096, 0), (4096, 4096)])
        for number in west.keys() | east.keys():
            nothing = shapely.Polygon()
            a = seam.intersection(west.get(number, nothing))
            b = seam.intersection(shapely.affinity.translate(east.get(number, nothing), 4096, 0))
            assert a.symmetric_difference(b).length <= 4


def test_neighbours_of_a_coverage_keep_their_common_edges(decode):
    rng = np.random.default_rng(4)
    seeds = shapely.MultiPoint(rng.uniform([113.9, 35.0], [114.2, 35.3], (150, 2)))
    frame = gpd.GeoDataFrame(
        geometry=list(
            shapely.voronoi_polygons(seeds, extend_to=shapely.box(113.9, 35.0, 114.2, 35.3)).geoms
        ),
        crs=4326,
    )
    drawn = source(frame)
    for z in (11, 12, 13):
        for tile in list(bbox_tiles((113.95, 35.05, 114.15, 35.25), z))[:6]:
            shapes = [f.geometry for f in decode(drawn.tile(*tile), "layer")]
            together = shapely.union_all(shapes)
            overlap = sum(shape.area for shape in shapes) - together.area
            gaps = BOX.difference(together).area if tile_inside(tile, frame) else 0
            assert overlap == pytest.approx(0, abs=1e-6)
            assert gaps == pytest.approx(0, abs=1e-6)


def tile_inside(tile, frame):
    z, x, y = tile
    covered = frame.geometry.union_all()
    corners = [shapely.box(*tile_bbox(z, x + i, y + j)) for i in (-1, 0, 1) for j in (-1, 0, 1)]
    return covered.covers(shapely.union_all(corners))


def test_a_tile_inside_a_polygon_is_filled(decode):
    drawn = source(gpd.GeoDataFrame(geometry=[shapely.box(100, 20, 120, 40)], crs=4326))
    (feature,) = decode(drawn.tile(14, 13380, 6478), "layer")
    assert feature.geometry.equals(BOX)


def test_a_tile_inside_a_hole_is_empty():
    ring = shapely.box(100, 20, 120, 40).difference(shapely.box(105, 25, 119, 39))
    drawn = source(gpd.GeoDataFrame(geometry=[ring], crs=4326))
    assert drawn.tile(14, 13380, 6478) == EMPTY_TILE


def test_points_of_one_row_are_one_feature(decode):
    frame = gpd.GeoDataFrame(
        {"name": ["b", "a"]},
        geometry=[shapely.MultiPoint([(114, 35), (114.01, 35)]), shapely.Point(114.005, 35)],
        crs=4326,
    )
    features = decode(source(frame, key="name").tile(8, 209, 101), "layer")
    assert [(f.id, f.properties["name"], f.geometry.geom_type) for f in features] == [
        (1, "b", "MultiPoint"),
        (2, "a", "Point"),
    ]


def test_a_projected_frame_is_where_it_should_be(decode):
    place = gpd.GeoSeries([shapely.Point(114.3, 35.2)], crs=4490)
    frame = gpd.GeoDataFrame(geometry=place.to_crs(4547))
    (feature,) = decode(source(frame).tile(18, *tile_of(18, 114.3, 35.2)), "layer")
    was = units(shapely.Point(114.3, 35.2), 18, *tile_of(18, 114.3, 35.2))
    assert feature.geometry.distance(was) < 1.5


def tile_of(z, lon, lat):
    return next(bbox_tiles((lon, lat, lon, lat), z))[1:]


# --- properties -------------------------------------------------------------------------------------------------


def test_values_keep_their_type_and_nulls_are_left_out(decode):
    frame = gpd.GeoDataFrame(
        {
            "code": pd.Series(["410105001", "410105002", None], dtype="str"),
            "n": pd.Series([3, pd.NA, -7], dtype="Int64"),
            "big": [2**53 + 1, 0, -(2**40)],
            "share": [0.25, np.nan, -0.0],
            "open": pd.Series([True, False, pd.NA], dtype="boolean"),
            "kind": pd.Categorical(["公厕", "旱厕", "公厕"]),
            "reported_at": pd.to_datetime(
                ["2026-11-22T08:00:00+08:00", "2026-01-01T00:00:00+08:00", None], utc=True
            ).as_unit("us"),
            "opened_on": pd.Series(
                [dt.date(2026, 11, 22), None, dt.date(1999, 1, 2)], dtype=object
            ),
        },
        geometry=gpd.points_from_xy([114.0, 114.1, 114.2], [35.1] * 3),
        crs=4326,
    )
    names = [name for name in frame.columns if name != "geometry"]
    found = {
        f.id: f.properties for f in decode(source(frame, properties=names).tile(0, 0, 0), "layer")
    }
    assert found == {
        1: {
            "code": "410105001", "n": 3, "big": 2**53 + 1, "share": 0.25, "open": True, "kind": "公厕",
            "reported_at": "2026-11-22T00:00:00Z", "opened_on": "2026-11-22",
        },
        2: {"code": "410105002", "big": 0, "open": False, "kind": "旱厕", "reported_at": "2025-12-31T16:00:00Z"},
        3: {"n": -7, "big": -(2**40), "share": 0.0, "kind": "公厕", "opened_on": "1999-01-02"},
    }  # fmt: skip
    assert type(found[1]["n"]) is int
    assert type(found[1]["share"]) is float
    assert type(found[1]["open"]) is bool


def test_true_one_and_text_one_are_three_values(decode):
    frame = gpd.GeoDataFrame(
        {"a": [True], "b": [1], "c": [1.0], "d": ["1"]}, geometry=[shapely.Point(114, 35)], crs=4326
    )
    (feature,) = decode(source(frame, properties=list("abcd")).tile(0, 0, 0), "layer")
    assert [(type(v), v) for v in feature.properties.values()] == [
        (bool, True),
        (int, 1),
        (float, 1.0),
        (str, "1"),
    ]


def test_only_the_key_and_the_named_properties_are_shown(decode):
    frame = gpd.GeoDataFrame(
        {"secret": ["138…"], "id": ["A"], "kind": ["x"]},
        geometry=[shapely.Point(114, 35)],
        crs=4326,
    )
    tile = source(frame, key="id", properties=["kind", "id"]).tile(0, 0, 0)
    (feature,) = decode(tile, "layer")
    assert list(feature.properties) == ["id", "kind"]
    assert b"secret" not in tile.body
    assert "138…".encode() not in tile.body


def test_an_id_is_the_place_of_the_row(decode):
    frame = gpd.GeoDataFrame(
        {"n": range(50)},
        geometry=gpd.points_from_xy(np.linspace(115, 113, 50), np.linspace(35, 36, 50)),
        crs=4326,
        index=np.arange(50)[::-1] * 7,
    )
    features = decode(source(frame, properties=["n"]).tile(0, 0, 0), "layer")
    assert sorted((f.id, f.properties["n"]) for f in features) == [(i + 1, i) for i in range(50)]


# --- the source -------------------------------------------------------------------------------------------------


def test_the_same_frame_gives_the_same_bytes_from_any_thread(awkward, some_tiles):
    drawn, again = source(awkward, key="name"), source(awkward.copy(), key="name")
    tiles = some_tiles(10) + some_tiles(7)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda t: drawn.tile(*t), tiles)) == [again.tile(*t) for t in tiles]


def test_the_frame_is_not_changed(awkward):
    before = awkward.copy(deep=True)
    source(awkward, key="name").tile(7, 104, 50)
    pd.testing.assert_frame_equal(before, awkward)


def test_it_is_a_tile_source(awkward):
    drawn = VectorSource.from_frame(awkward, layer_id="shapes", minzoom=4, maxzoom=9)
    assert isinstance(drawn, TileSource)
    assert drawn.media_type == "application/vnd.mapbox-vector-tile"
    assert drawn.bbox == pytest.approx((-180, -85.0511, 180, 85.0511), abs=1e-3)


@pytest.mark.parametrize("tile", [(3, 0, 0), (10, 0, 0), (9, 512, 0), (99, 0, 0), (5, -1, 0)])
def test_tiles_outside_are_refused(awkward, tile):
    drawn = VectorSource.from_frame(awkward, layer_id="shapes", minzoom=4, maxzoom=9)
    with pytest.raises(TileNotFoundError, match="no tile"):
        drawn.tile(*tile)


def test_what_does_not_fit_is_refused(awkward):
    point = gpd.GeoDataFrame({"tags": [[1]]}, geometry=[shapely.Point(114, 35)], crs=4326)
    with pytest.raises(
        ColumnError, match="property 'nam' is no column of 'layer'; did you mean 'name'"
    ):
        source(awkward, properties=["nam"])
    with pytest.raises(ColumnError, match="key 'nme' is no column"):
        source(awkward, key="nme")
    with pytest.raises(ColumnError, match="property 'tags' holds mixed values"):
        source(point, properties=["tags"])
    with pytest.raises(CrsError, match="'layer' has no coordinate reference system"):
        source(awkward.set_crs(None, allow_override=True))
    with pytest.raises(InputError, match="zooms 5 to 4"):
        VectorSource.from_frame(awkward, layer_id="layer", minzoom=5, maxzoom=4)


def test_many_points_are_all_there(decode):
    n = 30_000
    rng = np.random.default_rng(1)
    frame = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy(*rng.uniform([113.9, 35.0], [114.2, 35.3], (n, 2)).T), crs=4326
    )
    drawn = source(frame)
    ids = {
        feature.id
        for tile in bbox_tiles(tuple(frame.total_bounds), 10)
        for feature in decode(drawn.tile(*tile), "layer")
    }
    assert ids == set(range(1, n + 1))


def test_long_and_empty_texts_are_kept(decode):
    texts = ["", "x" * 125, "x" * 126, "x" * 127, "路" * 42, "路" * 5000]
    frame = gpd.GeoDataFrame(
        {"text": texts}, geometry=[shapely.Point(114, 35)] * len(texts), crs=4326
    )
    assert [
        f.properties["text"]
        for f in decode(source(frame, properties=["text"]).tile(0, 0, 0), "layer")
    ] == texts
