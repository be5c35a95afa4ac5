"""What does a client hear when something is wrong? A problem (RFC 9457), in English and Chinese.

One table maps the errors of the domain to HTTP; the domain knows nothing of it.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from secrets import token_hex
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from gisgrid.casework.ledger import (
    CaseNotFoundError,
    ConflictError,
    IncompleteError,
    LedgerError,
    TransitionError,
)
from gisgrid.desk.reports import ReportError, rule_zh
from gisgrid.errors import (
    CatalogueError,
    ColumnError,
    GisgridError,
    InputError,
    LayerNotFoundError,
    TileNotFoundError,
)
from gisgrid.features.filters import FilterError
from gisgrid_server.running.logs import LOGGER

PROBLEM_MEDIA_TYPE: Final = "application/problem+json"

log = logging.getLogger(LOGGER)


class NotReadyError(GisgridError, LookupError):
    """A layer is described, but its data are not there, or cannot be read."""


class BadRequestError(GisgridError, ValueError):
    """A request asks for something in a way that means nothing."""


class KeyNeededError(GisgridError, PermissionError):
    """A layer was asked for that is shown to holders of a key only, and no key that is known was named."""


class KeyNotEnoughError(GisgridError, PermissionError):
    """A key was named that is known, but is not for this layer, or no longer."""


class HiddenError(GisgridError, PermissionError):
    """Single rows were asked for of a layer that shows numbers only."""


class ItemNotFoundError(GisgridError, LookupError):
    """A layer has no feature of that name, or gives no features one by one."""


class NotAcceptableError(GisgridError, ValueError):
    """A client accepts none of the forms that an answer has."""


class BusyError(GisgridError, TimeoutError):
    """The server has more to do than it can, or took too long; the same request may succeed later."""


class TooManyError(GisgridError, PermissionError):
    """Somebody asks for more than their share.

    Attributes
    ----------
    retry_after_s
        When the next request is answered, whole seconds from now.
    """

    def __init__(self, sentence: str, *, retry_after_s: int) -> None:
        super().__init__(sentence)
        self.retry_after_s = retry_after_s


class TooLargeError(GisgridError, ValueError):
    """A request brings more than is taken at once."""


class PhotoError(GisgridError, ValueError):
    """A file that was sent as a photo cannot be kept as one.

    Attributes
    ----------
    zh
        The same sentence in Chinese.
    """

    def __init__(self, sentence: str, *, zh: str) -> None:
        super().__init__(sentence)
        self.zh = zh


class PhotoTypeError(PhotoError):
    """A file that was sent as a photo is of another kind."""


class PhotoNotFoundError(GisgridError, LookupError):
    """There is no such photo, or it belongs to no case that the asker sees."""


class FullError(GisgridError, OSError):
    """The disk takes no more."""


@dataclass(frozen=True)
class Problem:
    """A mistake as a client hears of it.

    Attributes
    ----------
    status
        The HTTP status.
    kind
        A word for the kind of mistake; the last part of the problem's type.
    detail, detail_zh
        What is wrong, in English and in Chinese.
    request_id
        For a fault of the server: what its log knows it by, sent as ``X-Request-ID``.
    retry_after_s
        When the same request may succeed, seconds from now; 0 where that is not known.
    errors
        The fields of what was sent that are wrong, and what is wrong with each.
    """

    status: HTTPStatus
    kind: str
    detail: str
    detail_zh: str
    request_id: str = ""
    retry_after_s: int = 0
    errors: tuple[tuple[str, str], ...] = ()

    @property
    def headers(self) -> dict[str, str]:
        """What goes with the problem: it is never cached, and a fault can be looked up."""
        headers = {"Cache-Control": "no-store"}
        if self.request_id:
            headers["X-Request-ID"] = self.request_id
        if self.status is HTTPStatus.UNAUTHORIZED:
            headers["WWW-Authenticate"] = 'Bearer realm="gisgrid"'
        if self.retry_after_s:
            headers["Retry-After"] = str(self.retry_after_s)
        return headers

    def body(self) -> bytes:
        """Write the problem as ``application/problem+json``.

        Returns
        -------
        bytes
            UTF-8 JSON.
        """
        members: dict[str, Any] = {
            "type": f"urn:gisgrid:problem:{self.kind}",
            "title": self.status.phrase,
            "status": int(self.status),
            "detail": self.detail,
            "detail_zh": self.detail_zh,
        }
        if self.errors:
            members["field"] = self.errors[0][0]
            members["errors"] = [
                {"field": name, "detail": told, "detail_zh": rule_zh(name)}
                for name, told in self.errors
            ]
        return json.dumps(members, ensure_ascii=False).encode()


_PROBLEMS: Final[tuple[tuple[type[Exception], HTTPStatus, str, str], ...]] = (
    (LayerNotFoundError, HTTPStatus.NOT_FOUND, "no-such-layer", "没有这个图层。"),
    (TileNotFoundError, HTTPStatus.NOT_FOUND, "no-such-tile", "没有这个瓦片：行列号或缩放级别超出范围。"),
    (ItemNotFoundError, HTTPStatus.NOT_FOUND, "no-such-feature", "没有这个要素。"),
    (NotAcceptableError, HTTPStatus.NOT_ACCEPTABLE, "not-acceptable", "没有客户端接受的格式。"),
    (NotReadyError, HTTPStatus.SERVICE_UNAVAILABLE, "not-ready", "这个图层的数据还没有准备好，请先运行 gisgrid build。"),
    (BusyError, HTTPStatus.SERVICE_UNAVAILABLE, "busy", "服务器繁忙或处理超时，请稍后再试。"),
    (TooManyError, HTTPStatus.TOO_MANY_REQUESTS, "too-many", "请求过于频繁，请稍后再试。"),
    (TooLargeError, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", "发送的内容超过了允许的大小。"),
    (PhotoTypeError, HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "no-photo", "只接受 JPEG、PNG 或 WebP 照片。"),
    (PhotoError, HTTPStatus.BAD_REQUEST, "bad-photo", "这张照片无法使用。"),
    (PhotoNotFoundError, HTTPStatus.NOT_FOUND, "no-such-photo", "没有这张照片。"),
    (FullError, HTTPStatus.INSUFFICIENT_STORAGE, "full", "服务器存储空间不足，内容没有保存，请稍后再试。"),
    (KeyNeededError, HTTPStatus.UNAUTHORIZED, "key-needed", "需要访问密钥或登录令牌。"),
    (KeyNotEnoughError, HTTPStatus.FORBIDDEN, "key-not-enough", "这个密钥没有相应的权限。"),
    (HiddenError, HTTPStatus.FORBIDDEN, "hidden", "为保护隐私，这个图层只公开汇总数字，不公开单条记录。"),
    (FilterError, HTTPStatus.BAD_REQUEST, "bad-filter", "筛选条件无效。"),
    (ColumnError, HTTPStatus.BAD_REQUEST, "no-such-property", "这个图层没有公开这样的属性。"),
    (BadRequestError, HTTPStatus.BAD_REQUEST, "bad-request", "请求的参数无效。"),
    (CaseNotFoundError, HTTPStatus.NOT_FOUND, "no-such-case", "没有这个案件。"),
    (ConflictError, HTTPStatus.CONFLICT, "conflict", "与已有记录冲突，没有写入任何内容。"),
    (IncompleteError, HTTPStatus.BAD_REQUEST, "incomplete-step", "这一步缺少理由或必填内容，请补充后重发。"),
    (TransitionError, HTTPStatus.CONFLICT, "no-next-step", "案件当前状态不能进行这一步。"),
    (LedgerError, HTTPStatus.SERVICE_UNAVAILABLE, "ledger-away", "案件台账暂时不能读写，请用相同的客户端编号重发，不会重复。"),
    (ReportError, HTTPStatus.BAD_REQUEST, "bad-report", "上报内容有误，请检查标出的字段。"),
    (CatalogueError, HTTPStatus.SERVICE_UNAVAILABLE, "broken-catalogue", "图层目录有错误，请运行 gisgrid check。"),
    (InputError, HTTPStatus.SERVICE_UNAVAILABLE, "unreadable-data", "这个图层的数据无法读取，请运行 gisgrid check。"),
)  # fmt: skip
"""First match counts. Every error of the domain that can reach a route is in it; others are faults of the server."""

_HTTP_ZH: Final = {
    400: "请求无效。",
    404: "没有这个地址。",
    405: "这个地址不接受这种请求方法。",
}


def problem_of(error: Exception) -> Problem:
    """Say an error to a client.

    Parameters
    ----------
    error
        Any exception. What is not a mistake that a client or an operator can mend is told without its details.

    Returns
    -------
    Problem
        The problem.
    """
    for kind, status, word, zh in _PROBLEMS:
        if isinstance(error, kind):
            told = getattr(error, "zh", "") or zh
            wait_s = getattr(error, "retry_after_s", int(kind in (BusyError, LedgerError)))
            faults = getattr(error, "faults", ())
            return Problem(status, word, str(error), told, retry_after_s=wait_s, errors=faults)
    number = token_hex(4)
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "fault",
        f"the server failed to answer; its log says why under the number {number}",
        f"服务器出错，原因见服务器日志，编号 {number}。",
        number,
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Make an application answer every mistake with a problem.

    Parameters
    ----------
    app
        The application.
    """
    app.add_exception_handler(GisgridError, _on_domain_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(Exception, _on_fault)


def problem_response(problem: Problem, headers: dict[str, str] | None = None) -> Response:
    """Answer with a problem; it is never cached.

    Parameters
    ----------
    problem
        The problem.
    headers
        More headers, for example ``Allow``.

    Returns
    -------
    Response
        The answer.
    """
    return Response(
        problem.body(),
        status_code=int(problem.status),
        media_type=PROBLEM_MEDIA_TYPE,
        headers={**problem.headers, **(headers or {})},
    )


async def _on_domain_error(_request: Request, error: Exception) -> Response:
    return problem_response(problem_of(error))


async def _on_fault(request: Request, error: Exception) -> Response:
    problem = problem_of(error)
    log.error("fault %s at %s", problem.request_id, request.url.path, exc_info=error)
    return problem_response(problem)


async def _on_invalid_request(_request: Request, error: Exception) -> Response:
    faults: Any = error.errors() if isinstance(error, RequestValidationError) else []
    first = faults[0] if faults else {"loc": ("",), "msg": str(error), "input": ""}
    name = ".".join(str(part) for part in first["loc"][1:]) or str(first["loc"][0])
    detail = f"{name} {first.get('input')!r} cannot be used: {first['msg']}"
    zh = f"参数 {name} 的值 {first.get('input')!r} 无效。"
    return problem_response(Problem(HTTPStatus.BAD_REQUEST, "bad-request", detail, zh))


async def _on_http_error(request: Request, error: Exception) -> Response:
    code = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    status = HTTPStatus(code)
    detail = f"{request.method} {request.url.path}: {status.phrase.lower()}"
    kind = status.phrase.lower().replace(" ", "-")
    return problem_response(
        Problem(status, kind, detail, _HTTP_ZH.get(code, "请求无法处理。")), headers
    )
