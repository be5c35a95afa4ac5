"""Which CRS are the city's units in when their file does not say: a Shapefile that lost its .prj?"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import ArrayLike, NDArray

from gisgrid.crs import LONLAT
from gisgrid.datum import Datum
from gisgrid.errors import GisgridError
from gisgrid.intake.columns.recognition import recognise
from gisgrid.intake.datums.candidates import frames
from gisgrid.intake.datums.detective import ACCEPTED, Candidate, DatumFinding
from gisgrid.intake.datums.fit import Fit, Ground, Reference, evidence
from gisgrid.intake.places.usable import WHERE, read_places, to_lonlat
from gisgrid.intake.readers.source import open_source
from gisgrid.schema import Text

_SAMPLE: Final = 5_000
_LEAST_REPORTS: Final = 20
_LEAST_INSIDE: Final = 0.2


def detect_units_crs(units: gpd.GeoDataFrame, lon: ArrayLike, lat: ArrayLike) -> DatumFinding:
    """Find the CRS under which units without one lie where the reports are.

    Parameters
    ----------
    units
        Polygons without a CRS, or with a doubtful one, which is not looked at.
    lon, lat
        Shape (n,), WGS84 degrees of reports; a shift of some 500 m does no harm.

    Returns
    -------
    DatumFinding
        `datum` is a CRS in the usual order of axes, or None where no CRS, or more than one, brings the units to the
        reports; `advice` then names the two best.

    Notes
    -----
    CRS: none, that is the question. Tried are degrees, Web Mercator, the CGCS2000 zones and UTM, and every plane that
    PROJ's registry knows for the place. An old local datum (Beijing 1954) is not among them.

    Examples
    --------
    >>> from shapely import box
    >>> units = gpd.GeoDataFrame(geometry=[box(1_160_000, 1_860_000, 1_190_000, 1_900_000)])
    >>> rng = np.random.default_rng(1)
    >>> lon, lat = rng.uniform(-87.68, -87.58, 99), rng.uniform(41.78, 41.87, 99)
    >>> detect_units_crs(units, lon, lat).datum.id
    'EPSG:3435'
    """
    x, y = np.asarray(lon, dtype=np.float64), np.asarray(lat, dtype=np.float64)
    rows = np.flatnonzero(np.isfinite(x) & np.isfinite(y))
    rows = rows[:: max(1, len(rows) // _SAMPLE)]
    corners = shapely.get_coordinates(np.asarray(units.geometry.array, dtype=object))
    if not len(rows) or not len(corners):
        return _finding([], [])
    x, y = x[rows], y[rows]
    corners = corners[:: max(1, len(corners) // _SAMPLE)]
    west, east = np.quantile(x, (0.01, 0.99))
    south, north = np.quantile(y, (0.01, 0.99))
    found = frames(
        corners[:, 0],
        corners[:, 1],
        stated=None,
        bounds=(float(west), float(south), float(east), float(north)),
        reference=(),
    )
    tried = [(datum, _fit(units, datum, x, y)) for datum in found if not datum.swapped]
    tried.sort(key=lambda one: -one[1].share_inside)
    return _finding([datum for datum, _ in tried], [fit for _, fit in tried])


def crs_by_reports(
    units: gpd.GeoDataFrame, reports: str | Path, *, layer: str | None = None
) -> DatumFinding | None:
    """Find the CRS of units by a file of reports that has degrees.

    Parameters
    ----------
    units
        As for `detect_units_crs`.
    reports
        A file or service that `gisgrid.intake.open_source` opens; some thousand of its rows are looked at.
    layer
        The layer or sheet of it.

    Returns
    -------
    DatumFinding or None
        None where the file cannot be read, or has no degrees that are known without a reference.
    """
    try:
        source = open_source(reports, layer=layer)
        sample = source.sample(_SAMPLE)
        named = recognise(sample.table, has_geometry=sample.wkb is not None).columns
    except GisgridError:
        return None  # what is wrong with the reports is said when they are read
    known = [(kind, roles) for kind, roles in WHERE if set(roles) <= named.keys()]
    if known:
        kind, roles = known[0]
        columns = tuple(named[role] for role in roles)
        places = read_places(sample.table, sample.wkb, kind=kind, columns=columns)
    elif sample.wkb is not None:
        places = read_places(sample.table, sample.wkb, kind="geometry", columns=())
    else:
        return None
    lon, lat, usable = to_lonlat(places, Datum.of("wgs84" if source.crs is None else source.crs))
    if usable.usable.sum() < _LEAST_REPORTS:
        return None  # they are in metres of a CRS that nobody states
    return detect_units_crs(units, lon, lat)


def _fit(
    units: gpd.GeoDataFrame, datum: Datum, lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> Fit:
    def placed(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(datum.to_lonlat(xy[:, 0], xy[:, 1]))

    shapes = shapely.transform(shapely.force_2d(np.asarray(units.geometry.array)), placed)
    shapes = shapes[np.isfinite(shapely.bounds(shapes)).all(axis=1)]
    frame = gpd.GeoDataFrame(geometry=shapes, crs=LONLAT)
    nobody = np.zeros(0, np.int64)
    ground = Ground.of(Reference({"units": frame}, {}), None, len(lon))
    if ground is None:
        nowhere = np.zeros(len(lon), np.int8)
        return Fit(lon, lat, nowhere, nowhere - 1, np.empty(0))
    return ground.fit(lon, lat, np.arange(len(lon)), nobody)


def _finding(datums: list[Datum], fits: list[Fit]) -> DatumFinding:
    if not datums or fits[0].share_inside < _LEAST_INSIDE:
        said = Text(
            zh="没有任何已知坐标系能使单元与上报点重合",
            en="no known CRS brings the units to where the reports are",
        )
        advice = Text(
            zh="请说明单元的坐标系，例如 --units-crs EPSG:4547",
            en="state the CRS of the units, for example --units-crs EPSG:4547",
        )
        return DatumFinding(None, 0.0, (), (said,), advice)
    nobody = np.zeros(0, np.int64)
    margins = [evidence(fits[0], fit, inside=True, streets=False, rows=nobody) for fit in fits]
    weights = np.exp(-np.clip([0.0, *margins[1:]], -700, 700))
    scores = weights / weights.sum()
    candidates = tuple(
        Candidate(
            datum,
            float(score),
            fit.share_inside,
            None,
            None,
            Text(
                zh=f"{fit.share_inside:.1%} 的点落在单元内",
                en=f"{fit.share_inside:.1%} of the points lie in the units",
            ),
        )
        for datum, fit, score in zip(datums, fits, scores, strict=True)
    )
    best, sure = candidates[0], min(float(scores[0]), 0.9999)
    said = Text(
        zh=f"单元按 {best.datum.words.zh} 解释时，{best.why.zh}",
        en=f"with the units in {best.datum.words.en}, {best.why.en}",
    )
    if sure >= ACCEPTED:
        return DatumFinding(best.datum, sure, candidates, (said,), None)
    options = " / ".join(
        f"--units-crs {c.datum.id if c.datum.crs else 'EPSG:4326'}" for c in candidates[:2]
    )
    advice = Text(zh=f"请说明单元的坐标系：{options}", en=f"state the CRS of the units: {options}")
    return DatumFinding(None, sure, candidates, (said,), advice)
