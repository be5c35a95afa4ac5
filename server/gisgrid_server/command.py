"""``gisgrid serve``: the map and the tiles, at an address that is printed."""

from __future__ import annotations

import errno
import socket
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from gisgrid.errors import GisgridError, InputError

if TYPE_CHECKING:
    from gisgrid_server.settings import Settings


class AddressError(GisgridError, OSError):
    """The server cannot listen where it was told to."""


def serve(
    archive: Annotated[
        Path | None,
        typer.Argument(
            metavar="[CITY.pmtiles]", help="An archive of tiles, instead of a catalogue."
        ),
    ] = None,
    *,
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
    workers: Annotated[
        int | None, typer.Option(help="How many processes answer. [GISGRID_WORKERS, or 1]")
    ] = None,
    public_url: Annotated[
        str | None,
        typer.Option(
            help="The address users see, where a proxy stands in front. [GISGRID_PUBLIC_URL]"
        ),
    ] = None,
    with_key: Annotated[
        bool,
        typer.Option(
            "--with-key",
            help="Where no key file is named: make a key to the desk for this run, and print it.",
        ),
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Say whether it could be served, and end.")
    ] = False,
) -> None:
    """Show the map and serve the tiles of a catalogue, until stopped with Ctrl+C.

    打开地图服务。
    """
    settings = read_settings(
        layers=layers, data=data, host=host, port=port, public_url=public_url, workers=workers, archive=archive
    )  # fmt: skip
    if check:
        _check(settings)
        return
    # What is heavy is imported here, so that `gisgrid --help` does not wait for it.
    from gisgrid_server.running.checking import lay_down  # noqa: PLC0415
    from gisgrid_server.running.workers import run  # noqa: PLC0415

    listening = listen(settings.host, settings.port)
    with listening, TemporaryDirectory(prefix="gisgrid-key-") as folder:
        lay_down(settings, say=typer.echo)
        at = settings.public_url or address(settings.host, listening.getsockname()[1])
        if with_key and settings.keys_file is None:
            key, settings = _with_key(settings, Path(folder))
            typer.echo(f"The desk is at {at.rstrip('/')}/desk; its key, for this run: {key}")
        typer.echo(f"The map is at {at} (Ctrl+C stops it)")
        run(settings, listening)


def _with_key(settings: Settings, folder: Path) -> tuple[str, Settings]:
    """Make a key that sees every case and may take every step of a district's office."""
    from gisgrid_server.edge.keys import new_key as made  # noqa: PLC0415 - see serve

    key, lines = made("desk", role="district", owners=("*",), grids=("*",), classes=("*",))
    file = folder / "keys.toml"
    file.write_text(lines, "utf-8")
    return key, settings.model_copy(update={"keys_file": file})


def _check(settings: Settings) -> None:
    from gisgrid_server.running.checking import check_settings  # noqa: PLC0415 - see serve

    findings = check_settings(settings)
    for finding in findings:
        typer.echo(finding.sentence, err=not finding.is_well)
    if not all(finding.is_well for finding in findings):
        raise typer.Exit(1)


def new_key(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Whose key it shall be.")],
    *,
    layers: Annotated[
        str, typer.Option(help="The layers it opens, between commas; * for all.")
    ] = "*",
    role: Annotated[
        str | None,
        typer.Option(
            help="What its holder is in casework: collector, committee, community, subdistrict, bureau, district or system."
        ),
    ] = None,
    powers: Annotated[str, typer.Option(help="More powers than the role's, between commas.")] = "",
    owners: Annotated[
        str, typer.Option(help="As whom its holder settles cases, between commas; * for all.")
    ] = "",
    grids: Annotated[
        str,
        typer.Option(help="Beginnings of the grid codes it is for, between commas; * for all."),
    ] = "",
    classes: Annotated[
        str,
        typer.Option(help="Beginnings of the class codes it is for, between commas; * for all."),
    ] = "",
) -> None:
    """Make a key for layers that are not shown to everybody, and for who works on cases.

    生成访问密钥。
    """
    from gisgrid_server.edge.keys import new_key as made  # noqa: PLC0415 - see serve

    key, lines = made(
        name, layers=_between_commas(layers), role=cast("Any", role), powers=cast("Any", _between_commas(powers)),
        owners=_between_commas(owners), grids=_between_commas(grids), classes=_between_commas(classes),
    )  # fmt: skip
    if role is not None and not grids:
        typer.echo("the key is for no grid, so its holder sees no case; name some with --grids, * for all", err=True)  # fmt: skip
    typer.echo(
        f"The key, shown this once:\n{key}\n\nFor the key file (GISGRID_KEYS_FILE):\n{lines}"
    )


def append(
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="The layer.")],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE.geojson", help="GeoJSON in longitude, latitude; - reads from the pipe."
        ),
    ],
    *,
    delete: Annotated[
        list[str] | None, typer.Option(help="The key of a row that is no longer; may be repeated.")
    ] = None,
    layers: Annotated[
        Path | None, typer.Option(help="The catalogue's folder. [GISGRID_LAYERS, or ./layers]")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="The data folder. [GISGRID_DATA, or ./data]")
    ] = None,
) -> None:
    """Add or change rows of a layer while it is served; they are on the map within a second.

    向正在发布的图层追加或修改记录。
    """
    from gisgrid_server.layers.appending import append_file  # noqa: PLC0415 - see serve

    settings = read_settings(layers=layers, data=data)
    n = append_file(settings, layer, file, delete=tuple(delete or ()))
    typer.echo(f"{n} changes to {layer} are written")


def _between_commas(text: str) -> tuple[str, ...]:
    return tuple(word for part in text.split(",") if (word := part.strip()))


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
