"""`gisgrid ingest`: from files of reports as they come to one clean file."""
