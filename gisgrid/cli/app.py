"""Which commands are there, and what does a user see when one goes wrong?"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence
from typing import Annotated, Final

import typer

import gisgrid
from gisgrid.cli import commands
from gisgrid.cli.access.group import access
from gisgrid.cli.brief.command import brief
from gisgrid.cli.grids.make_command import balance_grids, make_grids
from gisgrid.cli.grids.validate_command import validate_grids
from gisgrid.cli.hotspots.command import hotspots
from gisgrid.cli.ingest.command import ingest
from gisgrid.cli.plugins import CommandGroup
from gisgrid.cli.tiles.command import tiles
from gisgrid.cli.zones.group import zones
from gisgrid.errors import GisgridError

_DEBUG: Final = "--debug"
_UsageError: Final = typer.BadParameter.__mro__[1]
"""What typer raises for a wrong option, wherever its version keeps that class."""

app = typer.Typer(
    name="gisgrid",
    cls=CommandGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(value: bool) -> None:  # noqa: FBT001 - typer's callback
    if value:
        typer.echo(f"gisgrid {gisgrid.__version__}")
        raise typer.Exit


@app.callback()
def _gisgrid(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version.", is_eager=True, callback=_show_version),
    ] = False,
    debug: Annotated[
        bool, typer.Option(_DEBUG, help="Show where an error comes from (also GISGRID_DEBUG=1).")
    ] = False,
) -> None:
    """Find the hotspot areas of a city that is managed by grid, and put them on a map.

    从上报问题到热点地图。
    """


_COMMANDS: Final[dict[str, tuple[Callable[..., None], str]]] = {
    "init": (commands.init, "Begin another city. 为新城市建立图层目录。"),
    "check": (commands.check, "Hold the layers against their contracts. 检查图层是否符合约定。"),
    "build": (commands.build, "Make what is out of date. 生成过期的派生图层。"),
    "describe": (commands.describe, "Say what a layer holds. 说明图层的内容和来源。"),
    "ingest": (ingest, "Read reports of any kind right. 接收任何格式的上报数据。"),
    "hotspots": (hotspots, "Find hotspots in a file of reports. 从上报文件中找出热点。"),
    "validate-grids": (validate_grids, "Examine and mend the units of a city. 检查并修复网格。"),
    "make-grids": (make_grids, "Draw unit grids where there are none. 划分单元网格。"),
    "balance-grids": (balance_grids, "Share the work between duty grids. 均衡责任网格。"),
    "tiles": (tiles, "Write layers as one file of tiles. 把图层写成瓦片文件。"),
    "brief": (brief, "Write the page of the week for a unit. 生成街道、社区周报。"),
    "demo": (commands.demo, "See it all on a synthetic city. 生成示范城市并打开地图。"),
}
for _name, (_function, _words) in _COMMANDS.items():
    app.command(_name, short_help=_words)(_function)
app.add_typer(
    zones, short_help="Draw urban, fringe and village zones. 划分城市、城乡结合部和村庄。"
)
app.add_typer(access, short_help="Say who reaches what on foot. 分析步行可达性。")
app.command("warm-up", hidden=True)(commands.warm_up)


def run(arguments: Sequence[str]) -> int:
    """Run a command.

    Parameters
    ----------
    arguments
        The words after ``gisgrid``.

    Returns
    -------
    int
        The exit code: 0, 1 (faults found), 2 (a user's mistake), 70 (gisgrid's own), 130 (interrupted).
    """
    _print_what_can_be_printed()
    debug = _DEBUG in arguments or os.environ.get("GISGRID_DEBUG", "") not in {"", "0"}
    words = [word for word in arguments if word != _DEBUG]
    try:
        code = app(words, prog_name="gisgrid", standalone_mode=False)
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        sys.stdout = None  # whoever read the output has gone, and Python must not try to finish it
        return 141
    except Exception as error:  # noqa: BLE001 - the last place where a user can be spared a traceback
        if debug:
            traceback.print_exc()
        return _say(error)
    if code == 130:
        typer.echo("interrupted", err=True)
    return code if isinstance(code, int) else 0


def _say(error: Exception) -> int:
    """Say an error on standard error, one line per sentence, and give its exit code."""
    if isinstance(error, GisgridError):
        for line in str(error).splitlines():
            typer.echo(f"error: {line}", err=True)
        return 2
    if isinstance(error, _UsageError):
        context = getattr(error, "ctx", None)
        command = context.command_path if context is not None else "gisgrid"
        text = error.format_message()  # type: ignore[attr-defined]  # typer's usage errors have it
        if text:
            typer.echo(f"error: {text.rstrip('.')}; see {command} --help", err=True)
        else:
            typer.echo(context.get_help() if context is not None else "", err=True)
        return 2
    kind = type(error).__name__
    typer.echo(
        f"error: gisgrid met something it did not expect ({kind}: {error}); "
        "run the command again with --debug and report what it shows",
        err=True,
    )
    return 70


def _print_what_can_be_printed() -> None:
    """Let a terminal without Chinese show question marks rather than fail."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None and (stream.encoding or "").lower().replace("-", "") != "utf8":
            reconfigure(errors="replace")
