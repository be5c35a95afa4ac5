"""Methods that choose the place, the size and the time of a cluster themselves, and patterns over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import pandas as pd

from gisgrid import derived
from gisgrid.analysis import Window
from gisgrid.analysis.space_time.emerging import PATTERN_TEXTS
from gisgrid.cli.hotspots.finding import Asked, Found, counted, ground, noted
from gisgrid.cli.hotspots.method import (
    COUNTED,
    FOUND,
    LABELS,
    SCAN,
    SPAN,
    Column,
    Method,
    N,
    P,
    all_rows,
    one_per_cluster,
)
from gisgrid.schema import Text


def _window(asked: Asked) -> Window:
    said = asked.request
    return derived.window_of(said.shape or "circle", said.max_share or 0.5)


def _scan(asked: Asked) -> Found:
    """Scan areas for clusters, against residents, their area, or controls."""
    areas, covered = counted(asked)
    controls = None
    if asked.others is not None:
        others, _ = counted(asked, issues=asked.others)
        controls = others.counts
    made = derived.clustered(areas, asked.terms, window=_window(asked), controls=controls)
    return Found(made, areas.key, covered, areas, asked.terms)


def _space_time(model: str) -> Callable[[Asked], Found]:
    def find(asked: Asked) -> Found:
        areas, covered = counted(asked)
        said = asked.request
        made = derived.clustered_in_time(
            areas, asked.terms, timezone=asked.timezone, step=said.step or "month", model=model,
            prospective=said.prospective, window=_window(asked),
        )  # fmt: skip
        return Found(made, areas.key, covered, areas, asked.terms)

    return find


def _temporal(asked: Asked) -> Found:
    """Find the span of time with more than chance."""
    area, note = ground(asked)
    said = asked.request
    made = derived.time_clusters(
        asked.issues, area, timezone=asked.timezone, step=said.step or "week", prospective=said.prospective,
        permutations=999 if said.permutations is None else said.permutations, seed=said.seed or 0,
    )  # fmt: skip
    n = len(derived.incidents(asked.issues)) - made.excluded.get(derived.IN_NO_AREA, 0)
    n -= sum(
        made.excluded.get(why, 0)
        for why in (derived.NO_TIME, derived.FAR_IN_TIME, derived.IN_PART_STEPS)
    )
    return Found(noted(made, note), "from_day", area, n_counted=n)


def _emerging(asked: Asked) -> Found:
    """Name the pattern of each area over time."""
    areas, covered = counted(asked)
    step, timezone = asked.request.step or "month", asked.timezone
    made = derived.patterned(areas, asked.terms, timezone=timezone, step=step)
    steps = None
    if asked.request.output.suffix == ".html":
        steps = derived.step_labels(areas, asked.terms, timezone=timezone, step=step)
    return Found(made, areas.key, covered, areas, asked.terms, steps=steps)


def _patterns(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame[frame["pattern"].notna() & (frame["pattern"] != "no_pattern")]
    order = found["pattern"].map(list(PATTERN_TEXTS).index)
    return found.assign(order=order).sort_values(
        ["order", "z_last"], ascending=[True, False], kind="stable"
    )


def _llr(frame: pd.DataFrame) -> pd.Series:
    return frame["llr"].fillna(0.0)


_EMERGING: Final = (
    N,
    Column("n_hot", Text(zh="热的期数", en="Hot steps"), ".0f"),
    Column("n_steps", Text(zh="期数", en="Steps"), ".0f"),
    Column("z_last", Text(zh="最近一期 z", en="Last z"), ".2f"),
    Column("trend_p", Text(zh="趋势 p", en="p of trend"), ".3f"),
)
_TEMPORAL: Final = (
    Column("to_day", Text(zh="止", en="To"), ""),
    Column("cases", Text(zh="件数", en="Issues"), ",.0f"),
    Column("expected", Text(zh="期望", en="Expected")),
    Column("relative_risk", Text(zh="相对风险", en="Relative risk"), ".2f"),
    P,
)
_SPANS: Final = (
    *SPAN,
    *(column for column in SCAN if column.name not in {"n_members", "expected"}),
)
_WINDOWS: Final = frozenset({"shape", "max_share", "permutations", "seed"})
_IN_TIME: Final = frozenset({"step", "prospective"})

METHODS: Final[Mapping[str, Method]] = {
    "scan": Method(
        does=Text(
            zh="哪一片（大小不限）的件数超出人口能解释的程度（Kulldorff 扫描统计）",
            en="in which circle, of any size, there are more than the population explains (Kulldorff's scan)",
        ),
        options=COUNTED | _WINDOWS | {"controls", "compare", "engine"},
        find=_scan, title=FOUND, columns=SCAN,
        telling=one_per_cluster, class_column="label", classes=LABELS, ranks=_llr,
    ),
    "space-time-scan": Method(
        does=Text(
            zh="哪一片在哪段时间的件数超出人口能解释的程度（时空扫描）",
            en="where and when there are more than the population explains (space-time scan)",
        ),
        options=COUNTED | _WINDOWS | _IN_TIME,
        find=_space_time("poisson"), title=FOUND, columns=_SPANS,
        telling=one_per_cluster, class_column="label", classes=LABELS,
    ),
    "space-time-permutation": Method(
        does=Text(
            zh="哪一片在哪段时间比自己平时多（时空置换扫描，不需要人口）",
            en="where and when there are more than usual there (space-time permutation scan; needs no residents)",
        ),
        options=frozenset({"cells", "cell_m"}) | _WINDOWS | _IN_TIME,
        find=_space_time("permutation"), title=FOUND, columns=_SPANS,
        telling=one_per_cluster, class_column="label", classes=LABELS,
    ),
    "temporal-scan": Method(
        does=Text(
            zh="全市哪段时间的件数异常地多（时间扫描）",
            en="in which span of time the whole city had more than chance (temporal scan)",
        ),
        options=frozenset({"permutations", "seed"}) | _IN_TIME, by="reports", makes="table",
        find=_temporal, title=Text(zh="时段", en="Span of time"), columns=_TEMPORAL, telling=all_rows,
        class_column="label", classes=LABELS,
    ),
    "emerging": Method(
        does=Text(
            zh="哪些热点是新增、加剧、持续、减弱的（17 类时空模式）",
            en="which hotspots are new, growing, lasting or fading (17 patterns over time)",
        ),
        options=COUNTED | {"neighbours", "correction", "step", "compare"},
        find=_emerging, title=Text(zh="有模式的地方", en="Places with a pattern"), columns=_EMERGING,
        telling=_patterns, class_column="pattern", classes=PATTERN_TEXTS,
        ranks=lambda frame: frame["z_last"],
    ),
}  # fmt: skip
"""By their names."""
