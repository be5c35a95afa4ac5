from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import InputError
from gisgrid.features import FeatureTable
from gisgrid.features.filters import Filter, FilterError
from gisgrid.features.privacy import Privacy
from gisgrid.tiles import LowZoom, PointSource, Thinning, bbox_tiles
from gisgrid.tiles.mvt import read_tile
from gisgrid.tiles.points.base import PointBase
from gisgrid.tiles.scheme import CGCS2000_QUAD, WEB_MERCATOR_QUAD

SAYS_ALL = LowZoom(
    "aggregate", below=30, counts_by="category", shares=(("share_open", "status = 'open'"),)
)


@pytest.fixture(scope="module")
def many(reports, as_table):
    """6 000 reports: enough for sums that are kept."""
    return as_table(reports(6_000, 3))


def inside(tile, shown):
    """The cells of the tile itself, by their places."""
    return {p: said for p, said in shown(tile).values() if 0 <= p[0] < 4096 and 0 <= p[1] < 4096}


def plain_cells(table, matrix_set, z, x, y, *, rows, px=16):
    """What the cells of a tile should say, counted row by row."""
    side, unit = 2 ** matrix_set.depth(z), 4096 * px // 512
    u, v = matrix_set.to_unit(table.lon, table.lat)
    category, status = (
        table.columns["category"].at(slice(None)),
        table.columns["status"].at(slice(None)),
    )
    counts, classes, opened = Counter(), Counter(), Counter()
    for row in rows:
        if not np.isfinite(u[row]):
            continue
        at_x, at_y = (
            int(unit_place * 2**32 // 1) * side * 4096 >> 32 for unit_place in (u[row], v[row])
        )
        cell = (at_x - 4096 * x) // unit, (at_y - 4096 * y) // unit
        if 0 <= cell[0] < 4096 // unit and 0 <= cell[1] < 4096 // unit:
            counts[cell] += 1
            classes[cell, category[row]] += 1
            opened[cell] += status[row] == "open"
    found = {}
    for cell, n in counts.items():
        said = {"count": n, "share_open": round(opened[cell] / n, 3)}
        said |= {
            f"n_{word}": k
            for (where, word), k in classes.items()
            if where == cell and word is not None
        }
        found[cell[0] * unit + unit // 2, cell[1] * unit + unit // 2] = said
    return found


@pytest.mark.parametrize("matrix_set", [WEB_MERCATOR_QUAD, CGCS2000_QUAD], ids=lambda s: s.id)
@pytest.mark.parametrize("text", [None, "severity > 2 AND urgent = TRUE"])
@pytest.mark.parametrize("z", [0, 4, 8, 11, 13, 17])
def test_cells_say_what_plain_python_counts(many, source_of, shown, matrix_set, text, z):  # noqa: PLR0917 - fixtures
    source = source_of(many, low_zoom=SAYS_ALL, matrix_set=matrix_set)
    where = None if text is None else Filter.parse(text, fields=many.fields)
    rows = range(len(many)) if where is None else np.flatnonzero(where.mask(many))
    for row in (5, 2_700):
        tile = next(
            bbox_tiles(
                (many.lon[row], many.lat[row], many.lon[row], many.lat[row]),
                z,
                matrix_set=matrix_set,
            )
        )
        drawn = source.tile(*tile, where=where)
        wanted = plain_cells(many, matrix_set, *tile, rows=rows)
        assert inside(drawn, shown) == wanted
        n = sum(said["count"] for said in wanted.values())
        assert drawn.thinned == (Thinning("aggregated", n, n) if drawn.body else None)


def test_the_kept_sums_and_the_points_themselves_say_the_same(many, source_of):
    # With kept sums at low zooms, without them where every tile counts its points.
    source, alone = source_of(many, low_zoom=SAYS_ALL), source_of(many, low_zoom=SAYS_ALL)
    assert source.base.tally is not None
    alone.base._made = (alone.base.index, None)
    where = Filter.parse("severity > 2", fields=many.fields)
    for z in (0, 5, 9):
        for tile in list(bbox_tiles((113.5, 34.5, 114.5, 35.5), z))[:9]:
            assert source.tile(*tile) == alone.tile(*tile)
            assert source.tile(*tile, where=where) == alone.tile(*tile, where=where)


@settings(derandomize=True, max_examples=15, deadline=None)
@given(st.integers(0, 10_000), st.integers(0, 2), st.booleans())
def test_counts_add_up_to_the_filtered_rows_at_every_zoom(  # noqa: PLR0917 - fixtures
    shown, reports, as_table, seed, least, kept
):
    table = as_table(reports(1500 if kept else 300, seed))
    source = PointSource(
        table, layer_id="layer", maxzoom=10, low_zoom=LowZoom("aggregate", below=11)
    )
    where = Filter.parse(f"severity > {least}", fields=table.fields)
    wanted = int(where.mask(table).sum())
    for z in (0, 3, 6, 9):
        total = sum(
            said["count"]
            for tile in bbox_tiles(table.bbox, z)
            for said in inside(source.tile(*tile, where=where), shown).values()
        )
        assert total == wanted


def test_cells_just_past_an_edge_are_drawn_whole_in_both_tiles(many, source_of, shown):
    source = source_of(many, low_zoom=SAYS_ALL)
    z, x, y = next(bbox_tiles((114, 35, 114, 35), 9))
    west, east = shown(source.tile(z, x - 1, y)), shown(source.tile(z, x, y))
    past = {number: said for number, ((px, _), said) in east.items() if px < 0}
    assert len(past) > 5
    for number, said in past.items():
        assert west[number][1] == said
        assert west[number][0][0] == east[number][0][0] + 4096


def test_clusters_stand_where_their_points_are_on_the_average(many, source_of, shown):
    source = source_of(many, low_zoom=LowZoom("cluster", below=30))
    tile = source.tile(0, 0, 0)
    u, v = WEB_MERCATOR_QUAD.to_unit(many.lon, many.lat)
    cells = shown(tile)
    mean = np.average(
        [place for place, _ in cells.values()],
        axis=0,
        weights=[s["count"] for _, s in cells.values()],
    )
    assert mean == pytest.approx([u.mean() * 4096, v.mean() * 4096], abs=1)
    assert tile.thinned == Thinning("clustered", 6_000, 6_000)


def test_tiles_keep_the_budget_and_say_how(many, source_of):
    for strategy, how in [
        ("aggregate", "aggregated"), ("cluster", "clustered"),
        ("one_per_pixel", "one-per-pixel"), ("drop_densest", "dropped-densest"),
    ]:  # fmt: skip
        for budget in (500, 5_000, 50_000):
            source = source_of(many, low_zoom=LowZoom(strategy, budget_bytes=budget))
            for z in (0, 6, 9, 12):
                for tile in list(bbox_tiles((113.9, 34.9, 114.1, 35.1), z))[:3]:
                    drawn = source.tile(*tile)
                    assert len(drawn.body) <= budget
                    assert drawn.thinned is None or drawn.thinned.how == how
            assert source.tile(6, *next(bbox_tiles((114, 35, 114, 35), 6))[1:]).thinned.of > 3_000
    whole = source_of(many, low_zoom=LowZoom("none", budget_bytes=500)).tile(0, 0, 0)
    assert whole.n_features == 6_000
    assert whole.thinned is None


def test_below_its_zoom_a_layer_is_thinned_even_where_few_points_lie(
    reports, as_table, source_of, shown
):
    table = as_table(reports(40))
    for strategy, name in [
        ("aggregate", "count"),
        ("one_per_pixel", "status"),
        ("drop_densest", "status"),
    ]:
        source = source_of(table, low_zoom=LowZoom(strategy, below=9))
        tile = source.tile(8, *next(bbox_tiles((114, 35, 114, 35), 8))[1:])
        assert all(name in said for _, said in shown(tile).values())
        assert source.tile(9, *next(bbox_tiles((114, 35, 114, 35), 9))[1:]).thinned is None


def test_one_point_stays_per_pixel_and_it_is_the_first(many, source_of, shown):
    source = source_of(many, low_zoom=LowZoom("one_per_pixel", below=30, budget_bytes=10**9))
    where = Filter.parse("status = 'open'", fields=many.fields)
    z, x, y = next(bbox_tiles((114, 35, 114, 35), 8))
    every = source_of(many, low_zoom=LowZoom("none"))
    for chosen in (None, where):
        whole = shown(every.tile(z, x, y, where=chosen))
        drawn = source.tile(z, x, y, where=chosen)
        some = {i: p for i, (p, _) in shown(drawn).items() if 0 <= p[0] < 4096 and 0 <= p[1] < 4096}
        inside_whole = {
            i: p for i, (p, _) in whole.items() if 0 <= p[0] < 4096 and 0 <= p[1] < 4096
        }
        pixels = {(px // 8, py // 8) for px, py in inside_whole.values()}
        assert {(px // 8, py // 8) for px, py in some.values()} == pixels
        assert len(some) == len(pixels)
        assert drawn.thinned == Thinning("one-per-pixel", len(inside_whole), len(pixels))


def test_dropping_the_densest_keeps_the_far_out(many, source_of, shown):
    source = source_of(many, low_zoom=LowZoom("drop_densest", budget_bytes=20_000))
    z, x, y = next(bbox_tiles((114, 35, 114, 35), 6))
    kept = shown(source.tile(z, x, y))
    every = shown(source_of(many, low_zoom=LowZoom("none")).tile(z, x, y))
    places = np.array([p for p, _ in every.values()])
    apart = [i for i, (p, _) in every.items() if np.sort(np.abs(places - p).max(axis=1))[1] > 256]
    assert len(apart) > 2
    assert set(apart) <= set(kept)
    assert len(kept) < len(every) / 10


# --- privacy ----------------------------------------------------------------------------------------------------


def test_groups_below_k_never_leave_at_any_zoom(many, source_of, shown):
    k = 7
    privacy = Privacy(k_threshold=k, classes=("status",))
    source = source_of(many, low_zoom=SAYS_ALL, privacy=privacy)
    open_source = source_of(many, low_zoom=SAYS_ALL)
    where = Filter.parse("status = 'open'", fields=many.fields)
    hidden = 0
    for z in range(23):
        for chosen in (None, where):
            tile = next(bbox_tiles((many.lon[2700], many.lat[2700]) * 2, z))
            drawn, whole = source.tile(*tile, where=chosen), open_source.tile(*tile, where=chosen)
            said = shown(drawn)
            wanted = {i for i, (_, properties) in shown(whole).items() if properties["count"] >= k}
            assert set(said) == wanted
            hidden += whole.n_features - drawn.n_features
            for _, properties in said.values():
                count = properties["count"]
                assert set(properties) <= {
                    "count",
                    "share_open",
                    "n_道路",
                    "n_sewage",
                    "n_park",
                    "n_noise",
                }
                assert all(
                    v > 0 and v % k == 0
                    for name, v in properties.items()
                    if name.startswith(("n_", "count"))
                )
                # The share is that of the rounded numbers: it does not give the exact ones away.
                assert properties["share_open"] * count == pytest.approx(
                    round(properties["share_open"] * count / k) * k, abs=count * 0.0005
                )
            # What the tile says of itself does not tell that something is hidden.
            assert drawn.thinned.of == drawn.thinned.shown
    assert hidden > 100


def test_a_source_of_groups_refuses_filters_that_are_finer_than_classes(many, source_of):
    source = source_of(many, privacy=Privacy(k_threshold=7, classes=("status",)))
    z, x, y = next(bbox_tiles((many.lon[2700], many.lat[2700]) * 2, 8))
    for text in ("severity > 2", "category = 'park'", "S_INTERSECTS(geometry, BBOX(113, 34, 114, 35))"):  # fmt: skip
        with pytest.raises(FilterError, match="whole classes"):
            source.tile(z, x, y, where=Filter.parse(text, fields=many.fields))
    west, south, east, north = source.bbox
    assert (np.array(source.bbox) * 20).round(6).tolist() == (np.array(source.bbox) * 20).round().tolist()  # fmt: skip
    assert west <= np.nanmin(many.lon)
    assert east >= np.nanmax(many.lon)
    assert south < north


@pytest.mark.parametrize("strategy", ["none", "one_per_pixel", "drop_densest", "cluster"])
def test_no_single_point_leaves_under_k_whatever_the_strategy(many, source_of, shown, strategy):
    source = source_of(many, low_zoom=LowZoom(strategy), privacy=Privacy(k_threshold=3))
    for z in (0, 9, 14, 20):
        tile = next(bbox_tiles((many.lon[2700], many.lat[2700]) * 2, z))
        for (x, y), said in shown(source.tile(*tile)).values():
            assert set(said) == {"count"}
            assert said["count"] >= 3
            assert (x - 64) % 128 == (y - 64) % 128 == 0


def test_blurred_points_leave_only_at_the_middle_of_their_cells(many, source_of, shown):
    privacy = Privacy(blur_m=500, keep=("category",))
    source = source_of(many, privacy=privacy, properties=["category"])
    lon, lat = privacy.blurred(many.lon, many.lat)
    by_number = {int(number): row for row, number in enumerate(many.number)}
    for z in (10, 14, 20):
        tile = next(bbox_tiles((lon[2700], lat[2700]) * 2, z))
        for number, ((x, y), said) in shown(source.tile(*tile)).items():
            row = by_number[number - 1]
            u, v = WEB_MERCATOR_QUAD.to_unit(lon[row], lat[row])
            assert x == pytest.approx((u * 2**z - tile[1]) * 4096, abs=2)
            assert y == pytest.approx((v * 2**z - tile[2]) * 4096, abs=2)
            assert set(said) <= {"category"}
    assert list(source.table.columns) == ["category"]


# --- fresh rows, files ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "low_zoom",
    [LowZoom("none"), SAYS_ALL, LowZoom("one_per_pixel", below=30)],
    ids=lambda s: s.strategy,
)
@pytest.mark.parametrize("text", [None, "severity > 2"])
def test_fresh_and_hidden_rows_are_drawn_as_if_the_layer_were_built_anew(  # noqa: PLR0917 - fixtures
    reports, as_table, source_of, shown, low_zoom, text
):
    frame = reports(4000, 5)
    base, whole = as_table(frame.iloc[:3900]), as_table(frame)
    gone = np.arange(0, 3900, 37)
    fresh = whole.take(whole.number >= 3900)
    anew = whole.take(~np.isin(whole.number, gone))
    hidden = np.flatnonzero(np.isin(base.number, gone))
    source = source_of(base, low_zoom=low_zoom).with_fresh(fresh, hidden=hidden)
    wanted = source_of(anew, low_zoom=low_zoom)
    where = None if text is None else Filter.parse(text, fields=whole.fields)
    for z in (0, 7, 10, 13):
        for tile in list(bbox_tiles((113.95, 34.95, 114.05, 35.05), z))[:4]:
            got, want = source.tile(*tile, where=where), wanted.tile(*tile, where=where)
            if low_zoom.strategy == "one_per_pixel":  # where both have one, either may stay
                assert got.thinned is None or got.thinned.of == want.thinned.of
                continue
            assert shown(got) == shown(want)
            assert got.thinned == want.thinned


def test_an_index_in_files_draws_the_same_and_is_made_once(many, source_of, tmp_path, monkeypatch):
    many.save(tmp_path)
    table = FeatureTable.open(tmp_path)
    tiles = [next(bbox_tiles((114, 35, 114, 35), z)) for z in (3, 9, 12, 15)]
    for changed in ({}, {"matrix_set": CGCS2000_QUAD}, {"privacy": Privacy(blur_m=200)}):
        options = {"low_zoom": SAYS_ALL, **changed}
        wide = 2 if "matrix_set" in changed else 1
        memory = source_of(many, **options)
        written = source_of(table, folder=tmp_path, **options).prepare()
        with monkeypatch.context() as patch:
            patch.setattr(PointBase, "_built", None)  # another process finds it there
            opened = source_of(FeatureTable.open(tmp_path), folder=tmp_path, **options).prepare()
        for z, x, y in tiles:
            tile = z, wide * x, y
            assert memory.tile(*tile) == written.tile(*tile) == opened.tile(*tile)
        assert opened.tile(0, wide - 1, 0).body
    kept = sorted(tmp_path.glob("points-*"))
    assert len(kept) == 3
    with pytest.raises(InputError, match="were not opened from a folder"):
        source_of(many, folder=tmp_path)


def test_a_damaged_index_or_that_of_other_features_is_made_anew(
    many, reports, as_table, source_of, tmp_path
):
    many.save(tmp_path)
    tile = next(bbox_tiles((114, 35, 114, 35), 12))
    wanted = source_of(FeatureTable.open(tmp_path), folder=tmp_path).tile(*tile)
    record = next(tmp_path.glob("points-*/arrays-*/index_record.npy"))
    record.write_bytes(record.read_bytes()[:100])
    assert source_of(FeatureTable.open(tmp_path), folder=tmp_path).tile(*tile) == wanted
    as_table(reports(len(many), 4)).save(tmp_path)
    table = FeatureTable.open(tmp_path)
    assert source_of(table, folder=tmp_path).tile(*tile) == source_of(table).tile(*tile) != wanted


def test_hidden_rows_of_a_blurred_layer_are_those_of_the_table_that_was_given(
    many, source_of, shown
):
    hidden = np.arange(0, len(many), 2)
    source = source_of(many, privacy=Privacy(blur_m=300), low_zoom=LowZoom("none"))
    ids = set(shown(source.with_fresh(None, hidden=hidden).tile(0, 0, 0)))
    assert ids == set((many.number[1::2] + 1).tolist())


@pytest.mark.parametrize(
    "strategy", ["none", "aggregate", "cluster", "one_per_pixel", "drop_densest"]
)
def test_tiles_keep_every_rule_of_the_specification(many, source_of, strategy):
    low_zoom = LowZoom(strategy, below=12, counts_by="category", shares=(("late", "severity > 4"),))
    source = source_of(many, low_zoom=low_zoom).with_fresh(
        many.take(np.arange(50)), hidden=np.arange(50)
    )
    for z in (0, 7, 11, 12, 16):
        drawn = source.tile(*next(bbox_tiles((many.lon[2700], many.lat[2700]) * 2, z)))
        (layer,) = read_tile(drawn.body)
        assert layer.name == "layer"
        assert len(layer.features) == drawn.n_features
