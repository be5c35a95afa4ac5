"""What only a ledger of cases can tell: who sees what nobody there may settle, what is never found, what is for show."""

from __future__ import annotations

from gisgrid.casework.questions.assessment import (
    assessed_places,
    draw_points,
    never_inspected,
    place_steps,
)
from gisgrid.casework.questions.authority_gap import authority_gap, seen_by_others
from gisgrid.casework.questions.blind_spots import blind_spots
from gisgrid.casework.questions.patrols import (
    patrol_steps,
    street_patrols,
    unit_patrols,
)
from gisgrid.casework.questions.poisson import PoissonFit, poisson_fit
from gisgrid.casework.questions.progress import progress_to_zero
from gisgrid.casework.questions.tracks import read_tracks

__all__ = [
    "PoissonFit",
    "assessed_places",
    "authority_gap",
    "blind_spots",
    "draw_points",
    "never_inspected",
    "patrol_steps",
    "place_steps",
    "poisson_fit",
    "progress_to_zero",
    "read_tracks",
    "seen_by_others",
    "street_patrols",
    "unit_patrols",
]
