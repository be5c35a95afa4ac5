"""Which streets can be walked, and how do they hang together?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph

from gisgrid.crs import crs_label, require_metres
from gisgrid.errors import ColumnError, CrsError, InputError, did_you_mean
from gisgrid.schema import Text
from gisgrid.streets import nearest_segment, street_segments

WALKING_KMH: Final = 4.5
"""How fast people walk where nothing else is said, km/h: what Chinese design codes reckon with."""

_FASTEST: Final = 20.0
_SMALL: Final = 0.01
_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class WalkingNetwork:
    """Streets that people walk along.

    Attributes
    ----------
    segments
        As from `gisgrid.streets.street_segments`, with `component` (0 the longest) and `oneway`.
    first, head, length_m, segment
        The network for loops: the ways out of node i are ``first[i]`` to ``first[i + 1] - 1``; each leads to node `head`,
        is `length_m` long, and runs along `segment`.
    back_first, back_head, back_length_m
        The same with all ways turned round: the ways into a node.
    component
        Shape (nodes,), the part of the network in which anybody gets to anybody and back; 0 is the longest.
    speed_kmh
        How fast people walk.
    notes
        What was found and left out, in Chinese and English.
    """

    segments: gpd.GeoDataFrame
    first: _Ints
    head: _Ints
    length_m: _Floats
    back_first: _Ints
    back_head: _Ints
    back_length_m: _Floats
    component: _Ints
    speed_kmh: float
    notes: tuple[Text, ...]

    @property
    def n_nodes(self) -> int:
        """How many junctions and ends there are."""
        return len(self.component)

    @property
    def metres_per_minute(self) -> float:
        """How far people walk in a minute."""
        return self.speed_kmh * 1000 / 60

    def at(self, points: gpd.GeoDataFrame, *, within_m: float) -> pd.DataFrame:
        """Put places on the network.

        Parameters
        ----------
        points
            Points in the CRS of the network.
        within_m
            A place farther from every street than this is not on the network, metres.

        Returns
        -------
        DataFrame
            Indexed like `points`: `segment` (its row in `segments`, -1 where none is near), `along_m` from its beginning,
            `off_m` from the street.

        Raises
        ------
        CrsError, InputError
            As for `gisgrid.streets.nearest_segment`.
        """
        found = nearest_segment(points, self.segments, within_m=within_m)
        segment = found["segment_id"].astype("float64").fillna(-1).astype(np.int64)
        return pd.DataFrame(
            {"segment": segment, "along_m": found["along_m"], "off_m": found["distance_m"]},
            index=points.index,
        )


def walking_network(
    streets: gpd.GeoDataFrame,
    *,
    barriers: gpd.GeoDataFrame | None = None,
    oneway: str | None = None,
    level: str | None = None,
    snap_m: float = 1.0,
    speed_kmh: float = WALKING_KMH,
) -> WalkingNetwork:
    """Make a network to walk along from the middle lines of streets.

    Parameters
    ----------
    streets
        Lines in a projected CRS in metres: streets, alleys, foot paths, crossings.
    barriers
        Lines or polygons that nobody crosses (walls, railways, rivers), in the same CRS: what of a street lies on or in
        them, or crosses them, is cut away.
    oneway
        The column that says which streets are walked in the direction of their line only (True); few are.
    level
        The column that tells bridges and tunnels from the ground.
    snap_m
        Ends of streets this near meet, metres.
    speed_kmh
        How fast people walk, above 0 and at most 20.

    Returns
    -------
    WalkingNetwork
        The network, and notes: how many separate parts there are, how much of the streets lies in small ones, and where
        one-way streets are traps.

    Raises
    ------
    CrsError
        Coordinates that are no metres, or different CRS.
    ColumnError
        No such column.
    InputError
        A speed that nobody walks, or no street that is long enough.

    Notes
    -----
    Streets are cut at crossings and joined at their ends by `gisgrid.streets.street_segments`. A small part is a part with
    less than a hundredth of all streets; places on one reach nothing beyond it, which is mostly a gap in the data.

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (300, 0)]), shapely.LineString([(100, -90), (100, 90)])]
    >>> network = walking_network(gpd.GeoDataFrame(geometry=lines, crs=4547))
    >>> network.n_nodes, len(network.segments), network.metres_per_minute
    (5, 4, 75.0)
    """
    if not 0 < speed_kmh <= _FASTEST:
        raise InputError(
            f"nobody walks {speed_kmh:g} km/h; give a speed above 0 and up to {_FASTEST:g}, usually {WALKING_KMH}"
        )
    crs = require_metres(streets, what="walking distances", name="streets")
    if oneway is not None and oneway not in streets.columns:
        raise ColumnError(
            f"no column {oneway!r} in the streets{did_you_mean(oneway, map(str, streets.columns))}"
        )
    notes: list[Text] = []
    open_streets = streets.reset_index(drop=True)
    if barriers is not None:
        if barriers.crs is None or not barriers.crs.equals(crs, ignore_axis_order=True):
            raise CrsError(
                f"barriers are in {'no CRS' if barriers.crs is None else crs_label(barriers.crs)} and streets in {crs_label(crs)}; bring them to "
                "one: barriers.to_crs(streets.crs)"
            )
        open_streets = _without_barriers(open_streets, barriers, snap_m, notes)
    segments = street_segments(open_streets, snap_m=snap_m, level=level)
    if segments.empty:
        raise InputError(
            f"none of the {len(streets)} streets is longer than {snap_m:g} m, so nobody can walk; give the streets' middle lines"
        )
    flag = np.zeros(len(open_streets), np.bool_)
    if oneway is not None:
        flag = open_streets[oneway].fillna(value=False).astype(bool).to_numpy()
    segments["oneway"] = flag[segments["street"].to_numpy()]
    segments["street"] = streets.index.to_numpy()[_origin(open_streets)[segments["street"]]]
    return _laid_out(segments, speed_kmh, notes)


def _without_barriers(
    streets: gpd.GeoDataFrame, barriers: gpd.GeoDataFrame, snap_m: float, notes: list[Text]
) -> gpd.GeoDataFrame:
    """Cut away what of the streets lies on barriers, and so much on either side that the ends do not meet again."""
    walls = shapely.buffer(barriers.geometry.to_numpy(), snap_m, quad_segs=1)
    walls = walls[~(shapely.is_missing(walls) | shapely.is_empty(walls))]
    shapes = streets.geometry.to_numpy().copy()
    street, wall = shapely.STRtree(walls).query(shapes, predicate="intersects")
    for one in np.unique(street):
        shapes[one] = shapely.difference(shapes[one], shapely.union_all(walls[wall[street == one]]))
    before, after = shapely.length(streets.geometry.to_numpy()).sum(), shapely.length(shapes).sum()
    n = len(np.unique(street))
    notes.append(
        Text(
            zh=f"障碍切断了 {n} 条街道，共 {before - after:,.0f} 米",
            en=f"barriers cut {n} streets, {before - after:,.0f} m in all",
        )
    )
    return streets.assign(origin_=_origin(streets)).set_geometry(
        gpd.GeoSeries(shapes, crs=streets.crs)
    )


def _origin(streets: gpd.GeoDataFrame) -> _Ints:
    return (
        streets["origin_"].to_numpy()
        if "origin_" in streets
        else np.arange(len(streets), dtype=np.int64)
    )


def _laid_out(segments: gpd.GeoDataFrame, speed_kmh: float, notes: list[Text]) -> WalkingNetwork:
    n = int(segments[["from_node", "to_node"]].to_numpy().max()) + 1
    length = segments["length_m"].to_numpy(dtype=float)
    begin, end = segments["from_node"].to_numpy(), segments["to_node"].to_numpy()
    both = ~segments["oneway"].to_numpy()
    tail = np.concatenate([begin, end[both]])
    head = np.concatenate([end, begin[both]])
    cost = np.concatenate([length, length[both]])
    links = sparse.coo_array((np.ones(len(tail)), (tail, head)), shape=(n, n)).tocsr()
    n_parts, part = csgraph.connected_components(links, directed=True, connection="strong")
    per_node = np.bincount(begin, length, n) + np.bincount(end, length, n)
    weight = np.bincount(part, per_node, n_parts)
    rank = np.empty(n_parts, np.int64)
    rank[np.argsort(-weight, kind="stable")] = np.arange(n_parts)
    component = rank[part]
    own = np.maximum(component[begin], component[end])
    _say_parts(component, own, length, links, notes)
    first, order = _by_node(tail, n)
    back_first, back_order = _by_node(head, n)
    return WalkingNetwork(
        segments.assign(component=own), first, head[order], cost[order],
        back_first, tail[back_order], cost[back_order], component, speed_kmh, tuple(notes),
    )  # fmt: skip


def _by_node(tail: _Ints, n: int) -> tuple[_Ints, _Ints]:
    order = np.argsort(tail, kind="stable")
    first = np.concatenate([[0], np.cumsum(np.bincount(tail, minlength=n))])
    return first.astype(np.int64), order


def _say_parts(
    component: _Ints, own: _Ints, length: _Floats, links: sparse.csr_array, notes: list[Text]
) -> None:
    n_parts = int(component.max()) + 1
    if n_parts == 1:
        return
    per_part = np.bincount(own, length, n_parts)
    small = per_part < _SMALL * length.sum()
    weak, _ = csgraph.connected_components(links, directed=True, connection="weak")
    notes.append(
        Text(
            zh=f"路网分成 {n_parts} 个互不相通的部分；最大的部分占 {per_part[0] / length.sum():.1%}，{int(small.sum())} 个小部分共 {per_part[small].sum():,.0f} 米，"
            "那里的地方到不了别处（多半是数据的断点）",
            en=f"the network falls into {n_parts} parts without a way from one to the other; the largest has {per_part[0] / length.sum():.1%} of the "
            f"streets, {int(small.sum())} small ones have {per_part[small].sum():,.0f} m in all, and places there reach nothing else (mostly gaps in "
            "the data)",
        )
    )
    if weak < n_parts:
        notes.append(
            Text(
                zh=f"其中 {n_parts - weak} 处是单行造成的：能进不能出，或能出不能进",
                en=f"{n_parts - weak} of the parts are traps of one-way streets: one gets in and not out, or out and not in",
            )
        )


def minutes_of(metres: _Floats, network: WalkingNetwork) -> _Floats:
    """Say how long it takes to walk some distance.

    Parameters
    ----------
    metres
        Shape (n,).
    network
        For its speed.

    Returns
    -------
    array
        Shape (n,), minutes.
    """
    return np.asarray(metres, dtype=np.float64) / network.metres_per_minute


def check_places(
    places: gpd.GeoDataFrame,
    network: WalkingNetwork,
    *,
    name: str,
) -> gpd.GeoDataFrame:
    """See that places can be put on a network; polygons become a point inside.

    Parameters
    ----------
    places
        Points, or polygons (compounds): then a point inside each stands for it.
    network
        The network.
    name
        What the places are called in errors.

    Returns
    -------
    GeoDataFrame
        Points, indexed like `places`.

    Raises
    ------
    CrsError
        Another CRS than the network's, or none.
    """
    if places.crs is None or not places.crs.equals(network.segments.crs, ignore_axis_order=True):
        raise CrsError(
            f"{name} are in {'no CRS' if places.crs is None else crs_label(places.crs)} and the network in {crs_label(network.segments.crs)}; bring them to "
            f"one: {name}.to_crs(network.segments.crs)"
        )
    if set(places.geometry.geom_type.dropna()) <= {"Point"}:
        return places
    return places.set_geometry(places.geometry.representative_point())


def check_labels(**places: gpd.GeoDataFrame) -> None:
    """See that each place has a label of its own.

    Parameters
    ----------
    places
        Frames by what they are called in errors.

    Raises
    ------
    InputError
        A label that occurs twice.
    """
    for name, frame in places.items():
        if not frame.index.is_unique:
            raise InputError(
                f"{int(frame.index.duplicated().sum())} of {len(frame)} {name} have a label that another has; give each its own, for "
                f"example {name}.reset_index(drop=True)"
            )
