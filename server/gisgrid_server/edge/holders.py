"""Who holds a key or a token, and what does it give them?"""

from __future__ import annotations

from functools import cached_property
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field, field_validator

from gisgrid_server.edge.rights import Power, Rights, Role, powers_of

ALL_LAYERS: Final = "*"

_Code = Annotated[str, Field(pattern=r"^(\*|[A-Za-z0-9_.:-]{1,64}\*?)$")]


class Holder(BaseModel):
    """Somebody who holds a key or a token.

    Attributes
    ----------
    name
        Who it is; this is what the log and the ledger say.
    layers
        The layers it opens; ``*`` for all.
    role
        A named set of powers; see ``roles.toml``.
    powers
        More powers.
    owners
        As whom the holder settles cases; ``*`` for all.
    grids, classes
        Beginnings of the codes of the grids and classes the holder is for; ``*`` for all.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=128)
    layers: tuple[str, ...] = (ALL_LAYERS,)
    role: Role | None = None
    powers: tuple[Power, ...] = ()
    owners: tuple[Annotated[str, Field(min_length=1, max_length=128)], ...] = ()
    grids: tuple[_Code, ...] = ()
    classes: tuple[_Code, ...] = ()

    @field_validator("name")
    @classmethod
    def _name(cls, value: str) -> str:
        if not value.isprintable() or not value.strip():
            raise ValueError(f"the name {value!r} cannot be printed; leave control characters out")
        return value

    @cached_property
    def rights(self) -> Rights:
        """What the holder may do with cases."""
        return Rights(
            self.name, powers_of(self.role, self.powers), self.owners, self.grids, self.classes
        )
