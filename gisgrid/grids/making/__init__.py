"""What would the unit grids of a city look like that has none?"""
