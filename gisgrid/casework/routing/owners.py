"""Who owns this class in this unit?

A rule that holds for fewer classes or fewer units wins over one that contains it: what is declared for one market beats
what is declared for the city, whatever the order of the file. Two rules of which neither contains the other, with different
owners, leave a pair with two owners; `coverage` lists it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.casework.routing.rules import RoutingRules
from gisgrid.errors import ColumnError, InputError, did_you_mean

_NOBODY: Final = -1
_SEVERAL: Final = -2
_LOCALITY: Final = -3


@dataclass(frozen=True, eq=False)
class Routing:
    """Rules made ready for the classes and units of a city; made by `Routing.of`.

    Attributes
    ----------
    rules
        The rules.
    classes
        Codes of the classes.
    units
        Codes of the units.
    locality
        The owner to fall back to in each unit and, last, outside all; None where there is none.
    class_kind, unit_kind
        The kind of each class and each unit: what the same rules hold for is of one kind.
    winners
        Shape (kinds of classes, kinds of units): the position of the rule that wins, or a negative code.
    rivals
        The rules that are left where several owners are.
    """

    rules: RoutingRules
    classes: pd.Index
    units: pd.Index
    locality: NDArray[np.object_]
    class_kind: NDArray[np.int32]
    unit_kind: NDArray[np.int32]
    winners: NDArray[np.int32]
    rivals: Mapping[tuple[int, int], tuple[int, ...]]

    @classmethod
    def of(
        cls,
        rules: RoutingRules,
        classes: Sequence[str],
        units: pd.DataFrame,
        *,
        unit: str = "unit_code",
    ) -> Routing:
        """Make rules ready.

        Parameters
        ----------
        rules
            The rules.
        classes
            Codes of all classes, of the rules' scheme.
        units
            One row per unit, with the columns that the rules name.
        unit
            The column of the units' codes.

        Returns
        -------
        Routing
            Answers for any number of reports.

        Raises
        ------
        ColumnError
            The units lack a column that the rules name.
        InputError
            A code comes twice, or a rule names a code that no class or no unit has.
        """
        named = {unit, *(name for rule in rules.rule for name in rule.where)}
        named |= {rules.fallback.column} if rules.fallback else set()
        for name in sorted(named):
            if name not in units.columns:
                raise ColumnError(
                    f"the rules {rules.id!r} need the units' column {name!r}{did_you_mean(name, map(str, units.columns))}"
                )
        class_index = _unique(pd.Index(classes, dtype=object), "class")
        unit_index = _unique(pd.Index(units[unit].to_numpy(object)), "unit")
        of_class = np.zeros((len(rules.rule), len(class_index)), bool)
        of_unit = np.ones((len(rules.rule), len(unit_index)), bool)
        for i, rule in enumerate(rules.rule):
            what = f"rule {i + 1} of {rules.id!r} ({rule.owner})"
            of_class[i] = _matches(class_index, rule.classes, what) if rule.classes else True
            for column, patterns in rule.where.items():
                of_unit[i] &= _matches(pd.Index(units[column].to_numpy(object)), patterns, what)
        class_kinds, class_kind = np.unique(of_class, axis=1, return_inverse=True)
        unit_kinds, unit_kind = np.unique(of_unit, axis=1, return_inverse=True)
        winners, rivals = _winners(rules, _beats(of_class, of_unit), class_kinds, unit_kinds)
        return cls(
            rules, class_index, unit_index, _localities(rules, units),
            class_kind.ravel().astype(np.int32), unit_kind.ravel().astype(np.int32), winners, rivals,
        )  # fmt: skip

    @cached_property
    def _owners(self) -> NDArray[np.object_]:
        return np.array([rule.owner for rule in self.rules.rule] + [None] * 3, dtype=object)

    @cached_property
    def _class_at(self) -> Mapping[object, int]:
        return {code: i for i, code in enumerate(self.classes)}

    @cached_property
    def _unit_at(self) -> Mapping[object, int]:
        return {code: i for i, code in enumerate(self.units)}

    @cached_property
    def owner_ids(self) -> tuple[str, ...]:
        """Who may own a report: the owners that the rules declare, then the localities that they fall back to."""
        declared = [owner.id for owner in self.rules.owner]
        local = [str(owner) for owner in self.locality if owner is not None]
        return tuple(dict.fromkeys([*declared, *local]))

    def owner(self, class_code: str | None, unit_code: str | None) -> str | None:
        """Tell who owns one report.

        Parameters
        ----------
        class_code, unit_code
            Its class and its unit; None or unknown where they are not known.

        Returns
        -------
        str or None
            The owner's id; None where there is none or there are several.
        """
        c, u = self._class_at.get(class_code), self._unit_at.get(unit_code)
        if u is None:
            return None
        decided = _LOCALITY if c is None else self.winners[self.class_kind[c], self.unit_kind[u]]
        owner: str | None = self.locality[u] if decided == _LOCALITY else self._owners[decided]
        return owner

    def route(
        self, class_codes: Sequence[str | None], unit_codes: Sequence[str | None]
    ) -> pd.DataFrame:
        """Tell who owns each of many reports.

        Parameters
        ----------
        class_codes, unit_codes
            Shape (n,), the class and the unit of each report.

        Returns
        -------
        DataFrame
            Shape (n, 3), indexed like `class_codes` where that is a Series: `owner`; `rule`, the position of the rule that
            decided (missing where none did); `basis`: ``rule``, ``locality``, ``several``, ``nobody``, ``unknown_class``
            (given to the locality where there is one), ``outside`` (the unit is not known).

        Raises
        ------
        InputError
            The two are not of one length.
        """
        if len(class_codes) != len(unit_codes):
            raise InputError(
                f"{len(class_codes)} classes and {len(unit_codes)} units were given; give one of each per report"
            )
        index = class_codes.index if isinstance(class_codes, pd.Series) else None
        c = self.classes.get_indexer(pd.Index(np.asarray(class_codes, dtype=object)))
        u = self.units.get_indexer(pd.Index(np.asarray(unit_codes, dtype=object)))
        rest = _LOCALITY if self.rules.fallback else _NOBODY
        decided = np.full(len(c), rest, np.int32)
        both = (c >= 0) & (u >= 0)
        if both.any():
            decided[both] = self.winners[self.class_kind[c[both]], self.unit_kind[u[both]]]
        local = self.locality[u]  # what is outside finds the last
        homeless = (decided == _LOCALITY) & pd.isna(local)
        decided[homeless] = _NOBODY
        owner = np.where(decided == _LOCALITY, local, self._owners[decided])
        words = np.select(
            [u < 0, c < 0, decided >= 0, decided == _LOCALITY, decided == _SEVERAL],
            ["outside", "unknown_class", "rule", "locality", "several"], "nobody",
        )  # fmt: skip
        rule = pd.array(decided, dtype="Int32")
        rule[decided < 0] = pd.NA
        return pd.DataFrame(
            {"owner": pd.array(owner, dtype="string"), "rule": rule, "basis": words}, index=index
        )

    def gaps(self) -> pd.DataFrame:
        """List the pairs of class and unit that do not have exactly one owner.

        Returns
        -------
        DataFrame
            `category_code`, `unit_code`, `n_owners` (0, or 2 and more), `owners` and `rules` (joined with ``;``; rules by
            their positions), in the order of classes and units. Empty where all is declared.
        """
        decided = self.winners[self.class_kind][:, self.unit_kind]
        homeless = (decided == _LOCALITY) & pd.isna(self.locality)[None, :-1]
        c, u = np.nonzero((decided == _NOBODY) | (decided == _SEVERAL) | homeless)
        kinds = list(zip(self.class_kind[c].tolist(), self.unit_kind[u].tolist(), strict=True))
        texts = {kind: self._texts(kind) for kind in set(kinds)}
        chosen = [texts[kind] for kind in kinds]
        return pd.DataFrame(
            {
                "category_code": self.classes.to_numpy()[c],
                "unit_code": self.units.to_numpy()[u],
                "n_owners": np.array([n for n, _, _ in chosen], dtype=np.int64),
                "owners": pd.array([owners for _, owners, _ in chosen], dtype="string"),
                "rules": pd.array([rules for _, _, rules in chosen], dtype="string"),
            }
        )

    def _texts(self, kind: tuple[int, int]) -> tuple[int, str, str]:
        rivals = self.rivals.get(kind, ())
        owners = sorted({self.rules.rule[i].owner for i in rivals})
        return len(owners), ";".join(owners), ";".join(map(str, rivals))


def coverage(
    rules: RoutingRules, classes: Sequence[str], units: pd.DataFrame, *, unit: str = "unit_code"
) -> pd.DataFrame:
    """List every class × unit that does not have exactly one owner.

    Parameters
    ----------
    rules
        The rules.
    classes
        Codes of all classes.
    units
        One row per unit, with the columns that the rules name.
    unit
        The column of the units' codes.

    Returns
    -------
    DataFrame
        See `Routing.gaps`; empty where every pair has exactly one owner.

    Raises
    ------
    ColumnError
        The units lack a column that the rules name.
    InputError
        A code comes twice, or a rule names a code that no class or no unit has.

    Examples
    --------
    >>> units = pd.DataFrame({"unit_code": ["a1", "b1"], "subdistrict_code": ["a", None]})
    >>> rules = RoutingRules.model_validate({
    ...     "id": "x", "title": {"zh": "例", "en": "Example"}, "scheme": "gbt30428-new",
    ...     "fallback": {"level": "subdistrict", "column": "subdistrict_code"},
    ...     "owner": [{"id": "roads", "level": "bureau", "title": {"zh": "路", "en": "Roads"}}],
    ...     "rule": [{"owner": "roads", "classes": ["0113"]}],
    ... })
    >>> coverage(rules, ["0110", "0113"], units)[["category_code", "unit_code", "n_owners"]].to_numpy().tolist()
    [['0110', 'b1', 0]]
    """
    return Routing.of(rules, classes, units, unit=unit).gaps()


def _unique(index: pd.Index, what: str) -> pd.Index:
    missing = pd.isna(index.to_numpy())
    if missing.any():
        raise InputError(
            f"{int(missing.sum())} of {len(index)} codes of a {what} are missing; give every {what} its code"
        )
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise InputError(f"the {what} {twice!r} comes twice among {len(index)}; give each once")
    return index


def _matches(codes: pd.Index, patterns: Sequence[str], what: str) -> NDArray[np.bool_]:
    text = pd.Series(codes.to_numpy(), dtype="string")
    found = np.zeros(len(codes), bool)
    for pattern in patterns:
        hit = text.str.startswith(pattern[:-1]) if pattern.endswith("*") else text == pattern
        hits = hit.fillna(value=False).to_numpy(bool)
        if not hits.any():
            raise InputError(
                f"{what} names {pattern!r}, which none of {len(codes)} codes fits (first: {codes[0] if len(codes) else None!r}); mend the rule or leave it out"
            )
        found |= hits
    return found


def _winners(
    rules: RoutingRules,
    beats: NDArray[np.bool_],
    class_kinds: NDArray[np.bool_],
    unit_kinds: NDArray[np.bool_],
) -> tuple[NDArray[np.int32], dict[tuple[int, int], tuple[int, ...]]]:
    """Find for each kind of class and unit the rule that no other one beats."""
    nobody = _NOBODY if rules.fallback is None else _LOCALITY
    winners = np.full((class_kinds.shape[1], unit_kinds.shape[1]), nobody, np.int32)
    rivals = {}
    for c in range(class_kinds.shape[1]):
        for u in range(unit_kinds.shape[1]):
            holding = np.flatnonzero(class_kinds[:, c] & unit_kinds[:, u])
            left = holding[~beats[np.ix_(holding, holding)].any(axis=0)]
            if len(left) and len({rules.rule[i].owner for i in left}) == 1:
                winners[c, u] = left[0]
            elif len(left):
                winners[c, u] = _SEVERAL
                rivals[c, u] = tuple(left.tolist())
    return winners, rivals


def _beats(of_class: NDArray[np.bool_], of_unit: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell for each pair of rules whether the first holds for less: inside the second in both, and smaller in one."""

    def inside(held: NDArray[np.bool_]) -> NDArray[np.bool_]:
        counts = held.astype(np.float32)
        return np.asarray(counts @ (1 - counts).T == 0)

    classes, units = inside(of_class), inside(of_unit)
    smaller = classes & units
    return np.asarray(smaller & ~smaller.T)


def _localities(rules: RoutingRules, units: pd.DataFrame) -> NDArray[np.object_]:
    found = np.full(len(units) + 1, None, dtype=object)
    if rules.fallback is None:
        return found
    for i, code in enumerate(units[rules.fallback.column].to_numpy(object)):
        if not pd.isna(code):
            found[i] = rules.fallback.owners.get(str(code), f"{rules.fallback.level}:{code}")
    return found
