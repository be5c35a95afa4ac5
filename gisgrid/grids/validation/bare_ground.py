"""Which ground has units of one level and none of the other?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import shapely

from gisgrid.grids.validation.faults import (
    GridFault,
    Shapes,
    digits,
    measured,
    polygon_parts,
    wider_than,
)
from gisgrid.grids.validation.levels import Level
from gisgrid.grids.validation.nesting import Nesting, severity_of_share
from gisgrid.grids.validation.rules import Limits
from gisgrid.grids.validation.topology import Topology
from gisgrid.schema import Text


def outside_faults(
    found: Nesting, *, ground: shapely.Geometry, whole: shapely.Geometry, limits: Limits
) -> Iterator[GridFault]:
    """List the units that reach out of all parents.

    Parameters
    ----------
    found
        Where the units lie.
    ground
        All ground of the units.
    whole
        All ground of the parents.
    limits
        How far one may reach out.

    Yields
    ------
    GridFault
        One per unit. A unit that lies in no parent at all is no part of this: it is an orphan.
    """
    child, parent = found.child, found.parent
    for at, parts in _bare(ground, whole, child, limits):
        if found.best[at] < 0:
            continue
        label, area = str(child.labels[at]), float(shapely.area(parts).sum())
        said, share = measured(area, squared=True), 1 - area / float(child.areas[at])
        message = Text(
            zh=f"“{label}”有{said}（{digits(100 * (1 - share))}%）不在任何{parent.name}之内",
            en=f"{label!r} reaches out of every unit of {parent.name!r} by {said} ({digits(100 * (1 - share))} %)",
        )
        yield GridFault(
            "outside_parent", child.name, label, message,
            parts[0] if len(parts) == 1 else shapely.multipolygons(parts),
            others=(str(parent.labels[found.best[at]]),), size=area, size_unit="m²", n=len(parts),
            share=share, severity=severity_of_share(share, limits),
        )  # fmt: skip


def unfilled_faults(
    found: Nesting, *, whole: shapely.Geometry, covered: Topology, limits: Limits
) -> Iterator[GridFault]:
    """List the ground of parents that no child covers, other than the gaps between children.

    Parameters
    ----------
    found
        Where the children lie.
    whole
        All ground of the parents.
    covered
        How the children lie together; their gaps are listed already.
    limits
        What is too narrow to say.

    Yields
    ------
    GridFault
        One per parent, with its code.
    """
    parent = found.parent
    children = np.bincount(found.belongs[found.belongs >= 0], minlength=len(parent))
    parts, _ = polygon_parts(np.array([covered.union], dtype=object))
    told = shapely.union_all(
        shapely.polygons(shapely.get_exterior_ring(parts))
    )  # its gaps are told already
    for row, mine in _bare(whole, told, parent, limits):
        if not children[row]:
            continue  # it is said to be childless
        label, area = str(parent.labels[row]), float(shapely.area(mine).sum())
        said, share = measured(area, squared=True), 1 - area / float(parent.areas[row])
        message = Text(
            zh=f"“{label}”有{said}地面没有{found.child.name}",
            en=f"{said} of the ground of {label!r} has no unit of {found.child.name!r}",
        )
        yield GridFault(
            "parent_not_filled", parent.name, label, message,
            mine[0] if len(mine) == 1 else shapely.multipolygons(mine),
            size=area, size_unit="m²", n=len(mine), share=share, severity=severity_of_share(share, limits),
        )  # fmt: skip


def _bare(
    ground: shapely.Geometry, cover: shapely.Geometry, level: Level, limits: Limits
) -> Iterator[tuple[int, Shapes]]:
    """Give the ground that is not covered, by the unit of the level that it belongs to."""
    bare, _ = polygon_parts(np.array([shapely.difference(ground, cover)], dtype=object))
    bare = bare[wider_than(bare, limits.nesting_m)]
    piece, at = shapely.STRtree(level.clean).query(bare, predicate="intersects")
    parts, owner = polygon_parts(shapely.intersection(bare[piece], level.clean[at]))
    wide = wider_than(parts, limits.nesting_m)
    parts, owner = parts[wide], at[owner[wide]]
    for row in np.unique(owner):
        yield int(row), parts[owner == row]
