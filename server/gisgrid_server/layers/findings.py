"""Where are the hot areas, how sure is that, and what is under them? The answer in sentences, Chinese and English.

Hot cells that touch are one place; a place is as strong as the sum of its z, and is named after the communities in
which the middles of its cells lie. Nothing is decided here: what is hot, the layer's labels say.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from threading import Lock
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from gisgrid.catalogue import Layer
from gisgrid.crs import LONLAT
from gisgrid.errors import GisgridError, LayerNotFoundError
from gisgrid.join import assign_units
from gisgrid_server.layers.editions import Edition
from gisgrid_server.layers.published import Published, frames
from gisgrid_server.layers.rows import plain

CELLS: Final = "issue_hotspots"
HOT: Final = ("hot_99", "hot_95")
CONFIDENCE: Final = 0.95

_LAYERS: Final = {
    "cells": CELLS,
    "community_hotspots": "community_hotspots",
    "communities": "communities",
    "subdistricts": "subdistricts",
    "urban_villages": "urban_villages",
    "suburban_villages": "suburban_villages",
    "fringe_zones": "fringe_zones",
    "issues": "reported_issues",
}
_ZONES: Final = {
    "urban_villages": ("城中村", "urban villages"),
    "suburban_villages": ("城郊村", "suburban villages"),
    "fringe_zones": ("城乡结合部", "the urban-rural fringe"),
}
_N_PLACES: Final = 5
_N_NAMED: Final = 3

Frames = Mapping[str, gpd.GeoDataFrame | None]
Period = tuple[pd.Timestamp, pd.Timestamp]


class Findings:
    """The findings of the layers as they are now, made once per state of the data.

    Parameters
    ----------
    published
        The layers.
    """

    def __init__(self, published: Published) -> None:
        self._published = published
        self._lock = Lock()
        self._made: tuple[tuple[tuple[str, str], ...], dict[str, Any]] | None = None

    def layers(self) -> tuple[Layer, ...]:
        """Give the layers that the findings are made from.

        Returns
        -------
        tuple of Layer
            Whoever may not see one of them may not see the findings.

        Raises
        ------
        LayerNotFoundError
            The city has no layer ``issue_hotspots``.
        """
        catalogue = self._published.catalogue
        return tuple(
            catalogue[name] for name in _LAYERS.values() if name == CELLS or name in catalogue
        )

    def now(self) -> dict[str, Any]:
        """Give the findings.

        Returns
        -------
        dict
            See `findings`.

        Raises
        ------
        LayerNotFoundError
            The city has no layer ``issue_hotspots``.
        NotReadyError
            It was not built yet.
        """
        self._published.edition(CELLS)
        with self._lock:
            editions = self._editions()
            versions = tuple((name, one.version) for name, one in editions.items())
            if self._made is None or self._made[0] != versions:
                names = {
                    name: of for name, of in _LAYERS.items() if name != "issues" and of in editions
                }
                there = frames(self._published, names)
                reports = editions.get(_LAYERS["issues"])
                document = findings(
                    there,
                    timezone=self._published.catalogue.about.timezone,
                    period=reports.period if reports is not None else None,
                )
                self._made = versions, document
            return self._made[1]

    def _editions(self) -> dict[str, Edition]:
        found: dict[str, Edition] = {}
        for name in _LAYERS.values():
            with suppress(GisgridError):
                found[name] = self._published.edition(name)
        return found


@dataclass(frozen=True)
class _Sentences:
    zh: list[str]
    en: list[str]

    def add(self, zh: str, en: str) -> None:
        self.zh.append(zh)
        self.en.append(en)


def findings(layers: Frames, *, timezone: str, period: Period | None = None) -> dict[str, Any]:
    """Say in words where the hot areas are, and how sure that is.

    Parameters
    ----------
    layers
        Frames in one CRS, or None where the city has no such layer: ``cells`` (the hotspots on cells; needed),
        ``community_hotspots``, ``communities`` and ``subdistricts`` (for names), ``urban_villages``,
        ``suburban_villages`` and ``fringe_zones`` (for what is under them).
    timezone
        In which days are told.
    period
        When the first and the last report were made; None where that is not known.

    Returns
    -------
    dict
        ``zh`` and ``en``, the sentences; ``n_hot`` of ``n_cells`` tested; ``confidence``; ``places``, the strongest
        first, with the values of their strongest cell and their bbox in degrees; ``zones``, the share of the hot
        ground, and of all ground tested, in each kind of zone.

    Raises
    ------
    LayerNotFoundError
        There are no cells.
    """
    cells = layers.get("cells")
    if cells is None:
        raise LayerNotFoundError(
            f"there is no layer {CELLS!r}, so there are no hot areas to tell of"
        )
    tested = cells[cells["z"].notna()]
    hot = tested[tested["label"].isin(HOT)]
    places = _places(hot, layers)
    shares = _zone_shares(hot, tested, layers)
    sentences = _Sentences([], [])
    _say_period(sentences, period, timezone=timezone)
    _say_how_many(sentences, n_hot=len(hot), n_cells=len(tested), n_places=len(places))
    if len(hot):
        _say_where(sentences, places)
        _say_how_sure(sentences)
        _say_what_is_under(sentences, shares)
    _say_communities(sentences, layers.get("community_hotspots"))
    return {
        "zh": "".join(sentences.zh),
        "en": " ".join(sentences.en),
        "n_hot": len(hot),
        "n_cells": len(tested),
        "confidence": CONFIDENCE,
        "n_places": len(places),
        "places": places[:_N_PLACES],
        "layer": CELLS,
        "zones": shares,
    }


def clusters(hot: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Say which place each hot cell belongs to: cells that touch, directly or through others, are one place.

    Parameters
    ----------
    hot
        Shape (n,), polygons in any CRS.

    Returns
    -------
    array
        Shape (n,), the number of the place, from 0.

    Examples
    --------
    >>> boxes = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 5, 6, 6)]
    >>> clusters(gpd.GeoDataFrame(geometry=boxes)).tolist()
    [0, 0, 1]
    """
    if not len(hot):
        return np.empty(0, dtype=np.int64)
    geometry = hot.geometry.to_numpy()
    a, b = shapely.STRtree(geometry).query(geometry, predicate="intersects")
    touching = coo_array((np.ones(len(a), dtype=bool), (a, b)), shape=(len(hot), len(hot)))
    _, place = connected_components(touching, directed=False)
    return np.asarray(place, dtype=np.int64)


def _places(hot: gpd.GeoDataFrame, layers: Frames) -> list[dict[str, Any]]:
    """List the hot places, the strongest first."""
    if not len(hot):
        return []
    named = hot.assign(_place=clusters(hot), **_names(hot, layers))
    bounds = named.geometry.to_crs(LONLAT).bounds
    places = []
    for number, cells in named.groupby("_place"):
        peak = cells.loc[cells["z"].idxmax()]
        box = bounds[named["_place"] == number]
        zh, en = _place_name(cells)
        places.append(
            {
                "name_zh": zh,
                "name_en": en,
                **{name: plain(peak[name]) for name in ("label", "z", "q", "observed", "expected")},
                "n_cells": len(cells),
                "sum_z": float(cells["z"].sum()),
                "bbox": [
                    *map(float, box[["minx", "miny"]].min()),
                    *map(float, box[["maxx", "maxy"]].max()),
                ],
            }
        )
    return sorted(places, key=lambda place: (-place["sum_z"], place["bbox"]))


def _names(hot: gpd.GeoDataFrame, layers: Frames) -> dict[str, pd.Series]:
    """Name the community and the sub-district in which the middle of each cell lies."""
    communities, subdistricts = layers.get("communities"), layers.get("subdistricts")
    nothing = pd.Series(None, index=hot.index, dtype=object)
    names = dict.fromkeys(("_zh", "_en", "_above_zh", "_above_en"), nothing)
    if communities is None:
        return names
    middles = gpd.GeoDataFrame(geometry=hot.geometry.centroid, crs=hot.crs, index=hot.index)
    code = assign_units(middles, {"community_code": communities})["community_code"]
    unit = communities.set_index("community_code")
    names.update(_zh=code.map(unit["name_zh"]), _en=code.map(unit["name_en"]))
    if subdistricts is not None and "subdistrict_code" in unit:
        above = subdistricts.set_index("subdistrict_code")
        above_code = code.map(unit["subdistrict_code"])
        names.update(
            _above_zh=above_code.map(above["name_zh"]), _above_en=above_code.map(above["name_en"])
        )
    return names


def _place_name(cells: pd.DataFrame) -> tuple[str, str]:
    """Name a place after its strongest community; say how many others it reaches into."""
    by_community = cells.dropna(subset=["_zh"]).groupby(["_zh", "_en"], sort=True)["z"].sum()
    if by_community.empty:
        return "边界附近", "near the border"
    zh, en = map(str, by_community.index[int(by_community.to_numpy().argmax())])
    within = cells[cells["_zh"] == zh]
    above_zh, above_en = within["_above_zh"].iloc[0], within["_above_en"].iloc[0]
    if isinstance(above_zh, str):
        zh, en = f"{above_zh}{zh}", f"{en} ({above_en})"
    others = len(by_community) - 1
    if others:
        noun = "community" if others == 1 else "communities"
        return f"{zh}及相邻{others}个社区（村）", f"{en} and {others} {noun} beside it"
    return zh, en


def _zone_shares(
    hot: gpd.GeoDataFrame, tested: gpd.GeoDataFrame, layers: Frames
) -> dict[str, dict[str, float]]:
    """Measure how much of the hot ground, and of all ground tested, lies in each kind of zone."""
    if not len(hot):
        return {}
    grounds = {"hot": hot.geometry.union_all(), "tested": tested.geometry.union_all()}
    shares = {}
    for name in _ZONES:
        zones = layers.get(name)
        if zones is not None and len(zones):
            within = zones.geometry.union_all()
            shares[name] = {
                word: float(shapely.intersection(ground, within).area / ground.area)
                for word, ground in grounds.items()
            }
    return shares


def _say_period(sentences: _Sentences, period: Period | None, *, timezone: str) -> None:
    if period is None:
        return
    first, last = (time.tz_convert(timezone) for time in period)
    sentences.add(
        f"{first.year}年{first.month}月{first.day}日至{last.year}年{last.month}月{last.day}日的上报问题：",
        f"Reports of {first.day} {first:%B} {first.year} to {last.day} {last:%B} {last.year}:",
    )


def _say_how_many(sentences: _Sentences, *, n_hot: int, n_cells: int, n_places: int) -> None:
    if n_hot == 0:
        sentences.add(
            f"检验的{n_cells:,}个格网中，没有一个在95%的置信水平上是热点（已校正多重检验）。",
            f"none of the {n_cells:,} cells tested is hot at 95 % after the correction for testing them all.",
        )
        return
    areas = "area" if n_places == 1 else "areas"
    sentences.add(
        f"检验的{n_cells:,}个格网中，{n_hot:,}个（{n_hot / n_cells:.1%}）在95%或更高的置信水平上是热点"
        f"（已校正多重检验），连成{n_places:,}片。",
        f"{n_hot:,} of the {n_cells:,} cells tested ({n_hot / n_cells:.1%}) are hot at 95 % or stronger after the "
        f"correction for testing them all; they form {n_places:,} {areas}.",
    )


def _say_where(sentences: _Sentences, places: list[dict[str, Any]]) -> None:
    strongest = places[:_N_NAMED]
    sentences.add(
        f"最强的在{'、'.join(place['name_zh'] for place in strongest)}。",
        f"The strongest: {'; '.join(place['name_en'] for place in strongest)}.",
    )


def _say_how_sure(sentences: _Sentences) -> None:
    sentences.add(
        "在95%水平标为热点的地方，约每20处可能有1处只是偶然。",
        "About 1 in 20 of the areas marked hot at 95 % may be hot by chance.",
    )


def _say_what_is_under(sentences: _Sentences, shares: dict[str, dict[str, float]]) -> None:
    if not shares:
        return
    zh, en = [], []
    for name, share in shares.items():
        name_zh, name_en = _ZONES[name]
        zh.append(f"{share['hot']:.0%}在{name_zh}（全部检验范围为{share['tested']:.0%}）")
        en.append(
            f"{share['hot']:.0%} lies in {name_en} ({share['tested']:.0%} of all ground tested)"
        )
    sentences.add(f"热点面积中，{'，'.join(zh)}。", f"Of the hot ground, {', '.join(en)}.")


def _say_communities(sentences: _Sentences, communities: gpd.GeoDataFrame | None) -> None:
    if communities is None:
        return
    tested = communities[communities["z"].notna()]
    n_hot, n = int(tested["label"].isin(HOT).sum()), len(tested)
    sentences.add(
        f"按每千常住人口计算，{n:,}个社区（村）中有{n_hot:,}个是热点。",
        f"Counted per 1,000 residents, {n_hot:,} of {n:,} communities are hot.",
    )
