"""``/api/report/photos`` takes photos, ``/media`` shows them to whoever may see their case."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.datastructures import UploadFile

from gisgrid.casework.ledger import CaseNotFoundError, Ledger
from gisgrid_server.casework.bodies import body_file, body_form
from gisgrid_server.casework.limits import Limits
from gisgrid_server.casework.photos import Kept, Photos, Size, no_photo
from gisgrid_server.casework.service import Casework
from gisgrid_server.edge.access import Doorkeeper
from gisgrid_server.edge.answers import YEAR_S, matches
from gisgrid_server.edge.problems import PhotoError
from gisgrid_server.edge.rights import Rights

_SHOWN: Final = {
    "Cache-Control": f"private, max-age={YEAR_S}, immutable",
    "Vary": "Authorization, X-API-Key",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_BINARY: Final[dict[str, Any]] = {"schema": {"type": "string", "format": "binary"}}
_PHOTO_TYPES: Final = ("image/jpeg", "image/png", "image/webp", "application/octet-stream")
_KEPT: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["id", "width", "height", "place", "taken_at"],
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "width": {"type": "integer", "minimum": 1},
        "height": {"type": "integer", "minimum": 1},
        "place": {
            "type": "object",
            "nullable": True,
            "required": ["lon", "lat", "accuracy_m"],
            "properties": {
                "lon": {"type": "number"},
                "lat": {"type": "number"},
                "accuracy_m": {"type": "number", "nullable": True},
            },
        },
        "taken_at": {"type": "string", "format": "date-time", "nullable": True},
    },
}


def _mistake(en: str, zh: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/problem"}
    return {"description": en, "x-zh": zh, "content": {"application/problem+json": {"schema": schema}}}  # fmt: skip


MISTAKES: Final[dict[int | str, dict[str, Any]]] = {
    "413": _mistake("the body is too large", "内容过大"),
    "415": _mistake("the file is no JPEG, PNG or WebP", "文件不是 JPEG、PNG 或 WebP"),
    "429": _mistake("too much was sent in this minute", "请求过于频繁"),
    "507": _mistake("the disk is full", "存储空间不足"),
}
"""What an address that takes photos may answer besides what any may."""


def media_router(casework: Casework, doorkeeper: Doorkeeper, limits: Limits) -> APIRouter:
    """Make the routes that take and show photos.

    Parameters
    ----------
    casework
        The cases and their photos.
    doorkeeper
        Who knows the keys.
    limits
        How many somebody may send.

    Returns
    -------
    APIRouter
        The routes.
    """
    router = APIRouter(tags=["photos"])
    photos, ledger, settings = casework.photos, casework.desk.ledger, casework.settings

    @router.post(
        "/api/report/photos",
        summary="Send a photo for a report",
        status_code=201,
        openapi_extra={"x-zh": "上传一张上报用的照片", "requestBody": _photo_body()},
        responses={**_responses("201", "kept; name it by its id in the report", "已保存，上报时用 id 引用", {"application/json": {"schema": _KEPT}})},
    )  # fmt: skip
    async def _send(request: Request) -> JSONResponse:
        rights = doorkeeper.rights(request.scope)
        casework.demand_reporter(rights)
        limits.check(request.scope, rights)
        kept = await _taken(request, photos, settings.max_photo_bytes)
        return JSONResponse(_told(kept), status_code=201, headers={"Cache-Control": "no-store"})

    @router.get(
        "/media/{photo}.jpg",
        summary="A photo of a case",
        response_class=FileResponse,
        openapi_extra={"x-zh": "案件的一张照片"},
        responses={**_responses("200", "the photo", "照片", {"image/jpeg": _BINARY}), "304": {"description": "the same as the client has"}},
    )  # fmt: skip
    def _show(
        photo: str,
        request: Request,
        size: Annotated[Size, Query(description="The photo, or a small one")] = "full",
    ) -> Response:
        rights = doorkeeper.rights(request.scope)
        rights.demand("see")
        path = photos.file(photo, size)
        if not _sees(rights, photo, photos, ledger):
            raise no_photo(photo)
        tag = f'"{hashlib.sha256(f"{photo}-{size}".encode()).hexdigest()[:24]}"'
        headers = {**_SHOWN, "ETag": tag}
        known = request.headers.get("if-none-match")
        if known is not None and matches(known.encode("latin-1"), tag.encode()):
            return Response(status_code=304, headers=headers)
        return FileResponse(path, media_type="image/jpeg", headers=headers)

    return router


def _sees(rights: Rights, photo: str, photos: Photos, ledger: Ledger) -> bool:
    for case_id in photos.cases(photo):
        try:
            if rights.sees(ledger.case(case_id)):
                return True
        except CaseNotFoundError:  # the ledger was put back to an earlier state
            continue
    return False


async def _taken(request: Request, photos: Photos, most: int) -> Kept:
    """Take the photo that a request is or has."""
    if not request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        with await body_file(request, most) as file:
            return await photos.take(file)
    form = await body_form(request, most)
    try:
        files = [value for _, value in form.multi_items() if isinstance(value, UploadFile)]
        if len(files) != 1:
            raise PhotoError(
                f"the form has {len(files)} files, one photo is taken at once; send each by itself",
                zh=f"表单中有 {len(files)} 个文件，请一次上传一张照片。",
            )
        return await photos.take(files[0].file)
    finally:
        await form.close()


def _told(kept: Kept) -> dict[str, Any]:
    place = kept.place
    return {
        "id": kept.id,
        "width": kept.width,
        "height": kept.height,
        "place": None if place is None else {"lon": place.lon, "lat": place.lat, "accuracy_m": place.accuracy_m},
        "taken_at": None if kept.taken_at is None else kept.taken_at.isoformat(),
    }  # fmt: skip


def _photo_body() -> dict[str, Any]:
    form = {"schema": {"type": "object", "required": ["photo"], "properties": {"photo": _BINARY["schema"]}}}  # fmt: skip
    return {
        "required": True,
        "content": {**dict.fromkeys(_PHOTO_TYPES, _BINARY), "multipart/form-data": form},
    }


def _responses(status: str, en: str, zh: str, content: dict[str, Any]) -> dict[int | str, dict[str, Any]]:  # fmt: skip
    return {status: {"description": en, "x-zh": zh, "content": content}, **MISTAKES}
