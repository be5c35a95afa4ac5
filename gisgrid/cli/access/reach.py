"""What `gisgrid access coverage`, `areas` and `catchments` do: read, walk, write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import geopandas as gpd
import pandas as pd

from gisgrid import access
from gisgrid.access import Standard, read_standards
from gisgrid.cli.access.ground import Ground, read_ground, read_places
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
from gisgrid.files import FRAME_SUFFIXES
from gisgrid.join import assign_units
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text


@dataclass(frozen=True)
class CoverageRequest:
    """What the user asked `access coverage` for."""

    places: str
    output: Path
    ground: Ground
    residents: str | None = None
    standards: Path | None = None
    standard: tuple[str, ...] = ()
    units: str | None = None
    units_key: str | None = None


def coverage(request: CoverageRequest, *, progress: Progress = silent) -> Outcome:
    """Ask of every place whether it reaches what the standards demand.

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
        A layer, a standard, a column or an output that cannot be used.
    """
    require_output(request.output)
    asked = _asked(request)
    inputs = Inputs(crs=request.ground.crs)
    walked = read_ground(request.ground, inputs, progress)
    require_column(walked.there, request.ground.kind, option="--kind", role="facilities")
    places = read_places(
        request.places,
        "places",
        "居住点",
        walked,
        inputs,
        residents=request.residents,
    )
    progress("working", 0.0)
    found = access.coverage(
        places, walked.there, asked, walked.network, kind=request.ground.kind, residents=request.residents,
        off_street_m=request.ground.off_street_m,
    )  # fmt: skip
    made: dict[Path, pd.DataFrame] = {request.output: _wide(places, found, asked)}
    if request.units is not None:
        beside = request.output.with_name(f"{request.output.stem}.units{request.output.suffix}")
        made[beside] = _by_unit(request, places, found, asked, inputs)
    progress("working", 1.0)
    missing = sorted(
        {each.facility for each in asked} - set(walked.there[request.ground.kind].astype("str"))
    )
    if missing:
        inputs.note(
            f"设施中没有这些类型，相应标准无从判断：{'、'.join(missing)}",
            f"the facilities hold none of {', '.join(missing)}, so nothing is known about the standards for them",
        )
    people = float(found["residents"].groupby(found["standard"]).sum().iloc[0])
    word = (
        Text(zh="居民", en="residents")
        if request.residents is not None
        else Text(zh="居住点", en="places")
    )
    return write(
        made, command="access coverage", title=Text(zh="设施可达性", en="Who reaches what is demanded"), inputs=inputs, options=asdict(request),
        numbers=[
            Number("n_places", Text(zh="居住点", en="places"), len(places)), Number("n_facilities", Text(zh="设施", en="facilities"), len(walked.there)),
            Number("residents", word, people),
        ],
        listings=[_summary(found, asked)],
    )  # fmt: skip


@dataclass(frozen=True)
class AreasRequest:
    """What the user asked `access areas` for."""

    output: Path
    ground: Ground
    limit_m: tuple[float, ...] = ()
    minutes: tuple[float, ...] = ()
    facility_kind: str | None = None
    each: bool = False
    beside_m: float = 40.0


def areas(request: AreasRequest, *, progress: Progress = silent) -> Outcome:
    """Draw the ground from which a facility is within a walk.

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
        A layer, a limit, a column or an output that cannot be used.
    """
    require_output(request.output, FRAME_SUFFIXES)
    inputs = Inputs(crs=request.ground.crs)
    walked = read_ground(request.ground, inputs, progress)
    goals = of_kind(walked.there, request.facility_kind, request.ground.kind)
    limits = [
        *request.limit_m,
        *(each * walked.network.metres_per_minute for each in request.minutes),
    ] or [300.0]
    progress("working", 0.0)
    with inputs.heard():
        drawn = access.service_areas(
            goals, walked.network, limits, each=request.each, beside_m=request.beside_m, off_street_m=request.ground.off_street_m,
        )  # fmt: skip
    progress("working", 1.0)
    if drawn.empty:
        raise InputError(
            f"none of the {len(goals)} facilities is within {request.ground.off_street_m:g} m of a street, so there is no ground to draw; check the CRS of both, "
            "or raise --off-street-m"
        )
    drawn["minutes"] = drawn["limit_m"] / walked.network.metres_per_minute
    whole = drawn[drawn["facility"].isna()]
    return write(
        {request.output: drawn.assign(facility=drawn["facility"].astype("Int64"))}, command="access areas",
        title=Text(zh="服务范围", en="Service areas"), inputs=inputs, options=asdict(request),
        numbers=[Number("n_facilities", Text(zh="设施", en="facilities"), len(goals)), Number("n_areas", Text(zh="范围", en="areas"), len(drawn))],
        listings=[Listing("areas", Text(zh="各步行距离", en="By length of the walk"), pd.DataFrame(whole.drop(columns="geometry")), (
            Column("limit_m", Text(zh="距离 m", en="walk, m"), ",.0f"), Column("minutes", Text(zh="分钟", en="minutes"), ".1f"),
            Column("street_m", Text(zh="街道 m", en="street, m"), ",.0f"), Column("area_km2", Text(zh="面积 km²", en="area, km²"), ",.2f"),
        ))],
    )  # fmt: skip


@dataclass(frozen=True)
class CatchmentsRequest:
    """What the user asked `access catchments` for."""

    places: str
    output: Path
    ground: Ground
    residents: str
    supply: str | None = None
    facility_kind: str | None = None
    limit_m: float = 1000.0
    decay: Literal["none", "steps", "gaussian"] = "none"


def catchments(request: CatchmentsRequest, *, progress: Progress = silent) -> Outcome:
    """Share out what facilities offer among all who can reach them (2SFCA).

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
        A layer, a limit, a column or an output that cannot be used.
    """
    require_output(request.output)
    inputs = Inputs(crs=request.ground.crs)
    walked = read_ground(request.ground, inputs, progress)
    goals = of_kind(walked.there, request.facility_kind, request.ground.kind)
    places = read_places(
        request.places,
        "places",
        "居住点",
        walked,
        inputs,
        residents=request.residents,
    )
    supply = pd.Series(1.0, goals.index)
    if request.supply is not None:
        require_column(goals, request.supply, option="--supply", role="facilities")
        supply = pd.to_numeric(goals[request.supply], errors="coerce")
        if unknown := int(supply.isna().sum()):
            inputs.note(
                f"{unknown} 个设施没有供给量，按 0 计",
                f"{unknown} facilities have no supply and count as 0",
            )
        supply = supply.fillna(0.0)
    progress("working", 0.0)
    pairs = access.within_reach(
        places,
        goals,
        walked.network,
        limit_m=request.limit_m,
        off_street_m=request.ground.off_street_m,
    )
    people = places[request.residents].astype(float)
    found = access.two_step_catchment(
        pairs, residents=people, supply=supply, limit_m=request.limit_m, decay=request.decay
    )
    progress("working", 1.0)
    none = float(people[found["n_facilities"] == 0].sum())
    total = float(people.sum())
    return write(
        {request.output: with_columns(places, found)}, command="access catchments",
        title=Text(zh="两步移动搜索法可达性", en="Two-step floating catchment areas"), inputs=inputs, options=asdict(request),
        numbers=[
            Number("n_places", Text(zh="居住点", en="places"), len(places)), Number("n_facilities", Text(zh="设施", en="facilities"), len(goals)),
            Number("n_pairs", Text(zh="可达的配对", en="pairs within reach"), len(pairs)), Number("residents", Text(zh="居民", en="residents"), total),
            Number("residents_without", Text(zh="一个也到不了的居民", en="residents who reach none"), none),
            Number("share_without", Text(zh="占比", en="share of all"), none / total if total else None, ".1%"),
        ],
    )  # fmt: skip


def of_kind(facilities: gpd.GeoDataFrame, wanted: str | None, column: str) -> gpd.GeoDataFrame:
    """Give the facilities of one kind.

    Parameters
    ----------
    facilities
        All.
    wanted
        The kind; all where None.
    column
        The column of kinds.

    Returns
    -------
    GeoDataFrame
        With rows from 0.

    Raises
    ------
    ColumnError
        No such column.
    InputError
        None is of the kind.
    """
    if wanted is None:
        return facilities
    require_column(facilities, column, option="--kind", role="facilities")
    chosen = facilities[facilities[column].astype("str") == wanted].reset_index(drop=True)
    if chosen.empty:
        raise InputError(
            f"none of the {len(facilities)} facilities is a {wanted!r}; there are {', '.join(sorted(map(str, facilities[column].dropna().unique()))[:12])}"
        )
    return chosen


def _asked(request: CoverageRequest) -> list[Standard]:
    declared = read_standards() if request.standards is None else read_standards(request.standards)
    asked = [declared[name] for name in request.standard] or list(declared.standard)
    if not asked:
        raise InputError(f"{request.standards!r} declares no [[standard]]; declare one")
    return asked


def _wide(
    places: gpd.GeoDataFrame, found: pd.DataFrame, asked: Sequence[Standard]
) -> gpd.GeoDataFrame:
    """Give each place what it reaches: three columns a standard."""
    columns: dict[str, pd.Series] = {}
    missed = pd.Series(0, places.index)
    for standard in asked:
        own = found[found["standard"] == standard.id].set_index("place").reindex(places.index)
        columns[f"reached_{standard.id}"] = own["reached"]
        columns[f"m_{standard.id}"] = own["distance_m"]
        columns[f"left_out_{standard.id}"] = own["left_out"]
        missed += (~own["reached"].fillna(value=True)).astype(int)
    table = pd.DataFrame(places.drop(columns="geometry")).assign(**columns, n_missed=missed)
    return gpd.GeoDataFrame(table, geometry=places.geometry)


def _by_unit(
    request: CoverageRequest, places: gpd.GeoDataFrame, found: pd.DataFrame, asked: Sequence[Standard], inputs: Inputs
) -> gpd.GeoDataFrame:  # fmt: skip
    assert request.units is not None  # noqa: S101 - asked for
    units = inputs.frame(request.units, "units", like=places.crs, shapes="areas")
    if request.units_key is not None:
        require_column(units, request.units_key, option="--units-key", role="units")
    names = units.index if request.units_key is None else units[request.units_key].astype("str")
    keyed = gpd.GeoDataFrame(
        {"unit": list(map(str, names))}, geometry=units.geometry.array, crs=units.crs
    )
    points = places.set_geometry(places.geometry.representative_point())
    unit_of = assign_units(points, {"unit": keyed})["unit"]
    if outside := int(unit_of.isna().sum()):
        inputs.note(
            f"{outside} 处居住点不在任何单元内", f"{outside} places lie in none of the units"
        )
    if unit_of.isna().all():
        raise InputError(
            f"none of the {len(places)} places lies in one of the {len(units)} units; check the CRS of both"
        )
    summed = access.left_out(found, unit_of)
    columns = {}
    for standard in asked:
        if standard.id in summed.index.get_level_values("standard"):
            own = summed.xs(standard.id, level="standard").reindex(keyed["unit"])
            columns["n_places"] = own["n_places"].fillna(0).to_numpy(dtype="int64")
            columns["residents"] = own["residents"].fillna(0).to_numpy(dtype=float)
            columns[f"left_out_{standard.id}"] = own["left_out"].fillna(0).to_numpy(dtype=float)
            columns[f"share_{standard.id}"] = own["share_left_out"].to_numpy(
                dtype=float, na_value=float("nan")
            )
            columns[f"median_m_{standard.id}"] = own["median_m"].to_numpy(dtype=float)
    clear = [name for name in units.columns if name not in columns and name != "geometry"]
    return gpd.GeoDataFrame(pd.DataFrame(units[clear]).assign(**columns), geometry=units.geometry)


def _summary(found: pd.DataFrame, asked: Sequence[Standard]) -> Listing:
    table = access.most_helped(found, asked).reset_index()
    titles = {each.id: each.title for each in asked}
    rows = table.assign(
        zh=[titles[name].zh for name in table["standard"]], en=[titles[name].en for name in table["standard"]]
    )  # fmt: skip
    return Listing("standards", Text(zh="各项标准，未覆盖最多的在前", en="By standard, what leaves out most first"), rows, (
        Column("standard", Text(zh="标准", en="standard")), Column("zh", Text(zh="要求", en="in Chinese")), Column("en", Text(zh="英文", en="it demands")),
        Column("left_out", Text(zh="未覆盖", en="left out"), ",.0f"), Column("share", Text(zh="占比", en="share"), ".1%"),
        Column("near_miss", Text(zh="差得不多", en="narrowly"), ",.0f"),
    ))  # fmt: skip
