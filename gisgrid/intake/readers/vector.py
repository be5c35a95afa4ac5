"""GeoPackage, FlatGeobuf and Shapefile: GDAL's Arrow stream, the encoding of a Shapefile's text settled by its bytes.

A Shapefile's text is taken from GDAL byte by byte (Latin-1 keeps them all) and decoded here, so that a name cut inside a
character, a .cpg that lies and a .dbf without one are all read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyogrio
from pyproj import CRS
from pyproj.exceptions import CRSError

from gisgrid.errors import InputError, did_you_mean
from gisgrid.files import first_line
from gisgrid.intake.readers.batch import (
    LAYER_OPTION,
    ROWS_AT_ONCE,
    Batch,
    Source,
    column_names,
    plain_types,
    shown_name,
)
from gisgrid.intake.readers.encoding import cut_text, stated_encoding, value_encoding
from gisgrid.intake.readers.packed import Workspace, extract, member_name, members, unpacked_member
from gisgrid.schema import Text

SHAPEFILE_PARTS: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")

_AS_BYTES: Final = "ISO-8859-1"
_STATED: Final = {
    "65001": "utf-8",
    "936": "gb18030",
    "cp936": "gb18030",
    "950": "big5",
    "ansi936": "gb18030",
}
_DRIVERS: Final = {b"\x4d": "gb18030", b"\x4f": "big5", b"\x7a": "gb18030", b"\x78": "big5"}
"""What the language driver of a .dbf says; the common 0x00, 0x03 and 0x57 say nothing."""


@dataclass(frozen=True)
class _Layer:
    """A layer that GDAL opens, and how its text is to be read.

    `fields` are the names as GDAL gives them; `text` is the encoding of a Shapefile's names and values, None where GDAL
    knows it; `folder` keeps what was unpacked.
    """

    path: Path
    name: str
    layer: str | None
    fields: tuple[str, ...]
    columns: tuple[str, ...]
    has_geometry: bool
    n_rows: int
    text: str | None
    folder: Workspace | None

    @property
    def gdal_encoding(self) -> str | None:
        return None if self.text is None else _AS_BYTES


def open_vector(path: Path, *, kind: str, layer: str | None, encoding: str | None) -> Source:
    """Open a GeoPackage, a FlatGeobuf, a Shapefile or a .dbf table.

    Parameters
    ----------
    path
        The file.
    kind
        ``gpkg``, ``fgb``, ``shp`` or ``dbf``, by the file's first bytes.
    layer
        The layer, where there are several.
    encoding
        What a Shapefile's text is in; found where it is not given.

    Returns
    -------
    Source
        Typed columns and WKB; without a CRS where the file has none.

    Raises
    ------
    InputError
        Damaged, incomplete, without rows, or several layers and none chosen.
    """
    name, folder, target = shown_name(path), None, path
    if kind == "shp" and not any(path.with_suffix(end).exists() for end in (".shx", ".SHX")):
        raise InputError(
            f"{name!r} has no .shx beside it; give the whole set of files (.shp, .shx, .dbf, .prj)"
        )
    if kind == "dbf" and any(path.with_suffix(end).exists() for end in (".shp", ".SHP")):
        raise InputError(f"{name!r} is the table of a Shapefile; name its .shp")
    if (
        not _is_utf_8(path) or path.suffix.lower() != f".{kind}"
    ):  # GDAL chooses its driver by the name too
        folder = Workspace()
        target = folder.path / f"layer.{kind}"
        target.symlink_to(path.absolute())
        for end in SHAPEFILE_PARTS[1:] if kind == "shp" else ():
            found = [
                part
                for part in (path.with_suffix(end), path.with_suffix(end.upper()))
                if part.exists()
            ]
            if found:
                target.with_suffix(end).symlink_to(found[0].absolute())
    return _open(target, name, folder, kind=kind, layer=layer, encoding=encoding)


def open_zipped_shapefile(path: Path, wanted: Sequence[str], *, encoding: str | None) -> Source:
    """Open a Shapefile in an archive: its parts are unpacked to a folder that goes when the source goes.

    Parameters
    ----------
    path
        The archive.
    wanted
        The names of its parts in the archive.
    encoding
        What its text is in; found where it is not given.

    Returns
    -------
    Source
        As `open_vector` gives it.

    Raises
    ------
    InputError
        As `open_vector`, or it unpacks without end.
    """
    name, folder = shown_name(path), Workspace()
    by_name = {member_name(one): one for one in members(path)}
    suffixes = {Path(one).suffix.lower(): one for one in wanted}
    if ".shx" not in suffixes:
        raise InputError(
            f"{name!r} has no .shx beside its .shp; give the whole set of files (.shp, .shx, .dbf, .prj)"
        )
    for suffix in SHAPEFILE_PARTS:
        if suffix in suffixes:
            extract(
                unpacked_member(path, by_name[suffixes[suffix]]), folder.path / f"layer{suffix}"
            )
    return _open(folder.path / "layer.shp", name, folder, kind="shp", layer=None, encoding=encoding)


def _open(
    path: Path,
    name: str,
    folder: Workspace | None,
    *,
    kind: str,
    layer: str | None,
    encoding: str | None,
) -> Source:
    notes: list[Text] = []
    if kind == "gpkg":
        layer = _choose(path, name, layer)
        notes.append(Text(zh=f"图层 {layer!r}", en=f"layer {layer!r}"))
    else:
        layer = None
    as_bytes = _AS_BYTES if kind in {"shp", "dbf"} else None
    with _gdal(name):
        info = pyogrio.read_info(path, layer=layer, encoding=as_bytes, force_feature_count=True)
    fields = tuple(map(str, info["fields"]))
    n_rows = int(info["features"])
    if not n_rows:
        raise InputError(f"{name!r} has no features; check that the export finished")
    found = _Layer(
        path,
        name,
        layer,
        fields,
        fields,
        info["geometry_type"] is not None,
        n_rows,
        as_bytes,
        folder,
    )
    if as_bytes:
        codec = _text_encoding(found, encoding, notes)
        decoded = [cut_text(one.encode("latin-1"), codec) for one in fields]
        found = replace(found, text=codec, columns=tuple(decoded))
    found = replace(found, columns=column_names(found.columns))
    return Source(
        name=name,
        format=kind,
        columns=found.columns,
        crs=_crs(info["crs"], notes),
        n_rows=n_rows,
        notes=tuple(notes),
        stream=lambda: _batches(found),
    )


def _choose(path: Path, name: str, layer: str | None) -> str:
    """Choose the layer: the one asked for, the only one with geometry, or the only one."""
    with _gdal(name):
        listed = [(str(one), kind is not None) for one, kind in pyogrio.list_layers(path)]
    known = [one for one, _ in listed]
    if layer is not None:
        if layer not in known:
            raise InputError(f"no layer {layer!r} in {name!r}{did_you_mean(layer, known)}")
        return layer
    candidates = [one for one, has_geometry in listed if has_geometry] or known
    if len(candidates) != 1:
        raise InputError(
            f"{name!r} has {len(candidates)} layers ({', '.join(candidates)}); choose one with {LAYER_OPTION}"
            if candidates
            else f"{name!r} has no layers; check that the export finished"
        )
    return candidates[0]


def _text_encoding(found: _Layer, encoding: str | None, notes: list[Text]) -> str:
    """Settle what a Shapefile's text is in: what the user states, else the first that all of it obeys."""
    if encoding is not None:
        return stated_encoding(encoding).codec.removesuffix("-sig")
    stated = _stated(found.path)
    values = {one.encode("latin-1", "replace") for one in found.fields}
    for table in _tables(found, geometry=False):
        for column in table.columns:
            if pa.types.is_string(column.type) and not pc.all(pc.string_is_ascii(column)).as_py():
                values |= {
                    one.encode("latin-1", "replace") for one in pc.unique(column).to_pylist() if one
                }
    codec = value_encoding(values, stated=stated)
    if any(not one.isascii() for one in values):
        word = "GB 18030 (GBK)" if codec == "gb18030" else codec.upper()
        if stated is not None and stated != codec:
            notes.append(
                Text(
                    zh=f"文字编码为 {word}，与文件声明的 {stated} 不符",
                    en=f"text is {word}, although the file says {stated}",
                )
            )
        else:
            notes.append(Text(zh=f"文字编码为 {word}", en=f"text is {word}"))
    return codec


def _stated(path: Path) -> str | None:
    """Give the encoding that a Shapefile states: in its .cpg, or by the language driver in its .dbf."""
    for end in (".cpg", ".CPG"):
        if (cpg := path.with_suffix(end)).exists():
            word = cpg.read_bytes()[:40].decode("ascii", "ignore").strip().lower()
            try:
                word = _STATED.get(word.replace("-", ""), word)
                return stated_encoding(word).codec.removesuffix("-sig")
            except InputError:
                return None
    for end in (".dbf", ".DBF"):
        if (table := path.with_suffix(end)).exists():
            with table.open("rb") as raw:
                return _DRIVERS.get(raw.read(30)[29:30])
    return None


def _batches(found: _Layer) -> Iterator[tuple[Batch, float]]:
    at = 0
    n_fields = len(found.fields)
    for table in _tables(found, geometry=found.has_geometry):
        columns = table.columns[:n_fields]
        if found.text is not None:
            columns = [_recoded(column, found.text) for column in columns]
        wkb = None
        if found.has_geometry:
            wkb = pa.concat_arrays(table.column(n_fields).chunks).cast(pa.binary())
        rows = np.arange(at + 1, at + table.num_rows + 1, dtype=np.int64)
        at += table.num_rows
        plain = plain_types(pa.table(columns, names=list(found.columns)))
        yield Batch(rows, plain, wkb), min(1.0, at / found.n_rows)
    if at != found.n_rows:
        raise InputError(
            f"{found.name!r} gives {at} of the {found.n_rows} features it says it has; it is cut short or damaged: copy it "
            "again"
        )


def _tables(found: _Layer, *, geometry: bool) -> Iterator[pa.Table]:
    """Give the fields in their order and, last, the geometry; the file is open for as long as it is read."""
    with ExitStack() as opened:
        with _gdal(found.name):
            meta, reader = opened.enter_context(
                pyogrio.open_arrow(
                    found.path,
                    layer=found.layer,
                    encoding=found.gdal_encoding,
                    read_geometry=geometry,
                    batch_size=ROWS_AT_ONCE,
                    use_pyarrow=True,
                )
            )
        names = [*found.fields, *([meta["geometry_name"] or "wkb_geometry"] if geometry else [])]
        while True:
            with _gdal(found.name):
                part = next(reader, None)
                if part is None:
                    return
                table = pa.Table.from_batches([part]).select(names)
            yield table


def _recoded(column: pa.ChunkedArray, codec: str) -> pa.ChunkedArray:
    """Give the text of bytes that GDAL took for Latin-1; each different value is decoded once."""
    if (
        not pa.types.is_string(column.type)
        or pc.all(pc.string_is_ascii(column)).as_py() is not False
    ):
        return column
    coded = pc.dictionary_encode(column.combine_chunks())
    if isinstance(coded, pa.ChunkedArray):
        coded = coded.combine_chunks()
    words = [
        cut_text(one.encode("latin-1", "replace"), codec) for one in coded.dictionary.to_pylist()
    ]
    return pa.chunked_array([pa.array(words, pa.string()).take(coded.indices)])


@contextmanager
def _gdal(name: str) -> Iterator[None]:
    """Turn what GDAL says into errors of ours; its warnings of damage too."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        except InputError:
            raise
        except Exception as error:  # GDAL's drivers fail in their own ways
            raise InputError(
                f"{name!r} cannot be read as a vector file ({first_line(error)}); export it again"
            ) from error


def _crs(stated: str | None, notes: list[Text]) -> CRS | None:
    if not stated:
        notes.append(Text(zh="文件没有说明坐标系", en="the file does not say its CRS"))
        return None
    try:
        return CRS.from_user_input(stated)
    except CRSError:
        notes.append(Text(zh="文件声明的坐标系无法识别", en="the CRS it names is not known"))
        return None


def _is_utf_8(path: Path) -> bool:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        return False
    return True
