"""How is an answer sent? With what lets a client keep it, and tells it when it has it already."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.links import JSON


def document(
    request: Request,
    content: Mapping[str, Any] | bytes,
    *,
    media_type: str = JSON,
    of: Iterable[Edition] = (),
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Answer with a document, or with 304 where the client has this very one.

    Parameters
    ----------
    request
        The request.
    content
        JSON, or bytes that are written already.
    media_type
        What it is.
    of
        The layers it was made from.
    headers
        More headers.

    Returns
    -------
    Response
        Never kept without asking again; kept by the client alone where a layer needs a key.
    """
    body = (
        content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    )
    tag = f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'
    all_headers = {
        "ETag": tag,
        "Cache-Control": "private, no-cache" if is_private(of) else "no-cache",
        "Vary": "Accept, Authorization, X-API-Key" if is_private(of) else "Accept",
        "X-Content-Type-Options": "nosniff",
        **(headers or {}),
    }
    known = {part.strip().removeprefix("W/") for part in request.headers.get("if-none-match", "")[:2000].split(",")}  # fmt: skip
    if tag in known:
        return Response(status_code=304, headers=all_headers)
    return Response(body, media_type=media_type, headers=all_headers)


def is_private(editions: Iterable[Edition]) -> bool:
    """Tell whether an answer is for the holder of a key alone.

    Parameters
    ----------
    editions
        The layers it was made from.

    Returns
    -------
    bool
        True where one of them needs a key.
    """
    return any(
        one.layer.tiles is not None and one.layer.tiles.access != "public" for one in editions
    )
