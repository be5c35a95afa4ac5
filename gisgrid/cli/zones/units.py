"""What `gisgrid zones official`, `villages`, `screen`, `shares` and `agree` do: read layers, ask, write."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from pyproj import CRS

from gisgrid.access import WALKING_KMH, WalkingNetwork, minutes_to_areas, walking_network
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
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text
from gisgrid.zones import (
    REST,
    URBAN_RURAL_CLASSES,
    official_classes,
    screen_accuracy,
    suburban_villages,
    urban_village_screen,
    zone_shares,
)

_HALF: Final = 0.5


@dataclass(frozen=True)
class OfficialRequest:
    """What the user asked `zones official` for."""

    units: str
    codes: str
    output: Path
    key: str
    code: str = "code"
    urban_rural: str = "class"
    crs: str | None = None


def official(request: OfficialRequest, *, progress: Progress = silent) -> Outcome:
    """Give communities the official class of their committee, by its 12-digit code.

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
        A file, a column, a class or an output that cannot be used.
    """
    require_output(request.output)
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    units = inputs.frame(request.units, "units")
    codes = inputs.table(request.codes, "codes")
    require_column(units, request.key, option="--key", role="units")
    require_column(codes, request.code, option="--code", role="list of codes")
    require_column(codes, request.urban_rural, option="--class", role="list of codes")
    progress("reading", 1.0)
    found = official_classes(
        units, codes, key=request.key, code=request.code, urban_rural=request.urban_rural
    )
    if unknown := int(found["urban_rural_class"].isna().sum()):
        inputs.note(
            f"{unknown} 个单元的代码不在名录中，没有类别",
            f"{unknown} units have a code that the list does not hold, and no class",
        )
    if differs := int((found["name_differs"] == True).sum()):  # noqa: E712 - missing is neither
        inputs.note(
            f"{differs} 个单元的名称与名录不同，可能用了不同年份的代码",
            f"{differs} units are called otherwise in the list, which may be of another year",
        )
    zone = (
        found["is_fringe"]
        .map({True: "fringe", False: REST})
        .where(found["urban_rural_class"].notna(), None)
    )
    made = with_columns(units, found.drop(columns="name_differs").assign(zone_type=zone))
    counts = found["urban_rural_class"].value_counts()
    rows = pd.DataFrame(
        [
            (code, text.zh, text.en, int(counts.get(code, 0)))
            for code, text in URBAN_RURAL_CLASSES.items()
        ],
        columns=["class", "zh", "en", "n_units"],
    )
    return write(
        {request.output: made}, command="zones official", title=Text(zh="统计用城乡分类", en="Official urban-rural classes"), inputs=inputs,
        options=asdict(request), numbers=[
            Number("n_units", Text(zh="单元", en="units"), len(units)), Number("n_without", Text(zh="名录中没有的", en="not in the list"), unknown),
            Number("n_fringe", Text(zh="城乡结合区（112、122）", en="fringe (112, 122)"), int(found["is_fringe"].sum())),
        ],
        listings=[Listing("classes", Text(zh="类别", en="Classes"), rows, (
            Column("class", Text(zh="代码", en="code")), Column("zh", Text(zh="名称", en="in Chinese")), Column("en", Text(zh="英文", en="name")),
            Column("n_units", Text(zh="单元数", en="units"), ",d"),
        ))],
    )  # fmt: skip


@dataclass(frozen=True)
class VillagesRequest:
    """What the user asked `zones villages` for."""

    villages: str
    built_up: str
    output: Path
    within_m: float = 2000.0
    minutes: str | None = None
    within_minutes: float | None = None
    streets: str | None = None
    speed_kmh: float = WALKING_KMH
    measured: Literal["edge", "centre"] = "edge"
    crs: str | None = None


def villages(request: VillagesRequest, *, progress: Progress = silent) -> Outcome:
    """Say which villages lie at the edge of the built-up area.

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
        A file, a column, a limit or an output that cannot be used.
    """
    require_output(request.output)
    sources = [name for name in (request.minutes, request.streets) if name is not None]
    if len(sources) != (request.within_minutes is not None):
        raise InputError(
            "--within-minutes is the limit of the time, which comes from --streets or from the column --minutes; give the limit and one of them, or none"
        )
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    drawn = inputs.frame(request.villages, "villages", metric=True)
    town = inputs.frame(request.built_up, "built_up", like=CRS(drawn.crs), shapes="areas")
    times = None
    if request.minutes is not None:
        require_column(drawn, request.minutes, option="--minutes", role="villages")
        times = pd.to_numeric(drawn[request.minutes], errors="coerce")
    if request.streets is not None:
        streets = inputs.frame(request.streets, "streets", like=CRS(drawn.crs), shapes="lines")
        times = _times(drawn, town, walking_network(streets, speed_kmh=request.speed_kmh), inputs)
    progress("reading", 1.0)
    found = suburban_villages(
        drawn, town, within_m=request.within_m, travel_minutes=times, within_minutes=request.within_minutes, measured=request.measured,
    )  # fmt: skip
    zone = np.where(found["is_suburban"], "suburban_village", REST)
    n_inside = int((found["by"] == "inside").sum())
    return write(
        {request.output: with_columns(drawn, found.assign(zone_type=zone))}, command="zones villages",
        title=Text(zh="城郊村", en="Suburban villages"), inputs=inputs, options=asdict(request), numbers=[
            Number("n_villages", Text(zh="村", en="villages"), len(drawn)),
            Number("n_suburban", Text(zh="城郊村", en="at the edge of the town"), int(found["is_suburban"].sum())),
            Number("n_inside", Text(zh="已在建成区内", en="inside the built-up area"), n_inside),
            Number("n_by_time", Text(zh="按时间判断", en="judged by time"), int((found["by"] == "time").sum())),
        ],
    )  # fmt: skip


def _times(
    villages: gpd.GeoDataFrame, town: gpd.GeoDataFrame, network: WalkingNetwork, inputs: Inputs
) -> pd.Series:
    """Say how long each village takes to the town along the streets; missing where no street leads there."""
    inputs.notes += network.notes
    times = minutes_to_areas(villages, town, network)
    if unknown := int(times.isna().sum()):
        inputs.note(
            f"{unknown} 个村没有街道通往建成区，按距离判断",
            f"{unknown} villages have no street to the built-up area and are judged by distance",
        )
    return times


@dataclass(frozen=True)
class ScreenRequest:
    """What the user asked `zones screen` for."""

    buildings: str
    blocks: str
    output: Path
    height: str | None = None
    high_rise_m: float = 24.0
    known: str | None = None
    crs: str | None = None


def screen(request: ScreenRequest, *, progress: Progress = silent) -> Outcome:
    """Rank blocks by how much their buildings stand like those of an urban village; candidates, never a finding.

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
    blocks = inputs.frame(request.blocks, "blocks", metric=True, shapes="areas")
    crs = CRS(blocks.crs)
    buildings = inputs.frame(request.buildings, "buildings", like=crs, shapes="areas")
    if request.height is not None:
        require_column(buildings, request.height, option="--height", role="buildings")
    known = (
        None
        if request.known is None
        else inputs.frame(request.known, "known", like=crs, shapes="areas")
    )
    progress("reading", 1.0)
    progress("working", 0.0)
    found = urban_village_screen(
        buildings, blocks, height=request.height, high_rise_m=request.high_rise_m
    )
    found["rank"] = found["rank"].astype("Int64")
    progress("working", 1.0)
    inputs.note(
        "这是候选排序，不是结论：老城区和职工住宅的形态相似；以城市掌握的城中村边界为准",
        "this ranks candidates and finds nothing: old town centres and workers' housing look alike; polygons that the city keeps are the truth",
    )
    few = int(found["score"].isna().sum())
    listings, numbers = [], [
        Number("n_blocks", Text(zh="地块", en="blocks"), len(blocks)), Number("n_buildings", Text(zh="建筑", en="buildings"), len(buildings)),
        Number("n_unscored", Text(zh="建筑少于 5 栋，不评分", en="blocks of fewer than 5 buildings, without a score"), few),
    ]  # fmt: skip
    if known is not None:
        listings.append(_accuracy(found, blocks, known, numbers))
    return write(
        {request.output: with_columns(blocks, found)}, command="zones screen", title=Text(zh="城中村候选排序", en="Candidates for urban villages"),
        inputs=inputs, options=asdict(request), numbers=numbers, listings=listings,
    )  # fmt: skip


def _accuracy(
    found: pd.DataFrame, blocks: gpd.GeoDataFrame, known: gpd.GeoDataFrame, numbers: list[Number]
) -> Listing:
    """Score the ranking on polygons that are known to be urban villages: a block is one where they cover half of it."""
    there = zone_shares(blocks, known.assign(zone_type="known"))["share_known"] >= _HALF
    table = screen_accuracy(found, there)
    auc: Any = table.attrs["auc"]
    numbers += [
        Number("n_known", Text(zh="已知城中村地块", en="blocks known to be one"), int(there.sum())),
        Number("auc", Text(zh="城中村排在前面的概率（AUC）", en="chance that one ranks before another block (AUC)"), float(auc), ".2f"),
    ]  # fmt: skip
    return Listing("accuracy", Text(zh="若走访前若干地块", en="If the first blocks were visited"), table.reset_index(), (
        Column("share", Text(zh="走访比例", en="visited"), ".0%"), Column("n_visited", Text(zh="地块", en="blocks"), ",d"),
        Column("precision", Text(zh="命中率", en="precision"), ".1%"), Column("recall", Text(zh="查全率", en="recall"), ".1%"),
        Column("lift", Text(zh="相对随机", en="times chance"), ".1f"),
    ))  # fmt: skip
