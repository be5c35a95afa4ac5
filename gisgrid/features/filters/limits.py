"""How large may a filter be? What is asked here is asked before anything is parsed, without recursion."""

from __future__ import annotations

from typing import Final

from gisgrid.errors import InputError

MAX_CHARACTERS: Final = 8_000
"""Length of a filter's text."""

MAX_DEPTH: Final = 50
"""Brackets within brackets, operators within operators."""

MAX_LITERALS: Final = 1_000
"""Numbers, texts, times and places in a filter, each coordinate counted as one in JSON and in text."""

MAX_OPERATORS: Final = 200
"""Comparisons, calculations, AND and OR; a list after IN is one."""

MAX_PLACES: Final = 10
"""Relations to shapes."""

MAX_WORDS: Final = 20_000_000
"""Distinct texts that a filter may have searched through."""


class FilterError(InputError):
    """A filter cannot be understood, or asks for what the layer does not have, or for too much."""


def check_length(text: str) -> None:
    """Refuse a filter that is too long.

    Parameters
    ----------
    text
        The filter as it came.

    Raises
    ------
    FilterError
        It is longer than `MAX_CHARACTERS`.
    """
    if len(text) > MAX_CHARACTERS:
        raise FilterError(
            f"the filter has {len(text)} characters and at most {MAX_CHARACTERS} are read; shorten it"
        )
    checked_text(text)


def check_counts(*, depth: int = 0, literals: int = 0, operators: int = 0, places: int = 0) -> None:
    """Refuse a filter that is too deep or asks too much.

    Parameters
    ----------
    depth
        Brackets within brackets.
    literals
        Values in it.
    operators
        Comparisons, calculations, AND and OR.
    places
        Relations to shapes.

    Raises
    ------
    FilterError
        More than `MAX_DEPTH`, `MAX_LITERALS`, `MAX_OPERATORS` or `MAX_PLACES`.
    """
    if depth > MAX_DEPTH:
        raise FilterError(
            f"the filter nests {depth} deep and at most {MAX_DEPTH} is read; simplify it"
        )
    if literals > MAX_LITERALS:
        raise FilterError(
            f"the filter names {literals} values and at most {MAX_LITERALS} are read; ask in several requests"
        )
    if operators > MAX_OPERATORS:
        raise FilterError(
            f"the filter has {operators} operators and at most {MAX_OPERATORS} are read; use IN for many values"
        )
    if places > MAX_PLACES:
        raise FilterError(
            f"the filter compares with {places} shapes and at most {MAX_PLACES} are read; join them into one"
        )


def checked_text(text: str) -> str:
    """Refuse a text that no column can hold.

    Parameters
    ----------
    text
        A text in a filter.

    Returns
    -------
    str
        The same.

    Raises
    ------
    FilterError
        It has half a character (a lone surrogate).
    """
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise FilterError(
            "the filter has half a character, which no text holds; write it in UTF-8"
        ) from error
    return text
