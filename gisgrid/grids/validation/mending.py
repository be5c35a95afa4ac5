"""Mend what can be mended without asking anybody, and list every square metre that changed hands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.errors import ContractError
from gisgrid.grids.validation.faults import Shapes, measured
from gisgrid.grids.validation.grid_report import GridReport, Relations, validate
from gisgrid.grids.validation.levels import Level, made_levels
from gisgrid.grids.validation.nesting import nesting
from gisgrid.grids.validation.partition import NOBODY, Partition, partition
from gisgrid.grids.validation.topology import Topology, topology
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

Ints = NDArray[np.int64]

GROUND_TOLERANCE: Final = 1e-6
"""How far, as a share, the ground of a level may differ from what it was and the gaps that were filled."""

_POLYGONS: Final = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
_ACTIONS: Final[Mapping[str, Text]] = {
    "z_dropped": Text(zh="去掉高程", en="heights dropped"),
    "ring_closed": Text(zh="闭合环", en="ring closed"),
    "shape_mended": Text(zh="修复无效图形", en="invalid shape mended"),
    "lines_dropped": Text(zh="去掉集合中的点和线", en="points and lines of a collection dropped"),
    "overlap_given": Text(zh="重叠划归一方", en="ground of an overlap given to one unit"),
    "gap_filled": Text(zh="空隙划归邻居", en="gap given to a neighbour"),
    "piece_given": Text(
        zh="被切断的碎块划归邻居", en="piece that was cut off given to a neighbour"
    ),
    "vertices_added": Text(zh="边线补上邻居的顶点", en="neighbours' vertices added to an edge"),
}


@dataclass(frozen=True, eq=False)
class Repaired:
    """A mended grid, and what was done to it.

    Attributes
    ----------
    frames
        The levels, rows and columns as they were, geometry mended.
    moved
        One row per change: `level`, `unit` (whose shape changed, or who got the ground), `from_units` (who gave it, joined
        by ``"; "``; empty for a gap), `action`, `area_m2` (ground that changed hands), `area_before_m2` and
        `area_after_m2` (of the unit as a whole), `message_zh`, `message_en`, and the ground itself.
    ground
        One row per level: `level`, `before_m2` (area of the union of the units, invalid ones mended), `gaps_filled_m2`,
        `after_m2` (area of the union now), `change` (after - before - gaps, as a share of before; at most 1e-6).
    suggestions
        Faults that only people can settle (codes, parents, numbering, large gaps, several parts): those of `report`.
    report
        The mended grid, examined again.
    """

    frames: Mapping[str, gpd.GeoDataFrame]
    moved: gpd.GeoDataFrame
    ground: pd.DataFrame
    suggestions: gpd.GeoDataFrame
    report: GridReport

    def __repr__(self) -> str:
        """Say how much was changed and what is left."""
        return (
            f"<Repaired: {len(self.moved)} changes, {self.moved['area_m2'].sum():,.2f} m² changed hands, "
            f"{len(self.suggestions)} faults left to people>"
        )


@dataclass(frozen=True, eq=False)
class _Change:
    level: str
    unit: int
    action: str
    area: float
    ground: shapely.Geometry | None
    from_units: tuple[str, ...] = ()


def repair(
    levels: Mapping[str, gpd.GeoDataFrame],
    report: GridReport,
    *,
    keys: Mapping[str, str],
    relations: Mapping[str, Relations] | None = None,
    fill_m2: float | None = None,
    progress: Progress = silent,
) -> Repaired:
    """Mend a grid's shapes: close rings, undo crossings, fill gaps, part overlaps, drop heights; say what was moved.

    Parameters
    ----------
    levels
        The units by the level's name, from coarse to fine, as they were given to `validate`.
    report
        What `validate` found in them.
    keys
        The column of codes of each level.
    relations
        As they were given to `validate`.
    fill_m2
        Enclosed ground up to this size is given to a neighbour; larger ground is left as it is and listed, because a
        unit is missing there. Half the median area of the level's units where nothing is said.
    progress
        Told 0 and 1 for each level.

    Returns
    -------
    Repaired
        New frames; the given ones are not changed.

    Raises
    ------
    ContractError
        The ground of a level would have changed by more than a millionth; nothing is returned then.
    InputError, ColumnError, CrsError
        As `validate` does.

    Notes
    -----
    The rule for ground claimed twice or by nobody is that of `gisgrid.grids.validation.partition.partition`: to the right parent
    first, then along the longest border, then by code. Levels are mended from coarse to fine, so that the finer ones
    follow the coarser. The total that is kept is the ground of each level: the area of its union afterwards is that
    before plus the gaps that were filled, to 1e-6. Two units drawn on the same ground (each covers more than half of
    the other) are left alone, and so is every code. Units without fault keep their geometry to the last bit.

    Examples
    --------
    >>> from shapely import box
    >>> squares = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=[box(0, 0, 9, 9), box(8, 0, 18, 9)], crs=4547)
    >>> report = validate({"units": squares}, keys={"units": "code"})
    >>> mended = repair({"units": squares}, report, keys={"units": "code"})
    >>> mended.moved[["unit", "from_units", "action", "area_m2"]].to_numpy().tolist()
    [['1', '2', 'overlap_given', 9.0]]
    >>> mended.report.clean
    True
    """
    made, crs = made_levels(levels, keys)
    relations = relations or {}
    frames: dict[str, gpd.GeoDataFrame] = {}
    changes: list[gpd.GeoDataFrame] = []
    ground: list[dict[str, object]] = []
    above: Level | None = None
    for level in made:
        progress(level.name, 0.0)
        column = relations.get(level.name, Relations()).parent
        mended, moved, totals = _mended(level, above, column, report, fill_m2)
        frames[level.name] = mended.frame
        changes.append(moved)
        ground.append(totals)
        above = mended
        progress(level.name, 1.0)
    again = validate(frames, keys=keys, relations=relations, limits=report.limits)
    left = again.faults[again.faults["severity"] != "note"]
    return Repaired(
        frames=frames,
        moved=gpd.GeoDataFrame(pd.concat(changes, ignore_index=True), crs=crs),
        ground=pd.DataFrame(ground),
        suggestions=left.reset_index(drop=True),
        report=again,
    )


def _mended(
    level: Level, above: Level | None, column: str | None, report: GridReport, fill_m2: float | None
) -> tuple[Level, gpd.GeoDataFrame, dict[str, object]]:
    """Mend one level; give it with its changes and the account of its ground."""
    changes = list(_shape_changes(level, report))
    shapes = level.clean
    start = _level_with(level, shapes)
    lying = topology(start)
    new = shapes
    filled = 0.0
    if not lying.matched or len(lying.holes):
        new, more = _divided(start, lying, above, column, _fill(start, fill_m2))
        changes += more
        filled = sum(change.area for change in more if change.action == "gap_filled")
    new = _as_drawn_where_alike(level, new)
    mended = _level_with(level, new)
    before, after = float(lying.union.area), float(shapely.union_all(mended.clean).area)
    change = (after - before - filled) / before if before > 0 else 0.0
    if abs(change) > GROUND_TOLERANCE:
        raise ContractError(
            f"repair of level {level.name!r} would change its ground by a share of {change:.1e}, over {GROUND_TOLERANCE:g}; "
            "mend the units of the report by hand and try again"
        )
    totals = {
        "level": level.name, "before_m2": before, "gaps_filled_m2": filled, "after_m2": after, "change": change,
    }  # fmt: skip
    return mended, _moved_table(level, mended, changes), totals


def _fill(level: Level, fill_m2: float | None) -> float:
    there = level.areas[level.areas > 0]
    usual = float(np.median(there)) / 2 if len(there) else 0.0
    return usual if fill_m2 is None else fill_m2


def _shape_changes(level: Level, report: GridReport) -> Iterator[_Change]:
    """List what making the shapes clean does to each unit."""
    faults = report.faults[report.faults["level"] == level.name]
    unclosed = set(faults.loc[faults["rule"] == "unclosed_ring", "unit"])
    drawn, there = level.drawn, level.areas > 0
    kinds = shapely.get_type_id(drawn)
    mixed = there & ~np.isin(kinds, _POLYGONS)
    invalid = there & ~mixed & ~shapely.is_valid(drawn)
    done = {
        "z_dropped": there & shapely.has_z(drawn),
        "ring_closed": there & np.isin(level.labels, list(unclosed)),
        "shape_mended": invalid,
        "lines_dropped": mixed,
    }
    for action, chosen in done.items():
        for at in np.flatnonzero(chosen):
            yield _Change(level.name, int(at), action, 0.0, level.clean[at])


def _level_with(level: Level, shapes: Shapes) -> Level:
    """Give the level with other shapes; a unit without area keeps what it had."""
    there = ~shapely.is_empty(shapes)
    kept = np.where(there, shapes, level.drawn)
    frame = level.frame.set_geometry(
        gpd.GeoSeries(kept, index=level.frame.index, crs=level.frame.crs)
    )
    if level.frame.geometry.name != frame.geometry.name:
        frame = level.frame.copy()
        frame[level.frame.geometry.name] = gpd.GeoSeries(kept, index=frame.index, crs=frame.crs)
    clean = np.where(there, shapes, shapely.Polygon())
    return Level(
        level.name, frame, level.key, level.codes, level.labels, kept, clean, shapely.area(clean)
    )


def _divided(
    level: Level, lying: Topology, above: Level | None, column: str | None, fill_m2: float
) -> tuple[Shapes, list[_Change]]:
    """Divide the ground of the units concerned anew."""
    shapes = level.clean.copy()
    aside = _twins(level, lying)
    shapes[aside] = shapely.Polygon()
    members = _concerned(shapes, lying, fill_m2)
    if not len(members):
        return level.clean, []
    rank = np.empty(len(level), dtype=np.int64)
    rank[np.lexsort((np.arange(len(level)), level.labels.astype(np.str_)))] = np.arange(len(level))
    home = np.full(len(level), -1, dtype=np.int64)
    parents = np.empty(0, dtype=object)
    if above is not None:
        home = nesting(level, above, column=column, above=topology(above), slack_m=0.0).belongs
        parents = above.clean
    found = partition(shapes, members, rank=rank, home=home, parents=parents, fill_m2=fill_m2)
    new = level.clean.copy()
    order = np.argsort(found.owner, kind="stable")
    for at in members:
        begin, end = np.searchsorted(found.owner[order], [at, at + 1])
        mine = found.faces[order[begin:end]]
        new[at] = mine[0] if len(mine) == 1 else shapely.coverage_union_all(mine)
    handed = list(_handed_over(level, found))
    told = {
        label for change in handed for label in (str(level.labels[change.unit]), *change.from_units)
    }
    quiet = members[[str(label) not in told for label in level.labels[members]]]
    return new, [*handed, *_added(level, quiet, new)]


def _twins(level: Level, lying: Topology) -> Ints:
    """Give the later by code of each two units drawn on the same ground."""
    share = shapely.area(lying.common) / np.maximum(
        level.areas[lying.first], level.areas[lying.second]
    )
    labels = level.labels.astype(np.str_)
    twins = share > 0.5
    first, second = lying.first[twins], lying.second[twins]
    return np.unique(np.where(labels[first] <= labels[second], second, first))


def _concerned(shapes: Shapes, lying: Topology, fill_m2: float) -> Ints:
    """Give the units with a fault and those beside them."""
    there = ~shapely.is_empty(shapes)
    odd = ~shapely.is_empty(lying.edges)
    odd[np.concatenate([lying.first, lying.second])] = True
    tree = shapely.STRtree(shapes)
    holes = lying.holes[shapely.area(lying.holes) <= fill_m2]
    odd[tree.query(holes, predicate="intersects")[1]] = True
    odd &= there
    odd[tree.query(shapes[odd], predicate="intersects")[1]] = True
    return np.flatnonzero(odd & there)


def _handed_over(level: Level, found: Partition) -> Iterator[_Change]:
    """List the faces that changed hands, one change per giver, taker and reason."""
    actions = {"overlap": "overlap_given", "gap": "gap_filled", "cut_off": "piece_given"}
    rows: dict[tuple[int, str, tuple[str, ...]], list[int]] = {}
    for face in np.flatnonzero((found.reason != "") & (found.owner != NOBODY)):
        to, action = int(found.owner[face]), actions[str(found.reason[face])]
        givers = tuple(str(level.labels[unit]) for unit in found.claims(int(face)) if unit != to)
        rows.setdefault((to, action, givers), []).append(int(face))
    for (to, action, givers), faces in rows.items():
        ground = found.faces[faces[0]] if len(faces) == 1 else shapely.union_all(found.faces[faces])
        yield _Change(
            level.name, to, action, float(shapely.area(found.faces[faces]).sum()), ground, givers
        )


def _added(level: Level, members: Ints, new: Shapes) -> Iterator[_Change]:
    """List the units whose ground stayed as it was but whose edges got a neighbour's vertices."""
    old, now = level.clean[members], new[members]
    more = shapely.get_num_coordinates(now) > shapely.get_num_coordinates(old)
    same = shapely.area(shapely.symmetric_difference(old[more], now[more])) == 0
    for at in members[more][same]:
        yield _Change(level.name, int(at), "vertices_added", 0.0, new[at])


def _as_drawn_where_alike(level: Level, new: Shapes) -> Shapes:
    """Keep the given geometry, to the last bit, of every unit whose shape is the same."""
    flat = ~shapely.has_z(level.drawn) & np.isin(shapely.get_type_id(level.drawn), _POLYGONS)
    alike = np.zeros(len(new), dtype=bool)
    alike[flat] = shapely.equals_exact(
        shapely.normalize(level.drawn[flat]), shapely.normalize(new[flat]), tolerance=0.0
    )
    return np.where(alike, level.drawn, new)


def _moved_table(level: Level, mended: Level, changes: list[_Change]) -> gpd.GeoDataFrame:
    said = [_sentence(level, change) for change in changes]
    units = np.array([change.unit for change in changes], dtype=np.int64)
    shapes = np.empty(len(changes), dtype=object)
    shapes[:] = [change.ground for change in changes]
    return gpd.GeoDataFrame(
        {
            "level": pd.Series([change.level for change in changes], dtype="str"),
            "unit": pd.Series([str(level.labels[at]) for at in units], dtype="str"),
            "from_units": pd.Series(
                ["; ".join(change.from_units) for change in changes], dtype="str"
            ),
            "action": pd.Series([change.action for change in changes], dtype="str"),
            "area_m2": np.array([change.area for change in changes], dtype=np.float64),
            "area_before_m2": level.areas[units],
            "area_after_m2": mended.areas[units],
            "message_zh": pd.Series([text.zh for text in said], dtype="str"),
            "message_en": pd.Series([text.en for text in said], dtype="str"),
        },
        geometry=shapes,
        crs=level.frame.crs,
    )


def _sentence(level: Level, change: _Change) -> Text:
    label, action = str(level.labels[change.unit]), _ACTIONS[change.action]
    zh, en = f"“{label}”：{action.zh}", f"{label!r}: {action.en}"
    if change.area:
        said = measured(change.area, squared=True)
        givers = "、".join(f"“{name}”" for name in change.from_units)
        spoken = ", ".join(map(repr, change.from_units))
        zh += f"，{said}" + (f"，来自{givers}" if givers else "")
        en += f", {said}" + (f", from {spoken}" if spoken else "")
    return Text(zh=zh, en=en)
