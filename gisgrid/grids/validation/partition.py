"""Who gets the ground that two units claim, or none does? One set of lines, and every face of it has one owner.

The borders of all units concerned are noded together and the faces between them read off, so neighbours share exactly
the same vertices. No vertex is moved; only whole faces change hands.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array

from gisgrid.grids.making.borders import borders, connected_parts
from gisgrid.grids.validation.faults import Shapes, polygon_parts

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

NOBODY: Final = -1
_MOST_ROUNDS = 50


@dataclass(frozen=True, eq=False)
class Partition:
    """The faces between the borders of some units, and whose they are.

    Attributes
    ----------
    faces
        Shape (m,) of Polygon; they share vertices and do not overlap.
    claim_face, claim_unit
        Shape (claims,), which unit covers which face as drawn.
    owner
        Shape (m,), to which unit each face goes; `NOBODY` where it stays out.
    reason
        Shape (m,), why a face changed hands: ``overlap``, ``gap``, ``cut_off``, or nothing.
    """

    faces: Shapes
    claim_face: Ints
    claim_unit: Ints
    owner: Ints
    reason: NDArray[np.str_]

    def claims(self, face: int) -> Ints:
        """Give the units that cover a face as drawn."""
        begin, end = np.searchsorted(self.claim_face, [face, face + 1])
        return self.claim_unit[begin:end]


def partition(
    shapes: Shapes, members: Ints, *, rank: Ints, home: Ints, parents: Shapes, fill_m2: float
) -> Partition:
    """Divide the ground of some units so that every face has one owner.

    Ground claimed twice goes, among those who claim it, and enclosed ground claimed by nobody goes, among those beside
    it, to a unit of the parent that the ground lies in, where there is one; among these to the one with the longest
    border on it; then to the first by code. A unit that would lose more than half of itself keeps what is its own.
    What is thereby cut off from a unit that was in one piece goes to the neighbour with the longest border.

    Parameters
    ----------
    shapes
        Shape (n,), valid polygons of the whole level.
    members
        The positions of the units that are divided anew. All others stay as they are.
    rank
        Shape (n,), the place of each unit's code in the order of codes.
    home
        Shape (n,), the position of each unit's parent in `parents`, or -1.
    parents
        Shape (k,), valid polygons of the level above; none where there is no such level.
    fill_m2
        Enclosed ground that is larger stays out.

    Returns
    -------
    Partition
        Owners are positions in `shapes`.
    """
    lines = shapely.union_all(shapely.boundary(shapes[members]))
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(lines)))
    points = shapely.point_on_surface(faces)
    claim_face, claim_unit = shapely.STRtree(shapes).query(points, predicate="within")
    order = np.lexsort((rank[claim_unit], claim_face))
    claim_face, claim_unit = claim_face[order], claim_unit[order]
    foreign = np.zeros(len(faces), dtype=bool)
    foreign[claim_face[~np.isin(claim_unit, members)]] = True
    count = np.bincount(claim_face, minlength=len(faces))
    owner = np.full(len(faces), NOBODY, dtype=np.int64)
    single = (count[claim_face] == 1) & ~foreign[claim_face]
    owner[claim_face[single]] = claim_unit[single]
    gap = (count == 0) & (shapely.area(faces) <= fill_m2)
    contested = (count > 1) & ~foreign
    choice = _Choice(faces, rank, home, _parent_of(points, parents))
    asked = contested[claim_face]
    _keep_whole(shapes, faces, owner, face=claim_face[asked], unit=claim_unit[asked])
    allowed = coo_array(
        (np.ones(len(claim_face), dtype=bool), (claim_face, claim_unit)),
        shape=(len(faces), len(shapes)),
    ).tocsr()
    choice.settle(owner, contested & (owner == NOBODY), allowed)
    left = np.flatnonzero(contested & (owner == NOBODY))
    owner[left] = claim_unit[np.searchsorted(claim_face, left)]
    choice.settle(owner, gap, None)
    reason = np.where(contested, "overlap", np.where(gap & (owner != NOBODY), "gap", ""))
    cut_off = _rejoin(shapes, faces, owner, choice)
    reason = np.where(cut_off & (reason == ""), "cut_off", reason)
    return Partition(faces, claim_face, claim_unit, owner, reason)


def _parent_of(points: Shapes, parents: Shapes) -> Ints:
    """Give the parent on whose ground each point lies, -1 for none."""
    lies = np.full(len(points), -1, dtype=np.int64)
    at, container = shapely.STRtree(parents).query(points, predicate="within")
    lies[at[::-1]] = container[::-1]
    return lies


def _keep_whole(shapes: Shapes, faces: Shapes, owner: Ints, *, face: Ints, unit: Ints) -> None:
    """Give a contested face to the claimant that would otherwise lose the largest share, if more than half of itself."""
    lost = np.bincount(unit, weights=shapely.area(faces[face]), minlength=len(shapes))
    areas = shapely.area(shapes)
    share = np.divide(lost, areas, out=np.zeros(len(shapes)), where=areas > 0)[unit]
    order = np.lexsort(
        (np.arange(len(face)), -share, face)
    )  # claims of a face are in the order of codes
    order = order[np.unique(face[order], return_index=True)[1]]
    order = order[share[order] > 0.5]
    owner[face[order]] = unit[order]


class _Choice:
    """Who has the longest border on a face? Fitted to one set of faces, because that is costly to find out."""

    def __init__(self, faces: Shapes, rank: Ints, home: Ints, lies_in: Ints) -> None:
        self.rank, self.home, self.lies_in = rank, home, lies_in
        found = borders(faces)
        pairs = (
            np.concatenate([found.first, found.second]),
            np.concatenate([found.second, found.first]),
        )
        length = np.concatenate([found.length_m, found.length_m])
        self.beside: csr_array = coo_array((length, pairs), shape=(len(faces), len(faces))).tocsr()

    def settle(self, owner: Ints, open_faces: Bools, allowed: csr_array | None) -> None:
        """Give open faces to their best neighbours, round by round, until nothing changes."""
        todo = np.flatnonzero(open_faces)
        for _ in range(_MOST_ROUNDS):
            chosen = [self.best(int(face), owner, allowed) for face in todo]
            owner[todo] = chosen
            rest = todo[owner[todo] == NOBODY]
            if len(rest) in {0, len(todo)}:
                return
            todo = rest

    def best(self, face: int, owner: Ints, allowed: csr_array | None, but: int = NOBODY) -> int:
        """Give the unit that a face goes to, `NOBODY` where none may have it."""
        begin, end = self.beside.indptr[face : face + 2]
        units, length = owner[self.beside.indices[begin:end]], self.beside.data[begin:end]
        good = (units != NOBODY) & (units != but)
        if allowed is not None:
            good &= np.isin(units, allowed.indices[slice(*allowed.indptr[face : face + 2])])
        units, length = units[good], length[good]
        if not len(units):
            return NOBODY
        names, which = np.unique(units, return_inverse=True)
        total = np.bincount(which, weights=length)
        near = (self.home[names] == self.lies_in[face]) & (self.lies_in[face] >= 0)
        order = np.lexsort((self.rank[names], -np.round(total, 6), ~near))
        return int(names[order[0]])


def _rejoin(shapes: Shapes, faces: Shapes, owner: Ints, choice: _Choice) -> Bools:
    """Give the pieces that were cut off from a unit in one piece to the neighbour with the longest border."""
    moved = np.zeros(len(faces), dtype=bool)
    n_parts = np.bincount(polygon_parts(shapes)[1], minlength=len(shapes))
    for _ in range(_MOST_ROUNDS):
        owned = np.flatnonzero(owner != NOBODY)
        piece = connected_parts(faces[owned], owner[owned])
        area = np.bincount(piece, weights=shapely.area(faces[owned]))
        unit_of = np.full(len(area), NOBODY, dtype=np.int64)
        unit_of[piece] = owner[owned]
        order = np.lexsort((-area, unit_of))
        main = np.zeros(len(area), dtype=bool)
        main[order[np.unique(unit_of[order], return_index=True)[1]]] = True
        stray = ~main & (n_parts[unit_of] == 1)
        changed = False
        for at in np.flatnonzero(stray[piece]):
            face = int(owned[at])
            to = choice.best(face, owner, None, but=int(owner[face]))
            if to != NOBODY:
                owner[face], moved[face], changed = to, True, True
        if not changed:
            break
    return moved
