"""The cases of a process: its desk, opened as the settings say."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final, Self

from gisgrid.catalogue import Catalogue, FolderStore
from gisgrid.desk import Desk
from gisgrid.desk.live import LAYER
from gisgrid.desk.places import grid_layers
from gisgrid_server.casework.photos import Photos
from gisgrid_server.edge.problems import KeyNeededError
from gisgrid_server.edge.rights import Rights
from gisgrid_server.settings import Settings

MEDIA: Final = "media"
"""Where photos lie under the data folder, where the settings do not say."""

OFF: Final = "off"
"""What the setting `cases` says for a server without cases."""


@dataclass(frozen=True)
class Casework:
    """What the routes of cases stand on; one per process.

    Attributes
    ----------
    desk
        The ledger, the rules and the grid.
    settings
        How the server is set up.
    catalogue
        The layers.
    store
        Where their data are.
    """

    desk: Desk
    settings: Settings
    catalogue: Catalogue
    store: FolderStore

    @classmethod
    def open(cls, settings: Settings, catalogue: Catalogue, store: FolderStore) -> Self | None:
        """Open the cases of a city.

        Parameters
        ----------
        settings
            Where the ledger and the rules are.
        catalogue
            The layers.
        store
            Where their data are.

        Returns
        -------
        Casework or None
            None where the settings say ``off``, or name no ledger for a catalogue without the layer ``cases`` or without a
            grid whose data are there.

        Raises
        ------
        InputError
            The ledger's address is none, or a rule is broken.
        OutputError
            The data folder cannot be written.
        LedgerError
            The ledger does not answer.
        """
        if not keeps_cases(settings, catalogue, store):
            return None
        desk = Desk.open(
            catalogue, store, ledger=settings.cases, rules=settings.cases_rules, prepared=settings.prepared
        )  # fmt: skip
        return cls(desk, settings, catalogue, store)

    @cached_property
    def photos(self) -> Photos:
        """The photos of its cases."""
        return Photos(self.settings.media or self.store.folder / MEDIA, self.desk.ledger)

    def demand_reporter(self, rights: Rights) -> None:
        """Make sure that somebody may report.

        Parameters
        ----------
        rights
            Who asks.

        Raises
        ------
        KeyNeededError
            Nobody said who they are, and not everybody may.
        KeyNotEnoughError
            The holder of the key may not.
        """
        if not rights.is_known and not self.settings.public_reports:
            raise KeyNeededError(
                "reports are taken from holders of a key and none was named; send Authorization: Bearer KEY"
            )
        rights.demand("report")

    def close(self) -> None:
        """Write what waits, and let the ledger go."""
        self.photos.close()
        self.desk.close()


def keeps_cases(settings: Settings, catalogue: Catalogue, store: FolderStore) -> bool:
    """Say whether a server keeps cases.

    Parameters
    ----------
    settings
        Where the ledger is, or ``off``.
    catalogue
        The layers.
    store
        Where their data are.

    Returns
    -------
    bool
        As the settings say; where they do not, whether there are the layer ``cases`` and a grid with its data.
    """
    if settings.cases is not None:
        return settings.cases != OFF
    grid = grid_layers(catalogue)
    return LAYER in catalogue and bool(grid) and all(store.exists(layer) for layer in grid)
