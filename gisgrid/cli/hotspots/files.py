"""What `gisgrid hotspots` writes: all of it, or nothing."""

from __future__ import annotations

import hashlib
import json
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any

import geopandas as gpd

from gisgrid import maps
from gisgrid.analysis.reasons import Explanation
from gisgrid.catalogue.provenance import versions
from gisgrid.cli.hotspots.request import Request
from gisgrid.cli.hotspots.result import Result
from gisgrid.errors import OutputError
from gisgrid.files import write_frame, write_surface, write_table
from gisgrid.intake import Reports, Units
from gisgrid.surface import Surface


def files(request: Request, reports: Reports) -> list[str]:
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
    if len(reports.rejected) or request.rejects is not None or request.rejects_file.exists():
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
        elif isinstance(result.frame, Surface):
            write_surface(result.frame, draft)
        else:
            write_frame(gpd.GeoDataFrame(result.frame), draft)
        record = Path(folder) / request.provenance.name
        text = json.dumps(
            _provenance(request, result, units), ensure_ascii=False, indent=1, default=str
        )
        record.write_text(text + "\n", encoding="utf-8")
        if request.rejects_file.name in result.summary["files"]:
            write_table(rejected, request.rejects_file)
        if result.explanation is not None:
            drawing = Path(folder) / request.drawing.name
            drawing.write_text(_drawing(request, result, result.explanation), encoding="utf-8")
            drawing.replace(request.drawing)
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
        gpd.GeoDataFrame(result.frame),
        title=request.title or title.format(request.issues.stem),
        language=request.language,
        key=result.key,
        outline=result.outline,
        source=source.format(
            request.issues.name, said["read"], said["counted"], versions()["gisgrid"]
        ),
    )


def _drawing(request: Request, result: Result, told: Explanation) -> str:
    frame = gpd.GeoDataFrame(result.frame)
    return maps.explanation_map(told, frame, key=result.key, language=request.language)


def _provenance(request: Request, result: Result, units: Units | None) -> dict[str, Any]:
    """Say how the result was made: the same inputs, options and versions give the same record."""
    options = {
        name: value.name if isinstance(value, Path) else value
        for name, value in asdict(request).items()
        if value not in (None, ()) and name not in {"output", "rejects"}
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
