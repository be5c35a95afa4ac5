"""The dictionary of a text column: every distinct text once, packed, in order, and read in place from a file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Words(Sequence[str]):
    """Distinct texts in the order of their UTF-8 bytes, which is that of their code points.

    Attributes
    ----------
    offsets
        Shape (n + 1,), int64, where each text begins in `data`.
    data
        Shape (n bytes,), uint8, the texts one after the other in UTF-8.
    """

    offsets: NDArray[np.int64]
    data: NDArray[np.uint8]

    @classmethod
    def from_arrow(cls, texts: pa.Array) -> Words:
        """Pack texts that are distinct and in order.

        Parameters
        ----------
        texts
            Shape (n,), text without nulls.

        Returns
        -------
        Words
            The same texts.
        """
        large = texts.cast(pa.large_string())
        _, offsets, data = large.buffers()
        ends = np.frombuffer(offsets, np.int64)[large.offset : large.offset + len(large) + 1]
        if data is None or not len(large):
            return cls(np.zeros(len(large) + 1, np.int64), np.zeros(0, np.uint8))
        packed = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
        return cls(ends - ends[0], packed.copy())

    @classmethod
    def from_texts(cls, texts: Iterable[str]) -> Words:
        """Pack any texts: each is kept once, in order.

        Parameters
        ----------
        texts
            In any order.

        Returns
        -------
        Words
            The distinct ones.

        Examples
        --------
        >>> list(Words.from_texts(["道路", "park", "park"]))
        ['park', '道路']
        """
        # Code points order as UTF-8 bytes do.
        return cls.from_arrow(pa.array(sorted(set(texts)), pa.large_string()))

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not -len(self) <= index < len(self):
            raise IndexError(f"there is no word {index} among {len(self)}")
        return self._bytes(index % len(self)).decode()

    def _bytes(self, index: int) -> bytes:
        return self.data[self.offsets[index] : self.offsets[index + 1]].tobytes()

    def rank(self, text: str, *, after: bool = False) -> int:
        """Say how many words come before a text.

        Parameters
        ----------
        text
            Any text.
        after
            Count the text itself too, where it is a word.

        Returns
        -------
        int
            0 to n. With `after` and without, the two enclose the text's own code, if it has one.

        Examples
        --------
        >>> words = Words.from_texts(["b", "d"])
        >>> words.rank("a"), words.rank("b"), words.rank("b", after=True), words.rank("z")
        (0, 0, 1, 2)
        """
        # A lone surrogate has no UTF-8; a question mark in its place only shifts a rank nothing stands at.
        sought = text.encode(errors="surrogatepass")
        low, high = 0, len(self)
        while low < high:
            middle = (low + high) // 2
            word = self._bytes(middle)
            if word < sought or (after and word == sought):
                low = middle + 1
            else:
                high = middle
        return low

    def code(self, text: str) -> int | None:
        """Find a text.

        Parameters
        ----------
        text
            Any text.

        Returns
        -------
        int or None
            Its place among the words; None where it is none of them.

        Examples
        --------
        >>> Words.from_texts(["b", "d"]).code("d"), Words.from_texts([]).code("d")
        (1, None)
        """
        rank = self.rank(text)
        return rank if rank < len(self) and self[rank] == text else None

    def arrow(self) -> pa.LargeStringArray:
        """Give the words as Arrow sees them, without a copy.

        Returns
        -------
        pyarrow.LargeStringArray
            Shape (n,).
        """
        offsets = pa.py_buffer(np.ascontiguousarray(self.offsets))
        return pa.LargeStringArray.from_buffers(len(self), offsets, pa.py_buffer(self.data))
