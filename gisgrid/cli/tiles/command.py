"""`gisgrid tiles`: what can be asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.commands import AsJson, Data, Language, Layers


def tiles(
    names: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="LAYER", help="These layers; without, all that are drawn, public and there."
        ),
    ] = None,
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="The archive, ending in .pmtiles. A raster layer gets its own: NAME.LAYER.pmtiles.",
        ),
    ],
    layers: Layers = None,
    data: Data = None,
    minzoom: Annotated[
        int | None,
        typer.Option(
            help="First zoom of every layer.", min=0, max=24, show_default="each layer's own"
        ),
    ] = None,
    maxzoom: Annotated[
        int | None,
        typer.Option(
            help="Last zoom of every layer.", min=0, max=24, show_default="each layer's own"
        ),
    ] = None,
    bbox: Annotated[
        str | None,
        typer.Option(
            metavar="W,S,E,N", help="Only tiles that touch this part of the world, in degrees."
        ),
    ] = None,
    small: Annotated[
        bool, typer.Option("--small", help="Compress harder: a tenth smaller, and much slower.")
    ] = False,
    language: Annotated[Language, typer.Option(help="Language of the summary.")] = Language.zh,
    as_json: AsJson = False,
) -> None:
    """Write layers into one file of tiles (PMTiles) that any web map draws, without a server.

    把图层写成一个瓦片文件（PMTiles），网页地图可直接使用，无需服务器。

    The tiles are those that gisgrid serve gives, with the same columns and the same protection. A run that was stopped
    goes on where it was when the same command is given again.

    \b
    Examples:
      gisgrid tiles -o city.pmtiles
      gisgrid tiles communities reported_issues -o reports.pmtiles --minzoom 8 --maxzoom 16
    """  # noqa: D301 - the backslash keeps the examples' lines
    # A command's libraries load when it runs, so that --help does not wait for them.
    from gisgrid.cli import bars  # noqa: PLC0415
    from gisgrid.cli.tiles import run, summary  # noqa: PLC0415

    request = run.Request(
        layers=layers, data=data, names=tuple(names or ()), output=output, minzoom=minzoom, maxzoom=maxzoom,
        bbox=run.bbox_of(bbox), small=small,
    )  # fmt: skip
    with bars.shares("tiles") as progress:
        done = run.run(request, progress=progress)
    said = summary.summary(done)
    if as_json:
        typer.echo(json.dumps(said, ensure_ascii=False, indent=1))
    else:
        summary.show(said, language=language.value)
