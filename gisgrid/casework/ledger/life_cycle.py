"""Which events may come next in a case? The life cycle is declared data, a file per city."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.casework.ledger.events import ATTRIBUTES, Event
from gisgrid.casework.ledger.refusals import IncompleteError, TransitionError
from gisgrid.errors import InputError, did_you_mean
from gisgrid.schema import Text

BUILT_IN: Final = Path(__file__).parent / "declared" / "cn.toml"
"""The life cycle of Chinese cities, in its common form."""

Stamp = Literal["filed_at", "dispatched_at", "handled_at", "closed_at"]
Cleared = Literal["filed_at", "dispatched_at", "handled_at", "closed_at", "duplicate_of"]
Counter = Literal["n_returns", "n_reworks", "n_hand_overs"]
_Id = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class State(Declared):
    """A state in which a case can be.

    Attributes
    ----------
    id, title
        Its short name and its words.
    open
        Whether somebody still has to do something.
    """

    id: _Id
    title: Text
    open: bool = True


class Step(Declared):
    """An event that a case can have.

    Attributes
    ----------
    id, title
        Its short name and its words.
    before
        The states in which it may come (``from`` in the file); None for every open one, none for a new case only.
    to
        The state after it; ``same``, or ``previous`` for the state before the present one.
    stamps
        The column of times that it sets.
    clears
        Columns of times, and `duplicate_of`, that no longer hold after it.
    counts
        The column that it counts in.
    needs
        Keys that its data must have.
    why
        Whether it needs a reason.
    moves
        Whether its place becomes the case's; that of the report always does.
    """

    id: _Id
    title: Text
    before: tuple[str, ...] | None = Field(default=None, alias="from")
    to: str
    stamps: Stamp | None = None
    clears: tuple[Cleared, ...] = ()
    counts: Counter | None = None
    needs: tuple[str, ...] = ()
    why: bool = False
    moves: bool = False


class LifeCycle(Declared):
    """The states of a case and the events that lead from one to another.

    Attributes
    ----------
    id, title
        Its short name and its words.
    opens
        The event that makes a case.
    state, event
        The states and the events, in the order in which people shall see them.
    """

    id: _Id
    title: Text
    opens: str
    state: tuple[State, ...]
    event: tuple[Step, ...]

    @model_validator(mode="after")
    def _whole(self) -> LifeCycle:
        states, steps = [state.id for state in self.state], [step.id for step in self.event]
        for names in (states, steps):
            if twice := sorted({name for name in names if names.count(name) > 1}):
                raise ValueError(f"{twice[0]!r} is declared twice; give each its own id")
        for step in self.event:
            for state in (*(step.before or ()), *{step.to} - {"same", "previous"}):
                if state not in states:
                    raise ValueError(
                        f"event {step.id!r} names the state {state!r}{did_you_mean(state, states)}"
                    )
            for key in step.needs:
                if key not in ATTRIBUTES:
                    raise ValueError(
                        f"event {step.id!r} needs {key!r}{did_you_mean(key, ATTRIBUTES)}"
                    )
            if (step.before == ()) != (step.id == self.opens):
                raise ValueError(
                    f"event {step.id!r} and opens = {self.opens!r} differ: the event that opens a case, and only it, has from = []"
                )
        if self.opens not in steps or self.step(self.opens).to in ("same", "previous"):
            raise ValueError(f"opens = {self.opens!r} must name an event that leads to a state")
        self._refuse_unreached(states)
        return self

    def _refuse_unreached(self, states: Iterable[str]) -> None:
        reached: set[str] = set()
        new = {self.step(self.opens).to}
        while new:
            reached |= new
            targets = {
                step.to
                for step in self.event
                if any(self._may_follow(step, state) for state in reached)
            }
            new = targets - reached - {"same", "previous"}
        if lost := [state for state in states if state not in reached]:
            raise ValueError(
                f"no event leads to the state {lost[0]!r}; add one or leave the state out"
            )

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {step.id: step for step in self.event}

    @cached_property
    def open_states(self) -> tuple[str, ...]:
        """The states in which somebody still has to do something."""
        return tuple(state.id for state in self.state if state.open)

    @cached_property
    def states(self) -> tuple[str, ...]:
        """All states, in the order of the file."""
        return tuple(state.id for state in self.state)

    @cached_property
    def digest(self) -> str:
        """A short text that changes when the life cycle does."""
        return hashlib.sha256(self.model_dump_json(by_alias=True).encode()).hexdigest()

    def step(self, kind: str) -> Step:
        """Give an event of the life cycle by its id.

        Parameters
        ----------
        kind
            The id.

        Returns
        -------
        Step
            The event.

        Raises
        ------
        InputError
            There is none.
        """
        found = self._steps.get(kind)
        if found is None:
            raise InputError(
                f"no event {kind!r} in the life cycle {self.id!r}{did_you_mean(kind, self._steps)}"
            )
        return found

    def next_kinds(self, state: str | None) -> tuple[str, ...]:
        """Name the events that may come next.

        Parameters
        ----------
        state
            The state of the case; None before it is one.

        Returns
        -------
        tuple of str
            Ids of events, in the order of the file.

        Examples
        --------
        >>> read_life_cycle().next_kinds("verified")
        ('closed', 'reworked', 'handed_over', 'amended', 'noted')
        """
        return tuple(step.id for step in self.event if self._may_follow(step, state))

    def allowed(self, event: Event, state: str | None) -> Step:
        """Give the step that an event is, if it may come next.

        Parameters
        ----------
        event
            The event.
        state
            The state of its case; None before it is one.

        Returns
        -------
        Step
            What the event does.

        Raises
        ------
        TransitionError
            It may not come next; the sentence names what may.
        IncompleteError
            It lacks its reason or what it needs.
        InputError
            The life cycle has no such event.
        """
        step = self.step(event.kind)
        if not self._may_follow(step, state):
            raise TransitionError(self._refusal(event, state))
        for key in step.needs:
            if event.data.get(key) is None:
                raise IncompleteError(
                    f"{event.kind!r} of case {event.case_id!r} needs {key!r} in its data; add it"
                )
        if step.why and not event.why.strip():
            raise IncompleteError(
                f"{event.kind!r} of case {event.case_id!r} needs a reason; say why"
            )
        return step

    def _may_follow(self, step: Step, state: str | None) -> bool:
        if state is None:
            return step.before == ()
        return state in (self.open_states if step.before is None else step.before)

    def _refusal(self, event: Event, state: str | None) -> str:
        what = f"{event.kind!r} is no next step for case {event.case_id!r}"
        if state is None:
            return f"{what}, of which nothing is known; a case begins with {self.opens!r}"
        allowed = ", ".join(self.next_kinds(state)) or "nothing"
        return f"{what}, which is {state!r}; what may come next: {allowed}"


def read_life_cycle(path: str | Path = BUILT_IN) -> LifeCycle:
    """Read a declared life cycle.

    Parameters
    ----------
    path
        TOML with ``id``, ``title``, ``opens`` and the tables ``[[state]]`` and ``[[event]]``; that of Chinese cities
        unless told otherwise.

    Returns
    -------
    LifeCycle
        What it declares.

    Raises
    ------
    InputError
        No such file, no TOML, or entries that break a rule: a sentence per line.

    Examples
    --------
    >>> read_life_cycle().next_kinds(None)
    ('reported',)
    """
    return read_declared(LifeCycle, path, what="the life cycle")
