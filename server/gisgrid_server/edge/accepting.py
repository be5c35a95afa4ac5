"""What does a client take? ``Accept`` and ``Accept-Language`` as RFC 9110 (12.4.2, 12.5.1) has them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

_LONGEST: Final = 2000
_WEIGHT: Final = re.compile(r";\s*q\s*=\s*([0-9.]+)")


def weights(header: str) -> dict[str, float]:
    """Read a list with weights.

    Parameters
    ----------
    header
        What the client sent; its first 2000 characters are read.

    Returns
    -------
    dict
        Weight by name, in small letters; what cannot be read counts as not said.

    Examples
    --------
    >>> weights("text/html, image/*;q=0.5")
    {'text/html': 1.0, 'image/*': 0.5}
    """
    found: dict[str, float] = {}
    for item in header[:_LONGEST].split(","):
        name = item.split(";")[0].strip().lower()
        weight = _WEIGHT.search(item)
        try:
            found[name] = float(weight[1]) if weight else 1.0
        except ValueError:
            continue
    found.pop("", None)
    return found


def weight(media_types: Sequence[str], said: Mapping[str, float]) -> float:
    """Say how gladly a client takes an answer.

    Parameters
    ----------
    media_types
        What the answer is called, its own name first.
    said
        The client's weights.

    Returns
    -------
    float
        0 where it does not take it.

    Examples
    --------
    >>> weight(("image/png",), weights("image/*;q=0.5")), weight(("image/png",), weights("text/html"))
    (0.5, 0.0)
    """
    named = [said[name] for name in media_types if name in said]
    if named:
        return max(named)
    family = media_types[0].split("/")[0]
    return said.get(f"{family}/*", said.get("*/*", 0.0))
