"""What `gisgrid zones breaks` does: bring signs of the city together, find the breaks, write."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

import pandas as pd
from pyproj import CRS

from gisgrid.cli.inputs import Inputs
from gisgrid.cli.outcomes import (
    TABLE_SUFFIXES,
    Column,
    Listing,
    Number,
    Outcome,
    require_output,
    write,
)
from gisgrid.cli.zones.grids import RASTERS, on_one_grid
from gisgrid.errors import InputError
from gisgrid.files import FRAME_SUFFIXES
from gisgrid.progress import Progress, silent
from gisgrid.schema import Text
from gisgrid.surface import Surface
from gisgrid.zones import known_within, place_density, two_breaks, urbanity_index


@dataclass(frozen=True)
class BreaksRequest:
    """What the user asked `zones breaks` for."""

    output: Path
    lights: str | None = None
    built: str | None = None
    poi: str | None = None
    weights: tuple[str, ...] = ()
    centres: str | None = None
    within: str | None = None
    cell_m: float | None = None
    reach_m: float | None = None
    rays: int = 72
    min_r2: float = 0.6
    min_drop: float = 0.2
    bootstrap: int = 199
    seed: int = 0
    rays_table: Path | None = None
    crs: str | None = None


def breaks(request: BreaksRequest, *, progress: Progress = silent) -> Outcome:
    """Find where the town and where the fringe ends, around each centre.

    Parameters
    ----------
    request
        What the user asked for.
    progress
        Told how far the work is.

    Returns
    -------
    Outcome
        What came of it; it is written already.

    Raises
    ------
    InputError, CrsError, OutputError
        A raster, a weight or an output that cannot be used.
    """
    require_output(request.output, FRAME_SUFFIXES)
    if request.rays_table is not None:
        require_output(request.rays_table, TABLE_SUFFIXES)
    inputs = Inputs(crs=request.crs)
    progress("reading", 0.0)
    layers = _signs(request, inputs)
    centres = None
    like = next(iter(layers.values()))
    if request.centres is not None:
        centres = inputs.frame(request.centres, "centres", like=like.crs, shapes="points")
    if request.within is not None:
        city = inputs.frame(request.within, "within", like=like.crs, shapes="areas")
        layers = {name: known_within(layer, city) for name, layer in layers.items()}
    progress("reading", 1.0)
    progress("working", 0.0)
    with inputs.heard():
        index = urbanity_index(
            layers, weights=_weights(request.weights, list(layers)), logarithm=tuple({"lights", "poi"} & set(layers))
        )  # fmt: skip
        found = two_breaks(
            index, centres=centres, reach_m=request.reach_m, n_rays=request.rays, min_r2=request.min_r2,
            min_drop=request.min_drop, n_bootstrap=request.bootstrap, seed=request.seed,
        )  # fmt: skip
    progress("working", 1.0)
    if found.zones.empty:
        raise InputError(
            f"none of the {found.rays['centre'].nunique()} centres has a fringe by this method ({int(found.rays['accepted'].sum())} of {len(found.rays)} rays have "
            "breaks); lower --min-r2 or --min-drop, or name the centres with --centres"
        )
    rays = found.rays
    by_centre = rays.groupby("centre", sort=False).agg(
        n_rays=("accepted", "size"), accepted=("accepted", "sum"), inner_m=("inner_m", "median"), outer_m=("outer_m", "median"),
        r2=("r2", "median"),
    )  # fmt: skip
    area = found.zones.assign(km2=found.zones.area / 1e6).groupby("zone_type")["km2"].sum()
    made: dict[Path, pd.DataFrame] = {request.output: found.zones}
    if request.rays_table is not None:
        made[request.rays_table] = rays
    return write(
        made, command="zones breaks", title=Text(zh="两断点法城乡结合部", en="Fringe by two breaks"), inputs=inputs, options=asdict(request),
        numbers=[
            Number("core_km2", Text(zh="城区 km²", en="core, km²"), float(area.get("core", 0.0)), ",.1f"),
            Number("fringe_km2", Text(zh="城乡结合部 km²", en="fringe, km²"), float(area.get("fringe", 0.0)), ",.1f"),
        ],
        listings=[Listing("centres", Text(zh="各中心", en="By centre"), by_centre.reset_index(), (
            Column("centre", Text(zh="中心", en="centre")), Column("n_rays", Text(zh="射线", en="rays"), ",d"),
            Column("accepted", Text(zh="有断点", en="with breaks"), ",d"), Column("inner_m", Text(zh="内断点 m", en="inner, m"), ",.0f"),
            Column("outer_m", Text(zh="外断点 m", en="outer, m"), ",.0f"), Column("r2", Text(zh="拟合 R²", en="fit, R²"), ".2f"),
        ))],
    )  # fmt: skip


def _signs(request: BreaksRequest, inputs: Inputs) -> dict[str, Surface]:
    given = {name: getattr(request, name) for name in ("lights", "built", "poi")}
    places = {name: place for name, place in given.items() if place is not None}
    if not places:
        raise InputError("zones breaks needs a sign of the city; give --lights, --built or --poi")
    poi = places.get("poi")
    as_points = poi is not None and not poi.lower().endswith(RASTERS)
    rasters = {
        name: inputs.raster(place, name)
        for name, place in places.items()
        if not (name == "poi" and as_points)
    }
    if not rasters:
        raise InputError(
            "points alone have no cells; give --lights or --built, too, or --poi as a raster"
        )
    layers = on_one_grid(rasters, inputs, cell_m=request.cell_m)
    if as_points and poi is not None:
        like = next(iter(layers.values()))
        layers["poi"] = place_density(
            inputs.frame(poi, "poi", like=CRS(like.crs), shapes="points"), like
        )
    return layers


def _weights(given: tuple[str, ...], names: list[str]) -> dict[str, float] | None:
    if not given:
        return None
    weights = dict.fromkeys(names, 1.0)
    for text in given:
        name, _, value = text.partition("=")
        try:
            weights[name] = float(value)
        except ValueError as error:
            raise InputError(
                f"--weight {text!r} has no number behind '='; write for example lights=2"
            ) from error
    return weights
