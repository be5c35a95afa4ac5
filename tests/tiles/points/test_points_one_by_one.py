import gc
import hashlib
import weakref
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pandas as pd
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gisgrid.errors import ColumnError, InputError, TileNotFoundError
from gisgrid.features import FeatureTable
from gisgrid.features.filters import Filter
from gisgrid.tiles import EMPTY_TILE, LowZoom, PointSource, TileSource, bbox_tiles
from gisgrid.tiles.scheme import CGCS2000_QUAD, MATRIX_SETS, WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD

ALL_OF_THEM = LowZoom("none")
SETS = (WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD, CGCS2000_QUAD)


def some_tiles(table, z, matrix_set, n=6):
    """Tiles with points, with few, and one beside them."""
    tiles = sorted(
        {
            tile
            for row in range(0, len(table), max(1, len(table) // 40))
            for tile in bbox_tiles(
                (table.lon[row], table.lat[row], table.lon[row], table.lat[row]),
                z,
                matrix_set=matrix_set,
            )
        }
    )
    return tiles[:: max(1, len(tiles) // n)]


@pytest.mark.parametrize("matrix_set", SETS, ids=lambda s: s.id)
@pytest.mark.parametrize("z", [0, 1, 6, 9, 12, 15, 22])
def test_a_tile_shows_what_plain_python_works_out(  # noqa: PLR0917 - fixtures
    table, source_of, plain_tile, shown, matrix_set, z
):
    source = source_of(table, low_zoom=ALL_OF_THEM, matrix_set=matrix_set)
    for tile in some_tiles(table, z, matrix_set):
        assert shown(source.tile(*tile)) == plain_tile(table, matrix_set, *tile)


def test_a_filter_leaves_the_others_out(table, source_of, plain_tile, shown):
    source = source_of(table, low_zoom=ALL_OF_THEM)
    where = Filter.parse("category = '道路' AND severity > 1", fields=table.fields)
    rows = np.flatnonzero(where.mask(table))
    assert 100 < len(rows) < 1000
    for z in (0, 8, 11, 14):
        for tile in some_tiles(table, z, WEB_MERCATOR_QUAD, 3):
            wanted = plain_tile(table, WEB_MERCATOR_QUAD, *tile, rows=rows)
            assert shown(source.tile(*tile, where=where)) == wanted


def test_gdal_reads_the_same(table, source_of, decode_gdal, shown):
    source = source_of(table, low_zoom=ALL_OF_THEM)
    tile = some_tiles(table, 10, WEB_MERCATOR_QUAD)[2]
    drawn = source.tile(*tile)
    features = shown(drawn)
    frame = decode_gdal(drawn.body, *tile).set_index("mvt_id")
    assert sorted(frame.index) == sorted(features)
    for number, (_, properties) in features.items():
        read = frame.loc[number].drop("geometry").dropna().to_dict()
        assert {k: v for k, v in read.items() if k != "urgent"} == pytest.approx(
            {k: v for k, v in properties.items() if k != "urgent"}
        )


def test_the_same_rows_give_the_same_bytes_in_every_process_and_thread(
    reports, as_table, source_of
):
    frame = reports(2000)
    tiles = [source_of(as_table(frame)).tile(8, 209, 101).body for _ in range(2)]
    assert tiles[0] == tiles[1]
    source = source_of(as_table(frame))
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda _: source.tile(8, 209, 101).body, range(64)))
    assert {hashlib.sha256(body).hexdigest() for body in bodies} == {
        hashlib.sha256(tiles[0]).hexdigest()
    }


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(-180, 180), st.floats(-90, 90))
        | st.tuples(st.floats(113.9, 114), st.floats(35, 35.1)),
        min_size=1,
        max_size=40,
    ),
    st.integers(0, 7),
    st.sampled_from(sorted(MATRIX_SETS)),
)
@example([(-180.0, 45.0), (180.0, 45.0), (-1e-12, -90.0)], 0, "CGCS2000Quad")
@example([(-180.0, 0.0), (179.9999999999999, -85.05112877980659)], 1, "WebMercatorQuad")
def test_every_point_is_in_exactly_one_tile_without_its_surroundings(decode, places, z, name):
    matrix_set = MATRIX_SETS[name]
    frame = pd.DataFrame(places, columns=["lon", "lat"])
    table = FeatureTable.from_frame(frame, properties=[], lonlat=("lon", "lat"))
    source = PointSource(table, layer_id="layer", matrix_set=matrix_set)
    n_columns, n_rows = matrix_set.tiles_at(z)
    seen, around = [], {}
    tiles = {
        (z, (tx + i) % n_columns, ty + j)
        for place in places
        for _, tx, ty in bbox_tiles((*place, *place), z, matrix_set=matrix_set)
        for i in (-1, 0, 1)
        for j in (-1, 0, 1)
        if 0 <= ty + j < n_rows
    }
    for tile in tiles:
        for feature in decode(source.tile(*tile).body, "layer"):
            x, y = feature.geometry.coords[0]
            assert -64 <= x < 4096 + 64
            assert -64 <= y < 4096 + 64
            assert (feature.id, tile) not in around
            around[feature.id, tile] = x, y
            if 0 <= x < 4096 and 0 <= y < 4096:
                seen.append(feature.id)
    edge = 85.05112877980659 if matrix_set.projection == "mercator" else 90
    assert sorted(seen) == [i + 1 for i, (_, lat) in enumerate(places) if abs(lat) <= edge]
    assert len(seen) + sum(source.left_out.values()) == len(places)


def test_points_past_an_edge_are_drawn_in_both_tiles_and_across_the_date_line(source_of, shown):
    # Half a unit of zoom 3 either side of an edge between tiles, of a corner, and of the date line.
    unit = 360 / 2**3 / 4096
    places = [
        (45 - unit / 2, 10),
        (45 + unit / 2, 10),
        (90 + unit / 2, -unit / 2),
        (180 - unit / 2, 10),
    ]
    frame = pd.DataFrame(places, columns=["lon", "lat"])
    table = FeatureTable.from_frame(frame, properties=[], lonlat=("lon", "lat"))
    source = source_of(table, properties=[])
    x_of = {tile: {i: p[0] for i, (p, _) in shown(source.tile(3, *tile)).items()} for tile in
            [(4, 3), (5, 3), (7, 3), (0, 3), (5, 4), (6, 3), (6, 4)]}  # fmt: skip
    assert x_of[4, 3] == {1: 4095, 2: 4096}
    assert x_of[5, 3] == {1: -1, 2: 0, 3: 4096}
    assert x_of[7, 3] == {4: 4095}
    assert x_of[0, 3] == {4: -1}
    assert x_of[5, 4] == {3: 4096}
    assert x_of[6, 3] == {3: 0}
    assert x_of[6, 4] == {3: 0}


def test_a_place_where_many_points_lie_is_drawn_whole(shown, source_of, reports, as_table):
    frame = reports(500).assign(lon=114.0, lat=35.0)
    source = source_of(as_table(frame), low_zoom=ALL_OF_THEM)
    for z in (0, 10, 22):
        tile = next(bbox_tiles((114, 35, 114, 35), z))
        assert sorted(shown(source.tile(*tile))) == list(range(1, 501))


def test_rows_without_a_place_are_counted(as_table, reports, source_of):
    frame = reports(10)
    frame.loc[:2, "lon"] = np.nan
    frame.loc[3, "lat"] = 89.0
    frame.loc[4, "lon"] = 200.0
    table = as_table(frame)
    assert source_of(table).left_out == {"no geometry": 3, "outside the world of web maps": 2}
    degrees = source_of(table, matrix_set=WORLD_CRS84_QUAD).left_out
    assert degrees == {"no geometry": 3, "outside the world of web maps": 1}
    assert source_of(as_table(reports(3))).left_out == {}


def test_long_names_and_values_are_written_whole(source_of, shown):
    frame = pd.DataFrame(
        {"名" * 100: ["值" * 5000, "x"], "n": [2**62, -(2**62) - 5], "lon": 114.0, "lat": 35.0}
    )
    table = FeatureTable.from_frame(frame, properties=["名" * 100, "n"], lonlat=("lon", "lat"))
    read = shown(source_of(table, properties=["名" * 100, "n"]).tile(0, 0, 0))
    assert read[1][1] == {"名" * 100: "值" * 5000, "n": 2**62}
    assert read[2][1] == {"名" * 100: "x", "n": -(2**62) - 5}


def test_a_column_of_many_distinct_values_is_drawn_right(source_of, shown):
    n = 70_000
    frame = pd.DataFrame(
        {
            "key": [f"k{i}" for i in range(n)],
            "value": np.arange(n) * 1.5,
            "lon": np.linspace(113, 115, n),
            "lat": 35.0,
        }
    )
    table = FeatureTable.from_frame(frame, properties=["key", "value"], lonlat=("lon", "lat"))
    source = source_of(table, properties=["key", "value"])
    tile = next(bbox_tiles((114.01, 35, 114.01, 35), 14))
    for number, (_, properties) in shown(source.tile(*tile)).items():
        assert properties == {"key": f"k{number - 1}", "value": (number - 1) * 1.5}


def test_it_is_a_source_of_tiles(table, source_of, awkward):
    source = source_of(table, minzoom=2, maxzoom=9)
    assert isinstance(source, TileSource)
    assert source.media_type == "application/vnd.mapbox-vector-tile"
    assert source.bbox == pytest.approx(table.bbox)
    with pytest.raises(TileNotFoundError, match=r"drawn at zooms 2 to 9"):
        source.tile(10, 0, 0)
    with pytest.raises(TileNotFoundError, match=r"columns and rows run from 0 to 3"):
        source.tile(2, 4, 0)
    with pytest.raises(TileNotFoundError, match=r"columns run from 0 to 7, rows from 0 to 3"):
        source_of(table, matrix_set=CGCS2000_QUAD).tile(2, 4, 4)
    assert source.tile(9, 0, 0) == EMPTY_TILE
    empty = source_of(table.take(np.zeros(0, np.int64)))
    assert empty.tile(0, 0, 0) == EMPTY_TILE
    assert empty.bbox is None
    boxes = FeatureTable.from_frame(awkward.iloc[[16]], properties=[])
    with pytest.raises(InputError, match="polygon geometry and a PointSource draws points"):
        source_of(boxes, properties=[])


def test_what_is_no_column_is_refused_by_name(table, source_of):
    with pytest.raises(ColumnError, match=r"'catgory' is no column; did you mean 'category'\?"):
        source_of(table, properties=["catgory"])
    with pytest.raises(ColumnError, match=r"count by 'catgory', which is no column"):
        source_of(table, low_zoom=LowZoom(counts_by="catgory"))
    with pytest.raises(InputError, match=r"count by 'id', which holds 3,000 words"):
        source_of(table, low_zoom=LowZoom(counts_by="id"))
    with pytest.raises(InputError, match="cells of 12 px"):
        source_of(table, low_zoom=LowZoom(cell_px=12))


def test_points_stand_in_the_order_of_the_curve(table, source_of, decode):
    source = source_of(table, low_zoom=ALL_OF_THEM)
    ids = [feature.id for feature in decode(source.tile(0, 0, 0).body, "layer")]
    assert ids == (table.number[: table.n_placed] + 1).tolist()


@pytest.mark.parametrize("z", [3, 9, 11, 14])
def test_a_whole_tile_is_the_one_of_chosen_points(table, source_of, z):
    """One pass over everything, and the way that filters and fresh rows take, write the same bytes."""
    source = source_of(table, low_zoom=ALL_OF_THEM)
    everything = Filter.parse("severity > -100 OR severity IS NULL", fields=table.fields)
    for tile in some_tiles(table, z, WEB_MERCATOR_QUAD):
        assert source.tile(*tile) == source.tile(*tile, where=everything)


def test_a_tile_of_many_points_makes_room_for_itself(reports, as_table, source_of):
    """More than the buffers hold at first, in a thread that has drawn nothing yet."""
    table = as_table(reports(6_000, seed=3))
    source = source_of(table, low_zoom=ALL_OF_THEM)
    with ThreadPoolExecutor(1) as fresh:
        drawn = fresh.submit(source.tile, 0, 0, 0).result()
    assert drawn.n_features == 6_000
    assert drawn == source.tile(0, 0, 0)


def test_fresh_points_that_are_drawn_no_more_are_let_go(reports, as_table, source_of):
    """Each time points come in, tables are put together anew; what drew the old ones goes with the last who draws them."""
    drawn, before = source_of(as_table(reports(50))), []
    for seed in range(4):
        fresh = as_table(reports(10, seed=10 + seed))
        before.append(weakref.ref(fresh))
        other = drawn.with_fresh(fresh)
    del fresh
    gc.collect()
    assert [one() is None for one in before] == [True] * 3 + [False]
    assert sum(map(len, other.tables)) == 60
