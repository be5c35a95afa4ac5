"""What `gisgrid hotspots` says when it is done, in Chinese or English."""

from __future__ import annotations

from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gisgrid.palette import GI_COLOURS, LABEL_TEXTS, LABELS, Label
from gisgrid.progress import Progress

STEPS: Final[dict[Literal["zh", "en"], dict[str, str]]] = {
    "zh": {"reports": "读取上报", "units": "读取单元", "hotspots": "计算热点", "files": "写入文件"},
    "en": {
        "reports": "reading reports",
        "units": "reading units",
        "hotspots": "finding hotspots",
        "files": "writing",
    },
}

_WORDS: Final[dict[Literal["zh", "en"], dict[str, str]]] = {
    "zh": {
        "counts": "上报", "read": "读取", "accepted": "接受", "rejected": "退回", "repeats": "重复上报（不计）",
        "unassigned": "不在任何单元内", "in_slivers": "在边缘碎格内（不计）", "counted": "计入",
        "areas": "单元", "tested": "参加检验", "labels": "热点等级", "hottest": "最热的地方",
        "place": "单元", "n": "件数", "observed": "邻域平均", "expected": "总体平均", "label": "等级",
        "none": "没有一个单元显著偏热。", "notes": "说明", "written": "已写入",
    },
    "en": {
        "counts": "Reports", "read": "read", "accepted": "accepted", "rejected": "rejected",
        "repeats": "repeats, not counted", "unassigned": "in none of the areas",
        "in_slivers": "in slivers at the edge, not counted", "counted": "counted",
        "areas": "areas", "tested": "areas tested", "labels": "Hot and cold areas", "hottest": "The hottest places",
        "place": "Area", "n": "Issues", "observed": "Observed", "expected": "Expected", "label": "Label",
        "none": "No area is significantly hot.", "notes": "Notes", "written": "Written",
    },
}  # fmt: skip


def spoken(progress: Progress, language: Literal["zh", "en"]) -> Progress:
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
        To be told the steps by their names in `hotspot_run`.
    """

    def heard(step: str, share: float) -> None:
        progress(STEPS[language][step], share)

    return heard


def show(summary: dict[str, Any], *, language: Literal["zh", "en"]) -> None:
    """Print what was read, what was found and where it is.

    Parameters
    ----------
    summary
        As `hotspot_run.Result` has it.
    language
        The language to say it in.
    """
    console = Console()
    words = _WORDS[language]
    counts = Table(title=words["counts"], show_header=False, title_justify="left", box=None)
    counts.add_column()
    counts.add_column(justify="right")
    for name in ("read", "accepted", "rejected"):
        counts.add_row(words[name], f"{summary[name]:,}")
        if name == "rejected":
            for reason, n in summary["rejected_by_reason"].items():
                counts.add_row(f"[dim]  {escape(str(reason))}[/]", f"[dim]{n:,}[/]")
    for name in ("repeats", "unassigned", "in_slivers", "counted", "areas", "tested"):
        if summary[name] or name in {"unassigned", "counted"}:
            counts.add_row(words[name], f"{summary[name]:,}")
    console.print(counts)
    labels = Table(title=words["labels"], show_header=False, title_justify="left", box=None)
    labels.add_column()
    labels.add_column(justify="right")
    for label in LABELS:
        labels.add_row(
            _swatch(label) + LABEL_TEXTS[label][language], f"{summary['labels'][label]:,}"
        )
    console.print(labels)
    _show_hottest(summary["hottest"], words, language=language, console=console)
    console.print(f"[bold]{words['notes']}[/]")
    for note in summary["notes"]:
        console.print(f"· {escape(note)}", highlight=False)
    console.print(
        f"[bold]{words['written']}[/] {escape(', '.join(summary['files']))}", highlight=False
    )


def _show_hottest(
    hottest: list[dict[str, Any]],
    words: dict[str, str],
    *,
    language: Literal["zh", "en"],
    console: Console,
) -> None:
    if not hottest:
        console.print(words["none"])
        return
    table = Table(title=words["hottest"], title_justify="left", box=None)
    table.add_column(words["place"])
    for name in ("n", "observed", "expected"):
        table.add_column(words[name], justify="right")
    for name in ("z", "q"):
        table.add_column(name, justify="right")
    table.add_column(words["label"])
    for row in hottest:
        called = (
            row.get(f"name_{language}")
            or row.get("name")
            or row.get("name_en")
            or row.get("name_zh")
        )
        place = f"{row['key']} {called}" if isinstance(called, str) else str(row["key"])
        table.add_row(
            escape(place), f"{row['n_incidents']:,}", f"{row['observed']:,.1f}", f"{row['expected']:,.1f}",
            f"{row['z']:.2f}", f"{row['q']:.3f}", _swatch(row["label"]) + LABEL_TEXTS[row["label"]][language],
        )  # fmt: skip
    console.print(table)


def _swatch(label: Label) -> str:
    colour = GI_COLOURS[label]
    return f"[{colour}]■[/] " if colour else "  "
