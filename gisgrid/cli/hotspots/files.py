"""What `gisgrid hotspots` writes: all of it, or nothing."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import geopandas as gpd

from gisgrid import maps
from gisgrid.analysis.reasons import Explanation
from gisgrid.analysis.significance import Correction
from gisgrid.catalogue.provenance import versions
from gisgrid.cli.hotspots.method import Method
from gisgrid.cli.hotspots.methods import METHODS
from gisgrid.cli.hotspots.partitions import Counted
from gisgrid.cli.hotspots.request import Request
from gisgrid.cli.hotspots.result import Result
from gisgrid.cli.hotspots.summary import COLOURS
from gisgrid.cli.hotspots.tiles import write_tiles
from gisgrid.errors import OutputError
from gisgrid.files import write_frame, write_surface, write_table
from gisgrid.intake import Reports, Units
from gisgrid.maps.readings import READINGS
from gisgrid.surface import Surface


def files(request: Request, reports: Reports | Counted) -> list[str]:
    """Name what is written; a file of refused rows also where it would otherwise tell of an earlier run.

    Parameters
    ----------
    request
        What the user asked for.
    reports
        The reports as read.

    Returns
    -------
    list of str
        The files' names.
    """
    names = [request.output.name, request.provenance.name]
    refused = 0 if isinstance(reports, Counted) else len(reports.rejected)
    if refused or request.rejects is not None or request.rejects_file.exists():
        names.append(request.rejects_file.name)
    if request.explain is not None:
        names.append(request.drawing.name)
    return names


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
    output = request.output
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
        elif output.suffix == ".pmtiles":
            write_tiles(result, draft, title=_title(request))
        elif isinstance(result.frame, Surface):
            write_surface(result.frame, draft)
        elif isinstance(result.frame, gpd.GeoDataFrame):
            write_frame(result.frame, draft)
        else:
            write_table(result.frame, draft)
        record = Path(folder) / request.provenance.name
        text = json.dumps(
            _provenance(request, result, units), ensure_ascii=False, indent=1, default=str
        )
        record.write_text(text + "\n", encoding="utf-8")
        if request.rejects_file.name in result.summary["files"] and isinstance(
            result.reports, Reports
        ):
            write_table(result.reports.rejected, request.rejects_file)
        if result.explanation is not None:
            drawing = Path(folder) / request.drawing.name
            drawing.write_text(_drawing(request, result, result.explanation), encoding="utf-8")
            drawing.replace(request.drawing)
        record.replace(request.provenance)
        draft.replace(output)


def _page(request: Request, result: Result) -> Any:  # noqa: ANN401 - folium has no types
    words = {
        "zh": "来源：{}，{:,} 条上报，{:,} 件计入；gisgrid {}",
        "en": "Source: {}, {:,} reports, {:,} counted; gisgrid {}",
    }
    source, said = words[request.language], result.summary
    return maps.hotspot_map(
        gpd.GeoDataFrame(result.frame),
        title=_title(request),
        language=request.language,
        key=result.key,
        outline=result.outline,
        steps=result.steps,
        **_drawn(
            METHODS[request.method],
            [str(column) for column in gpd.GeoDataFrame(result.frame).columns],
        ),
        correction=cast("Correction", request.correction or "fdr"),
        source=source.format(
            request.issues.name, said["read"], said["counted"], versions()["gisgrid"]
        ),
    )


def _drawn(method: Method, columns: list[str]) -> dict[str, Any]:
    """Say how the page draws what it does not know by its columns: other classes, or plain numbers."""
    if method.drawn:
        return {"column": method.drawn}
    if method.reading is not None:
        return {"reading": method.reading}
    if "cluster_id" in columns or "cluster_rank" in columns:
        return {}
    known = READINGS.get(method.class_column)
    if known is not None and set(method.classes) <= {shade.name for shade in known.shades}:
        return {}
    table = tuple(each.name for each in method.columns if each.name in columns)[:3]
    reading = maps.plain_reading(
        method.class_column, method.classes, COLOURS,
        legend=method.does, places=method.title, telling=method.telling, table=table or ("n_incidents",),
    )  # fmt: skip
    return {"reading": reading}


def _title(request: Request) -> str:
    words = {"zh": "热点分析：{}", "en": "Hotspots: {}"}
    return request.title or words[request.language].format(request.issues.stem)


def _drawing(request: Request, result: Result, told: Explanation) -> str:
    frame = gpd.GeoDataFrame(result.frame)
    return maps.explanation_map(told, frame, key=result.key, language=request.language)


def _provenance(request: Request, result: Result, units: Units | None) -> dict[str, Any]:
    """Say how the result was made: the same inputs, options and versions give the same record."""
    options = {
        name: value.name if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if value not in (None, (), False) and name not in {"output", "rejects"}
    }
    issues: dict[str, Any] = {"file": request.issues.name, "n_rows": result.reports.n_read}
    if isinstance(result.reports, Counted):
        issues["n_files"] = result.reports.n_files
    else:
        issues["sha256"] = _checksums(request.issues)
    inputs = {"issues": issues}
    for name in ("controls", "streets", "against", "compare"):
        path = getattr(request, name)
        if path is not None and Path(path).is_file():
            inputs[name] = {"file": Path(path).name, "sha256": _checksums(Path(path))}
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
