"""How do events and cases lie in a database: SQLite or PostgreSQL, the same tables?

Times are microseconds since 1970 in UTC, so that both databases keep and order them alike. Events can only be added: the
database itself refuses to change or delete one.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import (
    BigInteger,
    Column,
    CursorResult,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    RowMapping,
    Table,
    Text,
    UniqueConstraint,
)

from gisgrid.casework.ledger.cases import COLUMNS, Case
from gisgrid.casework.ledger.events import Event, StoredEvent

SCHEMA_VERSION: Final = "2"
NEVER: Final = 2**62
"""The deadline of a case without one: it sorts last in both databases."""

TIMES: Final = (
    "reported_at", "uploaded_at", "filed_at", "dispatched_at", "handled_at", "closed_at", "due_at", "state_at", "changed_at",
)  # fmt: skip
_NEEDED: Final = (
    "case_id",
    "state",
    "reported_at",
    "uploaded_at",
    "due_at",
    "state_at",
    "changed_at",
)
_NUMBERS: Final = ("n_returns", "n_reworks", "n_hand_overs", "n_reopenings", "version", "last_seq")
_CELLS_PER_DEGREE: Final = 200
_CELLS_PER_ROW: Final = 360 * _CELLS_PER_DEGREE
_MOST_CELL_ROWS: Final = 64

_BIG: Final = BigInteger().with_variant(Integer(), "sqlite")

_ID: Final = Text().with_variant(Text(collation="C"), "postgresql")
"""Ordered by its characters, as in Python, whatever the language of the database."""

METADATA: Final = MetaData()

Row: TypeAlias = Mapping[str, Any] | RowMapping
"""Values by the names of columns."""

FACTS: Final = Table(
    "gisgrid_ledger", METADATA, Column("name", Text, primary_key=True), Column("value", Text)
)
"""What the ledger knows about itself: the version of its tables, its life cycle."""

EVENTS: Final = Table(
    "events",
    METADATA,
    Column("seq", _BIG, primary_key=True, autoincrement=False),
    Column("client_id", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("case_id", _ID, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("sent_at", BigInteger),
    Column("recorded_at", BigInteger, nullable=False),
    Column("by", Text, nullable=False),
    Column("lon", Double),
    Column("lat", Double),
    Column("why", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    UniqueConstraint("client_id", "position"),
    UniqueConstraint("case_id", "version"),
)


def _case_column(name: str) -> Column[Any]:
    if name in TIMES:
        return Column(name, BigInteger, nullable=name not in _NEEDED)
    if name in _NUMBERS:
        return Column(name, BigInteger, nullable=False)
    if name in ("lon", "lat"):
        return Column(name, Double)
    if name == "case_id":
        return Column(name, _ID, primary_key=True)
    return Column(name, Text, nullable=name not in _NEEDED)


CASES: Final = Table(
    "cases", METADATA, *map(_case_column, COLUMNS), Column("cell", BigInteger, nullable=False)
)
Index("cases_by_owner", *(CASES.c[name] for name in ("owner", "state", "due_at", "case_id", "category_code")))  # fmt: skip
Index("cases_by_unit", *(CASES.c[name] for name in ("unit_code", "state", "due_at", "case_id")))
Index("cases_by_community", *(CASES.c[name] for name in ("community_code", "state", "due_at", "case_id", "owner")))  # fmt: skip
Index("cases_by_subdistrict", *(CASES.c[name] for name in ("subdistrict_code", "state", "due_at", "case_id", "owner")))  # fmt: skip
Index("cases_by_state", *(CASES.c[name] for name in ("state", "due_at", "owner", "category_code")))
Index("cases_by_report", CASES.c.reported_at, CASES.c.case_id)
Index("cases_by_change", CASES.c.changed_at, CASES.c.case_id)
Index("cases_by_closing", CASES.c.closed_at)
Index("cases_by_cell", CASES.c.cell)

_FUNCTION: Final = """
CREATE OR REPLACE FUNCTION gisgrid_events_are_only_added() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'events are only added'; END $$"""
_TRIGGER: Final = """
CREATE OR REPLACE TRIGGER events_only_added BEFORE UPDATE OR DELETE OR TRUNCATE ON events
EXECUTE FUNCTION gisgrid_events_are_only_added()"""
_SQLITE_TRIGGER: Final = """
CREATE TRIGGER events_no_{act} BEFORE {act} ON events BEGIN SELECT RAISE(ABORT, 'events are only added'); END"""
APPEND_ONLY: Final[Mapping[str, Sequence[str]]] = {
    "sqlite": [_SQLITE_TRIGGER.format(act=act) for act in ("update", "delete")],
    "postgresql": [_FUNCTION, _TRIGGER],
}

_GEOM: Final = """
ALTER TABLE cases ADD COLUMN geom geometry(Point, 4326)
GENERATED ALWAYS AS (ST_SetSRID(ST_MakePoint(lon, lat), 4326)) STORED"""
POINTS: Final = (
    "CREATE EXTENSION IF NOT EXISTS postgis",
    _GEOM,
    "CREATE INDEX cases_by_geom ON cases USING gist (geom)",
)
"""Where PostGIS is there, cases are points that any GIS opens."""

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
_SAID: Final = tuple(column.name for column in EVENTS.columns if column.name != "digest")


def microseconds(time: dt.datetime | None) -> int | None:
    """Give a time as the tables hold it.

    Parameters
    ----------
    time
        Aware, or None.

    Returns
    -------
    int or None
        Microseconds since 1970.
    """
    return None if time is None else (time - _EPOCH) // _MICROSECOND


def time_of(value: int | None) -> dt.datetime | None:
    """Give a time of the tables; None for None and for `NEVER`.

    Parameters
    ----------
    value
        Microseconds since 1970.

    Returns
    -------
    datetime or None
        In UTC.
    """
    return None if value is None or value == NEVER else _EPOCH + dt.timedelta(microseconds=value)


def event_row(stored: StoredEvent, position: int, before: bytes) -> dict[str, Any]:
    """Write an event as a row.

    Parameters
    ----------
    stored
        The event.
    position
        Which of its upload it is.
    before
        The digest of the event before it: each seals all that came earlier.

    Returns
    -------
    dict
        Values by column.
    """
    event = stored.event
    lon, lat = event.place or (None, None)
    row: dict[str, Any] = {
        "seq": stored.seq, "client_id": stored.client_id, "position": position, "case_id": event.case_id,
        "version": stored.version, "kind": event.kind, "at": microseconds(event.at),
        "sent_at": microseconds(stored.sent_at), "recorded_at": microseconds(stored.recorded_at), "by": event.by,
        "lon": lon, "lat": lat, "why": event.why, "data": event.data_text,
    }  # fmt: skip
    row["digest"] = digest(row, before)
    return row


def digest(row: Row, before: bytes) -> bytes:
    """Seal an event and all before it.

    Parameters
    ----------
    row
        The event's row.
    before
        The digest of the event before it; empty for the first.

    Returns
    -------
    bytes
        SHA-256, 32 bytes.
    """
    said = json.dumps([row[name] for name in _SAID], ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(before + said.encode()).digest()


def stored_event(row: Row) -> StoredEvent:
    """Read an event from a row.

    Parameters
    ----------
    row
        Values by column.

    Returns
    -------
    StoredEvent
        The event, without another check of what was checked when it came.
    """
    event = object.__new__(Event)
    place = None if row["lon"] is None else (row["lon"], row["lat"])
    at = time_of(row["at"])
    recorded = time_of(row["recorded_at"])
    assert at is not None  # noqa: S101 - the columns are not nullable
    assert recorded is not None  # noqa: S101
    for name, value in {
        "case_id": row["case_id"], "kind": row["kind"], "at": at, "by": row["by"], "place": place, "why": row["why"],
        "data": json.loads(row["data"]),
    }.items():  # fmt: skip
        object.__setattr__(event, name, value)
    return StoredEvent(
        row["seq"], event, row["version"], recorded, time_of(row["sent_at"]), row["client_id"]
    )


def case_row(case: Case) -> dict[str, Any]:
    """Write a case as a row.

    Parameters
    ----------
    case
        The case.

    Returns
    -------
    dict
        Values by column.
    """
    row: dict[str, Any] = dict(vars(case))
    for name in TIMES:
        row[name] = microseconds(row[name])
    if row["due_at"] is None:
        row["due_at"] = NEVER
    row["cell"] = -1 if case.lon is None or case.lat is None else cell_of(case.lon, case.lat)
    return row


def case_of(row: Row) -> Case:
    """Read a case from a row.

    Parameters
    ----------
    row
        Values by column.

    Returns
    -------
    Case
        The case.
    """
    values = {name: row[name] for name in COLUMNS}
    for name in TIMES:
        values[name] = time_of(values[name])
    return Case(**values)


def cell_of(lon: float, lat: float) -> int:
    """Give the number of the cell of 0.005 degrees in which a place lies.

    Parameters
    ----------
    lon, lat
        WGS84 degrees.

    Returns
    -------
    int
        Cells beside each other in a row have numbers one after the other.
    """
    return _line(lat) * _CELLS_PER_ROW + math.floor((lon + 180) * _CELLS_PER_DEGREE)


def cells_of(bbox: tuple[float, float, float, float]) -> list[tuple[int, int]] | None:
    """Give the runs of cells that a box touches.

    Parameters
    ----------
    bbox
        West, south, east, north in WGS84 degrees.

    Returns
    -------
    list of (first, last) or None
        None where they are so many that a search by cells is no help.
    """
    west, south, east, north = bbox
    if _line(north) - _line(south) >= _MOST_CELL_ROWS:
        return None
    first, last = cell_of(west, south), cell_of(east, south)
    lines = range(_line(north) - _line(south) + 1)
    return [(first + i * _CELLS_PER_ROW, last + i * _CELLS_PER_ROW) for i in lines]


def _line(lat: float) -> int:
    return math.floor((lat + 90) * _CELLS_PER_DEGREE)


_ROWS_AT_ONCE: Final = 2_000
_MOMENT: Final = pa.timestamp("us", tz="UTC")
_TYPES: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(("seq", "version", "position", *_NUMBERS), pa.int64()),
    **dict.fromkeys(("lon", "lat"), pa.float64()),
    **dict.fromkeys((*TIMES, "at", "sent_at", "recorded_at"), _MOMENT),
}


def frame_of(result: CursorResult[Any], columns: Sequence[str]) -> pd.DataFrame:
    """Make a frame of what a question to the tables gave.

    Parameters
    ----------
    result
        With its rows still to be read.
    columns
        The names of their values.

    Returns
    -------
    DataFrame
        Times in UTC, codes as text, missing values as such; the same types where there is no row.

    Notes
    -----
    Rows are read some thousand at a time, from the driver itself: no row is an object for longer than that.
    """
    cursor = result.cursor
    assert cursor is not None  # noqa: S101 - a question has rows
    kinds = [_TYPES.get(name, pa.string()) for name in columns]
    stored = [pa.int64() if kind == _MOMENT else kind for kind in kinds]
    chunks: list[list[pa.Array]] = [[] for _ in columns]
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        for chunk, values, kind in zip(chunks, zip(*rows, strict=True), stored, strict=True):
            chunk.append(pa.array(values, type=kind))
    result.close()
    arrays = [pa.chunked_array(chunk, type=kind).combine_chunks() for chunk, kind in zip(chunks, stored, strict=True)]  # fmt: skip
    arrays = [_moments(array) if kind == _MOMENT else array for array, kind in zip(arrays, kinds, strict=True)]  # fmt: skip
    frame: pd.DataFrame = pa.table(dict(zip(columns, arrays, strict=True))).to_pandas()
    return frame


def _moments(stored: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(stored, NEVER), pa.scalar(None, pa.int64()), stored).cast(_MOMENT)


def case_of_row(row: Mapping[Any, Any]) -> Case:
    """Make a case of a row of the ledger's frame.

    Parameters
    ----------
    row
        A value for each column of a case.

    Returns
    -------
    Case
        What is missing is None.
    """
    return Case(**{str(name): _plain(value) for name, value in row.items()})


def _plain(value: Any) -> Any:  # noqa: ANN401 - whatever a frame holds
    if value is None or value is pd.NaT or value is pd.NA or value != value:  # noqa: PLR0124 - NaN
        return None
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value
