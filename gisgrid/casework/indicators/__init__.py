"""How well is it found, uploaded and handled? Counts, rates and times per unit, class, owner, source and period."""

from __future__ import annotations

from gisgrid.casework.indicators.declaration import (
    Counter,
    Duration,
    Indicators,
    Rate,
    read_indicators,
)
from gisgrid.casework.indicators.measures import compared, coverage, indicators
from gisgrid.casework.indicators.periods import Period, period_of

__all__ = [
    "Counter",
    "Duration",
    "Indicators",
    "Period",
    "Rate",
    "compared",
    "coverage",
    "indicators",
    "period_of",
    "read_indicators",
]
