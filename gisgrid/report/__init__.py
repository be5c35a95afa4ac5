"""What does a check or an intake tell people? Pages in Chinese and English that need no network and no script."""

from gisgrid.report.grids import write_grid_report
from gisgrid.report.intake import write_findings, write_intake
from gisgrid.report.page import require_page_suffix, write_page

__all__ = [
    "require_page_suffix",
    "write_findings",
    "write_grid_report",
    "write_intake",
    "write_page",
]
