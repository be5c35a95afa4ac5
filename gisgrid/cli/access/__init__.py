"""`gisgrid access`: who can reach what on foot, and whom does it leave out?

`group` (the commands), `reach_commands` and `help_commands` (their options), `ground` (what is read), `reach` (coverage, areas,
catchments) and `helping` (sites, renewal, density, runs).
"""
