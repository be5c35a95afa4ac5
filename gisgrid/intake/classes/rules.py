"""What is a free text about? Rules of keywords, tried in their order over the different texts of a column."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


@dataclass(frozen=True)
class Rule:
    """Words that lead a free text to a category: any of `words`, none of `never`."""

    category: str
    words: tuple[str, ...]
    never: tuple[str, ...] = ()


def folded(texts: pa.Array) -> pa.Array:
    r"""Write texts alike: ordinary letters, lower case, single spaces for spaces and underscores.

    Parameters
    ----------
    texts
        Shape (n,), text.

    Returns
    -------
    pa.Array
        Shape (n,); null stays null.

    Examples
    --------
    >>> folded(pa.array(["  Noise -  Ｒesidential\n"])).to_pylist()
    ['noise - residential']
    """
    text = pc.utf8_lower(pc.utf8_normalize(texts.cast(pa.string()), form="NFKC"))
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(text, r"[\s_]+", " "))


def rules_that_hold(texts: pa.Array, rules: Sequence[Rule]) -> NDArray[np.int64]:
    """Find, for every text, the first rule that holds.

    Parameters
    ----------
    texts
        Shape (n,), text; best the different texts of a column.
    rules
        In the order in which they are tried. Chinese words count anywhere, others from the beginning of a word.

    Returns
    -------
    ndarray
        Shape (n,), the rule's position, -1 where none holds.

    Notes
    -----
    Cost: one pass over the texts that no earlier rule has taken, per rule; texts without any of the words cost one.

    Examples
    --------
    >>> rules = [Rule("noise", ("噪音", "noise")), Rule("garbage", ("垃圾", "garbage"))]
    >>> rules_that_hold(pa.array(["Garbage in yard", "楼下噪音", "noisette", None]), rules).tolist()
    [1, 0, 0, -1]
    """
    result = np.full(len(texts), -1, dtype=np.int64)
    if not rules or not len(texts):
        return result
    text = folded(texts)
    every = _pattern([word for rule in rules for word in rule.words])
    open_rows = np.flatnonzero(_holds(text, every))
    for number, rule in enumerate(rules):
        if not len(open_rows):
            break
        rest = text.take(pa.array(open_rows))
        held = _holds(rest, _pattern(rule.words))
        if rule.never and held.any():
            held &= ~_holds(rest, _pattern(rule.never))
        result[open_rows[held]] = number
        open_rows = open_rows[~held]
    return result


def _pattern(words: Sequence[str]) -> str:
    parts = []
    for word in words:
        literal = re.escape(word.casefold()).replace(r"\ ", " ").replace(r"\-", "-")
        parts.append(rf"\b{literal}" if word.isascii() and word[:1].isalnum() else literal)
    return "|".join(parts)


def _holds(text: pa.Array, pattern: str) -> NDArray[np.bool_]:
    found = pc.fill_null(pc.match_substring_regex(text, pattern), fill_value=False)
    return np.asarray(found.to_numpy(zero_copy_only=False), dtype=bool)
