"""Serves a folder's files as object stores do, in the parts that are asked for: ``serving.py FOLDER`` prints its port.

A process of its own: GDAL waits for it with Python's lock held.
"""

import sys
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class InParts(SimpleHTTPRequestHandler):
    """Answers ranges, and writes down each (``asked.txt``: how many bytes)."""

    def do_GET(self):
        """Answer with the bytes that are asked for."""
        path = Path(self.translate_path(self.path))
        wanted = self.headers.get("Range")
        if not path.is_file() or not wanted:
            super().do_GET()
            return
        whole = path.read_bytes()
        first, last = wanted.removeprefix("bytes=").split("-")
        part = whole[int(first) : int(last or len(whole)) + 1]
        with (Path(self.directory) / "asked.txt").open("a") as file:
            file.write(f"{len(part)}\n")
        self.send_response(206)
        self.send_header(
            "Content-Range", f"bytes {first}-{int(first) + len(part) - 1}/{len(whole)}"
        )
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()
        self.wfile.write(part)

    def log_message(self, *_):
        """Say nothing."""


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(InParts, directory=sys.argv[1]))
    print(server.server_port, flush=True)
    server.serve_forever()
