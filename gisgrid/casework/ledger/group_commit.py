"""How do many senders share one wait for the disk? Whatever came while the disk was busy goes into the next commit."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Final, Generic, TypeVar

from gisgrid.casework.ledger.refusals import LedgerError

Sent = TypeVar("Sent")
Answer = TypeVar("Answer")

_MOST_AT_ONCE: Final = 512
_MOST_WAITING: Final = 8_192


class GroupCommit(Generic[Sent, Answer]):
    """A thread that commits what senders hand in, many at once.

    Parameters
    ----------
    commit
        Makes all it is given durable and gives an answer, or an exception, for each; raises where nothing was taken.
    """

    def __init__(self, commit: Callable[[Sequence[Sent]], Sequence[Answer | Exception]]) -> None:
        self._commit = commit
        self._waiting: queue.Queue[tuple[Sent, Future[Answer]] | None] = queue.Queue(_MOST_WAITING)
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._work, name="gisgrid-ledger", daemon=True)
        self._thread.start()

    def submit(self, sent: Sent) -> Future[Answer]:
        """Hand in what shall be committed.

        Parameters
        ----------
        sent
            What it is.

        Returns
        -------
        Future
            Done when it is durable, or refused.

        Raises
        ------
        LedgerError
            Closed, or too many wait already.
        """
        answer: Future[Answer] = Future()
        with self._lock:
            if self._closed:
                raise LedgerError("the ledger is closed; open it again")
            try:
                self._waiting.put_nowait((sent, answer))
            except queue.Full:
                raise LedgerError(
                    f"{_MOST_WAITING} uploads wait for the ledger already; nothing was taken, try again later"
                ) from None
        return answer

    def close(self) -> None:
        """Commit what waits, then end. What comes later is refused."""
        with self._lock:
            if not self._closed:
                self._closed = True
                self._waiting.put(None)
        self._thread.join()

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            live = [one for one in batch if one[1].set_running_or_notify_cancel()]
            if not live:
                continue
            try:
                answers = self._commit([sent for sent, _ in live])
            except Exception as error:  # noqa: BLE001 - every sender hears of it; the thread lives on
                answers = [error] * len(live)
            for (_, future), answer in zip(live, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _next(self) -> list[tuple[Sent, Future[Answer]]] | None:
        first = self._waiting.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < _MOST_AT_ONCE:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._waiting.put(None)
                break
            batch.append(more)
        return batch
