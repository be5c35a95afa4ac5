"""How many incidents lie in which area, before anything is tested?"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

import geopandas as gpd
import pandas as pd

from gisgrid.analysis import (
    excess,
    rate,
)
from gisgrid.catalogue import Derivation
from gisgrid.derived.incidents import demand, names_of, reported
from gisgrid.derived.notes import IN_NO_AREA, IN_SLIVERS, NO_RESIDENTS, Note, left_out
from gisgrid.errors import InputError
from gisgrid.grids import tessellate
from gisgrid.join import assign_units, unit_counts
from gisgrid.schema import Text


@dataclass(frozen=True)
class Areas:
    """Areas with their incidents: units of the grid per resident, or equal cells per km².

    Attributes
    ----------
    frame
        One row per area: the key, names, `n_incidents`, what they are divided by and the rate, geometry.
    key
        The column that names an area.
    counts
        Shape (n,), incidents, indexed by key.
    denominator
        Shape (n,), residents or km² inside the city, indexed by key; None where counts are looked at as they are.
    per
        The base of the rate: 1000 for residents, 1 for km².
    incidents
        The points counted or not, in the CRS of the areas, without repeats.
    codes
        Shape (m,), indexed like `incidents`: the area of each; missing for none.
    excluded
        What was left out, by reason.
    notes
        What was decided on the way.
    segments
        The street segments, where the areas are such: their neighbours go by the streets.
    """

    frame: gpd.GeoDataFrame
    key: str
    counts: pd.Series
    denominator: pd.Series | None
    per: float
    incidents: gpd.GeoDataFrame
    codes: pd.Series
    excluded: Mapping[str, int]
    notes: tuple[str, ...]
    segments: gpd.GeoDataFrame | None = None

    @property
    def are_cells(self) -> bool:
        """Whether these are equal cells rather than units."""
        return "incidents_per_km2" in self.frame.columns

    @property
    def rates(self) -> pd.Series:
        """Shape (n,), the rate of each area (its count where there is no denominator); missing without one."""
        if self.denominator is None:
            return self.counts.astype(float)
        return rate(self.counts, self.denominator, per=self.per)

    @property
    def tested(self) -> pd.Series:
        """Shape (n,), what a statistic is asked about: the density of cells, the excess of units per resident, counts.

        Plain rates of unequal units call a fifth of all cities without any hotspot hot (docs/decisions/0004).
        """
        if self.denominator is None or self.are_cells:
            return self.rates
        return excess(self.counts, self.denominator)

    def made(
        self, columns: Mapping[str, pd.Series], *, tested: pd.Series, notes: tuple[str, ...] = ()
    ) -> Derivation:
        """Give the areas with what was found about them.

        Parameters
        ----------
        columns
            Columns indexed by key.
        tested
            Which areas were tested; their number becomes `n_units`.
        notes
            What was decided about the test.

        Returns
        -------
        Derivation
            The areas in their order, the new columns before the geometry.
        """
        geometry = self.frame.geometry
        value = pd.DataFrame(self.frame.drop(columns=geometry.name))
        value = value.assign(
            **{name: column.array for name, column in columns.items()}, n_units=int(tested.sum())
        )
        frame = gpd.GeoDataFrame(value, geometry=geometry)
        return Derivation(frame, dict(self.excluded), (*self.notes, *notes))

    def recounted(self, counts: pd.Series) -> Areas:
        """Give the same with other counts: those of a period, or of what has a time.

        Parameters
        ----------
        counts
            Shape (n,), incidents, indexed by key.

        Returns
        -------
        Areas
            Another value, whose frame has the counts and their rates.
        """
        other = replace(self, counts=counts)
        names = [n for n in ("incidents_per_1000", "incidents_per_km2") if n in self.frame]
        rates = {name: other.rates.to_numpy() for name in names}
        frame = self.frame.assign(n_incidents=counts.to_numpy(), **rates)
        return replace(other, frame=frame)

    def without(self, excluded: Mapping[str, int], notes: tuple[str, ...] = ()) -> Areas:
        """Give the same with more that was left out before.

        Parameters
        ----------
        excluded
            What was left out, by reason.
        notes
            What was decided before.

        Returns
        -------
        Areas
            Another value.
        """
        return replace(
            self, excluded=left_out({**self.excluded, **excluded}), notes=(*notes, *self.notes)
        )


def unit_areas(
    issues: gpd.GeoDataFrame,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
) -> Areas:
    """Count the incidents of each unit, and say what that is per resident.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `units` where it differs.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    population
        The column of residents; None to look at the counts themselves.

    Returns
    -------
    Areas
        One per unit, in their order.

    Raises
    ------
    CrsError
        A frame has no CRS.
    ColumnError
        A column is missing.
    """
    demand(units, "units", key, *([] if population is None else [population]))
    counted = reported(issues, units)
    incidents = counted.incidents
    codes = assign_units(incidents, {key: units})[key]
    counts = unit_counts(codes, units[key])
    made = areas_of_counts(counts, units, key=key, population=population)
    return replace(
        made, incidents=incidents, codes=codes, notes=counted.notes,
        excluded=left_out({**counted.excluded, IN_NO_AREA: codes.isna().sum(), **made.excluded}),
    )  # fmt: skip


def areas_of_counts(
    counts: pd.Series,
    units: gpd.GeoDataFrame,
    *,
    key: str,
    population: str | None = "population",
) -> Areas:
    """Say what counts that were made elsewhere (on a cluster, in a database) are per resident.

    Parameters
    ----------
    counts
        Shape (n,), incidents, indexed by the key of every unit, in the order of `units`.
    units
        Areas with `key` and, where there are, `name_zh`, `name_en`, `name`.
    key
        The column that names a unit.
    population
        The column of residents; None to look at the counts themselves.

    Returns
    -------
    Areas
        One per unit, in their order, without any single incident.

    Raises
    ------
    ColumnError
        A column is missing.
    """
    demand(units, "units", key, *([] if population is None else [population]))
    frame = units[[key, *names_of(map(str, units.columns))]].assign(n_incidents=counts.to_numpy())
    residents = None
    without_rate = 0
    if population is not None:
        residents = units.set_index(key)[population]
        rates = rate(counts, residents, per=1000)
        without_rate = int(rates.isna().sum())
        frame = frame.assign(population=units[population], incidents_per_1000=rates.to_numpy())
    frame = gpd.GeoDataFrame(frame, geometry=units.geometry)
    return Areas(
        frame=frame, key=key, counts=counts, denominator=residents, per=1000.0,
        incidents=units.iloc[:0], codes=pd.Series(dtype="str"),
        excluded=left_out({NO_RESIDENTS: without_rate}), notes=(),
    )  # fmt: skip


def cell_areas(
    issues: gpd.GeoDataFrame,
    area: gpd.GeoDataFrame,
    *,
    cell_m: float,
    shape: str = "hexagon",
    min_share_inside: float = 0.5,
) -> Areas:
    """Count the incidents of equal cells, and say what that is per km² inside the city.

    Parameters
    ----------
    issues
        Points in any CRS, with `duplicate_of`; brought into the CRS of `area` where it differs.
    area
        The city, as areas in a projected CRS in metres.
    cell_m
        Width of a cell, metres.
    shape
        ``hexagon`` or ``square``.
    min_share_inside
        Cells of which less lies inside the city (0 to 1) are left out: a sliver's density jumps with one incident.

    Returns
    -------
    Areas
        One per cell: `cell_id`, `n_incidents`, `area_km2` (of what lies inside the city), `incidents_per_km2`.

    Raises
    ------
    CrsError
        A frame has no CRS, or `area` is not in metres.
    ColumnError
        A column is missing.
    InputError
        There is no such shape.
    """
    if shape not in {"hexagon", "square"}:
        raise InputError(f"shape = {shape!r} is no tessellation; choose hexagon or square")
    counted = reported(issues, area)
    incidents, notes = counted.incidents, counted.notes
    whole = tessellate(area, cell_m=cell_m, shape=cast("Literal['hexagon', 'square']", shape))
    cells = whole[whole["share_inside"] >= min_share_inside].reset_index(drop=True)
    found = assign_units(incidents, {"cell_id": whole}, zones={"inside": area})
    codes = found["cell_id"].where(found["inside"])
    inside = int(found["inside"].sum())
    codes = codes.where(codes.isin(cells["cell_id"]))
    counts = unit_counts(codes, cells["cell_id"])
    inside_km2 = pd.Series(
        (cells["area_km2"] * cells["share_inside"]).to_numpy(), index=counts.index
    )
    frame = cells[["cell_id"]].assign(
        n_incidents=counts.to_numpy(),
        area_km2=inside_km2.to_numpy(),
        incidents_per_km2=rate(counts, inside_km2).to_numpy(),
    )
    excluded = {
        **counted.excluded,
        IN_NO_AREA: len(incidents) - inside,
        IN_SLIVERS: inside - int(codes.notna().sum()),
    }
    if dropped := len(whole) - len(cells):
        note = Text(
            zh=f"{len(whole)} 个网格中有 {dropped} 个在城市范围内的部分不足 {min_share_inside:.0%}，不参与分析",
            en=f"{dropped} of {len(whole)} cells lie less than {min_share_inside:.0%} inside the city and are left out",
        )
        notes += (Note.of(note),)
    frame = gpd.GeoDataFrame(frame, geometry=cells.geometry)
    return Areas(
        frame=frame, key="cell_id", counts=counts, denominator=inside_km2, per=1.0,
        incidents=incidents, codes=codes, excluded=left_out(excluded), notes=notes,
    )  # fmt: skip
