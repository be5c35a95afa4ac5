"""What of a layer may be shown, and how? What its description says, as the encoder takes it."""

from __future__ import annotations

from gisgrid.catalogue import Layer
from gisgrid.features import Privacy
from gisgrid.schema import Field
from gisgrid.tiles import LowZoom


def shown_fields(layer: Layer) -> tuple[Field, ...]:
    """Say which fields of a layer may leave the house.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    tuple of Field
        The primary key, then the exposed ones in their order. Where single rows are never shown (`k_threshold`), the
        key is not shown either: it would tell them apart. Nothing of a layer that is not drawn: it is evidence.
    """
    exposed = layer.exposed
    if layer.tiles is None:
        return ()
    if layer.tiles.privacy.k_threshold:
        return tuple(one for one in exposed if one.name != layer.primary_key)
    key = tuple(one for one in layer.fields if one.name == layer.primary_key and one not in exposed)
    return key + exposed


def layer_privacy(layer: Layer) -> Privacy:
    """Say what is hidden of a layer, as the encoder takes it.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    Privacy
        Nothing is hidden where the description says nothing.
    """
    if layer.tiles is None:
        return Privacy()
    said = layer.tiles.privacy
    shown = shown_fields(layer)
    return Privacy(
        k_threshold=said.k_threshold, blur_m=said.blur_m,
        classes=tuple(one.name for one in shown if one.allowed_values is not None),
    )  # fmt: skip


def layer_low_zoom(layer: Layer) -> LowZoom:
    """Say what a layer draws where single features are too many, as the encoder takes it.

    Parameters
    ----------
    layer
        The layer.

    Returns
    -------
    LowZoom
        As the description says.
    """
    if layer.tiles is None:
        return LowZoom()
    said = layer.tiles.low_zoom
    return LowZoom(
        strategy=said.strategy, cell_px=said.cell_px, below=said.below, budget_bytes=said.budget_bytes,
        counts_by=said.counts_by, shares=tuple(said.shares.items()), shape=said.shape,
    )  # fmt: skip
