"""How shall this file be read? A first look at some of its rows, and what is decided by it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Final

import geopandas as gpd
import numpy as np
import pyarrow as pa

from gisgrid.datum import Datum
from gisgrid.errors import ColumnError, InputError
from gisgrid.intake.classes.taxonomy import (
    Taxonomy,
    TaxonomyFinding,
    detect_taxonomy,
    taxonomy_named,
)
from gisgrid.intake.columns.mapping import ColumnMapping
from gisgrid.intake.columns.recognition import OPTION, Recognition, recognise
from gisgrid.intake.datums.detective import DatumFinding, Reference, detect_datum
from gisgrid.intake.ingestion import FileFindings, PlaceKind
from gisgrid.intake.places.usable import (
    PLACE_REASONS,
    WHERE,
    Places,
    chunk_of,
    read_places,
    to_lonlat,
)
from gisgrid.intake.readers.source import Batch, Source
from gisgrid.intake.reasons import words
from gisgrid.intake.times.reading import time_rule
from gisgrid.schema import Text

TIME_ROLES: Final = ("reported_at", "uploaded_at", "closed_at")
_NAMED_ROLES: Final = ("district", "subdistrict", "community")
_CHINA: Final = (73.5, 16.0, 135.1, 53.6)
_CHINA_ZONE: Final = "Asia/Shanghai"
_N_IDS: Final = 5
_ELSEWHERE: Final = "UTC"


@dataclass(frozen=True)
class Stated:
    """What the user says of the files, so that it need not be found out.

    Attributes
    ----------
    columns
        Role to column.
    datum
        What the coordinates are: ``wgs84``, ``gcj02``, ``EPSG:4547``, ``wgs84:swapped`` …
    timezone
        The zone of times that do not say theirs.
    taxonomy
        The scheme of the classes: an id, or a file of one.
    day_first
        Whether 02/03/2026 is the second of March.
    as_of
        When the files were exported: what is later is in the future. Now, where it is not stated.
    mapping
        A mapping file; what else is stated here goes before it.
    layer, delimiter, encoding
        How to open the files.
    """

    columns: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    datum: str | None = None
    timezone: str | None = None
    taxonomy: str | None = None
    day_first: bool | None = None
    as_of: datetime | None = None
    mapping: ColumnMapping | None = None
    layer: str | None = None
    delimiter: str | None = None
    encoding: str | None = None

    def __post_init__(self) -> None:
        if self.mapping is None:
            return
        object.__setattr__(self, "columns", {**self.mapping.columns, **self.columns})
        for name in ("datum", "timezone", "taxonomy", "day_first"):
            if getattr(self, name) is None:
                object.__setattr__(self, name, getattr(self.mapping, name))


@dataclass(frozen=True)
class Gazetteer:
    """Named places, for rows that say where they are by an address only.

    Attributes
    ----------
    places
        Any geometry in any CRS: grids, compounds, points of interest.
    names
        The columns that hold their names.
    """

    places: gpd.GeoDataFrame
    names: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """How one file is read.

    Attributes
    ----------
    source
        The file.
    schema
        Its columns and their types.
    findings
        What the first look found out.
    datum, taxonomy
        What was settled on; None where it could not be, or where there are no classes.
    gazetteer
        Where to look up the addresses of rows without coordinates, if anywhere.
    unsure
        What cannot be told for certain and must be stated, a sentence each.
    """

    source: Source
    schema: pa.Schema
    findings: FileFindings
    datum: Datum | None
    taxonomy: Taxonomy | None
    gazetteer: Gazetteer | None
    unsure: tuple[str, ...]

    @property
    def roles(self) -> dict[str, str]:
        """Role to column."""
        return self.findings.recognition.columns


def plan_of(
    source: Source, stated: Stated, reference: Reference, *,
    gazetteer: Gazetteer | None = None, hints: tuple[str, ...] = (),
) -> Plan:  # fmt: skip
    """Look at some rows of a file and decide how to read it.

    Parameters
    ----------
    source
        The file.
    stated
        What the user says of it.
    reference
        The units and streets that it should fit.
    gazetteer
        Where addresses can be looked up.
    hints
        What else is known of the file, for `gisgrid.intake.datums.detective`.

    Returns
    -------
    Plan
        With what could not be decided.

    Raises
    ------
    ColumnError
        No column says where the rows are.
    """
    sample = source.sample()
    recognition = _recognised(sample, stated)
    kind, columns = _place(source, sample, recognition, has_gazetteer=gazetteer is not None)
    places = read_places(sample.table, sample.wkb, kind=kind, columns=columns)
    if kind != "address" and not places.usable.any():
        raise InputError(_none_usable(source, places, columns))
    finding = _datum_finding(source, sample, places, recognition, columns=columns, kind=kind, reference=reference, hints=hints)  # fmt: skip
    datum = Datum.parse(stated.datum) if stated.datum is not None else finding.datum
    timezone, advice = _timezone(stated, places, datum, recognition)
    rules = {
        role: time_rule(
            chunk_of(sample.table[column]), timezone=timezone, day_first=stated.day_first
        )
        for role in TIME_ROLES
        if (column := recognition.columns.get(role)) is not None
    }
    taxonomy, taxonomy_finding = _taxonomy(sample.table, recognition, stated)
    unsure = []
    if datum is None:
        unsure.append(_datum_sentence(source.name, finding))
    if taxonomy is None and taxonomy_finding is not None and taxonomy_finding.is_ambiguous:
        unsure.append(_taxonomy_sentence(source.name, taxonomy_finding))
    mapping = ColumnMapping(
        columns=recognition.columns, datum=None if datum is None else datum.id, timezone=timezone if rules else None,
        taxonomy=stated.taxonomy or (None if taxonomy is None else taxonomy.id), day_first=stated.day_first,
    )  # fmt: skip
    findings = FileFindings(
        source.name, source.format, source.columns, source.notes, recognition, kind, columns, finding, rules, timezone,
        taxonomy_finding, mapping, advice,
    )  # fmt: skip
    return Plan(source, sample.table.schema, findings, datum, taxonomy, gazetteer, tuple(unsure))


def _recognised(sample: Batch, stated: Stated) -> Recognition:
    """Recognise the columns; where a plane is stated, easting and northing go before longitude and latitude."""
    has_geometry = sample.wkb is not None and sample.wkb.null_count < len(sample.wkb)
    fixed = dict(stated.columns)
    names_place = {"lon", "lat", "x", "y", "lonlat", "geometry"} & fixed.keys()
    if stated.datum is not None and not names_place and not has_geometry:
        plane = Datum.parse(stated.datum).crs
        if plane is not None and plane.is_projected:
            found = recognise(
                sample.table,
                has_geometry=False,
                fixed={**fixed, "lon": "", "lat": "", "lonlat": ""},
            )
            if {"x", "y"} <= found.matches.keys():
                return found
    return recognise(sample.table, has_geometry=has_geometry, fixed=fixed)


def _place(
    source: Source, sample: Batch, recognition: Recognition, *, has_gazetteer: bool
) -> tuple[PlaceKind, tuple[str, ...]]:
    columns = recognition.columns
    for kind, roles in WHERE:
        if set(roles) <= columns.keys():
            return kind, tuple(columns[role] for role in roles)
    if sample.wkb is not None:
        return "geometry", ()
    if "address" in columns and has_gazetteer:
        return "address", (columns["address"],)
    shown = ", ".join(source.columns[:12]) + (" …" if len(source.columns) > 12 else "")
    raise ColumnError(
        f"no column of {source.name!r} says where its rows are (there are: {shown}); name the columns, for example "
        f"{OPTION} lon=经度 {OPTION} lat=纬度"
        + (
            f", or look {columns['address']!r} up in a file of named places: --places FILE"
            if "address" in columns
            else ""
        )
    )


def _datum_finding(
    source: Source, sample: Batch, places: Places, recognition: Recognition, *,
    columns: tuple[str, ...], kind: PlaceKind, reference: Reference, hints: tuple[str, ...],
) -> DatumFinding:  # fmt: skip
    if kind == "address":
        said = Text(
            zh="位置由地名表查得，为 WGS84", en="places are looked up by address and are WGS84"
        )
        return DatumFinding(Datum.parse("wgs84"), 1.0, (), (said,), None)
    usable = places.usable
    named = next(
        (recognition.columns[role] for role in _NAMED_ROLES if role in recognition.columns), None
    )
    names = None if named is None else chunk_of(sample.table[named]).filter(pa.array(usable))
    return detect_datum(
        places.x[usable], places.y[usable],
        stated=source.crs if kind == "geometry" else None,
        reference=reference, named=names, hints=(*hints, *columns, *source.columns, source.format, source.name, *_some_ids(sample, recognition)),
    )  # fmt: skip


def _some_ids(sample: Batch, recognition: Recognition) -> list[str]:
    """Give a few ids: those of map providers tell their datum."""
    column = recognition.columns.get("issue_id")
    return [] if column is None else [str(one) for one in sample.table[column][:_N_IDS].to_pylist()]


def _timezone(
    stated: Stated, places: Places, datum: Datum | None, recognition: Recognition
) -> tuple[str, tuple[Text, ...]]:
    """Settle the zone of times that do not say theirs: stated, else China's inside China, else UTC with advice."""
    if stated.timezone is not None:
        return stated.timezone, ()
    if datum is None or not set(TIME_ROLES) & recognition.columns.keys():
        return _CHINA_ZONE, ()
    lon, lat, _ = to_lonlat(places, datum)
    if np.isfinite(lon).any():
        west, south, east, north = _CHINA
        at = float(np.nanmedian(lon)), float(np.nanmedian(lat))
        if not (west <= at[0] <= east and south <= at[1] <= north):
            said = Text(
                zh=f"时间没有写明时区，按 {_ELSEWHERE} 读取；请用 --timezone 说明，例如 --timezone America/Chicago",
                en=f"times without a zone are taken as {_ELSEWHERE}; state theirs, for example --timezone America/Chicago",
            )
            return _ELSEWHERE, (said,)
    return _CHINA_ZONE, ()


def _taxonomy(
    sample: pa.Table, recognition: Recognition, stated: Stated
) -> tuple[Taxonomy | None, TaxonomyFinding | None]:
    """Settle the scheme of the classes: the stated one, else the one that codes and names agree with."""
    codes, names = (
        None if (column := recognition.columns.get(role)) is None else chunk_of(sample[column])
        for role in ("category_code", "category")
    )
    if codes is None and names is None:
        return None, None
    finding = detect_taxonomy(codes, names)
    if stated.taxonomy is not None:
        return taxonomy_named(stated.taxonomy), finding
    return finding.taxonomy, finding


def _datum_sentence(name: str, finding: DatumFinding) -> str:
    best = " or ".join(f"{each.datum.id} ({each.score:.0%})" for each in finding.candidates[:2])
    found = f"fits {best}" if best else "fits nothing that is known"
    advice = "state it with --datum" if finding.advice is None else finding.advice.en
    return f"what the coordinates of {name!r} are cannot be told for certain (it {found}); {advice}"


def _taxonomy_sentence(name: str, finding: TaxonomyFinding) -> str:
    return (
        f"which scheme the classes of {name!r} belong to cannot be told: {finding.evidence[-1].en}"
    )


def _none_usable(source: Source, places: Places, columns: tuple[str, ...]) -> str:
    counts = Counter(PLACE_REASONS[number] for number in places.reason.tolist()).most_common(3)
    why = "; ".join(f"{n} × {words(code).en}" for code, n in counts)
    where = ", ".join(map(repr, columns)) or "its geometry"
    return (
        f"none of {len(places.reason)} rows of {source.name!r} has a usable place in {where}"
        f"{f' ({why})' if why else ''}; name other columns with {OPTION} lon=… {OPTION} lat=…"
    )
