"""What are those called who own cases?"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from gisgrid.desk.places import Ground
from gisgrid.desk.rules import Rules
from gisgrid.errors import InputError
from gisgrid.intake.classes.taxonomy import taxonomy_named
from gisgrid.schema import Text

_NOBODY: Final = Text(zh="尚无责任单位", en="Nobody is declared yet")


class Owners:
    """The names of owners.

    Parameters
    ----------
    rules
        Name those that are declared.
    ground
        Names the localities that own what nobody is declared for.
    """

    def __init__(self, rules: Rules, ground: Ground) -> None:
        self.rules, self.ground = rules, ground

    def title(self, owner: str | None) -> Text:
        """Give the name of an owner.

        Parameters
        ----------
        owner
            Its id; None for nobody.

        Returns
        -------
        Text
            As the rules name it; a locality by its own name; the id itself where nothing is known of it.
        """
        if owner is None:
            return _NOBODY
        return self._titles.get(owner) or Text(zh=owner, en=owner)

    @cached_property
    def _titles(self) -> Mapping[str, Text]:
        named = {one.id: one.title for one in self.rules.routing.owner}
        fallback = self.rules.routing.fallback
        if fallback is None:
            return named
        localities = {}
        for place in self.ground.places:
            code = getattr(place, fallback.column, None)
            zh = place.names.get(fallback.level)
            if code and zh:
                localities[f"{fallback.level}:{code}"] = Text(zh=zh, en=place.names_en.get(fallback.level, zh))  # fmt: skip
        return localities | named


def class_codes(rules: Rules) -> list[str]:
    """Give the codes of all classes that may have an owner.

    Parameters
    ----------
    rules
        The city's.

    Returns
    -------
    list of str
        Those of the rules' scheme and those that can be reported.
    """
    codes = [one.code for one in rules.services]
    try:
        taxonomy = taxonomy_named(rules.routing.scheme)
    except InputError:
        return codes
    return list(dict.fromkeys([*codes, *(one.code for one in taxonomy.classes if not one.is_major)]))  # fmt: skip
