"""What `gisgrid hotspots` says when it is done, in Chinese or English."""

from __future__ import annotations

from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gisgrid.cli import endings
from gisgrid.cli.hotspots.method import Method
from gisgrid.cli.hotspots.methods import METHODS
from gisgrid.cli.hotspots.reasons import SHARE
from gisgrid.derived import Note
from gisgrid.intake.reasons import words as words_of
from gisgrid.palette import CLUSTER_COLOURS, CONTRAST_COLOURS, GI_COLOURS, PATTERN_COLOURS

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
        "on_fallback_points": "不是案发地点的坐标（不计）",
        "unassigned": "不在任何单元内", "in_slivers": "在边缘碎格内（不计）", "counted": "计入",
        "areas": "单元", "tested": "参加检验", "labels": "热点等级", "classes": "分类", "hottest": "最热的地方",
        "far_out": "离群上报（不计）", "scattered": "不在任何一片内", "without_time": "没有上报时间（不计）",
        "in_part_steps": "在不完整的时段内（不计）", "later": "用于对照的后期上报",
        "on_no_street": "不在任何街道上（不计）", "far_in_time": "日期远离其他上报（不计）", "in_no_period": "不在所比较的时期内（不计）",
        "rows": "行", "segments": "街段", "figures": "全市", "place": "单元", "label": "等级", "method": "方法", "explanation": "为什么",
        "compare": "后期上报有多少落在各方法圈定的地方（面积的 {:.0%}）", "hit_rate": "命中率", "pai": "PAI", "pei": "PEI",
        "none": "没有一个单元突出。",
    },
    "en": {
        "counts": "Reports", "read": "read", "accepted": "accepted", "rejected": "rejected",
        "repeats": "repeats, not counted", "on_fallback_points": "on points that are no place, not counted", "unassigned": "in none of the areas",
        "in_slivers": "in slivers at the edge, not counted", "counted": "counted",
        "areas": "areas", "tested": "areas tested", "labels": "Hot and cold areas", "classes": "Classes", "hottest": "The hottest places",
        "far_out": "far from any other, not counted", "scattered": "in no cluster", "without_time": "without a time, not counted",
        "in_part_steps": "in steps covered in part, not counted", "later": "later reports, to compare with",
        "on_no_street": "on no street, not counted", "far_in_time": "dated far from all others, not counted",
        "in_no_period": "in none of the periods, not counted", "rows": "rows", "segments": "stretches of street", "figures": "In the whole city",
        "place": "Area", "label": "Label", "method": "Method", "explanation": "Why",
        "compare": "How many of the later reports each method’s map holds ({:.0%} of the area)", "hit_rate": "Hit rate", "pai": "PAI", "pei": "PEI",
        "none": "No area stands out.",
    },
}  # fmt: skip

_PARTS: Final[dict[Literal["zh", "en"], dict[str, str]]] = {
    "zh": {"n": "件数", "rate": "比率", "z": "占 z"},
    "en": {"n": "Issues", "rate": "Rate", "z": "Part of z"},
}
_N_PARTS: Final = 10
_MANY_CLASSES: Final = 8
_ROWS: Final = {"table": "rows", "lines": "segments"}
COLOURS: Final[dict[str, str | None]] = {
    **{str(name): colour for name, colour in GI_COLOURS.items()},
    **CLUSTER_COLOURS,
    **CONTRAST_COLOURS,
    **PATTERN_COLOURS,
}
"""Of every class of every method."""


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
    method = METHODS[summary["method"]]
    _show_counts(summary, method, language=language, console=console)
    console.print(f"[bold]{words['method']}[/] {getattr(method.does, language)}", highlight=False)
    if "figures" in summary:
        _show_figures(summary["figures"], method, language=language, console=console)
    if summary["labels"]:
        _show_classes(summary["labels"], method, language=language, console=console)
    if method.columns:
        _show_hottest(summary["hottest"], method, language=language, console=console)
    if "explanation" in summary:
        _show_explanation(summary["explanation"], language=language, console=console)
    if "compare" in summary:
        _show_comparison(summary["compare"], words, console=console)
    notes = [
        note.zh if language == "zh" and isinstance(note, Note) else note
        for note in summary["notes"]
    ]
    endings.show(console, notes=notes, files=summary["files"], language=language)


def _show_counts(
    summary: dict[str, Any], method: Method, *, language: Literal["zh", "en"], console: Console
) -> None:
    words = _WORDS[language]
    counts = Table(title=words["counts"], show_header=False, title_justify="left", box=None)
    counts.add_column()
    counts.add_column(justify="right")
    for name in ("read", "accepted", "rejected"):
        counts.add_row(words[name], f"{summary[name]:,}")
        if name == "rejected":
            for reason, n in summary["rejected_by_reason"].items():
                counts.add_row(
                    f"[dim]  {escape(getattr(words_of(reason), language))}[/]", f"[dim]{n:,}[/]"
                )
    for name in (
        "on_fallback_points", "repeats", "later", "unassigned", "in_slivers", "on_no_street", "far_out", "scattered",
        "without_time", "far_in_time", "in_part_steps", "in_no_period", "counted", "areas", "tested",
    ):  # fmt: skip
        always = {"counted"} if method.by == "streets" else {"unassigned", "counted"}
        if summary.get(name) or name in always:
            called = _ROWS.get(method.makes, name) if name == "areas" else name
            counts.add_row(words[called], f"{summary[name]:,}")
    console.print(counts)


def _show_figures(
    figures: dict[str, Any], method: Method, *, language: Literal["zh", "en"], console: Console
) -> None:
    table = Table(
        title=_WORDS[language]["figures"], show_header=False, title_justify="left", box=None
    )
    table.add_column()
    table.add_column(justify="right")
    for figure in method.figures:
        value = figures.get(figure.name)
        said = "–" if value is None else format(value, figure.form)
        table.add_row(getattr(figure.text, language), said)
    console.print(table)


def _show_classes(
    counts: dict[str, int], method: Method, *, language: Literal["zh", "en"], console: Console
) -> None:
    table = Table(
        title=_WORDS[language]["labels" if method.class_column == "label" else "classes"],
        show_header=False,
        title_justify="left",
        box=None,
    )
    table.add_column()
    table.add_column(justify="right")
    many = len(counts) > _MANY_CLASSES  # then only those that occur
    for name, n in counts.items():
        if n or not many:
            table.add_row(_swatch(name) + getattr(method.classes[name], language), f"{n:,}")
    console.print(table)


def _show_hottest(
    hottest: list[dict[str, Any]],
    method: Method,
    *,
    language: Literal["zh", "en"],
    console: Console,
) -> None:
    words = _WORDS[language]
    if not hottest:
        console.print(words["none"])
        return
    table = Table(title=getattr(method.title, language), title_justify="left", box=None)
    table.add_column(words["place"])
    for column in method.columns:
        table.add_column(getattr(column.text, language), justify="right")
    if method.class_column:
        table.add_column(words["label"])
    for row in hottest:
        called = (
            row.get(f"name_{language}")
            or row.get("name")
            or row.get("name_en")
            or row.get("name_zh")
        )
        place = f"{row['key']} {called}" if isinstance(called, str) else str(row["key"])
        cells = [
            "–" if row[column.name] is None else format(row[column.name], column.form)
            for column in method.columns
        ]
        if method.class_column:
            name = row[method.class_column]
            cells.append(_swatch(name) + getattr(method.classes[name], language))
        table.add_row(escape(place), *cells)
    console.print(table)


def _show_explanation(
    said: dict[str, Any], *, language: Literal["zh", "en"], console: Console
) -> None:
    console.print(
        f"[bold]{_WORDS[language]['explanation']}[/] {escape(said['sentence'][language])}",
        highlight=False,
    )
    table = Table(box=None)
    table.add_column(_WORDS[language]["place"])
    for name in ("n", "rate", "z"):
        table.add_column(_PARTS[language][name], justify="right")
    for part in said["parts"][:_N_PARTS]:
        row = [f"{part['n_incidents']:,}"]
        row += [
            "–" if part[name] is None else f"{part[name]:{form}}"
            for name, form in (("rate", ",.1f"), ("z", "+.2f"))
        ]
        table.add_row(escape(" ".join(dict.fromkeys([part["unit"], part["name"]]))), *row)
    console.print(table)


def _show_comparison(
    rows: list[dict[str, Any]], words: dict[str, str], *, console: Console
) -> None:
    table = Table(title=words["compare"].format(SHARE), title_justify="left", box=None)
    table.add_column(words["method"])
    for name in ("hit_rate", "pai", "pei"):
        table.add_column(words[name], justify="right")
    for row in rows:
        forms = (("hit_rate", ".1%"), ("pai", ".2f"), ("pei", ".3f"))
        table.add_row(
            row["method"],
            *("–" if row[name] is None else format(row[name], form) for name, form in forms),
        )
    console.print(table)


def _swatch(name: str) -> str:
    colour = COLOURS.get(name)
    return f"[{colour}]■[/] " if colour else "  "
