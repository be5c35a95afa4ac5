"""Which class of one scheme is which of another, and what is lost on the way?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa
import pyarrow.compute as pc

from gisgrid.intake.classes.files import IssueClass, Kind, Taxonomy
from gisgrid.schema import Text


@dataclass(frozen=True)
class Lost:
    """A class that does not come back as itself from the other scheme.

    Attributes
    ----------
    taxonomy, code
        The class.
    words
        Its name.
    comes_back
        The code it comes back as; None where it does not.
    why
        What is lost.
    """

    taxonomy: str
    code: str
    words: Text
    comes_back: str | None
    why: Text


@dataclass(frozen=True)
class Crosswalk:
    """Two schemes side by side.

    Attributes
    ----------
    forward, back
        Code of the one to code of the other; classes without a counterpart are not in it.
    lost
        The classes of both that do not come back as themselves.
    """

    forward: Mapping[str, str]
    back: Mapping[str, str]
    lost: tuple[Lost, ...]

    def translate(self, codes: pa.Array) -> pa.Array:
        """Write codes of the first scheme as codes of the second.

        Parameters
        ----------
        codes
            Shape (n,), text.

        Returns
        -------
        pa.Array
            Shape (n,), null where there is no counterpart.
        """
        found = pc.index_in(codes, value_set=pa.array(self.forward, pa.string()))
        return pa.array(self.forward.values(), pa.string()).take(found)


def crosswalk(a: Taxonomy, b: Taxonomy, *, kind: Kind = "event") -> Crosswalk:
    """Lay two schemes side by side by the categories that their classes lead to.

    Parameters
    ----------
    a, b
        The schemes.
    kind
        Events or components: their codes overlap, so one kind at a time.

    Returns
    -------
    Crosswalk
        Both ways, and what is lost. A class without its equal goes to the nearest wider category that the other scheme
        has.

    Examples
    --------
    >>> from gisgrid.intake.classes.files import TAXONOMIES
    >>> walk = crosswalk(TAXONOMIES["cjt214-2007"], TAXONOMIES["gbt30428-new"])
    >>> walk.forward["0401"], walk.back["0401"]
    ('0505', '0501')
    """
    forward, back = _one_way(a, b, kind), _one_way(b, a, kind)
    lost = (*_lost(a, forward, back, b, kind), *_lost(b, back, forward, a, kind))
    return Crosswalk(MappingProxyType(forward), MappingProxyType(back), lost)


def _minors(taxonomy: Taxonomy, kind: Kind) -> list[IssueClass]:
    return [c for c in taxonomy.classes if c.kind == kind and not c.is_major]


def _one_way(a: Taxonomy, b: Taxonomy, kind: Kind) -> dict[str, str]:
    first: dict[str, str] = {}
    for c in _minors(b, kind):
        first.setdefault(c.category, c.code)
    found = {}
    for c in _minors(a, kind):
        category: str | None = c.category
        while category is not None and category not in first:
            known = a.categories.get(category)
            category = known.broader if known else None
        if category is not None:
            found[c.code] = first[category]
    return found


def _lost(
    a: Taxonomy, there: Mapping[str, str], back: Mapping[str, str], b: Taxonomy, kind: Kind
) -> list[Lost]:
    lost = []
    for c in _minors(a, kind):
        target = there.get(c.code)
        returned = None if target is None else back.get(target)
        if returned == c.code:
            continue
        if target is None:
            why = Text(zh=f"{b.id} 中没有对应类别", en=f"{b.id} has no such class")
        elif returned is None:
            why = Text(
                zh=f"在 {b.id} 中并入 {target}，没有回来的路",
                en=f"{b.id} has it within {target}, which does not come back",
            )
        else:
            why = Text(
                zh=f"在 {b.id} 中并入 {target}，回来成为 {returned}",
                en=f"{b.id} has it within {target}, which comes back as {returned}",
            )
        lost.append(Lost(a.id, c.code, c.words, returned, why))
    return lost
