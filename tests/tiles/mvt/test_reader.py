import contextlib
import json
import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gisgrid.errors import InputError
from gisgrid.tiles.mvt import LINE, POINT, POLYGON, UNKNOWN, read_tile
from gisgrid.tiles.mvt.wire import field, varint

# 016 has the very bytes of 003, and 057 the geometry of 051; the others of the pairs are invalid. The strict reader
# refuses all four, the lenient one reads what they hold.
CONTRADICTED = {"016", "057"}


@pytest.fixture(scope="module")
def fixtures(shared_data):
    folder = shared_data / "fixtures" / "mvt" / "fixtures"
    return {path.name: path for path in sorted(folder.iterdir())}


def is_valid(path):
    return json.loads((path / "info.json").read_text())["validity"]["v2"]


@pytest.mark.data
def test_all_valid_fixtures_hold_what_their_json_says(fixtures):
    n = 0
    for name, path in fixtures.items():
        if not is_valid(path):
            continue
        layers = read_tile((path / "tile.mvt").read_bytes(), strict=name not in CONTRADICTED)
        said = json.loads((path / "tile.json").read_text()).get("layers", [])
        assert len(layers) == len(said), name
        for layer, expected in zip(layers, said, strict=True):
            assert (layer.name, layer.version) == (expected["name"], expected["version"])
            assert layer.extent == expected.get("extent", 4096)
            assert list(layer.keys) == expected["keys"]
            values = [next(iter(value.values())) for value in expected["values"]]
            for value, wanted in zip(layer.values, values, strict=True):
                same = pytest.approx(wanted, rel=1e-6) if isinstance(value, float) else wanted
                assert value == same or str(value) == str(wanted), name
            for feature, wanted in zip(layer.features, expected["features"], strict=True):
                assert feature.number == wanted.get("id"), name
                assert feature.kind == wanted.get("type", UNKNOWN), name
                assert list(feature.tags) == wanted.get("tags", []), name
                assert list(feature.commands) == wanted["geometry"], name
        n += 1
    assert n == 46


@pytest.mark.data
def test_all_invalid_fixtures_are_refused(fixtures):
    refused = []
    for name, path in fixtures.items():
        if is_valid(path) and name not in CONTRADICTED:
            continue
        with pytest.raises(InputError, match=r"the tile.* but .* \(MVT 2\.1, [\d.]+\); write"):
            read_tile((path / "tile.mvt").read_bytes())
        refused.append(name)
    assert len(refused) == 30


@pytest.mark.data
def test_tiles_of_the_real_world_are_read(shared_data):
    folder = shared_data / "fixtures" / "mvt" / "real-world-chicago"
    layers = [layer for path in folder.glob("*.mvt") for layer in read_tile(path.read_bytes())]
    assert sum(len(layer.features) for layer in layers) == 16507


def message(kind, commands, *more):
    packed = b"".join(map(varint, commands))
    feature = b"\x18" + varint(kind) + field(4, packed) + b"".join(more)
    return field(3, b"\x78\x02" + field(1, b"layer") + field(2, feature))


def move(count):
    return count << 3 | 1


def line(count):
    return count << 3 | 2


CLOSE = 15


def test_geometry_is_followed():
    (layer,) = read_tile(message(POLYGON, [move(1), 0, 0, line(2), 20, 0, 0, 20, CLOSE]))
    assert layer.features[0].parts == (((0, 0), (10, 0), (10, 10)),)
    (layer,) = read_tile(
        message(LINE, [move(1), 2, 2, line(1), 3, 3, move(1), 4, 4, line(1), 1, 0])
    )
    assert layer.features[0].parts == (((1, 1), (-1, -1)), ((1, 1), (0, 1)))
    (layer,) = read_tile(message(POINT, [move(2), 2, 2, 2, 2]))
    assert layer.features[0].parts == (((1, 1), (2, 2)),)


@pytest.mark.parametrize(
    ("kind", "commands", "fault"),
    [
        (POINT, [], "without commands"),
        (POINT, [line(1), 2, 2], "other than one MoveTo"),
        (POINT, [move(0)], "command 1 with count 0"),
        (POINT, [move(1), 2, 2, move(1), 2, 2], "other than one MoveTo"),
        (LINE, [move(2), 2, 2, 4, 4, line(1), 2, 2], "another order"),
        (LINE, [move(1), 2, 2], "another order"),
        (LINE, [move(1), 2, 2, line(1), 0, 0], r"stands still at \(1, 1\)"),
        (POLYGON, [move(1), 0, 0, line(2), 20, 0, 0, 20], "another order"),
        (POLYGON, [move(1), 0, 0, line(1), 20, 0, CLOSE], "ring of 2 points"),
        (POLYGON, [move(1), 0, 0, line(2), 20, 0, 20, 0, CLOSE], "ring without area"),
        (POLYGON, [move(1), 0, 0, line(3), 20, 0, 0, 20, 19, 19, CLOSE], r"repeats the first point \(0, 0\)"),
        (POLYGON, [move(1), 0, 0, line(2), 0, 20, 20, 0, CLOSE], "begins with a hole"),
        (POLYGON, [move(1), 0, 0, line(2), 20, 0, 0, 20, 23], "ClosePath 2"),
        (POINT, [4], "command 4"),
    ],
)  # fmt: skip
def test_geometry_that_breaks_a_rule_is_refused(kind, commands, fault):
    with pytest.raises(InputError, match=fault):
        read_tile(message(kind, commands))
    (layer,) = read_tile(message(kind, commands), strict=False)
    assert layer.features[0].parts == ()


@pytest.mark.parametrize(
    ("tile", "fault"),
    [
        (b"\x1a\x05\x78", "ends 4 bytes early"),
        (b"\x1a" + b"\xff" * 11, "number without an end"),
        (b"\x08\x01", "a field 1"),
        (b"\x1b", "wire type 3"),
        (field(3, field(1, b"\xff")), "no UTF-8"),
        (field(3, b"\x78\x02" + field(1, b"a") + b"\x28\x00"), "extent 0"),
        (field(3, b"\x78\x02" + field(1, b"a") + field(4, b"")), "holds 0 values"),
        (field(3, b"\x78\x02" + field(1, b"a") + field(9, b"")), "a field 9"),
        (message(POINT, [move(1), 0, 0], b"\x18\x01"), "two fields 3"),
        (message(POINT, [move(1), 0, 0], field(2, varint(0) + varint(0))), "the tag 0, 0"),
    ],
)
def test_bytes_that_break_a_rule_are_refused(tile, fault):
    with pytest.raises(InputError, match=fault):
        read_tile(tile)


def test_a_key_twice_is_refused():
    tags = field(2, bytes([0, 0, 0, 0]))
    feature = field(2, b"\x18\x01" + field(4, bytes([move(1), 0, 0])) + tags)
    content = b"\x78\x02" + field(1, b"a") + feature + field(3, b"k") + field(4, b"\x38\x01")
    with pytest.raises(InputError, match="has 'k' twice"):
        read_tile(field(3, content))


def test_numbers_that_leave_32_bits_turn_over():
    (layer,) = read_tile(message(LINE, [move(1), 2**32 - 2, 0, line(1), 2, 2]))
    assert layer.features[0].parts == (((2**31 - 1, 0), (-(2**31), 1)),)


@settings(derandomize=True, max_examples=120, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_are_read_or_refused(content):
    good = message(POLYGON, [move(1), 0, 0, line(2), 20, 0, 0, 20, CLOSE])
    for tile in (
        content,
        good[: len(content)] + content,
        struct.pack("<I", len(content)) + content,
    ):
        with contextlib.suppress(InputError):
            read_tile(tile, strict=False)
