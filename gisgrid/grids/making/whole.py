"""How does a division leave buildings and compounds whole?"""

from __future__ import annotations

import numpy as np
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gisgrid.grids.making.borders import Geometries, Ints, connected_parts, owners, union_by
from gisgrid.grids.making.noding import faces

_ROUNDING: float = 1e-9
"""Share of an area that is rounding."""


def disjoint(whole: Geometries) -> Geometries:
    """Unite what overlaps, so that each piece of ground belongs to one thing that must stay whole.

    Parameters
    ----------
    whole
        Shape (n,), polygons of any kind, or null.

    Returns
    -------
    array of Polygon
        They touch at most. Things that touch without overlapping, such as terraced houses, stay apart.
    """
    parts = shapely.get_parts(shapely.make_valid(whole[~shapely.is_missing(whole)]))
    parts = shapely.get_parts(parts)  # make_valid can put a multipolygon into a collection
    parts = parts[shapely.area(parts) > 0]
    first, second = shapely.STRtree(parts).query(parts, predicate="intersects")
    first, second = first[first < second], second[first < second]
    common = shapely.area(shapely.intersection(parts[first], parts[second]))
    least = np.minimum(shapely.area(parts[first]), shapely.area(parts[second]))
    over = common > _ROUNDING * least
    if not over.any():
        apart: Geometries = parts
        return apart
    pairs = first[over], second[over]
    graph = coo_array((np.ones(int(over.sum())), pairs), shape=(len(parts),) * 2)
    _, group = connected_components(graph, directed=False)
    size = np.bincount(group)
    order = np.argsort(group, kind="stable")
    groups = np.split(parts[order], np.cumsum(size)[:-1])
    united = [shapely.union_all(groups[g]) for g in np.flatnonzero(size > 1).tolist()]
    one: Geometries = np.append(parts[size[group] == 1], shapely.get_parts(np.array(united)))
    return one


def restore(pieces: Geometries, whole: Geometries) -> Geometries:
    """Move the borders of a division around the things that it cuts: each goes to the piece that has most of it.

    Parameters
    ----------
    pieces
        Shape (n,), polygons of one division with shared vertices.
    whole
        Polygons that touch at most (`disjoint`).

    Returns
    -------
    array of Polygon
        The division anew; they tile the same ground. Parts that lost their connection are pieces of their own, and
        there may be small ones among them.
    """
    thing, piece = shapely.STRtree(pieces).query(whole, predicate="intersects")
    common = shapely.area(shapely.intersection(whole[thing], pieces[piece]))
    real = common > _ROUNDING * shapely.area(whole[thing])
    thing, piece, common = thing[real], piece[real], common[real]
    cut = np.flatnonzero(np.bincount(thing, minlength=len(whole)) > 1)
    if len(cut) == 0:
        return pieces
    order = np.lexsort((piece, -common, thing))
    most_of = dict(zip(thing[order][::-1].tolist(), piece[order][::-1].tolist(), strict=True))
    touched = np.unique(piece[np.isin(thing, cut)])
    found, owner = _faces(pieces, touched, whole[cut], np.array([most_of[i] for i in cut.tolist()]))
    moved = union_by(found, connected_parts(found, owner))
    return np.concatenate([np.delete(pieces, touched), moved])


def _faces(
    pieces: Geometries, touched: Ints, things: Geometries, winner: Ints
) -> tuple[Geometries, Ints]:
    """Cut some pieces along the outlines of things: the faces, and the piece that each shall belong to."""
    edge = shapely.union_all(shapely.boundary(pieces[touched]))
    found = faces(edge, shapely.boundary(things))
    before = owners(found, pieces[touched])
    found, before = found[before >= 0], before[before >= 0]
    thing = owners(found, things)
    return found, np.where(thing >= 0, winner[thing], touched[before])
