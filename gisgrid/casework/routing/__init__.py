"""Who owns which class of problem in which unit, and who gave what to whom?"""

from gisgrid.casework.routing.hand_overs import hand_over, hand_overs
from gisgrid.casework.routing.owners import Routing, coverage
from gisgrid.casework.routing.rules import Owner, RoutingRules, Rule, read_rules

__all__ = [
    "Owner",
    "Routing",
    "RoutingRules",
    "Rule",
    "coverage",
    "hand_over",
    "hand_overs",
    "read_rules",
]
