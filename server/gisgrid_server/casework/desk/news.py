"""What did others do meanwhile? New events of the ledger, told to every open desk that may know of them.

Each worker looks at the ledger's last number a few times a second, once for all its listeners; whoever wrote the event, this
worker, another one or another machine, does not matter.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from starlette.concurrency import run_in_threadpool

from gisgrid.casework.ledger import Case, CaseFilter, Ledger
from gisgrid.casework.ledger.tables import case_of_row
from gisgrid.errors import GisgridError
from gisgrid_server.casework.desk.before import cases_before
from gisgrid_server.casework.desk.marks import Marks
from gisgrid_server.casework.desk.rows import row_of
from gisgrid_server.edge.problems import BusyError, log
from gisgrid_server.edge.rights import Rights

LOOK_S: Final = 0.3
"""How often a worker looks for news, at most."""

HEARTBEAT_S: Final = 15.0
"""After so long without news a line says that the connection lives."""

MAX_LISTENERS: Final = 256
"""Open desks of one worker."""

MAX_PER_HOLDER: Final = 16
"""Open desks of one key."""

_KEPT: Final = 2_000
_AT_ONCE: Final = 500
_MOST_MISSED: Final = 5_000
_WAITING: Final = 1_000
_AGAIN_S: Final = 2.0


@dataclass(frozen=True)
class Item:
    """One event, and its case before and after.

    Attributes
    ----------
    seq
        The number of the event.
    kind, at, by
        What happened, when, by whom.
    case
        The case as it stands now.
    before
        The case as it stood before, where the event moved it to another owner, grid or class.
    """

    seq: int
    kind: str
    at: dt.datetime
    by: str
    case: Case
    before: Case | None


@dataclass
class _Listener:
    """An open desk; what it has not read yet waits in a queue that does not grow without end."""

    subject: str
    since: int
    items: asyncio.Queue[Item] = field(default_factory=lambda: asyncio.Queue(_WAITING))
    is_behind: bool = False

    def tell(self, item: Item) -> None:
        try:
            self.items.put_nowait(item)
        except asyncio.QueueFull:
            self.is_behind = True


class News:
    """Looks at the ledger for all desks that one worker serves.

    Parameters
    ----------
    ledger
        Gives the ledger; asked when the first desk opens.
    look_s
        How often to look.
    heartbeat_s
        After how long without news to say so.
    """

    def __init__(
        self,
        ledger: Callable[[], Ledger],
        *,
        look_s: float = LOOK_S,
        heartbeat_s: float = HEARTBEAT_S,
    ) -> None:
        self._ledger, self._look_s, self._heartbeat_s = ledger, look_s, heartbeat_s
        self._listeners: list[_Listener] = []
        self._kept: deque[Item] = deque(maxlen=_KEPT)
        self._seq = 0
        self._complete_from = 0
        self._task: asyncio.Task[None] | None = None
        self._beginning = asyncio.Lock()
        self._marks, self._knows_marks = Marks(b""), False

    async def stream(
        self, rights: Callable[[], Rights], *, since: str | None
    ) -> AsyncIterator[bytes]:
        """Tell what happens, for as long as somebody listens and may.

        Parameters
        ----------
        rights
            Gives the listener's rights; asked again and again, for a key may be withdrawn.
        since
            The mark of the last event that the listener knows; None to begin now.

        Yields
        ------
        bytes
            Server-sent events: ``hello``, then ``case`` (a case came, or changed), ``gone`` (it is no longer the listener's) or
            ``reload`` (too much was missed).

        Raises
        ------
        BusyError
            Too many desks are open.
        """
        subject = rights().subject
        self._check_room(subject)
        async with self._beginning:
            if self._task is None or self._task.done():
                await self._begin()
        known = None if since is None else self._marks.read(since)
        listener = _Listener(subject, self._seq if known is None else min(known, self._seq))
        self._listeners.append(listener)
        try:
            yield self._line("hello", listener.since, {"heartbeat_s": self._heartbeat_s})
            if since is not None and known is None:
                yield self._line("reload", listener.since, {})
            for told in await self._missed(listener):
                if said := told if isinstance(told, bytes) else self._told(told, rights()):
                    yield said
            while "see" in (now := rights()).powers and not listener.is_behind:
                try:
                    item = await asyncio.wait_for(listener.items.get(), self._heartbeat_s)
                except TimeoutError:
                    yield b": still here\n\n"
                    continue
                if item.seq > listener.since:
                    listener.since = item.seq
                    if said := self._told(item, now):
                        yield said
        finally:
            self._listeners.remove(listener)
            if not self._listeners and self._task is not None:
                self._task.cancel()
                self._task = None

    def _check_room(self, subject: str) -> None:
        if len(self._listeners) >= MAX_LISTENERS:
            raise BusyError(
                f"{MAX_LISTENERS} desks are open at this worker, which is the most it serves; close one or try again later"
            )
        if sum(each.subject == subject for each in self._listeners) >= MAX_PER_HOLDER:
            raise BusyError(
                f"{subject!r} has {MAX_PER_HOLDER} desks open, which is the most; close one"
            )

    async def _begin(self) -> None:
        self._seq = self._complete_from = await run_in_threadpool(self._ledger().last_seq)
        await self._learn_marks()
        self._kept.clear()
        self._task = asyncio.create_task(self._look(), name="desk news")

    async def _learn_marks(self) -> None:
        seed = await run_in_threadpool(self._ledger().seed)
        self._marks, self._knows_marks = Marks(seed), bool(seed)

    async def _look(self) -> None:
        """Look for news until nobody listens; a ledger that does not answer is asked again."""
        while True:
            await asyncio.sleep(self._look_s)
            try:
                items = await run_in_threadpool(self._read, self._seq)
                if items and not self._knows_marks:
                    await self._learn_marks()
            except Exception as error:  # noqa: BLE001 - a fault must not leave the desks deaf without a word
                known = isinstance(error, GisgridError)
                log.warning("the desks get no news: %s", error, exc_info=None if known else error)
                await asyncio.sleep(_AGAIN_S)
                continue
            for item in items:
                self._kept.append(item)
                self._seq = item.seq
                for listener in self._listeners:
                    listener.tell(item)
            if len(self._kept) == _KEPT:
                self._complete_from = self._kept[0].seq - 1

    async def _missed(self, listener: _Listener) -> list[Item | bytes]:
        """Give what happened while the listener was away."""
        if listener.since >= self._seq:
            return []
        upto = self._seq
        if listener.since >= self._complete_from:
            items = [item for item in self._kept if item.seq > listener.since]
        elif upto - listener.since > _MOST_MISSED:
            listener.since = upto
            return [self._line("reload", upto, {})]
        else:
            items = await run_in_threadpool(self._read_all, listener.since, upto)
        listener.since = upto
        return list(items)

    def _read_all(self, since: int, upto: int) -> list[Item]:
        found: list[Item] = []
        while since < upto and (part := self._read(since)):
            found += [item for item in part if item.seq <= upto]
            since = part[-1].seq
        return found

    def _read(self, since: int) -> list[Item]:
        ledger = self._ledger()
        if ledger.last_seq() <= since:
            return []
        events = ledger.events(since=since, limit=_AT_ONCE)
        cases = _cases(ledger, events["case_id"].unique())
        before = cases_before(ledger, events)
        rows: list[dict[Any, Any]] = events.to_dict("records")
        return [
            Item(int(row["seq"]), row["kind"], row["recorded_at"], row["by"], cases[row["case_id"]], before.get(row["seq"]))
            for row in rows
            if row["case_id"] in cases
        ]  # fmt: skip

    def _told(self, item: Item, rights: Rights) -> bytes:
        """Say an event to one holder; nothing where neither the case is theirs nor was."""
        if rights.sees(item.case):
            said: dict[str, Any] = {
                "kind": item.kind, "at": item.at.isoformat(), "by": item.by, "case": row_of(item.case)
            }  # fmt: skip
            return self._line("case", item.seq, said)
        if item.before is not None and rights.sees(item.before):
            return self._line("gone", item.seq, {"case_id": item.case.case_id})
        return b""

    def _line(self, event: str, seq: int, data: dict[str, Any]) -> bytes:
        words = json.dumps(data, ensure_ascii=False)
        return f"event: {event}\nid: {self._marks.of(seq)}\ndata: {words}\n\n".encode()


def _cases(ledger: Ledger, case_ids: Iterable[str]) -> dict[str, Case]:
    wanted = CaseFilter(case_ids=list(case_ids))
    return {row["case_id"]: case_of_row(row) for row in ledger.cases(wanted).to_dict("records")}
