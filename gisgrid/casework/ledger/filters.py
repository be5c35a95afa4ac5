"""Which cases does a desk, an indicator or a map ask for, and how is that found among millions?"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from itertools import product
from typing import Any, Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    bindparam,
    false,
    func,
    or_,
    select,
    tuple_,
)

from gisgrid.casework.ledger.cases import Case
from gisgrid.casework.ledger.events import utc
from gisgrid.casework.ledger.tables import CASES, NEVER, cells_of, microseconds
from gisgrid.errors import InputError

Order = Literal["due_at", "reported_at", "changed_at"]
"""What a page of cases is ordered by; the case's id decides among equals."""

_SETS: Final = {
    "unit_codes": "unit_code",
    "community_codes": "community_code",
    "subdistrict_codes": "subdistrict_code",
    "owners": "owner",
    "category_codes": "category_code",
    "sources": "source",
    "states": "state",
    "case_ids": "case_id",
}
_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "unit_prefixes": ("unit_code", "community_code", "subdistrict_code"),
    "category_prefixes": ("category_code",),
}
_LEADS: Final = ("unit_codes", "community_codes", "subdistrict_codes", "owners")
"""The narrowest comes first: each has an index on (it, state, due_at)."""
_MOST_RUNS: Final = 120
_BOUNDS: Final = ("due_from", "due_before", "reported_from", "reported_to", "closed_from", "closed_to", "changed_from", "changed_to")  # fmt: skip


@dataclass(frozen=True)
class CaseFilter:
    """What cases must be like; every condition that is given must hold.

    Attributes
    ----------
    owners, states, unit_codes, community_codes, subdistrict_codes, category_codes, sources, case_ids
        One of these; None for any, empty for none at all (somebody who may see nothing sees nothing).
    due_from, due_before
        Deadline in this half-open span; cases without deadline are left out.
    reported_from, reported_to
        Seen in this half-open span.
    closed_from, closed_to
        Closed in this half-open span.
    changed_from, changed_to
        Changed last in this half-open span.
    unit_prefixes
        The code of the unit, of its community or of its sub-district begins with one of these.
    category_prefixes
        The code of the class begins with one of these.
    bbox
        West, south, east, north in WGS84 degrees.
    outside
        True for cases that lie in no unit, False for those that lie in one; None for both.

    Examples
    --------
    >>> mine = CaseFilter(owners=("sanitation",), states=("dispatched",))
    >>> (mine & CaseFilter(owners=("police", "sanitation"))).owners
    ('sanitation',)
    """

    owners: Collection[str] | None = None
    states: Collection[str] | None = None
    unit_codes: Collection[str] | None = None
    community_codes: Collection[str] | None = None
    subdistrict_codes: Collection[str] | None = None
    category_codes: Collection[str] | None = None
    sources: Collection[str] | None = None
    case_ids: Collection[str] | None = None
    due_from: dt.datetime | None = None
    due_before: dt.datetime | None = None
    reported_from: dt.datetime | None = None
    reported_to: dt.datetime | None = None
    closed_from: dt.datetime | None = None
    closed_to: dt.datetime | None = None
    changed_from: dt.datetime | None = None
    changed_to: dt.datetime | None = None
    unit_prefixes: Collection[str] | None = None
    category_prefixes: Collection[str] | None = None
    bbox: tuple[float, float, float, float] | None = None
    outside: bool | None = None

    def __post_init__(self) -> None:
        for name in (*_SETS, *_PREFIXES):
            values = getattr(self, name)
            if isinstance(values, str):
                raise InputError(
                    f"{name} is the text {values!r} but must be several; write ({values!r},)"
                )
            if values is not None:
                if any(isinstance(value, str) and "\0" in value for value in values):
                    raise InputError(
                        f"{name} holds NUL, which is no character of a text; leave it out"
                    )
                object.__setattr__(self, name, tuple(dict.fromkeys(values)))
        for name in _BOUNDS:
            if (value := getattr(self, name)) is not None:
                object.__setattr__(self, name, utc(value, name))
        if self.bbox is not None and not (
            -180 <= self.bbox[0] <= self.bbox[2] <= 180
            and -90 <= self.bbox[1] <= self.bbox[3] <= 90
        ):
            raise InputError(
                f"bbox is {self.bbox!r} but must be west, south, east, north in degrees, west to east and south to north"
            )

    def __and__(self, other: CaseFilter) -> CaseFilter:
        """Demand both: what somebody asks for, within what they may see."""
        found: dict[str, Any] = {}
        for field in fields(self):
            a, b = getattr(self, field.name), getattr(other, field.name)
            found[field.name] = b if a is None else a if b is None else _both(field.name, a, b)
        if () in (found["bbox"], found["outside"]):
            return CaseFilter(case_ids=())
        return CaseFilter(**found)

    def includes(self, case: Case) -> bool:
        """Tell of one case whether it passes, as the database would.

        Parameters
        ----------
        case
            The case.

        Returns
        -------
        bool
            Whether every condition that is given holds.

        Notes
        -----
        CRS: the box is in WGS84 degrees.
        """
        sets = all(getattr(case, column) in values for name, column in _SETS.items() if (values := getattr(self, name)) is not None)  # fmt: skip
        begun = all(_begins(case, columns, prefixes) for name, columns in _PREFIXES.items() if (prefixes := getattr(self, name)) is not None)  # fmt: skip
        placed = self.outside is None or self.outside == (case.unit_code is None)
        return sets and begun and placed and self._in_time(case) and self._in_box(case)

    def _in_time(self, case: Case) -> bool:
        for bound in _BOUNDS:
            if (limit := getattr(self, bound)) is None:
                continue
            name, _, side = bound.rpartition("_")
            moment = getattr(case, f"{name}_at")
            if moment is None or (moment < limit) != (side in ("to", "before")):
                return False
        return True

    def _in_box(self, case: Case) -> bool:
        if self.bbox is None:
            return True
        west, south, east, north = self.bbox
        return (
            case.lon is not None
            and case.lat is not None
            and west <= case.lon <= east
            and south <= case.lat <= north
        )


def _begins(case: Case, columns: Sequence[str], prefixes: Collection[str]) -> bool:
    return any((getattr(case, name) or "").startswith(tuple(prefixes)) for name in columns)


def _both(name: str, a: Any, b: Any) -> Any:  # noqa: ANN401 - the types differ by name
    if name in _SETS:
        return tuple(value for value in a if value in set(b))
    if name in _PREFIXES:
        return tuple(dict.fromkeys(max(x, y) for x in a for y in b if x.startswith(y) or y.startswith(x)))  # fmt: skip
    if name == "bbox":
        west, south, east, north = (
            max(a[0], b[0]),
            max(a[1], b[1]),
            min(a[2], b[2]),
            min(a[3], b[3]),
        )
        return (west, south, east, north) if west <= east and south <= north else ()
    if name == "outside":
        return a if a == b else ()
    return max(a, b) if name.endswith("_from") else min(a, b)


def conditions(wanted: CaseFilter, *, without: Collection[str] = ()) -> list[ColumnElement[bool]]:
    """Write a filter as conditions on the table of cases.

    Parameters
    ----------
    wanted
        The filter.
    without
        Fields that are cared for elsewhere. Where there are any, the other sets are written so that a database does not
        take its index for them.

    Returns
    -------
    list
        Conditions; all must hold.
    """
    found: list[ColumnElement[bool]] = []
    for name, column_name in _SETS.items():
        values = getattr(wanted, name)
        if values is None or name in without:
            continue
        column = CASES.c[column_name]
        found.append((func.coalesce(column, "") if without else column).in_(values))
    for name, column_names in _PREFIXES.items():
        if (prefixes := getattr(wanted, name)) is not None:
            found.append(_begin(column_names, prefixes))
    return [*found, *_in_time(wanted), *_on_ground(wanted)]


def _in_time(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    c, found = CASES.c, list[ColumnElement[bool]]()
    for bound, column, is_upper in (
        (wanted.due_from, c.due_at, False), (wanted.due_before, c.due_at, True), (wanted.reported_from, c.reported_at, False),
        (wanted.reported_to, c.reported_at, True), (wanted.closed_from, c.closed_at, False),
        (wanted.closed_to, c.closed_at, True), (wanted.changed_from, c.changed_at, False),
        (wanted.changed_to, c.changed_at, True),
    ):  # fmt: skip
        if bound is not None:
            value = microseconds(bound)
            found.append(column < value if is_upper else column >= value)
    if wanted.due_from is not None and wanted.due_before is None:
        found.append(c.due_at < NEVER)
    return found


def _on_ground(wanted: CaseFilter) -> list[ColumnElement[bool]]:
    c, found = CASES.c, list[ColumnElement[bool]]()
    if wanted.outside is not None:
        found.append(c.unit_code.is_(None) if wanted.outside else c.unit_code.is_not(None))
    if wanted.bbox is not None:
        west, south, east, north = wanted.bbox
        found += [c.lon >= west, c.lon <= east, c.lat >= south, c.lat <= north]
        if (runs := cells_of(wanted.bbox)) is not None:
            found.append(or_(*(c.cell.between(first, last) for first, last in runs)))
    return found


def _begin(columns: Sequence[str], prefixes: Collection[str]) -> ColumnElement[bool]:
    """Demand that one of some columns begins with one of some texts, in whatever order a database sorts texts."""
    return or_(false(), *(func.substr(CASES.c[name], 1, len(prefix)) == prefix for name in columns for prefix in prefixes))  # fmt: skip


def page(
    connection: Connection,
    wanted: CaseFilter,
    columns: Sequence[str],
    *,
    states: Sequence[str],
    order: Order = "due_at",
    descending: bool = False,
    limit: int | None = None,
    after: tuple[dt.datetime | None, str] | None = None,
) -> CursorResult[Any]:
    """Read a page of cases.

    Parameters
    ----------
    connection
        In a transaction.
    wanted
        The filter.
    columns
        The columns to give.
    states
        All states of the life cycle.
    order
        What the page is ordered by.
    descending
        Whether the latest comes first.
    limit
        How many at most; None for all.
    after
        The ordering time and the id of the last case of the page before.

    Returns
    -------
    CursorResult
        The rows, in order.

    Notes
    -----
    A page by deadline is merged from one short ordered run per owner (or unit) and state, each read from the end of an
    index: its cost does not grow with the ledger.
    """
    chosen = select(*(CASES.c[name] for name in columns))
    ordered = (CASES.c[order], CASES.c.case_id)
    rest: list[ColumnElement[bool]] = []
    if after is not None:
        last = tuple_(NEVER if after[0] is None else microseconds(utc(after[0], "after")), after[1])
        rest.append(tuple_(*ordered) < last if descending else tuple_(*ordered) > last)
    runs = None
    if order == "due_at" and limit is not None and not descending:
        wanted = _led(connection, wanted)
        runs = _runs(wanted, states)
    if runs is None:
        sorting = [column.desc() for column in ordered] if descending else ordered
        statement = chosen.where(*conditions(wanted), *rest).order_by(*sorting).limit(limit)
        return connection.execute(statement)
    lead, asked = runs
    short = (
        select(*ordered)
        .where(CASES.c[_SETS[lead]] == bindparam("lead"), CASES.c.state == bindparam("state"))
        .where(*conditions(wanted, without=(lead, "states")), *rest)
        .order_by(*ordered)
        .limit(limit)
    )
    keys = sorted(tuple(row) for each in asked for row in connection.execute(short, each))[:limit]
    ids = [case_id for _, case_id in keys]
    return connection.execute(chosen.where(CASES.c.case_id.in_(ids)).order_by(*ordered))


def _led(connection: Connection, wanted: CaseFilter) -> CaseFilter:
    """Name the sub-districts in which cases of some grids lie, so that they are found by an index.

    A grid's code begins with that of its sub-district. Where cases have a grid and no sub-district, or no sub-district fits,
    the filter stays as it is.
    """
    prefixes = wanted.unit_prefixes
    if not prefixes or any(getattr(wanted, name) is not None for name in _LEADS):
        return wanted
    column = CASES.c.subdistrict_code
    least = select(func.min(column).label("code")).cte(recursive=True)
    following = select(func.min(column)).where(column > least.c.code).scalar_subquery()
    codes = least.union_all(select(following).where(least.c.code.is_not(None)))
    known = [code for code in connection.scalars(select(codes.c.code)) if code is not None]
    found = {prefix: [code for code in known if code.startswith(prefix) or prefix.startswith(code)] for prefix in prefixes}  # fmt: skip
    if not all(found.values()):
        return wanted
    loose = select(CASES.c.case_id).where(column.is_(None), _begin(("unit_code", "community_code"), prefixes)).limit(1)  # fmt: skip
    if connection.scalar(loose) is not None:
        return wanted
    return replace(wanted, subdistrict_codes=tuple(code for codes in found.values() for code in codes))  # fmt: skip


def _runs(wanted: CaseFilter, states: Sequence[str]) -> tuple[str, list[dict[str, str]]] | None:
    """Choose the index by which a page is found: its field, and what to ask it for, one by one."""
    lead = next((name for name in _LEADS if getattr(wanted, name) is not None), None)
    if lead is None:
        return None
    inside = wanted.states if wanted.states is not None else states
    asked = [
        {"lead": value, "state": state} for value, state in product(getattr(wanted, lead), inside)
    ]
    return (lead, asked) if len(asked) <= _MOST_RUNS else None
