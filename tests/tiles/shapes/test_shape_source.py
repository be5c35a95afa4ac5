import gc
import weakref

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, InputError, TileNotFoundError
from gisgrid.features import FeatureTable, Privacy
from gisgrid.features.filters import Filter
from gisgrid.tiles import MATRIX_SETS, LowZoom, TileSource, bbox_tiles, lonlat_world
from gisgrid.tiles.mvt import POLYGON, read_tile
from gisgrid.tiles.shapes import PreparedShapes, ShapeSource

BOX = shapely.box(-64, -64, 4160, 4160)


def table_of(frame):
    return FeatureTable.from_frame(frame, properties=[name for name in frame if name != "geometry"])


def source(frame, **options):
    table = table_of(frame)
    return ShapeSource(
        table, **{"layer_id": "layer", "properties": list(table.columns), "maxzoom": 16, **options}
    )


def shapes_of(*shapes, **columns):
    return gpd.GeoDataFrame(columns, geometry=list(shapes), crs=4326)


def units(geometry, z, x, y):
    """A geometry in degrees in the units of a tile, not rounded."""

    def place(lonlat):
        u, v = lonlat_world(lonlat[:, 0], lonlat[:, 1])
        return np.column_stack([(u * 2**z - x) * 4096, (v * 2**z - y) * 4096])

    return shapely.transform(shapely.force_2d(geometry), place)


def strictly(tile):
    """Read a tile with the strict reader, and as shapes."""
    layers = read_tile(tile.body)
    features = layers[0].features if layers else ()
    assert len(features) == tile.n_features
    return {feature.number: whole(feature) for feature in features}


def whole(feature):
    if feature.kind != POLYGON:
        return shapely.GeometryCollection([shapely.MultiPoint(part) for part in feature.parts])
    polygons = []
    for ring in feature.parts:
        if shapely.LinearRing(ring).is_ccw:
            polygons.append((ring, []))
        else:
            polygons[-1][1].append(ring)
    return shapely.MultiPolygon([shapely.Polygon(*one) for one in polygons])


def around(geometry, z, *, most=9):
    tiles = list(bbox_tiles(tuple(shapely.bounds(geometry)), z))
    return tiles[:: max(1, len(tiles) // most)]


# --- every awkward geometry ----------------------------------------------------------------------------------------

degrees = st.one_of(
    st.floats(113.9, 114.1).map(lambda value: round(value, 4)),
    st.floats(113.9, 114.1),
    st.sampled_from([114.0, 114.0 + 1e-9, 180.0, -180.0, 90.0, -90.0, 200.0, 1e9, -1e300]),
)
numbers = st.one_of(degrees, degrees, degrees, st.sampled_from([float("nan"), float("inf")]))
places = st.tuples(degrees, degrees.map(lambda value: value - 79 if 113 < value < 115 else value))
wild = st.tuples(numbers, numbers)
paths = st.one_of(
    st.lists(places, min_size=3, max_size=12), st.lists(places | wild, min_size=3, max_size=6)
)


@st.composite
def geometries(draw):
    try:
        return _geometry(draw)
    except shapely.errors.GEOSException:  # shapely itself has no such shape
        return None


def _geometry(draw):  # noqa: PLR0911 - one for each kind
    kind = draw(
        st.sampled_from(
            ["polygon", "holes", "parts", "line", "lines", "points", "mixed", "empty", "none"]
        )
    )
    with np.errstate(all="ignore"):
        match kind:
            case "none":
                return None
            case "empty":
                return draw(
                    st.sampled_from(
                        [
                            shapely.Point(),
                            shapely.Polygon(),
                            shapely.MultiPolygon(),
                            shapely.GeometryCollection(),
                        ]
                    )
                )
            case "polygon":
                return shapely.Polygon(draw(paths))
            case "holes":
                return shapely.Polygon(draw(paths), draw(st.lists(paths, max_size=3)))
            case "parts":
                return shapely.MultiPolygon(
                    [shapely.Polygon(one) for one in draw(st.lists(paths, max_size=3))]
                )
            case "line":
                return shapely.LineString(draw(paths))
            case "lines":
                return shapely.MultiLineString(draw(st.lists(paths, min_size=1, max_size=3)))
            case "points":
                return shapely.MultiPoint(draw(paths))
        return shapely.GeometryCollection([shapely.Polygon(draw(paths)), shapely.LineString(draw(paths)), shapely.Point(draw(places))])  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@settings(derandomize=True, max_examples=60, deadline=None)
@given(st.lists(geometries(), min_size=1, max_size=4))
def test_any_geometry_is_drawn_validly_or_left_out_with_a_reason(shapes):
    drawn = source(shapes_of(*shapes), maxzoom=14)
    assert set(drawn.left_out) <= {
        "no geometry",
        "coordinates that are no place",
        "outside the world of web maps",
    }
    for tile in [(0, 0, 0), (1, 1, 0), (7, 104, 50), (12, 3344, 1621), (14, 13379, 6487)]:
        answer = drawn.tile(*tile)
        for feature in read_tile(answer.body)[0].features if answer.body else ():
            shape = whole(feature)
            assert shape.is_valid, shapely.is_valid_reason(shape)
            assert BOX.covers(shape)


@pytest.mark.parametrize("z", [0, 3, 7, 10, 11, 12, 14, 18])
def test_awkward_polygons_come_out_valid_and_where_they_were(awkward, z, some_tiles):
    areal = awkward[awkward.geometry.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(drop=True)  # fmt: skip
    drawn = source(areal, maxzoom=18)
    for tile in some_tiles(z):
        found = strictly(drawn.tile(*tile))
        for number, geometry in enumerate(areal.geometry, 1):
            was = shapely.make_valid(units(geometry, *tile)).intersection(BOX)
            got = found.get(number, shapely.Polygon())
            assert got.is_valid
            assert (
                shapely.distance(shapely.points(shapely.get_coordinates(got)), was).max(initial=0)
                <= 1.5
            )
            assert abs(got.area - was.area) <= 2.1 * was.length + 4


def test_decoders_agree(awkward, decode, decode_gdal, some_tiles):
    drawn = source(awkward)
    n = 0
    for tile in some_tiles(11):
        answer = drawn.tile(*tile)
        mine, theirs = strictly(answer), decode(answer, "layer")
        if not theirs:
            continue
        gdal = decode_gdal(answer, *tile)
        assert gdal.geometry.is_valid.all()
        assert gdal["name"].tolist() == [one.properties["name"] for one in theirs]
        for one in theirs:
            if one.id in mine and one.geometry.geom_type.endswith("Polygon"):
                assert one.geometry.normalize().equals_exact(mine[one.id].normalize(), 0) or (
                    one.geometry.symmetric_difference(mine[one.id]).area == 0
                )
        n += len(theirs)
    assert n > 20


def test_awkward_pieces_at_the_edge_of_a_tile(decode):
    """A comb across the edge: its teeth come out as parts, not tied together along the edge."""
    west = 114.0 - 114.0 % (360 / 2**12)
    teeth = [
        shapely.box(west - 0.02, 35 + i / 100, west + 0.02, 35.004 + i / 100) for i in range(4)
    ]
    comb = shapely.union_all([shapely.box(west + 0.015, 35, west + 0.02, 35.034), *teeth])
    z, x, y = next(bbox_tiles((west - 0.001, 35.01, west - 0.001, 35.01), 12))
    (piece,) = strictly(source(shapes_of(comb)).tile(z, x, y)).values()
    assert piece.is_valid
    assert len(piece.geoms) == 4


# --- neighbours -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def coverage():
    """Areas with winding borders and no gap between them."""
    rng = np.random.default_rng(4)
    seeds = shapely.MultiPoint(rng.uniform([113.9, 35.0], [114.2, 35.3], (60, 2)))
    cells = shapely.voronoi_polygons(seeds, extend_to=shapely.box(113.9, 35.0, 114.2, 35.3)).geoms

    def wind(place):
        x, y = place.T
        return place + 0.0003 * np.column_stack(
            [np.sin(9000 * x) * np.cos(7000 * y), np.sin(8000 * y + 5000 * x)]
        )

    wound = shapely.transform(
        shapely.set_precision(shapely.segmentize(list(cells), 0.003), 1e-9), wind
    )
    assert shapely.is_valid(wound).all()
    return shapes_of(*wound)


@pytest.mark.parametrize("z", range(7, 15))
def test_no_gap_and_no_overlap_opens_between_neighbours_at_any_zoom(coverage, z):
    drawn = source(coverage, maxzoom=14)
    inside = coverage.geometry.union_all().buffer(-0.002)
    for tile in around(shapely.box(113.95, 35.05, 114.15, 35.25), z, most=4):
        shapes = list(strictly(drawn.tile(*tile)).values())
        together = shapely.union_all(shapes)
        assert sum(shape.area for shape in shapes) - together.area == pytest.approx(0, abs=1e-6)
        gaps = units(inside, *tile).intersection(BOX).difference(together)
        assert gaps.area == pytest.approx(0, abs=1e-6)


def test_low_zooms_have_fewer_vertices(coverage):
    prepared = PreparedShapes.build(table_of(coverage), minzoom=4, maxzoom=14)
    (one,) = prepared.kinds
    n_points = [
        sum(int(one.paths.start[one.paths.entry[e + 1]] - one.paths.start[one.paths.entry[e]]) for e in level if e >= 0)
        for level in one.level
    ]  # fmt: skip
    assert n_points == sorted(n_points)
    assert n_points[0] < n_points[-1] / 10


def test_adjoining_tiles_agree_at_the_seam():
    blobs = [shapely.Point(114 + a / 40, 35.1 + a / 90).buffer(0.02) for a in range(12)]
    drawn, z = source(shapes_of(*blobs), maxzoom=13), 13
    seam = shapely.LineString([(4096, 0), (4096, 4096)])
    for _, x, y in bbox_tiles(tuple(shapely.total_bounds(blobs)), z):
        west, east = strictly(drawn.tile(z, x, y)), strictly(drawn.tile(z, x + 1, y))
        for number in west.keys() | east.keys():
            a = seam.intersection(west.get(number, shapely.Polygon()))
            b = seam.intersection(
                shapely.affinity.translate(east.get(number, shapely.Polygon()), 4096, 0)
            )
            assert a.symmetric_difference(b).length <= 2


# --- what a tile says -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def city():
    """600 areas of very different sizes."""
    rng = np.random.default_rng(7)
    middle = rng.uniform([113.9, 35.0], [114.2, 35.3], (600, 2))
    radius = 0.02 * rng.random(600) ** 4 + 0.0004
    shapes = [shapely.Point(p).buffer(r, quad_segs=6) for p, r in zip(middle, radius, strict=True)]
    return shapes_of(
        *shapes, name=[f"area {i}" for i in range(600)], kind=rng.choice(["a", "b"], 600), r=radius
    )


def test_the_budget_is_kept_by_leaving_out_the_smallest_and_said(city):
    tile = (8, 209, 101)
    everything = source(city, low_zoom=LowZoom(strategy="none")).tile(*tile)
    small = source(city, low_zoom=LowZoom(budget_bytes=8_000)).tile(*tile)
    assert len(everything.body) > 20_000
    assert len(small.body) <= 8_000
    assert (small.thinned.how, small.thinned.of, small.thinned.shown) == (
        "dropped-smallest", 600, small.n_features,
    )  # fmt: skip
    assert 60 < small.n_features < everything.n_features
    kept, all_of_them = set(strictly(small)), set(strictly(everything))
    radius = city["r"].to_numpy()
    assert min(radius[i - 1] for i in kept) >= 0.9 * max(radius[i - 1] for i in all_of_them - kept)


def test_a_budget_that_nothing_keeps_leaves_an_empty_tile(city):
    tile = source(city, low_zoom=LowZoom(budget_bytes=40)).tile(8, 209, 101)
    assert (tile.body, tile.n_features, tile.thinned.shown, tile.thinned.of) == (b"", 0, 0, 600)


def test_what_is_too_small_for_a_zoom_is_said(city):
    drawn = source(city)
    assert drawn.tile(0, 0, 0).thinned.of == 600
    assert drawn.tile(0, 0, 0).thinned.shown < 600
    deep = drawn.tile(*next(bbox_tiles((114.0, 35.1, 114.0, 35.1), 14)))
    assert deep.thinned is None


def test_a_filter_chooses_among_rows(city):
    drawn = source(city)
    where = Filter.parse("kind = 'a' AND r > 0.001", fields=drawn.table.fields)
    chosen = set(strictly(drawn.tile(8, 209, 101, where=where)))
    everything = set(strictly(drawn.tile(8, 209, 101)))
    passes = (city["kind"] == "a") & (city["r"] > 0.001)
    assert chosen == {i for i in everything if passes[i - 1]}
    assert 0 < len(chosen) < len(everything)


def test_only_the_named_properties_leave(city):
    table = table_of(city)
    drawn = ShapeSource(
        table, layer_id="layer", properties=["kind"], privacy=Privacy(keep=("kind",))
    )
    tile = drawn.tile(8, 209, 101)
    assert all(list(one.properties) == ["kind"] for one in read_tile(tile.body)[0].features)
    assert b"area 1" not in tile.body
    with pytest.raises(ColumnError, match="property 'name' is no column of 'layer'"):
        ShapeSource(table, layer_id="layer", properties=["name"], privacy=Privacy(keep=("kind",)))


@pytest.mark.parametrize("privacy", [Privacy(k_threshold=5), Privacy(blur_m=100)])
def test_privacy_that_only_points_can_have_is_refused(city, privacy):
    with pytest.raises(InputError, match="only points"):
        source(city, privacy=privacy)


def test_a_row_of_several_kinds_carries_its_id_once():
    mixture = shapely.GeometryCollection(
        [
            shapely.Point(114, 35),
            shapely.box(114, 35, 114.1, 35.1),
            shapely.LineString([(114, 35), (114.3, 35.2)]),
        ]
    )
    drawn = source(shapes_of(mixture, shapely.Point(114.05, 35.05), name=["all", "point"]))
    features = read_tile(drawn.tile(8, 209, 101).body)[0].features
    assert [(one.number, one.kind, one.properties["name"]) for one in features] == [
        (1, 3, "all"),
        (None, 2, "all"),
        (None, 1, "all"),
        (2, 1, "point"),
    ]


def test_points_reach_past_the_edge_of_a_tile():
    west = 114.0 - 114.0 % (360 / 2**8)
    near = west - 10 / 4096 * 360 / 2**8
    z, x, y = next(bbox_tiles((west + 0.01, 35.0, west + 0.01, 35.0), 8))
    drawn = source(
        shapes_of(shapely.MultiPoint([(near, 35.0), (west - 1, 35.0), (west + 0.5, 35.0)]))
    )
    (feature,) = read_tile(drawn.tile(z, x, y).body)[0].features
    assert [place[0] for place in feature.parts[0]] == [-10, pytest.approx(1456, abs=1)]


@pytest.mark.parametrize("name", sorted(MATRIX_SETS))
def test_every_matrix_set_has_its_tiles(name, city):
    matrix_set = MATRIX_SETS[name]
    drawn = source(city, matrix_set=matrix_set, maxzoom=10)
    for z, x, y in list(bbox_tiles((113.95, 35.05, 114.1, 35.2), 9, matrix_set=matrix_set))[:2]:
        shown = strictly(drawn.tile(z, x, y))
        assert len(shown) > 20
        side = 2 ** matrix_set.depth(z)
        for number, shape in shown.items():
            u, v = matrix_set.to_unit(*shapely.get_coordinates(city.geometry[number - 1]).T)
            was = shapely.Polygon(np.column_stack([(u * side - x) * 4096, (v * side - y) * 4096]))
            assert shape.difference(was.buffer(3)).area == 0
    with pytest.raises(TileNotFoundError):
        drawn.tile(11, 0, 0)


def test_a_tile_inside_a_polygon_is_filled_and_inside_a_hole_empty():
    ring = shapely.box(100, 20, 120, 40)
    assert next(iter(strictly(source(shapes_of(ring)).tile(14, 13380, 6478)).values())).equals(BOX)
    hollow = ring.difference(shapely.box(105, 25, 119, 39))
    assert source(shapes_of(hollow)).tile(14, 13380, 6478).body == b""


def test_lines_are_cut_and_keep_their_order():
    line = shapely.LineString([(113.0, 35.0), (114.0, 35.3), (115.0, 35.0), (113.0, 34.9)])
    drawn = source(shapes_of(line), maxzoom=12)
    for tile in around(line, 9, most=6):
        shown = read_tile(drawn.tile(*tile).body)
        was = units(line, *tile)
        for feature in shown[0].features if shown else ():
            got = shapely.MultiLineString(feature.parts)
            assert BOX.covers(got)
            assert shapely.distance(shapely.points(shapely.get_coordinates(got)), was).max() < 1.5
            assert got.length == pytest.approx(was.intersection(BOX).length, rel=0.02)


# --- kept, fresh, the same ------------------------------------------------------------------------------------------


def test_what_is_saved_draws_the_same_bytes(city, tmp_path):
    table = table_of(city)
    table.save(tmp_path / "table")
    options = {"layer_id": "layer", "properties": ["name", "kind"], "maxzoom": 14}
    tiles = [(0, 0, 0), (8, 209, 101), *around(shapely.box(113.95, 35.05, 114.1, 35.2), 12)]
    bodies = [ShapeSource(table, **options).tile(*tile).body for tile in tiles]
    for _ in range(2):  # made, then opened
        opened = FeatureTable.open(tmp_path / "table")
        kept = ShapeSource(opened, folder=tmp_path / "table", **options)
        assert [kept.tile(*tile).body for tile in tiles] == bodies
    prepared = PreparedShapes.open(tmp_path / "table" / "shapes-WebMercatorQuad-0-14")
    assert prepared.checksum == PreparedShapes.build(table, minzoom=0, maxzoom=14).checksum


def test_what_was_prepared_for_another_edition_is_made_anew(city, tmp_path):
    folder = tmp_path / "table"
    options = {"layer_id": "layer", "maxzoom": 10, "folder": folder}
    table_of(city).save(folder)
    before = ShapeSource(FeatureTable.open(folder), **options).tile(8, 209, 101)
    table_of(city.iloc[:5]).save(folder)
    after = ShapeSource(FeatureTable.open(folder), **options).tile(8, 209, 101)
    assert before.n_features > 300
    assert after.thinned.of == 5
    meta = folder / "shapes-WebMercatorQuad-0-10" / "meta.json"
    meta.write_text(meta.read_text()[:40])
    assert ShapeSource(FeatureTable.open(folder), **options).tile(8, 209, 101) == after


def test_shapes_of_another_form_are_refused(tmp_path):
    with pytest.raises(InputError, match="build them first"):
        PreparedShapes.open(tmp_path / "nothing")


def test_fresh_rows_are_drawn_and_hidden_ones_are_not(city):
    drawn = source(city.drop(columns="r"))
    box = shapely.box(114.0, 35.1, 114.05, 35.15)
    fresh = table_of(shapes_of(box, name=["fresh"], kind=["c"]))
    other = drawn.with_fresh(fresh, hidden=np.array([3, 4]))
    before, after = drawn.tile(10, 836, 405), other.tile(10, 836, 405)
    names = [one.properties["name"] for one in read_tile(after.body)[0].features]
    assert names[-1] == "fresh"
    was = [one.properties["name"] for one in read_tile(before.body)[0].features]
    assert names[:-1] == [name for name in was if name not in {"area 3", "area 4"}]
    where = Filter.parse("kind = 'c'", fields=other.table.fields)
    assert other.tile(10, 836, 405, where=where).n_features == 1
    assert drawn.tile(10, 836, 405) == before


def test_it_is_a_tile_source_that_knows_where_it_is(city):
    drawn = source(city, minzoom=4, maxzoom=9)
    assert isinstance(drawn, TileSource)
    assert drawn.media_type == "application/vnd.mapbox-vector-tile"
    assert drawn.bbox == pytest.approx(tuple(city.total_bounds), abs=1e-3)
    for tile in [(3, 0, 0), (10, 0, 0), (9, 512, 0), (99, 0, 0), (5, -1, 0)]:
        with pytest.raises(TileNotFoundError, match="no tile"):
            drawn.tile(*tile)
    with pytest.raises(InputError, match="zooms 5 to 4"):
        source(city, minzoom=5, maxzoom=4)


def test_a_layer_without_geometry_draws_nothing():
    drawn = source(shapes_of(name=[]))
    assert (drawn.bbox, drawn.left_out, drawn.tile(0, 0, 0).body) == (None, {}, b"")


def test_the_same_features_give_the_same_bytes(city):
    tiles = around(shapely.box(113.95, 35.05, 114.1, 35.2), 11)
    assert [source(city).tile(*tile) for tile in tiles] == [
        source(city).tile(*tile) for tile in tiles
    ]


def test_fresh_shapes_that_are_drawn_no_more_are_let_go():
    """Each time shapes come in, tables are put together anew; what drew the old ones goes with the last who draws them."""
    drawn = source(shapes_of(shapely.box(114, 35, 114.1, 35.1), name=["a"]))
    before = []
    for i in range(4):
        fresh = table_of(shapes_of(shapely.box(114, 35, 114.2 + i, 35.1), name=["b"]))
        before.append(weakref.ref(fresh))
        other = drawn.with_fresh(fresh)
    del fresh
    gc.collect()
    assert [one() is None for one in before] == [True] * 3 + [False]
    assert other.tile(6, 52, 25).n_features == 2
