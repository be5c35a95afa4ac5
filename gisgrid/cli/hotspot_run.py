"""What `gisgrid hotspots` does: check, read, find, write; nothing is written unless all of it can be."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
from pyproj import CRS

from gisgrid import derived, maps
from gisgrid.catalogue.provenance import versions
from gisgrid.cli.hotspot_request import Request, check
from gisgrid.crs import crs_label, is_metric, local_metric_crs
from gisgrid.errors import ColumnError, InputError, OutputError, did_you_mean
from gisgrid.files import write_frame, write_table
from gisgrid.intake import Reports, Units, read_reports, read_units
from gisgrid.join import assign_units
from gisgrid.palette import LABELS
from gisgrid.progress import Progress, silent

_NAMES: Final = ("name_zh", "name_en", "name")
_FEW: Final = 30
_N_HOTTEST: Final = 10


@dataclass(frozen=True)
class Result:
    """The areas found, and what a reader needs to trust them.

    Attributes
    ----------
    frame
        The areas with their scores.
    key
        The column that names an area.
    outline
        The units, where the areas are cells over them.
    reports
        The reports as read.
    summary
        Counts, labels, the hottest places, notes: what is printed.
    unassigned
        The source rows of incidents that lie in none of the areas.
    """

    frame: gpd.GeoDataFrame
    key: str
    outline: gpd.GeoDataFrame | None
    reports: Reports
    summary: dict[str, Any]
    unassigned: list[int]


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
    progress("reports", 0.0)
    reports = read_reports(
        request.issues, crs=request.issues_crs, x=request.x, y=request.y, time=request.time, layer=request.issues_layer
    )  # fmt: skip
    progress("reports", 1.0)
    progress("units", 0.0)
    units = _units(request)
    progress("units", 1.0)
    progress("hotspots", 0.0)
    result = found(request, reports, units)
    progress("hotspots", 1.0)
    progress("files", 0.0)
    write(request, result, units)
    progress("files", 1.0)
    return result


def _units(request: Request) -> Units | None:
    """Read the units; give names and residents the columns under which the statistics look for them."""
    if request.units is None:
        return None
    units = read_units(
        request.units, key=request.units_key, crs=request.units_crs, layer=request.units_layer
    )
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


def found(request: Request, reports: Reports, units: Units | None) -> Result:
    """Find the hot areas among the units, or among equal cells.

    Parameters
    ----------
    request
        What the user asked for.
    reports
        The reports as read.
    units
        The units as read, if any.

    Returns
    -------
    Result
        What was found; nothing is written.
    """
    issues = reports.accepted
    if "duplicate_of" not in issues.columns:
        issues = issues.assign(duplicate_of=None)
    notes = [*reports.notes, *(units.notes if units else ())]
    if request.cells is not None and request.cell_m is not None:
        area, note = _area(issues, units)
        made = derived.cell_hotspots(issues, area, cell_m=request.cell_m, shape=request.cells)
        key, outline = "cell_id", units.frame if units else None
        notes.append(note)
    else:
        assert units is not None  # noqa: S101 - check() has made sure of it
        area, key, outline = units.frame, units.key, None
        made = derived.unit_hotspots(issues, area, key=key, population=request.population)
    frame: gpd.GeoDataFrame = gpd.GeoDataFrame(made.value)
    if units is not None and key == units.key:
        own = [column for column in units.identifiers if column not in frame.columns]
        for position, column in enumerate(own, start=1):
            frame.insert(position, column, units.frame[column])
    incidents = issues[issues["duplicate_of"].isna()].to_crs(area.crs)
    inside = assign_units(incidents, {}, zones={"inside": area})["inside"]
    notes += made.notes
    n_tested = int(frame["z"].notna().sum())
    if n_tested < _FEW:
        notes.append(
            f"only {n_tested} areas are tested: under {_FEW} the normal approximation behind p is rough"
        )
    summary = {
        "read": reports.n_read,
        "accepted": len(reports.accepted),
        "rejected": len(reports.rejected),
        "rejected_by_reason": reports.rejected["reason"].value_counts().to_dict(),
        "repeats": made.excluded.get(derived.REPEATED, 0),
        "unassigned": made.excluded.get(derived.IN_NO_AREA, 0),
        "in_slivers": made.excluded.get(derived.IN_SLIVERS, 0),
        "counted": int(frame["n_incidents"].sum()),
        "areas": len(frame),
        "tested": n_tested,
        "labels": {label: int((frame["label"] == label).sum()) for label in LABELS},
        "hottest": _hottest(frame, key),
        "crs": crs_label(CRS(frame.crs)),
        "files": _files(request, reports),
        "notes": notes,
    }
    return Result(
        frame, key, outline, reports, summary, [int(row) for row in inside.index[~inside]]
    )


def _files(request: Request, reports: Reports) -> list[str]:
    """Name what is written; a file of refused rows also where it would otherwise tell of an earlier run."""
    files = [request.output.name, request.provenance.name]
    if len(reports.rejected) or request.rejects is not None or request.rejects_file.exists():
        files.append(request.rejects_file.name)
    return files


def _area(issues: gpd.GeoDataFrame, units: Units | None) -> tuple[gpd.GeoDataFrame, str]:
    """Give what the cells shall cover, in metres, and say what was done for it."""
    if units is not None:
        own = CRS(units.frame.crs)
        if is_metric(own):
            return units.frame, f"cells are laid over the units in {crs_label(own)}"
        metric = local_metric_crs(units.frame)
        return units.frame.to_crs(metric), (
            f"the units were brought from {crs_label(own)} to {crs_label(metric)}, and cells are laid over them"
        )
    own, metric = CRS(issues.crs), local_metric_crs(issues)
    hull = issues.to_crs(metric).geometry.union_all().convex_hull
    if hull.geom_type != "Polygon":
        raise InputError(
            f"{len(issues)} reports lie on one spot or one line, so they enclose no area for cells; give UNITS"
        )
    area = gpd.GeoDataFrame(geometry=[hull], crs=metric)
    return area, (
        f"no UNITS are given: cells are laid over the convex hull of the reports, in {crs_label(metric)}; "
        "water and empty land inside it count as places without reports"
    )


def _hottest(frame: gpd.GeoDataFrame, key: str) -> list[dict[str, Any]]:
    names = [column for column in _NAMES if column in frame.columns]
    top = frame[frame["label"].isin(LABELS[:3])].sort_values("z", ascending=False, kind="stable")
    columns = [key, *names, "n_incidents", "observed", "expected", "z", "q", "label"]
    rows: list[dict[str, Any]] = top.head(_N_HOTTEST)[columns].to_dict("records")
    return [{"key": row.pop(key), **row} for row in rows]


def write(request: Request, result: Result, units: Units | None) -> None:
    """Write the areas, how they were made and what was refused; all of it, or nothing.

    Parameters
    ----------
    request
        What the user asked for.
    result
        What was found.
    units
        The units as read, if any.

    Raises
    ------
    OutputError
        The folder cannot be written.
    """
    output, rejected = request.output, result.reports.rejected
    try:
        staging = tempfile.TemporaryDirectory(dir=output.parent, prefix=f".{output.stem}-")
    except OSError as error:
        raise OutputError(
            f"{output.name!r} cannot be written to {str(output.parent)!r}: {error.strerror}"
        ) from error
    with staging as folder:
        draft = Path(folder) / output.name
        if output.suffix == ".html":
            maps.write_html(_page(request, result), draft)
        else:
            write_frame(result.frame, draft)
        record = Path(folder) / request.provenance.name
        text = json.dumps(
            _provenance(request, result, units), ensure_ascii=False, indent=1, default=str
        )
        record.write_text(text + "\n", encoding="utf-8")
        if request.rejects_file.name in result.summary["files"]:
            write_table(rejected, request.rejects_file)
        record.replace(request.provenance)
        draft.replace(output)


def _page(request: Request, result: Result) -> Any:  # noqa: ANN401 - folium has no types
    words = {
        "zh": ("热点分析：{}", "来源：{}，{:,} 条上报，{:,} 件计入；gisgrid {}"),
        "en": ("Hotspots: {}", "Source: {}, {:,} reports, {:,} counted; gisgrid {}"),
    }
    title, source = words[request.language]
    said = result.summary
    return maps.hotspot_map(
        result.frame,
        title=request.title or title.format(request.issues.stem),
        language=request.language,
        key=result.key,
        outline=result.outline,
        source=source.format(
            request.issues.name, said["read"], said["counted"], versions()["gisgrid"]
        ),
    )


def _provenance(request: Request, result: Result, units: Units | None) -> dict[str, Any]:
    """Say how the result was made: the same inputs, options and versions give the same record."""
    options = {
        name: value.name if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if value is not None and name not in {"output", "rejects"}
    }
    inputs = {
        "issues": {
            "file": request.issues.name,
            "sha256": _checksums(request.issues),
            "n_rows": result.reports.n_read,
        }
    }
    if request.units is not None and units is not None:
        inputs["units"] = {
            "file": request.units.name, "sha256": _checksums(request.units), "n_rows": len(units.frame),
        }  # fmt: skip
    return {
        "made_by": "gisgrid hotspots",
        "options": options,
        "inputs": inputs,
        **result.summary,
        "unassigned_rows": result.unassigned,
        "versions": versions(),
    }


def _checksums(path: Path) -> dict[str, str]:
    """Give the SHA-256 of a file, or of every part of a Shapefile."""
    parts = (
        sorted(
            p
            for p in path.parent.glob(f"{path.stem}.*")
            if p.suffix.lower() in {".shp", ".shx", ".dbf", ".prj", ".cpg"}
        )
        if path.suffix.lower() == ".shp"
        else [path]
    )
    sums = {}
    for part in parts:
        with part.open("rb") as file:
            sums[part.name] = hashlib.file_digest(file, "sha256").hexdigest()
    return sums
