"""In which form and which language does a client want its answer, and does it ask for anything unknown?"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final, Literal

from starlette.requests import Request

from gisgrid.errors import did_you_mean
from gisgrid_server.edge.accepting import weight, weights
from gisgrid_server.edge.problems import BadRequestError, NotAcceptableError

Language = Literal["zh", "en"]

MEDIA_TYPES: Final[Mapping[str, tuple[str, ...]]] = {
    "json": (
        "application/json",
        "application/geo+json",
        "application/schema+json",
        "application/vnd.oai.openapi+json",
    ),
    "html": ("text/html", "application/xhtml+xml"),
    "mvt": (
        "application/vnd.mapbox-vector-tile",
        "application/x-protobuf",
        "application/octet-stream",
    ),
    "png": ("image/png",),
    "xml": ("text/xml", "application/xml"),
}
"""What each value of ``f`` is called in ``Accept``."""


def form_of(request: Request, *, offered: Sequence[str] = ("json", "html")) -> str:
    """Choose the form of an answer: ``f`` goes first, then ``Accept``.

    Parameters
    ----------
    request
        The request.
    offered
        What there is, the server's own choice first: keys of `MEDIA_TYPES`.

    Returns
    -------
    str
        One of `offered`.

    Raises
    ------
    BadRequestError
        ``f`` names no form, or is given twice.
    NotAcceptableError
        ``Accept`` allows none of them.
    """
    asked = request.query_params.getlist("f")
    if asked:
        if len(asked) > 1 or asked[0] not in offered:
            raise BadRequestError(
                f"f={asked[0][:40]!r} is no form of this answer; write f={' or f='.join(offered)}"
            )
        return asked[0]
    header = ",".join(request.headers.getlist("accept"))
    if not header.strip():
        return offered[0]
    said = weights(header)
    best = max(offered, key=lambda form: weight(MEDIA_TYPES[form], said))  # the first of equals
    if weight(MEDIA_TYPES[best], said) <= 0:
        names = " or ".join(MEDIA_TYPES[form][0] for form in offered)
        raise NotAcceptableError(
            f"Accept: {header[:80]!r} allows none of the forms of this answer; ask for {names}"
        )
    return best


def language_of(request: Request) -> Language:
    """Choose the language of a page: ``lang`` goes first, then ``Accept-Language``.

    Parameters
    ----------
    request
        The request.

    Returns
    -------
    {"zh", "en"}
        Chinese where a reader accepts it or says nothing, English otherwise.

    Raises
    ------
    BadRequestError
        ``lang`` is neither zh nor en.
    """
    asked = request.query_params.get("lang")
    if asked is not None:
        if asked not in {"zh", "en"}:
            raise BadRequestError(
                f"lang={asked[:40]!r} is no language of the pages; write zh or en"
            )
        return "zh" if asked == "zh" else "en"
    said = weights(request.headers.get("accept-language", ""))
    english = max((w for tag, w in said.items() if tag.split("-")[0] == "en"), default=0.0)
    chinese = max((w for tag, w in said.items() if tag.split("-")[0] == "zh"), default=0.0)
    return "en" if english > chinese else "zh"


def check_parameters(request: Request, known: Collection[str]) -> None:
    """Refuse what the answer would not heed (OGC API – Features, requirement 8).

    Parameters
    ----------
    request
        The request.
    known
        The query parameters of this address; ``f``, ``lang`` and ``key`` are always known.

    Raises
    ------
    BadRequestError
        There is another one, or one of them is given twice.
    """
    everywhere = ("f", "lang", "key")
    seen: set[str] = set()
    for name, _ in request.query_params.multi_items():
        if name not in known and name not in everywhere:
            raise BadRequestError(
                f"{name[:60]!r} is no parameter of {request.url.path}"
                f"{did_you_mean(name[:60], [*known, *everywhere])}"
            )
        if name in seen:
            raise BadRequestError(f"the parameter {name[:60]!r} is given twice; give it once")
        seen.add(name)
