"""What does a check, an intake or a week tell people? Pages in Chinese and English that need no network and no script."""

from gisgrid.report.brief import (
    FEW,
    Back,
    Brief,
    Change,
    Ground,
    HotUnit,
    Measure,
    Overdue,
    OwnerShare,
    Verdict,
)
from gisgrid.report.brief_page import render_brief, require_brief_suffix, write_brief
from gisgrid.report.grids import write_grid_report
from gisgrid.report.intake import write_findings, write_intake
from gisgrid.report.page import require_page_suffix, write_page

__all__ = [
    "FEW",
    "Back",
    "Brief",
    "Change",
    "Ground",
    "HotUnit",
    "Measure",
    "Overdue",
    "OwnerShare",
    "Verdict",
    "render_brief",
    "require_brief_suffix",
    "require_page_suffix",
    "write_brief",
    "write_findings",
    "write_grid_report",
    "write_intake",
    "write_page",
]
