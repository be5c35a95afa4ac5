"""What becomes of each row of a file: refused with its reason, or accepted with its place, times, class and marks."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.intake.classes.lookup import distinct_pairs
from gisgrid.intake.classes.taxonomy import Taxonomy, classify
from gisgrid.intake.examples import Examples
from gisgrid.intake.ingestion import FileCounts
from gisgrid.intake.pipeline.canonical import (
    FLAG_BITS,
    STATUSES,
    Registry,
    is_blank,
    source_word,
    status_word,
    texts_of,
)
from gisgrid.intake.pipeline.draft import Draft
from gisgrid.intake.pipeline.levels import Levels
from gisgrid.intake.pipeline.placing import Placed
from gisgrid.intake.pipeline.plan import TIME_ROLES, Plan
from gisgrid.intake.pipeline.rejects import Rejects
from gisgrid.intake.places.usable import PLACE_REASONS, chunk_of
from gisgrid.intake.readers.source import Batch
from gisgrid.intake.repeats.duplicates import row_hashes
from gisgrid.intake.times.reading import DAY_ONLY, FLAG_CODES, read_times, time_flags

SEPARATOR: Final = "\x00"
"""What parts scheme, code, class and own words in the number of a class."""

_NAT: Final = np.iinfo(np.int64).min
_TIME_BITS: Final = np.array(
    [sum((int(FLAG_BITS[code]) for at, code in enumerate(FLAG_CODES) if byte >> at & 1), 0) for byte in range(256)],
    dtype=np.uint32,
)  # fmt: skip


@dataclass
class Tally:
    """The rows of one file, counted as they come."""

    name: str
    n_read: int = 0
    n_accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)

    def counts(self) -> FileCounts:
        """Give the counts; they must add up."""
        return FileCounts(
            self.name, self.n_read, self.n_accepted, dict(self.rejected.most_common())
        )


@dataclass(frozen=True)
class Gathering:
    """What the rows of all files go to.

    Attributes
    ----------
    draft, rejects
        The accepted and the rejected rows.
    levels
        The units.
    examples
        The rows that show a problem.
    categories, sources
        The classes and the sources that occur.
    as_of
        When the files were exported.
    flags
        How many rows have each flag.
    n_assigned
        Per level, how many rows lie in a unit.
    """

    draft: Draft
    rejects: Rejects
    levels: Levels
    as_of: dt.datetime
    examples: Examples = field(default_factory=Examples)
    categories: Registry = field(default_factory=Registry)
    sources: Registry = field(default_factory=Registry)
    flags: Counter[str] = field(default_factory=Counter)
    n_assigned: Counter[str] = field(default_factory=Counter)


def scheme_name(taxonomy: Taxonomy) -> str:
    """Name a scheme as the column ``category_scheme`` does: by its standard where it is one.

    Parameters
    ----------
    taxonomy
        Any scheme.

    Returns
    -------
    str
        For example ``GB/T 30428.2-2013``.
    """
    return taxonomy.also[0] if taxonomy.also else taxonomy.id


class FileRows:
    """The rows of one file, taken batch by batch."""

    def __init__(self, plan: Plan, file: int, gathering: Gathering) -> None:
        self.plan, self.file, self.into = plan, file, gathering
        self.tally = Tally(plan.source.name)

    def take(self, found: Placed) -> None:
        """Take the rows of a batch.

        Parameters
        ----------
        found
            Some rows of the file, and where they are.
        """
        batch, reason = found.batch, found.places.reason
        self.tally.n_read += batch.n_records
        self._refuse_records(batch)
        if not len(batch.rows):
            return
        own = self.into.draft.own.arranged(batch.table, self.file)
        table = batch.table
        numbers: dict[str, NDArray[Any]] = {
            "lon": found.lon, "lat": found.lat, "x": found.places.x, "y": found.places.y, "row": batch.rows,
            "flags": np.where(found.from_address, FLAG_BITS["place_from_address"], np.uint32(0)),
            **{f"unit{at}": positions for at, positions in enumerate(found.units)},
        }  # fmt: skip
        if reason.any():
            self._refuse_rows(batch, own, reason)
            kept = np.flatnonzero(reason == 0)
            at = pa.array(kept)
            own, table = [column.take(at) for column in own], table.take(at)
            numbers = {name: values[kept] for name, values in numbers.items()}
        if len(table):
            self._accept(table, own, numbers)

    def _refuse_records(self, batch: Batch) -> None:
        if not batch.refused:
            return
        name, examples = self.plan.source.name, self.into.examples
        self.into.rejects.add_records(name, batch.refused)
        for one in batch.refused:
            self.tally.rejected[one.reason] += 1
            if examples.wanted(one.reason) > 0:
                examples.add_text(one.reason, name, one.row, one.text)

    def _refuse_rows(self, batch: Batch, own: list[pa.Array], reason: NDArray[np.uint8]) -> None:
        name = self.plan.source.name
        for number in np.unique(reason[reason > 0]):
            code = PLACE_REASONS[number]
            at = np.flatnonzero(reason == number)
            self.tally.rejected[code] += len(at)
            self._show(code, at, batch.rows, batch.table)
        refused = np.flatnonzero(reason)
        take = pa.array(refused)
        self.into.rejects.add_rows(
            name, batch.rows[refused], [PLACE_REASONS[number] for number in reason[refused]],
            [column.take(take) for column in own],
        )  # fmt: skip

    def _show(
        self, code: str, at: NDArray[np.int64], rows: NDArray[np.int64], table: pa.Table
    ) -> None:
        wanted = self.into.examples.wanted(code)
        if wanted > 0:
            first = at[:wanted]
            self.into.examples.add(
                code,
                self.plan.source.name,
                rows[first],
                table.take(pa.array(first)),
                self.plan.roles,
            )

    def _accept(
        self, table: pa.Table, own: list[pa.Array], numbers: dict[str, NDArray[Any]]
    ) -> None:
        rows = numbers["row"]
        numbers["file"] = np.full(len(rows), self.file, np.int16)
        flags = numbers["flags"] | self._times(table, numbers)
        flags |= self._classes(table, numbers)
        self._words(table, numbers)
        flags |= self._units(numbers)
        numbers["flags"] = flags
        hashed = {f"{at}": column for at, column in enumerate(own)}
        if self.plan.findings.place_kind == "geometry":
            hashed |= {name: pa.array(numbers[name]) for name in ("lon", "lat")}
        numbers["row_hash"] = row_hashes(pa.table(hashed))
        numbers["id_hash"] = self._id_hashes(table)
        self.into.draft.add(own, numbers)
        self.tally.n_accepted += len(rows)
        for code, bit in FLAG_BITS.items():
            at = np.flatnonzero(flags & bit)
            if len(at):
                self.into.flags[code] += len(at)
                self._show(code, at, rows, table)

    def _times(self, table: pa.Table, numbers: dict[str, NDArray[Any]]) -> NDArray[np.uint32]:
        n = len(table)
        nothing = np.full(n, np.datetime64("NaT", "us"))
        times: dict[str, NDArray[np.datetime64]] = {}
        marks = np.zeros(n, np.uint8)
        reported_marks = marks
        for role, rule in self.plan.findings.times.items():
            times[role], flags = read_times(chunk_of(table[self.plan.roles[role]]), rule)
            marks = marks | flags
            if role == "reported_at":
                reported_marks = flags
        reported = times.get("reported_at", nothing)
        marks = marks | time_flags(
            reported, times.get("uploaded_at"), times.get("closed_at"), as_of=self.into.as_of,
            day_only=(marks & DAY_ONLY) > 0,
        )  # fmt: skip
        for role, name in zip(TIME_ROLES, ("reported", "uploaded", "closed"), strict=True):
            numbers[name] = times.get(role, nothing).view(np.int64)
        bits = _TIME_BITS[marks]
        if "reported_at" in times:
            bits[np.isnat(reported) & (reported_marks == 0)] |= FLAG_BITS["no_time"]
        return bits

    def _classes(self, table: pa.Table, numbers: dict[str, NDArray[Any]]) -> NDArray[np.uint32]:
        """Give each class a number: those of the scheme, and by their own words those that are in none."""
        n = len(table)
        codes, names = (self._column(table, role) for role in ("category_code", "category"))
        flags = np.zeros(n, np.uint32)
        if codes is None and names is None:
            numbers["category"] = np.full(n, -1, np.int32)
            return flags
        pairs = distinct_pairs(codes, names)
        some_codes = texts_of(pairs.codes.to_pylist(), pairs.code_at)
        some_names = texts_of(pairs.names.to_pylist(), pairs.name_at)
        number, flag = self._class_numbers(some_codes, some_names)
        numbers["category"] = number[pairs.at]
        return np.asarray(flag[pairs.at])

    def _class_numbers(
        self, codes: pa.Array, names: pa.Array
    ) -> tuple[NDArray[np.int32], NDArray[np.uint32]]:
        """Class the different pairs of code and name."""
        n = len(codes)
        scheme, code, category = "", pa.nulls(n, pa.string()), pa.nulls(n, pa.string())
        flags = np.zeros(n, np.uint32)
        if (taxonomy := self.plan.taxonomy) is not None and n:
            classes = classify(codes, names, taxonomy)
            scheme, code, category = scheme_name(taxonomy), classes.category_code, classes.category
            flags = _class_flags(classes.flags)
        is_known = pc.or_(pc.is_valid(code), pc.is_valid(category))
        own = pc.if_else(is_known, pa.scalar(None, pa.string()), pc.coalesce(codes, names))
        parts = [part.fill_null("") for part in (code, category, own)]
        joined = pc.binary_join_element_wise(scheme, *parts, SEPARATOR)
        return self.into.categories.numbers(joined, _class_word), flags

    def _words(self, table: pa.Table, numbers: dict[str, NDArray[Any]]) -> None:
        n = len(table)
        source, status = self._column(table, "source"), self._column(table, "status")
        numbers["source"] = (
            np.full(n, -1, np.int32)
            if source is None
            else self.into.sources.numbers(source, source_word)
        )
        said = np.full(n, -1, np.int8)
        if status is not None:
            states = Registry()
            found = states.numbers(status, status_word)
            order = np.array([STATUSES.index(word) for word in states.values] + [-1], np.int8)
            said = order[found]
        said[(said < 0) & (numbers["closed"] != _NAT)] = STATUSES.index("closed")
        numbers["status"] = said

    def _id_hashes(self, table: pa.Table) -> NDArray[np.uint64]:
        """Give equal ids equal numbers; 0 where there is none."""
        ids = self._column(table, "issue_id")
        if ids is None:
            return np.zeros(len(table), np.uint64)
        hashes = row_hashes(pa.table({"id": pc.utf8_trim_whitespace(ids)}))
        return np.where(np.asarray(is_blank(ids)), np.uint64(0), hashes)

    def _units(self, numbers: dict[str, NDArray[Any]]) -> NDArray[np.uint32]:
        n = len(numbers["row"])
        flags, inside = np.zeros(n, np.uint32), np.zeros(n, np.bool_)
        levels = self.into.draft.levels
        for at, level in enumerate(levels):
            found = numbers[f"unit{at}"] >= 0
            self.into.n_assigned[level] += int(found.sum())
            inside |= found
        outside = ~inside if levels else inside
        numbers["outside"] = outside
        flags[outside] |= FLAG_BITS["outside_units"]
        return flags

    def _column(self, table: pa.Table, role: str) -> pa.Array | None:
        column = self.plan.roles.get(role)
        if column is None:
            return None
        values = chunk_of(table[column])
        return values if pa.types.is_string(values.type) else values.cast(pa.string())


def _class_word(parts: str) -> str | None:
    return None if parts.endswith(3 * SEPARATOR) else parts


def _class_flags(flags: pa.Array) -> NDArray[np.uint32]:
    """Give the bit of each row's flag, none where it is empty."""
    coded = flags.dictionary_encode()
    bits = [FLAG_BITS[code] if code else np.uint32(0) for code in coded.dictionary.to_pylist()]
    at = coded.indices.to_numpy(zero_copy_only=False)
    return np.asarray(np.array(bits, np.uint32)[at])
