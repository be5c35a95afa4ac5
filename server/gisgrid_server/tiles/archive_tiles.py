"""The tiles of an archive, as `front.Front` asks for them: stored bytes, an ETag, and no waiting."""

from __future__ import annotations

import json
import time
from typing import Final

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from starlette.types import Receive, Scope

from gisgrid import __version__
from gisgrid.errors import InputError, LayerNotFoundError, TileNotFoundError, did_you_mean
from gisgrid_server.edge.addresses import base_url, base_url_of
from gisgrid_server.edge.answers import NOSNIFF, YEAR_S, Answer, kept_answer, matches
from gisgrid_server.edge.encodings import chosen_encoding
from gisgrid_server.edge.problems import BadRequestError, add_problem_handlers, log
from gisgrid_server.running.metrics import Metrics
from gisgrid_server.settings import Settings
from gisgrid_server.tiles.addresses import TILE, TILEJSON, no_tile
from gisgrid_server.tiles.archives import Archive, archive_style, archive_tilejson, open_archive
from gisgrid_server.tiles.drawing import ready_tile
from gisgrid_server.tiles.wanted import parameters

_PARAMETERS: Final = frozenset({"v", "key", "f"})


class ArchiveTiles:
    """Answers whatever is asked below ``/tiles`` from one archive.

    Parameters
    ----------
    archive
        The archive; another that takes its place on disk is served from then on.
    settings
        How long tiles may be kept.
    metrics
        Where to count.
    """

    def __init__(self, archive: Archive, settings: Settings, *, metrics: Metrics) -> None:
        self._archive, self._settings, self._metrics = archive, settings, metrics
        self._looked = time.monotonic()

    @property
    def archive(self) -> Archive:
        """The archive as it is now."""
        self._look()
        return self._archive

    def at_once(self, scope: Scope, path: str, headers: dict[bytes, bytes]) -> Answer | None:
        """Answer a request.

        Parameters
        ----------
        scope
            The request.
        path
            Its path.
        headers
            Its headers.

        Returns
        -------
        Answer
            The tile as it is stored, where the client takes it so.

        Raises
        ------
        GisgridError
            There is no such tile.
        """
        archive = self.archive
        _check_query(scope["query_string"])
        if match := TILEJSON(path):
            self._check_name(archive, match[1])
            document = archive_tilejson(archive, base=base_url_of(scope, self._settings))
            body = json.dumps(document, ensure_ascii=False).encode()
            kept = (b"cache-control", b"no-cache")
            answer = Answer(200, [NOSNIFF, (b"content-type", b"application/json"), kept], body)
            return kept_answer(answer, headers.get(b"if-none-match"))
        match = TILE(path)
        if match is None:
            raise no_tile(path)
        name, z, x, y, suffix = match.groups()
        self._check_name(archive, name)
        suffixes = (archive.suffix, "pbf") if archive.suffix == "mvt" else (archive.suffix,)
        if suffix not in suffixes:
            raise TileNotFoundError(
                f"{name!r} has no .{suffix} tiles; ask for .{' or .'.join(suffixes)}"
            )
        return self._tile(archive, scope, headers, (int(z), int(x), int(y)))

    async def answer(
        self, scope: Scope, receive: Receive, path: str, headers: dict[bytes, bytes]
    ) -> Answer:
        """Never needed: every answer is given at once."""
        del receive
        found = self.at_once(scope, path, headers)
        if found is None:  # pragma: no cover - see above
            raise no_tile(path)
        return found

    def _tile(
        self,
        archive: Archive,
        scope: Scope,
        headers: dict[bytes, bytes],
        place: tuple[int, int, int],
    ) -> Answer:
        wants_packed = not archive.is_raster
        encoding = chosen_encoding(headers.get(b"accept-encoding", b"")) if wants_packed else ""
        tag = f'"{archive.version}-{"-".join(map(str, place))}{f"-{encoding}" if encoding else ""}"'.encode()
        is_versioned = f"v={archive.version}".encode() in scope["query_string"].split(b"&")
        age = (
            b"max-age=%d, immutable" % YEAR_S
            if is_versioned
            else b"max-age=%d" % self._settings.cache_max_age
        )
        answered = [
            NOSNIFF,
            (b"etag", tag),
            (b"cache-control", b"public, " + age),
            (b"vary", b"Accept-Encoding"),
        ]
        known = headers.get(b"if-none-match")
        if known is not None and matches(known, tag):
            return Answer(304, answered, b"")
        tile = ready_tile([archive.source.tile(*place)], archive.source.media_type, encoding, [])
        self._metrics.sent(tile.encoding, len(tile.body))
        answered.extend(tile.headers)
        return Answer(200 if tile.body else 204, answered, tile.body)

    def _check_name(self, archive: Archive, name: str) -> None:
        known = archive.source.layer_id
        if name != known:
            raise LayerNotFoundError(
                f"there is no {name[:100]!r} here{did_you_mean(name[:100], [known])}"
            )

    def _look(self) -> None:
        """See from time to time whether another archive has taken the place of this one."""
        now = time.monotonic()
        if now - self._looked < self._settings.look_s:
            return
        self._looked = now
        try:
            found = open_archive(self._archive.source.path)
        except InputError as error:
            log.warning(
                "the archive has changed but cannot be read, so the old one stays: %s", error
            )
            return
        if found.version != self._archive.version:
            self._archive = found
            self._metrics.count("reloads")


def _check_query(query: bytes) -> None:
    """Refuse a filter: who sent it would take all for what he asked for."""
    for name, _ in parameters(query):
        if name not in _PARAMETERS:
            raise BadRequestError(
                f"{name[:80]!r} cannot be asked of an archive, whose tiles were drawn before; leave it out, or serve the layers themselves"
            )


def archive_app(tiles: ArchiveTiles, settings: Settings, metrics: Metrics) -> FastAPI:
    """Make what answers beside an archive's tiles.

    Parameters
    ----------
    tiles
        The archive.
    settings
        For the addresses in the answers.
    metrics
        The numbers.

    Returns
    -------
    FastAPI
        The landing document, the style, and whether the server lives.
    """
    app = FastAPI(title="gisgrid", version=__version__, docs_url=None, redoc_url=None)
    add_problem_handlers(app)

    @app.get("/", tags=["catalogue"], summary="What is served")
    def _landing(request: Request) -> Response:
        base, archive = base_url(request, settings), tiles.archive
        name = archive.source.layer_id
        links = {"tilejson": f"{base}/tiles/{name}/tilejson.json", "style": f"{base}/style.json"}
        return JSONResponse({"title": name, "layers": archive.layer_ids, **links})

    @app.get("/style.json", tags=["styles"], summary="A MapLibre style that shows everything")
    def _style(request: Request) -> Response:
        return JSONResponse(archive_style(tiles.archive, base=base_url(request, settings)), headers={"Cache-Control": "no-cache"})  # fmt: skip

    @app.get("/healthz", tags=["server"], summary="Does the server answer?")
    @app.get("/readyz", tags=["server"], summary="Is the archive open?")
    def _health() -> Response:
        return JSONResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})

    if settings.metrics:

        @app.get("/metrics", tags=["server"], summary="Numbers for Prometheus", response_class=Response)  # fmt: skip
        def _metrics(request: Request) -> Response:
            body, media_type = metrics.page(request.headers.get("accept", ""))
            return Response(body, media_type=media_type, headers={"Cache-Control": "no-store"})

    return app
