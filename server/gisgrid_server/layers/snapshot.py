"""What is served at one moment: a catalogue, and one edition of each layer that has been read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from gisgrid.catalogue import Catalogue
from gisgrid_server.layers.editions import Edition


@dataclass(frozen=True, eq=False)
class Snapshot:
    """What is served at one moment.

    Attributes
    ----------
    catalogue
        The layers.
    editions
        The layers that have been read, by id.
    """

    catalogue: Catalogue
    editions: Mapping[str, Edition] = field(default_factory=lambda: MappingProxyType({}))

    def putting(self, *editions: Edition) -> Snapshot:
        """Give another snapshot with some editions put in.

        Parameters
        ----------
        editions
            Each takes the place of the one its layer had.

        Returns
        -------
        Snapshot
            This one stays as it is.
        """
        new = {**self.editions, **{one.layer.id: one for one in editions}}
        return replace(self, editions=MappingProxyType(new))

    def dropping(self, layer_id: str) -> Snapshot:
        """Give another snapshot without a layer's edition.

        Parameters
        ----------
        layer_id
            The layer.

        Returns
        -------
        Snapshot
            This one stays as it is.
        """
        left = {name: one for name, one in self.editions.items() if name != layer_id}
        return replace(self, editions=MappingProxyType(left))
