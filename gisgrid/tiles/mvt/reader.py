"""What does a vector tile hold, and does it keep to the specification (Mapbox Vector Tile 2.1)?

What the specification forbids is refused with its place and its rule: tiles are read to be checked, or to be trusted.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final

from gisgrid.errors import InputError
from gisgrid.tiles.mvt.messages import Field, as_bytes, as_number, as_text, fields, packed, refusal
from gisgrid.tiles.mvt.writer import LINE, POINT, POLYGON
from gisgrid.tiles.scheme import EXTENT

UNKNOWN: Final = 0
"""The kind of a geometry that a reader may pass over."""

Value = str | float | int | bool
Place = tuple[int, int]

_MOVE_TO, _LINE_TO, _CLOSE_PATH = 1, 2, 7


@dataclass(frozen=True)
class Feature:
    """One feature.

    Attributes
    ----------
    number
        Its id; None where it has none.
    kind
        `POINT`, `LINE`, `POLYGON` or `UNKNOWN`.
    properties
        Name to value.
    parts
        The points of a multipoint as one part, the lines, or the rings (without their first point again): shells
        positive in the surveyor's formula, each followed by its holes. Empty for an unknown kind.
    tags, commands
        The numbers as they stand in the tile.
    """

    number: int | None
    kind: int
    properties: dict[str, Value]
    parts: tuple[tuple[Place, ...], ...]
    tags: tuple[int, ...]
    commands: tuple[int, ...]


@dataclass(frozen=True)
class Layer:
    """One layer.

    Attributes
    ----------
    name
        Its name.
    version
        1 or 2.
    extent
        Units along the side of the tile.
    features
        In their order.
    keys, values
        What the features' tags point to.
    """

    name: str
    version: int
    extent: int
    features: tuple[Feature, ...]
    keys: tuple[str, ...]
    values: tuple[Value, ...]


@dataclass
class _Draft:
    name: str | None = None
    version: int | None = None
    extent: int = EXTENT
    keys: list[str] = field(default_factory=list)
    values: list[Value] = field(default_factory=list)
    features: list[bytes] = field(default_factory=list)


def read_tile(tile: bytes, *, strict: bool = True) -> tuple[Layer, ...]:
    """Read a vector tile.

    Parameters
    ----------
    tile
        Its bytes, not compressed.
    strict
        Whether to refuse features without a type, and geometries that draw what they must not; else the first are of
        unknown kind, and the second come without parts, with their commands as they stand.

    Returns
    -------
    tuple of Layer
        In their order; empty for an empty tile.

    Raises
    ------
    InputError
        The tile breaks the specification.

    Examples
    --------
    >>> read_tile(b"")
    ()
    >>> read_tile(bytes.fromhex("1a02 7802"))
    Traceback (most recent call last):
      ...
    gisgrid.errors.InputError: the tile's layer 0 has no name but a layer must have one (MVT 2.1, 4.1); write the tile anew
    """
    layers: list[Layer] = []
    for one in fields(tile, "the tile"):
        where = f"the tile's layer {len(layers)}"
        if one.number != 3:
            raise refusal(
                "the tile", f"has a field {one.number}", "a tile has layers (field 3) only", "4.1"
            )
        layers.append(_layer(as_bytes(one, where), where, strict=strict))
    names = [layer.name for layer in layers]
    for name in names:
        if names.count(name) > 1:
            raise refusal(
                "the tile",
                f"has {names.count(name)} layers {name!r}",
                "names of layers must differ",
                "4.1",
            )
    return tuple(layers)


def _layer(content: bytes, where: str, *, strict: bool) -> Layer:
    draft = _Draft()
    for one in fields(content, where):
        match one.number:
            case 1:
                draft.name = as_text(one, where)
            case 2:
                draft.features.append(as_bytes(one, where))
            case 3:
                draft.keys.append(as_text(one, where))
            case 4:
                draft.values.append(
                    _value(as_bytes(one, where), f"{where}'s value {len(draft.values)}")
                )
            case 5:
                draft.extent = as_number(one, where)
            case 15:
                draft.version = as_number(one, where)
            case other:
                raise refusal(where, f"has a field {other}", "no such field is known", "4.1")
    name = _checked(draft, where)
    features = tuple(
        _feature(one, draft, f"{where}'s feature {i}", strict=strict)
        for i, one in enumerate(draft.features)
    )
    return Layer(
        name, draft.version or 0, draft.extent, features, tuple(draft.keys), tuple(draft.values)
    )


def _checked(draft: _Draft, where: str) -> str:
    if not draft.name:
        raise refusal(where, "has no name", "a layer must have one", "4.1")
    if draft.version not in (1, 2):
        raise refusal(
            where, f"has version {draft.version}", "1 and 2 are known, and it must be said", "4.1"
        )
    if draft.extent < 1:
        raise refusal(where, f"has extent {draft.extent}", "an extent is positive", "4.1")
    return draft.name


def _feature(content: bytes, layer: _Draft, where: str, *, strict: bool) -> Feature:
    found: dict[int, Field] = {}
    for one in fields(content, where):
        if one.number not in (1, 2, 3, 4):
            raise refusal(where, f"has a field {one.number}", "no such field is known", "4.2")
        if one.number in found:
            raise refusal(where, f"has two fields {one.number}", "each may be there once", "4.2")
        found[one.number] = one
    if 3 not in found and strict:
        raise refusal(where, "has no type", "a feature must have one", "4.2")
    if 4 not in found:
        raise refusal(where, "has no geometry", "a feature must have one", "4.2")
    kind = as_number(found[3], where) if 3 in found else UNKNOWN
    if kind not in (UNKNOWN, POINT, LINE, POLYGON):
        raise refusal(where, f"has type {kind}", "types run from 0 to 3", "4.3.4")
    tags = tuple(packed(found[2], where)) if 2 in found else ()
    commands = tuple(packed(found[4], where))
    try:
        parts = () if kind == UNKNOWN else tuple(_parts(kind, commands, where))
    except InputError:
        if strict:
            raise
        parts = ()
    number = as_number(found[1], where) if 1 in found else None
    return Feature(number, kind, _properties(tags, layer, where), parts, tags, commands)


def _properties(tags: tuple[int, ...], layer: _Draft, where: str) -> dict[str, Value]:
    if len(tags) % 2:
        raise refusal(where, f"has {len(tags)} tags", "tags come in pairs", "4.4")
    properties: dict[str, Value] = {}
    for key, value in zip(tags[::2], tags[1::2], strict=True):
        if key >= len(layer.keys) or value >= len(layer.values):
            raise refusal(
                where, f"has the tag {key}, {value}",
                f"the layer has {len(layer.keys)} keys and {len(layer.values)} values", "4.4",
            )  # fmt: skip
        if layer.keys[key] in properties:
            raise refusal(
                where, f"has {layer.keys[key]!r} twice", "a feature has each key once", "4.4"
            )
        properties[layer.keys[key]] = layer.values[value]
    return properties


def _value(content: bytes, where: str) -> Value:
    found = [_one_value(one, where) for one in fields(content, where)]
    if len(found) != 1:
        raise refusal(where, f"holds {len(found)} values", "a value is exactly one", "4.1")
    return found[0]


def _one_value(one: Field, where: str) -> Value:
    match one.number, one.wire:
        case 1, 2:
            return as_text(one, where)
        case 2, 5:
            return float(struct.unpack("<f", one.value)[0])
        case 3, 1:
            return float(struct.unpack("<d", one.value)[0])
        case (4 | 5 | 6 | 7) as kind, 0:
            return _whole(kind, int(one.value))
    raise refusal(
        where, f"has a field {one.number} of wire type {one.wire}", "no such value is known", "4.1"
    )


def _whole(kind: int, number: int) -> int | bool:
    """Read an int_value, uint_value, sint_value or bool_value."""
    if kind == 4:
        return number - (1 << 64) if number >> 63 else number
    if kind == 6:
        return number >> 1 ^ -(number & 1)
    return bool(number) if kind == 7 else number


def _parts(kind: int, commands: tuple[int, ...], where: str) -> Iterator[tuple[Place, ...]]:
    """Follow the commands, and make sure that they draw what the type says (MVT 2.1, 4.3.4)."""
    drawn = list(_drawn(commands, where))
    if not drawn:
        raise refusal(where, "has a geometry without commands", "a geometry draws something", "4.3")
    if kind == POINT:
        if len(drawn) != 1 or drawn[0][0] != _MOVE_TO:
            raise refusal(
                where, "draws points with other than one MoveTo", "points are one MoveTo", "4.3.4.2"
            )
        yield tuple(drawn[0][1])
        return
    pattern = (_MOVE_TO, _LINE_TO) if kind == LINE else (_MOVE_TO, _LINE_TO, _CLOSE_PATH)
    is_first = True
    for i in range(0, len(drawn), len(pattern)):
        group = drawn[i : i + len(pattern)]
        if tuple(command for command, _ in group) != pattern or len(group[0][1]) != 1:
            raise refusal(
                where, "draws its commands in another order",
                "a line is MoveTo 1, LineTo, and a ring ends with ClosePath", "4.3.4.3",
            )  # fmt: skip
        path = (*group[0][1], *group[1][1])
        if any(a == b for a, b in pairwise(path)):
            raise refusal(where, f"stands still at {_still(path)}", "a LineTo must move", "4.3.3.2")
        if kind == POLYGON:
            is_shell = _check_ring(path, where)
            if is_first and not is_shell:
                raise refusal(where, "begins with a hole", "the first ring is a shell", "4.3.4.4")
        is_first = False
        yield path


def _still(path: tuple[Place, ...]) -> Place:
    return next(a for a, b in pairwise(path) if a == b)


def _check_ring(path: tuple[Place, ...], where: str) -> bool:
    if len(path) < 3:
        raise refusal(
            where, f"has a ring of {len(path)} points", "a ring has three or more", "4.3.4.4"
        )
    if path[0] == path[-1]:
        raise refusal(where, f"repeats the first point {path[0]}", "ClosePath does that", "4.3.4.4")
    area = sum(
        ax * by - bx * ay for (ax, ay), (bx, by) in zip(path, (*path[1:], path[0]), strict=True)
    )
    if area == 0:
        raise refusal(where, f"has a ring without area at {path[0]}", "a ring has some", "4.3.4.4")
    return area > 0


def _drawn(commands: tuple[int, ...], where: str) -> Iterator[tuple[int, list[Place]]]:
    i, x, y = 0, 0, 0
    while i < len(commands):
        command, count = commands[i] & 7, commands[i] >> 3
        i += 1
        if command == _CLOSE_PATH:
            if count != 1:
                raise refusal(where, f"has ClosePath {count}", "its count is 1", "4.3.3.3")
            yield command, []
            continue
        if command not in (_MOVE_TO, _LINE_TO) or count == 0:
            raise refusal(
                where,
                f"has the command {command} with count {count}",
                "no such command is known",
                "4.3.3",
            )
        if i + 2 * count > len(commands):
            raise refusal(
                where, f"announces {count} points and has fewer", "all must be there", "4.3.1"
            )
        places = []
        for k in range(i, i + 2 * count, 2):
            x = _within(x + (commands[k] >> 1 ^ -(commands[k] & 1)))
            y = _within(y + (commands[k + 1] >> 1 ^ -(commands[k + 1] & 1)))
            places.append((x, y))
        i += 2 * count
        yield command, places


def _within(number: int) -> int:
    """Turn over what leaves 32 bits, as all readers do."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)
