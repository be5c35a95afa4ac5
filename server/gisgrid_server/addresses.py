"""Which address do clients know this server by?"""

from __future__ import annotations

from starlette.requests import Request

from gisgrid_server.settings import Settings


def base_url(request: Request, settings: Settings) -> str:
    """Give the address that absolute addresses begin with.

    Parameters
    ----------
    request
        The request; its host is used where nothing is set up.
    settings
        `public_url` goes first: a proxy may call this server by another name than users do.

    Returns
    -------
    str
        Without a slash at its end.
    """
    if settings.public_url is not None:
        return settings.public_url
    # The mount of the tiles adds itself to root_path; what the proxy said is kept beside it.
    root = str(request.scope.get("app_root_path", request.scope.get("root_path", "")))
    return f"{request.url.scheme}://{request.url.netloc}{root.rstrip('/')}"
