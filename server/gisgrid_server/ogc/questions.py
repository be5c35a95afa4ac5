"""Which features does a request ask for? ``bbox``, ``datetime``, ``filter`` and ``property=value``, as one filter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from gisgrid.features.filters import Filter
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.coordinates import Coordinates, asked, mercator_box, read_bbox
from gisgrid_server.ogc.negotiation import check_parameters
from gisgrid_server.ogc.queryables import GEOMETRY
from gisgrid_server.tiles.wanted import layer_filter

DEFAULT_LIMIT: Final = 100
MAX_LIMIT: Final = 10_000
"""Features of one page at most; who asks for more gets this many and a link to the next page."""

PARAMETERS: Final = (
    "bbox", "bbox-crs", "crs", "datetime", "limit", "after", "before", "filter", "filter-lang", "filter-crs",
)  # fmt: skip

_NOT_OF_FEATURES: Final = frozenset(
    {"bbox", "bbox-crs", "crs", "limit", "after", "before", "f", "lang", "key"}
)
_GREATEST: Final = 2**53
_NOWHERE: Final = (0.0, -90.0, 0.0, -90.0)
"""A box without places of a city."""


@dataclass(frozen=True)
class Question:
    """What a request for features asks.

    Attributes
    ----------
    where
        Which features; None for all.
    limit
        How many at most.
    after, before
        Where the page begins or ends.
    crs
        What the places shall be written in.
    kept
        The parameters that the links to other pages repeat.
    """

    where: Filter | None
    limit: int
    after: int | None
    before: int | None
    crs: Coordinates
    kept: Mapping[str, str]


def question(request: Request, edition: Edition) -> Question:
    """Read what a request asks of a layer's features.

    Parameters
    ----------
    request
        The request.
    edition
        The layer as it is now.

    Returns
    -------
    Question
        What it asks.

    Raises
    ------
    BadRequestError
        A parameter is unknown, given twice, or cannot be read.
    FilterError
        The filter, the time or a property cannot be used.
    """
    shown = [field.name for field in edition.shown]
    check_parameters(request, [*PARAMETERS, *shown])
    said = request.query_params
    before = _number(said.get("before"), name="before")
    after = _number(said.get("after"), name="after")
    if before is not None and after is not None:
        raise BadRequestError(
            "after and before are both given, but a page either begins or ends there; give one"
        )
    return Question(
        where=where(request, edition),
        limit=_limit(said.get("limit")),
        after=after,
        before=before,
        crs=asked(said.get("crs"), edition.layer, name="crs"),
        kept={name: value for name, value in said.items() if name not in {"after", "before", "f"}},
    )


def where(request: Request, edition: Edition) -> Filter | None:
    """Put everything that chooses features into one filter.

    Parameters
    ----------
    request
        The request.
    edition
        The layer as it is now.

    Returns
    -------
    Filter or None
        None where all features are asked for.

    Raises
    ------
    BadRequestError
        A box or a CRS cannot be read.
    FilterError
        The filter, the time or a property cannot be used.
    """
    said = [
        (name, value)
        for name, value in request.query_params.multi_items()
        if name not in _NOT_OF_FEATURES
    ]
    box, rest = _box(request, edition), layer_filter(edition, said)
    return rest if box is None else box if rest is None else box & rest


def _box(request: Request, edition: Edition) -> Filter | None:
    text = request.query_params.get("bbox")
    crs = asked(request.query_params.get("bbox-crs"), edition.layer, name="bbox-crs")
    if text is None:
        return None
    box = read_bbox(text, crs)
    if crs.crs.is_geographic:
        return Filter.bbox(*box)
    if crs.uri.endswith("/3857"):
        return Filter.bbox(*mercator_box(box))
    outline = crs.ring(box)
    if not outline:
        return Filter.bbox(*_NOWHERE)
    ring = ", ".join(f"{lon:.9f} {lat:.9f}" for lon, lat in outline)
    text = f"S_INTERSECTS({GEOMETRY}, POLYGON(({ring})))"
    return Filter.parse(text, language="cql2-text", fields=edition.fields)


def _limit(text: str | None) -> int:
    if text is None:
        return DEFAULT_LIMIT
    limit = _number(text, name="limit")
    if not limit:
        raise BadRequestError(
            f"limit={text[:40]!r} is no number of features; write 1 to {MAX_LIMIT}"
        )
    return min(limit, MAX_LIMIT)


def _number(text: str | None, *, name: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 19):
        raise BadRequestError(
            f"{name}={text[:40]!r} is no whole number from 0; mend it or leave it out"
        )
    return min(int(text), _GREATEST)
