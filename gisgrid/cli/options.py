"""Which options do several commands share?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gisgrid.cli.commands import Language

LayerOutput = Annotated[
    Path,
    typer.Option(
        "--output",
        "-o",
        help="Where the result goes; the suffix says how: .gpkg .parquet .geojson .fgb, or .csv without shapes.",
    ),
]
TableOutput = Annotated[
    Path, typer.Option("--output", "-o", help="Where the table goes: .csv or .parquet")
]
Crs = Annotated[
    str | None,
    typer.Option(help="CRS of layers that do not say theirs, for example EPSG:4547."),
]
Words = Annotated[Language, typer.Option(help="Language of the summary.")]
