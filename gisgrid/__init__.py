"""Find the hotspot areas of a city that is managed by grid, and put them on a map.

The parts, as the questions they answer: `join` (which unit is each point in), `analysis` (which areas are hot,
and how sure is that), `grids` (what are the units), `intake` (what did the reports say), `catalogue` (which layers
does the city have, and do they keep their contracts), `tiles` (what does a web map draw), `maps` (what does a
planner look at), `testing` (a synthetic city whose truth is known).
"""

__version__ = "0.1.0"
