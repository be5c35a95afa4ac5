"""Where do the rows wait until all have been read? On disk as they came; in memory only what repeats are found by."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from gisgrid.intake.places.usable import chunk_of

KEPT: Final[Mapping[str, Any]] = {
    "row_hash": np.uint64,
    "id_hash": np.uint64,
    "lon": np.float64,
    "lat": np.float64,
    "reported": np.int64,
    "category": np.int32,
    "source": np.int32,
    "outside": np.bool_,
}
"""What stays in memory of every accepted row: 45 bytes."""

SPILLED: Final[Mapping[str, Any]] = {
    "x": np.float64,
    "y": np.float64,
    "uploaded": np.int64,
    "closed": np.int64,
    "flags": np.uint32,
    "status": np.int8,
    "file": np.int16,
    "row": np.int64,
}
"""What else is known of a row and waits on disk beside its own columns."""


@dataclass(frozen=True)
class OwnColumns:
    """The columns of all files together, as the result shall have them.

    Attributes
    ----------
    names
        Their names in the result.
    types
        Their types: a file's own, text where files differ.
    positions
        Per file, where each of its columns goes.
    """

    names: tuple[str, ...]
    types: tuple[pa.DataType, ...]
    positions: tuple[tuple[int, ...], ...]

    @classmethod
    def of(cls, schemas: Sequence[pa.Schema], *, taken: Sequence[str]) -> OwnColumns:
        """Put the columns of several files side by side.

        Parameters
        ----------
        schemas
            Per file, its columns.
        taken
            Names that the result needs for itself: a file's column of that name gets ``.source`` behind it.

        Returns
        -------
        OwnColumns
            Columns of the same name are one.

        Examples
        --------
        >>> schema = pa.schema([("编号", pa.string()), ("status", pa.string())])
        >>> OwnColumns.of([schema], taken=["status"]).names
        ('编号', 'status.source')
        """
        known: dict[str, pa.DataType] = {}
        for schema in schemas:
            for one in schema:
                same = known.setdefault(one.name, one.type)
                if same != one.type:
                    known[one.name] = pa.string()
        names: dict[str, str] = {}
        used = {name.casefold() for name in taken}
        for name in known:
            free = name
            while free.casefold() in used or (free != name and free in known):
                free = f"{free}.source"
            used.add(free.casefold())
            names[name] = free
        order = {name: at for at, name in enumerate(known)}
        positions = tuple(tuple(order[name] for name in schema.names) for schema in schemas)
        return cls(tuple(names.values()), tuple(known.values()), positions)

    def arranged(self, table: pa.Table, file: int) -> list[pa.Array]:
        """Bring a batch of a file into the order and types of the result.

        Parameters
        ----------
        table
            Rows of the file.
        file
            Which file.

        Returns
        -------
        list of pyarrow.Array
            One per column; null where this file has not got it.
        """
        arranged: list[pa.Array | None] = [None] * len(self.names)
        for column, at in zip(table.columns, self.positions[file], strict=True):
            values = chunk_of(column)
            arranged[at] = values if values.type == self.types[at] else values.cast(self.types[at])
        return [
            pa.nulls(len(table), kind) if values is None else values
            for values, kind in zip(arranged, self.types, strict=True)
        ]


class Draft:
    """Accepted rows, written as they come and read again in the same order.

    Own columns, and what `SPILLED` names, go to an Arrow file that is mapped into memory when it is read; what `KEPT`
    names stays in arrays.
    """

    def __init__(self, path: Path, own: OwnColumns, levels: Sequence[str]) -> None:
        self.own, self.levels = own, tuple(levels)
        self._path = path
        spilled = {**SPILLED, **{f"unit{at}": np.int32 for at in range(len(self.levels))}}
        self._spilled = tuple(spilled)
        self.schema = pa.schema(
            [(f"own{at}", kind) for at, kind in enumerate(own.types)]
            + [(name, pa.from_numpy_dtype(kind)) for name, kind in spilled.items()]
        )
        self._sink = pa.OSFile(str(path), "wb")
        self._writer = pa.ipc.new_file(self._sink, self.schema)
        self._parts: dict[str, list[NDArray[Any]]] = {name: [] for name in KEPT}
        self._kept: dict[str, NDArray[Any]] = {}
        self.n_rows = 0

    def __enter__(self) -> Self:
        """Give the draft itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the file, whatever happened."""
        self._close()

    def add(self, own: Sequence[pa.Array], numbers: Mapping[str, NDArray[Any]]) -> None:
        """Add rows.

        Parameters
        ----------
        own
            Their own columns, arranged.
        numbers
            What `KEPT` and `SPILLED` name, and ``unit0``, ``unit1``, … per level; each of shape (n,).
        """
        n = len(numbers["row"])
        arrays = [*own, *(pa.array(numbers[name]) for name in self._spilled)]
        self._writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=self.schema))
        for name, kind in KEPT.items():
            self._parts[name].append(np.ascontiguousarray(numbers[name], dtype=kind))
        self.n_rows += n

    def finish(self) -> None:
        """End the writing; from now on the rows can be read."""
        self._close()
        for name, kind in KEPT.items():
            parts = self._parts.pop(name)
            self._kept[name] = np.concatenate(parts) if parts else np.empty(0, kind)

    def kept(self, name: str) -> NDArray[Any]:
        """Give a column that stayed in memory.

        Parameters
        ----------
        name
            One of `KEPT`.

        Returns
        -------
        ndarray
            Shape (n_rows,).
        """
        return self._kept[name]

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Give the rows again, part by part, mapped from the disk.

        Yields
        ------
        RecordBatch
            As they were added.
        """
        with pa.memory_map(str(self._path)) as mapped:
            reader = pa.ipc.open_file(mapped)
            for at in range(reader.num_record_batches):
                yield reader.get_batch(at)

    def column(self, name: str) -> pa.ChunkedArray:
        """Give a column that waits on disk, mapped: nothing is read before it is looked at.

        Parameters
        ----------
        name
            ``own0`` … or one of `SPILLED`.

        Returns
        -------
        pyarrow.ChunkedArray
            Shape (n_rows,).
        """
        reader = pa.ipc.open_file(pa.memory_map(str(self._path)))
        at = self.schema.get_field_index(name)
        chunks = [reader.get_batch(i).column(at) for i in range(reader.num_record_batches)]
        return pa.chunked_array(chunks, self.schema.field(at).type)

    def _close(self) -> None:
        if not self._sink.closed:
            self._writer.close()
            self._sink.close()
