"""What `gisgrid hotspots` does: check, read, find, write."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from gisgrid import derived
from gisgrid.catalogue.provenance import Value
from gisgrid.cli.hotspots.files import files, write
from gisgrid.cli.hotspots.finding import Asked, Found
from gisgrid.cli.hotspots.method import Method
from gisgrid.cli.hotspots.methods import check_method
from gisgrid.cli.hotspots.partitions import Counted, counted_in_parts, no_reports
from gisgrid.cli.hotspots.reasons import Later, compared, day_of, explained, split
from gisgrid.cli.hotspots.request import Request, check
from gisgrid.cli.hotspots.result import Result
from gisgrid.cli.ingest.request import columns_stated
from gisgrid.crs import crs_label, require_crs
from gisgrid.derived import Note
from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.files import read_frame
from gisgrid.intake import (
    NO_REFERENCE,
    ColumnMapping,
    Reference,
    Reports,
    Stated,
    Units,
    read_reports,
    read_units,
)
from gisgrid.join import assign_units
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text
from gisgrid.surface import Surface

_NAMES: Final = ("name_zh", "name_en", "name")
_FEW: Final = 30
_N_HOTTEST: Final = 10


LEFT_OUT: Final = {
    "on_fallback_points": derived.NO_PLACE,
    "repeats": derived.REPEATED,
    "unassigned": derived.IN_NO_AREA,
    "in_slivers": derived.IN_SLIVERS,
    "far_out": derived.FAR_OUT,
    "scattered": derived.SCATTERED,
    "on_no_street": derived.ON_NO_STREET,
    "without_time": derived.NO_TIME,
    "far_in_time": derived.FAR_IN_TIME,
    "in_no_period": derived.IN_NO_PERIOD,
    "in_part_steps": derived.IN_PART_STEPS,
}
"""What a method leaves out, by its name in the summary."""


def run(request: Request, *, progress: Progress = silent) -> Result:
    """Do what the user asked for.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Result
        What was found; it is written already.
    """
    check(request)
    method = check_method(request)
    progress("units", 0.0)
    units = _units(request)
    progress("units", 1.0)
    progress("reports", 0.0)
    reports, asked, later = _read(request, units, progress)
    progress("reports", 1.0)
    progress("hotspots", 0.0)
    result = found(asked, reports, method=method, later=later)
    progress("hotspots", 1.0)
    progress("files", 0.0)
    write(request, result, units)
    progress("files", 1.0)
    return result


def _read(
    request: Request, units: Units | None, progress: Progress
) -> tuple[Reports | Counted, Asked, gpd.GeoDataFrame | None]:
    """Read the reports, or count them where they are too many, and what they are held against."""
    if request.engine is not None and units is not None:
        tally = counted_in_parts(request, units, progress=progress)
        asked = Asked(no_reports(units), units, request, request.timezone or "UTC", counts=tally.counts)  # fmt: skip
        return tally, asked, None
    reports = read_reports(request.issues, reference=_reference(units), stated=_stated(request))
    asked = Asked(
        reports.accepted, units, request, _timezone(request, reports),
        others=_others(request, units), streets=_streets(request),
    )  # fmt: skip
    later = None
    if request.compare is not None and day_of(request) is None:
        later = _more(request, units, Path(request.compare))
    return reports, asked, later


def _others(request: Request, units: Units | None) -> gpd.GeoDataFrame | None:
    """Read the file of other reports, where the user named one rather than a column."""
    if request.controls is not None:
        return _more(request, units, request.controls)
    if request.against is None:
        return None
    if units is not None and request.cells is None and request.against in units.frame.columns:
        return None
    path = Path(request.against)
    if request.method == "bivariate-moran" and not path.exists() and not path.suffix:
        return None  # a column misspelt, which the method will say
    return _more(request, units, path)


def _more(request: Request, units: Units | None, path: Path) -> gpd.GeoDataFrame:
    """Read further reports, by what the user said of the first."""
    return read_reports(path, reference=_reference(units), stated=_stated(request)).accepted


def _streets(request: Request) -> gpd.GeoDataFrame | None:
    """Read the streets, where the user named them."""
    if request.streets is None:
        return None
    streets = read_frame(request.streets)
    require_crs(streets, name=request.streets.name)
    return streets


def _stated(request: Request) -> Stated:
    mapping = None if request.mapping is None else ColumnMapping.read(request.mapping)
    return Stated(
        columns=columns_stated(request.columns), datum=request.datum, timezone=request.timezone, mapping=mapping,
        layer=request.issues_layer,
    )  # fmt: skip


def _reference(units: Units | None) -> Reference:
    """Give the units for the datum to be held against."""
    if units is None:
        return NO_REFERENCE
    named = next((name for name in _NAMES if name in units.frame.columns), None)
    return Reference({units.key: units.frame}, {} if named is None else {units.key: named})


def _units(request: Request) -> Units | None:
    """Read the units; give names and residents the columns under which the statistics look for them."""
    if request.units is None:
        return None
    units = read_units(
        request.units, key=request.units_key, crs=request.units_crs, layer=request.units_layer, reports=request.issues,
    )  # fmt: skip
    frame = units.frame
    columns = [str(column) for column in frame.columns if column != frame.geometry.name]
    for option, column in (("units-name", request.units_name), ("population", request.population)):
        if column is not None and column not in columns:
            raise ColumnError(
                f"no column {column!r} (--{option}) among {len(columns)} columns of {request.units.name!r}"
                f"{did_you_mean(column, columns)}"
            )
    words = [
        c for c in units.identifiers if frame[c].astype("str").str.contains(r"[^\W\d_]{2}").all()
    ]
    named = request.units_name or next(
        (c for c in columns if c.casefold() in {"name", "名称"}),
        words[0] if len(words) == 1 else None,
    )
    if named is not None and (request.units_name or not {"name_zh", "name_en"} & set(columns)):
        frame = frame.drop(
            columns=[c for c in _NAMES if c in columns and c not in {named, units.key}]
        )
        frame = frame.assign(name=frame[named].astype("str"))
    if request.population is not None:
        frame = frame.assign(
            **{request.population: _residents(frame, request.population, request.units.name)}
        )
    return replace(units, frame=frame)


def _residents(frame: gpd.GeoDataFrame, column: str, source: str) -> pd.Series:
    residents: pd.Series = pd.to_numeric(frame[column], errors="coerce")
    wrong = residents.isna() & frame[column].notna()
    if wrong.any():
        raise InputError(
            f"{int(wrong.sum())} of {len(frame)} values of {column!r} in {source!r} are not numbers "
            f"(first: {frame[column][wrong].iloc[0]!r}), but residents are counted; mend them or leave them empty"
        )
    if not (residents > 0).any():
        raise InputError(
            f"no unit of {source!r} has residents in {column!r}, so there are no rates; choose another --population"
        )
    return residents


def found(
    asked: Asked,
    reports: Reports | Counted,
    *,
    method: Method,
    later: gpd.GeoDataFrame | None = None,
) -> Result:
    """Find the hot areas among the units, or among equal cells, or without any grid.

    Parameters
    ----------
    asked
        The reports, the units, and what the user said.
    reports
        The reports as read, or as counted in parts.
    method
        How to find.
    later
        Reports of another file to compare methods on.

    Returns
    -------
    Result
        What was found; nothing is written.
    """
    request, units = asked.request, asked.units
    notes: list[str] = [*reports.notes, *(units.notes if units else ())]
    judged = None if later is None else Later(later)
    if (day := day_of(request)) is not None:
        asked, judged = _until(asked, day)
    result = method.find(asked)
    made = result.made
    value = made.value
    notes += made.notes
    if isinstance(value, gpd.GeoDataFrame):
        value = _with_own_columns(value, units, result.key)
    before = reports.excluded if isinstance(reports, Counted) else {}
    excluded = {**made.excluded, **before}
    summary: dict[str, Any] = {
        "method": request.method,
        **_read_of(reports),
        **{name: excluded.get(reason, 0) for name, reason in LEFT_OUT.items()},
        **_said_of(value, method, result, notes),
        **result.extra,
    }
    if isinstance(value, gpd.GeoDataFrame | Surface):
        summary["crs"] = crs_label(CRS(value.crs))
    told = None
    if request.explain is not None:
        told = explained(result, asked)
        summary["explanation"] = told.as_dict()
    if judged is not None:
        table, about = compared(result, asked, judged)
        summary["later"] = len(derived.incidents(judged.issues))
        rows = table.rename_axis("method").reset_index().astype("object")
        summary["compare"] = rows.where(rows.notna(), None).to_dict("records")
        notes += about
    summary["files"] = files(request, reports)
    summary["notes"] = notes
    outline = units.frame if units is not None and result.key == "cell_id" else None
    return Result(
        value, result.key, outline, reports, summary, _outside(asked, result), told, result.steps
    )


def _read_of(reports: Reports | Counted) -> dict[str, Any]:
    """Say how many rows were read, accepted and rejected."""
    if isinstance(reports, Counted):
        n = reports.n_read
        return {"read": n, "accepted": n, "rejected": 0, "rejected_by_reason": {}}
    return {
        "read": reports.n_read,
        "accepted": len(reports.accepted),
        "rejected": len(reports.rejected),
        "rejected_by_reason": reports.ingestion.rejected,
    }


def _outside(asked: Asked, result: Found) -> list[int]:
    """List the source rows of incidents that lie in none of the areas, or on no street."""
    if result.ground is None:
        assert result.areas is not None  # noqa: S101 - streets have segments
        codes = result.areas.codes
        return [int(row) for row in codes.index[codes.isna()]]
    incidents = derived.incidents(asked.issues).to_crs(result.ground.crs)
    inside = assign_units(incidents, {}, zones={"inside": result.ground})["inside"]
    return [int(row) for row in inside.index[~inside]]


def _until(asked: Asked, day: str) -> tuple[Asked, Later]:
    """Keep the reports before a day; the others are what the maps are held against."""
    earlier, later = split(asked.issues, day, timezone=asked.timezone)
    return replace(asked, issues=earlier), later


def _timezone(request: Request, reports: Reports) -> str:
    """Say where a day begins: where the user says, else where the file's times are read."""
    zones = [each.timezone for each in reports.ingestion.findings]
    return request.timezone or (zones[0] if zones else "UTC")


def _with_own_columns(frame: gpd.GeoDataFrame, units: Units | None, key: str) -> gpd.GeoDataFrame:
    """Give numbered units the columns by which their own people know them."""
    frame = gpd.GeoDataFrame(frame)
    if units is not None and key == units.key:
        own = [column for column in units.identifiers if column not in frame.columns]
        for position, column in enumerate(own, start=1):
            frame.insert(position, column, units.frame[column])
    return frame


def _said_of(value: Value, method: Method, result: Found, notes: list[str]) -> dict[str, Any]:
    """Count what was found, and list the most telling rows."""
    figures = {
        name: None if pd.isna(figure) else float(figure) for name, figure in result.figures.items()
    }
    said: dict[str, Any] = {} if not figures else {"figures": figures}
    if isinstance(value, Surface):
        return {"counted": result.n_counted or 0, "areas": 0, "tested": 0, "labels": {}, "hottest": [], **said}  # fmt: skip
    tested = method.makes != "table" and "n_units" in value and len(value)
    n_tested = int(value["n_units"].iloc[0]) if tested else 0
    normal = method.class_column == "label" and "q" in value and not result.terms.permutations
    if normal and n_tested < _FEW and method.makes == "areas":
        text = Text(
            zh=f"只有 {n_tested} 个单元参加检验：不足 {_FEW} 个时，p 的正态近似较粗糙",
            en=f"only {n_tested} areas are tested: under {_FEW} the normal approximation behind p is rough",
        )
        notes.append(Note.of(text))
    column = method.class_column
    counted = int(value["n_incidents"].sum()) if result.n_counted is None else result.n_counted
    return {
        "counted": counted,
        "areas": len(value),
        "tested": n_tested,
        "labels": {name: int((value[column] == name).sum()) for name in method.classes},
        "hottest": _hottest(value, result.key, method),
        **said,
    }


def _hottest(frame: pd.DataFrame, key: str, method: Method) -> list[dict[str, Any]]:
    shown = [*derived.names_of(map(str, frame.columns)), "n_incidents", *(c.name for c in method.columns)]  # fmt: skip
    columns = [each for each in dict.fromkeys([key, *shown]) if each in frame]
    if method.class_column:
        columns.append(method.class_column)
    top = method.telling(frame).head(_N_HOTTEST)[columns]
    rows = cast(
        "list[dict[str, Any]]", top.astype("object").where(top.notna(), None).to_dict("records")
    )
    return [{"key": row.pop(key), **row} for row in rows]
