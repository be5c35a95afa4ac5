"""What did the reports say, and where: files as they come, read right or refused row by row with the reason."""

from gisgrid.intake.reports import Reports, read_reports
from gisgrid.intake.units import Units, read_units

__all__ = ["Reports", "Units", "read_reports", "read_units"]
