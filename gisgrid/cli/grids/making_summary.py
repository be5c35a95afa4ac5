"""What `gisgrid make-grids` and `gisgrid balance-grids` say when they are done, in Chinese or English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gisgrid.cli import endings
from gisgrid.cli.grids.making import Balanced, Made

Language = Literal["zh", "en"]

STEPS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"reading": "读取", "unit grids": "划分单元网格", "duty grids": "组合责任网格", "moves": "寻找最少调整",
           "writing": "写入"},
    "en": {"reading": "reading", "unit grids": "drawing unit grids", "duty grids": "joining duty grids",
           "moves": "finding the fewest moves", "writing": "writing"},
}  # fmt: skip
"""What the steps are called."""

_WORDS: Final[dict[Language, dict[str, str]]] = {
    "zh": {"made": "单元网格", "n_communities": "社区", "n_grids": "网格", "aim": "目标面积 m²", "median": "面积中位数 m²",
           "middle": "九成在此之间 m²", "compact": "紧凑度中位数（正方形 0.785）",
           "balanced": "责任网格", "n_duty": "责任网格", "worst_before": "原来最大工作量 ÷ 平均（最差社区）",
           "worst_after": "现在最大工作量 ÷ 平均（最差社区）", "mean_before": "原来，各社区平均", "mean_after": "现在，各社区平均",
           "bound": "理论下限（最差社区）", "in_pieces": "不连片的责任网格", "bridges": "跨越空隙处",
           "moves": "须调整的单元", "proved": "已证明调整最少的社区", "outside": "仍超出容差的社区",
           "unit": "单元", "from": "由", "to": "到", "load": "工作量", "after": "调整后最大 ÷ 平均"},
    "en": {"made": "Unit grids", "n_communities": "communities", "n_grids": "grids", "aim": "aim, m²",
           "median": "median area, m²", "middle": "nine of ten between, m²",
           "compact": "median compactness (square 0.785)",
           "balanced": "Duty grids", "n_duty": "duty grids", "worst_before": "largest work over the mean before, worst community",
           "worst_after": "largest work over the mean now, worst community", "mean_before": "before, mean of the communities",
           "mean_after": "now, mean of the communities", "bound": "no division can have less, worst community",
           "in_pieces": "duty grids in pieces", "bridges": "gaps reached over", "moves": "units to move",
           "proved": "communities where fewer are proved impossible", "outside": "communities still outside the tolerance",
           "unit": "Unit", "from": "From", "to": "To", "load": "Work", "after": "Largest over mean then"},
}  # fmt: skip
_N_FIRST: Final = 10


def made(done: Made) -> dict[str, Any]:
    """Give what was drawn for a program.

    Parameters
    ----------
    done
        What was drawn.

    Returns
    -------
    dict
        Numbers, notes and files.
    """
    area = done.grids["area_m2"]
    return {
        "n_communities": int(done.grids[done.key].nunique()),
        "n_grids": len(done.grids),
        "aim_m2": done.area_m2,
        "area_m2": {
            f"q{q:02.0f}": round(float(area.quantile(q / 100)), 1) for q in (0, 5, 50, 95, 100)
        },
        "compactness_median": round(float(done.grids["compactness"].median()), 3),
        **endings.plain(done.notes, done.files),
    }


def balanced(done: Balanced) -> dict[str, Any]:
    """Give what was divided for a program.

    Parameters
    ----------
    done
        What was divided.

    Returns
    -------
    dict
        Numbers, moves, notes and files.
    """
    table = done.communities
    said: dict[str, Any] = {
        "n_communities": len(table),
        "n_duty_grids": len(done.grids),
        "imbalance_before": {"worst": float(table["imbalance_before"].max()), "mean": float(table["imbalance_before"].mean())},
        "imbalance_after": {"worst": float(table["imbalance_after"].max()), "mean": float(table["imbalance_after"].mean())},
        "n_in_pieces": int((done.grids["n_pieces"] > 1).sum()),
        "n_bridges": int(table["n_bridges"].sum()),
    }  # fmt: skip
    if done.moves is None:
        said["imbalance_bound"] = float(table["imbalance_bound"].max())
    else:
        said["n_moves"] = len(done.moves.moves)
        said["n_fewest"] = int(table["fewest"].sum())
        said["n_outside_tolerance"] = int((~table["within_tolerance"]).sum())
        said["moves"] = done.moves.moves.to_dict("records")
    return said | endings.plain(done.notes, done.files)


def show_made(done: Made, *, language: Language) -> None:
    """Print what was drawn and where it is.

    Parameters
    ----------
    done
        What was drawn.
    language
        The language to say it in.
    """
    console, words, said = Console(), _WORDS[language], made(done)
    area = said["area_m2"]
    rows = (
        ("n_communities", f"{said['n_communities']:,}"), ("n_grids", f"{said['n_grids']:,}"),
        ("aim", f"{said['aim_m2']:,.0f}"), ("median", f"{area['q50']:,.0f}"),
        ("middle", f"{area['q05']:,.0f} – {area['q95']:,.0f}"), ("compact", f"{said['compactness_median']:.2f}"),
    )  # fmt: skip
    console.print(_numbers(words, "made", rows))
    endings.show(
        console,
        notes=[getattr(note, language) for note in done.notes],
        files=[path.name for path in done.files],
        language=language,
    )


def show_balanced(done: Balanced, *, language: Language) -> None:
    """Print what was divided and where it is.

    Parameters
    ----------
    done
        What was divided.
    language
        The language to say it in.
    """
    console, words, said = Console(), _WORDS[language], balanced(done)
    before, after = said["imbalance_before"], said["imbalance_after"]
    rows = [
        ("n_communities", f"{said['n_communities']:,}"), ("n_duty", f"{said['n_duty_grids']:,}"),
        ("worst_before", f"{before['worst']:.2f}"), ("worst_after", f"{after['worst']:.2f}"),
        ("mean_before", f"{before['mean']:.2f}"), ("mean_after", f"{after['mean']:.2f}"),
        ("in_pieces", f"{said['n_in_pieces']:,}"), ("bridges", f"{said['n_bridges']:,}"),
    ]  # fmt: skip
    if done.moves is None:
        rows.append(("bound", f"{said['imbalance_bound']:.2f}"))
    else:
        rows += [("moves", f"{said['n_moves']:,}"), ("proved", f"{said['n_fewest']:,}"),
                 ("outside", f"{said['n_outside_tolerance']:,}")]  # fmt: skip
    console.print(_numbers(words, "balanced", rows))
    if done.moves is not None and len(done.moves.moves):
        table = Table(box=None)
        for name in ("unit", "from", "to", "load", "after"):
            table.add_column(words[name], justify="right" if name in {"load", "after"} else "left")
        for row in done.moves.moves.head(_N_FIRST).itertuples(index=False):
            _, _, unit, here, there, load, _, _, imbalance, _ = row
            table.add_row(
                *map(escape, map(str, (unit, here, there))), f"{load:,.6g}", f"{imbalance:.2f}"
            )
        console.print(table)
    endings.show(
        console,
        notes=[getattr(note, language) for note in done.notes],
        files=[path.name for path in done.files],
        language=language,
    )


def _numbers(words: dict[str, str], title: str, rows: Iterable[tuple[str, str]]) -> Table:
    table = Table(title=words[title], show_header=False, title_justify="left", box=None)
    table.add_column()
    table.add_column(justify="right")
    for name, value in rows:
        table.add_row(words[name], value)
    return table
