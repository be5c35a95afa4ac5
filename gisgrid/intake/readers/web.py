"""Files from the web, and Open311 GeoReport v2 services page by page: asked for by the user, limited in size and time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from pathlib import Path
from typing import IO, Final
from urllib.error import HTTPError, URLError
from urllib.parse import parse_qs, urlencode, urlsplit, urlunsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

import numpy as np
import pyarrow as pa

from gisgrid.errors import InputError
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import Batch, NoRowsError, Refused, Source
from gisgrid.intake.readers.packed import Workspace
from gisgrid.schema import Text

TIMEOUT_S: Final = 60.0
"""How long a service may be silent."""
MAX_BYTES: Final = 1 << 30
"""How much is fetched from one address, all pages together (1 GB)."""
MAX_PAGES: Final = 5_000
"""How many pages of requests are asked for."""
TRIES: Final = 3
"""How often a page is asked for while the service says that it is busy."""

_BUSY: Final = frozenset({429, 502, 503, 504})
_NO_MORE: Final = frozenset({400, 404, 416})
_SUFFIXES: Final = {"json": ".json", "xml": ".xml", "csv": ".csv", "kml": ".kml"}


def open_url(
    url: str, open_file: Callable[[Path], Source], *, timeout_s: float = TIMEOUT_S
) -> Source:
    """Fetch a file, or all pages of an Open311 service, to a temporary folder and open it.

    Parameters
    ----------
    url
        ``https://…`` or ``http://…``; of an Open311 service the address of its ``requests.json`` or ``requests.xml``
        with the dates and codes that are wanted.
    open_file
        Opens a file.
    timeout_s
        How long the service may be silent.

    Returns
    -------
    Source
        What was fetched at this moment, however often it is read.

    Raises
    ------
    InputError
        The service does not answer, refuses, or sends more than `MAX_BYTES`; or its answer is not read.
    """
    folder = Workspace()
    parts = urlsplit(url)
    name = f"{parts.hostname}{parts.path}"
    pages: list[Source] = []
    seen: set[str] = set()
    n_bytes = 0
    for page in range(1, MAX_PAGES + 1):
        path = folder.path / str(page)
        fetched = _fetch(
            _page_url(url, page), name, path, MAX_BYTES - n_bytes, timeout_s, first=page == 1
        )
        if fetched is None:
            break
        n_bytes += fetched.stat().st_size
        try:
            source = open_file(fetched)
        except NoRowsError:
            if page == 1:
                raise
            break
        if source.format != "open311":
            return folder.keep_for(source)
        ids = _ids(source)
        if page > 1 and ids <= seen:
            break
        seen |= ids
        pages.append(source)
        if "page" in parse_qs(parts.query):
            break
    else:
        raise InputError(
            f"{name!r} has more than {MAX_PAGES:,} pages; ask for a shorter time with start_date and end_date"
        )
    return folder.keep_for(_together(pages, name))


def _page_url(url: str, page: int) -> str:
    if page == 1:
        return url
    parts = urlsplit(url)
    query = f"{parts.query}&" if parts.query else ""
    return urlunsplit(parts._replace(query=query + urlencode({"page": page}), fragment=""))


def _ids(source: Source) -> set[str]:
    found: set[str] = set()
    for batch, _ in source.batches():
        if "service_request_id" in source.columns:
            found |= {str(one) for one in batch.table.column("service_request_id").to_pylist()}
    return found


def _together(pages: list[Source], name: str) -> Source:
    """Make one source of the pages, their columns together."""
    columns = tuple(dict.fromkeys(column for page in pages for column in page.columns))
    n_rows = sum(page.n_rows or 0 for page in pages)

    def batches() -> Iterator[tuple[Batch, float]]:
        at = 0
        for number, page in enumerate(pages, start=1):
            for batch, share in page.batches():
                missing = pa.nulls(batch.table.num_rows, pa.string())
                table = pa.table(
                    [batch.table[one] if one in page.columns else missing for one in columns],
                    names=list(columns),
                )
                refused = tuple(
                    Refused(one.row + at, one.reason, one.text) for one in batch.refused
                )
                yield (
                    Batch(batch.rows + np.int64(at), table, batch.wkb, refused),
                    (number - 1 + share) / len(pages),
                )
            at += page.n_rows or 0

    note = Text(
        zh=f"从服务取回 {len(pages)} 页", en=f"{len(pages)} pages were fetched from the service"
    )
    return Source(name, "open311", columns, None, n_rows, (note,), batches)


def _fetch(
    url: str, name: str, folder: Path, most: int, timeout_s: float, *, first: bool
) -> Path | None:
    """Fetch an address to a folder; None where a later page does not exist."""
    for tries_left in reversed(range(TRIES)):
        try:
            with _opener().open(Request(url, headers=_HEADERS), timeout=timeout_s) as answer:  # noqa: S310 - http and https only, see _opener
                return _saved(answer, name, folder, most)
        except HTTPError as error:
            with error:
                if error.code in _NO_MORE and not first:
                    return None
                if error.code in _BUSY and tries_left:
                    time.sleep(_pause_s(error.headers, TRIES - tries_left))
                    continue
                raise InputError(
                    f"{name!r} answered {error.code} {error.reason}; check the address, its dates and whether it needs a key"
                ) from error
        except (URLError, HTTPException, OSError) as error:
            if tries_left:
                time.sleep(_pause_s(None, TRIES - tries_left))
                continue
            reason = error.reason if isinstance(error, URLError) else error
            what = (
                "did not answer in time"
                if isinstance(reason, TimeoutError)
                else f"cannot be reached ({first_line(Exception(str(reason)))})"
            )
            raise InputError(
                f"{name!r} {what}; check the address and the connection, or save the answer to a file"
            ) from error
    return None


def _saved(answer: HTTPResponse, name: str, folder: Path, most: int) -> Path:
    """Write an answer to a file that bears its name, unless it is too long."""
    kind = answer.headers.get_content_type()
    last = urlsplit(answer.url).path.rsplit("/", 1)[-1]
    stem = re.sub(r"[^\w.-]", "_", last)[-80:] or "answer"
    suffix = next((end for word, end in _SUFFIXES.items() if word in kind), "")
    folder.mkdir()
    path = folder / (stem if Path(stem).suffix else stem + suffix)
    n = 0
    with path.open("wb") as out:
        while block := answer.read(1 << 16):
            n += len(block)
            if n > most:
                raise InputError(
                    f"{name!r} sends more than {MAX_BYTES >> 20:,} MB, which is the most that is fetched; ask for a shorter time"
                )
            out.write(block)
    stated = answer.headers.get("Content-Length")
    if stated is not None and stated.isdigit() and n < int(stated):
        raise InputError(f"{name!r} sent {n:,} of {stated} bytes; try again")
    return path


def _pause_s(headers: Message | None, n_tries: int) -> float:
    """Give how long to wait: what the service asks for, at most half a minute."""
    stated = headers.get("Retry-After", "") if headers is not None else ""
    return min(30.0, float(stated) if stated.isdigit() else 0.25 * 2**n_tries)


_HEADERS: Final = {
    "User-Agent": "gisgrid",
    "Accept-Encoding": "identity",
    "Accept": "application/json, */*;q=0.8",
}


class _WebOnly(HTTPRedirectHandler):
    """Follows to http and https only, and never from https to http."""

    def redirect_request(  # noqa: PLR0917 - urllib's own signature
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> Request | None:
        scheme = urlsplit(newurl).scheme
        if scheme not in {"http", "https"} or (req.type == "https" and scheme == "http"):
            raise InputError(
                f"{urlsplit(req.full_url).hostname!r} leads to an address of kind {scheme!r}, which is not followed; give "
                "the address that is meant"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> OpenerDirector:
    opener = OpenerDirector()
    for handler in (
        ProxyHandler,
        HTTPHandler,
        HTTPSHandler,
        HTTPDefaultErrorHandler,
        _WebOnly,
        HTTPErrorProcessor,
    ):
        opener.add_handler(handler())
    return opener
