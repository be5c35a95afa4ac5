"""`gisgrid tiles`: from layers to one file that web maps draw, without a server."""
