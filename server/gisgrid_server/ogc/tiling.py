"""How is the world cut into tiles? Tile matrix sets as OGC 17-083r4 describes them."""

from __future__ import annotations

from functools import cache
from typing import Any

import morecantile
from pyproj import CRS

from gisgrid.tiles import MATRIX_SETS, MatrixSet, matrix_set
from gisgrid_server.ogc.links import JSON, OGC, address, here, link


@cache
def definition(set_id: str) -> morecantile.TileMatrixSet:
    """Give the definition of a tile matrix set.

    Parameters
    ----------
    set_id
        Its id.

    Returns
    -------
    TileMatrixSet
        The registered one where OGC registers it; CGCS2000Quad is WorldCRS84Quad's twin on EPSG:4490, whose axes are
        latitude, longitude.

    Raises
    ------
    TileNotFoundError
        There is no such set.
    """
    asked = matrix_set(set_id)
    if asked.uri is not None:
        registered: morecantile.TileMatrixSet = morecantile.tms.get(set_id)
        return registered
    crs = CRS.from_user_input(asked.crs)
    made: morecantile.TileMatrixSet = morecantile.TileMatrixSet.custom(
        [-180.0, -90.0, 180.0, 90.0], crs, id=asked.id, title=asked.title, geographic_crs=crs,
        matrix_scale=[asked.n_columns, 1], maxzoom=24, ordered_axes=["Lat", "Lon"],
    )  # fmt: skip
    return made


def tiling_scheme(set_id: str, base: str, *, form: str) -> dict[str, Any]:
    """Describe one tile matrix set.

    Parameters
    ----------
    set_id
        Its id.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.

    Raises
    ------
    TileNotFoundError
        There is no such set.
    """
    written = definition(set_id).model_dump(mode="json", by_alias=True, exclude_none=True)
    axes = {"orderedAxes": ["Lat", "Lon"]} if "orderedAxes" not in written else {}
    return {**written, **axes, "links": here(base, f"/tileMatrixSets/{set_id}", form=form)}


def tiling_schemes(base: str, *, form: str) -> dict[str, Any]:
    """List the tile matrix sets.

    Parameters
    ----------
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.
    """
    return {
        "tileMatrixSets": [_item(one, base) for one in MATRIX_SETS.values()],
        "links": here(base, "/tileMatrixSets", form=form),
    }


def scheme_link(one: MatrixSet, base: str) -> dict[str, Any]:
    """Link to the definition of a tile matrix set.

    Parameters
    ----------
    one
        The set.
    base
        The server's address.

    Returns
    -------
    dict
        The link.
    """
    return link(f"{OGC}/tiling-scheme", address(base, f"/tileMatrixSets/{one.id}"), JSON, one.title)


def _item(one: MatrixSet, base: str) -> dict[str, Any]:
    registered = {"uri": one.uri} if one.uri is not None else {}
    to = link("self", address(base, f"/tileMatrixSets/{one.id}"), JSON, one.title)
    return {"id": one.id, "title": one.title, "crs": one.crs, **registered, "links": [to]}
