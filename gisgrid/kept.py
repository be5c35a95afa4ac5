"""What was made for a question and may be asked again: the latest is kept, within one budget for a whole process.

A filter made ready, its mask over ten million points, its sums over their cells: a map that pans asks for each many times.
How many layers and kinds there are does not matter to the memory of the machine, so all weigh on the same budget.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from itertools import count
from typing import Any, Final, Generic, TypeVar, cast
from weakref import finalize

_Value = TypeVar("_Value")

BUDGET: Final = 256 << 20
"""Bytes that everything kept may weigh in a process; the latest thing is kept whatever it weighs."""


class Shelf:
    """What is kept of all kinds, in the order of its last use.

    Parameters
    ----------
    budget
        How many bytes it may weigh.
    """

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget
        self._kept: OrderedDict[tuple[int, Hashable], tuple[Any, int]] = OrderedDict()
        self._keys: dict[int, set[Hashable]] = {}
        # A kind may be collected by this very thread while it is in here: its finalizer must not wait for itself.
        self._lock = threading.RLock()
        self._numbers = count()
        self.weight = 0

    def room(self) -> int:
        """Make room for another kind.

        Returns
        -------
        int
            Its number.
        """
        with self._lock:
            number = next(self._numbers)
            self._keys[number] = set()
            return number

    def find(self, room: int, key: Hashable) -> tuple[Any] | None:
        """Find a thing; it is the latest then.

        Parameters
        ----------
        room
            The number of its kind.
        key
            Its name.

        Returns
        -------
        tuple of one, or None
            The thing, where it is there.
        """
        with self._lock:
            found = self._kept.get((room, key))
            if found is None:
                return None
            self._kept.move_to_end((room, key))
            return found[:1]

    def put(self, room: int, key: Hashable, value: object, weight: int) -> None:
        """Keep a thing, and let go of the oldest where all weighs too much.

        Parameters
        ----------
        room
            The number of its kind.
        key
            Its name.
        value
            The thing.
        weight
            What it weighs, in bytes.
        """
        with self._lock:
            keys = self._keys.get(room)
            if keys is None or key in keys:
                return
            keys.add(key)
            self._kept[room, key] = value, weight
            self.weight += weight
            while self.weight > self._budget and len(self._kept) > 1:
                (old, name), (_, freed) = self._kept.popitem(last=False)
                self._keys[old].discard(name)
                self.weight -= freed

    def clear(self, room: int) -> None:
        """Let go of a kind and of all that is kept of it.

        Parameters
        ----------
        room
            Its number.
        """
        with self._lock:
            for key in self._keys.pop(room, ()):
                self.weight -= self._kept.pop((room, key))[1]


SHELF: Final = Shelf()
"""The one of this process."""


class Latest(Generic[_Value]):
    """Things of one kind, of which the latest are kept; they go when this goes.

    Parameters
    ----------
    weight
        Says how many bytes a thing weighs.
    shelf
        Where they are kept.

    Examples
    --------
    >>> squares = Latest(lambda square: 8)
    >>> squares.get(3, lambda: 9), squares.get(3, lambda: "not asked again")
    (9, 9)
    """

    def __init__(self, weight: Callable[[_Value], int], shelf: Shelf = SHELF) -> None:
        self._weight, self._shelf = weight, shelf
        self._room = shelf.room()
        self._lock = threading.Lock()
        self._making: dict[Hashable, threading.Lock] = {}
        finalize(self, shelf.clear, self._room).atexit = False

    def get(self, key: Hashable, make: Callable[[], _Value]) -> _Value:
        """Give what is there, or make it: once, however many ask at the same time.

        Parameters
        ----------
        key
            Its name.
        make
            Makes it.

        Returns
        -------
        value
            As made.
        """
        found = self._shelf.find(self._room, key)
        while found is None:
            with self._lock:
                making = self._making.setdefault(key, threading.Lock())
            with making:
                found = self._shelf.find(self._room, key)
                if found is None and self._making.get(key) is making:
                    try:
                        found = (make(),)
                        self._shelf.put(self._room, key, found[0], self._weight(found[0]))
                    finally:
                        del self._making[key]
        return cast("_Value", found[0])
