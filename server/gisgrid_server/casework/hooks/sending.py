"""How do the messages go out: in order, at least once, and again when they were not taken?

One process of all that have the ledger open sends. It has a thread for each receiver, so that a slow one keeps nobody
waiting. A message that is not taken is tried again after 1, 2, 4 … seconds, at most after an hour, each time a little
sooner by chance; those after it wait, so that a receiver hears of a case in the order in which it went.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final, Self

from gisgrid.casework.ledger import Ledger
from gisgrid.errors import GisgridError
from gisgrid_server.casework.hooks.declared import Hook, HookFile, read_hooks
from gisgrid_server.casework.hooks.messages import Change, changes_since, signed
from gisgrid_server.casework.hooks.outbox import Dead, OneSender, Outbox, Standing
from gisgrid_server.casework.hooks.posting import Outcome, Post
from gisgrid_server.running.logs import LOGGER
from gisgrid_server.settings import Settings

log = logging.getLogger(LOGGER)

_AT_ONCE: Final = 200
_LONGEST_WAIT_S: Final = 3600.0
_LOOK_S: Final = 0.5
_LOCK_S: Final = 2.0
_KEEP_S: Final = 1.0
_DAY_S: Final = 86_400.0
_SOURCE: Final = "urn:gisgrid:cases"


class Courier:
    """Tells one receiver what happens.

    Parameters
    ----------
    hook
        The receiver.
    ledger
        What happens.
    outbox
        How far it was told.
    post
        Sends.
    source
        Who tells it.
    give_up_after_days
        For how long a message is tried again.
    clock
        Gives seconds since 1970.
    chance
        Gives numbers from 0 to 1.
    """

    def __init__(
        self,
        hook: Hook,
        ledger: Ledger,
        outbox: Outbox,
        post: Post,
        *,
        source: str = _SOURCE,
        give_up_after_days: float = 3,
        clock: Callable[[], float] = time.time,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.hook, self._ledger, self._outbox, self._post = hook, ledger, outbox, post
        self._source, self._give_up_s = source, give_up_after_days * _DAY_S
        self._clock, self._chance = clock, chance
        self._secrets, self._within = hook.secrets(), hook.within
        self._kept_at = 0.0

    def turn(self, is_over: Callable[[], bool] = lambda: False) -> float:
        """Send what waits, until nothing does or something is not taken.

        Parameters
        ----------
        is_over
            Asked before each message whether to stop.

        Returns
        -------
        float
            Seconds until there may be something to do; 0 where there is more.

        Raises
        ------
        LedgerError
            The database does not answer.
        """
        newest = self._ledger.last_seq()
        standing = self._outbox.standing(self.hook.name, newest=newest)
        if standing.told >= newest:
            return _LOOK_S
        if (wait := standing.next_at - self._clock()) > 0:
            return wait
        changes = changes_since(self._ledger, standing.told, limit=_AT_ONCE)
        unsaved = False
        for change in changes:
            if is_over():
                break
            if not self._is_for(change):
                standing, unsaved = replace(standing, told=change.seq), True
                continue
            standing = self._told(standing, change)
            if standing.told < change.seq:
                return max(0.0, standing.next_at - self._clock())
            unsaved = self._clock() - self._kept_at < _KEEP_S
            if not unsaved:
                self._keep(standing)
        if unsaved:
            self._keep(standing)
        return 0.0 if len(changes) == _AT_ONCE else _LOOK_S

    def _is_for(self, change: Change) -> bool:
        kinds = self.hook.kinds
        if kinds is not None and change.stored.event.kind not in kinds:
            return False
        return self._within.includes(change.after) or (change.before is not None and self._within.includes(change.before))  # fmt: skip

    def _told(self, standing: Standing, change: Change) -> Standing:
        """Send one message; say how the receiver stands after it: told of it, or not yet."""
        message_id, now = change.message_id, self._clock()
        age = now - change.stored.recorded_at.timestamp()
        if standing.failing_since is not None and age > self._give_up_s:
            return self._given_up(standing, change, now)
        body = change.body(self._source)
        headers = signed(body, message_id, int(now), self._secrets)
        outcome = self._post.send(self.hook.url, body, headers)
        if outcome.is_taken:
            if standing.failing_since is not None:
                log.info("hook %r takes messages again", self.hook.name)
            return Standing(self.hook.name, change.seq)
        failed = self._failed(standing, outcome, self._clock())
        self._keep(failed)
        return failed

    def _failed(self, standing: Standing, outcome: Outcome, now: float) -> Standing:
        wait = min(2.0**standing.n_failed, _LONGEST_WAIT_S) * (0.5 + self._chance() / 2)
        if standing.failing_since is None:
            log.warning("hook %r does not take a message (%s); it is sent again", self.hook.name, outcome.said)  # fmt: skip
        return Standing(
            self.hook.name, standing.told, min(standing.n_failed + 1, 30),
            now if standing.failing_since is None else standing.failing_since,
            now + max(wait, outcome.wait_s), outcome.said[:500],
        )  # fmt: skip

    def _given_up(self, standing: Standing, change: Change, now: float) -> Standing:
        """Put a message aside that was not taken and is too old to be sent once more."""
        dead = Dead(self.hook.name, change.seq, change.message_id, now, standing.said)
        after = replace(standing, told=change.seq)
        self._outbox.keep(after, [dead])
        log.error("hook %r never took message %s: %s", self.hook.name, change.message_id, standing.said)  # fmt: skip
        return after

    def _keep(self, standing: Standing) -> None:
        self._outbox.keep(standing)
        self._kept_at = self._clock()


class Hooks:
    """Tells all receivers what happens, as long as it runs.

    Parameters
    ----------
    file
        Who is told.
    ledger
        What happens.
    source
        Who tells it: the server's address.
    post
        Makes what sends to a receiver.

    Raises
    ------
    InputError
        A secret is not there, or a kind of events is none.
    LedgerError
        The ledger's database does not answer.
    """

    def __init__(
        self,
        file: HookFile,
        ledger: Ledger,
        *,
        source: str = _SOURCE,
        post: Callable[[HookFile], Post] = lambda file: Post(file.allowed_hosts),
    ) -> None:
        file.check(ledger.life_cycle)
        self._ledger, self._outbox = ledger, Outbox(ledger.engine)
        self._sender = OneSender(ledger.engine)
        self._posts = [post(file) for _ in file.hooks]
        self._couriers = [
            Courier(hook, ledger, self._outbox, one, source=source, give_up_after_days=file.give_up_after_days)
            for hook, one in zip(file.hooks, self._posts, strict=True)
        ]  # fmt: skip
        self._over, self._mine = threading.Event(), threading.Event()
        self._threads: list[threading.Thread] = []

    @classmethod
    def of(cls, settings: Settings, ledger: Ledger) -> Self | None:
        """Give what the settings ask for.

        Parameters
        ----------
        settings
            Where the file of hooks is, and what the server is called.
        ledger
            What happens.

        Returns
        -------
        Hooks or None
            Not started yet; None where nobody is told.

        Raises
        ------
        InputError
            The file is not there or breaks a rule.
        """
        if settings.hooks_file is None:
            return None
        source = f"{settings.public_url}/api/desk/cases" if settings.public_url else _SOURCE
        return cls(read_hooks(settings.hooks_file), ledger, source=source)

    @property
    def outbox(self) -> Outbox:
        """How far each receiver was told."""
        return self._outbox

    def start(self) -> None:
        """Begin to tell."""
        works = [self._take_turns, *(lambda one=one: self._carry(one) for one in self._couriers)]
        self._threads = [threading.Thread(target=work, name="hooks", daemon=True) for work in works]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop after the message that is under way."""
        self._over.set()
        self._mine.set()
        for thread in self._threads:
            thread.join(15)
        self._sender.let_go()
        for post in self._posts:
            post.close()

    def _take_turns(self) -> None:
        """Become the process that sends, and give up when the lock is lost."""
        while not self._over.is_set():
            try:
                is_mine = self._sender.is_mine()
            except OSError as error:
                log.warning("nobody knows who sends to hooks: %s", error)
                is_mine = False
            if is_mine:
                self._mine.set()
            elif not self._over.is_set():
                self._mine.clear()
            self._over.wait(_LOCK_S)

    def _is_over(self) -> bool:
        return self._over.is_set() or not self._mine.is_set()

    def _carry(self, courier: Courier) -> None:
        while self._mine.wait() and not self._over.is_set():
            try:
                wait = courier.turn(self._is_over)
            except GisgridError as error:
                log.warning("hook %r has to wait: %s", courier.hook.name, error)
                wait = _LOCK_S
            except Exception:
                log.exception("hook %r has to wait", courier.hook.name)
                wait = _LONGEST_WAIT_S / 60
            self._over.wait(min(wait, _LONGEST_WAIT_S))
