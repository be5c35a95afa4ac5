"""A filter written out again as CQL2 text: the same for all ways to say the same, so that caches know it."""

from __future__ import annotations

from math import isnan
from typing import cast

from gisgrid.features.filters.nodes import (
    Among,
    And,
    Arithmetic,
    Compare,
    Constant,
    Folded,
    Geometry,
    Like,
    Missing,
    Node,
    Not,
    Or,
    Property,
    Same,
    Spatial,
    Time,
    Truth,
)
from gisgrid.features.filters.times import DAY, FOREVER, time_text


def written(node: Node) -> str:  # noqa: C901, PLR0911 - a line per kind
    """Write a filter as CQL2 text.

    Parameters
    ----------
    node
        A filter or part of it.

    Returns
    -------
    str
        What the parser reads as the same node. Parts that may stand in any order stand in the order of their text.
    """
    match node:
        case And(parts=parts) | Or(parts=parts):
            return (" AND " if isinstance(node, And) else " OR ").join(
                sorted(map(_bracketed, parts))
            )
        case Not(part=part):
            return f"NOT {_bracketed(part)}"
        case Compare(relation=relation, left=left, right=right):
            return f"{_value(left)} {relation} {_value(right)}"
        case Like(of=of, pattern=pattern):
            return f"{_value(of)} LIKE {_quoted(pattern)}"
        case Among(of=of, choices=choices):
            return f"{_value(of)} IN ({', '.join(sorted(map(_value, choices)))})"
        case Missing(of=of):
            return f"{_bracketed(of)} IS NULL"
        case Same(left=one, right=other):
            return f"{_bracketed(one)} = {_bracketed(other)}"
        case Spatial(relation=relation, shape=shape):
            return f"S_{relation.upper()}(geometry, {shape.wkt})"
        case Truth(value=None):
            return "0 / 0 = 0"
        case Truth(value=value):
            return str(value).upper()
    return _value(node)


def _bracketed(node: Node) -> str:
    text = written(node)
    return (
        f"({text})"
        if isinstance(node, And | Or | Not | Compare | Like | Among | Missing | Same)
        else text
    )


def _value(node: Node) -> str:  # noqa: PLR0911 - a line per kind
    match node:
        case Property(name=name):
            return '"' + name.replace('"', '""') + '"'
        case Geometry():
            return "geometry"
        case Constant(value=bool(value)):
            return str(value).upper()
        case Constant(value=str(value)):
            return _quoted(value)
        case Constant(value=value):
            return "(0 / 0)" if isnan(cast("float", value)) else repr(value)
        case Time(first=first, last=last):
            return _time(first, last)
        case Folded(fold=fold, of=of):
            return f"{fold}({_value(of)})"
        case Arithmetic(sign=sign, left=left, right=right):
            return f"({_value(left)} {sign} {_value(right)})"
    return written(node)


def _time(first: int, last: int) -> str:
    if abs(first) == FOREVER:
        return (
            f"TIMESTAMP('{'9999-12-31T23:59:59.999999Z' if first > 0 else '0001-01-01T00:00:00Z'}')"
        )
    return (
        f"DATE('{time_text(first)[:10]}')"
        if last - first == DAY - 1
        else f"TIMESTAMP('{time_text(first)}')"
    )


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
