"""What may somebody do with the city's cases, and which of them do they see at all?

Rights are a set of powers, held for some grids, some classes and some owners. What somebody does not see is not there
for them: it is neither listed nor counted, and asking for it is answered like asking for what does not exist.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Final, Literal, get_args

from pydantic import model_validator

from gisgrid.casework.declared import Declared, read_declared
from gisgrid.casework.ledger import Case, CaseFilter, CaseNotFoundError
from gisgrid_server.edge.problems import KeyNeededError, KeyNotEnoughError

Power = Literal[
    "report", "see", "patrol", "dispatch", "handle", "verify", "supervise", "export", "contact", "hooks"
]  # fmt: skip
"""What may be done: hand in, see, walk tracks, file and dispatch, settle, check, oversee, take out, call back, tell others."""

Role = Literal["collector", "committee", "community", "subdistrict", "bureau", "district", "system"]
"""Named sets of powers."""

EVERYTHING: Final = ("*",)
"""All grids, classes or owners."""

POWERS: Final[tuple[Power, ...]] = get_args(Power)
ROLES: Final[tuple[Role, ...]] = get_args(Role)
_DECLARED: Final = Path(__file__).parent / "roles.toml"


class Roles(Declared):
    """The declared roles, and which power each step of a case asks for.

    Attributes
    ----------
    role
        The powers of each role.
    step
        For a kind of event, the powers of which one is enough.
    overview
        Powers that show every case of the holder's grids and classes.
    own
        Powers that hold for cases of the holder's owners only.
    """

    role: Mapping[Role, tuple[Power, ...]]
    step: Mapping[str, tuple[Power, ...]]
    overview: tuple[Power, ...]
    own: tuple[Power, ...]

    @model_validator(mode="after")
    def _whole(self) -> Roles:
        if missing := [name for name in ROLES if name not in self.role]:
            raise ValueError(f"the role {missing[0]!r} is not declared; name its powers")
        return self


@lru_cache(maxsize=1)
def declared_roles() -> Roles:
    """Give the roles as the project declares them.

    Returns
    -------
    Roles
        The roles.

    Examples
    --------
    >>> declared_roles().role["bureau"]
    ('see', 'handle', 'export')
    """
    return read_declared(Roles, _DECLARED, what="the table of roles")


@dataclass(frozen=True)
class Rights:
    """What the holder of a key or a token may do.

    Attributes
    ----------
    subject
        Who it is: the name of the key, or the subject of the token; every act is written down under it.
    powers
        What they may do.
    owners
        As whom they settle cases; ``("*",)`` for all.
    grids
        Beginnings of the codes of the grids they are for; ``("*",)`` for all, cases outside every grid among them.
    classes
        Beginnings of the codes of the classes they are for; ``("*",)`` for all.

    Examples
    --------
    >>> water = Rights("the water bureau", frozenset({"see", "handle"}), owners=("water",), grids=("*",), classes=("01*",))
    >>> water.within().owners, water.within().category_prefixes
    (('water',), ('01',))
    """

    subject: str
    powers: frozenset[Power] = frozenset()
    owners: tuple[str, ...] = ()
    grids: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def within(self) -> CaseFilter:
        """Say which cases the holder sees at all.

        Returns
        -------
        CaseFilter
            A filter that nothing passes where they may see none.
        """
        return self._within

    def sees(self, case: Case) -> bool:
        """Tell whether a case is one that the holder sees.

        Parameters
        ----------
        case
            The case.

        Returns
        -------
        bool
            As `within` says.
        """
        return self._within.includes(case)

    def demand(self, power: Power) -> None:
        """Make sure that the holder has a power.

        Parameters
        ----------
        power
            The power.

        Raises
        ------
        KeyNeededError
            Nobody said who they are, and not everybody may.
        KeyNotEnoughError
            The holder may not.
        """
        if power not in self.powers:
            self._refuse(f"this needs the power {power!r}")

    def demand_step(self, kind: str, case: Case) -> None:
        """Make sure that the holder may take a step in a case.

        Parameters
        ----------
        kind
            The kind of the event.
        case
            The case as it stands.

        Raises
        ------
        CaseNotFoundError
            The holder does not see it: the sentence is that for a case which is not there.
        KeyNeededError
            Nobody said who they are.
        KeyNotEnoughError
            The holder may not do this, or not in a case of this owner.
        """
        if not self.is_known:
            self._refuse(f"the step {kind!r} needs rights")
        if not self.sees(case):
            raise CaseNotFoundError(f"no case {case.case_id!r} in the ledger; check the id")
        if self.may_step(kind, case):
            return
        enough = steps_need(kind)
        if self.powers.isdisjoint(enough):
            self._refuse(f"the step {kind!r} needs the power {' or '.join(map(repr, enough))}")
        self._refuse(f"the step {kind!r} is for the owner of the case, which is {case.owner!r}")

    def may_step(self, kind: str, case: Case) -> bool:
        """Tell whether the holder may take a step in a case that they see.

        Parameters
        ----------
        kind
            The kind of the event.
        case
            The case as it stands.

        Returns
        -------
        bool
            Whether one of their powers is enough.
        """
        own = declared_roles().own
        return any(power in self.powers and (power not in own or self.owns(case.owner)) for power in steps_need(kind))  # fmt: skip

    def owns(self, owner: str | None) -> bool:
        """Tell whether the holder settles the cases of an owner.

        Parameters
        ----------
        owner
            The owner of a case; None where it has none.

        Returns
        -------
        bool
            True for all owners where the holder stands for all.
        """
        return EVERYTHING[0] in self.owners or (owner is not None and owner in self.owners)

    @property
    def is_known(self) -> bool:
        """Whether it is known who this is."""
        return self is not PUBLIC

    @property
    def has_overview(self) -> bool:
        """Whether all cases of the grids and classes are seen, not only those of the own owners."""
        return EVERYTHING[0] in self.owners or not self.powers.isdisjoint(declared_roles().overview)

    @cached_property
    def mark(self) -> str:
        """A short word that two holders share exactly if they see the same: it tells caches apart."""
        wanted = self._within
        said = repr((wanted.case_ids, wanted.owners, wanted.unit_prefixes, wanted.category_prefixes))  # fmt: skip
        return hashlib.sha256(said.encode()).hexdigest()[:12]

    @cached_property
    def _within(self) -> CaseFilter:
        if "see" not in self.powers or not self.grids or not self.classes:
            return CaseFilter(case_ids=())
        return CaseFilter(
            owners=None if self.has_overview else sorted(set(self.owners)),
            unit_prefixes=beginnings(self.grids),
            category_prefixes=beginnings(self.classes),
        )

    def _refuse(self, what: str) -> None:
        if not self.is_known:
            raise KeyNeededError(f"{what} and no key was named; send Authorization: Bearer KEY")
        raise KeyNotEnoughError(
            f"{what} and {self.subject!r} does not have it; ask the operator for a key that does"
        )


PUBLIC: Final = Rights("public", frozenset({"report"}))
"""The rights of everybody: to hand in a report."""


def beginnings(codes: Iterable[str]) -> tuple[str, ...] | None:
    """Give the beginnings that some codes stand for.

    Parameters
    ----------
    codes
        Codes, with or without ``*`` at their end.

    Returns
    -------
    tuple of str or None
        Sorted, none of which begins with another; None for all codes.

    Examples
    --------
    >>> beginnings(["0202", "02*", "05"]), beginnings(["*"])
    (('02', '05'), None)
    """
    found: list[str] = []
    for code in sorted({code.removesuffix("*") for code in codes}):
        if not code:
            return None
        if not found or not code.startswith(found[-1]):
            found.append(code)
    return tuple(found)


def powers_of(role: Role | None, powers: Iterable[Power] = ()) -> frozenset[Power]:
    """Put the powers of a role and single ones together.

    Parameters
    ----------
    role
        The role; None for none.
    powers
        More powers.

    Returns
    -------
    frozenset of str
        All of them.

    Examples
    --------
    >>> sorted(powers_of("bureau", ["report"]))
    ['export', 'handle', 'report', 'see']
    """
    return frozenset({*(declared_roles().role[role] if role is not None else ()), *powers})


def steps_need(kind: str) -> tuple[Power, ...]:
    """Say which powers are enough for a step of a case.

    Parameters
    ----------
    kind
        The kind of the event.

    Returns
    -------
    tuple of str
        One of these; ``supervise`` for a step that the table does not name.

    Examples
    --------
    >>> steps_need("dispatched"), steps_need("auctioned_off")
    (('dispatch',), ('supervise',))
    """
    return declared_roles().step.get(kind, ("supervise",))
