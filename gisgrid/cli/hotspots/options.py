"""The options of `gisgrid hotspots` that have a part in some methods only, by the panel of the help they stand in."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final

import typer

_TEST: Final = "How it is tested"
_SCAN: Final = "Scans and clusters"
_PERIODS: Final = "Periods and campaigns"
_RATES: Final = "Rates, zones and effort"
_SURFACES: Final = "Surfaces"
_STREETS: Final = "Streets"
_MACHINES: Final = "Past one machine"


class CorrectionName(StrEnum):
    """What is done about the many tests of one map."""

    fdr = "fdr"
    bonferroni = "bonferroni"
    none = "none"


class StepName(StrEnum):
    """Steps of time."""

    day = "day"
    week = "week"
    month = "month"
    quarter = "quarter"
    year = "year"


class WindowShape(StrEnum):
    """The shapes of a scan's windows."""

    circle = "circle"
    ellipse = "ellipse"


class ComparisonName(StrEnum):
    """What a relative risk says."""

    ratio = "ratio"
    log2_ratio = "log2-ratio"
    rate = "rate"
    difference = "difference"


class EngineName(StrEnum):
    """Who counts files in parts."""

    local = "local"
    dask = "dask"


def _option(text: str, panel: str, *names: str, metavar: str | None = None) -> Any:  # noqa: ANN401 - typer's
    return typer.Option(*names, help=text, rich_help_panel=panel, metavar=metavar)


Neighbours = Annotated[
    str | None,
    _option(
        "Who is whose neighbour: contiguity (default), rook, distance:METRES, nearest:NUMBER; of streets contiguity or "
        "distance:METRES along them.",
        _TEST,
    ),
]
Permutations = Annotated[
    int | None, _option("p from so many random maps; 0: from the normal distribution.", _TEST)
]
Correction = Annotated[
    CorrectionName | None, _option("What is done about the many tests; fdr.", _TEST)
]
Seed = Annotated[int | None, _option("Seed of what is drawn; 0.", _TEST)]
Against = Annotated[
    str | None,
    _option(
        "The other thing: a column of UNITS (bivariate-moran), or a file of reports.",
        _TEST,
        metavar="COLUMN|FILE",
    ),
]
Flag = Annotated[
    str | None,
    _option(
        "What areas have, for join-counts: a column of UNITS that says yes or no, or so many issues or more.",
        _TEST,
        metavar="COLUMN|NUMBER",
    ),
]

Shape = Annotated[
    WindowShape | None, _option("Windows of a scan: circle (default), ellipse.", _SCAN)
]
MaxShare = Annotated[
    float | None,
    _option("The share of the population a scan's cluster may hold, up to 0.5 (default).", _SCAN),
]
Controls = Annotated[
    Path | None,
    _option("Reports that are no cases: scan then asks for their share (Bernoulli).", _SCAN),
]
Step = Annotated[
    StepName | None,
    _option("Step of time; month, of temporal-scan and campaign week.", _SCAN),
]
Prospective = Annotated[
    bool, _option("Only clusters that last until now: an alarm.", _SCAN, "--prospective")
]
RadiusM = Annotated[
    float | None,
    _option("How near is near for dbscan (and hierarchical), metres.", _SCAN),
]
MinReports = Annotated[int | None, _option("How many reports make a cluster.", _SCAN)]
BandsM = Annotated[
    str | None,
    _option("Bands of distance of near-repeats; 100,200,300,400.", _SCAN, metavar="METRES,…"),
]
BandsDays = Annotated[
    str | None, _option("Bands of time of near-repeats; 7,14,21,28.", _SCAN, metavar="DAYS,…")
]

Before = Annotated[
    str | None,
    _option(
        "The earlier period of change: 2024, 2024-03, 2024-03-01..2024-05-31 (last day included).", _PERIODS,
        metavar="PERIOD",
    ),
]  # fmt: skip
After = Annotated[str | None, _option("The later period, likewise.", _PERIODS, metavar="PERIOD")]
Treated = Annotated[
    str | None, _option("Column of UNITS that says yes where the campaign was.", _PERIODS)
]
Since = Annotated[
    str | None,
    _option(
        "The day on which the campaign began; of relative-risk the first day held against those before.", _PERIODS,
        "--from", metavar="DAY",
    ),
]  # fmt: skip
PlaceM = Annotated[
    float | None,
    _option("Side of the squares that are one place, for rebound, metres; 50.", _PERIODS),
]

Zone = Annotated[str | None, _option("Column of UNITS with the kinds of place to compare.", _RATES)]
ReferenceZone = Annotated[
    str | None,
    _option("The kind that others are compared with; that with most residents.", _RATES, "--reference"),
]  # fmt: skip
Strata = Annotated[
    str | None, _option("Column of UNITS by which like is compared with like.", _RATES)
]
Effort = Annotated[
    str | None, _option("Column of UNITS with patrol km, or hours, for effort.", _RATES)
]
LeastEffort = Annotated[
    float | None,
    _option("Units with less effort are unknown; a tenth of the median.", _RATES),
]
LifetimeDays = Annotated[
    float | None,
    _option("How long an issue lasts when nobody reports it, for reporting-rate; 30.", _RATES),
]

BandwidthM = Annotated[
    float | None,
    _option("How far one report spreads in a density, metres.", _SURFACES),
]
EdgeCorrection = Annotated[
    bool,
    _option("Give back to the city what a density spreads beyond it.", _SURFACES, "--edge-correction"),
]  # fmt: skip
Comparison = Annotated[
    ComparisonName | None,
    _option("What relative-risk says: ratio (default; 1 is as everywhere), …", _SURFACES),
]

Streets = Annotated[Path | None, _option("Lines of the streets, any vector file.", _STREETS)]
SegmentM = Annotated[
    float | None, _option("About how long a stretch of street is, metres; 100.", _STREETS)
]
WithinM = Annotated[
    float | None,
    _option("How far from a street a report may lie and be on it, metres; 50.", _STREETS),
]

Engine = Annotated[
    EngineName | None,
    _option(
        "ISSUES is GeoParquet in parts (a folder, a pattern) too large for memory: counted here, or on Dask.",
        _MACHINES,
    ),
]
Scheduler = Annotated[
    str | None,
    _option("Address of a running Dask scheduler; else workers are started here.", _MACHINES),
]
