"""Where was each issue reported: rows with a usable place, and the others with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gisgrid.crs import crs_label, parse_crs
from gisgrid.errors import CrsError, InputError
from gisgrid.intake.columns import Place, place_columns, require_column
from gisgrid.intake.places import geometry_points, pair_points
from gisgrid.intake.sources import (
    is_plain_parquet,
    is_text,
    read_plain_parquet,
    read_vector,
    require_file,
)
from gisgrid.intake.text import read_delimited
from gisgrid.intake.times import read_times

WGS84 = CRS.from_epsg(4326)
_CHINA = shapely.box(73.5, 16.0, 135.1, 53.6)


@dataclass(frozen=True)
class Reports:
    """A file of reports, read: every row is either accepted or rejected.

    Attributes
    ----------
    accepted
        The rows with a usable place, as points; indexed by the source's row (``row``): the line of a text file whose
        header is line 1, otherwise 1 for the first row.
    rejected
        The other rows: ``row``, ``reason``, then the columns as they stand in the source.
    n_read
        How many rows the file has: the accepted and the rejected.
    notes
        What was decided on the way, a sentence each.
    """

    accepted: gpd.GeoDataFrame
    rejected: pd.DataFrame
    n_read: int
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        if len(self.accepted) + len(self.rejected) != self.n_read:
            msg = (
                f"{len(self.accepted)} accepted and {len(self.rejected)} rejected rows are not the "
                f"{self.n_read} that were read"
            )
            raise AssertionError(msg)

    def __repr__(self) -> str:
        """Say how many rows were read, accepted and rejected."""
        return (
            f"<Reports: {self.n_read} read, {len(self.accepted)} accepted, "
            f"{len(self.rejected)} rejected>"
        )


def read_reports(
    path: Path | str,
    *,
    crs: CRS | str | int | None = None,
    x: str | None = None,
    y: str | None = None,
    time: str | None = None,
    layer: str | None = None,
    delimiter: str | None = None,
) -> Reports:
    """Read a file of reported issues; refuse what has no usable place, row by row.

    Columns are detected only where their names leave no doubt (经度 and 纬度, lng and lat, longitude and latitude; x and y
    where `crs` is given). Nothing is reprojected.

    Parameters
    ----------
    path
        CSV (UTF-8, GB 18030, UTF-16; any delimiter; also in .zip or .gz), Parquet, GeoParquet, GeoJSON, GeoPackage,
        FlatGeobuf or Shapefile.
    crs
        What the coordinates are, where the file does not say it, or says it wrongly. Longitude and latitude are
        EPSG:4326 (WGS84) unless this says otherwise.
    x, y
        The columns of easting (longitude) and northing (latitude).
    time
        The column that says when; it becomes datetime64, missing where it cannot be read.
    layer
        The layer, where the file has several.
    delimiter
        What separates the fields of a text file; found where it is not given.

    Returns
    -------
    Reports
        Accepted and rejected rows; their numbers add up to the rows read.

    Raises
    ------
    InputError
        No such file, an empty one, or none of its rows has a usable place.
    ColumnError
        A named column is not there, or none or several could be meant.
    CrsError
        The file does not say what its coordinates are and `crs` is not given.

    Notes
    -----
    CRS: any; the accepted points stay in the source's. Coordinates of exactly 0, 0 are refused: exports put reports
    without a place there. All fields of a text file stay text, so that codes keep their leading zeros.
    """
    path = Path(path)
    require_file(path)
    stated = stated_crs(crs, option="issues-crs")
    notes: list[str] = []
    refused = pd.Series(dtype="object", name="reason")
    if is_text(path):
        text = read_delimited(path, delimiter=delimiter)
        table, refused = text.table, text.refused
        notes.append(f"text is {text.encoding}, fields are separated by {text.delimiter!r}")
    elif is_plain_parquet(path):
        table = read_plain_parquet(path)
    else:
        frame, said = read_vector(path, layer=layer, option="--issues-layer")
        reports = _from_frame(frame, stated, path.name, said)
        return _with_times(reports, time, path.name)
    if table.empty:
        raise InputError(f"{path.name!r} has columns but no rows; check that the export finished")
    place = place_columns([str(c) for c in table.columns], x=x, y=y, crs=stated, source=path.name)
    reports = _from_table(
        table, place, refused=refused, stated=stated, source=path.name, notes=notes
    )
    return _with_times(reports, time, path.name)


def _from_table(
    table: pd.DataFrame,
    place: Place,
    *,
    refused: pd.Series,
    stated: CRS | None,
    source: str,
    notes: list[str],
) -> Reports:
    crs = stated or WGS84
    usable = table.drop(index=refused.index)
    if place.kind == "geometry":
        points, reasons = geometry_points(usable[place.columns[0]], crs)
    else:
        points, reasons = pair_points(usable[place.columns[0]], usable[place.columns[1]], crs)
    names = ", ".join(map(repr, place.columns))
    whence = (
        "as --issues-crs states" if stated else "WGS84, as longitude and latitude are by default"
    )
    notes.append(f"the place is read from {names} in {crs_label(crs)}, {whence}")
    reasons = pd.concat([refused, reasons]) if len(refused) else reasons
    return _split(table, points.set_crs(crs), reasons, source=source, notes=notes)


def _from_frame(
    frame: gpd.GeoDataFrame, stated: CRS | None, source: str, said: tuple[str, ...]
) -> Reports:
    notes = list(said)
    crs = settled_crs(frame, stated, source=source, option="issues-crs", notes=notes)
    points, reasons = geometry_points(frame.geometry, crs)
    table = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    return _split(table, points.set_crs(crs), reasons, source=source, notes=notes)


def stated_crs(crs: CRS | str | int | None, *, option: str) -> CRS | None:
    """Read the CRS that a user states, if any.

    Parameters
    ----------
    crs
        A CRS, a code, or None.
    option
        The option under which it is stated, for the error.

    Returns
    -------
    CRS or None
        The CRS.

    Raises
    ------
    CrsError
        PROJ does not know it, or it is no CRS of places on a map (a height, say).
    """
    stated = parse_crs(crs, name=option) if isinstance(crs, str | int) else crs
    if stated is not None and not (stated.is_geographic or stated.is_projected):
        raise CrsError(
            f"--{option} {crs!r} is {stated.name!r}, which does not place points on a map; "
            "state a geographic or projected CRS, for example EPSG:4326 or EPSG:4547"
        )
    return stated


def settled_crs(
    frame: gpd.GeoDataFrame, stated: CRS | None, *, source: str, option: str, notes: list[str]
) -> CRS:
    """Settle which CRS a file is in: what the user states, else what the file says.

    Parameters
    ----------
    frame
        The file as read.
    stated
        What the user states.
    source
        The file's name.
    option
        The option under which it is stated.
    notes
        Told the decision.

    Returns
    -------
    CRS
        The CRS.

    Raises
    ------
    CrsError
        Neither says it.
    """
    own = None if frame.crs is None else CRS(frame.crs)
    if stated is None and own is None:
        raise CrsError(
            f"{source!r} does not say its coordinate reference system (no .prj, no metadata), so its coordinates mean "
            f"nothing; state it, for example --{option} EPSG:4547 (in Python crs='EPSG:4547')"
        )
    if stated is None or own is None:
        crs = stated or own
        assert crs is not None  # noqa: S101 - one of the two is there, as said above
        notes.append(
            f"{source!r} is in {crs_label(crs)}, as {'it says itself' if own else f'--{option} states'}"
        )
        return crs
    same = own.equals(stated, ignore_axis_order=True)
    notes.append(
        f"{source!r} is in {crs_label(stated)}, as --{option} states"
        + ("" if same else f", although the file itself says {crs_label(own)}")
    )
    return stated


def _split(
    table: pd.DataFrame,
    points: gpd.GeoSeries,
    reasons: pd.Series,
    *,
    source: str,
    notes: list[str],
) -> Reports:
    """Part the rows by whether a reason stands against them."""
    crs = CRS(points.crs)
    rejected = reasons.sort_index()
    if len(rejected) == len(table):
        raise InputError(_none_usable(rejected, points, crs, source))
    kept = table.drop(index=rejected.index)
    accepted = gpd.GeoDataFrame(kept, geometry=points.loc[kept.index].array, crs=crs)
    if "geometry" in table.columns:
        notes.append("the column 'geometry' now holds the points")
    if crs.is_geographic and shapely.intersects(_CHINA, shapely.box(*accepted.total_bounds)):
        notes.append(
            "points in China: coordinates from AMap, Tencent or Baidu are shifted by up to 700 m and must be converted "
            "to WGS84 before they are read"
        )
    refused = table.loc[rejected.index].rename(
        columns={"row": "row.source", "reason": "reason.source"}
    )
    refused.insert(0, "row", rejected.index)
    refused.insert(1, "reason", rejected.array)
    return Reports(accepted, refused.reset_index(drop=True), len(table), tuple(notes))


def _none_usable(rejected: pd.Series, points: gpd.GeoSeries, crs: CRS, source: str) -> str:
    counts = rejected.value_counts()
    why = "; ".join(f"{n} × {reason}" for reason, n in counts.head(3).items())
    hint = "check the columns (--x, --y) and the CRS (--issues-crs)"
    if crs.is_geographic and len(points):
        x, y = shapely.get_x(points.array), shapely.get_y(points.array)
        with np.errstate(invalid="ignore"):
            if (np.abs(x) <= 90).any() and (np.abs(y) > 90).any() and (np.abs(y) <= 180).any():
                hint = "longitude and latitude look exchanged: exchange --x and --y"
            elif (np.abs(x) > 1000).any():
                hint = "these look like projected coordinates: state theirs with --issues-crs"
    return f"none of {len(rejected)} rows of {source!r} has a usable place ({why}; first: row {rejected.index[0]}); {hint}"


def _with_times(reports: Reports, time: str | None, source: str) -> Reports:
    if time is None:
        return reports
    accepted = reports.accepted
    columns = [column for column in accepted.columns if column != accepted.geometry.name]
    require_column(time, columns, option="time", source=source)
    times = read_times(accepted[time])
    accepted = accepted.assign(**{time: times})
    n, first, last = int(times.isna().sum()), times.min(), times.max()
    if n == len(times):
        raise InputError(
            f"none of {n} values of {time!r} in {source!r} can be read as a time with one meaning "
            f"(first: {reports.accepted[time].iloc[0]!r}); write times as 2026-03-04 09:30"
        )
    note = f"times in {time!r} run from {first:%Y-%m-%d %H:%M} to {last:%Y-%m-%d %H:%M}"
    note += f"; {n} of {len(times)} are missing or cannot be read" if n else ""
    return Reports(accepted, reports.rejected, reports.n_read, (*reports.notes, note))
