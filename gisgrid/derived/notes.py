"""What did a function decide on the way, and what was left out, in sentences for the reader of the result?"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final, Self

from gisgrid.errors import NullResultWarning, SmallSampleWarning
from gisgrid.schema import Text

REPEATED: Final = "reports that repeat an earlier one"
NO_PLACE: Final = "reports on points that are no place (a default of the system they came from)"
IN_NO_AREA: Final = "reports that lie in none of the areas, or have no place"
IN_SLIVERS: Final = "incidents in cells that lie too little inside the city to be compared"
NO_RESIDENTS: Final = "areas without residents, which have no rate"
NO_TIME: Final = "incidents without a time of report"
IN_PART_STEPS: Final = "incidents in steps of time that the data cover in part"
SCATTERED: Final = "incidents in no cluster"
FAR_IN_TIME: Final = "incidents long before or after all others (stray dates)"
IN_NO_PERIOD: Final = "incidents in none of the periods compared"
ON_NO_STREET: Final = "incidents on no street"
UNPATROLLED: Final = "areas where hardly anyone looked, which are unknown"
FAR_OUT: Final = "incidents that lie far from any other (locational outliers)"


class Note(str):
    """A sentence about a decision, in English; `zh` has the same in Chinese.

    Layers' records hold plain sentences, so a note is one; whoever speaks to people takes the language it needs.
    """

    __slots__ = ("zh",)
    zh: str

    def __new__(cls, en: str, zh: str = "") -> Self:
        """Make a note of a sentence in both languages."""
        note = super().__new__(cls, en)
        note.zh = zh or en
        return note

    @classmethod
    def of(cls, text: Text) -> Self:
        """Make a note of a text.

        Parameters
        ----------
        text
            The sentence in both languages.

        Returns
        -------
        Note
            The same.
        """
        return cls(text.en, text.zh)


@contextmanager
def heard(notes: list[str]) -> Iterator[None]:
    """Put what the statistics warn of (no answer, few units) among the notes.

    Parameters
    ----------
    notes
        Gets a sentence for each warning, once.

    Yields
    ------
    None
        Other warnings pass as they are.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", NullResultWarning)
        warnings.simplefilter("always", SmallSampleWarning)
        yield
    for each in caught:
        if issubclass(each.category, (NullResultWarning, SmallSampleWarning)):
            if str(each.message) not in notes:
                notes.append(str(each.message))
        else:
            warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)


def left_out(counts: Mapping[str, int]) -> dict[str, int]:
    """Give the reasons for which something was left out.

    Parameters
    ----------
    counts
        How many, by reason.

    Returns
    -------
    dict
        Those above 0, as Python numbers.
    """
    return {reason: int(n) for reason, n in counts.items() if n}
