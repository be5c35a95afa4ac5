"""Which standards does the server keep, and where does one begin? ``/conformance`` and the landing page."""

from __future__ import annotations

from typing import Any, Final

from gisgrid.catalogue import Catalogue
from gisgrid_server.ogc.links import HTML, JSON, OGC, OPENAPI, address, both, here, link

_FEATURES: Final = "http://www.opengis.net/spec/ogcapi-features"
_CQL2: Final = "http://www.opengis.net/spec/cql2/1.0/conf"
_TILES: Final = "http://www.opengis.net/spec/ogcapi-tiles-1/1.0/conf"
_COMMON: Final = "http://www.opengis.net/spec/ogcapi-common"

CLASSES: Final[tuple[str, ...]] = (
    *(f"{_COMMON}-1/1.0/conf/{name}" for name in ("core", "landing-page", "json", "html", "oas30")),
    f"{_COMMON}-2/1.0/conf/collections",
    *(f"{_FEATURES}-1/1.0/conf/{name}" for name in ("core", "geojson", "html", "oas30")),
    f"{_FEATURES}-2/1.0/conf/crs",
    *(
        f"{_FEATURES}-3/1.0/conf/{name}"
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        f"{_CQL2}/{name}"
        for name in (
            "cql2-text",
            "cql2-json",
            "basic-cql2",
            "advanced-comparison-operators",
            "case-insensitive-comparison",
            "accent-insensitive-comparison",
            "basic-spatial-functions",
            "basic-spatial-functions-plus",
            "arithmetic",
            "property-property",
        )
    ),
    *(
        f"{_TILES}/{name}"
        for name in (
            "core",
            "tileset",
            "tilesets-list",
            "dataset-tilesets",
            "geodata-tilesets",
            "collections-selection",
            "mvt",
            "png",
            "oas30",
        )
    ),
    "http://www.opengis.net/spec/tms/2.0/conf/tilematrixset",
    "http://www.opengis.net/spec/tms/2.0/conf/json-tilematrixset",
)
"""The conformance classes that the tests hold the server to."""


def conformance_document(base: str, *, form: str) -> dict[str, Any]:
    """List the conformance classes.

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
    return {"conformsTo": list(CLASSES), "links": here(base, "/conformance", form=form)}


def landing_document(catalogue: Catalogue, base: str, *, form: str) -> dict[str, Any]:
    """Say where to begin.

    Parameters
    ----------
    catalogue
        The layers.
    base
        The server's address.
    form
        The form of the answer, for its links.

    Returns
    -------
    dict
        JSON.
    """
    links = [
        *here(base, "/", form=form),
        link("service-desc", address(base, "/openapi.json"), OPENAPI, "OpenAPI 3.0"),
        link("service-doc", address(base, "/docs"), HTML, "接口说明 · API reference"),
        link("conformance", address(base, "/conformance"), JSON, "遵循的标准 · Standards it keeps"),
        link("data", address(base, "/collections"), JSON, "图层 · Layers"),
        link("data", address(base, "/collections", f="html"), HTML, "图层 · Layers"),
        link(f"{OGC}/data", address(base, "/collections"), JSON, "图层 · Layers"),
        link(f"{OGC}/tiling-schemes", address(base, "/tileMatrixSets"), JSON, "瓦片方案 · Tiling schemes"),
        link(f"{OGC}/tilesets-vector", address(base, "/dataset/tiles"), JSON, "所有图层的瓦片 · Tiles of all layers"),
        link(f"{OGC}/styles", address(base, "/styles"), JSON, "样式 · Styles"),
        link("wmts", address(base, "/wmts/1.0.0/WMTSCapabilities.xml"), "application/xml", "WMTS 1.0.0"),
        link("map", address(base, "/", f=None), HTML, "地图 · The map"),
        link("inspect", address(base, "/inspect"), HTML, "瓦片检查 · Tile inspector"),
    ]  # fmt: skip
    return {
        "title": both(catalogue.about.title),
        "description": (
            "按网格管理的城市：图层、要素与瓦片 · Layers, features and tiles of a city that is managed by grid"
        ),
        "links": links,
    }
