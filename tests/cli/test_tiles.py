"""`gisgrid tiles`: layers become archives whose tiles are the served ones."""

import gzip
import json
import shutil

import geopandas as gpd
import numpy as np
import pytest
from affine import Affine
from pmtiles.reader import MmapSource, Reader, all_tiles
from pyproj import CRS
from shapely import box

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.cli.hotspots.result import Result
from gisgrid.cli.hotspots.tiles import write_tiles
from gisgrid.prepared import layer_source, prepare
from gisgrid.surface import Surface
from gisgrid.tiles import bbox_tiles


def read(path):
    with path.open("rb") as file:
        source = MmapSource(file)
        unpack = (
            gzip.decompress if Reader(source).header()["tile_compression"].name == "GZIP" else bytes
        )
        return Reader(source).metadata(), {zxy: unpack(body) for zxy, body in all_tiles(source)}


@pytest.fixture
def tiles(gisgrid, demo_data, layers_dir):
    """Run the command over the small synthetic city."""

    def run(*words, layers=layers_dir):
        return gisgrid("tiles", *words, "--layers", layers, "--data", demo_data)

    return run


@pytest.fixture
def served(demo_data, layers_dir):
    """What a server draws of a layer."""

    def source(name):
        store = FolderStore(demo_data)
        return layer_source(prepare(Catalogue.read(layers_dir)[name], store), store)

    return source


def test_published_tiles_are_the_served_ones(tiles, served, tmp_path):
    names = ["reported_issues", "communities"]
    sources = [served(name) for name in names]
    west, south, _, _ = sources[1].bbox
    part = (west + 0.02, south + 0.02, west + 0.06, south + 0.06)
    code, out, _ = tiles(
        *names, "-o", tmp_path / "some.pmtiles", "--bbox", ",".join(map(str, part)), "--json"
    )
    assert code == 0
    (said,) = json.loads(out)["archives"]
    metadata, found = read(tmp_path / "some.pmtiles")
    first, last = min(s.minzoom for s in sources), max(s.maxzoom for s in sources)
    around = [tile for zoom in range(first, last + 1) for tile in bbox_tiles(part, zoom)]
    for z, x, y in around:
        drawn = [s.tile(z, x, y).body for s in sources if s.minzoom <= z <= s.maxzoom]
        assert found.get((z, x, y), b"") == b"".join(drawn)
    assert len(found) == said["n_tiles"] > 30
    assert said["layers"] == names == [one["id"] for one in metadata["vector_layers"]]
    assert said["zooms"] == [first, last]
    assert "description" not in metadata["vector_layers"][0]["fields"]  # free text stays here


def test_all_that_is_drawn_goes_in_and_rasters_apart(tiles, served, tmp_path):
    code, out, _ = tiles("-o", tmp_path / "city.pmtiles", "--maxzoom", "10", "--json")
    assert code == 0
    said = json.loads(out)
    city, *rasters = said["archives"]
    density = next(one for one in rasters if one["layers"] == ["issue_density"])
    assert {"communities", "reported_issues", "streets"} < set(city["layers"])
    assert density["file"] == "city.issue_density.pmtiles"
    assert {path.rpartition("/")[2] for path in said["files"]} == {
        one["file"] for one in said["archives"]
    }
    assert said["left_out"].get("reported_issues") is None
    raster, (metadata, found) = (
        served("issue_density"),
        read(tmp_path / "city.issue_density.pmtiles"),
    )
    assert all(found[tile] == raster.tile(*tile).body for tile in found if tile[0] <= 10)
    assert metadata["unit"] == raster.unit
    assert city["zooms"][1] == density["zooms"][1] == 10


def test_fewer_zooms_are_still_the_served_ones(tiles, served, tmp_path):
    assert (
        tiles("communities", "-o", tmp_path / "it.pmtiles", "--minzoom", 8, "--maxzoom", 10)[0] == 0
    )
    communities, found = served("communities"), read(tmp_path / "it.pmtiles")[1]
    assert {z for z, _, _ in found} == {8, 9, 10}
    assert all(communities.tile(*tile).body == body for tile, body in found.items())


def test_zooms_bbox_and_size_are_what_is_asked_for(tiles, tmp_path):
    path = tmp_path / "it.pmtiles"
    box_of = "113.9,35.0,114.0,35.3"
    code, out, _ = tiles(
        "communities", "-o", path, "--minzoom", 15, "--maxzoom", 16, "--bbox", box_of, "--small"
    )
    assert code == 0
    assert "瓦片" in out
    found = read(path)[1]
    wanted = {tile for z in (15, 16) for tile in bbox_tiles((113.9, 35.0, 114.0, 35.3), z)}
    assert found
    assert set(found) <= wanted


def test_a_raster_alone_is_the_archive(tiles, tmp_path):
    code, out, _ = tiles(
        "issue_density", "-o", tmp_path / "it.pmtiles", "--maxzoom", 11, "--language", "en"
    )
    assert code == 0
    assert "tiles" in out
    assert sorted(p.name for p in tmp_path.iterdir()) == ["it.pmtiles"]


def test_a_layer_that_needs_a_key_is_written_only_when_it_is_named(tiles, layers_dir, tmp_path):
    layers = shutil.copytree(layers_dir, tmp_path / "layers")
    path = layers / "facilities" / "layer.toml"
    path.write_text(
        path.read_text("utf-8").replace("[tiles]", '[tiles]\naccess = "key"', 1), "utf-8"
    )
    code, out, _ = tiles("-o", tmp_path / "a.pmtiles", "--maxzoom", "8", "--json", layers=layers)
    assert code == 0
    said = json.loads(out)
    assert "facilities" not in said["archives"][0]["layers"]
    assert said["left_out"]["facilities"]["en"] == "needs a key; name it to write it all the same"
    code, out, _ = tiles("facilities", "-o", tmp_path / "b.pmtiles", "--json", layers=layers)
    assert code == 0
    assert "whoever has the file sees it" in json.loads(out)["notes"][0]["en"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("comunities", "-o", "it.pmtiles"), "did you mean 'communities'?"),
        (("assessments", "-o", "it.mbtiles"), "let it end in .pmtiles"),
        (("-o", "no/it.pmtiles"), "does not exist"),
        (("-o", "it.pmtiles", "--minzoom", "9", "--maxzoom", "3"), "exchange them"),
        (("-o", "it.pmtiles", "--bbox", "114,35,113,36"), "west before east"),
        (("-o", "it.pmtiles", "--bbox", "114"), "for example 113.5,34.8"),
        (("-o", "it.pmtiles", "--minzoom", "25"), "--minzoom"),
        (("issue_months", "-o", "it.pmtiles"), "is not drawn"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_sentence(tiles, tmp_path, monkeypatch, words, sentence):
    monkeypatch.chdir(tmp_path)
    code, _, err = tiles(*words)
    assert code == 2
    assert sentence in err
    assert err.startswith("error: ")
    assert not list(tmp_path.iterdir())


def test_a_city_without_data_is_told_so(gisgrid, layers_dir, tmp_path):
    (tmp_path / "data").mkdir()
    code, _, err = gisgrid(
        "tiles", "-o", tmp_path / "it.pmtiles", "--layers", layers_dir, "--data", tmp_path / "data"
    )
    assert code == 2
    assert "has no data yet" in err


def result(frame, outline=None):
    return Result(frame, "code", outline, None, {}, [])


def test_the_command_writes_them(gisgrid, demo_data, tmp_path):
    code, _, err = gisgrid(
        "hotspots", demo_data / "reported_issues.parquet", demo_data / "communities.parquet",
        "-o", tmp_path / "hot.pmtiles",
    )  # fmt: skip
    assert (code, err.count("error")) == (0, 0)
    metadata, found = read(tmp_path / "hot.pmtiles")
    assert found
    assert metadata["vector_layers"][0]["fields"]["label"] == "String"


def test_hotspots_become_tiles_with_all_their_columns(tmp_path):
    x, y = (axis.ravel() for axis in np.mgrid[:8, :8] * 500.0)
    cells = box(5e5 + x, 3.9e6 + y, 5e5 + x + 500, 3.9e6 + y + 500)
    frame = gpd.GeoDataFrame(
        {"code": [f"{i:02d}" for i in range(64)], "label": ["hot_99"] * 64, "z": np.linspace(-3, 3, 64), "n": range(64)},
        geometry=cells, crs=4547,
    )  # fmt: skip
    write_tiles(result(frame, frame[["code", "geometry"]]), tmp_path / "hot.pmtiles", title="热点")
    metadata, found = read(tmp_path / "hot.pmtiles")
    assert metadata["name"] == "热点"
    assert [one["id"] for one in metadata["vector_layers"]] == ["hotspots", "units"]
    assert metadata["vector_layers"][0]["fields"] == {
        "code": "String",
        "label": "String",
        "z": "Number",
        "n": "Number",
    }
    assert {z for z, _, _ in found} == set(range(6, 15))


def test_a_density_becomes_pictures(tmp_path):
    hill = np.full((50, 50), 3.0, dtype=np.float32)
    surface = Surface(hill, Affine(100, 0, 5e5, 0, -100, 3.9e6), CRS(4547), "issues/km²")
    write_tiles(result(surface), tmp_path / "hot.pmtiles", title="x")
    metadata, found = read(tmp_path / "hot.pmtiles")
    assert metadata["unit"] == "issues/km²"
    assert all(body.startswith(b"\x89PNG") for body in found.values())
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hot.pmtiles"]
