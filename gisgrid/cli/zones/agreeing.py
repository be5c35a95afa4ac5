"""What `gisgrid zones shares` and `agree` do: hold units against zones, and ways of drawing them against each other."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import pandas as pd
import shapely
from pyproj import CRS

from gisgrid.cli.inputs import Inputs, require_column
from gisgrid.cli.outcomes import (
    Column,
    Listing,
    Number,
    Outcome,
    require_output,
    with_columns,
    write,
)
from gisgrid.errors import InputError
from gisgrid.grids import tessellate
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text
from gisgrid.zones import REST, agreement, zone_shares

_UNCLEAR: Final = 0.2


@dataclass(frozen=True)
class SharesRequest:
    """What the user asked `zones shares` for."""

    units: str
    zones: tuple[str, ...]
    output: Path
    column: str = "zone_type"
    error_m: float = 20.0
    crs: str | None = None


def shares(request: SharesRequest, *, progress: Progress = silent) -> Outcome:
    """Give units, or reports, their zone by the share of their ground.

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
    InputError, ColumnError, CrsError, OutputError
        A file, a column or an output that cannot be used.
    """
    require_output(request.output)
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    units = inputs.frame(request.units, "units", metric=True)
    crs = CRS(units.crs)
    zones = pd.concat(
        [_zones(place, f"zones {at + 1}", request.column, crs, inputs) for at, place in enumerate(request.zones)], ignore_index=True
    )  # fmt: skip
    progress("reading", 1.0)
    progress("working", 0.0)
    grounds = units
    if bool((shapely.get_dimensions(units.geometry.to_numpy()) == 0).all()):
        if not request.error_m > 0:
            raise InputError(
                f"--error-m is {request.error_m:g} and no place is known exactly; give metres above 0, for example 20"
            )
        inputs.note(
            f"点按半径 {request.error_m:g} 米的圆计算",
            f"points count as circles of {request.error_m:g} m",
        )
        grounds = units.set_geometry(units.geometry.buffer(request.error_m))
    found = zone_shares(grounds, gpd.GeoDataFrame(zones, crs=crs))
    progress("working", 1.0)
    counts = found["zone_type"].value_counts()
    rows = pd.DataFrame({"zone_type": counts.index, "n_units": counts.to_numpy()})
    return write(
        {request.output: with_columns(units, found)}, command="zones shares", title=Text(zh="单元所属区域", en="Zones of units"), inputs=inputs,
        options=asdict(request), numbers=[
            Number("n_units", Text(zh="单元", en="units"), len(units)),
            Number("n_unclear", Text(zh="把握低于 0.2", en="with a confidence below 0.2"), int((found["confidence"] < _UNCLEAR).sum())),
        ],
        listings=[Listing("types", Text(zh="类别", en="Types"), rows, (
            Column("zone_type", Text(zh="类别", en="type")), Column("n_units", Text(zh="单元数", en="units"), ",d"),
        ))],
    )  # fmt: skip


@dataclass(frozen=True)
class AgreeRequest:
    """What the user asked `zones agree` for."""

    ways: tuple[str, ...]
    output: Path
    units: str | None = None
    cell_m: float = 500.0
    weights: str | None = None
    types: tuple[str, ...] = ()
    column: str = "zone_type"
    crs: str | None = None


def agree(request: AgreeRequest, *, progress: Progress = silent) -> Outcome:
    """Say where ways of drawing zones agree.

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
    InputError, ColumnError, CrsError, OutputError
        Fewer than two ways, a file, a column or an output that cannot be used.
    """
    require_output(request.output)
    named = _named_ways(request.ways)
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    units = (
        None
        if request.units is None
        else inputs.frame(request.units, "units", metric=True, shapes="areas")
    )
    first = next(iter(named.values()))
    crs = CRS((units if units is not None else inputs.frame(first, "first", metric=True)).crs)
    drawn = {
        name: _zones(place, name, request.column, crs, inputs) for name, place in named.items()
    }
    inputs.files.pop("first", None)
    if request.types:
        drawn = {name: each[each["zone_type"].isin(request.types)] for name, each in drawn.items()}
    if units is None:
        whole = gpd.GeoDataFrame(
            geometry=[shapely.union_all(pd.concat(drawn.values()).geometry.to_numpy())], crs=crs
        )
        units = tessellate(whole, cell_m=request.cell_m, shape="square")
        inputs.note(
            f"按 {request.cell_m:g} 米方格、在各方法合起来的范围内比较",
            f"compared on squares of {request.cell_m:g} m, over the ground of all ways together",
        )
    if request.weights is not None:
        require_column(units, request.weights, option="--weights", role="units")
    progress("reading", 1.0)
    progress("working", 0.0)
    types = {name: zone_shares(units, each)["zone_type"] for name, each in drawn.items()}
    weights = (
        units.geometry.area if request.weights is None else units[request.weights].astype(float)
    )
    pairs, agreed = agreement(types, weights=weights)
    progress("working", 1.0)
    table = pairs.reset_index()
    overlaps = [str(name) for name in table.columns if str(name).startswith("overlap_")]
    made = with_columns(
        units, pd.DataFrame({f"zone_{name}": each for name, each in types.items()}).join(agreed)
    )
    weighed = weights / weights.sum()
    return write(
        {request.output: made}, command="zones agree", title=Text(zh="各方法的一致程度", en="Where the ways agree"), inputs=inputs,
        options=asdict(request), numbers=[
            Number("n_units", Text(zh="单元", en="units"), len(units)),
            Number("share_all_agree", Text(zh="全部一致（按权重）", en="all agree, by weight"), float(weighed[agreed["confidence"] == 1].sum()), ".1%"),
        ],
        listings=[Listing("pairs", Text(zh="两两比较", en="Pairs"), table, (
            Column("a", Text(zh="甲", en="one")), Column("b", Text(zh="乙", en="other")), Column("agree", Text(zh="一致", en="agree"), ".1%"),
            Column("kappa", Text(zh="卡帕", en="kappa"), ".2f"),
            *(Column(name, Text(zh=f"重叠 {name[8:]}", en=f"overlap {name[8:]}"), ".2f") for name in overlaps),
        ))],
    )  # fmt: skip


def _zones(place: str, role: str, column: str, crs: CRS, inputs: Inputs) -> gpd.GeoDataFrame:
    """Read zones: ``TYPE=FILE`` where all are of one type, else with a column of types; those without a type are left out."""
    name, sign, file = place.partition("=")
    frame = inputs.frame(file if sign else place, role, like=crs, shapes="areas")
    if sign:
        types = pd.Series(name, frame.index, dtype="object")
    else:
        require_column(
            frame,
            column,
            option="--column",
            role=f"zones in {Path(place.partition('#')[0]).name!r}",
        )
        types = frame[column]
    known = types.notna() & (types.astype("str") != REST)
    if dropped := int(types.isna().sum()):
        inputs.note(
            f"{role}：{dropped} 个区域没有类别，按“{REST}”处理",
            f"{role}: {dropped} zones have no type and count as {REST}",
        )
    kept = {"zone_type": types[known].astype("str").to_numpy()}
    return gpd.GeoDataFrame(kept, geometry=frame.geometry[known].to_numpy(), crs=crs)


def _named_ways(ways: tuple[str, ...]) -> dict[str, str]:
    """Part ``NAME=FILE`` (a way with a column of types) from ``NAME=TYPE=FILE`` (all of one type)."""
    named: dict[str, str] = {}
    for way in ways:
        name, sign, rest = way.partition("=")
        if not sign:
            name, rest = Path(way.partition("#")[0]).stem, way
        if name in named:
            raise InputError(
                f"two ways are called {name!r}; name them apart, for example lights={rest}"
            )
        named[name] = rest
    if len(named) < 2:
        raise InputError(
            f"{len(named)} way of drawing zones is given and agreement needs two or more; give for example cells=a.gpkg lights=b.gpkg"
        )
    return named
