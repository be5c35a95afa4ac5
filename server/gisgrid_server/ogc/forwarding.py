"""A tile that is asked for in another way: it is answered as below ``/tiles``, with the same bytes and headers."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.types import Receive, Scope

from gisgrid_server.edge.answers import GONE, as_response
from gisgrid_server.tiles.routes import TileRoutes


async def forwarded(
    tiles: TileRoutes,
    scope: Scope,
    receive: Receive,
    *,
    path: str,
    query: Sequence[tuple[str, str]],
) -> Response | None:
    """Answer a request by the tile at another address.

    Parameters
    ----------
    tiles
        What answers for all tiles.
    scope, receive
        The request.
    path
        The tile's path.
    query
        What to ask it with.

    Returns
    -------
    Response or None
        None where the client went away.

    Raises
    ------
    GisgridError
        There is no such tile.
    """
    inner = {**scope, "query_string": urlencode(query).encode()}
    headers = dict(scope["headers"])
    found = tiles.at_once(inner, path, headers)
    if found is None:
        found = await tiles.answer(inner, receive, path, headers)
    if found is GONE:
        return None
    return as_response(found)
