"""On what terms are areas tested: who are neighbours, how is chance told, and can so few reports be tested at all?"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import pandas as pd
from libpysal.graph import Graph

from gisgrid.analysis import contiguity, distance_band, nearest, segment_graph
from gisgrid.analysis.significance import Correction
from gisgrid.derived.areas import Areas
from gisgrid.derived.incidents import in_metres
from gisgrid.derived.notes import Note
from gisgrid.errors import InputError
from gisgrid.schema import Text

FEW_INCIDENTS: Final = 10
"""Incidents per area on average, below which labels by the normal p are known to promise too much."""

_WEAKEST: Final = 0.1  # the weakest class of a hotspot map

FEW_AROUND: Final = 70
"""Incidents per neighbourhood from which on the normal p fits: ten in each of seven hexagons."""

NEIGHBOURS: Final = "contiguity, rook, distance:METRES or nearest:NUMBER"
"""How a neighbourhood is written."""


@dataclass(frozen=True)
class Terms:
    """On what terms areas are tested.

    Attributes
    ----------
    neighbours
        Who is whose neighbour: ``contiguity`` (a border or a corner in common), ``rook`` (a stretch of border),
        ``distance:500`` (centres within 500 m), ``nearest:8`` (the eight nearest centres).
    permutations
        How many; 0 for the normal distribution; None for what suits the method.
    correction
        What is done about the many tests: ``fdr``, ``bonferroni`` or ``none``.
    seed
        Seed of the permutations.
    """

    neighbours: str = "contiguity"
    permutations: int | None = None
    correction: Correction = "fdr"
    seed: int = 0


def neighbourhood(areas: Areas, neighbours: str = "contiguity") -> tuple[Graph, tuple[str, ...]]:
    """Say which areas are neighbours, from a word that a layer's description or a command can hold.

    Parameters
    ----------
    areas
        The areas.
    neighbours
        ``contiguity``, ``rook``, ``distance:500``, ``nearest:8``.

    Returns
    -------
    tuple of Graph and notes
        Named by the areas' key; a note says how many have no neighbours.

    Raises
    ------
    InputError
        No such neighbourhood.
    """
    kind, _, size = neighbours.partition(":")
    notes: tuple[str, ...] = ()
    key = areas.key
    if areas.segments is not None:
        graph = _along_streets(areas.segments, neighbours)
    elif kind in {"contiguity", "rook"} and not size:
        graph = contiguity(areas.frame, key=key, kind="rook" if kind == "rook" else "queen")
    else:
        reach = _reach(neighbours)
        frame, notes = in_metres(areas.frame, what="the distance between neighbours")
        graph = (
            distance_band(frame, key=key, distance_m=reach)
            if kind == "distance"
            else nearest(frame, key=key, k=int(reach))
        )
    alone = graph.isolates
    if len(alone):
        note = Text(
            zh=f"{len(areas.counts)} 个单元中有 {len(alone)} 个没有邻居，不参加检验（第一个：{alone[0]}）",
            en=f"{len(alone)} of {len(areas.counts)} areas have no neighbours and are not tested (first: {alone[0]})",
        )
        notes += (Note.of(note),)
    return graph, notes


def _along_streets(segments: gpd.GeoDataFrame, neighbours: str) -> Graph:
    """Say which segments are neighbours: at a junction, or within a distance along the streets."""
    if neighbours == "contiguity":
        return segment_graph(segments)
    if not neighbours.startswith("distance:"):
        raise InputError(
            f"neighbours {neighbours!r} are none of street segments, which meet at junctions (contiguity) or lie "
            "within a distance along the streets; write distance:METRES, for example distance:300"
        )
    return segment_graph(segments, within_m=_reach(neighbours))


def _reach(neighbours: str) -> float:
    kind, _, size = neighbours.partition(":")
    try:
        reach = float(size)
    except ValueError:
        reach = -1.0
    whole = kind == "distance" or (kind == "nearest" and reach == int(reach))
    if not (whole and 0 < reach < float("inf")):
        raise InputError(
            f"neighbours {neighbours!r} say nothing about who is near whom; write {NEIGHBOURS}, "
            "for example distance:500 or nearest:8"
        )
    return reach


def incidents_around(counts: pd.Series, graph: Graph) -> float:
    """Say how many incidents a neighbourhood holds on average, the area itself among them.

    Parameters
    ----------
    counts
        Shape (n,), incidents.
    graph
        The neighbourhood.

    Returns
    -------
    float
        Incidents; NaN where there are no areas.
    """
    return float(counts.mean() * (1 + graph.cardinalities.mean()))


def few(counts: pd.Series, graph: Graph) -> tuple[str, ...]:
    """Warn where so few incidents are counted that the normal p is liberal (docs/decisions/0004-significance.md).

    Parameters
    ----------
    counts
        Shape (n,), incidents.
    graph
        The neighbourhood: wide ones hold enough though each area holds few.

    Returns
    -------
    tuple of str
        A note, or none.
    """
    mean = counts.mean()
    if not mean < FEW_INCIDENTS or incidents_around(counts, graph) >= FEW_AROUND:
        return ()
    note = Text(
        zh=(
            f"平均每个单元只有 {mean:.1f} 件：不足 {FEW_INCIDENTS} 件时，仅凭偶然而偏热或偏冷的单元会多于等级所示；"
            "请改用更大的单元或更长的时段，或用 9999 次置换"
        ),
        en=(
            f"{mean:.1f} incidents per area are few: below {FEW_INCIDENTS} chance makes more of them hot or cold than "
            "the labels say; choose larger areas or a longer period, or draw 9999 permutations"
        ),
    )
    return (Note.of(note),)


def out_of_reach(terms: Terms, permutations: int, n_tested: int) -> tuple[str, ...]:
    """Warn where so few permutations are drawn that no area could pass Bonferroni's correction, whatever its score.

    Parameters
    ----------
    terms
        How it is tested.
    permutations
        How many are drawn.
    n_tested
        How many areas are tested.

    Returns
    -------
    tuple of str
        A note, or none.
    """
    if permutations == 0 or terms.correction != "bonferroni" or n_tested == 0:
        return ()
    least = 2 * n_tested / (permutations + 1)
    if least <= _WEAKEST:
        return ()
    enough = math.ceil(2 * n_tested / 0.01)
    note = Text(
        zh=(
            f"{permutations} 次置换的最小 p 为 {2 / (permutations + 1):.4f}，乘以 {n_tested} 个单元后不可能显著；"
            f"请至少置换 {enough} 次，或改用 fdr"
        ),
        en=(
            f"no area can pass: the least p of {permutations} permutations, {2 / (permutations + 1):.4f}, times "
            f"{n_tested} areas is over {_WEAKEST:g}; draw {enough} or more, or correct by fdr"
        ),
    )
    return (Note.of(note),)
