"""The geometry of a layer's rows as flat arrays in longitude, latitude."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import Transformer

from gisgrid.crs import LONLAT, require_crs
from gisgrid.errors import InputError
from gisgrid.features.column import read_only
from gisgrid.features.zorder import z_order

GeometryKind = Literal["point", "line", "polygon", "mixed", "none"]
"""What a layer's rows have: points, lines, areas (multi-part ones included), a mixture, or no place."""

_BATCH: Final = 1 << 19
"""Rows worked on at once where shapely or PROJ need memory of their own."""

_KINDS: Final[Mapping[int, GeometryKind]] = {0: "point", 1: "line", 2: "line", 3: "polygon", 5: "line", 6: "polygon"}  # fmt: skip
"""What a type of shapely's belongs to; multi-points, collections and what else there is are mixed."""


class Packed(NamedTuple):
    """Shapes of any length one after the other: `offsets` has shape (n + 1,), `data` holds WKB; empty for no shape."""

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Places:
    """Where the rows are.

    Attributes
    ----------
    kind
        What the geometry is.
    lon, lat
        Points only. Shape (n,), degrees (OGC:CRS84); NaN where a row has no place.
    u, v
        Points only. Shape (n placed,), the first rows' steps on Web Mercator's square, in the order of the Z-curve.
    wkb
        Lines, polygons and mixtures only.
    boxes
        With `wkb`. Shape (n, 4), west, south, east, north in degrees; NaN where a row has no place.
    bbox
        West, south, east, north of all; None where no row has a place.
    """

    kind: GeometryKind = "none"
    lon: NDArray[np.float64] | None = None
    lat: NDArray[np.float64] | None = None
    u: NDArray[np.uint32] | None = None
    v: NDArray[np.uint32] | None = None
    wkb: Packed | None = None
    boxes: NDArray[np.float64] | None = None
    bbox: tuple[float, float, float, float] | None = None

    @classmethod
    def from_arrays(
        cls,
        kind: GeometryKind,
        arrays: Mapping[str, NDArray[Any]],
        *,
        bbox: tuple[float, float, float, float] | None,
    ) -> Places:
        """Put back together what `arrays` took apart.

        Parameters
        ----------
        kind
            What the geometry is.
        arrays
            By name.
        bbox
            The box of all.

        Returns
        -------
        Places
            The geometry.
        """
        wkb = Packed(arrays["wkb_offsets"], arrays["wkb_bytes"]) if "wkb_bytes" in arrays else None
        named = {name: arrays.get(name) for name in ("lon", "lat", "u", "v", "boxes")}
        return cls(kind, wkb=wkb, bbox=bbox, **named)

    @classmethod
    def of_shapes(cls, kind: GeometryKind, wkb: Packed, boxes: NDArray[np.float64]) -> Places:
        """Make geometry of shapes that are packed already.

        Parameters
        ----------
        kind
            What the geometry is.
        wkb
            The shapes, longitude, latitude.
        boxes
            Shape (n, 4), their boxes.

        Returns
        -------
        Places
            The geometry.
        """
        return cls(
            kind, wkb=wkb, boxes=read_only(boxes.reshape(-1, 4)), bbox=_box(boxes.reshape(-1, 4))
        )

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Take the geometry apart.

        Returns
        -------
        dict
            The arrays there are, by name.
        """
        named: dict[str, NDArray[Any] | None] = {
            "lon": self.lon, "lat": self.lat, "u": self.u, "v": self.v, "boxes": self.boxes,
        }  # fmt: skip
        if self.wkb is not None:
            named |= {"wkb_offsets": self.wkb.offsets, "wkb_bytes": self.wkb.data}
        return {name: array for name, array in named.items() if array is not None}

    def boxes_of(self, n: int) -> NDArray[np.float64]:
        """Give the box of every row.

        Parameters
        ----------
        n
            How many rows there are.

        Returns
        -------
        array
            Shape (n, 4), degrees; NaN where a row has no place.
        """
        if self.boxes is not None:
            return self.boxes
        if self.lon is not None and self.lat is not None:
            return np.column_stack([self.lon, self.lat, self.lon, self.lat])
        return np.full((n, 4), np.nan)

    def geometries(self, rows: NDArray[np.int64]) -> NDArray[np.object_]:
        """Give geometry as shapely knows it.

        Parameters
        ----------
        rows
            Shape (m,), positions.

        Returns
        -------
        array
            Shape (m,); None where a row has no place.
        """
        if self.lon is not None and self.lat is not None:
            lon, lat = self.lon[rows], self.lat[rows]
            points = np.full(len(rows), None, dtype=object)
            there = np.isfinite(lon) & np.isfinite(lat)
            points[there] = shapely.points(lon[there], lat[there])
            return points
        if self.wkb is None:
            return np.full(len(rows), None, dtype=object)
        offsets, data = self.wkb
        ends = np.column_stack([offsets[rows], offsets[rows + 1]]).tolist()
        texts = [data[start:end].tobytes() or None for start, end in ends]
        with np.errstate(invalid="ignore"):  # a coordinate may be NaN
            return np.asarray(shapely.from_wkb(np.array(texts, dtype=object)))

    def take(self, rows: NDArray[np.int64]) -> Places:
        """Keep some rows.

        Parameters
        ----------
        rows
            Shape (m,), positions, ascending.

        Returns
        -------
        Places
            In memory.
        """
        if (
            self.lon is not None
            and self.lat is not None
            and self.u is not None
            and self.v is not None
        ):
            placed = rows[: int(np.searchsorted(rows, len(self.u)))]
            lon, lat = self.lon[rows], self.lat[rows]
            return replace(
                self, lon=read_only(lon), lat=read_only(lat), u=read_only(self.u[placed]),
                v=read_only(self.v[placed]), bbox=_box(np.column_stack([lon, lat, lon, lat])),
            )  # fmt: skip
        if self.wkb is None or self.boxes is None:
            return self
        boxes = self.boxes[rows]
        return replace(
            self, wkb=_packed_rows(self.wkb, rows), boxes=read_only(boxes), bbox=_box(boxes)
        )

    def is_whole(self, n: int) -> bool:
        """Say whether the arrays fit each other.

        Parameters
        ----------
        n
            How many rows there shall be.

        Returns
        -------
        bool
            Whether they do.
        """
        if self.kind == "point":
            sizes = {len(part) for part in (self.lon, self.lat) if part is not None}
            placed = {len(part) for part in (self.u, self.v) if part is not None}
            return sizes == {n} and len(placed) == 1 and max(placed) <= n
        if self.kind == "none":
            return True
        if self.wkb is None or self.boxes is None:
            return False
        offsets, data = self.wkb
        steps = bool(np.all(np.diff(offsets) >= 0)) and int(offsets[-1]) == len(data)
        return len(offsets) == n + 1 and len(self.boxes) == n and steps


def frame_places(
    frame: pd.DataFrame,
    *,
    kind: GeometryKind | None,
    lonlat: tuple[str, str] | None,
    name: str,
) -> tuple[Places, NDArray[np.int64] | None]:
    """Take the geometry out of a frame.

    Parameters
    ----------
    frame
        A GeoDataFrame of any CRS, or a table.
    kind
        What the geometry is; by default what is found.
    lonlat
        For a table: its columns of longitude and latitude.
    name
        What the frame is called in an error's sentence.

    Returns
    -------
    tuple
        The geometry, and the rows in their new order, or None where the order is kept.

    Raises
    ------
    CrsError
        A GeoDataFrame without a CRS.
    InputError
        The geometry is not what `kind` says.
    """
    if lonlat is not None:
        lon, lat = (frame[one].to_numpy(dtype=float, na_value=np.nan) for one in lonlat)
        return point_places(lon, lat)
    if not isinstance(frame, gpd.GeoDataFrame):
        return Places(), None
    require_crs(frame, name=name)
    shapes = frame.geometry.to_numpy()
    found = _found_kind(shapes)
    if kind is not None and found not in {kind, "none"} and kind != "mixed":
        raise InputError(
            f"{name} is said to hold {kind}s but holds {found} geometry; correct its description"
        )
    match kind or found:
        case "point":
            return point_places(*_lonlat(frame, shapes))
        case "none":
            return Places(), None
        case other:
            return _shape_places(frame, other), None


def point_places(
    lon: NDArray[np.float64], lat: NDArray[np.float64]
) -> tuple[Places, NDArray[np.int64]]:
    """Put points into the order of the Z-curve.

    Parameters
    ----------
    lon, lat
        Shape (n,), degrees (OGC:CRS84); what is not finite is no place.

    Returns
    -------
    tuple
        The geometry in its new order, and that order.
    """
    order = z_order(lon, lat)
    lon, lat = lon[order.rows], lat[order.rows]
    nowhere = ~(np.isfinite(lon) & np.isfinite(lat))
    lon[nowhere], lat[nowhere] = np.nan, np.nan
    places = Places(
        "point", lon=read_only(lon), lat=read_only(lat), u=read_only(order.u), v=read_only(order.v),
        bbox=_extremes(lon, lat, lon, lat),
    )  # fmt: skip
    return places, order.rows


def _found_kind(shapes: NDArray[np.object_]) -> GeometryKind:
    types = shapely.get_type_id(shapes)
    kinds = {_KINDS.get(int(one), "mixed") for one in np.unique(types[types >= 0])}
    if not kinds:
        return "none"
    return kinds.pop() if len(kinds) == 1 else "mixed"


def _lonlat(
    frame: gpd.GeoDataFrame, shapes: NDArray[np.object_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    lon, lat = np.empty(len(shapes)), np.empty(len(shapes))
    shapes = shapes.copy()
    shapes[shapely.is_empty(shapes)] = None  # an empty point has no x to ask for
    transform = Transformer.from_crs(frame.crs, LONLAT, always_xy=True)
    for start in range(0, len(shapes), _BATCH):
        part = slice(start, start + _BATCH)
        x, y = shapely.get_x(shapes[part]), shapely.get_y(shapes[part])
        lon[part], lat[part] = transform.transform(x, y)
    return lon, lat


def _shape_places(frame: gpd.GeoDataFrame, kind: GeometryKind) -> Places:
    shapes = shapely.force_2d(frame.geometry.to_crs(LONLAT).to_numpy())
    boxes = shapely.bounds(shapes)
    texts = [b"" if one is None else one for one in shapely.to_wkb(shapes, byte_order=1)]
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(one) for one in texts], out=offsets[1:])
    wkb = Packed(read_only(offsets), read_only(np.frombuffer(b"".join(texts), np.uint8)))
    return Places(kind, wkb=wkb, boxes=read_only(boxes), bbox=_box(boxes))


def _packed_rows(packed: Packed, rows: NDArray[np.int64]) -> Packed:
    lengths = np.diff(packed.offsets)[rows]
    offsets = np.append(0, np.cumsum(lengths))
    inside = np.arange(offsets[-1]) - np.repeat(offsets[:-1], lengths)
    data = packed.data[np.repeat(packed.offsets[rows], lengths) + inside]
    return Packed(read_only(offsets), read_only(data))


def _box(boxes: NDArray[np.float64]) -> tuple[float, float, float, float] | None:
    return _extremes(boxes[:, 0], boxes[:, 1], boxes[:, 2], boxes[:, 3])


def _extremes(*sides: NDArray[np.float64]) -> tuple[float, float, float, float] | None:
    west, south, east, north = sides
    if not np.isfinite(west).any():
        return None
    low, high = np.fmin.reduce, np.fmax.reduce
    return float(low(west)), float(low(south)), float(high(east)), float(high(north))
