"""How do many senders share one wait for the disk? Whatever came until a commit begins goes into it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from functools import partial
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
        Is given a function that gives what to commit, to be called when it can be written: what came while another writer
        had his turn is among it, and all of before where it is called again. Makes that durable and gives an answer, or
        an exception, for each; raises where nothing was taken.
    """

    def __init__(
        self, commit: Callable[[Callable[[], Sequence[Sent]]], Sequence[Answer | Exception]]
    ) -> None:
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
        while (first := self._waiting.get()) is not None:
            if not first[1].set_running_or_notify_cancel():
                continue
            batch = [first]
            try:
                answers = self._commit(partial(self._filled, batch))
            except Exception as error:  # noqa: BLE001 - every sender hears of it; the thread lives on
                answers = [error] * len(self._filled(batch))
            for (_, future), answer in zip(batch, answers, strict=True):
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    def _filled(self, batch: list[tuple[Sent, Future[Answer]]]) -> list[Sent]:
        """Put what came meanwhile to a batch, and give all that it holds."""
        while len(batch) < _MOST_AT_ONCE:
            try:
                more = self._waiting.get_nowait()
            except queue.Empty:
                break
            if more is None:
                self._waiting.put(None)
                break
            if more[1].set_running_or_notify_cancel():
                batch.append(more)
        return [sent for sent, _ in batch]
