"""The application: settings in, routes out. Nothing is read or built when this module is imported."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from gisgrid import __version__
from gisgrid.catalogue import Catalogue, FolderStore, resolve_data, resolve_layers
from gisgrid.errors import GisgridError
from gisgrid.tiles import bbox_tiles
from gisgrid_server.api import api_router
from gisgrid_server.cors import OpenToAll
from gisgrid_server.findings import Findings
from gisgrid_server.openapi import with_tiles
from gisgrid_server.pages import page_router, static_folder
from gisgrid_server.problems import add_problem_handlers, log
from gisgrid_server.published import Edition, Published
from gisgrid_server.settings import Settings
from gisgrid_server.tile_routes import TileRoutes


def create_app(settings: Settings) -> FastAPI:
    """Make the application that serves a city's layers.

    Parameters
    ----------
    settings
        Where the layers and the data are, and how to answer.

    Returns
    -------
    FastAPI
        An ASGI application.

    Raises
    ------
    CatalogueError
        The catalogue is not there or breaks a rule.
    InputError
        The data folder is not there.
    """
    catalogue = Catalogue.read(resolve_layers(settings.layers))
    published = Published(catalogue, FolderStore(resolve_data(settings.data)))

    findings = Findings(published)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        if settings.warm:
            threading.Thread(
                target=warm, args=(published, findings), name="warm", daemon=True
            ).start()
        yield

    app = FastAPI(
        title="gisgrid",
        version=__version__,
        summary="Tiles, rows and findings of a city that is managed by grid",
        lifespan=lifespan,
        docs_url=None,  # the viewer of these pages would load from another host
        redoc_url=None,
    )
    app.add_middleware(OpenToAll)
    add_problem_handlers(app)
    app.include_router(api_router(published, findings, settings))
    app.include_router(page_router(static_folder(), basemap=catalogue.about.basemap))
    app.mount("/tiles", TileRoutes(published, settings))
    app.mount("/static", StaticFiles(directory=static_folder(), check_dir=False))
    with_tiles(app)
    return app


def warm(published: Published, findings: Findings) -> None:
    """Read every layer, draw one tile of each and make the findings, so that the first visitor does not wait.

    Parameters
    ----------
    published
        The layers. Those that are not ready are passed over; whoever asks for them is told.
    findings
        The findings.
    """
    for layer, edition in published.editions():
        if not isinstance(edition, Edition):
            log.warning("%s", edition)
            continue
        if layer.tiles is None or layer.kind == "table":
            continue
        try:
            edition.source.tile(layer.tiles.minzoom, *_middle(edition))
        except GisgridError as error:
            log.warning("layer %r cannot be drawn: %s", layer.id, error)
    with suppress(GisgridError):  # whoever asks for them is told why there are none
        findings.now()


def _middle(edition: Edition) -> tuple[int, int]:
    """Find the tile at the lowest zoom that shows the middle of a layer."""
    bbox = edition.source.bbox
    if bbox is None:
        return 0, 0
    west, south, east, north = bbox
    lon, lat = (west + east) / 2, (south + north) / 2
    _, x, y = next(bbox_tiles((lon, lat, lon, lat), edition.source.minzoom))
    return x, y
