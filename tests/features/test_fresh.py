import geopandas as gpd
import numpy as np
import pytest
import shapely

from gisgrid.features import FeatureTable, FreshTable, Journal, LiveTable, Snapshot, fresh
from gisgrid.features.fresh import CHUNK_ROWS


def feature(key, shape, n=1):
    return {
        "type": "Feature",
        "properties": {"id": key, "n": n},
        "geometry": shapely.geometry.mapping(shape),
    }


def somewhere(rng, kind):
    lon, lat = rng.uniform([114, 35], [115, 36])
    return (
        shapely.Point(lon, lat)
        if kind == "point"
        else shapely.box(lon, lat, lon + 0.01, lat + 0.01)
    )


@pytest.fixture(params=["point", "polygon"])
def kind(request):
    return request.param


@pytest.fixture
def folder(tmp_path, kind):
    rng = np.random.default_rng(1)
    shapes = [somewhere(rng, kind) for _ in range(20)]
    frame = gpd.GeoDataFrame(
        {"id": [f"b{i}" for i in range(20)], "n": 0}, geometry=shapes, crs=4326
    )
    LiveTable.create(tmp_path / "live", FeatureTable.from_frame(frame, key="id", properties=["n"]))
    return tmp_path / "live"


def by_chunks(table, chunks=None):
    """What the chunks say: key to value and place."""
    found = {}
    for chunk in table.chunks if chunks is None else chunks:
        rows = np.setdiff1d(np.arange(len(chunk.table)), chunk.gone)
        places = chunk.table.geometries(rows)
        for record, place in zip(chunk.table.records(rows), places, strict=True):
            assert record["id"] not in found
            found[record["id"]] = record["n"], place.wkt
    return found


def whole(table):
    rows = np.arange(len(table.number))
    return {
        record["id"]: (record["n"], place.wkt)
        for record, place in zip(table.records(rows), table.geometries(rows), strict=True)
    }


def test_chunks_hold_what_the_whole_holds_and_the_tree_finds_all_of_it(folder, kind, monkeypatch):
    monkeypatch.setattr(fresh, "CHUNK_ROWS", 16)
    monkeypatch.setattr(fresh, "_KEPT_S", 0.0)
    live, journal, rng = LiveTable(folder), Journal(folder), np.random.default_rng(2)
    for step in range(40):
        keys = rng.choice(60, int(rng.integers(1, 6)), replace=False)
        gone = [f"f{key}" for key in rng.choice(60, 2)]
        journal.append(
            [feature(f"f{key}", somewhere(rng, kind), step) for key in keys], delete=gone
        )
        table = live.current(wait=False).fresh
        assert by_chunks(table) == whole(table)
        assert len(table) == len(whole(table))
        assert max(len(chunk.table) for chunk in table.chunks) <= 16
        for _ in range(5):
            west, south = rng.uniform([114, 35], [115, 36])
            box = (west, south, west + 0.1, south + 0.1)
            near = by_chunks(table, table.at([box]))
            touching = {
                key for key, (_, place) in whole(table).items()
                if shapely.intersects(shapely.from_wkt(place), shapely.box(*box))
            }  # fmt: skip
            assert touching <= near.keys()
    assert len(live._state.tree) < 80  # what was replaced has left


def test_one_more_row_leaves_large_chunks_as_they_are(folder, kind):
    live, journal, rng = LiveTable(folder), Journal(folder), np.random.default_rng(3)
    for part in range(3):
        journal.append(
            [feature(f"p{part}-{i}", somewhere(rng, kind)) for i in range(CHUNK_ROWS - 20)]
        )
        live.current(wait=False)
    before = live.current(wait=False).fresh.chunks
    journal.append([feature("one", somewhere(rng, kind))], delete=["p0-7"])
    after = live.current(wait=False).fresh.chunks
    assert [chunk.table for chunk in after[:3]] == [chunk.table for chunk in before]
    assert [len(chunk) for chunk in after] == [
        CHUNK_ROWS - 21,
        CHUNK_ROWS - 20,
        CHUNK_ROWS - 20,
        1,
    ]
    assert by_chunks(live.current().fresh).keys() == whole(live.current().fresh).keys()


def test_a_snapshot_of_before_still_finds_what_it_shows(folder, kind):
    live, journal, rng = LiveTable(folder), Journal(folder), np.random.default_rng(4)
    journal.append([feature("moves", somewhere(rng, kind)), feature("stays", somewhere(rng, kind))])
    old = live.current(wait=False).fresh
    box = shapely.from_wkt(whole(old)["moves"][1]).bounds
    far = shapely.Point(120, 40) if kind == "point" else shapely.box(120, 40, 121, 41)
    journal.append([feature("moves", far, 2)])
    new = live.current(wait=False).fresh
    assert "moves" in by_chunks(old, old.at([box]))
    assert by_chunks(old)["moves"][0] == 1
    assert by_chunks(new, new.at([far.bounds]))["moves"][0] == 2
    assert old.at([far.bounds]) == ()


def test_any_table_may_be_looked_at_as_fresh(kind, folder):
    table = LiveTable(folder).current().base
    one = FreshTable.of(table)
    assert FreshTable.of(one) is one
    assert len(one) == 20
    assert one.columns is table.columns
    assert one.kind == kind
    assert one.at([(100, 0, 101, 1)]) == ()
    assert one.at([(114, 35, 116, 37)])[0].table is table
    assert len(FreshTable.of(Snapshot.of(table).fresh).chunks) == 0
