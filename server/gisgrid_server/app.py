"""The application: settings in, routes out. Nothing is read or built when this module is imported."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from functools import partial
from pathlib import Path

from fastapi import FastAPI

from gisgrid import __version__
from gisgrid.catalogue import Catalogue, FolderStore, resolve_data, resolve_layers
from gisgrid.errors import GisgridError
from gisgrid.progress import Progress, silent
from gisgrid.tiles import bbox_tiles, warm_up
from gisgrid_server.api import api_router
from gisgrid_server.assets import Assets
from gisgrid_server.casework.desk import desk_router
from gisgrid_server.casework.hooks import Hooks
from gisgrid_server.casework.limits import Limits
from gisgrid_server.casework.media import media_router
from gisgrid_server.casework.open311 import open311_router
from gisgrid_server.casework.reporting import reporting_router
from gisgrid_server.casework.service import Casework
from gisgrid_server.casework.taking import ReportTaker
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.front import Front, Shortcut
from gisgrid_server.edge.problems import add_problem_handlers, log
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.findings import Findings
from gisgrid_server.layers.published import Published
from gisgrid_server.ogc import landing_page, ogc_router
from gisgrid_server.openapi import describe
from gisgrid_server.pages import page_router, static_folder
from gisgrid_server.running.health import Readiness, health_router
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.running.telemetry import OpenTelemetrySpans, Spans
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.archive_tiles import ArchiveTiles, archive_app
from gisgrid_server.tiles.archives import open_archive
from gisgrid_server.tiles.routes import TileRoutes


def create_app(
    settings: Settings,
    *,
    counts: Path | None = None,
    progress: Progress = silent,
    spans: Spans | None = None,
    on_warm: Callable[[], None] = lambda: None,
) -> Front:
    """Make the application that serves a city's layers.

    Parameters
    ----------
    settings
        Where the layers and the data are, and how to answer.
    counts
        Where the workers of one server keep their numbers together; None for one worker.
    progress
        Told when a layer has to be laid down before it can be served.
    spans
        Where to note how long requests took; as the settings say where it is not given.
    on_warm
        Called when every layer has been read once.

    Returns
    -------
    Front
        An ASGI application.

    Raises
    ------
    CatalogueError
        The catalogue is not there or breaks a rule.
    InputError
        The data folder, the key file or something that is asked for is not there.
    """
    metrics = Metrics(counts)
    if spans is None and settings.telemetry:
        spans = OpenTelemetrySpans()
    if settings.archive is not None:
        archive = ArchiveTiles(open_archive(settings.archive), settings, metrics=metrics)
        return Front(
            archive_app(archive, settings, metrics), archive, settings, metrics=metrics, spans=spans
        )
    published = open_layers(settings, progress=progress)
    doorkeeper = Doorkeeper.of(settings)
    published.on_reload = lambda *, well: metrics.count("reloads" if well else "reload_failures")
    published.on_fresh = partial(metrics.set, "fresh_rows")
    findings, readiness = Findings(published), Readiness()
    tiles = TileRoutes(published, settings, doorkeeper=doorkeeper, metrics=metrics)
    casework = Casework.open(settings, published.catalogue, published.store)
    hooks = None if casework is None else Hooks.of(settings, casework.desk.ledger)

    def _warm() -> None:
        warm(published, findings, readiness)
        on_warm()

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        published.watch()
        if settings.warm:
            work = threading.Thread(target=_warm, name="warm", daemon=True)
            work.start()
        else:
            readiness.is_warm = True
        if hooks is not None:
            hooks.start()
        yield
        published.close()
        tiles.close()
        if hooks is not None:
            hooks.close()
        if casework is not None:
            casework.close()

    app = FastAPI(
        title="gisgrid",
        version=__version__,
        summary="Tiles, rows and findings of a city that is managed by grid",
        lifespan=lifespan,
        openapi_url=None,  # it has its own media type, see `ogc`
        docs_url=None,  # the viewer of these pages would load from another host
        redoc_url=None,
    )
    add_problem_handlers(app)
    app.include_router(api_router(published, findings, settings, doorkeeper))
    app.include_router(health_router(published, settings, metrics=metrics, readiness=readiness, note=tiles.note))  # fmt: skip
    shortcuts = _add_casework(app, casework, doorkeeper, settings)
    app.include_router(ogc_router(published, settings, doorkeeper, tiles=tiles))
    landing = landing_page(published, settings, doorkeeper)
    app.include_router(
        page_router(static_folder(), basemap=published.catalogue.about.basemap, landing=landing)
    )
    app.mount("/static", Assets(directory=static_folder(), check_dir=False))
    describe(app)
    return Front(app, tiles, settings, metrics=metrics, spans=spans, shortcuts=shortcuts)


def _add_casework(
    app: FastAPI, casework: Casework | None, doorkeeper: Doorkeeper, settings: Settings
) -> dict[tuple[str, str], Shortcut]:
    """Add the routes of cases: reports, photos, Open311, the desk. Gives those that need no FastAPI."""
    if casework is None:
        return {}
    limits = Limits(settings)
    take = ReportTaker(casework, doorkeeper, limits)
    shows_cases = settings.open311_public != "nothing"
    app.include_router(reporting_router(casework, doorkeeper, take, shows_cases=shows_cases))
    for router in (media_router, open311_router, desk_router):
        app.include_router(router(casework, doorkeeper, limits))
    return {("POST", "/api/report"): take}


def open_layers(settings: Settings, *, progress: Progress = silent) -> Published:
    """Find the layers that are to be served; none is read yet.

    Parameters
    ----------
    settings
        Where the layers and the data are.
    progress
        Told when a layer has to be laid down.

    Returns
    -------
    Published
        The layers.

    Raises
    ------
    CatalogueError
        The catalogue is not there or breaks a rule.
    InputError
        The data folder is not there.
    """
    catalogue = Catalogue.read(resolve_layers(settings.layers))
    store = FolderStore(resolve_data(settings.data))
    return Published(
        catalogue, store, prepared=settings.prepared, look_s=settings.look_s, progress=progress
    )


def warm(published: Published, findings: Findings, readiness: Readiness) -> None:
    """Read every layer, draw one tile of each and make the findings, so that the first visitor does not wait.

    Parameters
    ----------
    published
        The layers. Those that are not ready are passed over; whoever asks for them is told.
    findings
        The findings.
    readiness
        Told when this is done.
    """
    warm_up()
    for layer, edition in published.editions():
        try:
            if not isinstance(edition, Edition):
                raise edition
            if layer.tiles is not None and layer.kind != "table":
                edition.source.tile(edition.source.minzoom, *_middle(edition))
        except GisgridError as error:
            readiness.failed[layer.id] = str(error)
            log.warning("layer %r cannot be served yet: %s", layer.id, error)
    readiness.is_warm = True
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
