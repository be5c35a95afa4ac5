"""How is the city's ground divided: blocks between main streets, communities in blocks, compounds in communities?

Cuts are drawn freely, then all borders are noded together on a grid of 1 cm and faces are read off that one set of
lines. So neighbours share exactly equal vertices, and a unit is exactly the union of its parts.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely import LineString, Polygon
from shapely.geometry.base import BaseGeometry

from gisgrid.testing.ground import ORIGIN, RIVER_HALF_WIDTH_M, Ground, settled

SNAP_M = 0.01
_BANK_M2 = 4_000.0  # less ground than this beside the river is part of the river
Shapes = NDArray[np.object_]
Cut = tuple[LineString, str]
Target = Callable[[Polygon], float]


@dataclass(frozen=True)
class Division:
    """The finest pieces of ground and what they belong to.

    Attributes
    ----------
    compounds
        Shape (n,) of Polygon in EPSG:4547; they tile the city.
    community
        Shape (n,), the number of each compound's community.
    communities
        Shape (m,) of Polygon, the exact unions of their compounds.
    urban
        Shape (m,), whether the community is part of the built-up area.
    nucleus
        Shape (n,), whether the compound is built ground in the countryside (the heart of a village).
    water
        Shape (n,), whether the compound is river.
    cuts
        Streets that the divisions made: line and kind (main, secondary, alley).
    """

    compounds: Shapes
    community: NDArray[np.int64]
    communities: Shapes
    urban: NDArray[np.bool_]
    nucleus: NDArray[np.bool_]
    water: NDArray[np.bool_]
    cuts: list[Cut]


def divide(ground: Ground, streets: list[LineString], rng: np.random.Generator) -> Division:
    """Divide the city into communities and compounds.

    Parameters
    ----------
    ground
        The outline, the river and the built-up area.
    streets
        The main streets, whose blocks become communities.
    rng
        The source of chance.

    Returns
    -------
    Division
        In EPSG:4547.
    """
    cuts = _embankments(ground)
    shapely.prepare(ground.built_up)
    drafts, urban = _communities(ground, streets, cuts, rng)
    pieces: list[Polygon] = []
    owner: list[int] = []
    flags: list[tuple[bool, bool]] = []
    for number, (draft, is_urban) in enumerate(zip(drafts, urban, strict=True)):
        for piece, nucleus, water in _compounds(
            ground, draft, is_urban=is_urban, cuts=cuts, rng=rng
        ):
            pieces.append(piece)
            owner.append(number)
            flags.append((nucleus, water))
    compounds = snap_coverage(pieces)
    community = np.array(owner)
    communities = _group(compounds, community, len(drafts))
    nucleus_flags, water_flags = np.array(flags).T
    return Division(
        compounds, community, communities, np.array(urban), nucleus_flags, water_flags,
        [(moved(line), kind) for line, kind in cuts],
    )  # fmt: skip


def _embankments(ground: Ground) -> list[Cut]:
    """Give the roads along the river's two banks."""
    banks = shapely.intersection(ground.river_area.boundary, ground.outline)
    parts = shapely.get_parts(shapely.line_merge(banks))
    return [(part, "secondary") for part in parts if part.length > 10 * RIVER_HALF_WIDTH_M]


def moved(shape: BaseGeometry) -> BaseGeometry:
    """Move a shape to where the city lies.

    Parameters
    ----------
    shape
        In metres from the city's middle.

    Returns
    -------
    Geometry
        In EPSG:4547, on the 1 cm grid.
    """
    return shapely.transform(shape, lambda xy: np.round(xy + ORIGIN, 2))


def dissolve(parts: Shapes) -> BaseGeometry:
    """Unite parts of a coverage without moving or dropping a vertex.

    Parameters
    ----------
    parts
        Shape (n,) of Polygon that do not overlap and share their vertices.

    Returns
    -------
    Geometry
        A Polygon where the parts hang together, else a MultiPolygon.
    """
    union = shapely.coverage_union_all(parts)
    inner = shapely.get_parts(union)
    return inner[0] if len(inner) == 1 else union


def snap_coverage(pieces: list[Polygon]) -> Shapes:
    """Make drawn pieces tile exactly, in EPSG:4547.

    Parameters
    ----------
    pieces
        Polygons about the middle that tile up to rounding.

    Returns
    -------
    ndarray of Polygon
        As many as given, in their order.
    """
    edges = shapely.union_all(shapely.boundary(np.array(pieces)), grid_size=SNAP_M)
    faces = shapely.get_parts(shapely.polygonize(shapely.get_parts(edges)))
    faces = shapely.transform(faces, lambda xy: np.round(xy + ORIGIN, 2))
    back = shapely.transform(shapely.point_on_surface(faces), lambda xy: xy - ORIGIN)
    tree = shapely.STRtree(pieces)
    face, piece = tree.query_nearest(back, all_matches=False)
    owner = np.empty(len(faces), dtype=np.int64)
    owner[face] = piece
    made = _group(faces, owner, len(pieces))
    for number in np.flatnonzero(shapely.get_num_geometries(made) > 1):  # pinched off by rounding
        own = np.flatnonzero(owner == number)
        for crumb in own[np.argsort(shapely.area(faces[own]))[:-1]]:
            shared = shapely.length(shapely.intersection(faces, faces[crumb]))
            shared[[crumb, *own]] = 0.0
            owner[crumb] = owner[int(np.argmax(shared))]
    return _group(faces, owner, len(pieces))


def _group(faces: Shapes, owner: NDArray[np.int64], n: int) -> Shapes:
    """Unite the faces of each owner, 0 to n - 1."""
    order = np.argsort(owner, kind="stable")
    starts = np.searchsorted(owner[order], np.arange(n + 1))
    return np.array(
        [
            faces[order[a]] if b - a == 1 else dissolve(faces[order[a:b]])
            for a, b in pairwise(starts)
        ]
    )


def _communities(
    ground: Ground, streets: list[LineString], cuts: list[Cut], rng: np.random.Generator
) -> tuple[list[Polygon], list[bool]]:
    lines = shapely.union_all([ground.outline.exterior, ground.river, *streets])
    faces = list(shapely.get_parts(shapely.polygonize(shapely.get_parts(lines))))
    inside = [face for face in faces if ground.outline.contains(face.representative_point())]

    def target(piece: Polygon) -> float:
        middle = piece.centroid
        if not ground.built_up.contains(middle):
            return 3_050_000.0
        away = float(np.hypot(middle.x, middle.y))
        return float(660_000.0 + 960_000.0 * _outward(away) ** 1.4)

    drafts: list[Polygon] = []
    for block in _merge_small(inside, 190_000.0):
        rural = not ground.built_up.intersects(block)
        street = (0.6 if rural else 1.0, "secondary")
        drafts += subdivide(
            block, target, rng=rng, wobble=0.03 if rural else 0.012, street=street, cuts=cuts
        )
    return drafts, [bool(ground.built_up.contains(draft.centroid)) for draft in drafts]


def _compounds(
    ground: Ground, draft: Polygon, *, is_urban: bool, cuts: list[Cut], rng: np.random.Generator
) -> list[tuple[Polygon, bool, bool]]:
    """Give the compounds of a community: piece, whether village heart, whether water."""
    lands, waters = _land_and_water(ground, draft)
    pieces = [(water, False, True) for water in waters]
    middle = draft.representative_point()
    heart = shapely.Point(middle.x + rng.normal(0, 120), middle.y + rng.normal(0, 120))
    reach = float(rng.uniform(300, 460))

    def target(piece: Polygon) -> float:
        if is_urban:
            away = float(np.hypot(piece.centroid.x, piece.centroid.y))
            return float(27_000.0 + 84_000.0 * _outward(away) ** 1.3)
        return 56_000.0 if piece.distance(heart) < 0.55 * reach else 480_000.0

    street = (0.62 if is_urban else 0.5, "alley")
    for land in lands:
        parts = subdivide(
            land, target, rng=rng, wobble=0.008 if is_urban else 0.02, street=street, cuts=cuts
        )
        pieces += [
            (part, not is_urban and part.centroid.distance(heart) < reach, False) for part in parts
        ]
    return pieces


def _outward(away_m: float) -> float:
    """Tell how far out a place is: 0 in the middle, 1 at the built-up area's edge, 1.2 at most."""
    return min(away_m / 5_500.0, 1.2)


def _land_and_water(ground: Ground, draft: Polygon) -> tuple[list[Polygon], list[Polygon]]:
    """Part a community at the river's banks; scraps of ground on the banks go with the river."""
    if not ground.river_area.intersects(draft):
        return [draft], []
    wet = shapely.get_parts(shapely.intersection(draft, ground.river_area))
    wet = [part for part in wet if part.area > _BANK_M2]
    dry = shapely.get_parts(shapely.difference(draft, shapely.union_all(wet)))
    scraps = [part for part in dry if part.area <= _BANK_M2]
    joined = shapely.union_all([*wet, *scraps], grid_size=1e-4)  # their edges differ by rounding
    waters = list(shapely.get_parts(joined)) if wet else []
    return [part for part in dry if part.area > _BANK_M2], waters


def subdivide(
    polygon: Polygon,
    target: Target,
    *,
    rng: np.random.Generator,
    wobble: float,
    street: tuple[float, str],
    cuts: list[Cut],
) -> list[Polygon]:
    """Cut a polygon across its longer side until its pieces are near their target area.

    Parameters
    ----------
    polygon
        What is cut.
    target
        The area (m²) that a piece at its place should have.
    rng
        The source of chance.
    wobble
        How far a cut may stray, as a share of its length.
    street
        The share of cuts that are streets, and their kind. The first of many cuts is a secondary street.
    cuts
        Takes the cuts that are streets.

    Returns
    -------
    list of Polygon
        They tile `polygon` up to rounding.
    """
    share, kind = street
    done: list[Polygon] = []
    todo = [polygon]
    while todo:
        piece = todo.pop()
        wanted = target(piece)
        if piece.area < wanted * rng.uniform(1.25, 1.75):
            done.append(piece)
            continue
        parts, line = _cut(piece, rng, wobble)
        if len(parts) == 1:
            done.append(piece)
            continue
        big = piece.area > 7.0 * wanted and piece.area < 2.5e6
        if line is not None and (big or rng.random() < share):
            cuts.append((line, "secondary" if big and wanted < 2e5 else kind))
        todo += parts
    return done


def _cut(
    piece: Polygon, rng: np.random.Generator, wobble: float
) -> tuple[list[Polygon], LineString | None]:
    box = shapely.get_coordinates(shapely.oriented_envelope(piece))
    if len(box) < 5:
        return [piece], None
    sides = box[1:3] - box[:2]
    lengths = np.hypot(sides[:, 0], sides[:, 1])
    middle = box[:4].mean(axis=0)
    for attempt in range(8):
        side = int(np.argmax(lengths)) if attempt < 5 else int(np.argmin(lengths))
        along = sides[side] / lengths[side]
        calm = 1.0 / (1 + attempt)
        angle = rng.normal(0, 0.07 * calm)
        across = np.array([-along[1], along[0]]) @ np.array(
            [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        )
        start = middle + along * lengths[side] * rng.uniform(-0.11, 0.11)
        line = _wavy(start, across, lengths.sum(), wobble * calm * lengths.min(), rng)
        faces = shapely.get_parts(
            shapely.polygonize(shapely.get_parts(shapely.union(piece.boundary, line)))
        )
        faces = [face for face in faces if piece.contains(face.representative_point())]
        least = min((face.area for face in faces), default=0.0)
        if len(faces) > 1 and least > (0.22 if len(faces) == 2 else 0.1) * piece.area:
            cut = shapely.line_merge(shapely.intersection(faces[0].boundary, faces[1].boundary))
            return faces, cut if cut.geom_type == "LineString" and cut.length > 1.0 else None
    return [piece], None


def _wavy(
    start: NDArray[np.float64],
    way: NDArray[np.float64],
    reach: float,
    size: float,
    rng: np.random.Generator,
) -> LineString:
    t = np.linspace(-reach, reach, max(3, min(24, int(reach / 60) * 2 + 1)))
    side = size * (
        np.sin(2 * np.pi * t / (reach * rng.uniform(0.8, 1.6)) + rng.uniform(0, 6.3))
        + 0.5 * np.sin(2 * np.pi * t / (reach * rng.uniform(0.25, 0.5)) + rng.uniform(0, 6.3))
    )
    normal = np.array([-way[1], way[0]])
    return LineString(settled(start + t[:, None] * way + side[:, None] * normal))


def _merge_small(faces: list[Polygon], least: float) -> list[Polygon]:
    """Give small faces to the neighbour they share most border with."""
    faces = sorted(faces, key=lambda face: float(face.area))
    while faces[0].area < least:
        small = faces.pop(0)
        shared = shapely.length(shapely.intersection(np.array(faces), small))
        best = int(np.argmax(shared))
        union = shapely.union(faces.pop(best), small)
        faces.append(union)
        faces.sort(key=lambda face: float(face.area))
    return faces
