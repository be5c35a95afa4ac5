"""OGC API – Features and Tiles, WMTS, styles, and the pages that go with them.

`routes` says what is at which address; `collections`, `items`, `tilesets`, `tiling`, `queryables`, `styles` and
`conformance` write the documents; `coordinates`, `questions` and `negotiation` read what is asked; `html` and `reference`
make the pages. Rows come from an edition's table and its filters, tiles from ``/tiles``: nothing is read twice.
"""

from gisgrid_server.ogc.routes import landing_page, ogc_router

__all__ = ["landing_page", "ogc_router"]
