"""What `gisgrid ingest` says when it is done, in Chinese or English."""

from __future__ import annotations

from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gisgrid.cli import endings
from gisgrid.cli.ingest.run import Done
from gisgrid.intake import FALLBACK_TEXTS, REPEAT_TEXTS, FileFindings
from gisgrid.intake.reasons import words

Language = Literal["zh", "en"]

STEPS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"units": "读取单元", "columns": "识别列", "rows": "读取", "repeats": "查重", "writing": "写入", "page": "生成报告"},
    "en": {"units": "reading units", "columns": "recognising columns", "rows": "reading", "repeats": "finding repeats",
           "writing": "writing", "page": "writing the page"},
}  # fmt: skip
"""What the steps are called."""

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "zh": {
        "counts": "行数", "read": "读取", "accepted": "接受", "rejected": "退回", "incidents": "事件（不计重复）",
        "assigned": "落在 {}", "outside": "不在任何单元内", "files": "各文件", "place": "位置", "datum": "坐标基准",
        "time": "时间", "classes": "分类", "marks": "标记", "advice": "建议", "none": "无",
    },
    "en": {
        "counts": "Rows", "read": "read", "accepted": "accepted", "rejected": "rejected",
        "incidents": "incidents, repeats not counted", "assigned": "in {}", "outside": "in no unit", "files": "Files",
        "place": "place", "datum": "datum", "time": "time", "classes": "classes", "marks": "Marks", "advice": "Advice",
        "none": "none",
    },
}  # fmt: skip


def summary(done: Done) -> dict[str, Any]:
    """Give what was done for a program.

    Parameters
    ----------
    done
        What was done.

    Returns
    -------
    dict
        Counts, findings, advice and files.
    """
    found = done.ingestion
    files = [
        found.output,
        done.page,
        done.provenance,
        *found.mappings,
        *filter(None, (found.rejects,)),
    ]
    return {
        "read": found.n_read,
        "accepted": found.n_accepted,
        "rejected": found.n_rejected,
        "rejected_by_reason": found.rejected,
        "incidents": found.n_incidents,
        "duplicates": dict(found.duplicates),
        "fallback": dict(found.fallback),
        "flags": {problem.code: problem.n for problem in found.problems if problem.kind == "flag"},
        "assigned": dict(found.n_assigned),
        "outside": found.sample.n_outside,
        "period": found.period,
        "sources": [_file(each) for each in found.findings],
        "advice": [text.model_dump() for text in found.advice],
        "notes": [*done.notes, *(note.en for note in found.notes)],
        "files": [path.name for path in files],
    }


def _file(found: FileFindings) -> dict[str, Any]:
    return {
        "file": found.name,
        "format": found.format,
        "columns": {
            role: {"column": match.column, "confidence": round(match.confidence, 3)}
            for role, match in found.recognition.matches.items()
        },
        "datum": found.mapping.datum,
        "datum_confidence": round(found.datum.confidence, 4),
        "timezone": found.mapping.timezone,
        "taxonomy": found.mapping.taxonomy,
    }


def show(done: Done, *, language: Language) -> None:
    """Print what was read, what was found out and where it is.

    Parameters
    ----------
    done
        What was done.
    language
        The language to say it in.
    """
    console, said, found = Console(), _WORDS[language], done.ingestion
    console.print(_counts(done, language))
    for each in found.findings:
        console.print(f"[bold]{escape(each.name)}[/]", highlight=False)
        for name, text in _facts(each, language):
            console.print(f"  {said[name]}  {escape(text)}", highlight=False)
    marks = [(getattr(p.text, language), p.n) for p in found.problems if p.kind == "flag"]
    marks += [
        (getattr(REPEAT_TEXTS[kind], language), n) for kind, n in found.duplicates.items() if n
    ]
    marks += [
        (getattr(FALLBACK_TEXTS[kind], language), n) for kind, n in found.fallback.items() if n
    ]
    if marks:
        table = Table(title=said["marks"], show_header=False, title_justify="left", box=None)
        table.add_column()
        table.add_column(justify="right")
        for text, n in marks:
            table.add_row(escape(text), f"{n:,}")
        console.print(table)
    if found.advice:
        console.print(f"[bold]{said['advice']}[/]")
        for advice in found.advice:
            console.print(f"· {escape(getattr(advice, language))}", highlight=False)
    endings.show(console, notes=(), files=summary(done)["files"], language=language)


def _counts(done: Done, language: Language) -> Table:
    found, said = done.ingestion, _WORDS[language]
    table = Table(title=said["counts"], show_header=False, title_justify="left", box=None)
    table.add_column()
    table.add_column(justify="right")
    table.add_row(said["read"], f"{found.n_read:,}")
    table.add_row(said["accepted"], f"{found.n_accepted:,}")
    table.add_row(said["rejected"], f"{found.n_rejected:,}")
    for code, n in found.rejected.items():
        table.add_row(f"[dim]  {escape(getattr(words(code), language))}[/]", f"[dim]{n:,}[/]")
    table.add_row(said["incidents"], f"{found.n_incidents:,}")
    for level, n in found.n_assigned.items():
        table.add_row(escape(said["assigned"].format(level)), f"{n:,}")
    if found.sample.n_outside is not None:
        table.add_row(said["outside"], f"{found.sample.n_outside:,}")
    return table


def _facts(found: FileFindings, language: Language) -> list[tuple[str, str]]:
    none = _WORDS[language]["none"]
    columns = {role: match.column for role, match in found.recognition.matches.items()}
    datum = found.datum.datum
    words_of_datum = found.mapping.datum or none
    if datum is not None and datum.id == found.mapping.datum:
        words_of_datum = f"{getattr(datum.words, language)} ({found.datum.confidence:.1%})"
    return [
        ("place", ", ".join(found.place_columns) or found.format),
        ("datum", words_of_datum),
        (
            "time",
            ", ".join(columns[role] for role in found.times) + f" ({found.timezone})"
            if found.times
            else none,
        ),
        ("classes", found.mapping.taxonomy or none),
    ]
