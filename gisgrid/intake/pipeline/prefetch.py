"""How does the next batch get read while this one is worked on?"""

from __future__ import annotations

import queue
import threading
from collections.abc import Generator, Iterable
from typing import Generic, TypeVar

T = TypeVar("T")


class _End:
    """What comes last: nothing more, or the error that ended it."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Ahead(Generic[T]):
    def __init__(self, parts: Iterable[T], waiting: int) -> None:
        self.parts = parts
        self.waiting: queue.Queue[T | _End] = queue.Queue(waiting)
        self.stopped = threading.Event()

    def work(self) -> None:
        try:
            for part in self.parts:
                if not self._put(part):
                    return
        except BaseException as error:  # noqa: BLE001 - it is raised again where the parts are wanted
            self._put(_End(error))
        else:
            self._put(_End())

    def _put(self, part: T | _End) -> bool:
        # The thread is waited for when Python ends, so that it never dies inside a library; then nobody will ask again.
        while not self.stopped.is_set() and threading.main_thread().is_alive():
            try:
                self.waiting.put(part, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False


def ahead(parts: Iterable[T], *, waiting: int = 2) -> Generator[T, None, None]:
    """Make the next parts in a thread of its own while the caller works on this one.

    Parameters
    ----------
    parts
        What is made part by part, in code that leaves Python's lock alone for most of its time.
    waiting
        How many parts may wait: enough to keep both sides busy, few enough to hold.

    Yields
    ------
    object
        The parts in their order; an error in making them is raised here.

    Examples
    --------
    >>> list(ahead(range(3)))
    [0, 1, 2]
    """
    worker = _Ahead(parts, waiting)
    thread = threading.Thread(target=worker.work, name="gisgrid-ahead")
    thread.start()
    try:
        while True:
            part = worker.waiting.get()
            if isinstance(part, _End):
                if part.error is not None:
                    raise part.error
                return
            yield part
    finally:
        worker.stopped.set()
        thread.join()
