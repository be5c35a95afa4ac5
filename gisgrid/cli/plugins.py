"""Commands that other distributions add, loaded when they are called and not before."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

from gisgrid.errors import InputError

GROUP: Final = "gisgrid.commands"

_KNOWN: Final = {
    "append": (
        "gisgrid-server",
        "Put rows into a layer that is being served. 向在线图层追加数据。",
    ),
    "key": ("gisgrid-server", "Make a key for layers that need one. 生成访问密钥。"),
    "serve": ("gisgrid-server", "Serve the map and its tiles. 打开地图服务。"),
}


def plugin_commands() -> dict[str, EntryPoint]:
    """Find the commands that installed distributions offer.

    Returns
    -------
    dict
        The command's name and where it is; nothing is loaded.
    """
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def load_command(name: str) -> Any:  # noqa: ANN401 - any function typer can call
    """Load the function of a plugin command.

    Parameters
    ----------
    name
        For example ``serve``.

    Returns
    -------
    callable
        As `typer` takes it.

    Raises
    ------
    InputError
        No installed distribution offers it, or the one that does cannot be loaded.
    """
    found = plugin_commands()
    if name not in found:
        package = _KNOWN[name][0] if name in _KNOWN else "a package that offers it"
        raise InputError(
            f"gisgrid {name} needs {package}, which is not installed here; install it, for example pip install {package}"
        )
    try:
        return found[name].load()
    except ImportError as error:
        raise InputError(
            f"gisgrid {name} cannot be loaded from {found[name].value} ({error}); install its distribution again"
        ) from error


class CommandGroup(TyperGroup):
    """The commands of gisgrid and those that other distributions add."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401 - typer keeps its own class of context
        """Name the commands: gisgrid's own, then the plugins'."""
        own: list[str] = super().list_commands(ctx)
        return [*own, *sorted({*_KNOWN, *plugin_commands()} - set(own))]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401 - the same
        """Give a command for the help; a plugin's own is loaded by `resolve_command` only."""
        own = super().get_command(ctx, cmd_name)
        if own is not None:
            return own
        if cmd_name in _KNOWN:
            return TyperCommand(name=cmd_name, short_help=_KNOWN[cmd_name][1])
        entry = plugin_commands().get(cmd_name)
        if entry is None:
            return None
        origin = entry.dist.name if entry.dist is not None else entry.value
        return TyperCommand(name=cmd_name, help=f"From {origin}.")

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:  # noqa: ANN401 - the same
        """Give the command that the arguments name, loading it if it is a plugin's."""
        name, command, rest = super().resolve_command(ctx, args)
        if name is not None and super().get_command(ctx, name) is None:
            single = typer.Typer(add_completion=False, rich_markup_mode=None)
            single.command(name)(load_command(name))
            command = get_command(single)
        return name, command, rest
