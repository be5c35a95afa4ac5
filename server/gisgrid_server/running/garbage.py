"""What is there once a server is warm stays for good: the search for garbage cycles need not go through it again.

Such a search holds every thread of a worker, a quarter of a second where all modules and layers are gone through. Afterwards it
takes as long as what came since the start is large: about a millisecond.
"""

from __future__ import annotations

import gc


def settle() -> None:
    """Take out what is garbage now, and leave the rest out of every later search."""
    gc.collect()
    gc.freeze()
