"""The cases of a city over HTTP: reported, followed, handled, by who may."""
