"""An archive holds what a server gives, each tile once, whatever happened on the way."""

import gzip
import json
import os
import signal
import subprocess
import sys
import textwrap

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from gisgrid.errors import InputError, OutputError
from gisgrid.features import FeatureTable
from gisgrid.tiles import LowZoom, PointSource, VectorSource, bbox_tiles
from gisgrid.tiles.archive import About, PmtilesSource, write_archive, writing
from gisgrid.tiles.archive.addresses import tile_places
from gisgrid.tiles.archive.coverage import covered
from gisgrid.tiles.scheme import WORLD_CRS84_QUAD
from gisgrid.tiles.source import Thinning, Tile

BOX = (113.9, 35.1, 114.1, 35.25)


@pytest.fixture(scope="module")
def city():
    """Reports and the areas that they are in."""
    rng = np.random.default_rng(1)
    west, south, east, north = BOX
    n = 3000
    reports = gpd.GeoDataFrame(
        {
            "kind": rng.choice(["rubbish", "占道经营", "sewage"], n),
            "severity": rng.integers(1, 6, n),
        },
        geometry=gpd.points_from_xy(rng.normal(114, 0.02, n), rng.normal(35.17, 0.02, n)),
        crs=4326,
    )
    x, y = np.meshgrid(np.linspace(west, east, 9), np.linspace(south, north, 9))
    cells = shapely.box(x[:-1, :-1], y[:-1, :-1], x[1:, 1:], y[1:, 1:]).ravel()
    areas = gpd.GeoDataFrame(
        {"code": [f"{i:03d}" for i in range(len(cells))]}, geometry=cells, crs=4326
    )
    return (
        VectorSource.from_frame(areas, layer_id="areas", properties=["code"], minzoom=8, maxzoom=14),
        VectorSource.from_frame(reports, layer_id="reports", properties=["kind", "severity"], minzoom=10, maxzoom=15),
    )  # fmt: skip


def together(sources, z, x, y):
    return b"".join(one.tile(z, x, y).body for one in sources if one.minzoom <= z <= one.maxzoom)


def test_published_tiles_are_the_served_ones(city, tmp_path, read):
    done = write_archive(city, tmp_path / "city.pmtiles")
    header, _, tiles = read(tmp_path / "city.pmtiles")
    around = (BOX[0] - 0.1, BOX[1] - 0.1, BOX[2] + 0.1, BOX[3] + 0.1)
    wanted = {tile: together(city, *tile) for z in range(8, 16) for tile in bbox_tiles(around, z)}
    assert tiles == {tile: body for tile, body in wanted.items() if body}
    assert len(tiles) == done.n_tiles == header["addressed_tiles_count"] > 300
    assert (header["min_zoom"], header["max_zoom"]) == done.zooms == (8, 15)
    assert header["clustered"]
    assert done.n_bytes == (tmp_path / "city.pmtiles").stat().st_size
    assert sorted(path.name for path in tmp_path.iterdir()) == ["city.pmtiles"]


def test_the_same_sources_give_the_same_bytes(city, tmp_path):
    for name in ("a", "b"):
        write_archive(city, tmp_path / f"{name}.pmtiles", about=About("city"))
    assert (tmp_path / "a.pmtiles").read_bytes() == (tmp_path / "b.pmtiles").read_bytes()


def test_small_holds_the_same(city, tmp_path, read):
    fast = write_archive(city, tmp_path / "fast.pmtiles", zooms=(8, 12))
    small = write_archive(city, tmp_path / "small.pmtiles", zooms=(8, 12), compression="small")
    assert read(tmp_path / "fast.pmtiles")[2] == read(tmp_path / "small.pmtiles")[2]
    assert small.n_bytes < fast.n_bytes


def test_what_it_is_stands_in_it(city, tmp_path, read):
    about = About(
        "示范城市", "reports and areas", "© 示范", {"areas": {"code": "String"}, "reports": {"severity": "Number"}},
        {"areas": "Areas"},
    )  # fmt: skip
    write_archive(city, tmp_path / "city.pmtiles", about=about)
    header, said, _ = read(tmp_path / "city.pmtiles")
    assert (said["name"], said["attribution"]) == ("示范城市", "© 示范")
    assert said["vector_layers"] == [
        {"id": "areas", "description": "Areas", "minzoom": 8, "maxzoom": 14, "fields": {"code": "String"}},
        {"id": "reports", "description": "", "minzoom": 10, "maxzoom": 15, "fields": {"severity": "Number"}},
    ]  # fmt: skip
    bounds = [header[f"{end}_{axis}_e7"] / 1e7 for end in ("min", "max") for axis in ("lon", "lat")]
    assert bounds[0] <= BOX[0] + 1e-5
    assert bounds[1] <= BOX[1] + 1e-5
    assert bounds[2] >= BOX[2] - 1e-5
    assert bounds[3] >= BOX[3] - 1e-5
    assert bounds[0] < header["center_lon_e7"] / 1e7 < bounds[2]


def test_gdal_reads_it(city, tmp_path):
    write_archive(
        city, tmp_path / "city.pmtiles", about=About(fields={"areas": {"code": "String"}})
    )
    assert sorted(pyogrio.list_layers(tmp_path / "city.pmtiles")[:, 0]) == ["areas", "reports"]
    areas = pyogrio.read_dataframe(tmp_path / "city.pmtiles", layer="areas", ZOOM_LEVEL="14")
    assert set(areas["code"]) == {f"{i:03d}" for i in range(64)}
    reports = pyogrio.read_dataframe(tmp_path / "city.pmtiles", layer="reports", ZOOM_LEVEL="15")
    assert len(reports) >= 3000


def test_tippecanoe_decodes_it(city, tmp_path, tippecanoe_decode):
    write_archive(city, tmp_path / "city.pmtiles")
    tile = next(bbox_tiles((114.0, 35.17, 114.0, 35.17), 12))
    layers = json.loads(tippecanoe_decode(tmp_path / "city.pmtiles", *tile))["features"]
    assert [layer["properties"]["layer"] for layer in layers] == ["areas", "reports"]
    assert "占道经营" in {one["properties"]["kind"] for one in layers[1]["features"]}


def test_only_what_touches_a_bbox(city, tmp_path, read):
    box = (114.0, 35.16, 114.01, 35.17)
    write_archive(city, tmp_path / "some.pmtiles", bbox=box, zooms=(13, 14))
    assert set(read(tmp_path / "some.pmtiles")[2]) <= {
        t for z in (13, 14) for t in bbox_tiles(box, z)
    }
    assert read(tmp_path / "some.pmtiles")[2]


def test_every_tile_that_shows_something_is_looked_at(awkward, tmp_path):
    """No feature is so awkward that its tiles are passed over."""
    source = VectorSource.from_frame(awkward, layer_id="awkward", properties=["name"], maxzoom=12)
    for z in (0, 3, 6):
        columns, rows = tile_places(z, covered([source], z))
        looked_at = set(zip(columns.tolist(), rows.tolist(), strict=True))
        shown = {(x, y) for x in range(1 << z) for y in range(1 << z) if source.tile(z, x, y).body}
        assert shown <= looked_at


def test_fresh_rows_have_their_tiles_too(city, tmp_path, read):
    """What came in since the layer was built is published where it is."""
    areas, reports = (one.source for one in city)
    far = gpd.GeoDataFrame(
        {"kind": ["sewage"], "severity": [1]},
        geometry=gpd.points_from_xy([115.0], [36.0]),
        crs=4326,
    )
    box = gpd.GeoDataFrame(
        {"code": ["new"]}, geometry=[shapely.box(116, 36, 116.01, 36.01)], crs=4326
    )
    sources = [
        areas.with_fresh(FeatureTable.from_frame(box, properties=["code"])),
        reports.with_fresh(FeatureTable.from_frame(far, properties=["kind", "severity"])),
    ]
    write_archive(sources, tmp_path / "city.pmtiles", zooms=(10, 12))
    tiles = read(tmp_path / "city.pmtiles")[2]
    for z in (10, 11, 12):
        for place in ((115.0, 36.0), (116.005, 36.005)):
            tile = next(bbox_tiles((*place, *place), z))
            assert tiles[tile] == together(sources, *tile)


def test_equal_tiles_are_kept_once_and_empty_ones_not(drawer, tmp_path, read):
    same = b"\x1a\x02\x08\x01"

    def content(z, x, y):
        return b"" if x % 5 == 0 else same if y % 8 < 4 else b"%d/%d/%d" % (z, x, y)

    source = drawer(content)
    done = write_archive([source], tmp_path / "it.pmtiles")
    header, _, tiles = read(tmp_path / "it.pmtiles")
    wanted = {t: content(*t) for z in range(7) for t in bbox_tiles(source.bbox, z)}
    assert tiles == {t: body for t, body in wanted.items() if body}
    assert done.n_contents == header["tile_contents_count"] == len(set(tiles.values()))
    assert done.n_empty == sum(not body for body in wanted.values())
    assert header["tile_entries_count"] < header["addressed_tiles_count"]


def test_many_tiles_are_found_through_leaves(drawer, tmp_path, read):
    source = drawer(lambda z, x, y: os.urandom(3) + b"%d/%d/%d" % (z, x, y), maxzoom=7)
    write_archive([source], tmp_path / "it.pmtiles")
    header, _, tiles = read(tmp_path / "it.pmtiles")
    assert header["leaf_directory_length"] > 0
    assert len(tiles) == sum(4**z for z in range(8))
    own = PmtilesSource(tmp_path / "it.pmtiles")
    assert all(gzip.decompress(own.tile(*t).body) == tiles[t] for t in list(tiles)[::97])


def test_what_is_thinned_is_said(drawer, tmp_path, read):
    def content(z, x, y):
        return (
            Tile(b"%d%d%d" % (z, x, y), 5, Thinning("dropped-densest", 100, 40))
            if z < 2
            else b"whole"
        )

    done = write_archive([drawer(content, maxzoom=3)], tmp_path / "it.pmtiles")
    said = read(tmp_path / "it.pmtiles")[1]["thinned"]
    assert said == [
        {"layer": "drawn", "zoom": 0, "how": "dropped-densest", "tiles": 1, "of": 100, "shown": 40},
        {
            "layer": "drawn",
            "zoom": 1,
            "how": "dropped-densest",
            "tiles": 4,
            "of": 400,
            "shown": 160,
        },
    ]
    assert [one.tiles for one in done.thinned] == [1, 4]


def test_cells_that_count_have_their_fields_too(city, tmp_path, read):
    low = LowZoom("aggregate", below=12, counts_by="kind", shares=(("severe", "severity >= 4"),))
    reports = PointSource(
        city[1].source.table, layer_id="reports", properties=["kind", "severity"], low_zoom=low, minzoom=10, maxzoom=13,
    )  # fmt: skip
    about = About(fields={"reports": {"kind": "String", "severity": "Number"}})
    done = write_archive([reports], tmp_path / "it.pmtiles", about=about)
    assert {(one.zoom, one.how) for one in done.thinned} == {(10, "aggregated"), (11, "aggregated")}
    assert all(one.of == one.shown > 2900 for one in done.thinned)
    (layer,) = read(tmp_path / "it.pmtiles")[1]["vector_layers"]
    assert layer["fields"] == {
        "kind": "String", "severity": "Number", "count": "Number", "n_rubbish": "Number", "n_sewage": "Number",
        "n_占道经营": "Number", "severe": "Number",
    }  # fmt: skip
    cells = pyogrio.read_dataframe(tmp_path / "it.pmtiles", ZOOM_LEVEL="11")
    assert cells["count"].sum() >= 3000
    assert cells["severe"].between(0, 1).all()


def test_a_layer_without_anything_makes_an_archive_without_tiles(tmp_path, read):
    none = gpd.GeoDataFrame({"kind": ["x"]}, geometry=[None], crs=4326)
    source = VectorSource.from_frame(none, layer_id="none", properties=["kind"])
    assert write_archive([source], tmp_path / "none.pmtiles").n_tiles == 0
    assert read(tmp_path / "none.pmtiles")[2] == {}
    assert PmtilesSource(tmp_path / "none.pmtiles").tile(3, 1, 1).body == b""


MAKER = """
import os, signal, sys
from pathlib import Path
sys.path.insert(0, {folder!r})
from conftest import Drawer
from gisgrid.tiles.archive import About, write_archive, writing

writing._KEEP_EVERY = 100

def content(z, x, y):
    if len(source.asked) > 2000:
        os.kill(os.getpid(), signal.SIGKILL)
    return b"" if (x * y) % 5 == 0 else b"%d/%d/%d" % (z, x % 7, y) * 20

source = Drawer(content)
write_archive([source], Path({path!r}), about=About("it"), state="monday")
"""


def content(z, x, y):
    return b"" if (x * y) % 5 == 0 else b"%d/%d/%d" % (z, x % 7, y) * 20


ALL = sum(4**z for z in range(7))


def begun(path, drawer, *, state="monday", stop=2000):
    """Begin an archive and stop on the way."""

    def stopping(z, x, y):
        if len(source.asked) > stop:
            raise KeyboardInterrupt
        return content(z, x, y)

    source = drawer(stopping)
    with pytest.raises(KeyboardInterrupt):
        write_archive([source], path, about=About("it"), state=state)
    assert not path.exists()


@pytest.fixture
def whole(drawer, tmp_path):
    """The archive, made in one go."""
    write_archive([drawer(content)], tmp_path / "whole.pmtiles", about=About("it"))
    return (tmp_path / "whole.pmtiles").read_bytes()


def test_a_killed_run_is_gone_on_with(drawer, tmp_path, whole, request):
    path = tmp_path / "it.pmtiles"
    code = textwrap.dedent(MAKER).format(folder=str(request.path.parent), path=str(path))
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not path.exists()
    source = drawer(content)
    done = write_archive([source], path, about=About("it"), state="monday")
    assert done.n_resumed > 900
    assert len(source.asked) < ALL - 1000
    assert len(source.asked) + done.n_resumed - done.n_empty < done.n_tiles + 1
    assert path.read_bytes() == whole
    assert sorted(p.name for p in tmp_path.iterdir()) == ["it.pmtiles", "whole.pmtiles"]


def test_a_run_may_be_stopped_again_and_again(drawer, tmp_path, whole, monkeypatch):
    monkeypatch.setattr(writing, "_KEEP_EVERY", 50)
    monkeypatch.setattr(writing, "_TILES_AT_ONCE", 8)
    path = tmp_path / "it.pmtiles"
    for _ in range(4):
        begun(path, drawer, stop=800)
    source = drawer(content)
    write_archive([source], path, about=About("it"), state="monday")
    assert path.read_bytes() == whole
    assert len(source.asked) < ALL - 4 * 600


@pytest.mark.parametrize("harm", ["another state", "no state", "other zooms", "journal", "tiles"])
def test_a_draft_that_cannot_be_trusted_is_begun_anew(drawer, tmp_path, whole, harm, monkeypatch):
    monkeypatch.setattr(writing, "_KEEP_EVERY", 50)
    path = tmp_path / "it.pmtiles"
    begun(path, drawer)
    if harm == "journal":
        (tmp_path / "it.pmtiles.journal").write_bytes(b"no journal" * 500)
    if harm == "tiles":
        with (tmp_path / "it.pmtiles.part").open("r+b") as file:
            file.truncate(20_000)
    state = {"another state": "tuesday", "no state": None}.get(harm, "monday")
    zooms = (1, 6) if harm == "other zooms" else None
    source = drawer(content)
    done = write_archive([source], path, about=About("it"), state=state, zooms=zooms)
    assert done.n_resumed == 0
    assert len(source.asked) == ALL - (harm == "other zooms")
    assert (path.read_bytes() == whole) == (harm != "other zooms")


def test_a_draft_without_damage_is_gone_on_with(drawer, tmp_path, whole, monkeypatch):
    """What the test above harms is otherwise used."""
    monkeypatch.setattr(writing, "_KEEP_EVERY", 50)
    begun(tmp_path / "it.pmtiles", drawer)
    source = drawer(content)
    write_archive([source], tmp_path / "it.pmtiles", about=About("it"), state="monday")
    assert len(source.asked) < ALL - 1500


def test_a_source_that_fails_leaves_what_was_there(drawer, tmp_path):
    path = tmp_path / "it.pmtiles"
    write_archive([drawer(b"old", maxzoom=2)], path)
    old = path.read_bytes()

    def content(z, x, y):
        if (z, x, y) == (4, 9, 9):
            raise OSError("the disk is gone")
        return b"new"

    with pytest.raises(OSError, match="the disk is gone"):
        write_archive([drawer(content)], path)
    assert path.read_bytes() == old
    write_archive([drawer(b"new")], path)
    assert path.read_bytes() != old


def test_two_processes_do_not_write_the_same_archive(drawer, tmp_path):
    path = tmp_path / "it.pmtiles"
    inner = drawer(b"inner", maxzoom=0)

    def content(z, x, y):
        with pytest.raises(OutputError, match="being made by another process"):
            write_archive([inner], path, state="monday")
        return b"outer"

    write_archive([drawer(content, maxzoom=0)], path, state="monday")
    assert inner.asked == []


def test_what_cannot_be_one_archive_is_refused(drawer, tmp_path):
    one, path = drawer(b"x"), tmp_path / "it.pmtiles"
    png = drawer(b"x", layer_id="png", media_type="image/png")
    for sources, where, words in (
        ([], path, "at least one layer"),
        ([one], tmp_path / "it.mbtiles", "let it end in .pmtiles"),
        ([one, png], path, "a raster layer needs its own"),
        ([one, one], path, "asked for 2 times"),
        ([drawer(b"x", media_type="text/html")], path, "not known to PMTiles"),
        ([drawer(b"x", matrix_set=WORLD_CRS84_QUAD)], path, "PMTiles knows only"),
        ([drawer(b"x", minzoom=20, maxzoom=20)], path, "lower maxzoom"),
    ):
        with pytest.raises(InputError, match=words):
            write_archive(sources, where)
    with pytest.raises(InputError, match="drawn at 0 to 6"):
        write_archive([one], path, zooms=(9, 12))
    with pytest.raises(OutputError, match="does not exist"):
        write_archive([one], tmp_path / "no" / "it.pmtiles")
