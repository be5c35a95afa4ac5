"""What are the units that a city is looked at by: their codes, their levels, their years, their faults, their making?"""

from gisgrid.grids.balance import Division, balance, workload
from gisgrid.grids.code_faults import CodeFault
from gisgrid.grids.codes import SCHEMES, CodeScheme, code_scheme
from gisgrid.grids.crosswalk import (
    KINDS,
    Crosswalk,
    Transfer,
    crosswalk_by_code,
    crosswalk_by_geometry,
)
from gisgrid.grids.duty_grids import duty_grids
from gisgrid.grids.editions import units_at, validity_faults
from gisgrid.grids.faults import GridFault
from gisgrid.grids.hierarchy import Hierarchy
from gisgrid.grids.links import LEVELS, HierarchyFault
from gisgrid.grids.moves import Moves, suggest_moves
from gisgrid.grids.numbering import numbering, out_of_order
from gisgrid.grids.place_names import bare_names, match_names
from gisgrid.grids.repair import Repaired, repair
from gisgrid.grids.rolling import RollUp
from gisgrid.grids.rules import RULES, Limits
from gisgrid.grids.tessellation import tessellate
from gisgrid.grids.unit_grids import unit_grids
from gisgrid.grids.validation import GridReport, Relations, validate

__all__ = [
    "KINDS",
    "LEVELS",
    "RULES",
    "SCHEMES",
    "CodeFault",
    "CodeScheme",
    "Crosswalk",
    "Division",
    "GridFault",
    "GridReport",
    "Hierarchy",
    "HierarchyFault",
    "Limits",
    "Moves",
    "Relations",
    "Repaired",
    "RollUp",
    "Transfer",
    "balance",
    "bare_names",
    "code_scheme",
    "crosswalk_by_code",
    "crosswalk_by_geometry",
    "duty_grids",
    "match_names",
    "numbering",
    "out_of_order",
    "repair",
    "suggest_moves",
    "tessellate",
    "unit_grids",
    "units_at",
    "validate",
    "validity_faults",
    "workload",
]
