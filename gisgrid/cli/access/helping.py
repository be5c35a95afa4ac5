"""What `gisgrid access sites`, `renewal`, `density` and `runs` do: read, ask what would help, write."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd

from gisgrid import access
from gisgrid.access import Standards, read_standards
from gisgrid.access.renewal import LISTS
from gisgrid.cli.access.ground import Ground, read_ground, read_places
from gisgrid.cli.access.reach import of_kind
from gisgrid.cli.inputs import Inputs, require_column
from gisgrid.cli.outcomes import (
    TABLE_SUFFIXES,
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

_LISTS: Final[dict[str, Text]] = {
    "basic": Text(zh="基础类", en="basic"),
    "improved": Text(zh="完善类", en="improved"),
    "upgraded": Text(zh="提升类", en="upgraded"),
}


@dataclass(frozen=True)
class SitesRequest:
    """What the user asked `access sites` for."""

    places: str
    candidates: str
    output: Path
    ground: Ground
    residents: str | None = None
    facility_kind: str | None = None
    n: int = 1
    limit_m: float = 500.0
    aim: Literal["coverage", "p_median"] = "coverage"
    time_limit_s: float = 20.0


def sites(request: SitesRequest, *, progress: Progress = silent) -> Outcome:
    """Choose where one more facility, or several, would help most.

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
        A layer, a number, a column or an output that cannot be used.
    """
    require_output(request.output)
    inputs = Inputs(crs=request.ground.crs)
    ground = request.ground
    has_existing = ground.facilities is not None
    walked = read_ground(ground, inputs, progress, facilities=has_existing)
    places = read_places(
        request.places, "places", "居住点", walked, inputs, residents=request.residents
    )
    candidates = read_places(request.candidates, "candidates", "备选地点", walked, inputs)
    people = (
        pd.Series(1.0, places.index)
        if request.residents is None
        else places[request.residents].astype(float)
    )
    progress("working", 0.0)
    existing = None
    if has_existing:
        goals = of_kind(walked.there, request.facility_kind, ground.kind)
        near = access.nearest_facilities(
            places, goals, walked.network, off_street_m=ground.off_street_m
        )
        existing = near.set_index("origin")["distance_m"].reindex(places.index)
    pairs = access.within_reach(
        places,
        candidates,
        walked.network,
        limit_m=request.limit_m,
        off_street_m=ground.off_street_m,
    )
    found = access.best_sites(
        pairs, residents=people, candidates=candidates.index, n_sites=request.n, limit_m=request.limit_m, aim=request.aim,
        existing=existing, time_limit_s=request.time_limit_s,
    )  # fmt: skip
    progress("working", 1.0)
    gain = "covers" if request.aim == "coverage" else "saves_m"
    chosen = candidates.loc[found.chosen.index].reset_index(drop=True)
    chosen = chosen.assign(
        order=np.arange(1, len(chosen) + 1),
        **{str(name): found.chosen[name].to_numpy() for name in found.chosen},
    )
    _say_certainty(found, inputs)
    words = {
        "coverage": (Text(zh="原来覆盖的居民", en="residents covered before"), Text(zh="选址后覆盖的居民", en="residents covered with them"), ",.0f"),
        "p_median": (Text(zh="原来平均距离 m", en="mean distance before, m"), Text(zh="选址后平均距离 m", en="mean distance with them, m"), ",.0f"),
    }[request.aim]  # fmt: skip
    listing = pd.DataFrame(chosen.drop(columns="geometry"))
    return write(
        {request.output: chosen}, command="access sites", title=Text(zh="增设地点", en="Best next sites"), inputs=inputs, options=asdict(request),
        numbers=[
            Number("n_candidates", Text(zh="备选地点", en="candidates"), len(candidates)), Number("before", words[0], found.before, words[2]),
            Number("value", words[1], found.value, words[2]), Number("gap", Text(zh="与最优的差距上限", en="how far the best may lie above"), found.gap, ".2%"),
            Number("method", Text(zh="解法", en="solved"), found.method),
        ],
        listings=[Listing("sites", Text(zh="按帮助大小", en="By how much they help"), listing, (
            Column("order", Text(zh="次序", en="order"), ",d"), Column(gain, Text(zh="新增", en="gain"), ",.0f"),
            Column(f"{gain}_in_all", Text(zh="累计", en="in all"), ",.0f"),
        ))],
    )  # fmt: skip


@dataclass(frozen=True)
class RenewalRequest:
    """What the user asked `access renewal` for."""

    compounds: str
    output: Path
    ground: Ground
    residents: str | None = None
    built_year: str | None = None
    before: int = 2000
    standards: Path | None = None


def renewal(request: RenewalRequest, *, progress: Progress = silent) -> Outcome:
    """List what old compounds lack, the greatest need first.

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
        A layer, a list, a column or an output that cannot be used.
    """
    require_output(request.output)
    items = _declared(request.standards).renewal
    if not items:
        raise InputError("the standards declare no [[renewal]]; declare the lists")
    inputs = Inputs(crs=request.ground.crs)
    walked = read_ground(request.ground, inputs, progress)
    compounds = read_places(
        request.compounds,
        "compounds",
        "楼院",
        walked,
        inputs,
        residents=request.residents,
    )
    if request.built_year is not None:
        compounds = _old(compounds, request.built_year, request.before, inputs)
    progress("working", 0.0)
    found = access.renewal_gaps(
        compounds, walked.there, items, walked.network, kind=request.ground.kind, residents=request.residents,
        off_street_m=request.ground.off_street_m,
    )  # fmt: skip
    progress("working", 1.0)
    rows = pd.DataFrame(
        [
            (
                item.id,
                _LISTS[item.list].zh,
                _LISTS[item.list].en,
                item.title.zh,
                item.title.en,
                int((~found[item.id].fillna(value=True)).sum()),
                int(found[item.id].isna().sum()),
            )
            for item in items
        ],
        columns=["item", "list_zh", "list_en", "zh", "en", "n_lacking", "n_unknown"],
    )
    unknown = rows.loc[rows["n_unknown"] == len(compounds), "item"].to_list()
    if unknown:
        inputs.note(
            f"这些项目没有数据，不算缺项：{'、'.join(unknown)}",
            f"nothing is known about {', '.join(unknown)}, which do not count as lacking",
        )
    table = with_columns(compounds, found).sort_values("rank", ignore_index=True)
    return write(
        {request.output: table}, command="access renewal", title=Text(zh="老旧小区设施缺口", en="What old compounds lack"), inputs=inputs,
        options=asdict(request), numbers=[
            Number("n_compounds", Text(zh="楼院", en="compounds"), len(table)),
            *(Number(f"lack_{name}", Text(zh=f"缺{_LISTS[name].zh}项目的楼院", en=f"lacking of the {name} list"), int((table[f"n_{name}"] > 0).sum())) for name in LISTS),
        ],
        listings=[Listing("items", Text(zh="各项", en="By item"), rows, (
            Column("item", Text(zh="项目", en="item")), Column("zh", Text(zh="名称", en="in Chinese")), Column("en", Text(zh="英文", en="name")),
            Column("n_lacking", Text(zh="缺", en="lacking"), ",d"), Column("n_unknown", Text(zh="不知", en="unknown"), ",d"),
        ))],
    )  # fmt: skip


@dataclass(frozen=True)
class DensityRequest:
    """What the user asked `access density` for."""

    land: str
    facilities: str
    output: Path
    land_use: str = "land_use"
    kind: str = "kind"
    standards: Path | None = None
    crs: str | None = None


def density(request: DensityRequest, *, progress: Progress = silent) -> Outcome:
    """Count facilities per km² of each land use against what is demanded.

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
        A layer, a column or an output that cannot be used.
    """
    require_output(request.output, TABLE_SUFFIXES)
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    land = inputs.frame(request.land, "land", metric=True, shapes="areas")
    facilities = inputs.frame(request.facilities, "facilities", like=land.crs, shapes="points")
    require_column(land, request.land_use, option="--land-use", role="land")
    require_column(facilities, request.kind, option="--kind", role="facilities")
    progress("reading", 1.0)
    asked = _declared(request.standards).density
    found = access.facility_density(
        land, facilities, asked, land_use=request.land_use, kind=request.kind
    )
    other = sorted(set(land[request.land_use].dropna().astype("str")) - set(found["land_use"]))
    if other:
        inputs.note(
            f"这些用地没有密度标准：{'、'.join(other[:8])}",
            f"no density is declared for the land uses {', '.join(other[:8])}",
        )
    return write(
        {request.output: found}, command="access density", title=Text(zh="单位用地设施密度", en="Facilities per km² of land use"), inputs=inputs,
        options=asdict(request), numbers=[Number("n_missing", Text(zh="还缺的设施", en="facilities missing in all"), int(found["n_missing"].sum()))],
        listings=[Listing("densities", Text(zh="各类用地", en="By land use"), found, (
            Column("facility", Text(zh="设施", en="facility")), Column("land_use", Text(zh="用地", en="land use")),
            Column("area_km2", Text(zh="面积 km²", en="km²"), ",.2f"), Column("n", Text(zh="个数", en="number"), ",d"),
            Column("per_km2", Text(zh="每 km²", en="per km²"), ".1f"), Column("least_per_km2", Text(zh="至少", en="at least"), ".0f"),
            Column("n_missing", Text(zh="还缺", en="missing"), ",d"),
        ))],
    )  # fmt: skip


@dataclass(frozen=True)
class RunsRequest:
    """What the user asked `access runs` for."""

    streets: str
    facilities: str
    output: Path
    facility_kind: str | None = None
    kind: str = "kind"
    name: str | None = None
    longest_m: float = 500.0
    beside_m: float = 50.0
    crs: str | None = None


def runs(request: RunsRequest, *, progress: Progress = silent) -> Outcome:
    """Find stretches of street along which one walks too far without passing a facility or a sign to one.

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
        A layer, a column or an output that cannot be used.
    """
    require_output(request.output)
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    streets = inputs.frame(request.streets, "streets", metric=True, shapes="lines")
    facilities = inputs.frame(request.facilities, "facilities", like=streets.crs, shapes="points")
    facilities = of_kind(facilities, request.facility_kind, request.kind)
    if request.name is not None:
        require_column(streets, request.name, option="--name", role="streets")
    progress("reading", 1.0)
    progress("working", 0.0)
    found = access.unserved_runs(
        streets,
        facilities,
        longest_m=request.longest_m,
        beside_m=request.beside_m,
        name=request.name,
    )
    progress("working", 1.0)
    share = float(found["length_m"].sum() / streets.length.sum())
    return write(
        {request.output: found}, command="access runs", title=Text(zh="超长无设施路段", en="Stretches without a facility"), inputs=inputs,
        options=asdict(request), numbers=[
            Number("n_runs", Text(zh="路段", en="stretches"), len(found)),
            Number("share_of_streets", Text(zh="占街道长度", en="share of the streets' length"), share, ".1%"),
        ],
        listings=[Listing("runs", Text(zh="最长的", en="The longest"), pd.DataFrame(found.drop(columns="geometry")), (
            Column("street", Text(zh="街道", en="street")), Column("length_m", Text(zh="长度 m", en="length, m"), ",.0f"),
            Column("n_passed", Text(zh="沿街设施", en="facilities along it"), ",d"),
        ))],
    )  # fmt: skip


def _declared(path: Path | None) -> Standards:
    return read_standards() if path is None else read_standards(path)


def _old(compounds: gpd.GeoDataFrame, column: str, before: int, inputs: Inputs) -> gpd.GeoDataFrame:
    require_column(compounds, column, option="--built-year", role="compounds")
    year = pd.to_numeric(compounds[column], errors="coerce")
    kept = compounds[year < before].reset_index(drop=True)
    n_newer, unknown = int((year >= before).sum()), int(year.isna().sum())
    inputs.note(
        f"{len(kept)} 个楼院建于 {before} 年以前；{n_newer} 个较新、{unknown} 个年份不明，未计入",
        f"{len(kept)} compounds were built before {before}; {n_newer} newer ones and {unknown} of an unknown year are left out",
    )
    if kept.empty:
        raise InputError(
            f"none of the {len(compounds)} compounds was built before {before}; give a later year with --before"
        )
    return kept


def _say_certainty(found: access.Sites, inputs: Inputs) -> None:
    if found.method == "exact" and found.gap == 0:
        inputs.note("已证明没有更好的选址", "it is proved that no other sites do better")
    elif found.method == "exact":
        inputs.note(
            f"时限内未证明最优，最优值最多高 {found.gap:.2%}",
            f"the time limit ended the proof: the best may lie {found.gap:.2%} above",
        )
    else:
        inputs.note(
            "精确求解未完成，结果来自贪心加交换，离最优多远不知道",
            "the exact solver did not finish; these come from a greedy exchange, and how far the best lies above is not known",
        )
