"""Which unit is each issue in? Points to units of all levels and zones, exactly, and nothing is lost on the way."""

from gisgrid.join.assign import assign_units, unassigned, unit_counts

__all__ = ["assign_units", "unassigned", "unit_counts"]
