"""What does a code name, and in which place does that lie?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.codes.forms import Part, as_text, split_codes
from gisgrid.schema import Text


@dataclass(frozen=True, repr=False)
class CodeLayout:
    """How codes of one kind are put together.

    Attributes
    ----------
    id, title, source
        What the scheme is called and where it is laid down.
    parts
        From left to right.
    verified
        False where the layout is believed, not read in the standard itself.
    cut
        Whether codes of the upper levels are the same code, cut short (``110101`` of ``110101001001``).
    padded
        Whether they may also be filled with zeros (``110101000000``).
    unit, unit_title
        What a whole code names; the last place part where nothing else is declared.
    """

    id: str
    title: Text
    source: str
    parts: tuple[Part, ...]
    verified: bool = True
    cut: bool = False
    padded: bool = False
    unit: str = ""
    unit_title: Text | None = None

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        if not names or len(set(names)) < len(names):
            raise InputError(
                f"scheme {self.id!r} has the parts {', '.join(names) or 'none'}; give each part, once"
            )
        where = [part.place for part in self.parts]
        if (self.cut or self.padded) and where != sorted(where, reverse=True):
            raise InputError(
                f"scheme {self.id!r} cannot be cut or padded because {names[where.index(False)]!r} is no place but "
                "stands before one; leave out 'cut' and 'padded'"
            )
        if not self.unit:
            object.__setattr__(self, "unit", self.level_names[-1] if any(where) else names[-1])

    def __repr__(self) -> str:
        parts = " + ".join(f"{part.name} {part.width}" for part in self.parts)
        return f"<{type(self).__name__} {self.id}: {parts} = {self.length} characters>"

    @property
    def length(self) -> int:
        """Characters of a whole code, separators included."""
        return sum(len(part.separator) + part.width for part in self.parts)

    @property
    def level_names(self) -> tuple[str, ...]:
        """The levels of places, the largest first."""
        return tuple(part.name for part in self.parts if part.place)

    def lengths(self, level: str) -> tuple[int, ...]:
        """Say how long the codes of a level are.

        Parameters
        ----------
        level
            One of `level_names`, the unit, or ``any``.

        Returns
        -------
        tuple of int
            From short to long; more than one where codes may be cut or padded.

        Examples
        --------
        >>> from gisgrid.grids.codes.scheme import SCHEMES
        >>> SCHEMES["statistical-12"].lengths("township"), SCHEMES["beijing-15"].lengths("any")
        ((9, 12), (15,))
        """
        ends = np.cumsum([len(part.separator) + part.width for part in self.parts]).tolist()
        short = {
            end
            for part, end in zip(self.parts, ends, strict=True)
            if self.cut and part.place and level in {"any", part.name}
        }
        whole = {self.length} if self.padded or level in {"any", self.unit} or not short else set()
        return tuple(sorted(short | whole))

    def title_of(self, level: str) -> Text:
        """Give the words for a level, or for the unit.

        Parameters
        ----------
        level
            One of `level_names`, or the unit.

        Returns
        -------
        Text
            In Chinese and English.
        """
        if level == self.unit and self.unit_title is not None:
            return self.unit_title
        return self.part(level).title

    def _refusal(self, code: str) -> str:
        lengths = " or ".join(str(length) for length in self.lengths("any"))
        return (
            f"{code!r} is not of the form of {self.id!r}, which has {lengths} characters; "
            "check the scheme and the leading zeros"
        )

    def part(self, name: str) -> Part:
        """Give a part by its name.

        Parameters
        ----------
        name
            One of the parts.

        Returns
        -------
        Part
            The part.

        Raises
        ------
        ColumnError
            There is none of that name.
        """
        for part in self.parts:
            if part.name == name:
                return part
        known = [part.name for part in self.parts]
        raise ColumnError(f"scheme {self.id!r} has no part {name!r}{did_you_mean(name, known)}")

    def split(self, text: pa.Array) -> list[pa.Array]:
        """Cut codes into their parts, without a word about those that are ill-formed.

        Parameters
        ----------
        text
            Shape (n,), strings.

        Returns
        -------
        list of pyarrow.Array
            For each part its values; null where the code ends before it, in all parts where it is ill-formed.
        """
        return split_codes(text, self.parts, cut=self.cut, padded=self.padded)

    def levels(self, codes: pd.Series) -> pd.Series:
        """Say what each code names: a level of places, or the scheme's unit.

        Parameters
        ----------
        codes
            Shape (n,), text.

        Returns
        -------
        Series
            Text, indexed like `codes`; null where a code is ill-formed.

        Examples
        --------
        >>> from gisgrid.grids.codes.scheme import SCHEMES
        >>> SCHEMES["statistical-12"].levels(pd.Series(["11", "110101000000", "110101001001", "x"])).to_list()
        ['province', 'county', 'village', nan]
        """
        return pd.Series(self.named(self.split(as_text(codes))), index=codes.index, dtype="str")

    def named(self, parts: list[pa.Array]) -> NDArray[np.object_]:
        """Say what codes name that were cut into their parts.

        Parameters
        ----------
        parts
            What `split` gives.

        Returns
        -------
        ndarray
            Shape (n,): a level, the unit, or None where a code is ill-formed.
        """
        depth = np.zeros(len(parts[0]), dtype=np.int64)
        for values in parts:
            depth += np.asarray(values.is_valid())
        meaning = np.array(
            [None, *(part.name for part in self.parts[:-1]), self.unit], dtype=object
        )
        return np.asarray(meaning[depth], dtype=object)

    def level(self, code: str) -> str:
        """Say what a code names.

        Parameters
        ----------
        code
            One code.

        Returns
        -------
        str
            The name of a level, or of the scheme's unit.

        Raises
        ------
        InputError
            The code is ill-formed.

        Examples
        --------
        >>> from gisgrid.grids.codes.scheme import SCHEMES
        >>> SCHEMES["statistical-12"].level("110101001"), SCHEMES["component-16-2013"].level("1101010101000001")
        ('township', 'component')
        """
        named = self.named(self.split(pa.array([code])))[0]
        if named is None:
            raise InputError(self._refusal(code))
        return str(named)

    def place_codes(self, codes: pd.Series, *, level: str) -> pd.Series:
        """Give the code of the place of one level in which each code lies.

        Parameters
        ----------
        codes
            Shape (n,), text.
        level
            One of `level_names`.

        Returns
        -------
        Series
            Text, indexed like `codes`: the parts that say where, down to that level. Null where a code is ill-formed
            or names something larger.

        Raises
        ------
        ColumnError
            The scheme has no such level.

        Examples
        --------
        >>> from gisgrid.grids.codes.scheme import SCHEMES
        >>> SCHEMES["cjt349-20"].place_codes(pd.Series(["01010011010100100100"]), level="village").to_list()
        ['110101001001']
        """
        if level not in self.level_names:
            raise ColumnError(
                f"scheme {self.id!r} has no level {level!r}{did_you_mean(level, self.level_names)}"
            )
        pieces: list[pa.Array | str] = []
        for part, values in zip(self.parts, self.split(as_text(codes)), strict=True):
            if part.place:
                pieces += [part.separator, values]
            if part.name == level:
                break
        return text_series(pc.binary_join_element_wise(*pieces, ""), codes.index)

    def parents(self, codes: pd.Series) -> pd.Series:
        """Give the code of the place one level above each code.

        Parameters
        ----------
        codes
            Shape (n,), text.

        Returns
        -------
        Series
            Text, indexed like `codes`; null above the largest level and where a code is ill-formed.

        Examples
        --------
        >>> from gisgrid.grids.codes.scheme import SCHEMES
        >>> SCHEMES["statistical-12"].parents(pd.Series(["11", "1101", "110101001001"])).to_list()
        [nan, '11', '110101001']
        """
        above = dict(zip(self.level_names[1:], self.level_names, strict=False))
        if self.level_names and self.unit not in self.level_names:
            above[self.unit] = self.level_names[-1]
        levels = self.levels(codes)
        parents = pd.Series(None, index=codes.index, dtype="str")
        for name in levels.dropna().unique():
            if name in above:
                at = levels == name
                places = self.place_codes(codes, level=above[name])
                parents = places if at.all() else parents.where(~at, places)
        return parents

    def parent(self, code: str) -> str | None:
        """Give the code of the place one level above.

        Parameters
        ----------
        code
            One code.

        Returns
        -------
        str or None
            None above the largest level.

        Raises
        ------
        InputError
            The code is ill-formed.

        Examples
        --------
        >>> from gisgrid.grids.codes.scheme import SCHEMES
        >>> SCHEMES["beijing-15"].parent("110101001002013"), SCHEMES["statistical-12"].parent("11")
        ('110101001002', None)
        """
        self.level(code)
        above = self.parents(pd.Series([code])).iloc[0]
        return None if pd.isna(above) else str(above)


def text_series(values: pa.Array, index: pd.Index) -> pd.Series:
    """Give strings of pyarrow as a column of text.

    Parameters
    ----------
    values
        Shape (n,), strings.
    index
        Shape (n,).

    Returns
    -------
    Series
        Shape (n,), text, null where `values` are.
    """
    return pd.Series(pd.array(values, dtype="str"), index=index)
