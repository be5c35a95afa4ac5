"""``gisgrid serve``: the map and the tiles, at an address that is printed."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gisgrid.errors import GisgridError, InputError

if TYPE_CHECKING:
    from gisgrid_server.settings import Settings


class AddressError(GisgridError, OSError):
    """The server cannot listen where it was told to."""


def serve(
    layers: Annotated[
        Path | None, typer.Option(help="The catalogue's folder. [GISGRID_LAYERS, or ./layers]")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data folder. [GISGRID_DATA, or ./data]")
    ] = None,
    host: Annotated[
        str | None,
        typer.Option(
            help="Where to listen; 0.0.0.0 for every network. [GISGRID_HOST, or 127.0.0.1]"
        ),
    ] = None,
    port: Annotated[
        int | None, typer.Option(help="The port; 0 takes a free one. [GISGRID_PORT, or 8000]")
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="The address users see, where a proxy stands in front. [GISGRID_PUBLIC_URL]"
        ),
    ] = None,
) -> None:
    """Show the map and serve the tiles of a catalogue, until stopped with Ctrl+C."""
    # What is heavy is imported here, so that `gisgrid --help` does not wait for it.
    import uvicorn  # noqa: PLC0415

    from gisgrid_server.app import create_app  # noqa: PLC0415

    settings = read_settings(layers=layers, data=data, host=host, port=port, public_url=public_url)
    listening = listen(settings.host, settings.port)
    with listening:
        app = create_app(settings)
        at = settings.public_url or address(settings.host, listening.getsockname()[1])
        typer.echo(f"The map is at {at} (Ctrl+C stops it)")
        config = uvicorn.Config(app, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


def read_settings(**said: object) -> Settings:
    """Put together what was said on the command line and in the environment.

    Parameters
    ----------
    said
        Settings by name; None where nothing was said.

    Returns
    -------
    Settings
        The settings.

    Raises
    ------
    InputError
        A value cannot be used.
    """
    from pydantic import ValidationError  # noqa: PLC0415 - see serve

    from gisgrid_server.settings import Settings  # noqa: PLC0415 - see serve

    try:
        given: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        return Settings(**given)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise InputError(
            f"the setting {name} (or GISGRID_{name.upper()}) is {first['input']!r} and cannot be used: {first['msg']}"
        ) from error


def listen(host: str, port: int) -> socket.socket:
    """Take a port, before anything slow is done.

    Parameters
    ----------
    host, port
        Where to listen; port 0 takes a free one.

    Returns
    -------
    socket
        Listening, for the server to take over.

    Raises
    ------
    AddressError
        The port is taken, or the host is not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        # From here on browsers wait for the server instead of being refused.
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise AddressError(_why(host, port, error)) from error
    return listening


def address(host: str, port: int) -> str:
    """Give the address to open in a browser.

    Parameters
    ----------
    host, port
        Where the server listens.

    Returns
    -------
    str
        For every network, this machine's own address.

    Examples
    --------
    >>> address("0.0.0.0", 8000), address("::1", 80)
    ('http://127.0.0.1:8000/', 'http://[::1]:80/')
    """
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - a name, not a binding
    return f"http://{f'[{own}]' if ':' in own else own}:{port}/"


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} at {host} is taken by another program; stop that one, or name another, for example --port {port + 1}"
    if error.errno == errno.EACCES:
        return f"port {port} may not be used without special rights; name one above 1023, for example --port 8000"
    return f"the server cannot listen at {host} port {port} ({error.strerror}); name an address of this machine, for example --host 127.0.0.1"
