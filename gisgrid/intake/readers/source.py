"""What does this file or service hold, and what are its rows: one door to every format that is read.

`open_source` looks at the content, not only at the name; what is not read is refused with a sentence that says what it
is. Rows come in batches of bounded memory, each with its number in the source, and what cannot become a row is listed
with the reason. Nothing is written beside a source, and nothing is fetched that was not asked for.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

from gisgrid.errors import InputError
from gisgrid.intake.readers.batch import LAYER_OPTION, Batch, Refused, Source, shown_name
from gisgrid.intake.readers.kind import Kind, kind_in_zip, kind_of
from gisgrid.intake.readers.packed import (
    Content,
    Workspace,
    extract,
    member_name,
    members,
    unpacked_member,
)

__all__ = ["LAYER_OPTION", "Batch", "Refused", "Source", "open_source"]

_STREAMED: Final = {"text", "json", "xml", "kml"}
_COMPANIONS: Final = (".shx", ".dbf", ".prj", ".cpg", ".SHX", ".DBF", ".PRJ", ".CPG")


def open_source(
    path_or_url: str | Path,
    *,
    layer: str | None = None,
    delimiter: str | None = None,
    encoding: str | None = None,
    inside: Path | None = None,
) -> Source:
    """Open a file, a web address or a database table of reports or grids.

    Parameters
    ----------
    path_or_url
        A file: delimited text (also in .zip or .gz), Excel, GeoJSON and other JSON, JSON lines, GeoPackage, FlatGeobuf,
        Shapefile (also in .zip), KML and KMZ, GeoParquet and Parquet, Open311 GeoReport v2. Or ``https://…`` of an
        Open311 service or of such a file. Or ``postgresql://…#schema.table``.
    layer
        The layer, sheet, list or table, where there are several.
    delimiter
        What separates fields; found where it is not given.
    encoding
        What the text is in; found where it is not given.
    inside
        A folder that the file must lie in, links followed: for paths that come from a manifest or from other people.

    Returns
    -------
    Source
        What was found, and the rows.

    Raises
    ------
    InputError
        There is no such file, or it is not read; one sentence says why.
    """
    text = str(path_or_url)
    if text.startswith(("postgresql://", "postgres://")):
        from gisgrid.intake.readers.postgis import open_postgis  # noqa: PLC0415 - an extra

        return open_postgis(text, table=layer)
    if text.startswith(("http://", "https://")):
        from gisgrid.intake.readers.web import open_url  # noqa: PLC0415 - few need it

        return open_url(
            text, lambda path: _open(path, layer=layer, delimiter=delimiter, encoding=encoding)
        )
    path = Path(path_or_url)
    _require_file(path, inside)
    return _open(path, layer=layer, delimiter=delimiter, encoding=encoding)


def _require_file(path: Path, inside: Path | None) -> None:
    """See that there is a file, and that it and what belongs to it lie where they must."""
    name = shown_name(path)
    if inside is not None:
        parts = [path, *(path.with_suffix(end) for end in _COMPANIONS)]
        for part in parts:
            if not part.resolve().is_relative_to(inside.resolve()):
                raise InputError(
                    f"{name!r} leads out of the folder {shown_name(inside)!r} that files are taken from; copy the file into it"
                )
    if not path.exists():
        raise InputError(f"there is no file {_escaped(path)!r}; check the spelling and the folder")
    if path.is_dir():
        raise InputError(
            f"{_escaped(path)!r} is a folder but a file is needed; name the file in it"
        )
    if not path.is_file():
        raise InputError(
            f"{name!r} is a device or a pipe but a file is needed; save it to a file first"
        )


def _open(path: Path, *, layer: str | None, delimiter: str | None, encoding: str | None) -> Source:
    content = Content.of(path)
    suffix = path.suffix.lower()
    kind = kind_of(_head(content), suffix=suffix, name=content.name)
    if kind == "zip":
        return _open_zip(path, layer=layer, delimiter=delimiter, encoding=encoding)
    if kind == "gz":
        content = replace(content, gz=True)
        suffix = path.with_suffix("").suffix.lower() if suffix == ".gz" else suffix
        kind = kind_of(_head(content), suffix=suffix, name=content.name)
        if kind not in _STREAMED:
            raise InputError(
                f"{content.name!r} is a {kind} file packed with gzip; unpack it and name the file"
            )
    return _opened(
        content, kind, suffix=suffix, layer=layer, delimiter=delimiter, encoding=encoding
    )


def _open_zip(
    path: Path, *, layer: str | None, delimiter: str | None, encoding: str | None
) -> Source:
    """Open what an archive holds: a workbook, a Shapefile, or one file."""
    by_name = {member_name(one): one for one in members(path)}
    kind, wanted = kind_in_zip(list(by_name), name=shown_name(path))
    if kind == "shp":
        from gisgrid.intake.readers.vector import open_zipped_shapefile  # noqa: PLC0415

        return open_zipped_shapefile(path, wanted, encoding=encoding)
    content = Content.of(path)
    if kind == "xlsx":
        return _opened(content, kind, suffix=".xlsx", layer=layer, delimiter=None, encoding=None)
    content, suffix = unpacked_member(path, by_name[wanted[0]]), Path(wanted[0]).suffix.lower()
    kind = kind_of(_head(content), suffix=suffix, name=content.name)
    if kind in {"zip", "gz"}:
        raise InputError(
            f"{content.name!r} is an archive in an archive; unpack it and name the file"
        )
    if kind in _STREAMED:
        return _opened(
            content, kind, suffix=suffix, layer=layer, delimiter=delimiter, encoding=encoding
        )
    folder = Workspace()
    target = folder.path / f"unpacked{suffix}"
    extract(content, target)
    source = _open(target, layer=layer, delimiter=delimiter, encoding=encoding)
    return folder.keep_for(replace(source, name=content.name))


def _opened(  # noqa: PLR0911 - one case per kind
    content: Content,
    kind: Kind,
    *,
    suffix: str,
    layer: str | None,
    delimiter: str | None,
    encoding: str | None,
) -> Source:
    """Give the file to the reader of its kind; readers are loaded only when they are needed."""
    match kind:
        case "text":
            from gisgrid.intake.readers.delimited import open_delimited  # noqa: PLC0415

            return open_delimited(content, suffix=suffix, delimiter=delimiter, encoding=encoding)
        case "json":
            from gisgrid.intake.readers.json_rows import open_json  # noqa: PLC0415

            return open_json(content, suffix=suffix, layer=layer, encoding=encoding)
        case "xml":
            from gisgrid.intake.readers.xml_rows import open_xml  # noqa: PLC0415

            return open_xml(content)
        case "kml":
            from gisgrid.intake.readers.kml import open_kml  # noqa: PLC0415

            return open_kml(content)
        case "xls" | "xlsx":
            from gisgrid.intake.readers.excel import open_excel  # noqa: PLC0415

            return open_excel(content, layer=layer)
        case "parquet":
            from gisgrid.intake.readers.parquet import open_parquet  # noqa: PLC0415

            return open_parquet(content.path)
        case _:
            from gisgrid.intake.readers.vector import open_vector  # noqa: PLC0415

            return open_vector(content.path, kind=kind, layer=layer, encoding=encoding)


def _head(content: Content) -> bytes:
    try:
        return content.head()
    except PermissionError as error:
        raise InputError(
            f"{content.name!r} may not be read by this user; change its permissions"
        ) from error


def _escaped(path: Path) -> str:
    return str(path).encode("utf-8", "backslashreplace").decode()
