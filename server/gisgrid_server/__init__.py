"""The tile server and the web map of gisgrid.

`app.create_app` makes the application, `published` holds the layers as they are now, `tile_routes` serves tiles,
`api` answers questions about layers, `pages` shows the map. Nothing is read when a module is imported.
"""
