"""Which datum and which CRS are the coordinates in?"""
