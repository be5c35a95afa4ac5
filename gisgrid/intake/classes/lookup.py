"""Which class of a scheme has this code, and which has this name? Looked up once per different value."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.errors import IndexMismatchError, InputError
from gisgrid.intake.classes.files import TAXONOMIES, Kind, Taxonomy
from gisgrid.intake.classes.rules import folded, rules_that_hold

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

_REMEMBERED: Final = 100_000


@dataclass(frozen=True)
class Pairs:
    """The different pairs of code and name of a table.

    Attributes
    ----------
    codes, names
        The different codes and names, trimmed, without empty ones.
    code_at, name_at
        Shape (p,), a pair's position in `codes` and `names`; -1 where it has none.
    n
        Shape (p,), how many rows have the pair.
    at
        Shape (n,), each row's pair.
    """

    codes: pa.Array
    names: pa.Array
    code_at: Ints
    name_at: Ints
    n: Ints
    at: Ints


def distinct_pairs(
    codes: pa.Array | pa.ChunkedArray | None, names: pa.Array | pa.ChunkedArray | None
) -> Pairs:
    """Find the different pairs of code and name.

    Parameters
    ----------
    codes, names
        Shape (n,), text (numbers are written as text); None where the table has no such column.

    Returns
    -------
    Pairs
        What is different, and which row has what.

    Raises
    ------
    InputError
        Neither is given.
    IndexMismatchError
        They are not of one length.
    """
    if codes is None and names is None:
        raise InputError("classes are read from codes, from names or from both; give one of them")
    if codes is not None and names is not None and len(codes) != len(names):
        raise IndexMismatchError(
            f"{len(codes)} codes and {len(names)} names do not belong to the same rows; give columns of one table"
        )
    n_rows = len(codes) if codes is not None else len(names or ())
    code_values, code_rows = _encoded(codes, n_rows)
    name_values, name_rows = _encoded(names, n_rows)
    width = len(name_values) + 1
    key = (code_rows + 1) * width + name_rows + 1
    if (len(code_values) + 1) * width <= max(4 * n_rows, 1 << 20):  # a table of them all is small
        n_all = np.bincount(key, minlength=1)
        pairs = np.flatnonzero(n_all)
        position = np.zeros(len(n_all), dtype=np.int64)
        position[pairs] = np.arange(len(pairs))
        at, n = position[key], n_all[pairs]
    else:
        pairs, at, n = np.unique(key, return_inverse=True, return_counts=True)
    return Pairs(code_values, name_values, pairs // width - 1, pairs % width - 1, n, at)


def _encoded(values: pa.Array | pa.ChunkedArray | None, n: int) -> tuple[pa.Array, Ints]:
    """Give the different texts of a column and each row's position among them, -1 where it is empty."""
    if values is None:
        return pa.array([], pa.string()), np.full(n, -1, dtype=np.int64)
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
    if isinstance(values, pa.ChunkedArray):
        values = pa.concat_arrays(values.chunks) if values.num_chunks else pa.array([], pa.string())
    encoded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
    raw = pc.utf8_trim_whitespace(encoded.dictionary.cast(pa.string()))
    text = raw.dictionary_encode()  # what differs by spaces only is the same
    same = np.asarray(pc.fill_null(text.indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
    distinct = text.dictionary
    there = np.asarray(pc.not_equal(distinct, "").to_numpy(zero_copy_only=False), dtype=bool)
    position = np.where(there, np.cumsum(there) - 1, -1)
    table = np.concatenate([position[same] if len(same) else same, [-1]])
    table[:-1][same < 0] = -1
    rows = np.asarray(
        pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False), dtype=np.int64
    )
    return distinct.filter(pa.array(there)), table[rows]


def code_texts(codes: pa.Array, length: int | None) -> pa.Array:
    """Write codes alike: no separators, no decimal of a spreadsheet, the leading zero restored.

    Parameters
    ----------
    codes
        Shape (n,), text.
    length
        How many digits a full code has; None where codes are other texts, which are only trimmed.

    Returns
    -------
    pa.Array
        Shape (n,).

    Examples
    --------
    >>> code_texts(pa.array(["0401", "401", "04-01", "401.0", "4", "A1"]), 4).to_pylist()
    ['0401', '0401', '0401', '0401', '04', 'A1']
    """
    text = pc.utf8_trim_whitespace(pc.utf8_normalize(codes.cast(pa.string()), form="NFKC"))
    if length is None:
        return text
    text = pc.replace_substring_regex(text, r"\.0+$", "")
    digits = pc.replace_substring_regex(text, r"[\s\-._/]", "")
    is_digits = pc.match_substring_regex(digits, r"^\d+$")
    n = pc.utf8_length(digits)
    full = pc.if_else(pc.equal(n, length - 1), pc.utf8_lpad(digits, length, "0"), digits)
    full = pc.if_else(pc.equal(n, length - 3), pc.utf8_lpad(digits, length - 2, "0"), full)
    return pc.if_else(is_digits, full, text)


def name_texts(names: pa.Array) -> pa.Array:
    """Write class names alike: letters and digits only, without a number before them.

    Parameters
    ----------
    names
        Shape (n,), text.

    Returns
    -------
    pa.Array
        Shape (n,).

    Examples
    --------
    >>> name_texts(pa.array(["早（夜）市管理", "01 市容环境", "Dirty road"])).to_pylist()
    ['早夜市管理', '市容环境', 'dirtyroad']
    """
    plain = pc.replace_substring_regex(folded(names), r"[^\p{L}\p{N}]+", "")
    return pc.replace_substring_regex(plain, r"^\d+(\D.*)$", r"\1")


class ClassLookup:
    """A scheme made ready to look up codes and names.

    Parameters
    ----------
    taxonomy
        The scheme.
    """

    def __init__(self, taxonomy: Taxonomy) -> None:
        self.taxonomy = taxonomy
        self.classes = taxonomy.classes
        self.category_ids = tuple(taxonomy.categories)
        place = {key: at for at, key in enumerate(self.category_ids)}
        self.category = np.array([place[c.category] for c in self.classes], dtype=np.int64)
        self.is_major = np.array([c.is_major for c in self.classes], dtype=bool)
        self.is_local = np.array([c.is_local for c in self.classes], dtype=bool)
        self.codes = pa.array([c.code for c in self.classes], pa.string())
        self._read: tuple[pa.Array, Ints] = (pa.array([], pa.string()), np.zeros(0, dtype=np.int64))
        self.major = np.array([f"{c.kind}{c.code[:2]}" for c in self.classes], dtype=object)

    @cached_property
    def first_of_category(self) -> Ints:
        """The first minor class that leads to each category, -1 where none does."""
        first = np.full(len(self.category_ids), -1, dtype=np.int64)
        for row in range(len(self.classes) - 1, -1, -1):
            if not self.is_major[row]:
                first[self.category[row]] = row
        return first

    @cached_property
    def _names(self) -> tuple[pa.Array, Ints, Ints]:
        """Known names, the class each means (-1: several), and the pairs of class and name that agree."""
        said: list[tuple[str, int, bool]] = []
        for row, c in enumerate(self.classes):
            said += [(name, row, True) for name in (c.words.zh, c.words.en, *c.names)]
            if c.is_major:
                continue
            words = self.taxonomy.categories[c.category].words
            said += [(name, row, False) for name in (c.category, words.zh, words.en)]
        plain = name_texts(pa.array([name for name, _, _ in said], pa.string())).to_pylist()
        known = {name: at for at, name in enumerate(dict.fromkeys(plain))}
        rows: dict[str, int] = {}
        for own in (True, False):  # a class's own name before its category's
            earlier = dict(rows)
            for name, (_, row, is_own) in zip(plain, said, strict=True):
                if is_own == own and name not in earlier:
                    held = rows.setdefault(name, row)
                    if held >= 0 and self.category[held] != self.category[row]:
                        rows[name] = -1
        pairs = {
            row * len(known) + known[name] for name, (_, row, _) in zip(plain, said, strict=True)
        }
        of_name = np.array([rows[name] for name in known], dtype=np.int64)
        return pa.array(known, pa.string()), of_name, np.array(sorted(pairs), dtype=np.int64)

    def rows_of_codes(self, codes: pa.Array, kind: Kind) -> Ints:
        """Find the class of each code.

        Parameters
        ----------
        codes
            Shape (n,), text as the file has it.
        kind
            Among events or among components.

        Returns
        -------
        ndarray
            Shape (n,), the position in `classes`, -1 where there is none.
        """
        own = np.array([at for at, c in enumerate(self.classes) if c.kind == kind], dtype=np.int64)
        known = self.codes.take(pa.array(own, pa.int64()))
        found = pc.index_in(code_texts(codes, self.taxonomy.code_length), value_set=known)
        at = _positions(found)
        return np.where(at >= 0, own[at] if len(own) else -1, -1)

    def name_ids(self, names: pa.Array) -> Ints:
        """Find which known name each text is, whole or as the last part of a path (市容环境>暴露垃圾).

        Parameters
        ----------
        names
            Shape (n,), text.

        Returns
        -------
        ndarray
            Shape (n,), -1 where none is known.
        """
        known = self._names[0]
        whole = _positions(pc.index_in(name_texts(names), value_set=known))
        last = pc.replace_substring_regex(
            names, r"^.*[>＞/\\→|_·:：—–\-]\s*([^>＞/\\→|_·:：—–\-]+)$", r"\1"
        )
        return np.where(
            whole >= 0, whole, _positions(pc.index_in(name_texts(last), value_set=known))
        )

    def rows_of_names(self, name_ids: Ints) -> Ints:
        """Find the class that a name means.

        Parameters
        ----------
        name_ids
            Shape (n,), of `name_ids`.

        Returns
        -------
        ndarray
            Shape (n,), the position in `classes`, -1 where none or several are meant.
        """
        of_name = np.append(self._names[1], -1)
        return of_name[name_ids]

    def agree(self, rows: Ints, name_ids: Ints) -> Bools:
        """Tell whether a class goes by a name.

        Parameters
        ----------
        rows, name_ids
            Shape (n,), -1 where there is none.

        Returns
        -------
        ndarray
            Shape (n,); False where either is missing.
        """
        key = rows * len(self._names[0]) + name_ids
        return (rows >= 0) & (name_ids >= 0) & np.isin(key, self._names[2])

    def within_major(self, rows: Ints, others: Ints) -> Bools:
        """Tell whether one of two classes is the major one of the other.

        Parameters
        ----------
        rows, others
            Shape (n,), positions in `classes`, -1 where there is none.

        Returns
        -------
        ndarray
            Shape (n,).
        """
        if not len(self.classes):
            return np.zeros(len(rows), dtype=bool)
        both = (rows >= 0) & (others >= 0)
        one_major = self.is_major[rows] != self.is_major[others]
        same: Bools = np.asarray(self.major[rows] == self.major[others], dtype=bool)
        result: Bools = both & one_major & same
        return result

    def categories_of_texts(self, texts: pa.Array) -> Ints:
        """Read the category out of texts: its own words first, else the rules for free text.

        Parameters
        ----------
        texts
            Shape (n,), different texts.

        Returns
        -------
        ndarray
            Shape (n,), the position in `category_ids`, -1 where nothing is known. What was read is remembered, for a
            file that comes in batches.
        """
        seen, categories = self._read
        at = _positions(pc.index_in(texts, value_set=seen))
        new = np.flatnonzero(at < 0)
        result = np.append(categories, -1)[at]
        if len(new):
            rest = texts.take(pa.array(new))
            result[new] = self._categories_of_new(rest)
            if len(seen) + len(new) <= _REMEMBERED:
                self._read = (pa.concat_arrays([seen, rest]), np.append(categories, result[new]))
        return result

    def _categories_of_new(self, texts: pa.Array) -> Ints:
        words, of_word = self._category_words
        exact = np.append(of_word, -1)[_positions(pc.index_in(name_texts(texts), value_set=words))]
        rules = self.taxonomy.rules or TAXONOMIES["free-text"].rules
        place = {key: at for at, key in enumerate(self.category_ids)}
        of_rule = np.array([place.get(rule.category, -1) for rule in rules] + [-1], dtype=np.int64)
        rest = np.flatnonzero(exact < 0)
        exact[rest] = of_rule[rules_that_hold(texts.take(pa.array(rest)), rules)]
        return exact

    @cached_property
    def _category_words(self) -> tuple[pa.Array, Ints]:
        said = [
            (word, at)
            for at, (key, category) in enumerate(self.taxonomy.categories.items())
            for word in (key, category.words.zh, category.words.en)
        ]
        words = name_texts(pa.array([word for word, _ in said], pa.string()))
        return words, np.array([at for _, at in said], dtype=np.int64)


@lru_cache(maxsize=16)
def lookup_of(taxonomy: Taxonomy) -> ClassLookup:
    """Give a scheme made ready to look up; the work is done once.

    Parameters
    ----------
    taxonomy
        The scheme.

    Returns
    -------
    ClassLookup
        The same one every time.
    """
    return ClassLookup(taxonomy)


def _positions(found: pa.Array) -> Ints:
    return np.asarray(pc.fill_null(found, -1).to_numpy(zero_copy_only=False), dtype=np.int64)
