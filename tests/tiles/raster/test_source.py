import warnings
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
import rasterio
from affine import Affine
from pyproj import CRS, Transformer
from rasterio.warp import Resampling, reproject, transform_bounds

from gisgrid.errors import InputError, TileNotFoundError
from gisgrid.files import write_surface
from gisgrid.palette import DENSITY_RAMP
from gisgrid.surface import Surface
from gisgrid.tiles import RasterSource, TileSource, bbox_tiles, tile_bbox_mercator
from gisgrid.tiles.raster import levels, source
from gisgrid.tiles.scheme import MATRIX_SETS, WEB_MERCATOR_QUAD

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
            colours = image.colormap(1)
            palette = np.array([colours.get(i, (0, 0, 0, 0)) for i in range(256)], dtype=np.uint8)
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


SOME = np.arange(0, 256, 15)
"""Some rows and columns of pixels, the first and the last among them."""


@cache
def from_degrees(crs):
    """Made once for each reference system: finding the way between two takes PROJ a good part of a second."""
    return Transformer.from_crs("OGC:CRS84", crs, always_xy=True)


def exactly(path, level, z, x, y, *, matrix_set=WEB_MERCATOR_QUAD):
    """The bilinear mean at the middles of some pixels, projected one by one."""
    side = 0.5 ** matrix_set.depth(z) / 256
    u, v = np.meshgrid((x * 256 + SOME + 0.5) * side, (y * 256 + SOME + 0.5) * side)
    lon, lat = matrix_set.to_lonlat(u, v)
    with rasterio.open(path) as file:
        to_file = from_degrees(file.crs.to_wkt())
    inverse = ~level.transform
    e, n = (np.where(np.isfinite(one), one, -1e12) for one in to_file.transform(lon, lat))
    c = inverse.a * e + inverse.b * n + inverse.c - 0.5
    r = inverse.d * e + inverse.e * n + inverse.f - 0.5
    height, width = level.shape
    cells = np.pad(level.whole().astype(float), (0, 1))
    inside = (r >= 0) & (c >= 0) & (r < height - 1) & (c < width - 1)
    r0, c0 = np.where(inside, r, 0).astype(int), np.where(inside, c, 0).astype(int)
    a, b = r - r0, c - c0
    mean = (
        cells[r0, c0] * (1 - a) * (1 - b) + cells[r0, c0 + 1] * (1 - a) * b
        + cells[r0 + 1, c0] * a * (1 - b) + cells[r0 + 1, c0 + 1] * a * b
    )  # fmt: skip
    return np.where(inside, mean, np.nan)


def at_some(values):
    return values[np.ix_(SOME, SOME)]


def some(tiles, n):
    tiles = list(tiles)
    return tiles[:: max(1, len(tiles) // n)]


@pytest.mark.parametrize("z", [6, 8, 11, 16])
def test_every_pixel_is_where_it_is_to_a_tenth_of_a_pixel(drawn, path, z):
    """Up to the last one: so neighbours meet at the seam, whatever is between."""
    level = drawn._level(z)
    for tile in some(bbox_tiles(drawn.bbox, z), 3)[:4]:
        ours, exact = at_some(drawn.values(*tile)), exactly(path, level, *tile)
        both = np.isfinite(ours) & np.isfinite(exact)
        steepest = np.nanmax(np.abs(np.diff(drawn.values(*tile))), initial=0.1)
        assert (np.isfinite(ours) | ~np.isfinite(exact)).all()
        assert np.abs(ours[both] - exact[both]).max(initial=0) <= 0.1 * steepest


@pytest.mark.parametrize("z", [4, 5, 6, 7])
def test_all_tiles_of_a_zoom_are_read_at_one_resolution(tmp_path, z):
    """A raster from the tropics to the north: a pixel shrinks to a third, and no seam shows it."""
    row, column = np.mgrid[:2000, :400]
    ramp = (row + 3 * column).astype(np.float32)
    transform = Affine(6000, 0, 1.2e7, 0, -6000, 1.2e7)
    write_surface(Surface(ramp, transform, CRS(3857), ""), tmp_path / "tall.tif")
    tall = RasterSource.from_file(tmp_path / "tall.tif", layer_id="tall")
    tiles = set(bbox_tiles(tall.bbox, z))
    seams = 0
    for _, x, y in sorted(tiles):
        if (z, x, y + 1) in tiles:
            north, south = tall.values(z, x, y), tall.values(z, x, y + 1)
            across, beside = south[0] - north[-1], north[-1] - north[-2]
            both = np.isfinite(across) & np.isfinite(beside)
            assert np.allclose(across[both], beside[both], rtol=0.05, atol=0.02)
            seams += int(both.any())
    assert seams or z < 5


@pytest.mark.parametrize("crs", [4326, 3857, 32650, 4547])
def test_any_crs_will_do(path, tmp_path, crs):
    with rasterio.open(path) as file:
        west, south, east, north = transform_bounds(file.crs, f"EPSG:{crs}", *file.bounds)
        transform = Affine((east - west) / 700, 0, west, 0, (south - north) / 600, north)
        out = np.full((600, 700), np.nan, dtype=np.float32)
        reproject(
            file.read(1), out, src_transform=file.transform, src_crs=file.crs, src_nodata=np.nan,
            dst_transform=transform, dst_crs=f"EPSG:{crs}", dst_nodata=np.nan, resampling=Resampling.bilinear,
        )  # fmt: skip
    write_surface(Surface(out, transform, CRS(crs), ""), tmp_path / "own.tif")
    own = RasterSource.from_file(tmp_path / "own.tif", layer_id="own")
    for z in (9, 14):
        for tile in some(bbox_tiles(own.bbox, z), 2)[:3]:
            ours, exact = (
                at_some(own.values(*tile)),
                exactly(tmp_path / "own.tif", own._level(z), *tile),
            )
            both = np.isfinite(ours) & np.isfinite(exact)
            assert np.allclose(ours[both], exact[both], atol=0.5)


@pytest.mark.parametrize("matrix_set", MATRIX_SETS.values(), ids=MATRIX_SETS)
def test_any_tile_matrix_set_will_do(path, matrix_set):
    own = RasterSource.from_file(path, layer_id="own", matrix_set=matrix_set)
    seen = 0
    u, v = matrix_set.to_unit([114.0], [35.2])
    for z in (0, 5, 11, 13):
        n = 2 ** matrix_set.depth(z)
        tile = (z, int(u[0] * n), int(v[0] * n))
        ours = at_some(own.values(*tile))
        exact = exactly(path, own._level(matrix_set.depth(z)), *tile, matrix_set=matrix_set)
        both = np.isfinite(ours) & np.isfinite(exact)
        assert np.allclose(ours[both], exact[both], atol=0.5)
        seen += int(both.sum())
    assert seen > 300


def test_a_turned_raster_lies_as_gdal_lays_it(tmp_path):
    turned = Affine(45, 20, 485_000, 20, -45, 3_900_000)
    with rasterio.open(
        tmp_path / "turned.tif", "w", driver="GTiff", width=700, height=600, count=1, dtype="float32",
        crs="EPSG:4547", transform=turned, nodata=float("nan"),
    ) as file:  # fmt: skip
        file.write(hills(), 1)
    own = RasterSource.from_file(tmp_path / "turned.tif", layer_id="turned")
    for tile in some(bbox_tiles(own.bbox, 13), 6):
        ours, theirs = own.values(*tile), warped_by_gdal(tmp_path / "turned.tif", *tile)
        both = np.isfinite(ours) & np.isfinite(theirs)
        assert np.allclose(ours[both], theirs[both], atol=1.0)


def test_nodata_scale_and_offset_are_honoured(tmp_path):
    numbers = np.full((64, 64), 10, dtype=np.int16)
    numbers[:, 32:] = -9999
    with rasterio.open(
        tmp_path / "whole.tif", "w", driver="GTiff", width=64, height=64, count=1, dtype="int16", crs="EPSG:4547",
        transform=Affine(50, 0, 485_000, 0, -50, 3_900_000), nodata=-9999,
    ) as file:  # fmt: skip
        file.write(numbers, 1)
        file.scales, file.offsets = (0.5,), (1.0,)
    own = RasterSource.from_file(tmp_path / "whole.tif", layer_id="whole", maxzoom=16)
    assert own.colours.high == 6.0
    found = set()
    for tile in bbox_tiles(own.bbox, 16):
        values = own.values(*tile)
        found |= set(np.unique(values[np.isfinite(values)]).tolist())
        assert (picture(own.tile(*tile))[..., 3] > 0).sum() == np.isfinite(values).sum()
    assert found == {6.0}  # and no mixture with what is missing


def test_a_raster_without_overviews_is_read_in_means(tmp_path, monkeypatch):
    monkeypatch.setattr(levels, "SAMPLE", 10_000)
    monkeypatch.setattr(source, "SAMPLE", 10_000)
    values = np.nan_to_num(hills(512, 512))
    with rasterio.open(
        tmp_path / "plain.tif", "w", driver="GTiff", width=512, height=512, count=1, dtype="float32",
        crs="EPSG:4547", transform=Affine(CELL, 0, *NORTH_WEST[:1], 0, -CELL, NORTH_WEST[1]),
    ) as file:  # fmt: skip
        file.write(values, 1)
        assert not file.overviews(1)
    own = RasterSource.from_file(tmp_path / "plain.tif", layer_id="plain")
    assert [level.shape for level in own._levels[:4]] == [
        (512, 512),
        (256, 256),
        (128, 128),
        (64, 64),
    ]
    means = values.reshape(128, 4, 128, 4).mean(axis=(1, 3))
    assert np.allclose(own._levels[2].whole(), means, atol=1e-3)
    assert np.allclose(
        own._levels[3].whole(), means.reshape(64, 2, 64, 2).mean(axis=(1, 3)), atol=1e-3
    )


def test_a_zoom_is_read_at_the_coarsest_resolution_that_is_fine_enough(drawn):
    for z in range(5, 17):
        pixel = 2 * np.pi * 6378137 * np.cos(np.radians(35.2)) / 256 / 2**z
        cell = drawn._level(z).cell
        assert cell <= pixel * 1.01 or cell == CELL
        assert cell > pixel * 0.49 or drawn._level(z) is drawn._levels[-1]


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
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):  # noqa: SIM117 - two different things
        with rasterio.open(
            tmp_path / "nowhere.tif",
            "w",
            driver="GTiff",
            width=2,
            height=2,
            count=1,
            dtype="float32",
        ) as file:
            file.write(np.ones((1, 2, 2), dtype=np.float32))
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        pytest.raises(InputError, match="needs a CRS and a place"),
    ):
        RasterSource.from_file(tmp_path / "nowhere.tif", layer_id="x")
    for wrong, words in (
        ({"ramp": "densty"}, "did you mean 'density'"),
        ({"rescale": (5.0, 5.0)}, "the first must be the lower"),
        ({"rescale": (0.0, float("nan"))}, "the first must be the lower"),
        ({"opacity": 2.0}, "within 0 to 1"),
        ({"image": "gif"}, "ask for png or webp"),
        ({"where": object()}, "has no rows to select"),
    ):
        with pytest.raises(InputError, match=words):
            drawn.tile(12, 3345, 1619, **wrong)


def test_a_request_may_ask_for_other_colours(drawn):
    tile = next(bbox_tiles((114.0, 35.2, 114.0, 35.2), 13))
    values = drawn.values(*tile)
    usual, other = drawn.tile(*tile), drawn.tile(*tile, ramp="viridis", rescale=(0, 50), opacity=1)
    assert drawn.tile(*tile, ramp="density", rescale=(0.0, 300.0)) == usual
    pixels = picture(other)
    assert (pixels[values >= 50] == [0xFD, 0xE7, 0x25, 255]).all()
    assert (pixels[values == 0] == [0x44, 0x01, 0x54, 255]).all()
    assert other.n_features == np.isfinite(values).sum()
    assert usual.n_features == (values > 0).sum()


def test_a_webp_shows_what_the_png_shows(drawn):
    tile = next(bbox_tiles((114.0, 35.2, 114.0, 35.2), 13))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with (
            rasterio.MemoryFile(drawn.tile(*tile, image="webp").body) as memory,
            memory.open() as image,
        ):
            assert image.driver == "WEBP"
            theirs = np.moveaxis(image.read(), 0, 2)
    ours = picture(drawn.tile(*tile))
    shown = ours[..., 3] > 0
    assert (theirs[..., 3] == ours[..., 3]).all()
    assert (theirs[shown] == ours[shown]).all()


def test_a_ramp_about_nothing_has_its_middle_there(tmp_path):
    change = np.linspace(-4, 2, 64 * 64, dtype=np.float32).reshape(64, 64)
    transform = Affine(CELL, 0, NORTH_WEST[0], 0, -CELL, NORTH_WEST[1])
    write_surface(Surface(change, transform, CRS(4547), ""), tmp_path / "change.tif")
    own = RasterSource.from_file(tmp_path / "change.tif", layer_id="change", ramp="cold_hot")
    assert (own.colours.low, own.colours.high) == (-4.0, 4.0)
    assert own.stops[3] == (0.0, "#f7f7f7")
    tile = next(bbox_tiles(own.bbox, 13))
    values, pixels = own.values(*tile), picture(own.tile(*tile))
    assert (pixels[values < -1][:, 0] < pixels[values < -1][:, 2]).all()  # blue
    assert (pixels[values > 1][:, 0] > pixels[values > 1][:, 2]).all()  # red
    assert (pixels[np.isfinite(values)][:, 3] > 0).all()
