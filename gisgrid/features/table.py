"""A layer's features as columns: built once from a frame, read in place from files, shared by all workers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.features import storage
from gisgrid.features.column import Column, Kind, Plain, Rows, as_rows, read_only
from gisgrid.features.keys import key_row, whole_number
from gisgrid.features.packing import columns_apart, columns_together
from gisgrid.features.places import GeometryKind, Packed, Places, frame_places
from gisgrid.features.series import series_column
from gisgrid.features.zorder import in_order


@dataclass(frozen=True, eq=False)
class FeatureTable:
    """The features of a layer in flat, read-only arrays.

    A point layer's rows are in the order of the Z-curve of Web Mercator, those without a place on it last; the rows of
    all others are in the order of the file.

    Attributes
    ----------
    columns
        The key and the properties that were asked for, by name, and no others.
    number
        Shape (n,), int64, the row's place in the file; a feature's id is that + 1.
    places
        The geometry; its arrays can be had from the table too.
    key
        The column that names a feature; None where none does.
    by_key
        Shape (n,), the rows in the order of the key, or of `number` where there is no key.
    edition
        A word for what was opened that no other saving has; empty in memory.
    notes
        What `save` was told to keep beside the features.
    """

    columns: Mapping[str, Column]
    number: NDArray[np.int64]
    places: Places
    key: str | None
    by_key: NDArray[np.uint32]
    edition: str = ""
    notes: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def from_frame(
        cls,
        frame: pd.DataFrame,
        *,
        properties: Sequence[str],
        key: str | None = None,
        kind: GeometryKind | None = None,
        lonlat: tuple[str, str] | None = None,
        name: str = "the frame",
    ) -> FeatureTable:
        """Make the features of a frame flat.

        Parameters
        ----------
        frame
            A GeoDataFrame of any CRS, which is brought to longitude, latitude here; or a table.
        properties
            The columns to keep, besides the key.
        key
            The column that names a feature.
        kind
            What the geometry is; by default what is found, which an empty frame does not say.
        lonlat
            For a table: the columns that hold longitude and latitude in degrees (OGC:CRS84).
        name
            What the frame is called in an error's sentence.

        Returns
        -------
        FeatureTable
            The features.

        Raises
        ------
        ColumnError
            A column is not there, or holds what is no property.
        CrsError
            A GeoDataFrame without a CRS.

        Notes
        -----
        Memory: one column's worth above the result, whatever the number of rows.

        Examples
        --------
        >>> frame = pd.DataFrame({"id": ["b", "a"], "lon": [114.0, 113.0], "lat": [35.0, 35.0]})
        >>> table = FeatureTable.from_frame(frame, key="id", properties=[], lonlat=("lon", "lat"))
        >>> table
        <FeatureTable of 2 points with 1 property: id (text)>
        >>> table.row("b"), table.number.tolist(), table.records([0])
        (1, [1, 0], [{'id': 'a'}])
        """
        names = list(dict.fromkeys(([key] if key is not None else []) + list(properties)))
        for wanted in [*names, *(lonlat or ())]:
            if wanted not in frame.columns:
                raise ColumnError(
                    f"{wanted!r} is no column of {name}{did_you_mean(wanted, map(str, frame.columns))}"
                )
        places, order = frame_places(frame, kind=kind, lonlat=lonlat, name=name)
        columns = {
            wanted: series_column(frame[wanted], name=wanted, order=order) for wanted in names
        }
        number = np.arange(len(frame)) if order is None else order
        return cls.from_columns(columns, number=number, places=places, key=key)

    @classmethod
    def from_columns(
        cls,
        columns: Mapping[str, Column],
        *,
        number: NDArray[np.int64],
        places: Places,
        key: str | None,
    ) -> FeatureTable:
        """Put columns and geometry together that are already in the table's order.

        Parameters
        ----------
        columns
            Each with n rows.
        number
            Shape (n,), the rows' places in the file.
        places
            The geometry of the n rows.
        key
            The column that names a feature.

        Returns
        -------
        FeatureTable
            The features.
        """
        sorted_by = columns[key].stored if key is not None else number
        by_key = np.argsort(sorted_by, kind="stable").astype(np.uint32)
        return cls(dict(columns), read_only(number), places, key, read_only(by_key))

    def save(self, folder: Path, *, notes: Mapping[str, Any] | None = None) -> str:
        """Write the features into a folder, whole or not at all; readers of what was there are not disturbed.

        Parameters
        ----------
        folder
            Made where it is not there; the folder above it must be.
        notes
            What to keep beside the features, as JSON has it; the table's own by default.

        Returns
        -------
        str
            The edition.

        Raises
        ------
        OutputError
            It cannot be written.
        """
        columns, arrays = columns_apart(self.columns.values())
        about = {
            "key": self.key, "kind": self.kind, "bbox": self.bbox, "columns": columns,
            "notes": dict(self.notes if notes is None else notes),
        }  # fmt: skip
        arrays |= {"number": self.number, "by_key": self.by_key, **self.places.arrays()}
        return storage.save(folder, about, arrays)

    @classmethod
    def open(cls, folder: Path) -> FeatureTable:
        """Open what `save` wrote: nothing is read before it is used, and all processes share one copy.

        Parameters
        ----------
        folder
            The folder.

        Returns
        -------
        FeatureTable
            The features. They stay as they were opened, whatever becomes of the folder.

        Raises
        ------
        InputError
            There is no such folder, or its files are not whole.
        """
        about, arrays = storage.open_folder(folder)
        try:
            bbox = None if about["bbox"] is None else tuple(about["bbox"])
            places = Places.from_arrays(about["kind"], arrays, bbox=bbox)
            columns = columns_together(about["columns"], arrays)
            return cls(
                columns, arrays["number"], places, about["key"], arrays["by_key"], about["edition"], about["notes"]
            )  # fmt: skip
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"the features in {str(folder)!r} are not whole ({error!r}); build them again"
            ) from error

    def __len__(self) -> int:
        return len(self.number)

    def __repr__(self) -> str:
        what = {"mixed": "feature", "none": "row"}.get(self.kind, self.kind)
        fields = ", ".join(f"{name} ({column.kind})" for name, column in self.columns.items())
        n = len(self.columns)
        properties = f"{n} {'property' if n == 1 else 'properties'}"
        return f"<FeatureTable of {len(self)} {what}{'' if len(self) == 1 else 's'} with {properties}: {fields}>"

    @property
    def fields(self) -> dict[str, Kind]:
        """What each column holds, as a filter's parser wants to know."""
        return {name: column.kind for name, column in self.columns.items()}

    @property
    def kind(self) -> GeometryKind:
        """What the geometry is."""
        return self.places.kind

    @property
    def lon(self) -> NDArray[np.float64] | None:
        """Points only. Shape (n,), degrees (OGC:CRS84); NaN where a row has no place."""
        return self.places.lon

    @property
    def lat(self) -> NDArray[np.float64] | None:
        """Points only. Shape (n,), degrees (OGC:CRS84); NaN where a row has no place."""
        return self.places.lat

    @property
    def u(self) -> NDArray[np.uint32] | None:
        """Points only. Shape (n placed,), steps of 2**-32 of Web Mercator's square from the west."""
        return self.places.u

    @property
    def v(self) -> NDArray[np.uint32] | None:
        """Points only. Shape (n placed,), steps of 2**-32 of Web Mercator's square from the north."""
        return self.places.v

    @property
    def n_placed(self) -> int:
        """How many of the first rows have a place on Web Mercator's square; for points only."""
        return 0 if self.places.u is None else len(self.places.u)

    @property
    def wkb(self) -> Packed | None:
        """Lines, polygons and mixtures only: the geometry as WKB in longitude, latitude."""
        return self.places.wkb

    @property
    def boxes(self) -> NDArray[np.float64]:
        """Shape (n, 4), west, south, east, north in degrees; NaN where a row has no place. Made anew for points."""
        return self.places.boxes_of(len(self))

    @cached_property
    def bbox(self) -> tuple[float, float, float, float] | None:
        """West, south, east, north of all in degrees; None where no row has a place."""
        return self.places.bbox

    def geometries(self, rows: Rows | Sequence[int]) -> NDArray[np.object_]:
        """Give geometry as shapely knows it.

        Parameters
        ----------
        rows
            Which rows.

        Returns
        -------
        array
            Shape (m,), longitude, latitude (OGC:CRS84); None where a row has no place.
        """
        return self.places.geometries(as_rows(rows, len(self)))

    def records(
        self, rows: Rows | Sequence[int], *, properties: Sequence[str] | None = None
    ) -> list[dict[str, Plain]]:
        """Give properties as JSON has them.

        Parameters
        ----------
        rows
            Which rows.
        properties
            Which columns, in which order; all by default.

        Returns
        -------
        list of dict
            Name to value, see `Column.at`.
        """
        positions = as_rows(rows, len(self))
        names = list(self.columns) if properties is None else list(properties)
        values = [self.columns[name].at(positions) for name in names]
        if not values:
            return [{} for _ in range(len(positions))]
        return [dict(zip(names, row, strict=True)) for row in zip(*values, strict=True)]

    def row(self, name: str | float) -> int | None:
        """Find a feature by its key, or by its id where the table has no key.

        Parameters
        ----------
        name
            The key's value, as itself or as an address spells it.

        Returns
        -------
        int or None
            Its row, the first where several have that key; None where there is none.

        Notes
        -----
        Cost: two binary searches.
        """
        sought = self._sought(name)
        if sought is None:
            return None
        stored = self.number if self.key is None else self.columns[self.key].stored
        return key_row(stored, self.by_key, sought)

    def _sought(self, name: str | float) -> int | float | None:
        if self.key is None:
            number = whole_number(name)
            return None if number is None else number - 1
        column = self.columns[self.key]
        match column.kind:
            case "text":
                return column.words.code(str(name))
            case "integer":
                number = whole_number(name)
                return None if number == column.gap else number
            case "number":
                try:
                    return float(name)
                except ValueError:
                    return None
        return None

    def take(self, rows: NDArray[np.int64] | NDArray[np.bool_]) -> FeatureTable:
        """Keep some rows.

        Parameters
        ----------
        rows
            Which: a mask, or positions in ascending order.

        Returns
        -------
        FeatureTable
            In memory, with the same numbers.
        """
        positions = as_rows(rows, len(self))
        columns = {name: column.take(positions) for name, column in self.columns.items()}
        places = self.places.take(positions)
        return FeatureTable.from_columns(
            columns, number=self.number[positions], places=places, key=self.key
        )

    def is_whole(self) -> bool:
        """Say whether the arrays fit each other and the points are in order, reading all of them.

        Returns
        -------
        bool
            False where a file was damaged.
        """
        sizes = {len(self), len(self.by_key), *(len(column) for column in self.columns.values())}
        placed = self.u is None or self.v is None or in_order(self.u, self.v)
        return len(sizes) == 1 and self.places.is_whole(len(self)) and placed
