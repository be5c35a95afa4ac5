"""Which colour has a value? A named ramp laid over a range of values, as a palette of 256."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from gisgrid.errors import InputError, did_you_mean
from gisgrid.palette import RAMPS, Ramp


@dataclass(frozen=True)
class Colours:
    """How quantities become colours.

    What is missing is transparent. In a ramp that begins with nothing colours go with the square root of the value,
    so that both the many small and the few great ones can be told apart; in the others they go with the value.

    Attributes
    ----------
    ramp
        A name in `gisgrid.palette.RAMPS`.
    low, high
        The values of its ends; what is beyond has the colour of the end.
    opacity
        Of what is shown, 0 to 1.

    Raises
    ------
    InputError
        There is no such ramp, `low` is not below `high`, or the opacity is not within 0 to 1.

    Examples
    --------
    >>> Colours("density", 0.0, 49.0).stops[-1]
    (49.0, '#4d1a02')
    >>> Colours("densty", 0.0, 1.0)
    Traceback (most recent call last):
      ...
    gisgrid.errors.InputError: no colour ramp 'densty' among 5; did you mean 'density'?
    """

    ramp: str = "density"
    low: float = 0.0
    high: float = 1.0
    opacity: float = 0.9

    def __post_init__(self) -> None:
        if self.ramp not in RAMPS:
            raise InputError(
                f"no colour ramp {self.ramp!r} among {len(RAMPS)}{did_you_mean(self.ramp, RAMPS)}"
            )
        if not (isfinite(self.low) and isfinite(self.high) and self.low < self.high):
            raise InputError(
                f"colours are asked for values from {self.low:g} to {self.high:g} but the first must be the lower; "
                "for example 0,50"
            )
        if not 0 <= self.opacity <= 1:
            raise InputError(
                f"the opacity {self.opacity:g} is not within 0 to 1; 1 hides what is underneath"
            )

    @property
    def of(self) -> Ramp:
        """The ramp itself."""
        return RAMPS[self.ramp]

    @property
    def rooted(self) -> bool:
        """Whether colours go with the square root of the value."""
        return self.of.kind == "from_nothing"

    @property
    def stops(self) -> tuple[tuple[float, str], ...]:
        """The values of the ramp's colours, from low to high: between them colours are mixed."""
        shares = self._places**2 if self.rooted else self._places
        values = self.low + (self.high - self.low) * shares
        return tuple(zip(values.tolist(), self.of.colours, strict=True))

    @cached_property
    def palette(self) -> NDArray[np.uint8]:
        """Shape (256, 4), red, green, blue, opacity: entry 0 is what is not shown."""
        ramp = np.array([_rgb(colour) for colour in self.of.colours], dtype=np.float64)
        index = np.arange(256)
        share = index / 255 if self.rooted else (index - 1) / 254
        palette = np.zeros((256, 4))
        for channel in range(3):
            palette[:, channel] = np.interp(share, self._places, ramp[:, channel])
        palette[:, 3] = 255 * self.opacity
        if self.rooted:
            palette[:, 3] *= np.clip(share / self._places[0], 0, 1)
        palette[0] = 0
        return np.rint(palette).astype(np.uint8)

    def asked(
        self,
        *,
        ramp: str | None = None,
        rescale: tuple[float, float] | None = None,
        opacity: float | None = None,
    ) -> Colours:
        """Give these colours with what a request asks for instead.

        Parameters
        ----------
        ramp
            A name in `gisgrid.palette.RAMPS`.
        rescale
            The values of its ends.
        opacity
            Of what is shown, 0 to 1.

        Returns
        -------
        Colours
            Itself where nothing is asked for.
        """
        if ramp is None and rescale is None and opacity is None:
            return self
        low, high = (self.low, self.high) if rescale is None else rescale
        opacity = self.opacity if opacity is None else opacity
        return replace(self, ramp=ramp or self.ramp, low=low, high=high, opacity=opacity)

    @property
    def _places(self) -> NDArray[np.float64]:
        """Where the ramp's colours lie, 0 to 1: the first after nothing, where the ramp begins with nothing."""
        n = len(self.of.colours)
        return (np.arange(n) + 1) / n if self.rooted else np.arange(n) / (n - 1)


def _rgb(colour: str) -> tuple[int, ...]:
    return tuple(int(colour[i : i + 2], 16) for i in (1, 3, 5))
