"""What came in, what was refused and why, and how sure is the rest? The intake report."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np

from gisgrid.intake import FALLBACK_TEXTS, ROLES, FileFindings, Ingestion, Problem, UnsureError
from gisgrid.report.drawing import Drawing, draw_points
from gisgrid.report.page import Language, write_page
from gisgrid.schema import Text

_SURE, _FAIR = 0.9, 0.7
_N_CANDIDATES: Final = 5
_N_SHAPES: Final = 4_000
"""A level with more units than this is not drawn."""

_KINDS: Final[Mapping[str, Text]] = {
    "csv": Text(zh="分隔文本", en="delimited text"),
    "xlsx": Text(zh="Excel 表格", en="Excel workbook"),
    "xls": Text(zh="Excel 表格", en="Excel workbook"),
}
_PLACES: Final[Mapping[str, Text]] = {
    "geometry": Text(zh="文件自带的几何", en="the file's own geometry"),
    "pair": Text(zh="两列坐标", en="a pair of columns"),
    "lonlat": Text(zh="一列坐标文本", en="one column of both numbers"),
    "shape_text": Text(zh="一列几何文本", en="a column of geometry as text"),
    "address": Text(zh="地址", en="an address"),
}


def write_intake(
    done: Ingestion, path: Path, *, units: Mapping[str, gpd.GeoDataFrame], language: Language
) -> None:
    """Write the page of an intake.

    Parameters
    ----------
    done
        What was taken in.
    path
        Where the page goes: ``.html`` (both languages, one file, no script and no network) or ``.md``.
    units
        Per level, the units the rows were held against, in any CRS; the coarsest level is drawn.
    language
        The language the page opens in, or the Markdown is in.
    """
    title = Text(zh=f"接收报告：{done.output.name}", en=f"Intake report: {done.output.name}")
    values = {
        "done": done,
        "stopped": (),
        "files": [_file(each) for each in done.findings],
        "drawing": _drawing(done, units),
        "refused": [_problem(each, done) for each in done.problems if each.kind == "rejected"],
        "marked": [_problem(each, done) for each in done.problems if each.kind != "rejected"],
        "fallback_texts": FALLBACK_TEXTS,
        "advice": done.advice,
        "mappings": [
            (path.name, each) for path, each in zip(done.mappings, _mappings(done), strict=True)
        ],
        "several": len(done.findings) > 1,
    }
    write_page("intake", path, title=title, language=language, values=values)


def write_findings(stopped: UnsureError, path: Path, *, language: Language) -> None:
    """Write the page of an intake that was stopped, because what the files mean cannot be told for certain.

    Parameters
    ----------
    stopped
        Why, and what was found.
    path
        Where the page goes: ``.html`` or ``.md``.
    language
        The language the page opens in, or the Markdown is in.
    """
    names = ", ".join(each.name for each in stopped.findings)
    advice = [each.datum.advice for each in stopped.findings if each.datum.advice is not None]
    advice += [text for each in stopped.findings for text in each.advice]
    values = {
        "done": None,
        "stopped": str(stopped).splitlines(),
        "files": [_file(each) for each in stopped.findings],
        "drawing": None,
        "refused": [],
        "marked": [],
        "fallback_texts": FALLBACK_TEXTS,
        "advice": advice,
        "mappings": [],
        "several": len(stopped.findings) > 1,
    }
    title = Text(zh=f"接收报告：{names}（未完成）", en=f"Intake report: {names} (stopped)")
    write_page("intake", path, title=title, language=language, values=values)


def _mappings(done: Ingestion) -> list[str]:
    """Give the text of each mapping file; there is one where all files are read alike."""
    return [each.mapping.to_toml() for each in done.findings[: len(done.mappings)]]


def _file(found: FileFindings) -> dict[str, Any]:
    """Prepare what was found out about a file for the template."""
    datum, taxonomy = found.datum, found.taxonomy
    return {
        "name": found.name,
        "kind": _KINDS.get(found.format, found.format),
        "place": _PLACES[found.place_kind],
        "columns": [
            {"role": ROLES[role].words, "column": match.column, "confidence": match.confidence, "why": match.why,
             "sure": sureness(match.confidence)}
            for role, match in found.recognition.matches.items()
        ],
        "unused": found.recognition.unused,
        "notes": found.notes,
        "doubts": found.recognition.doubts,
        "datum": None if datum.datum is None else datum.datum.words,
        "used": found.mapping.datum,
        "stated": datum.datum is None or datum.datum.id != found.mapping.datum,
        "confidence": datum.confidence,
        "sure": sureness(datum.confidence),
        "candidates": datum.candidates[:_N_CANDIDATES],
        "evidence": datum.evidence,
        "times": [
            {"role": ROLES[role].words, "column": found.recognition.matches[role].column, "notes": rule.notes}
            for role, rule in found.times.items()
        ],
        "timezone": found.timezone,
        "scheme": found.mapping.taxonomy,
        "scheme_confidence": None if taxonomy is None else taxonomy.confidence,
        "scheme_evidence": () if taxonomy is None else taxonomy.evidence,
    }  # fmt: skip


def sureness(confidence: float) -> str:
    """Give the page's class for a confidence.

    Parameters
    ----------
    confidence
        0 to 1.

    Returns
    -------
    str
        ``good``, ``doubt`` or ``bad``.

    Examples
    --------
    >>> sureness(0.99), sureness(0.8), sureness(0.2)
    ('good', 'doubt', 'bad')
    """
    if confidence >= _SURE:
        return "good"
    return "doubt" if confidence >= _FAIR else "bad"


def _problem(problem: Problem, done: Ingestion) -> dict[str, Any]:
    columns = list(dict.fromkeys(name for example in problem.examples for name in example.values))
    whole = done.n_read if problem.kind == "rejected" else done.n_accepted
    return {
        "code": problem.code,
        "text": problem.text,
        "n": problem.n,
        "share": problem.n / whole if whole else None,
        "columns": columns,
        "examples": problem.examples,
    }


def _drawing(done: Ingestion, units: Mapping[str, gpd.GeoDataFrame]) -> Drawing | None:
    """Draw what fell outside all units, and the piles; nothing where all is well and there is nothing to see."""
    areas: Sequence[gpd.GeoDataFrame] = sorted(units.values(), key=len)
    drawn = areas[0] if areas and len(areas[0]) <= _N_SHAPES else None
    marked = done.sample.outside if units else np.empty((0, 2))
    return draw_points(
        drawn, inside=done.sample.inside, marked=marked, rings=[(pile.lon, pile.lat) for pile in done.piles],
        label="reports in no unit / 不在任何单元内的上报",
    )  # fmt: skip
