"""Which areas are hot, and how sure is that?

`weights` (who is next to whom), `rates` (per resident, per km²), `hotspots` (which neighbourhoods are unusual),
`significance` (which of those are not chance), `density` (how thick do the reports lie). Functions take frames and
return frames indexed like their first argument; none reads a file or knows a layer.
"""

from gisgrid.analysis.density import kernel_density
from gisgrid.analysis.hotspots import gi, gi_star, hotspots
from gisgrid.analysis.rates import excess, rate
from gisgrid.analysis.significance import false_discovery, significance_labels
from gisgrid.analysis.weights import contiguity

__all__ = [
    "contiguity",
    "excess",
    "false_discovery",
    "gi",
    "gi_star",
    "hotspots",
    "kernel_density",
    "rate",
    "significance_labels",
]
