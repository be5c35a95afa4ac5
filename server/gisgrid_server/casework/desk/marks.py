"""How far has a desk heard? Its mark says it to this server and to nobody else.

The numbers of the ledger would tell everybody how much happens that they may not see; a mark is such a number, enciphered
with what only those know who can read the ledger, and another each time.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import Final

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import ECB

_CHECK: Final = bytes(2)
_RANDOM: Final = 6
LENGTH: Final = 32
"""Characters of a mark."""


class Marks:
    """Makes marks and reads them.

    Parameters
    ----------
    seed
        What all workers of a ledger know, and nobody else.
    """

    def __init__(self, seed: bytes) -> None:
        # One block each, with random bytes in it: no mode could add anything.
        self._cipher = Cipher(AES(hashlib.sha256(b"gisgrid desk news" + seed).digest()), ECB())  # noqa: S305

    def of(self, seq: int) -> str:
        """Make a mark.

        Parameters
        ----------
        seq
            The number of an event.

        Returns
        -------
        str
            32 hexadecimal digits, each time others.

        Examples
        --------
        >>> marks = Marks(b"secret")
        >>> marks.read(marks.of(7)), marks.of(7) == marks.of(7), marks.read("7")
        (7, False, None)
        """
        block = secrets.token_bytes(_RANDOM) + _CHECK + seq.to_bytes(8, "big")
        return self._cipher.encryptor().update(block).hex()

    def read(self, mark: str) -> int | None:
        """Read a mark.

        Parameters
        ----------
        mark
            What a client says.

        Returns
        -------
        int or None
            The number of the event; None where it is no mark of this ledger.
        """
        try:
            block = self._cipher.decryptor().update(bytes.fromhex(mark))
        except ValueError:
            return None
        if len(block) != LENGTH // 2 or block[_RANDOM:][: len(_CHECK)] != _CHECK:
            return None
        return int.from_bytes(block[_RANDOM + len(_CHECK) :], "big")
