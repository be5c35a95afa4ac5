"""A synthetic city whose truth is known, and the score of what was found in it."""

from gisgrid.testing.city import City, synthetic_city
from gisgrid.testing.nothing import null_points
from gisgrid.testing.scoring import Score, score

__all__ = ["City", "Score", "null_points", "score", "synthetic_city"]
