"""What `gisgrid zones degurba`, `breaks` and `statistics` do: read rasters, ask, write."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any, Final, Literal, get_args

import geopandas as gpd
import numpy as np
import pandas as pd
import rasterio

from gisgrid.cli.inputs import Inputs
from gisgrid.cli.outcomes import (
    Column,
    Listing,
    Number,
    Outcome,
    require_output,
    with_columns,
    write,
)
from gisgrid.cli.zones.grids import RASTERS, as_share, polygons
from gisgrid.errors import InputError, OutputError, did_you_mean
from gisgrid.files import FRAME_SUFFIXES, read_surface
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text
from gisgrid.surface import Surface
from gisgrid.zones import (
    CELL_CLASSES,
    R2022,
    R2023,
    UNIT_CLASSES,
    Rules,
    classify_raster,
    classify_units,
    fringe_cells,
    zonal_statistics,
)
from gisgrid.zones.zonal import Rule, Statistic

_LEVEL1: Final[dict[int, Text]] = {
    3: Text(zh="城市中心", en="urban centre"),
    2: Text(zh="城镇群", en="urban cluster"),
    1: Text(zh="乡村", en="rural"),
    0: Text(zh="水域", en="water"),
}
_RULES: Final = {2022: R2022, 2023: R2023}


@dataclass(frozen=True)
class DegurbaRequest:
    """What the user asked `zones degurba` for."""

    population: str
    output: Path
    land: str | None = None
    built: str | None = None
    rules: int = 2023
    rule: tuple[str, ...] = ()
    level: Literal[1, 2] = 2
    units: str | None = None
    unit_rules: Literal[2021, 2024] = 2024
    zones: Path | None = None
    crs: str | None = None


def degurba(request: DegurbaRequest, *, progress: Progress = silent) -> Outcome:
    """Classify cells, or units, by the Degree of Urbanisation.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Outcome
        What came of it; it is written already.

    Raises
    ------
    InputError, CrsError, OutputError
        A raster, a rule or an output that cannot be used.
    """
    rules = _rules(request)
    is_raster = _checked_degurba(request)
    inputs = Inputs(crs=request.crs)
    units = None if request.units is None else inputs.frame(request.units, "units", shapes="areas")
    with tempfile.TemporaryDirectory() as folder, inputs.heard():
        population = inputs.raster(request.population, "population")
        land, built = (
            None if place is None else as_share(inputs.raster(place, name), name, inputs, Path(folder))
            for name, place in (("land", request.land), ("built", request.built))
        )  # fmt: skip
        cells = request.output if is_raster else Path(folder) / "cells.tif"
        level: Literal[1, 2] = 2 if units is not None else request.level
        classify_raster(
            population, cells, land=land, built=built, rules=rules, level=level, progress=progress
        )
        listings = [_cells_listing(cells, level)]
        made: dict[Path, pd.DataFrame] = {}
        if units is not None:
            progress("working", 0.0)
            found = classify_units(
                units, read_surface(cells), read_surface(Path(population)), year=request.unit_rules
            )
            made[request.output] = with_columns(units, found)
            listings.append(_units_listing(found, inputs))
            progress("working", 1.0)
        if request.zones is not None:
            made[request.zones] = _zones_of(read_surface(cells))
    return write(
        made, command="zones degurba", title=Text(zh="城市化程度", en="Degree of Urbanisation"), inputs=inputs,
        options=asdict(request) | {"thresholds": asdict(rules)}, listings=listings,
        written=[request.output] if is_raster else [],
    )  # fmt: skip


@dataclass(frozen=True)
class StatisticsRequest:
    """What the user asked `zones statistics` for."""

    areas: str
    raster: str
    output: Path
    statistics: tuple[str, ...] = ("mean",)
    rule: str = "share"
    nodata: float | None = None
    crs: str | None = None


def statistics(request: StatisticsRequest, *, progress: Progress = silent) -> Outcome:
    """Summarise a raster in each area.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Outcome
        What came of it; it is written already.

    Raises
    ------
    InputError, CrsError, OutputError
        Areas, a raster or an output that cannot be used.
    """
    require_output(request.output)
    wanted: list[Statistic] = []
    for name in request.statistics:
        if name not in get_args(Statistic):
            raise InputError(
                f"--statistic {name!r} is none{did_you_mean(name, get_args(Statistic))}; there are {', '.join(get_args(Statistic))}"
            )
        wanted.append(name)  # type: ignore[arg-type]  # it is one of them
    rule: Rule = "centre" if request.rule == "centre" else "share"
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    areas = inputs.frame(request.areas, "areas", shapes="areas")
    raster = inputs.raster(request.raster, "raster")
    progress("reading", 1.0)
    progress("working", 0.0)
    with inputs.heard():
        found = zonal_statistics(areas, raster, statistics=wanted, rule=rule, nodata=request.nodata)
    progress("working", 1.0)
    empty = int((found["n_cells"] == 0).sum())
    part = int(((found["share_known"] < 0.99) & (found["n_cells"] > 0)).sum())
    if empty:
        inputs.note(
            f"{empty} 个区域内没有有值的像元，统计值为空",
            f"{empty} areas hold no cell with a value, and their statistics are missing",
        )
    columns = (Column("statistic", Text(zh="统计量", en="statistic")), *(
        Column(name, words, ",.4g") for name, words in (
            ("lowest", Text(zh="最小", en="lowest")), ("median", Text(zh="中位", en="median")), ("highest", Text(zh="最大", en="highest")),
        )
    ))  # fmt: skip
    rows = pd.DataFrame(
        [(name, found[name].min(), found[name].median(), found[name].max()) for name in wanted],
        columns=["statistic", "lowest", "median", "highest"],
    )
    return write(
        {request.output: with_columns(areas, found)}, command="zones statistics", title=Text(zh="分区统计", en="Statistics of areas"),
        inputs=inputs, options=asdict(request), listings=[Listing("statistics", Text(zh="各区域", en="Over the areas"), rows, columns)],
        numbers=[
            Number("n_areas", Text(zh="区域", en="areas"), len(areas)), Number("n_empty", Text(zh="没有像元的区域", en="areas without a cell"), empty),
            Number("n_partly_known", Text(zh="部分无数据的区域", en="areas partly without data"), part),
        ],
    )  # fmt: skip


def _checked_degurba(request: DegurbaRequest) -> bool:
    is_raster = request.output.suffix in RASTERS
    require_output(request.output, (*RASTERS, *FRAME_SUFFIXES, ".csv"))
    if is_raster == (request.units is not None):
        raise OutputError(
            f"{request.output.name!r} is {'a raster, and --units asks for units' if is_raster else 'for units, and no --units are given'}; "
            "give .tif for the cells, or --units and for example .gpkg"
        )
    if request.zones is not None:
        require_output(request.zones, FRAME_SUFFIXES)
    if request.level == 1 and (request.units is not None or request.zones is not None):
        raise InputError("units and zones are made from cells of level 2; leave --level 1 out")
    return is_raster


def _rules(request: DegurbaRequest) -> Rules:
    if request.rules not in _RULES:
        raise InputError(f"--rules {request.rules} are none; there are 2022 and 2023")
    names = {field.name for field in fields(Rules)}
    given: dict[str, Any] = {}
    for text in request.rule:
        name, sign, value = text.partition("=")
        if name not in names or not sign:
            raise InputError(
                f"--rule {text!r} is no threshold{did_you_mean(name, names)}; write NAME=VALUE with one of {', '.join(sorted(names))}"
            )
        try:
            number = (
                None
                if value == "none" and name == "centre_built"
                else value
                if name == "centre_smoothing"
                else float(value)
            )
        except ValueError as error:
            raise InputError(
                f"--rule {text!r} has no number behind '='; write for example {name}=300"
            ) from error
        given[name] = (
            int(number)
            if name in {"semi_contiguity", "semi_distance", "window"} and isinstance(number, float)
            else number
        )
    return replace(_RULES[request.rules], **given)


def _cells_listing(cells: Path, level: Literal[1, 2]) -> Listing:
    counts = np.zeros(256, np.int64)
    with rasterio.open(cells) as file:
        for _, window in file.block_windows(1):
            counts += np.bincount(file.read(1, window=window).ravel(), minlength=256)
    names = CELL_CLASSES if level == 2 else _LEVEL1
    rows = pd.DataFrame(
        [(code, text.zh, text.en, int(counts[code])) for code, text in names.items()],
        columns=["class", "zh", "en", "n_cells"],
    )
    rows["share"] = rows["n_cells"] / rows["n_cells"].sum()
    return Listing("cells", Text(zh="像元", en="Cells"), rows, (
        Column("class", Text(zh="类", en="class"), "d"), Column("zh", Text(zh="名称", en="in Chinese")), Column("en", Text(zh="英文", en="name")),
        Column("n_cells", Text(zh="像元数", en="cells"), ",d"), Column("share", Text(zh="占比", en="share"), ".1%"),
    ))  # fmt: skip


def _units_listing(found: pd.DataFrame, inputs: Inputs) -> Listing:
    if nowhere := int((found["level2"] == 0).sum()):
        inputs.note(
            f"{nowhere} 个单元在人口栅格之外，没有类别",
            f"{nowhere} units lie outside the population grid and have no class",
        )
    by_class = found.groupby("level2")["residents"].agg(["size", "sum"])
    rows = pd.DataFrame(
        [
            (
                code,
                text.zh,
                text.en,
                int(by_class["size"].get(code, 0)),
                float(by_class["sum"].get(code, 0.0)),
            )
            for code, text in UNIT_CLASSES.items()
        ],
        columns=["class", "zh", "en", "n_units", "residents"],
    )
    return Listing("units", Text(zh="单元", en="Units"), rows, (
        Column("class", Text(zh="类", en="class"), "d"), Column("zh", Text(zh="名称", en="in Chinese")), Column("en", Text(zh="英文", en="name")),
        Column("n_units", Text(zh="单元数", en="units"), ",d"), Column("residents", Text(zh="人口", en="residents"), ",.0f"),
    ))  # fmt: skip


def _zones_of(cells: Surface) -> gpd.GeoDataFrame:
    """Draw core (urban centres, dense clusters) and fringe."""
    classes = np.nan_to_num(cells.values, nan=0.0)
    return polygons(
        {"core": np.isin(classes, (30, 23)), "fringe": fringe_cells(cells).values == 1}, cells
    )
