"""Which class is a report of? By code and name under a declared scheme, at a cost per different value.

The trap: majors 04 and 05 of the two Chinese generations are exchanged, and many minors differ. A code alone is not
believed without its scheme; the class's name beside it can settle the question.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gisgrid.intake.classes.crosswalk import Crosswalk, Lost, crosswalk
from gisgrid.intake.classes.detection import TaxonomyFinding, detect_taxonomy
from gisgrid.intake.classes.files import (
    CATEGORIES,
    TAXONOMIES,
    Category,
    IssueClass,
    Taxonomy,
    taxonomy_named,
)
from gisgrid.intake.classes.lookup import (
    Bools,
    ClassLookup,
    Ints,
    Pairs,
    code_texts,
    distinct_pairs,
    lookup_of,
)
from gisgrid.intake.reasons import register

__all__ = [
    "CATEGORIES", "TAXONOMIES", "Category", "Classes", "Crosswalk", "IssueClass", "Lost", "Taxonomy", "TaxonomyFinding",
    "classify", "crosswalk", "detect_taxonomy", "full_codes", "taxonomy_named",
]  # fmt: skip

_FLAGS: Final = (
    "",
    *register(("category_missing", "category_unknown", "category_ambiguous", "category_mismatch")),
)
_MISSING, _UNKNOWN, _AMBIGUOUS, _MISMATCH = 1, 2, 3, 4


@dataclass(frozen=True)
class Classes:
    """The classes of a table's rows.

    Attributes
    ----------
    category_code
        Shape (n,), the code in the scheme (a city's own number as it is), null where there is none or it is unknown.
    category
        Shape (n,), the project's own category, null where it is unknown.
    flags
        Shape (n,), what is doubtful about it: ``category_missing``, ``category_unknown``, ``category_ambiguous`` (a
        number that every city gives out itself) or ``category_mismatch`` (code and name disagree; the name decides
        where it is known); empty where nothing is.
    """

    category_code: pa.Array
    category: pa.Array
    flags: pa.Array


def classify(
    codes: pa.Array | pa.ChunkedArray | None,
    names: pa.Array | pa.ChunkedArray | None,
    taxonomy: Taxonomy,
) -> Classes:
    """Class the rows of a table under a scheme.

    Parameters
    ----------
    codes, names
        Shape (n,), the classes' codes and names as the file has them; None where the table has no such column.
    taxonomy
        The scheme, as stated or as `detect_taxonomy` found it.

    Returns
    -------
    Classes
        Code, category and doubts of every row.

    Raises
    ------
    InputError
        Neither codes nor names are given.
    IndexMismatchError
        They are not of one length.

    Notes
    -----
    A code and a name that agree are believed. A known name is believed before a code, because codes mean different
    things in different schemes. An unknown name is read by the rules for free text. Cost: per different pair.

    Examples
    --------
    >>> found = classify(pa.array(["0401", "401", None]), pa.array(["无照经营游商", "", "垃圾满地"]), TAXONOMIES["gbt30428-new"])
    >>> found.category.to_pylist(), found.category_code.to_pylist()
    (['unlicensed_vending', 'unlicensed_vending', 'exposed_garbage'], ['0401', '0401', '0110'])
    """
    pairs = distinct_pairs(codes, names)
    lookup = lookup_of(taxonomy)
    event = _taken(lookup.rows_of_codes(pairs.codes, "event"), pairs.code_at)
    component = _taken(lookup.rows_of_codes(pairs.codes, "component"), pairs.code_at)
    ids = _taken(lookup.name_ids(pairs.names), pairs.name_at)
    row, mismatch = _rows(lookup, event, component, ids)
    by_text = _taken(lookup.categories_of_texts(pairs.names), pairs.name_at)
    category = _at(lookup.category, row)
    named = pairs.name_at >= 0
    unsure = np.append(lookup.is_local, False)[row] & (ids < 0)
    category = np.where(unsure & named, by_text, np.where(row >= 0, category, by_text))
    mismatch |= (row >= 0) & ~unsure & named & (ids < 0) & _contradict(lookup, category, by_text)
    flags = np.select(
        [category < 0, unsure & ~named, mismatch],
        [np.where(named | (pairs.code_at >= 0), _UNKNOWN, _MISSING), _AMBIGUOUS, _MISMATCH],
        0,
    )
    at = pa.array(pairs.at)
    return Classes(
        _codes(lookup, pairs, row, category).take(at),
        _picked(pa.array(lookup.category_ids, pa.string()), category).take(at),
        pa.array(_FLAGS, pa.string()).take(pa.array(flags)).take(at),
    )


def full_codes(majors: pa.Array, minors: pa.Array) -> pa.Array:
    """Put codes of major and minor classes together where a file has them in two columns.

    Parameters
    ----------
    majors
        Shape (n,), one or two digits.
    minors
        Shape (n,), one or two digits; a longer code is already whole.

    Returns
    -------
    pa.Array
        Shape (n,), four digits; null where both are empty.

    Examples
    --------
    >>> full_codes(pa.array(["01", "4", None]), pa.array(["02", "0401", "7"])).to_pylist()
    ['0102', '0401', '07']
    """
    major, minor = (code_texts(values, 4) for values in (majors, minors))
    short = pc.less_equal(pc.utf8_length(minor), 2)
    joined = pc.binary_join_element_wise(
        pc.utf8_lpad(major, 2, "0"), pc.utf8_lpad(minor, 2, "0"), ""
    )
    whole = pc.if_else(short, joined, minor)
    return pc.coalesce(whole, minor, major)


def _taken(values: Ints, at: Ints) -> Ints:
    return np.append(values, -1)[at]


def _at(values: Ints, positions: Ints) -> Ints:
    return np.where(positions >= 0, np.append(values, -1)[positions], -1)


def _rows(lookup: ClassLookup, event: Ints, component: Ints, ids: Ints) -> tuple[Ints, Bools]:
    """Choose the class of each pair, and tell where code and name disagree."""
    by_name = lookup.rows_of_names(ids)
    by_code = np.where(event >= 0, event, component)
    row = np.select(
        [
            lookup.agree(event, ids),
            lookup.agree(component, ids),
            lookup.within_major(event, by_name) & ~_major(lookup, event),
            lookup.within_major(component, by_name) & ~_major(lookup, component),
            by_name >= 0,
        ],
        [event, component, event, component, by_name],
        by_code,
    )
    category = np.append(lookup.category, -1)
    both = (by_name >= 0) & (by_code >= 0)
    mismatch = both & (row == by_name) & (category[by_code] != category[by_name])
    mismatch &= ~lookup.within_major(event, by_name) & ~lookup.within_major(component, by_name)
    mismatch &= ~lookup.agree(event, ids) & ~lookup.agree(component, ids)
    return row, mismatch


def _major(lookup: ClassLookup, rows: Ints) -> Bools:
    is_major: Bools = np.append(lookup.is_major, False)[rows]
    return is_major


def _contradict(lookup: ClassLookup, category: Ints, by_text: Ints) -> Bools:
    """Tell whether a text says something else than a code: not the same category, nor a wider or narrower one."""
    place = {key: at for at, key in enumerate(lookup.category_ids)}
    broader = np.array(
        [place.get(c.broader or "", -1) for c in lookup.taxonomy.categories.values()],
        dtype=np.int64,
    )
    related = (category == by_text) | (_at(broader, category) == by_text)
    related |= _at(broader, by_text) == category
    rest = np.array([key.startswith("other") for key in lookup.category_ids], dtype=bool)
    vague = (by_text >= 0) & rest[by_text]
    differ: Bools = (by_text >= 0) & (category >= 0) & ~related & ~vague
    return differ


def _codes(lookup: ClassLookup, pairs: Pairs, row: Ints, category: Ints) -> pa.Array:
    """Give each pair's code in the scheme; a number that the city gave out itself is kept where its name is known."""
    code_row = np.where(row >= 0, row, _at(lookup.first_of_category, category))
    codes = _picked(lookup.codes, np.where(category >= 0, code_row, -1))
    length, first = lookup.taxonomy.code_length, lookup.taxonomy.extension_from
    if length is None or first is None or not len(pairs.codes):
        return codes
    given = code_texts(pairs.codes, length)
    full = pc.match_substring_regex(given, rf"^\d{{{length}}}$")
    minor = pc.utf8_slice_codeunits(pc.if_else(full, given, "0" * length), length - 2).cast(
        pa.int64()
    )
    local = np.append(np.asarray(pc.greater_equal(minor, first)), False)[pairs.code_at]
    kept = pa.array(local & (row < 0) & (category >= 0))
    return pc.if_else(kept, _picked(given, pairs.code_at), codes)


def _picked(values: pa.Array, at: Ints) -> pa.Array:
    return values.take(pa.array(at, mask=at < 0))
