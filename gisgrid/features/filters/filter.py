"""Filters as the rest of the project knows them: read once, combined, and turned into a mask over any table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from threading import Lock
from typing import Any, Final, Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import did_you_mean
from gisgrid.features.column import Kind
from gisgrid.features.filters.column_tests import Test
from gisgrid.features.filters.cql2_json import parse_json
from gisgrid.features.filters.cql2_text import parse_text
from gisgrid.features.filters.evaluation import prepared, run, searched_words
from gisgrid.features.filters.expression import among, both, either
from gisgrid.features.filters.limits import MAX_LITERALS, MAX_WORDS, FilterError, check_length
from gisgrid.features.filters.nodes import (
    Compare,
    Constant,
    Node,
    Predicate,
    Property,
    Spatial,
    Time,
    Truth,
)
from gisgrid.features.filters.shapes import Shape
from gisgrid.features.filters.times import FOREVER, interval_span
from gisgrid.features.filters.values import named
from gisgrid.features.filters.writing import written
from gisgrid.features.table import FeatureTable
from gisgrid.kept import Latest

Language = Literal["cql2-text", "cql2-json"]

ALWAYS: Final = Truth(value=True)
"""What every feature fulfils."""


@dataclass(frozen=True, eq=False)
class Filter:
    """A condition on features that never changes. Two that say the same in another order are equal.

    Attributes
    ----------
    condition
        The tree.
    key
        The condition as CQL2 text, the same for all ways to say it: the key for caches.
    """

    condition: Predicate = ALWAYS
    key: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "key", written(self.condition))

    @classmethod
    def parse(
        cls,
        text: str | Mapping[str, Any],
        *,
        fields: Mapping[str, Kind],
        language: Language = "cql2-text",
    ) -> Filter:
        r"""Read a filter in CQL2.

        Parameters
        ----------
        text
            The filter; in JSON it may also be what Python's json made of it.
        fields
            The properties that may be filtered by, and what they hold; see `FeatureTable.fields`.
        language
            CQL2 text or JSON.

        Returns
        -------
        Filter
            The filter.

        Raises
        ------
        FilterError
            It is too long or too deep, no CQL2, or asks for what is not there.

        Examples
        --------
        >>> Filter.parse("严重 >= 3 and 类别 in ('道路', '垃圾')", fields={"严重": "integer", "类别": "text"}).key
        '("严重" >= 3) AND ("类别" IN (\'垃圾\', \'道路\'))'
        """
        known = tuple(fields.items())
        if isinstance(text, str):
            check_length(text)
            return _parsed(text, known, language)
        return cls(parse_json(text, fields))

    @classmethod
    def from_datetime(cls, text: str, *, field: str) -> Filter:
        r"""Read what the parameter `datetime` of OGC API - Features holds.

        Parameters
        ----------
        text
            A day, an instant, or an interval that may be open: ``2026-10-01/..``. A day is the whole of it.
        field
            The column of times.

        Returns
        -------
        Filter
            The filter.

        Raises
        ------
        FilterError
            It is no time.

        Examples
        --------
        >>> Filter.from_datetime("../2026-01-01T00:00:00Z", field="reported_at").key
        '"reported_at" <= TIMESTAMP(\'2026-01-01T00:00:00Z\')'
        """
        first, last = interval_span(text)
        time = Property(field, "time")
        parts: list[Node] = []
        if first == last:
            parts.append(Compare("=", time, Time(first, first)))
        else:
            if first != -FOREVER:
                parts.append(Compare(">=", time, Time(first, first)))
            if last != FOREVER:
                parts.append(Compare("<=", time, Time(last, last)))
        return cls(both(parts))

    @classmethod
    def from_properties(
        cls, wanted: Mapping[str, str | Sequence[str]], *, fields: Mapping[str, Kind]
    ) -> Filter:
        """Demand values of properties, as an address spells them.

        Parameters
        ----------
        wanted
            Property to value, or to several of which one will do.
        fields
            The properties that may be filtered by, and what they hold.

        Returns
        -------
        Filter
            The filter.

        Raises
        ------
        FilterError
            There is no such property, or the value is none of its kind.

        Examples
        --------
        >>> Filter.from_properties({"severity": "3", "open": "true"}, fields={"severity": "integer", "open": "boolean"}).key
        '("open" = TRUE) AND ("severity" = 3)'
        """
        parts = []
        for name, values in wanted.items():
            if name not in fields:
                known = ", ".join(map(repr, sorted(fields))) or "none"
                hint = did_you_mean(name, fields)
                raise FilterError(
                    f"there is no property {name[:60]!r}{hint if 'did you' in hint else ''}; the ones to filter by are {known}"
                )
            texts = [values] if isinstance(values, str) else list(values)
            if len(texts) > MAX_LITERALS:
                raise FilterError(
                    f"{name!r} has {len(texts)} values and at most {MAX_LITERALS} are read; ask in several requests"
                )
            parts.append(_one_of(name, texts, fields))
        return cls(both(parts))

    @classmethod
    def bbox(cls, west: float, south: float, east: float, north: float) -> Filter:
        """Demand that a feature touches a box.

        Parameters
        ----------
        west, south, east, north
            Degrees (OGC:CRS84); a box that ends west of where it begins goes on past 180°.

        Returns
        -------
        Filter
            The filter.

        Raises
        ------
        FilterError
            It is no box.
        """
        return cls(Spatial("intersects", Shape.box(west, south, east, north)))

    def __and__(self, other: Filter) -> Filter:
        return Filter(both([self.condition, other.condition]))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Filter) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def is_all(self) -> bool:
        """Whether every feature passes, whatever it holds."""
        return self.condition == ALWAYS

    def mask(
        self, table: FeatureTable, rows: slice | NDArray[np.integer[Any]] | None = None
    ) -> NDArray[np.bool_]:
        """Say which features pass.

        Parameters
        ----------
        table
            The features.
        rows
            Which to ask: a run without a step, or positions; all by default.

        Returns
        -------
        array
            Shape (n of `rows`,). Where a value is missing that the answer depends on, a feature does not pass.

        Raises
        ------
        FilterError
            The table lacks a property.

        Notes
        -----
        Cost: some milliseconds per comparison for ten million rows. Asking for a run costs what the run is long.

        Examples
        --------
        >>> import pandas as pd
        >>> table = FeatureTable.from_frame(pd.DataFrame({"a": [1.0, None, 3.0]}), properties=["a"])
        >>> Filter.parse("a > 2", fields=table.fields).mask(table).tolist()
        [False, False, True]
        >>> Filter.parse("NOT a > 2", fields=table.fields).mask(table).tolist()
        [True, False, False]
        """
        n = len(table)
        test = _test(self, table)
        if rows is None:
            return run(test, slice(0, n))
        if isinstance(rows, slice):
            start, stop, _ = rows.indices(n)
            return run(test, slice(start, max(start, stop)))
        return run(test, np.asarray(rows, np.int64))


_Known = tuple[Test, int]
_prepared: Final[WeakKeyDictionary[FeatureTable, Latest[_Known]]] = WeakKeyDictionary()
_lock: Final = Lock()


def _test(wanted: Filter, table: FeatureTable) -> Test:
    """Make a condition ready for a table, or give what was made of late."""
    with _lock:
        latest = _prepared.get(table)
        if latest is None:
            latest = _prepared[table] = Latest(lambda known: known[1])

    def make() -> _Known:
        n_words = searched_words(wanted.condition, table)
        if n_words > MAX_WORDS:
            raise FilterError(
                f"the filter searches through {n_words:,} different texts and at most {MAX_WORDS:,} are searched; "
                "use fewer LIKE or CASEI, or ask of another property"
            )
        return prepared(wanted.condition, table), n_words + 4096 + len(wanted.key)

    return latest.get(wanted.key, make)[0]


@lru_cache(maxsize=512)
def _parsed(text: str, fields: tuple[tuple[str, Kind], ...], language: Language) -> Filter:
    known = dict(fields)
    if language == "cql2-json":
        return Filter(parse_json(text, known))
    if language == "cql2-text":
        return Filter(parse_text(text, known))
    raise FilterError(f"filter-lang {language!r} is not read; write cql2-text or cql2-json")


def _one_of(name: str, texts: Sequence[str], fields: Mapping[str, Kind]) -> Predicate:
    column = named(name, fields)
    for text in texts:
        check_length(text)
    if fields[name] == "time":
        return either(Filter.from_datetime(text, field=name).condition for text in texts)
    return among(column, [Constant(_value(name, text, fields[name])) for text in texts])


def _value(name: str, text: str, kind: Kind) -> str | int | float | bool:
    if kind == "text":
        return text
    if kind == "boolean":
        said = {"true": True, "1": True, "false": False, "0": False}.get(text.strip().lower())
        if said is not None:
            return said
    else:
        try:
            number = int(text) if len(text) <= 18 and text.lstrip("+-").isdigit() else float(text)
            if np.isfinite(number):
                return number
        except ValueError:
            pass
    raise FilterError(
        f"{name}={text[:40]!r} is no {kind}; write {'true or false' if kind == 'boolean' else 'a number'}"
    )
