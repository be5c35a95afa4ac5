"""From the layers of an address to the bytes that are sent: drawn one by one, put together, packed."""

from __future__ import annotations

import gzip

from gisgrid.errors import InputError
from gisgrid.tiles.source import Tile
from gisgrid_server.edge.encodings import WORTH_PACKING, Encoding, packed
from gisgrid_server.edge.problems import BadRequestError
from gisgrid_server.tiles.cache import ReadyTile
from gisgrid_server.tiles.wanted import Plan


def drawn_tile(plan: Plan, z: int, x: int, y: int, encoding: Encoding) -> ReadyTile:
    """Draw a tile.

    Parameters
    ----------
    plan
        What its address means.
    z, x, y
        Its place.
    encoding
        How the client takes it.

    Returns
    -------
    ReadyTile
        All layers of it that are drawn at that zoom, packed.

    Raises
    ------
    GisgridError
        A layer has no such tile, or its colours cannot be.
    """
    drawn: list[Tile] = []
    notes: list[str] = []
    for part in plan.parts:
        source = part.source
        if source.minzoom <= z <= source.maxzoom:
            try:
                tile = source.tile(z, x, y, where=part.where, **plan.options)
            except InputError as error:
                if not plan.is_raster:
                    raise
                raise BadRequestError(str(error)) from error  # colours that cannot be
            drawn.append(tile)
            if tile.thinned is not None:
                notes.append(f"{tile.thinned}; layer={part.edition.layer.id}")
    media_type = plan.parts[0].source.media_type if not plan.is_raster else f"image/{plan.options['image']}"  # fmt: skip
    return ready_tile(drawn, media_type, encoding, notes)


def ready_tile(
    drawn: list[Tile], media_type: str, encoding: Encoding, notes: list[str]
) -> ReadyTile:
    """Put the layers of a tile together and pack them.

    Parameters
    ----------
    drawn
        The layers' tiles; those of an archive may be packed already.
    media_type
        What they are.
    encoding
        How the client takes them.
    notes
        What was thinned.

    Returns
    -------
    ReadyTile
        What is sent.
    """
    if len(drawn) == 1 and drawn[0].encoding in {None, encoding}:
        body, how = drawn[0].body, drawn[0].encoding or ""
    else:
        body, how = b"".join(gzip.decompress(t.body) if t.encoding == "gzip" and t.body else t.body for t in drawn), ""  # fmt: skip
    if not how and encoding and len(body) >= WORTH_PACKING:
        body, how = packed(body, encoding), encoding
    headers: list[tuple[bytes, bytes]] = []
    if body:
        headers += ((b"content-type", media_type.encode()), (b"content-length", b"%d" % len(body)))
    if body and how:
        headers.append((b"content-encoding", how.encode()))
    if notes:
        headers.append((b"gisgrid-thinned", ", ".join(notes).encode()))
    return ReadyTile(body, how if body else "", tuple(headers), bool(notes))
