"""How times and places stand to each other: the T_ and S_ operators of CQL2."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import shapely

from gisgrid.features.filters.expression import both, compared, either, negated
from gisgrid.features.filters.limits import FilterError
from gisgrid.features.filters.nodes import (
    Constant,
    Geometry,
    Interval,
    Node,
    Predicate,
    Property,
    Spatial,
    Time,
    Truth,
    said,
)
from gisgrid.features.filters.shapes import Shape
from gisgrid.features.filters.times import FOREVER, time_span

_End = Time | Property

_SPATIAL: Final[Mapping[str, tuple[str, str]]] = {
    "S_INTERSECTS": ("intersects", "intersects"), "S_EQUALS": ("equals", "equals"),
    "S_TOUCHES": ("touches", "touches"), "S_OVERLAPS": ("overlaps", "overlaps"),
    "S_CROSSES": ("crosses", "crosses"), "S_WITHIN": ("within", "contains"),
    "S_CONTAINS": ("contains", "within"),
}  # fmt: skip
"""By operator: shapely's word with the feature first, and with the shape first."""

SPATIAL: Final = (*_SPATIAL, "S_DISJOINT")
"""The operators for places."""

SPATIAL_FUNCTIONS: Final[Mapping[str, Callable[..., object]]] = {
    name: getattr(shapely, name) for name, _ in _SPATIAL.values()
}
"""What answers each of shapely's words."""


def spatial(name: str, left: Node, right: Node) -> Predicate:
    """Ask how features stand to a shape.

    Parameters
    ----------
    name
        The operator.
    left, right
        The geometry of the features and a shape, in either order.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        They are something else.
    """
    if name == "S_DISJOINT":
        return negated(spatial("S_INTERSECTS", left, right))
    forward, backward = _SPATIAL[name]
    match left, right:
        case Geometry(), Shape():
            return Spatial(forward, right)
        case Shape(), Geometry():
            return Spatial(backward, left)
        case Shape(), Shape():
            return Truth(bool(SPATIAL_FUNCTIONS[forward](left.geometry, right.geometry)))
    raise FilterError(
        f"{name} is asked of {said(left)} and {said(right)} but compares the geometry with a shape; "
        f"write for example {name}(geometry, POINT(114 35))"
    )


def interval(start: Node, end: Node) -> Interval:
    """Make an interval of its ends.

    Parameters
    ----------
    start, end
        Each a constant text in RFC 3339, ``..`` for an open end, a time, or a column of times.

    Returns
    -------
    Interval
        The interval.

    Raises
    ------
    FilterError
        An end is no time, or the interval ends before it begins.
    """
    first, last = _end(start, opens=-FOREVER), _end(end, opens=FOREVER)
    if isinstance(first, Time) and isinstance(last, Time) and first.first > last.last:
        raise FilterError("an interval ends before it begins; put the earlier time first")
    return Interval(first, last)


def _end(end: Node, *, opens: int) -> _End:
    if isinstance(end, Constant) and isinstance(end.value, str):
        return Time(opens, opens) if end.value in {"", ".."} else Time(*time_span(end.value))
    if isinstance(end, Time) or (isinstance(end, Property) and end.kind == "time"):
        return end
    raise FilterError(
        f"an interval ends in {said(end)}; write a time in quotes, '..' or a property that is a time"
    )


Ends = tuple[_End, _End]
_Test = Callable[[Ends, Ends], Predicate]


def _after(a: Ends, b: Ends) -> Predicate:
    return compared(">", a[0], b[1])


def _earlier(a: Ends, b: Ends) -> Predicate:
    return compared("<", a[1], b[0])


def _disjoint(a: Ends, b: Ends) -> Predicate:
    return either([_earlier(a, b), _after(a, b)])


def _intersects(a: Ends, b: Ends) -> Predicate:
    return both([compared("<=", a[0], b[1]), compared(">=", a[1], b[0])])


def _equals(a: Ends, b: Ends) -> Predicate:
    return both([compared("=", a[0], b[0]), compared("=", a[1], b[1])])


def _during(a: Ends, b: Ends) -> Predicate:
    return both([compared(">", a[0], b[0]), compared("<", a[1], b[1])])


def _starts(a: Ends, b: Ends) -> Predicate:
    return both([compared("=", a[0], b[0]), compared("<", a[1], b[1])])


def _finishes(a: Ends, b: Ends) -> Predicate:
    return both([compared(">", a[0], b[0]), compared("=", a[1], b[1])])


def _meets(a: Ends, b: Ends) -> Predicate:
    return compared("=", a[1], b[0])


def _overlaps(a: Ends, b: Ends) -> Predicate:
    return both([compared("<", a[0], b[0]), compared(">", a[1], b[0]), compared("<", a[1], b[1])])


def _turned(test: _Test) -> _Test:
    return lambda a, b: test(b, a)


_TEMPORAL: Final[Mapping[str, _Test]] = {
    "T_AFTER": _after, "T_BEFORE": _earlier, "T_DISJOINT": _disjoint, "T_INTERSECTS": _intersects,
    "T_EQUALS": _equals, "T_DURING": _during, "T_CONTAINS": _turned(_during), "T_STARTS": _starts,
    "T_STARTEDBY": _turned(_starts), "T_FINISHES": _finishes, "T_FINISHEDBY": _turned(_finishes),
    "T_MEETS": _meets, "T_METBY": _turned(_meets), "T_OVERLAPS": _overlaps,
    "T_OVERLAPPEDBY": _turned(_overlaps),
}  # fmt: skip

TEMPORAL: Final = tuple(_TEMPORAL)
"""The operators for times."""


def temporal(name: str, left: Node, right: Node) -> Predicate:
    """Ask how two times or intervals stand to each other.

    Parameters
    ----------
    name
        The operator.
    left, right
        Times, days, intervals, or columns of times. An instant is an interval that ends where it begins.

    Returns
    -------
    Predicate
        The test.

    Raises
    ------
    FilterError
        They are something else.
    """
    ends = _ends(name, left), _ends(name, right)
    if name == "T_EQUALS" and not isinstance(left, Interval) and not isinstance(right, Interval):
        return compared("=", left, right)  # an instant within a day is that day
    return _TEMPORAL[name](*ends)


def _ends(name: str, node: Node) -> Ends:
    match node:
        case Interval(start=start, end=end):
            first = Time(start.first, start.first) if isinstance(start, Time) else start
            last = Time(end.last, end.last) if isinstance(end, Time) else end
            return first, last
        case Time(first=begin, last=finish):
            return Time(begin, begin), Time(finish, finish)
        case Property(kind="time"):
            return node, node
        case Constant(value=str(text)):
            begin, finish = time_span(text)
            return Time(begin, begin), Time(finish, finish)
    raise FilterError(
        f"{name} is asked of {said(node)}, which is no time; write for example TIMESTAMP('2026-10-01T00:00:00Z')"
    )
