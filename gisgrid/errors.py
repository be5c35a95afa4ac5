"""What can go wrong, said in one sentence: what was asked, what was found, the rule, the next step.

Every error is also the builtin a Python reader expects. Domain errors know nothing of HTTP.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from difflib import get_close_matches


class GisgridError(Exception):
    """Any mistake that a user of gisgrid can mend."""


class InputError(GisgridError, ValueError):
    """A file or a value that was given cannot be used."""


class CrsError(GisgridError, ValueError):
    """A coordinate reference system is missing, unknown or unfit for the question."""


class ColumnError(GisgridError, LookupError):
    """A column that was asked for is not there, or holds something else."""


class IndexMismatchError(GisgridError, ValueError):
    """Two inputs that belong together are not indexed alike."""


class CatalogueError(GisgridError, ValueError):
    """A layer's description breaks the rules of the catalogue."""


class LayerNotFoundError(GisgridError, LookupError):
    """There is no layer of that name."""


class TileNotFoundError(GisgridError, LookupError):
    """There is no such tile, or the layer is not drawn at that zoom."""


class ContractError(GisgridError, ValueError):
    """A layer's data break the layer's contract."""


class OutputError(GisgridError, OSError):
    """A result cannot be written where it was asked for."""


class NullResultWarning(UserWarning):
    """A question has no answer in these data: what comes back is empty or missing, and the warning says why."""


class SmallSampleWarning(UserWarning):
    """An answer rests on so few units or reports that its p promises more than it can keep."""


def warn_null(sentence: str, *, depth: int = 2) -> None:
    """Warn that a question has no answer in these data.

    Parameters
    ----------
    sentence
        What was asked, why there is no answer, and what comes back instead.
    depth
        How many calls lie between this one and the user's: 2 for a public function that warns itself.
    """
    warnings.warn(NullResultWarning(sentence), stacklevel=depth + 1)


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Name the likeliest spelling, as the end of an error's sentence.

    Parameters
    ----------
    name
        What was asked for.
    known
        What there is.

    Returns
    -------
    str
        A clause that starts with ``"; "``.

    Examples
    --------
    >>> did_you_mean("comunities", ["communities", "compounds"])
    "; did you mean 'communities'?"
    >>> did_you_mean("x", ["b", "a"])
    '; there are: a, b'
    >>> did_you_mean("x", [])
    '; there are none'
    """
    names = sorted(known)
    close = get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f"; there are: {', '.join(names)}" if names else "; there are none"
