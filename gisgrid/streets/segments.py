"""Which pieces of street are there, from junction to junction, and how do they hang together?"""

from __future__ import annotations

import math
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy import sparse
from scipy.sparse import csgraph
from scipy.spatial import KDTree

from gisgrid.crs import require_metres
from gisgrid.errors import ColumnError, InputError, did_you_mean, warn_null

_Floats = NDArray[np.float64]
_Ints = NDArray[np.int64]

_MOST_SEGMENTS: Final = 20_000_000


def street_segments(
    streets: gpd.GeoDataFrame,
    *,
    length_m: float | None = None,
    snap_m: float = 1.0,
    level: str | None = None,
) -> gpd.GeoDataFrame:
    """Cut streets at their junctions, and the stretches between into segments of about one length.

    A segment is to a street what a cell is to the ground: what is counted, rated and tested.

    Parameters
    ----------
    streets
        Lines in a projected CRS in metres. Null and empty ones, and those shorter than `snap_m`, are left out.
    length_m
        About how long a segment is, metres: each stretch is cut into equal parts, as many as bring them nearest to it.
        Without it: a segment is a whole stretch.
    snap_m
        Ends of streets this near to each other, or to another street, meet there: so digitising gaps close. Metres,
        above 0.
    level
        The column that tells bridges and tunnels from the ground: streets of different levels meet at common ends but do
        not cross. Without it all streets that cross meet.

    Returns
    -------
    GeoDataFrame
        One row per segment, indexed by `segment_id` (from 0, along the streets in their order), in the CRS of `streets`:
        `street` (the label of its street), `from_node` and `to_node` (junctions from 0, in the order in which the segments
        meet them), `length_m` and the line. Of segments that lie on each other the first is kept.

    Raises
    ------
    CrsError
        The coordinates are not metres.
    ColumnError
        There is no column `level`.
    InputError
        Something other than lines, a length or a tolerance that is not above 0, or too many segments.

    Warns
    -----
    NullResultWarning
        There is no line that is long enough.

    Notes
    -----
    Ends, crossings and what ends near another street are gathered into junctions, each the mean of all that are linked by
    steps of `snap_m` or less; streets are bent to them. CRS: projected, metres. Cost: 50 000 streets in some seconds.
    Checked against: hand-made networks (a cross, a T, a grid, a bridge).

    Examples
    --------
    >>> lines = [shapely.LineString([(0, 0), (200, 0)]), shapely.LineString([(100, -50), (100, 50)])]
    >>> segments = street_segments(gpd.GeoDataFrame(geometry=lines, crs=4547), length_m=50)
    >>> segments[["street", "from_node", "to_node", "length_m"]].to_numpy().astype(int).tolist()
    [[0, 0, 1, 50], [0, 1, 2, 50], [0, 2, 3, 50], [0, 3, 4, 50], [1, 5, 2, 50], [1, 2, 6, 50]]
    """
    crs = require_metres(streets, what="street_segments", name="streets")
    if not (0 < snap_m < math.inf and (length_m is None or 0 < length_m < math.inf)):
        raise InputError(
            f"segments of {length_m} m that meet within {snap_m:g} m are none; give metres above 0"
        )
    lines, street = _lines(streets, snap_m)
    storey = _storey(streets, level)[street]
    line, along = _cuts(lines, storey, snap_m)
    pieces, of_line = _pieces(lines, line, along)
    pieces, of_line = _bent_to_junctions(pieces, of_line, snap_m)
    pieces, of_line = _without_copies(pieces, of_line, snap_m)
    if length_m is not None:
        pieces, of_line = _in_parts(pieces, of_line, length_m)
    if len(pieces) == 0:
        warn_null(
            f"street_segments has {len(streets)} streets and none longer than {snap_m:g} m: there is no segment"
        )
    node = _nodes(pieces)
    frame = pd.DataFrame(
        {
            "street": streets.index.to_numpy()[street[of_line]],
            "from_node": node[0],
            "to_node": node[1],
            "length_m": shapely.length(pieces),
        },
        index=pd.RangeIndex(len(pieces), name="segment_id"),
    )
    return gpd.GeoDataFrame(frame, geometry=pieces, crs=crs)


def _lines(streets: gpd.GeoDataFrame, snap_m: float) -> tuple[NDArray[np.object_], _Ints]:
    """Give the single lines that are long enough, and whose they are."""
    geometry = streets.geometry.to_numpy()
    kinds = shapely.get_type_id(geometry)
    there = ~(shapely.is_missing(geometry) | shapely.is_empty(geometry))
    if (other := there & ~np.isin(kinds, (1, 5))).any():
        raise InputError(
            f"street_segments needs lines but {other.sum()} of {len(geometry)} geometries are none "
            f"(first: row {int(np.argmax(other))}, {geometry[other][0].geom_type}); give the streets' middle lines"
        )
    parts, street = shapely.get_parts(shapely.force_2d(geometry), return_index=True)
    long = shapely.length(parts) > snap_m
    return parts[long], street[long].astype(np.int64)


def _storey(streets: gpd.GeoDataFrame, level: str | None) -> _Ints:
    if level is None:
        return np.zeros(len(streets), dtype=np.int64)
    if level not in streets.columns:
        raise ColumnError(
            f"no column {level!r} in the streets{did_you_mean(level, map(str, streets.columns))}"
        )
    found, _ = pd.factorize(streets[level], use_na_sentinel=False)
    return np.asarray(found, dtype=np.int64)


def _cuts(lines: NDArray[np.object_], storey: _Ints, snap_m: float) -> tuple[_Ints, _Floats]:
    """Find where each line is cut: at both ends, at crossings, and where another line ends beside it."""
    if len(lines) == 0:
        return np.empty(0, np.int64), np.empty(0)
    tree = shapely.STRtree(lines)
    everyone = np.arange(len(lines))
    line, along = [everyone, everyone], [np.zeros(len(lines)), shapely.length(lines)]
    first, second = tree.query(lines, predicate="intersects")
    crossing = (first < second) & (storey[first] == storey[second])
    first, second = first[crossing], second[crossing]
    where, pair = shapely.get_coordinates(
        shapely.intersection(lines[first], lines[second]), return_index=True
    )
    spots = shapely.points(where)
    for side in (first[pair], second[pair]):
        line.append(side)
        along.append(shapely.line_locate_point(lines[side], spots))
    ends = np.concatenate([shapely.get_point(lines, 0), shapely.get_point(lines, -1)])
    end, beside = tree.query(ends, predicate="dwithin", distance=snap_m)
    line.append(beside)
    along.append(shapely.line_locate_point(lines[beside], ends[end]))
    return np.concatenate(line).astype(np.int64), np.concatenate(along)


def _pieces(
    lines: NDArray[np.object_], line: _Ints, along: _Floats
) -> tuple[NDArray[np.object_], _Ints]:
    """Cut lines at distances along them; both ends of every line are among the cuts."""
    if len(lines) == 0:
        return lines, line
    xy, of_line = shapely.get_coordinates(lines, return_index=True)
    step = np.hypot(*np.diff(xy, axis=0).T)
    step[np.diff(of_line) > 0] = 0
    run = np.concatenate([[0.0], np.cumsum(step)])
    start = np.searchsorted(of_line, np.arange(len(lines)))
    run -= run[start][of_line]
    spots = shapely.get_coordinates(shapely.line_interpolate_point(lines[line], along))
    last = np.append(start[1:], len(xy)) - 1
    spots[along <= 0], spots[along >= run[last][line]] = (
        xy[start[line[along <= 0]]],
        xy[last[line[along >= run[last][line]]]],
    )
    inner = np.ones(len(xy), dtype=bool)
    inner[start], inner[last] = False, False
    every_line = np.concatenate([of_line[inner], line])
    every_run = np.concatenate([run[inner], along])
    every_xy = np.concatenate([xy[inner], spots])
    cut = np.concatenate([np.zeros(inner.sum(), bool), np.ones(len(line), bool)])
    order = np.lexsort((~cut, every_run, every_line))
    every_line, every_run, every_xy, cut = (
        column[order] for column in (every_line, every_run, every_xy, cut)
    )
    same = np.zeros(len(cut), dtype=bool)  # what stands on the place before it
    same[1:] = (np.diff(every_line) == 0) & (np.diff(every_run) <= 1e-9)
    # Of what stands on one place a cut is kept, even where rounding puts a corner before it.
    spot = np.cumsum(~same)
    kept = np.lexsort((~cut, spot))[np.flatnonzero(~same)]
    every_line, every_xy, cut = every_line[kept], every_xy[kept], cut[kept]
    # Each cut ends a piece and begins the next: stand it twice, but at the ends of the line.
    number = np.cumsum(cut) - 1
    first = np.concatenate([[True], np.diff(every_line) > 0])
    final = np.concatenate([np.diff(every_line) > 0, [True]])
    twice = cut & ~first & ~final
    times = 1 + twice
    piece = np.repeat(number, times)
    ending = np.cumsum(times) - times  # of a cut that stands twice, the first ends the piece before
    piece[ending[twice]] -= 1
    piece[ending[final]] -= 1
    names, piece = np.unique(piece, return_inverse=True)
    pieces = shapely.linestrings(np.repeat(every_xy, times, axis=0), indices=piece)
    begins = np.searchsorted(piece, np.arange(len(names)))
    return pieces, np.repeat(every_line, times)[begins].astype(np.int64)


def _bent_to_junctions(
    pieces: NDArray[np.object_], of_line: _Ints, snap_m: float
) -> tuple[NDArray[np.object_], _Ints]:
    """Move the pieces' ends to their junctions, and leave out what shrinks to nothing."""
    if len(pieces) == 0:
        return pieces, of_line
    xy, of_piece = shapely.get_coordinates(pieces, return_index=True)
    start = np.searchsorted(of_piece, np.arange(len(pieces)))
    last = np.append(start[1:], len(xy)) - 1
    ends = np.concatenate([start, last])
    spots, at = np.unique(xy[ends], axis=0, return_inverse=True)
    pairs = KDTree(spots).query_pairs(snap_m, output_type="ndarray")
    links = sparse.coo_array(
        (np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), shape=(len(spots), len(spots))
    )
    n, junction = csgraph.connected_components(links, directed=False)
    size = np.bincount(junction, minlength=n)
    middle = np.column_stack([np.bincount(junction, axis, n) / size for axis in spots.T])
    whole = size > 1
    middle[junction[~whole[junction]]] = spots[~whole[junction]]  # alone: to the last digit
    xy[ends] = middle[junction[at.ravel()]]
    bent = shapely.linestrings(xy, indices=of_piece)
    here = junction[at.ravel()]
    loop = here[: len(pieces)] == here[len(pieces) :]
    kept = ~(loop & (shapely.length(bent) <= 2 * snap_m))
    return bent[kept], of_line[kept]


def _without_copies(
    pieces: NDArray[np.object_], of_line: _Ints, snap_m: float
) -> tuple[NDArray[np.object_], _Ints]:
    """Of pieces between the same two junctions that are nowhere farther apart than the tolerance, keep the first."""
    if len(pieces) == 0:
        return pieces, of_line
    begin, end = _nodes(pieces)
    pair = pd.DataFrame({"a": np.minimum(begin, end), "b": np.maximum(begin, end)})
    group = pair.groupby(["a", "b"]).ngroup().to_numpy()
    shared = np.flatnonzero(pair.duplicated(keep=False))
    copy = np.zeros(len(pieces), dtype=bool)
    order = shared[np.argsort(group[shared], kind="stable")]
    ends = np.flatnonzero(np.diff(group[order], append=-1))
    at = 0
    for stop in ends + 1:  # few streets run twice between two junctions
        members = order[at:stop]
        for i, one in enumerate(members):
            others = members[i + 1 :][~copy[members[i + 1 :]]]
            if not copy[one] and len(others):
                apart = shapely.hausdorff_distance(pieces[others], pieces[one], densify=0.25)
                copy[others[apart <= snap_m]] = True
        at = int(stop)
    return pieces[~copy], of_line[~copy]


def _in_parts(
    pieces: NDArray[np.object_], of_line: _Ints, length_m: float
) -> tuple[NDArray[np.object_], _Ints]:
    """Cut each piece into equal parts of about the length."""
    length = shapely.length(pieces)
    parts = np.maximum(1, np.rint(length / length_m))
    if parts.sum() > _MOST_SEGMENTS:
        raise InputError(
            f"segments of {length_m:g} m are {parts.sum():.0f}, over {_MOST_SEGMENTS}; give a greater length"
        )
    parts = parts.astype(np.int64)
    piece = np.repeat(np.arange(len(pieces)), parts + 1)
    step = np.arange(len(piece)) - np.repeat(np.cumsum(parts + 1) - parts - 1, parts + 1)
    share = step / parts[piece]
    along = np.where(step == parts[piece], length[piece], share * length[piece])
    cut, of_piece = _pieces(pieces, piece, along)
    return cut, of_line[of_piece]


def _nodes(pieces: NDArray[np.object_]) -> tuple[_Ints, _Ints]:
    """Give each piece the numbers of its ends, in the order in which they are met."""
    ends = np.empty((2 * len(pieces), 2))
    ends[0::2] = shapely.get_coordinates(shapely.get_point(pieces, 0))
    ends[1::2] = shapely.get_coordinates(shapely.get_point(pieces, -1))
    node, _ = pd.factorize(pd.MultiIndex.from_arrays([ends[:, 0], ends[:, 1]]))
    return node[0::2].astype(np.int64), node[1::2].astype(np.int64)
