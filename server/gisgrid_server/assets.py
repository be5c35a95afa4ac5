"""``/static``: the files of the pages, packed once, and kept for good by browsers where their names say what is in them."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path
from typing import Final

from fastapi.staticfiles import StaticFiles
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.staticfiles import NotModifiedResponse
from starlette.types import Scope

from gisgrid_server.edge.encodings import WORTH_PACKING, Encoding, chosen_encoding, packed

_WORDS: Final = frozenset({".js", ".css", ".json", ".svg", ".txt", ".html", ".webmanifest"})
_NAMED_BY_CONTENT: Final = re.compile(r"-[A-Za-z0-9_-]{8}\.[a-z0-9]+$")
"""What the build gives a name of its content: another content has another name."""

_FOR_GOOD: Final = "public, max-age=31536000, immutable"
_A_WHILE: Final = "public, max-age=3600"


class Assets(StaticFiles):
    """Files of a folder."""

    def file_response(
        self,
        full_path: str | os.PathLike[str],
        stat_result: os.stat_result,
        scope: Scope,
        status_code: int = 200,
    ) -> Response:
        """Answer with a file.

        Parameters
        ----------
        full_path, stat_result
            The file.
        scope
            The request.
        status_code
            The answer's.

        Returns
        -------
        Response
            With an ``ETag`` of its encoding; 304 where the client has it.
        """
        path, asked = Path(full_path), Headers(scope=scope)
        found = super().file_response(full_path, stat_result, scope, status_code)
        is_named = path.parent.name == "assets" and _NAMED_BY_CONTENT.search(path.name) is not None
        found.headers["cache-control"] = _FOR_GOOD if is_named else _A_WHILE
        if path.suffix not in _WORDS or stat_result.st_size < WORTH_PACKING or "range" in asked:
            return found
        found.headers["vary"] = "Accept-Encoding"
        encoding = chosen_encoding(asked.get("accept-encoding", "").encode("latin-1"))
        if not encoding or found.status_code != status_code:
            return found
        headers = {
            name: value for name, value in found.headers.items() if name not in {"content-length", "etag", "accept-ranges"}
        }  # fmt: skip
        headers |= {
            "content-encoding": encoding,
            "etag": f'{found.headers["etag"][:-1]}-{encoding}"',
        }
        packed_one = Response(
            _packed(path, stat_result.st_mtime_ns, encoding), status_code, headers
        )
        if self.is_not_modified(packed_one.headers, asked):
            return NotModifiedResponse(packed_one.headers)
        return packed_one


@lru_cache(maxsize=128)
def _packed(path: Path, _changed: int, encoding: Encoding) -> bytes:
    return packed(path.read_bytes(), encoding)
