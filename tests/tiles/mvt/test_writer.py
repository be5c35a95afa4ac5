import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.features import Column, FeatureTable
from gisgrid.tiles.mvt import (
    LINE,
    NO_ID,
    POINT,
    POLYGON,
    Drawn,
    Tags,
    point_commands,
    read_tile,
    write_layer,
)

FRAME = pd.DataFrame(
    {
        "text": ["公厕", None, "", "x" * 130, "路" * 5000],
        "code": ["a", "b", "a", None, "b"],
        "whole": pd.Series([0, -7, 2**62, -(2**63) + 1, None], dtype="Int64"),
        "small": pd.Series([3, None, 3, -1, 127], dtype="Int64"),
        "number": [1.5, np.nan, np.inf, -0.0, 1e300],
        "flag": pd.Series([True, False, None, True, False], dtype="boolean"),
        "at": pd.to_datetime(
            ["2026-10-01T08:30:00+08:00", None, "1969-12-31T23:59:59.5Z", "2000-02-29T00:00:00Z", "1900-03-01T00:00:00Z"],
            format="ISO8601",
            utc=True,
        ),
        "clock": pd.to_datetime(["2026-10-01 08:30", "1700-12-31 23:59:59", None, "2100-02-28 00:00", "2024-02-29 12:00"], format="ISO8601"),
        "empty": [None] * 5,
    }
)  # fmt: skip


def tags_of(frame):
    return Tags(tuple(FeatureTable.from_frame(frame, properties=list(frame)).columns.values()))


def as_items(tags, rows):
    """What items say of the same rows, without what is missing."""
    columns = {column.name: column.at(rows) for column in tags.columns}
    return [
        {name: values[i] for name, values in columns.items() if values[i] is not None}
        for i in range(len(rows))
    ]


def points(numbers, x, y):
    return Drawn(
        POINT, np.asarray(numbers, np.int64), *point_commands(np.asarray(x), np.asarray(y))
    )


def test_every_kind_of_value_is_what_items_say():
    tags, rows = tags_of(FRAME), np.array([4, 0, 1, 2, 3])
    drawn = points(rows + 1, [0, -64, 4160, 7, 8], [1, 2, 3, 4, 5])
    tile = write_layer("layer", [(drawn, tags.rows(rows), tags)])
    (layer,) = read_tile(tile)
    assert (layer.name, layer.version, layer.extent) == ("layer", 2, 4096)
    assert [feature.number for feature in layer.features] == [5, 1, 2, 3, 4]
    assert [feature.parts for feature in layer.features][1:3] == [(((-64, 2),),), (((4160, 3),),)]
    found = [feature.properties for feature in layer.features]
    assert found == as_items(tags, rows)
    assert [[type(value) for value in one.values()] for one in found] == [
        [type(value) for value in one.values()] for one in as_items(tags, rows)
    ]


def test_keys_and_values_that_nothing_has_are_not_written():
    tags, rows = tags_of(FRAME), np.array([0])
    (layer,) = read_tile(write_layer("a", [(points([1], [0], [0]), tags.rows(rows), tags)]))
    assert layer.keys == ("text", "code", "whole", "small", "number", "flag", "at", "clock")
    assert len(layer.values) == 8


def test_a_tile_without_features_has_no_bytes():
    tags = tags_of(FRAME)
    none = np.zeros(0, np.int64)
    assert write_layer("a", []) == b""
    assert write_layer("a", [(points(none, none, none), tags.rows(none), tags)]) == b""


def test_layers_without_properties_and_features_without_ids():
    tags = Tags(())
    drawn = points([NO_ID, 2**53], [0, 1], [0, 1])
    (layer,) = read_tile(write_layer("a", [(drawn, tags.rows(np.arange(2)), tags)]))
    assert [(one.number, one.properties) for one in layer.features] == [(None, {}), (2**53, {})]


def test_features_of_two_tables_share_their_keys():
    one, other = (
        tags_of(FRAME[["code", "flag"]]),
        tags_of(pd.DataFrame({"code": ["c"], "flag": [True]})),
    )
    drawn = [
        (points([1, 2], [0, 1], [0, 1]), one.rows(np.arange(2)), one),
        (points([9], [5], [5]), other.rows(np.arange(1)), other),
    ]
    (layer,) = read_tile(write_layer("a", drawn))
    assert [feature.properties for feature in layer.features] == [
        {"code": "a", "flag": True},
        {"code": "b", "flag": False},
        {"code": "c", "flag": True},
    ]
    assert layer.keys == ("code", "flag")


def test_many_columns_and_wide_features():
    frame = pd.DataFrame({f"column {i}": [i, -i, None] for i in range(200)})
    tags = tags_of(frame)
    (layer,) = read_tile(
        write_layer("a", [(points([1, 2, 3], [0] * 3, [0] * 3), tags.rows(np.arange(3)), tags)])
    )
    assert [one.properties for one in layer.features] == as_items(tags, np.arange(3))


@settings(derandomize=True, max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.one_of(st.none(), st.text(st.characters(exclude_categories=["Cs"]), max_size=8)),
            st.one_of(st.none(), st.integers(-(2**63) + 1, 2**63 - 1)),
            st.floats(allow_nan=True, allow_infinity=True),
            st.integers(-(2**61), 2**61),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_any_values_come_back(rows):
    texts, wholes, numbers, times = zip(*rows, strict=True)
    frame = pd.DataFrame(
        {
            "text": pd.Series(texts, dtype="str"),
            "whole": pd.Series(wholes, dtype="Int64"),
            "number": pd.Series(numbers, dtype=float),
        }
    )
    time = Column("time", "time", values=np.array(times, np.int64))
    tags = Tags((*tags_of(frame).columns, time))
    at = np.arange(len(rows))
    tile = write_layer("a", [(points(at, at, at), tags.rows(at), tags)])
    (layer,) = read_tile(tile)
    expected = as_items(tags, at)
    for feature, wanted in zip(layer.features, expected, strict=True):
        # Years that Python's calendar does not have are spelt in more than one way.
        for one in (feature.properties, wanted):
            if len(one["time"].split("-")[0]) != 4:
                one.pop("time")
        assert feature.properties == wanted


def ring_commands(path):
    """Commands of one ring, by the specification and by hand."""
    from gisgrid.tiles.mvt.wire import varint

    numbers, here = [9], (0, 0)
    for i, (x, y) in enumerate(path):
        if i == 1:
            numbers.append(len(path) - 1 << 3 | 2)
        steps = (x - here[0], y - here[1])
        numbers += [2 * step if step >= 0 else -2 * step - 1 for step in steps]
        here = (x, y)
    return b"".join(map(varint, [*numbers, 15]))


JAVASCRIPT = """
import { readFileSync } from 'node:fs';
const { VectorTile } = await import(process.argv[1] + '/@mapbox/vector-tile/index.js');
const { PbfReader, default: Pbf } = await import(process.argv[1] + '/pbf/index.js');
const Reader = Pbf ?? PbfReader;
const tile = new VectorTile(new Reader(readFileSync(process.argv[2])));
const found = {};
for (const [name, layer] of Object.entries(tile.layers)) {
  found[name] = { version: layer.version, extent: layer.extent, features: [] };
  for (let i = 0; i < layer.length; i++) {
    const f = layer.feature(i);
    found[name].features.push({ id: f.id ?? null, type: f.type, properties: f.properties,
      parts: f.loadGeometry().map(part => part.map(p => [p.x, p.y])) });
  }
}
console.log(JSON.stringify(found));
"""


@pytest.fixture(scope="module")
def read_in_javascript(project, tmp_path_factory):
    """A tile as @mapbox/vector-tile reads it."""
    node, modules = shutil.which("node"), project / "server" / "web" / "node_modules"
    if node is None:
        pytest.skip("there is no node on this machine to run @mapbox/vector-tile")
    if not (modules / "@mapbox" / "vector-tile").is_dir():
        pytest.skip("@mapbox/vector-tile is not installed in server/web")
    path = tmp_path_factory.mktemp("javascript") / "tile.mvt"

    def read(tile):
        path.write_bytes(tile)
        done = subprocess.run(
            [node, "--input-type=module", "-e", JAVASCRIPT, str(modules), str(path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        return json.loads(done.stdout)

    return read


def test_javascript_reads_the_same(read_in_javascript):
    frame = FRAME.drop(columns=["whole"])  # JavaScript has no whole numbers past 2**53
    tags = tags_of(frame)
    ring = ring_commands([(0, 0), (10, 0), (10, 10), (0, 10)])
    rows = np.arange(5)
    drawn = points(rows + 1, rows, rows)
    polygon = Drawn(
        POLYGON, np.array([77]), np.frombuffer(ring, np.uint8), np.array([0, len(ring)])
    )
    tile = write_layer("层", [(polygon, tags.rows(rows[:1]), tags), (drawn, tags.rows(rows), tags)])
    (layer,) = read_tile(tile)
    found = read_in_javascript(tile)["层"]
    assert (found["version"], found["extent"]) == (2, 4096)
    for mine, theirs in zip(layer.features, found["features"], strict=True):
        assert (mine.number, mine.kind, mine.properties) == (
            theirs["id"],
            theirs["type"],
            theirs["properties"],
        )
        closed = [[*part, part[0]] for part in mine.parts] if mine.kind == POLYGON else mine.parts
        if mine.kind == POINT:
            closed = [[point] for point in mine.parts[0]]
        assert [[tuple(p) for p in part] for part in theirs["parts"]] == [list(p) for p in closed]
    assert LINE == 2
