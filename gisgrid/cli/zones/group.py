"""The commands of `gisgrid zones`."""

from __future__ import annotations

import typer

from gisgrid.cli.zones.raster_commands import breaks, degurba, statistics
from gisgrid.cli.zones.unit_commands import agree, official, screen, shares, villages

zones = typer.Typer(
    name="zones",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    help="""Say which ground is urban, which is fringe, and how sure that is.

    划分城市、城乡结合部和村庄，并说明把握多大。

    Every command writes a layer or a table, and beside it how it was made; gisgrid zones COMMAND --help explains each.
    """,
)
for _name, _function, _words in (
    ("degurba", degurba, "Classify cells or units by population. 按人口划分城市化程度。"),
    (
        "breaks",
        breaks,
        "Find the fringe where lights and buildings fall off. 两断点法识别城乡结合部。",
    ),
    ("official", official, "Join the official urban-rural classes. 匹配统计用城乡分类。"),
    ("villages", villages, "Find the villages at the edge of the town. 识别城郊村。"),
    ("screen", screen, "Rank candidates for urban villages by buildings. 城中村候选排序。"),
    ("shares", shares, "Give units or reports their zone, by share. 按面积比例确定所属区域。"),
    ("agree", agree, "Compare ways of drawing zones. 比较各种方法是否一致。"),
    ("statistics", statistics, "Summarise a raster in areas. 分区统计栅格。"),
):
    zones.command(_name, short_help=_words)(_function)
