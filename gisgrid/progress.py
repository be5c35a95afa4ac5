"""How long work says how far it is, without knowing who listens."""

from __future__ import annotations

from typing import Protocol


class Progress(Protocol):
    """Told the share of a step that is done: a bar in a terminal, nothing in a test."""

    def __call__(self, step: str, share: float) -> None:
        """Hear that `step` is done to `share` (0 to 1)."""


def silent(step: str, share: float) -> None:
    """Hear how far a step is and say nothing: the default listener.

    Parameters
    ----------
    step
        What is being done.
    share
        How much of it is done, 0 to 1.
    """
    del step, share
