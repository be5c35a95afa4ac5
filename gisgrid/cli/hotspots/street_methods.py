"""Methods that count along streets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, cast

import pandas as pd

from gisgrid import derived
from gisgrid.cli.hotspots.finding import Asked, Found
from gisgrid.cli.hotspots.method import GI, HOT, LABELS, TESTED, Column, Method, N, highest, one_of
from gisgrid.derived import Areas
from gisgrid.schema import Text


def _on_streets(asked: Asked) -> tuple[Areas, pd.DataFrame]:
    assert asked.streets is not None  # noqa: S101 - check_method has made sure of it
    said = asked.request
    return derived.street_areas(
        asked.issues, asked.streets,
        segment_m=said.segment_m or derived.SEGMENT_M, within_m=said.within_m or derived.WITHIN_M,
    )  # fmt: skip


def _segments(asked: Asked) -> Found:
    """Score street segments."""
    areas, _ = _on_streets(asked)
    made = derived.street_hot(areas, asked.terms)
    return Found(made, areas.key, None, areas, replace(asked.terms))


def _density(asked: Asked) -> Found:
    """Smooth along the streets."""
    areas, on_segments = _on_streets(asked)
    made = derived.street_thick(
        areas, on_segments, bandwidth_m=cast("float", asked.request.bandwidth_m)
    )
    return Found(made, areas.key, None, areas, asked.terms)


_PER_KM: Final = Column("incidents_per_km", Text(zh="件/km", en="Per km"), ",.0f")
_CUT: Final = frozenset({"streets", "segment_m", "within_m"})
_STREETS: Final = {"streets": "streets.gpkg"}

METHODS: Final[Mapping[str, Method]] = {
    "street-segments": Method(
        does=Text(
            zh="哪些街段连同相接的街段异常地多或少（街道网络上的 Gi*）",
            en="which stretches of street have, with those around, unusually many or few per km (Gi* along the streets)",
        ),
        options=_CUT | TESTED, needs=_STREETS, by="streets", makes="lines",
        find=_segments, title=Text(zh="最热的街段", en="The hottest stretches"), columns=(N, _PER_KM, *GI[1:]),
        telling=highest("z", one_of("label", *HOT)), class_column="label", classes=LABELS,
    ),
    "street-density": Method(
        does=Text(
            zh="沿街道平滑的密度（件/km，不穿过房屋）",
            en="how many there are per km of street, smoothed along the streets",
        ),
        options=_CUT | {"bandwidth_m"}, needs=_STREETS | {"bandwidth_m": "200"}, by="streets", makes="lines",
        find=_density, title=Text(zh="最密的街段", en="The busiest stretches"),
        columns=(N, _PER_KM, Column("density_per_km", Text(zh="平滑后", en="Smoothed"), ",.1f")),
        telling=highest("density_per_km"), drawn="density_per_km",
    ),
}  # fmt: skip
"""By their names."""
