"""Does a layer's description agree with itself: keys, properties, style, contract?

These rules need no data. A catalogue holds every layer to them when it is read, so that nothing later has to ask.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from gisgrid.catalogue.layer import Layer, Tiles
from gisgrid.crs import parse_crs
from gisgrid.errors import CrsError, did_you_mean
from gisgrid.schema import Field

STYLE_TYPES = (
    "background",
    "fill",
    "line",
    "circle",
    "symbol",
    "raster",
    "heatmap",
    "fill-extrusion",
)
"""The kinds of layer that a MapLibre style knows and a catalogue may use."""

_SAFE_ENDINGS = ("_id", "_code", "name_zh", "name_en")


def description_faults(layer: Layer) -> list[str]:
    """List where a layer's description breaks a rule, as clauses that follow the name of its file.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    list of str
        Empty when the description agrees with itself.
    """
    return [
        *_origin_faults(layer),
        *_name_faults(layer),
        *_tile_faults(layer),
        *_style_faults(layer),
    ]


def is_free_text(field: Field, *, primary_key: str | None = None) -> bool:
    """Tell whether a column may hold what people wrote, and with it names and telephone numbers.

    Parameters
    ----------
    field
        The column.
    primary_key
        The layer's key, which is no free text.

    Returns
    -------
    bool
        True for a string column without a list of allowed values whose name does not end in ``_id``, ``_code``,
        ``name_zh`` or ``name_en``. Such a column is kept in the data and never shown.

    Examples
    --------
    >>> from gisgrid.schema import Text
    >>> words = Text(zh="备注", en="Remark")
    >>> is_free_text(Field(name="remark", type="string", description=words))
    True
    >>> is_free_text(Field(name="status", type="string", allowed=("open",), description=words))
    False
    """
    return (
        field.type == "string"
        and field.allowed_values is None
        and field.name != primary_key
        and not field.name.endswith(_SAFE_ENDINGS)
    )


def cell_properties(layer: Layer) -> set[str]:
    """Name what the cells say that are drawn where single features are too many.

    Parameters
    ----------
    layer
        Any layer.

    Returns
    -------
    set of str
        ``count``, the numbers of declared classes and the shares; empty where nothing is counted.
    """
    if layer.tiles is None or layer.geometry != "Point":
        return set()
    low = layer.tiles.low_zoom
    if low.strategy not in {"aggregate", "cluster"}:
        return set()
    words = next((f.allowed_values for f in layer.fields if f.name == low.counts_by), None) or ()
    return {"count", *(f"n_{word}" for word in words), *low.shares}


def style_properties(style: object) -> set[str]:
    """Name the properties that a style reads.

    Parameters
    ----------
    style
        A MapLibre layer, an expression, or a list of them.

    Returns
    -------
    set of str
        What ``["get", …]`` and ``["has", …]`` ask for, and the older ``"{name}"`` and ``["==", "kind", "alley"]``.

    Examples
    --------
    >>> style_properties({"paint": {"fill-opacity": ["case", ["has", "q"], 1, ["get", "z"]]}}) == {"q", "z"}
    True
    >>> style_properties([{"text-field": "{name_zh}"}, {"filter": ["==", "kind", "alley"]}]) == {"name_zh", "kind"}
    True
    """
    if isinstance(style, str):
        return set(re.findall(r"\{(\w+)\}", style))
    if isinstance(style, Mapping):
        return set().union(*map(style_properties, style.values()))
    if not isinstance(style, list | tuple):
        return set()
    match style:
        case ["get" | "has" | "!has", str(name)]:
            return {name}
        case ["==" | "!=" | "<" | "<=" | ">" | ">=" | "in" | "!in", str(name), *values] if not any(
            isinstance(value, list | tuple) for value in values
        ):
            return {name}
    return set().union(*map(style_properties, style))


def _origin_faults(layer: Layer) -> Iterator[str]:
    if (layer.source is None) == (layer.derived is None):
        found = "both [source] and [derived]" if layer.source else "neither [source] nor [derived]"
        yield f"has {found} but a layer has exactly one; keep the one that is true"
    if layer.source is not None and (
        layer.source.path.startswith(("/", "\\", "~")) or ".." in layer.source.path.split("/")
    ):
        yield f"has source.path = {layer.source.path!r}, which leaves the data folder; write a path inside it"
    if layer.derived is not None:
        both = set(layer.derived.inputs) & set(layer.derived.parameters)
        for name in sorted(both):
            yield f"has {name!r} among derived.inputs and derived.parameters; rename one of them"
    if layer.crs is None:
        if layer.kind != "table":
            yield "lacks the key 'crs' that every layer with a place needs; add it, for example crs = \"EPSG:4547\""
        return
    if layer.kind == "table":
        yield f"has crs = {layer.crs!r} but geometry = 'none', and a table lies nowhere; remove crs"
        return
    try:
        parse_crs(layer.crs)
    except CrsError as error:
        yield f"has {error}"


def _name_faults(layer: Layer) -> Iterator[str]:
    names = [field.name for field in layer.fields]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"describes the field {name!r} {names.count(name)} times; keep one"
    if layer.kind == "raster":
        if layer.fields or layer.primary_key:
            yield "is a raster, which has cells and no rows; remove primary_key and [[fields]]"
        return
    if layer.kind == "vector" and layer.primary_key is None:
        yield "lacks the key 'primary_key' that every layer with features needs; name the column that names a row"
    for key, name in _named_columns(layer):
        if name not in names:
            yield f"has {key} = {name!r}, which is none of its fields{did_you_mean(name, names)}"


def _named_columns(layer: Layer) -> Iterator[tuple[str, str]]:
    """Give every place outside [[fields]] that names a column of the layer."""
    if layer.primary_key is not None:
        yield "primary_key", layer.primary_key
    for entry in layer.contract.unique:
        for name in (entry,) if isinstance(entry, str) else entry:
            yield "contract.unique", name
    if layer.contract.inside is not None:
        yield "contract.inside.by", layer.contract.inside.by
    for name in layer.tiles.properties if layer.tiles is not None else ():
        yield "tiles.properties", name
    if layer.tiles is not None and layer.tiles.low_zoom.counts_by is not None:
        yield "tiles.low_zoom.counts_by", layer.tiles.low_zoom.counts_by


def _tile_faults(layer: Layer) -> Iterator[str]:
    tiles = layer.tiles
    if layer.contract.coverage and layer.geometry != "Polygon":
        yield f"has contract.coverage but geometry = {layer.geometry!r}, and only areas can cover; remove it"
    if tiles is None:
        return
    if layer.kind == "table":
        yield "has [tiles] but geometry = 'none', and a table cannot be drawn; remove [tiles]"
    if tiles.minzoom > tiles.maxzoom:
        yield (
            f"has tiles.minzoom = {tiles.minzoom} above tiles.maxzoom = {tiles.maxzoom}; swap them"
        )
    yield from _privacy_faults(layer, tiles)
    yield from _scope_faults(layer, tiles)
    codes = tiles.scoped_by.columns if tiles.scoped_by is not None else ()
    for field in layer.exposed:
        if is_free_text(field, primary_key=layer.primary_key) and field.name not in codes:
            yield (
                f"shows {field.name!r} in tiles.properties, which is free text that may hold names or telephone "
                "numbers; remove it there, or state its allowed values or labels"
            )


def _privacy_faults(layer: Layer, tiles: Tiles) -> Iterator[str]:
    privacy, low = tiles.privacy, tiles.low_zoom
    if (privacy.k_threshold or privacy.blur_m) and layer.geometry != "Point":
        yield f"has [tiles.privacy] but geometry = {layer.geometry!r}, and only points are counted or blurred; remove it"
    if privacy.k_threshold and low.strategy not in {"aggregate", "cluster"}:
        yield (
            f"has tiles.privacy.k_threshold = {privacy.k_threshold} with tiles.low_zoom.strategy = {low.strategy!r}, "
            "which shows single features; use 'aggregate'"
        )
    if low.counts_by is not None and low.counts_by not in {field.name for field in layer.exposed}:
        yield f"has tiles.low_zoom.counts_by = {low.counts_by!r}, which tiles.properties does not show; add it there"


def _scope_faults(layer: Layer, tiles: Tiles) -> Iterator[str]:
    if tiles.scoped_by is None:
        return
    if tiles.access != "key":
        yield "has tiles.scoped_by but access = 'public', and only the holder of a key has a scope; set access = 'key'"
    if not tiles.scoped_by.columns:
        yield "has tiles.scoped_by that names no column; name units, classes or owners, or remove it"
    if layer.kind != "vector":
        yield f"has tiles.scoped_by but geometry = {layer.geometry!r}, and only features are somebody's; remove it"
    shown = {field.name: field.type for field in layer.exposed}
    for name in tiles.scoped_by.columns:
        if shown.get(name) != "string":
            found = (
                f"is of type {shown[name]!r}" if name in shown else "tiles.properties does not show"
            )
            yield f"has tiles.scoped_by with {name!r}, which {found}; a scope is read from shown texts"


def _style_faults(layer: Layer) -> Iterator[str]:
    if layer.style and layer.tiles is None:
        yield "has a style.json but no [tiles], so nothing would be drawn; add [tiles] or remove style.json"
        return
    exposed = {field.name for field in layer.exposed} | cell_properties(layer)
    for number, part in enumerate(layer.style, start=1):
        name = part.get("id", f"number {number}")
        if not str(part.get("id", "")).startswith(layer.id):
            yield f"has the style layer {name!r}, whose id must begin with {layer.id!r}; rename it"
        if part.get("type") not in STYLE_TYPES:
            kind = str(part.get("type"))
            yield f"has the style layer {name!r} of type {kind!r}, which MapLibre does not draw{did_you_mean(kind, STYLE_TYPES)}"
        for key in sorted({"source", "source-layer"} & set(part)):
            yield f"has {key!r} in the style layer {name!r}, which the server fills in; remove it"
        for asked in sorted(style_properties(dict(part)) - exposed):
            yield (
                f"has the style layer {name!r} that reads {asked!r}, which tiles.properties does not show"
                f"{did_you_mean(asked, exposed)}"
            )


def repeated(names: Sequence[str]) -> list[str]:
    """Give the names that occur more than once, sorted.

    Parameters
    ----------
    names
        Any names.

    Returns
    -------
    list of str
        Each repeated name once.

    Examples
    --------
    >>> repeated(["a", "b", "a"])
    ['a']
    """
    return sorted({name for name in names if names.count(name) > 1})
