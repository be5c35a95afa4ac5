"""Does every unit lie in one unit of the level above, and in the one it names?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.grids.validation.faults import (
    GridFault,
    Shapes,
    digits,
    gathered,
    measured,
    polygon_parts,
    quoted,
    wider_than,
)
from gisgrid.grids.validation.levels import Level
from gisgrid.grids.validation.rules import Limits, Severity
from gisgrid.grids.validation.topology import Topology
from gisgrid.schema import Text

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Nesting:
    """Where the units of a level lie among those of the level above.

    Attributes
    ----------
    child, parent
        The two levels.
    unit, inside_of
        Shape (pairs,), positions of a child and of a parent on whose ground it lies; sorted.
    common
        Shape (pairs,), the ground that both share.
    area
        Shape (pairs,), its m².
    best
        Shape (n,), the parent that holds most of each child, -1 where none holds any.
    named
        Shape (n,), the parent that each child names by its column, -1 where it names none that is there.
    column
        That column, or None where parents are told by place alone.
    """

    child: Level
    parent: Level
    unit: Ints
    inside_of: Ints
    common: Shapes
    area: Floats
    best: Ints
    named: Ints
    column: str | None

    @property
    def belongs(self) -> Ints:
        """Shape (n,), the parent that a child is held against: the named one, else the one that holds most of it."""
        return self.named if self.column is not None else self.best

    def share(self, of: Ints) -> Floats:
        """Give the share (0 to 1) of each child that lies in the parent `of` says (NaN for a child without area)."""
        mine = self.inside_of == of[self.unit]
        inside = np.bincount(self.unit[mine], weights=self.area[mine], minlength=len(self.child))
        areas = self.child.areas
        share: Floats = np.full(len(areas), np.nan)
        return np.divide(inside, areas, out=share, where=areas > 0)


def nesting(
    child: Level, parent: Level, *, column: str | None, above: Topology, slack_m: float
) -> Nesting:
    """Find out on whose ground each unit lies.

    Parameters
    ----------
    child
        The finer level.
    parent
        The coarser level.
    column
        The column of `child` with the code of its parent; None to tell parents by place alone.
    above
        How the parents lie together.
    slack_m
        A child that reaches out of its parent by less is not asked which other parents it touches.

    Returns
    -------
    Nesting
        Each child with its parent, and with every other it shares ground with where it reaches out of its own.

    Raises
    ------
    ColumnError
        No such column.
    """
    named = np.full(len(child), -1, dtype=np.int64)
    if column is not None:
        at = {code: row for row, code in reversed(list(enumerate(parent.codes))) if code}
        named = np.array([at.get(code, -1) for code in child.column(column)], dtype=np.int64)
    unit, inside_of, common, area = _common_ground(child, parent, named, above, slack_m)
    order = np.lexsort((inside_of, -area, unit))
    best = np.full(len(child), -1, dtype=np.int64)
    first = np.unique(unit[order], return_index=True)[1]
    best[unit[order][first]] = inside_of[order][first]
    return Nesting(child, parent, unit, inside_of, common, area, best, named, column)


def _common_ground(
    child: Level, parent: Level, named: Ints, above: Topology, slack_m: float
) -> tuple[Ints, Ints, Shapes, Floats]:
    """Intersect each child with its parent; with all others only where it reaches out by more than the slack."""
    home = _homes(child, parent, named)
    at = np.flatnonzero(home >= 0)
    wide = shapely.buffer(parent.clean, slack_m, join_style="mitre")
    shapely.prepare(wide)
    settled = np.zeros(len(child), dtype=bool)
    settled[at] = shapely.covers(wide[home[at]], child.clean[at])
    settled[settled] = ~_doubtful(above, len(parent), slack_m)[home[settled]]
    rest = np.flatnonzero(~settled & (child.areas > 0))
    met, container = shapely.STRtree(parent.clean).query(child.clean[rest], predicate="intersects")
    unit = np.concatenate([np.flatnonzero(settled), rest[met]])
    inside_of = np.concatenate([home[settled], container])
    shapely.prepare(parent.clean)
    cut = ~shapely.covers(parent.clean[inside_of], child.clean[unit])
    common = child.clean[unit]
    parts, owner = polygon_parts(shapely.intersection(common[cut], parent.clean[inside_of[cut]]))
    common[cut] = gathered(parts, owner, int(cut.sum()))
    area = shapely.area(common)
    there = area > 0
    order = np.lexsort((inside_of[there], unit[there]))
    return unit[there][order], inside_of[there][order], common[there][order], area[there][order]


def _homes(child: Level, parent: Level, named: Ints) -> Ints:
    """Give each child the parent that it names, else the one that holds a point of it, else -1."""
    home = named.copy()
    ask = np.flatnonzero((named < 0) & (child.areas > 0))
    points = shapely.point_on_surface(child.clean[ask])
    at, container = shapely.STRtree(parent.clean).query(points, predicate="intersects")
    first = np.unique(at, return_index=True)[1]
    home[ask[at[first]]] = container[first]
    home[child.areas <= 0] = -1
    return home


def _doubtful(parent: Topology, n: int, slack_m: float) -> NDArray[np.bool_]:
    """Tell which parents share ground with another, so that a child inside one may lie in two."""
    wide = wider_than(parent.common, slack_m)
    doubtful = np.zeros(n, dtype=bool)
    doubtful[np.concatenate([parent.first[wide], parent.second[wide]])] = True
    return doubtful


def nesting_faults(found: Nesting, *, limits: Limits) -> Iterator[GridFault]:
    """List the units that do not lie in one unit of the level above, or not in the one they name.

    Parameters
    ----------
    found
        Where they lie.
    limits
        How far one may reach out.

    Yields
    ------
    GridFault
        Orphans, wrong parents, units that cross a border, parents without children.
    """
    yield from _orphan_faults(found)
    wrong = _wrong(found)
    yield from _wrong_faults(found, wrong)
    held = (found.belongs >= 0) & ~wrong
    yield from _crossing_faults(found, held, limits)
    yield from _childless_faults(found)


def _orphan_faults(found: Nesting) -> Iterator[GridFault]:
    child, parent = found.child, found.parent
    names = child.column(found.column) if found.column is not None else None
    for at in np.flatnonzero(found.belongs < 0).tolist():
        label = str(child.labels[at])
        lies = str(parent.labels[found.best[at]]) if found.best[at] >= 0 else ""
        if names is None:
            zh, en = f"不在任何{parent.name}之内", f"lies in no unit of {parent.name!r}"
        elif not names[at]:
            zh, en = f"没有写明{found.column}", f"names no parent ({found.column!r} is empty)"
        else:
            zh = f"所写的上级“{names[at]}”不在{parent.name}中"
            en = f"names {names[at]!r} as its parent, which is not in {parent.name!r}"
        if lies and names is not None:
            zh, en = f"{zh}；它位于“{lies}”", f"{en}; it lies in {lies!r}"
        yield GridFault(
            "orphan", child.name, label, Text(zh=f"“{label}”{zh}", en=f"{label!r} {en}"), _drawable(child, at),
            others=(lies,) if lies else (),
        )  # fmt: skip


def _drawable(level: Level, at: int) -> shapely.Geometry | None:
    return level.clean[at] if level.areas[at] > 0 else None


def _wrong(found: Nesting) -> NDArray[np.bool_]:
    """Tell which units lie for the most part in another parent than the one they name."""
    named = (found.named >= 0) & (found.best >= 0)
    other = named & (found.named != found.best)
    wrong: NDArray[np.bool_] = found.share(found.named) < 0.5
    wrong &= other & (found.share(found.best) >= 0.5)
    return wrong


def _wrong_faults(found: Nesting, wrong: NDArray[np.bool_]) -> Iterator[GridFault]:
    share = found.share(found.best)
    for at in np.flatnonzero(wrong).tolist():
        label = str(found.child.labels[at])
        names, lies = (str(found.parent.labels[which[at]]) for which in (found.named, found.best))
        message = Text(
            zh=f"“{label}”写的上级是“{names}”，但{100 * share[at]:.0f}%位于“{lies}”",
            en=f"{label!r} names {names!r} as its parent but lies in {lies!r} by {100 * share[at]:.0f} %",
        )
        yield GridFault(
            "wrong_parent", found.child.name, label, message, _drawable(found.child, at), others=(names, lies),
            size=float(found.child.areas[at]), size_unit="m²", share=float(share[at]),
        )  # fmt: skip


def _crossing_faults(
    found: Nesting, held: NDArray[np.bool_], limits: Limits
) -> Iterator[GridFault]:
    away = held[found.unit] & (found.inside_of != found.belongs[found.unit])
    away[away] = wider_than(found.common[away], limits.nesting_m)
    share = found.share(found.belongs)
    units, pairs = found.unit[away], np.flatnonzero(away)
    for at in np.unique(units):
        rows = pairs[slice(*np.searchsorted(units, [at, at + 1]))]
        label, home = str(found.child.labels[at]), str(found.parent.labels[found.belongs[at]])
        others = [str(found.parent.labels[p]) for p in found.inside_of[rows]]
        area = float(found.area[rows].sum())
        said, names = measured(area, squared=True), quoted(others)
        parts = polygon_parts(found.common[rows])[0]
        message = Text(
            zh=f"“{label}”属于“{home}”，却有{said}（{digits(100 * area / found.child.areas[at])}%）伸入{names.zh}",
            en=f"{label!r} belongs to {home!r} but reaches into {names.en} by {said} "
            f"({digits(100 * area / found.child.areas[at])} %)",
        )
        yield GridFault(
            "crosses_parent", found.child.name, label, message,
            parts[0] if len(parts) == 1 else shapely.multipolygons(parts),
            others=(home, *others), size=area, size_unit="m²", n=len(others), share=float(share[at]),
            severity=severity_of_share(float(share[at]), limits),
        )  # fmt: skip


def severity_of_share(share: float, limits: Limits) -> Severity:
    """Give how grave it is that only a share of a unit lies where it should.

    Parameters
    ----------
    share
        0 to 1.
    limits
        The share that makes it a warning.

    Returns
    -------
    str
        ``warning`` or ``error``.
    """
    return "warning" if share >= limits.share_inside else "error"


def _childless_faults(found: Nesting) -> Iterator[GridFault]:
    children = np.bincount(found.belongs[found.belongs >= 0], minlength=len(found.parent))
    for at in np.flatnonzero(children == 0).tolist():
        label = str(found.parent.labels[at])
        message = Text(
            zh=f"“{label}”在{found.child.name}中没有下级",
            en=f"{label!r} has no unit in {found.child.name!r}",
        )
        yield GridFault("childless", found.parent.name, label, message, _drawable(found.parent, at))


def nesting_row(found: Nesting, *, limits: Limits) -> dict[str, object]:
    """Count how a level nests in the one above.

    Parameters
    ----------
    found
        Where the units lie.
    limits
        The share that counts as inside.

    Returns
    -------
    dict
        ``child``, ``parent``, ``by`` (the column, or empty for by place), ``n_units``, ``n_orphans``, ``n_exact`` (all
        but a millionth in one parent), ``n_inside`` (at least `limits.share_inside`), ``n_most`` (half or more),
        ``least_share``.
    """
    share = pd.Series(found.share(found.best))
    return {
        "child": found.child.name,
        "parent": found.parent.name,
        "by": found.column or "",
        "n_units": len(found.child),
        "n_orphans": int((found.belongs < 0).sum()),
        "n_exact": int((share >= 1 - 1e-6).sum()),
        "n_inside": int((share >= limits.share_inside).sum()),
        "n_most": int((share >= 0.5).sum()),
        "least_share": float(share.min()),
    }
