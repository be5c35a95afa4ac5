"""Can this grid be counted by: does it cover the city once, nest, and carry codes that are right?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import geopandas as gpd
import pandas as pd

from gisgrid.errors import InputError, did_you_mean
from gisgrid.grids.codes.scheme import CodeScheme
from gisgrid.grids.validation.bare_ground import outside_faults, unfilled_faults
from gisgrid.grids.validation.code_checks import code_faults_of, two_parent_faults
from gisgrid.grids.validation.faults import GridFault, fault_frame
from gisgrid.grids.validation.levels import Level, made_levels
from gisgrid.grids.validation.nesting import Nesting, nesting, nesting_faults, nesting_row
from gisgrid.grids.validation.order_checks import adjacency_faults, numbering_faults
from gisgrid.grids.validation.rules import SEVERITIES, Limits, Severity
from gisgrid.grids.validation.shapes import shape_faults
from gisgrid.grids.validation.topology import Topology, coverage_faults, topology
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

STEPS: Final = ("shapes", "coverage", "codes", "nesting", "order")
"""What `validate` tells its progress about each level, as ``level: step``."""

_LIMITS: Final = Limits()


@dataclass(frozen=True)
class Relations:
    """What the columns of one level say beside its code.

    Attributes
    ----------
    parent
        The column with the code of the unit of the level above; without it parents are told by place.
    groups
        Columns with the name of a set that must be one connected piece, such as a management grid (管理网格).
    numbered
        Whether numbers inside a parent should run west to east, then north to south. The rule is for the grids inside
        a community, so where nothing is said only the finest level is held to it; communities and villages of one
        street are numbered by kind.
    scheme
        The scheme that the codes keep, and the name of this level in it where it is not the scheme's own unit.
    """

    parent: str | None = None
    groups: tuple[str, ...] = ()
    numbered: bool | None = None
    scheme: CodeScheme | None = None
    scheme_level: str | None = None


@dataclass(frozen=True, eq=False)
class GridReport:
    """What was found in a grid.

    Attributes
    ----------
    faults
        One row per fault, errors first: `rule`, `severity`, `level`, `unit`, `others` (codes,
        joined by ``"; "``), `n` (pieces or units), `size` and `size_unit`, `share`, `message_zh`, `message_en`, and the
        geometry of the fault (missing where a fault has no place).
    levels
        One row per level, from coarse to fine: `level`, `n_units`, `area_km2` (sum of the units), `ground_km2` (the
        ground they cover), `n_errors`, `n_warnings`, `n_notes`.
    nesting
        One row per pair of levels, see `gisgrid.grids.validation.nesting.nesting_row`.
    limits
        What counted as a fault.
    notes
        What could not be known.
    """

    faults: gpd.GeoDataFrame
    levels: pd.DataFrame
    nesting: pd.DataFrame
    limits: Limits
    notes: tuple[Text, ...]

    def n(self, severity: Severity | None = None) -> int:
        """Count the faults, all or those of one severity."""
        return (
            len(self.faults)
            if severity is None
            else int((self.faults["severity"] == severity).sum())
        )

    @property
    def clean(self) -> bool:
        """Whether there is neither an error nor a warning; notes may stand."""
        return self.n() == self.n("note")

    @property
    def summary(self) -> pd.DataFrame:
        """One row per level, rule and severity that occurs: how many faults and how large together."""
        columns = ["level", "rule", "severity"]
        grouped = self.faults.groupby(columns, sort=False, as_index=False)
        table = grouped.agg(
            n=("rule", "size"), size=("size", "sum"), size_unit=("size_unit", "first")
        )
        return pd.DataFrame(table)

    def __repr__(self) -> str:
        """Say how much was looked at and what was found."""
        found = ", ".join(f"{self.n(severity)} {severity}s" for severity in SEVERITIES)
        units = " > ".join(f"{row.n_units} {row.level}" for row in self.levels.itertuples())
        return f"<GridReport of {units}: {found}>"


def validate(
    levels: Mapping[str, gpd.GeoDataFrame],
    *,
    keys: Mapping[str, str],
    relations: Mapping[str, Relations] | None = None,
    limits: Limits = _LIMITS,
    raw: Mapping[str, Sequence[bytes | None]] | None = None,
    progress: Progress = silent,
) -> GridReport:
    """Examine a city's grid, level by level and between levels, and list every fault with its place.

    Parameters
    ----------
    levels
        The units by the level's name, from coarse to fine (street, community, compound; or one level alone). All in one
        projected CRS in metres. Geometry may be anything, also missing or invalid: that is what is looked for.
    keys
        The column of codes of each level.
    relations
        Per level the column of its parent's code, columns of sets that must be connected, the code scheme. Without
        a parent column a level is held against the one above by place alone.
    limits
        What is rounding, what a sliver, what an unusual area.
    raw
        Per level, the geometry as the file has it (well-known binary). Only there an unclosed ring can be seen: Shapely
        closes rings or refuses them.
    progress
        Told 0 and 1 for each ``level: step``.

    Returns
    -------
    GridReport
        The faults as a layer, and tables.

    Raises
    ------
    InputError
        No level, a level without units, relations or raw geometry of a level that is not there, raw geometry of
        another length.
    ColumnError
        A column that is not there.
    CrsError
        No CRS, no metres, or several CRSs.

    Notes
    -----
    CRS: projected, metres. Faults of coverage and nesting are measured on the polygons without Z, invalid ones mended
    first (`shapely.make_valid`, structure), so one bad ring does not hide the others. Cost: Taipei's 20 081 units in
    four levels in 4 s on one core.

    Examples
    --------
    >>> from shapely import box
    >>> squares = gpd.GeoDataFrame({"code": ["1", "2"]}, geometry=[box(0, 0, 9, 9), box(8, 0, 18, 9)], crs=4547)
    >>> report = validate({"units": squares}, keys={"units": "code"})
    >>> report
    <GridReport of 2 units: 1 errors, 0 warnings, 0 notes>
    >>> report.faults["message_en"].to_list()
    ["'1' and '2' overlap by 9 m²"]
    """
    made, crs = made_levels(levels, keys)
    relations, raw = relations or {}, raw or {}
    _require_known(made, {"relations": relations, "raw": raw})
    _require_lengths(made, raw)
    asked = [relations.get(level.name, Relations()) for level in made]
    faults: list[GridFault] = []
    lying: list[Topology] = []
    nested: list[Nesting] = []
    for level, relation in zip(made, asked, strict=True):
        lying.append(
            _alone(level, relation, raw.get(level.name), limits, into=faults, progress=progress)
        )
    for at, (level, relation) in enumerate(zip(made, asked, strict=True)):
        if at:
            with _told(progress, level, "nesting"):
                pair = nesting(
                    level,
                    made[at - 1],
                    column=relation.parent,
                    above=lying[at - 1],
                    slack_m=limits.nesting_m,
                )
                nested.append(pair)
                faults += _between(pair, over=lying[at - 1], here=lying[at], limits=limits)
        with _told(progress, level, "order"):
            faults += _order(level, relation, limits, finest=level is made[-1])
    table = fault_frame(faults, crs)
    return GridReport(
        faults=table,
        levels=_level_table(made, lying, table),
        nesting=pd.DataFrame([nesting_row(pair, limits=limits) for pair in nested]),
        limits=limits,
        notes=tuple(_notes(made, raw, relations)),
    )


@contextmanager
def _told(progress: Progress, level: Level, step: str) -> Iterator[None]:
    """Say when a step begins and ends."""
    progress(f"{level.name}: {step}", 0.0)
    yield
    progress(f"{level.name}: {step}", 1.0)


def _alone(
    level: Level,
    relation: Relations,
    raw: Sequence[bytes | None] | None,
    limits: Limits,
    *,
    into: list[GridFault],
    progress: Progress,
) -> Topology:
    """Examine a level by itself."""
    with _told(progress, level, "shapes"):
        into += shape_faults(level, limits=limits, raw=raw)
    with _told(progress, level, "coverage"):
        found = topology(level)
        into += coverage_faults(level, found, limits=limits)
    with _told(progress, level, "codes"):
        into += code_faults_of(
            level, scheme=relation.scheme, scheme_level=relation.scheme_level, limits=limits
        )
    return found


def _between(
    pair: Nesting, *, over: Topology, here: Topology, limits: Limits
) -> Iterator[GridFault]:
    """Examine how a level lies in the one above."""
    yield from nesting_faults(pair, limits=limits)
    yield from outside_faults(pair, ground=here.union, whole=over.union, limits=limits)
    yield from unfilled_faults(pair, whole=over.union, covered=here, limits=limits)
    yield from two_parent_faults(pair, limits=limits)


def _order(
    level: Level, relation: Relations, limits: Limits, *, finest: bool
) -> Iterator[GridFault]:
    """Examine the numbers inside each parent, and which units are side by side."""
    numbered = finest if relation.numbered is None else relation.numbered
    if relation.parent is not None and numbered:
        yield from numbering_faults(level, within=relation.parent, scheme=relation.scheme)
    for column in dict.fromkeys((*relation.groups, relation.parent)):
        if column is not None:
            yield from adjacency_faults(level, column, limits=limits)


def _require_known(made: Sequence[Level], given: Mapping[str, Mapping[str, object]]) -> None:
    known = [level.name for level in made]
    for what, mapping in given.items():
        for name in mapping:
            if name not in known:
                raise InputError(
                    f"{what} names a level {name!r} that is not among the {len(known)} levels{did_you_mean(name, known)}"
                )


def _require_lengths(made: Sequence[Level], raw: Mapping[str, Sequence[bytes | None]]) -> None:
    for level in made:
        if level.name in raw and len(raw[level.name]) != len(level):
            raise InputError(
                f"raw holds {len(raw[level.name])} geometries of level {level.name!r}, which has {len(level)} units; "
                "give one per unit, in the frame's order"
            )


def _level_table(
    made: Sequence[Level], lying: Sequence[Topology], faults: gpd.GeoDataFrame
) -> pd.DataFrame:
    count = faults.groupby(["level", "severity"]).size()
    rows = [
        {
            "level": level.name,
            "n_units": len(level),
            "area_km2": float(level.areas.sum()) / 1e6,
            "ground_km2": float(found.union.area) / 1e6,
        }
        | {f"n_{severity}s": int(count.get((level.name, severity), 0)) for severity in SEVERITIES}
        for level, found in zip(made, lying, strict=True)
    ]
    return pd.DataFrame(rows)


def _notes(
    made: Sequence[Level],
    raw: Mapping[str, Sequence[bytes | None]],
    relations: Mapping[str, Relations],
) -> Iterator[Text]:
    unseen = [level.name for level in made if level.name not in raw]
    if unseen:
        names = ", ".join(unseen)
        yield Text(
            zh=f"未给出{names}的原始字节，因此无法得知其环在文件中是否闭合（读入后总是闭合的）。",
            en=f"The bytes of {names} were not given, so whether their rings are closed in the file is not known "
            "(once read they always are).",
        )
    for above, level in pairwise(made):
        if relations.get(level.name, Relations()).parent is None:
            yield Text(
                zh=f"{level.name}没有指明上级栏，因此只按位置与{above.name}比较，不查编号顺序与相邻。",
                en=f"{level.name} states no parent column, so it is held against {above.name} by place alone, and "
                "numbering and adjacency are not checked.",
            )
    if all(relations.get(level.name, Relations()).scheme is None for level in made):
        yield Text(
            zh="未声明编码方案，因此只比较同级编码的构成。",
            en="No code scheme is stated, so codes are only compared with each other.",
        )
