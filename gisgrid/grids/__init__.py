"""What are the units that a city is looked at by: their codes, their levels, their years, their faults, their making?

`codes` (what a code says), `levels` (who belongs to whom), `editions` (what became of a unit), `validation` (what is wrong,
and what can be mended), `making` (unit grids where there are none), `duty` (who does how much).
"""

from gisgrid.grids.codes.faults import CodeFault
from gisgrid.grids.codes.numbering import numbering, out_of_order
from gisgrid.grids.codes.place_names import bare_names, match_names
from gisgrid.grids.codes.scheme import SCHEMES, CodeScheme, code_scheme
from gisgrid.grids.duty.division import Division, balance, workload
from gisgrid.grids.duty.duty_grids import duty_grids
from gisgrid.grids.duty.moves import Moves, suggest_moves
from gisgrid.grids.editions.crosswalk import (
    KINDS,
    Crosswalk,
    Transfer,
    crosswalk_by_code,
    crosswalk_by_geometry,
)
from gisgrid.grids.editions.validity import units_at, validity_faults
from gisgrid.grids.levels.hierarchy import Hierarchy
from gisgrid.grids.levels.links import LEVELS, HierarchyFault
from gisgrid.grids.levels.rolling import RollUp
from gisgrid.grids.making.tessellation import tessellate
from gisgrid.grids.making.unit_grids import unit_grids
from gisgrid.grids.validation.faults import GridFault
from gisgrid.grids.validation.grid_report import GridReport, Relations, validate
from gisgrid.grids.validation.mending import Repaired, repair
from gisgrid.grids.validation.rules import RULES, Limits

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
