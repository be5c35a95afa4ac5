"""Which words of a dictionary does a text condition choose? Asked once per word, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.features.filters.nodes import Constant, Fold, Folded, Property, Relation
from gisgrid.features.words import Words

_SAME_LETTERS: Final[Mapping[str, str]] = {"ß": "ss", "ς": "σ", "ſ": "s", "µ": "μ", "ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ı": "i", "i̇": "i"}  # fmt: skip
"""Small letters that are one to a reader who does not care for case, beyond what making all small does."""

_COMPARED: Final[Mapping[Relation, Callable[[pa.Array, pa.Scalar], pa.Array]]] = {
    "=": pc.equal, "<>": pc.not_equal, "<": pc.less, "<=": pc.less_equal, ">": pc.greater, ">=": pc.greater_equal,
}  # fmt: skip


def folds_of(text: Constant | Property | Folded) -> tuple[Constant | Property, tuple[Fold, ...]]:
    """Take the folds off a text.

    Parameters
    ----------
    text
        A text.

    Returns
    -------
    tuple
        The column or constant within, and the folds from the inside out.
    """
    folds: list[Fold] = []
    while isinstance(text, Folded):
        folds.insert(0, text.fold)
        text = text.of
    return text, tuple(folds)


def folded_texts(texts: pa.Array, folds: tuple[Fold, ...]) -> pa.Array:
    """Fold texts.

    Parameters
    ----------
    texts
        Shape (n,), text.
    folds
        What shall not count, in turn.

    Returns
    -------
    pyarrow.Array
        Shape (n,).

    Examples
    --------
    >>> folded_texts(pa.array(["Straße", "Café"]), ("CASEI", "ACCENTI")).to_pylist()
    ['strasse', 'cafe']
    """
    for fold in folds:
        if fold == "CASEI":
            texts = pc.utf8_lower(texts)
            if not pc.all(pc.string_is_ascii(texts)).as_py():
                for letter, same in _SAME_LETTERS.items():
                    texts = pc.replace_substring(texts, letter, same)
        elif not pc.all(pc.string_is_ascii(texts)).as_py():
            texts = pc.replace_substring_regex(pc.utf8_normalize(texts, "NFD"), r"\p{Mn}+", "")
            texts = pc.utf8_normalize(texts, "NFC")
    return texts


def folded_text(text: str, folds: tuple[Fold, ...]) -> str:
    """Fold one text.

    Parameters
    ----------
    text
        The text.
    folds
        What shall not count, in turn.

    Returns
    -------
    str
        The text as all that are the same to the reader are.
    """
    return str(folded_texts(pa.array([text], pa.large_string()), folds)[0].as_py())


def compared_words(
    words: Words, folds: tuple[Fold, ...], relation: Relation, text: str
) -> NDArray[np.bool_]:
    """Find the words in a relation to a text.

    Parameters
    ----------
    words
        The dictionary.
    folds
        What is done to each word first.
    relation
        The relation, in the order of code points.
    text
        What to compare with.

    Returns
    -------
    array
        Shape (n words,).
    """
    found = _COMPARED[relation](
        folded_texts(words.arrow(), folds), pa.scalar(text, pa.large_string())
    )
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def listed_words(
    words: Words, folds: tuple[Fold, ...], texts: tuple[str, ...]
) -> NDArray[np.bool_]:
    """Find the words that are in a list.

    Parameters
    ----------
    words
        The dictionary.
    folds
        What is done to each word first.
    texts
        The list.

    Returns
    -------
    array
        Shape (n words,).
    """
    if not folds:
        chosen = np.zeros(len(words), bool)
        codes = [words.code(text) for text in texts]
        chosen[[code for code in codes if code is not None]] = True
        return chosen
    found = pc.is_in(folded_texts(words.arrow(), folds), pa.array(texts, pa.large_string()))
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def matching_words(words: Words, folds: tuple[Fold, ...], pattern: str) -> NDArray[np.bool_]:
    r"""Find the words that match a pattern.

    Parameters
    ----------
    words
        The dictionary.
    folds
        What is done to each word, and to the pattern, first.
    pattern
        ``%`` is anything, ``_`` one character, a backslash takes the next as it is.

    Returns
    -------
    array
        Shape (n words,).

    Notes
    -----
    Matched by RE2, whose time grows with the length of the texts and with nothing else.

    Examples
    --------
    >>> matching_words(Words.from_texts(["50%", "50 m", "x"]), (), r"50\%").tolist()
    [False, True, False]
    """
    found = pc.match_substring_regex(
        folded_texts(words.arrow(), folds), pattern_regex(pattern, folds)
    )
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)


def pattern_regex(pattern: str, folds: tuple[Fold, ...]) -> str:
    """Write a pattern as a regular expression.

    Parameters
    ----------
    pattern
        Of LIKE.
    folds
        What is done to its letters.

    Returns
    -------
    str
        That matches the whole text.
    """
    parts: list[str] = []
    plain, escaped = "", False
    for letter in pattern:
        if not escaped and letter == "\\":
            escaped = True
        elif not escaped and letter in "%_":
            parts.append(_literal(plain, folds))
            if letter == "_":
                parts.append(".")
            elif "".join(parts[-2:]) != ".*":  # twice anything is anything, at less cost
                parts.append(".*")
            plain = ""
        else:
            plain, escaped = plain + letter, False
    plain += "\\" if escaped else ""
    return f"(?s)^{''.join(parts)}{_literal(plain, folds)}$"


def _literal(text: str, folds: tuple[Fold, ...]) -> str:
    text = folded_text(text, folds) if folds and text else text
    # RE2 knows fewer escapes than Python: those of signs, and code points.
    return "".join(one if one.isalnum() or ord(one) > 127 else f"\\x{ord(one):02x}" for one in text)
