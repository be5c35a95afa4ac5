"""Where do rasters of lights, buildings and residents draw the fringe? Polygons that a map can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.catalogue import Derivation
from gisgrid.crs import require_metres
from gisgrid.derived.incidents import demand, names_of
from gisgrid.derived.notes import Note, heard, left_out
from gisgrid.errors import InputError
from gisgrid.schema import Text
from gisgrid.surface import Surface
from gisgrid.zones import (
    CELL_CLASSES,
    R2022,
    R2023,
    REST,
    UNIT_CLASSES,
    classify_cells,
    classify_units,
    fringe_cells,
    known_within,
    place_density,
    two_breaks,
    urbanity_index,
)

BEYOND: Final = "cells of the raster beyond the city, of which nothing is known"
OFF_THE_GRID: Final = "units outside the population grid, which have no class"
_RULES: Final = {2022: R2022, 2023: R2023}


def fringe_breaks(
    lights: Surface,
    built: Surface,
    facilities: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    kinds: str = "convenience_store,supermarket,wet_market,bus_stop",
    n_rays: int = 72,
    n_bootstrap: int = 199,
    seed: int = 0,
) -> Derivation:
    """Draw the fringe between where the town begins to fall off and where it has fallen, and how sure both borders are.

    Parameters
    ----------
    lights, built
        Night lights and the built-up share, on the same cells in metres.
    facilities
        Points with `kind` and, where there is one, `status`: open ones of `kinds` are the third sign of a town.
    area
        The city: nothing is read beyond it, where the data end and not the town.
    kinds
        The kinds of facilities that are thick in a town, comma between.
    n_rays, n_bootstrap, seed
        As for `gisgrid.zones.two_breaks`.

    Returns
    -------
    Derivation
        One row per centre and type: `zone_id`, `centre`, `zone_type` (``core``, ``fringe``, and ``inner_band`` and
        ``outer_band``, in which each border lies with 95 % confidence), `area_km2`, `inner_m`, `outer_m` (medians over the
        rays), `n_rays`, `n_broken` (rays with both breaks), `r2` (the median fit), and the polygon.

    Raises
    ------
    CrsError
        A raster or the city that is not in metres.
    InputError
        Rasters on different cells, or no centre with a fringe.

    Notes
    -----
    See `gisgrid.zones.urbanity_index` and `gisgrid.zones.two_breaks`.
    """
    demand(facilities, "facilities", "kind")
    city = area.to_crs(require_metres(area, what="the distance of the breaks", name="area"))
    there = facilities["kind"].isin([each.strip() for each in kinds.split(",")])
    if "status" in facilities.columns:
        there &= facilities["status"] == "open"
    shops = place_density(facilities[there].to_crs(lights.crs), lights)
    city = city.to_crs(lights.crs)
    signs = {"lights": lights, "built": built, "shops": shops}
    known = {name: known_within(each, city) for name, each in signs.items()}
    notes: list[str] = []
    with heard(notes):
        index = urbanity_index(known, logarithm=("lights", "shops"))
        found = two_breaks(index, n_rays=n_rays, n_bootstrap=n_bootstrap, seed=seed)
    if found.zones.empty:
        raise InputError(
            f"the index of {', '.join(signs)} falls off in too few directions to draw a fringe; look at gisgrid zones breaks --rays-table"
        )
    by_centre = found.rays.groupby("centre", sort=False).agg(
        inner_m=("inner_m", "median"), outer_m=("outer_m", "median"), n_rays=("accepted", "size"), n_broken=("accepted", "sum"),
        r2=("r2", "median"),
    )  # fmt: skip
    zones = found.zones
    table = pd.DataFrame(
        {
            "zone_id": [f"{row.zone_type}-{row.centre}" for row in zones.itertuples()],
            "centre": zones["centre"].astype(np.int64),
            "zone_type": zones["zone_type"].astype("str"),
            "area_km2": zones.area / 1e6,
        }
    ).join(by_centre.loc[zones["centre"]].reset_index(drop=True).set_axis(zones.index))
    beyond = int((np.isfinite(lights.values) & ~np.isfinite(known["lights"].values)).sum())
    notes.append(
        Note(
            f"{int(by_centre['n_broken'].sum())} of {int(by_centre['n_rays'].sum())} rays have two breaks",
            f"{int(by_centre['n_rays'].sum())} 条射线中 {int(by_centre['n_broken'].sum())} 条有两个断点",
        )
    )
    frame = gpd.GeoDataFrame(table, geometry=_whole(zones.geometry)).to_crs(area.crs)
    return Derivation(frame, left_out({BEYOND: beyond}), tuple(notes))


def degurba_cells(residents: Surface, area: gpd.GeoDataFrame, *, rules: int = 2023) -> Derivation:
    """Draw the cells of a population grid with their Degree of Urbanisation, and which of them are fringe.

    Parameters
    ----------
    residents
        Residents per cell.
    area
        The city, in any CRS: cells that do not touch it are left out.
    rules
        The thresholds, of 2022 or 2023.

    Returns
    -------
    Derivation
        One row per cell: `cell_id` (row and column of the grid), `level2` (the class, as text), `residents`,
        `density_per_km2`, `zone_type` (``fringe`` or ``rest``), and the square.

    Raises
    ------
    CrsError
        A grid or a city without CRS.
    InputError
        No such rules, negative residents, or a grid whose cells are of no equal area.

    Notes
    -----
    See `gisgrid.zones.classify_cells` and `gisgrid.zones.fringe_cells`. On cells that are not 1 km² of an equal-area projection
    the classes are DEGURBA-like, and a note says so.
    """
    cells, notes = _classified(residents, rules)
    fringe = fringe_cells(cells).values == 1
    t, (height, width) = cells.transform, cells.values.shape
    row, column = (each.ravel() for each in np.indices((height, width)))
    west, north = t.c + column * t.a, t.f + row * t.e
    squares = shapely.box(west, north + t.e, west + t.a, north)
    city = shapely.union_all(area.geometry.to_crs(cells.crs).to_numpy())
    shapely.prepare(city)
    kept = np.flatnonzero(shapely.intersects(city, squares))
    people = np.nan_to_num(residents.values.astype(float), nan=0.0).ravel()[kept]
    table = gpd.GeoDataFrame(
        {
            "cell_id": [f"r{r:04d}c{c:04d}" for r, c in zip(row[kept], column[kept], strict=True)],
            "level2": pd.Series(cells.values.ravel()[kept].astype(int)).astype("str"),
            "residents": people.round().astype(np.int64),
            "density_per_km2": people / (cells.cell_area / 1e6),
            "zone_type": np.where(fringe.ravel()[kept], "fringe", REST),
        },
        geometry=squares[kept], crs=cells.crs,
    )  # fmt: skip
    notes.append(_count(table["level2"], CELL_CLASSES, "cells", "个像元"))
    lost = left_out({BEYOND: len(squares) - len(kept)})
    return Derivation(table.to_crs(area.crs), lost, tuple(notes))


def degurba_units(
    units: gpd.GeoDataFrame,
    residents: Surface,
    *,
    key: str,
    rules: int = 2023,
    unit_rules: int = 2024,
) -> Derivation:
    """Say of each unit whether it is city, town or village by the Degree of Urbanisation.

    Parameters
    ----------
    units
        Areas with `key`.
    residents
        Residents per cell.
    key
        The column that names a unit.
    rules
        The thresholds of the cells, of 2022 or 2023.
    unit_rules
        The rules of the units, of 2021 or 2024.

    Returns
    -------
    Derivation
        One row per unit, in their order: `key`, names, `level1`, `level2` (the classes, as text; missing outside the grid),
        `residents` (of the grid) and `share_30` to `share_11` (of them, by class of cell).

    Raises
    ------
    CrsError
        Units or grid without CRS.
    ColumnError
        No such key.
    InputError
        No such rules, negative residents, or a grid whose cells are of no equal area.

    Notes
    -----
    See `gisgrid.zones.classify_units`.
    """
    demand(units, "units", key)
    if unit_rules not in {2021, 2024}:
        raise InputError(f"no rules of units of {unit_rules}; there are those of 2021 and 2024")
    cells, notes = _classified(residents, rules)
    found = classify_units(units, cells, residents, year=2021 if unit_rules == 2021 else 2024)
    nowhere = found["level2"] == 0
    table = pd.DataFrame(units[[key, *names_of(map(str, units.columns))]]).assign(
        level1=found["level1"].astype("str").mask(nowhere),
        level2=found["level2"].astype("str").mask(nowhere),
        residents=found["residents"].round().astype(np.int64),
        **{str(name): found[name] for name in found if str(name).startswith("share_")},
    )
    notes.append(_count(table["level2"], UNIT_CLASSES, "units", "个单元"))
    frame = gpd.GeoDataFrame(table, geometry=units.geometry)
    return Derivation(frame, left_out({OFF_THE_GRID: int(nowhere.sum())}), tuple(notes))


def _classified(residents: Surface, rules: int) -> tuple[Surface, list[str]]:
    if rules not in _RULES:
        raise InputError(f"no rules of {rules}; there are those of 2022 and 2023")
    notes: list[str] = []
    with heard(notes):
        cells = classify_cells(residents, rules=_RULES[rules])
    return cells, notes


def _count(classes: pd.Series, names: Mapping[int, Text], what_en: str, what_zh: str) -> Note:
    n = classes.value_counts()
    there = [(code, text) for code, text in names.items() if n.get(str(code), 0)]
    en = ", ".join(f"{n[str(code)]} {text.en}" for code, text in there)
    zh = "，".join(f"{text.zh} {n[str(code)]} {what_zh}" for code, text in there)
    return Note(f"{what_en}: {en}", zh)


def _whole(shapes: gpd.GeoSeries) -> gpd.GeoSeries:
    """Keep the polygons of shapes that became collections when they were mended."""
    kept = []
    for shape in shapes.to_numpy():
        parts = shapely.get_parts(shape)
        kept.append(shapely.union_all(parts[shapely.get_dimensions(parts) == 2]))
    return gpd.GeoSeries(kept, shapes.index, crs=shapes.crs)
