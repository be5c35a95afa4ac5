"""How is the server doing? Numbers for Prometheus, from all workers together.

Each worker counts in a small file that all of them map; adding is one addition in memory, and a killed worker loses
nothing that it counted. A worker takes the file of one that has gone, so that counters never fall and files never grow
in number. Whichever worker is asked for ``/metrics`` adds the files up.
"""

from __future__ import annotations

import mmap
import os
import time
from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from gisgrid.locks import try_lock

ROUTES: Final = ("tile", "tilejson", "api", "page")
STATUSES: Final = (200, 204, 206, 304, 400, 401, 403, 404, 405, 406, 412, 414, 422, 431, 499, 500, 503, 504)  # fmt: skip
ENCODINGS: Final = ("identity", "gzip", "br", "zstd")
_BOUNDS: Final = (
    0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
)  # fmt: skip

_COUNTERS: Final = {
    "tile_cache_hits": "Tiles that were in memory.",
    "tile_cache_misses": "Tiles that had to be drawn.",
    "tile_joined": "Requests that waited for a tile another request had asked for.",
    "tile_thinned": "Tiles that do not show all of their features, and said so.",
    "tile_cancelled": "Drawings given up because everybody who waited had gone.",
    "reloads": "Layers that were read anew.",
    "reload_failures": "Times that new data or a new description could not be read, and the old stayed.",
}
_GAUGES: Final = {
    "tile_cache_bytes": "Memory taken by tiles that are ready to be sent.",
    "tile_cache_tiles": "Tiles that are ready to be sent.",
    "tiles_waiting": "Tiles that are being drawn or wait for it.",
    "requests_in_flight": "Requests that are being answered.",
    "layers_ready": "Layers that are served, by each worker.",
    "fresh_rows": "Rows that are in tiles and not yet merged into the base, in each worker.",
    "resident_bytes": "Memory of the workers.",
    "worker_started_seconds": "When the worker started.",
}


class _Layout:
    """Which number stands where."""

    def __init__(self) -> None:
        self.n = 0
        self.requests = {(route, status): self._take() for route in ROUTES for status in (*STATUSES, 0)}  # fmt: skip
        self.latency = {route: self._histogram() for route in ROUTES}
        self.drawing = self._histogram()
        self.bytes = {encoding: self._take() for encoding in ENCODINGS}
        self.counters = {name: self._take() for name in _COUNTERS}
        self.gauges = {name: self._take() for name in _GAUGES}

    def _take(self, n: int = 1) -> int:
        first, self.n = self.n, self.n + n
        return first

    def _histogram(self) -> int:
        """Buckets, the one above them all, and the sum."""
        return self._take(len(_BOUNDS) + 2)


_AT: Final = _Layout()
_SIZE: Final = 8 * _AT.n


class Metrics:
    """The numbers of one worker.

    Parameters
    ----------
    folder
        Where the workers' files are; None for one worker that keeps its numbers to itself.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder
        self._file: IO[bytes] | None = None
        self._map: mmap.mmap | None = None
        if folder is None:
            self._numbers = memoryview(bytearray(_SIZE)).cast("d")
        else:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = _free_slot(folder)
            self._map = mmap.mmap(self._file.fileno(), _SIZE)
            self._numbers = memoryview(self._map).cast("d")
            for place in _AT.gauges.values():
                self._numbers[place] = 0.0
        self.set("worker_started_seconds", time.time())
        self._in_flight = _AT.gauges["requests_in_flight"]

    def count(self, name: str, n: float = 1) -> None:
        """Add to a counter.

        Parameters
        ----------
        name
            Its name.
        n
            How much.
        """
        self._numbers[_AT.counters[name]] += n

    def set(self, name: str, value: float) -> None:
        """Say how much there is of something now.

        Parameters
        ----------
        name
            The gauge's name.
        value
            How much.
        """
        self._numbers[_AT.gauges[name]] = value

    def drew(self, taken_s: float) -> None:
        """Note how long the drawing and packing of a tile took.

        Parameters
        ----------
        taken_s
            In seconds.
        """
        self._observe(_AT.drawing, taken_s)

    def begin(self) -> None:
        """Note that a request has come."""
        self._numbers[self._in_flight] += 1

    def end(self, route: str, status: int, taken_s: float) -> None:
        """Note that a request was answered.

        Parameters
        ----------
        route
            One of `ROUTES`.
        status
            The HTTP status; 499 where the client had gone.
        taken_s
            In seconds.
        """
        numbers, requests = self._numbers, _AT.requests
        numbers[self._in_flight] -= 1
        numbers[requests.get((route, status), requests[route, 0])] += 1
        self._observe(_AT.latency[route], taken_s)

    def sent(self, encoding: str, n_bytes: int) -> None:
        """Note how many bytes of tiles were sent.

        Parameters
        ----------
        encoding
            How they were compressed; empty for not at all.
        n_bytes
            How many.
        """
        self._numbers[_AT.bytes[encoding or "identity"]] += n_bytes

    def page(self, accept: str = "") -> tuple[bytes, str]:
        """Write the numbers of all workers.

        Parameters
        ----------
        accept
            What the client takes: OpenMetrics, or Prometheus' own text.

        Returns
        -------
        tuple of (bytes, str)
            The page, and its media type.
        """
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Sums(self._all()))
        write, media_type = choose_encoder(accept)
        return write(registry), media_type

    def close(self) -> None:
        """Let go of the file; the next worker takes it."""
        self._numbers.release()
        if self._map is not None:
            self._map.close()
        if self._file is not None:
            self._file.close()

    def _observe(self, at: int, value: float) -> None:
        numbers = self._numbers
        numbers[at + bisect_left(_BOUNDS, value)] += 1
        numbers[at + len(_BOUNDS) + 1] += value

    def _all(self) -> list[tuple[bool, Sequence[float]]]:
        """Give each worker's numbers, and whether it lives."""
        resident = _resident_bytes()
        if resident is not None:
            self.set("resident_bytes", resident)
        if self._folder is None or self._file is None:
            return [(True, list(self._numbers))]
        found: list[tuple[bool, Sequence[float]]] = []
        for path in sorted(self._folder.glob("*.counts")):
            with path.open("rb+") as file:
                content = file.read(_SIZE)
                own = os.path.samestat(os.fstat(file.fileno()), os.fstat(self._file.fileno()))
                lives = own or not try_lock(file)
            if len(content) == _SIZE:
                found.append((lives, list(memoryview(content).cast("d"))))
        return found


class _Sums(Collector):
    """What Prometheus' client asks for its families."""

    def __init__(self, workers: list[tuple[bool, Sequence[float]]]) -> None:
        self._workers = workers

    def collect(self) -> Iterator[Metric]:
        requests = CounterMetricFamily("gisgrid_requests", "Requests that were answered.", labels=["route", "status"])  # fmt: skip
        for (route, status), place in _AT.requests.items():
            if n := self._sum(place):
                requests.add_metric([route, str(status) if status else "other"], n)
        yield requests
        latency = HistogramMetricFamily("gisgrid_request_seconds", "How long answers took.", labels=["route"])  # fmt: skip
        for route, at in _AT.latency.items():
            self._histogram(latency, [route], at)
        yield latency
        drawing = HistogramMetricFamily("gisgrid_tile_drawing_seconds", "How long drawing and packing a tile took.", labels=[])  # fmt: skip
        self._histogram(drawing, [], _AT.drawing)
        yield drawing
        sent = CounterMetricFamily("gisgrid_tile_bytes", "Bytes of tiles that were sent.", labels=["encoding"])  # fmt: skip
        for encoding, place in _AT.bytes.items():
            sent.add_metric([encoding], self._sum(place))
        yield sent
        for name, place in _AT.counters.items():
            yield CounterMetricFamily(f"gisgrid_{name}", _COUNTERS[name], value=self._sum(place))
        for name, place in _AT.gauges.items():
            gauge = GaugeMetricFamily(f"gisgrid_{name}", _GAUGES[name], labels=["worker"])
            for number, (lives, numbers) in enumerate(self._workers):
                if lives:
                    gauge.add_metric([str(number)], numbers[place])
            yield gauge

    def _sum(self, place: int) -> float:
        return sum(numbers[place] for _, numbers in self._workers)

    def _histogram(self, family: HistogramMetricFamily, labels: list[str], at: int) -> None:
        total, buckets = 0.0, []
        for i, bound in enumerate((*map(str, _BOUNDS), "+Inf")):
            total += self._sum(at + i)
            buckets.append((bound, total))
        family.add_metric(labels, buckets, sum_value=self._sum(at + len(_BOUNDS) + 1))


def _free_slot(folder: Path) -> IO[bytes]:
    """Take the file of a worker that has gone, or the next one."""
    number = 0
    while True:
        path = folder / f"{number:03d}.counts"
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "rb+")
        if try_lock(file):
            if path.stat().st_size != _SIZE:
                file.truncate(_SIZE)
            return file
        file.close()
        number += 1


def _resident_bytes() -> int | None:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return None
    sysconf: Callable[[str], int] = os.sysconf
    return pages * sysconf("SC_PAGE_SIZE")
