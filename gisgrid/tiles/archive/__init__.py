"""How does a city become one file of tiles, and how is it read?

`writing` draws the tiles of sources into a PMTiles archive, `coverage` says which there are, `draft` keeps what is made
safe from crashes, `addresses`, `directory` and `header` are the format, `source` serves an archive.
"""

from gisgrid.tiles.archive.draft import Thinned
from gisgrid.tiles.archive.header import About, FieldKind
from gisgrid.tiles.archive.source import PmtilesSource
from gisgrid.tiles.archive.writing import Compression, Written, write_archive

__all__ = [
    "About",
    "Compression",
    "FieldKind",
    "PmtilesSource",
    "Thinned",
    "Written",
    "write_archive",
]
