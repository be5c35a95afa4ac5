"""What does a planner look at: maps that open anywhere, with no network and no server."""

from gisgrid.maps.explanation_drawing import explanation_map
from gisgrid.maps.hotspot_page import hotspot_map, write_html
from gisgrid.maps.reading import Reading, plain_reading
from gisgrid.maps.readings import PAIRS, SURROUNDINGS

__all__ = [
    "PAIRS",
    "SURROUNDINGS",
    "Reading",
    "explanation_map",
    "hotspot_map",
    "plain_reading",
    "write_html",
]
