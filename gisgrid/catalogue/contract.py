"""Do the layers' data keep what their descriptions promise?"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from gisgrid.catalogue.areas import coverage_faults, inside_faults
from gisgrid.catalogue.catalogue import Catalogue
from gisgrid.catalogue.layer import Layer
from gisgrid.catalogue.lineage import out_of_date
from gisgrid.catalogue.provenance import Value
from gisgrid.catalogue.store import Store, same_crs
from gisgrid.crs import crs_label
from gisgrid.errors import GisgridError
from gisgrid.progress import Progress, silent
from gisgrid.schema import Fault, column_faults
from gisgrid.surface import Surface

_TYPE_NAMES: Mapping[str, tuple[str, ...]] = {
    "Point": ("Point", "MultiPoint"),
    "LineString": ("LineString", "MultiLineString"),
    "Polygon": ("Polygon", "MultiPolygon"),
}


def check(
    catalogue: Catalogue,
    store: Store,
    *,
    only: Collection[str] | None = None,
    progress: Progress = silent,
) -> dict[str, list[Fault]]:
    """Hold every layer's data against the layer's contract.

    The file is there and is the one described; CRS, geometry, key and columns are as described; areas that promise
    to cover have no gaps and no overlaps; parts lie inside the whole their code names; a derived layer is current.

    Parameters
    ----------
    catalogue
        The layers.
    store
        Their data.
    only
        Ids of the layers to look at; all by default.
    progress
        Told 0 when a layer begins and 1 when it is done, by the layer's id.

    Returns
    -------
    dict
        Every layer's id with its faults; an empty list where the contract holds.

    Raises
    ------
    LayerNotFoundError
        `only` names no layer.
    """
    wanted = [catalogue[name] for name in only] if only is not None else list(catalogue)
    found: dict[str, list[Fault]] = {}
    for layer in wanted:
        progress(layer.id, 0.0)
        found[layer.id] = list(_layer_faults(layer, catalogue, store))
        progress(layer.id, 1.0)
    return found


def value_faults(layer: Layer, value: Value) -> list[Fault]:
    """Hold one layer's data against the rules that need no other layer.

    Parameters
    ----------
    layer
        The description.
    value
        The data.

    Returns
    -------
    list of Fault
        Empty when they keep the contract.
    """
    if isinstance(value, Surface):
        return [*_crs_faults(layer, value), *_surface_faults(value)]
    faults = list(column_faults(value, layer.fields, key=layer.primary_key))
    faults += _unique_faults(layer, value)
    if isinstance(value, gpd.GeoDataFrame):
        faults += _crs_faults(layer, value)
        geometry_faults = list(_geometry_faults(layer, value))
        faults += geometry_faults
        if layer.contract.coverage and not geometry_faults and len(value):
            faults += coverage_faults(value, key=layer.primary_key or "")
    return faults


def _layer_faults(layer: Layer, catalogue: Catalogue, store: Store) -> Iterator[Fault]:
    where = store.location(layer)
    if not store.exists(layer):
        step = "run gisgrid build" if layer.is_derived else "put it there, or change source.path"
        yield Fault("file", 1, where, f"the file {where} is not there; {step}")
        return
    if layer.source is not None and layer.source.sha256 not in {None, store.checksum(layer)}:
        found = store.checksum(layer)
        yield Fault(
            "sha256", 1, where,
            f"the file {where} has the checksum {found} but {layer.source.sha256} is described; "
            "restore the file, or describe the new one",
        )  # fmt: skip
    if layer.is_derived and (why := _stale(layer, catalogue, store)):
        yield Fault("current", 1, layer.id, f"the layer is out of date: {why}; run gisgrid build")
    try:
        value = store.read(layer)
    except GisgridError as error:
        yield Fault("readable", 1, where, str(error))
        return
    faults = value_faults(layer, value)
    yield from faults
    inside = layer.contract.inside
    if inside is None or {"geometry", "crs"} & {fault.rule for fault in faults}:
        return
    parent = catalogue[inside.layer]
    if not store.exists(parent):
        yield Fault(
            "inside",
            1,
            parent.id,
            f"{parent.id!r}, which it lies inside, has no file {store.location(parent)}",
        )
        return
    whole = store.read(parent)
    if isinstance(value, gpd.GeoDataFrame) and isinstance(whole, gpd.GeoDataFrame):
        yield from inside_faults(value, whole, layer=layer, parent=parent, inside=inside)


def _stale(layer: Layer, catalogue: Catalogue, store: Store) -> str:
    gone = [name for name in layer.inputs.values() if not store.exists(catalogue[name])]
    return f"its input {gone[0]} is not there" if gone else out_of_date(layer, catalogue, store)


def _crs_faults(layer: Layer, value: gpd.GeoDataFrame | Surface) -> Iterator[Fault]:
    if layer.crs is not None and not same_crs(value.crs, layer.crs):
        found = crs_label(value.crs) if value.crs is not None else "none"
        yield Fault(
            "crs",
            1,
            found,
            f"the CRS is {found} but {layer.crs} is described; reproject the file, or describe its CRS",
        )


def _surface_faults(surface: Surface) -> Iterator[Fault]:
    if not np.isfinite(surface.values).any():
        size = " by ".join(map(str, surface.values.shape))
        yield Fault("values", surface.values.size, size, f"none of the {size} cells has a value")


def _unique_faults(layer: Layer, value: pd.DataFrame) -> Iterator[Fault]:
    entries = [(entry,) if isinstance(entry, str) else entry for entry in layer.contract.unique]
    if layer.primary_key is not None and (layer.primary_key,) not in entries:
        entries.insert(0, (layer.primary_key,))
    for names in entries:
        if not set(names) <= set(value.columns):
            continue
        rows = value[list(names)]
        name = " with ".join(map(repr, names))
        if names == (layer.primary_key,) and (missing := rows[names[0]].isna()).any():
            n = int(missing.sum())
            yield Fault(
                "unique", n, name, f"{n} of {len(rows)} rows have no {name}, which names a row"
            )
        repeats = rows.duplicated() & rows.notna().all(axis=1)
        if repeats.any():
            n = int(repeats.sum())
            first = ", ".join(map(str, rows[repeats].iloc[0]))
            yield Fault(
                "unique", n, first, f"{n} of {len(rows)} rows repeat a {name} (first: {first})"
            )


def _geometry_faults(layer: Layer, frame: gpd.GeoDataFrame) -> Iterator[Fault]:
    shapes = frame.geometry
    keys = (
        frame[layer.primary_key]
        if layer.primary_key in frame
        else pd.Series(frame.index, frame.index)
    )
    there = ~(frame.geometry.isna() | shapes.is_empty)

    def fault(wrong: pd.Series, clause: str, found: pd.Series | None = None) -> Iterator[Fault]:
        if not wrong.any():
            return
        n, first = int(wrong.sum()), str(keys[wrong].iloc[0])
        detail = f", {found[wrong].iloc[0]}" if found is not None else ""
        message = f"{n} of {len(frame)} rows {clause} (first: {first}{detail})"
        yield Fault("geometry", n, first, message)

    yield from fault(~there, "have no geometry")
    kinds = _TYPE_NAMES.get(layer.geometry, ())
    yield from fault(
        there & ~shapes.geom_type.isin(kinds), f"are no {layer.geometry}", shapes.geom_type
    )
    finite = pd.Series(np.isfinite(shapely.bounds(shapes.array)).all(axis=1), frame.index)
    yield from fault(there & ~finite, "have coordinates that are no numbers")
    invalid = there & finite & ~shapes.is_valid
    reasons = pd.Series(shapely.is_valid_reason(shapes.array), frame.index)
    yield from fault(invalid, "have invalid geometry", reasons)
