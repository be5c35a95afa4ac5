"""Which unit grids make a duty grid, with the same to do in each?"""
