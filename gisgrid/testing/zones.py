"""Where are the villages in the city, the villages before it, and the fringe around it?"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from gisgrid.testing.grids import CRS_CODE, Grid
from gisgrid.testing.ground import ORIGIN
from gisgrid.testing.names import Name, place_names
from gisgrid.testing.tessellation import dissolve

N_URBAN_VILLAGES, N_SUBURBAN_VILLAGES, N_FRINGE_ZONES = 14, 18, 8


def zone_frames(grid: Grid, rng: np.random.Generator) -> dict[str, gpd.GeoDataFrame]:
    """Draw the three kinds of zones as unions of compounds.

    Parameters
    ----------
    grid
        The city's units.
    rng
        The source of chance.

    Returns
    -------
    dict of GeoDataFrame
        urban_villages (inside the built-up city), suburban_villages (hearts of villages near it) and
        fringe_zones (an uneven ring around the built-up city, in parts).
    """
    shapes = grid.compounds.geometry.to_numpy()
    urban = np.isin(grid.setting, ["centre", "urban"])
    built_up = shapely.union_all(shapes[urban])
    return {
        "urban_villages": _village_frame(
            grid,
            _urban_villages(grid, shapes, rng),
            what="urban_village",
            ending=("城中村", " Urban Village"),
            rng=rng,
        ),
        "suburban_villages": _village_frame(
            grid,
            _suburban_villages(grid, shapes, built_up, rng),
            what="suburban_village",
            ending=("郊村", " Suburban Village"),
            rng=rng,
        ),
        "fringe_zones": _fringe_zones(shapes, built_up),
    }


def _urban_villages(
    grid: Grid, shapes: NDArray[np.object_], rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    rows = np.flatnonzero(
        (grid.setting == "urban") & (grid.compounds["kind"] != "institution").to_numpy()
    )
    middles = shapely.centroid(shapes)
    tree = shapely.STRtree(shapes)
    chosen: list[NDArray[np.int64]] = []
    places: list[shapely.Point] = []
    for first in rng.permutation(rows):
        if len(chosen) == N_URBAN_VILLAGES:
            break
        if places and shapely.distance(np.array(places), middles[first]).min() < 1_100:
            continue
        near = tree.query(shapes[first], predicate="touches")
        near = near[np.isin(near, rows)]
        near = near[
            np.argsort(shapely.length(shapely.intersection(shapes[near], shapes[first])))[::-1]
        ]
        near = near[shapely.length(shapely.intersection(shapes[near], shapes[first])) > 30]
        chosen.append(np.array([first, *near[: int(rng.integers(1, 4))]]))
        places.append(middles[first])
    return chosen


def _suburban_villages(
    grid: Grid, shapes: NDArray[np.object_], built_up: shapely.Geometry, rng: np.random.Generator
) -> list[NDArray[np.int64]]:
    owner = grid.compounds["community_code"].to_numpy()
    hearts = grid.setting == "nucleus"
    away = {
        code: float(built_up.distance(shapes[np.flatnonzero(hearts & (owner == code))[0]]))
        for code in np.unique(owner[hearts])
    }
    near = sorted(away, key=away.__getitem__)[: int(N_SUBURBAN_VILLAGES * 1.4)]
    drawn = sorted(rng.permutation(len(near))[:N_SUBURBAN_VILLAGES])
    return [np.flatnonzero(hearts & (owner == near[i])) for i in drawn]


def _village_frame(
    grid: Grid,
    members: list[NDArray[np.int64]],
    *,
    what: str,
    ending: Name,
    rng: np.random.Generator,
) -> gpd.GeoDataFrame:
    names = place_names(len(members), rng)
    shapes = grid.compounds.geometry.to_numpy()
    population = grid.compounds["population"].to_numpy()
    members = [_largest_part(shapes, rows) for rows in members]
    geometry = [dissolve(shapes[rows]) for rows in members]
    prefix = "".join(word[0] for word in what.split("_")).upper()
    return gpd.GeoDataFrame(
        {
            f"{what}_id": [f"{prefix}{number + 1:03d}" for number in range(len(members))],
            "name_zh": [zh + ending[0] for zh, _ in names],
            "name_en": [en + ending[1] for _, en in names],
            "population": np.array([population[rows].sum() for rows in members], dtype=np.int64),
            "area_km2": np.round(shapely.area(geometry) / 1e6, 6),
        },
        geometry=geometry,
        crs=CRS_CODE,
    )


def _fringe_zones(shapes: NDArray[np.object_], built_up: shapely.Geometry) -> gpd.GeoDataFrame:
    border = shapely.boundary(shapely.buffer(shapely.buffer(built_up, 300), -300))
    middles = shapely.centroid(shapes)
    shapely.prepare(built_up)
    inside = shapely.contains(built_up, middles)
    ring = shapely.distance(middles, border) < np.where(inside, 330.0, 800.0)
    xy = shapely.get_coordinates(middles) - ORIGIN
    sector = (
        (np.arctan2(xy[:, 0], xy[:, 1]) / (2 * np.pi) * N_FRINGE_ZONES + 0.5) % N_FRINGE_ZONES
    ).astype(np.int64)
    words = (("北", "North"), ("东北", "Northeast"), ("东", "East"), ("东南", "Southeast"), ("南", "South"),
             ("西南", "Southwest"), ("西", "West"), ("西北", "Northwest"))  # fmt: skip
    geometry = [
        dissolve(shapes[_largest_part(shapes, np.flatnonzero(ring & (sector == k)))])
        for k in range(N_FRINGE_ZONES)
    ]
    return gpd.GeoDataFrame(
        {
            "fringe_zone_id": [f"FZ{k + 1:02d}" for k in range(N_FRINGE_ZONES)],
            "name_zh": [f"{zh}部城乡结合部" for zh, _ in words],
            "name_en": [f"{en} Fringe" for _, en in words],
            "area_km2": np.round(shapely.area(geometry) / 1e6, 6),
        },
        geometry=geometry,
        crs=CRS_CODE,
    )


def _largest_part(shapes: NDArray[np.object_], rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep the rows that form the largest connected area."""
    parts = shapely.get_parts(dissolve(shapes[rows]))
    largest = parts[np.argmax(shapely.area(parts))]
    return np.asarray(rows[shapely.contains(largest, shapely.point_on_surface(shapes[rows]))])
