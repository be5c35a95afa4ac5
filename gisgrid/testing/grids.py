"""Who lives where, and what are the units called: the three levels of the synthetic city's grid as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from gisgrid.testing.districts import (
    N_STREETS,
    N_TOWNSHIPS,
    group_communities,
    town_seats,
)
from gisgrid.testing.ground import ORIGIN, Floats
from gisgrid.testing.names import Name, ordinal_zh, place_names
from gisgrid.testing.tessellation import Division, dissolve

CRS_CODE = "EPSG:4547"
COUNTY_CODE = "419801"
"""No county has this code: there is no prefecture 4198."""

_URBAN_DENSITY, _NUCLEUS_DENSITY, _FIELD_DENSITY = 5_400.0, 4_000.0, 1_250.0  # residents/km²
_KIND_DENSITY: Mapping[str, float] = {
    "gated_compound": 1.08, "old_compound": 1.12, "institution": 0.62, "village_group": 1.0,
}  # fmt: skip


@dataclass(frozen=True)
class Grid:
    """The three levels, in the columns of the catalogue.

    Attributes
    ----------
    subdistricts, communities, compounds
        The frames, sorted by code.
    setting
        Shape of `compounds`: centre, urban, nucleus, field or water.
    neighbours
        Pairs (rows of `communities`) that share a border or a corner.
    """

    subdistricts: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame
    compounds: gpd.GeoDataFrame
    setting: NDArray[np.str_]
    neighbours: NDArray[np.int64]


_SUBDISTRICT_COLUMNS = (
    "subdistrict_code", "county_code", "name_zh", "name_en", "kind", "population", "area_km2",
)  # fmt: skip
_COMMUNITY_COLUMNS = (
    "community_code", "subdistrict_code", "name_zh", "name_en", "kind", "urban_rural_class", "population", "area_km2",
)  # fmt: skip
_COMPOUND_COLUMNS = (
    "compound_code", "community_code", "name_zh", "name_en", "kind", "built_year", "population", "area_km2",
)  # fmt: skip


def grid_frames(division: Division, rng: np.random.Generator) -> Grid:
    """Name, code and populate the units of a division.

    Parameters
    ----------
    division
        The polygons and who belongs to whom.
    rng
        The source of chance.

    Returns
    -------
    Grid
        In EPSG:4547.
    """
    middles = shapely.get_coordinates(shapely.centroid(division.communities)) - ORIGIN
    pairs = _touching(division.communities)
    beside = shapely.length(shapely.intersection(*division.communities[pairs.T])) > 0
    district = group_communities(middles, division.urban, pairs[beside], rng)
    subdistricts = _subdistrict_rows(division, district, middles, rng)
    kind_of = subdistricts.set_index("district")["kind"]
    communities = _community_rows(
        division, district, kind_of=kind_of, middles=middles, pairs=pairs, rng=rng
    )
    communities = communities.merge(subdistricts[["district", "subdistrict_code"]], on="district")
    communities["community_code"] = communities["subdistrict_code"] + _serials(
        communities, "subdistrict_code"
    )
    compounds = _compound_rows(division, communities.set_index("unit"), rng)

    communities["population"] = _residents(compounds, communities["community_code"])
    subdistricts["population"] = _residents(communities, subdistricts["subdistrict_code"])
    communities = communities.sort_values("community_code")
    rank = np.empty(len(communities), dtype=np.int64)
    rank[communities["unit"].to_numpy()] = np.arange(len(communities))
    compounds = compounds.sort_values("compound_code")
    return Grid(
        subdistricts=_frame(subdistricts.sort_values("subdistrict_code"), _SUBDISTRICT_COLUMNS),
        communities=_frame(communities, _COMMUNITY_COLUMNS),
        compounds=_frame(compounds, _COMPOUND_COLUMNS),
        setting=compounds["setting"].to_numpy(dtype=np.str_),
        neighbours=rank[pairs],
    )


def _residents(children: pd.DataFrame, codes: pd.Series) -> NDArray[np.int64]:
    """Add up the residents of the units that lie in each parent."""
    summed = children.groupby(str(codes.name))["population"].sum()
    return np.asarray(summed.reindex(codes), dtype=np.int64)


def _frame(rows: pd.DataFrame, columns: Sequence[str]) -> gpd.GeoDataFrame:
    geometry = rows["geometry"].to_numpy()
    rows = rows.assign(area_km2=np.round(shapely.area(geometry) / 1e6, 6))
    return gpd.GeoDataFrame(
        rows[list(columns)].reset_index(drop=True), geometry=geometry, crs=CRS_CODE
    )


def _touching(units: NDArray[np.object_]) -> NDArray[np.int64]:
    pairs = shapely.STRtree(units).query(units, predicate="touches").T
    return np.asarray(pairs[pairs[:, 0] < pairs[:, 1]])


def _subdistrict_rows(
    division: Division, district: NDArray[np.int64], middles: Floats, rng: np.random.Generator
) -> pd.DataFrame:
    numbers = np.unique(district)
    away = {k: float(np.hypot(*middles[district == k].T).mean()) for k in numbers}
    streets = sorted((k for k in numbers if k < N_STREETS), key=away.__getitem__)
    outer = sorted((k for k in numbers if k >= N_STREETS), key=away.__getitem__)
    rows = []
    names = place_names(len(numbers), rng)
    suffix = {
        "street": ("街道", " Subdistrict"),
        "town": ("镇", " Town"),
        "township": ("乡", " Township"),
    }
    for rank, k in enumerate([*streets, *outer]):
        outer_rank = rank - len(streets)
        kind, number = (
            ("street", rank + 1)
            if outer_rank < 0
            else ("town", 100 + outer_rank)
            if outer_rank < len(outer) - N_TOWNSHIPS
            else ("township", 200 + outer_rank - len(outer) + N_TOWNSHIPS)
        )
        zh, en = names[rank]
        rows.append(
            {
                "district": k,
                "subdistrict_code": f"{COUNTY_CODE}{number:03d}",
                "county_code": COUNTY_CODE,
                "name_zh": zh + suffix[kind][0],
                "name_en": en + suffix[kind][1],
                "kind": kind,
                "geometry": dissolve(division.compounds[district[division.community] == k]),
            }
        )
    return pd.DataFrame(rows)


def _community_rows(
    division: Division,
    district: NDArray[np.int64],
    *,
    kind_of: pd.Series,
    middles: Floats,
    pairs: NDArray[np.int64],
    rng: np.random.Generator,
) -> pd.DataFrame:
    n = len(district)
    urban = division.urban
    edge = np.zeros(n, dtype=bool)
    edge[pairs[urban[pairs[:, 0]] != urban[pairs[:, 1]]].ravel()] = True
    seat = town_seats(district, urban, middles)
    by_seat = np.zeros(n, dtype=bool)
    by_seat[pairs[seat[pairs].any(axis=1)].ravel()] = True
    outlying = kind_of.reindex(district).to_numpy() == "township"
    classes = np.select(
        [
            urban & ~edge,
            urban,
            seat & outlying,
            seat,
            edge & (rng.random(n) < 0.5),
            by_seat & ~outlying & ~edge,
        ],
        ["111", "112", "210", "121", "112", "122"],
        "220",
    )
    is_community = urban | seat
    kind = np.where(is_community, "community", "village")
    names = place_names(n, rng)
    return pd.DataFrame(
        {
            "unit": np.arange(n),
            "district": district,
            "name_zh": [
                zh + ("社区" if c else "村") for (zh, _), c in zip(names, is_community, strict=True)
            ],
            "name_en": [
                en + (" Community" if c else " Village")
                for (_, en), c in zip(names, is_community, strict=True)
            ],
            "kind": kind,
            "urban_rural_class": classes,
            "geometry": division.communities,
        }
    )


def _serials(rows: pd.DataFrame, parent: str) -> pd.Series:
    """Three digits, from west to east and then from north to south within the parent."""
    base = (
        np.where(rows["kind"] == "village", 200, 1)
        if "urban_rural_class" in rows
        else np.ones(len(rows), dtype=int)
    )
    shapes = rows["geometry"].to_numpy()
    middle, bounds = shapely.get_coordinates(shapely.centroid(shapes)), shapely.bounds(shapes)
    height = bounds[:, 3] - bounds[:, 1]
    serial = np.empty(len(rows), dtype=np.int64)
    groups = pd.DataFrame({"parent": rows[parent].to_numpy(), "base": base}).groupby(
        ["parent", "base"]
    )
    for at in groups.indices.values():
        x, y = middle[at].T
        serial[at[np.lexsort((x, _rows(y, 0.7 * float(np.median(height[at])))))]] = np.arange(
            len(at)
        )
    return pd.Series([f"{number:03d}" for number in base + serial], index=rows.index, dtype="str")


def _rows(y: NDArray[np.float64], reach: float) -> NDArray[np.int64]:
    """Give each unit its row from the north: a row takes the northernmost left and all that lie less than `reach` south."""
    row = np.zeros(len(y), dtype=np.int64)
    north, number = np.inf, -1
    for i in np.argsort(-y, kind="stable"):
        if north - y[i] >= reach:
            north, number = y[i], number + 1
        row[i] = number
    return row


def _compound_rows(
    division: Division, communities: pd.DataFrame, rng: np.random.Generator
) -> pd.DataFrame:
    n = len(division.compounds)
    owner = communities.loc[division.community]
    area = shapely.area(division.compounds) / 1e6
    away = (
        np.hypot(*(shapely.get_coordinates(shapely.centroid(division.compounds)) - ORIGIN).T) / 1e3
    )
    urban = division.urban[division.community]
    kind = np.where(
        urban,
        np.where(
            rng.random(n) < 0.10,
            "institution",
            np.where(
                rng.random(n) < np.clip(0.75 - 0.12 * away, 0.08, 0.7),
                "old_compound",
                "gated_compound",
            ),
        ),
        "village_group",
    )
    kind[division.water] = "institution"
    density = np.where(
        urban,
        _URBAN_DENSITY * (1.14 - 0.045 * away),
        np.where(division.nucleus, _NUCLEUS_DENSITY, _FIELD_DENSITY),
    )
    density = density * pd.Series(kind).map(_KIND_DENSITY).to_numpy() * rng.lognormal(-0.02, 0.2, n)
    population = np.where(division.water, 0, np.round(area * density)).astype(np.int64)
    year = np.where(
        kind == "old_compound", rng.integers(1968, 2000, n), rng.integers(2000, 2024, n)
    )
    known = np.isin(kind, ["old_compound", "gated_compound"]) & (rng.random(n) > 0.06)
    setting = np.select(
        [division.water, urban & (away < 2.6), urban, division.nucleus],
        ["water", "centre", "urban", "nucleus"],
        "field",
    )
    rows = pd.DataFrame(
        {
            "community_code": owner["community_code"].to_numpy(),
            "kind": kind,
            "built_year": pd.array(np.where(known, year, 0), dtype="Int64"),
            "population": population,
            "setting": setting,
            "geometry": division.compounds,
        }
    )
    rows.loc[~known, "built_year"] = pd.NA
    rows["compound_code"] = rows["community_code"] + _serials(rows, "community_code")
    rows["name_zh"], rows["name_en"] = _compound_names(rows, owner, rng)
    return rows


def _compound_names(
    rows: pd.DataFrame, owner: pd.DataFrame, rng: np.random.Generator
) -> tuple[list[str], list[str]]:
    endings: Mapping[str, tuple[Name, ...]] = {
        "gated_compound": (("花园", " Garden"), ("家园", " Homes"), ("小区", " Residences"), ("公馆", " Mansion"), ("新城", " New Town")),
        "old_compound": (("楼院", " Courtyard"), ("家属院", " Staff Housing"), ("大院", " Old Yard")),
        "institution": (("机关院", " Offices"), ("学校", " School"), ("厂区", " Works"), ("医院", " Hospital")),
    }  # fmt: skip
    drawn = place_names(len(rows), rng)
    pick = rng.integers(0, 60, len(rows))
    numbers = rows["compound_code"].str[-3:].astype(int)
    zh: list[str] = []
    en: list[str] = []
    columns = zip(
        rows["kind"],
        rows["setting"],
        numbers,
        owner["name_zh"],
        owner["name_en"],
        pick,
        drawn,
        strict=False,
    )
    for kind, setting, number, owner_zh, owner_en, choice, (base_zh, base_en) in columns:
        if setting == "water":
            zh.append(f"{owner_zh}河段{ordinal_zh(number)}")
            en.append(f"{owner_en} River Reach {number}")
        elif kind == "village_group":
            zh.append(f"{owner_zh}第{ordinal_zh(number)}组")
            en.append(f"{owner_en} Group {number}")
        else:
            ending = endings[kind][choice % len(endings[kind])]
            zh.append(base_zh + ending[0])
            en.append(base_en + ending[1])
    return zh, en
