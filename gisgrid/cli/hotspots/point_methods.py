"""Methods that look at the reports themselves: clusters, surfaces, repeats nearby."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Final, cast

import geopandas as gpd

from gisgrid import derived
from gisgrid.analysis.surfaces.relative import Comparison
from gisgrid.catalogue import Derivation
from gisgrid.cli.hotspots.finding import Asked, Found, ground, noted
from gisgrid.cli.hotspots.method import Column, Method, N, P, all_rows, highest
from gisgrid.derived import Note
from gisgrid.errors import InputError
from gisgrid.schema import Text


def _clusters(asked: Asked) -> Found:
    """Find clusters of the reports themselves."""
    area, note = ground(asked)
    said = asked.request
    made = derived.issue_clusters(
        asked.issues, area, min_reports=cast("int", said.min_reports), radius_m=said.radius_m,
        key=None if asked.units is None else asked.units.key,
    )  # fmt: skip
    return Found(noted(made, note), "cluster_id", area)


def _knots(asked: Asked) -> Found:
    """Find knots, knots of knots, and so on."""
    area, note = ground(asked)
    said = asked.request
    made = derived.issue_knots(
        asked.issues, area, min_reports=cast("int", said.min_reports), threshold_m=said.radius_m,
        key=None if asked.units is None else asked.units.key,
    )  # fmt: skip
    frame = gpd.GeoDataFrame(made.value)
    n = int(frame.loc[frame["order"] == 1, "n_incidents"].sum())
    return Found(noted(made, note), "cluster_id", area, n_counted=n)


def _near_repeats(asked: Asked) -> Found:
    """Ask whether a report is followed by others nearby."""
    area, note = ground(asked)
    said = asked.request
    made, knox = derived.near_repeats(
        asked.issues, area,
        bands_m=derived.bands_of(said.bands_m or "100,200,300,400"),
        bands_days=derived.bands_of(said.bands_days or "7,14,21,28"),
        permutations=999 if said.permutations is None else said.permutations, seed=said.seed or 0,
    )  # fmt: skip
    named = made.value.copy()  # type: ignore[union-attr]  # a table
    named.insert(0, "band", [f"{m:g} m, {d:g} d" for m, d in zip(named["to_m"], named["to_days"], strict=True)])  # fmt: skip
    made = Derivation(named, made.excluded, made.notes)
    figures = {name: value for name, value in asdict(knox).items() if name in {"n_both", "expected", "ratio", "p"}}  # fmt: skip
    return Found(noted(made, note), "band", area, n_counted=knox.n, figures=figures)


def _surface(
    make: Callable[..., Derivation],
) -> Callable[[Asked], Found]:
    def find(asked: Asked) -> Found:
        area, note = ground(asked)
        said = asked.request
        bandwidth_m = cast("float", said.bandwidth_m)
        cell_m = said.cell_m or bandwidth_m / 6
        made = make(asked, area, cell_m=cell_m, bandwidth_m=bandwidth_m)
        text = Text(
            zh=f"带宽 {bandwidth_m:g} 米，栅格 {cell_m:g} 米",
            en=f"bandwidth {bandwidth_m:g} m, cells of {cell_m:g} m",
        )
        n = len(derived.incidents(asked.issues)) - made.excluded.get(derived.IN_NO_AREA, 0)
        return Found(noted(made, note, Note.of(text)), "", area, n_counted=n)

    return find


def _density(asked: Asked, area: gpd.GeoDataFrame, *, cell_m: float, bandwidth_m: float) -> Derivation:  # fmt: skip
    return derived.issue_density(
        asked.issues, area, cell_m=cell_m, bandwidth_m=bandwidth_m,
        edge_correction=asked.request.edge_correction,
    )  # fmt: skip


def _adaptive(asked: Asked, area: gpd.GeoDataFrame, *, cell_m: float, bandwidth_m: float) -> Derivation:  # fmt: skip
    return derived.adaptive_density(
        asked.issues, area, cell_m=cell_m, bandwidth_m=bandwidth_m,
        edge_correction=asked.request.edge_correction,
    )  # fmt: skip


def _risk(asked: Asked, area: gpd.GeoDataFrame, *, cell_m: float, bandwidth_m: float) -> Derivation:
    said = asked.request
    comparison = cast("Comparison", (said.comparison or "ratio").replace("-", "_"))
    if asked.others is not None:
        return derived.report_risk(
            asked.issues, asked.others, area, cell_m=cell_m, bandwidth_m=bandwidth_m, comparison=comparison
        )  # fmt: skip
    if said.since is not None:
        return derived.earlier_risk(
            asked.issues, area, since=said.since, timezone=asked.timezone,
            cell_m=cell_m, bandwidth_m=bandwidth_m, comparison=comparison,
        )  # fmt: skip
    if asked.units is None:
        raise InputError("--population counts the residents of UNITS, which is not given; name a file of units")  # fmt: skip
    return derived.resident_risk(
        asked.issues, area, key=asked.units.key, population=cast("str", said.population),
        cell_m=cell_m, bandwidth_m=bandwidth_m, comparison=comparison,
    )  # fmt: skip


_PLACES: Final = (
    N,
    Column("area_km2", Text(zh="面积 km²", en="Area, km²"), ",.3f"),
    Column("incidents_per_km2", Text(zh="件/km²", en="Per km²"), ",.0f"),
)
_REPEATS: Final = (
    Column("n_pairs", Text(zh="对数", en="Pairs"), ",.0f"),
    Column("expected", Text(zh="期望", en="Expected")),
    Column("ratio", Text(zh="倍数", en="Times"), ".2f"),
    P,
)
_KNOX: Final = (
    Column("n_both", Text(zh="第一档内的对数", en="Pairs in the first band"), ",.0f"),
    Column("expected", Text(zh="期望", en="Expected")),
    Column("ratio", Text(zh="倍数", en="Times"), ".2f"),
    P,
)
_LARGEST: Final = Text(zh="件数最多的片", en="The largest clusters")
_NO_TITLE: Final = Text(zh="密度面", en="Surface")
_SMOOTHED: Final = frozenset({"cell_m", "bandwidth_m"})
_BANDWIDTH: Final = {"bandwidth_m": "300"}
_MIN: Final = {"min_reports": "20"}

METHODS: Final[Mapping[str, Method]] = {
    "dbscan": Method(
        does=Text(
            zh="上报点本身成片的地方，按半径和最少件数（DBSCAN）",
            en="where the reports themselves lie thick, within a radius (DBSCAN)",
        ),
        options=frozenset({"radius_m", "min_reports"}), needs=_MIN | {"radius_m": "100"},
        by="reports", find=_clusters, title=_LARGEST, columns=_PLACES, telling=all_rows,
    ),
    "hdbscan": Method(
        does=Text(
            zh="疏密不同的成片，不需要半径（HDBSCAN）",
            en="clusters of different thickness, without a radius (HDBSCAN)",
        ),
        options=frozenset({"min_reports"}), needs=_MIN,
        by="reports", find=_clusters, title=_LARGEST, columns=_PLACES, telling=all_rows,
    ),
    "hierarchical": Method(
        does=Text(
            zh="一人可走遍的小片，以及由小片组成的大片（最近邻层次聚类）",
            en="knots that one patrol can walk, and the districts they form (nearest-neighbour hierarchy)",
        ),
        options=frozenset({"min_reports", "radius_m"}), needs=_MIN,
        by="reports", find=_knots, title=_LARGEST, columns=_PLACES, telling=all_rows,
    ),
    "near-repeats": Method(
        does=Text(
            zh="一件之后，附近不久是否更易再发（近重复，Knox 检验）",
            en="whether a report is soon followed by others nearby (near repeats, Knox test)",
        ),
        options=frozenset({"bands_m", "bands_days", "permutations", "seed"}), makes="table",
        by="reports", find=_near_repeats, title=Text(zh="倍数最高的档", en="The bands with the most repeats"), columns=_REPEATS,
        telling=highest("ratio"), figures=_KNOX,
    ),
    "density": Method(
        does=Text(zh="密度面（核密度，件/km²）", en="how thick the reports lie, as a surface (kernel density)"),
        options=_SMOOTHED | {"edge_correction"}, needs=_BANDWIDTH, makes="surface",
        by="reports", find=_surface(_density), title=_NO_TITLE, columns=(), telling=all_rows,
    ),
    "adaptive-density": Method(
        does=Text(
            zh="密处细、疏处平的密度面（自适应带宽）",
            en="how thick the reports lie, sharp where they are many (adaptive bandwidth)",
        ),
        options=_SMOOTHED | {"edge_correction"}, needs=_BANDWIDTH, makes="surface",
        by="reports", find=_surface(_adaptive), title=_NO_TITLE, columns=(), telling=all_rows,
    ),
    "relative-risk": Method(
        does=Text(
            zh="相对于常住人口、此前的上报或另一类上报，哪里偏多（相对风险面）",
            en="where there are more than residents, earlier reports or others lead one to expect (relative risk surface)",
        ),
        options=_SMOOTHED | {"population", "against", "since", "comparison"}, needs=_BANDWIDTH,
        needs_one_of={"population": "population", "against": "other.csv", "since": "2026-01-01"}, makes="surface",
        by="reports", find=_surface(_risk), title=_NO_TITLE, columns=(), telling=all_rows,
    ),
}  # fmt: skip
"""By their names."""
