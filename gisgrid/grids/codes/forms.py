"""Which parts is a code made of, and how does a file declare them?"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)

from gisgrid.errors import InputError, did_you_mean
from gisgrid.files import first_line
from gisgrid.schema import Text

Characters = Literal["digits", "letters", "letters_and_digits"]

BUILT_IN: Final = Path(str(resources.files("gisgrid.grids.codes") / "schemes"))
"""The folder of the schemes that come with gisgrid."""

_CLASS: Final[Mapping[Characters, str]] = {
    "digits": "[0-9]",
    "letters": "[A-Za-z]",
    "letters_and_digits": "[0-9A-Za-z]",
}
_MAX_FILE_BYTES: Final = 1_000_000
_Identifier = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
_SchemeId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]*$")]


class CodeRange(BaseModel):
    """Values of a part from `first` to `last`, both included, and their words; one value where there is no `last`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    first: str
    last: str = ""
    title: Text

    @property
    def end(self) -> str:
        """The last value."""
        return self.last or self.first


class Part(BaseModel):
    """Some characters of a code that mean one thing.

    Attributes
    ----------
    name, title
        What the part says; a place part's name is also the name of its level.
    width
        How many characters.
    characters
        Which ones.
    separator
        What is written before the part, for example ``-``.
    place
        Whether the part says where; a class or the serial number of a thing does not.
    ranges
        The values there are, with their words; any value where none are declared.
    strict
        Whether a value outside the ranges is a fault; otherwise the ranges only give words.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Identifier
    title: Text
    width: Annotated[int, Field(ge=1, le=64)]
    characters: Characters = "digits"
    separator: str = ""
    place: bool = True
    ranges: tuple[CodeRange, ...] = ()
    strict: bool = True

    @model_validator(mode="after")
    def _ranges_fit(self) -> Self:
        for span in self.ranges:
            if {len(span.first), len(span.end)} != {self.width} or span.first > span.end:
                raise ValueError(
                    f"part {self.name!r} is {self.width} wide but has the range {span.first}-{span.end}; "
                    "write both ends in full, the lower one first"
                )
        return self

    @property
    def pattern(self) -> str:
        """The characters of the part as a regular expression."""
        return f"{_CLASS[self.characters]}{{{self.width}}}"

    def words(self, value: str) -> Text | None:
        """Give the words of a value, or None where its ranges have none for it."""
        return next((span.title for span in self.ranges if span.first <= value <= span.end), None)

    def allows(self, value: str) -> bool:
        """Tell whether a value may stand here."""
        return not (self.ranges and self.strict) or self.words(value) is not None


class Unit(BaseModel):
    """What a whole code names where that is no place: a component, a case."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: _Identifier
    title: Text


class _Include(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    include: _SchemeId


def _entry(part: object) -> str:
    return "include" if isinstance(part, dict) and "include" in part else "part"


_Entry = Annotated[
    Annotated[Part, Tag("part")] | Annotated[_Include, Tag("include")], Discriminator(_entry)
]


class SchemeFile(BaseModel):
    """The keys of a scheme's file; `parts` may include those of another scheme by its id."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: _SchemeId
    title: Text
    source: str
    verified: bool = True
    cut: bool = False
    padded: bool = False
    unit: Unit | None = None
    parts: tuple[_Entry, ...]


def read_scheme_file(path: Path) -> tuple[SchemeFile, tuple[Part, ...]]:
    """Read the file of a scheme.

    Parameters
    ----------
    path
        A TOML file.

    Returns
    -------
    tuple
        The file's keys, and its parts with those that it includes in their place.

    Raises
    ------
    InputError
        The file is not there or too large, is no TOML, breaks a rule of its keys, or includes itself or what is not
        there.
    """
    return _read(path, above=())


def _read(path: Path, *, above: tuple[str, ...]) -> tuple[SchemeFile, tuple[Part, ...]]:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            raise InputError(
                f"{path.name!r} is {path.stat().st_size} bytes long, which no code scheme is; give a TOML file"
            )
        found = SchemeFile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        faults = error.errors(include_url=False)
        fault = next((f for f in faults if f["type"] == "extra_forbidden"), faults[0])
        steps = [str(step) for step in fault["loc"] if step not in {"part", "include"}]
        where = ".".join(step for step in steps if "[" not in step)
        raise InputError(
            f"{path.name!r} is no code scheme: {where or 'the file'}: {fault['msg']}; "
            "take one of gisgrid/grids/schemes as a pattern"
        ) from error
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise InputError(f"{path.name!r} cannot be read as TOML: {first_line(error)}") from error
    parts: list[Part] = []
    for part in found.parts:
        if isinstance(part, Part):
            parts.append(part)
        else:
            parts += _included(part.include, beside=path.parent, above=(*above, found.id))
    return found, tuple(parts)


def _included(scheme: str, *, beside: Path, above: tuple[str, ...]) -> tuple[Part, ...]:
    if scheme in above:
        raise InputError(
            f"scheme {scheme!r} includes itself ({' > '.join([*above, scheme])}); write its parts out once"
        )
    for folder in (beside, BUILT_IN):
        if (folder / f"{scheme}.toml").is_file():
            return _read(folder / f"{scheme}.toml", above=above)[1]
    known = {file.stem for folder in (beside, BUILT_IN) for file in folder.glob("*.toml")}
    raise InputError(
        f"scheme {above[-1]!r} includes {scheme!r}, which is not there{did_you_mean(scheme, known)}"
    )


def code_pattern(parts: Sequence[Part], *, cut: bool) -> str:
    """Write the form of a code as a regular expression.

    Parameters
    ----------
    parts
        From left to right.
    cut
        Whether a code may end after any part that is a place.

    Returns
    -------
    str
        For RE2, anchored at both ends.
    """
    tail = ""
    for i in reversed(range(len(parts))):
        tail = f"{re.escape(parts[i].separator)}{parts[i].pattern}{tail}"
        if cut and i and parts[i - 1].place:
            tail = f"(?:{tail})?"
    return f"^{tail}$"


def as_text(codes: pd.Series) -> pa.Array:
    """Take a column of codes as text, as it stands; what is no text becomes null.

    Parameters
    ----------
    codes
        Shape (n,), any type.

    Returns
    -------
    pyarrow.Array
        Shape (n,), strings.
    """
    if isinstance(codes.dtype, pd.CategoricalDtype):
        codes = codes.astype(codes.dtype.categories.dtype)
    if isinstance(codes.dtype, pd.StringDtype):
        text = pa.array(codes, from_pandas=True).cast(pa.string())
        return text.combine_chunks() if isinstance(text, pa.ChunkedArray) else text
    if codes.dtype != object:
        return pa.nulls(len(codes), pa.string())
    if pd.api.types.infer_dtype(codes, skipna=True) not in {"string", "empty"}:
        codes = codes.where(codes.map(lambda value: isinstance(value, str)), None)
    return pa.array(codes.to_numpy(dtype=object), type=pa.string(), from_pandas=True)


def split_codes(
    text: pa.Array, parts: Sequence[Part], *, cut: bool, padded: bool
) -> list[pa.Array]:
    """Cut codes into their parts.

    Parameters
    ----------
    text
        Shape (n,), strings.
    parts
        From left to right.
    cut
        Whether a code may end after any part that is a place.
    padded
        Whether zeros at the end of a whole code stand for parts that are not there.

    Returns
    -------
    list of pyarrow.Array
        For each part its values, shape (n,); null where the code ends before it or is ill-formed. The first part is
        null where and only where the code is ill-formed.
    """
    formed = pc.fill_null(
        pc.match_substring_regex(text, code_pattern(parts, cut=cut)), fill_value=False
    )
    values, at = [], 0
    for part in parts:
        start, at = at + len(part.separator), at + len(part.separator) + part.width
        there = pc.and_(formed, pc.greater_equal(pc.binary_length(text), at)) if cut else formed
        values.append(pc.if_else(there, pc.utf8_slice_codeunits(text, start, at), None))
    if padded:
        ended = pc.is_valid(values[-1])
        for i in reversed(range(1, len(parts))):
            blank = pc.fill_null(pc.equal(values[i], "0" * parts[i].width), fill_value=False)
            ended = pc.and_(ended, blank)
            values[i] = pc.if_else(ended, None, values[i])
    return values
