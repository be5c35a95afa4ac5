"""Which derived layers are out of date, why, and how are they made again?"""

from __future__ import annotations

import importlib
import inspect
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import geopandas as gpd

from gisgrid import __version__
from gisgrid.catalogue.catalogue import Catalogue
from gisgrid.catalogue.layer import Derived, Layer, Parameter
from gisgrid.catalogue.provenance import InputRecord, Provenance, Value, row_count, versions
from gisgrid.catalogue.store import Store, same_crs
from gisgrid.crs import crs_label
from gisgrid.errors import CatalogueError, ContractError, GisgridError, did_you_mean
from gisgrid.progress import Progress, silent
from gisgrid.schema import column_faults
from gisgrid.surface import Surface


@dataclass(frozen=True)
class Derivation:
    """What a derived layer's function gives back.

    Attributes
    ----------
    value
        A GeoDataFrame, a table or a `Surface`.
    excluded
        Rows of the inputs that are not in the result, by reason.
    notes
        Decisions a reader should know, for example a reprojection.
    """

    value: Value
    excluded: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Step:
    """What `build` did about one derived layer.

    Attributes
    ----------
    layer
        Its id.
    status
        ``built``; ``current`` (nothing to do); ``waiting`` (an input is not there); ``failed``.
    why
        Why it was built, what it waits for, or what failed; empty for ``current``.
    n_rows
        Rows of the result, where there is one with rows.
    excluded
        Rows of the inputs that are not in the result, by reason.
    seconds
        How long it took.
    """

    layer: str
    status: Literal["built", "current", "waiting", "failed"]
    why: str = ""
    n_rows: int | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0


def build(
    catalogue: Catalogue,
    store: Store,
    *,
    only: Collection[str] | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> tuple[Step, ...]:
    """Make every derived layer that is out of date, and nothing else.

    Each comes after the layers it is made from. One that cannot be made does not keep the others from being made.

    Parameters
    ----------
    catalogue
        The layers.
    store
        Their data.
    only
        Ids of derived layers; they and the derived layers they are made from are looked at. All by default.
    force
        Make them even if they are current.
    progress
        Told 0 when a layer begins to be made and 1 when a layer is done with, by the layer's id.

    Returns
    -------
    tuple of Step
        One per layer looked at, in the order of the work. A step that is ``waiting`` or ``failed`` says why.

    Raises
    ------
    LayerNotFoundError
        `only` names no layer.
    CatalogueError
        `only` names a source, which is given and not made.
    """
    wanted = _wanted(catalogue, only)
    frames: dict[str, Value] = {}
    steps: dict[str, Step] = {}
    for layer, derived in wanted:
        started = time.perf_counter()
        try:
            waits = _waits_for(layer, catalogue, store, steps)
            why = "asked for" if force else out_of_date(layer, catalogue, store)
            if waits:
                step = Step(layer.id, "waiting", waits)
            elif not why:
                record = store.provenance(layer)
                step = Step(layer.id, "current", n_rows=record.n_rows if record else None)
            else:
                progress(layer.id, 0.0)
                record = _make(layer, derived, catalogue, store, frames)
                seconds = time.perf_counter() - started
                step = Step(layer.id, "built", why, record.n_rows, record.excluded, seconds)
        except GisgridError as error:
            step = Step(layer.id, "failed", str(error), seconds=time.perf_counter() - started)
        steps[layer.id] = step
        progress(layer.id, 1.0)
    return tuple(steps.values())


def out_of_date(layer: Layer, catalogue: Catalogue, store: Store) -> str:
    """Say why a derived layer must be made again.

    Parameters
    ----------
    layer
        A derived layer whose inputs are there.
    catalogue
        The layers.
    store
        Their data.

    Returns
    -------
    str
        Empty where it is current. Else: it is not there, its file is not the one that was made, or an input, the
        function, its parameters or the version of gisgrid are not those it was made with.
    """
    return next(_reasons(layer, catalogue, store), "")


def derivation_function(layer: Layer) -> Callable[..., Derivation]:
    """Find the function that makes a derived layer, and see that it takes the layer's inputs and parameters.

    Parameters
    ----------
    layer
        A derived layer.

    Returns
    -------
    callable
        Called with the inputs' frames and the parameters by keyword; gives a `Derivation`.

    Raises
    ------
    CatalogueError
        There is no such module or function, or it takes other arguments.
    """
    if layer.derived is None:
        raise CatalogueError(
            f"layer {layer.id!r} is a source, so no function makes it; name a derived layer"
        )
    module_name, _, name = layer.derived.function.partition(":")
    what = f"layer {layer.id!r} is made by {layer.derived.function!r}"
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        raise CatalogueError(
            f"{what}, but there is no module {error.name!r}; install it or mend derived.function"
        ) from error
    function: Callable[..., Derivation] | None = getattr(module, name, None)
    if not callable(function):
        known = [key for key in vars(module) if not key.startswith("_")]
        raise CatalogueError(
            f"{what}, but {module_name} has no function {name!r}{did_you_mean(name, known)}"
        )
    takes = inspect.signature(function).parameters
    given = {*layer.derived.inputs, *layer.derived.parameters}
    if any(each.kind is each.VAR_KEYWORD for each in takes.values()):
        return function
    for key in sorted(given - set(takes)):
        raise CatalogueError(f"{what}, which takes no {key!r}{did_you_mean(key, takes)}")
    needed = {key for key, each in takes.items() if each.default is each.empty} - {"timezone"}
    for key in sorted(needed - given):
        raise CatalogueError(
            f"{what}, which needs {key!r}; add it under derived.inputs or derived.parameters"
        )
    return function


def _reasons(layer: Layer, catalogue: Catalogue, store: Store) -> Iterator[str]:
    """Give every reason to make a layer again, the cheapest to find first."""
    if layer.derived is None:
        return
    record = store.provenance(layer)
    if record is None or not store.exists(layer):
        yield "it was not built yet"
        return
    if record.function != layer.derived.function:
        yield f"it was made by {record.function}"
    if not _same_parameters(record, layer.derived, catalogue):
        yield "its parameters have changed"
    made_with = record.versions.get("gisgrid", "?")
    if made_with != __version__:
        yield f"it was made by gisgrid {made_with} and this is {__version__}"
    if {key: entry.layer for key, entry in record.inputs.items()} != dict(layer.inputs):
        yield "it is made from other layers now"
        return
    for entry in record.inputs.values():
        if entry.sha256 != store.checksum(catalogue[entry.layer]):
            yield f"{entry.layer} has changed"
    if record.sha256 != store.checksum(layer):
        yield "its file is not the one that was built"


def _wanted(catalogue: Catalogue, only: Collection[str] | None) -> list[tuple[Layer, Derived]]:
    order = catalogue.build_order()
    wanted = {layer.id for layer in order} if only is None else set(only)
    for name in wanted:
        if not catalogue[name].is_derived:
            raise CatalogueError(
                f"layer {name!r} is a source, which is given and not made; name a derived layer: "
                f"{', '.join(layer.id for layer in order)}"
            )
    for layer in reversed(order):
        if layer.id in wanted:
            wanted |= {name for name in layer.inputs.values() if catalogue[name].is_derived}
    return [(layer, layer.derived) for layer in order if layer.id in wanted and layer.derived]


def _waits_for(layer: Layer, catalogue: Catalogue, store: Store, steps: Mapping[str, Step]) -> str:
    for name in layer.inputs.values():
        if name in steps and steps[name].status in {"waiting", "failed"}:
            return f"it is made from {name}, which is {steps[name].status}"
        source = catalogue[name]
        if not source.is_derived and not store.exists(source):
            return f"it is made from {name}, whose file {store.location(source)} is not there"
    return ""


def _parameters(
    function: Callable[..., Derivation], derived: Derived, catalogue: Catalogue
) -> dict[str, Parameter]:
    """Give the parameters; a function that counts days in a time zone gets the catalogue's unless told otherwise."""
    parameters = dict(derived.parameters)
    if "timezone" in inspect.signature(function).parameters:
        parameters.setdefault("timezone", catalogue.about.timezone)
    return parameters


def _same_parameters(record: Provenance, derived: Derived, catalogue: Catalogue) -> bool:
    """Compare without the function itself, so that nothing is imported where there is nothing to do."""
    now = dict(derived.parameters)
    if "timezone" in record.parameters:
        now.setdefault("timezone", catalogue.about.timezone)
    return dict(record.parameters) == now


def _make(
    layer: Layer,
    derived: Derived,
    catalogue: Catalogue,
    store: Store,
    frames: dict[str, Value],
) -> Provenance:
    function = derivation_function(layer)
    inputs: dict[str, Any] = {}
    records: dict[str, InputRecord] = {}
    for key, name in layer.inputs.items():
        checksum = store.checksum(catalogue[name])
        if name not in frames:
            frames[name] = _read_as_declared(catalogue[name], store)
        inputs[key] = frames[name]
        records[key] = InputRecord(
            layer=name, sha256=checksum, n_rows=row_count(frames[name]), crs=_label(frames[name])
        )
    parameters = _parameters(function, derived, catalogue)
    made = function(**inputs, **parameters)
    _hold_to_description(layer, made.value)
    store.write(layer, made.value)
    record = Provenance(
        layer=layer.id,
        function=derived.function,
        parameters=parameters,
        inputs=records,
        excluded=made.excluded,
        notes=made.notes,
        n_rows=row_count(made.value),
        crs=_label(made.value),
        sha256=store.checksum(layer),
        versions=versions(),
    )
    store.write_provenance(record)
    return record


def _read_as_declared(layer: Layer, store: Store) -> Value:
    value = store.read(layer)
    if layer.crs is not None:
        _demand_crs(layer, value, store.location(layer))
    return value


def _hold_to_description(layer: Layer, value: Value) -> None:
    if layer.crs is not None:
        _demand_crs(layer, value, "what its function made")
    if isinstance(value, Surface):
        return
    if faults := column_faults(value, layer.fields, key=layer.primary_key):
        sentences = "; ".join(fault.message for fault in faults)
        raise ContractError(
            f"layer {layer.id!r} was made but breaks its description ({sentences}), so nothing was written; "
            "mend its [[fields]] or its function"
        )


def _demand_crs(layer: Layer, value: Value, what: str) -> None:
    crs = value.crs if isinstance(value, Surface | gpd.GeoDataFrame) else None
    if layer.crs is not None and not same_crs(crs, layer.crs):
        found = crs_label(crs) if crs is not None else "without a CRS"
        raise ContractError(
            f"layer {layer.id!r} is described in {layer.crs} but {what} is in {found}, and nothing is reprojected "
            "silently; change crs in its layer.toml, or reproject the file"
        )


def _label(value: Value) -> str | None:
    if isinstance(value, Surface | gpd.GeoDataFrame) and value.crs is not None:
        return crs_label(value.crs)
    return None
