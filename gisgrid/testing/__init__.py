"""A synthetic city whose truth is known, and the score of what was found in it."""

from gisgrid.testing.casework import Casework, synthetic_casework
from gisgrid.testing.city import City, synthetic_city
from gisgrid.testing.nothing import null_points
from gisgrid.testing.scoring import Score, score
from gisgrid.testing.surfaces import city_surfaces, raster_layers

__all__ = [
    "Casework",
    "City",
    "Score",
    "city_surfaces",
    "null_points",
    "raster_layers",
    "score",
    "synthetic_casework",
    "synthetic_city",
]
