"""What is wrong with this grid, where, and what was mended? The page of `gisgrid validate-grids`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd

from gisgrid.grids.validation.faults import measured
from gisgrid.grids.validation.grid_report import GridReport
from gisgrid.grids.validation.mending import Repaired
from gisgrid.grids.validation.rules import RULES, SEVERITIES, SUBJECTS, Rule
from gisgrid.report.grid_maps import Ground, close_map, fault_map, ground
from gisgrid.report.page import Language, write_page
from gisgrid.schema import Text

_N_ROWS: Final = 10
"""Faults of one rule and level that the page tells one by one; the layer of faults has them all."""
_N_MOVED: Final = 30
_COLOURS: Final = {"error": "bad", "warning": "doubt", "note": "quiet"}


def write_grid_report(
    report: GridReport,
    levels: Mapping[str, gpd.GeoDataFrame],
    path: Path,
    *,
    language: Language,
    notes: Sequence[Text] = (),
    repaired: Repaired | None = None,
) -> None:
    """Write the page of a grid's examination.

    Parameters
    ----------
    report
        What was found.
    levels
        The levels as they were examined, in the CRS of the report.
    path
        Where the page goes: ``.html`` (both languages, one file, no script and no network) or ``.md``.
    language
        The language the page opens in, or the Markdown is in.
    notes
        What was decided when the files were read.
    repaired
        What was mended, where that was asked for.
    """
    names = " > ".join(report.levels["level"])
    grounds = dict(_grounds(report, levels))
    values = {
        "report": report,
        "n": {severity: report.n(severity) for severity in SEVERITIES},
        "severities": SEVERITIES,
        "colours": _COLOURS,
        "levels": report.levels.to_dict("records"),
        "nesting": report.nesting.to_dict("records"),
        "grounds": [ground.outline for ground in grounds.values()],
        "subjects": list(_subjects(report, levels, grounds)),
        "sound": [RULES[name].title for name in RULES if name not in set(report.faults["rule"])],
        "notes": [*report.notes, *notes],
        "repaired": None if repaired is None else _repaired(repaired),
    }
    title = Text(zh=f"网格检查：{names}", en=f"Grid check: {names}")
    write_page("grids", path, title=title, language=language, values=values)


def _grounds(
    report: GridReport, levels: Mapping[str, gpd.GeoDataFrame]
) -> Iterator[tuple[str, Ground]]:
    """Draw each level that has faults once."""
    frames = list(levels.values())
    for at, name in enumerate(levels):
        below = (
            ground(frames[at::-1], name=f"level-{at}")
            if name in set(report.faults["level"])
            else None
        )
        if below is not None:
            yield name, below


def _subjects(
    report: GridReport, levels: Mapping[str, gpd.GeoDataFrame], grounds: Mapping[str, Ground]
) -> Iterator[dict[str, Any]]:
    """Give the faults by what they are about, then by rule and level."""
    for subject, title in SUBJECTS.items():
        found = []
        for rule in (rule for rule in RULES.values() if rule.subject == subject):
            faults = report.faults[report.faults["rule"] == rule.id]
            found += [
                _rule(rule, rows, levels[level], grounds.get(level))
                for level, rows in faults.groupby("level", sort=False)
            ]
        if found:
            found.sort(key=lambda each: list(SEVERITIES).index(each["severity"]))
            yield {"title": title, "rules": found}


def _rule(
    rule: Rule, faults: gpd.GeoDataFrame, units: gpd.GeoDataFrame, below: Ground | None
) -> dict[str, Any]:
    """Prepare the faults of one rule in one level for the template."""
    level, unit = str(faults["level"].iloc[0]), str(faults["size_unit"].iloc[0])
    size = float(faults["size"].sum())
    words = f"{rule.title.en}, {level}"
    placed = faults.geometry.dropna()
    return {
        "level": level,
        "title": rule.title,
        "meaning": rule.meaning,
        "severity": next(
            severity for severity in SEVERITIES if (faults["severity"] == severity).any()
        ),
        "n": len(faults),
        "size": measured(size, squared=True) if unit == "m²" and size else "",
        "rows": [
            Text(zh=row.message_zh, en=row.message_en) for row in faults.head(_N_ROWS).itertuples()
        ],
        "map": None if below is None else fault_map(below, faults, label=words),
        "close": None if placed.empty else close_map(units, placed.iloc[0], label=words),
    }


def _repaired(done: Repaired) -> dict[str, Any]:
    moved = done.moved.sort_values("area_m2", ascending=False, kind="stable")
    return {
        "n": len(moved),
        "area_m2": float(moved["area_m2"].sum()),
        "actions": [
            {"action": action, "n": len(rows), "area_m2": float(rows["area_m2"].sum())}
            for action, rows in moved.groupby("action")
        ],
        "rows": [_said(row) for _, row in moved.head(_N_MOVED).iterrows()],
        "ground": done.ground.to_dict("records"),
        "n_left": len(done.suggestions),
    }


def _said(row: pd.Series) -> dict[str, Any]:
    return {
        "level": row["level"],
        "message": Text(zh=row["message_zh"], en=row["message_en"]),
        "area_m2": float(row["area_m2"]),
        "before_m2": float(row["area_before_m2"]),
        "after_m2": float(row["area_after_m2"]),
    }
