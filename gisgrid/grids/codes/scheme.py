"""What does a code say: which province, which street, which community, which grid?

A scheme is a file that declares the parts of a code. Codes of one length are cut differently by different schemes, so
a code is nothing without its scheme.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import pandas as pd

from gisgrid.errors import ColumnError, InputError, did_you_mean
from gisgrid.grids.codes.faults import CodeFault, code_faults
from gisgrid.grids.codes.forms import BUILT_IN, Part, as_text, read_scheme_file
from gisgrid.grids.codes.layout import CodeLayout, text_series

Language = Literal["zh", "en"]


@dataclass(frozen=True, repr=False)
class CodeScheme(CodeLayout):
    """How codes of one kind are put together, read, checked and said in words.

    Attributes are those of `CodeLayout`.
    """

    @classmethod
    def from_file(cls, path: str | Path) -> CodeScheme:
        """Read a scheme that a city declares for itself.

        Parameters
        ----------
        path
            A TOML file like those in ``gisgrid/grids/schemes``. It may include the parts of these, and of schemes
            beside it, by id.

        Returns
        -------
        CodeScheme
            The scheme.

        Raises
        ------
        InputError
            The file is not there, is no TOML, or breaks a rule of its keys.
        """
        found, parts = read_scheme_file(Path(path))
        return cls(
            id=found.id, title=found.title, source=found.source, parts=parts, verified=found.verified,
            cut=found.cut, padded=found.padded, unit=found.unit.name if found.unit else "",
            unit_title=found.unit.title if found.unit else None,
        )  # fmt: skip

    def parse(
        self, codes: pd.Series, *, ill_formed: Literal["refuse", "null"] = "refuse"
    ) -> pd.DataFrame:
        """Take codes apart.

        Parameters
        ----------
        codes
            Shape (n,), text. Only length and characters are looked at; for the ranges ask `validate`.
        ill_formed
            What becomes of a code that is missing or not of this form: ``refuse`` them all, or ``null`` parts.

        Returns
        -------
        DataFrame
            Indexed like `codes`: a text column for each part, null where the code ends before it or is filled with
            zeros from there on.

        Raises
        ------
        InputError
            A code is ill-formed and `ill_formed` is ``refuse``.

        Notes
        -----
        Cost: a million codes in 1 s.

        Examples
        --------
        >>> SCHEMES["beijing-15"].parse(pd.Series(["110101001002013"])).iloc[0].to_list()
        ['11', '01', '01', '001', '002', '013']
        >>> SCHEMES["statistical-12"].parse(pd.Series(["110101000000"])).iloc[0].dropna().to_list()
        ['11', '01', '01']
        """
        parts = self.split(as_text(codes))
        wrong = np.asarray(parts[0].is_null())
        if wrong.any() and ill_formed == "refuse":
            at = int(np.argmax(wrong))
            raise InputError(
                f"{int(wrong.sum())} of {len(codes)} codes are not of the form of {self.id!r} (first: row "
                f"{codes.index[at]}, {codes.iloc[at]!r}); list what is wrong with "
                f"code_scheme({self.id!r}).validate(codes)"
            )
        columns = {
            part.name: text_series(values, codes.index)
            for part, values in zip(self.parts, parts, strict=True)
        }
        return pd.DataFrame(columns, index=codes.index)

    def build(self, parts: pd.DataFrame) -> pd.Series:
        """Put codes together from their parts.

        Parameters
        ----------
        parts
            A column for each part. Whole numbers are filled with zeros to the width of the part; text must have it.
            Where the scheme may be cut, the last parts may be null or have no column.

        Returns
        -------
        Series
            Text, indexed like `parts`.

        Raises
        ------
        InputError
            A value does not fit its part, or is missing.

        Examples
        --------
        >>> scheme = SCHEMES["beijing-15"]
        >>> scheme.build(scheme.parse(pd.Series(["110101001002013"])).assign(unit_grid=14)).to_list()
        ['110101001002014']
        """
        code = pd.Series("", index=parts.index, dtype="str")
        ended = np.zeros(len(parts), dtype=bool)
        for i, part in enumerate(self.parts):
            values: pd.Series = (
                _as_part(parts[part.name], part)
                if part.name in parts
                else pd.Series(np.nan, index=parts.index, dtype="str")
            )
            gone = values.isna().to_numpy()
            may_end = self.cut and i > 0 and self.parts[i - 1].place
            broken = (ended & ~gone) | (gone & ~ended & (not may_end))
            if broken.any():
                raise InputError(
                    f"{int(broken.sum())} of {len(parts)} codes of {self.id!r} have no {part.name!r}, or have it after "
                    f"a gap (first: row {parts.index[int(np.argmax(broken))]}); give all parts from the left"
                )
            ended |= gone
            code = code.where(gone, code + part.separator + values.fillna("").astype("str"))
        return code

    def validate(self, codes: pd.Series, *, level: str | None = None) -> list[CodeFault]:
        """List what is wrong with codes, and the code that was meant where that can be proved.

        Parameters
        ----------
        codes
            Shape (n,), as read: text, or the numbers that a spreadsheet made of it.
        level
            What all codes must name: one of `level_names`, the scheme's `unit` where nothing is said, or ``any``.

        Returns
        -------
        list of CodeFault
            Per rule how many codes break it, the first one, the sentence in both languages, the rows and what they
            should say. A faulty code is in one fault, that of the first rule it breaks. Empty when all are right.

        Raises
        ------
        ColumnError
            The scheme has no such level.

        Notes
        -----
        Cost: a million codes in 1 s, in a few where all are wrong.

        Examples
        --------
        >>> scheme = SCHEMES["statistical-12"]
        >>> scheme.validate(pd.Series(["110101001001"]))
        []
        >>> for fault in scheme.validate(pd.Series(["1101010010", "１10101001001", "110101001700"])):
        ...     print(fault.message.en)
        1 of 3 codes has full-width characters (first: '１10101001001'); write '110101001001'
        1 of 3 codes has a village outside the ranges of statistical-12 (first: '110101001700', 700)
        1 of 3 codes is not 12 characters long (first: '1101010010', 10)
        """
        if level not in {None, "any", self.unit, *self.level_names}:
            known = ["any", self.unit, *self.level_names]
            raise ColumnError(
                f"scheme {self.id!r} has no level {level!r}{did_you_mean(str(level), known)}"
            )
        return code_faults(codes, self, level=level or self.unit)

    def explain(
        self, code: str, *, language: Language = "zh", names: Mapping[str, str] | None = None
    ) -> str:
        """Say a code in words.

        Parameters
        ----------
        code
            One code.
        language
            ``zh`` or ``en``.
        names
            Names of places by their codes, where they are known.

        Returns
        -------
        str
            A line: the code, then what each part says.

        Raises
        ------
        InputError
            The code is ill-formed.

        Examples
        --------
        >>> print(SCHEMES["statistical-12"].explain("110101001", language="en", names={"110101": "Dongcheng"}))
        110101001: province 11 (Beijing), prefecture 01 (city), county 01 (Dongcheng), township 001 (street)
        >>> print(SCHEMES["urban-rural-3"].explain("112"))
        112：城乡分类 112（城乡结合区）
        """
        said, place = [], ""
        for name, value in self.parse(pd.Series([code])).iloc[0].dropna().items():
            part = self.part(str(name))
            place += part.separator + value if part.place else ""
            words = part.words(value)
            note = (names or {}).get(place) if part.place else None
            note = note or (getattr(words, language) if words else None)
            brackets = ("（{}）" if language == "zh" else " ({})").format(note) if note else ""
            said.append(f"{getattr(part.title, language)} {value}{brackets}")
        return f"{code}：{'，'.join(said)}" if language == "zh" else f"{code}: {', '.join(said)}"


def code_scheme(name: str | Path) -> CodeScheme:
    """Find a scheme by its id, or read it from a file.

    Parameters
    ----------
    name
        The id of one of `SCHEMES`, or the path of a TOML file.

    Returns
    -------
    CodeScheme
        The scheme.

    Raises
    ------
    InputError
        There is neither a scheme nor a file of that name, or the file is no scheme.

    Examples
    --------
    >>> code_scheme("beijing-15").length
    15
    """
    if str(name) in SCHEMES:
        return SCHEMES[str(name)]
    if Path(name).suffix == ".toml":
        return CodeScheme.from_file(name)
    raise InputError(
        f"there is no code scheme {str(name)!r}{did_you_mean(str(name), SCHEMES)}; "
        "a scheme of your own is a .toml file"
    )


def _as_part(values: pd.Series, part: Part) -> pd.Series:
    """Write values of a part in its width; whole numbers get zeros in front."""
    if pd.api.types.is_integer_dtype(values.dtype):
        text = values.astype("str").str.zfill(part.width)
    else:
        text = text_series(as_text(values), values.index)
    wrong = values.notna() & ~text.str.fullmatch(part.pattern).fillna(value=False).astype(bool)
    if wrong.any():
        at = int(np.argmax(wrong.to_numpy()))
        raise InputError(
            f"{int(wrong.sum())} of {len(values)} values of {part.name!r} are not {part.width} {part.characters} "
            f"(first: row {values.index[at]}, {values.iloc[at]!r}); a serial number that has grown too long needs "
            "another parent or a wider scheme"
        )
    return text


SCHEMES: Final[Mapping[str, CodeScheme]] = MappingProxyType(
    {file.stem: CodeScheme.from_file(file) for file in sorted(BUILT_IN.glob("*.toml"))}
)
"""The schemes that come with gisgrid, by id."""
