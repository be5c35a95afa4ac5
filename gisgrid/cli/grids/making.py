"""What `gisgrid make-grids` and `gisgrid balance-grids` do: read, draw or divide, write."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gisgrid.crs import crs_label, is_metric, local_metric_crs, parse_crs, require_crs
from gisgrid.errors import ColumnError, InputError, OutputError, did_you_mean
from gisgrid.files import FRAME_SUFFIXES, read_frame, require_folder, write_frame, write_table
from gisgrid.grids import Moves, duty_grids, suggest_moves, unit_grids, workload
from gisgrid.grids import balance as balance_work
from gisgrid.intake import read_drawn
from gisgrid.join import assign_units, unit_counts
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text

_REPORTS: Final = "n_reports"
_TABLE_SUFFIXES: Final = (".csv", ".parquet")


@dataclass(frozen=True)
class MakeRequest:
    """What the user asked `make-grids` for."""

    communities: str
    output: Path
    streets: str | None = None
    key: str | None = None
    scheme: str | None = "beijing-15"
    crs: str | None = None
    area_m2: float = 10_000.0
    keep_whole: str | None = None
    open_land: str | None = None
    open_area_m2: float = 250_000.0


@dataclass(frozen=True, eq=False)
class Made:
    """The unit grids that were drawn.

    Attributes
    ----------
    grids
        What was written.
    key
        The column of the community's code.
    area_m2
        The area that was aimed at.
    notes
        What was decided on the way.
    files
        What was written.
    """

    grids: gpd.GeoDataFrame
    key: str
    area_m2: float
    notes: tuple[Text, ...]
    files: tuple[Path, ...]


@dataclass(frozen=True)
class BalanceRequest:
    """What the user asked `balance-grids` for."""

    units: str
    output: Path
    within: str = "community_code"
    key: str | None = None
    crs: str | None = None
    load: tuple[str, ...] = ()
    reports: str | None = None
    n_grids: int | None = None
    load_per_grid: float | None = None
    current: str | None = None
    fewest_moves: bool = False
    tolerance: float = 0.1
    table: Path | None = None


@dataclass(frozen=True, eq=False)
class Balanced:
    """The duty grids that were found.

    Attributes
    ----------
    grids
        The duty grids, as written.
    communities
        One row per community: what was reached.
    moves
        The moves, where the fewest were asked for.
    listed
        The table that goes with them: each unit's duty grid, or the moves.
    notes
        What was decided on the way.
    files
        What was written.
    """

    grids: gpd.GeoDataFrame
    communities: pd.DataFrame
    moves: Moves | None
    listed: pd.DataFrame
    notes: tuple[Text, ...] = ()
    files: tuple[Path, ...] = ()


def make(request: MakeRequest, *, progress: Progress = silent) -> Made:
    """Draw unit grids as the user asked.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Made
        What came of it; it is written already.

    Raises
    ------
    InputError, ColumnError, CrsError, OutputError
        A file, a column, a CRS or an output that cannot be used.
    """
    _require_output(request.output)
    notes: list[Text] = []
    progress("reading", 0.0)
    communities, key = _units(request.communities, request.key, request.crs, notes)
    others = {
        name: _layer(place, communities.crs, request.crs, notes)
        for name, place in (
            ("streets", request.streets),
            ("keep_whole", request.keep_whole),
            ("open_land", request.open_land),
        )
    }
    progress("reading", 1.0)
    grids = unit_grids(
        communities, others["streets"], key=key, area_m2=request.area_m2, keep_whole=others["keep_whole"],
        open_land=others["open_land"], open_area_m2=request.open_area_m2, scheme=request.scheme, progress=progress,
    )  # fmt: skip
    progress("writing", 0.0)
    write_frame(grids, request.output)
    progress("writing", 1.0)
    return Made(grids, key, request.area_m2, tuple(notes), (request.output,))


def balance(request: BalanceRequest, *, progress: Progress = silent) -> Balanced:
    """Divide unit grids into duty grids as the user asked.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Balanced
        What came of it; it is written already.

    Raises
    ------
    InputError, ColumnError, CrsError, OutputError
        A file, a column, a CRS or an output that cannot be used.
    """
    _require_output(request.output)
    if request.table is not None:
        _require_output(request.table, _TABLE_SUFFIXES)
    if request.fewest_moves and request.current is None:
        raise InputError(
            "--fewest-moves changes the duty grids that there are; name their column with --current"
        )
    notes: list[Text] = []
    progress("reading", 0.0)
    units, key = _units(request.units, request.key, request.crs, notes)
    _require_column(units, request.within, "--within")
    if request.current is not None:
        _require_column(units, request.current, "--current")
    work = _work(request, units, key, notes)
    progress("reading", 1.0)
    if request.fewest_moves:
        balanced = _moved(request, units, key, work, progress)
    else:
        balanced = _redrawn(request, units, key, work, progress)
    progress("writing", 0.0)
    files = [request.output]
    write_frame(balanced.grids, request.output)
    if request.table is not None:
        write_table(balanced.listed, request.table)
        files.append(request.table)
    progress("writing", 1.0)
    return replace(balanced, notes=tuple(notes), files=tuple(files))


def _moved(
    request: BalanceRequest, units: gpd.GeoDataFrame, key: str, work: pd.Series, progress: Progress
) -> Balanced:
    """Change the duty grids that there are by as few units as will do."""
    current = units[request.current]
    found = suggest_moves(
        units, work, current, key=key, within=request.within, tolerance=request.tolerance, progress=progress
    )  # fmt: skip
    goal = pd.Series(found.moves["to_grid"].to_numpy(), index=found.moves[key].to_numpy())
    duty = units[key].map(goal).fillna(current.astype("str"))
    grids = duty_grids(units, duty, work, within=request.within).reset_index()
    return Balanced(grids, found.communities, found, found.moves)


def _redrawn(
    request: BalanceRequest, units: gpd.GeoDataFrame, key: str, work: pd.Series, progress: Progress
) -> Balanced:
    """Draw the duty grids anew."""
    found = balance_work(
        units, work, within=request.within, n_grids=request.n_grids, load_per_grid=request.load_per_grid,
        current=None if request.current is None else units[request.current], tolerance=request.tolerance,
        progress=progress,
    )  # fmt: skip
    listed = pd.DataFrame(units[[key, request.within]])
    listed = listed.assign(duty_grid_id=found.duty_grid, workload=work)
    return Balanced(found.grids.reset_index(), found.communities, None, listed)


def _require_output(path: Path, suffixes: tuple[str, ...] = FRAME_SUFFIXES) -> None:
    """Refuse what could not be written before anything is read."""
    require_folder(path)
    if path.suffix not in suffixes:
        raise OutputError(
            f"{path.name!r} ends in {path.suffix!r}, which is not written; choose one of {', '.join(suffixes)}"
        )


def _require_column(units: gpd.GeoDataFrame, column: str, option: str) -> None:
    if column not in units.columns:
        raise ColumnError(
            f"{option} {column!r} is no column of the units{did_you_mean(column, map(str, units))}"
        )


def _place(text: str) -> tuple[Path, str | None]:
    file, _, layer = text.partition("#")
    return Path(file), layer or None


def _units(
    place: str, key: str | None, crs: str | None, notes: list[Text]
) -> tuple[gpd.GeoDataFrame, str]:
    """Read areas with their key, in metres."""
    path, layer = _place(place)
    drawn = read_drawn(path, key=key, crs=crs, layer=layer)
    notes += [Text(zh=note, en=note) for note in drawn.notes]
    own = require_crs(drawn.frame, name=path.name)
    target = own if is_metric(own) else local_metric_crs(drawn.frame)
    return _reprojected(drawn.frame, target, path.name, notes), drawn.key


def _layer(
    place: str | None, target: CRS, crs: str | None, notes: list[Text]
) -> gpd.GeoDataFrame | None:
    """Read another layer and bring it to the CRS of the communities."""
    if place is None:
        return None
    path, layer = _place(place)
    frame = read_frame(path, layer=layer)
    if frame.crs is None and crs is not None:
        frame = frame.set_crs(parse_crs(crs, name="--crs"))
    require_crs(frame, name=path.name)
    return _reprojected(frame, CRS(target), path.name, notes)


def _reprojected(
    frame: gpd.GeoDataFrame, target: CRS, name: str, notes: list[Text]
) -> gpd.GeoDataFrame:
    if target.equals(frame.crs, ignore_axis_order=True):
        return frame.set_crs(target, allow_override=True)
    own, there = crs_label(CRS(frame.crs)), crs_label(target)
    notes.append(
        Text(zh=f"{name}由{own}换算到{there}", en=f"{name} is reprojected from {own} to {there}")
    )
    return frame.to_crs(target)


def _work(
    request: BalanceRequest, units: gpd.GeoDataFrame, key: str, notes: list[Text]
) -> pd.Series:
    """Add up what there is to do in each unit."""
    weights = dict(map(_weight, request.load))
    frame = units
    if request.reports is not None:
        points = _layer(request.reports, units.crs, request.crs, notes)
        counts = _counted(points, units, key, notes)
        frame = units.assign(**{_REPORTS: counts.to_numpy()})
        weights = weights or {_REPORTS: 1.0}
    if not weights:
        raise InputError(
            "balance-grids needs to know what is work; give --load COLUMN, or points of reports with --reports"
        )
    return workload(frame, weights)


def _weight(text: str) -> tuple[str, float]:
    column, sign, weight = text.rpartition("=")
    if not sign:
        return text, 1.0
    try:
        return column, float(weight)
    except ValueError as error:
        raise InputError(
            f"--load {text!r} has no number behind '='; write for example --load households=0.2"
        ) from error


def _counted(
    points: gpd.GeoDataFrame | None, units: gpd.GeoDataFrame, key: str, notes: list[Text]
) -> pd.Series:
    assert points is not None  # noqa: S101 - a place was given
    if (wrong := (shapely.get_dimensions(points.geometry.to_numpy()) > 0)).any():
        raise InputError(
            f"{wrong.sum()} of {len(points)} reports are no points (first: row {int(np.argmax(wrong))}); give points"
        )
    named = units.assign(**{key: units[key].astype("str")})
    codes = assign_units(points, {key: named})[key]
    outside = int(codes.isna().sum())
    notes.append(
        Text(
            zh=f"{len(points):,}条上报中{outside:,}条不在任何单元内",
            en=f"{outside:,} of {len(points):,} reports are in none of the units",
        )
    )
    return unit_counts(codes, named[key])
