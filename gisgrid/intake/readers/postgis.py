"""A table of PostGIS, streamed with COPY inside one read-only snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

import numpy as np
import pyarrow as pa
from pyarrow import csv as pacsv
from pyproj import CRS
from pyproj.exceptions import CRSError

from gisgrid.errors import InputError, did_you_mean
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import Batch, NoRowsError, Source, column_names
from gisgrid.schema import Text

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.sql import Composed

_BLOCK: Final = 8 << 20
_GEOMETRY: Final = frozenset({"geometry", "geography"})
_MOMENT: Final = """CASE WHEN isfinite({0}) THEN to_char({0}, 'YYYY-MM-DD"T"HH24:MI:SS.US') END"""
_TYPES: Final[dict[str, tuple[str, pa.DataType]]] = {
    "int2": ("{0}", pa.int64()),
    "int4": ("{0}", pa.int64()),
    "int8": ("{0}", pa.int64()),
    "float4": ("{0}", pa.float64()),
    "float8": ("{0}", pa.float64()),
    "bool": ("{0}", pa.bool_()),
    "date": ("CASE WHEN isfinite({0}) THEN {0} END", pa.date32()),
    "timestamp": (_MOMENT, pa.timestamp("us")),
    "timestamptz": (
        _MOMENT.replace("to_char({0}", "to_char({0} AT TIME ZONE 'UTC'") + " || 'Z'",
        pa.timestamp("us", "UTC"),
    ),
}
"""How a type is asked for, and what it becomes; all others are asked for as text."""


@dataclass(frozen=True)
class _Table:
    """A table, and the query that reads it. `dsn` may hold a password, `name` never does."""

    dsn: str
    name: str
    columns: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    has_geometry: bool
    n_rows: int
    query: Composed


def open_postgis(url: str, *, table: str | None = None) -> Source:
    """Open a table or a view of a PostgreSQL database, with or without PostGIS.

    Parameters
    ----------
    url
        ``postgresql://user@host/database#schema.table``, or ``…?table=schema.table``.
    table
        The table, where the address does not name it.

    Returns
    -------
    Source
        Typed columns and WKB, in the order of the primary key where there is one. Numbers of arbitrary precision are
        text, so that no digit is lost. Each reading sees one moment of the table.

    Raises
    ------
    InputError
        psycopg is not installed, the database does not answer, or there is no such table.
    """
    dsn, named = _split(url)
    table = named or table
    where = urlsplit(dsn).hostname or "the local server"
    if not table:
        raise InputError(
            f"the address of the database on {where!r} names no table; add it, for example …#public.reports"
        )
    schema, _, name = table.rpartition(".")
    with _connection(dsn, where) as connection:
        found, crs, notes = _described(connection, dsn, schema or None, name)
    if not found.n_rows:
        raise NoRowsError(f"table {found.name!r} has no rows; check that the import finished")
    return Source(
        name=found.name,
        format="postgis",
        columns=column_names(found.columns),
        crs=crs,
        n_rows=found.n_rows,
        notes=notes,
        stream=lambda: _batches(found, where),
    )


def _split(url: str) -> tuple[str, str | None]:
    """Part the address from the table it names."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query)
    named = [value for key, value in query if key == "table"]
    rest = urlencode([(key, value) for key, value in query if key != "table"])
    dsn = urlunsplit(parts._replace(query=rest, fragment=""))
    return dsn, unquote(parts.fragment) or (named[0] if named else None)


@contextmanager
def _connection(dsn: str, where: str) -> Iterator[Connection]:
    """Connect for reading only; what the database says becomes one sentence without the password."""
    try:
        import psycopg  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise InputError(
            "reading a database needs psycopg, which is not installed; install gisgrid[postgis]"
        ) from error
    try:
        with psycopg.connect(dsn, connect_timeout=15, application_name="gisgrid") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            connection.read_only = True
            yield connection
    except psycopg.Error as error:
        raise InputError(
            f"the database on {where!r} cannot be read ({first_line(error)}); check the address, the user and the table"
        ) from error


def _described(
    connection: Connection, dsn: str, schema: str | None, name: str
) -> tuple[_Table, CRS | None, tuple[Text, ...]]:
    """Ask what columns the table has, and make the query that reads them."""
    from psycopg import sql  # noqa: PLC0415 - an extra

    found = connection.execute(
        "SELECT c.oid, n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE c.relname = %s AND c.relkind IN ('r', 'v', 'm', 'p', 'f') "
        "AND (n.nspname = %s OR (%s::text IS NULL AND pg_table_is_visible(c.oid)))",
        (name, schema, schema),
    ).fetchone()
    if found is None:
        known = connection.execute(
            "SELECT schemaname || '.' || tablename FROM pg_tables "
            "WHERE schemaname NOT IN ('pg_catalog', 'information_schema') LIMIT 50"
        ).fetchall()
        asked = f"{schema}.{name}" if schema else name
        raise InputError(
            f"no table {asked!r} in the database{did_you_mean(asked, [str(row[0]) for row in known])}"
        )
    oid, schema_found, _ = found
    columns = connection.execute(
        "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
        "WHERE a.attrelid = %s AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        (oid,),
    ).fetchall()
    shapes = [str(column) for column, kind in columns if kind in _GEOMETRY]
    plain = [(str(column), str(kind)) for column, kind in columns if kind not in _GEOMETRY]
    table = sql.Identifier(str(schema_found), name)
    crs: CRS | None = None
    notes: tuple[Text, ...] = ()
    asked_for: list[sql.Composable] = [_asked_for(column, kind) for column, kind in plain]
    if shapes:
        shape = sql.Identifier(shapes[0])
        asked_for.append(
            sql.SQL("encode(ST_AsBinary(ST_Force2D({}::geometry)), 'hex')").format(shape)
        )
        crs = _crs(
            connection,
            sql.SQL("SELECT ST_SRID({}::geometry) FROM {} WHERE {} IS NOT NULL LIMIT 1").format(
                shape, table, shape
            ),
        )
        notes = (Text(zh=f"几何列 {shapes[0]!r}", en=f"geometry is the column {shapes[0]!r}"),)
    query = sql.SQL("COPY (SELECT {} FROM {}{}) TO STDOUT WITH (FORMAT csv)").format(
        sql.SQL(", ").join(asked_for), table, _order(connection, oid)
    )
    n_rows = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(table)).fetchone()
    types = tuple(_TYPES.get(kind, ("", pa.string()))[1] for _, kind in plain)
    return (
        _Table(
            dsn, f"{schema_found}.{name}", tuple(column for column, _ in plain), types, bool(shapes),
            int(n_rows[0]) if n_rows else 0, query,
        ),
        crs,
        notes,
    )  # fmt: skip


def _asked_for(column: str, kind: str) -> Composed:
    from psycopg import sql  # noqa: PLC0415 - an extra

    return sql.SQL(_TYPES.get(kind, ("{0}::text", None))[0]).format(sql.Identifier(column))


def _order(connection: Connection, oid: int) -> Composed:
    """Order by the primary key, so that a row has the same number each time."""
    from psycopg import sql  # noqa: PLC0415 - an extra

    keys = connection.execute(
        "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY(i.indkey) "
        "WHERE i.indrelid = %s AND i.indisprimary ORDER BY array_position(i.indkey::int2[], a.attnum)",
        (oid,),
    ).fetchall()
    if not keys:
        return sql.SQL("").format()
    return sql.SQL(" ORDER BY {}").format(
        sql.SQL(", ").join(sql.Identifier(str(row[0])) for row in keys)
    )


def _crs(connection: Connection, query: Composed) -> CRS | None:
    """Give the CRS by the number that the geometries bear."""
    row = connection.execute(query).fetchone()
    if row is None or not row[0]:
        return None
    known = connection.execute(
        "SELECT auth_name, auth_srid, srtext FROM spatial_ref_sys WHERE srid = %s", (row[0],)
    ).fetchone()
    for stated in (f"{known[0]}:{known[1]}", known[2]) if known else ():
        try:
            return CRS.from_user_input(stated)
        except CRSError:
            continue
    return None


def _batches(found: _Table, where: str) -> Iterator[tuple[Batch, float]]:
    at, n_bytes = 0, 0
    lines: list[bytes] = []
    with (
        _connection(found.dsn, where) as connection,
        connection.cursor() as cursor,
        cursor.copy(found.query) as copy,
    ):
        for data in copy:
            lines.append(bytes(data))
            n_bytes += len(data)
            if n_bytes >= _BLOCK:
                batch = _batch(found, b"".join(lines), at)
                at, n_bytes, lines = at + len(batch.rows), 0, []
                yield batch, min(1.0, at / found.n_rows)
    if lines:
        batch = _batch(found, b"".join(lines), at)
        yield batch, 1.0


def _batch(found: _Table, text: bytes, at: int) -> Batch:
    """Parse what COPY sent: an empty field without quotes is null, one with quotes is an empty text."""
    names = [str(n) for n in range(len(found.types) + found.has_geometry)]
    types = dict(zip(names, (*found.types, pa.string()), strict=False))
    try:
        table = pacsv.read_csv(
            pa.BufferReader(text),
            read_options=pacsv.ReadOptions(column_names=names, block_size=max(1 << 20, len(text))),
            parse_options=pacsv.ParseOptions(newlines_in_values=True, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=types, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""],
                true_values=["t"], false_values=["f"],
            ),
        )  # fmt: skip
    except pa.ArrowInvalid as error:
        raise InputError(
            f"table {found.name!r} holds a value that is not read ({first_line(error)})"
        ) from error
    rows = np.arange(at + 1, at + table.num_rows + 1, dtype=np.int64)
    wkb = _unhexed(table.column(names[-1])) if found.has_geometry else None
    kept = table.select(names[: len(found.types)]).rename_columns(column_names(found.columns))
    return Batch(rows, kept, wkb)


def _unhexed(column: pa.ChunkedArray) -> pa.Array:
    """Turn hexadecimal text into bytes, the whole column at once."""
    text = pa.concat_arrays([chunk.cast(pa.large_string()) for chunk in column.chunks])
    lengths = np.asarray(pa.compute.fill_null(pa.compute.binary_length(text), 0))
    ends = np.concatenate([[0], np.cumsum(lengths // 2)]).astype(np.int64)
    data = bytes.fromhex("".join(one for one in text.to_pylist() if one))
    array = pa.LargeBinaryArray.from_buffers(
        pa.large_binary(),
        len(text),
        [
            text.is_valid().buffers()[1] if text.null_count else None,
            pa.py_buffer(ends),
            pa.py_buffer(data),
        ],
    )
    return array.cast(pa.binary())
