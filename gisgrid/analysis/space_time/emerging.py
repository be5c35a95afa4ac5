"""Which hotspots are new, which grow, which fade, and which were never gone?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

import numpy as np
import pandas as pd
from libpysal.graph import Graph
from numpy.typing import NDArray

from gisgrid.analysis.alignment import Floats
from gisgrid.analysis.significance import Correction, words
from gisgrid.analysis.space_time.step_scores import Reference, step_scores
from gisgrid.analysis.space_time.trend import numbers_by_step, trend_columns
from gisgrid.errors import IndexMismatchError, InputError, SmallSampleWarning, warn_null
from gisgrid.schema import Text

Sporadic = Literal["any_step", "last_step"]

_SHARE: Final = 0.9
_FEW_STEPS: Final = 10
_FEW_UNITS: Final = 30
_STATES: Final = ("cold", "not_significant", "hot")

# Key, name and meaning in Chinese, name and meaning in English; {} stands for the kind of spot.
_KINDS: Final = (
    ("new", "新增", "最近一期首次成为显著{}",
     "New", "A significant {} at the last step, for the first time"),
    ("consecutive", "连续", "最近连续两期以上为显著{},此前从未出现,占全部时段不足 90%",
     "Consecutive", "A significant {} in an unbroken run of two or more last steps, never before, in under 90 % of all"),
    ("intensifying", "加剧", "90% 以上时段(含最近一期)为显著{},且强度显著增加",
     "Intensifying", "A significant {} in 90 % of the steps or more and at the last, its intensity rising significantly"),
    ("persistent", "持续", "90% 以上时段(含最近一期)为显著{},强度无显著变化",
     "Persistent", "A significant {} in 90 % of the steps or more and at the last, without a significant trend"),
    ("diminishing", "减弱", "90% 以上时段(含最近一期)为显著{},但强度显著降低",
     "Diminishing", "A significant {} in 90 % of the steps or more and at the last, its intensity falling significantly"),
    ("sporadic", "间歇", "时有时无的显著{},占不足 90% 的时段,且从未显著相反",
     "Sporadic", "A significant {} on and off, in under 90 % of the steps, and never the opposite"),
    ("oscillating", "摇摆", "最近一期为显著{},此前曾显著相反,占不足 90% 的时段",
     "Oscillating", "A significant {} at the last step that was the opposite before, in under 90 % of the steps"),
    ("historical", "历史", "90% 以上时段曾为显著{},但最近一期不是",
     "Historical", "A significant {} in 90 % of the steps or more, but not at the last"),
)  # fmt: skip
_SIDES: Final = (("hot", "热点", "hotspot"), ("cold", "冷点", "coldspot"))

PATTERNS: Final = (*(f"{kind[0]}_{side[0]}" for side in _SIDES for kind in _KINDS), "no_pattern")
"""The 17 patterns: eight of hotspots, the same eight of coldspots, and none."""

PATTERN_TEXTS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        f"{key}_{side}": Text(zh=f"{name_zh}{side_zh}", en=f"{name} {side_en}")
        for side, side_zh, side_en in _SIDES
        for key, name_zh, _, name, _ in _KINDS
    }
    | {"no_pattern": Text(zh="无明显模式", en="No pattern")}
)
"""What each pattern is called."""

PATTERN_MEANINGS: Final[Mapping[str, Text]] = MappingProxyType(
    {
        f"{key}_{side}": Text(zh=meaning_zh.format(side_zh), en=meaning.format(side_en))
        for side, side_zh, side_en in _SIDES
        for key, _, meaning_zh, _, meaning in _KINDS
    }
    | {"no_pattern": Text(zh="不属于其他任何一种模式", en="None of the other patterns")}
)
"""What each pattern means, in a sentence."""


def emerging_hotspots(
    cube: pd.DataFrame,
    graph: Graph,
    *,
    lag: int = 0,
    reference: Reference = "step",
    correction: Correction = "fdr",
    level: float = 0.05,
    trend_level: float = 0.05,
    sporadic: Sporadic = "any_step",
) -> pd.DataFrame:
    """Say of each unit what kind of hotspot it has been over the months: new, intensifying, fading, there all along.

    Parameters
    ----------
    cube
        Shape (n, T), counts or rates, one row per unit and one column per time step in the order of time. Whole steps
        only (``space_time_cube(…).complete``): half a month at the end looks like a fall.
    graph
        n nodes, the same names as ``cube.index``.
    lag
        How many earlier steps belong to a neighbourhood; see `step_scores`. Above 0 it smooths, and makes the trend of
        a unit look surer than it is.
    reference
        ``step`` compares a unit with the city in the same steps, ``cube`` with the city in all steps.
    correction
        What is done about the many units of a step; see `corrected`.
    level
        A unit is hot or cold at a step where q is at most this.
    trend_level
        The intensity rises or falls where p of Mann-Kendall is at most this.
    sporadic
        ``any_step``: hot at one step or more is enough. ``last_step``: it must also be hot at the last step, as newer
        versions of ArcGIS Pro define it; what was hot for a while and is not so now then has no pattern.

    Returns
    -------
    DataFrame
        Shape (n, 8), indexed like `cube`: `pattern` (one of `PATTERNS`), `n_steps` (with a test), `n_hot`, `n_cold`,
        `last` (``hot``, ``cold`` or ``not_significant``), `z_last`, `trend_z`, `trend_p` (Mann-Kendall of the z
        scores; above 0 hotter). Missing where the last step has no test: isolates, no value, a step all the same.

    Raises
    ------
    IndexMismatchError
        `cube` and `graph` do not name the same units.
    InputError
        Values that are no numbers or infinite, or an option or level that does not exist.

    Warns
    -----
    NullResultWarning
        There are fewer than two time steps, or a step has no score: what rests on it is missing.
    SmallSampleWarning
        There are fewer than 10 steps or 30 units.

    Notes
    -----
    *The rules.* The eight kinds are exclusive; the first that holds, in the order of `PATTERNS`, is taken. What the
    published definitions leave open is decided so: 90 % means at least 90 % of the steps with a test; the side of the
    last step comes first, so that what was hot for years and is cold now is a new coldspot; new wins over consecutive and
    oscillating, consecutive over oscillating; a coldspot intensifies where z falls; persistent demands the last step
    (without it the place is historical).

    Intensity is z, not the count: a unit that already stands out as far as the map allows cannot intensify, however its
    counts grow. See `gisgrid.analysis.space_time.trend` for the counts themselves.

    Many steps are many looks: with `level` 0.05 and 36 steps a unit without any pattern is hot at some step now and
    then, and called sporadic. Read `n_hot` beside it. CRS: none needed here. Cost: O(edges · T + n T²), 100 000 cells of
    36 steps in about a second. Source: Getis-Ord as in `gi_star`, trend as in `mann_kendall`, patterns after the
    published table of Emerging Hot Spot Analysis.

    Examples
    --------
    >>> from libpysal.graph import Graph
    >>> side = np.arange(100) // 10
    >>> ids = np.arange(100)
    >>> near = (abs(side[:, None] - side) <= 1) & (abs(ids[:, None] % 10 - ids % 10) <= 1) & (ids[:, None] != ids)
    >>> graph = Graph.from_arrays(*np.nonzero(near), np.ones(near.sum()))
    >>> cube = pd.DataFrame(np.tile((ids * 7 % 5 + 5)[:, None], 12))
    >>> cube.iloc[[0, 1, 10, 11], 11] = 60
    >>> emerging_hotspots(cube, graph).loc[[0, 99], "pattern"].to_list()
    ['new_hot', 'no_pattern']
    """
    for name, value in (("level", level), ("trend_level", trend_level)):
        if not 0 < value < 1:
            raise InputError(f"{name} {value:g} is no probability; give one between 0 and 1")
    if cube.shape[1] < 2:
        warn_null(
            f"nothing can emerge over {cube.shape[1]} time steps; it takes two, the patterns are missing"
        )
    elif cube.shape[1] < _FEW_STEPS or len(cube) < _FEW_UNITS:
        warnings.warn(
            SmallSampleWarning(
                f"patterns of {len(cube)} units over {cube.shape[1]} time steps rest on few; "
                f"below {_FEW_UNITS} units or {_FEW_STEPS} steps their p are rough"
            ),
            stacklevel=2,
        )
    scores = step_scores(cube, graph, lag=lag, reference=reference, correction=correction)
    z, q = scores.z.to_numpy(), scores.q.to_numpy()
    states = np.where(q <= level, np.sign(z), np.where(np.isnan(z), np.nan, 0.0))
    trend = trend_columns(z)
    columns = {"z": trend["z"], "p": trend["p"]}
    found = emerging_patterns(
        pd.DataFrame(states, index=cube.index, columns=cube.columns),
        pd.DataFrame(columns, index=cube.index),
        trend_level=trend_level,
        sporadic=sporadic,
    )
    found.insert(5, "z_last", z[:, -1] if z.shape[1] else np.nan)
    return found.assign(trend_z=trend["z"], trend_p=trend["p"])


def emerging_patterns(
    states: pd.DataFrame,
    trend: pd.DataFrame,
    *,
    trend_level: float = 0.05,
    sporadic: Sporadic = "any_step",
) -> pd.DataFrame:
    """Name the pattern of each unit from where it was hot and cold, and whether it rose.

    For scores of one's own, for example of permutations or of rates corrected elsewhere; else see `emerging_hotspots`.

    Parameters
    ----------
    states
        Shape (n, T), 1 where hot, -1 where cold, 0 where neither, missing where there was no test.
    trend
        Indexed like `states`: `z` and `p` of the intensity's trend, as from `mann_kendall`.
    trend_level
        The intensity rises or falls where p is at most this.
    sporadic
        As for `emerging_hotspots`.

    Returns
    -------
    DataFrame
        Shape (n, 5), indexed like `states`: `pattern`, `n_steps`, `n_hot`, `n_cold`, `last`.

    Raises
    ------
    IndexMismatchError
        `states` and `trend` are not indexed alike.
    InputError
        A state other than -1, 0 and 1, or no such option.

    Examples
    --------
    >>> states = pd.DataFrame([[0, 0, 0, 0, 1], [0, 0, 1, 1, 1], [0, 1, 0, 0, 0], [1, -1, 0, 0, 1]])
    >>> emerging_patterns(states, pd.DataFrame({"z": 0.0, "p": 1.0}, index=states.index))["pattern"].to_list()
    ['new_hot', 'consecutive_hot', 'sporadic_hot', 'oscillating_hot']
    """
    if not states.index.equals(trend.index):
        raise IndexMismatchError(
            f"{len(states)} rows of states and {len(trend)} trends are not indexed alike; take both from one cube"
        )
    if sporadic not in get_args(Sporadic):
        raise InputError(
            f"there is no rule {sporadic!r} for sporadic; choose 'any_step' or 'last_step'"
        )
    s = numbers_by_step(states)
    if not np.isin(s[~np.isnan(s)], (-1.0, 0.0, 1.0)).all():
        raise InputError("a state is 1 (hot), -1 (cold), 0 (neither) or missing; found others")
    z, p = (trend[name].to_numpy(dtype=float, na_value=np.nan) for name in ("z", "p"))
    rising = np.where(p <= trend_level, np.sign(z), 0.0)
    tested = ~np.isnan(s)
    last = s[:, -1] if s.shape[1] >= 2 else np.full(len(s), np.nan)
    code = np.full(len(s), len(PATTERNS) - 1, np.int8)
    # No unit has a pattern of both sides: the last step decides, and where it is neither, 90 % or 'never the opposite'.
    for offset, side in ((len(_KINDS), -1.0), (0, 1.0)):
        kind = _kinds(s * side, last * side, tested, rising * side, sporadic=sporadic)
        code = np.where(kind >= 0, kind + offset, code).astype(np.int8)
    code[np.isnan(last)] = -1
    where = np.where(np.isnan(last), -1, np.nan_to_num(last) + 1).astype(np.int8)
    columns = {
        "pattern": words(code, PATTERNS),
        "n_steps": tested.sum(axis=1),
        "n_hot": (s == 1).sum(axis=1),
        "n_cold": (s == -1).sum(axis=1),
        "last": words(where, _STATES),
    }
    return pd.DataFrame(columns, index=states.index)


def _kinds(
    s: Floats, last: Floats, tested: NDArray[np.bool_], rising: Floats, *, sporadic: Sporadic
) -> NDArray[np.int8]:
    """Give the place in `_KINDS` of each unit, with 1 for the side that is asked about; -1 for none."""
    spot = s == 1
    n, n_spot = tested.sum(axis=1), spot.sum(axis=1)
    opposite = (s == -1).any(axis=1)
    now, most = last == 1, (n_spot >= _SHARE * n - 1e-9) & (n_spot > 0)
    since_first = (tested & np.logical_or.accumulate(spot, axis=1)).sum(axis=1)
    gone = last == 0  # at the last step the other side comes first
    again = now if sporadic == "last_step" else now | gone
    rules = (
        now & (n_spot == 1),
        now & (n_spot == since_first) & ~most,
        now & most & (rising > 0),
        now & most & (rising == 0),
        now & most & (rising < 0),
        again & (n_spot > 0) & ~most & ~opposite,
        now & opposite & ~most,
        gone & most,
    )
    found: NDArray[np.int8] = np.select(rules, np.arange(len(rules)), -1).astype(np.int8)
    return found
