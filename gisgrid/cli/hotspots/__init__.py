"""`gisgrid hotspots`: from a file of reports to hot and cold areas, outliers, clusters or a surface."""
