"""What does a request bring? Read piece by piece, never more than is allowed, and never all of it in memory."""

from __future__ import annotations

import tempfile
from typing import BinaryIO, Final, cast

from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.types import Message

from gisgrid_server.edge.problems import BadRequestError, FullError, TooLargeError

FORM_BYTES: Final = 256 * 1024
"""Of a form without files."""

AROUND_PHOTOS: Final = 64 * 1024
"""What a form may hold beside its photos, bytes."""

MOST_PHOTOS: Final = 4
_MOST_FIELDS: Final = 200
_IN_MEMORY: Final = 256 * 1024


def bounded(request: Request, most: int) -> Request:
    """Give a request whose body ends in a refusal where it is too long.

    Parameters
    ----------
    request
        The request; its body was not touched.
    most
        Bytes.

    Returns
    -------
    Request
        The same, to be read in its place.
    """
    n = 0

    async def receive() -> Message:
        nonlocal n
        message = await request.receive()
        n += len(message.get("body", b""))
        if n > most:
            raise TooLargeError(f"the body is longer than {most} bytes; send less")
        return message

    return Request(request.scope, receive)


async def body_file(request: Request, most: int) -> BinaryIO:
    """Read a body to a file that is gone when it is closed.

    Parameters
    ----------
    request
        The request.
    most
        Bytes.

    Returns
    -------
    binary file
        At its end.

    Raises
    ------
    TooLargeError
        There are more.
    FullError
        The disk takes no more.
    """
    file = cast("BinaryIO", tempfile.SpooledTemporaryFile(_IN_MEMORY))  # noqa: SIM115 - the caller's
    try:
        async for piece in bounded(request, most).stream():
            file.write(piece)
    except OSError as error:
        file.close()
        raise FullError("the server's disk takes no more; nothing was kept, send it again later") from error  # fmt: skip
    except BaseException:
        file.close()
        raise
    return file


async def body_form(request: Request, most: int) -> FormData:
    """Read a form.

    Parameters
    ----------
    request
        The request.
    most
        Bytes of its photos together.

    Returns
    -------
    FormData
        Close it when done.

    Raises
    ------
    TooLargeError
        There is more.
    FullError
        The disk takes no more.
    BadRequestError
        It is no form, or holds too many fields or files.
    """
    is_multipart = request.headers.get("content-type", "").lower().startswith("multipart/form-data")
    whole = bounded(request, most + AROUND_PHOTOS if is_multipart else FORM_BYTES)
    try:
        return await whole.form(max_files=MOST_PHOTOS, max_fields=_MOST_FIELDS, max_part_size=AROUND_PHOTOS)  # fmt: skip
    except (HTTPException, MultiPartException, FormParserError) as error:
        told = getattr(error, "detail", None) or getattr(error, "message", None) or str(error)
        raise BadRequestError(f"the form cannot be read ({told}); send fields, and {MOST_PHOTOS} photos at most") from error  # fmt: skip
    except OSError as error:
        raise FullError("the server's disk takes no more; nothing was kept, send it again later") from error  # fmt: skip
