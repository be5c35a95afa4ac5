"""Open311 GeoReport v2: the standard by which other programs hand in reports and follow them."""

from gisgrid_server.casework.open311.routes import open311_router

__all__ = ["open311_router"]
