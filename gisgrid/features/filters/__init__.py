"""Which features does somebody ask for? Filters in CQL2 (text and JSON), by time, by property, by place."""

from gisgrid.features.filters.filter import Filter, Language
from gisgrid.features.filters.limits import MAX_CHARACTERS, MAX_DEPTH, MAX_LITERALS, FilterError

__all__ = ["MAX_CHARACTERS", "MAX_DEPTH", "MAX_LITERALS", "Filter", "FilterError", "Language"]
