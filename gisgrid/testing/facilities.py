"""What stands where: streets with their names, public facilities, and the points that assessors visit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely import LineString

from gisgrid.testing.grids import CRS_CODE, Grid
from gisgrid.testing.ground import Floats
from gisgrid.testing.names import Name, place_names
from gisgrid.testing.places import Places
from gisgrid.testing.tessellation import Cut

_STREET_WORDS: Mapping[str, tuple[Name, ...]] = {
    "main": (("大道", " Avenue"), ("路", " Road")),
    "secondary": (("路", " Road"), ("街", " Street")),
    "alley": (("巷", " Alley"), ("里弄", " Lane"), ("胡同", " Hutong")),
}
_FACILITY_WORDS: Mapping[str, Name] = {
    "public_toilet": ("公厕", " Public Toilet"),
    "dry_toilet": ("旱厕", " Dry Toilet"),
    "wet_market": ("农贸市场", " Market"),
    "bus_stop": ("公交站", " Bus Stop"),
    "community_facility": ("服务中心", " Service Centre"),
}
_POINT_WORDS: Mapping[str, tuple[Name, int]] = {
    "main_street": (("测评路段", " Street Section"), 34),
    "commercial_street": (("商业街", " Shopping Street"), 14),
    "back_alley": (("背街", " Back Alley"), 34),
    "community": (("社区测评点", " Community Point"), 30),
    "compound": (("小区测评点", " Compound Point"), 34),
    "wet_market": (("集贸市场", " Market"), 20),
    "mall": (("商场", " Mall"), 14),
    "hotel": (("宾馆", " Hotel"), 12),
    "hospital": (("医院", " Hospital"), 10),
    "service_hall": (("办事大厅", " Service Hall"), 14),
    "square": (("广场", " Square"), 10),
    "bus_station": (("公交枢纽", " Bus Station"), 10),
}


def street_frame(
    main: Sequence[LineString], cuts: Sequence[Cut], rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Name the streets.

    Parameters
    ----------
    main
        Main streets, EPSG:4547.
    cuts
        The other streets and their kinds.
    rng
        The source of chance.

    Returns
    -------
    GeoDataFrame
        street_id, name_zh, name_en, kind; LineString.
    """
    lines = [*main, *(line for line, _ in cuts)]
    kinds = np.array(["main"] * len(main) + [kind for _, kind in cuts])
    order = np.argsort(
        [("main", "secondary", "alley").index(kind) for kind in kinds], kind="stable"
    )
    kinds = kinds[order]
    names = place_names(len(lines), rng)
    endings = [
        _STREET_WORDS[k][i % len(_STREET_WORDS[k])]
        for k, i in zip(kinds, rng.integers(0, 6, len(kinds)), strict=True)
    ]
    return gpd.GeoDataFrame(
        {
            "street_id": [f"S{number + 1:04d}" for number in range(len(lines))],
            "name_zh": [zh + end for (zh, _), (end, _) in zip(names, endings, strict=True)],
            "name_en": [en + end for (_, en), (_, end) in zip(names, endings, strict=True)],
            "kind": kinds.astype(object),
        },
        geometry=[lines[i] for i in order],
        crs=CRS_CODE,
    ).astype({"kind": "str"})


def facility_frame(
    grid: Grid, streets: gpd.GeoDataFrame, places: Places, rng: np.random.Generator
) -> gpd.GeoDataFrame:
    """Place toilets, markets, bus stops and community facilities where people live.

    Parameters
    ----------
    grid, streets, places
        Who lives where, and where points may lie.
    rng
        The source of chance.

    Returns
    -------
    GeoDataFrame
        facility_id, kind, name_zh, name_en, status, opened_on; Point.
    """
    people = grid.compounds["population"].to_numpy(dtype=np.float64)
    built = people * np.isin(grid.setting, ["centre", "urban"])
    rural = people * np.isin(grid.setting, ["nucleus", "field"])
    community = _one_per_community(grid, people, rng)
    where = {
        "public_toilet": draw_compounds(built + 0.4 * rural, 460, rng),
        "dry_toilet": draw_compounds(rural + 0.06 * built, 130, rng),
        "wet_market": draw_compounds(built + 0.5 * rural, 46, rng),
        "community_facility": community,
    }
    kinds = [*np.repeat(list(where), [len(rows) for rows in where.values()])]
    spots = np.concatenate(list(where.values()))
    xy = places.draw(spots, np.array([kind != "community_facility" for kind in kinds]), rng)
    stops = _bus_stops(streets)
    kinds += ["bus_stop"] * len(stops)
    table = pd.DataFrame({"kind": kinds})
    table["status"], table["opened_on"] = facility_states(table["kind"], rng)
    table["name_zh"], table["name_en"] = facility_names(
        table["kind"], streets, np.vstack([xy, stops]), _FACILITY_WORDS
    )
    table.insert(0, "facility_id", [f"F{number + 1:05d}" for number in range(len(table))])
    return gpd.GeoDataFrame(
        table[["facility_id", "kind", "name_zh", "name_en", "status", "opened_on"]],
        geometry=shapely.points(np.round(np.vstack([xy, stops]), 2)),
        crs=CRS_CODE,
    )


def assessment_frame(grid: Grid, places: Places, rng: np.random.Generator) -> gpd.GeoDataFrame:
    """Place the points that assessors visit, most of them in the built-up city.

    Parameters
    ----------
    grid, places
        Who lives where, and where points may lie.
    rng
        The source of chance.

    Returns
    -------
    GeoDataFrame
        assessment_point_id, kind, name_zh, name_en; Point.
    """
    people = grid.compounds["population"].to_numpy(dtype=np.float64)
    people = people * np.where(grid.setting == "field", 0.1, 1.0)
    kinds = [kind for kind, (_, n) in _POINT_WORDS.items() for _ in range(n)]
    spots = draw_compounds(people, len(kinds), rng)
    xy = places.draw(spots, np.ones(len(kinds), dtype=bool), rng)
    names = place_names(len(kinds), rng)
    return gpd.GeoDataFrame(
        {
            "assessment_point_id": [f"P{number + 1:04d}" for number in range(len(kinds))],
            "kind": kinds,
            "name_zh": [
                zh + _POINT_WORDS[kind][0][0] for (zh, _), kind in zip(names, kinds, strict=True)
            ],
            "name_en": [
                en + _POINT_WORDS[kind][0][1] for (_, en), kind in zip(names, kinds, strict=True)
            ],
        },
        geometry=shapely.points(np.round(xy, 2)),
        crs=CRS_CODE,
    )


def draw_compounds(weight: Floats, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Draw compounds without repeats, in proportion to a weight.

    Parameters
    ----------
    weight
        Shape (compounds,).
    n
        How many.
    rng
        The source of chance.

    Returns
    -------
    ndarray
        Shape (n,), rows.
    """
    return np.asarray(rng.choice(len(weight), n, replace=False, p=weight / weight.sum()))


def _one_per_community(grid: Grid, people: Floats, rng: np.random.Generator) -> NDArray[np.int64]:
    codes = grid.compounds["community_code"].to_numpy()
    score = people * rng.random(len(people))
    order = np.lexsort((-score, codes))
    return np.asarray(order[np.unique(codes[order], return_index=True)[1]])


def _bus_stops(streets: gpd.GeoDataFrame) -> Floats:
    """Put a stop every half kilometre along main streets, every 700 m along longer secondary ones."""
    stops = []
    for kind, every, least in (("main", 500.0, 400.0), ("secondary", 700.0, 900.0)):
        for line in streets.geometry[streets["kind"] == kind]:
            if line.length > least:
                along = np.arange(every / 2, line.length, every)
                stops.append(shapely.get_coordinates(shapely.line_interpolate_point(line, along)))
    return np.vstack(stops)


def facility_states(kind: pd.Series, rng: np.random.Generator) -> tuple[pd.Series, pd.Series]:
    """Draw whether facilities are open, and since when.

    Parameters
    ----------
    kind
        Shape (n,).
    rng
        The source of chance.

    Returns
    -------
    status, opened_on : Series
        Shape (n,); dates, missing where nobody knows.
    """
    return _statuses(kind, rng), _opening(len(kind), rng)


def _statuses(kind: pd.Series, rng: np.random.Generator) -> pd.Series:
    chance = rng.random(len(kind))
    dry = kind == "dry_toilet"
    status = np.select(
        [dry & (chance < 0.55), dry & (chance < 0.75), ~dry & (chance < 0.03)],
        ["converted", "closed", "closed"],
        "open",
    )
    return pd.Series(status, dtype="str")


def _opening(n: int, rng: np.random.Generator) -> pd.Series:
    days = np.datetime64("1988-01-01", "D") + rng.integers(0, 13_300, n)
    dates = pd.Series(days.astype("datetime64[D]").astype(object), dtype=object)
    return dates.where(rng.random(n) > 0.12, None)


def facility_names(
    kinds: pd.Series, streets: gpd.GeoDataFrame, xy: Floats, words_of: Mapping[str, Name]
) -> tuple[pd.Series, pd.Series]:
    """Call each facility after the nearest street, numbered where there are several.

    Parameters
    ----------
    kinds
        Shape (n,).
    streets
        With their names.
    xy
        Shape (n, 2), where they stand.
    words_of
        What each kind is called.

    Returns
    -------
    zh, en : Series
        Shape (n,).
    """
    named = streets[streets["kind"] != "alley"]
    _, at = shapely.STRtree(named.geometry.to_numpy()).query_nearest(
        shapely.points(xy), all_matches=False
    )
    zh, en = (named[name].to_numpy()[at] for name in ("name_zh", "name_en"))
    serial = (pd.Series(zh).groupby([pd.Series(zh), kinds]).cumcount() + 1).astype("str")
    words = kinds.map(words_of)
    return (
        (pd.Series(zh) + serial + "号" + words.str[0]).astype("str"),
        (pd.Series(en) + words.str[1] + " " + serial).astype("str"),
    )
