"""`gisgrid validate-grids`, `make-grids` and `balance-grids`."""
