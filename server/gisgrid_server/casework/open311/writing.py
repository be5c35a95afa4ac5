"""How does an answer of Open311 look in XML and in JSON? One content, written by the Spark convention.

A list is an element with one child per item, whose name the standard gives; in JSON the outermost list stands bare. Codes and
ids are texts in both, whatever the standard's own examples show: ``006`` is no number.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, Literal
from xml.etree import ElementTree as ET

from starlette.requests import Request
from starlette.responses import Response

from gisgrid_server.edge.problems import log, problem_of
from gisgrid_server.ogc.negotiation import form_of, language_of

Form = Literal["xml", "json"]

FORMS: Final[Mapping[str, str]] = {"xml": "text/xml", "json": "application/json"}
"""The media types of the forms; XML is what every server of the standard has."""

_ITEMS: Final = {
    "services": "service", "attributes": "attribute", "values": "value", "service_requests": "request",
    "endpoints": "endpoint", "formats": "format", "errors": "error",
}  # fmt: skip
_DECLARATION: Final = b'<?xml version="1.0" encoding="utf-8"?>\n'
_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that no XML document may hold."""


class NotHereError(LookupError):
    """There is no such service, request or token."""


class Refusal(ValueError):  # noqa: N818 - it is what the standard calls errors
    """A request that cannot be met, with everything that is wrong about it.

    Attributes
    ----------
    errors
        A status and a sentence each; the first decides the status of the answer.
    """

    def __init__(self, *errors: tuple[int, str]) -> None:
        super().__init__("; ".join(sentence for _, sentence in errors))
        self.errors = errors


def form_wanted(request: Request, extension: str | None) -> Form:
    """Choose between XML and JSON: the address goes first, then ``Accept``.

    Parameters
    ----------
    request
        The request.
    extension
        What stands behind the dot of the address; None where there is no dot.

    Returns
    -------
    {"xml", "json"}
        XML where nothing is said.

    Raises
    ------
    NotHereError
        The extension is of neither.
    NotAcceptableError
        ``Accept`` allows neither.
    """
    if extension is None:
        return "json" if form_of(request, offered=("xml", "json")) == "json" else "xml"
    if extension not in FORMS:
        raise NotHereError(f"there is no form {extension[:20]!r} here; write .xml or .json")
    return "json" if extension == "json" else "xml"


def answer(
    name: str,
    content: Mapping[str, Any] | Sequence[Mapping[str, Any]],
    form: Form,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """Write an answer.

    Parameters
    ----------
    name
        What it is, as the standard names it: ``services``, ``service_requests``, …
    content
        Its fields, or the fields of each of its items.
    form
        XML or JSON.
    status, headers
        Of the answer.

    Returns
    -------
    Response
        In UTF-8.
    """
    if form == "json":
        body = json.dumps(content, ensure_ascii=False).encode()
    else:
        root = ET.Element(name)
        _fill(root, content, _ITEMS.get(name, ""))
        body = _DECLARATION + ET.tostring(root, encoding="unicode").encode()
    said = {
        "Content-Type": f"{FORMS[form]}; charset=utf-8",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-cache",
        "Vary": "Accept, Accept-Language, Authorization, X-API-Key",
    }
    return Response(body, status_code=status, headers={**said, **(headers or {})})


def refuse(request: Request, error: Exception) -> Response:
    """Say what is wrong as the standard has it: a list of codes and sentences.

    Parameters
    ----------
    request
        The request.
    error
        What was raised.

    Returns
    -------
    Response
        In the form that was asked for, in XML where that is what is wrong. Where a key is missing or does not suffice the
        status is 403; limits and faults of the server keep the status that says so.
    """
    headers = {"Cache-Control": "no-store"}
    if isinstance(error, Refusal):
        errors = list(error.errors)
    elif isinstance(error, NotHereError):
        errors = [(404, str(error))]
    else:
        problem = problem_of(error)
        status = int(problem.status)
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("fault %s at %s", problem.request_id, request.url.path, exc_info=error)
        headers |= {name: value for name, value in problem.headers.items() if name in {"Retry-After", "X-Request-ID"}}  # fmt: skip
        errors = [(403 if status == HTTPStatus.UNAUTHORIZED else status, _in_words(request, problem.detail, problem.detail_zh))]  # fmt: skip
    content = [{"code": code, "description": sentence} for code, sentence in errors]
    return answer(
        "errors", content, _form_of_refusal(request), status=errors[0][0], headers=headers
    )


def _in_words(request: Request, en: str, zh: str) -> str:
    return en if language(request) == "en" else f"{zh} {en}"


def language(request: Request) -> Literal["zh", "en"]:
    """Choose the language of names and sentences.

    Parameters
    ----------
    request
        The request.

    Returns
    -------
    {"zh", "en"}
        As ``Accept-Language`` says; Chinese where it says nothing.
    """
    try:
        return language_of(request)
    except ValueError:
        return "zh"


def _form_of_refusal(request: Request) -> Form:
    path = request.url.path
    if path.endswith((".json", ".xml")):
        return "json" if path.endswith(".json") else "xml"
    try:
        return form_wanted(request, None)
    except ValueError:
        return "xml"


def _fill(element: ET.Element, content: Any, item: str) -> None:  # noqa: ANN401 - any JSON
    if isinstance(content, Mapping):
        for name, value in content.items():
            _fill(ET.SubElement(element, name), value, _ITEMS.get(name, "value"))
    elif isinstance(content, list | tuple):
        for value in content:
            _fill(ET.SubElement(element, item), value, "value")
    elif isinstance(content, bool):
        element.text = "true" if content else "false"
    elif content is not None:
        element.text = _NO_XML.sub("\ufffd", str(content))
