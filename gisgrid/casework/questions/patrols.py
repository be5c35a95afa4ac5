"""Where did the patrols go? Tracks from phones and trackers become kilometres and visits per unit and per street."""

from __future__ import annotations

from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from gisgrid.casework.questions.columns import demand
from gisgrid.crs import crs_label, is_metric, require_crs, require_metres
from gisgrid.errors import CrsError, InputError
from gisgrid.streets import nearest_segment

_PIECE_M: Final = 20.0
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


def patrol_steps(
    fixes: gpd.GeoDataFrame,
    *,
    crs: CRS,
    most_gap_minutes: float = 5.0,
    most_speed_kmh: float = 60.0,
    most_step_m: float = 500.0,
) -> gpd.GeoDataFrame:
    """Join the fixes of each track into steps, and leave out the leaps.

    Parameters
    ----------
    fixes
        As from `read_tracks`, any CRS: `track_id`, `at`, points. Sorted by time within a track; fixes without a time keep
        their order.
    crs
        The projected CRS in metres to go to, for example that of the units.
    most_gap_minutes
        Between fixes farther apart in time nobody knows where the patrol was.
    most_speed_kmh
        Faster than this is an error of the receiver.
    most_step_m
        A longer step is none; also where there are no times.

    Returns
    -------
    GeoDataFrame
        One row per step, in `crs`: `track_id`, `started_at`, `ended_at`, `length_m`, the line. ``attrs["left_out"]`` says how
        many steps were left out, by reason.

    Raises
    ------
    CrsError
        The fixes have no CRS, or `crs` is not in metres.
    ColumnError
        A column is missing.
    InputError
        A bound that is not above 0.
    """
    demand(fixes, "fixes", "track_id", "at")
    require_crs(fixes, name="fixes")
    if not is_metric(crs):
        raise CrsError(
            f"steps are measured in metres but {crs_label(crs)} is not; give a projected CRS, for example units.crs"
        )
    if not min(most_gap_minutes, most_speed_kmh, most_step_m) > 0:
        raise InputError(
            f"bounds of {most_gap_minutes:g} minutes, {most_speed_kmh:g} km/h and {most_step_m:g} m leave no step; give numbers above 0"
        )
    placed = fixes[~(fixes.geometry.isna() | fixes.geometry.is_empty)]
    times = pd.DatetimeIndex(placed["at"]).as_unit("us").asi8
    track, names = pd.factorize(placed["track_id"])
    order = np.lexsort(
        (np.arange(len(placed)), np.where(times == np.iinfo(np.int64).min, 0, times), track)
    )
    track, times = track[order], times[order]
    xy = shapely.get_coordinates(placed.geometry.to_crs(crs).to_numpy()[order])
    begin = np.flatnonzero(track[1:] == track[:-1])
    known = (times[begin] != np.iinfo(np.int64).min) & (times[begin + 1] != np.iinfo(np.int64).min)
    seconds = np.where(known, (times[begin + 1] - times[begin]) / 1e6, np.nan)
    length = np.hypot(*(xy[begin + 1] - xy[begin]).T)
    with np.errstate(invalid="ignore", divide="ignore"):
        fast = known & (length / np.maximum(seconds, 1.0) * 3.6 > most_speed_kmh)
    gap = known & (seconds > 60 * most_gap_minutes)
    far = ~(gap | fast) & (length > most_step_m)
    kept = begin[~(gap | fast | far)]
    lines = (
        shapely.linestrings(np.stack([xy[kept], xy[kept + 1]], axis=1))
        if len(kept)
        else np.empty(0, dtype=object)
    )
    moment = pd.DatetimeIndex(times.view("datetime64[us]")).tz_localize("UTC")
    table = {
        "track_id": np.asarray(names, dtype=object)[track[kept]], "started_at": moment[kept], "ended_at": moment[kept + 1],
        "length_m": length[~(gap | fast | far)],
    }  # fmt: skip
    steps = gpd.GeoDataFrame(pd.DataFrame(table), geometry=lines, crs=crs)
    steps.attrs["left_out"] = {
        "gap in time": int(gap.sum()),
        "too fast": int((fast & ~gap).sum()),
        "too far": int(far.sum()),
    }
    return steps


def unit_patrols(
    steps: gpd.GeoDataFrame, units: gpd.GeoDataFrame, *, key: str, visit_gap_minutes: float = 30.0
) -> pd.DataFrame:
    """Say how far and how often patrols went in each unit.

    Parameters
    ----------
    steps
        As from `patrol_steps`, in the CRS of `units`.
    units
        Areas with `key`.
    key
        The column that names a unit.
    visit_gap_minutes
        A track that was away for longer visits anew.

    Returns
    -------
    DataFrame
        Indexed by key, in the order of `units`: `patrol_km`, `n_visits`, `n_tracks`, `patrol_hours`, `last_at` (missing where
        nobody went).

    Raises
    ------
    CrsError
        The two have different CRSs, or these are not metres.
    ColumnError
        A column is missing.

    Notes
    -----
    Steps are cut at the borders; one that runs along a border is shared between both sides, so kilometres add up to what was
    walked inside the units. CRS: projected, metres. Cost: a million steps in some ten seconds.
    """
    demand(steps, "steps", "track_id", "started_at", "ended_at", "length_m")
    demand(units, "units", key)
    _same_metres(steps, units, "unit_patrols", "units")
    lines, areas = steps.geometry.to_numpy(), units.geometry.to_numpy()
    shapely.prepare(areas)
    step, unit = shapely.STRtree(areas).query(lines, predicate="intersects")
    order = np.lexsort((unit, step))
    step, unit = step[order], unit[order]
    whole = steps["length_m"].to_numpy(dtype=float)
    part = whole[step].copy()
    several = np.bincount(step, minlength=len(lines))[step] > 1
    several |= ~shapely.covers(areas[unit], lines[step])
    part[several] = shapely.length(shapely.intersection(areas[unit[several]], lines[step[several]]))
    together = np.bincount(step, part, minlength=len(lines))[step]
    with np.errstate(divide="ignore", invalid="ignore"):
        part = np.where(together > whole[step], part * whole[step] / together, part)
    kept = (part > 0) | (whole[step] == 0)
    return _told(
        steps,
        step[kept],
        unit[kept],
        part[kept],
        index=pd.Index(units[key], name=key),
        gap_minutes=visit_gap_minutes,
    )


def street_patrols(
    steps: gpd.GeoDataFrame,
    segments: gpd.GeoDataFrame,
    *,
    within_m: float = 25.0,
    visit_gap_minutes: float = 30.0,
) -> pd.DataFrame:
    """Say how far and how often patrols went along each stretch of street, and how much of it they saw.

    Parameters
    ----------
    steps
        As from `patrol_steps`, in the CRS of `segments`.
    segments
        As from `gisgrid.streets.street_segments`.
    within_m
        Farther from every street a patrol walks none.
    visit_gap_minutes
        A track that was away for longer visits anew.

    Returns
    -------
    DataFrame
        Indexed like `segments`: `length_m`, `patrol_km`, `n_visits`, `n_tracks`, `patrol_hours`, `last_at`, `share_walked`
        (of the segment's length, in pieces of about 20 m, 0 to 1).

    Raises
    ------
    CrsError
        The two have different CRSs, or these are not metres.
    ColumnError
        A column is missing.
    InputError
        A negative distance.

    Notes
    -----
    Steps are cut into pieces of at most 20 m, and each piece goes to the street nearest to its middle. CRS: projected, metres.
    """
    demand(steps, "steps", "track_id", "started_at", "ended_at", "length_m")
    demand(segments, "segments", "length_m")
    _same_metres(steps, segments, "street_patrols", "segments")
    xy = shapely.get_coordinates(steps.geometry.to_numpy()).reshape(-1, 2, 2)
    whole = steps["length_m"].to_numpy(dtype=float)
    n_pieces = np.maximum(1, np.ceil(whole / _PIECE_M)).astype(np.int64)
    step = np.repeat(np.arange(len(steps)), n_pieces)
    place = (
        np.arange(len(step)) - np.repeat(np.cumsum(n_pieces) - n_pieces, n_pieces) + 0.5
    ) / n_pieces[step]
    middle = xy[step, 0] * (1 - place[:, None]) + xy[step, 1] * place[:, None]
    points = gpd.GeoDataFrame(geometry=gpd.points_from_xy(*middle.T), crs=steps.crs)
    found = nearest_segment(points, segments, within_m=within_m)
    on = found["segment_id"].notna().to_numpy()
    row = segments.index.get_indexer(pd.Index(found["segment_id"][on]))
    length = (whole / n_pieces)[step]
    told = _told(
        steps, step[on], row, length[on], index=segments.index, gap_minutes=visit_gap_minutes
    )
    n_bins = np.maximum(1, np.round(segments["length_m"].to_numpy(dtype=float) / _PIECE_M)).astype(
        np.int64
    )
    share = found["along_m"].to_numpy()[on] / segments["length_m"].to_numpy(dtype=float)[row]
    seen = np.unique(
        np.column_stack([row, np.minimum((share * n_bins[row]).astype(np.int64), n_bins[row] - 1)]),
        axis=0,
    )
    walked = np.bincount(seen[:, 0], minlength=len(segments)) / n_bins
    told.insert(0, "length_m", segments["length_m"].to_numpy())
    return told.assign(share_walked=walked)


def _told(
    steps: gpd.GeoDataFrame,
    step: _Ints,
    place: _Ints,
    part: _Floats,
    *,
    index: pd.Index,
    gap_minutes: float,
) -> pd.DataFrame:
    """Add up what was walked by place, and tell visits apart."""
    n = len(index)
    whole = steps["length_m"].to_numpy(dtype=float)
    share = np.divide(part, whole[step], out=np.ones(len(part)), where=whole[step] > 0)
    began = pd.DatetimeIndex(steps["started_at"]).as_unit("us")
    ended = pd.DatetimeIndex(steps["ended_at"]).as_unit("us")
    hours = np.nan_to_num(
        ((ended - began) / pd.Timedelta(hours=1)).to_numpy(dtype=float)[step] * share
    )
    track = pd.factorize(steps["track_id"])[0][step]
    order = np.lexsort((step, track, place))
    place_, track_, step_ = place[order], track[order], step[order]
    new = np.ones(len(order), dtype=bool)
    if len(order):
        away = (began[step_[1:]] - ended[step_[:-1]]) / pd.Timedelta(minutes=1)
        new[1:] = (
            (place_[1:] != place_[:-1])
            | (track_[1:] != track_[:-1])
            | (np.asarray(away) > gap_minutes)
        )
    pairs = np.unique(np.column_stack([place_, track_]), axis=0)
    last = (
        pd.Series(ended[step_]).groupby(place_).max()
        if len(order)
        else pd.Series(dtype="datetime64[us, UTC]")
    )
    return pd.DataFrame({
        "patrol_km": np.bincount(place, part, minlength=n) / 1000,
        "n_visits": np.bincount(place_[new], minlength=n),
        "n_tracks": np.bincount(pairs[:, 0], minlength=n),
        "patrol_hours": np.bincount(place, hours, minlength=n),
        "last_at": last.reindex(np.arange(n)).array,
    }, index=index)  # fmt: skip


def _same_metres(steps: gpd.GeoDataFrame, others: gpd.GeoDataFrame, what: str, name: str) -> None:
    crs = require_metres(steps, what=what, name="steps")
    if require_crs(others, name=name) != crs:
        raise CrsError(
            f"'steps' are in {crs_label(crs)} but {name!r} in {crs_label(others.crs)}; make the steps with crs={name}.crs"
        )
