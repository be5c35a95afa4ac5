"""An archive as a source of tiles: its own, those of others, and damaged ones."""

import contextlib
import gzip
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from affine import Affine
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from pyproj import CRS

from gisgrid.errors import InputError, TileNotFoundError
from gisgrid.files import write_surface
from gisgrid.surface import Surface
from gisgrid.tiles import RasterSource, TileSource, bbox_tiles
from gisgrid.tiles.archive import PmtilesSource, write_archive

HEADER = {
    "tile_compression": Compression.NONE, "tile_type": TileType.PNG, "min_lon_e7": 0, "min_lat_e7": 0,
    "max_lon_e7": 0, "max_lat_e7": 0,
}  # fmt: skip


@pytest.fixture
def archive(drawer, tmp_path):
    source = drawer(lambda z, x, y: b"%d/%d/%d" % (z, x, y) if x <= y else b"", maxzoom=7)
    write_archive([source], tmp_path / "it.pmtiles")
    return tmp_path / "it.pmtiles"


def test_it_is_a_tile_source(archive):
    own = PmtilesSource(archive)
    assert isinstance(own, TileSource)
    assert (own.layer_id, own.minzoom, own.maxzoom) == ("it", 0, 7)
    assert own.bbox == (-180.0, -85.0, 180.0, 85.0)
    assert (own.media_type, own.encoding) == ("application/vnd.mapbox-vector-tile", "gzip")
    assert own.metadata["vector_layers"][0]["id"] == "drawn"
    tile = own.tile(7, 3, 90)
    assert (gzip.decompress(tile.body), tile.encoding, tile.n_features) == (b"7/3/90", "gzip", 1)
    assert own.tile(7, 90, 3).body == b""
    assert own.tile(7, 90, 3).encoding is None


def test_threads_share_it(archive):
    own = PmtilesSource(archive)
    tiles = [(7, x, y) for x in range(0, 128, 5) for y in range(x, 128, 7)]
    with ThreadPoolExecutor(8) as pool:
        bodies = list(pool.map(lambda t: gzip.decompress(own.tile(*t).body), tiles))
    assert bodies == [b"%d/%d/%d" % t for t in tiles]


def test_an_archive_that_is_replaced_is_served_to_its_end(archive, drawer):
    own = PmtilesSource(archive)
    write_archive([drawer(b"new")], archive)
    assert gzip.decompress(own.tile(7, 3, 90).body) == b"7/3/90"
    assert gzip.decompress(PmtilesSource(archive).tile(6, 3, 5).body) == b"new"


def test_an_archive_of_others_is_served(tmp_path):
    with (tmp_path / "theirs.pmtiles").open("wb") as file:
        writer = Writer(file)
        for z in range(3, 5):
            for number in range((4**z - 1) // 3, (4 ** (z + 1) - 1) // 3):
                writer.write_tile(number, b"\x89PNG%d" % (number % 50))
        writer.finalize(dict(HEADER), {"name": "theirs"})
    own = PmtilesSource(tmp_path / "theirs.pmtiles")
    assert (own.media_type, own.encoding, own.bbox) == ("image/png", None, None)
    assert own.metadata == {"name": "theirs"}
    assert own.tile(4, 7, 9).body == b"\x89PNG%d" % (zxy_to_tileid(4, 7, 9) % 50)


def test_pictures_are_the_served_ones_and_nothing_is_transparent(tmp_path):
    row, column = np.mgrid[:200, :200]
    hill = (100 * np.exp(-((row - 50) ** 2 + (column - 60) ** 2) / 300)).astype(np.float32)
    hill[hill < 1] = 0
    write_surface(
        Surface(hill, Affine(100, 0, 485_000, 0, -100, 3_910_000), CRS(4547), "issues/km²"),
        tmp_path / "hill.tif",
    )
    drawn = RasterSource.from_file(tmp_path / "hill.tif", layer_id="hill", minzoom=8, maxzoom=13)
    done = write_archive([drawn], tmp_path / "hill.pmtiles")
    own = PmtilesSource(tmp_path / "hill.pmtiles")
    tiles = [tile for z in range(8, 14) for tile in bbox_tiles(drawn.bbox, z)]
    assert [own.tile(*t).body for t in tiles] == [drawn.tile(*t).body for t in tiles]
    assert done.n_tiles == sum(drawn.tile(*t).n_features > 0 for t in tiles) < len(tiles)
    assert own.metadata["stops"] == [list(stop) for stop in drawn.stops]
    assert own.metadata["unit"] == "issues/km²"
    assert own.media_type == "image/png"


def test_what_cannot_be_served_is_refused(archive, tmp_path):
    own = PmtilesSource(archive)
    for tile in ((8, 0, 0), (3, 9, 0), (-1, 0, 0), (99, 0, 0)):
        with pytest.raises(TileNotFoundError):
            own.tile(*tile)
    with pytest.raises(InputError, match="cannot select"):
        own.tile(3, 1, 1, where=object())
    with pytest.raises(InputError, match="there is no file"):
        PmtilesSource(tmp_path / "nowhere.pmtiles")
    for name, content in (("text", b"no archive" * 50), ("short", b"PMTiles\x03"), ("none", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="no archive of PMTiles 3"):
            PmtilesSource(tmp_path / name)


@pytest.mark.parametrize("kept", [200, 16_384, 20_000])
def test_an_archive_that_was_cut_off_gives_a_sentence(archive, tmp_path, kept):
    cut = tmp_path / "cut.pmtiles"
    cut.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(InputError, match="it ends at"):
        PmtilesSource(cut).tile(7, 3, 90)


def test_a_file_that_is_cut_while_it_is_served_gives_a_sentence(archive):
    own = PmtilesSource(archive)
    with archive.open("r+b") as file:
        file.truncate(1000)
    with pytest.raises(InputError, match="copy or make it again"):
        own.tile(7, 3, 90)


def test_lies_in_the_header_give_a_sentence(archive, tmp_path):
    """Whatever byte of it is wrong: a tile, none, or one sentence."""
    whole = bytearray(archive.read_bytes())
    for at in range(7, 127):
        for wrong in (0, 255):
            lie = tmp_path / "lie.pmtiles"
            lie.write_bytes(bytes(whole[:at]) + bytes([wrong]) + bytes(whole[at + 1 :]))
            with contextlib.suppress(InputError, TileNotFoundError):
                PmtilesSource(lie).tile(5, 3, 9)
