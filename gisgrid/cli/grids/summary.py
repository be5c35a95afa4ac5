"""What `gisgrid validate-grids` says when it is done, in Chinese or English."""

from __future__ import annotations

from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gisgrid.cli import endings
from gisgrid.cli.grids.run import Done
from gisgrid.grids.validation.faults import measured
from gisgrid.grids.validation.rules import RULES, SEVERITIES
from gisgrid.progress import Progress

Language = Literal["zh", "en"]

_STEPS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"reading": "读取", "shapes": "图形", "coverage": "无缝无叠", "codes": "编码", "nesting": "上下级",
           "order": "编号与相邻", "repair": "修复", "writing": "写入"},
    "en": {"reading": "reading", "shapes": "shapes", "coverage": "coverage", "codes": "codes", "nesting": "nesting",
           "order": "numbering", "repair": "mending", "writing": "writing"},
}  # fmt: skip
_WORDS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"levels": "层级", "units": "单元", "faults": "问题", "size": "大小", "none": "没有发现问题。", "first": "最严重的",
           "nesting": "上下级", "inside": "{0[n_units]}个{0[child]}中，{0[n_inside]}个有{1:.0%}以上在一个{0[parent]}内，{0[n_most]}个过半，{0[n_orphans]}个无上级",
           "mended": "修复：{n}处改动，{area:,.2f} m² 易主；{left}处须由人决定"},
    "en": {"levels": "Levels", "units": "units", "faults": "Faults", "size": "size", "none": "No fault was found.",
           "first": "The gravest", "nesting": "Nesting",
           "inside": "of {0[n_units]} {0[child]}, {0[n_inside]} lie in one of {0[parent]} by {1:.0%} or more, {0[n_most]} by half or more; {0[n_orphans]} orphans",
           "mended": "Mended: {n} changes, {area:,.2f} m² changed hands; {left} faults left to people"},
}  # fmt: skip
_COLOURS: Final = {"error": "red", "warning": "yellow", "note": "dim"}
_N_FIRST: Final = 5


def spoken(progress: Progress, language: Language) -> Progress:
    """Tell a listener the steps in the user's language.

    Parameters
    ----------
    progress
        The listener.
    language
        The language.

    Returns
    -------
    Progress
        To be told ``level: step``.
    """

    def heard(step: str, share: float) -> None:
        level, sign, name = step.rpartition(": ")
        progress(level + sign + _STEPS[language][name], share)

    return heard


def summary(done: Done) -> dict[str, Any]:
    """Give what was found for a program.

    Parameters
    ----------
    done
        What was done.

    Returns
    -------
    dict
        Counts by level, rule and severity, nesting, what was mended, notes and files.
    """
    found = done.report
    faults = found.summary.assign(size=found.summary["size"].round(6))
    said: dict[str, Any] = {
        "clean": found.clean,
        **{f"n_{severity}s": found.n(severity) for severity in SEVERITIES},
        "levels": found.levels.to_dict("records"),
        "nesting": found.nesting.to_dict("records"),
        "faults": faults.to_dict("records"),
        "notes": [text.model_dump() for text in (*found.notes, *done.notes)],
        "files": [path.name for path in done.files],
    }
    if done.repaired is not None:
        said["repaired"] = {
            "n_changes": len(done.repaired.moved),
            "moved_m2": float(done.repaired.moved["area_m2"].sum()),
            "ground": done.repaired.ground.to_dict("records"),
            "n_left": len(done.repaired.suggestions),
        }
    return said


def show(done: Done, *, language: Language) -> None:
    """Print what was found and where it is.

    Parameters
    ----------
    done
        What was done.
    language
        The language to say it in.
    """
    console, words, found = Console(), _WORDS[language], done.report
    console.print(_levels(done, language))
    for row in found.nesting.to_dict("records"):
        said = words["inside"].format(row, found.limits.share_inside)
        console.print(escape(said), highlight=False)
    if not found.n():
        console.print(words["none"])
    else:
        console.print(_faults(done, language))
        grave = found.faults[found.faults["severity"] == found.faults["severity"].iloc[0]]
        console.print(f"[bold]{words['first']}[/]")
        for text in grave[f"message_{language}"].head(_N_FIRST):
            console.print(f"· {escape(text)}", highlight=False)
    if done.repaired is not None:
        moved, left = done.repaired.moved, len(done.repaired.suggestions)
        mended = words["mended"].format(n=len(moved), area=moved["area_m2"].sum(), left=left)
        console.print(mended, highlight=False)
    endings.show(
        console,
        notes=[getattr(text, language) for text in (*found.notes, *done.notes)],
        files=[path.name for path in done.files],
        language=language,
    )


def _levels(done: Done, language: Language) -> Table:
    words = _WORDS[language]
    table = Table(title=words["levels"], title_justify="left", box=None)
    table.add_column("")
    for name in (words["units"], "km²", *(getattr(text, language) for text in SEVERITIES.values())):
        table.add_column(name, justify="right")
    for row in done.report.levels.to_dict("records"):
        counts = (f"{row[f'n_{severity}s']:,}" for severity in SEVERITIES)
        table.add_row(
            escape(row["level"]), f"{row['n_units']:,}", f"{row['ground_km2']:,.2f}", *counts
        )
    return table


def _faults(done: Done, language: Language) -> Table:
    words = _WORDS[language]
    table = Table(title=words["faults"], title_justify="left", box=None)
    table.add_column("")
    table.add_column("")
    table.add_column("n", justify="right")
    table.add_column(words["size"], justify="right")
    for row in done.report.summary.to_dict("records"):
        severity = row["severity"]
        table.add_row(
            f"[{_COLOURS[severity]}]{getattr(SEVERITIES[severity], language)}[/]",
            escape(f"{getattr(RULES[row['rule']].title, language)} · {row['level']}"),
            f"{row['n']:,}",
            measured(row["size"], squared=row["size_unit"] == "m²") if row["size"] else "",
        )
    return table
