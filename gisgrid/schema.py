"""Does a table keep the contract of its columns?

A field says its name, type, unit, allowed values and whether it may be missing; `column_faults` holds a frame against
the fields and lists every fault, once per rule, with its count and its first offender.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

FieldType = Literal["string", "integer", "number", "boolean", "datetime", "date"]


class Text(BaseModel):
    """The same words in Chinese and in English."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    zh: str
    en: str


class Field(BaseModel):
    """One column of a layer, as its contract states it.

    Where `labels` gives the allowed values their words, they need not be listed again under `allowed`.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    type: FieldType
    unit: str | None = None
    allowed: tuple[str | int, ...] | None = None
    labels: Mapping[str, Text] | None = None
    minimum: float | None = None
    maximum: float | None = None
    nullable: bool = False
    description: Text

    @property
    def allowed_values(self) -> tuple[str | int, ...] | None:
        """The values this column may hold, or None where any will do."""
        if self.allowed is not None:
            return self.allowed
        return tuple(self.labels) if self.labels is not None else None


@dataclass(frozen=True)
class Fault:
    """One rule that data break: which, how often, where first, and the sentence for a reader.

    Attributes
    ----------
    rule
        A word for the rule, for example ``type`` or ``unique``.
    n
        How many rows, features or pairs break it.
    first
        The first offender, as a reader would look it up.
    message
        The sentence.
    """

    rule: str
    n: int
    first: str
    message: str


def column_faults(
    frame: pd.DataFrame, fields: Sequence[Field], *, key: str | None = None
) -> list[Fault]:
    """List where a frame breaks the contract of its columns.

    Parameters
    ----------
    frame
        Any frame; a geometry column is not looked at.
    fields
        The contract.
    key
        The column that names a row in the messages; its position otherwise.

    Returns
    -------
    list of Fault
        Empty when the contract holds. Columns that no field describes are faults too: what is not described
        cannot be trusted or exposed.

    Examples
    --------
    >>> text = Text(zh="人口", en="Residents")
    >>> field = Field(name="population", type="integer", minimum=0, description=text)
    >>> column_faults(pd.DataFrame({"population": [3, 0]}), [field])
    []
    >>> column_faults(pd.DataFrame({"population": [3, -1]}), [field])[0].message
    "1 of 2 values of 'population' are below 0 (first: row 1, -1)"
    """
    faults = list(_name_faults(frame, fields))
    rows = (
        frame[key].astype("string")
        if key is not None and key in frame
        else pd.Series(frame.index).map("row {}".format)
    )
    rows.index = frame.index
    for field in fields:
        if field.name in frame.columns:
            faults += _value_faults(frame[field.name], field, rows)
    return faults


def _name_faults(frame: pd.DataFrame, fields: Sequence[Field]) -> Iterable[Fault]:
    known = {field.name for field in fields}
    geometry = getattr(frame, "_geometry_column_name", None)
    for field in fields:
        if field.name not in frame.columns:
            yield Fault(
                "missing", 1, field.name, f"column {field.name!r} is described but not in the data"
            )
    for column in frame.columns:
        if column not in known and column != geometry:
            yield Fault(
                "undescribed",
                1,
                str(column),
                f"column {column!r} is in the data but no field describes it",
            )


def _value_faults(values: pd.Series, field: Field, rows: pd.Series) -> Iterable[Fault]:
    missing = values.isna()
    if not field.nullable and missing.any():
        yield _fault("nullable", missing, values, rows, f"of {field.name!r} are missing")
    if not _has_type(values, field.type):
        yield Fault(
            "type",
            1,
            field.name,
            f"column {field.name!r} should be {field.type} but is {values.dtype}",
        )
        return
    if (allowed := field.allowed_values) is not None:
        wrong = ~missing & ~values.isin(allowed)
        if wrong.any():
            yield _fault(
                "allowed",
                wrong,
                values,
                rows,
                f"of {field.name!r} are not among {', '.join(map(str, allowed))}",
            )
    if field.minimum is not None and (wrong := values < field.minimum).any():
        yield _fault(
            "minimum", wrong, values, rows, f"of {field.name!r} are below {field.minimum:g}"
        )
    if field.maximum is not None and (wrong := values > field.maximum).any():
        yield _fault(
            "maximum", wrong, values, rows, f"of {field.name!r} are above {field.maximum:g}"
        )


def _fault(rule: str, wrong: pd.Series, values: pd.Series, rows: pd.Series, clause: str) -> Fault:
    wrong = wrong.fillna(value=False).astype(bool)
    first = f"{rows[wrong].iloc[0]}, {values[wrong].iloc[0]}"
    n = int(wrong.sum())
    return Fault(rule, n, first, f"{n} of {len(values)} values {clause} (first: {first})")


_HAS_DTYPE: Final[Mapping[FieldType, Callable[[pd.Series], bool]]] = {
    "string": lambda values: pd.api.types.infer_dtype(values.dropna()) in {"string", "empty"},
    "integer": lambda values: pd.api.types.is_integer_dtype(values.dtype),
    "number": lambda values: (
        pd.api.types.is_numeric_dtype(values.dtype) and not pd.api.types.is_bool_dtype(values.dtype)
    ),
    "boolean": lambda values: pd.api.types.is_bool_dtype(values.dtype),
    "datetime": lambda values: isinstance(values.dtype, pd.DatetimeTZDtype),
    "date": lambda values: (
        pd.api.types.infer_dtype(values.dropna()) in {"date", "datetime64", "empty"}
    ),
}


def _has_type(values: pd.Series, kind: FieldType) -> bool:
    """Tell whether a column holds what its field says; a column of nothing but gaps holds anything but times."""
    return bool((values.isna().all() and kind != "datetime") or _HAS_DTYPE[kind](values))
