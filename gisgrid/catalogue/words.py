"""What does a layer hold, said for a reader?"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from gisgrid.catalogue.layer import Layer
from gisgrid.catalogue.provenance import Provenance
from gisgrid.schema import Field, Text

Language = Literal["zh", "en"]


def describe(
    layer: Layer, *, record: Provenance | None = None, language: Language | None = None
) -> str:
    """Say what a layer is, whence it comes, which columns it has and what it promises.

    Parameters
    ----------
    layer
        The layer.
    record
        How it was made, where it is derived and was built.
    language
        One language; both by default.

    Returns
    -------
    str
        Lines for a terminal.
    """
    return "\n".join(_lines(layer, record, language))


def _lines(layer: Layer, record: Provenance | None, language: Language | None) -> Iterator[str]:
    yield f"{layer.id} · {_say(layer.title, language)}"
    yield _say(layer.description, language)
    yield ""
    yield f"geometry     {layer.geometry}{f' in {layer.crs}' if layer.crs else ''}"
    if layer.primary_key:
        yield f"primary key  {layer.primary_key}"
    if layer.source is not None:
        yield f"file         {layer.source.path}"
        for key in ("licence", "attribution", "acquired"):
            if text := getattr(layer.source, key):
                yield f"{key:<12} {text}"
    if layer.derived is not None:
        yield f"made by      {layer.derived.function}"
        yield f"from         {', '.join(f'{key} = {name}' for key, name in layer.inputs.items())}"
        if layer.derived.parameters:
            yield f"parameters   {', '.join(f'{k} = {v}' for k, v in layer.derived.parameters.items())}"
    if record is not None:
        yield f"rows         {'a raster' if record.n_rows is None else record.n_rows}"
        yield from (f"left out     {n}: {reason}" for reason, n in record.excluded.items())
        yield from (f"note         {note}" for note in record.notes)
    yield from _promises(layer)
    if layer.fields:
        yield ""
        shown = {field.name for field in layer.exposed}
        width = max(len(field.name) for field in layer.fields)
        for field in layer.fields:
            mark = "*" if field.name in shown else " "
            yield f"{mark} {field.name:<{width}}  {_kind(field)}  {_say(field.description, language)}"
        yield "(* shown in tiles)"


def _promises(layer: Layer) -> Iterator[str]:
    contract = layer.contract
    if contract.coverage:
        yield "promises     no gaps and no overlaps"
    if contract.inside is not None:
        yield f"promises     each row inside the row of {contract.inside.layer} that {contract.inside.by} names"
    for entry in contract.unique:
        yield f"promises     no repeated {entry if isinstance(entry, str) else ' with '.join(entry)}"


def _kind(field: Field) -> str:
    unit = f" {field.unit}" if field.unit else ""
    missing = ", may be missing" if field.nullable else ""
    return f"{field.type}{unit}{missing}"


def _say(text: Text, language: Language | None) -> str:
    return getattr(text, language) if language else f"{text.zh} · {text.en}"
