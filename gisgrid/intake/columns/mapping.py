"""What was found out about a kind of file, kept so that the next one is read the same way."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from gisgrid.errors import InputError, did_you_mean
from gisgrid.files import whole_file
from gisgrid.intake.columns.roles import ROLES

_HEAD: Final = """\
# 列映射：这类文件的哪一列是什么、坐标和时间怎样理解。可修改，下次用 --mapping 再用；不认识的键会报错。
# Column mapping: which column of such files is what, and how places and times are meant. Edit it and use it again with
# --mapping; an unknown key is an error.
"""
_ABOUT_COLUMNS: Final = """
# 用途 = "列名"；写 "" 表示没有这一列。可用的用途：
# role = "column"; "" says that there is none. The roles are:
"""
_ABOUT_READING: Final = """
# datum 坐标基准：wgs84 cgcs2000 gcj02 bd09 EPSG:4547 wgs84:swapped …   timezone 时区：Asia/Shanghai
# taxonomy 分类标准：gbt30428-new cjt214-2007 free-text，或一个文件   day_first 日在月前：true 或 false
# datum of the coordinates, zone of the times, scheme of the classes (or a file), whether the day stands before the month
"""


@dataclass(frozen=True)
class ColumnMapping:
    """Which column of a kind of file is what, and how its places, times and classes are meant.

    Attributes
    ----------
    columns
        Role to column's name; an empty name says that the files have no such column.
    datum
        What the coordinates are, for example ``gcj02`` or ``EPSG:4547``.
    timezone
        The zone of times that do not say theirs, for example ``Asia/Shanghai``.
    taxonomy
        The scheme of the classes: one of `gisgrid.intake.classes.taxonomy.TAXONOMIES`, or a file.
    day_first
        Whether 03/04/2026 is the third of April.
    """

    columns: Mapping[str, str] = field(default_factory=dict)
    datum: str | None = None
    timezone: str | None = None
    taxonomy: str | None = None
    day_first: bool | None = None

    def __post_init__(self) -> None:
        for role in self.columns:
            if role not in ROLES:
                raise InputError(
                    f"a column mapping has no role {role!r}{did_you_mean(role, ROLES)}"
                )
        object.__setattr__(self, "columns", MappingProxyType(dict(self.columns)))

    @classmethod
    def read(cls, path: Path | str) -> ColumnMapping:
        """Read a mapping file.

        Parameters
        ----------
        path
            TOML, UTF-8.

        Returns
        -------
        ColumnMapping
            What it says.

        Raises
        ------
        InputError
            There is no such file, it is no TOML, or it holds an unknown key or a value of the wrong kind.
        """
        path = Path(path)
        try:
            said = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as error:
            raise InputError(
                f"the mapping {path.name!r} cannot be read ({error.strerror}); check the spelling and the folder"
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise InputError(
                f"the mapping {path.name!r} is no TOML in UTF-8: {error}; mend that line (names stand in double quotes)"
            ) from error
        return cls(**_checked(said, path.name))

    def write(self, path: Path | str) -> None:
        """Write a mapping file, with comments that say what can be changed in it.

        Parameters
        ----------
        path
            Where; what stood there is replaced as a whole.

        Raises
        ------
        OutputError
            The folder does not exist or cannot be written.
        """
        with whole_file(Path(path)) as draft:
            draft.write_text(self.to_toml(), encoding="utf-8", newline="\n")

    def to_toml(self) -> str:
        """Give the mapping as a file says it.

        Returns
        -------
        str
            TOML with comments in Chinese and English; `read` gives the same mapping back.
        """
        lines = [_HEAD, "[columns]", _ABOUT_COLUMNS.strip("\n")]
        lines += [
            f"#   {role.id}  {role.words.zh}  {role.words.en}"
            for role in ROLES.values()
            if role.id not in self.columns
        ]
        lines += [
            f"{role} = {_quoted(self.columns[role])}  # {ROLES[role].words.zh}  {ROLES[role].words.en}"
            for role in ROLES
            if role in self.columns
        ]
        lines += ["", "[reading]", _ABOUT_READING.strip("\n")]
        for name in _READING:
            value = getattr(self, name)
            if value is not None:
                lines.append(
                    f"{name} = {str(value).lower() if isinstance(value, bool) else _quoted(value)}"
                )
        return "\n".join(lines) + "\n"


_READING: Final = tuple(f.name for f in fields(ColumnMapping) if f.name != "columns")


def _checked(said: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Hold what a file says against what a mapping can say."""
    for key, part in said.items():
        if key not in ("columns", "reading"):
            raise InputError(
                f"the mapping {name!r} has the unknown key {key!r}{did_you_mean(key, ('columns', 'reading'))}"
            )
        if not isinstance(part, dict):
            raise InputError(
                f"the mapping {name!r} has {key} = {part!r} but {key} is a section; write it as [{key}]"
            )
    columns, reading = said.get("columns", {}), said.get("reading", {})
    for section, known, part in (("columns", ROLES, columns), ("reading", _READING, reading)):
        for key, value in part.items():
            if key not in known:
                raise InputError(
                    f"the mapping {name!r} has the unknown key {key!r} in [{section}]{did_you_mean(key, known)}"
                )
            wanted = bool if key == "day_first" else str
            if not isinstance(value, wanted):
                kind = "true or false" if wanted is bool else "a text in double quotes"
                raise InputError(
                    f"the mapping {name!r} has {key} = {value!r} but that is {kind}; mend that line"
                )
    return {"columns": columns, **reading}


def _quoted(text: str) -> str:
    """Write a TOML basic string: as JSON, whose escapes TOML shares, but for the delete character."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")
