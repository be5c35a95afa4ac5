"""What does a command read: layers, tables and rasters, and what was decided about each?"""

from __future__ import annotations

import hashlib
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS

from gisgrid.crs import LONLAT, crs_label, is_metric, local_metric_crs, parse_crs, require_crs
from gisgrid.errors import (
    ColumnError,
    InputError,
    NullResultWarning,
    SmallSampleWarning,
    did_you_mean,
)
from gisgrid.files import first_line, read_frame
from gisgrid.schema import Text
from gisgrid.zones import SuspectNodataWarning

Shapes = Literal["any", "areas", "points", "lines"]

_KINDS: Final[dict[Shapes, tuple[set[str], str]]] = {
    "areas": ({"Polygon", "MultiPolygon"}, "polygons"),
    "points": ({"Point", "MultiPoint", "Polygon", "MultiPolygon"}, "points or polygons"),
    "lines": ({"LineString", "MultiLineString"}, "lines"),
}
_LON: Final = ("lon", "lng", "longitude", "经度")
_LAT: Final = ("lat", "latitude", "纬度")
_HEARD: Final = (NullResultWarning, SmallSampleWarning, SuspectNodataWarning)
_IN_CHINESE: Final = (
    (r"declares no value for 'no data', and (\S+) stands alone \((\S+) of the cells.*declare it",
     "栅格没有声明“无数据”值，而 {0} 与其他值相距很远（占 {1}）；若它表示无数据，请先声明：gdal_edit.py -a_nodata {0}"),
    (r"declares no value for 'no data', and (\S+) stands alone \((\S+) of the cells",
     "栅格没有声明“无数据”值，而 {0} 与其他值相距很远（占 {1}）；若它表示无数据，请加 --nodata {0}"),
    (r"the classes are only DEGURBA-like", "像元不是等积投影下的 1 平方公里，结果只能称为“类 DEGURBA”，不可与公布结果比较"),
    (r"only (\d+) of the (\d+) rays of centre (\S+) have breaks", "中心 {2} 的 {1} 条射线中只有 {0} 条有断点，按此方法没有城乡结合部"),
    (r"none of the (\d+) facilities is within (\S+) m of a street", "{0} 个设施都不在街道 {1} 米以内，没有人能到达"),
)  # fmt: skip
"""What the library warns of, and the same in Chinese."""


class Inputs:
    """Reads what a command was given, and keeps what it read, mended and left out.

    Parameters
    ----------
    crs
        The CRS of layers that do not say theirs.

    Attributes
    ----------
    notes
        What was decided, in both languages.
    files
        By what it is for: the file, its checksum, rows and CRS.
    """

    def __init__(self, *, crs: str | None = None) -> None:
        self.crs = None if crs is None else parse_crs(crs, name="--crs")
        self.notes: list[Text] = []
        self.files: dict[str, dict[str, Any]] = {}

    def note(self, zh: str, en: str) -> None:
        """Keep a decision.

        Parameters
        ----------
        zh, en
            The sentence.
        """
        self.notes.append(Text(zh=zh, en=en))

    def frame(
        self, place: str, role: str, *, like: CRS | None = None, metric: bool = False, shapes: Shapes = "any"
    ) -> gpd.GeoDataFrame:  # fmt: skip
        """Read a layer: shapes that are missing are left out, those that cross themselves mended, and both counted.

        Parameters
        ----------
        place
            ``FILE`` or ``FILE#LAYER``; a CSV with a longitude and a latitude is points.
        role
            What it is for.
        like
            The CRS to bring it to.
        metric
            Bring it to metres where it is in degrees and `like` is not given.
        shapes
            What it must hold.

        Returns
        -------
        GeoDataFrame
            With rows from 0.

        Raises
        ------
        InputError
            No such file, no rows, or shapes of another kind.
        CrsError
            Neither the file nor `crs` says its CRS.
        """
        path, layer = _place(place)
        read = (
            self._points(path) if path.suffix.lower() == ".csv" else read_frame(path, layer=layer)
        )
        if not isinstance(read, gpd.GeoDataFrame) or "geometry" not in read:
            raise InputError(f"{path.name!r} holds a table without any place; give a layer")
        if read.crs is None and self.crs is not None:
            read = read.set_crs(self.crs)
        own = _crs_of(read, path.name)
        self._remember(role, path, len(read), crs_label(own))
        frame = self._whole(read, path.name, shapes)
        target = like or (own if is_metric(own) or not metric else local_metric_crs(frame))
        if target.equals(own, ignore_axis_order=True):
            return frame.set_crs(target, allow_override=True)
        here, there = crs_label(own), crs_label(target)
        self.note(
            f"{path.name} 由 {here} 换算到 {there}",
            f"{path.name} is reprojected from {here} to {there}",
        )
        return frame.to_crs(target)

    def table(self, place: str, role: str) -> pd.DataFrame:
        """Read a table as text: CSV, Excel or Parquet.

        Parameters
        ----------
        place
            The file.
        role
            What it is for.

        Returns
        -------
        DataFrame
            Text, blanks around it taken off; a leading zero stays.

        Raises
        ------
        InputError
            No such file, or it cannot be read.
        """
        path = Path(place)
        if not path.is_file():
            raise InputError(f"there is no file {place!r}; check the spelling and the folder")
        try:
            match path.suffix.lower():
                case ".parquet":
                    read = pd.read_parquet(path).astype("str")
                case ".xlsx" | ".xls":
                    read = pd.read_excel(path, dtype="str", engine="calamine")
                case _:
                    read = pd.read_csv(
                        path, dtype="str", encoding="utf-8-sig", sep=None, engine="python"
                    )
        except (ValueError, OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
            raise InputError(
                f"{path.name!r} cannot be read as a table: {first_line(error)}; give CSV (UTF-8), .xlsx or .parquet"
            ) from error
        self._remember(role, path, len(read), None)
        return read.rename(columns=str.strip)

    def raster(self, place: str, role: str) -> str:
        """Take a raster: a file, or the address of a COG.

        Parameters
        ----------
        place
            The file or address.
        role
            What it is for.

        Returns
        -------
        str
            The same.

        Raises
        ------
        InputError
            There is no such file.
        """
        if "://" in place:
            self.files[role] = {"address": place}
        elif not Path(place).is_file():
            raise InputError(f"there is no file {place!r}; check the spelling and the folder")
        else:
            self._remember(role, Path(place), None, None)
        return place

    @contextmanager
    def heard(self) -> Iterator[None]:
        """Put what the library warns of (no answer, suspicious values) among the notes.

        Yields
        ------
        None
            Other warnings pass as they are.
        """
        with warnings.catch_warnings(record=True) as caught:
            for kind in _HEARD:
                warnings.simplefilter("always", kind)
            yield
        for each in caught:
            if issubclass(each.category, _HEARD):
                text = str(each.message)
                if text not in {note.en for note in self.notes}:
                    self.note(_chinese(text), text)
            else:
                warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)

    def _remember(self, role: str, path: Path, n_rows: int | None, crs: str | None) -> None:
        with path.open("rb") as file:
            found: dict[str, Any] = {
                "file": path.name,
                "sha256": hashlib.file_digest(file, "sha256").hexdigest(),
            }
        self.files[role] = found | {
            k: v for k, v in (("n_rows", n_rows), ("crs", crs)) if v is not None
        }

    def _points(self, path: Path) -> gpd.GeoDataFrame:
        if not path.is_file():
            raise InputError(f"there is no file {str(path)!r}; check the spelling and the folder")
        table = pd.read_csv(path, encoding="utf-8-sig")
        by_name = {str(name).strip().casefold(): name for name in table.columns}
        lon, lat = (
            next((by_name[n] for n in names if n in by_name), None) for names in (_LON, _LAT)
        )
        if lon is None or lat is None:
            raise InputError(
                f"{path.name!r} has no columns lon and lat (it has {', '.join(map(str, table.columns))}); name them so, or give a layer"
            )
        crs = self.crs or LONLAT
        return gpd.GeoDataFrame(table, geometry=gpd.points_from_xy(table[lon], table[lat]), crs=crs)

    def _whole(self, frame: gpd.GeoDataFrame, name: str, kind: Shapes) -> gpd.GeoDataFrame:
        shapes = frame.geometry.to_numpy()
        there = ~(shapely.is_missing(shapes) | shapely.is_empty(shapes))
        broken = there & ~shapely.is_valid(shapes)
        if broken.any():
            shapes = shapes.copy()
            shapes[broken] = shapely.make_valid(
                shapes[broken], method="structure", keep_collapsed=False
            )
            there &= ~shapely.is_empty(shapes)
            self.note(f"{name} 中 {int(broken.sum())} 个图形自相交，已修复", f"{int(broken.sum())} shapes of {name} crossed themselves and were mended")  # fmt: skip
        if kind == "areas":
            there &= ~_is_area(shapes) | (shapely.area(shapes) > 0)
        if n := int((~there).sum()):
            self.note(
                f"{name} 中 {n} 行没有图形，未计入",
                f"{n} rows of {name} have no shape and are left out",
            )
        if not there.any():
            raise InputError(
                f"{name!r} holds {len(frame)} rows and none with a place; give a layer with shapes"
            )
        kept = frame.set_geometry(gpd.GeoSeries(shapes, frame.index, crs=frame.crs))[
            there
        ].reset_index(drop=True)
        if kind != "any":
            allowed, words = _KINDS[kind]
            found = kept.geometry.geom_type
            if (wrong := ~found.isin(allowed)).any():
                raise InputError(
                    f"{name!r} needs {words}, and {int(wrong.sum())} of {len(kept)} rows are {found[wrong].iloc[0]}s (first: row {int(np.argmax(wrong))}); "
                    "leave them out"
                )
        return kept


def require_column(frame: pd.DataFrame, column: str, *, option: str, role: str) -> None:
    """See that a column is there.

    Parameters
    ----------
    frame
        The table.
    column
        Its column.
    option
        The option that names it.
    role
        What the table is.

    Raises
    ------
    ColumnError
        It is not there.
    """
    if column not in frame.columns:
        names = [str(name) for name in frame.columns if name != "geometry"]
        raise ColumnError(
            f"{option} {column!r} is no column of the {role}{did_you_mean(column, names)}; there are {', '.join(names) or 'none'}"
        )


def _place(text: str) -> tuple[Path, str | None]:
    file, _, layer = text.partition("#")
    return Path(file), layer or None


def _crs_of(frame: gpd.GeoDataFrame, name: str) -> CRS:
    if frame.crs is None:
        raise InputError(
            f"{name!r} has no coordinate reference system, so its coordinates mean nothing; state it, for example --crs EPSG:4547"
        )
    return require_crs(frame, name=name)


def _is_area(shapes: np.ndarray[Any, Any]) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return np.asarray(shapely.get_dimensions(shapes) == 2)


def _chinese(text: str) -> str:
    for pattern, words in _IN_CHINESE:
        if found := re.search(pattern, text):
            return words.format(*found.groups())
    return text
