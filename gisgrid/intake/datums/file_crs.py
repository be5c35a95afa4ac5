"""What CRS is a file in: what the user states, else what the file says, else a refusal."""

from __future__ import annotations

import geopandas as gpd
from pyproj import CRS

from gisgrid.crs import crs_label, parse_crs
from gisgrid.errors import CrsError


def stated_crs(crs: CRS | str | int | None, *, option: str) -> CRS | None:
    """Read the CRS that a user states, if any.

    Parameters
    ----------
    crs
        A CRS, a code, or None.
    option
        The option under which it is stated, for the error.

    Returns
    -------
    CRS or None
        The CRS.

    Raises
    ------
    CrsError
        PROJ does not know it, or it is no CRS of places on a map (a height, say).
    """
    stated = parse_crs(crs, name=option) if isinstance(crs, str | int) else crs
    if stated is not None and not (stated.is_geographic or stated.is_projected):
        raise CrsError(
            f"--{option} {crs!r} is {stated.name!r}, which does not place points on a map; "
            "state a geographic or projected CRS, for example EPSG:4326 or EPSG:4547"
        )
    return stated


def settled_crs(
    frame: gpd.GeoDataFrame, stated: CRS | None, *, source: str, option: str, notes: list[str]
) -> CRS:
    """Settle which CRS a file is in: what the user states, else what the file says.

    Parameters
    ----------
    frame
        The file as read.
    stated
        What the user states.
    source
        The file's name.
    option
        The option under which it is stated.
    notes
        Told the decision.

    Returns
    -------
    CRS
        The CRS.

    Raises
    ------
    CrsError
        Neither says it.
    """
    own = None if frame.crs is None else CRS(frame.crs)
    if stated is None and own is None:
        raise CrsError(
            f"{source!r} does not say its coordinate reference system (no .prj, no metadata), so its coordinates mean "
            f"nothing; state it, for example --{option} EPSG:4547 (in Python crs='EPSG:4547')"
        )
    if stated is None or own is None:
        crs = stated or own
        assert crs is not None  # noqa: S101 - one of the two is there, as said above
        notes.append(
            f"{source!r} is in {crs_label(crs)}, as {'it says itself' if own else f'--{option} states'}"
        )
        return crs
    same = own.equals(stated, ignore_axis_order=True)
    notes.append(
        f"{source!r} is in {crs_label(stated)}, as --{option} states"
        + ("" if same else f", although the file itself says {crs_label(own)}")
    )
    return stated
