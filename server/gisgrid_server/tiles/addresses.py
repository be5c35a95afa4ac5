"""How is the address of a tile written? As XYZ and as OGC API - Tiles; and what is wrong with one that is neither."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from gisgrid.errors import GisgridError, TileNotFoundError
from gisgrid.tiles.mvt import MVT_MEDIA_TYPE
from gisgrid.tiles.scheme import WEB_MERCATOR_QUAD
from gisgrid_server.edge.accepting import weight, weights
from gisgrid_server.edge.problems import BadRequestError, NotAcceptableError

TILE: Final = re.compile(
    r"/tiles/([^/]{1,2000})/([0-9]{1,10})/([0-9]{1,10})/([0-9]{1,10})\.(mvt|pbf|png|webp)"
).fullmatch
TILEJSON: Final = re.compile(r"/tiles/([^/]{1,2000})/tilejson\.json").fullmatch
XYZ: Final = WEB_MERCATOR_QUAD.id

_LONGEST: Final = 2000
_LIKE_A_TILE: Final = re.compile(
    r"/tiles/([^/]+)/([^/]+)/([^/]+)/([^/]+)\.(mvt|pbf|png|webp)"
).fullmatch
_OGC_TILE: Final = re.compile(
    r"/collections/([^/]{1,2000})/(map/)?tiles/([A-Za-z0-9]{1,40})/([^/]{1,40})/([^/]{1,40})/([^/]{1,40})"
).fullmatch
_NUMBER: Final = re.compile(r"-?[0-9]{1,10}", re.ASCII).fullmatch
_MEDIA_TYPES: Final = {
    "mvt": (MVT_MEDIA_TYPE, "application/x-protobuf", "application/octet-stream"),
    "png": ("image/png",),
}
_FORM: Final = re.compile(rb"(?:^|&)f=([a-z]{1,8})(?=&|$)").search


class TileAddress(NamedTuple):
    """What the path of a tile says, as it stands there.

    Attributes
    ----------
    names
        The layers, between commas.
    set_id
        The tile matrix set.
    z, x, y
        Whole numbers.
    suffix
        The form of the tile.
    """

    names: str
    set_id: str
    z: str
    x: str
    y: str
    suffix: str


def tile_address(path: str, query: bytes) -> TileAddress:
    """Read the path of a tile.

    Parameters
    ----------
    path, query
        A request's.

    Returns
    -------
    TileAddress
        What it says.

    Raises
    ------
    TileNotFoundError, BadRequestError
        It is no path of a tile.
    """
    match = TILE(path)
    if match is not None:
        names, z, x, y, suffix = match.groups()
        return TileAddress(names, XYZ, z, x, y, suffix)
    found = ogc_address(path, query)
    if found is None:
        raise no_tile(path)
    return found


def ogc_address(path: str, query: bytes, accept: bytes = b"") -> TileAddress | None:
    """Read the path of a tile as OGC API - Tiles writes it: the row goes before the column.

    Parameters
    ----------
    path, query
        A request's.
    accept
        Its ``Accept``, which counts where ``f`` is not given.

    Returns
    -------
    TileAddress or None
        None where it is no such path.

    Raises
    ------
    BadRequestError
        It is one, but its place is no number.
    NotAcceptableError
        The client takes no such tile.

    Examples
    --------
    >>> ogc_address("/collections/streets/tiles/WorldCRS84Quad/14/3000/26708", b"")
    TileAddress(names='streets', set_id='WorldCRS84Quad', z='14', x='26708', y='3000', suffix='mvt')
    """
    match = _OGC_TILE(path)
    if match is None:
        return None
    name, is_map, set_id, z, row, column = match.groups()
    for text in (z, row, column):
        if not _NUMBER(text):
            raise BadRequestError(
                f"{text!r} in the address of a tile is no number; a tile is at .../tiles/{set_id}/ZOOM/ROW/COLUMN"
            )
    form = _FORM(query)
    suffix = form[1].decode() if form else ("png" if is_map else "mvt")
    if accept and not form and accept != b"*/*":
        said, taken = accept.decode("latin-1"), _MEDIA_TYPES[suffix]
        if weight(taken, weights(said)) <= 0:
            raise NotAcceptableError(
                f"Accept: {said[:80]!r} does not allow what this tile is; ask for {taken[0]}, or with f={suffix}"
            )
    return TileAddress(name, set_id, z, column, row, suffix)


def is_ogc_tile(path: str) -> bool:
    """Tell whether a path is that of a tile in OGC API - Tiles.

    Parameters
    ----------
    path
        A request's path.

    Returns
    -------
    bool
        False for those of tilesets and of everything else.

    Examples
    --------
    >>> is_ogc_tile("/collections/streets/tiles/WebMercatorQuad/14/6476/13354")
    True
    >>> is_ogc_tile("/collections/streets/tiles/WebMercatorQuad")
    False
    """
    return path.startswith("/collections/") and _OGC_TILE(path) is not None


def no_tile(path: str) -> GisgridError:
    """Say why there is no tile at an address.

    Parameters
    ----------
    path
        The address.

    Returns
    -------
    GisgridError
        To be raised.
    """
    match = _LIKE_A_TILE(path)
    if match is not None:
        for text in match.groups()[1:4]:
            if not _NUMBER(text):
                return BadRequestError(
                    f"{text[:40]!r} in the address of a tile is no number; a tile is at /tiles/LAYER/Z/X/Y.{match[5]}"
                )
        if "," in match[1] and len(match[1]) > _LONGEST:
            return BadRequestError(
                f"the layers of the address are {len(match[1])} characters long and at most {_LONGEST} are read; ask for fewer layers at once"
            )
        place = "/".join(match.groups()[1:4])
        return TileNotFoundError(f"there is no tile {place}: columns and rows run from 0")
    return TileNotFoundError(
        f"there is nothing at {path[:200]!r}; a tile is at /tiles/LAYER/Z/X/Y.mvt or .png"
    )
