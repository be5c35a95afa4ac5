"""By which thresholds is ground urban? Every number of the Degree of Urbanisation, with its two published years."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final, Literal

from gisgrid.errors import InputError

Smoothing = Literal["R2022", "R2023", "none"]


@dataclass(frozen=True)
class Rules:
    """The thresholds of the Degree of Urbanisation, level 2.

    Attributes
    ----------
    centre_density, centre_population
        Residents per km² of land, and in all, of an urban centre (30), whose cells share edges.
    centre_built
        A cell is dense enough, too, where at least this share of its land is built up; None: only residents count.
    centre_smoothing
        How edges of centres are smoothed. ``R2022``: a cell joins the one centre to which at least five of its eight
        neighbours belong, again and again until none does. ``R2023``: to which more than half of its neighbours belong,
        of those that are populated or mostly land; permanent water never joins.
    centre_gap_km2
        Holes in a centre of less than this are filled; 0: none.
    dense_population
        Residents of a dense urban cluster (23), whose cells are as those of a centre.
    semi_density, semi_population, semi_contiguity, semi_distance
        A semi-dense urban cluster (22): residents per km² and in all, whether cells hang together by 4 or 8 neighbours,
        and that no cell lies within so many cells of a centre or dense cluster.
    suburb_density, suburb_population
        Suburban and peri-urban cells (21): of a cluster, by 8 neighbours, with so many residents.
    rural_population
        Residents of a rural cluster (13), its density as that of suburbs.
    low_density
        Residents per km² from which rural cells are of low density (12) rather than very low (11).
    water_land
        Cells with less land than this share, without residents and buildings, are water (10).
    window
        Density and residents of the cells are averaged over so many cells square before centres are sought; 1: not.

    Notes
    -----
    Source: European Commission and others, Applying the Degree of Urbanisation (2021); GHSL Data Package 2022 and 2023.
    The thresholds were made for cells of 1 km².

    Examples
    --------
    >>> R2022.centre_built, R2023.centre_built, Rules(low_density=70).low_density
    (0.5, 0.2, 70)
    """

    centre_density: float = 1500
    centre_population: float = 50_000
    centre_built: float | None = 0.2
    centre_smoothing: Smoothing = "R2023"
    centre_gap_km2: float = 15
    dense_population: float = 5000
    semi_density: float = 900
    semi_population: float = 2500
    semi_contiguity: Literal[4, 8] = 4
    semi_distance: int = 2
    suburb_density: float = 300
    suburb_population: float = 5000
    rural_population: float = 500
    low_density: float = 50
    water_land: float = 0.5
    window: int = 1

    def __post_init__(self) -> None:
        """Refuse what is no rule."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, int | float) and not value >= 0:
                raise InputError(
                    f"{field.name} is {value} and a threshold is 0 or more; give another"
                )
        if self.semi_contiguity not in {4, 8}:
            raise InputError(
                f"semi_contiguity is {self.semi_contiguity}; cells hang together by 4 or by 8 neighbours"
            )
        if self.centre_smoothing not in {"R2022", "R2023", "none"}:
            raise InputError(
                f"centre_smoothing is {self.centre_smoothing!r}; it is 'R2022', 'R2023' or 'none'"
            )
        if self.window % 2 == 0:
            raise InputError(f"window is {self.window} cells and has no middle; take an odd number")


R2023: Final = Rules()
"""As GHSL Data Package 2023 has it; the share of built-up land is that found for 2020."""

R2022: Final = Rules(centre_built=0.5, centre_smoothing="R2022")
"""As GHSL Data Package 2022 has it."""
