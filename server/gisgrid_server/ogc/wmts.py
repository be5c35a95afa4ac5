"""What does a WMTS 1.0.0 client (QGIS, ArcGIS) need to know? The capabilities, for layers that are pictures.

Features are not listed: desktop clients cannot draw vector tiles that come by WMTS. They take the TileJSON, the style,
or the features themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.etree import ElementTree as ET

from gisgrid.catalogue import Catalogue
from gisgrid.tiles import matrix_set
from gisgrid_server.layers.editions import Edition
from gisgrid_server.ogc.collections import tiles_path
from gisgrid_server.ogc.links import both
from gisgrid_server.ogc.tilesets import limits, matrix_sets
from gisgrid_server.ogc.tiling import definition

XML: Final = "application/xml"

_WMTS: Final = "http://www.opengis.net/wmts/1.0"
_OWS: Final = "http://www.opengis.net/ows/1.1"
_XLINK: Final = "http://www.w3.org/1999/xlink"
_HREF: Final = f"{{{_XLINK}}}href"

for _prefix, _space in (("", _WMTS), ("ows", _OWS), ("xlink", _XLINK)):
    ET.register_namespace(_prefix, _space)


def capabilities(catalogue: Catalogue, editions: Iterable[Edition], base: str) -> bytes:
    """Describe the pictures for WMTS clients.

    Parameters
    ----------
    catalogue
        The layers, for the title.
    editions
        Those that are ready; all but rasters are passed over.
    base
        The server's address.

    Returns
    -------
    bytes
        XML.
    """
    root = ET.Element(f"{{{_WMTS}}}Capabilities", {"version": "1.0.0"})
    service = _under(root, _OWS, "ServiceIdentification")
    _under(service, _OWS, "Title", both(catalogue.about.title))
    _under(service, _OWS, "ServiceType", "OGC WMTS")
    _under(service, _OWS, "ServiceTypeVersion", "1.0.0")
    _operations(root, base)
    contents = _under(root, _WMTS, "Contents")
    deepest: dict[str, int] = {}
    for edition in editions:
        if edition.layer.kind == "raster" and edition.layer.tiles is not None:
            _layer(contents, edition, base)
            for one in matrix_sets(edition.layer):
                deepest[one.id] = max(deepest.get(one.id, 0), edition.source.maxzoom)
    for set_id, maxzoom in deepest.items():
        _matrix_set(contents, set_id, maxzoom)
    _under(root, _WMTS, "ServiceMetadataURL").set(_HREF, f"{base}/wmts/1.0.0/WMTSCapabilities.xml")
    return _written(root)


def exception(code: str, text: str) -> bytes:
    """Write a mistake as WMTS clients read it.

    Parameters
    ----------
    code
        An OWS code, for example ``InvalidParameterValue``.
    text
        What is wrong.

    Returns
    -------
    bytes
        XML.
    """
    root = ET.Element(f"{{{_OWS}}}ExceptionReport", {"version": "1.1.0"})
    report = _under(root, _OWS, "Exception")
    report.set("exceptionCode", code)
    _under(report, _OWS, "ExceptionText", "".join(c for c in text if c.isprintable()))
    return _written(root)


def _operations(root: ET.Element, base: str) -> None:
    metadata = _under(root, _OWS, "OperationsMetadata")
    for name in ("GetCapabilities", "GetTile"):
        operation = _under(metadata, _OWS, "Operation")
        operation.set("name", name)
        get = _under(_under(_under(operation, _OWS, "DCP"), _OWS, "HTTP"), _OWS, "Get")
        get.set(_HREF, f"{base}/wmts?")
        constraint = _under(get, _OWS, "Constraint")
        constraint.set("name", "GetEncoding")
        _under(_under(constraint, _OWS, "AllowedValues"), _OWS, "Value", "KVP")


def _layer(contents: ET.Element, edition: Edition, base: str) -> None:
    layer, source = edition.layer, edition.source
    element = _under(contents, _WMTS, "Layer")
    _under(element, _OWS, "Title", both(layer.title))
    _under(element, _OWS, "Abstract", both(layer.description))
    if source.bbox is not None:
        west, south, east, north = source.bbox
        box = _under(element, _OWS, "WGS84BoundingBox")
        _under(box, _OWS, "LowerCorner", f"{west} {south}")
        _under(box, _OWS, "UpperCorner", f"{east} {north}")
    _under(element, _OWS, "Identifier", layer.id)
    style = _under(element, _WMTS, "Style")
    style.set("isDefault", "true")
    _under(style, _OWS, "Identifier", "default")
    _under(element, _WMTS, "Format", "image/png")
    for one in matrix_sets(layer):
        linked = _under(element, _WMTS, "TileMatrixSetLink")
        _under(linked, _WMTS, "TileMatrixSet", one.id)
        if source.bbox is not None:
            bounds = _under(linked, _WMTS, "TileMatrixSetLimits")
            for limit in limits(layer, one, source.bbox):
                found = _under(bounds, _WMTS, "TileMatrixLimits")
                for name, key in (
                    ("TileMatrix", "tileMatrix"), ("MinTileRow", "minTileRow"), ("MaxTileRow", "maxTileRow"),
                    ("MinTileCol", "minTileCol"), ("MaxTileCol", "maxTileCol"),
                ):  # fmt: skip
                    _under(found, _WMTS, name, str(limit[key]))
    place = "{TileMatrixSet}/{TileMatrix}/{TileRow}/{TileCol}"
    resource = _under(element, _WMTS, "ResourceURL")
    resource.set("format", "image/png")
    resource.set("resourceType", "tile")
    resource.set("template", f"{base}{tiles_path(layer)}/{place}?f=png")


def _matrix_set(contents: ET.Element, set_id: str, maxzoom: int) -> None:
    described = definition(set_id)
    code = matrix_set(set_id).epsg
    element = _under(contents, _WMTS, "TileMatrixSet")
    _under(element, _OWS, "Identifier", set_id)
    crs = f"urn:ogc:def:crs:EPSG::{code}" if code is not None else "urn:ogc:def:crs:OGC:1.3:CRS84"
    _under(element, _OWS, "SupportedCRS", crs)
    scale_set = described.wellKnownScaleSet
    if scale_set is not None:
        _under(element, _WMTS, "WellKnownScaleSet", f"urn:ogc:def:wkss:OGC:1.0:{str(scale_set).rsplit('/', 1)[1]}")  # fmt: skip
    for matrix in described.tileMatrices[: maxzoom + 1]:
        one = _under(element, _WMTS, "TileMatrix")
        _under(one, _OWS, "Identifier", matrix.id)
        _under(one, _WMTS, "ScaleDenominator", repr(matrix.scaleDenominator))
        _under(one, _WMTS, "TopLeftCorner", " ".join(repr(float(value)) for value in matrix.pointOfOrigin))  # fmt: skip
        for name, value in (
            ("TileWidth", matrix.tileWidth), ("TileHeight", matrix.tileHeight),
            ("MatrixWidth", matrix.matrixWidth), ("MatrixHeight", matrix.matrixHeight),
        ):  # fmt: skip
            _under(one, _WMTS, name, str(value))


def _under(parent: ET.Element, space: str, name: str, text: str | None = None) -> ET.Element:
    element = ET.SubElement(parent, f"{{{space}}}{name}")
    element.text = text
    return element


def _written(root: ET.Element) -> bytes:
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written
