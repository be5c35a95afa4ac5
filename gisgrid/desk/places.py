"""In which unit of which level does a place lie? Asked for one report at a time, thousands of times a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyproj import CRS, Transformer

from gisgrid.catalogue import Catalogue, FolderStore, Layer
from gisgrid.crs import LONLAT
from gisgrid.errors import InputError
from gisgrid.join import LevelIndex

METRES_PER_DEGREE: Final = 111_320.0
"""Of latitude."""

_LEVELS: Final = {"community_code": "community", "subdistrict_code": "subdistrict"}
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


@dataclass(frozen=True)
class Place:
    """Where a report lies in the grid.

    Attributes
    ----------
    unit_code
        The unit of the finest level; None outside the city.
    community_code, subdistrict_code
        The units it belongs to.
    names, names_en
        Names by level (``unit``, ``community``, ``subdistrict``), in Chinese and in English, as far as the layers have them.
    outside
        Whether no unit is there.
    grid_class
        The kind of grid that deadlines may ask for.
    """

    unit_code: str | None
    community_code: str | None
    subdistrict_code: str | None
    names: Mapping[str, str] = field(default_factory=dict)
    names_en: Mapping[str, str] = field(default_factory=dict)
    outside: bool = False
    grid_class: str | None = None


OUTSIDE: Final = Place(None, None, None, outside=True)
"""In no unit."""


@dataclass(frozen=True, eq=False)
class Ground:
    """The finest grid of a city, laid out once; made by `Ground.of`.

    Attributes
    ----------
    layer
        The layer of the finest grid.
    units
        One row per unit, indexed by code: `unit_code`, `community_code`, `subdistrict_code` as far as there are such levels,
        and the columns of the layer, without geometry.
    places
        The place that each row of the grid is, in the order of the codes.
    """

    layer: Layer
    units: pd.DataFrame
    places: tuple[Place, ...]
    _index: LevelIndex
    _to_units: Transformer
    _shown: tuple[str, ...]

    @classmethod
    def of(cls, catalogue: Catalogue, store: FolderStore) -> Ground:
        """Lay out the grid of a catalogue: the layers of areas that lie inside one another.

        Parameters
        ----------
        catalogue
            The layers.
        store
            Where their data are.

        Returns
        -------
        Ground
            Ready to be asked.

        Raises
        ------
        InputError
            The catalogue has no grid, or its data are not there.
        """
        chain = grid_layers(catalogue)
        if not chain:
            raise InputError(
                "cases need a grid and the catalogue has none; give a layer of areas a primary_key and contract.coverage"
            )
        frames = [_areas(layer, store) for layer in chain]
        finest, units = chain[0], frames[0]
        key = str(finest.primary_key)
        rows = pd.DataFrame(units.drop(columns=units.geometry.name)).drop_duplicates(key)
        rows = rows.assign(unit_code=rows[key].astype(str)).set_index("unit_code", drop=False)
        for layer, parent, frame in zip(chain, chain[1:], frames[1:], strict=False):
            by = layer.contract.inside.by if layer.contract.inside else ""
            rows = _with_parent(rows, by, str(parent.primary_key), frame)
        names = {level: _names(frame, str(layer.primary_key)) for layer, frame, level in _levels(chain, frames)}  # fmt: skip
        index = LevelIndex.of(units.assign(**{key: units[key].astype(str)}), key)
        index.positions(np.zeros((1, 2)))  # compiled before the first report, not while it waits
        by_code = {row["unit_code"]: _place(row, names) for row in rows.to_dict("records")}
        return cls(
            finest, rows, tuple(by_code[code] for code in index.codes), index,
            Transformer.from_pipeline(_way_to(index.crs.to_wkt(), *map(float, units.total_bounds))),
            tuple(one.name for one in finest.exposed if one.name in rows.columns),
        )  # fmt: skip

    def locate(self, lon: float, lat: float) -> Place:
        """Say in which unit a place lies; on a border, in the one with the lowest code, as in every other count.

        Parameters
        ----------
        lon, lat
            WGS84 degrees.

        Returns
        -------
        Place
            ``outside`` where there is no unit.
        """
        east, north = self._to_units.transform(lon, lat)
        if not (np.isfinite(east) and np.isfinite(north)):
            return OUTSIDE
        at = int(self._index.positions(np.array([[east, north]]))[0])
        return OUTSIDE if at < 0 else self.places[at]

    def about(self, place: Place) -> dict[str, Any]:
        """Tell what may be shown of a place's unit.

        Parameters
        ----------
        place
            A place.

        Returns
        -------
        dict
            The exposed columns of the finest layer; empty outside.
        """
        if place.unit_code is None:
            return {}
        row = self.units.loc[place.unit_code]
        return {name: _plain(row[name]) for name in self._shown}


def metres_between(
    lon: float, lat: float, lons: NDArray[np.float64], lats: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Say how far places of a neighbourhood are from one.

    Parameters
    ----------
    lon, lat
        The one, WGS84 degrees.
    lons, lats
        Shape (n,), the others.

    Returns
    -------
    ndarray
        Shape (n,), metres; within some kilometres right to half a percent.
    """
    east = (lons - lon) * np.cos(np.radians(lat))
    return np.asarray(METRES_PER_DEGREE * np.hypot(east, lats - lat))


def grid_layers(catalogue: Catalogue) -> list[Layer]:
    """Find the levels of a city's grid: the longest chain of areas without gaps of which each lies inside the next.

    Parameters
    ----------
    catalogue
        The layers.

    Returns
    -------
    list of Layer
        The finest level first; empty where there is none.
    """
    areas = {
        layer.id: layer
        for layer in catalogue
        if layer.geometry == "Polygon" and layer.primary_key and layer.contract.coverage and not layer.is_derived
    }  # fmt: skip
    longest: list[Layer] = []
    for layer in areas.values():
        chain = [layer]
        while (inside := chain[-1].contract.inside) and inside.layer in areas:
            if areas[inside.layer] in chain:
                break
            chain.append(areas[inside.layer])
        if len(chain) > len(longest):
            longest = chain
    return longest


@lru_cache(maxsize=8)
def _way_to(crs: str, west: float, south: float, east: float, north: float) -> str:
    """Give the operation by which degrees become the units' coordinates.

    Looking for it takes PROJ a second, and it would look again in every thread.
    """
    search = Transformer.from_crs(LONLAT, CRS.from_wkt(crs), always_xy=True)
    lon, lat = search.transform((west + east) / 2, (south + north) / 2, direction="INVERSE")
    search.transform(lon, lat)
    return str(search.get_last_used_operation().definition)


def _areas(layer: Layer, store: FolderStore) -> gpd.GeoDataFrame:
    frame = store.read(layer)
    if not isinstance(frame, gpd.GeoDataFrame):  # pragma: no cover - the kind said otherwise
        raise InputError(f"layer {layer.id!r} has no areas; check its file")
    return frame


def _with_parent(
    rows: pd.DataFrame, by: str, parent_key: str, parents: gpd.GeoDataFrame
) -> pd.DataFrame:
    """Add the code of the level above, and what that level says of the levels above it."""
    if by not in rows.columns:
        return rows
    rows = rows.assign(**{parent_key: rows[by].astype(str)})
    more = [name for name in parents.columns if name.endswith("_code") and name not in rows.columns]
    if not more:
        return rows
    table = pd.DataFrame(parents[[parent_key, *more]]).astype(str).drop_duplicates(parent_key).set_index(parent_key)  # fmt: skip
    return rows.assign(**{name: rows[parent_key].map(table[name]) for name in more})


def _levels(
    chain: list[Layer], frames: list[gpd.GeoDataFrame]
) -> list[tuple[Layer, gpd.GeoDataFrame, str]]:
    return [
        (layer, frame, "unit" if at == 0 else _LEVELS.get(str(layer.primary_key), layer.id))
        for at, (layer, frame) in enumerate(zip(chain, frames, strict=True))
    ]


def _names(frame: gpd.GeoDataFrame, key: str) -> dict[str, tuple[str, str]]:
    """Give each code its name in Chinese and in English; empty where the layer has none."""
    columns = [name if name in frame.columns else "" for name in ("name_zh", "name_en")]
    if not columns[0] and "name" in frame.columns:
        columns[0] = "name"
    zh, en = ([_text(v) for v in frame[name]] if name else [""] * len(frame) for name in columns)
    return dict(zip(frame[key].astype(str), zip(zh, en, strict=True), strict=True))


def _place(row: Mapping[Any, Any], names: Mapping[str, Mapping[str, tuple[str, str]]]) -> Place:
    codes = {"unit": row["unit_code"]}
    codes |= {level: _text(row.get(column)) for column, level in _LEVELS.items()}
    said = {level: known[codes[level]] for level, known in names.items() if codes.get(level) in known}  # fmt: skip
    return Place(
        codes["unit"], codes["community"] or None, codes["subdistrict"] or None,
        MappingProxyType({level: zh for level, (zh, _) in said.items() if zh}),
        MappingProxyType({level: en for level, (_, en) in said.items() if en}),
        grid_class=_text(row.get("grid_class")) or None,
    )  # fmt: skip


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value)  # noqa: PLR0124 - NaN


def _plain(value: object) -> object:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN
        return None
    if isinstance(value, np.generic):
        return value.item()
    return value if isinstance(value, str | int | float | bool) else str(value)
