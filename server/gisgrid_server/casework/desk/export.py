"""Cases as a file: CSV, Excel, GeoPackage or GeoJSON, of what is filtered and may be seen, with where it comes from."""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal

import geopandas as gpd
import pandas as pd
import pyogrio
from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Font
from openpyxl.worksheet._write_only import WriteOnlyWorksheet

from gisgrid import __version__
from gisgrid_server.casework.desk.headings import HEADINGS
from gisgrid_server.casework.desk.rows import plain
from gisgrid_server.casework.desk.table import TIMES, Language, harmless, harmless_frame
from gisgrid_server.edge.problems import BusyError

Form = Literal["csv", "xlsx", "gpkg", "geojson"]

MOST: Final[Mapping[Form, int]] = {"csv": 1_000_000, "xlsx": 100_000, "gpkg": 500_000, "geojson": 200_000}  # fmt: skip
"""How many cases a file holds at most."""

MEDIA_TYPES: Final[Mapping[Form, str]] = {
    "csv": "text/csv; charset=utf-8; header=present",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "gpkg": "application/geopackage+sqlite3",
    "geojson": "application/geo+json",
}

CONTENT: Final[Mapping[str, Any]] = {
    kind.split(";")[0]: {
        "schema": {"type": "object"}
        if form == "geojson"
        else {"type": "string", "format": "binary"}
    }
    for form, kind in MEDIA_TYPES.items()
}
"""The files as OpenAPI describes them, by media type."""

AT_A_TIME: Final = 2
"""Files that one worker makes at a time."""

_BOM: Final = "\ufeff".encode()
_CHUNK: Final = 256 * 1024
_room = threading.BoundedSemaphore(AT_A_TIME)


@dataclass(frozen=True)
class Provenance:
    """Where a file comes from.

    Attributes
    ----------
    made_at
        When.
    made_by
        By whom.
    asked
        What was asked for, in the words of the address.
    n_cases
        How many cases there were.
    timezone
        In which its times are, where they are not UTC.
    """

    made_at: dt.datetime
    made_by: str
    asked: Mapping[str, Any]
    n_cases: int
    timezone: str

    def document(self) -> dict[str, Any]:
        """Write it as JSON.

        Returns
        -------
        dict
            With the version of the program.
        """
        return {
            "made_at": self.made_at.isoformat(), "made_by": self.made_by, "filter": dict(self.asked),
            "n_cases": self.n_cases, "timezone": self.timezone, "program": f"gisgrid {__version__}",
        }  # fmt: skip


def written(
    form: Form, tables: Iterable[pd.DataFrame], about: Provenance, language: Language
) -> Iterator[bytes]:
    """Write a file, piece by piece.

    Parameters
    ----------
    form
        Its form.
    tables
        The cases, some at a time.
    about
        Where they come from.
    language
        Of the headings in Excel.

    Returns
    -------
    iterator of bytes
        The file. Room for one more file is taken when it begins, and given back when it ends, however that is.

    Raises
    ------
    BusyError
        As many files as can be are being made.
    """
    if not _room.acquire(blocking=False):
        raise BusyError(f"{AT_A_TIME} files are being made, which is the most; try again soon")
    writers: dict[Form, Callable[[], Iterator[bytes]]] = {
        "csv": partial(_csv, tables, about),
        "geojson": partial(_geojson, tables, about),
        "xlsx": partial(_by_file, partial(_write_xlsx, tables, about, language), "cases.xlsx"),
        "gpkg": partial(_by_file, partial(_write_gpkg, tables, about), "cases.gpkg"),
    }
    return _Roomy(writers[form]())


class _Roomy(Iterator[bytes]):
    """Gives the room of a file back once, at its end, at a fault, or when its reader goes."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._has_room = pieces, True

    def __next__(self) -> bytes:
        try:
            return next(self._pieces)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._has_room:
            self._has_room = False
            _room.release()

    def __del__(self) -> None:
        self.close()


def _csv(tables: Iterable[pd.DataFrame], about: Provenance) -> Iterator[bytes]:
    yield _BOM
    heading = True
    for table in tables:
        text = io.StringIO()
        plainly = harmless_frame(_local_text(table, about.timezone))
        plainly.to_csv(
            text, index=False, header=heading, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL
        )
        heading = False
        yield text.getvalue().encode()
    if heading:
        yield (",".join(HEADINGS) + "\r\n").encode()


def _geojson(tables: Iterable[pd.DataFrame], about: Provenance) -> Iterator[bytes]:
    said = json.dumps(about.document(), ensure_ascii=False)
    yield f'{{"type": "FeatureCollection", "provenance": {said}, "features": ['.encode()
    between = ""
    for table in tables:
        rows = table.astype(object).to_dict("records")
        yield (between + ",\n".join(_feature(row) for row in rows)).encode()
        between = ",\n"
    yield b"]}\n"


def _feature(row: Mapping[Any, Any]) -> str:
    said = {str(name): plain(value) for name, value in row.items()}
    lon, lat = said.pop("lon"), said.pop("lat")
    point = None if lon is None or lat is None else {"type": "Point", "coordinates": [lon, lat]}
    feature = {"type": "Feature", "id": said["case_id"], "geometry": point, "properties": said}
    return json.dumps(feature, ensure_ascii=False, allow_nan=False)


def _by_file(write: Callable[[Path], None], name: str) -> Iterator[bytes]:
    """Send a file that cannot be written from its beginning to its end."""
    folder = tempfile.mkdtemp(prefix="gisgrid-export-")
    try:
        path = Path(folder) / name
        write(path)
        with path.open("rb") as file:
            while piece := file.read(_CHUNK):
                yield piece
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_xlsx(
    tables: Iterable[pd.DataFrame], about: Provenance, language: Language, path: Path
) -> None:
    book = Workbook(write_only=True)
    sheet = book.create_sheet("案件" if language == "zh" else "Cases")
    sheet.freeze_panes = "B2"
    headed = False
    for table in tables:
        if not headed:
            _head(sheet, [getattr(HEADINGS[str(name)], language) for name in table.columns])
            headed = True
        local = _local(table, about.timezone).astype(object)
        for row in local.where(local.notna(), None).itertuples(index=False):
            sheet.append([_cell(value) for value in row])
    source = book.create_sheet("来源" if language == "zh" else "Provenance")
    for name, value in about.document().items():
        said = json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value
        source.append([name, _cell(said)])
    book.save(path)


def _head(sheet: WriteOnlyWorksheet, words: list[str]) -> None:
    cells = []
    for word in words:
        cell = WriteOnlyCell(sheet, value=word)
        cell.font = Font(bold=True)
        cells.append(cell)
    sheet.append(cells)


def _cell(value: Any) -> Any:  # noqa: ANN401 - any cell
    if isinstance(value, str):
        return harmless(ILLEGAL_CHARACTERS_RE.sub("", value))
    return value.to_pydatetime() if isinstance(value, pd.Timestamp) else value


def _write_gpkg(tables: Iterable[pd.DataFrame], about: Provenance, path: Path) -> None:
    said = {"provenance": json.dumps(about.document(), ensure_ascii=False)}
    begun = False
    for table in tables:
        _append_gpkg(table, path, said, append=begun)
        begun = True
    if not begun:
        empty = pd.DataFrame({name: pd.Series(dtype=object) for name in HEADINGS})
        _append_gpkg(empty, path, said, append=False)


def _append_gpkg(table: pd.DataFrame, path: Path, said: dict[str, str], *, append: bool) -> None:
    points = gpd.points_from_xy(table["lon"].astype(float), table["lat"].astype(float))
    frame = gpd.GeoDataFrame(table.drop(columns=["lon", "lat"]), geometry=points, crs=4326)
    frame.loc[table["lon"].isna().to_numpy(), "geometry"] = None
    texts = frame.columns[[kind == "object" for kind in frame.dtypes]]
    frame[texts] = frame[texts].astype("string")
    pyogrio.write_dataframe(
        frame, path, layer="cases", driver="GPKG", append=append, geometry_type="Point", layer_metadata=said
    )  # fmt: skip


def _local(table: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """Give times as the clocks of the city showed them; spreadsheets know no zones."""
    return table.assign(**{
        name: table[name].dt.tz_convert(timezone).dt.tz_localize(None).dt.floor("s") for name in TIMES
    })  # fmt: skip


def _local_text(table: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """Give times as ISO 8601 with the offset of the city."""
    found = {}
    for name in TIMES:
        local = table[name].dt.tz_convert(timezone).dt.floor("s")
        found[name] = local.map(lambda each: None if pd.isna(each) else each.isoformat())
    return table.assign(**found)
