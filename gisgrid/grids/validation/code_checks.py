"""Has every unit one code of its own, well formed, and does the code say the same parent as the column?"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.grids.codes.scheme import CodeScheme
from gisgrid.grids.validation.faults import GridFault
from gisgrid.grids.validation.levels import Level
from gisgrid.grids.validation.nesting import Nesting
from gisgrid.grids.validation.rules import Limits
from gisgrid.schema import Text

_DIGIT: Final = re.compile(r"[0-9]")
_LETTER: Final = re.compile(r"[A-Za-z]")
_LEAST_FOR_PATTERN = 8


def code_faults_of(
    level: Level, *, scheme: CodeScheme | None, scheme_level: str | None, limits: Limits
) -> Iterator[GridFault]:
    """List missing, repeated and ill-formed codes.

    Parameters
    ----------
    level
        The units.
    scheme
        The scheme their codes must keep; without one, codes built unlike nearly all others are listed.
    scheme_level
        The scheme's name of this level, where it is not the scheme's own unit.
    limits
        How many codes must be alike before the others are unlike.

    Yields
    ------
    GridFault
        In that order.
    """
    for at in np.flatnonzero(level.codes == "").tolist():
        label = str(level.labels[at])
        message = Text(zh=f"“{label}”没有编码", en=f"{label!r} has no code")
        yield GridFault("missing_code", level.name, label, message, _place(level, [at]))
    yield from _repeated(level)
    if scheme is None:
        yield from _unlike(level, limits)
    else:
        yield from _against_scheme(level, scheme, scheme_level)


def _place(level: Level, rows: list[int] | NDArray[np.int64]) -> shapely.Geometry | None:
    """Give the ground of a few units."""
    shapes = level.clean[rows]
    shapes = shapes[~shapely.is_empty(shapes)]
    return shapely.union_all(shapes) if len(shapes) else None


def _repeated(level: Level) -> Iterator[GridFault]:
    codes = pd.Series(level.codes)
    repeated = codes[(codes != "") & codes.duplicated(keep=False)]
    for code, rows in repeated.groupby(repeated, sort=True):
        at = rows.index.to_numpy()
        where = "、".join(str(row + 1) for row in at[:5])
        spoken = ", ".join(str(row + 1) for row in at[:5])
        message = Text(
            zh=f"{len(at)}个单元的编码都是“{code}”（第{where}行）",
            en=f"{len(at)} units have the code {code!r} (rows {spoken})",
        )
        yield GridFault(
            "duplicate_code", level.name, str(code), message, _place(level, at), n=len(at)
        )


def _unlike(level: Level, limits: Limits) -> Iterator[GridFault]:
    """Without a scheme: nearly all codes of a level are built alike, so the others are suspects."""
    codes = pd.Series(level.codes)
    codes = codes[codes != ""]
    if len(codes) < _LEAST_FOR_PATTERN:
        return
    built = codes.map(form)
    counts = built.value_counts()
    usual = str(counts.index[0])
    if counts.iloc[0] == len(codes) or counts.iloc[0] < limits.pattern_share * len(codes):
        return
    suspects = codes[built != usual]
    for at, code in suspects.items():
        meant = suggestion(code, usual)
        message = Text(
            zh=f"编码“{code}”与同级其他编码构成不同（其他如“{_example(codes, built, usual)}”）"
            + (f"；是否应为“{meant}”" if meant else ""),
            en=f"code {code!r} is not built like the others of its level (such as {_example(codes, built, usual)!r})"
            + (f"; is {meant!r} meant?" if meant else ""),
        )
        yield GridFault(
            "ill_formed_code", level.name, code, message, _place(level, [int(str(at))]),
            severity="error" if len(code) != len(usual) else "warning",
        )  # fmt: skip


def _example(codes: pd.Series, built: pd.Series, usual: str) -> str:
    return str(codes[built == usual].iloc[0])


def form(code: str) -> str:
    """Give the form of a code: 9 for a digit, A for a letter, other signs as they are.

    Parameters
    ----------
    code
        A code.

    Returns
    -------
    str
        As long as the code.

    Examples
    --------
    >>> form("A6301-0026-00")
    'A9999-9999-99'
    """
    return _DIGIT.sub("9", _LETTER.sub("A", code))


def suggestion(code: str, usual: str) -> str:
    """Give the code that was meant, where lost zeros or a number's point explain it.

    Parameters
    ----------
    code
        A code of another form than usual.
    usual
        The usual form.

    Returns
    -------
    str
        A code of the usual form, or nothing where none is certain.

    Examples
    --------
    >>> suggestion("1010010", "999999999"), suggestion("410802001.0", "999999999"), suggestion("x", "99")
    ('001010010', '410802001', '')
    """
    plain = code.removesuffix(".0").strip()
    if plain.isascii() and plain.isdigit() and len(plain) < len(usual) and set(usual) == {"9"}:
        plain = plain.zfill(len(usual))
    return plain if plain != code and form(plain) == usual else ""


def _against_scheme(
    level: Level, scheme: CodeScheme, scheme_level: str | None
) -> Iterator[GridFault]:
    """List each code that breaks the scheme, with the code that was meant where the scheme can prove it."""
    for fault in scheme.validate(level.frame[level.key], level=scheme_level):
        if fault.rule == "missing":
            continue
        for at, meant in zip(fault.positions, fault.suggestions, strict=True):
            label = str(level.labels[at])
            zh, en = (
                f"编码“{label}”不符合{scheme.title.zh}（{fault.rule}）",
                f"code {label!r} breaks {scheme.id} ({fault.rule})",
            )
            if isinstance(meant, str):
                zh, en = f"{zh}；是否应为“{meant}”", f"{en}; is {meant!r} meant?"
            place = _place(level, [int(at)])
            yield GridFault("ill_formed_code", level.name, label, Text(zh=zh, en=en), place)


def two_parent_faults(found: Nesting, *, limits: Limits) -> Iterator[GridFault]:
    """List the codes that name two parents: in two rows, or one by the column and another by the code itself.

    Parameters
    ----------
    found
        A level and the one above it.
    limits
        A child's code counts as naming its parent if this share of all children begin with their parent's code.

    Yields
    ------
    GridFault
        One per code.
    """
    if found.column is None:
        return
    child, parent = found.child, found.parent
    table = pd.DataFrame({"code": child.codes, "parent": child.column(found.column)})
    table = table[(table["code"] != "") & (table["parent"] != "")]
    pairs = table.drop_duplicates()
    several = pairs[pairs["code"].duplicated(keep=False)]
    for code, parents in several.groupby("code")["parent"]:
        rows = np.flatnonzero(child.codes == code)
        yield _two_parents(child, str(code), [str(name) for name in parents], rows, by_code=False)
    begins = np.array(
        [code.startswith(name) for code, name in zip(table["code"], table["parent"], strict=True)],
        dtype=bool,
    )
    if not len(table) or begins.mean() < limits.pattern_share:
        return
    known = {code for code in parent.codes if code}
    told = set(several["code"])
    lengths = sorted({len(code) for code in known}, reverse=True)
    for at, code, name in table[~begins].itertuples():
        says = next((code[:n] for n in lengths if code[:n] in known and n < len(code)), "")
        if says and name in known and code not in told:
            yield _two_parents(child, str(code), [says, str(name)], np.array([at]), by_code=True)


def _two_parents(
    child: Level, code: str, parents: list[str], rows: NDArray[np.int64], *, by_code: bool
) -> GridFault:
    zh, en = "、".join(f"“{name}”" for name in parents), " and ".join(map(repr, parents))
    if by_code:
        message = Text(
            zh=f"“{code}”有两个上级：编码说“{parents[0]}”，栏中写“{parents[1]}”",
            en=f"{code!r} has two parents: its code says {parents[0]!r}, its column {parents[1]!r}",
        )
    else:
        message = Text(
            zh=f"“{code}”写了{len(parents)}个上级：{zh}",
            en=f"{code!r} names {len(parents)} parents: {en}",
        )
    return GridFault(
        "two_parents", child.name, code, message, _place(child, rows), others=tuple(parents), n=len(parents)
    )  # fmt: skip
