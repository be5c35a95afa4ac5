"""How well do points fit a city where a candidate puts them: inside its units, in the district they name, by a street?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

import geopandas as gpd
import numpy as np
import pandas as pd
import pyarrow as pa
import shapely
from numpy.typing import NDArray
from pyproj import CRS
from scipy.special import betainc

from gisgrid.crs import LONLAT, require_crs
from gisgrid.datum import Datum
from gisgrid.errors import ColumnError, CrsError, did_you_mean
from gisgrid.intake.places.gazetteer import plain_names
from gisgrid.join.raster_index import RasterIndex

Floats: TypeAlias = NDArray[np.float64]
Bounds: TypeAlias = tuple[float, float, float, float]

M_PER_DEG: Final = 111_195.0
STREET_REACH_M: Final = 150.0
"""A point farther from every street says nothing about streets."""
_STREET_MARGIN_M: Final = 5.0
"""Two distances to a street closer than this are alike: geocoders and lanes differ by as much."""
_PLACE_DEG: Final = 0.002
"""Points within about 200 m are one witness: a pile, or a stretch of border drawn badly, speaks once."""
_MOST_VERTICES: Final = 100_000
"""Beyond the coarsest level and the one that rows name, levels are looked up in only while they are this small."""
_MOST_STREET_VERTICES: Final = 200_000
_STEPS: Final = 8
_LEAST_KNOWN: Final = 0.1
_NO_ROW: Final = -1


@dataclass(frozen=True)
class Reference:
    """The city's own layers, which show where its reports should lie.

    Attributes
    ----------
    units
        Per level, a frame of polygons in any CRS.
    names
        Per level, the column of that frame that names a unit as reports do; levels without one may be left out.
    streets
        Lines in any CRS, or None.
    """

    units: Mapping[str, gpd.GeoDataFrame]
    names: Mapping[str, str]
    streets: gpd.GeoDataFrame | None = None


@dataclass(frozen=True)
class Fit:
    """Where one way of reading the coordinates puts the points.

    Attributes
    ----------
    lon, lat
        Shape (n,), WGS84 degrees.
    levels_in
        Shape (n,), in how many levels' units each point lies.
    named
        Shape (n,), 1 where it lies in the unit that its row names, 0 where not, -1 where the row names none that is
        known.
    street_m
        Shape (m,), metres to the nearest street of the points asked for, `STREET_REACH_M` at most; empty without
        streets.
    """

    lon: Floats
    lat: Floats
    levels_in: NDArray[np.int8]
    named: NDArray[np.int8]
    street_m: Floats

    @property
    def share_inside(self) -> float:
        """Share of the points that lie in a unit of any level."""
        return float((self.levels_in > 0).mean()) if len(self.levels_in) else float("nan")

    @property
    def share_named(self) -> float | None:
        """Share of the rows naming a known unit whose point lies in it; None where none does."""
        stated = self.named[self.named >= 0]
        return float(stated.mean()) if len(stated) else None

    @property
    def street_median_m(self) -> float | None:
        """Median metres to the nearest street; None without streets."""
        return float(np.median(self.street_m)) if len(self.street_m) else None


@dataclass(frozen=True)
class Ground:
    """The references made ready to look points up in: everything in WGS84 degrees.

    Attributes
    ----------
    levels
        The units of each level.
    named_codes
        Shape (n,), the number of the unit name that each row states; -1 where none that is known.
    unit_codes
        Shape (n_units,), the same numbers for the units of level `named_level`.
    named_level
        Position in `levels` of the level whose names the rows state, or -1.
    streets
        Pieces of street in metres around `origin`, or None.
    bounds
        West, south, east, north of all layers.
    """

    levels: tuple[RasterIndex, ...]
    named_codes: NDArray[np.int64]
    unit_codes: NDArray[np.int64]
    named_level: int
    streets: shapely.STRtree | None
    bounds: Bounds

    @classmethod
    def of(cls, reference: Reference, named: pa.Array | None, n: int) -> Ground | None:
        """Make the references ready.

        Parameters
        ----------
        reference
            The city's own layers.
        named
            Shape (n,), the unit that each row states, or None.
        n
            How many rows there are.

        Returns
        -------
        Ground or None
            None where the references hold nothing to look up in.

        Raises
        ------
        CrsError
            A layer has no CRS.
        ColumnError
            A layer has no such column of names.
        """
        stated = _stated_level(reference, named)
        unit_codes, row_codes = np.empty(0, np.int64), np.full(n, _NO_ROW)
        shapes: list[NDArray[np.object_]] = []
        named_level, vertices = -1, 0
        for level, frame in sorted(reference.units.items(), key=lambda item: len(item[1])):
            require_crs(frame, name=level)
            size = int(shapely.get_num_coordinates(np.asarray(frame.geometry.array)).sum())
            is_stated = stated is not None and stated[0] == level
            if not size or (shapes and not is_stated and vertices + size > _MOST_VERTICES):
                continue
            vertices += size
            shapes.append(_areas(frame))
            if stated is not None and is_stated:
                named_level, unit_codes, row_codes = len(shapes) - 1, stated[1], stated[2]
        pieces = np.empty(0, dtype=object)
        if reference.streets is not None:
            require_crs(reference.streets, name="streets")
            pieces = _pieces(reference.streets)
        boxes = [shapely.total_bounds(areas) for areas in shapes or [pieces] if len(areas)]
        if not boxes:
            return None
        low, high = np.min(boxes, axis=0), np.max(boxes, axis=0)
        bounds = (float(low[0]), float(low[1]), float(high[2]), float(high[3]))
        levels = tuple(RasterIndex.of(areas) for areas in shapes)
        ground = cls(levels, row_codes, unit_codes, named_level, None, bounds)
        if not len(pieces):
            return ground
        return replace(ground, streets=shapely.STRtree(shapely.transform(pieces, ground.metres)))

    def metres(self, lonlat: Floats) -> Floats:
        """Lay degrees out in metres around the middle of the city, true to a thousandth near it.

        Parameters
        ----------
        lonlat
            Shape (n, 2).

        Returns
        -------
        ndarray
            Shape (n, 2).
        """
        west, south, east, north = self.bounds
        middle = np.array([(west + east) / 2, (south + north) / 2])
        scale = M_PER_DEG * np.array([np.cos(np.radians(middle[1])), 1.0])
        return np.asarray((lonlat - middle) * scale)

    def fit(
        self, lon: Floats, lat: Floats, rows: NDArray[np.int64], street_rows: NDArray[np.int64]
    ) -> Fit:
        """Look points up.

        Parameters
        ----------
        lon, lat
            Shape (n,), WGS84 degrees; NaN lies nowhere.
        rows
            Shape (n,), which rows of `named_codes` these are.
        street_rows
            Which of these points are measured to the streets.

        Returns
        -------
        Fit
            Where they lie.
        """
        xy = np.column_stack([lon, lat])
        levels_in = np.zeros(len(xy), np.int8)
        named = np.full(len(xy), -1, np.int8)
        for position, index in enumerate(self.levels):
            unit = index.first_covering(xy)
            levels_in += unit >= 0
            if position == self.named_level:
                stated = self.named_codes[rows]
                here = np.where(unit >= 0, self.unit_codes[unit], _NO_ROW)
                named = np.where(stated >= 0, here == stated, -1).astype(np.int8)
        return Fit(lon, lat, levels_in, named, self._street_m(xy[street_rows]))

    def _street_m(self, lonlat: Floats) -> Floats:
        if self.streets is None:
            return np.empty(0)
        distance = np.full(len(lonlat), STREET_REACH_M)
        there = np.flatnonzero(np.isfinite(lonlat).all(axis=1))
        points = shapely.points(self.metres(lonlat[there]))
        (asked, _), metres = self.streets.query_nearest(
            points, max_distance=STREET_REACH_M, return_distance=True, all_matches=False
        )
        distance[there[asked]] = metres
        return distance


def evidence(
    one: Fit, other: Fit, *, inside: bool, streets: bool, rows: NDArray[np.int64]
) -> float:
    """Weigh two ways of reading the coordinates against each other, point by point.

    Every place (200 m) that fits one way and not the other is a witness. If the other way were right, no more than
    half of the witnesses would speak for this one: the weight is the odds that more than half do, given how many did.

    Parameters
    ----------
    one, other
        Where each puts the same points.
    inside
        Whether lying in a unit at all counts.
    streets
        Whether the distance to streets counts.
    rows
        Which points `street_m` speaks of.

    Returns
    -------
    float
        Logarithm of the odds for `one`, within ±700.
    """
    place = _places(one, other)
    stated = one.named >= 0
    votes = np.where(stated, one.named - other.named, 0)
    if inside:
        levels = np.sign(one.levels_in.astype(np.int64) - other.levels_in)
        votes = np.where(stated, votes, levels)
    weight = _log_odds(votes, place)
    if streets and len(one.street_m):
        nearer = other.street_m - one.street_m
        votes = np.where(np.abs(nearer) > _STREET_MARGIN_M, np.sign(nearer), 0)
        weight += _log_odds(votes, place[rows])
    return float(np.clip(weight, -700, 700))


def _places(one: Fit, other: Fit) -> NDArray[np.int64]:
    """Give each point the number of its place; a way that puts a point nowhere has no place for it."""
    lost = np.isnan(one.lon) | np.isnan(one.lat)
    lon, lat = np.where(lost, other.lon, one.lon), np.where(lost, other.lat, one.lat)
    column = np.floor(np.nan_to_num(lon, nan=0.0) / _PLACE_DEG).astype(np.int64)
    row = np.floor(np.nan_to_num(lat, nan=0.0) / _PLACE_DEG).astype(np.int64)
    return column * 1_000_003 + row


def _log_odds(votes: NDArray[np.int64], place: NDArray[np.int64]) -> float:
    cast = votes != 0
    _, witness = np.unique(place[cast], return_inverse=True)
    verdict = np.sign(np.bincount(witness, weights=votes[cast])) if cast.any() else np.empty(0)
    n_for, n_against = int((verdict > 0).sum()), int((verdict < 0).sum())
    minority = betainc(n_for + 1.0, n_against + 1.0, 0.5)
    majority = betainc(n_against + 1.0, n_for + 1.0, 0.5)
    return float(np.log(max(majority, 1e-300)) - np.log(max(minority, 1e-300)))


def _stated_level(
    reference: Reference, named: pa.Array | None
) -> tuple[str, NDArray[np.int64], NDArray[np.int64]] | None:
    """Find the level whose names the rows state, the coarser where two do equally; number units and rows by it."""
    best, found = _LEAST_KNOWN, None
    if named is None:
        return None
    n_stated = max(len(named) - named.null_count, 1)
    for level, frame in sorted(reference.units.items(), key=lambda item: len(item[1])):
        if (column := reference.names.get(level)) is None:
            continue
        units, rows = _name_codes(frame, column, named, level=level)
        known = float((rows >= 0).sum()) / n_stated
        if known > best:
            best, found = known + 0.05, (level, units, rows)
    return found


def _in_degrees(shapes: NDArray[np.object_], crs: CRS) -> NDArray[np.object_]:
    """Bring shapes to WGS84 as the points are; layers in an old local datum as PROJ can, within some 100 m."""
    try:
        datum = Datum.of(crs)
    except CrsError:
        return np.asarray(gpd.GeoSeries(shapes, crs=crs).to_crs(LONLAT).array, dtype=object)

    def placed(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(datum.to_lonlat(xy[:, 0], xy[:, 1]))

    moved: NDArray[np.object_] = shapely.transform(shapely.force_2d(shapes), placed)
    return moved


def _areas(frame: gpd.GeoDataFrame) -> NDArray[np.object_]:
    shapes = _in_degrees(np.asarray(frame.geometry.array, dtype=object), CRS(frame.crs))
    broken = ~shapely.is_missing(shapes) & ~shapely.is_valid(shapes)
    if broken.any():
        shapes[broken] = shapely.make_valid(
            shapes[broken], method="structure", keep_collapsed=False
        )
    kinds = (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    shapes[~np.isin(shapely.get_type_id(shapes), kinds)] = None
    return shapes


def _pieces(streets: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """Cut streets into short pieces, which a tree finds faster than long lines; of a great city's, the middle ones."""
    lines: NDArray[np.object_] = np.asarray(streets.geometry.array, dtype=object)
    lines = lines[~(shapely.is_missing(lines) | shapely.is_empty(lines))]
    if not len(lines):
        return lines
    box = shapely.bounds(lines)
    middle = (box[:, :2] + box[:, 2:]) / 2
    outward = np.argsort(np.abs(middle - np.median(middle, axis=0)).max(axis=1), kind="stable")
    size = np.cumsum(shapely.get_num_coordinates(lines[outward]))
    kept = lines[outward[size <= max(_MOST_STREET_VERTICES, int(size[0]))]]
    parts = shapely.get_parts(_in_degrees(kept, CRS(streets.crs)))
    xy, line = shapely.get_coordinates(parts, return_index=True)
    # Each piece takes up to eight steps of one line and begins where the one before it ended.
    begins = np.flatnonzero(np.r_[True, line[1:] != line[:-1]])
    place = np.arange(len(line)) - begins[line]
    joint = np.flatnonzero((place % _STEPS == 0) & (place > 0))
    order = np.sort(np.concatenate([np.arange(len(line)), joint]), kind="stable")
    starts = np.r_[True, (order[1:] == order[:-1]) | (line[order[1:]] != line[order[:-1]])]
    piece = np.cumsum(starts) - 1
    long = np.bincount(piece)[piece] > 1
    _, piece = np.unique(piece[long], return_inverse=True)
    return np.asarray(shapely.linestrings(xy[order[long]], indices=piece))


def _name_codes(
    frame: gpd.GeoDataFrame, column: str, named: pa.Array, *, level: str
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give equal names of units and of rows equal numbers; -1 for a row whose name no unit has."""
    if column not in frame.columns:
        known = map(str, frame.columns.drop(frame.geometry.name))
        raise ColumnError(
            f"the units of level {level!r} have no column {column!r} to hold the reports' names against"
            f"{did_you_mean(column, known)}"
        )
    units = plain_names(frame[column])
    stated = plain_names(pd.Series(named.to_pandas()))
    codes, known_names = pd.factorize(units.where(units != ""))
    return codes.astype(np.int64), known_names.get_indexer(pd.Index(stated)).astype(np.int64)
