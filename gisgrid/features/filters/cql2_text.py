"""CQL2 text: read by a parser of our own, which reads Chinese names and cannot be made to run away.

The text is cut into words first, in one pass without recursion, and its depth and its values are counted there; only
then does the parser walk the words, one call per bracket.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Literal, cast

from gisgrid.features.column import Kind
from gisgrid.features.filters.expression import (
    among,
    both,
    compared,
    either,
    matched,
    missing,
    negated,
    predicate,
)
from gisgrid.features.filters.limits import FilterError, check_counts, check_length
from gisgrid.features.filters.nodes import Constant, Fold, Node, Predicate, Relation, Time
from gisgrid.features.filters.relations import SPATIAL, TEMPORAL, interval, spatial, temporal
from gisgrid.features.filters.shapes import box_of, wkt_shape
from gisgrid.features.filters.times import time_span
from gisgrid.features.filters.values import calculated, folded, named, shortest

_Sort = Literal["name", "quoted", "text", "number", "sign", "end"]

_START: Final = (
    r"A-Za-z_:À-ÖØ-öø-\u02FF\u0370-\u037D\u037F-\u1FFE\u200C\u200D\u2070-\u218F\u2C00-\u2FEF"
    r"\u3001-\uD7FF\uF900-\uFDCF\uFDF0-\uFFFD\U00010000-\U000EFFFF"
)
_WORD: Final = re.compile(
    rf"(?P<space>\s+)|(?P<name>[{_START}][{_START}.0-9\u0300-\u036F\u203F\u2040]*)"
    r"|(?P<quoted>\"(?:[^\"]|\"\")+\")|(?P<text>'(?:[^'\\]|''|\\.)*')"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<sign><=|>=|<>|[-<>=+*/%^(),\[\]])",
    re.DOTALL,
)
_SHAPES: Final = frozenset(
    ("POINT", "LINESTRING", "POLYGON", "MULTIPOINT", "MULTILINESTRING", "MULTIPOLYGON", "GEOMETRYCOLLECTION")
)  # fmt: skip
_RELATIONS: Final = frozenset(("=", "<>", "<", "<=", ">", ">="))
_BINDING: Final[Mapping[str, int]] = {
    "OR": 1, "AND": 2, "=": 4, "<>": 4, "<": 4, "<=": 4, ">": 4, ">=": 4, "LIKE": 4, "BETWEEN": 4, "IN": 4, "IS": 4,
    "NOT": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6, "DIV": 6, "^": 7,
}  # fmt: skip
"""How tightly each holds what stands beside it; NOT here is that of NOT LIKE, NOT IN, NOT BETWEEN."""


@dataclass(frozen=True, slots=True)
class _Word:
    sort: _Sort
    text: str
    start: int
    stop: int

    @property
    def upper(self) -> str:
        """The word as a keyword or a sign, where it may be one."""
        return self.text.upper() if self.sort in {"name", "sign"} else ""


def parse_text(text: str, fields: Mapping[str, Kind]) -> Predicate:
    """Read CQL2 text.

    Parameters
    ----------
    text
        The filter.
    fields
        The properties there are.

    Returns
    -------
    Predicate
        What it demands.

    Raises
    ------
    FilterError
        It is too long, too deep, no CQL2, or asks for what is not there.
    """
    check_length(text)
    words = _words(text)
    _count(words)
    return _Parser(text, words, fields).whole()


def _words(text: str) -> list[_Word]:
    words, at = [], 0
    while at < len(text):
        found = _WORD.match(text, at)
        if found is None:
            raise FilterError(
                f"{_near(text, at)} cannot be read at {text[at]!r}; put texts in 'quotes' and odd names in \"quotes\""
            )
        if found.lastgroup != "space":
            words.append(_Word(cast("_Sort", found.lastgroup), found.group(), at, found.end()))
        at = found.end()
    words.append(_Word("end", "", at, at))
    return words


def _near(text: str, at: int) -> str:
    return f"the filter near character {at + 1} ({text[max(0, at - 20) : at + 20]!r})"


def _count(words: list[_Word]) -> None:
    depth = deepest = 0
    for word in words:
        if word.sort == "sign":
            depth += (word.text in "([") - (word.text in ")]")
            deepest = max(deepest, depth)
    check_counts(
        depth=deepest,
        literals=sum(word.sort in {"text", "number"} for word in words),
        # A sign before a number counts too, and a coordinate may have one.
        operators=sum(word.upper in _BINDING and word.text not in "+-" for word in words)
        + sum(
            before.sort != "sign" and word.text in "+-"
            for before, word in pairwise(words)
            if word.text
        ),
        places=sum(word.upper in SPATIAL for word in words),
    )


class _Parser:
    def __init__(self, text: str, words: list[_Word], fields: Mapping[str, Kind]) -> None:
        self.text, self.words, self.fields = text, words, fields
        self.at = 0

    def whole(self) -> Predicate:
        found = self.expression(0)
        if self.word.sort != "end":
            raise self.error("goes on after its end", "join conditions with AND or OR")
        return predicate(found)

    @property
    def word(self) -> _Word:
        return self.words[self.at]

    def next(self) -> _Word:
        word = self.words[self.at]
        self.at += word.sort != "end"
        return word

    def take(self, *expected: str) -> bool:
        """Go on if the next words are these."""
        ahead = [word.upper for word in self.words[self.at : self.at + len(expected)]]
        if ahead != list(expected):
            return False
        self.at += len(expected)
        return True

    def need(self, sign: str) -> None:
        if not self.take(sign):
            raise self.error(
                f"has {self.word.text[:40] or 'its end'!r} where {sign!r} must stand", "correct it"
            )

    def error(self, what: str, step: str) -> FilterError:
        return FilterError(f"{_near(self.text, self.word.start)} {what}; {step}")

    def expression(self, holds: int) -> Node:
        """Read a value or condition, and what follows as long as it is held more tightly than `holds`."""
        left = self.denied() if holds <= 3 else self.value()
        while (binding := _BINDING.get(self.word.upper, 0)) > holds:
            sign = self.word.upper
            if sign in {"AND", "OR"}:
                left = self.joined(left, sign, binding)
            elif binding == 4:
                left = self.tested(left)
                if _BINDING.get(self.word.upper, 0) == 4:
                    raise self.error(
                        "compares twice in a row",
                        "put one comparison in brackets, or join them with AND",
                    )
            elif sign == "^":
                left = self.powers(left)
            else:
                self.next()
                left = calculated(sign.lower(), left, self.expression(binding))
        return left

    def denied(self) -> Node:
        n = 0
        while self.take("NOT"):
            n += 1
        if n == 0:
            return self.value()
        found = predicate(self.expression(3))
        return negated(found) if n % 2 else found

    def joined(self, left: Node, sign: str, binding: int) -> Node:
        parts = [left]
        while self.take(sign):
            parts.append(self.expression(binding))
        return both(parts) if sign == "AND" else either(parts)

    def powers(self, first: Node) -> Node:
        parts = [first]
        while self.take("^"):
            parts.append(self.value())
        found = parts.pop()
        while parts:
            found = calculated("^", parts.pop(), found)
        return found

    def tested(self, left: Node) -> Node:
        sign = self.next().upper
        if sign in _RELATIONS:
            return compared(cast("Relation", sign), left, self.expression(4))
        if sign == "IS":
            denied = self.take("NOT")
            if not self.take("NULL"):
                raise self.error("has IS without NULL", "write IS NULL or IS NOT NULL")
            return negated(missing(left)) if denied else missing(left)
        denied = sign == "NOT"
        if denied:
            sign = self.next().upper
        match sign:
            case "LIKE":
                found = matched(left, self.expression(4))
            case "BETWEEN":
                found = self.between(left)
            case "IN":
                self.need("(")
                found = among(left, self.listed())
            case _:
                self.at -= 1
                raise self.error(
                    "has NOT without LIKE, IN or BETWEEN", "put NOT before the whole condition"
                )
        return negated(found) if denied else found

    def between(self, value: Node) -> Predicate:
        low = self.expression(4)
        self.need("AND")
        high = self.expression(4)
        return both([compared(">=", value, low), compared("<=", value, high)])

    def listed(self) -> list[Node]:
        """Read values up to the closing bracket."""
        if self.take(")"):
            return []
        found = [self.expression(0)]
        while self.take(","):
            found.append(self.expression(0))
        self.need(")")
        return found

    def value(self) -> Node:
        n = 0
        while self.word.upper in {"+", "-"}:
            n += self.next().upper == "-"
        found = self.operand()
        if n % 2 == 0:
            return found
        return calculated("-", Constant(0), found)

    def operand(self) -> Node:
        word = self.next()
        match word.sort:
            case "number":
                return Constant(_number(word.text))
            case "text":
                return Constant(_unquoted(word.text))
            case "quoted":
                return named(word.text[1:-1].replace('""', '"'), self.fields)
            case "name":
                return self.called(word)
        if word.upper == "(":
            found = self.expression(0)
            self.need(")")
            return found
        if word.upper == "[":
            raise FilterError(
                "the filter has a list in [ ], and properties here hold single values; use IN (…)"
            )
        self.at -= word.sort != "end"
        raise self.error(f"has {word.text or 'its end'!r} where a value must stand", "complete it")

    def called(self, word: _Word) -> Node:
        """Read what a name begins: a function where a bracket follows, else a constant or a property."""
        name = word.upper
        if name in _SHAPES and (
            self.word.upper == "(" or self.word.upper in {"Z", "M", "ZM", "EMPTY"}
        ):
            return wkt_shape(self.text[word.start : self.bracket_end()])
        if not self.take("("):
            if name in {"TRUE", "FALSE"} and word.text not in self.fields:
                return Constant(name == "TRUE")
            if name in _BINDING and word.text not in self.fields:
                self.at -= 1
                raise self.error(
                    f"has {word.text!r} where a value must stand", "complete what stands before it"
                )
            return named(word.text, self.fields)
        if name not in _FUNCTIONS:
            raise FilterError(
                f"there is no function {word.text[:40]!r}; there are: {', '.join(sorted(_FUNCTIONS))}"
            )
        n, make = _FUNCTIONS[name]
        arguments = self.listed()
        if len(arguments) not in n:
            raise FilterError(
                f"{name} has {len(arguments)} values and takes {' or '.join(map(str, n))}; correct it"
            )
        return make(name, arguments)

    def bracket_end(self) -> int:
        """Go past the bracket that is open now and say where it ends; what is inside is WKT."""
        depth = 0
        while True:
            word = self.next()
            depth += (word.text == "(") - (word.text == ")")
            if word.sort == "end":
                raise self.error("ends within a shape", "close its brackets")
            if depth == 0 and (word.text == ")" or word.upper == "EMPTY"):
                return word.stop


def _number(text: str) -> int | float:
    if text.isdigit() and len(text) <= 18:
        return int(text)
    number = float(text)
    if number == float("inf"):
        raise FilterError(
            f"the number {text[:20]} is beyond what can be calculated with; write a smaller one"
        )
    return shortest(number)


def _unquoted(text: str) -> str:
    # The backslash stays before what LIKE takes as it is; before a quote it only keeps the text open.
    return text[1:-1].replace("''", "'").replace("\\'", "'")


def _fold(name: str, values: list[Node]) -> Node:
    return folded(cast("Fold", name), values[0])


def _instant(name: str, values: list[Node]) -> Node:
    text = values[0]
    if not (isinstance(text, Constant) and isinstance(text.value, str)):
        raise FilterError(f"{name} has no text in quotes; write for example {name}('2026-10-01')")
    first, last = time_span(text.value)
    if name == "TIMESTAMP":
        return Time(first, first)
    return Time(first, last)


def _interval(name: str, values: list[Node]) -> Node:
    del name
    return interval(values[0], values[1])


def _box(name: str, values: list[Node]) -> Node:
    del name
    return box_of([one.value if isinstance(one, Constant) else None for one in values])


def _spatial(name: str, values: list[Node]) -> Node:
    return spatial(name, values[0], values[1])


def _temporal(name: str, values: list[Node]) -> Node:
    return temporal(name, values[0], values[1])


_FUNCTIONS: Final[Mapping[str, tuple[tuple[int, ...], Callable[[str, list[Node]], Node]]]] = {
    "CASEI": ((1,), _fold), "ACCENTI": ((1,), _fold), "DATE": ((1,), _instant), "TIMESTAMP": ((1,), _instant),
    "INTERVAL": ((2,), _interval), "BBOX": ((4, 6), _box), "ENVELOPE": ((4, 6), _box),
    **dict.fromkeys(SPATIAL, ((2,), _spatial)), **dict.fromkeys(TEMPORAL, ((2,), _temporal)),
}  # fmt: skip
"""How many values each takes, and what makes a node of them."""
