"""Which tile does an address mean? Layers, place, filters and options, read once per address and kept."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast
from urllib.parse import parse_qsl

from gisgrid.errors import ColumnError, LayerNotFoundError, TileNotFoundError, did_you_mean
from gisgrid.features.filters import Filter
from gisgrid.tiles import TileSource
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD, MatrixSet
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.layers.editions import Edition

VECTOR_SUFFIXES: Final = ("mvt", "pbf")
RASTER_SUFFIXES: Final = ("png", "webp")

_MAX_PARAMETERS: Final = 64
_MAX_QUERY: Final = 16_384
_NUMBER: Final = re.compile(r"^-?[0-9]{1,9}(\.[0-9]{1,9})?([eE][-+]?[0-9]{1,2})?$")
_COMMON: Final = frozenset({"v", "key", "f"})
_FILTERS: Final = ("filter", "filter-lang", "filter-crs", "datetime")
_OPTIONS: Final = ("ramp", "rescale")
_LANGUAGES: Final = ("cql2-text", "cql2-json")
_CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"


@dataclass(frozen=True, slots=True)
class Part:
    """One layer of a tile.

    Attributes
    ----------
    edition
        The layer as it is now.
    source
        What draws it.
    where
        Which of its features; None for all.
    """

    edition: Edition
    source: TileSource
    where: Filter | None


@dataclass(slots=True)
class Plan:
    """What an address without its place means: it is made once and used for many tiles.

    Attributes
    ----------
    parts
        The layers, in the order of the address.
    matrix_set
        The tile matrix set.
    version
        The version of all of them together.
    key
        What tells it from all other plans; with the place it is the key of a cached tile.
    mark
        What of it goes into an ETag.
    minzoom, maxzoom
        The zooms at which at least one layer is drawn.
    is_raster
        Whether the tile is a picture.
    is_live
        Whether rows may come at any moment.
    is_versioned
        Whether the address names the version that is served now, so that the answer never changes.
    needs_key
        Whether one of its layers is not shown to everybody.
    is_scoped
        Whether rows of one of its layers are somebody's: who else asks has another plan, from editions within other
        rights.
    options
        How a picture is to be coloured.
    slowest_s
        How long drawing took lately, by zoom: the slowest, slowly forgotten.
    """

    parts: tuple[Part, ...]
    matrix_set: MatrixSet
    version: str
    key: str
    mark: str
    minzoom: int
    maxzoom: int
    is_raster: bool
    is_live: bool
    is_versioned: bool
    needs_key: bool
    is_scoped: bool
    options: Mapping[str, Any]
    slowest_s: dict[int, float] = field(default_factory=dict)


def layer_names(text: str, *, at_most: int) -> tuple[str, ...]:
    """Read the layers of an address.

    Parameters
    ----------
    text
        Their ids between commas.
    at_most
        How many there may be.

    Returns
    -------
    tuple of str
        Each once, in the order of the address.

    Raises
    ------
    BadRequestError
        There are too many.
    LayerNotFoundError
        One of them is empty.

    Examples
    --------
    >>> layer_names("streets,communities,streets", at_most=16)
    ('streets', 'communities')
    """
    names = tuple(dict.fromkeys(text.split(",")))
    if len(names) > at_most:
        raise BadRequestError(
            f"the address asks for {len(names)} layers in one tile and at most {at_most} go together; ask for fewer"
        )
    if not all(names):
        raise LayerNotFoundError(
            f"{text[:100]!r} names a layer without a name; write /tiles/LAYER or /tiles/LAYER,LAYER"
        )
    return names


def make_plan(
    editions: Sequence[Edition],
    suffix: str,
    query: bytes,
    *,
    matrix_set: MatrixSet = WEB_MERCATOR_QUAD,
) -> Plan:
    """Say what an address means.

    Parameters
    ----------
    editions
        Its layers as they are now, in its order.
    suffix
        ``mvt``, ``pbf``, ``png`` or ``webp``.
    query
        What stands behind the question mark.
    matrix_set
        The tile matrix set.

    Returns
    -------
    Plan
        What to draw.

    Raises
    ------
    LayerNotFoundError
        A layer is not drawn.
    TileNotFoundError
        A layer has no tiles of that suffix.
    BadRequestError, ColumnError, FilterError
        The query asks for what cannot be.
    """
    is_raster = _check_suffix(editions, suffix)
    if is_raster and matrix_set is not WEB_MERCATOR_QUAD:
        raise TileNotFoundError(
            f"layer {editions[0].layer.id!r} is not drawn in {matrix_set.id}; ask for WebMercatorQuad"
        )
    query_parameters = parameters(query)
    own = _by_layer(query_parameters, [one.layer.id for one in editions])
    options = _options(own.pop("", []), suffix) if is_raster else {}
    parts = tuple(Part(one, one.source_in(matrix_set), layer_filter(one, own[one.layer.id]) if not is_raster else None)
                  for one in editions)  # fmt: skip
    version = joined_version(editions)
    said = "&".join(part.where.key if part.where is not None else "" for part in parts)
    shape = f"{said}|{sorted(options.items())}|{suffix if is_raster else ''}|{matrix_set.id}"
    plain = not said.strip("&") and not set(options) - {"image"} and matrix_set is WEB_MERCATOR_QUAD
    mark = (
        "" if plain and suffix != "webp" else "-" + hashlib.sha256(shape.encode()).hexdigest()[:10]
    )
    return Plan(
        parts=parts, matrix_set=matrix_set, version=version, mark=mark,
        key=f"{','.join(one.layer.id for one in editions)}|{version}|{shape}",
        minzoom=min(part.source.minzoom for part in parts),
        maxzoom=max(part.source.maxzoom for part in parts),
        is_raster=is_raster,
        is_live=any(one.is_live for one in editions),
        is_versioned=("v", version) in query_parameters,
        needs_key=any(one.layer.tiles is not None and one.layer.tiles.access != "public" for one in editions),
        is_scoped=any(one.layer.tiles is not None and one.layer.tiles.scoped_by is not None for one in editions),
        options=options,
    )  # fmt: skip


def joined_version(editions: Sequence[Edition]) -> str:
    """Name the version of some layers together.

    Parameters
    ----------
    editions
        The layers as they are now.

    Returns
    -------
    str
        The version of the one, or a word that changes when one of theirs does.
    """
    if len(editions) == 1:
        return editions[0].version
    said = ",".join(one.version for one in editions)
    return hashlib.sha256(said.encode()).hexdigest()[:12]


def parameters(query: bytes) -> list[tuple[str, str]]:
    """Read the parameters of an address.

    Parameters
    ----------
    query
        What stands behind the question mark.

    Returns
    -------
    list of tuple of str
        Names and values, decoded.

    Raises
    ------
    BadRequestError
        There are too many, they are too long, or they are not UTF-8.
    """
    if not query:
        return []
    if len(query) > _MAX_QUERY:
        raise BadRequestError(
            f"the address asks with {len(query)} bytes and at most {_MAX_QUERY} are read; ask for less at once"
        )
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, max_num_fields=_MAX_PARAMETERS, errors="strict"
        )  # fmt: skip
    except (ValueError, UnicodeDecodeError) as error:
        raise BadRequestError(
            f"the address's parameters cannot be read ({error}); send at most {_MAX_PARAMETERS}, in UTF-8"
        ) from error


def layer_filter(edition: Edition, asked: Sequence[tuple[str, str]]) -> Filter | None:
    """Say which of a layer's features are asked for.

    Parameters
    ----------
    edition
        The layer as it is now; not a raster.
    asked
        ``filter``, ``filter-lang``, ``datetime``, and shown properties with a value; all of them have to hold.

    Returns
    -------
    Filter or None
        None for all.

    Raises
    ------
    BadRequestError, ColumnError, FilterError
        The layer has no such property, or the filter cannot be read.
    """
    layer, fields = edition.layer, edition.fields
    said = _once(asked)
    language = _language(said)
    found: list[Filter] = []
    if text := said.pop("filter", ""):
        found.append(Filter.parse(text, language=cast("Any", language), fields=fields))
    if moment := said.pop("datetime", ""):
        # Of a layer without times every moment shows all of it (OGC API - Features, 7.15.4).
        during = Filter.from_datetime(moment, field=edition.time_field or "time")
        found += [during] if edition.time_field is not None else []
    for name in said:
        if name not in fields:
            known = [*fields, *_FILTERS]
            raise ColumnError(
                f"{name[:80]!r} is no property that layer {layer.id!r} shows{did_you_mean(name[:80], known)}"
            )
    if said:
        found.append(Filter.from_properties(said, fields=fields))
    where: Filter | None = None
    for one in found:
        where = one if where is None else where & one
    return where


def _once(asked: Sequence[tuple[str, str]]) -> dict[str, str]:
    said = dict(asked)
    if len(said) != len(asked):
        names = [name for name, _ in asked]
        repeated = next(name for name in names if names.count(name) > 1)
        raise BadRequestError(
            f"{repeated[:80]!r} is given twice; give it once, or use filter= with OR"
        )
    return said


def _language(said: dict[str, str]) -> str:
    """Take the words about the filter's language and its places out of what was asked."""
    language = said.pop("filter-lang", "cql2-text")
    if language not in _LANGUAGES:
        raise BadRequestError(
            f"filter-lang is {language[:40]!r} and the languages are {' and '.join(_LANGUAGES)}"
        )
    crs = said.pop("filter-crs", _CRS84)
    if crs != _CRS84:
        raise BadRequestError(f"filter-crs is {crs[:80]!r} and places in filters are in {_CRS84}")
    return language


def _check_suffix(editions: Sequence[Edition], suffix: str) -> bool:
    """Make sure that the layers have such tiles; say whether they are pictures."""
    for one in editions:
        layer = one.layer
        if layer.tiles is None or layer.kind == "table":
            raise LayerNotFoundError(
                f"layer {layer.id!r} is not drawn; its rows are at /api/layers/{layer.id}/rows"
            )
        suffixes = RASTER_SUFFIXES if layer.kind == "raster" else VECTOR_SUFFIXES
        if suffix not in suffixes:
            raise TileNotFoundError(
                f"layer {layer.id!r} has no .{suffix} tiles; ask for .{' or .'.join(suffixes)}"
            )
    is_raster = editions[0].layer.kind == "raster"
    if is_raster and len(editions) > 1:
        raise BadRequestError("a picture shows one raster layer; ask for each raster by itself")
    return is_raster


def _by_layer(
    asked: Sequence[tuple[str, str]], names: Sequence[str]
) -> dict[str, list[tuple[str, str]]]:
    """Give each layer what is asked of it: of all alike, or of it alone where its id and a dot go before."""
    own: dict[str, list[tuple[str, str]]] = {name: [] for name in names}
    own[""] = []
    for name, value in asked:
        if name in _COMMON:
            continue
        layer, dot, rest = name.partition(".")
        if dot and layer in names:
            own[layer].append((rest, value))
        else:
            for given in own.values():
                given.append((name, value))
    return own


def _options(asked: Sequence[tuple[str, str]], suffix: str) -> dict[str, Any]:
    options: dict[str, Any] = {"image": suffix}
    for name, value in asked:
        if name == "ramp":
            options["ramp"] = value
        elif name == "rescale":
            ends = value.split(",")
            if len(ends) != 2 or not all(_NUMBER.match(end) for end in ends):
                raise BadRequestError(
                    f"rescale is {value[:40]!r} and is written as two numbers, for example 0,50"
                )
            low, high = map(float, ends)
            if low >= high:
                raise BadRequestError(
                    f"rescale is {value[:40]!r} and its first number must be the smaller one"
                )
            options["rescale"] = (low, high)
        else:
            raise BadRequestError(
                f"{name[:80]!r} cannot be asked of a raster{did_you_mean(name[:80], _OPTIONS)}"
            )
    return options
