"""What is wrong with a column of codes, and what did it say before a spreadsheet had it?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.grids.codes.forms import as_text
from gisgrid.grids.codes.layout import CodeLayout
from gisgrid.schema import Text

_Bools = NDArray[np.bool_]
_Words = NDArray[np.object_]

_EXACT_FLOATS: Final = 2.0**53
# The characters themselves, because the two engines behind text columns write escapes differently.
_BLANK: Final = "\\s\u00a0\u200b-\u200d\u2060\u3000\ufeff"
_SPACES: Final = f"[{_BLANK}]+|^'"
"""Blanks, blanks that cannot be seen, and the apostrophe that a spreadsheet puts before text."""
_NOT_PLAIN: Final = "[^!-&(-~]"
_SEEN: Final = f"[^{_BLANK}']"
_WIDE: Final = "[\uff01-\uff5e]"
_DECIMAL: Final = r"^\d+\.0+$"
_SCIENTIFIC: Final = r"^(\d)(?:\.(\d+))?[eE]\+?(\d{1,2})$"


@dataclass(frozen=True)
class CodeFault:
    """One rule that codes break: which, how often, where first, and the sentence in both languages.

    Attributes
    ----------
    rule
        ``missing``, ``digits_lost`` (more than a number holds, or 1.4E+14), ``number`` (read as numbers),
        ``full_width``, ``whitespace``, ``decimal`` (a .0 at the end), ``scientific`` (1.10101001001E+11: no digit is
        lost), ``range``, ``level``, ``leading_zeros``, ``characters`` or ``length``.
    part
        The part outside its ranges, for the rule ``range``; empty otherwise.
    n
        How many codes break it.
    first
        The first of them, as it stands.
    message
        The sentence.
    positions
        Where these rows stand among the codes that were given, from 0.
    suggestions
        For each of these rows what the code should say, null where that cannot be proved; indexed like the codes.
    """

    rule: str
    part: str
    n: int
    first: str
    message: Text
    positions: NDArray[np.int64]
    suggestions: pd.Series


def code_faults(codes: pd.Series, layout: CodeLayout, *, level: str) -> list[CodeFault]:
    """List what is wrong with codes, each faulty code under the first rule that it breaks.

    Parameters
    ----------
    codes
        Shape (n,), of any type.
    layout
        What they should look like.
    level
        What all must name: a level, the unit of the layout, or ``any``.

    Returns
    -------
    list of CodeFault
        In the order of the rules; empty when all codes are right.
    """
    text, of_number, exact = _written(codes)
    right = ~_is_missing(text) & (not of_number)
    right[right] = _Verdict.of(text.filter(pa.array(right)), layout, level).right
    at = np.flatnonzero(~right)
    if not len(at):
        return []
    which, text_of = pd.factorize(_strings(text.take(pa.array(at))), use_na_sentinel=False)
    one_of = at[np.unique(which, return_index=True)[1]]
    rows = _Rows(
        text=pd.Series(text_of, dtype="str"),
        layout=layout,
        level=level,
        of_number=of_number,
        exact=exact[one_of],
        keeps_zeros=not of_number and _has_leading_zero(text, layout),
    )
    rule, part, meant = (found[which] for found in rows.diagnosis())
    faults = []
    for name, where in dict.fromkeys(zip(rule, part, strict=True)):
        chosen = (rule == name) & (part == where)
        suggestions = pd.Series(meant[chosen], index=codes.index[at[chosen]], dtype="str")
        faults.append(_fault((name, where), codes, at[chosen], suggestions, (layout, level)))
    return sorted(faults, key=lambda fault: list(_WORDS).index(fault.rule))


@dataclass(frozen=True)
class _Verdict:
    """What can be said of each code without its neighbours.

    Attributes
    ----------
    right
        Nothing is wrong with it.
    outside
        The first part outside its ranges, or an empty word.
    names
        What it names, None where it is ill-formed.
    """

    right: _Bools
    outside: _Words
    names: _Words

    @classmethod
    def of(cls, text: pa.Array, layout: CodeLayout, level: str) -> _Verdict:
        parts = layout.split(text)
        outside = np.full(len(text), "", dtype=object)
        for part, values in reversed(list(zip(layout.parts, parts, strict=True))):
            if part.ranges and part.strict and values.null_count < len(values):
                coded = pc.dictionary_encode(values)
                bad = [not part.allows(value) for value in coded.dictionary.to_pylist()]
                index = np.asarray(pc.fill_null(coded.indices, -1))
                outside[np.array([*bad, False])[index]] = part.name
        names = layout.named(parts)
        formed = np.asarray(parts[0].is_valid())
        fits = formed if level == "any" else names == level
        return cls(fits & (outside == ""), outside, names)


@dataclass(frozen=True)
class _Rows:
    """The codes that are not right, each once: as written, and what is known of their column."""

    text: pd.Series
    layout: CodeLayout
    level: str
    of_number: bool
    exact: _Bools
    keeps_zeros: bool

    def diagnosis(self) -> tuple[_Words, _Words, _Words]:
        """Give for each the first rule it breaks, the part concerned, and the code that was meant (None: unknown)."""
        text = self.text.fillna("")
        strange = _true(text.str.contains(_NOT_PLAIN))
        clean = text.where(
            ~strange,
            text.where(strange, "").str.normalize("NFKC").str.replace(_SPACES, "", regex=True),
        )
        short = clean.where(~_true(clean.str.contains(_DECIMAL)), clean.str.split(".").str[0])
        digits = clean.str.extract(_SCIENTIFIC)
        verdict = _Verdict.of(
            pa.array(text.to_numpy(dtype=object), pa.string()), self.layout, self.level
        )
        formed = np.array([name is not None for name in verdict.names], dtype=bool)
        whole = np.where(digits[0].notna(), _expanded(digits), short.to_numpy(dtype=object))
        meant = self._meant(whole)
        known = np.array([code is not None for code in meant], dtype=bool)
        signs = {part.pattern.split("{")[0] for part in self.layout.parts}
        signs |= {re.escape(part.separator) for part in self.layout.parts}
        conditions = {
            "missing": _is_missing(
                pa.array(self.text.to_numpy(dtype=object), pa.string(), from_pandas=True)
            ),
            "digits_lost": ~self.exact | ((digits[0].notna() & pd.isna(whole)).to_numpy()),
            "number": np.full(len(text), self.of_number),
            "full_width": _true(text.str.contains(_WIDE)),
            "whitespace": _true(text.str.contains(_SPACES)),
            "decimal": _true(text.str.contains(_DECIMAL)),
            "scientific": digits[0].notna().to_numpy(),
            "range": formed & (verdict.outside != ""),
            "level": formed,
            "leading_zeros": known,
            "characters": ~_true(text.str.fullmatch(f"(?:{'|'.join(sorted(signs))})*")),
        }
        rule = np.select(list(conditions.values()), list(conditions), default="length").astype(
            object
        )
        part = np.where(rule == "range", verdict.outside, "")
        meant[np.isin(rule, ["missing", "digits_lost", "range", "level"])] = None
        return rule, part, meant

    def _meant(self, whole: _Words) -> _Words:
        """Give the right code that a cleaned text stands for, as it is or with the zeros that a number loses.

        Zeros are put in front only if the column was numbers, or if it keeps no zero in front anywhere and the longer
        code lies in the ranges of the scheme, of which there is one; a code that may be cut is not made longer.
        """
        text = pa.array(whole, pa.string(), from_pandas=True)
        right = _Verdict.of(text, self.layout, self.level).right
        meant = _where(right, whole)
        sure = self.of_number or (
            not self.keeps_zeros and any(part.ranges and part.strict for part in self.layout.parts)
        )
        plain = not any(part.separator for part in self.layout.parts)
        if sure and plain and (self.level == self.layout.unit or not self.layout.cut):
            filled = (
                pd.Series(whole, dtype="str").str.zfill(self.layout.length).to_numpy(dtype=object)
            )
            longer = _Verdict.of(
                pa.array(filled, pa.string(), from_pandas=True), self.layout, self.level
            )
            meant[~right & longer.right] = filled[~right & longer.right]
        return meant


def _written(codes: pd.Series) -> tuple[pa.Array, bool, _Bools]:
    """Write codes as text; tell whether they were numbers, and which of these held every digit."""
    exact = np.ones(len(codes), dtype=bool)
    if pd.api.types.is_bool_dtype(codes.dtype) or not pd.api.types.is_numeric_dtype(codes.dtype):
        if pd.api.types.infer_dtype(codes, skipna=True) in {"string", "empty", "categorical"}:
            return as_text(codes), False, exact
        gone = codes.isna()
        said = [None if missing else str(value) for value, missing in zip(codes, gone, strict=True)]
        return pa.array(said, pa.string()), False, exact
    if pd.api.types.is_integer_dtype(codes.dtype):
        return as_text(codes.astype("str").where(codes.notna(), None)), True, exact
    values = codes.to_numpy(dtype=float, na_value=np.nan)
    exact = np.isnan(values) | (np.abs(values) < _EXACT_FLOATS)
    shown = [f"{value:.0f}" if value.is_integer() else str(value) for value in values.tolist()]
    written = _where(~np.isnan(values), np.array(shown, dtype=object))
    return pa.array(written, pa.string()), True, exact


def _where(condition: _Bools, words: _Words) -> _Words:
    """Keep words where a condition holds, None elsewhere."""
    kept = np.full(len(words), None, dtype=object)
    kept[condition] = words[condition]
    return kept


def _strings(text: pa.Array) -> pd.Series:
    return pd.Series(pd.array(text, dtype="str"))


def _true(found: pd.Series) -> _Bools:
    return found.fillna(value=False).to_numpy(dtype=bool)


def _is_missing(text: pa.Array) -> _Bools:
    """Tell which are null or hold nothing that can be seen."""
    seen = pc.match_substring_regex(text, _SEEN)
    return ~np.asarray(pc.fill_null(seen, fill_value=False))


def _has_leading_zero(text: pa.Array, layout: CodeLayout) -> bool:
    """Tell whether the column kept a zero in front somewhere: then it did not lose them elsewhere."""
    kept = pc.and_(pc.starts_with(text, "0"), pc.equal(pc.utf8_length(text), layout.length))
    return bool(pc.any(kept).as_py())


def _expanded(digits: pd.DataFrame) -> _Words:
    """Write out numbers like 1.10101001001E+11; None where the power of ten says that digits are gone."""
    after = digits[1].fillna("")
    power = pd.to_numeric(digits[2]).fillna(-1)
    held = power.to_numpy() == after.str.len().to_numpy()
    return _where(held, (digits[0] + after).to_numpy(dtype=object))


# fmt: off
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "missing": ("没有编码", "has no code|have no code"),
    "digits_lost": ("被存成数字，末尾的数字已丢失，无法恢复，请按文本重新导出", "lost its last digits as a number and cannot be restored; export it as text|lost their last digits as numbers and cannot be restored; export them as text"),
    "number": ("被读成了数字，请按文本读取", "was read as a number; read it as text|were read as numbers; read them as text"),
    "full_width": ("含全角字符", "has full-width characters|have full-width characters"),
    "whitespace": ("含空白或不可见字符", "has blanks or characters that cannot be seen|have blanks or characters that cannot be seen"),
    "decimal": ("末尾多了“.0”", "ends in '.0'|end in '.0'"),
    "scientific": ("写成了科学计数法", "is written with a power of ten|are written with a power of ten"),
    "range": ("的{part}部分不在 {scheme} 规定的范围内", "has a {part} outside the ranges of {scheme}|have a {part} outside the ranges of {scheme}"),
    "level": ("不是“{part}”的编码", "is not the code of a {part}|are not codes of a {part}"),
    "leading_zeros": ("丢了前面的零", "lost the zeros in front|lost the zeros in front"),
    "characters": ("含 {scheme} 没有的字符", "has characters that {scheme} does not use|have characters that {scheme} does not use"),
    "length": ("不是 {lengths} 位", "is not {lengths} characters long|are not {lengths} characters long"),
}
# fmt: on


def _fault(
    broken: tuple[str, str],
    codes: pd.Series,
    at: NDArray[np.int64],
    suggestions: pd.Series,
    expected: tuple[CodeLayout, str],
) -> CodeFault:
    (rule, part), (layout, level) = broken, expected
    n, total, first = len(at), len(codes), codes.iloc[at[0]]
    said, note = str(first), ""
    if rule == "range":
        names = [one.name for one in layout.parts]
        note = layout.split(pa.array([said]))[names.index(part)][0].as_py()
    elif rule == "length":
        note = str(len(said))
    zh, en = (f"“{said}”", repr(said) if isinstance(first, str) else said)
    if rule == "missing":
        zh, en = f"第 {codes.index[at[0]]} 行", f"row {codes.index[at[0]]}"
    named = layout.title_of(part or (layout.unit if level == "any" else level))
    lengths = [str(length) for length in layout.lengths(level)]
    words = {"scheme": layout.id}
    words_zh, words_en = (
        text.format(**words, part=title, lengths=joint.join(lengths))
        for text, title, joint in zip(
            (_WORDS[rule][0], _WORDS[rule][1].split("|")[n > 1]),
            (named.zh, named.en), ("、", " or "), strict=True,
        )
    )  # fmt: skip
    meant = suggestions.iloc[0]
    message = Text(
        zh=f"{total} 个编码中有 {n} 个{words_zh}（第一个：{zh}{'，' * bool(note)}{note}）"
        + (f"；应写作“{meant}”" if isinstance(meant, str) else ""),
        en=f"{n} of {total} codes {words_en} (first: {en}{', ' * bool(note)}{note})"
        + (f"; write {meant!r}" if isinstance(meant, str) else ""),
    )
    return CodeFault(rule, part, n, said, message, at, suggestions)
