"""Which layers does the city have, do they keep their contracts, and what is made from what?

One folder describes one layer; nothing here knows what a row means.
"""

from gisgrid.catalogue.catalogue import About, Basemap, Catalogue
from gisgrid.catalogue.contract import check, value_faults
from gisgrid.catalogue.folders import (
    init_folder,
    resolve_data,
    resolve_layers,
    standard_layers,
)
from gisgrid.catalogue.layer import (
    Contract,
    Derived,
    Inside,
    Layer,
    LowZoom,
    Privacy,
    ScopedBy,
    Source,
    StyleLayer,
    Tiles,
)
from gisgrid.catalogue.lineage import Derivation, Step, build, out_of_date
from gisgrid.catalogue.provenance import Provenance, Value
from gisgrid.catalogue.store import FolderStore, Store
from gisgrid.catalogue.words import describe

__all__ = [
    "About",
    "Basemap",
    "Catalogue",
    "Contract",
    "Derivation",
    "Derived",
    "FolderStore",
    "Inside",
    "Layer",
    "LowZoom",
    "Privacy",
    "Provenance",
    "ScopedBy",
    "Source",
    "Step",
    "Store",
    "StyleLayer",
    "Tiles",
    "Value",
    "build",
    "check",
    "describe",
    "init_folder",
    "out_of_date",
    "resolve_data",
    "resolve_layers",
    "standard_layers",
    "value_faults",
]
