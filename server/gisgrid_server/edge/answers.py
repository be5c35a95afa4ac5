"""What is sent back where no framework stands between: a status, headers and bytes."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Final, NamedTuple

from starlette.responses import Response

from gisgrid_server.edge.problems import PROBLEM_MEDIA_TYPE, Problem

YEAR_S: Final = 31_536_000
NOSNIFF: Final = (b"x-content-type-options", b"nosniff")
Headers = list[tuple[bytes, bytes]]


class Answer(NamedTuple):
    """What is sent back."""

    status: int
    headers: Headers
    body: bytes


GONE: Final = Answer(499, [], b"")
"""Nobody is there to hear the answer."""


def kept_answer(answer: Answer, if_none_match: bytes | None) -> Answer:
    """Name the state of a document, and leave it out where the client has this very one.

    Parameters
    ----------
    answer
        The document, without an ETag.
    if_none_match
        What the client says it has.

    Returns
    -------
    Answer
        With an ETag; status 304 where nothing has to be sent.
    """
    tag = b'"%b"' % hashlib.blake2b(answer.body, digest_size=12).hexdigest().encode()
    headers = [*answer.headers, (b"etag", tag)]
    if if_none_match is not None and matches(if_none_match, tag):
        return Answer(304, headers, b"")
    return Answer(answer.status, headers, answer.body)


def as_response(answer: Answer) -> Response:
    """Give an answer to the framework, where one stands between after all.

    Parameters
    ----------
    answer
        The answer.

    Returns
    -------
    Response
        The same.
    """
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in answer.headers}
    return Response(answer.body, answer.status, headers)


def problem_answer(problem: Problem) -> Answer:
    """Say a problem.

    Parameters
    ----------
    problem
        The problem.

    Returns
    -------
    Answer
        It is never cached.
    """
    headers = [NOSNIFF, (b"content-type", PROBLEM_MEDIA_TYPE.encode())]
    headers += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
    return Answer(int(problem.status), headers, problem.body())


def method_not_allowed(method: str) -> Answer:
    """Say that only reading is answered here.

    Parameters
    ----------
    method
        What was asked.

    Returns
    -------
    Answer
        Status 405, with what is allowed.
    """
    detail = f"{method[:20]} is not answered here; use GET"
    problem = Problem(HTTPStatus.METHOD_NOT_ALLOWED, "method-not-allowed", detail, "这里只接受 GET 请求。")  # fmt: skip
    answer = problem_answer(problem)
    return answer._replace(headers=[*answer.headers, (b"allow", b"GET, HEAD, OPTIONS")])


def matches(if_none_match: bytes, tag: bytes) -> bool:
    """Tell whether a client has this very answer (RFC 9110, 13.1.2: weak comparison).

    Parameters
    ----------
    if_none_match
        What the client says it has.
    tag
        The ETag of the answer.

    Returns
    -------
    bool
        True where nothing has to be sent.

    Examples
    --------
    >>> matches(b'W/"a", "b"', b'"a"'), matches(b"*", b'"a"'), matches(b'"c"', b'"a"')
    (True, True, False)
    """
    if if_none_match == tag:
        return True
    known = {part.strip().removeprefix(b"W/") for part in if_none_match[:8192].split(b",")}
    return tag in known or b"*" in known
