"""Which streets of an OpenStreetMap extract can be walked, and what stands along them?"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from gisgrid.crs import local_metric_crs
from gisgrid.errors import InputError
from gisgrid.files import first_line

NOT_THERE: Final = frozenset({"proposed", "construction", "abandoned", "razed"})
"""Values of ``highway`` of streets that are not there, or not yet."""

NOT_WALKED: Final = frozenset(
    {"motorway", "motorway_link", "trunk", "trunk_link", "raceway", "bus_guideway", "escape"}
)
"""Values of ``highway`` on which nobody walks unless ``foot=yes``; ``foot=no`` and private ways are left out, too."""

KINDS: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    "public_toilet": (("amenity", "toilets"),),
    "wet_market": (("amenity", "marketplace"),),
    "convenience_store": (("shop", "convenience"),),
    "supermarket": (("shop", "supermarket"),),
    "bus_stop": (("highway", "bus_stop"), ("public_transport", "platform")),
    "elderly_day_care": (("social_facility:for", "senior"),),
    "childrens_centre": (("amenity", "childcare"),),
    "culture_room": (("amenity", "community_centre"), ("amenity", "library")),
    "fitness": (("leisure", "fitness_station"), ("leisure", "fitness_centre")),
}
"""What OpenStreetMap calls the kinds of facilities of the standards."""


def read_osm_streets(path: str | Path, *, crs: object = None) -> gpd.GeoDataFrame:
    """Read the streets of an extract that can be walked.

    Parameters
    ----------
    path
        ``.osm.pbf`` or ``.osm``, read offline.
    crs
        The projected CRS to bring them to; without it UTM (or the CGCS2000 zone in China) of the place.

    Returns
    -------
    GeoDataFrame
        `osm_id`, `name`, `highway`, `level` (``layer`` of bridges and tunnels, 0 on the ground) and the line, in metres.

    Raises
    ------
    InputError
        No such file, no extract, or no street in it.
    """
    lines = _layer(path, "lines", "highway IS NOT NULL")
    tags = _tags(lines)
    foot = tags["foot"].fillna("")
    closed = foot.isin(["no", "private"]) | tags["access"].isin(["no", "private"])
    walked = (~lines["highway"].isin(NOT_WALKED) & ~closed) | foot.isin(["yes", "designated"])
    walked &= ~lines["highway"].isin(NOT_THERE)
    kept = lines[walked].reset_index(drop=True)
    if kept.empty:
        raise InputError(
            f"{Path(path).name!r} holds {len(lines)} streets and none that can be walked; give an extract of the city"
        )
    level = pd.to_numeric(tags.loc[walked, "layer"], errors="coerce").fillna(0).astype(int)
    frame = gpd.GeoDataFrame(
        {"osm_id": kept["osm_id"], "name": kept["name"], "highway": kept["highway"], "level": level.to_numpy()},
        geometry=kept.geometry.to_numpy(), crs=kept.crs,
    )  # fmt: skip
    return frame.to_crs(crs if crs is not None else local_metric_crs(frame))


def read_osm_facilities(path: str | Path, *, crs: object = None) -> gpd.GeoDataFrame:
    """Read the facilities of an extract that standards ask for.

    Parameters
    ----------
    path
        ``.osm.pbf`` or ``.osm``, read offline.
    crs
        The projected CRS to bring them to; without it that of the place.

    Returns
    -------
    GeoDataFrame
        `osm_id`, `kind` (of `KINDS`), `name`, and a point: of areas one inside. Its attribute ``n_cut`` says how many areas of
        the extract (of whatever kind) its edge has cut so that they are none any more.

    Raises
    ------
    InputError
        No such file or no extract.

    Notes
    -----
    What is not mapped is not there: how complete OpenStreetMap is must be asked before somebody is called left out.
    """
    found, n_cut = [], 0
    for layer in ("points", "multipolygons"):
        frame = _layer(path, layer, None)
        n_cut += frame.attrs["n_cut"]
        tags = _tags(frame)
        for kind, values in KINDS.items():
            is_kind = np.zeros(len(frame), np.bool_)
            for key, value in values:
                column = frame[key] if key in frame.columns else tags.get(key)
                if column is not None:
                    is_kind |= (column == value).fillna(value=False).to_numpy(dtype=bool)
            part = frame[is_kind]
            found.append(
                gpd.GeoDataFrame(
                    {"osm_id": part["osm_id"], "kind": kind, "name": part["name"]},
                    geometry=shapely.point_on_surface(part.geometry.to_numpy()),
                    crs=frame.crs,
                )
            )
    table = gpd.GeoDataFrame(pd.concat(found, ignore_index=True), crs=found[0].crs)
    if not table.empty:
        table = table.to_crs(crs if crs is not None else local_metric_crs(table))
    table.attrs["n_cut"] = n_cut
    return table


def _layer(path: str | Path, layer: str, where: str | None) -> gpd.GeoDataFrame:
    if not Path(path).is_file():
        raise InputError(f"no file {str(path)!r}; give an extract of OpenStreetMap (.osm.pbf)")
    try:
        with warnings.catch_warnings():
            # An extract cuts buildings and areas at its edge; what is no shape any more is counted, not read.
            warnings.simplefilter("ignore", RuntimeWarning)
            frame: gpd.GeoDataFrame = pyogrio.read_dataframe(
                path, layer=layer, where=where, on_invalid="ignore"
            )
    except (DataSourceError, ValueError) as error:
        raise InputError(
            f"{Path(path).name!r} cannot be read as an OpenStreetMap extract: {first_line(error)}; give .osm.pbf or .osm"
        ) from error
    broken = frame.geometry.isna() | frame.geometry.is_empty
    whole = frame[~broken].reset_index(drop=True)
    whole.attrs["n_cut"] = int(broken.sum())
    return whole


def _tags(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """Part the tags that have no column of their own: "key"=>"value" pairs."""
    wanted: dict[str, Any] = {
        "foot": None, "access": None, "layer": None, "amenity": None, "shop": None, "public_transport": None,
        "social_facility:for": None, "leisure": None,
    }  # fmt: skip
    text = (
        frame["other_tags"].astype("str")
        if "other_tags" in frame
        else pd.Series("", index=frame.index)
    )
    return pd.DataFrame(
        {key: text.str.extract(f'"{key}"=>"([^"]*)"', expand=False) for key in wanted},
        index=frame.index,
    )
