"""Which datum are these coordinates in? Decided by how they fit the city's own layers, or not decided at all.

Every datum that the numbers allow is tried: the points are brought to WGS84 as if it were that, and held against the
city's units, the district that each row names, and the streets. One candidate is taken only when the points themselves
speak for it against every other; a shift that no datum explains is told as such.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import ArrayLike
from pyproj import CRS

from gisgrid.datum import Datum
from gisgrid.errors import CrsError
from gisgrid.intake.datums.candidates import is_claim
from gisgrid.intake.datums.fit import Fit, Ground, Reference
from gisgrid.intake.datums.marks import CONVERTED, read_marks
from gisgrid.intake.datums.weighing import SAMPLE, Case, Verdict, better_move, spread, weigh
from gisgrid.schema import Text

__all__ = ["CONVERTED", "Candidate", "DatumFinding", "Reference", "detect_datum"]

ACCEPTED: Final = 0.99
"""How sure a datum must be to be taken without being asked for."""

_LEAST_INSIDE: Final = 0.05


@dataclass(frozen=True)
class Candidate:
    """One datum that the numbers allow, and how it fits.

    Attributes
    ----------
    datum
        What the coordinates would be.
    score
        How credible it is beside the other candidates, 0 to 1; all together are 1.
    share_inside
        Share of the points that lie in the city's units; NaN without units.
    share_named
        Share of the rows naming a known unit whose point lies in it, or None.
    street_distance_m
        Median metres to the nearest street, 150 at most, or None without streets.
    why
        The same as a sentence.
    """

    datum: Datum
    score: float
    share_inside: float
    share_named: float | None
    street_distance_m: float | None
    why: Text


@dataclass(frozen=True)
class DatumFinding:
    """What the coordinates are, or that it cannot be told.

    Attributes
    ----------
    datum
        What they are; None where that is not sure enough.
    confidence
        How sure the best candidate is, 0 to 1.
    candidates
        What was considered, the best first.
    evidence
        What speaks for the decision, a sentence each.
    advice
        What to state where nothing was decided, with the option to give; None where it was.
    """

    datum: Datum | None
    confidence: float
    candidates: tuple[Candidate, ...]
    evidence: tuple[Text, ...]
    advice: Text | None


def detect_datum(
    x: ArrayLike,
    y: ArrayLike,
    *,
    stated: CRS | None,
    reference: Reference,
    named: pa.Array | None = None,
    hints: Sequence[str] = (),
) -> DatumFinding:
    """Find out which datum two columns of coordinates are in, or say that it cannot be told.

    Parameters
    ----------
    x, y
        Shape (n,), the columns that are taken for longitude or easting, and latitude or northing; NaN where empty.
    stated
        What the file's metadata say, or None. WGS84 and Web Mercator are what formats call everything, so shifts
        are still looked for; any other CRS is somebody's word, and is never overruled by a shift without asking.
    reference
        The city's own layers; empty ones are allowed.
    named
        Shape (n,), text: the district, street office or community that each row states, or None.
    hints
        Names of columns, format and file, and a few values of the id column; `CONVERTED` where the file carries
        gisgrid's own record of a conversion, which is then kept as it is.

    Returns
    -------
    DatumFinding
        With `datum` None unless one candidate is sure to `ACCEPTED`.

    Raises
    ------
    CrsError
        A layer of `reference` has no CRS.
    ColumnError
        A layer of `reference` has no column of the name given.

    Notes
    -----
    CRS: any. At most 20 000 rows, evenly spread, are looked at, so the cost does not grow with the file. A place of
    200 m that fits one candidate and not another is one witness; the confidence is the probability, with a flat prior,
    that the witnesses lean to the first by more than chance. Streets count only where the points are drawn to them:
    where moving the points 300 m any way takes them off the streets. If a move of 100 to 800 m fits clearly better
    than every candidate, the coordinates are off in a way that no datum explains, and nothing is decided.
    The layers are taken to be right: points fitted to a layer that is itself in GCJ-02 come out in GCJ-02.
    CGCS2000, WGS84 and an old local datum (Beijing 1954, Xi'an 1980; up to 100 m off) cannot be told apart by fit.

    Examples
    --------
    >>> import geopandas as gpd
    >>> none = Reference(units={}, names={})
    >>> found = detect_datum([113.25, 113.26], [35.21, 35.22], stated=None, reference=none)
    >>> found.datum is None, [c.datum.id for c in found.candidates[:2]], found.advice.en
    (True, ['wgs84', 'gcj02'], 'state what the coordinates are: --datum wgs84 (WGS84 degrees) or --datum gcj02 (GCJ-02 shifted degrees (AMap, Tencent))')
    >>> detect_datum([-87.65, -87.66], [41.85, 41.86], stated=None, reference=none).datum.id
    'wgs84'
    """
    xs, ys = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
    marks = read_marks(hints)
    try:
        said = None if stated is None else Datum.of(stated)
    except CrsError as error:
        return _refused_crs(stated, error)
    rows = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys) & ~((xs == 0) & (ys == 0)))
    rows = rows[spread(len(rows), SAMPLE)]
    if not len(rows):
        return _nothing()
    sampled = None if named is None else named.take(pa.array(rows))
    case = Case(
        xs[rows],
        ys[rows],
        Ground.of(reference, sampled, len(rows)),
        said,
        marks,
        _reference_crs(reference),
    )
    verdict = weigh(case)
    if verdict is None:
        return _impossible(case)
    return _decide(case, verdict)


def _reference_crs(reference: Reference) -> tuple[CRS, ...]:
    layers = [
        *reference.units.values(),
        *([] if reference.streets is None else [reference.streets]),
    ]
    return tuple(
        {CRS(layer.crs).to_wkt(): CRS(layer.crs) for layer in layers if layer.crs}.values()
    )


def _decide(case: Case, verdict: Verdict) -> DatumFinding:
    best = verdict.datums[0]
    candidates = tuple(
        _candidate(datum, fit, score)
        for datum, fit, score in zip(verdict.datums, verdict.fits, verdict.scores, strict=True)
    )[:8]
    said = [*case.marks.words, *_stated_words(case)]
    said.append(_sample_words(case, verdict))
    if case.marks.converted:
        kept = case.stated or Datum.of("wgs84")
        said.append(
            Text(
                zh="文件带有 gisgrid 的转换记录，坐标保持不变，不再转换",
                en="the file carries gisgrid's own record of a conversion, so the coordinates are kept and not converted again",
            )
        )
        return DatumFinding(kept, 1.0, candidates, tuple(said), None)
    confidence = (
        verdict.confidence if case.ground is not None else min(verdict.confidence, ACCEPTED)
    )
    doubt = _doubt(case, verdict)
    if doubt is None and confidence >= ACCEPTED:
        return DatumFinding(best, confidence, candidates, tuple(said), None)
    if doubt is not None:
        said.append(doubt)
        confidence = min(confidence, 0.5)
    return DatumFinding(None, confidence, candidates, tuple(said), _advice(candidates))


def _doubt(case: Case, verdict: Verdict) -> Text | None:
    """Say what forbids taking the best candidate, however far it is ahead of the others."""
    best = verdict.datums[0]
    if case.ground is None:
        if (best.crs is not None or best.millionths) and best != case.stated:
            return Text(
                zh="没有城市自己的图层可以对照，这样的坐标无法核实",
                en="there is no layer of the city to hold such coordinates against",
            )
        return None
    return (
        _misplaced(case.ground, verdict) or _overruled(case, best) or _moved(case.ground, verdict)
    )


def _misplaced(ground: Ground, verdict: Verdict) -> Text | None:
    """Say that no candidate brings the points to the city, or that nothing shows where they belong."""
    if ground.levels and verdict.fits[0].share_inside < _LEAST_INSIDE:
        return Text(
            zh=f"无论哪种坐标系，落入单元的点都不足 {_LEAST_INSIDE:.0%}：文件可能属于别处，或坐标系未知",
            en=f"under no datum do {_LEAST_INSIDE:.0%} of the points lie in the units: the file is of another place, or in an unknown system",
        )
    if not ground.levels and not verdict.by_streets:
        return Text(
            zh="这些点并不靠近街道，单凭街道无法判断",
            en="the points are not drawn to streets, and there is nothing else to hold them against",
        )
    return None


def _overruled(case: Case, best: Datum) -> Text | None:
    """Say that the points contradict what somebody stated."""
    if case.stated is not None and is_claim(case.stated) and _only_shifted(best, case.stated):
        return Text(
            zh=f"文件声明为 {case.stated.words.zh}，但坐标更符合 {best.words.zh}；声明不会被擅自更改",
            en=f"the file says {case.stated.words.en} but the points fit {best.words.en} better; what a file says is not overruled without asking",
        )
    return None


def _moved(ground: Ground, verdict: Verdict) -> Text | None:
    """Say that the points would fit better somewhere near."""
    if ground.levels and (move := better_move(ground, verdict.fits[0])) is not None:
        return Text(
            zh=f"把所有点向东移约 {move.east_m:.0f} 米、向北移约 {move.north_m:.0f} 米后，相符比例由 {move.before:.1%} 升至 {move.after:.1%}：存在已知坐标系无法解释的偏移",
            en=f"moving all points about {move.east_m:.0f} m east and {move.north_m:.0f} m north raises the share that fits from {move.before:.1%} to {move.after:.1%}: they are off in a way that no known datum explains",
        )
    return None


def _only_shifted(best: Datum, stated: Datum) -> bool:
    return best.id != stated.id and best.crs == stated.crs and best.swapped == stated.swapped


def _candidate(datum: Datum, fit: Fit, score: float) -> Candidate:
    zh, en = [], []
    inside, named, street = fit.share_inside, fit.share_named, fit.street_median_m
    if not np.isnan(inside):
        zh.append(f"{inside:.1%} 的点落在单元内")
        en.append(f"{inside:.1%} of the points lie in the units")
    if named is not None:
        zh.append(f"{named:.1%} 与所填区划一致")
        en.append(f"{named:.1%} lie in the unit that they name")
    if street is not None:
        zh.append(f"到街道距离中位数 {street:.0f} 米")
        en.append(f"{street:.0f} m from a street at the median")
    why = Text(
        zh="，".join(zh) or "没有城市自己的图层可以对照",
        en=", ".join(en) or "no layer of the city to compare with",
    )
    return Candidate(datum, float(score), inside, named, street, why)


def _sample_words(case: Case, verdict: Verdict) -> Text:
    first, n = verdict.datums[0], len(case.x)
    why = _candidate(first, verdict.fits[0], 1.0).why
    zh, en = (
        f"{n:,} 个点按 {first.words.zh} 解释：{why.zh}",
        f"{n:,} points taken as {first.words.en}: {why.en}",
    )
    if len(verdict.datums) > 1:
        other = _candidate(verdict.datums[1], verdict.fits[1], 1.0)
        zh += f"；其次为 {other.datum.words.zh}：{other.why.zh}"
        en += f"; next {other.datum.words.en}: {other.why.en}"
    return Text(zh=zh, en=en)


def _stated_words(case: Case) -> list[Text]:
    if case.stated is None:
        return []
    return [
        Text(
            zh=f"文件元数据声明为 {case.stated.words.zh}",
            en=f"the file's metadata say {case.stated.words.en}",
        )
    ]


def _advice(candidates: Sequence[Candidate]) -> Text:
    two = [candidate.datum for candidate in candidates[:2]]
    return Text(
        zh="请说明坐标系：" + " 或 ".join(f"--datum {d.id}（{d.words.zh}）" for d in two),
        en="state what the coordinates are: "
        + " or ".join(f"--datum {d.id} ({d.words.en})" for d in two),
    )


def _nothing() -> DatumFinding:
    said = Text(zh="没有一行带有可用的坐标数字", en="no row has a pair of numbers for coordinates")
    return DatumFinding(None, 0.0, (), (said,), None)


def _impossible(case: Case) -> DatumFinding:
    x, y = float(np.median(case.x)), float(np.median(case.y))
    said = Text(
        zh=f"坐标数值（中位数 {x:.10g}, {y:.10g}）不符合任何可识别的坐标系",
        en=f"the numbers (median {x:.10g}, {y:.10g}) are those of no system that can be recognised",
    )
    advice = Text(
        zh="请说明坐标系，例如 --datum EPSG:4547",
        en="state what the coordinates are, for example --datum EPSG:4547",
    )
    return DatumFinding(None, 0.0, (), (*case.marks.words, said), advice)


def _refused_crs(stated: CRS | None, error: CrsError) -> DatumFinding:
    name = "" if stated is None else stated.name
    said = Text(
        zh=f"文件声明的 {name} 无法转换到 WGS84：其参数由各城市测绘部门掌握，并不公开",
        en=str(error),
    )
    advice = Text(
        zh="请先由测绘部门转换为 CGCS2000，再用 --datum 说明，例如 --datum EPSG:4547",
        en="have the data converted to CGCS2000 by the survey office, then state it, for example --datum EPSG:4547",
    )
    return DatumFinding(None, 0.0, (), (said,), advice)
