"""What can a user do with the city's layers? Each command reads its options and lets the library work.

Libraries load when a command runs, so that ``--help`` does not wait for them.
"""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

import typer

# ruff: noqa: PLC0415 - see above

Layers = Annotated[
    Path | None,
    typer.Option(
        "--layers", help="The catalogue's folder.", show_default="GISGRID_LAYERS or ./layers"
    ),
]
Data = Annotated[
    Path | None,
    typer.Option("--data", help="The data folder.", show_default="GISGRID_DATA or ./data"),
]
Names = Annotated[
    list[str] | None, typer.Argument(metavar="LAYER", help="Only these layers; all without.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Language(StrEnum):
    """The languages a layer describes itself in."""

    zh = "zh"
    en = "en"


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder that is new or empty.")],
) -> None:
    """Begin another city: a fresh catalogue, a data folder and a README.

    为新城市建立图层目录。
    """
    from gisgrid.catalogue import init_folder

    readme, layers, data = init_folder(folder)
    typer.echo(f"catalogue   {layers}\ndata        {data}\nread first  {readme}")


def check(
    names: Names = None, *, layers: Layers = None, data: Data = None, as_json: AsJson = False
) -> None:
    """Hold every layer against its contract; exit code 1 if there are faults.

    检查图层是否符合约定。
    """
    from gisgrid import catalogue as c
    from gisgrid.cli import bars, printing

    catalogue = c.Catalogue.read(c.resolve_layers(layers))
    store = c.FolderStore(c.resolve_data(data))
    with bars.steps("checking", len(names or catalogue)) as progress:
        found = c.check(catalogue, store, only=names or None, progress=progress)
    n_faults = sum(map(len, found.values()))
    typer.echo(printing.faults_as_json(found) if as_json else printing.faults(found))
    if n_faults:
        raise typer.Exit(1)


def build(
    names: Names = None,
    *,
    layers: Layers = None,
    data: Data = None,
    force: Annotated[
        bool, typer.Option("--force", help="Make them even if they are current.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Make the derived layers that are out of date, and nothing else.

    生成过期的派生图层。
    """
    from gisgrid import catalogue as c
    from gisgrid.cli import bars, printing
    from gisgrid.prepared import prepare_all

    catalogue = c.Catalogue.read(c.resolve_layers(layers))
    store = c.FolderStore(c.resolve_data(data))
    with bars.steps("building", len(catalogue.build_order())) as progress:
        made = c.build(catalogue, store, only=names or None, force=force, progress=progress)
    with bars.steps("laying down for the map", len(catalogue)) as progress:
        # A layer that cannot be laid down is told of by whoever asks for it; what was built is not lost by it.
        prepare_all(catalogue, store, only=names or None, progress=progress)
    typer.echo(printing.steps_as_json(made) if as_json else printing.steps(made))
    if any(step.status in {"waiting", "failed"} for step in made):
        raise typer.Exit(1)


def describe(
    name: Annotated[
        str | None, typer.Argument(metavar="[LAYER]", help="One layer; all in a list without it.")
    ] = None,
    *,
    layers: Layers = None,
    data: Data = None,
    language: Annotated[
        Language | None, typer.Option(help="One language.", show_default="both")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what a layer holds, whence it comes and what it promises.

    说明图层的内容、来源和约定。
    """
    from gisgrid import catalogue as c
    from gisgrid.cli import printing
    from gisgrid.errors import InputError

    catalogue = c.Catalogue.read(c.resolve_layers(layers))
    if name is None:
        wanted = _words(language)
        typer.echo(
            json.dumps(printing.plain(list(catalogue)), ensure_ascii=False, indent=1)
            if as_json
            else printing.layers(catalogue, wanted)
        )
        return
    layer = catalogue[name]
    try:
        record = c.FolderStore(c.resolve_data(data)).provenance(layer)
    except InputError:
        if data is not None:
            raise
        record = None
    if as_json:
        said = {**printing.plain(layer), "provenance": printing.plain(record)}
        typer.echo(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        typer.echo(c.describe(layer, record=record, language=_words(language)))


def demo(
    *,
    layers: Annotated[
        Path | None,
        typer.Option(
            "--layers",
            help="The catalogue's folder.",
            show_default="the one that comes with gisgrid",
        ),
    ] = None,
    data: Annotated[Path, typer.Option("--data", help="Where the city's data go.")] = Path(
        "demo-data"
    ),
    seed: Annotated[
        int, typer.Option(help="Which city: the same seed gives the same one.", min=0)
    ] = 1,
    issues: Annotated[
        int, typer.Option(help="How many reported issues.", min=2_000, max=2_000_000)
    ] = 60_000,
    years: Annotated[int, typer.Option(help="Over how many years.", min=1, max=5)] = 3,
    host: Annotated[str, typer.Option(help="Where to listen.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Where to listen.", min=0, max=65535)] = 8000,
    serve: Annotated[bool, typer.Option(help="Serve the map when the city is built.")] = True,
) -> None:
    """Make a synthetic city, build its layers and serve its map.

    生成示范城市并打开地图。
    """
    from gisgrid.cli import demo_city
    from gisgrid.cli.plugins import load_command

    server = load_command("serve") if serve else None
    folder = demo_city.catalogue_folder(layers)
    demo_city.prepare(folder, data, demo_city.Arguments(seed=seed, n_issues=issues, years=years))
    if server is not None:
        server(layers=folder, data=data, host=host, port=port, with_key=True)


def warm_up() -> None:
    """Compile what gisgrid calculates with, so that nobody waits for it later; ``make setup`` does this.

    预先编译计算内核。
    """
    from gisgrid.cli import bars, warm

    with bars.steps("compiling", len(warm.PARTS)) as progress:
        warm.warm_up(progress=progress)


def _words(language: Language | None) -> Literal["zh", "en"] | None:
    if language is None:
        return None
    return "zh" if language is Language.zh else "en"
