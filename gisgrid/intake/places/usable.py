"""Is this a place on earth? Pairs of numbers and geometries of a batch, judged row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import shapely
from numpy.typing import NDArray

from gisgrid.datum import Datum
from gisgrid.intake.ingestion import PlaceKind
from gisgrid.intake.reasons import register

PLACE_REASONS: Final = (
    "",
    *register(
        ("no_place", "zero_place", "lat_range", "lon_range", "unreadable_place", "not_a_point", "outside_crs", "address_unknown")
    ),
)  # fmt: skip
"""Why a row has no usable place; the position here is the number in `Places.reason`."""

WHERE: Final[tuple[tuple[PlaceKind, tuple[str, ...]], ...]] = (
    ("pair", ("lon", "lat")),
    ("lonlat", ("lonlat",)),
    ("shape_text", ("geometry",)),
    ("pair", ("x", "y")),
)
"""The roles that say where a row is, each with how they are read, the plainest first."""

_NUMBER: Final = r"^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$"
_ONE: Final = r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?"
_TWO_NUMBERS: Final = rf"(?P<a>{_ONE})\s*°?\s*[,;，；、\s|]\s*(?P<b>{_ONE})"
_SIDE: Final = r"[NSEWnsew北南东西]?"
_ANGLE: Final = (
    rf"^(?P<l>{_SIDE})\s*(?P<d>\d{{1,3}}(?:\.\d+)?)\s*(?:[°度:]\s*(?:(?P<m>\d{{1,2}}(?:\.\d+)?)\s*['′’分:]?\s*)?"
    rf"(?:(?P<s>\d{{1,2}}(?:\.\d+)?)\s*(?:\"|″|”|''|′′|秒)?)?)?\s*(?P<h>{_SIDE})$"
)
_POINT_WKB: Final = np.dtype([("order", "u1"), ("type", "<u4"), ("x", "<f8"), ("y", "<f8")])


@dataclass(frozen=True)
class Places:
    """Where the rows of a batch are.

    Attributes
    ----------
    x, y
        Shape (n,), as the file has them; NaN where there is no number.
    reason
        Shape (n,), the position in `PLACE_REASONS` of what stands against the row; 0 where nothing does.
    """

    x: NDArray[np.float64]
    y: NDArray[np.float64]
    reason: NDArray[np.uint8]

    @property
    def usable(self) -> NDArray[np.bool_]:
        """Whether nothing stands against a row."""
        return np.asarray(self.reason == 0)


def read_places(
    table: pa.Table, wkb: pa.Array | None, *, kind: PlaceKind, columns: tuple[str, ...]
) -> Places:
    """Read where the rows of a batch are, as the file says it.

    Parameters
    ----------
    table
        The batch's columns.
    wkb
        Its geometry, where the format carries one.
    kind
        What says where.
    columns
        The columns that say it.

    Returns
    -------
    Places
        In the file's own coordinates.
    """
    if kind == "geometry":
        assert wkb is not None  # noqa: S101 - the kind is chosen only where there is a geometry
        return _geometry_places(wkb)
    if kind == "shape_text":
        return _geometry_places(_as_wkb(chunk_of(table[columns[0]])))
    if kind == "address":
        nowhere = np.full(len(table), np.nan)
        missing = np.isnan(nowhere)
        return _pair_places(nowhere, nowhere, missing, missing)
    if kind == "lonlat":
        text = _text(chunk_of(table[columns[0]]))
        parts = pc.extract_regex(text, _TWO_NUMBERS)
        missing = _is_blank(text)
        return _pair_places(
            _parsed(pc.struct_field(parts, "a")),
            _parsed(pc.struct_field(parts, "b")),
            missing,
            missing,
        )
    x, x_missing = numbers(chunk_of(table[columns[0]]))
    y, y_missing = numbers(chunk_of(table[columns[1]]))
    return _pair_places(x, y, x_missing, y_missing)


def to_lonlat(
    places: Places, datum: Datum
) -> tuple[NDArray[np.float64], NDArray[np.float64], Places]:
    """Bring places to WGS84 longitude and latitude, and refuse what is none in its datum.

    Parameters
    ----------
    places
        As read.
    datum
        What their numbers are.

    Returns
    -------
    lon, lat : ndarray
        Shape (n,), degrees; NaN where a row is refused.
    places : Places
        With the reasons of the rows refused here.
    """
    reason = places.reason.copy()
    x, y = places.x, places.y
    if datum.crs is None or datum.crs.is_geographic:
        size = 1e6 if datum.millionths else 1.0
        lon, lat = (y / size, x / size) if datum.swapped else (x / size, y / size)
        _mark(reason, np.abs(lat) > 90, "lat_range")
        _mark(reason, np.abs(lon) > 180, "lon_range")
    usable = reason == 0
    if usable.all():
        lon, lat = datum.to_lonlat(x, y)
    else:
        lon, lat = np.full(len(x), np.nan), np.full(len(x), np.nan)
        lon[usable], lat[usable] = datum.to_lonlat(x[usable], y[usable])
    outside = usable & ~(
        np.isfinite(lon) & np.isfinite(lat) & (np.abs(lat) <= 90) & (np.abs(lon) <= 180)
    )
    if outside.any():
        _mark(reason, outside, "outside_crs")
        lon, lat = np.where(outside, np.nan, lon), np.where(outside, np.nan, lat)
    return lon, lat, Places(x, y, reason)


def numbers(column: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Read a column as numbers, however they are written.

    Parameters
    ----------
    column
        Shape (n,): numbers, or text of them (also full-width digits, ``113°12′30″E``, ``31,5``).

    Returns
    -------
    values : ndarray
        Shape (n,), NaN where there is no number.
    missing : ndarray
        Shape (n,), where there is nothing at all.
    """
    if pa.types.is_boolean(column.type):
        return np.full(len(column), np.nan), _mask(pc.is_null(column))
    if (
        pa.types.is_floating(column.type)
        or pa.types.is_integer(column.type)
        or pa.types.is_decimal(column.type)
    ):
        values = np.asarray(pc.cast(column, pa.float64(), safe=False).fill_null(np.nan))
        return values, np.isnan(values)
    text = _text(column)
    missing = _is_blank(text)
    return _parsed(text), missing


def _text(column: pa.Array) -> pa.Array:
    """Give a column as trimmed text, nothing for what is blank."""
    text = column if pa.types.is_string(column.type) else column.cast(pa.string())
    text = pc.utf8_trim_whitespace(text)
    return pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)


def _is_blank(text: pa.Array) -> NDArray[np.bool_]:
    return _mask(pc.is_null(text))


def _mask(values: pa.Array) -> NDArray[np.bool_]:
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=bool)


def _parsed(text: pa.Array) -> NDArray[np.float64]:
    """Parse text that is mostly plain numbers; the rest by the ways people write them."""
    try:
        return _floats(text.cast(pa.float64()))
    except pa.ArrowInvalid:
        pass
    plain = pc.match_substring_regex(text, _NUMBER).fill_null(fill_value=False)
    values = _floats(pc.if_else(plain, text, pa.scalar(None, text.type)).cast(pa.float64()))
    odd = np.flatnonzero(~_mask(plain) & _mask(pc.is_valid(text)))
    if len(odd):
        values = values.copy()
        values[odd] = _odd_numbers(text.take(pa.array(odd)))
    return np.where(np.isfinite(values), values, np.nan)


def _floats(values: pa.Array) -> NDArray[np.float64]:
    parsed = np.asarray(values.fill_null(np.nan))
    return parsed if np.isfinite(parsed).all() else np.where(np.isfinite(parsed), parsed, np.nan)


def _odd_numbers(text: pa.Array) -> NDArray[np.float64]:
    """Read full-width digits, a decimal comma, a degree sign, and degrees with minutes and seconds."""
    text = pc.utf8_trim_whitespace(pc.utf8_normalize(text, "NFKC"))
    text = pc.replace_substring_regex(text, r"^(-?\d+),(\d+)$", r"\1.\2")
    bare = pc.replace_substring_regex(text, r"\s*[°度]?\s*$", "")
    plain = pc.match_substring_regex(bare, _NUMBER).fill_null(fill_value=False)
    values = _floats(pc.if_else(plain, bare, pa.scalar(None, bare.type)).cast(pa.float64()))
    parts = pc.extract_regex(text, _ANGLE)
    degrees, minutes, seconds = (_part(parts, name) for name in "dms")
    side = pc.utf8_upper(
        pc.binary_join_element_wise(pc.struct_field(parts, "l"), pc.struct_field(parts, "h"), "")
    )
    negative = _mask(pc.is_in(side, pa.array(["S", "W", "南", "西"])))
    angle = degrees + np.nan_to_num(minutes) / 60 + np.nan_to_num(seconds) / 3600
    return np.where(np.isnan(values), np.where(negative, -angle, angle), values)


def _part(parts: pa.Array, name: str) -> NDArray[np.float64]:
    text = pc.struct_field(parts, name)
    text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
    return np.asarray(text.cast(pa.float64()).fill_null(np.nan))


def _pair_places(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    x_missing: NDArray[np.bool_],
    y_missing: NDArray[np.bool_],
) -> Places:
    reason = np.zeros(len(x), np.uint8)
    _mark(reason, x_missing | y_missing, "no_place")
    _mark(reason, np.isnan(x) | np.isnan(y), "unreadable_place")
    _mark(reason, (x == 0) & (y == 0), "zero_place")
    return Places(x, y, reason)


def _mark(reason: NDArray[np.uint8], rows: NDArray[np.bool_], code: str) -> None:
    """Give the rows a reason where they have none yet."""
    reason[rows & (reason == 0)] = PLACE_REASONS.index(code)


def _geometry_places(wkb: pa.Array) -> Places:
    if (xy := _plain_points(wkb)) is not None:
        missing = np.isnan(xy[0]) | np.isnan(xy[1])
        return _pair_places(*xy, missing, missing)
    raw = wkb.to_numpy(zero_copy_only=False)
    missing = _mask(pc.is_null(wkb))
    shapes = np.array(shapely.from_wkb(raw, on_invalid="ignore"), dtype=object)
    single = (shapely.get_type_id(shapes) == shapely.GeometryType.MULTIPOINT) & (
        shapely.get_num_geometries(shapes) == 1
    )
    shapes[single] = shapely.get_geometry(shapes[single], 0)
    kinds = shapely.get_type_id(shapes)
    reason = np.zeros(len(raw), np.uint8)
    _mark(reason, missing | shapely.is_empty(shapes), "no_place")
    _mark(reason, kinds < 0, "unreadable_place")
    _mark(reason, kinds != shapely.GeometryType.POINT, "not_a_point")
    shapes[reason != 0] = None
    x, y = shapely.get_x(shapes), shapely.get_y(shapes)
    _mark(reason, np.isnan(x) | np.isnan(y), "unreadable_place")
    _mark(reason, (x == 0) & (y == 0), "zero_place")
    return Places(x, y, reason)


def _plain_points(wkb: pa.Array) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Read plain little-endian points without making a geometry of each; None where there is any other."""
    if wkb.null_count or not len(wkb):
        return None
    wide = pa.types.is_large_binary(wkb.type)
    offsets = np.frombuffer(wkb.buffers()[1], np.int64 if wide else np.int32)[
        wkb.offset : wkb.offset + len(wkb) + 1
    ]
    if (np.diff(offsets) != _POINT_WKB.itemsize).any():
        return None
    points = np.frombuffer(wkb.buffers()[2], np.uint8)[offsets[0] : offsets[-1]].view(_POINT_WKB)
    if (points["order"] != 1).any() or (points["type"] != 1).any():
        return None
    return np.ascontiguousarray(points["x"]), np.ascontiguousarray(points["y"])


def _as_wkb(column: pa.Array) -> pa.Array:
    """Turn geometry written as text (WKT, hexadecimal WKB, GeoJSON) into WKB."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return column
    text = _text(column)
    raw = text.to_numpy(zero_copy_only=False)
    shapes = np.full(len(raw), None, dtype=object)
    for starts, read in (
        (r"^\s*\{", shapely.from_geojson),
        (r"^[0-9A-Fa-f]+$", shapely.from_wkb),
        (r"^[A-Za-z]", shapely.from_wkt),
    ):
        rows = _mask(
            pc.match_substring_regex(text, starts).fill_null(fill_value=False)
        ) & shapely.is_missing(shapes)
        with np.errstate(all="ignore"):  # GEOS tries odd text as numbers
            shapes[rows] = read(raw[rows], on_invalid="ignore")
    written = shapely.to_wkb(shapes)
    # What is there but cannot be read must not look as if nothing were there.
    unreadable = shapely.is_missing(shapes) & ~_is_blank(text)
    written[unreadable] = b"?"
    return pa.array(written, pa.binary())


def chunk_of(column: pa.ChunkedArray) -> pa.Array:
    """Give a column of a batch in one piece.

    Parameters
    ----------
    column
        Any column.

    Returns
    -------
    pyarrow.Array
        The same values, no dictionary.
    """
    if column.num_chunks == 1:
        whole = column.chunk(0)
    else:
        whole = pa.concat_arrays(column.chunks) if column.num_chunks else pa.array([], column.type)
    return whole.dictionary_decode() if pa.types.is_dictionary(whole.type) else whole
