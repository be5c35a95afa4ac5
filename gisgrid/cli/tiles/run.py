"""What `gisgrid tiles` does: choose, lay down, draw, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from gisgrid.catalogue import Catalogue, FolderStore, Layer, resolve_data, resolve_layers
from gisgrid.errors import GisgridError, InputError, LayerNotFoundError, OutputError
from gisgrid.files import require_folder
from gisgrid.prepared import layer_source, prepare, shown_fields
from gisgrid.progress import Progress, silent
from gisgrid.schema import FieldType, Text
from gisgrid.tiles import TileSource
from gisgrid.tiles.archive import About, FieldKind, Written, write_archive
from gisgrid.tiles.scheme import BBox

FIELD_KINDS: Final[dict[FieldType, FieldKind]] = {
    "string": "String", "date": "String", "datetime": "String",
    "integer": "Number", "number": "Number", "boolean": "Boolean",
}  # fmt: skip
"""What a column is in a tile."""


@dataclass(frozen=True)
class Request:
    """What the user asked for, option by option."""

    output: Path
    layers: Path | None = None
    data: Path | None = None
    names: tuple[str, ...] = ()
    minzoom: int | None = None
    maxzoom: int | None = None
    bbox: BBox | None = None
    small: bool = False


@dataclass(frozen=True)
class Done:
    """What was written, and what was not.

    Attributes
    ----------
    archives
        Each with the layers in it.
    left_out
        Layers that are not in any, and why.
    notes
        What a reader should know.
    """

    archives: tuple[tuple[tuple[str, ...], Written], ...]
    left_out: dict[str, Text]
    notes: tuple[Text, ...]


@dataclass(frozen=True)
class _Drawn:
    layer: Layer
    source: TileSource
    version: str


def bbox_of(text: str | None) -> BBox | None:
    """Read a part of the world.

    Parameters
    ----------
    text
        West, south, east, north in degrees, with commas between them.

    Returns
    -------
    tuple of float or None
        The same as numbers.

    Raises
    ------
    InputError
        They are not four numbers, or not in order.

    Examples
    --------
    >>> bbox_of("113.5,34.8,114.5,35.6")
    (113.5, 34.8, 114.5, 35.6)
    """
    if text is None:
        return None
    try:
        west, south, east, north = map(float, text.replace("，", ",").split(","))
    except ValueError:
        west = south = east = north = float("nan")
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InputError(
            f"--bbox {text!r} is not west,south,east,north in degrees with west before east and south before north; "
            "for example 113.5,34.8,114.5,35.6"
        )
    return west, south, east, north


def run(request: Request, *, progress: Progress = silent) -> Done:
    """Do what the user asked for.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Done
        What was written.

    Raises
    ------
    InputError
        A layer is not drawn or has no data, or nothing is left to be drawn.
    OutputError
        The archive cannot be written there.
    """
    _check(request)
    catalogue = Catalogue.read(resolve_layers(request.layers))
    store = FolderStore(resolve_data(request.data))
    chosen, left_out, notes = _chosen(catalogue, store, request.names)
    drawn = []
    for layer in chosen:
        try:
            drawn.append(_drawn(layer, store, request, progress=progress))
        except GisgridError as error:
            if request.names:
                raise
            left_out[layer.id] = Text(zh=f"读取失败：{error}", en=f"cannot be read: {error}")
    if not drawn:
        why = "; ".join(f"{name} {text.en}" for name, text in left_out.items())
        raise InputError(
            f"none of {len(catalogue)} layers can be written as tiles ({why}); run gisgrid build, or name the layers"
        )
    archives = []
    for path, some in _archives(request.output, drawn):
        written = _written(path, some, request, catalogue=catalogue, progress=progress)
        archives.append((tuple(one.layer.id for one in some), written))
    return Done(tuple(archives), left_out, tuple(notes))


def _check(request: Request) -> None:
    """Refuse, before anything is read, what could not be written."""
    if request.output.suffix != ".pmtiles":
        raise OutputError(
            f"{request.output.name!r} is to be an archive of tiles; let it end in .pmtiles"
        )
    require_folder(request.output)
    first, last = request.minzoom, request.maxzoom
    if first is not None and last is not None and first > last:
        raise InputError(f"--minzoom {first} is beyond --maxzoom {last}; exchange them")


def _chosen(
    catalogue: Catalogue, store: FolderStore, names: Sequence[str]
) -> tuple[list[Layer], dict[str, Text], list[Text]]:
    """Choose the layers; who names one takes the responsibility for it."""
    left_out: dict[str, Text] = {}
    notes: list[Text] = []
    if names:
        chosen = [catalogue[name] for name in dict.fromkeys(names)]
        for layer in chosen:
            if layer.tiles is None or layer.kind == "table":
                raise LayerNotFoundError(
                    f"layer {layer.id!r} is not drawn: its description has no [tiles]; name another"
                )
            if layer.tiles.access == "key":
                notes.append(
                    Text(
                        zh=f"{layer.id} 在服务器上须凭钥匙查看，写进文件后任何人都能看到",
                        en=f"{layer.id} needs a key on the server, but whoever has the file sees it",
                    )
                )
        return chosen, left_out, notes
    chosen = []
    for layer in catalogue:
        if layer.tiles is None or layer.kind == "table":
            continue
        if layer.tiles.access == "key":
            left_out[layer.id] = Text(
                zh="须凭钥匙查看；要写入请点名", en="needs a key; name it to write it all the same"
            )
        elif not store.exists(layer):
            left_out[layer.id] = Text(zh="没有数据", en="has no data yet")
        else:
            chosen.append(layer)
    return chosen, left_out, notes


def _drawn(layer: Layer, store: FolderStore, request: Request, *, progress: Progress) -> _Drawn:
    tiles = layer.tiles
    assert tiles is not None  # noqa: S101 - _chosen has made sure of it
    # Zooms that are asked for beyond the layer's own are added; others are left out when the archive is written, so
    # that what is drawn is what a server draws.
    wanted = [zoom for zoom in (request.minzoom, request.maxzoom) if zoom is not None]
    first, last = (
        min(tiles.minzoom, *wanted, tiles.maxzoom),
        max(tiles.maxzoom, *wanted, tiles.minzoom),
    )
    asked = layer.model_copy(
        update={"tiles": tiles.model_copy(update={"minzoom": first, "maxzoom": last})}
    )
    prepared = prepare(layer, store, progress=progress)
    source = layer_source(replace(prepared, layer=asked), store)
    return _Drawn(asked, source, prepared.version)


def _archives(output: Path, drawn: Sequence[_Drawn]) -> list[tuple[Path, list[_Drawn]]]:
    """Share the layers out: those with features go together, a raster alone."""
    vector = [one for one in drawn if one.layer.kind != "raster"]
    rasters = [one for one in drawn if one.layer.kind == "raster"]
    if not vector and len(rasters) == 1:
        return [(output, rasters)]
    own = [(output.with_name(f"{output.stem}.{one.layer.id}.pmtiles"), [one]) for one in rasters]
    return ([(output, vector)] if vector else []) + own


def _written(
    path: Path,
    some: Sequence[_Drawn],
    request: Request,
    *,
    catalogue: Catalogue,
    progress: Progress,
) -> Written:
    layers = [one.layer for one in some]
    title = catalogue.about.title if len(layers) > 1 else layers[0].title
    thanks = [layer.source.attribution for layer in layers if layer.source is not None]
    about = About(
        name=f"{title.zh} · {title.en}",
        description="; ".join(f"{layer.title.zh} · {layer.title.en}" for layer in layers),
        attribution=" | ".join(dict.fromkeys(filter(None, thanks))),
        fields={
            layer.id: {field.name: FIELD_KINDS[field.type] for field in shown_fields(layer)}
            for layer in layers
        },
        descriptions={
            layer.id: f"{layer.description.zh} · {layer.description.en}" for layer in layers
        },
    )
    sources = [one.source for one in some]
    first = min(one.minzoom for one in sources) if request.minzoom is None else request.minzoom
    last = max(one.maxzoom for one in sources) if request.maxzoom is None else request.maxzoom
    return write_archive(
        sources, path, about=about, zooms=(first, last), bbox=request.bbox,
        compression="small" if request.small else "fast",
        state=" ".join(f"{one.layer.id}={one.version}" for one in some),
        progress=lambda _, share: progress(path.name, share),
    )  # fmt: skip
