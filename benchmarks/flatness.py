"""Is a series of memory flat? Samples of what a process has for itself, the line through them, and what may be said of it.

Memory that is mapped from files is shared and can be taken back at any moment, so it is not counted: a process is
asked for its private pages that were written to. Caches that fill, merges and allocators make waves, so the line is that
of Theil and Sen, the median of the slopes between all pairs of samples, which a wave or a spike does not bend. A
line through a few minutes is bent by a single wave all the same; there the last third is held against the middle one.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.stats import theilslopes

LONG_S = 1800.0
"""From here on the line decides; before, the thirds."""

SHARE_PER_10_MIN = 0.01
"""How much of its level a process may grow by in ten minutes: 4 MB of 400, or 24 MB in an hour."""

SHARE_OF_THIRDS = 0.06
"""How much higher the last third may stand than the middle one."""

LEAST = 15
"""Fewer samples than this say nothing."""


@dataclass(frozen=True)
class Verdict:
    """What a series says."""

    said: str
    is_flat: bool = True
    is_judged: bool = False


def judged(times_s: Sequence[float], private_mb: Sequence[float]) -> Verdict:
    """Say whether memory was flat; where there is too little to say so, it is not judged and holds for flat."""
    times, memory = np.asarray(times_s, float), np.asarray(private_mb, float)
    if len(times) < LEAST:
        return Verdict(said=f"not judged: {len(times)} samples, and {LEAST} are needed")
    level = float(np.median(memory))
    lasted = times[-1] - times[0]
    if lasted < LONG_S:
        thirds = np.minimum((times - times[0]) / lasted * 3, 2).astype(int)
        if np.bincount(thirds, minlength=3).min() < LEAST // 3:
            return Verdict(said="not judged: the samples are too uneven to compare thirds")
        grown = float(np.median(memory[thirds == 2]) - np.median(memory[thirds == 1])) / level
        said = f"{level:.0f} MB, the last third {grown:+.1%} against the middle one (at most {SHARE_OF_THIRDS:+.0%})"
        return Verdict(said, is_flat=grown <= SHARE_OF_THIRDS, is_judged=True)
    grown = float(theilslopes(memory, times).slope) * 600 / level
    said = f"{level:.0f} MB, {grown:+.2%} in 10 min (at most {SHARE_PER_10_MIN:+.0%})"
    return Verdict(said, is_flat=grown <= SHARE_PER_10_MIN, is_judged=True)


def private_mb(pid: int) -> float:
    """What a process has for itself: pages it wrote to, in memory or swapped out."""
    text = Path(f"/proc/{pid}/smaps_rollup").read_text("ascii")
    return sum(int(kb) for kb in re.findall(r"^(?:Private_Dirty|Swap): +(\d+) kB", text, re.MULTILINE)) / 1e3  # fmt: skip
