"""Which scheme are these classes of? Decided by codes and names together; refused where codes alone could lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa

from gisgrid.intake.classes.files import TAXONOMIES, Taxonomy
from gisgrid.intake.classes.lookup import Bools, Ints, Pairs, distinct_pairs, lookup_of
from gisgrid.intake.classes.rules import rules_that_hold
from gisgrid.schema import Text

OPTION: Final = "--taxonomy"

_ENOUGH = 0.5
_MOSTLY = 0.8
_CLEARLY = 0.05
_ENOUGH_BY_RULE = 0.3


@dataclass(frozen=True)
class TaxonomyFinding:
    """Which scheme the classes of a file are of.

    Attributes
    ----------
    taxonomy
        The scheme; None where it cannot be told, and must be stated.
    confidence
        0 to 1.
    evidence
        What speaks for it, or why nothing was decided and what to state.
    is_ambiguous
        The codes mean different things in two schemes, so that they must not be read before one is stated.
    """

    taxonomy: Taxonomy | None
    confidence: float
    evidence: tuple[Text, ...]
    is_ambiguous: bool = False


@dataclass(frozen=True)
class _Fit:
    """How one scheme fits: shares of the rows, and the number of each pair's category by its code alone (-1: none)."""

    taxonomy: Taxonomy
    coded: float
    agreeing: float
    named: float
    category: Ints


def detect_taxonomy(
    codes: pa.Array | pa.ChunkedArray | None,
    names: pa.Array | pa.ChunkedArray | None,
    *,
    taxonomies: Mapping[str, Taxonomy] = TAXONOMIES,
) -> TaxonomyFinding:
    """Find the scheme that the classes of a table are of.

    Parameters
    ----------
    codes, names
        Shape (n,), the classes' codes and names; None where the table has no such column.
    taxonomies
        The schemes that come into question; among equals the first.

    Returns
    -------
    TaxonomyFinding
        The scheme with its confidence, or None with the reason and the option that states it.

    Raises
    ------
    InputError
        Neither codes nor names are given.
    IndexMismatchError
        They are not of one length.

    Notes
    -----
    Codes that mean different things in two schemes are never believed alone: 0401 is a collapsed road in the old
    generation and a hawker in the new one. Cost: per different pair of code and name.

    Examples
    --------
    >>> detect_taxonomy(pa.array(["0401", "0505"]), None).taxonomy is None
    True
    >>> detect_taxonomy(pa.array(["0401"]), pa.array(["路面塌陷"])).taxonomy.id
    'cjt214-2007'
    """
    pairs = distinct_pairs(codes, names)
    coded = [t for t in taxonomies.values() if t.classes]
    keys = {key for taxonomy in coded for key in taxonomy.categories}
    numbers = {key: number for number, key in enumerate(sorted(keys))}
    fits = [_fit(t, pairs, numbers) for t in coded]
    has_codes, has_names = bool(len(pairs.codes)), bool(len(pairs.names))
    if has_codes and has_names and (found := _by_both(fits, pairs)):
        return found
    if has_codes and (not has_names or _only_codes_are_known(fits)):
        return _by_codes(fits, pairs)
    if has_names:
        return _by_names(fits, pairs, taxonomies, ignored=has_codes)
    nothing = Text(zh="类别一列没有值", en="the columns of classes hold no values")
    return TaxonomyFinding(None, 0.0, (nothing,))


def _only_codes_are_known(fits: list[_Fit]) -> bool:
    return max(f.coded for f in fits) >= _MOSTLY and max(f.named for f in fits) < _ENOUGH


def _fit(taxonomy: Taxonomy, pairs: Pairs, numbers: Mapping[str, int]) -> _Fit:
    lookup = lookup_of(taxonomy)
    ids = _taken(lookup.name_ids(pairs.names), pairs.name_at)
    events, components = (
        _taken(lookup.rows_of_codes(pairs.codes, kind), pairs.code_at)
        for kind in ("event", "component")
    )
    by_name = lookup.rows_of_names(ids)
    agree = lookup.agree(events, ids) | lookup.agree(components, ids)
    agree |= lookup.within_major(events, by_name) | lookup.within_major(components, by_name)
    rows = np.where(events >= 0, events, components)
    of_row = np.array([numbers[c.category] for c in taxonomy.classes], dtype=np.int64)
    return _Fit(
        taxonomy,
        coded=_share(rows >= 0, pairs, pairs.code_at >= 0),
        agreeing=_share(agree, pairs, (pairs.code_at >= 0) & (pairs.name_at >= 0)),
        named=_share(by_name >= 0, pairs, pairs.name_at >= 0),
        category=np.append(of_row, -1)[rows],
    )


def _taken(values: Ints, at: Ints) -> Ints:
    return np.append(values, -1)[at]


def _share(held: Bools, pairs: Pairs, among: Bools) -> float:
    total = int(pairs.n[among].sum())
    return float(pairs.n[held & among].sum()) / total if total else 0.0


def _conflict(fits: list[_Fit], pairs: Pairs) -> tuple[float, str]:
    """Give the share of coded rows whose code means different things in two schemes, and the commonest such code."""
    clash = np.zeros(len(pairs.n), dtype=bool)
    for at, fit in enumerate(fits):
        for other in fits[at + 1 :]:
            clash |= (
                (fit.category != -1) & (other.category != -1) & (fit.category != other.category)
            )
    share = _share(clash, pairs, pairs.code_at >= 0)
    if not share:
        return 0.0, ""
    commonest = int(np.argmax(np.where(clash, pairs.n, 0)))
    return share, str(pairs.codes[int(pairs.code_at[commonest])].as_py())


def _by_both(fits: list[_Fit], pairs: Pairs) -> TaxonomyFinding | None:
    """Decide by codes and names that agree; None where the codes are of no scheme."""
    best = max(fits, key=lambda fit: fit.agreeing, default=None)
    if best is None or best.agreeing < _ENOUGH:
        return None
    rivals = [f for f in fits if f is not best and best.agreeing - f.agreeing < _CLEARLY]
    share, code = _conflict([best, *rivals], pairs)
    said = Text(
        zh=f"{best.agreeing:.0%} 的代码与名称符合 {best.taxonomy.id}"
        + "".join(f"，{f.taxonomy.id} 为 {f.agreeing:.0%}" for f in fits if f is not best),
        en=f"{best.agreeing:.0%} of codes and names agree in {best.taxonomy.id}"
        + "".join(f", {f.agreeing:.0%} in {f.taxonomy.id}" for f in fits if f is not best),
    )
    if rivals and share > _CLEARLY:
        return _undecided([best, *rivals], (said,), code)
    return TaxonomyFinding(best.taxonomy, round(best.agreeing, 2), (said,))


def _by_codes(fits: list[_Fit], pairs: Pairs) -> TaxonomyFinding:
    """Decide by codes alone, where they can mean one thing only."""
    best = max(fits, key=lambda fit: fit.coded, default=None)
    said = tuple(
        Text(
            zh=f"{f.coded:.0%} 的代码在 {f.taxonomy.id} 中有定义",
            en=f"{f.coded:.0%} of the codes exist in {f.taxonomy.id}",
        )
        for f in fits
    )
    if best is None or best.coded < _ENOUGH:
        first = pairs.codes[0].as_py()
        none = Text(
            zh=f"代码（如 {first}）不属于已知的分类标准；用 {OPTION} 指定标准或一个文件",
            en=f"the codes (for example {first!r}) are of no scheme that is known; state one, or a file, with {OPTION}",
        )
        return TaxonomyFinding(None, 0.0, (*said, none))
    share, code = _conflict([f for f in fits if f.coded > 0], pairs)
    if share > 0:
        order = sorted(fits, key=lambda f: -f.coded)
        return _undecided(order, said, code)
    return TaxonomyFinding(best.taxonomy, round(0.9 * best.coded, 2), said)


def _by_names(
    fits: list[_Fit], pairs: Pairs, taxonomies: Mapping[str, Taxonomy], *, ignored: bool
) -> TaxonomyFinding:
    """Decide by names; a name means one thing in every scheme, so that there is no trap in it."""
    said: list[Text] = []
    if ignored:
        said.append(
            Text(zh="代码不属于已知的分类标准，只看名称", en="the codes are of no scheme that is known; only the names are read")
        )  # fmt: skip
    best = max(fits, key=lambda fit: fit.named, default=None)
    if best is not None and best.named >= _ENOUGH:
        equals = [f.taxonomy.id for f in fits if f is not best and best.named - f.named < _CLEARLY]
        said.append(
            Text(
                zh=f"{best.named:.0%} 的名称属于 {best.taxonomy.id}"
                + (f"（{'、'.join(equals)} 同样符合）" if equals else ""),
                en=f"{best.named:.0%} of the names are of {best.taxonomy.id}"
                + (f" ({', '.join(equals)} would do as well)" if equals else ""),
            )
        )
        return TaxonomyFinding(
            best.taxonomy, round(best.named * (0.9 if equals else 1), 2), tuple(said)
        )
    for taxonomy in taxonomies.values():
        if taxonomy.classes or not taxonomy.rules:
            continue
        held = _taken(rules_that_hold(pairs.names, taxonomy.rules), pairs.name_at) >= 0
        share = _share(held, pairs, pairs.name_at >= 0)
        said.append(
            Text(
                zh=f"{share:.0%} 的文字可按 {taxonomy.id} 的规则归类",
                en=f"{share:.0%} of the texts can be classed by the rules of {taxonomy.id}",
            )
        )
        if share >= _ENOUGH_BY_RULE:
            return TaxonomyFinding(taxonomy, round(share, 2), tuple(said))
    said.append(
        Text(
            zh=f"类别名称不属于已知的分类标准；用 {OPTION} 指定标准或一个文件",
            en=f"the names are of no scheme that is known; state one, or a file, with {OPTION}",
        )
    )
    return TaxonomyFinding(None, 0.0, tuple(said))


def _undecided(fits: list[_Fit], said: tuple[Text, ...], code: str) -> TaxonomyFinding:
    """Refuse to choose between schemes, and say how to."""
    ids = tuple(fit.taxonomy.id for fit in fits)
    return TaxonomyFinding(None, 0.0, (*said, _trap(ids, code)), is_ambiguous=True)


def _trap(ids: tuple[str, ...], code: str) -> Text:
    options = " 或 ".join(f"{OPTION} {name}" for name in ids)
    choices = " or ".join(f"{OPTION} {name}" for name in ids)
    return Text(
        zh=f"代码 {code} 在 {'、'.join(ids)} 中含义不同（04 与 05 大类相反），只看代码不能区分；用 {options} 指定，"
        "或在代码旁给出类别名称",
        en=f"the code {code!r} means different things in {' and '.join(ids)} (majors 04 and 05 are exchanged), so codes "
        f"alone do not tell them apart; state {choices}, or give the class names beside the codes",
    )
