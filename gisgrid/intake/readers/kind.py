"""What is this file, by its first bytes: a format that is read, or one that is refused in a sentence."""

from __future__ import annotations

from typing import Final, Literal

from gisgrid.errors import InputError

Kind = Literal[
    "text", "json", "xml", "kml", "zip", "gz", "xls", "gpkg", "fgb", "shp", "dbf", "parquet", "xlsx"
]

_UNZIP: Final = "unpack it and name the file"
_RASTER: Final = "reports and grids are points and polygons: name a table or a vector file"
_TILES: Final = "name the file that the tiles were made of"

_PARTS: Final = {".shx", ".prj", ".cpg", ".sbn", ".sbx"}

_REFUSED_MAGIC: Final[tuple[tuple[bytes, str], ...]] = (
    (b"II*\0", f"a raster (TIFF); {_RASTER}"),
    (b"MM\0*", f"a raster (TIFF); {_RASTER}"),
    (b"II+\0", f"a raster (BigTIFF); {_RASTER}"),
    (b"\x89PNG", f"a picture (PNG); {_RASTER}"),
    (b"\xff\xd8\xff", f"a picture (JPEG); {_RASTER}"),
    (b"GIF8", f"a picture (GIF); {_RASTER}"),
    (b"\x89HDF", f"HDF5 or NetCDF, a raster; {_RASTER}"),
    (b"CDF", f"NetCDF, a raster; {_RASTER}"),
    (b"PMTiles", f"a tile archive (PMTiles); {_TILES}"),
    (b"%PDF", "a PDF document; ask for the table as CSV or Excel"),
    (b"{\\rtf", "a text document (RTF); ask for the table as CSV or Excel"),
    (b"Rar!", f"packed with RAR, which is not read; {_UNZIP}"),
    (b"7z\xbc\xaf", f"packed with 7-Zip, which is not read; {_UNZIP}"),
    (b"BZh", f"packed with bzip2, which is not read; {_UNZIP}"),
    (b"\xfd7zXZ", f"packed with xz, which is not read; {_UNZIP}"),
    (b"\x28\xb5\x2f\xfd", f"packed with zstd, which is not read; {_UNZIP}"),
    (b"ARROW1", "an Arrow file; write it as Parquet"),
    (b"ORC", "an ORC file; write it as Parquet"),
    (b"AC10", "a drawing (DWG); export its layers as GeoPackage"),
    (b"\x7fELF", "a program"),
    (b"MZ", "a program"),
)

_REFUSED_TEXT: Final = (b"%PDF", b"{\\rtf")
"""These need no zero byte to be told from a table whose first column has such a name."""

_REFUSED_NAMES: Final = {
    ".tif": f"a raster (TIFF); {_RASTER}",
    ".tiff": f"a raster (TIFF); {_RASTER}",
    ".mvt": f"a map tile; {_TILES}",
    ".pmtiles": f"a tile archive (PMTiles); {_TILES}",
    ".mbtiles": f"a tile archive (MBTiles); {_TILES}",
    ".pbf": "an OpenStreetMap extract or a map tile; export the layer as GeoPackage (ogr2ogr reads .osm.pbf)",
    ".osm": "an OpenStreetMap extract; export the layer as GeoPackage (ogr2ogr reads .osm)",
    **dict.fromkeys(_PARTS, "a part of a Shapefile; name its .shp"),
    ".md": "a text document; name the table",
    ".yaml": "a YAML document; name the table",
    ".yml": "a YAML document; name the table",
    ".toml": "a settings file; name the table",
    ".doc": "a text document (Word); ask for the table as CSV or Excel",
    ".docx": "a text document (Word); ask for the table as CSV or Excel",
    ".mdb": "an Access database; export the table as CSV",
    ".accdb": "an Access database; export the table as CSV",
    ".mif": "a MapInfo layer; convert it to GeoPackage (ogr2ogr)",
    ".tab": "a MapInfo layer; convert it to GeoPackage (ogr2ogr)",
    ".dxf": "a drawing (DXF); export its layers as GeoPackage",
    ".rds": "an R object; write it as CSV or Parquet",
    ".pkl": "a Python pickle, which may run anything when it is read; write it as Parquet",
}

_ZIPPED_TABLES: Final = {"agency.txt", "stops.txt", "stop_times.txt", "trips.txt", "routes.txt"}


def kind_of(head: bytes, *, suffix: str, name: str) -> Kind:
    """Tell the format by the first bytes; by the name only where they leave it open.

    Parameters
    ----------
    head
        The first 64 KB.
    suffix
        What the name ends in, in lower case.
    name
        What to call the file.

    Returns
    -------
    str
        Which reader takes it.

    Raises
    ------
    InputError
        None does; the sentence says what it is and what to give instead.

    Examples
    --------
    >>> kind_of(b"PAR1...", suffix=".csv", name="a.csv")
    'parquet'
    """
    if not head:
        raise InputError(
            f"{name!r} is empty (0 bytes), so there is nothing to read; check that the export finished"
        )
    if suffix not in _PARTS and (found := _by_magic(head)) is not None:
        return found
    for magic, what in _REFUSED_MAGIC:
        if head.startswith(magic) and (b"\0" in head or magic in _REFUSED_TEXT):
            raise InputError(f"{name!r} is {what}")
    if head[257:262] == b"ustar":
        raise InputError(f"{name!r} is packed with tar, which is not read; {_UNZIP}")
    if suffix == ".dbf" and head[0] in {0x02, 0x03, 0x30, 0x31, 0x32, 0x43, 0x83, 0x8B, 0xF5}:
        return "dbf"
    if suffix in _REFUSED_NAMES:
        raise InputError(f"{name!r} is {_REFUSED_NAMES[suffix]}")
    if b"OSMHeader" in head[:64]:
        raise InputError(f"{name!r} is {_REFUSED_NAMES['.pbf']}")
    return _text_kind(head, suffix=suffix, name=name)


def _by_magic(head: bytes) -> Kind | None:
    starts: tuple[tuple[bytes, Kind], ...] = (
        (b"PK\x03\x04", "zip"),
        (b"PK\x05\x06", "zip"),
        (b"\x1f\x8b", "gz"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "xls"),
        (b"SQLite format 3\0", "gpkg"),
        (b"fgb\x03fgb", "fgb"),
        (b"\0\0\x27\x0a", "shp"),
        (b"PAR1", "parquet"),
    )
    return next((kind for magic, kind in starts if head.startswith(magic)), None)


def _text_kind(head: bytes, *, suffix: str, name: str) -> Kind:
    text = _plain(head)
    if text.startswith("<"):
        return _markup_kind(text, name)
    if text.startswith(("{", "[")) and suffix not in {".csv", ".tsv"}:
        return "json"
    if suffix in {".json", ".geojson", ".jsonl", ".ndjson", ".geojsonl"}:
        if not text and b"\0" not in head:
            raise InputError(
                f"{name!r} is empty, so there is nothing to read; check that the export finished"
            )
        if b"\0" not in head:
            raise InputError(f"{name!r} is named {suffix} but is no JSON; export it again")
    return "text"


def _plain(head: bytes) -> str:
    """Give the beginning as text, whatever its encoding: enough to see a bracket."""
    if head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return head.decode("utf-16", "ignore").lstrip("\ufeff").lstrip()
    return head.decode("utf-8-sig", "ignore").lstrip(" \t\r\n\x1e")


def _markup_kind(text: str, name: str) -> Kind:
    low = text[:65_536].lower()
    if "<html" in low or low.startswith(("<!doctype html", "<table")):
        raise InputError(
            f"{name!r} is a web page (HTML), whatever its name says: many systems export one as .xls; open it in a "
            "spreadsheet and save it as .xlsx or CSV"
        )
    if "urn:schemas-microsoft-com:office:spreadsheet" in low:
        raise InputError(
            f"{name!r} is a workbook in XML of 2003, which is not read; open it in a spreadsheet and save it as .xlsx"
        )
    for mark, what in (
        ("<gpx", "GPX, tracks of a receiver"),
        ("opengis.net/gml", "GML"),
        ("<osm", "an OpenStreetMap extract"),
        ("<ogrvrtdatasource", "a GDAL virtual file, which may point anywhere"),
        ("<svg", "a picture (SVG)"),
    ):
        if mark in low and "<kml" not in low:
            raise InputError(
                f"{name!r} is {what}; convert it to GeoPackage or GeoJSON first (ogr2ogr does)"
            )
    return "kml" if "<kml" in low else "xml"


def kind_in_zip(names: list[str], *, name: str) -> tuple[Kind, list[str]]:
    """Tell what an archive holds by the names of its files.

    Parameters
    ----------
    names
        The files in it.
    name
        What to call the archive.

    Returns
    -------
    kind : str
        ``xlsx`` for a workbook (the archive itself), ``shp`` for a Shapefile, ``zip`` for one other file.
    wanted : list of str
        Which files: those of the Shapefile, or the one.

    Raises
    ------
    InputError
        Nothing that is read, or several tables.
    """
    low = {one.lower(): one for one in names}
    if any(one in low for one in ("xl/workbook.xml", "xl/workbook.bin", "content.xml")):
        return "xlsx", []
    if "word/document.xml" in low or "ppt/presentation.xml" in low:
        raise InputError(
            f"{name!r} is a text document or slides; ask for the table as CSV or Excel"
        )
    if len(_ZIPPED_TABLES & {one.rsplit("/", 1)[-1] for one in low}) >= 3:
        raise InputError(
            f"{name!r} is a public-transport timetable (GTFS), which holds no reports; name the table that is meant"
        )
    maps = [one for one in names if one.lower().endswith(".kml")]
    if len(maps) == 1:
        return "zip", maps
    shapes = [one for one in names if one.lower().endswith(".shp")]
    if len(shapes) == 1:
        stem = shapes[0][:-4].lower()
        return "shp", [one for one in names if one.lower().startswith(stem + ".")]
    if any(".gdb/" in one for one in low):
        raise InputError(
            f"{name!r} is a file geodatabase, which is not read; export the layer as GeoPackage"
        )
    if len(names) != 1:
        listed = ", ".join(sorted(names)[:3]) + (" …" if len(names) > 3 else "")
        what = f"{len(shapes)} Shapefiles" if len(shapes) > 1 else f"{len(names)} files"
        raise InputError(
            f"{name!r} holds {what} ({listed}) but one table is read at a time; unpack it and name the file"
            if names
            else f"{name!r} is an archive with no file in it; check that the export finished"
        )
    return "zip", names
