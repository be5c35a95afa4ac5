"""What does the statistical office call this village, and which villages lie at the city's edge?"""

from __future__ import annotations

from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, IndexMismatchError, InputError, did_you_mean
from gisgrid.schema import Text

URBAN_RURAL_CLASSES: Final[dict[str, Text]] = {
    "111": Text(zh="主城区", en="main urban area"),
    "112": Text(zh="城乡结合区", en="urban-rural fringe"),
    "121": Text(zh="镇中心区", en="town centre"),
    "122": Text(zh="镇乡结合区", en="town-rural fringe"),
    "123": Text(zh="特殊区域", en="special area"),
    "210": Text(zh="乡中心区", en="township centre"),
    "220": Text(zh="村庄", en="village"),
}
"""The classes of the statistical division codes (统计用城乡分类代码), one per village or residents' committee."""

FRINGE_CLASSES: Final = ("112", "122")
_COMMITTEE_DIGITS: Final = 12
_SHORT_DIGITS: Final = 9


def official_classes(
    units: gpd.GeoDataFrame,
    codes: pd.DataFrame,
    *,
    key: str,
    code: str = "code",
    urban_rural: str = "class",
) -> pd.DataFrame:
    """Give each community the official class of its committee.

    Parameters
    ----------
    units
        Communities, n of them.
    codes
        The list of statistical division codes: a row per committee.
    key
        The column of `units` with its 12-digit division code; longer codes (of grids inside) count by their first 12
        digits.
    code, urban_rural
        The columns of `codes` with the 12-digit code and with the class.

    Returns
    -------
    DataFrame
        Shape (n, 3), indexed like `units`: `urban_rural_class` (missing where the list has no such code), `is_fringe` (112
        or 122), and `name_differs`, missing where either has no column `name`.

    Raises
    ------
    ColumnError
        A column that is not there.
    InputError
        A code that stands twice with different classes, or a class that there is not.

    Notes
    -----
    Source: National Bureau of Statistics, classification codes of urban and rural areas for statistical use. The fringe of
    the official list is 112 and 122: committees that the town's facilities reach in part.

    Examples
    --------
    >>> units = gpd.GeoDataFrame({"community_code": ["110105001001", "110105001009"]})
    >>> codes = pd.DataFrame({"code": ["110105001001"], "class": ["112"]})
    >>> official_classes(units, codes, key="community_code")["urban_rural_class"].fillna("–").tolist()
    ['112', '–']
    """
    for name, frame, what in (
        (key, units, "units"),
        (code, codes, "codes"),
        (urban_rural, codes, "codes"),
    ):
        if name not in frame.columns:
            columns = [str(each) for each in frame.columns]
            raise ColumnError(f"no column {name!r} in {what}{did_you_mean(name, columns)}")
    listed = pd.DataFrame(
        {
            "code": codes[code].astype("str").str.strip(),
            "class": codes[urban_rural].astype("str").str.strip(),
        }
    )
    unknown = sorted(set(listed["class"]) - set(URBAN_RURAL_CLASSES))
    if unknown:
        raise InputError(
            f"codes holds the class {unknown[0]!r} and there are {', '.join(URBAN_RURAL_CLASSES)}; mend the list"
        )
    listed = listed.drop_duplicates()
    twice = listed.loc[listed["code"].duplicated(), "code"]
    if len(twice):
        raise InputError(
            f"code {twice.iloc[0]!r} stands in the list with more than one class ({len(twice)} such codes); keep the newest year"
        )
    own = units[key].astype("str").str.strip().str[:_COMMITTEE_DIGITS]
    short = own.str.len() == _SHORT_DIGITS  # a street's code names no committee
    found = own.mask(short).map(listed.set_index("code")["class"]).astype(object)
    table = pd.DataFrame({"urban_rural_class": found, "is_fringe": found.isin(FRINGE_CLASSES)})
    table["name_differs"] = None
    if "name" in units.columns and "name" in codes.columns:
        named = codes["name"].astype("str").groupby(codes[code].astype("str").str.strip()).first()
        names = own.map(named)
        table["name_differs"] = (names != units["name"].astype("str")).where(names.notna(), None)
    return table


def suburban_villages(
    villages: gpd.GeoDataFrame,
    built_up: gpd.GeoDataFrame,
    *,
    within_m: float,
    travel_minutes: pd.Series | None = None,
    within_minutes: float | None = None,
    measured: Literal["edge", "centre"] = "edge",
) -> pd.DataFrame:
    """Say which villages lie at the edge of the built-up area: by distance, or by the time it takes to get there.

    Parameters
    ----------
    villages
        Polygons (or points), n of them, in a projected CRS in metres.
    built_up
        The built-up area, in the same CRS.
    within_m
        The distance up to which a village is suburban.
    travel_minutes, within_minutes
        The time to the built-up area per village, indexed like `villages` (as from `gisgrid.access`), and the limit: given
        both, time decides where it is known.
    measured
        From the village's nearest edge, or from its centre (centroid).

    Returns
    -------
    DataFrame
        Shape (n, 4), indexed like `villages`: `distance_m` (0 where they touch), `share_built_up` (of its ground), `by`
        (``inside`` where most of it is built-up and it is no village at the edge any more, ``distance`` or ``time``),
        `is_suburban`.

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    InputError
        No built-up area, or a limit that is not above 0.
    IndexMismatchError
        Times indexed otherwise than the villages.
    """
    crs = require_metres(villages, what="distances to the built-up area", name="villages")
    if built_up.empty:
        raise InputError(
            "built_up holds no polygon, so no village is near it; give the built-up area"
        )
    if within_m <= 0 or (within_minutes is not None and within_minutes <= 0):
        raise InputError("the limits of distance and time are above 0, for example within_m=2000")
    if travel_minutes is not None and not travel_minutes.index.equals(villages.index):
        raise IndexMismatchError(
            "travel_minutes is indexed otherwise than villages; give travel_minutes.reindex(villages.index)"
        )
    town = shapely.union_all(built_up.geometry.to_crs(crs).to_numpy())
    shapely.prepare(town)
    shapes = villages.geometry.to_numpy()
    places = shapely.centroid(shapes) if measured == "centre" else shapes
    distance = shapely.distance(places, town)
    area = shapely.area(shapes)
    inside = shapely.area(shapely.intersection(shapes, town))
    share = np.divide(inside, area, out=(distance == 0).astype(float), where=area > 0)
    near, by = distance <= within_m, np.full(len(shapes), "distance", object)
    if travel_minutes is not None and within_minutes is not None:
        minutes = travel_minutes.to_numpy(dtype=float)
        known = np.isfinite(minutes)
        near, by = np.where(known, minutes <= within_minutes, near), np.where(known, "time", by)
    absorbed = share > 0.5
    return pd.DataFrame(
        {"distance_m": distance, "share_built_up": share, "by": np.where(absorbed, "inside", by), "is_suburban": near & ~absorbed},
        index=villages.index,
    )  # fmt: skip
