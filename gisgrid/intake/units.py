"""Which units does the city count by: polygons, their key, and nothing doubtful in it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gisgrid.errors import CrsError, InputError
from gisgrid.intake.columns.recognition import require_column
from gisgrid.intake.columns.roles import plain
from gisgrid.intake.datums.file_crs import settled_crs, stated_crs
from gisgrid.intake.datums.unstated import crs_by_reports
from gisgrid.intake.readers.source import LAYER_OPTION, open_source
from gisgrid.intake.readers.whole import read_whole

CATALOGUE_KEYS: Final[tuple[str, ...]] = (
    "unit_grid_code",
    "unit_grid_id",
    "compound_code",
    "community_code",
    "subdistrict_code",
    "urban_village_id",
    "suburban_village_id",
    "fringe_zone_id",
    "cell_id",
)
"""Keys of the catalogue's layers and of unit grids, the finest level first: a finer unit also names those above it."""

NUMBERED: Final = ("unit_id", "unit_row", "unit_row_in_file")
"""The key of units that no column names for certain, the first that the file has not: their row in it, from 1."""

_NEARLY_ALL: Final = 0.9
_KEY_ENDINGS: Final = ("code", "id", "编码", "代码", "编号")


@dataclass(frozen=True)
class Units:
    """The areas that reports are counted by.

    Attributes
    ----------
    frame
        Valid polygons in the file's CRS, one row per unit; the key column is text.
    key
        The column that names a unit.
    notes
        What was decided on the way, a sentence each.
    identifiers
        Where no column was the key for certain and the units were numbered: the file's own columns that tell the
        units apart, so that a result can be joined with them.
    """

    frame: gpd.GeoDataFrame
    key: str
    notes: tuple[str, ...]
    identifiers: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drawn:
    """Units as a file has them, faults and all.

    Attributes
    ----------
    frame
        Every row, in the file's CRS. Open rings are closed, because no geometry in memory can be open.
    key
        The column that names a unit.
    raw
        Shape (n,), the geometry in the file's own bytes (well-known binary), open rings and all; None where a row
        has none.
    notes
        What was decided on the way, a sentence each.
    """

    frame: gpd.GeoDataFrame
    key: str
    raw: tuple[bytes | None, ...]
    notes: tuple[str, ...]


def read_units(
    path: Path | str,
    *,
    key: str | None = None,
    crs: CRS | str | int | None = None,
    layer: str | None = None,
    reports: Path | str | None = None,
) -> Units:
    """Read the areas that reports are counted by.

    Parameters
    ----------
    path
        GeoPackage, GeoParquet, GeoJSON, FlatGeobuf or Shapefile of polygons.
    key
        The column that names a unit. Without it, the one column that names them for certain; where there is none, the
        units are numbered in the file's order as ``unit_id``, and the notes say so.
    crs
        What the coordinates are, where the file does not say it, or says it wrongly.
    layer
        The layer, where the file has several.
    reports
        The reports to be counted: where the CRS of the units is not known, the error says which one would bring them
        to the reports.

    Returns
    -------
    Units
        The polygons, their key and what was decided. Invalid polygons are repaired (`shapely.make_valid`, polygons
        only) and units without area left out; both are said in the notes.

    Raises
    ------
    InputError
        No such file, other shapes than polygons, or a key with missing or repeated values.
    ColumnError
        No such key column.
    CrsError
        The file does not say its CRS and `crs` is not given.
    """
    path = Path(path)
    try:
        frame, _, notes = _opened(
            path, crs, layer, option="units-crs", layer_option="--units-layer"
        )
    except CrsError as error:
        if crs is not None or reports is None:
            raise
        raise _advised(error, path, layer, reports) from error
    columns = [str(column) for column in frame.columns if column != frame.geometry.name]
    if key is not None:
        require_column(key, columns, option="units-key", source=path.name)
    else:
        key = _certain_key(frame, columns)
        if key is not None:
            notes.append(f"units are named by {key!r}")
    identifiers: tuple[str, ...] = ()
    if key is None:
        key = next(name for name in NUMBERED if name not in columns)
        identifiers = tuple(c for c in columns if _tells_apart(frame[c]))
        width = len(str(len(frame)))
        frame = frame.assign(**{key: [f"{row:0{width}}" for row in range(1, len(frame) + 1)]})
        choose = (
            f"choose with --units-key (for example {identifiers[0]!r})"
            if identifiers
            else "add one"
        )
        notes.append(
            f"no column of {path.name!r} names its units for certain, so {key} is their row in it; {choose}"
        )
    frame[key] = _codes(frame[key], key, path.name)
    return Units(_polygons(frame, key, path.name, notes), key, tuple(notes), identifiers)


def read_drawn(
    path: Path | str,
    *,
    key: str | None = None,
    crs: CRS | str | int | None = None,
    layer: str | None = None,
) -> Drawn:
    """Read units as they are drawn, to be examined: nothing is mended, refused or left out.

    Parameters
    ----------
    path
        GeoPackage, GeoParquet, GeoJSON, FlatGeobuf or Shapefile.
    key
        The column that names a unit. Without it, the one column that names them for certain, repeated or not.
    crs
        What the coordinates are, where the file does not say it, or says it wrongly.
    layer
        The layer, where the file has several.

    Returns
    -------
    Drawn
        The rows, their key, their bytes and what was decided.

    Raises
    ------
    InputError
        No such file, no features, or no column that is the key for certain.
    ColumnError
        No such key column.
    CrsError
        The file does not say its CRS and `crs` is not given.
    """
    path = Path(path)
    frame, raw, notes = _opened(path, crs, layer, option="crs", layer_option="FILE#LAYER")
    columns = [str(column) for column in frame.columns if column != frame.geometry.name]
    if key is not None:
        require_column(key, columns, option="key", source=path.name)
    else:
        certain = _certain_key(frame, columns)
        likely = [certain] if certain is not None else _likely_keys(frame, columns)
        if len(likely) != 1:
            shown = ", ".join(likely or columns) or "none"
            raise InputError(
                f"{len(likely)} columns of {path.name!r} could name its units ({'they' if likely else 'there'} are: {shown}); "
                f"name the one that does, for example --key {layer or path.stem}={(likely or columns or ['code'])[0]}"
            )
        key = likely[0]
    return Drawn(frame, key, raw, tuple(notes))


def _opened(
    path: Path, crs: CRS | str | int | None, layer: str | None, *, option: str, layer_option: str
) -> tuple[gpd.GeoDataFrame, tuple[bytes | None, ...], list[str]]:
    """Read the rows in the CRS that the file or the user states, their raw bytes, and what was decided on the way."""
    stated = stated_crs(crs, option=option)
    try:
        whole = read_whole(open_source(path, layer=layer))
    except InputError as error:
        raise InputError(str(error).replace(LAYER_OPTION, layer_option)) from error
    notes: list[str] = []
    settled = settled_crs(whole.frame, stated, source=path.name, option=option, notes=notes)
    return whole.frame.set_crs(settled, allow_override=True), whole.raw, [*notes, *whole.notes]


def _advised(error: CrsError, path: Path, layer: str | None, reports: Path | str) -> CrsError:
    """Say which CRS would bring the units to the reports, where that can be told."""
    finding = crs_by_reports(read_whole(open_source(path, layer=layer)).frame, reports)
    if finding is None or not finding.candidates:
        return error
    best = finding.candidates[0]
    named = " or ".join(
        f"--units-crs {each.datum.id if each.datum.crs else 'EPSG:4326'}"
        for each in finding.candidates[: 1 if finding.datum else 2]
    )
    return CrsError(
        f"{path.name!r} does not say its coordinate reference system (no .prj, no metadata), so its coordinates mean "
        f"nothing; of all CRS known for the place {best.datum.words.en} fits the reports of {Path(reports).name!r} best "
        f"({best.share_inside:.1%} of them lie in the units then): if that is right, state it: {named}"
    )


def _certain_key(frame: gpd.GeoDataFrame, columns: list[str]) -> str | None:
    known = [name for name in CATALOGUE_KEYS if name in columns]
    found = known[:1] or [
        column
        for column in columns
        if plain(column).endswith(_KEY_ENDINGS)
        and _is_code(frame[column])
        and frame[column].is_unique
    ]
    return found[0] if len(found) == 1 else None


def _likely_keys(frame: gpd.GeoDataFrame, columns: list[str]) -> list[str]:
    """Give the columns that tell nearly all units apart, those called a code before the others: codes may be at fault."""
    likely = [
        column
        for column in columns
        if pd.api.types.infer_dtype(frame[column].dropna()) in {"string", "integer"}
        and frame[column].nunique() >= _NEARLY_ALL * len(frame)
    ]
    return [column for column in likely if plain(column).endswith(_KEY_ENDINGS)] or likely


def _tells_apart(values: pd.Series) -> bool:
    """Tell whether every unit has a value of its own, in a column of text or whole numbers."""
    kind = pd.api.types.infer_dtype(values)
    return kind in {"string", "integer"} and bool(values.notna().all()) and bool(values.is_unique)


def _is_code(values: pd.Series) -> bool:
    return bool(values.notna().all()) and pd.api.types.infer_dtype(values) == "string"


def _codes(values: pd.Series, key: str, source: str) -> pd.Series:
    """Give the key as text, each value there and there once."""
    missing = values.isna()
    if missing.any():
        raise InputError(
            f"{int(missing.sum())} of {len(values)} units of {source!r} have no {key!r} (first: row "
            f"{missing.idxmax()}); every unit needs its own: mend the file or choose another --units-key"
        )
    if pd.api.types.is_float_dtype(values.dtype) and (values == np.floor(values)).all():
        values = values.astype("int64")
    codes = values.astype("str")
    repeated = codes.duplicated()
    if repeated.any():
        raise InputError(
            f"{int(repeated.sum())} of {len(values)} units of {source!r} repeat a {key!r} (first: "
            f"{codes[repeated].iloc[0]!r} in row {repeated.idxmax()}); every unit needs its own: mend the file or "
            "choose another --units-key"
        )
    return codes


def _polygons(frame: gpd.GeoDataFrame, key: str, source: str, notes: list[str]) -> gpd.GeoDataFrame:
    """Keep polygons, repaired where they are invalid; say what was changed or left out."""
    shapes = np.asarray(frame.geometry.array, dtype=object)
    kinds = shapely.get_type_id(shapes)
    absent = shapely.is_missing(shapes) | shapely.is_empty(shapes)
    other = ~absent & ~np.isin(
        kinds, (shapely.GeometryType.POLYGON, shapely.GeometryType.MULTIPOLYGON)
    )
    if other.any():
        at = int(np.flatnonzero(other)[0])
        raise InputError(
            f"{int(other.sum())} of {len(frame)} units of {source!r} are no polygons (first: {key} "
            f"{frame[key].iloc[at]!r}, a {shapely.GeometryType(kinds[at]).name.lower()}); units must be areas"
        )
    invalid = ~absent & ~shapely.is_valid(shapes)
    if invalid.any():
        shapes = shapes.copy()
        shapes[invalid] = [_areas(shape) for shape in shapely.make_valid(shapes[invalid])]
        notes.append(
            f"{int(invalid.sum())} of {len(frame)} units had invalid polygons and were repaired (first: {key} "
            f"{frame[key].iloc[int(np.flatnonzero(invalid)[0])]!r})"
        )
    absent = absent | shapely.is_empty(shapes)
    if absent.any():
        notes.append(
            f"{int(absent.sum())} of {len(frame)} units have no area and are left out (first: {key} "
            f"{frame[key].iloc[int(np.flatnonzero(absent)[0])]!r})"
        )
    if absent.all():
        raise InputError(f"none of {len(frame)} units of {source!r} has an area; give polygons")
    whole = gpd.GeoDataFrame(
        frame.drop(columns=frame.geometry.name), geometry=shapely.force_2d(shapes), crs=frame.crs
    )
    return whole[~absent].reset_index(drop=True)


def _areas(shape: shapely.Geometry) -> shapely.Geometry:
    """Keep of a repaired shape what has area."""
    parts = [
        part
        for piece in shapely.get_parts(shape)
        for part in shapely.get_parts(piece)
        if part.geom_type == "Polygon"
    ]
    return parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
