import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.warp import Resampling, reproject

from gisgrid.errors import InputError, TileNotFoundError
from gisgrid.files import write_surface
from gisgrid.palette import DENSITY_RAMP
from gisgrid.surface import Surface
from gisgrid.tiles import RasterSource, TileSource, bbox_tiles, tile_bbox_mercator

NORTH_WEST = (485_000.0, 3_910_000.0)
CELL = 50.0


def hills(height=600, width=700):
    row, column = np.mgrid[:height, :width]
    values = 300 * np.exp(-((row - 300) ** 2 + (column - 300) ** 2) / 5000)
    values += 100 * np.exp(-((row - 100) ** 2 + (column - 500) ** 2) / 2000)
    values[values < 0.5] = 0
    values[:, 640:] = np.nan
    return values.astype(np.float32)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    file = tmp_path_factory.mktemp("raster") / "density.tif"
    transform = Affine(CELL, 0, NORTH_WEST[0], 0, -CELL, NORTH_WEST[1])
    write_surface(Surface(hills(), transform, CRS(4547), "issues/km²"), file)
    return file


@pytest.fixture(scope="module")
def drawn(path):
    return RasterSource.from_file(path, layer_id="issue_density", minzoom=0, maxzoom=16)


def picture(tile):
    """The tile as GDAL's PNG driver reads it: red, green, blue, opacity."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.MemoryFile(tile.body) as memory, memory.open() as image:
            assert image.driver == "PNG"
            assert (image.width, image.height, image.count) == (256, 256, 1)
            palette = np.array([image.colormap(1)[i] for i in range(256)], dtype=np.uint8)
            return palette[image.read(1)]


def warped_by_gdal(path, z, x, y):
    """The tile as GDAL warps it from the full resolution."""
    west, south, east, north = tile_bbox_mercator(z, x, y)
    out = np.full((256, 256), np.nan, dtype=np.float32)
    with rasterio.open(path) as file:
        reproject(
            file.read(1), out, src_transform=file.transform, src_crs=file.crs, src_nodata=np.nan,
            dst_transform=Affine((east - west) / 256, 0, west, 0, (south - north) / 256, north),
            dst_crs="EPSG:3857", dst_nodata=np.nan, resampling=Resampling.bilinear, tolerance=0.0,
        )  # fmt: skip
    return out


@pytest.mark.parametrize("z", [13, 14, 15])
def test_values_are_what_gdal_warps(drawn, path, z):
    tiles = list(bbox_tiles(drawn.bbox, z))
    for tile in tiles[:: max(1, len(tiles) // 5)]:
        ours, theirs = drawn.values(*tile), warped_by_gdal(path, *tile)
        both = np.isfinite(ours) & np.isfinite(theirs)
        # GDAL treats the edge of what is missing its own way; inside both agree.
        assert (np.isfinite(ours) != np.isfinite(theirs)).mean() < 0.02
        assert np.allclose(ours[both], theirs[both], atol=0.6)


def test_a_pixel_is_the_bilinear_mean_around_its_middle(drawn):
    z, x, y = next(bbox_tiles((114.0, 35.2, 114.0, 35.2), 14))
    west, _, east, north = tile_bbox_mercator(z, x, y)
    side = (east - west) / 256
    values, cells = drawn.values(z, x, y), hills()
    to_file = Transformer.from_crs(3857, 4547, always_xy=True)
    for i, j in ((0, 0), (100, 30), (255, 255), (17, 200)):
        easting, northing = to_file.transform(west + (j + 0.5) * side, north - (i + 0.5) * side)
        c, r = (easting - NORTH_WEST[0]) / CELL - 0.5, (NORTH_WEST[1] - northing) / CELL - 0.5
        c0, r0 = int(c), int(r)
        a, b = r - r0, c - c0
        mean = (
            cells[r0, c0] * (1 - a) * (1 - b) + cells[r0, c0 + 1] * (1 - a) * b
            + cells[r0 + 1, c0] * a * (1 - b) + cells[r0 + 1, c0 + 1] * a * b
        )  # fmt: skip
        assert values[i, j] == pytest.approx(mean, abs=0.02)


@pytest.mark.parametrize("z", [0, 4, 7, 10, 12])
def test_low_zooms_keep_the_mean(drawn, z):
    """Overviews and what goes on below them are means: a tile's sum is the raster's, seen in the tile's cells."""
    total = 0.0
    for tile in bbox_tiles(drawn.bbox, z):
        _, south, _, north = tile_bbox_mercator(*tile)
        latitude = np.arctan(np.sinh(np.linspace(north, south, 256) / 6378137.0))
        area = ((north - south) / 256 * np.cos(latitude)) ** 2
        total += float((np.nan_to_num(drawn.values(*tile)) * area[:, None]).sum())
    wanted = float(np.nansum(hills())) * CELL**2
    if z >= 7:  # below, the whole city is a pixel or less
        assert total == pytest.approx(wanted, rel=0.1)
    else:
        assert np.isfinite(total)


@pytest.mark.parametrize("z", [11, 12, 13])
def test_neighbours_meet_at_the_seam(drawn, z):
    """The step across a seam is no greater than the steps beside it."""
    seams = 0
    tiles = set(bbox_tiles(drawn.bbox, z))
    for _, x, y in sorted(tiles):
        if (z, x + 1, y) not in tiles:
            continue
        west, east = drawn.values(z, x, y), drawn.values(z, x + 1, y)
        both = np.isfinite(west[:, -2:]).all(axis=1) & np.isfinite(east[:, :2]).all(axis=1)
        across = np.abs(east[both, 0] - west[both, -1])
        beside = np.abs(west[both, -1] - west[both, -2]) + np.abs(east[both, 1] - east[both, 0])
        assert (across <= beside + 1.0).all()
        seams += int(both.any())
    assert seams > 0


def test_nothing_is_transparent_and_something_is_not(drawn):
    tiles = list(bbox_tiles(drawn.bbox, 12))
    alpha_of_nothing, alpha_of_something = set(), set()
    for tile in tiles:
        alpha, values = picture(drawn.tile(*tile))[..., 3], drawn.values(*tile)
        nothing = ~(values > 0)
        alpha_of_nothing |= set(np.unique(alpha[nothing]).tolist())
        alpha_of_something |= set(np.unique(alpha[values > drawn.stops[0][0]]).tolist())
    assert alpha_of_nothing == {0}
    assert alpha_of_something == {230}


def test_an_empty_tile_is_a_transparent_picture(drawn):
    far = picture(drawn.tile(12, 0, 0))
    assert (far[..., 3] == 0).all()


def test_colours_are_those_of_the_ramp(drawn):
    ramp = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in DENSITY_RAMP])
    tile = next(bbox_tiles((114.0, 35.2, 114.0, 35.2), 13))
    pixels, values = picture(drawn.tile(*tile)), drawn.values(*tile)
    assert [colour for _, colour in drawn.stops] == list(DENSITY_RAMP)
    seen = 0
    for (value, _), rgb in zip(drawn.stops, ramp, strict=True):
        near = np.abs(values - value) < 0.004 * drawn.colours.high
        if near.any():
            assert np.abs(pixels[near][:, :3].astype(int) - rgb).max() <= 12
            seen += 1
    assert seen >= 4
    assert drawn.colours.high == 300.0
    assert [value for value, _ in drawn.stops] == sorted(value for value, _ in drawn.stops)


def test_overviews_are_read(drawn, path):
    with rasterio.open(path) as file:
        assert file.overviews(1)
    cells = [level.cell for level in drawn._levels]
    assert cells[:2] == [50.0, 100.0]
    assert drawn._levels[-1].shape == (1, 1)


def test_the_same_file_gives_the_same_bytes_from_any_thread(drawn, path):
    again = RasterSource.from_file(path, layer_id="issue_density", maxzoom=16)
    tiles = [tile for z in (9, 12, 13) for tile in list(bbox_tiles(drawn.bbox, z))[:6]]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda t: drawn.tile(*t), tiles)) == [again.tile(*t) for t in tiles]


def test_it_is_a_tile_source(drawn):
    assert isinstance(drawn, TileSource)
    assert drawn.media_type == "image/png"
    assert drawn.unit == "issues/km²"
    west, south, east, north = drawn.bbox
    assert 113.8 < west < 114.0 < east < 114.3
    assert 35.0 < south < 35.2 < north < 35.4


def test_a_raster_without_anything_is_drawn_transparent(tmp_path):
    path = tmp_path / "none.tif"
    nothing = np.full((4, 4), np.nan, dtype=np.float32)
    write_surface(Surface(nothing, Affine(50, 0, 5e5, 0, -50, 3.9e6), CRS(4547), ""), path)
    drawn = RasterSource.from_file(path, layer_id="none")
    assert (picture(drawn.tile(*next(bbox_tiles(drawn.bbox, 14))))[..., 3] == 0).all()


def test_what_cannot_be_drawn_is_refused(drawn, tmp_path):
    with pytest.raises(TileNotFoundError):
        drawn.tile(17, 0, 0)
    with pytest.raises(InputError, match="there is no file"):
        RasterSource.from_file(tmp_path / "nowhere.tif", layer_id="x")
    text = tmp_path / "text.tif"
    text.write_text("no raster")
    with pytest.raises(InputError, match="cannot be read as a raster"):
        RasterSource.from_file(text, layer_id="x")
    turned = tmp_path / "turned.tif"
    with rasterio.open(
        turned, "w", driver="GTiff", width=2, height=2, count=1, dtype="float32", crs="EPSG:4547",
        transform=Affine(50, 5, 5e5, 5, -50, 3.9e6),
    ) as file:  # fmt: skip
        file.write(np.ones((1, 2, 2), dtype=np.float32))
    with pytest.raises(InputError, match="north at its top"):
        RasterSource.from_file(turned, layer_id="x")
