"""How does the OpenAPI document describe the addresses of Open311? As data, in English and Chinese."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from gisgrid_server.casework.open311.asking import DEEPEST, MOST

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_NONE: Final[dict[str, Any]] = {"type": "string", "nullable": True}
_TIME: Final[dict[str, Any]] = {"type": "string", "format": "date-time"}
_NUMBER: Final[dict[str, Any]] = {"type": "number"}


def _object(required: Mapping[str, Any], **more: Any) -> dict[str, Any]:  # noqa: ANN401 - schemas
    return {"type": "object", "required": list(required), "properties": {**required, **more}}


def _list(of: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": of}


_YES_NO: Final[dict[str, Any]] = {"type": "boolean"}
_SERVICE: Final = _object({
    **dict.fromkeys(("service_code", "service_name", "description", "keywords", "group"), _TEXT),
    "metadata": _YES_NO, "type": {"type": "string", "enum": ["realtime", "batch", "blackbox"]},
})  # fmt: skip
_ATTRIBUTE: Final = _object(
    {
        "variable": _YES_NO, "code": _TEXT, "required": _YES_NO, "datatype_description": _NONE,
        "datatype": {"type": "string", "enum": ["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]},
        "order": {"type": "integer", "minimum": 1}, "description": _TEXT,
    },
    values=_list(_object({"key": _TEXT, "name": _TEXT})),
)  # fmt: skip
_REQUEST: Final = _object(
    {
        "service_request_id": _TEXT, "status": {"type": "string", "enum": ["open", "closed"]}, "status_notes": _NONE,
        "service_name": _TEXT, "service_code": _TEXT, "description": _NONE, "agency_responsible": _NONE, "service_notice": _NONE,
        "requested_datetime": _TIME, "updated_datetime": _TIME, "expected_datetime": {**_TIME, "nullable": True},
        "address": _NONE, "address_id": _NONE, "zipcode": _NONE, "lat": {**_NUMBER, "nullable": True},
        "long": {**_NUMBER, "nullable": True}, "media_url": _NONE,
    },
    closed_date={**_TIME, "nullable": True}, status_description=_TEXT, source=_NONE, service_subtype=_NONE,
)  # fmt: skip
_ENDPOINT: Final = _object({
    **dict.fromkeys(("specification", "url", "changeset", "type"), _TEXT), "formats": _list(_TEXT),
})  # fmt: skip
_ERRORS: Final = _list(_object({"code": {"type": "integer"}, "description": _TEXT}))

_FIELDS: Final[dict[str, Any]] = {
    "service_code": _TEXT,
    "lat": {**_NUMBER, "minimum": -90, "maximum": 90},
    "long": {**_NUMBER, "minimum": -180, "maximum": 180},
    **dict.fromkeys(("api_key", "jurisdiction_id", "address_string", "address_id", "email", "phone", "first_name", "last_name"), _TEXT),
    **dict.fromkeys(("device_id", "account_id", "media_url"), _TEXT),
    "description": {"type": "string", "maxLength": 4000},
}  # fmt: skip
_PHOTO: Final[dict[str, Any]] = {"type": "string", "format": "binary"}
_FORM: Final = {
    "required": True,
    "content": {
        "application/x-www-form-urlencoded": {"schema": {"type": "object", "required": ["service_code", "lat", "long"], "properties": _FIELDS}},
        "multipart/form-data": {"schema": {"type": "object", "required": ["service_code", "lat", "long"], "properties": {**_FIELDS, "media": _PHOTO}}},
    },
}  # fmt: skip


class _Operation(NamedTuple):
    zh: str
    en: str
    answer: dict[str, Any]
    parameters: Sequence[str] = ()
    mistakes: Sequence[str] = ("400", "403")


_ASKED: Final = (
    "service_request_id", "service_code", "start_date", "end_date", "status", "updated_after", "updated_before", "bbox",
    "page", "page_size", "extensions",
)  # fmt: skip

_OPERATIONS: Final[Mapping[str, _Operation]] = {
    "discovery": _Operation("Open311 接口在哪里？", "Where are the interfaces of Open311?", _object({"changeset": _TEXT, "contact": _TEXT, "key_service": _TEXT, "endpoints": _list(_ENDPOINT)})),
    "services": _Operation("可以上报哪些问题？（Open311）", "What can be reported? (Open311)", _list(_SERVICE)),
    "definition": _Operation("上报一类问题时还要填什么？（Open311）", "What is asked about a report of a class? (Open311)", _object({"service_code": _TEXT, "attributes": _list(_ATTRIBUTE)}), ("path:service_code",)),
    "send": _Operation("上报一个问题（Open311）", "Report a problem (Open311)", _list(_object({"service_request_id": _TEXT, "service_notice": _NONE, "account_id": _NONE})), ("header:Idempotency-Key",), ("400", "403", "409", "413", "415", "429", "507")),
    "requests": _Operation("查询上报的问题（Open311）", "The problems that were reported (Open311)", _list(_REQUEST), _ASKED),
    "request": _Operation("一个上报的问题（Open311）", "One problem that was reported (Open311)", _list(_REQUEST), ("path:service_request_id", "extensions")),
    "token": _Operation("由令牌查询上报编号（Open311）", "The request that a token stands for (Open311)", _list(_object({"service_request_id": _TEXT, "token": _TEXT})), ("path:token",)),
}  # fmt: skip

_WORDS: Final[Mapping[str, tuple[str, str, dict[str, Any]]]] = {
    "path:service_code": ("问题类别的代码", "The code of the class", _TEXT),
    "path:service_request_id": ("上报编号", "The id of the request", _TEXT),
    "path:token": ("上报时作为 Idempotency-Key 发送的值", "What was sent as Idempotency-Key with the report", _TEXT),
    "header:Idempotency-Key": ("本次上报的编号（例如 UUID）：重发时只受理一次", "The sender's id of this report, for example a UUID: sent again, it is taken once", {"type": "string", "maxLength": 128, "pattern": "^[!-~]*$"}),
    "service_request_id": ("上报编号，多个用逗号分隔；给出时忽略其他条件", "Ids between commas; they go before all other conditions", _TEXT),
    "service_code": ("问题类别的代码，多个用逗号分隔", "Codes of classes between commas", _TEXT),
    "start_date": ("从何时起上报（默认最近 90 天）", "Reported at this time or later; the last 90 days by default", _TIME),
    "end_date": ("到何时为止上报（与 start_date 最多相差 90 天）", "Reported at this time or earlier; at most 90 days after start_date", _TIME),
    "status": ("open、closed 或两者", "open, closed, or both between commas", _TEXT),
    "updated_after": ("在此时间或之后有变化", "Changed at this time or later", _TIME),
    "updated_before": ("在此时间之前有变化", "Changed before this time", _TIME),
    "bbox": ("范围：西,南,东,北（WGS84）", "A box: west,south,east,north in WGS84 degrees", {**_TEXT, "pattern": r"^-?[0-9.]+(,-?[0-9.]+){3}$"}),
    "page": ("第几页，从 1 开始", f"The page, from 1; page × page_size is {DEEPEST} at most", {"type": "integer", "minimum": 1, "maximum": DEEPEST}),
    "page_size": ("每页多少条", "Requests of a page", {"type": "integer", "minimum": 1, "maximum": MOST, "default": MOST}),
    "extensions": ("是否包括批量规范的字段（closed_date、source 等）", "Whether the fields of the bulk specification are told: closed_date, source, …", {"type": "string", "enum": ["true", "false"]}),
}  # fmt: skip

_MISTAKES: Final = {
    "400": ("the request cannot be met as it is", "请求无法满足"),
    "403": ("a key is missing or does not suffice", "缺少密钥或密钥权限不足"),
    "404": ("there is no such thing", "没有这样的内容"),
    "406": ("neither XML nor JSON is accepted", "没有可接受的格式"),
    "409": ("the Idempotency-Key was used for another report", "Idempotency-Key 已用于另一次上报"),
    "413": ("the form is too large", "内容过大"),
    "415": ("a file is no photo", "文件不是照片"),
    "429": ("too many reports in this minute", "请求过于频繁"),
    "503": ("the server takes nothing now", "服务器暂时不能受理"),
    "507": ("the disk is full", "存储空间不足"),
}


def described(name: str) -> dict[str, Any]:
    """Give a route's description as FastAPI takes it.

    Parameters
    ----------
    name
        The address: ``discovery``, ``services``, ``definition``, ``send``, ``requests``, ``request`` or ``token``.

    Returns
    -------
    dict
        Keyword arguments of ``router.add_api_route``.
    """
    about = _OPERATIONS[name]
    extra: dict[str, Any] = {
        "x-zh": about.zh,
        "parameters": [*map(_parameter, about.parameters), _FORMAT],
        "responses": {
            "200": {"description": about.en, "x-zh": about.zh, "content": _both(about.answer)},
            **{status: _mistake(status) for status in (*about.mistakes, "404", "406", "503")},
        },
    }
    if name == "send":
        extra["requestBody"] = _FORM
    return {"tags": ["Open311"], "summary": about.en, "operation_id": f"open311-{name}", "openapi_extra": extra}  # fmt: skip


def _parameter(said: str) -> dict[str, Any]:
    place, _, name = said.rpartition(":")
    zh, en, schema = _WORDS[said]
    return {"name": name, "in": place or "query", "required": place == "path", "description": en, "x-zh": zh, "schema": schema}  # fmt: skip


_FORMAT: Final = {
    "name": "format", "in": "path", "required": True, "description": "The form of the answer", "x-zh": "回答的格式",
    "schema": {"type": "string", "enum": ["json", "xml"]},
}  # fmt: skip


def _mistake(status: str) -> dict[str, Any]:
    en, zh = _MISTAKES[status]
    return {"description": en, "x-zh": zh, "content": _both(_ERRORS)}


def _both(schema: dict[str, Any]) -> dict[str, Any]:
    return {"application/json": {"schema": schema}, "text/xml": {"schema": {"type": "string"}}}
