"""The commands of `gisgrid access`."""

from __future__ import annotations

import typer

from gisgrid.cli.access.help_commands import density, renewal, runs, sites
from gisgrid.cli.access.reach_commands import areas, catchments, coverage

access = typer.Typer(
    name="access",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="""Say who can reach what on foot, whom it leaves out, and what would help most.

    分析步行可达性：谁够得到公厕、商店、菜市场，谁被落下，增设在哪里最有用。

    Distances go along the streets; gisgrid access COMMAND --help explains each question.
    """,
)
for _name, _function, _words in (
    ("coverage", coverage, "Ask who reaches what the standards demand. 设施可达性。"),
    ("areas", areas, "Draw the ground within a walk. 服务范围。"),
    ("catchments", catchments, "Share out supply among residents. 两步移动搜索法。"),
    ("sites", sites, "Find where one more would help most. 增设选址。"),
    ("renewal", renewal, "List what old compounds lack. 老旧小区设施缺口。"),
    ("density", density, "Count facilities per km² of land use. 设施密度。"),
    ("runs", runs, "Find streets without a toilet or sign. 超长无设施路段。"),
):
    access.command(_name, short_help=_words)(_function)
