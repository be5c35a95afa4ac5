"""How many processes answer? One by itself, or several on one port; whoever dies is replaced."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from gisgrid_server.settings import Settings

if TYPE_CHECKING:
    from uvicorn import Config

    from gisgrid_server.edge.front import Front

_HEALTHCHECK_S: Final = 60
"""A worker that does not answer its parent for so long hangs, and is replaced."""

_SWITCH_S: Final = 0.001
"""So long one thread may keep the others of a worker waiting: a commit lets others in at each statement."""

_LET_FINISH_S: Final = 10
"""Requests under way have so long to end when the server is stopped."""


def run(settings: Settings, listening: socket.socket) -> None:
    """Serve until stopped.

    Parameters
    ----------
    settings
        How the server is set up.
    listening
        The port; it stays open while workers come and go, so that no one is refused meanwhile.
    """
    import uvicorn  # noqa: PLC0415 - heavy, and wanted only here
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415 - the same

    with _counts_folder() as counts:
        if settings.workers == 1:
            uvicorn.Server(_config(settings, None)).run(sockets=[listening])
            return
        Multiprocess(_config(settings, counts), sockets=[listening]).run()


def worker_app(settings: Settings, counts: Path | None) -> Front:
    """Make the application of one worker, in its own process.

    Parameters
    ----------
    settings
        How the server is set up.
    counts
        Where the workers keep their numbers together.

    Returns
    -------
    Front
        The application.
    """
    from gisgrid_server.running.memory import settle, share_heaps  # noqa: PLC0415 - wanted only here

    share_heaps()
    from gisgrid_server.app import create_app  # noqa: PLC0415 - heavy, and wanted only here
    from gisgrid_server.running.logs import set_up_logs  # noqa: PLC0415 - the same

    set_up_logs(settings.log_format)
    sys.setswitchinterval(_SWITCH_S)
    if counts is not None and sys.platform == "linux":
        _end_with_parent()
    app = create_app(settings, counts=counts, on_warm=settle)
    settle()
    return app


def _config(settings: Settings, counts: Path | None) -> Config:
    import uvicorn  # noqa: PLC0415 - see above

    from gisgrid_server.edge.lane import LaneProtocol  # noqa: PLC0415 - see above

    options: dict[str, Any] = {
        "factory": True, "workers": settings.workers, "http": LaneProtocol, "ws": "none",
        "log_config": None, "log_level": "warning", "access_log": False, "server_header": False,
        "proxy_headers": False,  # `Doorbell` reads them, for what is trusted
        "timeout_keep_alive": settings.keep_alive_s, "timeout_graceful_shutdown": _LET_FINISH_S,
        "timeout_worker_healthcheck": _HEALTHCHECK_S, "backlog": 2048,
    }  # fmt: skip
    app = partial(worker_app, settings, counts)
    if counts is None or sys.platform == "win32":
        return uvicorn.Config(app, **options)
    from gisgrid_server.running.sharing import WorkerConfig  # noqa: PLC0415 - uvloop is not there on Windows

    return WorkerConfig(app, counts=counts, **options)


@contextmanager
def _counts_folder() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="gisgrid-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def _end_with_parent() -> None:
    """Ask the kernel to end this worker when its parent ends, even by ``kill -9``: else it would keep the port."""
    import ctypes  # noqa: PLC0415 - here only

    set_death_signal = 1
    ctypes.CDLL(None).prctl(set_death_signal, signal.SIGTERM)
    parent = multiprocessing.parent_process()
    if parent is not None and os.getppid() != parent.pid:
        raise SystemExit  # it ended before it could be asked for
