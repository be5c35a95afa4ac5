"""Single values in a filter: columns by their names, texts whose case does not count, and calculations."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Final, cast

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import did_you_mean
from gisgrid.features.column import Kind
from gisgrid.features.filters.limits import MAX_DEPTH, FilterError
from gisgrid.features.filters.nodes import (
    SCALARS,
    Arithmetic,
    Constant,
    Fold,
    Folded,
    Geometry,
    Node,
    Number,
    Property,
    Scalar,
    ScalarKind,
    said,
)

GEOMETRY_NAMES: Final = ("geometry", "geom")
"""What a filter may call the geometry of a feature."""

_KIND_OF: Final[Mapping[Kind, ScalarKind]] = {
    "text": "text", "integer": "number", "number": "number", "boolean": "boolean", "time": "time",
}  # fmt: skip


def named(name: str, fields: Mapping[str, Kind]) -> Property | Geometry:
    """Find what a name stands for.

    Parameters
    ----------
    name
        As the filter spells it.
    fields
        The properties there are.

    Returns
    -------
    Property or Geometry
        A property of that name, else the geometry where it is called so.

    Raises
    ------
    FilterError
        There is nothing of that name.
    """
    if name in fields:
        return Property(name, _KIND_OF[fields[name]])
    if name in GEOMETRY_NAMES:
        return Geometry()
    known = ", ".join(map(repr, sorted(fields))) or "none"
    close = did_you_mean(name, fields)
    hint = close if "did you mean" in close else ""
    raise FilterError(
        f"there is no property {name[:60]!r}{hint}; the ones to filter by are {known}"
    )


def folded(fold: Fold, of: Node) -> Folded:
    """Make case or accents of a text not count.

    Parameters
    ----------
    fold
        Which of both.
    of
        The text.

    Returns
    -------
    Folded
        The text.

    Raises
    ------
    FilterError
        It is no text.
    """
    if isinstance(of, Constant | Property | Folded) and of.kind == "text":
        return Folded(fold, of)
    raise FilterError(f"{fold} is asked of {said(of)}, which is no text; leave it out")


_ARITHMETIC: Final[Mapping[str, Callable[[np.float64, np.float64], np.float64]]] = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "%": np.fmod,
    "^": operator.pow, "div": lambda a, b: np.trunc(a / b),
}  # fmt: skip


def shortest(number: float) -> int | float:
    """Write a number in one way: 1 for 1.0, 0 for -0.0.

    Parameters
    ----------
    number
        Finite.

    Returns
    -------
    int or float
        The same number.

    Examples
    --------
    >>> shortest(1.0), shortest(-0.0), shortest(0.5), shortest(1e300)
    (1, 0, 0.5, 1e+300)
    """
    if abs(number) < 10**15:
        return int(number) if number == int(number) else number
    return number if isinstance(number, int) and abs(number) < 10**18 else float(number)


def calculated(sign: str, left: Node, right: Node) -> Number:
    """Calculate with two numbers.

    Parameters
    ----------
    sign
        One of ``+ - * / % ^ div``.
    left, right
        The numbers.

    Returns
    -------
    Number
        A constant where both are.

    Raises
    ------
    FilterError
        Either is no number, or operations nest too deep.
    """
    one, other = _number(left, sign), _number(right, sign)
    if isinstance(one, Constant) and isinstance(other, Constant):
        if sign in {"+", "-"} and isinstance(one.value, int) and isinstance(other.value, int):
            return Constant(one.value + other.value if sign == "+" else one.value - other.value)
        with np.errstate(all="ignore"):
            value = float(_ARITHMETIC[sign](np.float64(one.value), np.float64(other.value)))
        return Constant(shortest(value) if np.isfinite(value) else float("nan"))
    depth = 1 + max(part.depth if isinstance(part, Arithmetic) else 0 for part in (one, other))
    if depth > MAX_DEPTH:
        raise FilterError(
            f"the filter calculates {depth} operations within each other and at most {MAX_DEPTH} are read; simplify it"
        )
    return Arithmetic(sign, one, other, depth)


def calculation(
    sign: str,
) -> Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]:
    """Give the function behind a sign, for arrays.

    Parameters
    ----------
    sign
        One of ``+ - * / % ^ div``.

    Returns
    -------
    callable
        Of two arrays.
    """
    return cast(
        "Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.float64]]",
        _ARITHMETIC[sign],
    )


def _number(node: Node, sign: str) -> Number:
    if isinstance(node, Constant | Property | Arithmetic) and node.kind == "number":
        return node
    raise FilterError(f"{said(node)} stands beside {sign} but is no number; leave it out")


def scalar(node: Node) -> Scalar:
    """Take a node as a single value.

    Parameters
    ----------
    node
        Any node.

    Returns
    -------
    Scalar
        The value.

    Raises
    ------
    FilterError
        It is a place, an interval or a condition.
    """
    if isinstance(node, SCALARS):
        return node
    raise FilterError(
        f"{said(node)} stands where a single value must; use the S_ or T_ operators for places and intervals"
    )
