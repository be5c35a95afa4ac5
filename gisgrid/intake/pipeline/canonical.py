"""What do all reports have in common? The columns that every result begins with, and the words in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from gisgrid.intake.reasons import FLAGS

UTC_TIME: Final = pa.timestamp("us", tz="UTC")

STATUSES: Final = ("open", "closed")
"""The states of a case, in the order of their numbers; -1 is unknown."""

REPEAT_COLUMN: Final = "duplicate_of"
"""Names the report that a row repeats; a file that has such a column is believed."""

LEADING: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("issue_id", pa.string()),
    ("category_scheme", pa.string()),
    ("category_code", pa.string()),
    ("category", pa.string()),
    ("reported_at", UTC_TIME),
    ("uploaded_at", UTC_TIME),
    ("closed_at", UTC_TIME),
    ("source", pa.string()),
    ("status", pa.string()),
    (REPEAT_COLUMN, pa.string()),
    ("incident_id", pa.string()),
    ("fallback", pa.string()),
    ("flags", pa.string()),
)
"""The columns before the units' codes."""

TRAILING: Final[tuple[tuple[str, pa.DataType], ...]] = (
    ("source_file", pa.string()),
    ("source_row", pa.int64()),
)
"""The columns behind the units' codes."""

FLAG_BITS: Final = {code: np.uint32(1 << at) for at, code in enumerate(FLAGS)}
"""Each flag's bit, as the flags of a row wait on disk."""

_SOURCES: Final = (
    ("collector", r"采集员|监督员|信息员|网格员|巡查|巡检|collector|patrol|inspector|^staff$"),
    ("video", r"视频|摄像|监控|智能识别|video|camera|cctv"),
    ("app", r"随手拍|小程序|微信|公众号|客户端|^app|mobile|^web|online|网站|网络"),
    ("hotline", r"热线|12345|12319|电话|来电|hotline|phone|call"),
)
_STATUSES: Final = (
    ("open", r"未结|未办|未完|未处|处理中|处置中|办理中|进行中|待|^立案$|已立案|派遣|受理|挂账|^上报$|open|pending|assigned|in.?progress|started|^new$|submitted|acknowledged|unresolved|reopened"),
    ("closed", r"结案|办结|完成|办毕|已处[理置]|关闭|closed|complete|resolved|^done|fixed|archived|作废|无效"),
)  # fmt: skip


def source_word(text: str) -> str:
    """Say where a report came from, in the catalogue's word where there is one.

    Parameters
    ----------
    text
        As the file says it.

    Returns
    -------
    str
        ``collector``, ``hotline``, ``app``, ``video``, or the text itself.

    Examples
    --------
    >>> source_word("12345热线"), source_word("随手拍"), source_word("信访")
    ('hotline', 'app', '信访')
    """
    return _word(text, _SOURCES) or text


def status_word(text: str) -> str | None:
    """Say whether a case is open or closed, where its words tell.

    Parameters
    ----------
    text
        As the file says it.

    Returns
    -------
    str or None
        ``open``, ``closed``, or None.

    Examples
    --------
    >>> status_word("已结案"), status_word("未结案"), status_word("Completed - Dup"), status_word("?")
    ('closed', 'open', 'closed', None)
    """
    return _word(text, _STATUSES)


def _word(text: str, words: Iterable[tuple[str, str]]) -> str | None:
    return next((word for word, pattern in words if re.search(pattern, text, re.IGNORECASE)), None)


class Registry:
    """Distinct values, numbered in the order in which they come: what is the same in many rows is held once."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        """How many values there are."""
        return len(self._numbers)

    @property
    def values(self) -> list[str]:
        """The values by their numbers."""
        return list(self._numbers)

    def numbers(
        self, values: pa.Array, say: Callable[[str], str | None] | None = None
    ) -> NDArray[np.int32]:
        """Give each value of a column its number.

        Parameters
        ----------
        values
            Shape (n,), text.
        say
            Another word for each distinct value, or None for none.

        Returns
        -------
        ndarray
            Shape (n,), -1 where there is nothing.
        """
        coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        words = [
            None
            if word is None or not word.strip()
            else (say(word.strip()) if say else word.strip())
            for word in coded.dictionary.to_pylist()
        ]
        numbers = np.array(
            [-1 if word is None else self._numbers.setdefault(word, len(self._numbers)) for word in words] + [-1],
            dtype=np.int32,
        )  # fmt: skip
        at = coded.indices.fill_null(len(words)).to_numpy(zero_copy_only=False)
        return np.asarray(numbers[at])

    def texts(self, numbers: NDArray[np.int32]) -> pa.Array:
        """Give the values for numbers.

        Parameters
        ----------
        numbers
            Shape (n,), -1 for none.

        Returns
        -------
        pyarrow.Array
            Shape (n,), text.
        """
        return texts_of(self.values, numbers)


def texts_of(values: Iterable[str], numbers: NDArray[np.integer[Any]]) -> pa.Array:
    """Give a value for each number, none for those below 0.

    Parameters
    ----------
    values
        The values by their numbers.
    numbers
        Shape (n,).

    Returns
    -------
    pyarrow.Array
        Shape (n,), text.
    """
    return pa.array(list(values), pa.string()).take(pa.array(numbers, mask=numbers < 0))


def flag_texts(flags: NDArray[np.uint32]) -> pa.Array:
    """Write the flags of rows as text.

    Parameters
    ----------
    flags
        Shape (n,), a bit per flag.

    Returns
    -------
    pyarrow.Array
        Shape (n,): codes joined with ``;``, null where there is none.

    Examples
    --------
    >>> bits = FLAG_BITS["no_time"] | FLAG_BITS["outside_units"]
    >>> flag_texts(np.array([0, bits], np.uint32)).to_pylist()
    [None, 'no_time;outside_units']
    """
    distinct, at = np.unique(flags, return_inverse=True)
    words = [
        ";".join(code for code, bit in FLAG_BITS.items() if bits & bit) or None for bits in distinct
    ]
    return pa.array(words, pa.string()).take(pa.array(at))


def utc_times(microseconds: NDArray[np.int64]) -> pa.Array:
    """Give times for microseconds since 1970.

    Parameters
    ----------
    microseconds
        Shape (n,); the smallest number is none.

    Returns
    -------
    pyarrow.Array
        Shape (n,), with the zone UTC.
    """
    none = microseconds == np.iinfo(np.int64).min
    return pa.array(microseconds, pa.int64(), mask=none).cast(UTC_TIME)


def is_blank(text: pa.Array) -> pa.Array:
    """Tell where a column of text holds nothing.

    Parameters
    ----------
    text
        Shape (n,).

    Returns
    -------
    pyarrow.Array
        Shape (n,), boolean.
    """
    return pc.equal(pc.coalesce(pc.utf8_trim_whitespace(text), ""), "")
