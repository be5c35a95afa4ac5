from collections import Counter

import numpy as np
import pytest
import shapely

from gisgrid.errors import InputError
from gisgrid.features.filters import Filter
from gisgrid.features.privacy import Privacy
from gisgrid.tiles import LowZoom, Thinning, bbox_tiles
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD

HEXAGONS = LowZoom(
    "aggregate", below=30, counts_by="category", shares=(("share_open", "status = 'open'"),),
    shape="hexagon",
)  # fmt: skip
SIDE = 128  # units of a cell of 16 px


@pytest.fixture(scope="module")
def many(reports, as_table):
    """6 000 reports: enough for sums that are kept."""
    return as_table(reports(6_000, 3))


def over(source, decode, box, z, **options):
    """All hexagons of a zoom over a box, each once; what they say must be the same in every tile they reach into."""
    found = {}
    for tile in bbox_tiles(box, z, matrix_set=source.matrix_set):
        drawn = source.tile(*tile, **options)
        for feature in decode(drawn, "layer"):
            x, y = tile[1] * 4096, tile[2] * 4096
            shape = shapely.transform(feature.geometry, lambda p, at=(x, y): np.add(p, at))
            old = found.setdefault(feature.id, (feature.properties, shape))
            assert old[0] == feature.properties
            assert old[1].equals(shape)
    return found


def nearest(u, v):
    """The middle of the hexagon that a place is in, tried one by one; in units of the zoom."""
    apart = SIDE * 3**0.5 / 2
    rows = [int(v // apart), int(v // apart) + 1]
    middles = [
        ((int(u // SIDE) + k + (row % 2) / 2) * SIDE, row * apart) for row in rows for k in (-1, 0, 1)
    ]  # fmt: skip
    return min(middles, key=lambda m: (m[0] - u) ** 2 + (m[1] - v) ** 2)


@pytest.mark.parametrize("matrix_set", [WEB_MERCATOR_QUAD, WORLD_CRS84_QUAD], ids=lambda s: s.id)
@pytest.mark.parametrize("text", [None, "severity > 2"])
def test_hexagons_say_what_plain_python_counts(many, source_of, decode, matrix_set, text):
    source, z = source_of(many, low_zoom=HEXAGONS, matrix_set=matrix_set), 11
    where = None if text is None else Filter.parse(text, fields=many.fields)
    rows = np.arange(len(many)) if where is None else np.flatnonzero(where.mask(many))
    tile = next(bbox_tiles((114, 35, 114, 35), z, matrix_set=matrix_set))
    drawn = decode(source.tile(*tile, where=where), "layer")
    u, v = (
        unit * 2.0 ** (matrix_set.depth(z) + 12) for unit in matrix_set.to_unit(many.lon, many.lat)
    )
    counts, parks = Counter(), Counter()
    category = many.columns["category"].at(slice(None))
    for row in rows:
        middle = nearest(u[row], v[row])
        counts[middle] += 1
        parks[middle] += category[row] == "park"
    near = {(x - tile[1] * 4096, y - tile[2] * 4096): n for (x, y), n in counts.items()}
    wanted = sorted(n for (x, y), n in near.items() if -64 < x < 4160 and -74 < y < 4170)
    assert sorted(f.properties["count"] for f in drawn) == wanted
    assert len(wanted) > 20
    for feature in drawn:
        middle = feature.geometry.centroid
        (said,) = [
            middle_of for middle_of in counts
            if abs(middle_of[0] - tile[1] * 4096 - middle.x) < 1 and abs(middle_of[1] - tile[2] * 4096 - middle.y) < 1
        ]  # fmt: skip
        assert feature.properties["count"] == counts[said]
        assert feature.properties.get("n_park", 0) == parks[said]
        assert feature.geometry.is_valid
        assert shapely.is_ccw(feature.geometry.exterior)  # positive with y to the south
        assert shapely.get_num_coordinates(feature.geometry) == 7


@pytest.mark.parametrize("z", [0, 5, 7])
def test_nothing_is_counted_twice_or_lost(many, source_of, decode, z):
    source = source_of(many, low_zoom=HEXAGONS)
    assert source.base.tally is not None
    where = Filter.parse("severity > 2", fields=many.fields)
    box = tuple(np.add(many.bbox, (-0.5, -0.5, 0.5, 0.5)))
    for chosen, total in ((None, len(many)), (where, int(where.mask(many).sum()))):
        found = over(source, decode, box, z, where=chosen)
        assert sum(said["count"] for said, _ in found.values()) == total
        shapes = [shape for _, shape in found.values()]
        assert shapely.union_all(shapes).area == pytest.approx(sum(s.area for s in shapes))
        thinned = [source.tile(*t, where=chosen).thinned for t in bbox_tiles(box, z)]
        assert sum(one.of for one in thinned if one) == total
        assert all(one == Thinning("aggregated", one.of, one.of) for one in thinned if one)


def test_hidden_and_fresh_points_are_counted_as_they_are(reports, as_table, source_of, decode):
    frame = reports(4000, 5)
    base, whole = as_table(frame.iloc[:3900]), as_table(frame)
    fresh, gone = whole.take(whole.number >= 3900), np.arange(0, 3900, 37)
    anew = whole.take(~np.isin(whole.number, gone))
    hidden = np.flatnonzero(np.isin(base.number, gone))
    source = source_of(base, low_zoom=HEXAGONS).with_fresh(fresh, hidden=hidden)
    wanted, box = source_of(anew, low_zoom=HEXAGONS), (113.9, 34.9, 114.1, 35.1)
    assert over(source, decode, box, 11).keys() == over(wanted, decode, box, 11).keys()
    world = (-180, -85, 180, 85)
    for z in (0, 2):
        counts = [said["count"] for said, _ in over(source, decode, world, z).values()]
        assert min(counts) > 0
        assert sum(counts) == len(anew)


def test_hexagons_of_fewer_than_k_never_leave(many, source_of, decode):
    source = source_of(many, low_zoom=HEXAGONS, privacy=Privacy(k_threshold=7))
    for z in (0, 6, 10, 13, 16):
        tile = next(bbox_tiles((many.lon[2700], many.lat[2700]) * 2, z))
        drawn = source.tile(*tile)
        assert drawn.thinned.of == drawn.thinned.shown
        for feature in decode(drawn, "layer"):
            assert feature.geometry.geom_type == "Polygon"
            assert all(n >= 7 for name, n in feature.properties.items() if name != "share_open")


def test_hexagons_at_the_date_line_are_the_same_from_both_sides(
    source_of, as_table, reports, decode
):
    frame = reports(500, 1)
    frame["lon"] = np.where(frame.index % 2, 179.99, -179.99) + frame["lon"] / 1e5
    source = source_of(as_table(frame), low_zoom=HEXAGONS)
    z = 6
    _, _, y = next(bbox_tiles((0, 35, 0, 35), z))
    west, east = (
        {f.id: f.properties for f in decode(source.tile(z, x, y), "layer")} for x in (0, 63)
    )
    shared = west.keys() & east.keys()
    assert shared
    assert all(west[i] == east[i] for i in shared)


def test_hexagons_too_small_to_be_seen_are_refused(many, source_of):
    with pytest.raises(InputError, match="4 px wide at least"):
        source_of(many, low_zoom=LowZoom(cell_px=2, shape="hexagon"))
