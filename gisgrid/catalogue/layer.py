"""What is one layer of the city: its words, fields, whence it comes, what is shown of it, and what it promises."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, field_validator
from pydantic import Field as Key

from gisgrid.catalogue.reading import read_json, read_toml, validate
from gisgrid.errors import CatalogueError
from gisgrid.schema import Field, Text

Geometry = Literal["Point", "LineString", "Polygon", "raster", "none"]
"""What a layer's rows have: points, lines, areas (multi-part ones included), cells of a raster, or nothing."""

Parameter = str | int | float | bool
"""What a derived layer's function may be told besides its inputs."""

StyleLayer = Mapping[str, Any]
"""One MapLibre style layer without `source` and `source-layer`, which are the layer's id."""


class _Described(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Source(_Described):
    """Whence a layer's file comes: its place under the data folder, its licence and whom to thank.

    `sha256` is what ``sha256sum`` says of the file; a Shapefile's is that of the sorted ``sha256sum`` lines of its
    parts. Where it is stated, a file that differs is a fault.
    """

    path: str
    licence: str = ""
    attribution: str = ""
    acquired: str = ""
    sha256: str | None = Key(default=None, pattern=r"^[0-9a-f]{64}$")
    encoding: str | None = None


class Derived(_Described):
    """How a layer is made from others: a function ``module:name``, its input layers and its parameters."""

    function: str = Key(pattern=r"^[\w.]+:\w+$")
    inputs: Mapping[str, str]
    parameters: Mapping[str, Parameter] = Key(default_factory=dict)


class Privacy(_Described):
    """What is done so that nobody is found in a layer of reports; it holds at every zoom, and in rows as in tiles.

    Attributes
    ----------
    k_threshold
        Where it is set, single features are never shown, only numbers that stand for at least so many.
    blur_m
        Where it is set, a point is shown in the middle of a square cell of this side, always the same one.
    """

    k_threshold: int = Key(default=0, ge=0, le=1000)
    blur_m: float = Key(default=0, ge=0, le=20_000)


class LowZoom(_Described):
    """What is drawn where single features would be too many, and how much a tile may weigh.

    Attributes
    ----------
    strategy
        ``aggregate`` counts them per cell, ``one_per_pixel`` keeps one per pixel, ``drop_densest`` leaves out the
        densest, ``cluster`` gathers near ones, ``none`` shows all. The tile and the TileJSON say what was done.
    cell_px
        Side of the cells that are counted, in pixels of a tile shown at 512 px: a power of two.
    below
        The first zoom at which single features are shown.
    budget_bytes
        The most a tile may weigh before compression; what would weigh more is thinned.
    counts_by
        A shown property with few values: each cell counts each of them too, as ``n_<value>``.
    shares
        Properties of a cell that say which share of its features a CQL2 text selects, 0 to 1.
    shape
        What the cells are that are counted: ``square``, drawn as a point in the middle, or ``hexagon``, drawn as a
        polygon and at least 4 px wide.
    """

    strategy: Literal["aggregate", "one_per_pixel", "drop_densest", "cluster", "none"] = "aggregate"
    cell_px: Literal[1, 2, 4, 8, 16, 32, 64, 128] = 16
    below: int = Key(default=0, ge=0, le=22)
    budget_bytes: int = Key(default=500_000, ge=10_000, le=50_000_000)
    counts_by: str | None = None
    shares: Mapping[str, str] = Key(default_factory=dict)
    shape: Literal["square", "hexagon"] = "square"


class ScopedBy(_Described):
    """By which columns a layer's rows are somebody's: who asks gets the own rows only, in every answer.

    Attributes
    ----------
    units
        Columns of grid codes, one of which must begin with a code of the asker's.
    classes
        The column of classes, whose code must begin with one of the asker's.
    owners
        The column of owners, for who sees the own cases only.
    """

    units: tuple[str, ...] = ()
    classes: str | None = None
    owners: str | None = None

    @field_validator("units", mode="before")
    @classmethod
    def _several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns that it names."""
        return tuple(name for name in (*self.units, self.classes, self.owners) if name is not None)


class Tiles(_Described):
    """What a map gets to see: the zooms, the columns, who may ask, and whether the layer is on at first view.

    Attributes
    ----------
    minzoom, maxzoom
        The zooms, both included.
    properties
        The columns that leave the server, and no others.
    visible
        Whether the layer is on at first view.
    access
        ``public``, or ``key``: only who names a key of the server's key file sees the layer's tiles and rows.
    scoped_by
        By which columns its rows are somebody's; None where whoever sees the layer sees all of it.
    privacy
        What is hidden so that nobody is found.
    low_zoom
        What is drawn where single features would be too many.
    """

    minzoom: int = Key(default=0, ge=0, le=22)
    maxzoom: int = Key(default=14, ge=0, le=22)
    properties: tuple[str, ...] = ()
    visible: bool = False
    access: Literal["public", "key"] = "public"
    scoped_by: ScopedBy | None = None
    privacy: Privacy = Privacy()
    low_zoom: LowZoom = LowZoom()


class Inside(_Described):
    """Every row lies in the row of `layer` whose primary key its column `by` names, up to `tolerance_m`."""

    layer: str
    by: str
    tolerance_m: float = Key(default=1.0, ge=0)


class Contract(_Described):
    """What a layer promises beyond its fields.

    `coverage`: no gaps and no overlaps. `unique`: each entry is a column, or a list of columns, without repeats.
    """

    coverage: bool = False
    unique: tuple[str | tuple[str, ...], ...] = ()
    inside: Inside | None = None


class Layer(_Described):
    """One layer as its folder describes it; never changed once read.

    Attributes
    ----------
    id
        The folder's name, and the name of the layer in tiles and addresses.
    primary_key
        The column that names a row; None for rasters, and for tables whose key is several columns.
    crs
        The CRS its data must have, for example ``EPSG:4547``; None for tables.
    source, derived
        Exactly one of both: a file that was given, or how the layer is made.
    style
        MapLibre layers, from ``style.json``; they name exposed properties only.
    """

    id: str = Key(pattern=r"^[a-z][a-z0-9_]*$")
    title: Text
    description: Text
    group: str
    geometry: Geometry
    primary_key: str | None = None
    crs: str | None = None
    source: Source | None = None
    derived: Derived | None = None
    fields: tuple[Field, ...] = ()
    tiles: Tiles | None = None
    contract: Contract = Contract()
    style: tuple[StyleLayer, ...] = ()

    @classmethod
    def from_folder(cls, folder: str | Path) -> Layer:
        """Read the layer that a folder describes.

        Parameters
        ----------
        folder
            Holds ``layer.toml`` and, where the layer is drawn, ``style.json``.

        Returns
        -------
        Layer
            The layer.

        Raises
        ------
        CatalogueError
            A key that no rule knows, one that is missing, or a value that a rule forbids: all of them at once, one
            sentence per line.
        """
        folder = Path(folder)
        path = folder / "layer.toml"
        raw = read_toml(path)
        style_path = folder / "style.json"
        style = read_json(style_path) if style_path.exists() else []
        if not (isinstance(style, list) and all(isinstance(part, dict) for part in style)):
            raise CatalogueError(
                f"{style_path} holds no list of MapLibre layers; begin it with [ and end it with ]"
            )
        layer = validate(cls, raw, where=str(path), not_in_file={"style": style})
        if layer.id != folder.name:
            raise CatalogueError(
                f"{path} has id = {layer.id!r} but its folder is called {folder.name!r}, and both must be the same; "
                "rename one of them"
            )
        return layer

    @property
    def kind(self) -> Literal["vector", "raster", "table"]:
        """Whether the layer is features, a surface, or rows without a place."""
        match self.geometry:
            case "raster":
                return "raster"
            case "none":
                return "table"
            case _:
                return "vector"

    @property
    def is_derived(self) -> bool:
        """Whether the layer is made from others."""
        return self.derived is not None

    @property
    def inputs(self) -> Mapping[str, str]:
        """The layers this one is made from, by the name the function knows them under; empty for a source."""
        return self.derived.inputs if self.derived is not None else {}

    @property
    def exposed(self) -> tuple[Field, ...]:
        """The fields that tiles and answers show, in the order of `tiles.properties`."""
        by_name = {field.name: field for field in self.fields}
        names = self.tiles.properties if self.tiles is not None else ()
        return tuple(by_name[name] for name in names if name in by_name)
