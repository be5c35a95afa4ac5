"""Are units that belong together side by side, and do their numbers run west to east, then north to south?"""

from __future__ import annotations

from collections.abc import Iterator

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.grids.codes.numbering import out_of_order
from gisgrid.grids.codes.scheme import CodeScheme
from gisgrid.grids.making.borders import connected_parts
from gisgrid.grids.validation.faults import GridFault, Shapes, measured, polygon_parts, quoted
from gisgrid.grids.validation.levels import Level
from gisgrid.grids.validation.rules import Limits
from gisgrid.schema import Text


def adjacency_faults(level: Level, column: str, *, limits: Limits) -> Iterator[GridFault]:
    """List the sets of units that should be side by side but are not one connected piece.

    Units that touch at a corner only are not side by side. Gaps and mismatches narrower than the tolerance do not
    part neighbours.

    Parameters
    ----------
    level
        The units.
    column
        The column that says which set each belongs to: a management grid, or the parent. Empty values are no set.
    limits
        The tolerance.

    Yields
    ------
    GridFault
        One per set, with the units that lie apart from its largest piece.

    Raises
    ------
    ColumnError
        No such column.
    """
    values = pd.Series(level.column(column))
    sets, names = pd.factorize(values.where(values != "", None))
    parts, owner = polygon_parts(level.clean)
    parts, owner = parts[sets[owner] >= 0], owner[sets[owner] >= 0]
    if not len(parts):
        return
    piece = connected_parts(parts, sets[owner])
    n_pieces = pd.Series(piece).groupby(sets[owner]).nunique()
    for at in n_pieces.index[n_pieces > 1]:
        mine = sets[owner] == at
        apart = _apart(parts[mine], limits.tolerance_m)
        if apart is None:
            continue
        name, units = str(names[at]), sorted({str(level.labels[row]) for row in owner[mine][apart]})
        area = float(shapely.area(parts[mine][apart]).sum())
        said, shown = measured(area, squared=True), quoted(units)
        message = Text(
            zh=f"{column}“{name}”的单元不相连：{shown.zh}（{said}）与其余部分分开",
            en=f"the units of {column} {name!r} are not one connected set: {shown.en} ({said}) "
            f"lie{'s' * (len(units) == 1)} apart from the rest",
        )
        yield GridFault(
            "not_adjacent", level.name, name, message, shapely.union_all(parts[mine][apart]),
            others=tuple(units), size=area, size_unit="m²", n=len(units),
        )  # fmt: skip


def _apart(parts: Shapes, tolerance_m: float) -> NDArray[np.bool_] | None:
    """Tell which parts are not connected with the largest piece; None where all are one after all.

    Closing by the tolerance and opening by thrice as much joins what rounding parts and parts what a corner joins.
    """
    grown = shapely.union_all(shapely.buffer(parts, tolerance_m, join_style="mitre"))
    pieces, _ = polygon_parts(
        np.array([shapely.buffer(grown, -3 * tolerance_m, join_style="mitre")], dtype=object)
    )
    if len(pieces) < 2:
        return None
    part, piece = shapely.STRtree(pieces).query(parts, predicate="intersects")
    common = shapely.area(shapely.intersection(parts[part], pieces[piece]))
    inside = np.zeros(len(parts), dtype=bool)
    largest = int(np.argmax(shapely.area(pieces)))
    real = (piece == largest) & (common > 0)
    inside[part[real]] = True
    return None if inside.all() else ~inside


def numbering_faults(
    level: Level, *, within: str, scheme: CodeScheme | None
) -> Iterator[GridFault]:
    """List the parents whose units are not numbered from west to east, then from north to south.

    Parameters
    ----------
    level
        The units. Those without a place, a code or a parent are not judged.
    within
        The column of the parent's code.
    scheme
        The scheme of the codes, whose last part is the serial number; without it codes are ordered as text.

    Yields
    ------
    GridFault
        One per parent, with as few units as would have to be numbered anew.
    """
    parent = pd.Series(level.column(within))
    codes = pd.Series(level.codes)
    judged = np.flatnonzero((parent != "") & (codes != "") & parent.duplicated(keep=False))
    units = gpd.GeoDataFrame(
        {"code": codes[judged], "parent": parent[judged]}, geometry=level.clean[judged]
    )
    wrong = np.zeros(len(level), dtype=bool)
    wrong[judged] = out_of_order(units, key="code", within="parent", scheme=scheme)
    for name, at in parent[wrong].groupby(parent[wrong], sort=True).indices.items():
        rows = np.flatnonzero(wrong)[at]
        labels, n = [str(level.labels[row]) for row in rows], int((parent == name).sum())
        shown = quoted(labels)
        message = Text(
            zh=f"“{name}”的{n}个单元中有{len(rows)}个编号不是自西向东、由北向南：{shown.zh}",
            en=f"{len(rows)} of {n} units of {name!r} are not numbered west to east, then north to south: {shown.en}",
        )
        yield GridFault(
            "numbering_order", level.name, str(name), message, shapely.union_all(level.clean[rows]),
            others=tuple(labels), n=len(rows), share=len(rows) / n,
        )  # fmt: skip
