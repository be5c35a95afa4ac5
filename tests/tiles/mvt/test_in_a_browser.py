"""What maps in browsers decode with (@mapbox/vector-tile, which MapLibre uses) sees in a tile what the strict reader sees."""

import base64
import json
import os
import shutil
import subprocess
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gisgrid.features import FeatureTable
from gisgrid.tiles import PointSource, bbox_tiles, vector_source
from gisgrid.tiles.mvt import POLYGON, read_tile

SCRIPT = Path(__file__).with_name("in_a_browser.mjs")


@pytest.fixture(scope="module")
def decoded(project):
    """Tiles as @mapbox/vector-tile reads them."""
    web = project / "server" / "web"
    node = shutil.which("node", path=f"{project / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}")
    if node is None or not (web / "node_modules" / "@mapbox" / "vector-tile").is_dir():
        pytest.skip("the packages of the web map are not there (make assets)")

    def read(tiles):
        lines = "\n".join(base64.b64encode(tile).decode() for tile in tiles) + "\n"
        done = subprocess.run(
            [node, SCRIPT, web / "package.json"], input=lines, capture_output=True, text=True, check=False, timeout=120
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return read


def agrees(tile, layers):
    """Both readers say the same of a tile; gives how many features there are."""
    mine = [layer for layer in read_tile(tile) if layer.features]
    assert [(one.name, one.version, one.extent) for one in mine] == [
        (one["name"], one["version"], one["extent"]) for one in layers
    ]
    for layer, theirs in zip(mine, layers, strict=True):
        for feature, seen in zip(layer.features, theirs["features"], strict=True):
            assert (feature.number, feature.kind) == (seen["id"], seen["kind"])
            assert feature.properties == pytest.approx(seen["properties"])
            parts = [[list(place) for place in part] for part in feature.parts]
            if feature.kind == POLYGON:
                parts = [[*part, part[0]] for part in parts]
                shells = sum(_area(part) > 0 for part in feature.parts)
                assert (len(seen["polygons"]), sum(seen["polygons"])) == (shells, len(parts))
            assert [*chain(*parts)] == [*chain(*seen["lines"])]
    return sum(len(layer.features) for layer in mine)


def _area(ring):
    x, y = np.array(ring, float).T
    return float(x @ np.roll(y, -1) - y @ np.roll(x, -1))


def test_awkward_shapes(awkward, decoded, some_tiles):
    table = FeatureTable.from_frame(awkward, properties=["name"])
    source = vector_source(table, layer_id="layer", properties=("name",), minzoom=0, maxzoom=14)
    tiles = [source.tile(*tile).body for z in (3, 8, 11, 14) for tile in some_tiles(z)]
    drawn = [tile for tile in tiles if tile]
    n = sum(agrees(*each) for each in zip(drawn, decoded(drawn), strict=True))
    assert n > 50


def test_points_and_the_cells_that_count_them(decoded):
    rng = np.random.default_rng(3)
    n = 4_000
    frame = pd.DataFrame({
        "id": [f"R{i}" for i in range(n)], "kind": rng.choice(["积存垃圾", "dry toilet", ""], n), "n": rng.integers(-5, 9, n),
        "share": rng.random(n), "lon": 114 + rng.random(n) / 5, "lat": 35 + rng.random(n) / 5,
    })  # fmt: skip
    table = FeatureTable.from_frame(
        frame, key="id", properties=["kind", "n", "share"], lonlat=("lon", "lat")
    )
    source = PointSource(table, layer_id="reports", properties=("id", "kind", "n", "share"))
    found = [source.tile(*tile) for z in (5, 9, 12, 14) for tile in bbox_tiles((114, 35, 114.2, 35.2), z)]  # fmt: skip
    drawn = [tile.body for tile in found if tile.body]
    assert sum(agrees(*each) for each in zip(drawn, decoded(drawn), strict=True)) > n


@pytest.mark.data
def test_tiles_of_the_real_world(shared_data, decoded):
    folder = shared_data / "fixtures" / "mvt" / "real-world-chicago"
    tiles = [path.read_bytes() for path in sorted(folder.glob("*.mvt"))]
    n = sum(agrees(*each) for each in zip(tiles, decoded(tiles), strict=True))
    assert n == 16_507
