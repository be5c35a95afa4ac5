"""Which layers does the city have, and which is made from which?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from gisgrid.catalogue.description import description_faults, repeated
from gisgrid.catalogue.layer import Layer, StyleLayer
from gisgrid.catalogue.reading import read_toml, validate
from gisgrid.errors import CatalogueError, LayerNotFoundError, did_you_mean
from gisgrid.schema import Text

_DRAWN_AFTER: Final = {"background": 0, "fill": 1, "raster": 1, "heatmap": 1, "fill-extrusion": 2, "line": 3, "circle": 4, "symbol": 5}  # fmt: skip


class Basemap(BaseModel):
    """A background map from elsewhere: an address of tiles and whom to thank. Its token is never written here."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    url: str
    attribution: str = ""


class About(BaseModel):
    """What ``catalogue.toml`` says of the city as a whole.

    Attributes
    ----------
    title
        The city's name, or the map's.
    timezone
        In which days and months are counted, for example ``Asia/Shanghai``.
    crs
        The CRS of the city's survey; each layer states its own as well.
    groups
        The groups of layers with their titles, from the bottom of the map to its top.
    review_number
        The map's review number (审图号), or empty.
    basemap
        A background map, or None: the layers stand alone.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Text
    timezone: str
    crs: str
    groups: Mapping[str, Text]
    review_number: str = ""
    basemap: Basemap | None = None


@dataclass(frozen=True)
class Catalogue:
    """The layers of a city: each is known by its id, none is ever changed; `adding` returns another catalogue.

    Attributes
    ----------
    about
        What holds for the city as a whole.
    layers
        In the order of their groups, then of their ids.
    folder
        Where they were read from, if they were.

    Raises
    ------
    CatalogueError
        A description breaks a rule, two layers share an id, an input is no layer, or layers are made from each other
        in a circle: all of it at once, one sentence per line.
    """

    about: About
    layers: tuple[Layer, ...]
    folder: Path | None = None
    _by_id: Mapping[str, Layer] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        groups = list(self.about.groups)
        known = {layer.id: layer for layer in self.layers}
        place = {group: number for number, group in enumerate(groups)}
        ordered = sorted(self.layers, key=lambda layer: (place.get(layer.group, -1), layer.id))
        object.__setattr__(self, "layers", tuple(ordered))
        object.__setattr__(self, "_by_id", known)
        if faults := list(self._faults()):
            raise CatalogueError("\n".join(faults))
        self.build_order()

    @classmethod
    def read(cls, folder: str | Path) -> Catalogue:
        """Read the catalogue in a folder: ``catalogue.toml`` and one folder per layer.

        Parameters
        ----------
        folder
            For example ``layers``. Folders whose name begins with a dot or an underscore are passed over.

        Returns
        -------
        Catalogue
            The catalogue.

        Raises
        ------
        CatalogueError
            The folder is not there, or descriptions break rules: one sentence per line.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise CatalogueError(
                f"there is no folder of layers {str(folder)!r}; check the spelling, or write one with gisgrid init"
            )
        faults: list[str] = []
        layers: list[Layer] = []
        about: About | None = None
        try:
            path = folder / "catalogue.toml"
            about = validate(About, read_toml(path), where=str(path))
        except CatalogueError as error:
            faults.append(str(error))
        for path in sorted(folder.iterdir()):
            if path.is_dir() and not path.name.startswith((".", "_")):
                try:
                    layers.append(Layer.from_folder(path))
                except CatalogueError as error:
                    faults.append(str(error))
        if about is None or faults:
            raise CatalogueError("\n".join(faults))
        if not layers:
            raise CatalogueError(
                f"{str(folder)!r} has no layer in it; write a folder with a layer.toml, or use gisgrid init"
            )
        return cls(about, tuple(layers), folder)

    def __getitem__(self, layer_id: str) -> Layer:
        if layer_id not in self._by_id:
            raise LayerNotFoundError(
                f"no layer {layer_id!r} among {len(self)} layers{did_you_mean(layer_id, self._by_id)}"
            )
        return self._by_id[layer_id]

    def __contains__(self, layer_id: object) -> bool:
        return layer_id in self._by_id

    def __iter__(self) -> Iterator[Layer]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def adding(self, layer: Layer) -> Catalogue:
        """Give another catalogue that has one layer more.

        Parameters
        ----------
        layer
            A layer whose id is not taken.

        Returns
        -------
        Catalogue
            This one stays as it is.

        Raises
        ------
        CatalogueError
            Its id is taken, or it breaks a rule.
        """
        return Catalogue(self.about, (*self.layers, layer), self.folder)

    def build_order(self) -> tuple[Layer, ...]:
        """Give the derived layers so that each comes after those it is made from.

        Returns
        -------
        tuple of Layer
            Equal catalogues give equal orders.

        Raises
        ------
        CatalogueError
            Layers are made from each other in a circle.
        """
        order: dict[str, Layer] = {}

        def visit(layer: Layer, path: tuple[str, ...]) -> None:
            if layer.id in path:
                circle = " → ".join((*path[path.index(layer.id) :], layer.id))
                raise CatalogueError(
                    f"layers are made from each other in a circle ({circle}), so none can be built first; "
                    "take one of the inputs out of its layer.toml"
                )
            if layer.id in order:
                return
            for name in sorted(set(layer.inputs.values())):
                visit(self._by_id[name], (*path, layer.id))
            order[layer.id] = layer

        for layer in self.layers:
            visit(layer, ())
        return tuple(layer for layer in order.values() if layer.is_derived)

    def drawing_order(self) -> tuple[tuple[Layer, StyleLayer], ...]:
        """Give every style layer with its layer, from the bottom of the map to the top.

        Returns
        -------
        tuple of (Layer, StyleLayer)
            Areas under lines under points under words; among equals the order of the groups.
        """
        parts = [(layer, part) for layer in self.layers for part in layer.style]
        return tuple(sorted(parts, key=lambda pair: _DRAWN_AFTER[str(pair[1]["type"])]))

    def where(self, layer: Layer) -> str:
        """Name the file that describes a layer, for a sentence.

        Parameters
        ----------
        layer
            One of the layers.

        Returns
        -------
        str
            For example ``layers/communities/layer.toml``.
        """
        return str((self.folder or Path()) / layer.id / "layer.toml")

    def _faults(self) -> Iterator[str]:
        ids = [layer.id for layer in self.layers]
        for name in repeated(ids):
            yield f"the layer {name!r} is there {ids.count(name)} times and an id names one layer; rename one of them"
        for layer in self.layers:
            where = self.where(layer)
            for clause in description_faults(layer):
                yield f"{where} {clause}"
            if layer.group not in self.about.groups:
                hint = did_you_mean(layer.group, self.about.groups)
                yield f"{where} has group = {layer.group!r}, which catalogue.toml does not list{hint}"
            for key, name in layer.inputs.items():
                if name not in self._by_id:
                    hint = did_you_mean(name, ids)
                    yield f"{where} has derived.inputs.{key} = {name!r}, which is no layer{hint}"
            yield from self._inside_faults(layer, where)
        styles = [str(part.get("id")) for layer in self.layers for part in layer.style]
        for name in repeated(styles):
            yield f"the style layer {name!r} is there {styles.count(name)} times and its id must be its own; rename one of them"

    def _inside_faults(self, layer: Layer, where: str) -> Iterator[str]:
        inside = layer.contract.inside
        if inside is None:
            return
        if inside.layer not in self._by_id:
            hint = did_you_mean(inside.layer, self._by_id)
            yield f"{where} has contract.inside.layer = {inside.layer!r}, which is no layer{hint}"
        elif self._by_id[inside.layer].geometry != "Polygon":
            yield f"{where} has contract.inside.layer = {inside.layer!r}, which has no areas; name a layer of polygons"
