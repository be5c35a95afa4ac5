"""``/``, ``/inspect``, ``/report``, ``/desk``: the pages, from files that were built once and come with the package.

The phone page's service worker and manifest stand at the root, for a worker rules only over what lies below it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, Response

from gisgrid.catalogue import Basemap

_NOT_BUILT: Final = """<!doctype html>
<html lang="zh-CN"><meta charset="utf-8"><title>gisgrid</title>
<p>页面还没有构建：请在项目文件夹中运行 <code>make assets</code>，然后刷新本页。</p>
<p lang="en">The page is not built yet: run <code>make assets</code> in the project folder, then reload this page.
The layers are at <a href="api/catalogue">api/catalogue</a>.</p>
</html>
"""


def static_folder() -> Path:
    """Find the folder of the page's files, whether they are built or not.

    Returns
    -------
    Path
        In the installed package.
    """
    return Path(str(files("gisgrid_server") / "static"))


def page_router(
    folder: Path, *, basemap: Basemap | None, landing: Callable[[Request], Response | None]
) -> APIRouter:
    """Make the routes of the pages.

    Parameters
    ----------
    folder
        Where the page's files are, or would be.
    basemap
        A background map from elsewhere, the only other host that a page may ask.
    landing
        What programs get at ``/``; None for those who are to get the map.

    Returns
    -------
    APIRouter
        The routes.
    """
    router = APIRouter()
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": content_policy(basemap)}

    def _built(name: str, media_type: str = "text/html") -> Response:
        page = folder / name
        if page.is_file():
            return FileResponse(page, headers=headers, media_type=media_type)
        return HTMLResponse(_NOT_BUILT, status_code=503, headers=headers)

    @router.get("/", include_in_schema=False)
    def _map(request: Request) -> Response:
        return landing(request) or _built("index.html")

    @router.get("/inspect", include_in_schema=False)
    def _inspector() -> Response:
        return _built("inspect.html")

    @router.get("/report", include_in_schema=False)
    def _report() -> Response:
        return _built("report.html")

    @router.get("/desk", include_in_schema=False)
    def _desk() -> Response:
        return _built("desk.html")

    @router.get("/sw.js", include_in_schema=False)
    def _service_worker() -> Response:
        return _built("sw.js", "text/javascript")

    @router.get("/report.webmanifest", include_in_schema=False)
    def _manifest() -> Response:
        return _built("report.webmanifest", "application/manifest+json")

    return router


def content_policy(basemap: Basemap | None) -> str:
    """Say which hosts a page may load from: this one, and the background map's.

    Parameters
    ----------
    basemap
        The background map, if the catalogue names one.

    Returns
    -------
    str
        A Content-Security-Policy.

    Examples
    --------
    >>> "https://tiles.example.org" in content_policy(Basemap(url="https://tiles.example.org/{z}/{x}/{y}.png"))
    True
    """
    elsewhere = ""
    if basemap is not None:
        parts = urlsplit(basemap.url)
        elsewhere = f" {parts.scheme}://{parts.netloc}"
    return (
        "default-src 'self'; style-src 'self' 'unsafe-inline'; worker-src 'self' blob:; font-src 'self' data:; "
        f"img-src 'self' data: blob:{elsewhere}; connect-src 'self'{elsewhere}; "
        "object-src 'none'; base-uri 'self'"
    )
